//! Coming into rooms and leaving them: JOIN, PART, KICK, INVITE, TOPIC, NAMES.

use crate::hub::command::page::Page;
use crate::hub::delivery::event::What;
pub(crate) use crate::hub::delivery::reply::shown;
use crate::hub::delivery::reply::{Refused, nobody};
use crate::hub::state::limits::{MAX_JOINS, MAX_KICK, MAX_ROOMS};
use crate::hub::state::room::{OPERATOR, Place, Room, RoomId, Seat};
use crate::hub::{ConnectionId, Hub, Speaker};
use crate::protocol::Numeric::*;
use crate::protocol::line::MAX_BODY;
use crate::protocol::{Capability, Folded, Numeric, RoomName};

impl Hub {
    pub(crate) fn join(&mut self, id: ConnectionId, rooms: &str, keys: &str) {
        let count = rooms.split(',').count();
        if count > MAX_JOINS {
            return self.too_many_targets(id, count);
        }
        let mut keys = keys.split(',');
        for name in rooms.split(',').filter(|name| !name.is_empty()) {
            let key = keys.next().unwrap_or_default();
            match RoomName::parse(name) {
                Ok(name) => {
                    self.enter(id, name, key);
                }
                Err(error) => self.reply(id, ERR_BADCHANMASK, format!("{} :{error}", shown(name))),
            }
        }
    }

    /// Takes a member into a room if the room lets it; says whether it is in now.
    pub(crate) fn enter(&mut self, id: ConnectionId, name: RoomName, key: &str) -> bool {
        let Some(member) = self.member(id) else { return false };
        let found = self.rooms.find(name.as_str());
        if found.is_some_and(|room| self.place(id, room).is_some()) {
            return true;
        }
        if member.rooms.len() >= MAX_ROOMS {
            self.reply(id, ERR_TOOMANYCHANNELS, format!("{name} :{MAX_ROOMS} rooms at a time are the limit"));
            return false;
        }
        if let Some(room) = found
            && let Err((numeric, sentence)) = self.may_enter(id, room, key)
        {
            self.reply(id, numeric, format!("{name} :{sentence}"));
            return false;
        }
        let (room, rank) = match found {
            Some(room) => (room, 0),
            None => (self.rooms.create(name, self.now.wall, false), OPERATOR),
        };
        let rank = rank | self.rank_by_secret(id, room) | self.rank_of_first(room);
        let Some(number) = self.rooms.get_mut(room).map(|room| {
            room.invited.retain(|invited| *invited != id);
            room.sit(id, rank)
        }) else {
            return false;
        };
        let Some(member) = self.member_mut(id) else { return false };
        member.rooms.push(Place { room, number });
        self.hold_rank(id, room);
        self.announce_join(id, room, found.is_none());
        true
    }

    /// Who comes first into an empty room is its operator, unless somebody has a secret that
    /// says so of them.
    fn rank_of_first(&self, room: RoomId) -> u8 {
        let Some(room) = self.rooms.get(room) else { return 0 };
        let now = self.now.wall;
        let held = room.holders.iter().any(|holder| holder.rank & OPERATOR != 0 && holder.counts(now));
        if room.permanent || held || !room.seats().is_empty() { 0 } else { OPERATOR }
    }

    fn may_enter(&self, id: ConnectionId, room: RoomId, key: &str) -> Result<(), (Numeric, &'static str)> {
        let own = self.rank_by_secret(id, room);
        let (Some(member), Some(room)) = (self.member(id), self.rooms.get(room)) else { return Ok(()) };
        let prefix = Folded::new(&member.prefix());
        let invited = member.operator || room.invited.contains(&id) || own & OPERATOR != 0;
        if invited {
            return Ok(());
        }
        if room.banned(&prefix) {
            return Err((ERR_BANNEDFROMCHAN, "You are banned from this room (+b)"));
        }
        if room.flags.invite_only && !room.invited_by_mask(&prefix) {
            return Err((ERR_INVITEONLYCHAN, "This room is for invited people only (+i)"));
        }
        if room.key.as_deref().is_some_and(|wanted| wanted != key) {
            return Err((ERR_BADCHANNELKEY, "This room needs its key (+k)"));
        }
        if room.limit.is_some_and(|limit| room.seats().len() >= limit as usize) {
            return Err((ERR_CHANNELISFULL, "This room is full (+l)"));
        }
        Ok(())
    }

    /// One line to each member; topic and names to the one who came.
    fn announce_join(&mut self, id: ConnectionId, room: RoomId, created: bool) {
        let Some(name) = self.rooms.get(room).map(|room| room.name.to_string()) else { return };
        let Some(member) = self.member(id) else { return };
        let (realname, away) = (member.realname.to_string(), member.away.clone());
        let text = format!("joined: {} from {} to {name}", member.name(), member.peer);
        let (irc, implicit) = (
            member.speaker == Speaker::Irc,
            !member.has(Capability::NoImplicitNames) && !member.has(Capability::DraftNoImplicitNames),
        );
        self.log(text);
        let event = self.event(id, What::Join { room: &name, realname: &realname });
        self.happens(id, room, &name, &event);
        let joined = event.id;
        if irc {
            self.tell(id, &event);
        }
        if let Some(text) = away {
            let event = self.event(id, What::Away { text: Some(&text) });
            self.fan_out(room, &event, |seat, reader| {
                seat.member != id && reader.caps.has(Capability::AwayNotify)
            });
        }
        if irc {
            let created_now = self.rooms.get(room).is_some_and(|room| room.topic.is_none());
            if !created_now {
                self.page(id, Page::Topic { room });
            }
            if implicit {
                self.page(id, Page::Names { room, name: name.into(), from: 0 });
            }
        }
        if !created || self.settings.durable {
            self.replay_on_join(id, room, joined);
        }
    }

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
            || self.seat(id, room).is_some_and(|seat| seat.rank & OPERATOR != 0)
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

    /// The room, if it exists and the member is in it or is a server operator; else the reply
    /// is sent.
    pub(crate) fn joined_room(&mut self, id: ConnectionId, name: &str) -> Option<RoomId> {
        let Some(room) = self.rooms.find(name) else {
            self.no_such_room(id, name);
            return None;
        };
        if self.place(id, room).is_none() && !self.member(id).is_some_and(|member| member.operator) {
            self.reply(id, ERR_NOTONCHANNEL, format!("{name} :You are not in that room"));
            return None;
        }
        Some(room)
    }

    pub(crate) fn part(&mut self, id: ConnectionId, rooms: &str, reason: Option<&str>) {
        let count = rooms.split(',').count();
        if count > MAX_JOINS {
            return self.too_many_targets(id, count);
        }
        for name in rooms.split(',').filter(|name| !name.is_empty()) {
            let Some(room) = self.rooms.find(name) else {
                self.no_such_room(id, name);
                continue;
            };
            if self.place(id, room).is_none() {
                self.reply(id, ERR_NOTONCHANNEL, format!("{name} :You are not in that room"));
                continue;
            }
            self.leave(id, room, reason);
        }
    }

    pub(crate) fn part_all(&mut self, id: ConnectionId) {
        for room in self.rooms_of(id) {
            self.leave(id, room, None);
        }
    }

    /// A member leaves a room; everyone in it is told, the one who leaves too.
    pub(crate) fn leave(&mut self, id: ConnectionId, room: RoomId, reason: Option<&str>) {
        let Some(name) = self.rooms.get(room).map(|room| room.name.to_string()) else { return };
        let event = self.event(id, What::Part { room: &name, reason });
        if event.body_len() > MAX_BODY {
            return self.too_long(id);
        }
        self.happens(id, room, &name, &event);
        if self.member(id).is_some_and(|member| member.speaker == Speaker::Irc) {
            self.tell(id, &event);
        }
        if let Some(peer) = self.member(id).map(|member| member.peer) {
            self.log(format!("parted: {} from {peer} left {name}", event.from.nick));
        }
        self.unseat(id, room);
    }

    fn unseat(&mut self, id: ConnectionId, room: RoomId) {
        let Some(place) = self.place(id, room) else { return };
        if let Some(member) = self.member_mut(id) {
            member.rooms.retain(|place| place.room != room);
        }
        // Topic and names of a room that one has left would look like being in it again.
        self.delivery.forget_pages(id, |page| page.shows(room));
        if let Some(room) = self.rooms.get_mut(room) {
            room.leave(place.number);
        }
        self.hold_rank(id, room);
        self.end_if_empty(room);
    }

    /// `KICK room nick`, or as many rooms as nicks, or one room and several nicks
    /// (RFC 2812 §3.2.8).
    pub(crate) fn kick(&mut self, id: ConnectionId, rooms: &str, nicks: &str, reason: Option<&str>) {
        let rooms: Vec<&str> = rooms.split(',').filter(|name| !name.is_empty()).collect();
        let nicks: Vec<&str> = nicks.split(',').filter(|name| !name.is_empty()).collect();
        if nicks.len() > crate::hub::state::limits::MAX_TARGETS {
            return self.too_many_targets(id, nicks.len());
        }
        if rooms.len() != 1 && rooms.len() != nicks.len() {
            return self.reply(id, ERR_NEEDMOREPARAMS, "KICK :Name one room, or as many as people");
        }
        if reason.is_some_and(|reason| reason.len() > MAX_KICK) {
            return self.too_long(id);
        }
        for (i, nick) in nicks.iter().enumerate() {
            if let Some(name) = rooms.get(i).or(rooms.first()) {
                self.kick_one(id, name, nick, reason);
            }
        }
    }

    fn kick_one(&mut self, id: ConnectionId, name: &str, nick: &str, reason: Option<&str>) {
        let Some(room) = self.joined_room(id, name) else { return };
        if !self.is_operator(id, room) {
            return self.operator_needed(id, name);
        }
        let victim = match self.seated(nick, room, name) {
            Ok((victim, _)) => victim,
            Err((numeric, why)) => return self.reply(id, numeric, why),
        };
        let Some(name) = self.rooms.get(room).map(|room| room.name.to_string()) else { return };
        let (by, nick) = (self.nick_of(id).to_owned(), self.nick_of(victim).to_owned());
        let reason = reason.unwrap_or(&by);
        let event = self.event(id, What::Kick { room: &name, nick: &nick, reason });
        if event.body_len() > MAX_BODY {
            return self.too_long(id);
        }
        self.happens(id, room, &name, &event);
        if self.place(id, room).is_some() {
            self.tell(id, &event);
        }
        if let Some(peer) = self.member(victim).map(|member| member.peer) {
            self.log(format!("kicked: {nick} from {peer} out of {name} by {by}"));
        }
        self.unseat(victim, room);
        if self.member(victim).is_some_and(|member| member.speaker == Speaker::Plain) {
            let sentence = format!("You were put out of {name}. /join {name} tries to come back.");
            self.explain(victim, &sentence);
        }
    }

    pub(crate) fn operator_needed(&mut self, id: ConnectionId, room: &str) {
        self.reply(id, ERR_CHANOPRIVSNEEDED, format!("{room} :Only an operator of the room may do that"));
    }

    pub(crate) fn too_many_targets(&mut self, id: ConnectionId, count: usize) {
        self.reply(id, ERR_TOOMANYTARGETS, format!("* :{count} targets are too many; nothing was done"));
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
}
