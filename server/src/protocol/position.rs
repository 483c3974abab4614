//! Places in the log that the servers of a cluster share.

use std::fmt;

/// A place in the log: the id of an entry of a Redis stream. Sorts as the entries stand there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Since 1970, by the clock of the engine; never less than in the entry before.
    pub millis: u64,
    /// Entries before it in the same millisecond.
    pub count: u64,
}

impl Position {
    /// Reads an id as [`Display`](fmt::Display) writes it; `None` for anything else.
    pub fn parse(text: &str) -> Option<Position> {
        let (millis, count) = text.split_once('-')?;
        Some(Position { millis: millis.parse().ok()?, count: count.parse().ok()? })
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.millis, self.count)
    }
}
