//! Coming into rooms and leaving them; topics and invitations.

use crate::hub::Hub;
use crate::hub::change::WRITTEN;
use crate::hub::delivery::event::What;
use crate::hub::state::ConnectionId;
use crate::hub::state::limits::MAX_ROOMS;
use crate::hub::state::member::Speaker;
use crate::hub::state::refusal::{Refused, no_such_room, nobody, not_in_room, operator_needed};
use crate::hub::state::room::{Rank, RoomId, Topic};
use crate::protocol::Numeric::*;
use crate::protocol::{Capability, RoomName};

impl Hub {
    pub(super) fn join(&mut self, id: ConnectionId, name: RoomName, key: &str) -> Result<(), Refused> {
        let room = self.enter(id, name, key)?;
        if self.state.member(id).is_some_and(|member| member.speaker == Speaker::Plain) {
            self.plain_moved(id, room);
        }
        Ok(())
    }

    /// Takes a member into a room, which its first one makes.
    pub(super) fn enter(&mut self, id: ConnectionId, name: RoomName, key: &str) -> Result<RoomId, Refused> {
        let found = self.state.rooms.find(name.as_str());
        if let Some(room) = found.filter(|room| self.state.place(id, *room).is_some()) {
            return Ok(room);
        }
        if self.state.member(id).is_none_or(|member| member.rooms.len() >= MAX_ROOMS) {
            let why = format!("{name} :{MAX_ROOMS} rooms at a time are the limit");
            return Err((ERR_TOOMANYCHANNELS, why));
        }
        if let Some(room) = found {
            let entry = self.state.may_enter(id, room, key);
            entry.map_err(|(numeric, sentence)| (numeric, format!("{name} :{sentence}")))?;
        }
        let (room, rank) = match found {
            Some(room) => (room, Rank::NONE),
            None => (self.make_room(id, name)?, Rank::OPERATOR),
        };
        let rank = rank.with(self.state.kept_rank(id, room)).with(self.state.founders_rank(room));
        self.state.sit(id, room, rank);
        self.announce_join(id, room, found.is_none());
        Ok(room)
    }

    fn make_room(&mut self, id: ConnectionId, name: RoomName) -> Result<RoomId, Refused> {
        self.state.may_make(id, &name)?;
        let room = self.state.rooms.create(name, self.state.now.wall, false);
        let maker = self.state.member(id).map(|member| member.cloak);
        maker.into_iter().for_each(|maker| self.state.rooms.made_by(room, maker));
        Ok(room)
    }

    /// One line to each member; topic and names to the one who came.
    fn announce_join(&mut self, id: ConnectionId, room: RoomId, created: bool) {
        let (Some(member), Some(state)) = (self.state.member(id), self.state.rooms.get(room)) else { return };
        let name = state.name.to_string();
        let (realname, away) = (member.realname.to_string(), member.away.clone());
        let irc = member.speaker == Speaker::Irc;
        self.log_about(member.peer, format!("joined: {} from {} to {name}", member.name(), member.peer));
        let event = self.event(id, What::Join { room: &name, realname: &realname });
        self.happens(id, room, &name, &event);
        let joined = event.id;
        if irc {
            self.tell(id, &event);
        }
        if let Some(text) = away {
            let event = self.event(id, What::Away { text: Some(&text) });
            self.fan_out(room, &event, |seat, caps| seat.member != id && caps.has(Capability::AwayNotify));
        }
        if irc {
            self.show_room(id, room);
        }
        if !created || self.state.settings.durable {
            self.replay_on_join(id, room, joined);
        }
    }

    /// A member leaves a room; everyone in it is told, the one who leaves too.
    pub(super) fn part(&mut self, id: ConnectionId, room: &str, reason: Option<&str>) -> Result<(), Refused> {
        let (found, _) = self.state.room_named(room).ok_or_else(|| no_such_room(room))?;
        self.state.place(id, found).ok_or_else(|| not_in_room(room))?;
        self.leave(id, found, reason)
    }

    pub(crate) fn leave(
        &mut self,
        id: ConnectionId,
        room: RoomId,
        reason: Option<&str>,
    ) -> Result<(), Refused> {
        let (Some(member), Some(state)) = (self.state.member(id), self.state.rooms.get(room)) else {
            return Ok(());
        };
        let (name, irc, peer) = (state.name.to_string(), member.speaker == Speaker::Irc, member.peer);
        let event = self.event(id, What::Part { room: &name, reason });
        event.fits()?;
        self.happens(id, room, &name, &event);
        if irc {
            self.tell(id, &event);
        }
        self.log_about(peer, format!("parted: {} from {peer} left {name}", event.from.nick));
        self.unseat(id, room);
        Ok(())
    }

    fn unseat(&mut self, id: ConnectionId, room: RoomId) {
        self.state.unseat(id, room);
        // Topic and names of a room that one has left would look like being in it again.
        self.delivery.forget_pages(id, |page| page.shows(room));
    }

    pub(super) fn kick(
        &mut self,
        id: ConnectionId,
        room: &str,
        nick: &str,
        reason: Option<&str>,
    ) -> Result<(), Refused> {
        let (room, name) = self.state.room_operated(id, room)?;
        let (victim, place) = self.state.seated(nick, room, &name)?;
        let (by, nick) = (self.state.nick_of(id).to_owned(), self.state.nick_of(victim).to_owned());
        let event = self.event(id, What::Kick { room: &name, nick: &nick, reason: reason.unwrap_or(&by) });
        event.fits()?;
        self.happens(id, room, &name, &event);
        if self.state.place(id, room).is_some() {
            self.tell(id, &event);
        }
        if let Some(peer) = self.state.member(victim).map(|member| member.peer) {
            self.log_about(peer, format!("kicked: {nick} from {peer} out of {name} by {by}"));
        }
        self.state.change_rank(victim, place, false, Rank::OPERATOR.with(Rank::VOICE));
        self.unseat(victim, room);
        if self.state.member(victim).is_some_and(|member| member.speaker == Speaker::Plain) {
            self.explain(victim, &format!("You were put out of {name}. /join {name} tries to come back."));
        }
        Ok(())
    }

    pub(super) fn topic(&mut self, id: ConnectionId, room: &str, text: &str) -> Result<(), Refused> {
        let (room, state) = self.state.room_joined(id, room)?;
        let name = state.name.to_string();
        if state.flags.topic_by_operators && !self.state.is_operator(id, room) {
            return Err(operator_needed(&name));
        }
        let (setter, at) = (self.state.source(id).prefix, self.state.now.wall);
        if let Some(state) = self.state.rooms.get_mut(room) {
            state.topic = (!text.is_empty()).then(|| Topic { text: text.into(), setter, at });
        }
        let event = self.event(id, What::Topic { room: &name, text });
        self.happens(id, room, &name, &event);
        self.state.changed(room);
        self.tell(id, &event);
        self.delivery.charge(id, WRITTEN);
        Ok(())
    }

    pub(super) fn invite(&mut self, id: ConnectionId, nick: &str, room: &str) -> Result<(), Refused> {
        let invited = self.state.find(nick).ok_or_else(|| nobody(nick))?;
        let (room, state) = self.state.room_joined(id, room)?;
        let (name, invite_only) = (state.name.to_string(), state.flags.invite_only);
        if self.state.place(invited, room).is_some() {
            return Err((ERR_USERONCHANNEL, format!("{nick} {name} :They are in that room already")));
        }
        match self.state.is_operator(id, room) {
            true => self.state.invite(room, invited),
            false if invite_only => return Err(operator_needed(&name)),
            // It asks somebody in, as a message does: ban, key and limit are the operators'.
            false => {}
        }
        let nick = self.state.nick_of(invited).to_owned();
        self.reply(id, RPL_INVITING, format!("{nick} {name}"));
        if let Some(away) = self.state.member(invited).and_then(|member| member.away.clone()) {
            self.reply(id, RPL_AWAY, format!("{nick} :{away}"));
        }
        let event = self.event(id, What::Invite { nick: &nick, room: &name });
        self.tell(invited, &event);
        // invite-notify: those who could have invited learn of it.
        self.fan_out(room, &event, |seat, caps| {
            seat.member != id
                && (!invite_only || seat.rank.has(Rank::OPERATOR))
                && caps.has(Capability::InviteNotify)
        });
        Ok(())
    }
}
