//! Somebody with our window: the client's session, and what its events say is on the screen.

use std::collections::BTreeSet;
use std::time::Duration;

use parlor_client::session::{Delivery, Event, Key, Line, LineKind, Profile, Session, Status, Unsent};
use parlor_client::testing::Screen;

use crate::oracle::word;

/// How long what waits to be sent is not noted down; as in `parlor_client::net`.
const KEEP_AFTER: Duration = Duration::from_millis(200);

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Person {
    pub(crate) nick: String,
    pub(crate) session: Session,
    /// When its program was started.
    pub(crate) started: Duration,
    /// Its connection, or the one that it calls for.
    pub(crate) link: Option<usize>,
    pub(crate) screen: Screen,
    /// What waits to be sent, and since when.
    notes: Vec<(Duration, Vec<Unsent>)>,
    /// Rooms that it was put out of, and whose lines it still has.
    out: BTreeSet<Key>,
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
            screen: Screen::default(),
            notes: vec![(now, profile.unsent)],
            out: BTreeSet::new(),
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
        matches!(self.screen.status, Some(Status::Connected { .. }))
    }

    pub(crate) fn show(&mut self, event: &Event) {
        self.screen.show(event);
        match event {
            Event::Lines { key, lines } | Event::Inserted { key, lines, .. } => {
                let words = lines.iter().filter(|line| line.is_talk()).filter_map(|line| word(line.text()));
                self.doubled.extend(words.map(|word| (key.clone(), word.to_owned())));
            }
            Event::Closed { key } => {
                self.out.remove(key);
                self.closed.push(key.clone());
            }
            Event::Out { key, why: Some(_) } => {
                self.out.insert(key.clone());
                self.closed.push(key.clone());
            }
            Event::Out { key, why: None } => drop(self.out.remove(key)),
            Event::Me { nick } => self.nick.clone_from(nick),
            _ => {}
        }
        let screen = &self.screen;
        self.doubled.retain(|(key, doubled)| {
            let talk = screen.lines(key.as_str()).iter().filter(|line| line.is_talk());
            talk.filter(|line| word(line.text()) == Some(doubled)).nth(1).is_some()
        });
    }

    /// Whether it is in a room, or comes back into it by itself.
    pub(crate) fn is_in(&self, room: &str) -> bool {
        let key = Key::new(room);
        self.screen.lines.contains_key(&key) && !self.out.contains(&key)
    }

    /// What is shown of a conversation: words and ids, without what was not sent.
    pub(crate) fn talk(&self, key: &Key) -> Vec<(String, String)> {
        let said =
            self.screen.lines(key.as_str()).iter().filter(|line| {
                line.is_talk() && line.state() != Delivery::Failed && line.deleted().is_none()
            });
        said.filter_map(|line| {
            Some((word(line.text())?.to_owned(), line.msgid().unwrap_or_default().into_owned()))
        })
        .collect()
    }

    /// What has failed, or still waits.
    pub(crate) fn in_state(&self, state: Delivery) -> impl Iterator<Item = (&Key, &Line)> {
        let all = self.screen.lines.iter().flat_map(|(key, lines)| lines.iter().map(move |line| (key, line)));
        all.filter(move |(_, line)| line.state() == state && line.is_talk())
    }

    /// The first place where lines may be missing.
    pub(crate) fn gap(&self, key: &Key) -> Option<&Line> {
        self.screen.lines(key.as_str()).iter().find(|line| line.kind() == LineKind::Gap)
    }
}
