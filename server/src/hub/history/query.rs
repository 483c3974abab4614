//! What the hub wants kept of a room, and what it asks of what is kept. Data only: the hub
//! gives it out and takes it in, a store keeps it.

use std::fmt;
use std::num::NonZeroU64;
use std::sync::Arc;

use crate::protocol::MsgId;
use crate::protocol::time::UnixMillis;

/// A hash of a room and of what a sender called a line; a store keeps 0 for none.
pub type Fingerprint = NonZeroU64;

/// One event of a room, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The room's folded name.
    pub room: Arc<str>,
    /// The folded names of the event's other rooms: somebody who is in them has another name, or quits.
    pub also: Box<[Arc<str>]>,
    /// Its place in the order.
    pub id: MsgId,
    /// Joins, parts, modes and the like: only for those who ask for events, not counted as lines.
    pub event: bool,
    /// Stands for the room and what the sender called the line (`+parlor/id`), if it did.
    pub fingerprint: Option<Fingerprint>,
    /// An earlier record that is kept no longer as it was.
    pub erases: Option<Box<Erasure>>,
    /// The rest, in the hub's own encoding.
    pub payload: Box<[u8]>,
}

/// What takes the place of a record: in every answer from then on, and on the disk when it is next made smaller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    /// The record that goes, of the same room.
    pub id: MsgId,
    /// What is kept instead.
    pub payload: Box<[u8]>,
}

impl Record {
    /// The folded names of its rooms.
    pub fn rooms(&self) -> impl Iterator<Item = &Arc<str>> {
        std::iter::once(&self.room).chain(&self.also)
    }
}

/// Where a stretch of the history begins or ends; exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edge {
    /// No limit on this side.
    Open,
    /// At this id, whether it is kept or not.
    At(MsgId),
    /// At this millisecond.
    Time(UnixMillis),
}

/// A stretch of the history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// It lies after this.
    pub after: Edge,
    /// It lies before this.
    pub before: Edge,
    /// Nothing in it is later: what comes after the question is no answer to it.
    pub upto: MsgId,
}

impl Range {
    /// Everything.
    pub const ALL: Range = Range { after: Edge::Open, before: Edge::Open, upto: MsgId::MAX };

    /// Whether all of it comes after `id`, and so after everything before: ids rise.
    pub fn is_after(&self, id: MsgId) -> bool {
        matches!(self.after, Edge::At(after) if id <= after)
    }

    /// Whether all of it comes before `id`, and so before everything behind: ids rise.
    pub fn is_before(&self, id: MsgId) -> bool {
        id > self.upto || matches!(self.before, Edge::At(before) if id >= before)
    }

    /// Whether something of these times, both inclusive, may lie in it. Times rise only as long as the
    /// clock does not step back.
    pub fn meets(&self, first: UnixMillis, last: UnixMillis) -> bool {
        !matches!(self.after, Edge::Time(after) if last <= after)
            && !matches!(self.before, Edge::Time(before) if first >= before)
    }

    /// Whether `id` lies in it.
    pub fn has(&self, id: MsgId) -> bool {
        !self.is_after(id) && !self.is_before(id) && self.meets(id.time(), id.time())
    }
}

/// Lines of one room: one shape for LATEST, BEFORE, AFTER and BETWEEN, two of it for AROUND, one a room
/// for TARGETS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The room's folded name.
    pub room: Arc<str>,
    /// Where they lie.
    pub range: Range,
    /// So many at most.
    pub limit: usize,
    /// If there are more, the newest count; else the oldest.
    pub newest: bool,
    /// Events too, not only lines; they count for the limit.
    pub events: bool,
}

/// Says of a payload whether it is looked for.
pub struct Matcher(pub Box<Matches>);

/// See [`Matcher`].
pub type Matches = dyn Fn(&[u8]) -> bool + Send;

impl fmt::Debug for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Matcher")
    }
}

/// What the hub asks of a store.
#[derive(Debug)]
#[expect(missing_docs, reason = "the fields are what the variants say")]
pub enum Request {
    /// Lines of a room, ascending.
    Lines(Query),
    /// Lines of rooms (folded names) whose payloads a matcher finds, never events, newest first, so many at most.
    Search { rooms: Vec<Arc<str>>, range: Range, limit: usize, matcher: Matcher },
    /// The newest record of the room (its folded name) with this [fingerprint](Record::fingerprint), if it is at
    /// most a day old.
    Find { room: Arc<str>, fingerprint: Fingerprint },
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
    /// What was found, in the order that the request says. `more`: the store stopped here for the
    /// length of the way, so that others have their turn; it goes on behind this id, and where the
    /// newest count, before it.
    #[expect(missing_docs, reason = "said above")]
    Lines { found: Vec<Kept>, more: Option<MsgId> },
    /// It could not be read; the log says why.
    Failed,
}
