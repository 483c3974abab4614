//! Errors of a store: a sentence for the person who reads it, and an exit code.

use std::fmt;
use std::io;
use std::path::PathBuf;

use super::disk::Disk;

/// The reason why a store does not open or answer; its `Display` is a sentence for the person who
/// reads it, with what to do about it.
#[derive(Debug)]
#[expect(missing_docs, reason = "the fields are what the variants say")]
pub enum StoreError {
    /// Another server has the folder.
    InUse { folder: PathBuf },
    /// The folder is another user's.
    Foreigner { folder: PathBuf },
    /// A file of the store does not hold what was written, as a clause says; it is left as it is.
    Damaged { file: PathBuf, what: String },
    /// A file has the name of one of ours, but is none; it is left as it is.
    Foreign { file: PathBuf },
    /// Somebody has removed, moved or replaced a file of the store, or all of it, while it is open.
    Gone { path: PathBuf },
    /// A later version of the server wrote the store, in a schema above the highest that is known.
    Newer { folder: PathBuf, found: u32, known: u32 },
    /// The system does not let us.
    Io { path: PathBuf, error: io::Error },
    /// The request was cut short by a fault of the server's own.
    Fault(String),
}

impl StoreError {
    pub(super) fn damaged(disk: &dyn Disk, name: &str, what: &str) -> StoreError {
        StoreError::Damaged { file: disk.path(name), what: what.to_owned() }
    }

    /// Bytes that are not those that were written.
    pub(super) fn torn(disk: &dyn Disk, name: &str, offset: u64) -> StoreError {
        StoreError::damaged(disk, name, &format!("what stands at byte {offset} is not what was written"))
    }

    /// Whether a file is not there: it may have been rewritten into another one.
    pub(super) fn is_gone(&self) -> bool {
        matches!(self, StoreError::Io { error, .. } if error.kind() == io::ErrorKind::NotFound)
    }

    /// Whether there is no room for so much; there may be for less.
    pub(super) fn is_full(&self) -> bool {
        use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull, WriteZero};
        let full = [FileTooLarge, QuotaExceeded, StorageFull, WriteZero];
        matches!(self, StoreError::Io { error, .. } if full.contains(&error.kind()))
    }

    pub(super) fn io(disk: &dyn Disk, name: &str) -> impl FnOnce(io::Error) -> StoreError + use<> {
        let path = disk.path(name);
        |error| StoreError::Io { path, error }
    }

    /// The exit code, after BSD's sysexits: 65 a damaged, foreign or newer store, 69 one in use,
    /// 70 a fault of our own, 74 what the system refuses, 77 one of another user.
    pub fn exit_code(&self) -> i32 {
        match self {
            StoreError::Damaged { .. } | StoreError::Foreign { .. } | StoreError::Newer { .. } => 65,
            StoreError::InUse { .. } => 69,
            StoreError::Fault(_) => 70,
            StoreError::Gone { .. } | StoreError::Io { .. } => 74,
            StoreError::Foreigner { .. } => 77,
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreError::InUse { folder } => write!(
                f,
                "Another server keeps its history in {}. Stop it, or choose another folder with --data.",
                folder.display()
            ),
            StoreError::Foreigner { folder } => write!(
                f,
                "{} belongs to another user, who could change the history. Start the server as that user, or choose another folder with --data.",
                folder.display()
            ),
            StoreError::Damaged { file, what } => write!(
                f,
                "{} is damaged: {what}. Nothing was changed. Copy the folder, then move it aside (the server starts with an empty history) or restore it from a backup.",
                file.display()
            ),
            StoreError::Foreign { file } => write!(
                f,
                "{} is not a file of this server's history. Nothing was changed. Move it aside, or choose another folder with --data.",
                file.display()
            ),
            StoreError::Gone { path } => write!(
                f,
                "{} was removed, moved or replaced while the server runs. Put it back, or start the server again.",
                path.display()
            ),
            StoreError::Newer { folder, found, known } => write!(
                f,
                "The history in {} was written by a newer server (format {found}, this one knows {known}). Use that server, or choose another folder with --data.",
                folder.display()
            ),
            StoreError::Io { path, error } => {
                write!(
                    f,
                    "Cannot use {} for the history: {error}. Check the folder and its disk.",
                    path.display()
                )
            }
            StoreError::Fault(what) => {
                write!(f, "The history cannot answer: {what}. The server's log says more.")
            }
        }
    }
}

impl std::error::Error for StoreError {}
