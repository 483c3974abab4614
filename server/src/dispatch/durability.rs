//! A watch on the store: it is told the time, and given up where its disk is too slow.

use std::time::{Duration, Instant};

use crate::archive::Archive;
use crate::protocol::time::Moment;

/// The time for which the store may refuse records before they are dropped.
const TOO_SLOW: Duration = Duration::from_secs(5);
/// The pause between two tellings of the time: old records go, and missing files are noticed.
const TELL_TIME: Duration = Duration::from_secs(5);
/// The same where lines are kept for a few seconds only.
const TELL_TIME_OFTEN: Duration = Duration::from_secs(1);

/// See the [module](self).
pub(super) struct Durability {
    /// The age up to which lines are kept.
    pub(super) age: Option<Duration>,
    /// The store has said that its disk takes nothing.
    pub(super) paused: bool,
    /// The beginning of the time in which the store takes nothing.
    behind_since: Option<Instant>,
    tell_time_at: Instant,
}

impl Durability {
    pub(super) fn new(age: Option<Duration>, now: Instant) -> Durability {
        Durability { age, paused: false, behind_since: None, tell_time_at: now + TELL_TIME_OFTEN }
    }

    /// When to look again.
    pub(super) fn next_alarm(&self, archive: &Archive) -> Option<Instant> {
        let behind = self.behind_since.map(|since| since + TOO_SLOW);
        let time = archive.is_on_disk().then_some(self.tell_time_at);
        behind.into_iter().chain(time).min()
    }

    /// Tells the store the time if it is due.
    pub(super) fn tell_time(&mut self, archive: &Archive, now: Instant, moment: impl FnOnce() -> Moment) {
        if archive.is_on_disk() && self.tell_time_at <= now {
            self.tell_time_at =
                now + self.age.map_or(TELL_TIME, |age| (age / 8).clamp(TELL_TIME_OFTEN, TELL_TIME));
            archive.tell_time(moment());
        }
    }

    /// Hands the store what waits, and notes since when it takes nothing.
    pub(super) fn flush(&mut self, archive: &mut Archive, now: Instant) {
        archive.flush();
        if archive.is_behind() {
            self.behind_since.get_or_insert(now);
        } else {
            self.behind_since = None;
        }
    }

    /// Suspends an archive whose store has taken nothing for too long; says whether it did.
    pub(super) fn suspend_if_too_slow(&mut self, archive: &mut Archive, now: Instant) -> bool {
        let too_slow = self.behind_since.is_some_and(|since| since + TOO_SLOW <= now);
        if too_slow {
            self.behind_since = None;
            archive.suspend();
        }
        too_slow
    }
}
