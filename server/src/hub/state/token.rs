//! Coming back with a token: who is waited for, and the ranks that belong to a token
//! (`parlor/resume`).

use crate::hub::state::limits::MAX_HOLDERS;
use crate::hub::state::member::{Member, Missed};
use crate::hub::state::room::{Holder, Place, Rank, RoomId};
use crate::hub::state::{ConnectionId, State, Token};
use crate::protocol::Nick;

impl State {
    pub(crate) fn bring(&mut self, id: ConnectionId, token: Token, accepted: bool) {
        if let Some(registration) = self.member_mut(id).and_then(|member| member.registration.as_mut()) {
            (registration.brought, registration.accepted) = (Some(token), accepted);
        }
    }

    /// The token that a connection brought and that is not used up yet.
    pub(crate) fn brought(&self, id: ConnectionId) -> Option<Token> {
        self.member(id)?.registration.as_ref()?.brought
    }

    /// The member who was handed this token, here or waited for.
    pub(crate) fn holder_of(&self, token: Token) -> Option<ConnectionId> {
        let id = *self.tokens.get(&token)?;
        self.member(id).is_some_and(Member::registered).then_some(id)
    }

    pub(crate) fn holds_ranks(&self, token: Token) -> bool {
        let ran = self.ran();
        let holds = |holder: &Holder| holder.token == token && holder.counts(ran);
        self.rooms.from(0).any(|(_, room)| room.holders.iter().any(holds))
    }

    /// Whether this connection will take over a name, and needs none of its own.
    pub(crate) fn resumes(&self, id: ConnectionId) -> bool {
        self.brought(id).is_some_and(|token| self.holder_of(token).is_some())
    }

    /// What a token was worth in rooms is another one's now, or nobody's.
    pub(crate) fn pass_on(&mut self, brought: Token, token: Option<Token>) {
        let rooms: Vec<RoomId> = self.rooms.from(0).map(|(room, _)| room).collect();
        for room in rooms {
            let Some(state) = self.rooms.get_mut(room) else { continue };
            let Some(at) = state.holders.iter().position(|holder| holder.token == brought) else { continue };
            match token {
                Some(token) => state.holders[at].token = token,
                None => drop(state.holders.remove(at)),
            }
            self.changed(room);
        }
    }

    /// The rank that a member has in a room by its token.
    pub(crate) fn rank_by_token(&self, id: ConnectionId, room: RoomId) -> Rank {
        let Some(token) = self.member(id).and_then(|member| member.token) else { return Rank::NONE };
        let holders = self.rooms.get(room).map_or(&[][..], |room| &room.holders);
        let own = holders.iter().find(|holder| holder.token == token && holder.counts(self.ran()));
        own.map_or(Rank::NONE, |holder| holder.rank)
    }

    /// Somebody's rank in a room is another one now, or none: its token is worth that.
    pub(crate) fn bind_rank(&mut self, id: ConnectionId, room: RoomId) {
        let rank = self.seat(id, room).map_or(Rank::NONE, |seat| seat.rank);
        let Some(token) = self.member(id).and_then(|member| member.token) else { return };
        // Whoever was handed nothing cannot come back with it.
        let rank = if self.tokens.contains_key(&token) { rank } else { Rank::NONE };
        let at = self.ran();
        let Some(state) = self.rooms.get_mut(room) else { return };
        let before = state.holders.len();
        state.holders.retain(|holder| holder.token != token);
        if rank > Rank::NONE {
            if state.holders.len() >= MAX_HOLDERS {
                // Whoever was voiced must not put an operator out.
                let voice = state.holders.iter().position(|holder| !holder.rank.has(Rank::OPERATOR));
                state.holders.remove(voice.unwrap_or(0));
            }
            state.holders.push(Holder { token, rank, at });
        }
        if rank > Rank::NONE || state.holders.len() != before {
            self.changed(room);
        }
    }

    /// Somebody leaves for good, and may come back with its token.
    pub(crate) fn renew_holder(&mut self, token: Option<Token>, place: Place) {
        let at = self.ran();
        let Some(state) = self.rooms.get_mut(place.room) else { return };
        if let Some(holder) = state.holders.iter_mut().find(|holder| Some(holder.token) == token) {
            holder.at = at;
            self.changed(place.room);
        }
    }

    pub(crate) fn lingers(&self, id: ConnectionId) -> bool {
        self.member(id).is_some_and(|member| member.lingering.is_some())
    }

    /// Everything that one connection's member is and has becomes the other's. The private lines that
    /// came meanwhile.
    pub(crate) fn move_member(&mut self, from: ConnectionId, to: ConnectionId) -> Option<Vec<Missed>> {
        let now = self.now.elapsed;
        // A name that it registered with meanwhile is free again.
        if let Some(folded) = self.member(to)?.nick.as_ref().map(Nick::fold) {
            self.nicks.remove(&folded);
        }
        let mut before = self.close(from)?;
        for place in &before.rooms {
            if let Some(seat) = self.rooms.get_mut(place.room).and_then(|room| room.seat_mut(place.number)) {
                seat.member = to;
            }
        }
        let invited = self.rooms.iter_mut().flat_map(|room| &mut room.invited);
        invited.filter(|id| **id == from).for_each(|id| *id = to);
        for (name, _) in &before.watched {
            let watchers = self.watchers.get_mut(name).into_iter().flatten();
            watchers.filter(|id| **id == from).for_each(|id| *id = to);
        }
        if let Some(nick) = &before.nick {
            self.nicks.insert(nick.fold(), to);
        }
        let member = self.member_mut(to)?;
        // The connection is the new one's, the person the old one.
        (before.peer, before.caps, before.token) = (member.peer, member.caps, member.token);
        (before.secure, before.certfp) = (member.secure, member.certfp.take());
        (before.heard, before.pinged, before.spoke) = (now, None, now);
        let missed = before.lingering.take().map_or_else(Vec::new, |lingering| lingering.missed);
        *member = *before;
        Some(missed)
    }
}
