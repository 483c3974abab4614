//! The one place where the bench reads the clock.

use std::time::Instant;

/// Now.
#[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}
