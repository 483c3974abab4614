//! Turns: who waits has one thing done, then the next.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

/// Those who wait, in a circle.
#[derive(Debug)]
pub(crate) struct Circle<K, Q> {
    pub(crate) order: VecDeque<K>,
    pub(crate) queues: HashMap<K, Q>,
}

impl<K, Q> Default for Circle<K, Q> {
    fn default() -> Circle<K, Q> {
        Circle { order: VecDeque::new(), queues: HashMap::new() }
    }
}

impl<K: Copy + Eq + Hash, Q: Default> Circle<K, Q> {
    /// The queue of this one, who goes behind all others if nothing of it waits yet.
    pub(crate) fn queue(&mut self, key: K) -> &mut Q {
        self.queues.entry(key).or_insert_with(|| {
            self.order.push_back(key);
            Q::default()
        })
    }

    pub(crate) fn leave(&mut self, key: &K) -> Option<Q> {
        let left = self.queues.remove(key)?;
        self.order.retain(|other| other != key);
        Some(left)
    }

    /// Takes from the queue of the first, who goes behind all others; `take` says whether it is empty then.
    pub(crate) fn next<T>(&mut self, take: impl FnOnce(&mut Q) -> Option<(T, bool)>) -> Option<T> {
        let key = self.order.pop_front()?;
        let (taken, empty) = take(self.queues.get_mut(&key)?)?;
        if empty {
            self.queues.remove(&key);
        } else {
            self.order.push_back(key);
        }
        Some(taken)
    }
}
