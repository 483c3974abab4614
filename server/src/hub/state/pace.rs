//! How often something may be tried: so many times at once, and again as time passes.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

/// Tables are looked through for what is full again at so many entries.
const MANY: usize = 4096;

/// Who has tried, and when the last of it is forgotten (a generic cell rate algorithm, ITU-T I.371). Those who try
/// fill it; what is forgotten goes, and beyond four times [`MANY`] nobody new may try.
#[derive(Debug)]
pub(crate) struct Pace<K> {
    /// The time after which one try is forgotten.
    every: Duration,
    until: HashMap<K, Duration>,
    /// The table is looked through when it has so many entries.
    limit: usize,
}

impl<K: Eq + Hash> Pace<K> {
    pub(crate) fn new(every: Duration) -> Pace<K> {
        Pace { every, until: HashMap::new(), limit: MANY }
    }

    /// Counts a try, if there are fewer than `most` that are not forgotten.
    pub(crate) fn take(&mut self, key: K, most: u32, now: Duration) -> bool {
        if self.until.len() >= self.limit {
            self.until.retain(|_, until| *until > now);
            self.limit = MANY.max(2 * self.until.len());
        }
        let until = self.until.get(&key).copied().unwrap_or_default().max(now) + self.every;
        let allowed = until <= now + self.every * most && self.until.len() < 4 * MANY;
        if allowed {
            self.until.insert(key, until);
        }
        allowed
    }

    /// A try does not count after all.
    pub(crate) fn give_back(&mut self, key: &K) {
        if let Some(until) = self.until.get_mut(key) {
            *until = until.saturating_sub(self.every);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_at_once_and_one_more_as_time_passes() {
        let mut pace = Pace::new(Duration::from_secs(10));
        let at = Duration::from_secs;
        assert_eq!((0..9).filter(|_| pace.take("a", 3, at(100))).count(), 3);
        assert!(pace.take("b", 3, at(100)));
        assert!(!pace.take("a", 3, at(109)) && pace.take("a", 3, at(110)) && !pace.take("a", 3, at(110)));
        pace.give_back(&"a");
        assert!(pace.take("a", 3, at(110)));
        assert_eq!((0..9).filter(|_| pace.take("a", 3, at(1000))).count(), 3);
    }
}
