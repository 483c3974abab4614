//! What the tests share: a store, what it says, and records to put in.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;
use std::{env, fs, process};

use parlor_server::hub::history::{Answer, Edge, Kept, Query, Range, Record, Request};
use parlor_server::protocol::MsgId;
use parlor_server::protocol::time::{Moment, UnixMillis};
use parlor_server::store::{Disk, Folder, Job, Opened, Options, Report, Retention, Store, StoreError};

/// How long anything may take.
const DEADLINE: Duration = Duration::from_secs(20);

/// A store that was opened, and what it says.
pub(crate) struct Desk {
    pub(crate) store: Store,
    pub(crate) opened: Opened,
    reports: Receiver<Report>,
    opened_at: u64,
    tickets: u64,
    /// Said while something else was waited for.
    pub(crate) paused: Vec<String>,
    pub(crate) lost: Option<u64>,
    pub(crate) committed: MsgId,
}

impl Desk {
    pub(crate) fn open(disk: Arc<dyn Disk>, options: Options) -> Result<Desk, StoreError> {
        let (sender, reports) = channel();
        let opened_at = options.now_ms;
        let (store, opened) = Store::open_on(disk, options, move |report| drop(sender.send(report)))?;
        let committed = MsgId::default();
        Ok(Desk { store, opened, reports, opened_at, tickets: 0, paused: Vec::new(), lost: None, committed })
    }

    pub(crate) fn in_folder(folder: &Path, options: Options) -> Desk {
        Desk::open(Arc::new(Folder::new(folder)), options).unwrap()
    }

    fn hear(&mut self) -> Option<(u64, Result<Answer, StoreError>)> {
        match self.reports.recv_timeout(DEADLINE).expect("the store says something") {
            Report::Committed(key) => self.committed = self.committed.max(key),
            Report::Paused(sentence) => self.paused.push(sentence),
            Report::Resumed { lost } => self.lost = Some(lost),
            Report::Answer { ticket, answer } => return Some((ticket, answer)),
        }
        None
    }

    /// Waits until this is true.
    pub(crate) fn wait(&mut self, until: impl Fn(&Desk) -> bool) {
        while !until(self) {
            self.hear();
        }
    }

    /// Appends and waits for the disk; false = it is paused.
    pub(crate) fn keep(&mut self, records: Vec<Record>) -> bool {
        let last = records.last().unwrap().id;
        self.store.submit(Job::Append(records)).unwrap();
        self.wait(|desk| desk.committed >= last || !desk.paused.is_empty());
        self.committed >= last
    }

    /// The clock says so, milliseconds since 1970, and the machine has run for as long as it says.
    pub(crate) fn moment(&self, wall: u64) -> Moment {
        Moment { elapsed: Duration::from_millis(wall - self.opened_at), wall: UnixMillis(wall) }
    }

    /// Tells [that](Self::moment).
    pub(crate) fn tell(&self, wall: u64) {
        self.store.submit(Job::Time(self.moment(wall))).unwrap();
    }

    pub(crate) fn ask(&mut self, request: Request) -> Result<Answer, StoreError> {
        self.tickets += 1;
        self.store.submit(Job::Read { ticket: self.tickets, request }).unwrap();
        loop {
            if let Some((ticket, answer)) = self.hear() {
                assert_eq!(ticket, self.tickets);
                return answer;
            }
        }
    }

    /// What was found, and where a search goes on.
    pub(crate) fn found(&mut self, request: Request) -> (Vec<Kept>, Option<MsgId>) {
        match self.ask(request).unwrap() {
            Answer::Lines { found, more } => (found, more),
            other => panic!("lines were asked for, not {other:?}"),
        }
    }

    /// The keys of a page, however many stretches it takes.
    pub(crate) fn page(&mut self, mut query: Query) -> Vec<MsgId> {
        let mut keys = Vec::new();
        loop {
            let (found, more) = self.found(Request::Lines(query.clone()));
            assert!(found.is_sorted_by_key(|record| record.id));
            query.limit -= found.len();
            keys.extend(found.iter().map(|record| record.id));
            match more.filter(|_| query.limit > 0) {
                Some(at) if query.newest => query.range.before = Edge::At(at),
                Some(at) => query.range.after = Edge::At(at),
                None => break,
            }
        }
        keys.sort();
        keys
    }

    /// Everything in a room, page by page.
    pub(crate) fn all(&mut self, room: &str) -> Vec<(MsgId, Box<[u8]>)> {
        let mut all = Vec::new();
        let mut after = Edge::Open;
        loop {
            let range = Range { after, ..Range::ALL };
            let (found, more) = self.found(Request::Lines(Query { range, ..everything(room, 500) }));
            let Some(last) = found.last().map(|last| last.id).or(more) else { return all };
            after = Edge::At(last);
            all.extend(found.into_iter().map(|record| (record.id, record.payload)));
        }
    }

    pub(crate) fn close(self) -> u64 {
        self.store.close(Duration::from_secs(2))
    }
}

/// All of a room, events too.
pub(crate) fn everything(room: &str, limit: usize) -> Query {
    Query { room: room.into(), range: Range::ALL, limit, newest: false, events: true }
}

pub(crate) fn options() -> Options {
    let (retry, pace) = (Duration::from_millis(20), Duration::ZERO);
    Options { secret: [7; 16], now_ms: 1_000_000, retry, pace, ..Options::default() }
}

/// The same with this retention.
pub(crate) fn keeping(retention: Retention) -> Options {
    Options { retention, ..options() }
}

/// The id of boot 1 and so many milliseconds.
pub(crate) fn key(millis: u64) -> MsgId {
    MsgId { boot: 1, millis, count: 0 }
}

/// A line whose payload says what it is, and is so long.
pub(crate) fn line(room: &str, millis: u64, size: usize) -> Record {
    let mut payload = format!("{room} {millis} ").into_bytes();
    payload.resize(size.max(payload.len()), b'x');
    let (also, payload) = (Box::default(), payload.into());
    Record {
        room: room.into(),
        also,
        id: key(millis),
        event: false,
        fingerprint: None,
        erases: None,
        payload,
    }
}

/// A folder that lives as long as its test.
pub(crate) struct Scratch(pub(crate) PathBuf);

impl Scratch {
    pub(crate) fn new() -> Scratch {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = env::temp_dir().join(format!("parlor-store-{}-{number}", process::id()));
        fs::create_dir_all(&path).unwrap();
        Scratch(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A leftover folder is no reason to fail a test that has passed.
        let _ = fs::remove_dir_all(&self.0);
    }
}
