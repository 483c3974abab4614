//! A person at a terminal: the first line is a name, every other one is talk or a `/command`.

use std::borrow::Cow;

use crate::hub::Hub;
use crate::hub::change::Change;
use crate::hub::change::secrets::Way;
use crate::hub::command::accounts::is_service;
use crate::hub::delivery::event::{Event, Talk, What};
use crate::hub::state::ConnectionId;
use crate::hub::state::limits::MAX_REALNAME;
use crate::hub::state::member::Asked;
use crate::hub::state::refusal::shown;
use crate::hub::state::room::RoomId;
use crate::protocol::command::Verb;
use crate::protocol::line::MAX_BODY;
use crate::protocol::text::{CTCP, pieces, printable};
use crate::protocol::{Nick, RoomName};

/// User name of everybody who has not given one.
const USERNAME: &str = "guest";

const HELP: &[&str] = &[
    "Type a line to say it. /me waves · //text says /text",
    "/claim PASSWORD makes your name yours · /login NAME PASSWORD",
    "/nick NAME · /msg NAME TEXT · /who · /hand · /hands · /join #room · /help · /quit",
];

impl Hub {
    /// `more`: other lines came together with this one.
    pub(crate) fn plain_line(&mut self, id: ConnectionId, line: &[u8], more: bool) {
        let named = self.state.member(id).is_some_and(|member| member.registered());
        let Ok(line) = std::str::from_utf8(line) else {
            let sentence = "That line is not UTF-8 and was not sent; set your terminal to UTF-8.";
            return if named { self.explain(id, sentence) } else { self.refuse_name(id, sentence, more) };
        };
        if !named {
            return match self.take_asked(id) {
                Some(asked) => self.plain_answer(id, asked, line, more),
                None => self.plain_name(id, line.trim(), more),
            };
        }
        match line.strip_prefix('/') {
            Some(text) if text.starts_with('/') => self.plain_say(id, text, false),
            Some(command) => self.plain_command(id, command),
            None if line.trim().is_empty() => {}
            None => self.plain_say(id, line, false),
        }
    }

    /// A person is asked again. Lines behind a refused name are a script's: its next one is no name,
    /// so it is closed before anything of it is taken for one.
    pub(crate) fn refuse_name(&mut self, id: ConnectionId, sentence: &str, more: bool) {
        self.explain(id, sentence);
        let registration = self.state.member_mut(id).and_then(|member| member.registration.as_mut());
        registration.into_iter().for_each(|registration| registration.refused = true);
        if more {
            self.lost(id, "A name comes first; nothing was said");
        }
    }

    pub(super) fn plain_name(&mut self, id: ConnectionId, name: &str, more: bool) {
        // Whoever tries is given time to try again.
        let now = self.state.now.elapsed;
        if let Some(member) = self.state.member_mut(id) {
            member.spoke = now;
        }
        let registration = self.state.member(id).and_then(|member| member.registration.as_ref());
        let again = registration.is_some_and(|registration| registration.refused);
        if again && more {
            return self.refuse_name(id, "A name is still missing: type it alone.", more);
        }
        if name.starts_with('/') {
            return self.refuse_name(id, "Commands come later: type a nickname first.", more);
        }
        let nick = match Nick::parse(name) {
            Ok(nick) => nick,
            Err(error) => return self.refuse_name(id, &format!("{error}. Type another one."), more),
        };
        if !self.is_admitted(id) {
            return self.ask_in_secret(id, Asked::Admission(name.into()));
        }
        let nick = match self.state.may_have(id, &nick) {
            Ok(()) => nick,
            // A script that runs beside itself: what it has to say counts.
            Err(_) if more => self.state.free_name(name),
            Err(_) if self.state.is_others(id, &nick.fold()) => {
                return self.ask_in_secret(id, Asked::Password(nick));
            }
            Err((_, why)) => return self.refuse_name(id, &format!("{why}. Type another one."), more),
        };
        if again {
            // It may have been meant for the room.
            self.explain(id, &format!("Your name is {nick} now, and nothing was said; /nick changes it."));
        }
        self.register_simply(id, nick, "");
    }

    pub(crate) fn plain_welcome(&mut self, id: ConnectionId) {
        let (server, nick, place) = (&self.state.settings.name, self.state.nick_of(id), self.plain_place(id));
        self.explain(id, &format!("Welcome to {server}, {nick}. {place} /help lists the commands."));
    }

    /// One room at a time: whoever went to another one leaves the others.
    pub(crate) fn plain_moved(&mut self, id: ConnectionId, room: RoomId) {
        self.plain_leaves_others(id, room);
        self.explain(id, &self.plain_place(id));
    }

    pub(crate) fn plain_leaves_others(&mut self, id: ConnectionId, room: RoomId) {
        for other in self.state.rooms_of(id).into_iter().filter(|other| *other != room) {
            // Without a reason the line is never too long.
            let _ = self.leave(id, other, None);
        }
    }

    fn plain_place(&self, id: ConnectionId) -> String {
        let room = self
            .state
            .member(id)
            .and_then(|m| m.rooms.first())
            .and_then(|place| self.state.rooms.get(place.room));
        let Some(room) = room else { return "You are in no room; /join #room goes to one.".into() };
        let topic = room.topic.as_ref().map_or(String::new(), |topic| format!(" Topic: {}.", topic.text));
        match room.seats().len() {
            0 | 1 => format!("You are in {}, nobody else is there yet.{topic}", room.name),
            n => format!("You are in {} with {} more.{topic}", room.name, n - 1),
        }
    }

    /// Makes a member of somebody who just has a name.
    pub(crate) fn register_simply(&mut self, id: ConnectionId, nick: Nick, realname: &str) {
        self.state.rename(id, nick);
        if let Some(member) = self.state.member_mut(id) {
            member.username = USERNAME.into();
            member.realname =
                pieces(&printable(realname), MAX_REALNAME).first().copied().unwrap_or_default().into();
        }
        self.propose(id, Change::Register);
    }

    fn plain_command(&mut self, id: ConnectionId, command: &str) {
        let (word, rest) = command.split_once(' ').unwrap_or((command, ""));
        let rest = rest.trim();
        match word {
            "me" if !rest.is_empty() => self.plain_say(id, rest, true),
            "nick" if !rest.is_empty() => self.plain_nick(id, rest),
            "msg" => match rest.split_once(' ') {
                Some((nick, text)) => self.plain_whisper(id, nick, text.trim()),
                None => self.explain(id, "/msg needs a name and a text: /msg bob hello"),
            },
            "join" if !rest.is_empty() => self.plain_join(id, rest),
            "claim" if !rest.is_empty() => self.claim(id, rest, Way::Command),
            "login" if rest.contains(' ') => {
                let (name, password) = rest.split_once(' ').unwrap_or_default();
                self.try_login(id, name, password.trim());
            }
            "login" => self.explain(id, "/login needs a name and its password: /login bob secret"),
            "who" => self.plain_who(id),
            "hand" | "hands" => self.plain_hand(id, word, rest),
            "quit" => self.quit(id, Some(rest).filter(|reason| !reason.is_empty())),
            "help" => HELP.iter().for_each(|line| self.explain(id, line)),
            "me" | "nick" | "join" | "claim" => {
                self.explain(id, &format!("/{word} needs something behind it; /help"))
            }
            _ => {
                let word = printable(word);
                let sentence =
                    format!("There is no command /{word}; /help lists them. To say it, type //{word}");
                self.explain(id, &sentence);
            }
        }
    }

    fn plain_nick(&mut self, id: ConnectionId, name: &str) {
        match Nick::parse(name) {
            Err(error) => self.explain(id, &format!("{error}.")),
            Ok(nick) => self.propose(id, Change::Nick { nick }),
        }
    }

    fn plain_join(&mut self, id: ConnectionId, name: &str) {
        let (name, key) = name.split_once(' ').unwrap_or((name, ""));
        match RoomName::parse(name) {
            Ok(room) => self.propose(id, Change::Join { room, key: key.trim() }),
            Err(error) => self.explain(id, &format!("{error}.")),
        }
    }

    /// Raises the hand, lowers it, or tells whose are up.
    fn plain_hand(&mut self, id: ConnectionId, word: &str, rest: &str) {
        let room = self.state.member(id).and_then(|member| member.rooms.first()).map(|place| place.room);
        let found = room.and_then(|room| Some((room, self.state.rooms.get(room)?.name.to_string())));
        let Some((room, name)) = found else {
            return self.explain(id, "You are in no room; /join #room goes to one.");
        };
        match (word, rest) {
            ("hand", "" | "up") => self.propose(id, Change::Hand { room: &name, up: true, nick: None }),
            ("hand", "down") => self.propose(id, Change::Hand { room: &name, up: false, nick: None }),
            ("hands", "") => self.list_hands(id, room),
            _ => self.explain(id, "/hand raises your hand, /hand down lowers it, /hands tells whose are up"),
        }
    }

    fn plain_who(&mut self, id: ConnectionId) {
        let Some(room) =
            self.state.member(id).and_then(|m| m.rooms.first()).and_then(|p| self.state.rooms.get(p.room))
        else {
            return self.explain(id, "You are in no room; /join #room goes to one.");
        };
        let names: Vec<String> = room
            .seats()
            .iter()
            .filter_map(|seat| {
                Some(format!("{}{}", seat.prefixes(false), self.state.member(seat.member)?.name()))
            })
            .collect();
        // A person reads some hundred names, no more; and a long answer must not fill the outbox.
        const SHOWN: usize = 500;
        let more = names.len().saturating_sub(SHOWN);
        let mut text =
            format!("{} in {}: {}", names.len(), room.name, names[..names.len() - more].join(", "));
        if more > 0 {
            text.push_str(&format!(" and {more} more"));
        }
        self.explain(id, &text);
    }

    /// Says a text in the member's room, in as many messages as it needs.
    fn plain_say(&mut self, id: ConnectionId, text: &str, action: bool) {
        let Some(place) = self.state.member(id).and_then(|member| member.rooms.first().copied()) else {
            return self.explain(id, "You are in no room; /join #room goes to one.");
        };
        let Some(room) = self.state.rooms.get(place.room).map(|room| room.name.to_string()) else { return };
        self.send_in_pieces(id, &room, text, action);
    }

    pub(crate) fn send_in_pieces(&mut self, id: ConnectionId, target: &str, text: &str, action: bool) {
        let text: String = text.chars().filter(|c| !matches!(c, '\0' | '\r' | '\n' | &CTCP)).collect();
        for piece in pieces(&text, self.room_for_text(id, target)) {
            let acted;
            let text = if action {
                acted = format!("\u{1}ACTION {piece}\u{1}");
                &acted
            } else {
                piece
            };
            let talk = Talk { verb: Verb::Privmsg, text, line: None, tags: "", long: false };
            if let Err(refused) = self.send(id, target, talk) {
                self.refuse(id, refused);
            }
        }
    }

    /// Bytes of text that fit one message to a target, a `/me` included.
    fn room_for_text(&mut self, id: ConnectionId, target: &str) -> usize {
        let text = "\u{1}ACTION \u{1}";
        let what = What::Message { verb: Verb::Privmsg, target, text, private: false };
        // Measured, not sent: no id is used up.
        let event = Event {
            id: self.state.stamps.last(),
            from: Cow::Owned(self.state.source(id)),
            tags: "",
            what,
            volatile: false,
            batch: "",
        };
        MAX_BODY.saturating_sub(event.body_len())
    }

    fn plain_whisper(&mut self, id: ConnectionId, nick: &str, text: &str) {
        if text.is_empty() {
            return self.explain(id, "/msg needs a name and a text: /msg bob hello");
        }
        if self.state.find(nick).is_none() && self.state.pair(id, nick).is_none() && !is_service(nick) {
            return self.explain(id, &format!("Nobody here is called {}. /who lists the room.", shown(nick)));
        }
        self.send_in_pieces(id, nick, text, false);
    }
}
