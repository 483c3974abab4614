//! The message of the day.

use std::io;
use std::path::Path;

use super::error::StartError;
use super::limits::{MAX_MOTD, MAX_MOTD_LINE};
use crate::private;

/// Reads the message, without control characters.
pub(crate) fn load(path: &Path) -> Result<Vec<String>, StartError> {
    let unreadable = |error| StartError::Unreadable { path: path.into(), error };
    let (bytes, _) = private::read_named(path, MAX_MOTD).map_err(unreadable)?;
    if bytes.len() > MAX_MOTD {
        return Err(StartError::MotdTooBig { path: path.into() });
    }
    let text = String::from_utf8(bytes).map_err(|error| unreadable(io::Error::other(error)))?;
    let lines: Vec<String> =
        text.lines().map(|line| line.chars().filter(|c| !c.is_control()).collect()).collect();
    match lines.iter().position(|line: &String| line.len() > MAX_MOTD_LINE) {
        Some(line) => Err(StartError::MotdTooLong { path: path.into(), line: line + 1 }),
        None => Ok(lines),
    }
}
