//! The file with the key for OPER.

use std::io::{self, ErrorKind, Write};
use std::path::Path;

use super::error::StartError;
use super::limits::{MAX_KEY_FILE, MIN_KEY};
use crate::private;

/// Reads the key; where there is no file, makes one with a random key of 128 bits that only
/// its owner can read.
pub(crate) fn load(path: &Path) -> Result<String, StartError> {
    let unreadable = |error| StartError::Unreadable { path: path.into(), error };
    let (bytes, found) = match private::read_named(path, MAX_KEY_FILE) {
        Ok(read) => read,
        Err(error) if error.kind() == ErrorKind::NotFound => return make(path),
        Err(error) => return Err(unreadable(error)),
    };
    if private::is_foreign(&found) {
        return Err(StartError::OperFileForeign { path: path.into() });
    }
    if private::is_open_to_others(&found) {
        return Err(StartError::OperFileOpen { path: path.into() });
    }
    let text = String::from_utf8(bytes).map_err(|error| unreadable(io::Error::other(error)))?;
    let key = text.trim();
    if key.len() < MIN_KEY || key.contains(char::is_whitespace) {
        return Err(StartError::OperFileEmpty { path: path.into() });
    }
    Ok(key.into())
}

fn make(path: &Path) -> Result<String, StartError> {
    let mut secret = [0; 16];
    getrandom::fill(&mut secret).map_err(|error| StartError::NoRandomness { error: error.to_string() })?;
    let key: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    let written =
        private::make(path).and_then(|mut file| writeln!(file, "{key}").and_then(|()| file.sync_all()));
    written.map_err(|error| StartError::KeyNotMade { path: path.into(), error })?;
    log::info!("made {} with a new key for OPER", path.display());
    Ok(key)
}
