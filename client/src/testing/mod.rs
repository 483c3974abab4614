//! What the tests of all packages share; only with the feature `testing`, which no program has.

mod scratch;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use scratch::Scratch;

use crate::session::{Event, Key, Line, Person, Status};

/// What a window would show, from nothing but the events of a session.
#[derive(Debug, Default)]
pub struct Screen {
    /// The lines of each conversation, from top to bottom.
    pub lines: BTreeMap<Key, Vec<Line>>,
    /// Who is in each room.
    pub people: BTreeMap<Key, Arc<[Person]>>,
    /// How the connection stands.
    pub status: Option<Status>,
}

impl Screen {
    /// Shows an event.
    ///
    /// # Panics
    /// If it does not fit what is shown: a line that is there twice, a conversation that is not open.
    #[track_caller]
    pub fn show(&mut self, event: &Event) {
        match event {
            Event::Opened { key, .. } => {
                let open = self.lines.insert(key.clone(), Vec::new());
                assert!(open.is_none(), "{key} is opened twice");
            }
            Event::Closed { key, .. } => {
                self.people.remove(key);
                assert!(self.lines.remove(key).is_some(), "{key} is closed and was not open");
            }
            Event::Moved { key, to, .. } => {
                let lines = std::mem::take(self.of(key));
                self.lines.remove(key);
                let open = self.lines.insert(to.clone(), lines);
                assert!(open.is_none(), "{key} is moved to {to}, which is open");
            }
            Event::Lines { key, lines } => {
                let end = self.of(key).len();
                self.put(key, end, lines);
            }
            Event::Inserted { key, before, lines, .. } => {
                let below = self.of(key).iter().position(|line| line.id() == *before);
                self.put(key, below.expect("the line below is there"), lines);
            }
            Event::Removed { key, ids } => {
                let shown = self.of(key);
                for id in ids {
                    let at = shown.iter().position(|line| line.id() == *id);
                    shown.remove(at.expect("what is taken out is there"));
                }
            }
            Event::Changed { key, line } => {
                let old = self.of(key).iter_mut().rev().find(|old| old.id() == line.id());
                *old.expect("what changes is there") = line.clone();
            }
            Event::People { key, people } => drop(self.people.insert(key.clone(), people.clone())),
            Event::Status(status) => self.status = Some(status.clone()),
            _ => {}
        }
    }

    /// The lines of a conversation; none where it is not open.
    pub fn lines(&self, key: &str) -> &[Line] {
        self.lines.get(key).map_or(&[], Vec::as_slice)
    }

    /// Who is in a room, by name.
    pub fn names(&self, key: &str) -> Vec<String> {
        let people = self.people.get(key).map_or(&[][..], |people| people);
        people.iter().map(|person| person.name.to_string()).collect()
    }

    fn of(&mut self, key: &Key) -> &mut Vec<Line> {
        self.lines.get_mut(key).unwrap_or_else(|| panic!("{key} is not open"))
    }

    fn put(&mut self, key: &Key, at: usize, lines: &[Line]) {
        let shown = self.of(key);
        for line in lines {
            let known = shown.iter().rev().any(|known| known.id() == line.id());
            assert!(!known, "a line is there already: {line:?}");
        }
        shown.splice(at..at, lines.iter().cloned());
    }
}
