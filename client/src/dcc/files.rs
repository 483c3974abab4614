//! All transfers: what is offered, what is under way, what became of it.

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use async_channel::{Receiver, Sender};

use super::link::{Tell, Way, may_call};
use super::part::Part;
use super::transfer::{FileId, Job, Meet, Say, State, Transfer, Who};
use super::{Failure, LARGEST, News, OFFERS, OFFERS_EACH, REMEMBERED, RUNNING, Source, receive, send};
use crate::conversations::ConversationId;
use crate::file_name::clean;
use crate::place::PlaceId;
use crate::session::Dcc;

/// News that wait for the window.
const NEWS: usize = 256;

/// What somebody's program offers, as it says it.
struct Offer {
    wire: String,
    ip: IpAddr,
    port: u16,
    size: Option<u64>,
    token: Option<String>,
}

/// Bytes that are in the folder of a file that is offered. Asks the disk: not on the window's thread.
pub fn begun(folder: &Path, dcc: &Dcc) -> Option<u64> {
    match dcc {
        Dcc::Send { name, size: Some(size), .. } => Part::begun(folder, &clean(name), *size),
        _ => None,
    }
}

/// As many as may be are under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full;

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

    /// Somebody's program has said something, at a server that is on this computer or not; of an offer so much has
    /// [`begun`] to come. What is to be said in return.
    pub fn heard(&mut self, who: Who, dcc: Dcc, server_here: bool, begun: Option<u64>) -> Option<Say> {
        match dcc {
            Dcc::Send { name, ip, port, size, token } => {
                if port == 0 || token.is_none() {
                    self.offered(who, Offer { wire: name, ip, port, size, token }, server_here, begun);
                    return None;
                }
                // With both it answers an offer of ours; of none that waits for it, nobody was told anything.
                let ours = |file: &&mut Transfer| file.outgoing && file.is_meant(&who, 0, token.as_ref());
                if let Some(ours) = self.list.iter_mut().find(ours) {
                    ours.called_back(ip, port, server_here);
                }
                None
            }
            Dcc::Resume { name, port, position, token } => {
                let ours = |file: &&mut Transfer| file.outgoing && file.is_meant(&who, port, token.as_ref());
                self.list.iter_mut().find(ours).filter(|file| file.may_begin_at(position))?;
                Some(Say { to: who, dcc: Dcc::Accept { name, port, position, token } })
            }
            Dcc::Accept { port, position, token, .. } => {
                let theirs =
                    |file: &&mut Transfer| !file.outgoing && file.is_meant(&who, port, token.as_ref());
                self.list.iter_mut().find(theirs)?.agreed(position)
            }
            Dcc::Reject { name } => {
                let ours = |file: &&mut Transfer| {
                    file.outgoing
                        && file.is_of(&who)
                        && file.state == State::Waiting
                        && clean(&file.wire) == clean(&name)
                };
                self.list.iter_mut().find(ours)?.over(Failure::Declined);
                None
            }
        }
    }

    fn offered(&mut self, who: Who, offer: Offer, server_here: bool, begun: Option<u64>) {
        let Offer { wire, ip, port, size, token } = offer;
        let name = clean(&wire);
        let state = match size {
            None => State::Failed(Failure::NoSize),
            Some(size) if size > LARGEST => State::Failed(Failure::SizeNotPossible),
            Some(_) if port == 0 && token.is_none() => State::Failed(Failure::AddressNotPossible),
            Some(_) if port != 0 && !may_call(ip, port, server_here) => {
                State::Failed(Failure::AddressNotPossible)
            }
            Some(_) => State::Offered { begun: begun.filter(|_| !self.is_coming(&name)) },
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
        });
    }

    /// Another transfer has a file of that name.
    fn is_coming(&self, name: &str) -> bool {
        self.list.iter().any(|file| !file.outgoing && file.name == name && file.state.is_under_way())
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

    /// A place is left: what is under way there ends, and what has come of it stays on the disk.
    pub fn left(&mut self, place: &PlaceId) {
        self.list.retain(|file| file.who.at.place != *place);
    }

    /// A conversation was closed: its offers, and what is over, are gone. What is under way goes on.
    pub fn closed(&mut self, at: &ConversationId) {
        self.list.retain(|file| file.who.at != *at || file.state.is_under_way());
    }
}
