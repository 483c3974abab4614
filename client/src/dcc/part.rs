//! A file that is not whole yet: `name.part` in the folder for what is received.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::file_name::numbered;

/// How many files of one name are told apart.
const NAMES: u32 = 999;
/// What is behind the name of one that is not whole.
const ENDING: &str = ".part";

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
                    file.try_lock()?;
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
        find(folder, name, 1..size).map(|(_, bytes)| bytes)
    }

    /// Goes on with it behind these bytes of the whole; what is behind them in the file is cut off.
    pub(super) fn go_on(folder: &Path, name: &str, position: u64, size: u64) -> io::Result<Part> {
        let (name, _) = find(folder, name, position..size).ok_or(io::ErrorKind::NotFound)?;
        let path = folder.join(format!("{name}{ENDING}"));
        let mut file = options().open(&path)?;
        file.try_lock()?;
        file.set_len(position)?;
        file.seek(SeekFrom::Start(position))?;
        Ok(Part { file, path, folder: folder.to_owned(), name })
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

/// The first part of so many bytes, under the names that [`Part::create`] gives: the name of its whole, and its bytes.
fn find(folder: &Path, name: &str, bytes: Range<u64>) -> Option<(String, u64)> {
    let there = |name: &str| fs::symlink_metadata(folder.join(name)).ok();
    for n in 1..=NAMES {
        let name = numbered(name, n);
        match there(&format!("{name}{ENDING}")) {
            Some(part) if part.is_file() && bytes.contains(&part.len()) => return Some((name, part.len())),
            None if there(&name).is_none() => break,
            _ => {}
        }
    }
    None
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
