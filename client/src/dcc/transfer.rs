//! One file, offered to us or by us, and what may still become of it.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use async_channel::Sender;

use super::Failure;
use super::link::{Way, may_call};
use crate::conversations::ConversationId;
use crate::session::{Dcc, Key};

/// Which transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(pub u64);

/// The other one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    /// Where we talk to them.
    pub at: ConversationId,
    /// Their name, folded.
    pub key: Key,
    /// As they write it.
    pub nick: String,
}

/// What is to be said to somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Say {
    /// To whom.
    pub to: Who,
    /// What.
    pub dcc: Dcc,
}

/// One file, offered to us or by us.
#[derive(Debug)]
pub struct Transfer {
    /// Which.
    pub id: FileId,
    /// From whom, or to whom.
    pub who: Who,
    /// The name that it has here; harmless.
    pub name: String,
    /// Bytes; 0 where the offer made no sense.
    pub size: u64,
    /// We send it.
    pub outgoing: bool,
    /// How far it has come.
    pub state: State,
    /// Where it is here, once it is whole; or what is sent.
    pub path: Option<PathBuf>,
    /// As its sender wrote it.
    pub(super) wire: String,
    pub(super) ip: Option<IpAddr>,
    /// Our own address, as they are told it.
    pub(super) own: IpAddr,
    pub(super) port: u16,
    pub(super) token: Option<String>,
    /// It broke, and what has come of it is here.
    pub(super) kept: bool,
    pub(super) job: Option<Job>,
}

/// How far a transfer has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Somebody wants us to have it, and waits for a word.
    Offered {
        /// Bytes that are here of one that broke.
        begun: Option<u64>,
    },
    /// The two computers have not met yet.
    Waiting,
    /// Bytes go.
    Running {
        /// Bytes from the beginning.
        done: u64,
        /// Bytes a second.
        rate: u64,
    },
    /// It is whole.
    Done,
    /// It is not, and why.
    Failed(Failure),
}

impl State {
    /// It is over, this way or that.
    pub fn is_over(&self) -> bool {
        matches!(self, State::Done | State::Failed(_))
    }

    pub(super) fn is_under_way(&self) -> bool {
        matches!(self, State::Waiting | State::Running { .. })
    }
}

/// A transfer's thread; dropped, it ends, and what has come stays to be gone on with.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) stop: Sender<()>,
    pub(super) meet: Meet,
}

#[derive(Debug)]
pub(super) enum Meet {
    /// Tells a receiver from where on, and how to meet.
    Agreed(Sender<(u64, Way)>),
    /// Tells a sender how to meet, and from where on.
    Sends(Sender<Way>, Arc<AtomicU64>),
}

impl Transfer {
    /// It broke on its way here, and its first part is kept.
    pub fn can_go_on(&self) -> bool {
        use Failure::{Broken, DiskFull, Stalled};
        !self.outgoing && self.kept && matches!(self.state, State::Failed(Broken | DiskFull | Stalled))
    }

    pub(super) fn is_of(&self, who: &Who) -> bool {
        self.who.at.place == who.at.place && self.who.key == who.key
    }

    /// Whether somebody's word of a port, or where nobody listens yet of a token, is of this one: some programs use the same
    /// port for all files, one after the other.
    pub(super) fn is_meant(&self, who: &Who, port: u16, token: Option<&String>) -> bool {
        let named = self.port == port && (port != 0 || self.token.as_ref() == token);
        self.state == State::Waiting && self.is_of(who) && named
    }

    pub(super) fn run(&mut self, run: impl FnOnce() + Send + 'static) {
        if let Err(error) = thread::Builder::new().name("file".into()).spawn(run) {
            self.over(Failure::ours(&error));
        }
    }

    pub(super) fn over(&mut self, failure: Failure) {
        (self.state, self.job) = (State::Failed(failure), None);
    }

    /// The sender begins there: the two may meet. What is to be said, if we are to be called.
    pub(super) fn agreed(&mut self, position: u64) -> Option<Say> {
        let Some(Job { meet: Meet::Agreed(agree), .. }) = &self.job else { return None };
        if self.port != 0 {
            let address = SocketAddr::new(self.ip?, self.port);
            // Full: it was agreed before.
            let _ = agree.try_send((position, Way::Call(address)));
            return None;
        }
        match Way::listen(self.own) {
            Ok((way, port)) => {
                agree.try_send((position, way)).ok()?;
                let (name, size, token) = (self.wire.clone(), Some(self.size), self.token.clone());
                Some(Say { to: self.who.clone(), dcc: Dcc::Send { name, ip: self.own, port, size, token } })
            }
            Err(error) => {
                self.over(Failure::ours(&error));
                None
            }
        }
    }

    /// Whether the receiver of what we offer may have these bytes already; from then on that is where it begins.
    pub(super) fn may_begin_at(&self, position: u64) -> bool {
        match &self.job {
            Some(Job { meet: Meet::Sends(_, begins), .. }) if position < self.size => {
                begins.store(position, Ordering::Release);
                true
            }
            _ => false,
        }
    }

    /// The receiver of what we offer says where to call.
    pub(super) fn called_back(&mut self, ip: IpAddr, port: u16, server_here: bool) {
        if !may_call(ip, port, server_here) {
            self.over(Failure::AddressNotPossible);
        } else if let Some(Job { meet: Meet::Sends(meet, _), .. }) = &self.job {
            // Full: it was told before.
            let _ = meet.try_send(Way::Call(SocketAddr::new(ip, port)));
        }
    }
}
