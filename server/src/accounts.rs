//! The accounts as the hub task sees them: a thread that derives keys from passwords, which takes long, and writes
//! records to the disk, which may.

use std::thread::{Builder, JoinHandle};

use async_channel::Sender;

use crate::hub::{Input, Password};
use crate::peer::Arrival;
use crate::protocol::scram::Keys;
use crate::store::AccountsFile;

/// No queue grows here: the hub asks for one key at a time, and counts what a party has written of accounts.
enum Job {
    Derive { ticket: u64, password: Password },
    Keep { ticket: Option<u64>, name: Box<str>, state: Option<Box<[u8]>> },
}

/// See the [module](self).
pub(crate) struct Accounts {
    jobs: Sender<Job>,
    thread: Option<JoinHandle<()>>,
}

impl Accounts {
    /// Starts the thread. Without a file accounts last as long as the server.
    pub(crate) fn start(mut file: Option<AccountsFile>, hub: Sender<Arrival>) -> Accounts {
        let (jobs, waiting) = async_channel::unbounded();
        let run = move || {
            while let Ok(job) = waiting.recv_blocking() {
                let told = match job {
                    Job::Derive { ticket, password: Password { text, salt, rounds } } => {
                        Some(Input::Derived { ticket, keys: Keys::derive(&text, &salt, rounds) })
                    }
                    Job::Keep { ticket, name, state } => {
                        let kept = file.as_mut().is_none_or(|file| keep(file, &name, state));
                        ticket.map(|ticket| Input::AccountKept { ticket, kept })
                    }
                };
                // A hub that has stopped needs no answer; what is to be kept still is.
                told.into_iter().for_each(|input| drop(hub.send_blocking(Arrival::Input(input))));
            }
        };
        let thread = Builder::new().name("accounts".into()).spawn(run);
        let thread = thread.inspect_err(|error| log::error!("accounts: nobody can log in: {error}")).ok();
        Accounts { jobs, thread }
    }

    pub(crate) fn derive(&self, ticket: u64, password: Password) {
        self.add(Job::Derive { ticket, password });
    }

    pub(crate) fn keep(&self, ticket: Option<u64>, name: Box<str>, state: Option<Box<[u8]>>) {
        self.add(Job::Keep { ticket, name, state });
    }

    fn add(&self, job: Job) {
        // Refused only where there is no thread, which was said.
        let _ = self.jobs.try_send(job);
    }

    /// Writes what waits. The hub's channel has to be closed: the thread may wait to tell it something.
    pub(crate) fn close(self) {
        drop(self.jobs);
        // A panic was said in the log.
        self.thread.into_iter().for_each(|thread| drop(thread.join()));
    }
}

fn keep(file: &mut AccountsFile, name: &str, state: Option<Box<[u8]>>) -> bool {
    let kept = file.keep(name, state);
    if let Err(error) = &kept {
        log::error!("accounts: {name} is not kept: {error}");
    }
    kept.is_ok()
}
