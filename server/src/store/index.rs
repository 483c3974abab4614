//! The places of each room's records: sparse, in memory, 16 bytes for each chunk that holds some.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::Options;
use super::frame::{Frame, Header};
use super::segment::{Chunk, Contents, Entry};
use crate::hub::history::Range;
use crate::protocol::MsgId;

/// See the [module](self).
#[derive(Debug, Default)]
pub(super) struct Index {
    /// By number.
    pub(super) segments: Vec<Segment>,
    pub(super) rooms: HashMap<u32, Room>,
    numbers: HashMap<Arc<str>, u32>,
}

/// A segment, as far as its records are found by it.
#[derive(Debug, Clone)]
pub(super) struct Segment {
    pub(super) header: Header,
    /// Up to here it may be read.
    pub(super) end: u32,
    pub(super) chunks: Vec<Chunk>,
    /// Bytes of all its records, kept or not.
    bytes: u64,
    /// Of its last record.
    pub(super) last: MsgId,
}

impl Segment {
    /// Of its first record; of the last one before it, if it has none.
    pub(super) fn first(&self) -> MsgId {
        self.chunks.first().map_or(self.last, |chunk| chunk.first)
    }

    /// No record of the chunk is later.
    fn last_of(&self, chunk: u16) -> MsgId {
        self.chunks.get(usize::from(chunk) + 1).map_or(self.last, |next| next.first.before())
    }
}

/// A room's records, oldest first.
#[derive(Debug)]
pub(super) struct Room {
    pub(super) entries: Vec<Entry>,
    /// In all entries.
    pub(super) lines: u64,
    /// In all entries.
    pub(super) bytes: u64,
}

/// A stretch of log to be read.
#[derive(Debug, Clone)]
pub(super) struct Span {
    pub(super) header: Header,
    pub(super) offset: u64,
    pub(super) len: usize,
    /// Of its first record.
    pub(super) first: MsgId,
    /// No record in it is later, and all that are not later are in it or before it.
    pub(super) last: MsgId,
    /// Rooms whose first lines in it, so many, are beyond what is kept.
    pub(super) skip: Vec<(u32, u64)>,
}

/// Which records of a room are asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Filter {
    pub(super) range: Range,
    /// Milliseconds: what is older is not kept.
    pub(super) oldest: u64,
}

impl Filter {
    pub(super) fn has(&self, key: MsgId) -> bool {
        self.range.has(key) && key.millis >= self.oldest
    }
}

/// Entries of a room that are not planned yet.
struct List<'a> {
    room: u32,
    left: &'a [Entry],
    /// The entry of which so many lines are not kept.
    floor: Option<((u32, u16), u64)>,
}

impl<'a> List<'a> {
    fn end(&self, newest_first: bool) -> Option<&'a Entry> {
        if newest_first { self.left.last() } else { self.left.first() }
    }

    fn step(&mut self, newest_first: bool) {
        let split = if newest_first { self.left.split_last() } else { self.left.split_first() };
        self.left = split.map_or(&[], |(_, rest)| rest);
    }
}

impl Index {
    pub(super) fn number(&self, room: &str) -> Option<u32> {
        self.numbers.get(room).copied()
    }

    /// The names of all rooms, sorted.
    pub(super) fn names(&self) -> Vec<Arc<str>> {
        let mut names: Vec<_> = self.numbers.keys().cloned().collect();
        names.sort();
        names
    }

    pub(super) fn add_room(&mut self, number: u32, name: Arc<str>) {
        self.numbers.insert(name, number);
        self.rooms.insert(number, Room { entries: Vec::new(), lines: 0, bytes: 0 });
    }

    pub(super) fn drop_room(&mut self, number: u32, name: &str) {
        self.rooms.remove(&number);
        self.numbers.remove(name);
    }

    pub(super) fn last(&self) -> MsgId {
        self.segments.iter().map(|segment| segment.last).max().unwrap_or_default()
    }

    pub(super) fn segment(&self, number: u32) -> Option<&Segment> {
        let place = self.segments.binary_search_by_key(&number, |segment| segment.header.number).ok()?;
        self.segments.get(place)
    }

    /// Puts segments' place at one that holds the same, or nothing yet: `replaced` are the
    /// numbers that go, with everything the rooms have in them.
    pub(super) fn install(
        &mut self,
        header: Header,
        end: u64,
        contents: &Contents,
        replaced: std::ops::RangeInclusive<u32>,
    ) {
        self.remove_segments(|number| replaced.contains(&number));
        let segment = Segment {
            header,
            end: end as u32,
            chunks: contents.chunks.clone(),
            bytes: contents.entries.iter().map(|(_, entry)| u64::from(entry.bytes)).sum(),
            last: contents.last,
        };
        let place = self.segments.partition_point(|segment| segment.header.number < header.number);
        self.segments.insert(place, segment);
        // What comes at the end is not sorted in: there is nothing behind it.
        let mut by_room: HashMap<u32, Vec<Entry>> = HashMap::new();
        for &(number, entry) in &contents.entries {
            // A room that is no longer known has been forgotten.
            let Some(room) = self.rooms.get_mut(&number) else { continue };
            room.lines += u64::from(entry.lines);
            room.bytes += u64::from(entry.bytes);
            if room.entries.last().is_none_or(|last| last.place() < entry.place()) {
                room.entries.push(entry);
            } else {
                by_room.entry(number).or_default().push(entry);
            }
        }
        for (room, entries) in by_room {
            let Some(room) = self.rooms.get_mut(&room) else { continue };
            let place = room.entries.partition_point(|entry| entry.segment < header.number);
            room.entries.splice(place..place, entries);
        }
    }

    /// Gives back memory that is not needed.
    pub(super) fn shrink(&mut self) {
        self.rooms.values_mut().for_each(|room| room.entries.shrink_to_fit());
    }

    /// Forgets segments and everything the rooms have in them.
    pub(super) fn remove_segments(&mut self, gone: impl Fn(u32) -> bool) {
        self.segments.retain(|segment| !gone(segment.header.number));
        for room in self.rooms.values_mut() {
            if room.entries.iter().any(|entry| gone(entry.segment)) {
                room.keep(|entry| !gone(entry.segment));
            }
        }
    }

    /// A record was written to the last segment.
    pub(super) fn add(&mut self, contents: &Contents, chunk: u16, end: u64, frame: &Frame<'_>) {
        let Some(segment) = self.segments.last_mut() else { return };
        segment.end = end as u32;
        segment.bytes += frame.size() as u64;
        segment.last = frame.key;
        if let Some(new) = contents.chunks.get(segment.chunks.len()..) {
            segment.chunks.extend_from_slice(new);
        }
        let number = segment.header.number;
        if let Some(room) = self.rooms.get_mut(&frame.room) {
            room.add(number, chunk, frame.is_event(), frame.size() as u32);
        }
    }

    /// The next spans to read for records of `rooms` that are wanted, in the order asked for, until
    /// they hold `least` records for sure, and at most `max`. True = there are no more.
    pub(super) fn plan(
        &self,
        rooms: &[u32],
        wanted: &Filter,
        options: &Options,
        (newest_first, events): (bool, bool),
        (least, max): (usize, usize),
    ) -> (Vec<Span>, bool) {
        let mut lists: Vec<List<'_>> = Vec::with_capacity(rooms.len());
        for &number in rooms {
            let Some(room) = self.rooms.get(&number) else { continue };
            let (floor, skip) = room.floor(options);
            let entries = room.entries.get(floor..).unwrap_or_default();
            let floor = entries.first().filter(|_| skip > 0).map(|entry| (entry.place(), skip));
            let early = |last: MsgId| wanted.range.is_after(last) || last.millis < wanted.oldest;
            let start = entries.partition_point(|entry| early(self.chunk_last(entry)));
            let end = entries.partition_point(|entry| !wanted.range.is_before(self.chunk_first(entry)));
            let left = entries.get(start..end).unwrap_or_default();
            lists.push(List { room: number, left, floor });
        }
        let mut spans: Vec<Span> = Vec::new();
        let mut counted = 0;
        loop {
            let places = lists.iter().filter_map(|list| list.end(newest_first)).map(Entry::place);
            let Some(place) = (if newest_first { places.max() } else { places.min() }) else {
                return (spans, true);
            };
            if spans.len() >= max || counted >= least {
                return (spans, false);
            }
            let (mut skips, mut wanted) = (Vec::new(), events);
            for list in &mut lists {
                let Some(entry) = list.end(newest_first).filter(|entry| entry.place() == place) else {
                    continue;
                };
                wanted |= entry.lines > 0;
                // The first span may lie across the range's end: it is not counted on.
                if !spans.is_empty() {
                    counted += usize::from(entry.lines) + if events { usize::from(entry.events) } else { 0 };
                }
                if let Some((_, skip)) = list.floor.filter(|(floor, _)| *floor == place) {
                    skips.push((list.room, skip));
                }
                list.step(newest_first);
            }
            if let Some(span) = self.span(place.0, place.1, skips).filter(|_| wanted) {
                spans.push(span);
            }
        }
    }

    /// A chunk, if it holds records of the room that are kept.
    pub(super) fn live_span(&self, room: u32, segment: u32, chunk: u16, options: &Options) -> Option<Span> {
        let skip = self.rooms.get(&room)?.live(segment, chunk, options)?;
        self.span(segment, chunk, vec![(room, skip)])
    }

    pub(super) fn span(&self, segment: u32, chunk: u16, skip: Vec<(u32, u64)>) -> Option<Span> {
        let segment = self.segment(segment)?;
        let this = segment.chunks.get(usize::from(chunk))?;
        let end = segment.chunks.get(usize::from(chunk) + 1).map_or(segment.end, |next| next.offset);
        Some(Span {
            header: segment.header,
            offset: u64::from(this.offset),
            len: end.saturating_sub(this.offset) as usize,
            first: this.first,
            last: segment.last_of(chunk),
            skip,
        })
    }

    /// Bytes of each segment's records that are kept, by whole entries.
    pub(super) fn live_bytes(&self) -> HashMap<u32, u64> {
        let mut live: HashMap<u32, u64> = HashMap::new();
        for entry in self.rooms.values().flat_map(|room| &room.entries) {
            *live.entry(entry.segment).or_default() += u64::from(entry.bytes);
        }
        live
    }

    /// The segments with records beyond the lines or bytes that are kept.
    pub(super) fn segments_with_waste(&self, options: &Options) -> HashSet<u32> {
        let live = self.live_bytes();
        let trimmed = |segment: &&Segment| {
            segment.bytes > live.get(&segment.header.number).copied().unwrap_or_default()
        };
        let in_part = self.rooms.values().filter_map(|room| {
            let (floor, skip) = room.floor(options);
            room.entries.get(floor).filter(|_| skip > 0).map(|entry| entry.segment)
        });
        self.segments.iter().filter(trimmed).map(|segment| segment.header.number).chain(in_part).collect()
    }

    fn chunk_first(&self, entry: &Entry) -> MsgId {
        let chunk =
            self.segment(entry.segment).and_then(|segment| segment.chunks.get(usize::from(entry.chunk)));
        chunk.map_or(MsgId::MAX, |chunk| chunk.first)
    }

    /// No record of the chunk is later.
    pub(super) fn chunk_last(&self, entry: &Entry) -> MsgId {
        let Some(segment) = self.segment(entry.segment) else { return MsgId::default() };
        segment.last_of(entry.chunk)
    }

    /// Forgets what is beyond what is kept, by whole entries.
    pub(super) fn trim(&mut self, options: &Options, oldest: u64) {
        let mut rooms = std::mem::take(&mut self.rooms);
        for room in rooms.values_mut() {
            let old = room.entries.partition_point(|entry| self.chunk_last(entry).millis < oldest);
            let dead = room.floor(options).0.max(old);
            if dead > 0 {
                let first = room.entries.get(dead).map(Entry::place);
                room.keep(|entry| first.is_some_and(|first| entry.place() >= first));
            }
        }
        self.rooms = rooms;
    }
}

impl Room {
    fn add(&mut self, segment: u32, chunk: u16, event: bool, size: u32) {
        let same = |entry: &&mut Entry| entry.place() == (segment, chunk);
        match self.entries.last_mut().filter(same) {
            Some(entry) => entry.add(event, size),
            None => {
                let mut entry = Entry { segment, chunk, ..Entry::default() };
                entry.add(event, size);
                self.entries.push(entry);
            }
        }
        self.lines += u64::from(!event);
        self.bytes += u64::from(size);
    }

    fn keep(&mut self, keep: impl Fn(&Entry) -> bool) {
        self.entries.retain(|entry| keep(entry));
        if self.entries.capacity() > 2 * self.entries.len() {
            self.entries.shrink_to_fit();
        }
        self.lines = self.entries.iter().map(|entry| u64::from(entry.lines)).sum();
        self.bytes = self.entries.iter().map(|entry| u64::from(entry.bytes)).sum();
    }

    /// The number of the room's lines in a chunk that are not kept; `None` = nothing of it is.
    pub(super) fn live(&self, segment: u32, chunk: u16, options: &Options) -> Option<u64> {
        let place = self.entries.binary_search_by_key(&(segment, chunk), Entry::place).ok()?;
        let (floor, skip) = self.floor(options);
        match place.cmp(&floor) {
            std::cmp::Ordering::Less => None,
            std::cmp::Ordering::Equal => Some(skip),
            std::cmp::Ordering::Greater => Some(0),
        }
    }

    /// The first entry that is kept, and how many of its lines are not.
    pub(super) fn floor(&self, options: &Options) -> (usize, u64) {
        let mut skip = options.retention.lines.map_or(0, |lines| self.lines.saturating_sub(lines));
        let mut over = options.retention.bytes.map_or(0, |bytes| self.bytes.saturating_sub(bytes));
        let mut floor = 0;
        for entry in &self.entries {
            let (lines, bytes) = (u64::from(entry.lines), u64::from(entry.bytes));
            if !(skip > 0 && skip >= lines || over >= bytes) {
                break;
            }
            skip = skip.saturating_sub(lines);
            over = over.saturating_sub(bytes);
            floor += 1;
        }
        (floor, skip)
    }
}
