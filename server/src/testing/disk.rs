//! A disk for tests: it forgets what was not synced, tears writes, and fills up.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Random;
use crate::store::{Disk, DiskFile, Lock};

/// Bytes that a disk writes whole or not at all.
const SECTOR: usize = 512;

/// A disk in memory. Clones are the same disk.
#[derive(Debug, Clone, Default)]
pub struct FakeDisk(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    files: Vec<Content>,
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    /// Changes of names since the last sync of the folder.
    name_changes: Vec<BTreeMap<String, usize>>,
    /// Changes so far.
    changes: u64,
    /// Bytes read so far.
    read: u64,
    cut_after: Option<u64>,
    /// Bytes of all files at most.
    room: Option<u64>,
    locked: bool,
}

#[derive(Debug, Default, Clone)]
struct Content {
    now: Vec<u8>,
    durable: Vec<u8>,
    /// Since the last sync.
    changes: Vec<Change>,
}

#[derive(Debug, Clone)]
enum Change {
    Write { offset: usize, bytes: Vec<u8> },
    SetLen(usize),
}

impl FakeDisk {
    /// The power goes after so many changes from the start: nothing works any more.
    pub fn cut_power_after(&self, changes: u64) {
        self.state().cut_after = Some(changes);
    }

    /// Writes, syncs and renames so far.
    pub fn changes(&self) -> u64 {
        self.state().changes
    }

    /// Bytes read so far.
    pub fn bytes_read(&self) -> u64 {
        self.state().read
    }

    /// From now on all files together hold so many bytes at most; `None` = any number.
    pub fn set_room(&self, bytes: Option<u64>) {
        self.state().room = bytes;
    }

    /// Bytes of all files.
    pub fn used(&self) -> u64 {
        self.state().used()
    }

    /// What is found after the power was gone: all that was synced, and of the rest what `seed`
    /// says: nothing, all, the first writes, or any sectors.
    pub fn after_power_cut(&self, seed: u64) -> FakeDisk {
        let state = self.state();
        let mut random = Random::new(seed);
        let mode = random.below(4);
        let survivors = state.name_changes.len() + 1;
        let names = match mode {
            0 => state.durable_names.clone(),
            1 => state.names.clone(),
            _ => match random.below(survivors) {
                0 => state.durable_names.clone(),
                count => state.name_changes.get(count - 1).cloned().unwrap_or_default(),
            },
        };
        let files: Vec<Content> = state.files.iter().map(|file| file.survivor(mode, &mut random)).collect();
        let state = State { files, durable_names: names.clone(), names, ..State::default() };
        FakeDisk(Arc::new(Mutex::new(state)))
    }

    /// Changes the bytes of a file behind the store's back.
    pub fn tamper(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut state = self.state();
        if let Some(&id) = state.names.get(name)
            && let Some(file) = state.files.get_mut(id)
        {
            change(&mut file.now);
            file.durable.clone_from(&file.now);
        }
    }

    /// The bytes of each file.
    pub fn snapshot(&self) -> BTreeMap<String, Vec<u8>> {
        let state = self.state();
        let bytes = |id: usize| state.files.get(id).map(|file| file.now.clone()).unwrap_or_default();
        state.names.iter().map(|(name, &id)| (name.clone(), bytes(id))).collect()
    }

    /// Whoever had the disk locked is gone.
    pub fn unlock(&self) {
        self.state().locked = false;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn alive(&self) -> io::Result<()> {
        let cut = self.cut_after.is_some_and(|after| self.changes >= after);
        if cut { Err(io::Error::other("the power is gone")) } else { Ok(()) }
    }

    fn change(&mut self) -> io::Result<()> {
        self.alive()?;
        self.changes += 1;
        Ok(())
    }

    fn used(&self) -> u64 {
        let sizes =
            self.names.values().filter_map(|&id| self.files.get(id)).map(|file| file.now.len() as u64);
        sizes.sum()
    }

    fn change_name(&mut self, change: impl FnOnce(&mut BTreeMap<String, usize>) -> bool) -> io::Result<()> {
        self.change()?;
        if !change(&mut self.names) {
            return Err(io::ErrorKind::NotFound.into());
        }
        self.name_changes.push(self.names.clone());
        Ok(())
    }
}

impl Content {
    fn apply(bytes: &mut Vec<u8>, change: &Change, survives: &mut dyn FnMut() -> bool) {
        match change {
            Change::SetLen(len) => {
                if survives() {
                    bytes.resize(*len, 0);
                }
            }
            Change::Write { offset, bytes: written } => {
                let end = offset + written.len();
                let mut at = *offset;
                while at < end {
                    let stop = ((at / SECTOR + 1) * SECTOR).min(end);
                    if survives() {
                        if bytes.len() < stop {
                            bytes.resize(stop, 0);
                        }
                        bytes[at..stop].copy_from_slice(&written[at - offset..stop - offset]);
                    }
                    at = stop;
                }
            }
        }
    }

    fn survivor(&self, mode: usize, random: &mut Random) -> Content {
        let mut bytes = self.durable.clone();
        let mut left = random.below(self.changes.len() * 4 + 1);
        for change in &self.changes {
            Content::apply(&mut bytes, change, &mut || match mode {
                0 => false,
                1 => true,
                2 => {
                    let survives = left > 0;
                    left = left.saturating_sub(1);
                    survives
                }
                _ => random.below(2) == 0,
            });
        }
        Content { now: bytes.clone(), durable: bytes, changes: Vec::new() }
    }
}

impl Disk for FakeDisk {
    fn path(&self, name: &str) -> PathBuf {
        PathBuf::from("/fake").join(name)
    }

    fn lock(&self) -> io::Result<Lock> {
        let mut state = self.state();
        state.alive()?;
        Ok(if std::mem::replace(&mut state.locked, true) { Lock::InUse } else { Lock::Held })
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let state = self.state();
        state.alive()?;
        Ok(state.names.keys().cloned().collect())
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let state = self.state();
        state.alive()?;
        let id = *state.names.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(Arc::new(FakeFile { disk: self.clone(), id }))
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let mut state = self.state();
        let id = state.files.len();
        // In place of an older file: its bytes go at once, as with O_TRUNC.
        state.change_name(|names| {
            names.insert(name.into(), id);
            true
        })?;
        state.files.push(Content::default());
        Ok(Arc::new(FakeFile { disk: self.clone(), id }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.state().change_name(|names| names.remove(from).map(|id| names.insert(to.into(), id)).is_some())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.state().change_name(|names| names.remove(name).is_some())
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.state();
        state.change()?;
        state.durable_names = state.names.clone();
        state.name_changes.clear();
        Ok(())
    }
}

#[derive(Debug)]
struct FakeFile {
    disk: FakeDisk,
    id: usize,
}

impl FakeFile {
    fn with<T>(&self, act: impl FnOnce(&mut Content) -> T) -> io::Result<T> {
        let mut state = self.disk.state();
        state.change()?;
        state.files.get_mut(self.id).map(act).ok_or(io::ErrorKind::NotFound.into())
    }
}

impl DiskFile for FakeFile {
    fn len(&self) -> io::Result<u64> {
        let state = self.disk.state();
        state.alive()?;
        Ok(state.files.get(self.id).map_or(0, |file| file.now.len() as u64))
    }

    fn read_at(&self, to: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut state = self.disk.state();
        state.alive()?;
        state.read += to.len() as u64;
        let bytes =
            state.files.get(self.id).and_then(|file| file.now.get(offset as usize..)).unwrap_or_default();
        let count = bytes.len().min(to.len());
        to[..count].copy_from_slice(&bytes[..count]);
        Ok(count)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let offset = offset as usize;
        let fits = {
            let state = self.disk.state();
            let len = state.files.get(self.id).map_or(0, |file| file.now.len());
            let free = state.room.map_or(usize::MAX, |room| room.saturating_sub(state.used()) as usize);
            (len + free.min(usize::MAX - len)).saturating_sub(offset).min(bytes.len())
        };
        let part = bytes.get(..fits).unwrap_or_default();
        self.with(|file| {
            let change = Change::Write { offset, bytes: part.to_vec() };
            Content::apply(&mut file.now, &change, &mut || true);
            file.changes.push(change);
        })?;
        if fits < bytes.len() { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.with(|file| {
            file.now.resize(len as usize, 0);
            file.changes.push(Change::SetLen(len as usize));
        })
    }

    fn sync(&self) -> io::Result<()> {
        self.with(|file| {
            for change in std::mem::take(&mut file.changes) {
                Content::apply(&mut file.durable, &change, &mut || true);
            }
        })
    }
}
