//! File descriptors: how many connections the system allows.

use super::error::StartError;

/// Connections at a time, where neither the operator nor the system says fewer.
const MAX_CLIENTS: usize = 10_000;
/// Closed connections whose peers may still read their last lines; more are closed at once.
pub(crate) const MAX_CLOSING: usize = 64;
/// Descriptors for everything but members: listeners, files, connections that are closing.
pub(super) const RESERVED: usize = 32 + MAX_CLOSING;

/// How many connections there may be: what was asked for, or what the system allows.
pub(crate) fn max_clients(wanted: Option<usize>) -> Result<usize, StartError> {
    let allowed = descriptors();
    match wanted {
        Some(wanted) if wanted.saturating_add(RESERVED) > allowed => {
            Err(StartError::TooFewDescriptors { wanted, allowed })
        }
        Some(wanted) => Ok(wanted),
        None if allowed <= RESERVED => Err(StartError::TooFewDescriptors { wanted: 1, allowed }),
        None => Ok(MAX_CLIENTS.min(allowed - RESERVED)),
    }
}

/// Raises the soft limit of open files to the hard one, and says what it is.
#[cfg(unix)]
fn descriptors() -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let effective = if setrlimit(Resource::Nofile, raised).is_ok() { limit.maximum } else { limit.current };
    effective.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX))
}

#[cfg(not(unix))]
fn descriptors() -> usize {
    usize::MAX
}
