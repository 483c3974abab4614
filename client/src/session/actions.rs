//! What the person does.

use parlor_server::protocol::text::printable;

use super::commands::is_word;
use super::event::{Event, Field, Kind, Refusal};
use super::line::{LineId, LineKind};
use super::reconnect::Phase;
use super::{Action, Key, Naming, Sentence, Session};

/// What was typed, and where.
#[derive(Debug)]
pub(super) struct Typed {
    at: Key,
    text: String,
    answers: Option<LineId>,
}

impl Session {
    pub(super) fn act(&mut self, action: Action) {
        match action {
            Action::Say { to, text } => {
                self.typed(&to, &text, None, |this| this.say(&to, &text, LineKind::Said));
            }
            Action::Answer { to, text, id } => {
                self.typed(&to, &text, Some(id), |this| this.answer_line(&to, &text, id));
            }
            Action::React { to, id, emoji, on } => self.react(&to, id, &emoji, on),
            Action::Delete { to, id, reason } => self.delete(&to, id, &reason),
            Action::JumpToAnswered { key, id } => self.jump_to_answered(&key, id),
            Action::Cancel { to } => self.cancel(&to),
            Action::Me { to, text } => self.say(&to, &text, LineKind::Action),
            Action::Typing { to, writes } => self.type_in(&to, writes),
            Action::Retry { to: _, id } => self.retry(id),
            Action::Discard { to: _, id } => self.discard(id),
            Action::Older { key } => self.older(&key),
            Action::Fill { key, gap } => self.fill(&key, gap),
            Action::Find { key, text } => self.find(&key, &text),
            Action::FindMore { key } => self.find_more(&key),
            Action::Jump { key, to } => self.jump(&key, &to),
            Action::Command { at, line } => {
                self.typed(&at, &line, None, |this| this.command(&at, &line));
            }
            Action::Join { room, key } => self.go(&room, key.as_deref()),
            Action::Leave { key } => self.leave(&key, ""),
            Action::Topic { room, text } => self.ask(&room, |name| format!("TOPIC {name} :{text}")),
            Action::Kick { room, nick, why } => self.kick(&room, &nick, &why),
            Action::Ban { room, nick } => self.ban(&room, &nick),
            Action::Unban { room, mask, exception } => self.unban(&room, &mask, exception),
            Action::LookAtBans { room } => self.look_at_bans(&room),
            Action::LookAtSettings { room } => self.look_at_settings(&room),
            Action::Set { room, setting } => self.set(&room, &setting),
            Action::Hand { room, up, nick } => self.hand(&room, up, nick.as_deref()),
            Action::Voice { room, nick, on } => self.rank(&room, &nick, 'v', on),
            Action::Mute { room, nick, on } => self.mute(&room, &nick, on),
            Action::Op { room, nick, on } => self.rank(&room, &nick, 'o', on),
            Action::Invite { room, nick } => {
                self.ask_about(&room, &nick, |name, nick| format!("INVITE {nick} {name}"));
            }
            Action::Private { nick } => drop(self.go_to(&nick)),
            Action::Close { key } => self.close_or_leave(&key),
            Action::Dcc { nick, dcc } => self.say_dcc(&nick, &dcc),
            Action::Ignore { nick } => self.ignore(&nick, true),
            Action::Unignore { nick } => self.ignore(&nick, false),
            Action::Transcript { key } => self.begin_transcript(&key),
            Action::NoTranscript => self.stop_transcript(),
            Action::Rename { nick } => self.rename(&nick),
            Action::Away { text } => self.go_away(text),
            Action::ListRooms => self.list_rooms(),
            Action::Reading { key } => {
                if let Some(key) = self.known(&key) {
                    self.read(key);
                }
            }
            Action::NotReading => self.reading = None,
            Action::RetryNow => self.retry_now(),
            Action::Disconnect => self.disconnect(),
        }
    }

    /// Carries out what was typed. What nothing can be made of is given back with the first complaint.
    fn typed(&mut self, at: &Key, text: &str, answers: Option<LineId>, carry_out: impl FnOnce(&mut Session)) {
        self.typed = Some(Typed { at: at.clone(), text: text.to_owned(), answers });
        carry_out(self);
        self.typed = None;
    }

    /// Gives back what is being carried out; `false` if nothing is that was typed.
    pub(super) fn give_back(&mut self, why: &Sentence) -> bool {
        let Some(Typed { at, text, answers }) = self.typed.take() else { return false };
        let key = self.known(&at).unwrap_or(at);
        let reply = self.conversations.get(&key).and_then(|open| open.log.get(answers?)).cloned();
        self.tell(Event::GivenBack { key, text, reply, why: why.clone() });
        true
    }

    /// Enters rooms, now or as soon as there is a connection; several are parted by commas.
    pub(super) fn join(&mut self, rooms: &str, room_key: Option<&str>) {
        for room in rooms.split(',').map(str::trim).filter(|room| !room.is_empty()) {
            let name = self.isupport.naming.room(room);
            if !Naming::is_possible(&name) {
                self.refuse(Field::Room, Sentence::RoomNotPossible { room: printable(room) });
                continue;
            }
            let room_key = room_key.filter(|key| is_word(key));
            self.want(&name, room_key);
            if self.is_ready() {
                self.send(format!("JOIN {name} {}", room_key.unwrap_or_default()).trim_end());
            }
        }
    }

    /// Enters rooms, and wants to see the last one.
    pub(super) fn go(&mut self, rooms: &str, room_key: Option<&str>) {
        self.join(rooms, room_key);
        let name =
            |room: &str| Some(self.isupport.naming.room(room)).filter(|name| Naming::is_possible(name));
        let last = rooms.split(',').map(str::trim).rfind(|room| !room.is_empty());
        if let Some(key) = last.and_then(name).map(|name| self.isupport.key(&name)) {
            self.tell(Event::Wanted { key });
        }
    }

    /// Opens a private conversation, and wants to see it.
    pub(super) fn go_to(&mut self, nick: &str) -> Option<Key> {
        let key = self.private(nick)?;
        self.tell(Event::Wanted { key: key.clone() });
        Some(key)
    }

    /// Leaves a room; of one we are not in right now only the window is told.
    pub(super) fn leave(&mut self, key: &Key, why: &str) {
        let Some(key) = self.known(key).filter(|key| self.is_room(key)) else { return };
        self.unwant(&key);
        match self.conversations.get(&key) {
            Some(conversation) if conversation.joined && self.is_ready() => {
                let name = conversation.name.clone();
                let why = if why.is_empty() { String::new() } else { format!(" :{why}") };
                self.send(&format!("PART {name}{why}"));
            }
            _ => self.close(&key),
        }
    }

    fn close_or_leave(&mut self, key: &Key) {
        let Some(key) = self.known(key) else { return };
        if self.is_room(&key) { self.leave(&key, "") } else { self.close(&key) }
    }

    pub(super) fn kick(&mut self, room: &Key, nick: &str, why: &str) {
        let why = if why.is_empty() { String::new() } else { format!(" :{why}") };
        self.ask_about(room, nick, |name, nick| format!("KICK {name} {nick}{why}"));
    }

    /// By host where we know it and it is not ours, so that another name does not help; else by name.
    pub(super) fn ban(&mut self, room: &Key, nick: &str) {
        let person = self.isupport.key(nick);
        let known = self.known(room).and_then(|room| self.conversations.get(&room));
        let userhost =
            known.and_then(|c| c.roster.get(&person)).and_then(|member| member.userhost.as_deref());
        let own = self.me.userhost.as_deref().and_then(|own| own.split_once('@')).map(|(_, host)| host);
        let mask = match userhost.and_then(|userhost| userhost.split_once('@')) {
            Some((_, host)) if !host.is_empty() && own != Some(host) => format!("*!*@{host}"),
            _ if nick.contains(['!', '@', '*']) => nick.to_owned(),
            _ => format!("{nick}!*@*"),
        };
        self.ask_about(room, nick, |name, _| format!("MODE {name} +b {mask}"));
    }

    pub(super) fn rank(&mut self, room: &Key, nick: &str, letter: char, on: bool) {
        let sign = if on { '+' } else { '-' };
        self.ask_about(room, nick, |name, nick| format!("MODE {name} {sign}{letter} {nick}"));
    }

    /// Opens a private conversation.
    pub(super) fn private(&mut self, nick: &str) -> Option<Key> {
        let nick = nick.trim();
        if !is_word(nick) || self.isupport.is_room(nick) || self.isupport.key(nick).is_reserved() {
            self.complain(Sentence::NameNotPossible { name: printable(nick) });
            return None;
        }
        let key = self.open(&self.spelling(nick), Kind::Person);
        self.bring_here(&key);
        self.conversations.get_mut(&key)?.known = true;
        Some(key)
    }

    pub(super) fn ignore(&mut self, nick: &str, on: bool) {
        let nick = nick.trim();
        if !is_word(nick) {
            return self.complain(Sentence::NameNeeded);
        }
        let key = self.isupport.key(nick);
        self.ignored.retain(|(ignored, _)| *ignored != key);
        if on {
            self.ignored.push((key, nick.to_owned()));
        }
        self.tell(Event::Ignored(self.ignored.iter().map(|(_, name)| name.clone()).collect()));
    }

    pub(super) fn go_away(&mut self, text: Option<String>) {
        self.away = text.map(|text| if text.trim().is_empty() { "Away".to_owned() } else { text });
        if self.is_ready() {
            let line = self.away.as_ref().map_or_else(|| "AWAY".to_owned(), |text| format!("AWAY :{text}"));
            self.send(&line);
        }
    }

    pub(super) fn list_rooms(&mut self) {
        if self.is_ready() {
            self.listing = Some(Vec::new());
            self.send("LIST");
        } else {
            self.offline();
        }
    }

    /// Sends a command about a room.
    pub(super) fn ask(&mut self, room: &Key, line: impl FnOnce(&str) -> String) {
        let known = self.known(room).filter(|key| self.is_room(key));
        let name = known.as_ref().and_then(|key| self.conversations.get(key)).map(|c| c.name.clone());
        let Some(name) = name else { return self.complain(Sentence::RoomOnly) };
        self.asked_at = known;
        if self.is_ready() { self.send(&line(&name)) } else { self.offline() }
    }

    /// Sends a command about somebody in a room.
    pub(super) fn ask_about(&mut self, room: &Key, nick: &str, line: impl FnOnce(&str, &str) -> String) {
        let nick = nick.trim();
        if !is_word(nick) {
            return self.complain(Sentence::NameNeeded);
        }
        self.ask(room, |name| line(name, nick));
    }

    pub(super) fn offline(&mut self) {
        let when = match self.phase {
            Phase::Offline => Sentence::NotConnected,
            _ => Sentence::NotConnectedYet,
        };
        self.complain(when);
    }

    /// Gives back what was just typed, or else puts an error line where the person last typed.
    pub(super) fn complain(&mut self, sentence: Sentence) {
        if self.give_back(&sentence) {
            return;
        }
        let place = self.asked_at();
        self.inform(&place, LineKind::Error, &sentence);
    }

    /// Something was not accepted; the session goes on.
    pub(super) fn refuse(&mut self, field: Field, sentence: Sentence) {
        if self.give_back(&sentence) {
            return;
        }
        self.tell(Event::Refused(Refusal { field, sentence, suggestion: None }));
    }
}
