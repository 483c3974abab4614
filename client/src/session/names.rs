//! Senders' names, each kept once.

use std::collections::HashSet;
use std::sync::Arc;

/// Names after which those that nobody holds any more are dropped.
const SWEEP_FROM: usize = 1024;

/// Gives the same `Arc` for the same name, so that a timeline holds each sender once.
#[derive(Debug, Default)]
pub(super) struct SharedNames {
    shared: HashSet<Arc<str>>,
    sweep_at: usize,
}

impl SharedNames {
    pub(super) fn share(&mut self, name: &str) -> Arc<str> {
        if let Some(shared) = self.shared.get(name) {
            return shared.clone();
        }
        if self.shared.len() >= self.sweep_at.max(SWEEP_FROM) {
            self.shared.retain(|name| Arc::strong_count(name) > 1);
            // Twice what is in use: sweeping stays cheap however many names there are.
            self.sweep_at = 2 * self.shared.len();
        }
        let shared: Arc<str> = name.into();
        self.shared.insert(shared.clone());
        shared
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_kept_once_and_not_for_ever() {
        let mut names = SharedNames::default();
        let bob = names.share("bob");
        for i in 0..10 * SWEEP_FROM {
            names.share(&i.to_string());
        }
        assert!(Arc::ptr_eq(&bob, &names.share("bob")));
        assert!(names.shared.len() <= SWEEP_FROM);
    }
}
