//! How long something took, many times.

use std::time::Duration;

/// Counts in steps of 1 µs, beyond 8 µs of an eighth of the time at most, up to an hour.
pub(crate) struct Times {
    counts: [u32; STEPS],
}

/// Steps for each power of two.
const FINE: u32 = 8;
const STEPS: usize = 256;

impl Default for Times {
    fn default() -> Times {
        Times { counts: [0; STEPS] }
    }
}

impl Times {
    pub(crate) fn add(&mut self, time: Duration) {
        let micros = u32::try_from(time.as_micros()).unwrap_or(u32::MAX);
        // Below 8 µs each has a step of its own; then three bits follow the first.
        let shift = (micros / FINE).checked_ilog2().unwrap_or_default();
        let step = (shift * FINE + (micros >> shift)) as usize;
        if let Some(count) = self.counts.get_mut(step) {
            *count = count.saturating_add(1);
        }
    }

    /// How many there were; and, of one at least, within how many microseconds half of them and 99 of 100 were over.
    pub(crate) fn figures(&self) -> (u64, Option<[u64; 2]>) {
        let all: u64 = self.counts.iter().map(|count| u64::from(*count)).sum();
        let within = |percent: u64| {
            let mut left = all * percent / 100;
            let step = self.counts.iter().position(|count| {
                let (here, before) = (u64::from(*count), left);
                left = left.saturating_sub(here);
                here > before
            });
            let step = step.unwrap_or_default() as u64;
            let fine = u64::from(FINE);
            let shift = (step / fine).saturating_sub(1);
            // The end of the step.
            (step - shift * fine + 1) << shift
        };
        (all, (all > 0).then(|| [within(50), within(99)]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_all_times_is_told_with_little_error() {
        assert_eq!(Times::default().figures(), (0, None));
        for millis in [0, 1, 3, 7, 20, 333, 4096, 999_999] {
            let mut times = Times::default();
            let time = millis * 1000 + 1;
            for _ in 0..98 {
                times.add(Duration::from_micros(time));
            }
            for _ in 0..2 {
                times.add(Duration::from_micros(time * 2));
            }
            let (count, Some([half, most])) = times.figures() else { panic!("there are some") };
            assert_eq!(count, 100);
            assert!((time..=time * 9 / 8 + 1).contains(&half), "{half} of {time}");
            assert!((time * 2..=time * 9 / 4 + 1).contains(&most), "{most} of {}", time * 2);
        }
    }

    #[test]
    fn no_time_is_too_long() {
        let mut times = Times::default();
        times.add(Duration::MAX);
        assert_eq!(times.figures().0, 1);
    }
}
