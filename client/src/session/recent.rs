//! What was seen not long ago: a bounded set, the oldest is forgotten first.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

/// Lines that are remembered: more than a server replays after a short loss.
const MOST: usize = 4096;

/// The names of lines (msgids and `+parlor/id`s) that were shown already.
#[derive(Debug, Default)]
pub(super) struct Recent {
    known: HashSet<Arc<str>>,
    order: VecDeque<Arc<str>>,
}

impl Recent {
    /// Remembers a name; says whether it is new.
    pub(super) fn insert(&mut self, name: &str) -> bool {
        if self.known.contains(name) {
            return false;
        }
        let name: Arc<str> = name.into();
        self.known.insert(name.clone());
        self.order.push_back(name);
        if self.order.len() > MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_forgotten_first() {
        let mut recent = Recent::default();
        for i in 0..=MOST {
            assert!(recent.insert(&i.to_string()));
        }
        assert!(!recent.insert("1"));
        assert!(recent.insert("0"), "the oldest is new again");
        assert_eq!(recent.known.len(), MOST);
    }
}
