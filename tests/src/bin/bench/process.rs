//! What a process takes of the machine, as Linux counts it.

use std::fs;
use std::io;
use std::time::Duration;

/// Kilobytes in memory.
pub(crate) fn resident(process: u32) -> io::Result<u64> {
    status(process, "VmRSS:")
}

/// The most kilobytes that were ever in memory at once.
#[cfg(target_os = "linux")]
pub(crate) fn peak(process: u32) -> io::Result<u64> {
    status(process, "VmHWM:")
}

/// Hundredths of a second of CPU, user and system.
pub(crate) fn ticks(process: u32) -> io::Result<u64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    let after_name = stat.rsplit(") ").next().unwrap_or_default();
    Ok(after_name.split(' ').skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum())
}

/// CPU of all threads that live, user and system: to the nanosecond where the kernel keeps it
/// (`CONFIG_SCHED_INFO`), else to a hundredth of a second.
pub(crate) fn cpu(process: u32) -> io::Result<Duration> {
    let mut nanoseconds = 0;
    for thread in fs::read_dir(format!("/proc/{process}/task"))? {
        let path = thread?.path().join("schedstat");
        match fs::read_to_string(path) {
            Ok(text) => {
                nanoseconds +=
                    text.split(' ').next().and_then(|first| first.parse::<u64>().ok()).unwrap_or(0);
            }
            // A thread that ended meanwhile, or a kernel without the file.
            Err(_) => continue,
        }
    }
    if nanoseconds > 0 {
        return Ok(Duration::from_nanos(nanoseconds));
    }
    Ok(Duration::from_millis(10 * ticks(process)?))
}

/// CPU of the whole machine, all processes and the kernel: to a hundredth of a second.
#[cfg(target_os = "linux")]
pub(crate) fn machine() -> io::Result<Duration> {
    let stat = fs::read_to_string("/proc/stat")?;
    let mut fields = stat.lines().next().unwrap_or_default().split_whitespace().skip(1);
    let mut field = || fields.next().and_then(|ticks| ticks.parse::<u64>().ok()).unwrap_or(0);
    let (user, nice, system, _idle, _wait) = (field(), field(), field(), field(), field());
    let (irq, soft, stolen) = (field(), field(), field());
    Ok(Duration::from_millis(10 * (user + nice + system + irq + soft + stolen)))
}

/// Bytes that a process has had written to disk (`write_bytes`, proc_pid_io(5)): whole pages of
/// what it changed, without the file system's own records.
#[cfg(target_os = "linux")]
pub(crate) fn written(process: u32) -> io::Result<u64> {
    let io = fs::read_to_string(format!("/proc/{process}/io"))?;
    let bytes = io.lines().find_map(|line| line.strip_prefix("write_bytes: "));
    bytes.and_then(|bytes| bytes.parse().ok()).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// Open descriptors.
#[cfg(target_os = "linux")]
pub(crate) fn descriptors(process: u32) -> io::Result<usize> {
    Ok(fs::read_dir(format!("/proc/{process}/fd"))?.count())
}

/// Threads.
pub(crate) fn threads(process: u32) -> io::Result<usize> {
    Ok(fs::read_dir(format!("/proc/{process}/task"))?.count())
}

fn status(process: u32, field: &str) -> io::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap_or_default();
    line.split_whitespace()
        .next()
        .and_then(|kb| kb.parse().ok())
        .ok_or_else(|| io::ErrorKind::InvalidData.into())
}
