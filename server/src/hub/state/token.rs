//! Coming back with a token (`parlor/resume`): who is waited for; and the ranks that are kept, for a token or an
//! account.

use crate::hub::state::limits::MAX_HOLDERS;
use crate::hub::state::member::{Member, Missed};
use crate::hub::state::room::{Holder, Owner, Place, Rank, RoomId};
use crate::hub::state::{ConnectionId, State, Token};
use crate::protocol::{Folded, Nick};

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
        let holds = |holder: &Holder| holder.owner == Owner::Token(token) && self.counts(holder);
        self.rooms.from(0).any(|(_, room)| room.holders.iter().any(holds))
    }

    /// Whether this connection will take over a name, and needs none of its own.
    pub(crate) fn resumes(&self, id: ConnectionId) -> bool {
        self.brought(id).is_some_and(|token| self.holder_of(token).is_some()) || self.standing(id).is_some()
    }

    /// What a token was worth in rooms is kept for another one now, or for an account, or for nobody.
    pub(crate) fn pass_on(&mut self, brought: Token, to: Option<Owner>) {
        let rooms: Vec<RoomId> = self.rooms.from(0).map(|(room, _)| room).collect();
        for room in rooms {
            let Some(holders) = self.rooms.get_mut(room).map(|room| &mut room.holders) else { continue };
            let old = Owner::Token(brought);
            let Some(at) = holders.iter().position(|holder| holder.owner == old) else { continue };
            let Holder { rank, at: when, .. } = holders.remove(at);
            match to.clone().map(|owner| (holders.iter_mut().find(|holder| holder.owner == owner), owner)) {
                None => {}
                Some((Some(known), _)) => known.rank = known.rank.with(rank),
                Some((None, owner)) => holders.insert(at, Holder { owner, rank, at: when }),
            }
            self.changed(room);
        }
    }

    /// As whom a member has ranks that are kept: its account, or else its token.
    pub(crate) fn owner(&self, id: ConnectionId) -> Option<Owner> {
        let member = self.member(id)?;
        let account = member.account.as_ref().and_then(|name| self.accounts.get(name));
        let account = account.map(|account| Owner::Account(Folded::new(&account.name), account.made));
        account.or(member.token.map(Owner::Token))
    }

    /// The rank that is kept for a member in a room.
    pub(crate) fn kept_rank(&self, id: ConnectionId, room: RoomId) -> Rank {
        let Some(owner) = self.owner(id) else { return Rank::NONE };
        let holders = self.rooms.get(room).map_or(&[][..], |room| &room.holders);
        let own = holders.iter().find(|holder| holder.owner == owner && self.counts(holder));
        own.map_or(Rank::NONE, |holder| holder.rank)
    }

    /// Somebody's rank in a room is another one now, or none: that is kept for its account, or its token.
    pub(crate) fn bind_rank(&mut self, id: ConnectionId, room: RoomId) {
        let rank = self.seat(id, room).map_or(Rank::NONE, |seat| seat.rank);
        let Some(owner) = self.owner(id) else { return };
        // Whoever was handed nothing cannot come back with it.
        let lost = matches!(&owner, Owner::Token(token) if !self.tokens.contains_key(token));
        let rank = if lost { Rank::NONE } else { rank };
        let at = self.ran();
        let Some(state) = self.rooms.get_mut(room) else { return };
        let before = state.holders.len();
        state.holders.retain(|holder| holder.owner != owner);
        if rank > Rank::NONE {
            if state.holders.len() >= MAX_HOLDERS {
                // Whoever was voiced must not put an operator out.
                let voice = state.holders.iter().position(|holder| !holder.rank.has(Rank::OPERATOR));
                state.holders.remove(voice.unwrap_or(0));
            }
            state.holders.push(Holder { owner, rank, at });
        }
        if rank > Rank::NONE || state.holders.len() != before {
            self.changed(room);
        }
    }

    /// Somebody leaves for good, and may come back.
    pub(crate) fn renew_holder(&mut self, owner: Option<&Owner>, place: Place) {
        let at = self.ran();
        let Some(state) = self.rooms.get_mut(place.room) else { return };
        if let Some(holder) = state.holders.iter_mut().find(|holder| Some(&holder.owner) == owner) {
            holder.at = at;
            self.changed(place.room);
        }
    }

    /// Whether its connection is gone, and the member not yet.
    pub(crate) fn lingers(&self, id: ConnectionId) -> bool {
        self.member(id).is_some_and(|member| member.lingering.is_some() || member.leaving)
    }

    /// Everything that one connection's member is and has becomes the other's. The private lines that
    /// came meanwhile.
    pub(crate) fn move_member(&mut self, from: ConnectionId, to: ConnectionId) -> Option<Vec<Missed>> {
        let now = self.now.elapsed;
        // A name that it registered with meanwhile is free again.
        if let Some(folded) = self.member(to)?.nick.as_ref().map(Nick::fold)
            && self.nicks.get(&folded) == Some(&to)
        {
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
        (before.speaker, before.telnet) = (member.speaker, member.telnet);
        (before.secure, before.certificate) = (member.secure, member.certificate.take());
        (before.sasl, before.waiting, before.draft) = (None, member.waiting.take(), None);
        before.leaving = member.leaving;
        (before.heard, before.pinged, before.spoke) = (now, None, now);
        let missed = before.lingering.take().map_or_else(Vec::new, |lingering| lingering.missed);
        *member = *before;
        Some(missed)
    }
}
