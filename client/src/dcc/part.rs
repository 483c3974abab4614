//! A file that is not whole yet: `name.part` in the folder for what is received.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::file_name::numbered;

/// How many files of one name are told apart.
const NAMES: u32 = 999;
/// What is behind the name of one that is not whole.
const ENDING: &str = ".part";
/// A transfer that was cancelled lets go of its file within so long, and how often that is looked at.
const STOPS: Duration = Duration::from_secs(2);
const TRY: Duration = Duration::from_millis(20);

/// Only its owner may read it (mode 0600), and no other window writes into it.
#[derive(Debug)]
pub(super) struct Part {
    file: File,
    path: PathBuf,
    folder: PathBuf,
    name: String,
}

impl Part {
    /// A new one, of a name that is free. `name` is a [clean](crate::file_name::clean) one.
    pub(super) fn create(folder: &Path, name: &str) -> io::Result<Part> {
        fs::create_dir_all(folder)?;
        for n in 1..=NAMES {
            let name = numbered(name, n);
            if fs::symlink_metadata(folder.join(&name)).is_ok() {
                continue;
            }
            let path = folder.join(format!("{name}{ENDING}"));
            match options().create_new(true).open(&path) {
                Ok(file) => {
                    lock(&file)?;
                    return Ok(Part { file, path, folder: folder.to_owned(), name });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// What is there of one that broke: bytes, fewer than the whole has.
    pub(super) fn begun(folder: &Path, name: &str, size: u64) -> Option<u64> {
        let there = fs::symlink_metadata(folder.join(format!("{name}{ENDING}"))).ok()?;
        (there.is_file() && there.len() > 0 && there.len() < size).then_some(there.len())
    }

    /// Goes on with it behind these bytes; what is behind them in the file is cut off.
    pub(super) fn go_on(folder: &Path, name: &str, position: u64) -> io::Result<Part> {
        let path = folder.join(format!("{name}{ENDING}"));
        if !fs::symlink_metadata(&path)?.is_file() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let mut file = options().open(&path)?;
        lock(&file)?;
        if file.metadata()?.len() < position {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        file.set_len(position)?;
        file.seek(SeekFrom::Start(position))?;
        Ok(Part { file, path, folder: folder.to_owned(), name: name.to_owned() })
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }

    /// Nothing has come yet.
    pub(super) fn is_empty(&self) -> bool {
        self.file.metadata().is_ok_and(|meta| meta.len() == 0)
    }

    /// It is whole: gives it its name, or the next free one, never another file's.
    pub(super) fn finish(self) -> io::Result<PathBuf> {
        self.file.sync_all()?;
        for n in 1..=NAMES {
            let whole = self.folder.join(numbered(&self.name, n));
            // The name is taken first, so that nobody else's file is there when this one moves.
            match options().create_new(true).open(&whole) {
                Ok(_) => {
                    fs::rename(&self.path, &whole).inspect_err(|_| drop(fs::remove_file(&whole)))?;
                    return Ok(whole);
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// Nobody wants it.
    pub(super) fn discard(self) {
        let Part { file, path, .. } = self;
        drop(file);
        // It stays then, as one that broke does.
        let _ = fs::remove_file(path);
    }
}

/// No other window writes into it; one that has just stopped may take a moment. Some file systems have no locks.
fn lock(file: &File) -> io::Result<()> {
    let deadline = Instant::now() + STOPS;
    while let Err(TryLockError::WouldBlock) = file.try_lock() {
        if Instant::now() > deadline {
            return Err(io::ErrorKind::ResourceBusy.into());
        }
        sleep(TRY);
    }
    Ok(())
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
