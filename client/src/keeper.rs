//! Writes what is kept on a thread of its own: a disk takes the time it takes, and nobody waits for it.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::thread;

use async_channel::{Receiver, Sender};

use crate::credentials::Credentials;
use crate::folder::{Folder, Slot, Trouble};
use crate::kept::Kept;
use crate::place::{Identity, PlaceId};
use crate::secret::Secret;
use crate::secrets::{Given, Secrets};
use crate::settings::Settings;
use crate::trust::{KeyId, Trust};

/// The way to that thread; it ends with this and all [`Claim`]s, when all is written.
pub struct Keeper {
    todo: Sender<Todo>,
    /// What a person should know, as it comes up.
    pub news: Receiver<News>,
}

/// What a person should know of what is kept.
#[derive(Debug)]
pub enum News {
    /// Another window was open on the same folder when this one came.
    Shared,
    /// It could not be written.
    NotKept(io::Error),
}

/// What is kept of one person at one place, and this window has it: until the last one of these is dropped.
#[derive(Clone)]
pub struct Claim(Arc<Claimed>);

struct Claimed {
    id: u64,
    todo: Sender<Todo>,
}

/// What came of [`Keeper::claim`].
pub struct Found {
    /// To keep more.
    pub claim: Claim,
    /// What an earlier start has kept.
    pub kept: Kept,
    /// How each server of the place is to be met, if it is known.
    pub trusts: Vec<Option<Trust>>,
    /// What shows who they are.
    pub credentials: Credentials,
    /// Whose it is.
    pub whose: Identity,
    /// What a person should know of it.
    pub trouble: Option<Trouble>,
}

/// Who wants what is kept of them.
pub struct Wanted {
    /// Where.
    pub place: PlaceId,
    /// The name there.
    pub name: String,
    /// What they give for that now.
    pub given: Given,
    /// The place is our own, with this key.
    pub host: Option<KeyId>,
}

enum Todo {
    Settings(Box<Settings>),
    Claim(Wanted, Sender<Found>, Sender<Todo>),
    Met(u64, Identity, Sender<bool>),
    Secrets(Box<dyn FnOnce(&mut Secrets) + Send>, Sender<Option<Secret>>),
    Change(u64, Box<dyn FnOnce(&mut Kept) + Send>),
    Rename(u64, Identity),
    Know(String, Trust, bool),
    Release(u64),
    /// The window has gone: others come first.
    Close,
    /// All that came before is written when this is dropped.
    Sign(Sender<Written>),
}

/// Nothing: a channel of it can only close.
#[derive(Debug)]
pub enum Written {}

impl Claim {
    /// Changes what is kept, and has it written.
    pub fn change(&self, change: impl FnOnce(&mut Kept) + Send + 'static) {
        // Closed: said already.
        let _ = self.0.todo.try_send(Todo::Change(self.0.id, Box::new(change)));
    }

    /// The server has shown its key. Answers whether more is kept of the person there, from another address.
    pub fn met(&self, whose: Identity) -> Receiver<bool> {
        let (tell, more) = async_channel::bounded(1);
        let _ = self.0.todo.try_send(Todo::Met(self.0.id, whose, tell));
        more
    }

    /// The same person has another name from now on.
    pub fn rename(&self, to: Identity) {
        let _ = self.0.todo.try_send(Todo::Rename(self.0.id, to));
    }
}

impl Drop for Claimed {
    fn drop(&mut self) {
        let _ = self.todo.try_send(Todo::Release(self.id));
    }
}

impl Keeper {
    /// Starts the thread; where there can be none, nothing is kept, and the log says so. `settings`: as they are in the
    /// folder.
    pub fn start(folder: Folder, settings: Settings) -> Keeper {
        // A person cannot outrun it, and whoever holds a key down leaves one change to be written.
        let (todo, jobs) = async_channel::unbounded();
        let (tell, news) = async_channel::bounded(4);
        let run = move || Writer::new(folder, settings, tell).run(&jobs);
        if let Err(error) = thread::Builder::new().name("keeper".into()).spawn(run) {
            log::warn!("settings and drafts are not kept: {error}");
        }
        Keeper { todo, news }
    }

    /// Has the settings written.
    pub fn keep_settings(&self, settings: &Settings) {
        let _ = self.todo.try_send(Todo::Settings(Box::new(settings.clone())));
    }

    /// Has it kept how a server is to be met, by its own address; see [`Servers::know`](crate::known::Servers::know).
    pub fn know(&self, address: String, trust: Trust, sure: bool) {
        let _ = self.todo.try_send(Todo::Know(address, trust, sure));
    }

    /// What is kept of somebody; closed without it where there is no thread to tell.
    pub fn claim(&self, wanted: Wanted) -> Receiver<Found> {
        let (tell, found) = async_channel::bounded(1);
        let _ = self.todo.try_send(Todo::Claim(wanted, tell, self.todo.clone()));
        found
    }

    /// Changes what shows who the person is, and tells the secret of their names; `None`: there is none.
    pub fn secrets(&self, change: impl FnOnce(&mut Secrets) + Send + 'static) -> Receiver<Option<Secret>> {
        let (tell, told) = async_channel::bounded(1);
        let _ = self.todo.try_send(Todo::Secrets(Box::new(change), tell));
        told
    }

    /// Closes when all that is to be written is. No more comes then, and this is not the first window any more.
    pub fn close(&self) -> Receiver<Written> {
        let (sign, written) = async_channel::bounded(1);
        let _ = self.todo.try_send(Todo::Close);
        let _ = self.todo.try_send(Todo::Sign(sign));
        written
    }
}

/// What the thread has.
struct Writer {
    folder: Folder,
    /// As this window wrote or read them last.
    settings: Settings,
    slots: BTreeMap<u64, Slot>,
    last: u64,
    tell: Sender<News>,
    /// One sentence about it is enough.
    told: bool,
}

impl Writer {
    fn new(folder: Folder, settings: Settings, tell: Sender<News>) -> Writer {
        Writer { folder, settings, slots: BTreeMap::new(), last: 0, tell, told: false }
    }

    fn run(&mut self, jobs: &Receiver<Todo>) {
        let mut first = self.folder.first_window();
        if first.is_none() && self.folder.path().is_some() {
            let _ = self.tell.try_send(News::Shared);
        }
        while let Ok(job) = jobs.recv_blocking() {
            let (mut settings, mut signs) = (None, Vec::new());
            for job in std::iter::once(job).chain(std::iter::from_fn(|| jobs.try_recv().ok())) {
                match job {
                    Todo::Settings(last) => settings = Some(*last),
                    Todo::Claim(wanted, tell, todo) => self.claim(wanted, &tell, todo),
                    Todo::Met(id, whose, tell) => {
                        let more = self.folder.has(&whose);
                        if !more {
                            self.rename(id, &whose);
                        }
                        let _ = tell.try_send(more);
                    }
                    Todo::Secrets(change, tell) => {
                        let secrets = self.folder.change_secrets(change);
                        let own = self.folder.secrets().0.own();
                        let _ = tell.try_send(own.first().copied());
                        self.done("the secret of names", secrets.map(drop));
                    }
                    Todo::Change(id, change) => {
                        if let Some(slot) = self.slots.get_mut(&id) {
                            change(&mut slot.kept);
                        }
                    }
                    Todo::Rename(id, to) => self.rename(id, &to),
                    Todo::Know(address, trust, sure) => {
                        let done = self.folder.know(&address, trust, sure);
                        self.done("who a server is", done);
                    }
                    Todo::Release(id) => {
                        let done = self.slots.remove(&id).map_or(Ok(()), |mut slot| slot.write());
                        self.done("what is typed", done);
                    }
                    Todo::Close => first = None,
                    Todo::Sign(sign) => signs.push(sign),
                }
            }
            if let Some(settings) = settings {
                let done = self.folder.keep_settings(&self.settings, &settings);
                if done.is_ok() {
                    self.settings = settings;
                }
                self.done("the settings", done);
            }
            let done = self.slots.values_mut().map(Slot::write).fold(Ok(()), Result::and);
            self.done("what is typed", done);
        }
        drop(first);
    }

    fn claim(&mut self, wanted: Wanted, tell: &Sender<Found>, todo: Sender<Todo>) {
        let Wanted { place, name, given, host } = wanted;
        let address = place.to_string();
        let (servers, broken) = self.folder.servers();
        // Of several no key is the place's.
        let known = servers.key(&place.servers().first().to_string());
        let whose = Identity::new(&place, &name).with(host.or(known));
        let (slot, trouble) = self.folder.claim(&whose);
        let trouble = broken.map(Trouble::Broken).or(trouble);
        let (secrets, broken) = self.folder.secrets();
        let trouble = broken.map(Trouble::Broken).or(trouble);
        let before = secrets.given(&address, &name);
        let given = given.or(before.clone());
        if given != before {
            let change = |secrets: &mut Secrets| secrets.give(&address, &name, given.clone());
            let done = self.folder.change_secrets(change);
            self.done("a password", done.map(drop));
        }
        // Another window has the name, and does not lose it to this one.
        let own = if matches!(trouble, Some(Trouble::Taken)) { Vec::new() } else { secrets.own() };
        let credentials = Credentials { own, given, host };
        let trusts = place.servers().iter().map(|server| servers.trust(&server.to_string())).collect();
        self.last += 1;
        let (id, kept) = (self.last, slot.kept.clone());
        self.slots.insert(id, slot);
        let claim = Claim(Arc::new(Claimed { id, todo }));
        // Nobody wants it any more: then it is released.
        let _ = tell.try_send(Found { claim, kept, trusts, credentials, whose, trouble });
    }

    fn rename(&mut self, id: u64, to: &Identity) {
        if let Some(slot) = self.slots.get_mut(&id) {
            let done = self.folder.rename(slot, to);
            self.done("what is typed", done);
        }
    }

    fn done(&mut self, what: &str, done: io::Result<()>) {
        if let Err(error) = done {
            log::warn!("{what} cannot be kept: {error}");
            if !std::mem::replace(&mut self.told, true) {
                let _ = self.tell.try_send(News::NotKept(error));
            }
        }
    }
}
