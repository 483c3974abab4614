//! What can be asked of the store, and what it answers.

use std::fmt;

use super::Key;

/// One end of a range; the bound itself is not in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// No bound.
    Open,
    /// A position, whether or not there is a record.
    At(Key),
    /// Milliseconds since 1970.
    Time(u64),
}

/// A page of a room: one shape for LATEST, BEFORE, AFTER, BETWEEN, and twice for AROUND.
#[derive(Debug, Clone)]
pub struct Query {
    /// The folded name of the room.
    pub room: Box<str>,
    /// Only what is later than this.
    pub after: Bound,
    /// Only what is earlier than this.
    pub before: Bound,
    /// Records at most.
    pub limit: usize,
    /// The newest `limit` of the range, not the oldest; they come in ascending order anyway.
    pub newest_first: bool,
    /// Joins, parts… too; they count for the limit.
    pub events: bool,
    /// Nothing later than this, which itself may come: the last id when the question was asked.
    pub upto: Key,
}

/// Says whether a payload is looked for.
pub type Matcher = Box<dyn Fn(&[u8]) -> bool + Send>;

/// A search: newest first, over 64 MiB of log at most.
pub struct Search {
    /// Folded names.
    pub rooms: Vec<Box<str>>,
    /// Only what is later than this.
    pub after: Bound,
    /// Only what is earlier than this.
    pub before: Bound,
    /// Records at most.
    pub limit: usize,
    /// Is given each line's payload, never an event's.
    pub matcher: Matcher,
    /// Nothing later than this.
    pub upto: Key,
}

impl fmt::Debug for Search {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Search")
            .field("rooms", &self.rooms)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

/// What [`Store::read`](super::Store::read) is asked.
#[derive(Debug)]
pub enum Request {
    /// Answered by [`Answer::Found`].
    Page(Query),
    /// Answered by [`Answer::Found`], newest first.
    Search(Search),
    /// The newest record of the last day with this fingerprint: [`Answer::Found`] with at most one.
    Find {
        /// The folded name of the room.
        room: Box<str>,
        /// Not 0.
        fingerprint: u64,
    },
    /// Which of the rooms have a line in the range, and their newest: [`Answer::Targets`].
    Targets {
        /// Folded names.
        rooms: Vec<Box<str>>,
        /// Only what is later than this.
        after: Bound,
        /// Only what is earlier than this.
        before: Bound,
        /// Nothing later than this.
        upto: Key,
    },
}

/// A record that is on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The folded name of the room.
    pub room: Box<str>,
    /// Its id.
    pub key: Key,
    /// A join, a part…
    pub event: bool,
    /// As it was appended.
    pub payload: Box<[u8]>,
}

/// Records that were asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// A page ascending, a search descending.
    pub records: Vec<Stored>,
    /// Nothing more is in the range: neither the limit nor the bytes that a request may read
    /// ended it.
    pub complete: bool,
    /// How far a search came, if it is not complete: ask on with `before: Bound::At(reached)`.
    pub reached: Option<Key>,
}

/// See [`Request`].
#[derive(Debug)]
pub enum Answer {
    /// Of a page, a search, a find.
    Found(Found),
    /// Folded name and the key of the newest line, in no order that matters.
    Targets(Vec<(Box<str>, Key)>),
}
