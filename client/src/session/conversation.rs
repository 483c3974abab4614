//! A room, a person or the server: what the session knows about one conversation.

use std::collections::HashSet;
use std::sync::Arc;

use parlor_server::protocol::MsgId;

use super::commands::is_word;
use super::event::{Event, Kind};
use super::line::{Line, LineId, LineKind, Parts};
use super::log::{Edit, Log};
use super::marker::Marker;
use super::roster::Roster;
use super::stamp::Stamp;
use super::{Key, Naming, Open, Output, RoomSettings, Sentence, Session, UnixMillis};
use crate::limits::{LINES, LINES_BYTES, OTHERS_LINES, PEOPLE, STRANGERS};

/// One conversation.
#[derive(Debug)]
pub(super) struct Conversation {
    /// As the server or its owner writes it.
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) topic: String,
    /// We are in the room now; always so for people and the server.
    pub(super) joined: bool,
    /// Why we are not in the room, though we are not on our way into it either.
    pub(super) out: Option<Sentence>,
    /// As far as somebody wanted to know.
    pub(super) settings: Option<RoomSettings>,
    /// The person opened it or wrote in it; else whoever it is with is a stranger.
    pub(super) known: bool,
    /// Of the strangers' own: those who wrote.
    pub(super) roster: Roster,
    /// The away text that was shown last: a server repeats it with every line.
    pub(super) away_told: Option<String>,
    pub(super) log: Log,
    /// The time of the last line that an earlier run of the program has shown.
    pub(super) read: Option<UnixMillis>,
    /// Where we came in, on a sorted server.
    pub(super) entered: Option<MsgId>,
    /// Behind this place lines of ours may be missing that were given up under way: their echoes
    /// come later than what others say.
    pub(super) incomplete: Option<MsgId>,
    unread: u32,
    mentions: u32,
    unread_changed: bool,
    /// How far the server knows that it was read.
    pub(super) marker: Marker,
}

impl Conversation {
    /// Another device has shown what was said until then.
    pub(super) fn read_until(&mut self, at: UnixMillis) {
        if self.unread == 0 {
            return;
        }
        let later = self.log.iter().rev().take_while(|line| line.at() > at);
        let talk = later.filter(|line| line.is_talk() && !line.own() && line.deleted().is_none());
        let (count, mentions) =
            talk.fold((0, 0), |(count, mentions), line| (count + 1, mentions + u32::from(line.mention())));
        if count < self.unread {
            (self.unread, self.mentions) = (count, mentions.min(self.mentions));
            self.unread_changed = true;
        }
    }
}

impl Session {
    /// Opens a conversation, unless it is open.
    pub(super) fn open(&mut self, name: &str, kind: Kind) -> Key {
        let key = match kind {
            Kind::Server => Key::server(),
            Kind::Others => Key::others(),
            Kind::Room | Kind::Person => self.isupport.key(name),
        };
        if !self.conversations.contains_key(&key) {
            let others = kind == Kind::Others;
            let mut roster = Roster::default();
            if others {
                roster.complete();
            }
            let conversation = Conversation {
                name: name.to_owned(),
                kind,
                topic: String::new(),
                joined: kind != Kind::Room,
                out: None,
                settings: None,
                known: false,
                roster,
                away_told: None,
                log: Log::new(self.isupport.sorted, if others { OTHERS_LINES } else { LINES }),
                read: None,
                entered: None,
                incomplete: None,
                unread: 0,
                mentions: 0,
                unread_changed: false,
                marker: Marker::default(),
            };
            self.conversations.insert(key.clone(), conversation);
            self.tell(Event::Opened { key: key.clone(), name: name.to_owned(), kind });
            self.restore_to(&key);
            self.ask_marker(&key);
        }
        key
    }

    /// Opens what was open when an earlier run of the program ended; a file can say anything.
    pub(super) fn reopen(&mut self, open: Open) {
        let Open { name, kind, key, read } = open;
        let is_room = match kind {
            Kind::Room => true,
            Kind::Person => false,
            Kind::Others | Kind::Server => return,
        };
        let possible = if is_room { Naming::is_possible(&name) } else { is_word(&name) };
        if !possible || Key::new(&name).is_reserved() {
            return;
        }
        if is_room {
            self.want(&name, Some(&*key).filter(|key| is_word(key)));
        }
        let opened = self.open(&name, kind);
        if let Some(conversation) = self.conversations.get_mut(&opened) {
            conversation.known = true;
            conversation.read = (read > 0).then_some(UnixMillis(read));
        }
    }

    /// Closes a conversation; what still waited for it has failed.
    pub(super) fn close(&mut self, key: &Key) {
        if key.is_server() || !self.conversations.contains_key(key) {
            return;
        }
        self.fail_waiting(key, &Sentence::LeftBeforeSent);
        self.conversations.remove(key);
        self.marks.forget(key);
        self.questions_are_stale(key);
        self.forget_failed(key);
        if self.reading.as_ref() == Some(key) {
            self.reading = None;
        }
        self.tell(Event::Closed { key: key.clone() });
    }

    /// We are not in a room any more, or do not get in; its lines stay, and the server still says what became of those
    /// under way.
    pub(super) fn put_out(&mut self, key: &Key, why: Sentence) {
        self.fail_unsent(key, &why);
        let Some(conversation) = self.conversations.get_mut(key) else { return };
        conversation.joined = false;
        conversation.roster.clear();
        conversation.settings = None;
        conversation.out = Some(why.clone());
        self.tell(Event::Out { key: key.clone(), why: Some(why) });
    }

    /// Adds a line where it belongs in a conversation that is open, else in the server's; `None`
    /// if it is there already.
    pub(super) fn add(&mut self, key: &Key, parts: &Parts<'_>) -> Option<Line> {
        self.add_by(key, parts, Log::add)
    }

    /// As [`add`](Self::add), but a line that a server without positions plays back goes where its
    /// time says.
    pub(super) fn add_of(&mut self, key: &Key, parts: &Parts<'_>, stamp: &Stamp<'_>) -> Option<Line> {
        self.add_by(key, parts, if stamp.old { Log::add_old } else { Log::add })
    }

    fn add_by(
        &mut self,
        key: &Key,
        parts: &Parts<'_>,
        add: impl FnOnce(&mut Log, Line) -> bool,
    ) -> Option<Line> {
        let open = self.conversations.contains_key(key);
        let key = if open { key.clone() } else { Key::server() };
        self.last_line += 1;
        let line = self.dress(&key, Line::new(LineId(self.last_line), parts));
        let conversation = self.conversations.get_mut(&key)?;
        let added = add(&mut conversation.log, line.clone());
        self.emit(&key, true);
        if added {
            self.is_here(&key, &line);
        }
        self.note_cut(&key);
        added.then_some(line)
    }

    /// Tells what has become of a conversation's lines; `new`: those that came in are news.
    pub(super) fn emit(&mut self, key: &Key, new: bool) {
        let Some(conversation) = self.conversations.get_mut(key) else { return };
        for edit in std::mem::take(&mut conversation.log.edits) {
            // What belongs together is told together.
            match (edit, self.out.back_mut()) {
                (
                    Edit::Insert { before: None, line },
                    Some(Output::Event(Event::Lines { key: k, lines })),
                ) if k == key => {
                    lines.push(line);
                }
                (Edit::Insert { before: None, line }, _) => {
                    self.tell(Event::Lines { key: key.clone(), lines: vec![line] });
                }
                (
                    Edit::Insert { before: Some(below), line },
                    Some(Output::Event(Event::Inserted { key: k, before, lines, new: n })),
                ) if k == key && *before == below && *n == new => lines.push(line),
                (Edit::Insert { before: Some(before), line }, _) => {
                    self.tell(Event::Inserted { key: key.clone(), before, lines: vec![line], new });
                }
                (Edit::Remove(id), Some(Output::Event(Event::Removed { key: k, ids }))) if k == key => {
                    ids.push(id);
                }
                (Edit::Remove(id), _) => self.tell(Event::Removed { key: key.clone(), ids: vec![id] }),
                (Edit::Change(line), _) => self.tell(Event::Changed { key: key.clone(), line }),
            }
        }
    }

    /// A quiet line of the program or the server, now.
    pub(super) fn inform(&mut self, key: &Key, kind: LineKind, sentence: &Sentence) {
        let sentence = Some(sentence);
        self.add(key, &Parts { kind, sentence, at: self.now.wall, ..Parts::default() });
    }

    /// Somebody said something in a conversation: counts it and raises an alert, unless it is
    /// being read.
    pub(super) fn count_unread(&mut self, key: &Key, line: &Line) {
        if self.reading.as_ref() == Some(key) || line.deleted().is_some() {
            return;
        }
        let Some(conversation) = self.conversations.get_mut(key) else { return };
        if conversation.kind == Kind::Server {
            return;
        }
        conversation.unread = conversation.unread.saturating_add(1);
        conversation.mentions = conversation.mentions.saturating_add(u32::from(line.mention()));
        conversation.unread_changed = true;
        if line.mention() || conversation.kind != Kind::Room {
            self.tell(Event::Alert { key: key.clone(), line: line.clone() });
        }
    }

    pub(super) fn read(&mut self, key: Key) {
        if let Some(conversation) = self.conversations.get_mut(&key) {
            if conversation.unread > 0 {
                (conversation.unread, conversation.mentions) = (0, 0);
                conversation.unread_changed = true;
            }
            self.reading = Some(key);
        }
    }

    pub(super) fn set_topic(&mut self, key: &Key, text: &str) {
        if let Some(conversation) = self.conversations.get_mut(key)
            && conversation.topic != text
        {
            conversation.topic = text.to_owned();
            self.tell(Event::Topic { key: key.clone(), text: text.to_owned() });
        }
    }

    /// The person of a private conversation has another name.
    pub(super) fn move_person(&mut self, from: &Key, name: &str) {
        if self.conversations.get(from).is_some_and(|c| c.kind == Kind::Person) {
            self.move_to(from, name);
        }
    }

    /// A conversation has another name, or another key.
    pub(super) fn move_to(&mut self, from: &Key, name: &str) {
        let to = self.isupport.key(name);
        if to.is_reserved() || (to != *from && self.conversations.contains_key(&to)) {
            return;
        }
        let Some(mut conversation) = self.conversations.remove(from) else { return };
        conversation.name = name.to_owned();
        self.conversations.insert(to.clone(), conversation);
        self.outgoing.moved(from, &to);
        self.marks.moved(from, &to);
        if self.reading.as_ref() == Some(from) {
            self.reading = Some(to.clone());
        }
        self.deleting_moved(from, &to);
        self.transcript_moved(from, &to);
        if self.asked_at.as_ref() == Some(from) {
            self.asked_at = Some(to.clone());
        }
        self.tell(Event::Moved { key: from.clone(), to: to.clone(), name: name.to_owned() });
        self.typing_moved(from, &to, name);
    }

    /// Where lines go that this person and we alone read: once there are too many strangers, to
    /// the conversation that they share.
    pub(super) fn private_place(&self, name: &str) -> Key {
        let key = self.isupport.key(name);
        let others = || self.conversations.get(&Key::others());
        if self.conversations.contains_key(&key) {
            return key;
        }
        let strangers = self.conversations.values().filter(|c| c.kind == Kind::Person && !c.known);
        let shared = others().is_some_and(|others| others.roster.get(&key).is_some());
        if shared || key.is_reserved() || strangers.count() >= STRANGERS { Key::others() } else { key }
    }

    /// Somebody wrote to us alone: opens that place.
    pub(super) fn open_private(&mut self, place: &Key, name: &str) {
        if !place.is_others() {
            return drop(self.open(name, Kind::Person));
        }
        self.open("", Kind::Others);
        let (key, name) = (self.isupport.key(name), self.names.share(name));
        let Session { conversations, isupport, .. } = self;
        if let Some(others) = conversations.get_mut(place) {
            if others.log.is_full() {
                // Who has no lines here any more cannot be answered here.
                let wrote: HashSet<Key> = others.log.iter().map(|line| isupport.key(line.from())).collect();
                others.roster.retain(|key| wrote.contains(key));
            }
            others.roster.add(key, &name, 0, None, false);
        }
    }

    /// The other one of a private conversation is seen to write their name like this.
    pub(super) fn spell(&mut self, key: &Key, name: &str) {
        let person = self.conversations.get_mut(key).filter(|c| c.kind == Kind::Person && c.name != name);
        if let Some(person) = person {
            name.clone_into(&mut person.name);
            self.tell(Event::Moved { key: key.clone(), to: key.clone(), name: name.to_owned() });
        }
    }

    /// How somebody who is in a room with us writes their name; else as it is given.
    pub(super) fn spelling(&self, name: &str) -> Arc<str> {
        let key = self.isupport.key(name);
        let member = self.conversations.values().find_map(|c| c.roster.get(&key));
        member.map_or_else(|| name.into(), |member| Arc::clone(&member.name))
    }

    /// A stranger has a conversation now: what they wrote before stands in it.
    pub(super) fn bring_here(&mut self, key: &Key) {
        let Session { conversations, isupport, .. } = self;
        let Some(others) = conversations.get_mut(&Key::others()) else { return };
        if !others.roster.remove(key) {
            return;
        }
        let lines = others.log.take_those(|line| isupport.key(line.from()) == *key);
        let left = others.unread.saturating_sub(lines.len() as u32);
        others.unread_changed |= left != others.unread;
        others.unread = left;
        let empty = others.log.len() == 0;
        self.emit(&Key::others(), false);
        if let Some(conversation) = self.conversations.get_mut(key) {
            for line in lines {
                conversation.log.add(line);
            }
        }
        self.emit(key, false);
        if empty {
            self.close(&Key::others());
        }
    }

    /// Keeps the lines of all conversations bounded: the longest gives up its oldest ones.
    fn trim_all(&mut self) {
        let mut total: usize = self.conversations.values().map(|c| c.log.bytes()).sum();
        while total > LINES_BYTES
            && let Some((key, longest)) = self.conversations.iter_mut().max_by_key(|(_, c)| c.log.bytes())
        {
            let (key, before) = (key.clone(), longest.log.bytes());
            longest.log.drop_oldest();
            let freed = before - longest.log.bytes();
            self.emit(&key, false);
            self.note_cut(&key);
            if freed == 0 {
                // All of it waits to be sent.
                return;
            }
            total -= freed;
        }
    }

    /// Tells what changed in bulk since the last input.
    pub(super) fn flush(&mut self) {
        self.trim_all();
        self.full = self.conversations.values().map(|c| c.roster.len()).sum::<usize>() >= PEOPLE;
        let me = self.isupport.key(&self.me.nick);
        for (key, conversation) in &mut self.conversations {
            if let Some(people) = conversation.roster.snapshot(&self.isupport, &me) {
                self.out.push_back(Output::Event(Event::People { key: key.clone(), people }));
            }
            if let Some(hands) = conversation.roster.hands() {
                self.out.push_back(Output::Event(Event::Hands { key: key.clone(), hands }));
            }
            if std::mem::take(&mut conversation.unread_changed) {
                let (count, mentions) = (conversation.unread, conversation.mentions);
                self.out.push_back(Output::Event(Event::Unread { key: key.clone(), count, mentions }));
            }
        }
    }

    /// The room's conversation of this name, if we know it.
    pub(super) fn room(&self, name: &str) -> Option<Key> {
        let key = self.isupport.key(name);
        self.conversations.get(&key).filter(|c| c.kind == Kind::Room).map(|_| key)
    }

    /// The conversation that a key of the window names, however it was folded.
    pub(super) fn known(&self, key: &Key) -> Option<Key> {
        if self.conversations.contains_key(key) {
            return Some(key.clone());
        }
        Some(self.isupport.key(key.as_str())).filter(|key| self.conversations.contains_key(key))
    }
}
