//! Which lines are on the server's disk for certain.

use std::collections::BTreeMap;

use super::position::Position;

/// Starts of the server that are remembered.
const MOST_BOOTS: usize = 8;

/// For each start of the server the last line that is known to be on disk. It writes in order, so
/// all before it are, too. Of another start that says nothing.
#[derive(Debug, Default)]
pub(super) struct Sure(BTreeMap<u64, Position>);

impl Sure {
    /// A line is in the history, or had its receipt.
    pub(super) fn note(&mut self, position: Position) {
        let last = self.0.entry(position.boot()).or_insert(position);
        *last = position.max(*last);
        if self.0.len() > MOST_BOOTS {
            self.0.pop_first();
        }
    }

    pub(super) fn covers(&self, position: Position) -> bool {
        self.0.get(&position.boot()).is_some_and(|last| position <= *last)
    }
}
