//! The rooms: their numbers in the log, and their states, in a small log of their own.
//!
//! A number is never given to another room, so that old records of a forgotten room belong to
//! nobody.

use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::Arc;

use super::disk::Disk;
use super::error::StoreError;
use super::frame::{BATCH, FRAME, Fields, Frame, HEADER, Header};
use super::log::{LogFile, Tail};
use crate::protocol::MsgId;

/// The file's name.
pub(super) const ROOMS: &str = "rooms.log";
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
    /// Rooms that the log does not hold yet, or not as they are.
    changed: HashSet<u32>,
    forgotten: Vec<u32>,
}

impl Rooms {
    pub(super) fn create(disk: &dyn Disk, salt: u32) -> io::Result<Rooms> {
        let header = Header { number: 0, through: 0, generation: 0, salt };
        Ok(Rooms::with(LogFile::create(disk, ROOMS, header)?))
    }

    fn with(log: LogFile) -> Rooms {
        Rooms {
            log: log.without_zeros(),
            rooms: HashMap::new(),
            numbers: HashMap::new(),
            next: 1,
            changed: HashSet::new(),
            forgotten: Vec::new(),
        }
    }

    /// Reads the file; a torn tail is left for [`cut`](Self::cut).
    pub(super) fn open(disk: &dyn Disk) -> Result<(Rooms, Tail), StoreError> {
        let mut log = LogFile::open(disk, ROOMS)?;
        let mut found = HashMap::new();
        let mut next = 1;
        let tail = log.scan(disk, |_, frame| {
            match frame.flags {
                flag::NEXT => next = next.max(frame.room),
                flag::FORGOTTEN => drop(found.remove(&frame.room)),
                flags => {
                    let room = Room::decode(flags, frame.payload)
                        .ok_or_else(|| StoreError::damaged(disk, ROOMS, "a room in it makes no sense"))?;
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
        self.rooms.iter().map(|(&number, room)| (number, &room.name))
    }

    /// Folded name and state of each room that has a state.
    pub(super) fn states(&self) -> Vec<(Box<str>, Box<[u8]>)> {
        let states = self.rooms.values().filter_map(|room| Some((&*room.name, room.state.clone()?)));
        states.map(|(name, state)| (name.into(), state)).collect()
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
        self.changed.insert(number);
        (number, name)
    }

    pub(super) fn set_state(&mut self, name: &str, state: Option<Box<[u8]>>) {
        if state.is_none() && self.number(name).is_none() {
            return;
        }
        let (number, _) = self.number_for(name);
        if let Some(room) = self.rooms.get_mut(&number) {
            room.state = state;
            self.changed.insert(number);
        }
    }

    /// Drops the rooms that have no state and, as `has_records` says, no records.
    pub(super) fn forget(&mut self, has_records: impl Fn(u32) -> bool) -> Vec<(u32, Arc<str>)> {
        let empty = |(&number, room): (&u32, &Room)| {
            (room.state.is_none() && !has_records(number)).then(|| (number, room.name.clone()))
        };
        let gone: Vec<_> = self.rooms.iter().filter_map(empty).collect();
        for (number, name) in &gone {
            self.rooms.remove(number);
            self.numbers.remove(name);
            self.changed.remove(number);
            self.forgotten.push(*number);
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
        for &number in &self.changed {
            self.put(number, salt, buffer);
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
    fn compact(&mut self, disk: &dyn Disk, buffer: &mut Vec<u8>) -> io::Result<()> {
        let header = Header { generation: self.log.header.generation.wrapping_add(1), ..self.log.header };
        let salt = header.salt;
        let mut log = LogFile::draft(disk, ROOMS, header)?.without_zeros();
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

fn frame(flags: u8, room: u32, payload: &[u8]) -> Frame<'_> {
    Frame { flags, room, key: MsgId::default(), fingerprint: 0, payload }
}
