//! The files with the key for OPER and with the password of the server.

use std::io::{self, ErrorKind, Write};
use std::path::Path;

use super::error::StartError;
use super::limits::{MAX_KEY_FILE, MIN_KEY, MIN_PASSWORD};
use crate::private;

/// Reads the key; where there is no file, makes one with a random key of 128 bits that only
/// its owner can read.
pub(crate) fn load(path: &Path) -> Result<String, StartError> {
    match read(path)? {
        None => make(path),
        Some(key) if key.len() >= MIN_KEY => Ok(key),
        Some(_) => Err(StartError::OperFileEmpty { path: path.into() }),
    }
}

/// Reads the password that everybody has to give.
pub(crate) fn password(path: &Path) -> Result<String, StartError> {
    let absent = || StartError::Unreadable { path: path.into(), error: ErrorKind::NotFound.into() };
    let password = read(path)?.ok_or_else(absent)?;
    if password.len() >= MIN_PASSWORD {
        Ok(password)
    } else {
        Err(StartError::PasswordFileEmpty { path: path.into() })
    }
}

/// Reads a password that somebody else asks for.
pub(crate) fn secret(path: &Path) -> Result<String, StartError> {
    let absent = || StartError::Unreadable { path: path.into(), error: ErrorKind::NotFound.into() };
    read(path)?.filter(|word| !word.is_empty()).ok_or_else(absent)
}

/// The word in a file that is ours alone; `None` where there is no file, an empty one where there is no such word.
fn read(path: &Path) -> Result<Option<String>, StartError> {
    let unreadable = |error| StartError::Unreadable { path: path.into(), error };
    let (bytes, found) = match private::read_named(path, MAX_KEY_FILE) {
        Ok(read) => read,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    if private::is_foreign(&found) {
        return Err(StartError::OperFileForeign { path: path.into() });
    }
    if private::is_open_to_others(&found) {
        return Err(StartError::OperFileOpen { path: path.into() });
    }
    let text = String::from_utf8(bytes).map_err(|error| unreadable(io::Error::other(error)))?;
    let word = Some(text.trim()).filter(|word| !word.contains(char::is_whitespace));
    Ok(Some(word.unwrap_or_default().into()))
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
