//! Who is in which room, with which rank, and who may come in.

use std::time::Duration;

use crate::hub::state::limits::{MAX_ALL_ROOMS, MAX_INVITED, ROOMS_A_PERSON};
use crate::hub::state::refusal::{Refused, no_such_room, nobody, not_in_room, operator_needed};
use crate::hub::state::room::{Owner, Place, Rank, Room, RoomId, Seat};
use crate::hub::state::{ConnectionId, State};
use crate::protocol::Numeric::*;
use crate::protocol::{Numeric, RoomName};

impl State {
    /// Where a member sits in a room.
    pub(crate) fn place(&self, id: ConnectionId, room: RoomId) -> Option<Place> {
        self.member(id)?.rooms.iter().find(|place| place.room == room).copied()
    }

    pub(crate) fn seat(&self, id: ConnectionId, room: RoomId) -> Option<&Seat> {
        self.rooms.get(room)?.seat(self.place(id, room)?.number)
    }

    /// Whether a member may act as operator of a room: it has `@`, or is a server operator.
    pub(crate) fn is_operator(&self, id: ConnectionId, room: RoomId) -> bool {
        self.member(id).is_some_and(|member| member.operator)
            || self.seat(id, room).is_some_and(|seat| seat.rank.has(Rank::OPERATOR))
    }

    /// Who has this name, and where in a room they sit.
    pub(crate) fn seated(
        &self,
        nick: &str,
        room: RoomId,
        name: &str,
    ) -> Result<(ConnectionId, Place), Refused> {
        let other = self.find(nick).ok_or_else(|| nobody(nick))?;
        let absent = || (ERR_USERNOTINCHANNEL, format!("{nick} {name} :They are not in that room"));
        Ok((other, self.place(other, room).ok_or_else(absent)?))
    }

    /// Whether a room shows itself to this member: it is not secret, or the member is in it.
    pub(crate) fn sees(&self, id: ConnectionId, room: RoomId) -> bool {
        self.rooms.get(room).is_some_and(|state| {
            !state.flags.secret
                || self.place(id, room).is_some()
                || self.member(id).is_some_and(|member| member.operator)
        })
    }

    /// The room a name stands for, by reference.
    pub(crate) fn room_named(&self, name: &str) -> Option<(RoomId, &Room)> {
        let id = self.rooms.find(name)?;
        Some((id, self.rooms.get(id)?))
    }

    pub(crate) fn may_enter(
        &self,
        id: ConnectionId,
        room: RoomId,
        key: &str,
    ) -> Result<(), (Numeric, &'static str)> {
        let own = self.kept_rank(id, room);
        let (Some(member), Some(room)) = (self.member(id), self.rooms.get(room)) else { return Ok(()) };
        let masked = member.masked();
        let invited = member.operator || room.invited.contains(&id) || own.has(Rank::OPERATOR);
        if invited {
            return Ok(());
        }
        if room.banned(&masked) {
            return Err((ERR_BANNEDFROMCHAN, "You are banned from this room (+b)"));
        }
        if room.flags.invite_only && !room.invited_by_mask(&masked) {
            return Err((ERR_INVITEONLYCHAN, "This room is for invited people only (+i)"));
        }
        if room.flags.accounts_only && member.account.is_none() {
            return Err((
                ERR_NEEDREGGEDNICK,
                "This room is for people whose name is theirs (+R); /msg NickServ HELP tells how",
            ));
        }
        if room.key.as_deref().is_some_and(|wanted| wanted != key) {
            return Err((ERR_BADCHANNELKEY, "This room needs its key (+k)"));
        }
        if room.limit.is_some_and(|limit| room.seats().len() >= limit as usize) {
            return Err((ERR_CHANNELISFULL, "This room is full (+l)"));
        }
        Ok(())
    }

    /// Whether one more room may be made by this member.
    pub(crate) fn may_make(&self, id: ConnectionId, name: &RoomName) -> Result<(), Refused> {
        let Some(member) = self.member(id) else { return Ok(()) };
        let most = self.admission.most(member.peer.ip()) * ROOMS_A_PERSON;
        let why = if self.rooms.share(member.cloak).0 >= most {
            format!("{most} rooms that were made from your address are the limit")
        } else if self.rooms.len() >= MAX_ALL_ROOMS {
            format!("{MAX_ALL_ROOMS} rooms are the limit of this server")
        } else {
            return Ok(());
        };
        let later = "an empty one ends 30 days after the last one left it, at once if it has neither history nor modes";
        Err((ERR_TOOMANYCHANNELS, format!("{name} :{why}; {later}")))
    }

    /// Who comes first into an empty room is its operator, unless that rank is kept for somebody.
    pub(crate) fn founders_rank(&self, room: RoomId) -> Rank {
        let Some(room) = self.rooms.get(room) else { return Rank::NONE };
        let held = room.holders.iter().any(|holder| holder.rank.has(Rank::OPERATOR) && self.counts(holder));
        if room.permanent || held || !room.seats().is_empty() { Rank::NONE } else { Rank::OPERATOR }
    }

    /// Lets somebody in once, whatever the room's modes are; beyond [`MAX_INVITED`] the oldest goes.
    pub(crate) fn invite(&mut self, room: RoomId, invited: ConnectionId) {
        let known = self.rooms.get(room).map(|state| state.invited.clone()).unwrap_or_default();
        let known = known.into_iter().filter(|other| *other != invited && self.member(*other).is_some());
        let known: Vec<ConnectionId> = known.collect();
        let Some(state) = self.rooms.get_mut(room) else { return };
        state.invited = known;
        if state.invited.len() >= MAX_INVITED {
            state.invited.remove(0);
        }
        state.invited.push(invited);
    }

    pub(crate) fn share_a_room(&self, a: ConnectionId, b: ConnectionId) -> bool {
        let Some(member) = self.member(a) else { return false };
        member.rooms.iter().any(|place| self.place(b, place.room).is_some())
    }

    pub(crate) fn change_rank(
        &mut self,
        other: ConnectionId,
        place: Place,
        on: bool,
        changed: Rank,
    ) -> Option<String> {
        let seat = self.rooms.get_mut(place.room)?.seat_mut(place.number)?;
        let rank = if on { seat.rank.with(changed) } else { seat.rank.without(changed) };
        if std::mem::replace(&mut seat.rank, rank) == rank {
            return None;
        }
        self.bind_rank(other, place.room);
        Some(self.nick_of(other).to_owned())
    }

    /// The room of this name, for somebody who is in it or is a server operator.
    pub(crate) fn room_joined(&self, id: ConnectionId, name: &str) -> Result<(RoomId, &Room), Refused> {
        let (room, state) = self.room_named(name).ok_or_else(|| no_such_room(name))?;
        let operator = self.member(id).is_some_and(|member| member.operator);
        if operator || self.place(id, room).is_some() { Ok((room, state)) } else { Err(not_in_room(name)) }
    }

    /// The room of this name and how it is written, for one of its operators.
    pub(crate) fn room_operated(&self, id: ConnectionId, name: &str) -> Result<(RoomId, String), Refused> {
        let (room, state) = self.room_joined(id, name)?;
        let name = state.name.to_string();
        if self.is_operator(id, room) { Ok((room, name)) } else { Err(operator_needed(&name)) }
    }

    /// Seconds until this member may say its next line in a room that is slow; the line of now is noted.
    pub(crate) fn slowed(&mut self, id: ConnectionId, room: RoomId) -> Option<u64> {
        let now = self.clock();
        let free =
            self.member(id)?.operator || self.seat(id, room).is_some_and(|seat| seat.rank > Rank::NONE);
        let author = self.member(id).filter(|_| !free)?.author().clone();
        let state = self.rooms.get_mut(room)?;
        let pause = Duration::from_secs(state.slow?.into());
        if let Some(spoke) = state.spoke.get(&author) {
            let wait = (*spoke + pause).saturating_sub(now);
            if !wait.is_zero() {
                return Some(wait.as_millis().div_ceil(1000) as u64);
            }
        }
        if state.spoke.len() == state.spoke.capacity() {
            state.spoke.retain(|_, spoke| *spoke + pause > now);
        }
        state.spoke.insert(author, now);
        None
    }

    /// Why this member may not talk in a room; `None` if it may.
    pub(crate) fn silenced(&self, id: ConnectionId, room: RoomId) -> Option<&'static str> {
        let (member, state) = (self.member(id)?, self.rooms.get(room)?);
        let rank = self.seat(id, room).map(|seat| seat.rank);
        if member.operator || rank.is_some_and(|rank| rank > Rank::NONE) {
            return None;
        }
        if rank.is_none() && state.flags.no_outside {
            return Some("Join the room to talk in it (+n)");
        }
        if state.flags.moderated {
            return Some("Only people with voice may talk here (+m)");
        }
        self.barred(id, room)
    }

    /// The same, as far as +m is not why: who has no voice may still ask for it.
    pub(crate) fn barred(&self, id: ConnectionId, room: RoomId) -> Option<&'static str> {
        let (member, state) = (self.member(id)?, self.rooms.get(room)?);
        let ranked = || self.seat(id, room).is_some_and(|seat| seat.rank > Rank::NONE);
        if state.list('b').is_empty() || member.operator || ranked() {
            return None;
        }
        let masked = member.masked();
        match state.banned(&masked) {
            true => Some("You are banned from this room (+b)"),
            false => state.muted(&masked).then_some("You may not speak here (+b ~m:)"),
        }
    }

    /// Seats a member in a room.
    pub(crate) fn sit(&mut self, id: ConnectionId, room: RoomId, rank: Rank) {
        let Some(state) = self.rooms.get_mut(room) else { return };
        state.invited.retain(|invited| *invited != id);
        let number = state.sit(id, rank);
        // It is written down when somebody is in it: else it would count as left.
        if state.seats().len() == 1 {
            self.changed(room);
        }
        if let Some(member) = self.member_mut(id) {
            member.rooms.push(Place { room, number });
            member.read = None;
        }
        self.bind_rank(id, room);
    }

    /// The names of the rooms that somebody is in.
    pub(crate) fn room_names_of(&self, id: ConnectionId) -> Vec<String> {
        let rooms = self.member(id).into_iter().flat_map(|member| &member.rooms);
        rooms.filter_map(|place| Some(self.rooms.get(place.room)?.name.to_string())).collect()
    }

    /// Takes a member out of a room, and ends that if nobody and nothing is left in it.
    pub(crate) fn unseat(&mut self, id: ConnectionId, room: RoomId) {
        let Some(place) = self.place(id, room) else { return };
        self.has_read(id, &[room], self.stamps.last());
        if let Some(member) = self.member_mut(id) {
            member.rooms.retain(|place| place.room != room);
        }
        if let Some(room) = self.rooms.get_mut(room) {
            room.leave(place.number);
        }
        // To an account a rank belongs for good; else it is given up.
        if !matches!(self.owner(id), Some(Owner::Account(..))) {
            self.bind_rank(id, room);
        }
        self.end_if_empty(room);
    }

    /// Takes somebody who goes for good out of all rooms, lists and counts.
    pub(crate) fn leave_everything(&mut self, id: ConnectionId) {
        let owner = self.owner(id);
        let Some(member) = self.member_mut(id) else { return };
        let rooms = std::mem::take(&mut member.rooms);
        let watched = std::mem::take(&mut member.watched);
        let (invisible, operator) = (member.invisible, member.operator);
        for place in rooms {
            // Its rank waits for it from now on, not from when it was given.
            self.renew_holder(owner.as_ref(), place);
            if let Some(room) = self.rooms.get_mut(place.room) {
                room.leave(place.number);
            }
            self.end_if_empty(place.room);
        }
        self.unwatch(id, watched);
        self.population.registered -= 1;
        self.population.invisible -= usize::from(invisible);
        self.population.operators -= usize::from(operator);
    }
}
