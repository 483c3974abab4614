//! A model of the engine that holds the log which several servers share: what `parlor_server::cluster` asks of it, with
//! the same conditions as its scripts, from plain lists.
//!
//! It forgets what its promises let it forget (`appendfsync everysec`): up to the last second before it crashed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use parlor_server::protocol::Position;

use crate::world::BEGIN;

/// A lease holds so long, and so long while a server begins.
pub(crate) const LEASE: Duration = Duration::from_secs(15);
const BEGINNING: Duration = Duration::from_secs(30);
/// Nothing is appended for so long after a start, so that what was lost can be put back.
const HOLD: Duration = Duration::from_secs(2);
/// Where it runs for less, leases may be over because it was away.
const YOUNG: Duration = Duration::from_secs(20);
/// Snapshots that are kept.
const SNAPSHOTS: usize = 4;

/// An entry of the log.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Names it, whatever becomes of it.
    pub(crate) serial: u64,
    pub(crate) at: Position,
    /// The one that it follows.
    pub(crate) before: Position,
    pub(crate) server: u32,
    /// Counts those of its server; 0: it is not counted.
    pub(crate) sequence: u64,
    /// The server whose lease it ends; 0: none.
    pub(crate) fences: u32,
    pub(crate) bytes: Arc<[u8]>,
}

/// Who asks: its number, what proves that it is that one, and up to where it has read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Who {
    pub(crate) number: u32,
    pub(crate) token: u64,
    pub(crate) applied: Position,
}

/// What the engine says to that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Done,
    /// Until then nothing is appended.
    Wait(Duration),
    /// The log ends before what this server has read.
    Lost,
    /// What this server has appended is not all there.
    Again,
    Fenced,
    Differs,
}

/// Where a server begins.
#[derive(Debug)]
pub(crate) struct Joined {
    pub(crate) number: u32,
    pub(crate) token: u64,
    /// `None`: it is the first one, and founds the log.
    pub(crate) snapshot: Option<(Position, Arc<[u8]>)>,
    pub(crate) entries: Vec<Arc<Entry>>,
    pub(crate) alive: Vec<u32>,
}

type Snapshots = Vec<(Position, Arc<[u8]>)>;

/// See the [module](self).
#[derive(Debug, Default)]
pub(crate) struct Engine {
    /// When it comes back, if it is away.
    pub(crate) away: Option<Duration>,
    /// Counts its starts; the one that the log knows of.
    run: u32,
    known_run: u32,
    began: Duration,
    hold: Duration,
    /// Since when, and the entry: all that there ever were, and are.
    log: Vec<(Duration, Arc<Entry>)>,
    /// Each change of the list.
    snapshots: Vec<(Duration, Snapshots)>,
    /// Whose they are, and until when.
    leases: BTreeMap<u32, (u64, Duration)>,
    /// The servers that are not fenced, and since when.
    servers: BTreeMap<u32, Duration>,
    fenced: BTreeSet<u32>,
    sequences: BTreeMap<u32, u64>,
    next: u32,
    serials: u64,
    tokens: u64,
    /// What it has forgotten, and nobody has put back yet.
    forgotten: Vec<Arc<Entry>>,
    /// What nobody can put back any more.
    pub(crate) lost: Vec<Arc<Entry>>,
}

impl Engine {
    pub(crate) fn last(&self) -> Position {
        self.log.last().map_or(Position::default(), |(_, entry)| entry.at)
    }

    /// All entries, whether or not they are given out.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &Arc<Entry>> {
        self.log.iter().map(|(_, entry)| entry)
    }

    fn kept_snapshots(&self) -> &[(Position, Arc<[u8]>)] {
        self.snapshots.last().map_or(&[], |(_, kept)| kept)
    }

    /// The entries behind a place, as far as they are there.
    pub(crate) fn after(&self, place: Position) -> &[(Duration, Arc<Entry>)] {
        let least = self.kept_snapshots().first().map_or(Position::default(), |(at, _)| *at);
        let from = self.log.partition_point(|(_, entry)| entry.at <= place || entry.at < least);
        &self.log[from..]
    }

    /// It ends, and forgets what happened after this time.
    pub(crate) fn crash(&mut self, remembered: Duration, back: Duration) -> usize {
        self.away = Some(back);
        // That it was founded is not forgotten: nobody has anything to put back then.
        let remembered = self.snapshots.first().map_or(remembered, |(since, _)| remembered.max(*since));
        let before = self.forgotten.len();
        let whole = self.log.partition_point(|(since, _)| *since <= remembered);
        let gone: Vec<Arc<Entry>> = self.log.drain(whole..).map(|(_, entry)| entry).collect();
        for entry in gone.iter().filter(|entry| entry.fences > 0) {
            self.fenced.remove(&entry.fences);
            self.servers.insert(entry.fences, Duration::ZERO);
        }
        self.forgotten.splice(0..0, gone);
        self.snapshots.retain(|(since, _)| *since <= remembered);
        while let Some((newest, _)) =
            self.servers.last_key_value().filter(|(_, since)| **since > remembered).map(|(n, s)| (*n, *s))
        {
            self.servers.remove(&newest);
            self.leases.remove(&newest);
            self.next = newest - 1;
        }
        self.sequences.clear();
        for (_, entry) in &self.log {
            self.sequences.insert(entry.server, entry.sequence.max(self.sequence_of(entry.server)));
        }
        self.forgotten.len() - before
    }

    fn sequence_of(&self, server: u32) -> u64 {
        self.sequences.get(&server).copied().unwrap_or_default()
    }

    /// It is there again; `anew`: it was started.
    pub(crate) fn come_back(&mut self, now: Duration, anew: bool) {
        self.away = None;
        if anew {
            (self.run, self.began) = (self.run + 1, now);
        }
    }

    fn note_run(&mut self, now: Duration) {
        if self.known_run != self.run {
            (self.known_run, self.hold) = (self.run, now + HOLD);
            if !self.snapshots.is_empty() {
                // It may have forgotten whom it had given a number.
                self.next += 100;
            }
        }
    }

    fn holds(&self, server: u32, now: Duration) -> bool {
        self.leases.get(&server).is_some_and(|(_, until)| *until > now)
    }

    /// A server begins. `Err`: it is to try again.
    pub(crate) fn join(&mut self, now: Duration, known: Option<Position>) -> Result<Joined, ()> {
        self.note_run(now);
        if self.hold > now {
            return Err(());
        }
        let kept = self.kept_snapshots();
        let snapshot = match known {
            None => kept.last(),
            Some(known) => kept.iter().rev().find(|(at, _)| *at <= known).or(kept.first()),
        };
        let snapshot = snapshot.cloned();
        if snapshot.is_none() && self.next > 0 {
            // Another one founds it.
            return Err(());
        }
        let at = snapshot.as_ref().map_or(Position::default(), |(at, _)| *at);
        let entries: Vec<Arc<Entry>> = self.after(at).iter().map(|(_, entry)| Arc::clone(entry)).collect();
        let mut before = at;
        for entry in &entries {
            assert_eq!(entry.before, before, "what is behind a snapshot follows it");
            before = entry.at;
        }
        self.next += 1;
        self.tokens += 1;
        let (number, token) = (self.next, self.tokens);
        self.leases.insert(number, (token, now + BEGINNING));
        self.servers.insert(number, now);
        let young = now.saturating_sub(self.began) < YOUNG;
        let servers = self.servers.keys().copied();
        let alive = servers.filter(|server| young || self.holds(*server, now)).collect();
        Ok(Joined { number, token, snapshot, entries, alive })
    }

    /// The first snapshot.
    pub(crate) fn found(&mut self, now: Duration, state: Arc<[u8]>) {
        self.snapshots.push((now, vec![(Position::default(), state)]));
    }

    fn admit(&mut self, now: Duration, who: Who, renews: bool) -> Result<(), Verdict> {
        let Who { number, token, applied } = who;
        if self.fenced.contains(&number) {
            return Err(Verdict::Fenced);
        }
        let held = self.leases.get(&number).filter(|(_, until)| *until > now).map(|(token, _)| *token);
        if held.is_some_and(|held| held != token) {
            return Err(Verdict::Fenced);
        }
        if renews {
            self.next = self.next.max(number);
            self.note_run(now);
        }
        if renews || held.is_none() {
            self.leases.insert(number, (token, now + LEASE));
            self.servers.entry(number).or_insert(now);
        }
        if self.snapshots.is_empty() || self.last() < applied { Err(Verdict::Lost) } else { Ok(()) }
    }

    /// Renews a lease: until when nothing is appended, and whose leases are over.
    pub(crate) fn renew(
        &mut self,
        now: Duration,
        who: Who,
        (read, first): (u64, u64),
    ) -> Result<(Duration, Vec<u32>), Verdict> {
        self.admit(now, who, true)?;
        if first > self.sequence_of(who.number).max(read) + 1 {
            return Err(Verdict::Again);
        }
        let over = self.servers.keys().filter(|server| !self.holds(**server, now)).copied().collect();
        Ok((self.hold, over))
    }

    /// Appends what a server has proposed, the first with this sequence.
    pub(crate) fn append(
        &mut self,
        now: Duration,
        who: Who,
        (read, first): (u64, u64),
        proposed: &[Arc<[u8]>],
    ) -> Verdict {
        if let Err(verdict) = self.admit(now, who, false) {
            return verdict;
        }
        if self.hold > now {
            return Verdict::Wait(self.hold);
        }
        let mut done = self.sequence_of(who.number).max(read);
        if first > done + 1 {
            return Verdict::Again;
        }
        for (sequence, bytes) in (first..).zip(proposed) {
            if sequence > done {
                done = sequence;
                self.add(now, who.number, (sequence, 0), Arc::clone(bytes));
            }
        }
        self.sequences.insert(who.number, done);
        Verdict::Done
    }

    /// Ends the lease of another server, if it is over.
    pub(crate) fn fence(&mut self, now: Duration, who: Who, server: u32, bytes: Arc<[u8]>) -> Verdict {
        if let Err(verdict) = self.admit(now, who, false) {
            return verdict;
        }
        if self.hold > now {
            return Verdict::Wait(self.hold);
        }
        if !self.holds(server, now) && !self.fenced.contains(&server) {
            self.fence_now(server);
            self.add(now, who.number, (0, server), bytes);
        }
        Verdict::Done
    }

    fn fence_now(&mut self, server: u32) {
        self.fenced.insert(server);
        self.servers.remove(&server);
        self.leases.remove(&server);
        self.sequences.remove(&server);
    }

    fn add(&mut self, now: Duration, server: u32, (sequence, fences): (u64, u32), bytes: Arc<[u8]>) {
        // Whoever had read that has read another log now.
        self.lost.append(&mut self.forgotten);
        let whisper = bytes.windows(4).any(|bytes| bytes == b"psst");
        assert!(!whisper, "a private line stands in the log: {}", bytes.escape_ascii());
        assert!(!self.fenced.contains(&server), "{server} is fenced, and appends");
        let before = self.last();
        let millis = (BEGIN + now.as_millis() as u64).max(before.millis);
        let count = if millis == before.millis { before.count + 1 } else { 0 };
        self.serials += 1;
        let (serial, at) = (self.serials, Position { millis, count });
        let entry = Entry { serial, at, before, server, sequence, fences, bytes };
        self.log.push((now, Arc::new(entry)));
    }

    /// A server puts back what it has read, each entry behind the one that it followed: how many, or that the log goes
    /// on otherwise.
    pub(crate) fn put_back(
        &mut self,
        now: Duration,
        who: Who,
        entries: &[Arc<Entry>],
    ) -> Result<usize, Verdict> {
        if let Err(verdict @ Verdict::Fenced) = self.admit(now, who, false) {
            return Err(verdict);
        }
        let mut count = 0;
        for entry in entries {
            if entry.at <= self.last() {
                continue;
            }
            if entry.before != self.last() {
                return Err(Verdict::Differs);
            }
            self.forgotten.retain(|forgotten| forgotten.serial != entry.serial);
            self.next = self.next.max(entry.server);
            if entry.fences > 0 {
                self.fence_now(entry.fences);
            } else {
                let sequence = entry.sequence.max(self.sequence_of(entry.server));
                self.sequences.insert(entry.server, sequence);
            }
            self.log.push((now, Arc::clone(entry)));
            count += 1;
        }
        Ok(count)
    }

    /// Keeps a snapshot.
    pub(crate) fn keep(&mut self, now: Duration, who: Who, (at, state): (Position, Arc<[u8]>)) -> Verdict {
        if let Err(verdict) = self.admit(now, who, false) {
            return verdict;
        }
        let mut kept = self.kept_snapshots().to_vec();
        let there = self.log.binary_search_by_key(&at, |(_, entry)| entry.at).is_ok();
        let useless = kept.len() >= SNAPSHOTS && kept.first().is_some_and(|(first, _)| at < *first);
        if !there || useless || kept.iter().any(|(known, _)| *known == at) {
            return Verdict::Done;
        }
        kept.push((at, state));
        kept.sort_by_key(|(at, _)| *at);
        kept.drain(..kept.len().saturating_sub(SNAPSHOTS));
        self.snapshots.push((now, kept));
        Verdict::Done
    }

    /// A server that has stopped gives its lease up.
    pub(crate) fn leave(&mut self, who: Who) {
        self.leases.remove(&who.number);
    }
}
