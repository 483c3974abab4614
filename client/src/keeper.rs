//! Writes settings and drafts on a thread of its own: a disk takes the time it takes.

use std::io;
use std::thread;

use async_channel::{Receiver, Sender};

use crate::drafts::Drafts;
use crate::settings::{Folder, Settings};

/// The way to that thread; it ends with this, when all is written.
pub struct Keeper {
    todo: Sender<Todo>,
    /// Why settings could not be written.
    pub failures: Receiver<io::Error>,
}

enum Todo {
    Settings(Settings),
    Drafts(Drafts),
    /// All that came before is written when this is dropped.
    Sign(Sender<Written>),
}

/// Nothing: a channel of it can only close.
#[derive(Debug)]
pub enum Written {}

impl Keeper {
    /// Starts the thread; where there can be none, nothing is kept, and the log says so.
    pub fn start(folder: Folder) -> Keeper {
        // A person cannot outrun it, and whoever holds a key down leaves one change to be written.
        let (todo, jobs) = async_channel::unbounded();
        let (tell, failures) = async_channel::bounded(1);
        let run = move || {
            while let Ok(first) = jobs.recv_blocking() {
                let (mut settings, mut drafts, mut signs) = (None, None, Vec::new());
                for job in std::iter::once(first).chain(std::iter::from_fn(|| jobs.try_recv().ok())) {
                    match job {
                        Todo::Settings(last) => settings = Some(last),
                        Todo::Drafts(last) => drafts = Some(last),
                        Todo::Sign(sign) => signs.push(sign),
                    }
                }
                if let Some(Err(error)) = settings.map(|settings| folder.keep_settings(&settings)) {
                    log::warn!("settings are not kept: {error}");
                    // One sentence about it is enough.
                    let _ = tell.try_send(error);
                }
                if let Some(Err(error)) = drafts.map(|drafts| folder.keep_drafts(&drafts)) {
                    log::warn!("drafts are not kept: {error}");
                }
            }
        };
        if let Err(error) = thread::Builder::new().name("keeper".into()).spawn(run) {
            log::warn!("settings and drafts are not kept: {error}");
        }
        Keeper { todo, failures }
    }

    /// Has the settings written.
    pub fn keep_settings(&self, settings: &Settings) {
        // Closed: said already.
        let _ = self.todo.try_send(Todo::Settings(settings.clone()));
    }

    /// Has the drafts written.
    pub fn keep_drafts(&self, drafts: &Drafts) {
        let _ = self.todo.try_send(Todo::Drafts(drafts.clone()));
    }

    /// Closes when all that is to be written is.
    pub fn written(&self) -> Receiver<Written> {
        let (sign, written) = async_channel::bounded(1);
        let _ = self.todo.try_send(Todo::Sign(sign));
        written
    }
}
