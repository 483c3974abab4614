//! Where the hub's records go and its questions are answered: memory, or the store on disk.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use async_channel::Receiver;

use crate::hub::history::{Answer, Edge, Kept, Query, Record, Request};
use crate::memory::Memory;
use crate::protocol::MsgId;
use crate::store::{self, Bound, Found, Key, Notice, Search, Store};

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
    batch: Vec<store::Record>,
    late: VecDeque<Late>,
    /// Questions: asked when all that was to be kept before has been handed over.
    questions: VecDeque<(u64, store::Request)>,
    /// Given up: records are dropped, and counted, until the store takes some again.
    dropped: Option<u64>,
    /// Two questions with one answer.
    halves: Vec<(u64, Option<Vec<Kept>>)>,
    /// It did not take what it was given: nothing new may come until it has.
    behind: bool,
}

enum Late {
    Records(Vec<store::Record>),
    Room(Arc<str>, Option<Box<[u8]>>),
}

/// The upper half of the tickets is for second halves of an answer.
const SECOND: u64 = 1 << 63;

impl Archive {
    pub(crate) fn disk(store: Store, notices: Receiver<Notice>) -> Archive {
        Archive::Disk(Box::new(Disk {
            store,
            notices,
            batch: Vec::new(),
            late: VecDeque::new(),
            questions: VecDeque::new(),
            dropped: None,
            halves: Vec::new(),
            behind: false,
        }))
    }

    pub(crate) fn keep(&mut self, record: Record) {
        match self {
            Archive::Memory(memory) => memory.keep(record),
            Archive::Disk(disk) if disk.dropped.is_some() => *disk.dropped.get_or_insert_default() += 1,
            Archive::Disk(disk) => disk.batch.push(store::Record {
                room: record.room.as_ref().into(),
                key: key(record.id),
                event: record.event,
                fingerprint: record.fingerprint,
                payload: record.payload,
            }),
        }
    }

    pub(crate) fn keep_room(&mut self, room: Arc<str>, state: Option<Box<[u8]>>) {
        match self {
            Archive::Memory(memory) if state.is_none() => memory.forget(&room),
            Archive::Memory(_) => {}
            Archive::Disk(disk) => {
                disk.push();
                disk.late.push_back(Late::Room(room, state));
                disk.push();
            }
        }
    }

    /// Asks. Memory answers at once.
    pub(crate) fn read(&mut self, ticket: u64, request: Request) -> Option<Answer> {
        match self {
            Archive::Memory(memory) => Some(memory.answer(&request)),
            Archive::Disk(disk) => {
                disk.read(ticket, request);
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
        let waiting: usize = disk.batch.drain(..).count()
            + disk
                .late
                .iter()
                .map(|late| if let Late::Records(records) = late { records.len() } else { 0 })
                .sum::<usize>();
        disk.late.retain(|late| matches!(late, Late::Room(..)));
        *disk.dropped.get_or_insert_default() += waiting as u64;
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

    /// An answer of the store in the hub's words, once it is whole.
    pub(crate) fn answer(
        &mut self,
        ticket: u64,
        answer: Result<store::Answer, store::StoreError>,
    ) -> Option<(u64, Answer)> {
        let Archive::Disk(disk) = self else { return None };
        disk.answer(ticket, answer)
    }

    /// Tells the time, so that what is too old goes.
    pub(crate) fn tell_time(&self, millis: u64) {
        if let Archive::Disk(disk) = self {
            disk.store.tell_time(millis);
        }
    }

    /// Writes what waits and stops the store. Blocks for a few seconds at most.
    pub(crate) fn close(mut self) {
        self.flush();
        if let Archive::Disk(disk) = self {
            let waiting: usize = disk
                .late
                .iter()
                .map(|late| if let Late::Records(records) = late { records.len() } else { 0 })
                .sum();
            let lost = waiting as u64 + disk.store.close(CLOSE);
            if lost > 0 {
                log::warn!("{lost} lines are not in the history: the disk did not take them");
            }
        }
    }
}

impl Disk {
    /// Hands over what waits, in order, as far as the store takes it.
    fn push(&mut self) {
        if !self.batch.is_empty() {
            self.late.push_back(Late::Records(std::mem::take(&mut self.batch)));
        }
        self.behind = false;
        while let Some(late) = self.late.pop_front() {
            let back = match late {
                Late::Records(records) => self.store.append(records).map_err(Late::Records),
                Late::Room(room, state) => {
                    self.store.set_room(&room, state).map_err(|state| Late::Room(room, state))
                }
            };
            if let Err(late) = back {
                self.late.push_front(late);
                // With nothing to drop there is nothing to wait for, either.
                self.behind = self.dropped.is_none();
                return;
            }
        }
        while let Some((ticket, request)) = self.questions.pop_front() {
            if let Err(request) = self.store.read(ticket, request) {
                // Too many questions: those who asked wait, nobody else.
                return self.questions.push_front((ticket, request));
            }
        }
    }

    fn read(&mut self, ticket: u64, request: Request) {
        // Everything before the question has to be in its answer.
        self.push();
        let mut ask = |ticket, request| self.questions.push_back((ticket, request));
        match request {
            Request::Lines(query) => ask(ticket, store::Request::Page(page(query))),
            Request::Around(before, after) => {
                ask(ticket, store::Request::Page(page(before)));
                ask(ticket | SECOND, store::Request::Page(page(after)));
                self.halves.push((ticket, None));
            }
            Request::Search(rooms, query, matcher) => ask(
                ticket,
                store::Request::Search(Search {
                    rooms: rooms.iter().map(|room| room.as_ref().into()).collect(),
                    after: bound(query.after),
                    before: bound(query.before),
                    limit: query.limit,
                    matcher,
                    upto: key(query.upto),
                }),
            ),
            Request::Find { room, fingerprint } => {
                ask(ticket, store::Request::Find { room: room.as_ref().into(), fingerprint });
            }
            Request::Targets { rooms, after, before, upto } => ask(
                ticket,
                store::Request::Targets {
                    rooms: rooms.iter().map(|room| room.as_ref().into()).collect(),
                    after: bound(after),
                    before: bound(before),
                    upto: key(upto),
                },
            ),
        }
        self.push();
    }

    fn answer(
        &mut self,
        ticket: u64,
        answer: Result<store::Answer, store::StoreError>,
    ) -> Option<(u64, Answer)> {
        let answer = match answer {
            Ok(store::Answer::Targets(mut targets)) => {
                targets.sort_by_key(|(_, key)| *key);
                Answer::Targets(targets.into_iter().map(|(room, key)| (room.into(), id(key))).collect())
            }
            Ok(store::Answer::Found(Found { records, complete, reached })) => {
                let found = records.into_iter().map(|record| Kept {
                    room: record.room.into(),
                    id: id(record.key),
                    payload: record.payload,
                });
                Answer::Lines { found: found.collect(), more: reached.filter(|_| !complete).map(id) }
            }
            Err(error) => {
                log::error!("history: {error}");
                Answer::Failed
            }
        };
        let whole = ticket & !SECOND;
        let Some(at) = self.halves.iter().position(|(halved, _)| *halved == whole) else {
            return Some((ticket, answer));
        };
        let lines = match answer {
            Answer::Lines { found, .. } => found,
            // One failure is the answer; the other half then answers nobody.
            other => {
                self.halves.swap_remove(at);
                return Some((whole, other));
            }
        };
        let Some(other) = self.halves[at].1.take() else {
            self.halves[at].1 = Some(lines);
            return None;
        };
        self.halves.swap_remove(at);
        let (mut found, after) = if ticket & SECOND == 0 { (lines, other) } else { (other, lines) };
        found.extend(after);
        Some((whole, Answer::Lines { found, more: None }))
    }
}

fn page(query: Query) -> store::Query {
    store::Query {
        room: query.room.as_ref().into(),
        after: bound(query.after),
        before: bound(query.before),
        limit: query.limit,
        newest_first: query.newest,
        events: query.events,
        upto: key(query.upto),
    }
}

fn bound(edge: Edge) -> Bound {
    match edge {
        Edge::Open => Bound::Open,
        Edge::At(id) => Bound::At(key(id)),
        Edge::Time(time) => Bound::Time(time.0),
    }
}

fn key(id: MsgId) -> Key {
    Key { boot: id.boot, millis: id.millis, count: id.count }
}

pub(crate) fn id(key: Key) -> MsgId {
    MsgId { boot: key.boot, millis: key.millis, count: key.count }
}
