//! From a connection to a member, and back: capabilities, names, welcome, PING, QUIT.

use std::time::Duration;

use super::event::What;
use super::member::{Form, Registration};
use super::whowas::Departed;
use super::{ConnectionId, Hub, Output, Speaker, modes, room};
use crate::protocol::Numeric::*;
use crate::protocol::line::MAX_BODY;
use crate::protocol::text::printable;
use crate::protocol::{Capabilities, Capability, Nick, name};

/// Bytes of a user name (ISUPPORT USERLEN).
const MAX_USER: usize = 10;
/// Bytes of a real name (ISUPPORT NAMELEN).
pub(super) const MAX_REALNAME: usize = 128;
/// Bytes of a topic (ISUPPORT TOPICLEN): with the longest names it still fits one line.
pub(super) const MAX_TOPIC: usize = 300;
/// Bytes of the reason of a KICK (ISUPPORT KICKLEN).
pub(super) const MAX_KICK: usize = 200;
/// Bytes of an away message (ISUPPORT AWAYLEN).
pub(super) const MAX_AWAY: usize = 200;
/// Rooms that one member may be in (ISUPPORT CHANLIMIT).
pub(super) const MAX_ROOMS: usize = 50;
/// Tokens of one RPL_ISUPPORT line (modern.ircdocs.horse, RPL_ISUPPORT).
const TOKENS_A_LINE: usize = 13;

impl Hub {
    pub(super) fn speaks(&mut self, id: ConnectionId, speaker: Speaker, name: Option<&str>) {
        let Some(member) = self.member_mut(id) else { return };
        member.speaker = speaker;
        self.update_form(id);
        if let Speaker::Toy(_) = speaker {
            self.toy_enters(id, name.unwrap_or_default());
        }
    }

    /// Any received byte is a sign of life.
    pub(super) fn alive(&mut self, id: ConnectionId) {
        let now = self.now.elapsed;
        if let Some(member) = self.member_mut(id) {
            member.heard = now;
            member.pinged = None;
        }
    }

    /// Flood control makes a reader wait: the clocks stand still meanwhile.
    pub(super) fn delayed(&mut self, id: ConnectionId, by: Duration) {
        self.alive(id);
        if let Some(member) = self.member_mut(id).filter(|member| !member.registered()) {
            member.spoke += by;
        }
    }

    /// Looks at those whose deadline has come.
    pub(super) fn tick(&mut self) {
        let now = self.now.elapsed;
        for id in self.timers.expired(now) {
            let Some(member) = self.member(id) else { continue };
            let (heard, pinged) = (member.heard, member.pinged);
            let (ping_after, pong_within) = (self.settings.ping_after, self.settings.pong_within);
            if !member.registered() {
                let limit = self.settings.registration;
                let until = member.spoke + limit;
                if now >= until {
                    self.lost(id, &format!("No name was given within {} s", limit.as_secs()));
                } else {
                    self.timers.arm(id, until);
                }
            } else if member.speaker != Speaker::Irc {
                // TCP keepalive looks after these.
            } else if let Some(at) = pinged {
                if now >= at + pong_within {
                    let silent = (ping_after + pong_within).as_secs();
                    self.lost(id, &format!("Ping timeout: {silent} seconds"));
                } else {
                    self.timers.arm(id, at + pong_within);
                }
            } else if now >= heard + ping_after {
                let name = self.settings.name.clone();
                let line = format!("PING :{name}\r\n").into_bytes().into();
                self.out.push(Output::Line { to: id, line });
                if let Some(member) = self.member_mut(id) {
                    member.pinged = Some(now);
                }
                self.timers.arm(id, now + pong_within);
            } else {
                self.timers.arm(id, heard + ping_after);
            }
        }
    }

    pub(super) fn cap(&mut self, id: ConnectionId, verb: &str, argument: Option<&str>) {
        let Some(member) = self.member_mut(id) else { return };
        let verb = verb.to_ascii_uppercase();
        if let (Some(registration), "LS" | "REQ") = (&mut member.registration, verb.as_str()) {
            registration.negotiating = true;
        }
        let caps = member.caps;
        let nick = self.nick_of(id).to_owned();
        match verb.as_str() {
            "LS" => {
                let version: u32 = argument.and_then(|version| version.parse().ok()).unwrap_or_default();
                if version >= 302 {
                    let mut caps = caps;
                    caps.add(Capability::CapNotify);
                    self.set_caps(id, caps);
                }
                let all = join(Capability::ALL.iter().copied());
                self.say_as_server(id, format_args!("CAP {nick} LS :{all}"));
            }
            "LIST" => self.say_as_server(id, format_args!("CAP {nick} LIST :{}", join(caps.iter()))),
            "REQ" => {
                let wanted = argument.unwrap_or_default();
                if wanted.len() > MAX_BODY - 112 {
                    // It could not be repeated in the answer.
                    return self.too_long(id);
                }
                match caps.request(wanted) {
                    Some(caps) => {
                        self.set_caps(id, caps);
                        self.say_as_server(id, format_args!("CAP {nick} ACK :{wanted}"));
                    }
                    None => self.say_as_server(id, format_args!("CAP {nick} NAK :{wanted}")),
                }
            }
            "END" => {
                if let Some(registration) = self.member_mut(id).and_then(|m| m.registration.as_mut()) {
                    registration.negotiating = false;
                    self.try_register(id);
                }
            }
            _ => self.reply(id, ERR_INVALIDCAPCMD, format_args!("{verb} :Invalid CAP command")),
        }
    }

    fn set_caps(&mut self, id: ConnectionId, caps: Capabilities) {
        if let Some(member) = self.member_mut(id) {
            member.caps = caps;
            self.update_form(id);
        }
    }

    /// What fan-out looks at must agree with the member.
    fn update_form(&mut self, id: ConnectionId) {
        let Some((speaker, caps)) = self.member(id).map(|member| (member.speaker, member.caps)) else {
            return;
        };
        if let Some(slot) = self.slots.get_mut(id.slot as usize) {
            slot.caps = caps;
            slot.form = Form::of(speaker, caps);
        }
    }

    pub(super) fn nick(&mut self, id: ConnectionId, wanted: &str) {
        let nick = match Nick::parse(wanted) {
            Ok(nick) => nick,
            Err(error) => {
                let shown = super::membership::shown(wanted);
                return self.reply(id, ERR_ERRONEUSNICKNAME, format_args!("{shown} :{error}"));
            }
        };
        if !self.may_have(id, &nick) {
            return self.reply(id, ERR_NICKNAMEINUSE, format_args!("{nick} :That name is taken"));
        }
        self.rename(id, nick);
        self.try_register(id);
    }

    /// Whether a name is free, or this connection's own in another spelling.
    pub(super) fn may_have(&self, id: ConnectionId, nick: &Nick) -> bool {
        self.nicks.get(&nick.fold()) == Some(&id) || !self.is_taken(nick)
    }

    /// Whether somebody has a name, or the server itself speaks under it.
    pub(super) fn is_taken(&self, nick: &Nick) -> bool {
        let folded = nick.fold();
        self.nicks.contains_key(&folded) || folded.as_str() == super::event::SERVER
    }

    /// Gives a connection a name that [`may_have`](Self::may_have) allowed.
    pub(super) fn rename(&mut self, id: ConnectionId, nick: Nick) {
        let Some(member) = self.member(id) else { return };
        if member.nick.as_ref() == Some(&nick) {
            return;
        }
        let registered = member.registered();
        let before = member.nick.as_ref().map(Nick::fold);
        let after = nick.fold();
        if registered {
            let from = self.source(id);
            let event = self.event(&from, What::Nick { new: nick.as_str() });
            self.tell_neighbours(id, &event, |_| true);
            self.narrate("", &event);
            self.tell(id, &event);
            if before.as_ref() != Some(&after) {
                self.remember(id);
            }
        }
        if before.as_ref() != Some(&after) {
            if let Some(before) = &before {
                self.nicks.remove(before);
            }
            self.nicks.insert(after.clone(), id);
        }
        let old = self.member_mut(id).and_then(|member| member.nick.replace(nick));
        if let (true, Some(before)) = (registered, before)
            && before != after
        {
            let old = old.as_ref().map_or("*", Nick::as_str).to_owned();
            self.watched_left(&before, &old);
            self.watched_came(id);
        }
    }

    pub(super) fn user(&mut self, id: ConnectionId, username: &str, realname: &str) {
        if realname.len() > MAX_REALNAME {
            return self.too_long(id);
        }
        let mut user: String = username
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
            .take(MAX_USER)
            .collect();
        if user.is_empty() {
            user.push_str("user");
        }
        let Some(member) = self.member_mut(id) else { return };
        member.username = user.into();
        member.realname = realname.into();
        if let Some(registration) = &mut member.registration {
            registration.user = true;
        }
        self.try_register(id);
    }

    fn try_register(&mut self, id: ConnectionId) {
        let Some(member) = self.member(id) else { return };
        match member.registration.as_deref() {
            Some(Registration { negotiating: false, user: true }) if member.nick.is_some() => {}
            _ => return,
        }
        self.admit(id);
        self.welcome(id);
    }

    /// Makes a member of a connection that has a name.
    pub(super) fn admit(&mut self, id: ConnectionId) {
        let now = self.now;
        let Some(member) = self.member_mut(id) else { return };
        member.registration = None;
        member.signed_on = now.wall;
        member.spoke = now.elapsed;
        let text = format!("joined: {} from {} ({})", member.name(), member.peer, member.speaker);
        self.population.registered += 1;
        self.population.registered_peak = self.population.registered_peak.max(self.population.registered);
        self.log(text);
        self.watched_came(id);
    }

    fn welcome(&mut self, id: ConnectionId) {
        let server = self.settings.name.clone();
        let prefix = self.source(id).prefix;
        let version = super::queries::VERSION;
        let created = rooms_created(self);
        self.reply(id, RPL_WELCOME, format_args!(":Welcome to Parlor, {prefix}"));
        self.reply(id, RPL_YOURHOST, format_args!(":Your host is {server}, running {version}"));
        self.reply(id, RPL_CREATED, format_args!(":This server was started {created}"));
        self.reply(
            id,
            RPL_MYINFO,
            format_args!(
                "{server} {version} {} {} {}",
                modes::USER_MODES,
                modes::ROOM_MODES,
                modes::ROOM_MODES_ARG
            ),
        );
        self.isupport(id);
        self.lusers(id);
        self.motd(id);
    }

    /// RPL_ISUPPORT, exactly what the hub enforces.
    pub(super) fn isupport(&mut self, id: ConnectionId) {
        let tokens = [
            format!("AWAYLEN={MAX_AWAY}"),
            "BOT=B".into(),
            "CASEMAPPING=ascii".into(),
            format!("CHANLIMIT=#:{MAX_ROOMS}"),
            "CHANMODES=beI,k,l,imnst".into(),
            format!("CHANNELLEN={}", name::MAX_CHARS),
            "CHANTYPES=#".into(),
            "ELIST=MU".into(),
            "EXCEPTS=e".into(),
            "INVEX=I".into(),
            format!("KEYLEN={}", modes::MAX_KEY),
            format!("KICKLEN={MAX_KICK}"),
            format!("MAXLIST=beI:{}", room::MAX_LIST),
            format!("MODES={}", modes::MAX_CHANGES),
            format!("MONITOR={}", super::monitor::MAX_WATCHED),
            format!("NAMELEN={MAX_REALNAME}"),
            "NETWORK=Parlor".into(),
            format!("NICKLEN={}", name::MAX_CHARS),
            "PREFIX=(ov)@+".into(),
            "SAFELIST".into(),
            "SAFERATE".into(),
            "STATUSMSG=@+".into(),
            format!(
                "TARGMAX=JOIN:{joins},KICK:{most},LIST:{masks},NAMES:1,NOTICE:{most},PART:{joins},PRIVMSG:{most},TAGMSG:{most},WHOIS:1",
                joins = super::membership::MAX_JOINS,
                masks = super::queries::MAX_MASKS,
                most = super::messages::MAX_TARGETS
            ),
            format!("TOPICLEN={MAX_TOPIC}"),
            format!("USERLEN={MAX_USER}"),
            "UTF8ONLY".into(),
            "WHOX".into(),
        ];
        for line in tokens.chunks(TOKENS_A_LINE) {
            self.reply(id, RPL_ISUPPORT, format_args!("{} :are supported by this server", line.join(" ")));
        }
    }

    /// Behind long replies that are under way: a client takes the PONG for their end.
    pub(super) fn ping(&mut self, id: ConnectionId, token: &str) {
        let line = format!(":{name} PONG {name} :{token}\r\n", name = self.settings.name);
        if line.len() > MAX_BODY {
            return self.too_long(id);
        }
        self.emit_behind_pages(id, line.into_bytes().into());
    }

    pub(super) fn quit(&mut self, id: ConnectionId, reason: Option<&str>) {
        let Some(member) = self.member(id) else { return };
        let mut text = format!("Quit: {}", reason.unwrap_or_default());
        if reason.is_none() {
            text = "Quit".into();
        } else if member.prefix().len() + text.len() > MAX_BODY - 10 {
            self.too_long(id);
            text = "Quit".into();
        }
        self.closing_line(id, "Quit");
        self.depart(id, &text, "quit");
    }

    /// The connection ended or has to end, for a reason the server knows.
    pub(super) fn lost(&mut self, id: ConnectionId, reason: &str) {
        self.closing_line(id, reason);
        self.depart(id, reason, reason);
    }

    /// What a peer is told last, in its own way.
    pub(super) fn closing_line(&mut self, id: ConnectionId, reason: &str) {
        self.end_label_of(id);
        let line = match self.member(id).map(|member| member.speaker) {
            None => return,
            Some(Speaker::Toy(_)) => {
                let from = self.server_source();
                let event = self.event(&from, What::Announcement { target: "*", text: reason });
                return self.tell(id, &event);
            }
            Some(Speaker::Plain) => format!("-!- Closing link: {}\n", printable(reason)),
            Some(_) => format!("ERROR :Closing link: {reason}\r\n"),
        };
        self.out.push(Output::Line { to: id, line: line.into_bytes().into() });
    }

    /// Takes a connection out of everything. `reason` is for people, `logged` for the log.
    pub(super) fn depart(&mut self, id: ConnectionId, reason: &str, logged: &str) {
        let Some(member) = self.member(id) else { return };
        let (name, peer) = (member.name().to_owned(), member.peer);
        if member.registered() {
            let from = self.source(id);
            let event = self.event(&from, What::Quit { reason });
            self.tell_neighbours(id, &event, |_| true);
            self.narrate("", &event);
            self.remember(id);
            self.leave_everything(id);
            self.log(format!("left: {name} from {peer} ({logged})"));
        } else {
            self.log(format!("refused: {peer} ({logged})"));
        }
        if let Some(folded) = self.member(id).and_then(|m| m.nick.as_ref()).map(Nick::fold) {
            self.nicks.remove(&folded);
            if name != "*" && self.member(id).is_some_and(|m| m.registered()) {
                self.watched_left(&folded, &name);
            }
        }
        self.forget(id);
    }

    fn leave_everything(&mut self, id: ConnectionId) {
        let Some(member) = self.member_mut(id) else { return };
        let rooms = std::mem::take(&mut member.rooms);
        let watched = std::mem::take(&mut member.watched);
        let (invisible, operator) = (member.invisible, member.operator);
        for place in rooms {
            if let Some(room) = self.rooms.get_mut(place.room) {
                room.leave(place.number);
            }
            self.rooms.end_if_empty(place.room);
        }
        self.unwatch(id, watched);
        self.population.registered -= 1;
        self.population.invisible -= usize::from(invisible);
        self.population.operators -= usize::from(operator);
    }

    /// Keeps a name that is given up for WHOWAS.
    fn remember(&mut self, id: ConnectionId) {
        let now = self.now.wall;
        let Some(member) = self.member(id) else { return };
        let Some(nick) = &member.nick else { return };
        let departed = Departed {
            folded: nick.fold(),
            nick: nick.to_string(),
            user: member.username.to_string(),
            host: member.host().to_string(),
            realname: member.realname.to_string(),
            at: now,
        };
        self.whowas.push(departed);
    }

    /// The server ends: everybody is told, and closed.
    pub(super) fn stop(&mut self) {
        self.stopping = true;
        for slot in 0..self.slots.len() {
            let id = ConnectionId { slot: slot as u32, generation: self.slots[slot].generation };
            if self.member(id).is_some() {
                self.closing_line(id, "The server is stopping");
                self.forget(id);
            }
        }
    }
}

fn join(capabilities: impl Iterator<Item = Capability>) -> String {
    capabilities.map(Capability::name).collect::<Vec<_>>().join(" ")
}

/// When the default room, and so the server, began.
fn rooms_created(hub: &Hub) -> String {
    let room = hub.rooms.find(hub.settings.default_room.as_str()).and_then(|id| hub.rooms.get(id));
    room.map(|room| room.created.to_string()).unwrap_or_default()
}
