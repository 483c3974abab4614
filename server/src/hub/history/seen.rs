//! Which lines are known by their senders' names for them.

use std::collections::{HashSet, VecDeque};

/// Names that are remembered: with 8 bytes each, a bound on memory. A day of ten lines a second.
pub(crate) const MOST: usize = 1_000_000;
/// Names that are kept where adding is cheap, before they are put away sorted.
const YOUNG: usize = 32 * 1024;

/// Names that several servers remember together: they stand in each snapshot, 8 bytes a name.
const RECENT: usize = 128 * 1024;

/// Names of one run at most: the oldest go a run at a time.
const RUN: usize = MOST / 4;

/// The fingerprints of the lines of about a day: the latest [`MOST`] of them.
///
/// Adding is into a small table; a full one is sorted away. Runs of like size are merged, so
/// there are few of them, and each costs 8 bytes a line.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    young: HashSet<u64>,
    /// The oldest first.
    runs: Vec<Vec<u64>>,
    /// With other servers: those of `young` in their order, which is all there are.
    recent: Option<VecDeque<u64>>,
}

impl Seen {
    /// Those of lines that were kept before this start, the oldest first.
    pub(crate) fn new(fingerprints: Vec<u64>) -> Seen {
        let mut seen = Seen::default();
        // As one run they would all go at once.
        fingerprints.chunks(RUN).for_each(|piece| seen.put_away(piece.to_vec()));
        seen
    }

    /// For several servers, which all know the same ones: the latest [`RECENT`], the oldest first.
    pub(crate) fn shared(fingerprints: impl IntoIterator<Item = u64>) -> Seen {
        let mut seen = Seen { recent: Some(VecDeque::new()), ..Seen::default() };
        fingerprints.into_iter().for_each(|print| seen.insert(print));
        seen
    }

    /// Those that all servers know, the oldest first.
    pub(crate) fn recent(&self) -> impl Iterator<Item = u64> {
        self.recent.iter().flatten().copied()
    }

    pub(crate) fn contains(&self, fingerprint: u64) -> bool {
        self.young.contains(&fingerprint)
            || self.runs.iter().rev().any(|run| run.binary_search(&fingerprint).is_ok())
    }

    pub(crate) fn insert(&mut self, fingerprint: u64) {
        let new = self.young.insert(fingerprint);
        if let Some(recent) = &mut self.recent {
            recent.extend(Some(fingerprint).filter(|_| new));
            if recent.len() > RECENT
                && let Some(oldest) = recent.pop_front()
            {
                self.young.remove(&oldest);
            }
            return;
        }
        if self.young.len() >= YOUNG {
            let full = std::mem::take(&mut self.young);
            self.put_away(full.into_iter().collect());
        }
    }

    fn put_away(&mut self, mut run: Vec<u64>) {
        run.sort_unstable();
        // Like numbers in a counter: equal sizes carry over.
        while let Some(last) =
            self.runs.pop_if(|last| last.len() <= run.len() && last.len() + run.len() <= RUN)
        {
            run.extend(last);
            run.sort_unstable();
        }
        run.dedup();
        run.shrink_to_fit();
        self.runs.push(run);
        while self.runs.iter().map(Vec::len).sum::<usize>() > MOST && self.runs.len() > 1 {
            self.runs.remove(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_is_known_and_memory_is_bounded() {
        let mut seen = Seen::new(vec![7, 5, 3]);
        let mixed = |i: u64| i.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let count = MOST as u64 + 500_000;
        for i in 1..=count {
            seen.insert(mixed(i));
        }
        assert!(seen.contains(mixed(count)) && seen.contains(mixed(count - 600_000)));
        assert!(!seen.contains(3), "the oldest went");
        assert!(!seen.contains(mixed(count + 1)));
        assert!(seen.runs.iter().map(Vec::len).sum::<usize>() <= MOST);
        assert!(seen.runs.len() < 12, "{} runs", seen.runs.len());
    }

    #[test]
    fn after_a_start_only_the_oldest_go() {
        let mixed = |i: usize| (i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut seen = Seen::new((1..=MOST).map(mixed).collect());
        (MOST + 1..=MOST + YOUNG).for_each(|i| seen.insert(mixed(i)));
        assert!(!seen.contains(mixed(1)), "memory is bounded");
        assert!(seen.contains(mixed(MOST / 2)) && seen.contains(mixed(MOST + YOUNG)));
    }
}
