//! Sorting where it is seldom done: a heap takes a tenth of the code that a slice's own sort is made into.

use std::collections::BinaryHeap;

/// All of these, the least first.
pub(crate) fn sorted<T: Ord>(items: impl IntoIterator<Item = T>) -> Vec<T> {
    items.into_iter().collect::<BinaryHeap<T>>().into_sorted_vec()
}
