//! When what comes from a server is shown: each showing paints all lines anew, which is most of what the window
//! costs. What comes alone is shown at once; of what comes without a pause several lines are shown together.

use std::time::Duration;

/// Between two showings at least.
pub(super) const LEAST: Duration = Duration::from_millis(50);
/// The same on average, as long as something comes all the time.
const STEADY: Duration = Duration::from_millis(250);
/// So many may follow each other at once after a pause.
const AT_ONCE: u32 = 4;

/// The times of showings, of a clock that never goes back.
#[derive(Debug, Default)]
pub(super) struct Pace {
    last: Option<Duration>,
    /// Where the last showing would be, had all been [`STEADY`] apart.
    even: Duration,
}

impl Pace {
    /// How long the next showing is to wait, if it is.
    pub(super) fn left(&self, now: Duration) -> Option<Duration> {
        self.due().checked_sub(now).filter(|left| !left.is_zero())
    }

    fn due(&self) -> Duration {
        let last = self.last.map_or(Duration::ZERO, |last| last + LEAST);
        last.max(self.even.saturating_sub(STEADY * (AT_ONCE - 1)))
    }

    /// Something is shown now.
    pub(super) fn shown(&mut self, now: Duration) {
        self.last = Some(now);
        self.even = self.even.max(now) + STEADY;
    }

    /// The person did something, and waits for what comes of it.
    pub(super) fn hurry(&mut self) {
        self.even = Duration::ZERO;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Shows what comes at these times (ms); when that was.
    fn show(pace: &mut Pace, comes: impl IntoIterator<Item = u64>) -> Vec<u64> {
        let mut shown: Vec<u64> = Vec::new();
        for comes in comes {
            let at = Duration::from_millis(comes).max(pace.due());
            if shown.last().is_none_or(|last| comes > *last) {
                pace.shown(at);
                shown.push(at.as_millis() as u64);
            }
        }
        shown
    }

    #[test]
    fn what_comes_alone_is_shown_at_once_and_a_stream_four_times_a_second() {
        let talk = [0, 400, 900, 1_000, 1_100, 2_500, 5_000];
        assert_eq!(show(&mut Pace::default(), talk), talk);
        for every in [1, 10, 100] {
            let shown = show(&mut Pace::default(), (0..10_000).step_by(every));
            assert_eq!(shown[..3], [0, every.max(50) as u64, (2 * every).max(100) as u64], "{every}");
            let count = shown.iter().filter(|at| **at >= 2_000 && **at < 10_000).count();
            assert!((31..=33).contains(&count), "{count} of every {every} ms");
        }
    }

    #[test]
    fn whoever_does_something_sees_what_comes_of_it() {
        let mut pace = Pace::default();
        let last = *show(&mut pace, (0..5_000).step_by(10)).last().unwrap();
        assert!(pace.due() > Duration::from_millis(last + 200));
        pace.hurry();
        assert_eq!(pace.due(), Duration::from_millis(last + 50));
    }
}
