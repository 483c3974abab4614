//! What was seen not long ago: a bounded set, the oldest is forgotten first.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};

use super::LineId;

/// Names that are remembered: more than a server replays after a short loss.
const MAX_NAMES: usize = 4096;

/// The names of lines (msgids and `+parlor/id`s) that were shown already, and as which lines.
///
/// Of a name 64 bits of a keyed hash are kept: two of 4096 names share one in a session out of
/// 10¹², and nobody can make them.
#[derive(Debug, Default)]
pub(super) struct Recent {
    key: RandomState,
    known: HashMap<u64, LineId>,
    order: VecDeque<u64>,
}

impl Recent {
    pub(super) fn get(&self, name: &str) -> Option<LineId> {
        self.known.get(&self.key.hash_one(name)).copied()
    }

    /// Remembers a name, as that of this line from now on.
    pub(super) fn insert(&mut self, name: &str, line: LineId) {
        let name = self.key.hash_one(name);
        if self.known.insert(name, line).is_some() {
            return;
        }
        self.order.push_back(name);
        if self.order.len() > MAX_NAMES
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_forgotten_first() {
        let mut recent = Recent::default();
        for i in 0..=MAX_NAMES {
            recent.insert(&i.to_string(), LineId(i as u64));
        }
        assert_eq!(recent.get("1"), Some(LineId(1)));
        assert_eq!(recent.get("0"), None);
        recent.insert("1", LineId(7));
        assert_eq!((recent.get("1"), recent.known.len()), (Some(LineId(7)), MAX_NAMES));
    }
}
