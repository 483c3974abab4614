//! Coming back to what a lost connection had: the vendor capability `parlor/resume`.
//!
//! For authors of other clients, the whole grammar:
//!
//! - Ask for the capability `parlor/resume` (CAP REQ). Right after RPL_WELCOME (001) comes
//!   `:server RESUME TOKEN <token>`: 32 hexadecimal digits, good for one use. Each welcome brings
//!   a new one, and the old one is worth nothing then.
//! - Who has the capability and vanishes without QUIT stays in its rooms for 30 s; nobody is told.
//! - Come back: connect, negotiate, and when `parlor/resume` is acknowledged and before CAP END
//!   send `RESUME <token>`. The answer is one of
//!   - `:server RESUME ACCEPTED <nick>`: go on with USER and CAP END. A NICK, sent before or
//!     after, does not count. The welcome is for `<nick>`; after it come JOIN, topic and names of
//!     each room, and private messages that came meanwhile. The old connection, if it still
//!     stands, is closed with ERROR. Nobody else sees anything.
//!   - `:server RESUME RANKS`: nobody is there to come back to, but the token's holder had ranks
//!     in rooms. Register as usual, with NICK; they come back with each JOIN. So it is after a
//!     restart of the server, and for 30 days.
//!   - `:server FAIL RESUME INVALID_TOKEN :sentence`: it is unknown or was used. Register as usual.
//!   - `:server FAIL RESUME TOO_MANY :sentence`: three wrong ones on one connection.
//! - Whoever was accepted may still lose: should two connections bring one token, the one that
//!   registers first has it; and the 30 s may be over before CAP END. Then FAIL RESUME
//!   INVALID_TOKEN comes at the end of registration, which goes on with the NICK that was sent
//!   before RESUME, if any, or else waits for one.
//!
//! A PART gives the rank in that room up; QUIT does not.

use std::borrow::Cow;
use std::time::Duration;

use crate::hub::command::page::Page;
use crate::hub::delivery::event::{Event, Source, What};
use crate::hub::state::room::{Holder, OPERATOR, Place, RoomId};
use crate::hub::state::room_record::MOST_HOLDERS;
use crate::hub::{ConnectionId, Hub, Output, Speaker};
use crate::protocol::command::Verb;
use crate::protocol::{Capability, MsgId, Nick};

/// How long somebody who vanished is waited for.
pub(crate) const LINGER: Duration = Duration::from_secs(30);
/// Private lines that are kept for somebody who is waited for.
const MOST_MISSED: usize = 100;
/// Wrong tokens that one connection may try.
const MOST_WRONG: u8 = 3;

/// Somebody whose connection is gone and who may come back.
#[derive(Debug)]
pub(crate) struct Lingering {
    pub(crate) until: Duration,
    /// What others will be told if it does not.
    reason: Box<str>,
    missed: Vec<Missed>,
}

/// A private message that came meanwhile. Not a line yet: who comes back may read other tags.
#[derive(Debug)]
pub(crate) struct Missed {
    id: MsgId,
    from: Source,
    tags: String,
    verb: Verb,
    text: String,
}

impl Hub {
    pub(crate) fn resume(&mut self, id: ConnectionId, token: &str) {
        let Some(member) = self.member(id) else { return };
        if member.registered() {
            return self.already_registered(id);
        }
        if !member.has(Capability::Resume) {
            return self.fail(id, "RESUME", "INVALID_TOKEN", "Ask for the capability parlor/resume first");
        }
        let token = if token.len() == 32 { u128::from_str_radix(token, 16).ok() } else { None };
        let known = token.filter(|token| *token != 0);
        if let Some((token, nick)) = known.and_then(|token| Some((token, self.holder_of(token)?))) {
            let nick = self.nick_of(nick).to_owned();
            self.bring(id, token, true);
            return self.say_as_server(id, format!("RESUME ACCEPTED {nick}"));
        }
        if let Some(token) = known.filter(|token| self.holds_ranks(*token)) {
            self.bring(id, token, false);
            return self.say_as_server(id, "RESUME RANKS");
        }
        let Some(registration) = self.member_mut(id).and_then(|member| member.registration.as_mut()) else {
            return;
        };
        registration.wrong_tokens += 1;
        if registration.wrong_tokens >= MOST_WRONG {
            self.fail(id, "RESUME", "TOO_MANY", "Too many wrong tokens");
            return self.lost(id, "Too many wrong tokens");
        }
        self.fail(id, "RESUME", "INVALID_TOKEN", "The token is unknown or was used; register as usual");
    }

    fn bring(&mut self, id: ConnectionId, token: u128, accepted: bool) {
        if let Some(registration) = self.member_mut(id).and_then(|member| member.registration.as_mut()) {
            (registration.brought, registration.accepted) = (Some(token), accepted);
        }
    }

    /// The token that a connection brought and that is not used up yet.
    pub(crate) fn brought(&self, id: ConnectionId) -> Option<u128> {
        self.member(id)?.registration.as_ref()?.brought
    }

    /// Registration would be done: tells those who were to have a place that is not there any
    /// more, for somebody else came first or it was waited for too long. Ranks that the token
    /// still stands for come back all the same.
    pub(crate) fn tell_who_came_too_late(&mut self, id: ConnectionId) {
        let gone = !self.is_coming_back(id);
        let registration = self.member_mut(id).and_then(|member| member.registration.as_mut());
        if registration.is_some_and(|registration| gone && std::mem::take(&mut registration.accepted)) {
            self.fail(id, "RESUME", "INVALID_TOKEN", "The place is gone meanwhile; send a NICK");
        }
    }

    /// The member who was handed this token, here or waited for.
    fn holder_of(&self, token: u128) -> Option<ConnectionId> {
        self.tokens
            .get(&token)
            .copied()
            .filter(|id| self.member(*id).is_some_and(crate::hub::Member::registered))
    }

    fn holds_ranks(&self, token: u128) -> bool {
        let now = self.now.wall;
        let holds = |holder: &Holder| holder.token == token && holder.counts(now);
        self.rooms.from(0).any(|(_, room)| room.holders.iter().any(holds))
    }

    /// Whether this connection will take over a name, and needs none of its own.
    pub(crate) fn is_coming_back(&self, id: ConnectionId) -> bool {
        self.brought(id).is_some_and(|token| self.holder_of(token).is_some())
    }

    /// The end of a registration that brought a token: takes the old place over, if that is
    /// still there. The private lines that came meanwhile, if so.
    pub(crate) fn take_over(&mut self, id: ConnectionId, token: u128) -> Option<Vec<Missed>> {
        let old = self.holder_of(token)?;
        self.tokens.remove(&token);
        if self.member(old)?.lingering.is_none() {
            self.closing_line(old, "Resumed elsewhere");
        }
        Some(self.move_member(old, id))
    }

    /// Everything that one connection's member is and has becomes the other's.
    fn move_member(&mut self, from: ConnectionId, to: ConnectionId) -> Vec<Missed> {
        let now = self.now.elapsed;
        // A name that it registered with meanwhile is free again.
        if let Some(folded) = self.member(to).and_then(|member| member.nick.as_ref()).map(Nick::fold) {
            self.nicks.remove(&folded);
        }
        let Some(slot) = self.slots.get_mut(from.slot as usize) else { return Vec::new() };
        let Some(mut before) = slot.member.take() else { return Vec::new() };
        self.delivery.close(from);
        self.leave_admission(before.peer.ip(), before.lingering.is_some());
        self.delivery.output(Output::Close { id: from });
        for place in &before.rooms {
            if let Some(seat) = self.rooms.get_mut(place.room).and_then(|room| room.seat_mut(place.number)) {
                seat.member = to;
            }
        }
        for invited in self.rooms.iter_mut().flat_map(|room| &mut room.invited).filter(|id| **id == from) {
            *invited = to;
        }
        for (name, _) in &before.watched {
            for watcher in self.watchers.get_mut(name).into_iter().flatten().filter(|id| **id == from) {
                *watcher = to;
            }
        }
        if let Some(nick) = &before.nick {
            self.nicks.insert(nick.fold(), to);
        }
        let Some(member) = self.member_mut(to) else { return Vec::new() };
        // The connection is the new one's, the person the old one.
        (before.peer, before.caps, before.token) = (member.peer, member.caps, member.token);
        (before.heard, before.pinged, before.spoke) = (now, None, now);
        let missed = before.lingering.take().map_or_else(Vec::new, |lingering| lingering.missed);
        *member = *before;
        let text = format!("resumed: {} from {}", member.name(), member.peer);
        self.log(text);
        missed
    }

    /// After the welcome of somebody who came back: its rooms, and what it missed.
    pub(crate) fn show_rooms_again(&mut self, id: ConnectionId, missed: Vec<Missed>) {
        for room in self.rooms_of(id) {
            self.show_room_again(id, room);
        }
        let nick = self.nick_of(id).to_owned();
        for Missed { id: when, from, tags, verb, text } in missed {
            let what = What::Message { verb, target: &nick, text: &text, private: true };
            self.tell(id, &Event { id: when, from: Cow::Owned(from), tags: &tags, what, volatile: false });
        }
    }

    fn show_room_again(&mut self, id: ConnectionId, room: RoomId) {
        let (Some(member), Some(state)) = (self.member(id), self.rooms.get(room)) else { return };
        let (name, realname) = (state.name.to_string(), member.realname.to_string());
        let event = self.event(id, What::Join { room: &name, realname: &realname });
        self.tell(id, &event);
        self.page(id, Page::Topic { room });
        self.page(id, Page::Names { room, name: name.into(), from: 0 });
    }

    /// Hands out the token of this connection, and lets it stand for what the one before stood
    /// for.
    pub(crate) fn hand_out_token(&mut self, id: ConnectionId, brought: Option<u128>) {
        let Some(member) = self.member(id) else { return };
        let token = member.token;
        if !member.has(Capability::Resume) || token == 0 {
            // Used is used, though nothing new is handed out for it.
            brought.into_iter().for_each(|brought| self.pass_on(brought, None));
            return;
        }
        self.tokens.insert(token, id);
        self.say_as_server(id, format!("RESUME TOKEN {token:032x}"));
        brought.into_iter().for_each(|brought| self.pass_on(brought, Some(token)));
        self.rooms_of(id).into_iter().for_each(|room| self.hold_rank(id, room));
    }

    /// What a token was worth in rooms is another one's now, or nobody's.
    fn pass_on(&mut self, brought: u128, token: Option<u128>) {
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

    /// The rank that a member has in a room by its secret.
    pub(crate) fn rank_by_secret(&self, id: ConnectionId, room: RoomId) -> u8 {
        let token = self.member(id).map_or(0, |member| member.token);
        let holders = self.rooms.get(room).map_or(&[][..], |room| &room.holders);
        let own = holders.iter().find(|holder| holder.token == token && holder.counts(self.now.wall));
        own.map_or(0, |holder| holder.rank)
    }

    /// Somebody's rank in a room is another one now, or none: its secret is worth that.
    pub(crate) fn hold_rank(&mut self, id: ConnectionId, room: RoomId) {
        let rank = self.seat(id, room).map_or(0, |seat| seat.rank);
        let Some(token) = self.member(id).map(|member| member.token) else { return };
        // Whoever was handed nothing cannot come back with it.
        let rank = if self.tokens.contains_key(&token) { rank } else { 0 };
        let at = self.now.wall;
        let Some(state) = self.rooms.get_mut(room) else { return };
        let before = state.holders.len();
        state.holders.retain(|holder| holder.token != token);
        if rank > 0 {
            if state.holders.len() >= MOST_HOLDERS {
                // Whoever was voiced must not put an operator out.
                let voice = state.holders.iter().position(|holder| holder.rank & OPERATOR == 0);
                state.holders.remove(voice.unwrap_or(0));
            }
            state.holders.push(Holder { token, rank, at });
        }
        if rank > 0 || state.holders.len() != before {
            self.changed(room);
        }
    }

    /// Somebody leaves for good, and may come back with its secret.
    pub(crate) fn hold_rank_of(&mut self, token: u128, place: Place) {
        let now = self.now.wall;
        let Some(state) = self.rooms.get_mut(place.room) else { return };
        if let Some(holder) = state.holders.iter_mut().find(|holder| holder.token == token) {
            holder.at = now;
            self.changed(place.room);
        }
    }

    /// The connection is gone without a good-bye: whether it is waited for. Others are told
    /// `reason` when that was in vain.
    pub(crate) fn linger(&mut self, id: ConnectionId, reason: &str) -> bool {
        let until = self.now.elapsed + LINGER;
        let stopping = self.stopping;
        let Some(member) = self.member(id) else { return false };
        let wanted = member.registered()
            && member.speaker == Speaker::Irc
            && self.tokens.contains_key(&member.token)
            && member.lingering.is_none();
        let ip = member.peer.ip();
        if !wanted || stopping || !self.admission.wait_for(ip) {
            return false;
        }
        let Some(member) = self.member_mut(id) else { return false };
        member.lingering = Some(Box::new(Lingering { until, reason: reason.into(), missed: Vec::new() }));
        let text = format!("waiting: {} from {} ({reason})", member.name(), member.peer);
        self.log(text);
        self.delivery.close(id);
        self.timers.arm(id, until);
        self.delivery.output(Output::Detach { id });
        true
    }

    pub(crate) fn lingers(&self, id: ConnectionId) -> bool {
        self.member(id).is_some_and(|member| member.lingering.is_some())
    }

    /// Looks at somebody who is waited for. Says whether that is so.
    pub(crate) fn tick_lingering(&mut self, id: ConnectionId) -> bool {
        let now = self.now.elapsed;
        let Some(lingering) = self.member(id).and_then(|member| member.lingering.as_ref()) else {
            return false;
        };
        let (until, reason) = (lingering.until, lingering.reason.clone());
        if now >= until {
            self.depart(id, &reason, &reason);
        } else {
            self.timers.arm(id, until);
        }
        true
    }

    /// A private message for somebody who is waited for: says whether it is kept. `None`: for
    /// somebody who is here.
    pub(crate) fn keep_for_return(&mut self, id: ConnectionId, event: &Event<'_>) -> Option<bool> {
        let lingering = self.member_mut(id).and_then(|member| member.lingering.as_mut());
        let (lingering, What::Message { verb, text, .. }) = (lingering?, &event.what) else { return None };
        let room_left = lingering.missed.len() < MOST_MISSED;
        if room_left {
            let from = event.from.clone().into_owned();
            let (tags, text) = (event.tags.to_owned(), (*text).to_owned());
            lingering.missed.push(Missed { id: event.id, from, tags, verb: *verb, text });
        }
        Some(room_left)
    }
}
