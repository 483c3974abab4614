//! The history as the hub task sees it: it takes the hub's records and answers its requests, from
//! memory or with a store on disk.

pub mod export;
mod memory;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use async_channel::Receiver;

pub(crate) use self::memory::Memory;
use crate::hub::history::{Answer, Record, Request};
use crate::protocol::time::Moment;
use crate::store::{Job, Report, Retention, Store};

/// Time to free the disk when the server stops.
const CLOSE: Duration = Duration::from_secs(2);

/// See the [module](self).
pub(crate) enum Archive {
    /// Only the latest lines.
    Memory(Memory),
    /// Everything that retention allows.
    Store(Box<Backlog>),
}

/// A store, and the jobs that wait for it here.
pub(crate) struct Backlog {
    store: Store,
    /// From the store's own threads.
    reports: Receiver<Report>,
    /// Records of this turn.
    batch: Vec<Record>,
    /// Jobs that the store did not take yet, in order.
    jobs: VecDeque<Job>,
    /// Requests: asked when all records before them have been handed over.
    requests: VecDeque<Job>,
    /// Records are dropped, and counted, until the store takes jobs again.
    dropped: Option<u64>,
    /// The store refused a job: nothing new may come until it has taken it.
    behind: bool,
}

impl Archive {
    pub(crate) fn memory() -> Archive {
        Archive::Memory(Memory::default())
    }

    pub(crate) fn store(store: Store, reports: Receiver<Report>) -> Archive {
        Archive::Store(Box::new(Backlog {
            store,
            reports,
            batch: Vec::new(),
            jobs: VecDeque::new(),
            requests: VecDeque::new(),
            dropped: None,
            behind: false,
        }))
    }

    pub(crate) fn append(&mut self, record: Record) {
        match self {
            Archive::Memory(memory) => memory.append(record),
            Archive::Store(backlog) => match &mut backlog.dropped {
                Some(dropped) => *dropped += 1,
                None => backlog.batch.push(record),
            },
        }
    }

    pub(crate) fn set_room(&mut self, room: Arc<str>, state: Option<Box<[u8]>>) {
        match self {
            Archive::Memory(_) => {}
            Archive::Store(backlog) => match waiting_state(&mut backlog.jobs, &room) {
                // A disk may hang for hours, and people mark what they read all the while.
                Some(waiting) => *waiting = state,
                None => backlog.add(Job::SetRoom { room, state }),
            },
        }
    }

    /// What was said in a room is nobody's from now on.
    pub(crate) fn forget_room(&mut self, room: Arc<str>) {
        match self {
            Archive::Memory(memory) => memory.forget(&room),
            Archive::Store(backlog) => backlog.add(Job::Forget { room }),
        }
    }

    /// Asks at this time: records that are too old then are not in the answer. Memory answers at once.
    pub(crate) fn read(&mut self, ticket: u64, request: Request, now: Moment) -> Option<Answer> {
        match self {
            Archive::Memory(memory) => Some(memory.answer(&request)),
            Archive::Store(backlog) => {
                backlog.store.tell_time(now);
                // Everything before the request has to be in its answer.
                backlog.requests.push_back(Job::Read { ticket, request });
                backlog.submit();
                None
            }
        }
    }

    /// Hands over what this turn brought.
    pub(crate) fn flush(&mut self) {
        if let Archive::Store(backlog) = self {
            backlog.submit();
        }
    }

    pub(crate) fn is_on_disk(&self) -> bool {
        matches!(self, Archive::Store(_))
    }

    /// Drops the records that wait, and those that come, until [`resume`](Self::resume). The states
    /// of rooms still wait for the store.
    pub(crate) fn suspend(&mut self) {
        let Archive::Store(backlog) = self else { return };
        *backlog.dropped.get_or_insert_default() += backlog.records();
        backlog.batch.clear();
        backlog.jobs.retain(|job| !matches!(job, Job::Append(_)));
        backlog.behind = false;
    }

    /// Keeps records again. Says how many were dropped, if it was suspended.
    pub(crate) fn resume(&mut self) -> Option<u64> {
        let Archive::Store(backlog) = self else { return None };
        backlog.dropped.take()
    }

    /// Whether the store refused a job: nothing new may come until it has taken it.
    pub(crate) fn is_behind(&self) -> bool {
        matches!(self, Archive::Store(backlog) if backlog.behind)
    }

    /// The store's next report; never, without a store.
    pub(crate) async fn report(&self) -> Report {
        match self {
            Archive::Memory(_) => std::future::pending().await,
            Archive::Store(backlog) => match backlog.reports.recv().await {
                Ok(report) => report,
                // The store lives as long as this.
                Err(_) => std::future::pending().await,
            },
        }
    }

    /// A report that has come already.
    pub(crate) fn next_report(&self) -> Option<Report> {
        match self {
            Archive::Memory(_) => None,
            Archive::Store(backlog) => backlog.reports.try_recv().ok(),
        }
    }

    /// Keeps another part of each room from now on.
    pub(crate) fn keep(&self, retention: Retention) {
        if let Archive::Store(backlog) = self {
            backlog.store.keep(retention);
        }
    }

    /// Bytes of the history on disk; `None`: it has none.
    pub(crate) fn bytes(&self) -> Option<u64> {
        match self {
            Archive::Memory(_) => None,
            Archive::Store(backlog) => Some(backlog.store.bytes()),
        }
    }

    /// Tells the time, so that records that are too old go.
    pub(crate) fn tell_time(&self, now: Moment) {
        if let Archive::Store(backlog) = self {
            // A store that is closing needs no time.
            let _ = backlog.store.submit(Job::Time(now));
        }
    }

    /// Writes what waits and stops the store. Blocks for a few seconds at most.
    pub(crate) fn close(mut self) {
        self.flush();
        if let Archive::Store(backlog) = self {
            let lost = backlog.records() + backlog.store.close(CLOSE);
            if lost > 0 {
                log::warn!("{lost} lines are not in the history: the disk did not take them");
            }
        }
    }
}

impl Backlog {
    /// Records that the store has not taken.
    fn records(&self) -> u64 {
        let jobs = self.jobs.iter().map(|job| if let Job::Append(records) = job { records.len() } else { 0 });
        (self.batch.len() + jobs.sum::<usize>()) as u64
    }

    /// Adds a job behind the records of this turn.
    fn add(&mut self, job: Job) {
        self.submit();
        self.jobs.push_back(job);
        self.submit();
    }

    /// Hands over what waits, in order, as far as the store takes it.
    fn submit(&mut self) {
        if !self.batch.is_empty() {
            self.jobs.push_back(Job::Append(std::mem::take(&mut self.batch)));
        }
        self.behind = false;
        while let Some(job) = self.jobs.pop_front() {
            if let Err(job) = self.store.submit(job) {
                self.jobs.push_front(job);
                // With nothing to drop there is nothing to wait for, either.
                self.behind = self.dropped.is_none();
                return;
            }
        }
        while let Some(request) = self.requests.pop_front() {
            if let Err(request) = self.store.submit(request) {
                // Too many requests: those who asked wait, nobody else.
                return self.requests.push_front(request);
            }
        }
    }
}

/// The state of a room that waits, if that is the last job about it.
fn waiting_state<'a>(jobs: &'a mut VecDeque<Job>, room: &str) -> Option<&'a mut Option<Box<[u8]>>> {
    let about = |job: &&mut Job| match job {
        Job::SetRoom { room: of, .. } | Job::Forget { room: of } => **of == *room,
        _ => false,
    };
    match jobs.iter_mut().rev().find(about) {
        Some(Job::SetRoom { state, .. }) => Some(state),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_room_one_state_waits_and_none_from_before_it_was_forgotten() {
        let set = |room: &str| Job::SetRoom { room: room.into(), state: None };
        let mut jobs = VecDeque::from([set("#a"), set("#b"), Job::Forget { room: "#b".into() }]);
        *waiting_state(&mut jobs, "#a").expect("it waits") = Some([1].into());
        assert!(waiting_state(&mut jobs, "#b").is_none());
        assert!(waiting_state(&mut jobs, "#c").is_none());
        assert!(matches!(&jobs[0], Job::SetRoom { state: Some(state), .. } if **state == [1]));
    }
}
