//! The history without a disk: the last lines of each room.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::hub::history::{Answer, Erasure, Kept, Query, Record, Request};
use crate::protocol::sorted::{sorted, sorted_by_key};

/// Lines of a room that are remembered.
const LINES: usize = 200;
/// Records of a room, lines and events together.
const RECORDS: usize = 2 * LINES;
/// Bytes of all rooms together, which whoever talks fills; beyond, the oldest records go of the rooms that
/// have more than their even share, so a flood takes its own; then the rooms that were silent longest.
const BYTES: usize = 8 * 1024 * 1024;
/// Records that one answer looks at: the hub's task waits for it.
const SEARCHED: usize = 100;
/// Bytes that a record costs besides its payload.
const OVERHEAD: usize = 80;

/// See the [module](self).
#[derive(Debug, Default)]
pub(crate) struct Memory {
    rooms: HashMap<Arc<str>, Room>,
    bytes: usize,
}

#[derive(Debug, Default)]
struct Room {
    /// In the order of their ids.
    records: VecDeque<Record>,
    lines: usize,
    bytes: usize,
}

impl Room {
    fn erase(&mut self, Erasure { id, payload }: Erasure) {
        let found = self.records.binary_search_by_key(&id, |record| record.id).ok();
        if let Some(record) = found.and_then(|at| self.records.get_mut(at)) {
            self.bytes -= cost(record);
            record.payload = payload;
            self.bytes += cost(record);
        }
    }

    /// Takes out the oldest record; its bytes.
    fn pop(&mut self) -> usize {
        let Some(gone) = self.records.pop_front() else { return 0 };
        self.lines -= usize::from(!gone.event);
        self.bytes -= cost(&gone);
        cost(&gone)
    }
}

fn cost(record: &Record) -> usize {
    record.payload.len() + OVERHEAD
}

impl Memory {
    /// Adds a record, which is later than those before, to each of its rooms.
    pub(crate) fn append(&mut self, mut record: Record) {
        for room in std::mem::take(&mut record.also) {
            self.append(Record { room, ..record.clone() });
        }
        self.bytes += cost(&record);
        let room = self.rooms.entry(record.room.clone()).or_default();
        if let Some(erasure) = record.erases.take() {
            let before = room.bytes;
            room.erase(*erasure);
            self.bytes = self.bytes + room.bytes - before;
        }
        room.lines += usize::from(!record.event);
        room.bytes += cost(&record);
        room.records.push_back(record);
        while room.lines > LINES || room.records.len() > RECORDS {
            self.bytes -= room.pop();
        }
        if self.bytes > BYTES {
            self.even_out();
        }
    }

    /// Forgets a room that ended.
    pub(crate) fn forget(&mut self, room: &str) {
        self.bytes -= self.rooms.remove(room).map_or(0, |room| room.bytes);
    }

    /// Leaves an eighth free, so that this is seldom.
    fn even_out(&mut self) {
        let most = BYTES / 8 * 7;
        let share = most / self.rooms.len().max(1);
        for room in self.rooms.values_mut() {
            while room.bytes > share && room.records.len() > 1 {
                self.bytes -= room.pop();
            }
        }
        let last = |room: &Room| room.records.back().map(|record| record.id);
        for (_, room) in sorted(self.rooms.iter().map(|(name, room)| (last(room), name.clone()))) {
            if self.bytes <= most {
                break;
            }
            self.forget(&room);
        }
    }

    /// Answers at once.
    pub(crate) fn answer(&self, request: &Request) -> Answer {
        let mut more = None;
        let found = match request {
            Request::Lines(query) => self.lines(query),
            Request::Search { rooms, range, limit, matcher } => {
                let records = rooms.iter().flat_map(|room| self.records(room));
                let looked_at = records.filter(|record| !record.event && range.has(record.id));
                let mut looked_at = sorted_by_key(looked_at, |record| std::cmp::Reverse(record.id));
                if looked_at.len() > SEARCHED {
                    looked_at.truncate(SEARCHED);
                    more = looked_at.last().map(|last| last.id);
                }
                let found = looked_at.into_iter().filter(|record| (matcher.0)(&record.payload));
                found.take(*limit).map(kept).collect()
            }
            Request::Find { room, fingerprint } => {
                let found = self.records(room).rev().find(|record| record.fingerprint == Some(*fingerprint));
                found.into_iter().map(kept).collect()
            }
        };
        Answer::Lines { found, more }
    }

    fn records(&self, room: &str) -> impl DoubleEndedIterator<Item = &Record> {
        self.rooms.get(room).into_iter().flat_map(|room| &room.records)
    }

    fn lines(&self, query: &Query) -> Vec<Kept> {
        let fitting = self
            .records(&query.room)
            .filter(|record| (query.events || !record.event) && query.range.has(record.id));
        if !query.newest {
            return fitting.take(query.limit).map(kept).collect();
        }
        let mut found: Vec<Kept> = fitting.rev().take(query.limit).map(kept).collect();
        found.reverse();
        found
    }
}

fn kept(record: &Record) -> Kept {
    Kept { room: record.room.clone(), id: record.id, payload: record.payload.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::history::Range;
    use crate::protocol::MsgId;

    fn record(room: &str, millis: u64, payload: &str) -> Record {
        let id = MsgId { boot: 1, millis, count: 0 };
        let (also, payload) = (Box::default(), payload.as_bytes().into());
        Record { room: room.into(), also, id, event: false, fingerprint: None, erases: None, payload }
    }

    #[test]
    fn the_last_200_lines_are_remembered() {
        let mut memory = Memory::default();
        (0..500).for_each(|i| memory.append(record("#a", i, &format!("line {i}"))));
        let query = Query { room: "#a".into(), range: Range::ALL, limit: 1000, newest: true, events: true };
        let Answer::Lines { found, .. } = memory.answer(&Request::Lines(query)) else { panic!("no lines") };
        assert_eq!(found.len(), LINES);
        assert_eq!(&*found[0].payload, b"line 300");
    }

    #[test]
    fn memory_is_bounded_whatever_the_number_of_rooms_and_a_flood_takes_its_own() {
        let mut memory = Memory::default();
        (0..20).for_each(|i| memory.append(record("#quiet", i, "a few words")));
        let long = "x".repeat(1000);
        (20..50_000).for_each(|i| memory.append(record(&format!("#{}", i % 1000), i, &long)));
        assert!(memory.bytes <= BYTES && memory.bytes > BYTES / 2);
        assert_eq!(memory.bytes, memory.rooms.values().map(|room| room.bytes).sum::<usize>());
        assert_eq!(memory.rooms["#quiet"].lines, 20);
        (50_000..80_000).for_each(|i| memory.append(record(&format!("#{i}"), i, &long)));
        assert!(memory.bytes <= BYTES && memory.rooms.len() < 10_000 && memory.rooms.contains_key("#79999"));
        memory.rooms.keys().cloned().collect::<Vec<_>>().iter().for_each(|room| memory.forget(room));
        assert_eq!(memory.bytes, 0);
    }
}
