//! The file with the key for OPER.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::Path;

use super::error::StartError;
use super::limits::MIN_KEY;

/// Reads the key; where there is no file, makes one with a random key of 128 bits that only
/// its owner can read.
pub(crate) fn load(path: &Path) -> Result<String, StartError> {
    let unreadable = |error| StartError::Unreadable { path: path.into(), error };
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return make(path),
        Err(error) => return Err(unreadable(error)),
    };
    if open_to_others(&file.metadata().map_err(unreadable)?) {
        return Err(StartError::OperFileOpen { path: path.into() });
    }
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(unreadable)?;
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
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written =
        options.open(path).and_then(|mut file| writeln!(file, "{key}").and_then(|()| file.sync_all()));
    written.map_err(|error| StartError::OperFileNotMade { path: path.into(), error })?;
    log::info!("made {} with a new key for OPER", path.display());
    Ok(key)
}

#[cfg(unix)]
fn open_to_others(metadata: &fs::Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o077 != 0
}

#[cfg(not(unix))]
fn open_to_others(_: &fs::Metadata) -> bool {
    false
}
