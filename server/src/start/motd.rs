//! The message of the day.

use std::fs;
use std::path::Path;

use super::error::StartError;
use super::limits::{MAX_MOTD, MAX_MOTD_LINE};

/// Reads the message, without control characters.
pub(crate) fn load(path: &Path) -> Result<Vec<String>, StartError> {
    let text =
        fs::read_to_string(path).map_err(|error| StartError::Unreadable { path: path.into(), error })?;
    let lines: Vec<String> =
        text.lines().map(|line| line.chars().filter(|c| !c.is_control()).collect()).collect();
    if text.len() > MAX_MOTD {
        return Err(StartError::MotdTooBig { path: path.into() });
    }
    match lines.iter().position(|line: &String| line.len() > MAX_MOTD_LINE) {
        Some(line) => Err(StartError::MotdTooLong { path: path.into(), line: line + 1 }),
        None => Ok(lines),
    }
}
