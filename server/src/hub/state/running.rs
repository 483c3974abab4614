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
        // With other servers, hours are counted by the log.
        self.running.before.saturating_add(if self.cluster.is_some() { 0 } else { self.hours() })
    }

    fn hours(&self) -> u32 {
        u32::try_from(self.now.elapsed.as_secs() / HOUR.as_secs()).unwrap_or(u32::MAX)
    }

    /// Takes in what was written.
    pub(super) fn restore_running(&mut self, hours: &[u8]) {
        let hours = str::from_utf8(hours).ok().and_then(|hours| hours.parse().ok());
        self.running.before = hours.unwrap_or_default();
    }

    /// Hours that the servers have run together.
    pub(super) fn ran_before(&mut self, hours: u32) {
        self.running.before = hours;
    }

    /// When the next hour is over, where something counts them.
    pub(crate) fn next_hour(&self) -> Option<Duration> {
        let own = || HOUR * self.running.written.saturating_add(1);
        self.settings.durable.then(|| self.next_shared_hour().unwrap_or_else(own))
    }

    /// Writes down the hours that are over; rooms that nobody came into for long end.
    pub(crate) fn note_hours(&mut self) {
        self.running.written = self.hours();
        self.end_hour();
    }

    /// The servers together have run for so many hours; others may have said so, too.
    pub(crate) fn hour_is_over(&mut self, hours: u32) {
        if hours == self.running.before.saturating_add(1) {
            self.running.before = hours;
            self.begin_hour();
            self.end_hour();
        }
    }

    fn end_hour(&mut self) {
        let ran = self.ran();
        self.unwritten.push((NAME.into(), Some(ran.to_string().into_bytes().into())));
        self.end_rooms_left(ran);
        self.end_unused_accounts(ran);
    }
}
