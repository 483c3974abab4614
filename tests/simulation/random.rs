//! Chance that a seed repeats.

use std::time::Duration;

/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
#[derive(Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        // Seeds that follow each other begin far apart.
        Random(seed.wrapping_mul(0xd134_2543_de82_ef95))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Less than `end`, which is not 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// Whether something that happens so often in a thousand times happens now.
    pub(crate) fn permille(&mut self, often: usize) -> bool {
        self.below(1000) < often
    }

    /// So many milliseconds, both ends included, and some microseconds: two things rarely fall together.
    pub(crate) fn millis(&mut self, (from, to): (usize, usize)) -> Duration {
        let millis = from + self.below(to - from + 1);
        Duration::from_micros(millis as u64 * 1000 + self.below(1000) as u64)
    }

    /// A time that is `mean` on average, mostly shorter, seldom much longer.
    pub(crate) fn about(&mut self, mean: Duration) -> Duration {
        let share = (self.below(1_000_000) + 1) as f64 / 1_000_000.0;
        mean.mul_f64(-share.ln())
    }

    pub(crate) fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}
