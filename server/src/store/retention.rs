//! Retention: records that are not kept any more leave the disk, in small steps, between commits.
//!
//! Old records go soon: no segment spans much more than an eighth of the time that lines are
//! kept, and one that holds older lines than that is rewritten. Records beyond the lines
//! or bytes go when they are half of a segment, and once a day however few they are.

use std::collections::{HashMap, HashSet};
use std::io;
use std::time::Duration;

use super::clock::DAY;
use super::error::StoreError;
use super::frame::{Frame, Frames, Header};
use super::index::Segment;
use super::load::salt;
use super::log::{LogFile, UNFINISHED};
use super::readers::{Files, cut};
use super::rooms::Rooms;
use super::segment::{Contents, Known, SEGMENT, write_index};
use super::shared::Shared;
use crate::protocol::MsgId;

/// Bytes of dead records in a segment that are worth a rewriting.
const WASTE: u64 = 256 * 1024;
/// Bytes that are rewritten between two syncs.
const STEP: usize = 256 * 1024;
/// Records that stand on the disk though they are deleted; then they go, before the day is over.
const MOST_ERASED: usize = 1024;
/// Below so many bytes a segment is joined with its neighbour.
const SMALL: u64 = SEGMENT / 4;
/// Old records stay on the disk for this part of the time that they were kept.
const LATE: u32 = 8;
/// But not for less, else there would be a file for a few lines each.
const LEAST_LATE: Duration = Duration::from_secs(60);

/// See the [module](self).
#[derive(Debug, Default)]
pub(super) struct Upkeep {
    /// Something may have become too old, or too much.
    due: bool,
    rewrite: Option<Rewrite>,
    /// Segments that could not be read: they stay as they are.
    broken: HashSet<u32>,
    /// Segments to be rewritten, however little in them is dead.
    condemned: HashSet<u32>,
    /// When they were looked for, milliseconds since 1970.
    swept: Option<u64>,
    /// The reason that was logged for doing nothing.
    said: Option<String>,
}

/// Neighbouring segments that are being rewritten into one.
#[derive(Debug)]
struct Rewrite {
    run: Vec<Segment>,
    log: LogFile,
    contents: Contents,
    batch: Vec<u8>,
    /// Segment and chunk that are copied next.
    at: (usize, u16),
    /// What is deleted of them: it is not in the copy.
    erased: Vec<MsgId>,
}

impl Upkeep {
    /// There may be something to do.
    pub(super) fn wake(&mut self) {
        self.due = true;
    }

    pub(super) fn is_busy(&self) -> bool {
        self.due || self.rewrite.is_some()
    }

    /// So many records are deleted, and stand on the disk still.
    pub(super) fn erased(&mut self, count: usize) {
        if count > 0 && count.is_multiple_of(MOST_ERASED) {
            self.swept = None;
        }
    }

    /// At the start and once a day, condemns the segments that hold anything dead; says whether it did that now.
    pub(super) fn sweep(&mut self, shared: &Shared, rooms: &mut Rooms) -> bool {
        // It may have stepped back.
        if self.swept.is_some_and(|swept| shared.now().abs_diff(swept) < DAY) {
            return false;
        }
        self.swept = Some(shared.now());
        let mut index = shared.index_mut();
        let floor = shared.floor(&index);
        index.trim(&shared.retention(), floor);
        self.condemned = index.segments_with_waste();
        for id in index.take_erased_elsewhere() {
            rooms.set_erased(id, None);
        }
        self.due = true;
        true
    }

    /// Whether a segment is to be rewritten, however little in it is dead.
    pub(super) fn is_condemned(&self, segment: u32) -> bool {
        self.condemned.contains(&segment)
    }

    /// A small step: at most 64 KiB read, or 256 KiB synced, or one file removed.
    pub(super) fn step(
        &mut self,
        shared: &Shared,
        rooms: &mut Rooms,
        secret: &[u8; 16],
    ) -> Result<(), StoreError> {
        match self.rewrite.take() {
            Some(rewrite) => self.go_on(shared, rooms, rewrite),
            None => self.choose(shared, rooms, secret),
        }
    }

    /// Does nothing until it is woken, and says why, once.
    pub(super) fn rest(&mut self, error: &StoreError) {
        self.due = false;
        let why = error.to_string();
        if self.said.as_ref() != Some(&why) {
            log::warn!("the history cannot be compacted now: {why}");
            self.said = Some(why);
        }
    }

    /// Gives up a rewriting: nothing of it counts.
    pub(super) fn abandon(&mut self, shared: &Shared) {
        if let Some(rewrite) = self.rewrite.take() {
            rewrite.discard(shared);
        }
    }

    fn choose(&mut self, shared: &Shared, rooms: &mut Rooms, secret: &[u8; 16]) -> Result<(), StoreError> {
        let lateness = lateness(shared);
        let (live, segments, late) = {
            let mut index = shared.index_mut();
            let floor = shared.floor(&index);
            index.trim(&shared.retention(), floor);
            let gone =
                rooms.forget(|room| index.rooms.get(&room).is_some_and(|room| !room.entries.is_empty()));
            for (number, name) in gone {
                index.drop_room(number, &name);
            }
            let late = lateness.map(|late| index.floor(shared.oldest().saturating_sub(late), shared.now()));
            (index.live_bytes(), index.segments.clone(), late)
        };
        let Some((_, sealed)) = segments.split_last() else { return Ok(()) };
        let live = |segment: &Segment| live.get(&segment.header.number).copied().unwrap_or_default();
        if let Some(dead) = sealed.iter().find(|segment| live(segment) == 0) {
            shared.index_mut().remove_segments(|gone| gone == dead.header.number);
            return remove(shared, dead.header);
        }
        let end = |segment: &Segment| u64::from(segment.end);
        let whole = |segment: &&Segment| !self.broken.contains(&segment.header.number);
        let too_late = |first: MsgId| late.is_some_and(|late| !late.keeps(first));
        let wasted = |segment: &Segment| {
            let waste = end(segment).saturating_sub(live(segment));
            waste >= WASTE && waste >= end(segment) / 2
                || segment.first().is_some_and(too_late)
                || self.condemned.contains(&segment.header.number)
        };
        // Joined, they would have to be rewritten soon.
        let apart = |first: &Segment, last: &Segment| {
            let span =
                last.last().unwrap_or_default().millis.abs_diff(first.first().unwrap_or_default().millis);
            lateness.is_some_and(|lateness| span > lateness)
        };
        for (place, first) in sealed.iter().enumerate().filter(|(_, segment)| whole(segment)) {
            let next = sealed.get(place + 1).filter(whole);
            let joined = next.is_some_and(|next| end(first).max(end(next)) < SMALL && !apart(first, next));
            if !wasted(first) && !joined {
                continue;
            }
            let mut bytes = 0;
            let fits = |segment: &&Segment| {
                bytes += live(segment);
                let same = segment.header.number == first.header.number;
                let joins = whole(segment) && (wasted(segment) || end(segment) < SMALL);
                same || bytes <= SEGMENT && joins && !apart(first, segment)
            };
            let run: Vec<Segment> = sealed.iter().skip(place).take_while(fits).cloned().collect();
            for segment in &run {
                self.condemned.remove(&segment.header.number);
            }
            self.rewrite = Rewrite::start(shared, run, secret).map_err(StoreError::io(&*shared.disk, ""))?;
            return Ok(());
        }
        self.due = false;
        Ok(())
    }

    fn go_on(&mut self, shared: &Shared, rooms: &mut Rooms, mut rewrite: Rewrite) -> Result<(), StoreError> {
        match rewrite.step(shared) {
            Ok(false) => self.rewrite = Some(rewrite),
            Ok(true) => {
                // What has become too old meanwhile is looked for again.
                self.due = true;
                rewrite.finish(shared, rooms)?;
            }
            Err(error) => {
                // A full disk is tried again, a damaged file is not.
                if matches!(error, StoreError::Damaged { .. }) || error.is_gone() {
                    self.broken.extend(rewrite.run.iter().map(|segment| segment.header.number));
                }
                rewrite.discard(shared);
                return Err(error);
            }
        }
        Ok(())
    }
}

/// Milliseconds that what is too old may stay on the disk; `None` = nothing becomes too old.
pub(super) fn lateness(shared: &Shared) -> Option<u64> {
    let late = shared.retention().age.map(|keep| (keep / LATE).max(LEAST_LATE));
    late.map(|late| u64::try_from(late.as_millis()).unwrap_or(u64::MAX))
}

/// Shows the records of a chunk that are kept, each as one of the rooms that keep it.
fn sift(
    shared: &Shared,
    files: &mut Files<'_>,
    number: u32,
    chunk: u16,
    mut visit: impl FnMut(&Frame<'_>),
) -> Result<(), StoreError> {
    let Some(span) = shared.index().span(number, chunk, Vec::new()) else { return Ok(()) };
    let bytes = files.read(&span)?;
    if let Some(error) = cut(&*shared.disk, &span, &bytes) {
        return Err(error);
    }
    let index = shared.index();
    let (floor, erased) = (shared.floor(&index), index.erased());
    let mut kept: HashMap<u32, Option<u64>> = HashMap::new();
    for frame in Frames::new(&bytes, span.header.salt, span.offset) {
        let torn = |offset| StoreError::torn(&*shared.disk, &span.header.log_name(), offset);
        let (_, mut frame) = frame.map_err(torn)?;
        let mut rooms = Vec::new();
        for room in frame.rooms() {
            match kept.entry(room).or_insert_with(|| index.live(room, number, chunk)) {
                Some(0) => rooms.push(room),
                Some(skip) => *skip -= u64::from(!frame.is_event()),
                None => {}
            }
        }
        if !rooms.is_empty() && floor.keeps(frame.key) {
            let mut numbers = Vec::new();
            frame.set_rooms(&rooms, &mut numbers);
            frame.payload = erased.get(&frame.key).map_or(frame.payload, |payload| payload);
            visit(&frame);
        }
    }
    Ok(())
}

fn remove(shared: &Shared, header: Header) -> Result<(), StoreError> {
    let name = header.log_name();
    shared.disk.remove(&name).map_err(StoreError::io(&*shared.disk, &name))?;
    // An index without its log is removed when the store is opened.
    let _ = shared.disk.remove(&header.index_name());
    Ok(())
}

impl Rewrite {
    fn start(shared: &Shared, run: Vec<Segment>, secret: &[u8; 16]) -> io::Result<Option<Rewrite>> {
        let (Some(first), Some(last)) = (run.first(), run.last()) else { return Ok(None) };
        let generation = run.iter().map(|segment| segment.header.generation).max().unwrap_or_default() + 1;
        let header = Header {
            number: first.header.number,
            through: last.header.through,
            generation,
            salt: salt(secret, first.header.number, generation),
        };
        let log = LogFile::draft(&*shared.disk, &header.log_name(), header)?.without_zeros();
        let mut batch = Vec::new();
        log.start_batch(&mut batch);
        let erased = shared.index().erased();
        let erased =
            run.iter().flat_map(|segment| erased.range(segment.range())).map(|(id, _)| *id).collect();
        Ok(Some(Rewrite { run, log, contents: Contents::default(), batch, at: (0, 0), erased }))
    }

    /// Copies a chunk, or syncs; true = everything is copied and synced.
    fn step(&mut self, shared: &Shared) -> Result<bool, StoreError> {
        let (place, chunk) = self.at;
        let Some(segment) = self.run.get(place) else {
            self.sync(shared)?;
            return Ok(true);
        };
        if self.batch.len() >= STEP {
            self.sync(shared)?;
            return Ok(false);
        }
        if usize::from(chunk) >= segment.chunks.len() {
            self.at = (place + 1, 0);
            return Ok(false);
        }
        self.at = (place, chunk + 1);
        let number = segment.header.number;
        let end = self.log.end;
        sift(shared, &mut Files::new(&*shared.disk), number, chunk, |frame| {
            self.contents.add(self.log.header.number, end + self.batch.len() as u64, frame);
            frame.encode(self.log.header.salt, &mut self.batch);
        })?;
        Ok(false)
    }

    fn sync(&mut self, shared: &Shared) -> Result<(), StoreError> {
        self.log.append(&mut self.batch).map_err(StoreError::io(&*shared.disk, &self.log.name))?;
        self.log.start_batch(&mut self.batch);
        Ok(())
    }

    /// Takes the place of what it was made from.
    fn finish(self, shared: &Shared, rooms: &mut Rooms) -> Result<(), StoreError> {
        let header = self.log.header;
        let known = Known { end: self.log.end, batch: self.log.batch, rooms: rooms.extent() };
        let publish = || {
            write_index(&*shared.disk, header, known, &self.contents)?;
            self.log.publish(&*shared.disk)
        };
        if let Err(error) = publish() {
            let error = StoreError::io(&*shared.disk, &self.log.name)(error);
            self.discard(shared);
            return Err(error);
        }
        let mut index = shared.index_mut();
        index.install(header, self.log.end, &self.contents, header.number..=header.through);
        for id in self.erased {
            index.erased_mut().remove(&id);
            rooms.set_erased(id, None);
        }
        drop(index);
        for old in &self.run {
            remove(shared, old.header)?;
        }
        Ok(())
    }

    fn discard(&self, shared: &Shared) {
        // Whatever stays is removed when the store is opened.
        let _ = shared.disk.remove(&format!("{}{UNFINISHED}", self.log.name));
        let _ = shared.disk.remove(&self.log.header.index_name());
    }
}
