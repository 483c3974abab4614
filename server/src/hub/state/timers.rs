//! When to look at which connection again.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::hub::state::ConnectionId;

/// Deadlines in whole seconds. Each connection that has one has exactly one; who was active
/// meanwhile is put off when its old deadline comes, so activity costs nothing.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    due: BTreeMap<u64, Vec<ConnectionId>>,
}

impl Timers {
    /// Looks at `id` again at `when` or within a second after it.
    pub(crate) fn arm(&mut self, id: ConnectionId, when: Duration) {
        let second = when.as_secs() + u64::from(when.subsec_nanos() > 0);
        self.due.entry(second).or_default().push(id);
    }

    /// The next deadline.
    pub(crate) fn next(&self) -> Option<Duration> {
        self.due.first_key_value().map(|(second, _)| Duration::from_secs(*second))
    }

    /// Whose deadline has come by `now`.
    pub(crate) fn expired(&mut self, now: Duration) -> Vec<ConnectionId> {
        let later = self.due.split_off(&(now.as_secs() + 1));
        std::mem::replace(&mut self.due, later).into_values().flatten().collect()
    }
}
