//! How long the server has run, over all its starts: for what ends after days without anybody.
//!
//! The clock on the wall may leap by years; hours that were run cannot. They are written down once an hour,
//! where the states of rooms are, under a name that no room has: a crash takes back one at most.

use std::time::Duration;

use crate::hub::state::State;

/// Under this it is written.
pub(super) const NAME: &str = "ran";
const HOUR: Duration = Duration::from_secs(3600);

/// See the [module](self).
#[derive(Debug, Default)]
pub(crate) struct Running {
    /// Hours, before this start.
    before: u32,
    /// Hours of this start that are written down.
    written: u32,
}

impl State {
    /// Hours that the server has run.
    pub(crate) fn ran(&self) -> u32 {
        self.running.before.saturating_add(self.hours())
    }

    fn hours(&self) -> u32 {
        u32::try_from(self.now.elapsed.as_secs() / HOUR.as_secs()).unwrap_or(u32::MAX)
    }

    /// Takes in what was written.
    pub(super) fn restore_running(&mut self, hours: &[u8]) {
        let hours = str::from_utf8(hours).ok().and_then(|hours| hours.parse().ok());
        self.running.before = hours.unwrap_or_default();
    }

    /// When the next hour is over, where something counts them.
    pub(crate) fn next_hour(&self) -> Option<Duration> {
        self.settings.durable.then(|| HOUR * self.running.written.saturating_add(1))
    }

    /// Writes down the hours that are over; rooms that nobody came into for long end.
    pub(crate) fn note_hours(&mut self) {
        if self.next_hour().is_none_or(|at| self.now.elapsed < at) {
            return;
        }
        self.running.written = self.hours();
        let ran = self.ran();
        self.unwritten.push((NAME.into(), Some(ran.to_string().into_bytes().into())));
        self.end_rooms_left(ran);
        self.end_unused_accounts(ran);
    }
}
