//! Which lines are on the server's disk for certain.

use std::collections::BTreeMap;

use parlor_server::protocol::MsgId;

/// Starts of the server that are remembered.
const MAX_STARTS: usize = 64;

/// For each start of the server the last line that is known to be on disk. It writes in order, so
/// all before it are, too. Of another start that says nothing.
#[derive(Debug, Default)]
pub(super) struct Durable {
    last: BTreeMap<u32, MsgId>,
    /// Starts up to this one are too long ago to be asked about.
    settled: u32,
}

impl Durable {
    /// A line is in the history, or had its receipt.
    pub(super) fn note(&mut self, position: MsgId) {
        let last = self.last.entry(position.start()).or_insert(position);
        *last = position.max(*last);
        if self.last.len() > MAX_STARTS
            && let Some((start, _)) = self.last.pop_first()
        {
            self.settled = self.settled.max(start);
        }
    }

    pub(super) fn covers(&self, position: MsgId) -> bool {
        position.start() <= self.settled
            || self.last.get(&position.start()).is_some_and(|last| position <= *last)
    }
}
