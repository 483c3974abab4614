//! How fast lines may go out to a server that cuts who is too fast.

use std::time::Duration;

/// A burst, then one at a time (the "leaky bucket as a meter" in its virtual-scheduling form).
#[derive(Debug)]
pub(super) struct Throttle {
    /// Between two lines.
    interval: Duration,
    /// Lines that may go at once.
    burst: u32,
    /// When the line after all that went would be due at the even pace.
    due: Duration,
}

impl Throttle {
    pub(super) fn new(burst: u32, interval: Duration) -> Throttle {
        Throttle { interval, burst, due: Duration::ZERO }
    }

    /// Counts one line if it may go now; else says from when on it may.
    pub(super) fn take(&mut self, now: Duration) -> Result<(), Duration> {
        let ahead = self.interval * self.burst.saturating_sub(1);
        if self.due > now + ahead {
            return Err(self.due - ahead);
        }
        self.spend(now);
        Ok(())
    }

    /// Counts one line that goes in any case.
    pub(super) fn spend(&mut self, now: Duration) {
        // Whoever is asked without end does not fall silent for it.
        let latest = now + self.interval * (2 * self.burst + 1);
        self.due = (self.due.max(now) + self.interval).min(latest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_the_pace() {
        let mut throttle = Throttle::new(5, Duration::from_millis(500));
        let start = Duration::from_secs(7);
        assert_eq!((0..).take_while(|_| throttle.take(start).is_ok()).count(), 5);
        assert_eq!(throttle.take(start), Err(start + Duration::from_millis(500)));
        assert!(throttle.take(start + Duration::from_millis(500)).is_ok());
        assert!(throttle.take(start + Duration::from_millis(900)).is_err());
        let later = start + Duration::from_secs(60);
        assert_eq!((0..).take_while(|_| throttle.take(later).is_ok()).count(), 5);
    }
}
