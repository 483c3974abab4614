//! The disk: a folder of files, as the system gives it.
//!
//! A trait, so that tests can put one under the store that forgets, tears and fills up.

use std::fmt;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::private;

/// The file that a running server holds locked.
const LOCK: &str = "lock";

/// One flat folder. What is written is kept for sure only after a sync: of the file for its bytes,
/// of the folder for its names.
pub trait Disk: fmt::Debug + Send + Sync {
    /// The path of a file, for people; of the folder for an empty name.
    fn path(&self, name: &str) -> PathBuf;
    /// Makes the folder if it is absent and locks it until the last clone is dropped.
    fn lock(&self) -> io::Result<Lock>;
    /// Whether the folder is still the one that was locked; false = it was removed, moved away or
    /// replaced.
    fn is_ours(&self) -> io::Result<bool> {
        Ok(true)
    }
    /// The names of the files.
    fn list(&self) -> io::Result<Vec<String>>;
    /// Opens a file that exists.
    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>>;
    /// Makes an empty file, in place of an older one.
    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>>;
    /// Gives a file another name, in place of an older file of that name.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, name: &str) -> io::Result<()>;
    /// Makes names durable.
    fn sync(&self) -> io::Result<()>;
}

/// Whether a [`Disk`] could be locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lock {
    /// It is ours alone.
    Held,
    /// Another server has it.
    InUse,
    /// The folder is another user's.
    Foreign,
}

/// A file of a [`Disk`].
pub trait DiskFile: fmt::Debug + Send + Sync {
    /// Bytes.
    fn len(&self) -> io::Result<u64>;
    /// Whether there are none.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }
    /// Whether it has no name any more: somebody removed or replaced it.
    fn is_removed(&self) -> io::Result<bool> {
        Ok(false)
    }
    /// Fills `to` with what is there from `offset` on; fewer bytes than asked = the file ends.
    fn read_at(&self, to: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Writes all of it, or an error after any part of it.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;
    /// Cuts the file, or lengthens it with zeros.
    fn set_len(&self, len: u64) -> io::Result<()>;
    /// Makes the bytes durable, and the length that is needed to read them.
    fn sync(&self) -> io::Result<()>;
}

/// A folder of the system.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    lock: Mutex<Option<File>>,
}

impl Folder {
    /// Touches nothing yet.
    pub fn new(path: &Path) -> Folder {
        Folder { path: path.to_owned(), lock: Mutex::new(None) }
    }
}

impl Disk for Folder {
    fn path(&self, name: &str) -> PathBuf {
        if name.is_empty() { self.path.clone() } else { self.path.join(name) }
    }

    fn lock(&self) -> io::Result<Lock> {
        if private::make_folder(&self.path)? {
            let path = self.path.display();
            log::warn!("history: other users of this computer could read {path}; it is closed to them now");
        }
        if private::is_foreign(&fs::metadata(&self.path)?) {
            return Ok(Lock::Foreign);
        }
        let path = self.path.join(LOCK);
        let file = match private::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => private::make(&path),
            file => file,
        };
        let file = file.map_err(|error| io::Error::new(error.kind(), format!("{LOCK} in it: {error}")))?;
        match file.try_lock() {
            Ok(()) => {
                *self.lock.lock().unwrap_or_else(PoisonError::into_inner) = Some(file);
                Ok(Lock::Held)
            }
            Err(TryLockError::WouldBlock) => Ok(Lock::InUse),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn is_ours(&self) -> io::Result<bool> {
        let found = match fs::metadata(self.path.join(LOCK)) {
            Ok(found) => found,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        };
        let lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(locked) = lock.as_ref().map(File::metadata).transpose()? else { return Ok(true) };
        #[cfg(unix)]
        let same = (found.dev(), found.ino()) == (locked.dev(), locked.ino());
        #[cfg(not(unix))]
        let same = found.is_file() == locked.is_file();
        Ok(same)
    }

    fn list(&self) -> io::Result<Vec<String>> {
        // A name that is not Unicode is none of ours.
        fs::read_dir(&self.path)?
            .filter_map(|entry| entry.map(|entry| entry.file_name().into_string().ok()).transpose())
            .collect()
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        Ok(Arc::new(SystemFile(private::open(&self.path.join(name))?)))
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        Ok(Arc::new(SystemFile(private::replace(&self.path.join(name))?)))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path.join(from), self.path.join(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path.join(name))
    }

    fn sync(&self) -> io::Result<()> {
        // Elsewhere a folder cannot be opened; its names are journalled.
        if cfg!(unix) { File::open(&self.path)?.sync_all() } else { Ok(()) }
    }
}

#[derive(Debug)]
struct SystemFile(File);

impl DiskFile for SystemFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    #[cfg(unix)]
    fn is_removed(&self) -> io::Result<bool> {
        Ok(self.0.metadata()?.nlink() == 0)
    }

    fn read_at(&self, to: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut done = 0;
        while done < to.len() {
            match read_some(&self.0, to.get_mut(done..).unwrap_or_default(), offset + done as u64) {
                Ok(0) => break,
                Ok(count) => done += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut done = 0;
        while done < bytes.len() {
            match write_some(&self.0, bytes.get(done..).unwrap_or_default(), offset + done as u64) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => done += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync_data()
    }
}

#[cfg(unix)]
use std::os::unix::fs::{FileExt, MetadataExt};
#[cfg(windows)]
use std::os::windows::fs::FileExt;

fn read_some(file: &File, to: &mut [u8], offset: u64) -> io::Result<usize> {
    #[cfg(unix)]
    return file.read_at(to, offset);
    #[cfg(windows)]
    return file.seek_read(to, offset);
}

fn write_some(file: &File, bytes: &[u8], offset: u64) -> io::Result<usize> {
    #[cfg(unix)]
    return file.write_at(bytes, offset);
    #[cfg(windows)]
    return file.seek_write(bytes, offset);
}
