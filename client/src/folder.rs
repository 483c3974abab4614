//! The folder with what is kept between starts: settings, and for each person at each place a [`Slot`].
//!
//! Written atomically; a file that cannot be understood is set aside, never lost. Nobody else on the
//! computer can read the files or the folder; links in it are not followed. Several windows may share it: see
//! [`Folder::keep_settings`] and [`Folder::claim`].

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use etcetera::{AppStrategy, AppStrategyArgs, choose_app_strategy};
use parlor_server::{data_folder, private};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::downloads;
use crate::kept::{Kept, Nameless};
use crate::known::Servers;
use crate::limits::{FILE, SLOTS};
use crate::place::{Identity, PlaceId};
use crate::secret::Secret;
use crate::secrets::Secrets;
use crate::settings::Settings;
use crate::trust::Trust;

/// The files, without what stands behind the dot.
const FILES: &[&str] = &["settings", "servers", "secrets", "drafts", "unsent", "writing", "window"];
/// What earlier versions kept by address alone.
const NAMELESS: &[&str] = &["drafts.toml", "unsent.toml"];
/// The file of those who are known.
const SERVERS: &str = "servers.toml";
/// The file of what shows who a person is.
const SECRETS: &str = "secrets.toml";
/// The folder of the slots.
const PLACES: &str = "places";
/// The folder of the key of what is hosted.
const HOST: &str = "host";
/// The folder of what the person saves.
const DOWNLOADS: &str = "downloads";
/// Other windows write within so many of [`TRY`]; one that does not has stopped, and is not waited for.
const WRITING: u32 = 50;
/// A window that is just closing, or a program that it started and that still has its files, is gone within so many.
const CLOSING: u32 = 15;
/// Between two looks at a file that somebody else has.
const TRY: Duration = Duration::from_millis(20);

/// A file that could not be understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Where it is now; still its own place, if it could not be moved.
    pub aside: PathBuf,
}

/// What a person should know of a slot.
#[derive(Debug)]
pub enum Trouble {
    /// What was in it could not be understood.
    Broken(Broken),
    /// Another window is there under the same name: what is typed in this one is kept apart, and comes back later.
    Taken,
    /// Nothing can be kept, for this reason.
    Unwritable(io::Error),
}

/// The folder with these files.
#[derive(Debug, Clone)]
pub struct Folder {
    /// `None`: nothing is kept.
    path: Option<PathBuf>,
    /// It was asked for: then everything is in it.
    asked: bool,
}

/// What is kept of one person at one place; one window at a time has it, as long as this lives.
#[derive(Debug)]
pub struct Slot {
    /// What is to be kept.
    pub kept: Kept,
    /// As it is on the disk.
    written: Kept,
    /// `None`: nowhere.
    file: Option<PathBuf>,
    /// What keeps other windows out; without: the file system has no locks.
    _lock: Option<File>,
}

impl Slot {
    /// One that is in no file.
    pub fn nowhere() -> Slot {
        Slot { kept: Kept::default(), written: Kept::default(), file: None, _lock: None }
    }

    /// Writes it, if it has changed; one with nothing in it has no file.
    pub fn write(&mut self) -> io::Result<()> {
        let Some(file) = self.file.as_ref().filter(|_| self.kept != self.written) else { return Ok(()) };
        if self.kept.is_empty() {
            remove(file)?;
        } else {
            write(file, &self.kept)?;
        }
        self.written = self.kept.clone();
        Ok(())
    }
}

impl Folder {
    /// The folder that was asked for, or the platform's; an error where there is no home, or where it
    /// is another user's. What an earlier version left open to others is closed, but not a folder
    /// that was asked for and has something else in it.
    pub fn open(asked: Option<PathBuf>) -> io::Result<Folder> {
        let (path, asked) = match asked {
            Some(folder) => (folder, true),
            None => {
                let app = AppStrategyArgs {
                    top_level_domain: "org".into(),
                    author: "Parlor".into(),
                    app_name: "parlor".into(),
                };
                let strategy =
                    choose_app_strategy(app).map_err(|error| io::Error::new(ErrorKind::NotFound, error))?;
                (strategy.config_dir(), false)
            }
        };
        if !asked || has_nothing_else(&path) {
            private::make_folder(&path)?;
        }
        if private::is_foreign(&fs::metadata(&path)?) {
            return Err(io::Error::other(format!("{} belongs to another user", path.display())));
        }
        for name in FILES {
            for form in ["toml", "toml.new", "toml.broken"] {
                // Opening it closes it to others; what is none of ours stays as it is.
                let _ = private::open(&path.join(name).with_extension(form));
            }
        }
        Ok(Folder { path: Some(path), asked })
    }

    /// No folder: all is as at the first start, and nothing is kept.
    pub fn nowhere() -> Folder {
        Folder { path: None, asked: false }
    }

    /// Where it is, if it was asked for.
    pub fn asked(&self) -> Option<&Path> {
        self.path().filter(|_| self.asked)
    }

    /// Where it is.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Where the history of what is hosted at an address (`host:port`) is kept: where a server of
    /// its own keeps it, or inside a folder that was asked for. `None`: there is no home.
    pub fn history(&self, bind: &str) -> Option<PathBuf> {
        let usual = data_folder(bind)?;
        match &self.path {
            Some(path) if self.asked => Some(path.join("history").join(usual.file_name()?)),
            _ => Some(usual),
        }
    }

    /// Where files for the person go: where the settings say (`named`), with others that are downloaded, or inside
    /// a folder that was asked for.
    pub fn downloads(&self, named: &str) -> PathBuf {
        match &self.path {
            Some(path) if self.asked && named.trim().is_empty() => path.join(DOWNLOADS),
            _ => downloads::downloads(named),
        }
    }

    /// Where the key is by which others know what is hosted here, at whatever address.
    pub fn identity(&self) -> Option<PathBuf> {
        Some(self.path.as_ref()?.join(HOST))
    }

    /// What the first of several windows has, as long as it lives; `None`: another one has it, or the file system has
    /// no locks.
    pub fn first_window(&self) -> Option<File> {
        lock(&self.path.as_ref()?.join("window.lock")).ok().flatten()
    }

    /// Reads the settings. A file that cannot be understood is set aside; then the settings are
    /// the defaults.
    pub fn settings(&self) -> (Settings, Option<Broken>) {
        let (settings, broken): (Settings, _) =
            self.path.as_ref().map_or_else(Default::default, |path| read(&path.join("settings.toml")));
        (settings.settled(), broken)
    }

    /// Writes what of the settings is other than `before`; what other windows have written meanwhile stays.
    pub fn keep_settings(&self, before: &Settings, now: &Settings) -> io::Result<()> {
        let Some(path) = &self.path else { return Ok(()) };
        let _writing = self.writing();
        let file = path.join("settings.toml");
        let there = file.exists().then(|| read::<Settings>(&file));
        let merged = match there {
            Some((there, None)) => now.clone().merged(before, there.settled()),
            _ => now.clone(),
        };
        write(&file, &merged)
    }

    /// Who is known; a file that cannot be understood is set aside.
    pub fn servers(&self) -> (Servers, Option<Broken>) {
        self.path.as_ref().map_or_else(Default::default, |path| read(&path.join(SERVERS)))
    }

    /// Keeps how a server is to be met; see [`Servers::know`].
    pub fn know(&self, address: &str, trust: Trust, sure: bool) -> io::Result<()> {
        let Some(path) = &self.path else { return Ok(()) };
        let _writing = self.writing();
        let (mut servers, _) = self.servers();
        if servers.know(address, trust, sure) { write(&path.join(SERVERS), &servers) } else { Ok(()) }
    }

    /// What shows who a person is; a file that cannot be understood is set aside, and a secret is made where there is none.
    pub fn secrets(&self) -> (Secrets, Option<Broken>) {
        let Some(path) = &self.path else { return Default::default() };
        let (mut secrets, broken): (Secrets, _) = read(&path.join(SECRETS));
        if secrets.own().is_empty() {
            // Of two windows that start at once one makes it.
            let made = Secret::new();
            let made = made.and_then(|made| {
                self.change_secrets(|there| {
                    if there.own().is_empty() {
                        there.adopt(made)
                    }
                })
            });
            match made {
                Ok(made) => secrets = made,
                Err(error) => log::warn!("names are not claimed: {error}"),
            }
        }
        (secrets, broken)
    }

    /// Changes what shows who a person is; as it is then.
    pub fn change_secrets(&self, change: impl FnOnce(&mut Secrets)) -> io::Result<Secrets> {
        let Some(path) = &self.path else { return Ok(Secrets::default()) };
        let _writing = self.writing();
        let (mut secrets, _): (Secrets, _) = read(&path.join(SECRETS));
        let before = secrets.clone();
        change(&mut secrets);
        if secrets != before {
            write(&path.join(SECRETS), &secrets)?;
        }
        Ok(secrets)
    }

    /// Takes what is kept of somebody: no other window has it until the [`Slot`] is dropped. What other windows under
    /// the same name have left is in it, and what earlier versions kept of the place.
    pub fn claim(&self, whose: &Identity) -> (Slot, Option<Trouble>) {
        let Some(path) = &self.path else { return (Slot::nowhere(), None) };
        let places = path.join(PLACES);
        if let Err(error) = private::make_folder(&places) {
            return (Slot::nowhere(), Some(Trouble::Unwritable(error)));
        }
        let (mut slot, mut trouble, mut emptied) = (None::<Slot>, None, Vec::new());
        // What was kept before the key was known comes to it.
        let before = whose.by_address().into_iter().flat_map(|before| slots(&places, &before));
        for (file, own) in
            slots(&places, whose).map(|file| (file, true)).chain(before.map(|file| (file, false)))
        {
            if !own && (slot.is_none() || !file.exists()) {
                continue;
            }
            let times = if trouble.is_none() && slot.is_none() { CLOSING } else { 1 };
            let lock = match lock_soon(&file.with_extension("lock"), times) {
                Ok(Some(lock)) => Some(lock),
                Ok(None) => {
                    trouble = trouble.or(own.then_some(Trouble::Taken));
                    continue;
                }
                Err(error) if slot.is_none() => {
                    log::warn!("{} cannot be locked: {error}", file.display());
                    trouble = trouble.or(Some(Trouble::Unwritable(error)));
                    None
                }
                Err(_) => break,
            };
            let (kept, broken) = read::<Kept>(&file);
            trouble = broken.map(Trouble::Broken).or(trouble);
            match &mut slot {
                Some(slot) if !kept.is_empty() => {
                    slot.kept.absorb(kept);
                    emptied.push((file, lock));
                }
                Some(_) => {}
                None => slot = Some(Slot { written: kept.clone(), kept, file: Some(file), _lock: lock }),
            }
        }
        let Some(mut slot) = slot else { return (Slot::nowhere(), Some(Trouble::Taken)) };
        slot.kept.whose = whose.to_string();
        let old = self.nameless(whose.place());
        slot.kept.absorb(old.clone());
        // What is elsewhere too goes only when it is here.
        match slot.write() {
            Ok(()) => {
                emptied.iter().for_each(|(file, _)| drop(remove(file)));
                if !old.is_empty() {
                    self.forget_nameless(whose.place());
                }
            }
            Err(error) => trouble = Some(Trouble::Unwritable(error)),
        }
        (slot, trouble)
    }

    /// Whether something is kept of somebody.
    pub fn has(&self, whose: &Identity) -> bool {
        self.path.as_ref().is_some_and(|path| slots(&path.join(PLACES), whose).any(|file| file.exists()))
    }

    /// The same person under another name, or at a place whose key is known now: in a slot where nothing is yet.
    pub fn rename(&self, slot: &mut Slot, to: &Identity) -> io::Result<()> {
        let (Some(path), Some(before)) = (&self.path, slot.file.clone()) else { return Ok(()) };
        for file in slots(&path.join(PLACES), to).filter(|file| !file.exists()) {
            let lock = match lock(&file.with_extension("lock")) {
                Ok(Some(lock)) => Some(lock),
                Ok(None) => continue,
                Err(_) => None,
            };
            slot.kept.whose = to.to_string();
            (slot.file, slot.written) = (Some(file), Kept::default());
            slot.write()?;
            remove(&before)?;
            slot._lock = lock;
            return Ok(());
        }
        Err(io::Error::other("too many windows have this name"))
    }

    /// What earlier versions kept of a place.
    fn nameless(&self, place: &PlaceId) -> Kept {
        let mut all = Kept::default();
        for name in NAMELESS {
            let file = self.path.as_ref().map(|path| path.join(name));
            if let Some((mut found, _)) = file.map(|file| read::<Nameless>(&file)) {
                all.absorb(found.take(place));
            }
        }
        all
    }

    fn forget_nameless(&self, place: &PlaceId) {
        let _writing = self.writing();
        for file in NAMELESS.iter().filter_map(|name| Some(self.path.as_ref()?.join(name))) {
            let (mut found, _) = read::<Nameless>(&file);
            let taken = !found.take(place).is_empty();
            let done = match taken {
                true if found.is_empty() => remove(&file),
                true => write(&file, &found),
                false => Ok(()),
            };
            if let Err(error) = done {
                log::warn!("{} stays as it is: {error}", file.display());
            }
        }
    }

    /// No other window writes while this lives; `None`: there are no locks, or whoever has it has stopped.
    fn writing(&self) -> Option<File> {
        let file = self.path.as_ref()?.join("writing.lock");
        match lock_soon(&file, WRITING) {
            Ok(None) => log::warn!("another window has stopped while it was writing"),
            Ok(lock) => return lock,
            Err(error) => log::warn!("{} cannot be locked: {error}", file.display()),
        }
        None
    }
}

/// The files of somebody: the first one, and those of more windows at a time.
fn slots(places: &Path, whose: &Identity) -> impl Iterator<Item = PathBuf> + use<> {
    let stem = places.join(whose.file_name()).into_os_string();
    (1..=SLOTS).map(move |number| {
        let mut file = stem.clone();
        file.push(if number == 1 { ".toml".to_owned() } else { format!("-{number}.toml") });
        PathBuf::from(file)
    })
}

/// Whether nothing is in a folder that we would not put there; one that is not there has nothing.
fn has_nothing_else(path: &Path) -> bool {
    let is_ours = |entry: io::Result<fs::DirEntry>| {
        let name = entry.ok().and_then(|entry| entry.file_name().into_string().ok());
        let name = name.as_deref().and_then(|name| name.split('.').next());
        name.is_some_and(|name| FILES.contains(&name) || ["history", PLACES, HOST, DOWNLOADS].contains(&name))
    };
    fs::read_dir(path).map_or(true, |mut entries| entries.all(is_ours))
}

/// Locks a file of ours; waits for nobody. `None`: somebody else has it.
fn lock(path: &Path) -> io::Result<Option<File>> {
    let file = private::open_or_make(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// The same, looking so many times while somebody else has it.
fn lock_soon(path: &Path, times: u32) -> io::Result<Option<File>> {
    for _ in 1..times {
        if let Some(lock) = lock(path)? {
            return Ok(Some(lock));
        }
        sleep(TRY);
    }
    lock(path)
}

/// Reads a file; one that cannot be understood is set aside.
fn read<T: DeserializeOwned + Default>(path: &Path) -> (T, Option<Broken>) {
    let error = match text(path) {
        Ok(text) => match basic_toml::from_str(&text) {
            Ok(value) => return (value, None),
            Err(error) => error.to_string(),
        },
        Err(error) if error.kind() == ErrorKind::NotFound => return (T::default(), None),
        Err(error) => error.to_string(),
    };
    log::warn!("{} cannot be read: {error}", path.display());
    let aside = path.with_extension("toml.broken");
    let aside = if fs::rename(path, &aside).is_ok() { aside } else { path.to_owned() };
    (T::default(), Some(Broken { aside }))
}

/// Either the old file is there or the new one, whole, whenever the power goes.
fn write<T: Serialize>(path: &Path, value: &T) -> io::Result<()> {
    let text = basic_toml::to_string(value).map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
    if text.len() as u64 > FILE {
        return Err(ErrorKind::FileTooLarge.into());
    }
    let fresh = path.with_extension("toml.new");
    let mut file = private::replace(&fresh)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(fresh, path)
}

/// One that is not there is as good.
fn remove(path: &Path) -> io::Result<()> {
    fs::remove_file(path)
        .or_else(|error| if error.kind() == ErrorKind::NotFound { Ok(()) } else { Err(error) })
}

/// The text of a plain file of ours; waits for nobody.
fn text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let count = private::open(path)?.take(FILE + 1).read_to_string(&mut text)?;
    if count as u64 > FILE {
        return Err(ErrorKind::FileTooLarge.into());
    }
    Ok(text)
}

#[cfg(test)]
mod tests;
