//! The pace of small commits: each writes a page of the disk anew, however little it adds.

use std::time::{Duration, Instant};

/// Bytes of a commit to which a page more is next to nothing.
const LARGE: usize = 64 * 1024;
/// Small commits that need no pause, after as many pauses without one.
const BURST: u32 = 256;

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Pace {
    pause: Duration,
    /// Small commits that may be made at once.
    left: u32,
    /// Up to here pauses were counted.
    counted: Instant,
}

impl Pace {
    /// `pause`: between two small commits, when there were many; zero for none ever.
    pub(super) fn new(pause: Duration, now: Instant) -> Pace {
        Pace { pause, left: BURST, counted: now }
    }

    /// The time to wait before a commit of so many bytes.
    pub(super) fn wait(&mut self, bytes: usize, now: Instant) -> Option<Duration> {
        if self.pause.is_zero() || bytes >= LARGE {
            return None;
        }
        let pauses = now.saturating_duration_since(self.counted).as_nanos() / self.pause.as_nanos();
        let pauses = u32::try_from(pauses).unwrap_or(u32::MAX);
        if pauses >= BURST - self.left {
            (self.left, self.counted) = (BURST, now);
        } else {
            self.left += pauses;
            self.counted += self.pause * pauses;
        }
        (self.left == 0).then(|| (self.counted + self.pause).saturating_duration_since(now))
    }

    /// A commit of so many bytes was made.
    pub(super) fn made(&mut self, bytes: usize) {
        if bytes < LARGE {
            self.left = self.left.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_burst_small_commits_have_pauses_and_large_ones_none() {
        let start = super::super::writer::clock();
        let pause = Duration::from_millis(50);
        let mut pace = Pace::new(pause, start);
        let mut now = start;
        let mut count = 0;
        while now < start + Duration::from_secs(10) {
            match pace.wait(100, now) {
                Some(wait) => now += wait,
                None => {
                    pace.made(100);
                    count += 1;
                    now += Duration::from_millis(1);
                }
            }
        }
        assert!((450..458).contains(&count), "{count}: a burst, and 20 a second");
        assert_eq!(pace.wait(LARGE, now), None);
        assert_eq!(pace.wait(100, now + 256 * pause), None);
        assert_eq!(pace.left, BURST);
        assert_eq!(Pace::new(Duration::ZERO, start).wait(1, start), None);
    }
}
