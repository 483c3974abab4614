//! File descriptors: how many connections the system allows.

use super::error::StartError;
use super::limits::{MAX_CLIENTS, RESERVED};

/// The number of connections that there may be: as wanted, or as the system allows.
///
/// # Errors
/// [`StartError::TooFewDescriptors`], where the system allows fewer than wanted.
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
