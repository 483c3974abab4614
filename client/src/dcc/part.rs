//! A file that is not whole yet: `name.part` in the folder for what is received.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use crate::downloads::{SAME_NAME, free};
use crate::file_name::numbered;

/// What is behind the name of one that is not whole.
const ENDING: &str = ".part";
/// A transfer that was cancelled lets go of its file within so many of [`TRY`].
const TRIES: u32 = 100;
/// Between two looks at a file that somebody else has.
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
        let (file, whole) = free(folder, name, |whole| {
            if fs::symlink_metadata(whole).is_ok() {
                return Err(ErrorKind::AlreadyExists.into());
            }
            options().create_new(true).open(beside(whole))
        })?;
        lock(&file)?;
        Ok(Part { file, path: beside(&whole), folder: folder.to_owned(), name: name.to_owned() })
    }

    /// What is there of one that broke: bytes, fewer than the whole has.
    pub(super) fn begun(folder: &Path, name: &str, size: u64) -> Option<u64> {
        find(folder, name, 1..size).map(|(_, bytes)| bytes)
    }

    /// Goes on with it behind these bytes of the whole; what is behind them in the file is cut off.
    pub(super) fn go_on(folder: &Path, name: &str, position: u64, size: u64) -> io::Result<Part> {
        let (path, _) = find(folder, name, position..size).ok_or(ErrorKind::NotFound)?;
        let mut file = options().open(&path)?;
        lock(&file)?;
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
        // The name is taken first, so that nobody else's file is there when this one moves.
        let (_, whole) = free(&self.folder, &self.name, |path| options().create_new(true).open(path))?;
        fs::rename(&self.path, &whole).inspect_err(|_| drop(fs::remove_file(&whole)))?;
        Ok(whole)
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
    for _ in 0..TRIES {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => sleep(TRY),
            _ => return Ok(()),
        }
    }
    Err(ErrorKind::ResourceBusy.into())
}

/// The first part of so many bytes, under the names that [`Part::create`] gives, and its bytes.
fn find(folder: &Path, name: &str, bytes: Range<u64>) -> Option<(PathBuf, u64)> {
    for n in 1..=SAME_NAME {
        let whole = folder.join(numbered(name, n));
        let path = beside(&whole);
        match fs::symlink_metadata(&path) {
            Ok(part) if part.is_file() && bytes.contains(&part.len()) => return Some((path, part.len())),
            Err(_) if fs::symlink_metadata(&whole).is_err() => break,
            _ => {}
        }
    }
    None
}

/// Where the part of a file is.
fn beside(whole: &Path) -> PathBuf {
    let mut path = whole.as_os_str().to_owned();
    path.push(ENDING);
    path.into()
}

/// On a disk that knows nothing of owners, too: it may be somebody's stick.
fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
