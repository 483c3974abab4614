//! Flood control: a reader that brings too much is delayed, nothing is dropped.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

/// Lines that may come at once.
const BURST: f64 = 20.0;
/// Bytes that count as one line.
const LINE: usize = 512;

/// The number of lines that may come now: [`BURST`] at most, refilled at a rate.
#[derive(Debug)]
pub(crate) struct Bucket {
    rate: f64,
    left: f64,
    filled: Instant,
}

impl Bucket {
    pub(crate) fn new(rate: NonZeroU32, now: Instant) -> Bucket {
        Bucket { rate: f64::from(rate.get()), left: BURST, filled: now }
    }

    /// Counts one line of so many bytes, or says how long to wait for it.
    pub(crate) fn take(&mut self, bytes: usize, now: Instant) -> Result<(), Duration> {
        let passed = now.saturating_duration_since(self.filled).as_secs_f64();
        self.left = (self.left + passed * self.rate).min(BURST);
        self.filled = now;
        let cost = bytes.div_ceil(LINE).max(1) as f64;
        if self.left >= cost {
            self.left -= cost;
            return Ok(());
        }
        Err(Duration::from_secs_f64((cost - self.left) / self.rate))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "any moment will do as the first")]
    fn a_burst_then_the_rate() {
        let start = Instant::now();
        let mut bucket = Bucket::new(NonZeroU32::new(5).unwrap(), start);
        let burst = (0..).take_while(|_| bucket.take(10, start).is_ok()).count();
        assert_eq!(burst, 20);
        let wait = bucket.take(10, start).unwrap_err();
        assert_eq!(wait, Duration::from_millis(200));
        assert!(bucket.take(10, start + wait).is_ok());
        assert_eq!(bucket.take(1500, start + wait).unwrap_err(), Duration::from_millis(600));
    }
}
