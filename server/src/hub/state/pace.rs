//! How often something may be tried: so many times at once, and again as time passes.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

/// Entries of a table from which on it is looked through for what is forgotten, each [`SECOND`].
const MANY: usize = 4096;
const SECOND: Duration = Duration::from_secs(1);

/// Who has tried, and when the last of it is forgotten (a generic cell rate algorithm, ITU-T I.371). Those who try
/// fill it; what is forgotten goes, and beyond four times [`MANY`] nobody new may try.
#[derive(Debug)]
pub(crate) struct Pace<K> {
    /// The time after which all that somebody tried is forgotten, one by one.
    all: Duration,
    until: HashMap<K, Duration>,
    /// When the table is looked through again.
    look: Duration,
}

impl<K: Eq + Hash> Pace<K> {
    pub(crate) fn new(all: Duration) -> Pace<K> {
        Pace { all, until: HashMap::new(), look: Duration::ZERO }
    }

    /// Counts a try, if there are fewer than `most` that are not forgotten.
    pub(crate) fn take(&mut self, key: K, most: u32, now: Duration) -> bool {
        if self.until.len() >= MANY && now >= self.look {
            self.until.retain(|_, until| *until > now);
            self.look = now + SECOND;
        }
        let known = self.until.get(&key).copied();
        let until = known.unwrap_or_default().max(now) + self.all / most;
        let allowed = until <= now + self.all && (known.is_some() || self.until.len() < 4 * MANY);
        if allowed {
            self.until.insert(key, until);
        }
        allowed
    }

    /// A try does not count after all, of `most`.
    pub(crate) fn give_back(&mut self, key: &K, most: u32) {
        if let Some(until) = self.until.get_mut(key) {
            *until = until.saturating_sub(self.all / most);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_at_once_and_one_more_as_time_passes() {
        let mut pace = Pace::new(Duration::from_secs(30));
        let at = Duration::from_secs;
        assert_eq!((0..9).filter(|_| pace.take("a", 3, at(100))).count(), 3);
        assert!(pace.take("b", 3, at(100)));
        assert!(!pace.take("a", 3, at(109)) && pace.take("a", 3, at(110)) && !pace.take("a", 3, at(110)));
        pace.give_back(&"a", 3);
        assert!(pace.take("a", 3, at(110)));
        assert_eq!((0..9).filter(|_| pace.take("a", 3, at(1000))).count(), 3);
    }

    #[test]
    fn a_full_table_refuses_strangers_and_is_soon_empty() {
        let mut pace = Pace::new(Duration::from_secs(30));
        let mut now = Duration::ZERO;
        // Each comes a little later, so that the table is looked through while it fills.
        for key in 0..4 * MANY {
            now = Duration::from_micros(100 * key as u64);
            assert!(pace.take(key, 3, now), "{key}");
        }
        assert!(!pace.take(usize::MAX, 3, now) && pace.take(0, 3, now));
        assert!(pace.take(usize::MAX, 3, now + Duration::from_secs(11)));
    }
}
