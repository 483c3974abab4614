//! A room, a person or the server: what the session knows about one conversation.

use parlor_server::protocol::MsgId;

use super::event::{Event, Kind};
use super::line::{Line, LineId, LineKind, Parts};
use super::log::{Edit, Log};
use super::roster::Roster;
use super::stamp::Stamp;
use super::{Key, Output, Sentence, Session};

/// One conversation.
#[derive(Debug)]
pub(super) struct Conversation {
    /// As the server or its owner writes it.
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) topic: String,
    /// We are in the room now; always so for people and the server.
    pub(super) joined: bool,
    pub(super) roster: Roster,
    /// The away text that was shown last: a server repeats it with every line.
    pub(super) away_told: Option<String>,
    pub(super) log: Log,
    /// Behind this place lines of ours may be missing that were given up under way: their echoes
    /// come later than what others say.
    pub(super) incomplete: Option<MsgId>,
    unread: u32,
    mentions: u32,
    unread_changed: bool,
}

impl Session {
    /// Opens a conversation, unless it is open.
    pub(super) fn open(&mut self, name: &str, kind: Kind) -> Key {
        let key = if kind == Kind::Server { Key::server() } else { self.isupport.key(name) };
        if !self.conversations.contains_key(&key) {
            let conversation = Conversation {
                name: name.to_owned(),
                kind,
                topic: String::new(),
                joined: kind != Kind::Room,
                roster: Roster::default(),
                away_told: None,
                log: Log::new(self.isupport.sorted),
                incomplete: None,
                unread: 0,
                mentions: 0,
                unread_changed: false,
            };
            self.conversations.insert(key.clone(), conversation);
            self.tell(Event::Opened { key: key.clone(), name: name.to_owned(), kind });
            self.restore_to(&key);
        }
        key
    }

    /// Closes a conversation; what still waited for it has failed.
    pub(super) fn close(&mut self, key: &Key, why: Option<Sentence>) {
        if key.is_server() || !self.conversations.contains_key(key) {
            return;
        }
        self.fail_waiting(key, why.as_ref().unwrap_or(&Sentence::LeftBeforeSent));
        self.conversations.remove(key);
        self.questions_are_stale(key);
        self.forget_failed(key);
        if self.reading.as_ref() == Some(key) {
            self.reading = None;
        }
        self.tell(Event::Closed { key: key.clone(), why });
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
        let line = Line::new(LineId(self.last_line), parts);
        let conversation = self.conversations.get_mut(&key)?;
        let added = add(&mut conversation.log, line.clone());
        self.emit(&key, true);
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
        if self.reading.as_ref() == Some(key) {
            return;
        }
        let Some(conversation) = self.conversations.get_mut(key) else { return };
        if conversation.kind == Kind::Server {
            return;
        }
        conversation.unread = conversation.unread.saturating_add(1);
        conversation.mentions = conversation.mentions.saturating_add(u32::from(line.mention()));
        conversation.unread_changed = true;
        if line.mention() || conversation.kind == Kind::Person {
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
        let to = self.isupport.key(name);
        let private = self.conversations.get(from).is_some_and(|c| c.kind == Kind::Person);
        if !private || (to != *from && self.conversations.contains_key(&to)) {
            return;
        }
        let Some(mut conversation) = self.conversations.remove(from) else { return };
        conversation.name = name.to_owned();
        self.conversations.insert(to.clone(), conversation);
        self.outgoing.moved(from, &to);
        if self.reading.as_ref() == Some(from) {
            self.reading = Some(to.clone());
        }
        self.tell(Event::Moved { key: from.clone(), to, name: name.to_owned() });
    }

    /// Tells what changed in bulk since the last input.
    pub(super) fn flush(&mut self) {
        let me = self.isupport.key(&self.me.nick);
        for (key, conversation) in &mut self.conversations {
            if let Some(people) = conversation.roster.snapshot(&self.isupport, &me) {
                self.out.push_back(Output::Event(Event::People { key: key.clone(), people }));
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
