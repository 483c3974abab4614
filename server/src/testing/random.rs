//! Chance that a seed repeats.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;
use std::{env, thread};

/// The environment variable that repeats a run.
const SEED: &str = "PARLOR_SEED";

/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
#[derive(Debug)]
pub struct Random {
    state: u64,
    /// Another seed each run, to be told where the test fails.
    drawn: Option<u64>,
}

impl Random {
    /// The numbers of this seed.
    pub fn new(seed: u64) -> Random {
        // Seeds that follow each other begin far apart.
        Random { state: seed.wrapping_mul(0xd134_2543_de82_ef95), drawn: None }
    }

    /// Other numbers each run, or those of `PARLOR_SEED`. Where the test fails, its last lines say how it is
    /// repeated.
    ///
    /// # Panics
    /// If `PARLOR_SEED` is no number.
    pub fn drawn() -> Random {
        let seed = given_seed().unwrap_or_else(|| RandomState::new().hash_one(SEED) % 1_000_000);
        Random { drawn: Some(seed), ..Random::new(seed) }
    }

    /// The next one, of all.
    #[expect(clippy::should_implement_trait, reason = "it never ends, and nobody iterates over it")]
    pub fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Less than `end`; 0 where that is 0.
    pub fn number(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    /// The same of places and lengths.
    pub fn below(&mut self, end: usize) -> usize {
        self.number(end as u64) as usize
    }

    /// Any byte.
    pub fn byte(&mut self) -> u8 {
        self.next() as u8
    }

    /// Whether something that happens so often in a thousand times happens now.
    pub fn permille(&mut self, often: usize) -> bool {
        self.below(1000) < often
    }

    /// So many milliseconds, both ends included, and some microseconds: two things rarely fall together.
    pub fn millis(&mut self, (from, to): (usize, usize)) -> Duration {
        let millis = from + self.below(to - from + 1);
        Duration::from_micros(millis as u64 * 1000 + self.below(1000) as u64)
    }

    /// A time that is `mean` on average, mostly shorter, seldom much longer.
    pub fn about(&mut self, mean: Duration) -> Duration {
        let share = (self.below(1_000_000) + 1) as f64 / 1_000_000.0;
        mean.mul_f64(-share.ln())
    }

    /// One of several.
    ///
    /// # Panics
    /// If there is none.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

impl Drop for Random {
    fn drop(&mut self) {
        if let Some(seed) = self.drawn.filter(|_| thread::panicking()) {
            eprintln!("{SEED}={seed} repeats this");
        }
    }
}

/// The number in `PARLOR_SEED`.
///
/// # Panics
/// If it is none.
pub fn given_seed() -> Option<u64> {
    let text = env::var(SEED).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{SEED}={text} is not a number")))
}
