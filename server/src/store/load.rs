//! The opening of a store: everything on disk is read and checked. Nothing is changed before all of it
//! has been found whole.

use std::sync::Arc;

use super::Options;
use super::clock::{Clock, DAY};
use super::crc::crc32c;
use super::disk::{Disk, Lock};
use super::error::StoreError;
use super::frame::{Frame, Header};
use super::index::Index;
use super::log::{LogFile, Tail, UNFINISHED};
use super::meta::{META, Meta};
use super::rooms::{ROOMS, Rooms};
use super::segment::{self, Contents, Known, parse_name};

/// Fingerprints handed out at most.
const MAX_FINGERPRINTS: usize = 1_000_000;

/// A store that was read.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) meta: Meta,
    /// The number of this start.
    pub(super) boot: u32,
    pub(super) clock: Clock,
    pub(super) rooms: Rooms,
    pub(super) index: Index,
    /// The segment that is written to.
    pub(super) log: LogFile,
    pub(super) contents: Contents,
    pub(super) fingerprints: Vec<u64>,
    pub(super) repaired: Vec<String>,
}

/// The start of a file's checksums: nobody outside can know it.
pub(super) fn salt(secret: &[u8; 16], number: u32, generation: u32) -> u32 {
    let sum = crc32c(crc32c(0, secret), &number.to_le_bytes());
    crc32c(sum, &generation.to_le_bytes())
}

/// Opens the store for a server: repairs what a crash left, counts the start.
pub(super) fn load(disk: &dyn Disk, options: &Options) -> Result<Loaded, StoreError> {
    lock(disk)?;
    let names = disk.list().map_err(StoreError::io(disk, ""))?;
    let mut repaired = Vec::new();
    let mut meta = match Meta::read(disk)? {
        Some(meta) => meta,
        None => {
            let ours = |name: &&String| parse_name(name, ".log").is_some() || *name == ROOMS;
            if let Some(name) = names.iter().find(ours) {
                return Err(StoreError::damaged(
                    disk,
                    name,
                    &format!("the file {META} beside it is missing"),
                ));
            }
            let meta = Meta { boot: 0, secret: options.secret, time: None };
            meta.write(disk)?;
            meta
        }
    };
    let now = options.now_ms;
    let mut read = Reading::read(disk, options, &names, (meta.time.unwrap_or(now).min(now), false))?;
    let (mut rooms, tail) = match read.rooms.take() {
        Some(rooms) => rooms,
        None => {
            let rooms =
                Rooms::create(disk, ROOMS, salt(&meta.secret, 0, 0)).map_err(StoreError::io(disk, ROOMS))?;
            (rooms, Tail::Clean)
        }
    };
    if let Tail::Torn(bytes) = tail {
        rooms.cut().map_err(StoreError::io(disk, ROOMS))?;
        repaired.push(torn(disk, ROOMS, bytes));
    }
    let (log, contents) = match read.current.take() {
        Some((mut log, contents, tail)) => {
            if let Tail::Torn(bytes) = tail {
                log.cut().map_err(StoreError::io(disk, &log.name))?;
                repaired.push(torn(disk, &log.name, bytes));
            }
            (log, contents)
        }
        None => {
            let log = create_segment(disk, &meta.secret, 1).map_err(StoreError::io(disk, ""))?;
            let contents = Contents::default();
            read.index.install(log.header, log.end, &contents, 1..=1);
            (log, contents)
        }
    };
    for name in read.leftovers {
        // Not needed, and no harm if it stays.
        let _ = disk.remove(&name);
    }
    for (header, known, contents) in read.without_index {
        repaired.push(format!("{} was indexed again.", disk.path(&header.log_name()).display()));
        if let Err(error) = segment::write_index(disk, header, known, &contents) {
            log::warn!("an index of the history cannot be written: {error}");
        }
    }
    let last = read.index.last();
    let clock = Clock::new(meta.time.or((last.boot > 0).then_some(last.millis)), options.now());
    meta.time = Some(clock.now());
    let boot = meta.boot(disk, last)?;
    let (index, fingerprints) = (read.index, read.fingerprints);
    Ok(Loaded { meta, boot, clock, rooms, index, log, contents, fingerprints, repaired })
}

pub(super) fn lock(disk: &dyn Disk) -> Result<(), StoreError> {
    let folder = disk.path("");
    match disk.lock().map_err(StoreError::io(disk, ""))? {
        Lock::Held => Ok(()),
        Lock::InUse => Err(StoreError::InUse { folder }),
        Lock::Foreign => Err(StoreError::Foreigner { folder }),
    }
}

/// Reads a store and changes nothing; the server has to be stopped. Says what is damaged in the
/// lines, of which the index has the rest; damage anywhere else is an error.
pub(super) fn look(disk: &dyn Disk, options: &Options) -> Result<(Index, Vec<StoreError>), StoreError> {
    let names = disk.list().map_err(StoreError::io(disk, ""))?;
    if Meta::read(disk)?.is_none() {
        return Err(StoreError::Io { path: disk.path(META), error: std::io::ErrorKind::NotFound.into() });
    }
    lock(disk)?;
    let reading = Reading::read(disk, options, &names, (options.now_ms, true))?;
    Ok((reading.index, reading.damage))
}

/// A new segment for writing.
pub(super) fn create_segment(disk: &dyn Disk, secret: &[u8; 16], number: u32) -> std::io::Result<LogFile> {
    let header = Header { number, through: number, generation: 0, salt: salt(secret, number, 0) };
    LogFile::create(disk, &header.log_name(), header)
}

pub(super) fn torn(disk: &dyn Disk, name: &str, bytes: u64) -> String {
    format!(
        "{} ended in {bytes} bytes of an unfinished write, which were cut off.",
        disk.path(name).display()
    )
}

#[derive(Default)]
struct Reading {
    index: Index,
    rooms: Option<(Rooms, Tail)>,
    current: Option<(LogFile, Contents, Tail)>,
    fingerprints: Vec<u64>,
    /// Files that are no longer, or not yet, part of the store.
    leftovers: Vec<String>,
    without_index: Vec<(Header, Known, Contents)>,
    /// Whether damaged lines are left out, rather than an error.
    leaves_out: bool,
    damage: Vec<StoreError>,
}

impl Reading {
    fn read(
        disk: &dyn Disk,
        options: &Options,
        names: &[String],
        (now, leaves_out): (u64, bool),
    ) -> Result<Reading, StoreError> {
        // Address space, no memory before it is used: a vector that grows would leave holes.
        let fingerprints = Vec::with_capacity(MAX_FINGERPRINTS + MAX_FINGERPRINTS / 4);
        let index = Index::new(&options.retention);
        let mut reading = Reading { index, fingerprints, leaves_out, ..Reading::default() };
        let mut logs = Vec::new();
        for name in names {
            if let Some(of) = name.strip_suffix(UNFINISHED) {
                if of == META || of == ROOMS || parse_name(of, ".log").is_some() {
                    reading.leftovers.push(name.clone());
                }
            } else if let Some((number, generation)) = parse_name(name, ".log") {
                let log = LogFile::open(disk, name)?;
                if (log.header.number, log.header.generation) != (number, generation) {
                    return Err(StoreError::damaged(disk, name, "it was given another file's name"));
                }
                // In the order of their numbers.
                let at = logs.partition_point(|other: &LogFile| other.header.number <= number);
                logs.insert(at, log);
            }
        }
        let headers: Vec<Header> = logs.iter().map(|log| log.header).collect();
        let replaces = |new: &Header, old: Header| {
            new.generation > old.generation && (new.number..=new.through).contains(&old.number)
        };
        let is_replaced = |log: &mut LogFile| headers.iter().any(|other| replaces(other, log.header));
        reading.leftovers.extend(logs.extract_if(.., is_replaced).map(|log| log.name));
        let has_index = |name: &&String| {
            parse_name(name, ".index")
                .is_some_and(|of| !logs.iter().any(|log| (log.header.number, log.header.generation) == of))
        };
        reading.leftovers.extend(names.iter().filter(has_index).cloned());
        if names.iter().any(|name| name == ROOMS) {
            reading.rooms = Some(Rooms::open(disk, ROOMS)?);
        } else if let Some(log) = logs.first() {
            return Err(StoreError::damaged(
                disk,
                &log.name,
                &format!("the file {ROOMS} beside it is missing"),
            ));
        }
        if let Some((rooms, _)) = &reading.rooms {
            for (number, name) in rooms.names() {
                reading.index.add_room(number, Arc::clone(name));
            }
            *reading.index.erased_mut() = rooms.erased();
        }
        let count = logs.len();
        for (place, log) in logs.into_iter().enumerate() {
            reading.segment(disk, log, place + 1 == count, now.saturating_sub(DAY))?;
        }
        reading.index.shrink();
        reading.fingerprints.shrink_to_fit();
        Ok(reading)
    }

    fn segment(
        &mut self,
        disk: &dyn Disk,
        mut log: LogFile,
        is_last: bool,
        yesterday: u64,
    ) -> Result<(), StoreError> {
        let header = log.header;
        let name = log.name.clone();
        let index = segment::read_index(disk, header, if is_last { u64::MAX } else { yesterday });
        let indexed = index.is_some();
        let unknown = Known { end: log.end, batch: log.batch, rooms: (0, 0) };
        let (known, mut contents) = index.unwrap_or((unknown, Contents::default()));
        if known.end > log.len() {
            let what = format!("it has {} bytes, and had {}", log.len(), known.end);
            return Err(StoreError::damaged(disk, &name, &what));
        }
        let rooms = self.rooms.as_ref().map(|(rooms, _)| rooms);
        let extent = rooms.map_or((0, 0), Rooms::extent);
        if extent < known.rooms {
            let what = format!("it has {} bytes, and had {}", extent.1, known.rooms.1);
            return Err(StoreError::damaged(disk, ROOMS, &what));
        }
        let lacks = |number: u32| !rooms.is_some_and(|rooms| rooms.had(number));
        if contents.entries.iter().any(|(number, _)| lacks(*number)) {
            return Err(StoreError::damaged(disk, ROOMS, "it lacks rooms that lines belong to"));
        }
        let mut tail = Tail::Clean;
        if is_last || !indexed {
            // What is written to next is read as a whole, whatever its index says.
            contents = Contents::default();
            let makes_sense = |contents: &Contents, frame: &Frame<'_>| {
                // One event may stand in several rooms under one key.
                !frame.rooms().any(lacks) && contents.last().is_none_or(|last| frame.key >= last)
            };
            let scanned = log.scan(disk, |offset, frame| {
                if !makes_sense(&contents, frame) {
                    let what = format!("the record at byte {offset} makes no sense");
                    return Err(StoreError::damaged(disk, &name, &what));
                }
                contents.add(header.number, offset, frame);
                Ok(())
            });
            let scanned = match scanned {
                // It was whole up to there.
                Ok(_) if log.end < known.end => Err(StoreError::torn(disk, &name, log.end)),
                Ok(Tail::Torn(_)) if !is_last => Err(StoreError::torn(disk, &name, log.end)),
                scanned => scanned,
            };
            match scanned {
                Ok(found) => tail = found,
                Err(error @ StoreError::Damaged { .. }) if self.leaves_out => {
                    self.damage.push(error);
                    contents = Contents::default();
                    log.salvage(disk, |offset, frame| {
                        if makes_sense(&contents, frame) {
                            contents.add(header.number, offset, frame);
                        }
                    })?;
                }
                Err(error) => return Err(error),
            }
        } else {
            (log.end, log.batch) = (known.end, known.batch);
        }
        self.index.install(header, log.end, &contents, header.number..=header.through);
        let young = contents.prints.iter().filter(|(chunk, _)| contents.is_late(*chunk, yesterday));
        self.fingerprints.extend(young.map(|(_, print)| print));
        if let Some(over) = self.fingerprints.len().checked_sub(MAX_FINGERPRINTS) {
            self.fingerprints.drain(..over);
        }
        if is_last {
            self.current = Some((log, contents, tail));
        } else if !indexed {
            let known = Known { end: log.end, batch: log.batch, rooms: extent };
            self.without_index.push((header, known, contents));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::MsgId;
    use crate::testing::FakeDisk;

    fn options() -> Options {
        Options { secret: [7; 16], ..Options::default() }
    }

    #[test]
    fn a_store_of_a_newer_format_is_left_alone() {
        let disk = FakeDisk::default();
        load(&disk, &options()).unwrap();
        disk.tamper(META, |bytes| {
            bytes.truncate(bytes.len() - 4);
            bytes[8] += 1;
            bytes.extend(b"and more");
            bytes.extend(crc32c(0, bytes).to_le_bytes());
        });
        disk.unlock();
        let before = disk.snapshot();
        for error in [load(&disk, &options()).err(), look(&disk, &options()).err()] {
            assert!(matches!(error, Some(StoreError::Newer { found: 3, known: 2, .. })), "{error:?}");
        }
        assert!(before == disk.snapshot());
    }

    #[test]
    fn the_highest_id_in_the_log_counts_more_than_an_old_meta_file() {
        let disk = FakeDisk::default();
        let mut loaded = load(&disk, &options()).unwrap();
        loaded.meta.boot(&disk, MsgId { boot: 9_000, millis: 1, count: 0 }).unwrap();
        disk.unlock();
        let loaded = load(&disk, &options()).unwrap();
        assert_eq!(loaded.boot, 37 * MsgId::STARTS, "steps of its clock may have used those between");
    }
}
