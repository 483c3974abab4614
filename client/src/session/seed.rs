//! Numbers nobody guesses, all from one secret.

use std::fmt;
use std::hash::Hasher;

use parlor_server::protocol::LineName;
use siphasher::sip128::{Hasher128, SipHasher24};

/// SipHash-2-4 over a counter, under a secret key: a pseudorandom function (Aumasson, Bernstein 2012), so whoever has
/// seen some of its numbers knows nothing of those to come.
pub(super) struct Seed {
    key: [u8; 16],
    count: u64,
}

impl Seed {
    pub(super) fn new(key: [u8; 16]) -> Seed {
        Seed { key, count: 0 }
    }

    pub(super) fn next(&mut self) -> u128 {
        self.count += 1;
        let mut hasher = SipHasher24::new_with_key(&self.key);
        hasher.write_u64(self.count);
        hasher.finish128().into()
    }

    /// What a line is known by.
    pub(super) fn line_name(&mut self) -> LineName {
        LineName(self.next())
    }

    /// From 0 to below `limit`.
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        (self.next() % u128::from(limit.max(1))) as u64
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seed").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SplitMix64's state is its last output, undone: whoever saw one id had all that follow.
    #[test]
    fn an_id_that_was_seen_says_nothing_of_the_next() {
        let unmix = |mut z: u64| {
            z = (z ^ (z >> 31) ^ (z >> 62)).wrapping_mul(0x3196_42B2_D24D_8EC3);
            z = (z ^ (z >> 27) ^ (z >> 54)).wrapping_mul(0x96DE_1B17_3F11_9089);
            z ^ (z >> 30) ^ (z >> 60)
        };
        let mix = |mut z: u64| {
            z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            z ^ (z >> 31)
        };
        assert_eq!(unmix(mix(12_345)), 12_345);
        let mut seed = Seed::new([7; 16]);
        let half = |token: &str, from: usize| u64::from_str_radix(&token[from..from + 16], 16).unwrap();
        let (first, second) = (seed.line_name().to_string(), seed.line_name().to_string());
        assert_ne!(mix(unmix(half(&first, 16)).wrapping_add(0x9E37_79B9_7F4A_7C15)), half(&second, 0));
        assert_ne!(half(&first, 16).wrapping_add(1), half(&second, 16));
        assert_ne!(Seed::new([8; 16]).line_name().to_string(), first);
    }
}
