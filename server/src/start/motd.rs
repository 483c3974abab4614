//! The message of the day.

use std::fs;
use std::path::Path;

use super::error::StartError;

/// Bytes of the message: everybody gets it at once.
pub(super) const MAX_MOTD: usize = 32 * 1024;
/// Bytes of one of its lines.
pub(super) const MAX_LINE: usize = 400;

/// Reads the message, without control characters.
pub(crate) fn load(path: &Path) -> Result<Vec<String>, StartError> {
    let text =
        fs::read_to_string(path).map_err(|error| StartError::Unreadable { path: path.into(), error })?;
    let lines: Vec<String> =
        text.lines().map(|line| line.chars().filter(|c| !c.is_control()).collect()).collect();
    if text.len() > MAX_MOTD {
        return Err(StartError::MotdTooBig { path: path.into() });
    }
    match lines.iter().position(|line: &String| line.len() > MAX_LINE) {
        Some(line) => Err(StartError::MotdTooLong { path: path.into(), line: line + 1 }),
        None => Ok(lines),
    }
}
