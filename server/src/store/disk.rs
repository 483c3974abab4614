//! The disk: a folder of files, as the system gives it.
//!
//! A trait, so that tests can put one under the store that forgets, tears and fills up.

use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// The file that a running server holds locked.
const LOCK: &str = "lock";

/// One flat folder. What is written is kept for sure only after a sync: of the file for its bytes,
/// of the folder for its names.
pub trait Disk: fmt::Debug + Send + Sync {
    /// The path of a file, for people; of the folder for an empty name.
    fn path(&self, name: &str) -> PathBuf;
    /// Makes the folder if it is absent and locks it until the last clone is dropped;
    /// false = somebody else has it.
    fn lock(&self) -> io::Result<bool>;
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

    fn lock(&self) -> io::Result<bool> {
        fs::create_dir_all(&self.path)?;
        let path = self.path.join(LOCK);
        let file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path)?;
        match file.try_lock() {
            Ok(()) => {
                *self.lock.lock().unwrap_or_else(PoisonError::into_inner) = Some(file);
                Ok(true)
            }
            Err(TryLockError::WouldBlock) => Ok(false),
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
        let file = OpenOptions::new().read(true).write(true).open(self.path.join(name))?;
        Ok(Arc::new(SystemFile(file)))
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let mut options = OpenOptions::new();
        options.create(true).truncate(true).read(true).write(true);
        // What people say is for the server's eyes.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        Ok(Arc::new(SystemFile(options.open(self.path.join(name))?)))
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
