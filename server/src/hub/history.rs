//! What the hub wants kept of a room, and what it asks of what is kept. Data only: the hub
//! gives it out and takes it in, a store keeps it.

use std::fmt;
use std::sync::Arc;

pub use super::record::Told;
use crate::protocol::MsgId;
use crate::protocol::time::UnixMillis;

/// One event of a room, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The room's folded name.
    pub room: Arc<str>,
    /// Its place in the order. An event of several rooms has one id in all of them.
    pub id: MsgId,
    /// Joins, parts, modes and the like: only for those who ask for events, not counted as lines.
    pub event: bool,
    /// Stands for the room and what the sender called the line (`+parlor/id`); 0: it has none.
    pub fingerprint: u64,
    /// The rest, in the hub's own encoding.
    pub payload: Box<[u8]>,
}

/// Where a query begins or ends; exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edge {
    /// No limit on this side.
    Open,
    /// At this id, whether it is kept or not.
    At(MsgId),
    /// At this millisecond.
    Time(UnixMillis),
}

impl Edge {
    /// Whether `id` lies after this edge.
    pub fn is_before(self, id: MsgId) -> bool {
        match self {
            Edge::Open => true,
            Edge::At(edge) => id > edge,
            Edge::Time(time) => id.millis > time.0,
        }
    }

    /// Whether `id` lies before this edge.
    pub fn is_after(self, id: MsgId) -> bool {
        match self {
            Edge::Open => true,
            Edge::At(edge) => id < edge,
            Edge::Time(time) => id.millis < time.0,
        }
    }
}

/// Lines of one room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The room's folded name.
    pub room: Arc<str>,
    /// The lines lie after this.
    pub after: Edge,
    /// They lie before this.
    pub before: Edge,
    /// None of them is later: what comes after the question is no answer to it.
    pub upto: MsgId,
    /// So many at most.
    pub limit: usize,
    /// If there are more, the newest count; else the oldest.
    pub newest: bool,
    /// Events too, not only lines.
    pub events: bool,
}

/// Says of a payload whether it is looked for.
pub type Matcher = Box<dyn Fn(&[u8]) -> bool + Send>;

/// What the hub asks of a store.
pub enum Request {
    /// Lines of a room, ascending.
    Lines(Query),
    /// The two sides of a position, ascending: lines before it, it, lines after it.
    Around(Query, Query),
    /// Lines of these rooms that a matcher finds, newest first. The query's own room, its
    /// `newest` and its `events` do not count.
    Search(Vec<Arc<str>>, Query, Matcher),
    /// The newest record of the room with this fingerprint, if it is at most a day old.
    Find {
        /// The room's folded name.
        room: Arc<str>,
        /// As in [`Record::fingerprint`]; never 0.
        fingerprint: u64,
    },
    /// Which of these rooms had a line between the edges, with the id of its latest one there.
    Targets {
        /// Folded names.
        rooms: Vec<Arc<str>>,
        /// The line lies after this.
        after: Edge,
        /// And before this.
        before: Edge,
        /// None is later: what comes after the question is no answer to it.
        upto: MsgId,
    },
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Request::Lines(query) => f.debug_tuple("Lines").field(query).finish(),
            Request::Around(before, after) => f.debug_tuple("Around").field(before).field(after).finish(),
            Request::Search(rooms, query, _) => {
                f.debug_tuple("Search").field(rooms).field(query).finish_non_exhaustive()
            }
            Request::Find { room, fingerprint } => write!(f, "Find({room}, {fingerprint:x})"),
            Request::Targets { rooms, after, before, .. } => {
                f.debug_tuple("Targets").field(rooms).field(after).field(before).finish()
            }
        }
    }
}

/// A record that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The room's folded name.
    pub room: Arc<str>,
    /// Its place in the order.
    pub id: MsgId,
    /// As it was kept.
    pub payload: Box<[u8]>,
}

/// What a store answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// What was found, in the order that the request says. `more`: a search stopped here for
    /// its length, and goes on before this id.
    #[expect(missing_docs, reason = "said above")]
    Lines { found: Vec<Kept>, more: Option<MsgId> },
    /// Folded names and the ids of their latest lines.
    Targets(Vec<(Arc<str>, MsgId)>),
    /// It could not be read; the log says why.
    Failed,
}
