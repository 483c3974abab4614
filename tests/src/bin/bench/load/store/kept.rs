//! Whether every line that was echoed is in the history exactly once, in its sender's order.

use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use parlor_tests::program;

use super::super::contestant::Ended;
use super::super::stamp::Stamp;

/// Exports all rooms of a stopped server; `said`: the lines of each sender.
///
/// # Errors
/// The first line that is doubled, out of its place or missing.
pub(super) fn check(data: &Path, rooms: usize, said: &[u32]) -> io::Result<()> {
    let mut next = vec![0_u32; said.len()];
    for room in 0..rooms {
        let mut command = Command::new(program());
        command.arg("--data").arg(data).args(["--export", &super::room(room)]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut export = Ended(command.spawn()?);
        let Some(stdout) = export.0.stdout.take() else { continue };
        let mut lines = BufReader::new(stdout);
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line)? > 0 {
            if let Some(stamp) = Stamp::of(line.trim_ascii_end())
                && let Some(next) = next.get_mut(stamp.sender)
            {
                if *next != stamp.number {
                    let why = format!("line {} of {} is where {next} belongs", stamp.number, stamp.sender);
                    return Err(io::Error::other(why));
                }
                *next += 1;
            }
            line.clear();
        }
    }
    let missing: u64 = said.iter().zip(&next).map(|(said, kept)| u64::from(said.saturating_sub(*kept))).sum();
    if missing > 0 {
        return Err(io::Error::other(format!("{missing} lines that were echoed are not in the history")));
    }
    Ok(())
}
