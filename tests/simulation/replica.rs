//! A server's part in the order: what waits to be appended, what it has read, and what it knows of the engine. As
//! `parlor_server::cluster` has it on each server.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use parlor_server::protocol::Position;

use crate::engine::{Entry, Joined, Verdict, Who};

/// Entries that are appended at once.
const BATCH: usize = 64;
/// The engine is away when it has not answered for so long.
pub(crate) const AWAY: Duration = Duration::from_secs(2);
/// The pause between two renewals of the lease.
pub(crate) const RENEW: Duration = Duration::from_secs(5);

/// Something for one other server, or for all: its number, a ticket, and what it is.
pub(crate) type Post = (Option<u32>, u64, Box<[u8]>);

/// What a server asks of the engine.
#[derive(Debug)]
pub(crate) enum Call {
    /// Keep the lease: what was read of its own, the sequence of what it would append next.
    Renew(u64, u64),
    /// Hand these over, and append those: what was read of its own, the sequence of the first.
    Write {
        posts: Vec<Post>,
        read: u64,
        first: u64,
        entries: Vec<Arc<[u8]>>,
    },
    Fence(u32, Arc<[u8]>),
    Keep(Position, Arc<[u8]>),
    PutBack(Vec<Arc<Entry>>),
}

/// What came of it.
#[derive(Debug)]
pub(crate) enum Said {
    /// Until when nothing is appended, and whose leases are over.
    Renewed(Duration, Vec<u32>),
    /// Appended up to this sequence, if so; and which posts were heard.
    Written(Option<(u64, Verdict)>, Vec<(u64, bool)>),
    Fenced(u32, Verdict),
    Verdict(Verdict),
    PutBack(usize),
    /// Nobody heard a post, for there was nobody to hand it to.
    Unheard(u64),
    /// There was no answer, since then, nor to these.
    Nothing(Duration, Vec<Post>),
}

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Replica {
    pub(crate) number: u32,
    pub(crate) token: u64,
    /// All that was read, and where that ends.
    pub(crate) history: Vec<Arc<Entry>>,
    pub(crate) last: Position,
    /// What was not read in the log yet, with sequences.
    proposals: VecDeque<(u64, Arc<[u8]>)>,
    proposed: u64,
    appended: u64,
    read: u64,
    posts: Vec<Post>,
    pub(crate) fences: BTreeMap<u32, Arc<[u8]>>,
    /// A snapshot for the engine.
    pub(crate) snapshot: Option<(Position, Arc<[u8]>)>,
    /// It waits for an answer, or pauses.
    pub(crate) busy: bool,
    pub(crate) renew_at: Duration,
    pub(crate) renewed: Duration,
    /// Since when the engine was there without a break.
    pub(crate) steady: Duration,
    pub(crate) held: Duration,
    /// The writer and the reader are not answered.
    down: [bool; 2],
    trouble: Option<Duration>,
    pub(crate) told_away: bool,
    /// When it looks again by itself what is to be done.
    pub(crate) wake_at: Duration,
    /// A look at the log is on its way.
    pub(crate) reads: bool,
    /// How many milliseconds after others it reads.
    pub(crate) pace: (usize, usize),
}

impl Replica {
    pub(crate) fn new(joined: &Joined, now: Duration, pace: (usize, usize)) -> Replica {
        Replica {
            number: joined.number,
            token: joined.token,
            history: Vec::new(),
            last: joined.snapshot.as_ref().map_or(Position::default(), |(at, _)| *at),
            proposals: VecDeque::new(),
            proposed: 0,
            appended: 0,
            read: 0,
            posts: Vec::new(),
            fences: BTreeMap::new(),
            snapshot: None,
            busy: false,
            renew_at: now,
            renewed: now,
            steady: now,
            held: now,
            down: [false; 2],
            trouble: None,
            told_away: false,
            wake_at: Duration::MAX,
            reads: false,
            pace,
        }
    }

    pub(crate) fn who(&self) -> Who {
        Who { number: self.number, token: self.token, applied: self.last }
    }

    pub(crate) fn propose(&mut self, entry: Box<[u8]>) {
        self.proposed += 1;
        self.proposals.push_back((self.proposed, entry.into()));
    }

    /// Whether the post goes out; else nobody hears it. One for all waits.
    pub(crate) fn post(&mut self, post: Post) -> bool {
        let goes = post.0.is_none() || !self.down[0];
        if goes {
            self.posts.push(post);
        }
        goes
    }

    /// Takes the next entry of the log. False: that is not what follows.
    pub(crate) fn take(&mut self, entry: &Arc<Entry>) -> bool {
        if entry.before != self.last {
            return false;
        }
        self.last = entry.at;
        self.history.push(Arc::clone(entry));
        if entry.server == self.number {
            self.read = self.read.max(entry.sequence);
            self.appended = self.appended.max(entry.sequence);
            while self.proposals.front().is_some_and(|(sequence, _)| *sequence <= entry.sequence) {
                self.proposals.pop_front();
            }
        }
        self.fences.remove(&entry.fences);
        true
    }

    pub(crate) fn appended_upto(&mut self, sequence: u64) {
        self.appended = self.appended.max(sequence);
    }

    /// What was not read is appended again: the engine knows what of it is there.
    pub(crate) fn append_again(&mut self) {
        self.appended = self.read;
    }

    /// All that waits and was not appended, in order.
    pub(crate) fn waiting(&self, most: usize) -> Vec<Arc<[u8]>> {
        let waiting = self.proposals.iter().filter(|(sequence, _)| *sequence > self.appended);
        waiting.take(most).map(|(_, bytes)| Arc::clone(bytes)).collect()
    }

    /// The sequences of what was read, and of what is appended next.
    pub(crate) fn sequences(&self) -> (u64, u64) {
        (self.read, self.appended + 1)
    }

    /// What it has proposed that is not in the log, the first of it.
    pub(crate) fn first_waiting(&self) -> Option<String> {
        self.proposals.front().map(|(_, bytes)| bytes.escape_ascii().to_string())
    }

    /// What is to be asked next; else when to look again.
    pub(crate) fn next(&mut self, now: Duration) -> Result<Call, Duration> {
        if self.renew_at <= now {
            let (read, first) = self.sequences();
            return Ok(Call::Renew(read, first));
        }
        let free = self.held <= now;
        let entries = if free { self.waiting(BATCH) } else { Vec::new() };
        if !self.posts.is_empty() || !entries.is_empty() {
            let (read, first) = self.sequences();
            return Ok(Call::Write { posts: std::mem::take(&mut self.posts), read, first, entries });
        }
        if free && let Some((server, bytes)) = self.fences.first_key_value() {
            return Ok(Call::Fence(*server, Arc::clone(bytes)));
        }
        if let Some((at, state)) = self.snapshot.take() {
            return Ok(Call::Keep(at, state));
        }
        Err(if free { self.renew_at } else { self.renew_at.min(self.held) })
    }

    /// A part is not answered; says when that is to be told, if nobody has asked that yet.
    pub(crate) fn is_down(&mut self, part: Part, since: Duration) -> Option<Duration> {
        self.down[part as usize] = true;
        let first = self.trouble.is_none();
        let since = *self.trouble.get_or_insert(since);
        first.then_some(since + AWAY)
    }

    /// A part is answered: says whether that is to be told.
    pub(crate) fn is_answered(&mut self, part: Part) -> bool {
        self.down[part as usize] = false;
        if self.down == [false; 2] {
            self.trouble = None;
        }
        self.trouble.is_none() && std::mem::take(&mut self.told_away)
    }

    /// Whether there has been trouble long enough.
    pub(crate) fn is_away(&self, now: Duration) -> bool {
        self.trouble.is_some_and(|since| since + AWAY <= now) && !self.told_away
    }

    /// Whether anybody heard these is not known: as far as this server knows nobody did, nor those that wait. Those for all go
    /// again.
    pub(crate) fn unheard(&mut self, asked: Vec<Post>) -> Vec<u64> {
        let waiting = std::mem::take(&mut self.posts);
        let (for_all, for_one): (Vec<Post>, Vec<Post>) =
            asked.into_iter().chain(waiting).partition(|post| post.0.is_none());
        self.posts = for_all;
        for_one.into_iter().map(|(_, ticket, _)| ticket).collect()
    }
}

/// The connections of a server to the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Writer,
    Reader,
}
