//! How long a test waits for what must happen.

use std::time::{Duration, Instant};

/// A moment after which waiting has failed.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(Instant);

impl Deadline {
    /// Seconds that every wait gets unless told otherwise: far more than needed, so that only a defect reaches it.
    pub const DEFAULT: Duration = Duration::from_secs(10);

    /// The moment `after` from now.
    #[expect(clippy::disallowed_methods, reason = "tests of the whole program live in real time")]
    #[must_use]
    pub fn after(after: Duration) -> Self {
        Self(Instant::now() + after)
    }

    /// What is left, `None` once it has passed.
    #[expect(clippy::disallowed_methods, reason = "tests of the whole program live in real time")]
    #[must_use]
    pub fn left(self) -> Option<Duration> {
        self.0.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
    }
}
