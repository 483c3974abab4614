//! `accounts.log`: names and what their accounts are, in the form of `rooms.log`, each with a checksum.
//!
//! There is no file, nor a folder, before the first account. A record is durable when [`keep`](AccountsFile::keep)
//! returns; half of one, which a crash left, is cut off at the next start; a file that is damaged otherwise is an
//! error, and stays as it is.

use std::fmt;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use super::disk::{Disk, Folder};
use super::error::StoreError;
use super::load::{lock, salt, torn};
use super::log::Tail;
use super::rooms::Rooms;

/// The file's name.
const ACCOUNTS: &str = "accounts.log";

/// What it holds and how it is written stands at the top of this file.
pub struct AccountsFile {
    disk: Arc<dyn Disk>,
    /// Random bytes, for the checksums of a file that is made now.
    secret: [u8; 16],
    /// The folder is locked, by this or by the history's store.
    locked: bool,
    names: Option<Rooms>,
    buffer: Vec<u8>,
}

impl fmt::Debug for AccountsFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountsFile").field("disk", &self.disk).finish_non_exhaustive()
    }
}

/// Folded names, and what was kept of them.
pub type KeptAccounts = Vec<(Box<str>, Box<[u8]>)>;

impl AccountsFile {
    /// Reads the file of a folder, if there is one. `locked`: a [`Store`](super::Store) of this process has the folder.
    ///
    /// # Errors
    /// [`StoreError`]: another server has the folder; the file is damaged or foreign, and nothing was changed; the
    /// system refuses it.
    pub fn open(
        folder: &Path,
        secret: [u8; 16],
        locked: bool,
    ) -> Result<(AccountsFile, KeptAccounts), StoreError> {
        let disk: Arc<dyn Disk> = Arc::new(Folder::new(folder));
        let mut file = AccountsFile { disk, secret, locked, names: None, buffer: Vec::new() };
        if let Err(error) = file.disk.open(ACCOUNTS)
            && error.kind() == ErrorKind::NotFound
        {
            return Ok((file, Vec::new()));
        }
        file.lock()?;
        let disk = &*file.disk;
        let (mut names, tail) = Rooms::open(disk, ACCOUNTS)?;
        if let Tail::Torn(bytes) = tail {
            names.cut().map_err(StoreError::io(disk, ACCOUNTS))?;
            log::warn!("accounts: {}", torn(disk, ACCOUNTS, bytes));
        }
        let kept = names.states();
        file.names = Some(names);
        Ok((file, kept))
    }

    /// Keeps what an account is, or that there is none of this name any more; durable when this returns.
    ///
    /// # Errors
    /// [`StoreError`]; a later call may keep this as well, unless it says what counts of this name.
    pub fn keep(&mut self, name: &str, state: Option<Box<[u8]>>) -> Result<(), StoreError> {
        self.lock()?;
        let failed = StoreError::io(&*self.disk, ACCOUNTS);
        let names = match &mut self.names {
            Some(names) => names,
            None => {
                let made = Rooms::create(&*self.disk, ACCOUNTS, salt(&self.secret, 0, 0));
                self.names.insert(made.map_err(StoreError::io(&*self.disk, ACCOUNTS))?)
            }
        };
        match state {
            Some(state) => names.set_state(name, Some(state)),
            None => drop(names.forget_one(name)),
        }
        let saved = match names.is_removed() {
            // All of it is in memory: it is written anew.
            Ok(true) => names.compact(&*self.disk, &mut self.buffer),
            _ => names.save(&*self.disk, &mut self.buffer),
        };
        saved.map_err(failed)
    }

    fn lock(&mut self) -> Result<(), StoreError> {
        if !self.locked {
            lock(&*self.disk)?;
            self.locked = true;
        }
        Ok(())
    }
}
