//! Somebody with our window: the client's session, and what its events say is on the screen.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use parlor_client::session::{Delivery, Event, Key, Line, LineKind, Profile, Session, Status, Unsent};

use crate::oracle::word;

/// How long what waits to be sent is not noted down; as in `parlor_client::net`.
const KEEP_AFTER: Duration = Duration::from_millis(200);

/// A conversation as it is shown.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    pub(crate) lines: Vec<Line>,
    /// How often each word is there.
    words: BTreeMap<String, usize>,
    pub(crate) people: Vec<String>,
}

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Person {
    pub(crate) nick: String,
    pub(crate) session: Session,
    /// When its program was started.
    pub(crate) started: Duration,
    /// Its connection, or the one that it calls for.
    pub(crate) link: Option<usize>,
    pub(crate) shown: BTreeMap<Key, Shown>,
    pub(crate) status: Option<Status>,
    /// What waits to be sent, and since when.
    notes: Vec<(Duration, Vec<Unsent>)>,
    /// Rooms that were closed since somebody looked.
    pub(crate) closed: Vec<Key>,
    /// Words that are there more than once.
    pub(crate) doubled: BTreeSet<(Key, String)>,
}

impl Person {
    pub(crate) fn new(profile: Profile, session: Session, now: Duration) -> Person {
        Person {
            nick: profile.nick,
            session,
            started: now,
            link: None,
            shown: BTreeMap::new(),
            status: None,
            notes: vec![(now, profile.unsent)],
            closed: Vec::new(),
            doubled: BTreeSet::new(),
        }
    }

    pub(crate) fn note(&mut self, now: Duration, unsent: Vec<Unsent>) {
        self.notes.push((now, unsent));
    }

    /// What a next start of its program finds noted down.
    pub(crate) fn noted(&self, now: Duration) -> Vec<Unsent> {
        let noted = self.notes.iter().rev().find(|(at, _)| *at + KEEP_AFTER <= now || *at == self.started);
        noted.map(|(_, unsent)| unsent.clone()).unwrap_or_default()
    }

    pub(crate) fn is_connected(&self) -> bool {
        matches!(self.status, Some(Status::Connected { .. }))
    }

    pub(crate) fn apply(&mut self, event: Event) {
        match event {
            Event::Opened { key, .. } => {
                assert!(self.shown.insert(key.clone(), Shown::default()).is_none(), "{key} is opened twice");
            }
            Event::Closed { key, .. } => {
                assert!(self.shown.remove(&key).is_some(), "{key} was not open");
                self.doubled.retain(|(of, _)| *of != key);
                self.closed.push(key);
            }
            Event::Moved { key, to, .. } => {
                let shown = self.shown.remove(&key).expect("what is moved is open");
                self.doubled.retain(|(of, _)| *of != key);
                self.shown.insert(to, shown);
            }
            Event::Lines { key, lines } => {
                let end = self.of(&key).lines.len();
                self.put(&key, end, lines);
            }
            Event::Inserted { key, before, lines, .. } => {
                let at = self.of(&key).lines.iter().position(|line| line.id() == before);
                self.put(&key, at.expect("the line below is there"), lines);
            }
            Event::Removed { key, ids } => {
                for id in ids {
                    let shown = self.of(&key);
                    let at = shown.lines.iter().position(|line| line.id() == id);
                    let line = shown.lines.remove(at.expect("what is taken out is there"));
                    self.count(&key, &line, -1);
                }
            }
            Event::Changed { key, line } => {
                let old = self.of(&key).lines.iter_mut().find(|old| old.id() == line.id());
                *old.expect("what changes is there") = line;
            }
            Event::People { key, people } => {
                self.of(&key).people = people.iter().map(|person| person.name.to_string()).collect();
            }
            Event::Status(status) => self.status = Some(status),
            Event::Me { nick } => self.nick = nick,
            _ => {}
        }
    }

    fn of(&mut self, key: &Key) -> &mut Shown {
        self.shown.get_mut(key).unwrap_or_else(|| panic!("{key} is not open"))
    }

    fn put(&mut self, key: &Key, at: usize, lines: Vec<Line>) {
        for line in &lines {
            let known = self.of(key).lines.iter().rev().any(|known| known.id() == line.id());
            assert!(!known, "a line is there already: {line:?}");
            self.count(key, line, 1);
        }
        self.of(key).lines.splice(at..at, lines);
    }

    fn count(&mut self, key: &Key, line: &Line, by: isize) {
        let Some(word) = word(line.text()).filter(|_| line.is_talk()) else { return };
        let count = self.of(key).words.entry(word.to_owned()).or_default();
        *count = count.checked_add_signed(by).expect("it was counted");
        let doubled = *count > 1;
        let entry = (key.clone(), word.to_owned());
        if doubled {
            self.doubled.insert(entry);
        } else {
            self.doubled.remove(&entry);
        }
    }

    /// What is shown of a conversation: words and ids, without what was not sent.
    pub(crate) fn talk(&self, key: &Key) -> Vec<(String, String)> {
        let lines = self.shown.get(key).map_or(&[][..], |shown| &shown.lines);
        let said = lines.iter().filter(|line| line.is_talk() && line.state() != Delivery::Failed);
        said.filter_map(|line| {
            Some((word(line.text())?.to_owned(), line.msgid().unwrap_or_default().into_owned()))
        })
        .collect()
    }

    /// What has failed, or still waits.
    pub(crate) fn in_state(&self, state: Delivery) -> impl Iterator<Item = (&Key, &Line)> {
        let all = self.shown.iter().flat_map(|(key, shown)| shown.lines.iter().map(move |line| (key, line)));
        all.filter(move |(_, line)| line.state() == state && line.is_talk())
    }

    /// The first place where lines may be missing.
    pub(crate) fn gap(&self, key: &Key) -> Option<&Line> {
        self.shown.get(key)?.lines.iter().find(|line| line.kind() == LineKind::Gap)
    }
}
