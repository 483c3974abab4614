//! History on disk: an append-only log for all rooms, with a sparse index in memory.
//!
//! [`Store`] is the handle: nothing in it waits for the disk. One writer thread takes all that
//! waits, writes it, syncs it once and says so ([`Notice::Committed`]); two reader threads answer
//! [`Request`]s, so that no page and no search stalls a receipt.
//!
//! It knows nothing of sockets, members or the hub: a payload is opaque, a room is a name, and an
//! id is a [`Key`] that sorts.

mod disk;
mod error;
mod request;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

pub use disk::{Disk, DiskFile, Folder};
pub use error::StoreError;
pub use request::{Answer, Bound, Found, Matcher, Query, Request, Search, Stored};

/// Bytes of one payload at most; a longer one is refused by [`Store::append`].
pub const MAX_PAYLOAD: usize = 64 * 1024;

/// The order of a record: sorts as the message ids do.
///
/// The keys that are appended rise, across restarts too, and so do their `millis`: whoever gives
/// them out starts from [`Opened::boot`] and [`Opened::last_millis`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Key {
    /// Which start of the server gave it out.
    pub boot: u32,
    /// Milliseconds since 1970; 48 bits are kept.
    pub millis: u64,
    /// Counts within the millisecond.
    pub count: u16,
}

/// What is to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The folded name of the room.
    pub room: Box<str>,
    /// Greater than that of every record before.
    pub key: Key,
    /// A join, a part…: only for event playback, and not counted as a line.
    pub event: bool,
    /// What a resend is recognised by for a day; 0 = nothing.
    pub fingerprint: u64,
    /// Whatever the caller makes of it; at most [`MAX_PAYLOAD`] bytes.
    pub payload: Box<[u8]>,
}

/// How a store is kept.
#[derive(Debug, Clone)]
pub struct Options {
    /// Records older than this are gone; `None` = for ever.
    pub keep: Option<Duration>,
    /// The newest lines of each room that are kept; `None` = all.
    pub keep_lines: Option<u64>,
    /// Bytes of each room that are kept at least, if they exist; at most 32 KiB more are.
    pub keep_bytes: Option<u64>,
    /// The time now, milliseconds since 1970; see [`Store::tell_time`].
    pub now_ms: u64,
    /// Random bytes: the secret of a store that is made now. An older store keeps its own.
    pub secret: [u8; 16],
    /// How long the writer waits before it tries again after the disk failed.
    pub retry: Duration,
}

impl Default for Options {
    /// Keeps everything, tries a failed disk once a second. The secret has to be given.
    fn default() -> Options {
        Options {
            keep: None,
            keep_lines: None,
            keep_bytes: None,
            now_ms: 0,
            secret: [0; 16],
            retry: Duration::from_secs(1),
        }
    }
}

/// What a store held when it was opened.
#[derive(Debug, Default)]
pub struct Opened {
    /// The number of this start: higher than all before, and on disk already.
    pub boot: u32,
    /// The time of the newest record, milliseconds since 1970; 0 = there is none.
    pub last_millis: u64,
    /// Made when the store was: the same for ever. For the names of hosts.
    pub secret: [u8; 16],
    /// The fingerprints of the last day, at most 1,000,000, the newest if there were more; in no
    /// order that matters.
    pub fingerprints: Vec<u64>,
    /// Rooms that have a state: folded name, and the state that was set last.
    pub rooms: Vec<(Box<str>, Box<[u8]>)>,
    /// A sentence for each thing that was repaired.
    pub repaired: Vec<String>,
}

/// What a store says, from a thread of its own: hand it on, and return.
#[derive(Debug)]
pub enum Notice {
    /// Everything appended so far up to this key is on disk (or was reported lost).
    Committed(Key),
    /// The disk takes nothing: a sentence for people. What was committed stays readable; reads
    /// are answered without waiting for what was not.
    Paused(String),
    /// The disk takes lines again.
    Resumed {
        /// Records appended while it was paused that were not kept.
        lost: u64,
    },
    /// The answer to [`Store::read`].
    Answer {
        /// As given to `read`.
        ticket: u64,
        /// What was asked for.
        answer: Result<Answer, StoreError>,
    },
}

/// A store that is open. Dropping it closes it without compaction.
#[derive(Debug)]
pub struct Store {}

impl Store {
    /// Opens the store in `folder`, or makes one there.
    ///
    /// `notify` is called from the store's threads.
    pub fn open(
        folder: &Path,
        options: Options,
        notify: impl Fn(Notice) + Send + Sync + 'static,
    ) -> Result<(Store, Opened), StoreError> {
        Store::open_on(Arc::new(Folder::new(folder)), options, notify)
    }

    /// As [`open`](Self::open), on any disk.
    pub fn open_on(
        _disk: Arc<dyn Disk>,
        _options: Options,
        _notify: impl Fn(Notice) + Send + Sync + 'static,
    ) -> Result<(Store, Opened), StoreError> {
        todo!()
    }

    /// Keeps these records: [`Notice::Committed`] says when they are on disk.
    ///
    /// Never waits. When too much waits already (4 MiB), or the store is closed, the records come back.
    pub fn append(&self, _records: Vec<Record>) -> Result<(), Vec<Record>> {
        todo!()
    }

    /// Remembers a room's state, newest wins; `None` forgets it.
    ///
    /// On disk before any record that is appended later. Never waits; `Err` when too much waits.
    pub fn set_room(&self, _room: &str, _state: Option<Box<[u8]>>) -> Result<(), Option<Box<[u8]>>> {
        todo!()
    }

    /// Asks for something: [`Notice::Answer`] brings it with the same ticket.
    ///
    /// The answer has everything that was appended before. Never waits; when too many requests
    /// wait (1,024), this one comes back.
    pub fn read(&self, _ticket: u64, _request: Request) -> Result<(), Request> {
        todo!()
    }

    /// Tells the time, milliseconds since 1970: what is too old goes, even if nobody says anything.
    /// Once a minute is enough.
    pub fn tell_time(&self, _now_ms: u64) {
        todo!()
    }

    /// Writes what waits, compacts while there is time, and stops the threads.
    ///
    /// Returns at the latest `deadline` after the disk took what it was writing; the count is of
    /// records that the disk did not take.
    pub fn close(self, _deadline: Duration) -> u64 {
        todo!()
    }
}

/// The records of a room for `server --export`, oldest first; the server has to be stopped.
///
/// Changes nothing on disk and starts no thread.
#[derive(Debug)]
pub struct Export {}

impl Export {
    /// Opens the store in `folder` for the records of `room` (folded) from `since_ms` on.
    pub fn open(_folder: &Path, _room: &str, _since_ms: u64) -> Result<Export, StoreError> {
        todo!()
    }

    /// Records that will come at most, for a progress line.
    pub fn records(&self) -> u64 {
        todo!()
    }
}

impl Iterator for Export {
    type Item = Result<Stored, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        todo!()
    }
}

/// Compacts the store in `folder` until nothing is left to do, for `server --compact`; `progress`
/// is told the bytes on disk now and then. The server has to be stopped.
pub fn compact(_folder: &Path, _options: Options, _progress: impl FnMut(u64)) -> Result<(), StoreError> {
    todo!()
}
