//! Who comes and goes, and what becomes of rooms: JOIN, PART, KICK, QUIT, NICK, MODE, TOPIC,
//! INVITE, AWAY.

use parlor_server::protocol::Message;
use parlor_server::protocol::text::printable;

use super::event::{Deed, Event, Kind};
use super::line::{LineKind, Parts};
use super::sentence::filled;
use super::stamp::Stamp;
use super::{Key, Naming, Sentence, Session, Wanted};
use crate::limits::{INVITED, ROOMS_UNASKED};

impl Session {
    pub(super) fn on_join(&mut self, message: &Message<'_>, stamp: &Stamp<'_>) {
        let (Some(sender), Some(name)) = (self.sender(message), message.params.filled(0)) else { return };
        let own = self.is_me(sender.nick);
        if own && !stamp.old {
            self.know_userhost(sender.user, sender.host);
            if self.is_one_too_many(name) {
                return;
            }
            let key = self.open(name, Kind::Room);
            self.want(name, None);
            self.tell_room_key(&key);
            // We come in once, however often we are told.
            let came = self.conversations.get_mut(&key).filter(|conversation| !conversation.joined);
            if let Some(conversation) = came {
                conversation.joined = true;
                conversation.roster.begin();
                if conversation.out.take().is_some() {
                    self.tell(Event::Out { key: key.clone(), why: None });
                }
                self.begin_history(&key, stamp.position(self.isupport.sorted));
                self.delete_again(&key);
            }
        }
        let Some(key) = self.room(name) else { return };
        let (person, from) = (self.isupport.key(sender.nick), self.names.share(sender.nick));
        let userhost = format!("{}@{}", sender.user, sender.host);
        if let Some(conversation) = self.conversations.get_mut(&key).filter(|_| !stamp.old) {
            conversation.roster.add(person, &from, 0, Some(&userhost), self.full);
        }
        // After a resume nobody has seen us come.
        if !(own && !stamp.old && self.registration.resumed) {
            self.quiet(&key, LineKind::Joined, sender.nick, "", stamp);
        }
    }

    pub(super) fn on_part(&mut self, message: &Message<'_>, stamp: &Stamp<'_>) {
        let (Some(sender), Some(name)) = (self.sender(message), message.params.filled(0)) else { return };
        let Some(key) = self.room(name) else { return };
        let reason = message.params.get(1).copied().unwrap_or_default();
        self.quiet(&key, LineKind::Left, sender.nick, reason, stamp);
        if stamp.old {
            return;
        }
        if self.is_me(sender.nick) {
            self.unwant(&key);
            self.close(&key);
        } else if let Some(conversation) = self.conversations.get_mut(&key) {
            conversation.roster.remove(&self.isupport.key(sender.nick));
        }
    }

    pub(super) fn on_kick(&mut self, message: &Message<'_>, stamp: &Stamp<'_>) {
        let (Some(name), Some(nick)) = (message.params.filled(0), message.params.filled(1)) else { return };
        let Some(key) = self.room(name) else { return };
        let by = self.sender(message).map_or("", |sender| sender.nick);
        let mut reason = message.params.get(2).copied().unwrap_or_default();
        if reason == by {
            // Servers put the kicker's name where no reason was given (RFC 2812 §3.2.8).
            reason = "";
        }
        self.quiet(&key, LineKind::Kicked, by, format!("{nick} {reason}").trim_end(), stamp);
        if stamp.old {
            return;
        }
        if self.is_me(nick) {
            let (room, by, reason) = (name.to_owned(), filled(by), filled(printable(reason)));
            self.unwant(&key);
            self.put_out(&key, Sentence::PutOut { room, by, reason });
            return;
        }
        if let Some(conversation) = self.conversations.get_mut(&key) {
            conversation.roster.remove(&self.isupport.key(nick));
        }
        if self.is_me(by) {
            self.tell(Event::Done { room: key, deed: Deed::Kicked { nick: printable(nick) } });
        }
    }

    pub(super) fn on_quit(&mut self, message: &Message<'_>, stamp: &Stamp<'_>) {
        let Some(sender) = self.sender(message) else { return };
        let reason = message.params.first().copied().unwrap_or_default();
        if stamp.old {
            if let Some(key) = self.page_key(stamp) {
                self.quiet(&key, LineKind::Left, sender.nick, reason, stamp);
            }
            return;
        }
        let person = self.isupport.key(sender.nick);
        let was_in = |(key, c): (&Key, &mut super::conversation::Conversation)| {
            let was_in = c.roster.remove(&person) && c.kind == Kind::Room;
            (was_in || (c.kind == Kind::Person && *key == person)).then(|| key.clone())
        };
        let places: Vec<Key> = self.conversations.iter_mut().filter_map(was_in).collect();
        for key in places {
            self.types_no_more(&key, sender.nick);
            self.quiet(&key, LineKind::Left, sender.nick, reason, stamp);
        }
        self.name_is_free(sender.nick);
    }

    pub(super) fn on_nick(&mut self, message: &Message<'_>, stamp: &Stamp<'_>) {
        let (Some(sender), Some(nick)) = (self.sender(message), message.params.filled(0)) else { return };
        if stamp.old {
            if let Some(key) = self.page_key(stamp) {
                self.quiet(&key, LineKind::Renamed, sender.nick, nick, stamp);
            }
            return;
        }
        let (before, after, name) =
            (self.isupport.key(sender.nick), self.isupport.key(nick), self.names.share(nick));
        let own = self.is_me(sender.nick);
        if own {
            self.own_name_is(nick);
        }
        let knew = |(key, c): (&Key, &mut super::conversation::Conversation)| {
            let renamed = c.roster.rename(&before, after.clone(), &name) && c.kind == Kind::Room;
            (renamed || (c.kind == Kind::Person && *key == before)).then(|| key.clone())
        };
        let places: Vec<Key> = self.conversations.iter_mut().filter_map(knew).collect();
        for key in places {
            self.quiet_of(&key, LineKind::Renamed, sender.nick, &printable(nick), stamp, own);
        }
        if !own {
            self.move_person(&before, nick);
            self.name_is_free(sender.nick);
        }
    }

    pub(super) fn on_topic(&mut self, message: &Message<'_>, stamp: &Stamp<'_>) {
        let Some(key) = message.params.filled(0).and_then(|name| self.room(name)) else { return };
        let topic = printable(message.params.get(1).copied().unwrap_or_default());
        let by = self.sender(message).map_or_else(|| message.source.unwrap_or_default(), |s| s.nick);
        self.quiet(&key, LineKind::Topic, by, &topic, stamp);
        if !stamp.old {
            self.set_topic(&key, &topic);
        }
    }

    pub(super) fn on_mode(&mut self, message: &Message<'_>, stamp: &Stamp<'_>) {
        // Of our own modes nothing is shown.
        let Some(key) = message.params.filled(0).and_then(|name| self.room(name)) else { return };
        let by = self.sender(message).map_or_else(|| message.source.unwrap_or_default(), |s| s.nick);
        let modes = message.params.get(1).copied().unwrap_or_default();
        let changes = self.mode_changes(modes, message.params.get(2..).unwrap_or_default());
        let text: Vec<String> = changes.iter().map(ToString::to_string).collect();
        let own = self.is_me(by);
        self.quiet_of(&key, LineKind::Mode, by, &text.join("\n"), stamp, own);
        if stamp.old {
            return;
        }
        for change in &changes {
            if change.mode == 'k' {
                self.room_key_is(&key, change.argument.filter(|_| change.on));
            }
            if let (Some(place), Some(nick)) = (self.isupport.rank_of_mode(change.mode), change.argument)
                && let Some(conversation) = self.conversations.get_mut(&key)
            {
                conversation.roster.set_rank(&self.isupport.key(nick), place, change.on);
            }
        }
        self.settings_changed(&key, &changes, by, stamp);
    }

    pub(super) fn on_invite(&mut self, message: &Message<'_>, stamp: &Stamp<'_>) {
        let (Some(nick), Some(name)) = (message.params.filled(0), message.params.filled(1)) else { return };
        let by = self.sender(message).map_or("", |sender| sender.nick);
        if self.is_ignored(by) {
            return;
        }
        if stamp.old {
            return;
        }
        let (from, by, own) = (by, by.to_owned(), self.is_me(by));
        if !self.is_me(nick) {
            if let Some(key) = self.room(name) {
                let sentence = Sentence::InvitedBy { by, name: printable(nick) };
                let parts = Parts { from, at: stamp.at, own, sentence: Some(&sentence), ..Parts::default() };
                self.add(&key, &parts);
            }
            return;
        }
        let sentence = Sentence::InvitesYou { by, room: printable(name) };
        let parts =
            Parts { from, at: stamp.at, mention: true, sentence: Some(&sentence), ..Parts::default() };
        let outside = |c: &super::conversation::Conversation| c.kind == Kind::Room && !c.joined;
        let waiting = self.conversations.values().filter(|c| outside(c)).count();
        let known = self.room(name);
        let place = match &known {
            Some(key) => self.conversations.get(key).filter(|c| c.out.is_some()).map(|_| key.clone()),
            // A row of its own, where it can be followed.
            None if waiting < INVITED && Naming::is_possible(name) && self.isupport.is_room(name) => {
                Some(self.open(name, Kind::Room))
            }
            None => None,
        };
        if let Some(key) = &place {
            self.put_out(key, sentence.clone());
        }
        let key = place.or(known).unwrap_or_else(Key::server);
        let Some(line) = self.add(&key, &parts) else { return };
        match key.is_server() {
            true => self.tell(Event::Alert { key, line }),
            false => self.count_unread(&key, &line),
        }
    }

    /// AWAY of others (IRCv3 away-notify).
    pub(super) fn on_away(&mut self, message: &Message<'_>) {
        let Some(sender) = self.sender(message) else { return };
        let away = message.params.filled(0).is_some();
        self.set_away(sender.nick, away);
    }

    pub(super) fn set_away(&mut self, nick: &str, away: bool) {
        let person = self.isupport.key(nick);
        for conversation in self.conversations.values_mut() {
            conversation.roster.set_away(&person, away);
        }
    }

    /// RPL_NAMREPLY: names with prefixes, perhaps with `!user@host`.
    pub(super) fn on_names(&mut self, room: &Key, names: &str) {
        for entry in names.split_ascii_whitespace() {
            let (ranks, entry) = self.isupport.split_ranks(entry);
            let (nick, userhost) = entry.split_once('!').unwrap_or((entry, ""));
            let (person, name) = (self.isupport.key(nick), self.names.share(nick));
            if let Some(conversation) = self.conversations.get_mut(room).filter(|_| !nick.is_empty()) {
                conversation.roster.add(person, &name, ranks, Some(userhost), self.full);
            }
        }
    }

    /// The server puts us into a room that we did not ask for, and there are many already.
    fn is_one_too_many(&self, name: &str) -> bool {
        let key = self.isupport.key(name);
        !self.is_wanted(&key) && self.room(name).is_none() && self.conversations.len() >= ROOMS_UNASKED
    }

    /// A room that we want to be in, now and after every loss.
    pub(super) fn want(&mut self, name: &str, room_key: Option<&str>) {
        let key = self.isupport.key(name);
        match self.wanted.iter_mut().find(|wanted| self.isupport.key(&wanted.name) == key) {
            Some(wanted) => wanted.key = room_key.map(str::to_owned).or(wanted.key.take()),
            None => {
                self.wanted.push(Wanted { name: name.to_owned(), key: room_key.map(str::to_owned) });
            }
        }
    }

    /// Somebody has changed what opens a room; some servers do not show it.
    fn room_key_is(&mut self, room: &Key, room_key: Option<&str>) {
        if room_key.is_some_and(|key| !super::commands::is_word(key) || key.chars().all(|c| c == '*')) {
            return;
        }
        let isupport = &self.isupport;
        if let Some(wanted) = self.wanted.iter_mut().find(|wanted| isupport.key(&wanted.name) == *room) {
            wanted.key = room_key.map(str::to_owned);
            self.tell_room_key(room);
        }
    }

    fn tell_room_key(&mut self, room: &Key) {
        let wanted = self.wanted.iter().find(|wanted| self.isupport.key(&wanted.name) == *room);
        if let Some(wanted) = wanted {
            let room_key = wanted.key.clone().unwrap_or_default();
            self.tell(Event::RoomKey { key: room.clone(), room_key });
        }
    }

    pub(super) fn unwant(&mut self, key: &Key) {
        let isupport = &self.isupport;
        self.wanted.retain(|wanted| isupport.key(&wanted.name) != *key);
    }

    /// A quiet line: something happened that is not talk.
    fn quiet(&mut self, key: &Key, kind: LineKind, from: &str, text: &str, stamp: &Stamp<'_>) {
        let own = self.is_me(from);
        self.quiet_of(key, kind, from, &printable(text), stamp, own);
    }

    /// The same, of a text that has nothing in it which cannot be shown.
    fn quiet_of(&mut self, key: &Key, kind: LineKind, from: &str, text: &str, stamp: &Stamp<'_>, own: bool) {
        let (at, msgid) = (stamp.at, stamp.msgid.as_deref());
        let parts = Parts { kind, from, text, at, msgid, own, ..Parts::default() };
        if !self.collect(stamp, &parts) {
            self.add_of(key, &parts, stamp);
        }
    }
}
