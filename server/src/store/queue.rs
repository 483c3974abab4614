//! The jobs that wait for the writer: bounded in bytes, and nobody who adds one ever waits.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::frame::FRAME;
use crate::hub::history::{Record, Request};
use crate::protocol::time::Moment;

/// Bytes that may wait; then what is added comes back.
pub(super) const MAX_WAITING: usize = 4 * 1024 * 1024;
/// Bytes of one commit, about.
pub(super) const MAX_COMMIT: usize = 1024 * 1024;

/// Work for a store.
#[derive(Debug)]
#[expect(missing_docs, reason = "the fields are what the variants say")]
pub enum Job {
    /// Keep these records: [`Report::Committed`](super::Report::Committed) says when they are on
    /// disk.
    ///
    /// Ids rise, across restarts too: whoever gives them out starts from
    /// [`Opened::boot`](super::Opened::boot). Nothing is kept, and the log says so, of a record whose
    /// payload is longer than [`MAX_PAYLOAD`](super::MAX_PAYLOAD) (4 bytes of it are for each further
    /// room) or whose id does not rise: that is the caller's fault. At most 4 MiB wait.
    Append(Vec<Record>),
    /// Remember the state of a room (its folded name), newest wins; `None` forgets it. On disk before any record that is
    /// appended later.
    SetRoom { room: Arc<str>, state: Option<Box<[u8]>> },
    /// Forget a room (its folded name), its state and its records: whoever takes the name again gets another number.
    Forget { room: Arc<str> },
    /// Answer this with [`Report::Answer`](super::Report::Answer) and its ticket, in the light of everything that
    /// was appended before. As many wait as the caller has asked.
    Read { ticket: u64, request: Request },
    /// The time now: what is too old goes, even if nobody says anything. Missing files are noticed.
    /// Every few seconds is enough. By how much a clock leapt is told by what has elapsed.
    Time(Moment),
}

impl Job {
    fn bytes(&self) -> usize {
        match self {
            Job::Append(records) => records.iter().map(cost).sum(),
            Job::SetRoom { room, state } => {
                FRAME + room.len() + state.as_ref().map_or(0, |state| state.len())
            }
            Job::Forget { room } => FRAME + room.len(),
            Job::Read { .. } | Job::Time(_) => 0,
        }
    }
}

/// Bytes that a record takes, about, waiting or written.
pub(super) fn cost(record: &Record) -> usize {
    FRAME + record.payload.len() + record.rooms().map(|room| 4 + room.len()).sum::<usize>()
}

/// See the [module](self).
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    added: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    jobs: VecDeque<Job>,
    bytes: usize,
    closing: bool,
}

impl Queue {
    /// Adds to the end; the job comes back when there is no place, or the store is closing.
    pub(super) fn add(&self, job: Job) -> Result<(), Job> {
        let bytes = job.bytes();
        let mut waiting = self.lock();
        if waiting.closing || waiting.bytes > 0 && bytes > 0 && waiting.bytes + bytes > MAX_WAITING {
            return Err(job);
        }
        waiting.bytes += bytes;
        waiting.jobs.push_back(job);
        drop(waiting);
        self.added.notify_one();
        Ok(())
    }

    /// Nothing more may be added.
    pub(super) fn close(&self) {
        self.lock().closing = true;
        self.added.notify_one();
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        let waiting = self.lock();
        waiting.jobs.is_empty() && !waiting.closing
    }

    /// Takes what waits, about [`MAX_COMMIT`] bytes of it at most, and says whether the queue is
    /// closed and that was all. If nothing waits, waits for it: for ever, or so long.
    pub(super) fn take(&self, patience: Option<Duration>) -> (Vec<Job>, bool) {
        let idle = |waiting: &mut Waiting| waiting.jobs.is_empty() && !waiting.closing;
        let waiting = self.lock();
        let mut waiting = match patience {
            None => self.added.wait_while(waiting, idle).unwrap_or_else(PoisonError::into_inner),
            Some(time) => {
                self.added.wait_timeout_while(waiting, time, idle).unwrap_or_else(PoisonError::into_inner).0
            }
        };
        let mut taken = Vec::new();
        let mut bytes = 0;
        while bytes < MAX_COMMIT
            && let Some(job) = waiting.jobs.pop_front()
        {
            bytes += job.bytes();
            taken.push(job);
        }
        waiting.bytes -= bytes;
        (taken, waiting.closing && waiting.jobs.is_empty())
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
