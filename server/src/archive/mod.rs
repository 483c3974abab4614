//! Where the hub's records go and its questions are answered: memory, or the store on disk.

pub mod export;
mod memory;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use async_channel::Receiver;

pub(crate) use self::memory::Memory;
use crate::hub::history::{Answer, Record, Request};
use crate::store::{Command, Notice, Store};

/// Time for compaction when the server stops.
const CLOSE: Duration = Duration::from_secs(2);

/// See the [module](self).
pub(crate) enum Archive {
    /// Only the latest lines.
    Memory(Memory),
    /// Everything that retention allows.
    Disk(Box<Disk>),
}

/// A store, and what waits for it here.
pub(crate) struct Disk {
    store: Store,
    /// What it says, from its own threads.
    notices: Receiver<Notice>,
    /// Records of this turn, and what the store did not take yet, in order.
    batch: Vec<Record>,
    late: VecDeque<Command>,
    /// Questions: asked when all that was to be kept before has been handed over.
    questions: VecDeque<Command>,
    /// Given up: records are dropped, and counted, until the store takes some again.
    dropped: Option<u64>,
    /// It did not take what it was given: nothing new may come until it has.
    behind: bool,
}

impl Archive {
    pub(crate) fn memory() -> Archive {
        Archive::Memory(Memory::default())
    }

    pub(crate) fn disk(store: Store, notices: Receiver<Notice>) -> Archive {
        Archive::Disk(Box::new(Disk {
            store,
            notices,
            batch: Vec::new(),
            late: VecDeque::new(),
            questions: VecDeque::new(),
            dropped: None,
            behind: false,
        }))
    }

    pub(crate) fn keep(&mut self, record: Record) {
        match self {
            Archive::Memory(memory) => memory.keep(record),
            Archive::Disk(disk) if disk.dropped.is_some() => *disk.dropped.get_or_insert_default() += 1,
            Archive::Disk(disk) => disk.batch.push(record),
        }
    }

    pub(crate) fn keep_room(&mut self, room: Arc<str>, state: Option<Box<[u8]>>) {
        match self {
            Archive::Memory(memory) if state.is_none() => memory.forget(&room),
            Archive::Memory(_) => {}
            Archive::Disk(disk) => {
                disk.push();
                disk.late.push_back(Command::SetRoom { room, state });
                disk.push();
            }
        }
    }

    /// Asks at this time, milliseconds since 1970: what is too old then is not in the answer.
    /// Memory answers at once.
    pub(crate) fn read(&mut self, ticket: u64, request: Request, now_ms: u64) -> Option<Answer> {
        match self {
            Archive::Memory(memory) => Some(memory.answer(&request)),
            Archive::Disk(disk) => {
                disk.store.tell_time(now_ms);
                // Everything before the question has to be in its answer.
                disk.questions.push_back(Command::Read { ticket, request });
                disk.push();
                None
            }
        }
    }

    /// Hands over what this turn brought.
    pub(crate) fn flush(&mut self) {
        if let Archive::Disk(disk) = self {
            disk.push();
        }
    }

    pub(crate) fn is_on_disk(&self) -> bool {
        matches!(self, Archive::Disk(_))
    }

    /// The store takes nothing: forgets the records that wait, and those that come, until
    /// [`take_up`](Self::take_up). What rooms are still waits for it.
    pub(crate) fn give_up(&mut self) {
        let Archive::Disk(disk) = self else { return };
        *disk.dropped.get_or_insert_default() += disk.waiting();
        disk.batch.clear();
        disk.late.retain(|late| !matches!(late, Command::Append(_)));
        disk.behind = false;
    }

    /// The store has taken something again: records are kept from now on. Says how many were
    /// not, if it had been given up.
    pub(crate) fn take_up(&mut self) -> Option<u64> {
        let Archive::Disk(disk) = self else { return None };
        disk.dropped.take()
    }

    /// Whether the store did not take what it was given: nothing new may come until it has.
    pub(crate) fn is_behind(&self) -> bool {
        matches!(self, Archive::Disk(disk) if disk.behind)
    }

    /// The next thing that the store says; never, without one.
    pub(crate) async fn notice(&self) -> Notice {
        match self {
            Archive::Memory(_) => std::future::pending().await,
            Archive::Disk(disk) => match disk.notices.recv().await {
                Ok(notice) => notice,
                // It lives as long as this.
                Err(_) => std::future::pending().await,
            },
        }
    }

    /// What it has said already.
    pub(crate) fn next_notice(&self) -> Option<Notice> {
        match self {
            Archive::Memory(_) => None,
            Archive::Disk(disk) => disk.notices.try_recv().ok(),
        }
    }

    /// Tells the time, so that what is too old goes.
    pub(crate) fn tell_time(&self, millis: u64) {
        if let Archive::Disk(disk) = self {
            // A store that is closing needs no time.
            let _ = disk.store.give(Command::Time(millis));
        }
    }

    /// Writes what waits and stops the store. Blocks for a few seconds at most.
    pub(crate) fn close(mut self) {
        self.flush();
        if let Archive::Disk(disk) = self {
            let lost = disk.waiting() + disk.store.close(CLOSE);
            if lost > 0 {
                log::warn!("{lost} lines are not in the history: the disk did not take them");
            }
        }
    }
}

impl Disk {
    /// Records that the store has not taken.
    fn waiting(&self) -> u64 {
        let late =
            self.late.iter().map(|late| if let Command::Append(records) = late { records.len() } else { 0 });
        (self.batch.len() + late.sum::<usize>()) as u64
    }

    /// Hands over what waits, in order, as far as the store takes it.
    fn push(&mut self) {
        if !self.batch.is_empty() {
            self.late.push_back(Command::Append(std::mem::take(&mut self.batch)));
        }
        self.behind = false;
        while let Some(late) = self.late.pop_front() {
            if let Err(late) = self.store.give(late) {
                self.late.push_front(late);
                // With nothing to drop there is nothing to wait for, either.
                self.behind = self.dropped.is_none();
                return;
            }
        }
        while let Some(question) = self.questions.pop_front() {
            if let Err(question) = self.store.give(question) {
                // Too many questions: those who asked wait, nobody else.
                return self.questions.push_front(question);
            }
        }
    }
}
