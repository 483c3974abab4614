//! A segment of the log: which of its chunks hold what, kept beside it in a file of its own.
//!
//! The index file is only a shortcut: it is written after the segment was synced, and what is
//! behind the end it knows is scanned. A lost or torn one costs a scan of the segment.

use std::collections::HashMap;
use std::io;

use super::clock::DAY;
use super::crc::crc32c;
use super::disk::{Disk, DiskFile};
use super::frame::{Fields, Frame, HEADER, Header, put_key};
use crate::protocol::MsgId;
use crate::protocol::sorted::sorted;

/// Bytes after which a segment is closed and the next one begun.
pub(super) const SEGMENT: u64 = 8 * 1024 * 1024;
/// Bytes after which a chunk is closed: what a page reads at least. Half of it would double the
/// memory of an index of a hundred rooms that all talk.
pub(super) const CHUNK: u32 = 64 * 1024;
/// Milliseconds between two records that do not share a chunk: what is too old is told by whole chunks,
/// and one line under a wrong clock must not keep those before it.
const APART: u64 = DAY;
/// Chunks of a segment that are closed early at most; some more would still have a number.
const MAX_EARLY: usize = 32 * 1024;
/// Starts every index file: its fingerprints are sorted, its chunks say which record is their last.
const MAGIC: &[u8; 8] = b"ParlorI4";
/// One of before: neither is so.
const MAGIC_2: &[u8; 8] = b"ParlorI2";
/// Bytes of a chunk.
const CHUNK_SIZE: usize = 28;
/// Bytes of a fingerprint and its chunk.
const PRINT: usize = 10;
/// Bytes before the tables of an index file.
const HEAD: usize = 56;

/// A stretch of a segment; times rise in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Chunk {
    /// Its beginning; it ends where the next one begins.
    pub(super) offset: u32,
    /// Of its first record.
    pub(super) first: MsgId,
    /// Of its last record.
    pub(super) last: MsgId,
}

/// A room's part of a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Entry {
    /// The number of the segment.
    pub(super) segment: u32,
    /// Bytes of its records.
    pub(super) bytes: u32,
    pub(super) chunk: u16,
    pub(super) lines: u16,
    pub(super) events: u16,
}

impl Entry {
    /// Segment and chunk: sorts as the records do.
    pub(super) fn place(&self) -> (u32, u16) {
        (self.segment, self.chunk)
    }

    pub(super) fn add(&mut self, event: bool, size: u32) {
        // A chunk holds at most 64 KiB and one record: two thousand records.
        if event {
            self.events += 1
        } else {
            self.lines += 1
        }
        self.bytes += size;
    }
}

/// The contents of a segment: its chunks, and the rooms and fingerprints in them.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub(super) chunks: Vec<Chunk>,
    /// Room and entry, in the order of chunks.
    pub(super) entries: Vec<(u32, Entry)>,
    /// Chunk and fingerprint, in the order of records.
    pub(super) prints: Vec<(u16, u64)>,
    /// Each room's entry of the last chunk, a place in `entries`.
    current: HashMap<u32, usize>,
}

impl Contents {
    /// The last record.
    pub(super) fn last(&self) -> Option<MsgId> {
        self.chunks.last().map(|chunk| chunk.last)
    }

    /// Counts a record; says in which chunk it is.
    pub(super) fn add(&mut self, segment: u32, offset: u64, frame: &Frame<'_>) -> u16 {
        // A segment is a few MiB.
        let offset = offset as u32;
        let early = self.chunks.len() < MAX_EARLY;
        let key = frame.key;
        let apart = |last: MsgId| last.boot != key.boot || last.millis + APART < key.millis;
        match self.chunks.last_mut() {
            Some(chunk) if offset - chunk.offset < CHUNK && !(early && apart(chunk.last)) => chunk.last = key,
            _ => {
                self.chunks.push(Chunk { offset, first: key, last: key });
                self.current.clear();
            }
        }
        let chunk = (self.chunks.len() - 1) as u16;
        for room in frame.rooms() {
            let place = *self.current.entry(room).or_insert_with(|| {
                self.entries.push((room, Entry { segment, chunk, ..Entry::default() }));
                self.entries.len() - 1
            });
            if let Some((_, entry)) = self.entries.get_mut(place) {
                entry.add(frame.is_event(), frame.share());
            }
        }
        if frame.fingerprint != 0 {
            self.prints.push((chunk, frame.fingerprint));
        }
        chunk
    }

    /// Whether anything in a chunk is as late as this, milliseconds since 1970.
    pub(super) fn is_late(&self, chunk: u16, millis: u64) -> bool {
        self.chunks.get(usize::from(chunk)).is_some_and(|chunk| chunk.last.millis >= millis)
    }
}

impl Header {
    /// `00000012-0.log`: the number, and how often it was rewritten, hexadecimal.
    pub(super) fn log_name(&self) -> String {
        format!("{:08x}-{:x}.log", self.number, self.generation)
    }

    /// The index beside that.
    pub(super) fn index_name(&self) -> String {
        format!("{:08x}-{:x}.index", self.number, self.generation)
    }
}

/// Number and generation of a name with this ending, if it is one of ours.
pub(super) fn parse_name(name: &str, ending: &str) -> Option<(u32, u32)> {
    let (number, generation) = name.strip_suffix(ending)?.split_once('-')?;
    let (number, generation) =
        (u32::from_str_radix(number, 16).ok()?, u32::from_str_radix(generation, 16).ok()?);
    (format!("{number:08x}-{generation:x}{ending}") == name).then_some((number, generation))
}

/// The part of a segment that its index knows, and of the rooms in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Known {
    /// The end of the last batch.
    pub(super) end: u64,
    /// The number of the next batch.
    pub(super) batch: u32,
    /// Generation and end that the file of the rooms had at least: whoever cut it is found out.
    pub(super) rooms: (u32, u32),
}

/// Writes the index of a segment that was synced up to `known`.
pub(super) fn write_index(
    disk: &dyn Disk,
    header: Header,
    known: Known,
    contents: &Contents,
) -> io::Result<()> {
    let mut bytes =
        Vec::with_capacity(HEAD + contents.chunks.len() * CHUNK_SIZE + contents.entries.len() * 14);
    bytes.extend_from_slice(MAGIC);
    let [chunks, entries, prints] =
        [contents.chunks.len(), contents.entries.len(), contents.prints.len()].map(|count| count as u32);
    let (generation, rooms_end) = known.rooms;
    let head = [header.salt, known.end as u32, known.batch, generation, rooms_end, chunks, entries, prints];
    bytes.extend_from_slice(head.map(u32::to_le_bytes).as_flattened());
    put_key(contents.last().unwrap_or_default(), &mut bytes);
    let sum = crc32c(0, &bytes);
    bytes.extend_from_slice(&sum.to_le_bytes());
    for chunk in &contents.chunks {
        bytes.extend_from_slice(&chunk.offset.to_le_bytes());
        put_key(chunk.first, &mut bytes);
        put_key(chunk.last, &mut bytes);
    }
    for (room, entry) in &contents.entries {
        bytes.extend_from_slice([*room, entry.bytes].map(u32::to_le_bytes).as_flattened());
        let counts = [entry.chunk, entry.lines, entry.events];
        bytes.extend_from_slice(counts.map(u16::to_le_bytes).as_flattened());
    }
    let sum = crc32c(sum, &bytes[HEAD..]);
    bytes.extend_from_slice(&sum.to_le_bytes());
    let begin = bytes.len();
    let prints = sorted(contents.prints.iter().map(|(chunk, print)| (*print, *chunk)));
    for (fingerprint, chunk) in &prints {
        bytes.extend_from_slice(&chunk.to_le_bytes());
        bytes.extend_from_slice(&fingerprint.to_le_bytes());
    }
    let sum = crc32c(sum, &bytes[begin..]);
    bytes.extend_from_slice(&sum.to_le_bytes());
    let file = disk.create(&header.index_name())?;
    file.write_at(&bytes, 0)?;
    file.sync()
}

/// The beginning of an index file.
struct Head {
    is_old: bool,
    known: Known,
    chunks: usize,
    entries: usize,
    prints: usize,
    /// Of the last record.
    last: MsgId,
    sum: u32,
}

impl Head {
    fn read(file: &dyn DiskFile, header: Header) -> Option<Head> {
        let head = read_at(file, 0, HEAD)?;
        let (body, stored) = head.split_at_checked(HEAD - 4)?;
        let sum = crc32c(0, body);
        let (magic, body) = body.split_at_checked(MAGIC.len())?;
        let (is_old, mut fields) = (magic == MAGIC_2, Fields(body));
        let sound = (is_old || magic == MAGIC) && sum.to_le_bytes() == stored;
        if !sound || fields.u32()? != header.salt {
            return None;
        }
        let (end, batch) = (u64::from(fields.u32()?), fields.u32()?);
        let known = Known { end, batch, rooms: (fields.u32()?, fields.u32()?) };
        let mut count = || Some(fields.u32()? as usize);
        let (chunks, entries, prints) = (count()?, count()?, count()?);
        Some(Head { is_old, known, chunks, entries, prints, last: fields.key()?, sum })
    }
}

fn read_at(file: &dyn DiskFile, offset: usize, count: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0; count];
    (file.read_at(&mut bytes, offset as u64).ok()? == count).then_some(bytes)
}

/// The chunks of a segment in which a fingerprint stands, by a few small reads of its index. They are not
/// proven by its sum: whoever reads the chunk sees whether it is there. `None` = the index cannot tell.
pub(super) fn chunks_with(disk: &dyn Disk, header: Header, fingerprint: u64) -> Option<Vec<u16>> {
    let file = disk.open(&header.index_name()).ok()?;
    let head = Head::read(&*file, header)?;
    if head.is_old {
        let (_, contents) = read_index(disk, header, 0)?;
        let same = contents.prints.iter().filter(|(_, print)| *print == fingerprint);
        return Some(same.map(|(chunk, _)| *chunk).collect());
    }
    let begin = HEAD + head.chunks * CHUNK_SIZE + head.entries * 14 + 4;
    let at = |place: usize| {
        let bytes = read_at(&*file, begin + place * PRINT, PRINT)?;
        let mut fields = Fields(&bytes);
        Some((fields.u16()?, fields.u64()?))
    };
    let (mut low, mut high) = (0, head.prints);
    while low < high {
        let middle = low.midpoint(high);
        if at(middle)?.1 < fingerprint { low = middle + 1 } else { high = middle }
    }
    let places = (low..head.prints).map_while(at).take_while(|(_, print)| *print == fingerprint);
    Some(places.map(|(chunk, _)| chunk).collect())
}

/// Reads the index of a segment; with the fingerprints only if something in it is as late as
/// `prints_from`. `None` = it is absent, torn, or of another file.
pub(super) fn read_index(disk: &dyn Disk, header: Header, prints_from: u64) -> Option<(Known, Contents)> {
    let file = disk.open(&header.index_name()).ok()?;
    let read = |offset, count| read_at(&*file, offset, count);
    let Head { is_old, known, chunks, entries, prints, last, sum: head_sum } = Head::read(&*file, header)?;
    let mut contents = Contents::default();
    let size = chunks * if is_old { 16 } else { CHUNK_SIZE } + entries * 14;
    let tables = read(HEAD, size + 4)?;
    let (body, sum) = tables.split_at_checked(size)?;
    let table_sum = crc32c(head_sum, body);
    if table_sum.to_le_bytes() != sum {
        return None;
    }
    let mut fields = Fields(body);
    contents.chunks.reserve_exact(chunks);
    for _ in 0..chunks {
        let (offset, first) = (fields.u32()?, fields.key()?);
        if let Some(before) = contents.chunks.last_mut().filter(|_| is_old) {
            // No record of it is later, and times rose.
            before.last = first.before();
        }
        contents.chunks.push(Chunk { offset, first, last: if is_old { last } else { fields.key()? } });
    }
    contents.entries.reserve_exact(entries);
    for _ in 0..entries {
        let (room, bytes) = (fields.u32()?, fields.u32()?);
        let (chunk, lines, events) = (fields.u16()?, fields.u16()?, fields.u16()?);
        contents.entries.push((room, Entry { segment: header.number, bytes, chunk, lines, events }));
    }
    let last_chunk = chunks.saturating_sub(1) as u16;
    for (place, (room, entry)) in contents.entries.iter().enumerate() {
        if entry.chunk == last_chunk {
            contents.current.insert(*room, place);
        }
    }
    let is_late = |chunk: &Chunk| chunk.last.millis >= prints_from;
    if last.millis >= prints_from || contents.chunks.iter().any(is_late) {
        let size = prints * PRINT;
        let bytes = read(HEAD + tables.len(), size + 4)?;
        let (body, sum) = bytes.split_at_checked(size)?;
        if crc32c(table_sum, body).to_le_bytes() != sum {
            return None;
        }
        let mut fields = Fields(body);
        contents.prints.reserve_exact(prints);
        for _ in 0..prints {
            contents.prints.push((fields.u16()?, fields.u64()?));
        }
    }
    (known.end >= HEADER as u64).then_some((known, contents))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::FakeDisk;

    /// An index as it was written before its fingerprints were sorted.
    fn unsort(bytes: &mut [u8], prints: &[(u16, u64)]) {
        let tables = bytes.len() - 4 - prints.len() * PRINT - 4;
        bytes[..MAGIC.len()].copy_from_slice(MAGIC_2);
        let sum = crc32c(0, &bytes[..HEAD - 4]);
        bytes[HEAD - 4..HEAD].copy_from_slice(&sum.to_le_bytes());
        let sum = crc32c(sum, &bytes[HEAD..tables]);
        bytes[tables..tables + 4].copy_from_slice(&sum.to_le_bytes());
        let places = bytes[tables + 4..].chunks_exact_mut(PRINT);
        for (place, (chunk, print)) in places.zip(prints) {
            place[..2].copy_from_slice(&chunk.to_le_bytes());
            place[2..].copy_from_slice(&print.to_le_bytes());
        }
        let end = bytes.len() - 4;
        let sum = crc32c(sum, &bytes[tables + 4..end]);
        bytes[end..].copy_from_slice(&sum.to_le_bytes());
    }

    #[test]
    fn an_index_tells_the_chunks_of_a_fingerprint_also_one_of_the_older_form() {
        let disk = FakeDisk::default();
        let header = Header { number: 1, through: 1, generation: 0, salt: 9 };
        let known = Known { end: 1000, batch: 1, rooms: (0, 0) };
        let prints = vec![(0, 70), (0, 30), (1, 50), (2, 30), (2, u64::MAX), (3, 1)];
        let contents = Contents { prints: prints.clone(), ..Contents::default() };
        write_index(&disk, header, known, &contents).unwrap();
        for old in [false, true] {
            if old {
                disk.tamper(&header.index_name(), |bytes| unsort(bytes, &prints));
            }
            let mut read = read_index(&disk, header, 0).unwrap().1.prints;
            assert_eq!(read == prints, old, "{read:?}");
            read.sort_unstable();
            let mut all = prints.clone();
            all.sort_unstable();
            assert_eq!(read, all);
            for (print, chunks) in
                [(30, vec![0, 2]), (70, vec![0]), (1, vec![3]), (u64::MAX, vec![2]), (2, vec![])]
            {
                assert_eq!(chunks_with(&disk, header, print), Some(chunks), "{print}, old: {old}");
            }
        }
        disk.tamper(&header.index_name(), |bytes| bytes[9] ^= 1);
        assert_eq!(chunks_with(&disk, header, 30), None);
    }
}
