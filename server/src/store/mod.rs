//! History on disk: an append-only log for all rooms, with a sparse index in memory.
//!
//! [`Store`] is the handle: nothing in it waits for the disk. One writer thread takes all that
//! waits, writes it, syncs it once and says so ([`Report::Committed`]); two reader threads answer
//! requests ([`Job::Read`]), so that no page and no search stalls a receipt.
//!
//! It knows nothing of sockets and members: records and requests are those of
//! [`hub::history`](crate::hub::history), a payload is opaque, and a room is a name.
//!
//! Why a log of our own: with one line of 60 bytes a second, each on disk before its echo, redb
//! wrote 28 to 37 KB a line, this log 4.4 (`bench store`, ext4). On an SD card that is years of
//! life. One write and one sync a commit is all there is; the price is the code of this folder.

mod accounts;
mod clock;
mod crc;
mod disk;
mod error;
mod export;
mod frame;
mod index;
mod load;
mod log;
mod meta;
mod pace;
mod queue;
mod readers;
mod retention;
mod rooms;
mod segment;
mod shared;
mod writer;

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use self::load::Loaded;
use self::queue::Queue;
use self::shared::Shared;
use self::writer::Writer;
use crate::hub::history::Answer;
use crate::protocol::MsgId;
use crate::protocol::time::{Moment, UnixMillis};

pub use accounts::{AccountsFile, KeptAccounts};
pub use disk::{Disk, DiskFile, Folder, Lock};
pub use error::StoreError;
pub use export::Export;
pub use queue::Job;

/// Bytes of one payload at most; a longer one is refused, see [`Job::Append`].
pub const MAX_PAYLOAD: usize = 64 * 1024;

/// The part of each room that is kept; by default everything. Records beyond it are in no answer from
/// then on, and leave the disk later: old ones after an eighth of that age, at least a minute; those
/// beyond the lines or bytes within a day, and when the store is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Retention {
    /// Age of the oldest record.
    pub age: Option<Duration>,
    /// Lines, the newest; events do not count.
    pub lines: Option<u64>,
    /// Bytes, of the newest records; at most 64 KiB more are kept.
    pub bytes: Option<u64>,
    /// Bytes of all rooms together; at most 64 KiB a room more. Beyond it the oldest records go of the
    /// rooms that have more than an even share.
    pub total: Option<u64>,
    /// The same of what people say to each other alone: records of names that do not begin with `#`.
    pub private: Option<u64>,
}

impl Retention {
    /// What is older than this is not kept; both are milliseconds since 1970.
    fn oldest(&self, now: u64) -> u64 {
        let keep = self.age.map(|keep| u64::try_from(keep.as_millis()).unwrap_or(u64::MAX));
        keep.map_or(0, |keep| now.saturating_sub(keep))
    }
}

/// The settings of a store.
#[derive(Debug, Clone)]
pub struct Options {
    /// The part of each room that is kept.
    pub retention: Retention,
    /// The time now, milliseconds since 1970; [`Job::Time`] counts from it what has elapsed.
    pub now_ms: u64,
    /// Random bytes: the secret of a store that is made now. An older store keeps its own.
    pub secret: [u8; 16],
    /// The pause before the writer tries again after the disk failed. Default 1 s.
    pub retry: Duration,
    /// The time between two small commits, when there were many. Default 100 ms.
    pub pace: Duration,
}

impl Options {
    /// The moment at which the store is opened.
    fn now(&self) -> Moment {
        Moment { elapsed: Duration::ZERO, wall: UnixMillis(self.now_ms) }
    }
}

impl Default for Options {
    /// Keeps everything, tries a failed disk once a second. The secret has to be given.
    fn default() -> Options {
        let (retry, pace) = (Duration::from_secs(1), Duration::from_millis(100));
        Options { retention: Retention::default(), now_ms: 0, secret: [0; 16], retry, pace }
    }
}

/// The contents of a store when it was opened.
#[derive(Debug, Default)]
pub struct Opened {
    /// The number of this start, a multiple of [`MsgId::STARTS`]: higher than all before, and on disk
    /// already.
    pub boot: u32,
    /// Made when the store was: the same for ever. For the names of hosts.
    pub secret: [u8; 16],
    /// The fingerprints of the last day, at most 1,000,000, the newest if there were more; the
    /// oldest first, but for those of one file.
    pub fingerprints: Vec<u64>,
    /// Rooms that have a state: folded name, and the state that was set last.
    pub rooms: Vec<(Box<str>, Box<[u8]>)>,
    /// Folded names of rooms that have only records.
    pub stateless: Vec<Box<str>>,
    /// The last record; the default where there is none.
    pub last: MsgId,
    /// A sentence for each thing that was repaired.
    pub repaired: Vec<String>,
}

impl Opened {
    /// All rooms with their states, empty where there are only records.
    pub fn all_rooms(&self) -> Vec<(Box<str>, Box<[u8]>)> {
        let stateless = self.stateless.iter().map(|name| (name.clone(), [].into()));
        self.rooms.iter().cloned().chain(stateless).collect()
    }
}

/// News from a store, given on a thread of its own: hand it on, and return.
#[derive(Debug)]
#[expect(missing_docs, reason = "the fields are what the variants say")]
pub enum Report {
    /// Everything appended so far up to this id is on disk (or was reported lost).
    Committed(MsgId),
    /// The disk takes nothing: sentences that say why, for the operator. Committed records stay
    /// readable; requests are answered without waiting for the others.
    Paused(String),
    /// The disk takes lines again; so many of those that were appended while it was paused were not kept.
    Resumed { lost: u64 },
    /// The answer to [`Job::Read`], in the light of everything appended before the request.
    Answer { ticket: u64, answer: Result<Answer, StoreError> },
}

/// A store that is open. Dropping it closes it, with what waits written.
pub struct Store {
    shared: Arc<Shared>,
    queue: Arc<Queue>,
    deadline: Arc<Mutex<Option<Instant>>>,
    writer: Option<JoinHandle<u64>>,
    readers: Vec<JoinHandle<()>>,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("disk", &self.shared.disk).finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the store in `folder`, or makes one there. Reads the segment that is written to as a
    /// whole, and cuts off what a crash left half written.
    ///
    /// `notify` is called from the store's threads, and must not wait.
    ///
    /// # Errors
    /// [`StoreError`]: another server has the folder; a file of it is damaged, foreign or of a newer
    /// version, and nothing was changed; the system refuses a file.
    pub fn open(
        folder: &Path,
        options: Options,
        notify: impl Fn(Report) + Send + Sync + 'static,
    ) -> Result<(Store, Opened), StoreError> {
        Store::open_on(Arc::new(Folder::new(folder)), options, notify)
    }

    /// As [`open`](Self::open), on any disk.
    pub fn open_on(
        disk: Arc<dyn Disk>,
        options: Options,
        notify: impl Fn(Report) + Send + Sync + 'static,
    ) -> Result<(Store, Opened), StoreError> {
        let folder = disk.path("");
        let mut loaded = load::load(&*disk, &options)?;
        let index = std::mem::take(&mut loaded.index);
        let opened = Opened {
            boot: loaded.boot,
            secret: loaded.meta.secret,
            fingerprints: std::mem::take(&mut loaded.fingerprints),
            rooms: loaded.rooms.states(),
            stateless: loaded.rooms.stateless(),
            last: index.last(),
            repaired: std::mem::take(&mut loaded.repaired),
        };
        let shared = Arc::new(Shared::new(disk, options, (index, loaded.clock.clone()), Box::new(notify)));
        let store = Store::start(shared, loaded).map_err(|error| StoreError::Io { path: folder, error })?;
        Ok((store, opened))
    }

    fn start(shared: Arc<Shared>, loaded: Loaded) -> io::Result<Store> {
        let queue = Arc::new(Queue::default());
        let deadline = Arc::new(Mutex::new(None));
        let mut readers = Vec::new();
        let mut reader = |name: &str| {
            let (sender, requests) = async_channel::unbounded();
            let shared = shared.clone();
            let run = move || readers::run(&shared, &requests);
            readers.push(Builder::new().name(name.into()).spawn(run)?);
            io::Result::Ok(sender)
        };
        let senders = (reader("history pages")?, reader("history search")?);
        let writer = Writer::new(shared.clone(), queue.clone(), loaded, senders);
        let at = deadline.clone();
        let run = move || writer.run(&|| *at.lock().unwrap_or_else(PoisonError::into_inner));
        let writer = Some(Builder::new().name("history writer".into()).spawn(run)?);
        Ok(Store { shared, queue, deadline, writer, readers })
    }

    /// Has a job done, behind all that were submitted before. Never waits for the disk.
    ///
    /// # Errors
    /// The job itself, when there is no place for it (4 MiB of records) or the store is closed.
    pub fn submit(&self, job: Job) -> Result<(), Job> {
        self.queue.add(job)
    }

    /// The time now, for the questions that are asked from now on: they are answered without what is
    /// too old. [`Job::Time`] makes it go.
    pub fn tell_time(&self, now: Moment) {
        self.shared.tell_time(now);
    }

    /// Keeps another part of each room from now on; [`Job::Time`] has the disk follow. What is gone already does not
    /// come back.
    pub fn keep(&self, retention: Retention) {
        self.shared.keep(retention);
    }

    /// Bytes of the records on the disk, about.
    pub fn bytes(&self) -> u64 {
        self.shared.index().bytes()
    }

    /// Writes the jobs that wait, frees the disk while there is time, answers requests, and stops the
    /// threads. Blocks until about `deadline` after the disk took the jobs; the count is of records
    /// that it did not take.
    pub fn close(mut self, deadline: Duration) -> u64 {
        *self.deadline.lock().unwrap_or_else(PoisonError::into_inner) = Some(writer::clock() + deadline);
        self.stop()
    }

    fn stop(&mut self) -> u64 {
        self.queue.close();
        let lost = self.writer.take().map_or(0, |writer| writer.join().unwrap_or_default());
        for reader in self.readers.drain(..) {
            // A panic was said in the log.
            let _ = reader.join();
        }
        lost
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.stop();
    }
}
