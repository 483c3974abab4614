//! A model of the store: what is given to it is committed later, in groups and in order; a crash leaves some
//! beginning of what was not committed yet.
//!
//! It answers as `parlor_server::store` and `archive` do, from a plain list.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use parlor_server::hub::history::{Answer, Fingerprint, Kept, Query, Record, Request};
use parlor_server::protocol::MsgId;
use parlor_server::testing::{Job, Random};

/// Records that wait while the disk takes nothing; more are lost.
const MOST_HELD: usize = 12;

/// What came of a commit.
#[derive(Debug, Default)]
pub(crate) struct Commit {
    pub(crate) records: Vec<Record>,
    pub(crate) reads: Vec<(u64, Request)>,
    /// Records that were lost while nothing was taken, once that is over.
    pub(crate) resumed: Option<u64>,
}

/// See the [module](self).
#[derive(Debug, Default)]
pub(crate) struct Disk {
    /// Committed records of all rooms, in order.
    kept: Vec<Record>,
    rooms: BTreeMap<Arc<str>, Box<[u8]>>,
    waiting: VecDeque<Job>,
    /// What takes the place of records in answers, as soon as it was given.
    erased: BTreeMap<MsgId, Box<[u8]>>,
    /// So many of those that wait are being written.
    pub(crate) writing: Option<usize>,
    /// It takes nothing; so many records were lost meanwhile.
    pub(crate) paused: Option<u64>,
    pub(crate) boot: u32,
}

impl Disk {
    /// Says whether it is lost at once.
    pub(crate) fn give(&mut self, job: Job) -> bool {
        if let Job::Keep(Record { erases: Some(erasure), .. }) = &job {
            self.erased.insert(erasure.id, erasure.payload.clone());
        }
        let held = self.waiting.iter().filter(|job| matches!(job, Job::Keep(_))).count();
        if let (Job::Keep(_), Some(lost)) = (&job, &mut self.paused)
            && held >= MOST_HELD
        {
            *lost += 1;
            return true;
        }
        self.waiting.push_back(job);
        false
    }

    /// Whether the writer has something to begin with.
    pub(crate) fn wants_to_write(&self) -> bool {
        self.writing.is_none() && !self.waiting.is_empty()
    }

    /// The writer takes all that waits.
    pub(crate) fn begin(&mut self) {
        self.writing = Some(self.waiting.len());
    }

    /// What was begun is on disk.
    pub(crate) fn commit(&mut self) -> Commit {
        let mut commit = Commit { resumed: self.paused.take(), ..Commit::default() };
        let count = self.writing.take().unwrap_or_default().min(self.waiting.len());
        for job in self.waiting.drain(..count).collect::<Vec<_>>() {
            match job {
                Job::Keep(record) => {
                    commit.records.push(record.clone());
                    self.keep(record);
                }
                Job::Room(room, state) => self.set(room, state),
                Job::Forget(room) => self.forget(&room),
                Job::Read(ticket, request) => commit.reads.push((ticket, request)),
            }
        }
        commit
    }

    /// The disk did not take what was begun. Questions are answered with what it has.
    pub(crate) fn fail(&mut self) -> Vec<(u64, Request)> {
        self.paused.get_or_insert_default();
        self.writing = None;
        let mut reads = Vec::new();
        for job in std::mem::take(&mut self.waiting) {
            match job {
                Job::Read(ticket, request) => reads.push((ticket, request)),
                job => self.waiting.push_back(job),
            }
        }
        reads
    }

    /// The server is gone. Says how many records survive that were not committed, and which do not.
    pub(crate) fn crash(&mut self, random: &mut Random) -> (Vec<Record>, Vec<Record>) {
        let waiting: Vec<Job> = std::mem::take(&mut self.waiting).into();
        let whole = if self.paused.is_some() { 0 } else { random.below(waiting.len() + 1) };
        (self.writing, self.paused) = (None, None);
        self.erased.clear();
        let (mut saved, mut lost) = (Vec::new(), Vec::new());
        for (at, job) in waiting.into_iter().enumerate() {
            match job {
                Job::Keep(record) if at < whole => {
                    saved.push(record.clone());
                    self.keep(record);
                }
                Job::Keep(record) => lost.push(record),
                Job::Room(room, state) if at < whole => self.set(room, state),
                Job::Forget(room) if at < whole => self.forget(&room),
                Job::Room(..) | Job::Forget(_) | Job::Read(..) => {}
            }
        }
        (saved, lost)
    }

    fn keep(&mut self, mut record: Record) {
        assert!(self.kept.last().is_none_or(|last| last.id < record.id), "ids rise: {:?}", record.id);
        if let Some(erasure) = record.erases.take()
            && let Ok(at) = self.kept.binary_search_by_key(&erasure.id, |record| record.id)
        {
            assert_eq!(self.kept[at].room, record.room, "a deletion is of its own room");
            self.kept[at].payload = erasure.payload;
        }
        self.kept.push(record);
    }

    fn forget(&mut self, room: &Arc<str>) {
        // What was said in rooms is looked for in the end, whatever became of them.
        if !room.starts_with('#') {
            self.kept.retain(|record| record.room != *room);
        }
        self.set(room.clone(), None);
    }

    fn set(&mut self, room: Arc<str>, state: Option<Box<[u8]>>) {
        match state {
            Some(state) => drop(self.rooms.insert(room, state)),
            None => drop(self.rooms.remove(&room)),
        }
    }

    /// Records that are not committed.
    pub(crate) fn uncommitted(&self) -> impl Iterator<Item = &Record> {
        self.waiting.iter().filter_map(|job| if let Job::Keep(record) = job { Some(record) } else { None })
    }

    /// Everything committed, in order.
    pub(crate) fn kept(&self) -> &[Record] {
        &self.kept
    }

    /// Rooms with what they are, and those of which only records are known.
    pub(crate) fn rooms(&self) -> Vec<(Box<str>, Box<[u8]>)> {
        let states = self.rooms.iter().map(|(room, state)| (room.as_ref().into(), state.clone()));
        let rooms: BTreeSet<&Arc<str>> = self.kept.iter().flat_map(Record::rooms).collect();
        let stateless = rooms.into_iter().filter(|room| !self.rooms.contains_key(*room));
        states.chain(stateless.map(|room| (room.as_ref().into(), Box::default()))).collect()
    }

    pub(crate) fn fingerprints(&self) -> Vec<u64> {
        self.kept.iter().filter_map(|record| record.fingerprint).map(Fingerprint::get).collect()
    }

    pub(crate) fn answer(&self, request: &Request) -> Answer {
        let found = match request {
            Request::Lines(query) => self.lines(query),
            Request::Search { rooms, range, limit, matcher } => {
                let fits = |record: &&Record| {
                    rooms.contains(&record.room)
                        && !record.event
                        && range.has(record.id)
                        && (matcher.0)(&self.show(&record.room, record).payload)
                };
                self.kept
                    .iter()
                    .rev()
                    .filter(fits)
                    .take(*limit)
                    .map(|record| self.show(&record.room, record))
                    .collect()
            }
            Request::Find { room, fingerprint } => {
                let fits =
                    |record: &&Record| record.room == *room && record.fingerprint == Some(*fingerprint);
                self.kept.iter().rev().find(fits).into_iter().map(|found| self.show(room, found)).collect()
            }
        };
        Answer::Lines { found, more: None }
    }

    /// A record as an answer has it.
    fn show(&self, room: &Arc<str>, record: &Record) -> Kept {
        let payload = self.erased.get(&record.id).unwrap_or(&record.payload).clone();
        Kept { room: room.clone(), id: record.id, payload }
    }

    fn lines(&self, query: &Query) -> Vec<Kept> {
        let fits = |record: &&Record| {
            record.rooms().any(|room| *room == query.room)
                && (query.events || !record.event)
                && query.range.has(record.id)
        };
        let fitting = self.kept.iter().filter(fits);
        if !query.newest {
            return fitting.take(query.limit).map(|record| self.show(&query.room, record)).collect();
        }
        let mut found: Vec<Kept> =
            fitting.rev().take(query.limit).map(|record| self.show(&query.room, record)).collect();
        found.reverse();
        found
    }
}
