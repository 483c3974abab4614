//! The time by which records are too old: it trusts no clock that went further than the machine ran.
//!
//! A computer without a clock of its own starts in the past and leaps when it has asked others; a wrong
//! clock may leap ahead by years. Nothing is too old by such a leap until the server has run for an hour
//! after it. A step back counts at once: whatever is still there is judged anew.

use std::time::Duration;

use crate::protocol::time::Moment;

/// Milliseconds of a day.
pub(super) const DAY: u64 = 24 * 60 * 60 * 1000;
/// The time for which the server has to run after a leap.
const TRUST: Duration = Duration::from_secs(3600);
/// Milliseconds by which the clock may be ahead of what ran: it is read now and then.
const SLACK: u64 = 2_000;

/// See the [module](self).
#[derive(Debug, Clone)]
pub(super) struct Clock {
    /// Milliseconds since 1970.
    now: u64,
    told: Duration,
    leap: Option<Leap>,
}

/// The clock is ahead of what ran.
#[derive(Debug, Clone)]
struct Leap {
    since: Duration,
    /// Milliseconds.
    by: u64,
}

impl Clock {
    /// `last`: what the [time](Self::now) was when the server ran last, milliseconds since 1970; `None`
    /// for its first start.
    pub(super) fn new(last: Option<u64>, moment: Moment) -> Clock {
        let mut clock = Clock { now: last.unwrap_or(moment.wall.0), told: moment.elapsed, leap: None };
        clock.tell(moment);
        clock
    }

    /// What time the machine says it is.
    pub(super) fn tell(&mut self, moment: Moment) {
        let ran = moment.elapsed.saturating_sub(self.told);
        let expected = self.now.saturating_add(u64::try_from(ran.as_millis()).unwrap_or(u64::MAX));
        let by = moment.wall.0.saturating_sub(expected);
        self.told = self.told.max(moment.elapsed);
        let trusted = match &self.leap {
            _ if by <= SLACK => true,
            Some(leap) if leap.by.abs_diff(by) <= SLACK => self.told.saturating_sub(leap.since) >= TRUST,
            _ => {
                self.leap = Some(Leap { since: self.told, by });
                false
            }
        };
        self.now = if trusted { moment.wall.0 } else { expected };
        if trusted {
            self.leap = None;
        }
    }

    /// Milliseconds since 1970.
    pub(super) fn now(&self) -> u64 {
        self.now
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::time::UnixMillis;

    const HOUR: u64 = 3_600_000;
    const YEAR: u64 = 365 * DAY;

    fn at(elapsed: u64, wall: u64) -> Moment {
        Moment { elapsed: Duration::from_millis(elapsed), wall: UnixMillis(wall) }
    }

    /// Tells the time each minute, from one to another moment, and says what is believed then.
    fn run(clock: &mut Clock, (from, to): (u64, u64), ahead: u64) -> u64 {
        (from..=to).step_by(60_000).for_each(|elapsed| clock.tell(at(elapsed, elapsed + ahead)));
        clock.now()
    }

    #[test]
    fn a_leap_counts_after_an_hour_and_each_further_one_begins_it_anew() {
        let clock = &mut Clock::new(Some(YEAR), at(0, YEAR));
        assert_eq!(run(clock, (0, HOUR), YEAR), HOUR + YEAR);
        assert_eq!(run(clock, (HOUR, 2 * HOUR - 60_000), 30 * YEAR), 2 * HOUR - 60_000 + YEAR);
        assert_eq!(run(clock, (2 * HOUR - 60_000, 3 * HOUR - 120_000), 31 * YEAR), 3 * HOUR - 120_000 + YEAR);
        assert_eq!(run(clock, (3 * HOUR - 120_000, 4 * HOUR), 31 * YEAR), 4 * HOUR + 31 * YEAR);
    }

    #[test]
    fn a_step_back_counts_at_once() {
        let clock = &mut Clock::new(None, at(0, 30 * YEAR));
        assert_eq!(clock.now(), 30 * YEAR);
        assert_eq!(run(clock, (0, 60_000), YEAR), YEAR + 60_000);
        let clock = &mut Clock::new(Some(30 * YEAR), at(0, YEAR));
        assert_eq!(clock.now(), YEAR);
    }

    #[test]
    fn the_time_while_the_server_did_not_run_is_a_leap() {
        let clock = &mut Clock::new(Some(YEAR), at(0, YEAR + 9 * DAY));
        assert_eq!(clock.now(), YEAR);
        assert_eq!(run(clock, (0, HOUR - 60_000), YEAR + 9 * DAY), YEAR + HOUR - 60_000);
        assert_eq!(run(clock, (HOUR, HOUR), YEAR + 9 * DAY), YEAR + 9 * DAY + HOUR);
        // A moment is none.
        assert_eq!(Clock::new(Some(YEAR), at(0, YEAR + SLACK)).now(), YEAR + SLACK);
    }
}
