//! Which cores a program may use, and how many descriptors.

use std::io;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Descriptors for fifteen thousand members, and to spare.
const DESCRIPTORS: u64 = 40_000;

/// Descriptors that a server needs for itself.
const OWN: u64 = 200;
/// More members than any scenario has.
const MEMBERS: u64 = 18_000;

/// Raises the limit of open files for this program and those that it starts: to what the
/// scenarios need where it may, else to the hard limit.
pub(crate) fn raise_descriptors() {
    let limit = getrlimit(Resource::Nofile);
    let wanted = limit.maximum.map(|most| most.max(DESCRIPTORS));
    let attempts = [wanted, limit.maximum];
    // Refused both times: a scenario that needs more will say so.
    let _ = attempts
        .into_iter()
        .any(|most| setrlimit(Resource::Nofile, Rlimit { current: most, maximum: most }).is_ok());
}

/// How many members a server that is started now can hold.
pub(crate) fn members() -> u64 {
    getrlimit(Resource::Nofile).current.unwrap_or(DESCRIPTORS).saturating_sub(OWN).min(MEMBERS)
}

/// The cores that this thread may use.
pub(crate) fn allowed() -> io::Result<Vec<usize>> {
    let set = sched_getaffinity(None)?;
    Ok((0..CpuSet::MAX_CPU).filter(|core| set.is_set(*core)).collect())
}

/// Holds this thread, and what it starts from now on, to these cores.
pub(crate) fn hold(cores: &[usize]) -> io::Result<()> {
    let mut set = CpuSet::new();
    cores.iter().for_each(|core| set.set(*core));
    Ok(sched_setaffinity(None, &set)?)
}

/// Runs something with this thread held to these cores: programs that it starts inherit them.
pub(crate) fn held<T>(cores: Option<&[usize]>, run: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let Some(cores) = cores else { return run() };
    let before = allowed()?;
    hold(cores)?;
    let ran = run();
    hold(&before)?;
    ran
}
