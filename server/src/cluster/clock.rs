//! The time, which comes in here.

use std::time::Instant;

/// The time now.
#[expect(clippy::disallowed_methods, reason = "leases and deadlines are of real time")]
pub(super) fn now() -> Instant {
    Instant::now()
}
