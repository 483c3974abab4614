//! What answers requests: one thread for pages, one for searches, so that no search delays a page.

use std::collections::HashMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::Receiver;

use super::disk::{Disk, DiskFile};
use super::error::StoreError;
use super::frame::{Frame, Frames};
use super::index::{Range, Span};
use super::load::DAY;
use super::request::{Answer, Bound, Found, Query, Request, Search, Stored};
use super::segment::{log_name, read_index};
use super::shared::Shared;
use super::{Key, Notice};

/// Bytes of log that one request reads at most.
const MAX_READ: usize = 64 * 1024 * 1024;
/// Spans planned at once.
const PLANNED: usize = 32;
/// How often a request starts again because what it was reading has been rewritten.
const MAX_STARTS: usize = 8;

/// A request and the ticket that goes with it.
pub(super) type Asked = (u64, Request);

/// Answers until the store is closed.
pub(super) fn run(shared: &Shared, requests: &Receiver<Asked>) {
    while let Ok((ticket, request)) = requests.recv() {
        let answer = catch_unwind(AssertUnwindSafe(|| answer(shared, &request))).unwrap_or_else(|_| {
            log::error!("a fault of the server's own: a request to the history panicked");
            Err(StoreError::Fault("the request hit a fault of the server's own".into()))
        });
        if let Err(error @ StoreError::Damaged { .. }) = &answer {
            log::error!("{error}");
        }
        shared.waiting_reads.fetch_sub(1, Ordering::Relaxed);
        shared.notify(Notice::Answer { ticket, answer });
    }
}

fn answer(shared: &Shared, request: &Request) -> Result<Answer, StoreError> {
    for _ in 0..MAX_STARTS {
        let result = match request {
            Request::Page(query) => page(shared, query).map(Answer::Found),
            Request::Search(search) => find_matching(shared, search).map(Answer::Found),
            Request::Find { room, fingerprint } => find(shared, room, *fingerprint).map(Answer::Found),
            Request::Targets { rooms, after, before, upto } => {
                targets(shared, rooms, *after, *before, *upto).map(Answer::Targets)
            }
        };
        match result {
            Ok(answer) => return Ok(answer),
            Err(Stopped::Rewritten) => {}
            Err(Stopped::Failed(error)) => return Err(error),
        }
    }
    Err(StoreError::Fault("the files it reads are rewritten again and again".into()))
}

/// Why a request got no answer.
#[derive(Debug)]
pub(super) enum Stopped {
    /// A file was replaced between planning and reading.
    Rewritten,
    Failed(StoreError),
}

fn page(shared: &Shared, query: &Query) -> Result<Found, Stopped> {
    let Some(room) = shared.index().number(&query.room).filter(|_| query.limit > 0) else {
        return Ok(Found { complete: true, ..Found::default() });
    };
    let range = shared.range(query.after, query.before, query.upto);
    let mut records = Vec::new();
    let mut more = false;
    let walked = walk(shared, &[room], range, (query.newest_first, query.events), query.limit, |frame| {
        if frame.is_event() && !query.events {
            return true;
        }
        more = records.len() >= query.limit;
        if !more {
            records.push(stored(&query.room, frame));
        }
        !more
    })?;
    if query.newest_first {
        records.reverse();
    }
    Ok(Found { records, complete: walked.complete && !more, reached: None })
}

fn find_matching(shared: &Shared, search: &Search) -> Result<Found, Stopped> {
    let names: HashMap<u32, &str> = {
        let index = shared.index();
        search.rooms.iter().filter_map(|name| Some((index.number(name)?, &**name))).collect()
    };
    let rooms: Vec<u32> = names.keys().copied().collect();
    let range = shared.range(search.after, search.before, search.upto);
    let mut records: Vec<Stored> = Vec::new();
    let walked = walk(shared, &rooms, range, (true, false), usize::MAX, |frame| {
        if !frame.is_event() && (search.matcher)(frame.payload) {
            let room = names.get(&frame.room).copied().unwrap_or_default();
            records.push(stored(room, frame));
        }
        records.len() < search.limit
    })?;
    let reached = if walked.stopped { records.last().map(|last| last.key) } else { walked.reached };
    Ok(Found { records, complete: walked.complete, reached: reached.filter(|_| !walked.complete) })
}

fn targets(
    shared: &Shared,
    rooms: &[Box<str>],
    after: Bound,
    before: Bound,
    upto: Key,
) -> Result<Vec<(Box<str>, Key)>, Stopped> {
    let mut found = Vec::new();
    for room in rooms {
        let query =
            Query { room: room.clone(), after, before, limit: 1, newest_first: true, events: false, upto };
        if let Some(newest) = page(shared, &query)?.records.pop() {
            found.push((newest.room, newest.key));
        }
    }
    Ok(found)
}

/// The indexes know which chunks have the fingerprint, so that few bytes are read.
fn find(shared: &Shared, room: &str, fingerprint: u64) -> Result<Found, Stopped> {
    let yesterday = shared.now().saturating_sub(DAY);
    let (number, segments) = {
        let index = shared.index();
        let Some(number) = index.number(room) else {
            return Ok(Found { complete: true, ..Found::default() });
        };
        let young = index.segments.iter().rev().take_while(|segment| segment.last.millis >= yesterday);
        (number, young.map(|segment| (segment.header, segment.chunks.len())).collect::<Vec<_>>())
    };
    let range = shared.range(Bound::Open, Bound::Open, Key::MAX);
    let mut files = Files::new(&*shared.disk);
    for (header, chunks) in segments {
        // The segment that is written to has an index that is old or none: all of it is read.
        let indexed = shared.is_sealed(header.number).then(|| read_index(&*shared.disk, header, 0)).flatten();
        let mut places: Vec<u16> = match indexed {
            Some((_, contents)) => {
                let same = contents.prints.iter().filter(|(_, print)| *print == fingerprint);
                same.map(|(chunk, _)| *chunk).collect()
            }
            None => (0..chunks as u16).collect(),
        };
        places.dedup();
        for chunk in places.into_iter().rev() {
            let span = {
                let index = shared.index();
                if index.segment(header.number).is_none_or(|segment| segment.header != header) {
                    return Err(Stopped::Rewritten);
                }
                index.live_span(number, header.number, chunk, &shared.options)
            };
            let Some(span) = span else { continue };
            let bytes = files.read(&span)?;
            let mut newest = None;
            each(&*shared.disk, &span, &bytes, &[number], &range, |frame| {
                if frame.fingerprint == fingerprint && frame.key.millis >= yesterday {
                    newest = Some(stored(room, frame));
                }
            })?;
            if let Some(newest) = newest {
                return Ok(Found { records: vec![newest], complete: true, reached: None });
            }
        }
    }
    Ok(Found { complete: true, ..Found::default() })
}

struct Walked {
    /// Everything in the range was shown.
    complete: bool,
    /// The visitor wanted no more.
    stopped: bool,
    /// The first key of the last chunk that was read.
    reached: Option<Key>,
}

/// Shows the records of `rooms` in `range`, ascending or descending, until `visit` says false.
fn walk(
    shared: &Shared,
    rooms: &[u32],
    mut range: Range,
    (newest_first, events): (bool, bool),
    wanted: usize,
    mut visit: impl FnMut(&Frame<'_>) -> bool,
) -> Result<Walked, Stopped> {
    let mut files = Files::new(&*shared.disk);
    let mut read = 0;
    let mut walked = Walked { complete: false, stopped: false, reached: None };
    loop {
        let (spans, complete) =
            shared.index().plan(rooms, &range, &shared.options, (newest_first, events), (wanted, PLANNED));
        for span in &spans {
            if read >= MAX_READ {
                return Ok(walked);
            }
            read += span.len;
            walked.reached = Some(span.first);
            let bytes = files.read(span)?;
            let mut frames = Vec::new();
            each(&*shared.disk, span, &bytes, rooms, &range, |frame| frames.push(*frame))?;
            let goes_on = if newest_first {
                frames.iter().rev().all(&mut visit)
            } else {
                frames.iter().all(&mut visit)
            };
            if !goes_on {
                walked.stopped = true;
                return Ok(walked);
            }
            if newest_first {
                range.before = Bound::At(span.first);
                range.upto = Key::MAX;
            } else {
                range.after = Bound::At(span.last);
            }
        }
        if complete {
            walked.complete = true;
            return Ok(walked);
        }
    }
}

/// Shows the records of `rooms` in a span that are kept and in the range.
pub(super) fn each<'a>(
    disk: &dyn Disk,
    span: &Span,
    bytes: &'a [u8],
    rooms: &[u32],
    range: &Range,
    mut visit: impl FnMut(&Frame<'a>),
) -> Result<(), Stopped> {
    let mut skip = span.skip.clone();
    for frame in Frames::new(bytes, span.header.salt, span.offset) {
        let (_, frame) = frame.map_err(|offset| {
            let name = log_name(span.header.number, span.header.generation);
            let what = format!("what stands at byte {offset} is not what was written");
            Stopped::Failed(StoreError::damaged(disk, &name, &what))
        })?;
        if !rooms.contains(&frame.room) {
            continue;
        }
        if let Some((_, left)) = skip.iter_mut().find(|(room, left)| *room == frame.room && *left > 0) {
            *left -= u64::from(!frame.is_event());
            continue;
        }
        if range.has(frame.key) {
            visit(&frame);
        }
    }
    Ok(())
}

pub(super) fn stored(room: &str, frame: &Frame<'_>) -> Stored {
    Stored { room: room.into(), key: frame.key, event: frame.is_event(), payload: frame.payload.into() }
}

/// The segment that is being read stays open.
pub(super) struct Files<'a> {
    disk: &'a dyn Disk,
    open: Option<(String, Arc<dyn DiskFile>)>,
}

impl<'a> Files<'a> {
    pub(super) fn new(disk: &'a dyn Disk) -> Files<'a> {
        Files { disk, open: None }
    }

    pub(super) fn read(&mut self, span: &Span) -> Result<Vec<u8>, Stopped> {
        let name = log_name(span.header.number, span.header.generation);
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => Stopped::Rewritten,
            _ => Stopped::Failed(StoreError::Io { path: self.disk.path(&name), error }),
        };
        let file = match &self.open {
            Some((open, file)) if *open == name => file.clone(),
            _ => self.disk.open(&name).map_err(failed)?,
        };
        let mut bytes = vec![0; span.len];
        let count = file.read_at(&mut bytes, span.offset).map_err(failed)?;
        if count < span.len {
            let what = format!("it ends at byte {}", span.offset + count as u64);
            return Err(Stopped::Failed(StoreError::damaged(self.disk, &name, &what)));
        }
        self.open = Some((name, file));
        Ok(bytes)
    }
}
