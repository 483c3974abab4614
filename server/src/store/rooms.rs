//! The rooms: their numbers in the log, and their states, in a small log of their own. The accounts stand in
//! another one of the same form.
//!
//! A number is never given to another room, so that old records of a forgotten room belong to
//! nobody.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use super::disk::Disk;
use super::error::StoreError;
use super::frame::{BATCH, FRAME, Fields, Frame, HEADER, Header};
use super::index::Erased;
use super::log::{LogFile, Tail};
use crate::protocol::MsgId;
use crate::protocol::sorted::sorted;

/// The file's name.
pub(super) const ROOMS: &str = "rooms.log";
/// Rooms that are known, 0.4 KB each: those that the hub keeps, and the lines of earlier ones. Rooms that
/// ended while they were open to everybody fill it; beyond, the oldest of those go with their lines.
const MOST: usize = 65_536;
/// Begins the name under which it stands what takes the place of a record, until that is gone from the disk.
const ERASED: char = '\u{1}';
/// Below so many bytes the file is left as it is.
const SMALL: u64 = 64 * 1024;

/// The meaning of a frame of the file.
mod flag {
    /// Number, name and no state.
    pub(super) const NAME: u8 = 0;
    /// Number, name and state.
    pub(super) const STATE: u8 = 1;
    /// The number was a room's.
    pub(super) const FORGOTTEN: u8 = 2;
    /// The next room's number.
    pub(super) const NEXT: u8 = 3;
    /// Number, and what is other in the state than before: see [`Difference`](super::Difference).
    pub(super) const CHANGED: u8 = 4;
}

#[derive(Debug)]
struct Room {
    name: Arc<str>,
    state: Option<Box<[u8]>>,
}

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Rooms {
    log: LogFile,
    rooms: HashMap<u32, Room>,
    numbers: HashMap<Arc<str>, u32>,
    next: u32,
    /// Rooms that the log does not hold yet, or not as they are, with the states that it has of them.
    changed: HashMap<u32, Option<Box<[u8]>>>,
    forgotten: Vec<u32>,
}

impl Rooms {
    pub(super) fn create(disk: &dyn Disk, name: &str, salt: u32) -> io::Result<Rooms> {
        let header = Header { number: 0, through: 0, generation: 0, salt };
        Ok(Rooms::with(LogFile::create(disk, name, header)?))
    }

    fn with(log: LogFile) -> Rooms {
        Rooms {
            log: log.without_zeros(),
            rooms: HashMap::new(),
            numbers: HashMap::new(),
            next: 1,
            changed: HashMap::new(),
            forgotten: Vec::new(),
        }
    }

    /// Reads the file; a torn tail is left for [`cut`](Self::cut).
    pub(super) fn open(disk: &dyn Disk, name: &str) -> Result<(Rooms, Tail), StoreError> {
        let mut log = LogFile::open(disk, name)?;
        let mut found: HashMap<u32, Room> = HashMap::new();
        let mut next = 1;
        let senseless = || StoreError::damaged(disk, name, "a name in it makes no sense");
        let tail = log.scan(disk, |_, frame| {
            match frame.flags {
                flag::NEXT => next = next.max(frame.room),
                flag::FORGOTTEN => drop(found.remove(&frame.room)),
                flag::CHANGED => {
                    let state = found.get_mut(&frame.room).and_then(|room| room.state.as_mut());
                    let state = state.ok_or_else(senseless)?;
                    *state = Difference::decode(frame.payload)
                        .and_then(|difference| difference.apply(state))
                        .ok_or_else(senseless)?;
                }
                flags => {
                    let room = Room::decode(flags, frame.payload).ok_or_else(senseless)?;
                    found.insert(frame.room, room);
                    next = next.max(frame.room.saturating_add(1));
                }
            }
            Ok(())
        })?;
        let mut rooms = Rooms::with(log);
        rooms.numbers = found.iter().map(|(&number, room)| (room.name.clone(), number)).collect();
        rooms.rooms = found;
        rooms.next = next;
        Ok((rooms, tail))
    }

    pub(super) fn cut(&mut self) -> io::Result<()> {
        self.log.cut()
    }

    /// Whether somebody has removed or replaced the file.
    pub(super) fn is_removed(&self) -> io::Result<bool> {
        self.log.is_removed()
    }

    /// Generation and end of the file: they only rise.
    pub(super) fn extent(&self) -> (u32, u32) {
        // A few MiB at most: twice what is live.
        (self.log.header.generation, self.log.end as u32)
    }

    /// Whether a room may have had this number.
    pub(super) fn had(&self, number: u32) -> bool {
        number < self.next
    }

    /// Number and name of each room.
    pub(super) fn names(&self) -> impl Iterator<Item = (u32, &Arc<str>)> {
        let rooms = self.rooms.iter().map(|(&number, room)| (number, &room.name));
        rooms.filter(|(_, name)| !name.starts_with(ERASED))
    }

    /// What takes the place of records.
    pub(super) fn erased(&self) -> Erased {
        let mut erased = Erased::new();
        // One by one: to collect them is the code of a sort.
        erased.extend(self.rooms.values().filter_map(|room| {
            let id = MsgId::parse(room.name.strip_prefix(ERASED)?)?;
            Some((id, room.state.clone()?))
        }));
        erased
    }

    /// Something takes the place of a record, or nothing any more.
    pub(super) fn set_erased(&mut self, id: MsgId, payload: Option<Box<[u8]>>) {
        let name = format!("{ERASED}{id}");
        match payload {
            Some(payload) => self.set_state(&name, Some(payload)),
            None => drop(self.forget_one(&name)),
        }
    }

    /// Folded name and state of each room that has a state.
    pub(super) fn states(&self) -> Vec<(Box<str>, Box<[u8]>)> {
        let rooms = self.rooms.values().filter(|room| !room.name.starts_with(ERASED));
        let states = rooms.filter_map(|room| Some((&*room.name, room.state.clone()?)));
        states.map(|(name, state)| (name.into(), state)).collect()
    }

    /// Folded names of those that have none.
    pub(super) fn stateless(&self) -> Vec<Box<str>> {
        let stateless = self.rooms.values().filter(|room| room.state.is_none());
        stateless.map(|room| (*room.name).into()).collect()
    }

    pub(super) fn number(&self, name: &str) -> Option<u32> {
        self.numbers.get(name).copied()
    }

    /// A room's number, if need be a new one, and its name.
    pub(super) fn number_for(&mut self, name: &str) -> (u32, Arc<str>) {
        if let Some((name, &number)) = self.numbers.get_key_value(name) {
            return (number, name.clone());
        }
        let (number, name) = (self.next, Arc::<str>::from(name));
        self.next = self.next.saturating_add(1);
        self.rooms.insert(number, Room { name: name.clone(), state: None });
        self.numbers.insert(name.clone(), number);
        self.changed.insert(number, None);
        (number, name)
    }

    pub(super) fn set_state(&mut self, name: &str, state: Option<Box<[u8]>>) {
        if state.is_none() && self.number(name).is_none() {
            return;
        }
        let (number, _) = self.number_for(name);
        if let Some(room) = self.rooms.get_mut(&number) {
            let before = std::mem::replace(&mut room.state, state);
            self.changed.entry(number).or_insert(before);
        }
    }

    /// Bytes that [`save`](Self::save) would write, about.
    pub(super) fn unsaved(&self) -> usize {
        (self.changed.len() + self.forgotten.len()) * FRAME
    }

    /// Drops a room with all that it has; its number.
    pub(super) fn forget_one(&mut self, name: &str) -> Option<u32> {
        let number = self.numbers.remove(name)?;
        self.rooms.remove(&number);
        self.changed.remove(&number);
        self.forgotten.push(number);
        Some(number)
    }

    /// Drops the rooms that have no state and, as `has_records` says, no records; and the oldest of those
    /// that have only records, where there are more than [`MOST`] in all.
    pub(super) fn forget(&mut self, has_records: impl Fn(u32) -> bool) -> Vec<(u32, Arc<str>)> {
        let stateless = self.rooms.iter().filter(|(_, room)| room.state.is_none());
        let stateless = sorted(stateless.map(|(number, _)| *number));
        let over = self.rooms.len().saturating_sub(MOST);
        let last = over.checked_sub(1).and_then(|last| stateless.get(last)).copied().unwrap_or_default();
        let empty = |(&number, room): (&u32, &Room)| {
            let gone = room.state.is_none() && (number <= last || !has_records(number));
            gone.then(|| (number, room.name.clone()))
        };
        let gone: Vec<_> = self.rooms.iter().filter_map(empty).collect();
        for (_, name) in &gone {
            self.forget_one(name);
        }
        gone
    }

    /// Makes what changed durable; compacts the file if more than half of it is old.
    pub(super) fn save(&mut self, disk: &dyn Disk, buffer: &mut Vec<u8>) -> io::Result<()> {
        if self.changed.is_empty() && self.forgotten.is_empty() {
            return Ok(());
        }
        let salt = self.log.header.salt;
        self.log.start_batch(buffer);
        for &number in &self.forgotten {
            frame(flag::FORGOTTEN, number, &[]).encode(salt, buffer);
        }
        for (&number, before) in &self.changed {
            let now = self.rooms.get(&number).and_then(|room| room.state.as_deref());
            match before.as_deref().zip(now).map(|(before, now)| Difference::of(before, now)) {
                Some(difference) if difference.is_small() => {
                    frame(flag::CHANGED, number, &difference.encode()).encode(salt, buffer);
                }
                _ => self.put(number, salt, buffer),
            }
        }
        // The buffer is the caller's for longer than one batch.
        self.log.append(buffer)?;
        self.changed.clear();
        self.forgotten.clear();
        let live: usize = self.rooms.values().map(Room::size).sum();
        if self.log.end > SMALL.max(2 * live as u64) { self.compact(disk, buffer) } else { Ok(()) }
    }

    /// Writes the file anew if anything in it is old.
    pub(super) fn sweep(&mut self, disk: &dyn Disk, buffer: &mut Vec<u8>) -> io::Result<()> {
        let live: usize = self.rooms.values().map(Room::size).sum();
        let anew = HEADER + BATCH + FRAME + live;
        if self.log.end > anew as u64 { self.compact(disk, buffer) } else { Ok(()) }
    }

    /// Writes the file anew, with nothing that is old.
    pub(super) fn compact(&mut self, disk: &dyn Disk, buffer: &mut Vec<u8>) -> io::Result<()> {
        let header = Header { generation: self.log.header.generation.wrapping_add(1), ..self.log.header };
        let salt = header.salt;
        let mut log = LogFile::draft(disk, &self.log.name, header)?.without_zeros();
        log.start_batch(buffer);
        frame(flag::NEXT, self.next, &[]).encode(salt, buffer);
        for &number in self.rooms.keys() {
            self.put(number, salt, buffer);
        }
        log.append(buffer)?;
        log.publish(disk)?;
        self.log = log;
        Ok(())
    }

    fn put(&self, number: u32, salt: u32, buffer: &mut Vec<u8>) {
        if let Some(room) = self.rooms.get(&number) {
            let payload = room.encode();
            let flags = if room.state.is_some() { flag::STATE } else { flag::NAME };
            frame(flags, number, &payload).encode(salt, buffer);
        }
    }
}

impl Room {
    fn size(&self) -> usize {
        FRAME + 2 + self.name.len() + self.state.as_ref().map_or(0, |state| state.len())
    }

    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.size());
        // Names of rooms are far shorter than 64 KiB.
        bytes.extend_from_slice(&(self.name.len() as u16).to_le_bytes());
        bytes.extend_from_slice(self.name.as_bytes());
        bytes.extend_from_slice(self.state.as_deref().unwrap_or_default());
        bytes
    }

    fn decode(flags: u8, payload: &[u8]) -> Option<Room> {
        let mut fields = Fields(payload);
        let len = usize::from(fields.u16()?);
        let name = str::from_utf8(fields.bytes(len)?).ok()?.into();
        let state = match flags {
            flag::STATE => Some(fields.0.into()),
            flag::NAME => None,
            _ => return None,
        };
        Some(Room { name, state })
    }
}

/// How a state differs from the one before: the list of a room changes by an entry.
struct Difference<'a> {
    /// Bytes at the start, and at the end, that are the same.
    same: (usize, usize),
    /// What stands between them now.
    new: &'a [u8],
}

impl<'a> Difference<'a> {
    fn of(before: &[u8], now: &'a [u8]) -> Difference<'a> {
        let start = before.iter().zip(now).take_while(|(before, now)| before == now).count();
        let (before, rest) = (before.get(start..), now.get(start..).unwrap_or_default());
        let ends = before.unwrap_or_default().iter().rev().zip(rest.iter().rev());
        let end = ends.take_while(|(before, now)| before == now).count();
        Difference { same: (start, end), new: rest.get(..rest.len() - end).unwrap_or_default() }
    }

    /// Whether it is worth a frame of its own kind.
    fn is_small(&self) -> bool {
        self.new.len() < self.same.0 + self.same.1
    }

    fn encode(&self) -> Vec<u8> {
        // A state has at most 64 KiB or so.
        let same = [self.same.0, self.same.1].map(|count| (count as u32).to_le_bytes());
        [&same.concat(), self.new].concat()
    }

    fn decode(payload: &'a [u8]) -> Option<Difference<'a>> {
        let mut fields = Fields(payload);
        Some(Difference { same: (fields.u32()? as usize, fields.u32()? as usize), new: fields.0 })
    }

    fn apply(&self, before: &[u8]) -> Option<Box<[u8]>> {
        let (start, end) = self.same;
        let rest = before.len().checked_sub(start)?.checked_sub(end)? + start;
        Some([before.get(..start)?, self.new, before.get(rest..)?].concat().into())
    }
}

fn frame(flags: u8, room: u32, payload: &[u8]) -> Frame<'_> {
    Frame { flags, room, payload, ..Frame::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_makes_of_what_was_what_is() {
        for before in ["", "a", "aa", "abcabc", "abcxabc", "topic one, bans", "x"] {
            for now in ["", "a", "aaa", "abcabcabc", "abcabc", "topic two three, bans", "y"] {
                let difference = Difference::of(before.as_bytes(), now.as_bytes());
                let bytes = difference.encode();
                let read = Difference::decode(&bytes).unwrap();
                assert_eq!(read.apply(before.as_bytes()).as_deref(), Some(now.as_bytes()), "{before} {now}");
            }
        }
        let long = "x".repeat(20_000);
        let (before, now) = (format!("{long}one{long}"), format!("{long}three{long}"));
        let bytes = Difference::of(before.as_bytes(), now.as_bytes()).encode();
        assert!(bytes.len() < 16);
        assert_eq!(Difference::decode(&bytes).unwrap().apply(long.as_bytes()), None);
    }
}
