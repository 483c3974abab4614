//! All transfers: what is offered, what is under way, what became of it.

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use async_channel::{Receiver, Sender};

use super::link::{Tell, Way, may_call};
use super::part::Part;
use super::{Failure, LARGEST, News, OFFERS, OFFERS_EACH, REMEMBERED, RUNNING, Source, receive, send};
use crate::conversations::ConversationId;
use crate::file_name::clean;
use crate::session::{Dcc, Key};

/// News that wait for the window.
const NEWS: usize = 256;

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

/// What somebody's program offers, as it says it.
struct Offer {
    wire: String,
    ip: IpAddr,
    port: u16,
    size: Option<u64>,
    token: Option<String>,
}

/// What is to be said to somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Say {
    /// To whom.
    pub to: Who,
    /// What.
    pub dcc: Dcc,
}

/// As many as may be are under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full;

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
    wire: String,
    ip: Option<IpAddr>,
    /// Our own address, as they are told it.
    own: IpAddr,
    port: u16,
    token: Option<String>,
    /// It broke, and what has come of it is here.
    kept: bool,
    job: Option<Job>,
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

    fn is_under_way(&self) -> bool {
        matches!(self, State::Waiting | State::Running { .. })
    }
}

/// A transfer's thread; dropped, it ends, and what has come stays to be gone on with.
#[derive(Debug)]
struct Job {
    stop: Sender<()>,
    meet: Meet,
}

#[derive(Debug)]
enum Meet {
    /// Tells a receiver from where on, and how to meet.
    Agreed(Sender<(u64, Way)>),
    /// Tells a sender how to meet, and from where on.
    Sends(Sender<Way>, Arc<AtomicU64>),
}

/// All transfers of this window, at most [`REMEMBERED`].
#[derive(Debug)]
pub struct Files {
    list: VecDeque<Transfer>,
    last: u64,
    tell: Sender<(FileId, News)>,
    /// What the transfers tell; to be given to [`told`](Self::told).
    pub news: Receiver<(FileId, News)>,
}

impl Default for Files {
    fn default() -> Files {
        let (tell, news) = async_channel::bounded(NEWS);
        Files { list: VecDeque::new(), last: 0, tell, news }
    }
}

impl Files {
    /// All of them, the oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Transfer> {
        self.list.iter()
    }

    /// One of them.
    pub fn get(&self, id: FileId) -> Option<&Transfer> {
        self.list.iter().find(|file| file.id == id)
    }

    fn get_mut(&mut self, id: FileId) -> Option<&mut Transfer> {
        self.list.iter_mut().find(|file| file.id == id)
    }

    /// How many are under way.
    pub fn running(&self) -> usize {
        self.list.iter().filter(|file| file.state.is_under_way()).count()
    }

    /// Somebody's program has said something, at a server that is on this computer or not. What is to be said in return, and
    /// the transfer that it is about.
    pub fn heard(
        &mut self,
        who: Who,
        dcc: Dcc,
        server_here: bool,
        folder: &Path,
    ) -> (Option<Say>, Option<FileId>) {
        match dcc {
            Dcc::Send { name, ip, port, size, token } => {
                if port == 0 || token.is_none() {
                    let offer = Offer { wire: name, ip, port, size, token };
                    return (None, Some(self.offered(who, offer, server_here, folder)));
                }
                // With both it answers an offer of ours; of none that waits for it, nobody was told anything.
                let ours =
                    self.list.iter_mut().find(|file| file.outgoing && file.is_meant(&who, 0, token.as_ref()));
                (None, ours.map(|ours| ours.called_back(ip, port, server_here)))
            }
            Dcc::Resume { name, port, position, token } => {
                let file = self
                    .list
                    .iter_mut()
                    .find(|file| file.outgoing && file.is_meant(&who, port, token.as_ref()));
                let Some(file) = file.filter(|file| file.may_begin_at(position)) else { return (None, None) };
                let dcc = Dcc::Accept { name, port, position, token };
                (Some(Say { to: who, dcc }), Some(file.id))
            }
            Dcc::Accept { port, position, token, .. } => {
                let file = self
                    .list
                    .iter_mut()
                    .find(|file| !file.outgoing && file.is_meant(&who, port, token.as_ref()));
                let Some(file) = file else { return (None, None) };
                let id = file.id;
                (file.agreed(position), Some(id))
            }
            Dcc::Reject { name } => {
                let file = self.list.iter_mut().find(|file| {
                    file.outgoing
                        && file.is_of(&who)
                        && file.state == State::Waiting
                        && clean(&file.wire) == clean(&name)
                });
                let id = file.map(|file| {
                    file.over(Failure::Declined);
                    file.id
                });
                (None, id)
            }
        }
    }

    fn offered(&mut self, who: Who, offer: Offer, server_here: bool, folder: &Path) -> FileId {
        let Offer { wire, ip, port, size, token } = offer;
        let name = clean(&wire);
        let state = match size {
            None => State::Failed(Failure::NoSize),
            Some(size) if size > LARGEST => State::Failed(Failure::SizeNotPossible),
            Some(_) if port == 0 && token.is_none() => State::Failed(Failure::AddressNotPossible),
            Some(_) if port != 0 && !may_call(ip, port, server_here) => {
                State::Failed(Failure::AddressNotPossible)
            }
            Some(size) => State::Offered { begun: self.begun(folder, &name, size) },
        };
        // The same file again takes the place of the offer, or of the failure, before.
        self.list.retain(|file| {
            file.outgoing
                || !file.is_of(&who)
                || file.wire != wire
                || !matches!(file.state, State::Offered { .. } | State::Failed(_))
        });
        if !state.is_over() {
            self.make_room_for_offer(&who);
        }
        let size = size.unwrap_or_default();
        self.add(Transfer {
            id: FileId(0),
            who,
            name,
            size,
            outgoing: false,
            state,
            path: None,
            wire,
            ip: Some(ip),
            own: Ipv4Addr::UNSPECIFIED.into(),
            port,
            token,
            kept: false,
            job: None,
        })
    }

    /// Bytes of the file that are here, unless another transfer goes on with them.
    fn begun(&self, folder: &Path, name: &str, size: u64) -> Option<u64> {
        let taken =
            self.list.iter().any(|file| !file.outgoing && file.name == name && file.state.is_under_way());
        if taken { None } else { Part::begun(folder, name, size) }
    }

    fn make_room_for_offer(&mut self, who: &Who) {
        let waits = |file: &&Transfer| matches!(file.state, State::Offered { .. });
        let of_them = self.list.iter().filter(|file| waits(file) && file.is_of(who)).count() >= OFFERS_EACH;
        let of_all = self.list.iter().filter(waits).count() >= OFFERS;
        if of_them || of_all {
            let oldest = self.list.iter().position(|file| waits(&file) && (!of_them || file.is_of(who)));
            oldest.map(|at| self.list.remove(at));
        }
    }

    fn add(&mut self, file: Transfer) -> FileId {
        if self.list.len() >= REMEMBERED {
            let over = self.list.iter().position(|file| file.state.is_over());
            // Those that are not over have bounds of their own.
            over.map(|at| self.list.remove(at));
        }
        self.last += 1;
        let id = FileId(self.last);
        self.list.push_back(Transfer { id, ..file });
        id
    }

    /// The person wants it, in this folder; `go_on`: behind what is there of it. Our address is told only if the other one
    /// is to call.
    pub fn save(&mut self, id: FileId, folder: &Path, go_on: bool, own: IpAddr) -> Result<Option<Say>, Full> {
        if self.running() >= RUNNING {
            return Err(Full);
        }
        let tell = Tell { id, news: self.tell.clone() };
        let Some(file) = self.get_mut(id) else { return Ok(None) };
        let State::Offered { begun } = file.state else { return Ok(None) };
        let begun = begun.filter(|_| go_on).unwrap_or_default();
        let (agree, agreed) = async_channel::bounded(1);
        let (stop, stopped) = async_channel::bounded(1);
        let receive = receive::Receive {
            folder: folder.to_owned(),
            name: file.name.clone(),
            size: file.size,
            begun,
            agreed,
            stop: stopped,
        };
        file.state = State::Waiting;
        file.own = own;
        file.job = Some(Job { stop, meet: Meet::Agreed(agree) });
        file.run(move || receive::run(&receive, &tell));
        if begun == 0 {
            return Ok(file.agreed(0));
        }
        let (name, port, token) = (file.wire.clone(), file.port, file.token.clone());
        let dcc = Dcc::Resume { name, port, position: begun, token };
        Ok(Some(Say { to: file.who.clone(), dcc }))
    }

    /// Offers a file to somebody, who sees this address of ours. `passive`: they are to say where we can call, for where
    /// nobody can call us.
    pub fn offer(
        &mut self,
        who: Who,
        source: Source,
        own: IpAddr,
        passive: bool,
    ) -> Result<Option<Say>, Full> {
        if self.running() >= RUNNING {
            return Err(Full);
        }
        let (meet, way) = async_channel::bounded(1);
        let (stop, stopped) = async_channel::bounded(1);
        let position = Arc::new(AtomicU64::new(0));
        let listening =
            if passive { Ok((None, 0)) } else { Way::listen(own).map(|(way, port)| (Some(way), port)) };
        let (name, size, path) = (source.name.clone(), source.size, source.path.clone());
        let (state, port, listening) = match listening {
            Ok((listening, port)) => (State::Waiting, port, listening),
            Err(error) => (State::Failed(Failure::ours(&error)), 0, None),
        };
        let mut file = Transfer {
            id: FileId(0),
            who: who.clone(),
            wire: name.clone(),
            name: name.clone(),
            size,
            outgoing: true,
            state,
            path: Some(path),
            ip: None,
            own,
            port,
            token: None,
            kept: false,
            job: None,
        };
        // What came of the same file before says nothing any more.
        let same = |other: &Transfer| {
            other.outgoing
                && other.is_of(&who)
                && other.path == file.path
                && matches!(other.state, State::Failed(_))
        };
        self.list.retain(|other| !same(other));
        if file.state.is_over() {
            self.add(file);
            return Ok(None);
        }
        if passive {
            // Whoever knows it may have the file, under whichever name they come: nobody can guess it. Some programs
            // have room for 31 bits.
            file.token = Some((RandomState::new().hash_one(self.last) >> 33).to_string());
        }
        if let Some(way) = listening {
            let _ = meet.try_send(way); // it is empty
        }
        let mut job = send::Send { source, way, position: Arc::clone(&position), stop: stopped };
        let token = file.token.clone();
        file.job = Some(Job { stop, meet: Meet::Sends(meet, position) });
        let id = self.add(file);
        let tell = Tell { id, news: self.tell.clone() };
        if let Some(file) = self.get_mut(id) {
            file.run(move || send::run(&mut job, &tell));
        }
        let dcc = Dcc::Send { name, ip: own, port, size: Some(size), token };
        Ok(Some(Say { to: who, dcc }))
    }

    /// The person does not want it, or not any more. An offer that is declined is gone, and its sender is told.
    pub fn cancel(&mut self, id: FileId) -> Option<Say> {
        let at = self.list.iter().position(|file| file.id == id)?;
        let file = self.list.get_mut(at)?;
        match file.state {
            State::Offered { .. } => {
                let file = self.list.remove(at)?;
                Some(Say { to: file.who, dcc: Dcc::Reject { name: file.wire } })
            }
            State::Waiting | State::Running { .. } => {
                if let Some(job) = &file.job {
                    let _ = job.stop.try_send(()); // it is empty, or the thread has ended
                }
                file.over(Failure::Cancelled);
                None
            }
            State::Done | State::Failed(_) => {
                self.list.remove(at);
                None
            }
        }
    }

    /// Takes what a transfer tells; says whether anything has changed.
    pub fn told(&mut self, id: FileId, news: News) -> bool {
        // Of what was cancelled nothing is news.
        let Some(file) = self.get_mut(id).filter(|file| file.state.is_under_way()) else { return false };
        match news {
            News::Moved { done, rate } => file.state = State::Running { done, rate },
            News::Done { path } => {
                (file.state, file.job) = (State::Done, None);
                file.path = path.or(file.path.take());
            }
            News::Failed { why, kept } => {
                file.kept = kept;
                file.over(why);
            }
        }
        true
    }

    /// Somebody has another name, or their conversation another key.
    pub fn renamed(&mut self, from: &ConversationId, to: &ConversationId, nick: &str) {
        for file in self.list.iter_mut().filter(|file| file.who.at == *from && file.who.key == from.key) {
            file.who = Who { at: to.clone(), key: to.key.clone(), nick: nick.to_owned() };
        }
    }

    /// A conversation was closed: its offers, and what is over, are gone. What is under way goes on.
    pub fn closed(&mut self, at: &ConversationId) {
        self.list.retain(|file| file.who.at != *at || file.state.is_under_way());
    }
}

impl Transfer {
    /// It broke on its way here, and its first part is kept.
    pub fn can_go_on(&self) -> bool {
        use Failure::{Broken, DiskFull, Stalled};
        !self.outgoing && self.kept && matches!(self.state, State::Failed(Broken | DiskFull | Stalled))
    }

    fn is_of(&self, who: &Who) -> bool {
        self.who.at.place == who.at.place && self.who.key == who.key
    }

    /// Whether somebody's word of a port, or where nobody listens yet of a token, is of this one: some programs use the same
    /// port for all files, one after the other.
    fn is_meant(&self, who: &Who, port: u16, token: Option<&String>) -> bool {
        let named = self.port == port && (port != 0 || self.token.as_ref() == token);
        self.state == State::Waiting && self.is_of(who) && named
    }

    fn run(&mut self, run: impl FnOnce() + std::marker::Send + 'static) {
        if let Err(error) = thread::Builder::new().name("file".into()).spawn(run) {
            self.over(Failure::ours(&error));
        }
    }

    fn over(&mut self, failure: Failure) {
        (self.state, self.job) = (State::Failed(failure), None);
    }

    /// The sender begins there: the two may meet. What is to be said, if we are to be called.
    fn agreed(&mut self, position: u64) -> Option<Say> {
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
    fn may_begin_at(&self, position: u64) -> bool {
        match &self.job {
            Some(Job { meet: Meet::Sends(_, begins), .. }) if position < self.size => {
                begins.store(position, Ordering::Release);
                true
            }
            _ => false,
        }
    }

    /// The receiver of what we offer says where to call.
    fn called_back(&mut self, ip: IpAddr, port: u16, server_here: bool) -> FileId {
        if !may_call(ip, port, server_here) {
            self.over(Failure::AddressNotPossible);
        } else if let Some(Job { meet: Meet::Sends(meet, _), .. }) = &self.job {
            // Full: it was told before.
            let _ = meet.try_send(Way::Call(SocketAddr::new(ip, port)));
        }
        self.id
    }
}
