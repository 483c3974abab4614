//! What the connections of a running server have in common.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_channel::{Receiver, Sender};
use futures_lite::future;
use smol::Timer;

use super::connection::LATE;
use super::error::Error;
use super::history::{Differs, Entry, History, Kept};
use super::reply::Reply;
use super::script::Identity;
use super::words::Words;
use crate::protocol::Position;

/// Bytes of an entry at most.
pub const MAX_ENTRY: usize = 256 << 10;
/// Entries that are appended at once.
const BATCH: usize = 256;
/// Bytes of them at most; one may have more.
const BATCH_BYTES: usize = 256 << 10;
/// Bytes at most that wait to be published.
const PUBLISH_BYTES: usize = 4 << 20;

/// Why a server begins anew.
pub(super) const FENCED: &str = "it was silent for so long that the others have given it up";
pub(super) const DIFFERS: &str = "the log of the cluster is not the one that it has read";

/// What a running server is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The next entries of the log, in order, this server's own included, each exactly once.
    Entries(Vec<Entry>),
    /// Published to this server, or to all: by this one, too.
    Private(Box<[u8]>),
    /// Whether a server took what was published. Where the engine is away, or the answer was lost, none did as far as is
    /// known.
    Heard {
        /// The ticket of [`Link::publish`](super::Link::publish).
        ticket: u64,
        /// Whether it was taken.
        heard: bool,
    },
    /// The engine has not answered for two seconds. Told once.
    Away {
        /// A sentence.
        why: String,
    },
    /// It answers again.
    Back,
    /// It had lost something, and this server has put it back.
    PutBack {
        /// How many entries.
        entries: usize,
    },
    /// Another server's lease is over: [`Link::fence`](super::Link::fence) it. Told again until somebody has.
    Expired {
        /// Its number.
        server: u32,
    },
    /// This server must begin anew: its lease is over and the others know, or the log is not the one that it has read.
    /// Nothing follows.
    Fenced {
        /// The reason, which completes "this server begins anew: ".
        why: String,
    },
}

/// The connections, by what they are for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Role {
    Writer,
    Reader,
    Listener,
}

struct Proposal {
    sequence: u64,
    bytes: Box<[u8]>,
}

/// Something for one server, or for all: that waits where the engine is away.
pub(super) struct Publication {
    pub(super) server: Option<u32>,
    pub(super) ticket: u64,
    pub(super) bytes: Box<[u8]>,
}

/// What waits, and what is known.
#[derive(Default)]
pub(super) struct State {
    pub(super) history: History,
    /// Proposals that were not read in the log yet, in order and without a gap. Whoever proposes bounds them, by
    /// [`Link::waiting`](super::Link::waiting).
    proposals: VecDeque<Proposal>,
    /// The sequence of the last proposal.
    proposed: u64,
    /// The same of the last one that the engine has taken.
    appended: u64,
    /// The same of the last one that was read.
    pub(super) read: u64,
    /// Bytes of proposals that the engine has not taken.
    pub(super) waiting: usize,
    pub(super) publications: VecDeque<Publication>,
    publication_bytes: usize,
    /// What was published and not answered.
    asked: VecDeque<Publication>,
    /// Tickets that are answered, to be told.
    heard: Vec<(u64, bool)>,
    /// Servers to be fenced, and the entries that say so.
    pub(super) fences: Vec<(u32, Box<[u8]>)>,
    /// Servers that were not fenced when the lease was renewed last.
    pub(super) peers: Vec<u32>,
    /// The latest snapshot is to be kept by the engine.
    pub(super) snapshot_waits: bool,
    /// The parts that are not connected.
    down: [bool; 3],
    /// Since when there is such a part, and what was last wrong.
    trouble: Option<(Instant, String)>,
    /// When the lease is to be given up.
    pub(super) leave_at: Option<Instant>,
}

/// See the [module](self).
pub(super) struct Shared {
    pub(super) me: Identity,
    pub(super) tell: Sender<Event>,
    pub(super) state: RefCell<State>,
    /// There is something to be written.
    pub(super) bell: (Sender<()>, Receiver<()>),
    /// There is something to be told.
    news: (Sender<()>, Receiver<()>),
    /// The lease is given up.
    pub(super) left: (Sender<()>, Receiver<()>),
}

impl Shared {
    pub(super) fn new(me: Identity, history: History, tell: Sender<Event>) -> Shared {
        let bell = || async_channel::bounded(1);
        let state = State { history, down: [false, true, true], ..State::default() };
        Shared { me, tell, state: RefCell::new(state), bell: bell(), news: bell(), left: bell() }
    }

    /// Tells something, as soon as there is room.
    pub(super) async fn tell(&self, event: Event) {
        // Nobody listens where the server ends.
        let _ = self.tell.send(event).await;
    }

    /// A part is connected, and is answered.
    pub(super) fn up(&self, role: Role) {
        let state = &mut *self.state.borrow_mut();
        state.down[role as usize] = false;
        if state.trouble.is_some() && state.down == [false; 3] {
            state.trouble = None;
            ring(&self.news);
        }
    }

    /// A part is not connected, or was not answered since then.
    pub(super) fn down(&self, role: Role, since: Instant, why: &Error) {
        let state = &mut *self.state.borrow_mut();
        state.down[role as usize] = true;
        let since = state.trouble.as_ref().map_or(since, |trouble| trouble.0);
        state.trouble = Some((since, why.to_string()));
        ring(&self.news);
    }

    /// No server hears what waits to be published to it alone, or is not answered; what is for all is published again.
    pub(super) fn unheard(&self) {
        let state = &mut *self.state.borrow_mut();
        state.asked.append(&mut state.publications);
        state.publication_bytes = 0;
        while let Some(one) = state.asked.pop_front() {
            if one.server.is_some() {
                state.heard.push((one.ticket, false));
            } else {
                state.publication_bytes += one.bytes.len();
                state.publications.push_back(one);
            }
        }
        ring(&self.news);
    }

    /// Tells of trouble that lasts, and of its end, and of what nobody heard.
    pub(super) async fn watch(&self) {
        let mut told = false;
        loop {
            let heard = std::mem::take(&mut self.state.borrow_mut().heard);
            for (ticket, heard) in heard {
                self.tell(Event::Heard { ticket, heard }).await;
            }
            let trouble = self.state.borrow().trouble.clone();
            let mut wait = Duration::MAX;
            match trouble {
                Some((since, why)) if !told => {
                    wait = LATE.saturating_sub(since.elapsed());
                    if wait.is_zero() {
                        told = true;
                        self.tell(Event::Away { why }).await;
                        continue;
                    }
                }
                None if told => {
                    told = false;
                    self.tell(Event::Back).await;
                    continue;
                }
                _ => {}
            }
            rung(&self.news, wait).await;
        }
    }

    pub(super) fn propose(&self, bytes: Box<[u8]>) {
        if bytes.len() > MAX_ENTRY {
            return log::error!("An entry of {} bytes is left out of the cluster's log.", bytes.len());
        }
        let state = &mut *self.state.borrow_mut();
        state.proposed += 1;
        state.waiting += bytes.len();
        state.proposals.push_back(Proposal { sequence: state.proposed, bytes });
        ring(&self.bell);
    }

    /// The first of what was published and not answered is answered.
    pub(super) fn heard(&self, replies: &[Reply]) {
        let state = &mut *self.state.borrow_mut();
        for reply in replies {
            let heard = matches!(reply, Reply::Number(count) if *count > 0);
            state.heard.extend(state.asked.pop_front().map(|one| (one.ticket, heard)));
        }
        ring(&self.news);
    }

    /// Ends the lease of another server.
    pub(super) fn fence(&self, server: u32, bytes: Box<[u8]>) {
        let state = &mut *self.state.borrow_mut();
        if state.fences.iter().all(|(fenced, _)| *fenced != server) {
            state.fences.push((server, bytes));
        }
        ring(&self.bell);
    }

    /// A key of the cluster.
    pub(super) fn key(&self, name: &str) -> String {
        format!("{}{name}", self.me.prefix)
    }

    /// What a server listens to, or what all do.
    pub(super) fn channel(&self, server: Option<u32>) -> String {
        let who = server.map_or_else(|| "all".into(), |server| server.to_string());
        format!("{}to:{who}", self.me.prefix)
    }

    /// Host and port of the engine, for errors.
    pub(super) fn at(&self) -> String {
        self.me.address.host.to_string()
    }

    /// The error where it does not answer.
    pub(super) fn silent(&self) -> Error {
        Error::Silent { at: self.at() }
    }

    pub(super) fn publish(&self, publication: Publication) {
        let state = &mut *self.state.borrow_mut();
        state.publication_bytes += publication.bytes.len();
        let away = publication.server.is_some() && state.down[Role::Writer as usize];
        if away || state.publication_bytes > PUBLISH_BYTES {
            state.publication_bytes -= publication.bytes.len();
            state.heard.push((publication.ticket, false));
            ring(&self.news);
        } else {
            state.publications.push_back(publication);
            ring(&self.bell);
        }
    }
}

impl State {
    /// What was read of the log. Says whether this server may go on.
    pub(super) fn take(&mut self, kept: Kept, me: u32) -> Result<(), Differs> {
        if kept.entry.server == me {
            if kept.sequence > self.proposed {
                // Another server has had this number: the engine had forgotten that it was given away.
                return Err(Differs);
            }
            self.read = self.read.max(kept.sequence);
            self.appended_upto(kept.sequence);
            while self.proposals.front().is_some_and(|first| first.sequence <= kept.sequence) {
                self.proposals.pop_front();
            }
        }
        self.fences.retain(|(fenced, _)| *fenced != kept.fences);
        self.history.take(kept)
    }

    /// Whether there are proposals that the engine has not taken.
    pub(super) fn has_proposals(&self) -> bool {
        self.appended < self.proposed
    }

    /// The engine has taken proposals up to this one.
    pub(super) fn appended_upto(&mut self, sequence: u64) {
        let before = self.appended;
        if before < sequence {
            self.appended = sequence;
            let taken = self.proposals.iter().skip_while(|one| one.sequence <= before);
            let taken = taken.take_while(|one| one.sequence <= sequence);
            self.waiting -= taken.map(|one| one.bytes.len()).sum::<usize>();
        }
    }

    /// What was not read is to be appended again: the script knows what of it is there.
    pub(super) fn append_again(&mut self) {
        self.appended = self.read;
        self.waiting = self.proposals.iter().map(|one| one.bytes.len()).sum();
    }

    /// Appends the next batch to a command: what was read, the sequence of the first, and the bytes of each. Gives the
    /// sequence of the last; `None` if there is nothing to be appended.
    pub(super) fn batch(&self, words: &mut Words) -> Option<u64> {
        let first = self.reached(words);
        let before = first.saturating_sub(self.proposals.front()?.sequence) as usize;
        let mut last = None;
        for one in self.proposals.iter().skip(before).take(BATCH) {
            if last.is_some() && words.size() + one.bytes.len() > BATCH_BYTES {
                break;
            }
            words.add(&one.bytes);
            last = Some(one.sequence);
        }
        last
    }

    /// Appends to a command how far this server has come: what was read, and the sequence that would be appended next.
    pub(super) fn reached(&self, words: &mut Words) -> u64 {
        let first = self.appended + 1;
        words.number(self.read).number(first);
        first
    }

    /// What is to be published now.
    pub(super) fn take_publications(&mut self) -> impl Iterator<Item = &Publication> + use<'_> {
        self.publication_bytes = 0;
        let known = self.asked.len();
        self.asked.append(&mut self.publications);
        self.asked.iter().skip(known)
    }

    /// Takes over a snapshot, which the engine is to keep too.
    pub(super) fn keep_snapshot(&mut self, at: Position, bytes: Arc<[u8]>) {
        self.history.take_snapshot(at, bytes);
        self.snapshot_waits = true;
    }
}

/// Wakes whoever waits for this bell.
pub(super) fn ring(bell: &(Sender<()>, Receiver<()>)) {
    // One that rings already need not ring twice.
    let _ = bell.0.try_send(());
}

/// Waits until it rings, or for so long.
pub(super) async fn rung(bell: &(Sender<()>, Receiver<()>), wait: Duration) {
    let ringing = async {
        let _ = bell.1.recv().await;
    };
    within(wait, pin!(ringing)).await;
}

/// Waits for something, or for so long.
pub(super) async fn within(wait: Duration, something: Pin<&mut (dyn Future<Output = ()> + '_)>) {
    let late = async {
        Timer::after(wait).await;
    };
    future::or(something, late).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: u32 = 3;

    fn state(proposals: &[usize]) -> State {
        let mut state = State::default();
        for length in proposals {
            state.proposed += 1;
            state.waiting += length;
            state.proposals.push_back(Proposal { sequence: state.proposed, bytes: vec![0; *length].into() });
        }
        state
    }

    fn kept(count: u64, sequence: u64) -> Kept {
        let place = |count| Position { millis: 0, count };
        let entry = Entry { at: place(count), server: ME, bytes: Arc::default() };
        Kept { entry, before: place(count - 1), sequence, fences: 0 }
    }

    /// The sequence of the first, and how many there are.
    fn batch(state: &State) -> Option<(u64, usize)> {
        let mut words = Words::default();
        let last = state.batch(&mut words)?;
        let count = words.count() - 2;
        Some((last + 1 - count as u64, count))
    }

    #[test]
    fn what_was_not_read_is_appended_again() {
        let mut state = state(&[1, 10, 100, 1000]);
        assert_eq!(batch(&state), Some((1, 4)));
        state.appended_upto(3);
        assert_eq!((state.waiting, batch(&state)), (1000, Some((4, 1))));
        state.take(kept(1, 1), ME).unwrap();
        assert_eq!((state.waiting, batch(&state)), (1000, Some((4, 1))));
        state.append_again();
        assert_eq!((state.waiting, batch(&state)), (1110, Some((2, 3))));
        // One that was read before its answer came.
        state.take(kept(2, 4), ME).unwrap();
        assert_eq!((state.waiting, state.has_proposals(), batch(&state)), (0, false, None));
        state.appended_upto(4);
        assert_eq!((state.waiting, state.proposals.len()), (0, 0));
    }

    #[test]
    fn a_batch_has_a_bound_and_one_entry_always_fits() {
        let large = BATCH_BYTES * 2 / 3;
        assert_eq!(batch(&state(&[large, large])), Some((1, 1)));
        assert_eq!(batch(&state(&[BATCH_BYTES + 1, 1])), Some((1, 1)));
        assert_eq!(batch(&state(&[0; 1000])), Some((1, BATCH)));
        assert_eq!(batch(&state(&[])), None);
        assert!(state(&[0]).has_proposals());
    }

    #[test]
    fn what_another_has_said_under_this_number_is_not_taken_for_its_own() {
        assert_eq!(state(&[1]).take(kept(1, 2), ME), Err(Differs));
    }
}
