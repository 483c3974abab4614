//! The places of each room's records: sparse, in memory, 16 bytes for each chunk that holds some.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::RangeInclusive;
use std::sync::Arc;

use super::Retention;
use super::frame::{Frame, Header};
use super::segment::{Chunk, Contents, Entry};
use crate::hub::history::Range;
use crate::protocol::MsgId;
use crate::protocol::sorted::sorted;

/// See the [module](self).
#[derive(Debug, Default)]
pub(super) struct Index {
    /// By number.
    pub(super) segments: Vec<Segment>,
    pub(super) rooms: HashMap<u32, Room>,
    numbers: HashMap<Arc<str>, u32>,
    /// Of each room.
    keep: Keep,
    /// What stands on the disk still, and is not to be shown: with what is shown instead. Deletions fill it, and
    /// each turn of [`retention`](super::retention) empties it; it comes early where there are many.
    erased: Arc<Erased>,
}

/// By record: what takes its place.
pub(super) type Erased = BTreeMap<MsgId, Box<[u8]>>;

/// The part of a room that is kept, whatever its age.
#[derive(Debug, Clone, Copy, Default)]
struct Keep {
    lines: Option<u64>,
    bytes: Option<u64>,
}

/// Where what is young enough begins.
///
/// Records stand in the order in which they were given; under a wrong clock their times do not rise. What
/// is too old is judged by whole chunks: it is all up to the last of them that is too old and has none
/// that is young before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Floor {
    place: (u32, u16),
    /// The first and the last record of the chunk there, which has records of either kind.
    first: MsgId,
    last: MsgId,
    /// Milliseconds: in that chunk, what is older is not kept.
    oldest: u64,
}

impl Floor {
    pub(super) fn keeps(&self, key: MsgId) -> bool {
        key >= self.first && (key > self.last || key.millis >= self.oldest)
    }
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
}

impl Segment {
    /// The first record.
    pub(super) fn first(&self) -> Option<MsgId> {
        self.chunks.first().map(|chunk| chunk.first)
    }

    /// The last record.
    pub(super) fn last(&self) -> Option<MsgId> {
        self.chunks.last().map(|chunk| chunk.last)
    }

    /// The ids between its first and its last record.
    pub(super) fn range(&self) -> RangeInclusive<MsgId> {
        match (self.first(), self.last()) {
            (Some(first), Some(last)) if first <= last => first..=last,
            _ => MsgId::MAX..=MsgId::MAX,
        }
    }
}

/// A room's records, oldest first.
#[derive(Debug)]
pub(super) struct Room {
    /// Lines between two people: they have a total of their own.
    private: bool,
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
    pub(super) floor: Floor,
}

impl Filter {
    pub(super) fn has(&self, key: MsgId) -> bool {
        self.range.has(key) && self.floor.keeps(key)
    }

    /// Nothing up to this record any more.
    pub(super) fn leave_out(&mut self, upto: MsgId) {
        self.floor.first = self.floor.first.max(upto.after());
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
    /// Nothing, of which so much will be kept.
    pub(super) fn new(retention: &Retention) -> Index {
        let mut index = Index::default();
        index.keep(retention);
        index
    }

    /// So much is kept from now on; what is gone already does not come back.
    pub(super) fn keep(&mut self, retention: &Retention) {
        self.keep = Keep { lines: retention.lines, bytes: retention.bytes };
    }

    /// Bytes of all segments on the disk, about.
    pub(super) fn bytes(&self) -> u64 {
        self.segments.iter().map(|segment| u64::from(segment.end)).sum()
    }

    pub(super) fn number(&self, room: &str) -> Option<u32> {
        self.numbers.get(room).copied()
    }

    /// The names of all rooms, sorted.
    pub(super) fn names(&self) -> Vec<Arc<str>> {
        sorted(self.numbers.keys().cloned())
    }

    pub(super) fn add_room(&mut self, number: u32, name: Arc<str>) {
        let private = !name.starts_with('#');
        self.numbers.insert(name, number);
        self.rooms.insert(number, Room { private, entries: Vec::new(), lines: 0, bytes: 0 });
    }

    pub(super) fn drop_room(&mut self, number: u32, name: &str) {
        self.rooms.remove(&number);
        self.numbers.remove(name);
    }

    /// What is not to be shown as it stands on the disk.
    pub(super) fn erased(&self) -> Arc<Erased> {
        self.erased.clone()
    }

    pub(super) fn erased_mut(&mut self) -> &mut Erased {
        Arc::make_mut(&mut self.erased)
    }

    /// Takes out what is on the disk no more.
    pub(super) fn take_erased_elsewhere(&mut self) -> Vec<MsgId> {
        let held = |id: &MsgId| self.segments.iter().any(|segment| segment.range().contains(id));
        let gone: Vec<MsgId> = self.erased.keys().copied().filter(|id| !held(id)).collect();
        if !gone.is_empty() {
            self.erased_mut().retain(|id, _| !gone.contains(id));
        }
        gone
    }

    /// The segments that hold something of that.
    fn segments_with_erased(&self) -> impl Iterator<Item = u32> {
        let holds = |segment: &&Segment| self.erased.range(segment.range()).next().is_some();
        self.segments.iter().filter(holds).map(|segment| segment.header.number)
    }

    pub(super) fn last(&self) -> MsgId {
        self.segments.iter().filter_map(Segment::last).max().unwrap_or_default()
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
        segment.chunks.truncate(usize::from(chunk));
        segment.chunks.extend(contents.chunks.last());
        let number = segment.header.number;
        for room in frame.rooms() {
            segment.bytes += u64::from(frame.share());
            if let Some(room) = self.rooms.get_mut(&room) {
                room.add(number, chunk, frame.is_event(), frame.share());
            }
        }
    }

    /// The next spans to read for records of `rooms` that are wanted, in the order asked for, until
    /// they hold `least` records for sure, and at most `max`. True = there are no more.
    pub(super) fn plan(
        &self,
        rooms: &[u32],
        wanted: &Filter,
        (newest_first, events): (bool, bool),
        (least, max): (usize, usize),
    ) -> (Vec<Span>, bool) {
        let mut lists: Vec<List<'_>> = Vec::with_capacity(rooms.len());
        for &number in rooms {
            let Some(room) = self.rooms.get(&number) else { continue };
            let (floor, skip) = room.floor(self.keep);
            let entries = room.entries.get(floor..).unwrap_or_default();
            let floor = entries.first().filter(|_| skip > 0).map(|entry| (entry.place(), skip));
            let early = |last: MsgId| wanted.range.is_after(last) || last < wanted.floor.first;
            let start = entries.partition_point(|entry| self.chunk(entry).is_none_or(|c| early(c.last)));
            let late = |chunk: &Chunk| wanted.range.is_before(chunk.first);
            let end = entries.partition_point(|entry| self.chunk(entry).is_some_and(|c| !late(c)));
            let left = entries.get(start..end).unwrap_or_default();
            lists.push(List { room: number, left, floor });
        }
        let mut spans: Vec<Span> = Vec::new();
        let mut counted = 0;
        // Times need not rise from chunk to chunk.
        let is_beside = |entry: &Entry| {
            self.chunk(entry).is_some_and(|c| !wanted.range.meets(c.first.time(), c.last.time()))
        };
        loop {
            for list in &mut lists {
                while list.end(newest_first).is_some_and(is_beside) {
                    list.step(newest_first);
                }
            }
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
    pub(super) fn live_span(&self, room: u32, segment: u32, chunk: u16) -> Option<Span> {
        let skip = self.live(room, segment, chunk)?;
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
            last: this.last,
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

    /// The segments with records beyond the lines or bytes that are kept, or that are not to be shown.
    pub(super) fn segments_with_waste(&self) -> HashSet<u32> {
        let live = self.live_bytes();
        let trimmed = |segment: &&Segment| {
            segment.bytes > live.get(&segment.header.number).copied().unwrap_or_default()
        };
        let in_part = self.rooms.values().filter_map(|room| {
            let (floor, skip) = room.floor(self.keep);
            room.entries.get(floor).filter(|_| skip > 0).map(|entry| entry.segment)
        });
        self.segments
            .iter()
            .filter(trimmed)
            .map(|segment| segment.header.number)
            .chain(in_part)
            .chain(self.segments_with_erased())
            .collect()
    }

    /// The number of a room's lines in a chunk that are not kept; `None` = nothing of it is.
    pub(super) fn live(&self, room: u32, segment: u32, chunk: u16) -> Option<u64> {
        let room = self.rooms.get(&room)?;
        let place = room.entries.binary_search_by_key(&(segment, chunk), Entry::place).ok()?;
        let (floor, skip) = room.floor(self.keep);
        match place.cmp(&floor) {
            std::cmp::Ordering::Less => None,
            std::cmp::Ordering::Equal => Some(skip),
            std::cmp::Ordering::Greater => Some(0),
        }
    }

    fn chunk(&self, entry: &Entry) -> Option<&Chunk> {
        self.segment(entry.segment)?.chunks.get(usize::from(entry.chunk))
    }

    /// Records of a room that are kept, about, of those from `floor` on.
    pub(super) fn count(&self, room: u32, floor: Floor) -> u64 {
        let Some(room) = self.rooms.get(&room) else { return 0 };
        let kept = room.entries.iter().skip(room.floor(self.keep).0);
        let young = kept.filter(|entry| entry.place() >= floor.place);
        young.map(|entry| u64::from(entry.lines) + u64::from(entry.events)).sum()
    }

    /// Where that begins which is not older than `oldest`; both are milliseconds since 1970.
    pub(super) fn floor(&self, oldest: u64, now: u64) -> Floor {
        let mut floor = Floor::default();
        let segments = self.segments.iter();
        let chunks = segments.flat_map(|segment| (0..).zip(&segment.chunks).map(move |at| (segment, at)));
        for (segment, (number, chunk)) in chunks {
            if chunk.last.millis < oldest {
                let first = chunk.last.after();
                floor = Floor { place: (segment.header.number, number + 1), first, ..Floor::default() };
            } else if chunk.first.millis <= now {
                if chunk.first.millis < oldest {
                    let place = (segment.header.number, number);
                    floor = Floor { place, first: chunk.first, last: chunk.last, oldest };
                }
                break;
            }
        }
        floor
    }

    /// Forgets what is not kept any more, by whole entries: what is too old, what is beyond a room's
    /// lines or bytes, and where all rooms have more than their total, of those that have more than
    /// others what is beyond an even share.
    pub(super) fn trim(&mut self, retention: &Retention, floor: Floor) {
        for room in self.rooms.values_mut() {
            let old = room.entries.partition_point(|entry| entry.place() < floor.place);
            room.forget(room.floor(self.keep).0.max(old));
        }
        self.trim_to(retention.total, false);
        self.trim_to(retention.private, true);
    }

    fn trim_to(&mut self, total: Option<u64>, private: bool) {
        let Some(share) = total.and_then(|total| self.even_share(total, private)) else { return };
        for room in self.rooms.values_mut().filter(|room| room.private == private) {
            let mut over = room.bytes.saturating_sub(share);
            let mut most = room.entries.iter().take(room.entries.len().saturating_sub(1));
            let dead = most.position(|entry| {
                let beyond = over > 0;
                over = over.saturating_sub(u64::from(entry.bytes));
                !beyond
            });
            room.forget(dead.unwrap_or(room.entries.len().saturating_sub(1)));
        }
    }

    /// The bytes that each room, or each two people, may have at most so that all of them have `total`; `None` =
    /// they have less.
    fn even_share(&self, total: u64, private: bool) -> Option<u64> {
        let rooms = self.rooms.values().filter(|room| room.private == private);
        let sizes: Vec<u64> = rooms.map(|room| room.bytes).collect();
        if sizes.iter().sum::<u64>() <= total {
            return None;
        }
        let sizes = sorted(sizes);
        let (mut left, mut rooms) = (total, sizes.len() as u64);
        for size in sizes {
            if size > left / rooms {
                return Some(left / rooms);
            }
            (left, rooms) = (left - size, rooms - 1);
        }
        None
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

    /// The first entries go.
    fn forget(&mut self, count: usize) {
        if count > 0 {
            let first = self.entries.get(count).map(Entry::place);
            self.keep(|entry| first.is_some_and(|first| entry.place() >= first));
        }
    }

    /// The first entry that is kept, and how many of its lines are not.
    fn floor(&self, keep: Keep) -> (usize, u64) {
        let mut skip = keep.lines.map_or(0, |lines| self.lines.saturating_sub(lines));
        let mut over = keep.bytes.map_or(0, |bytes| self.bytes.saturating_sub(bytes));
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
