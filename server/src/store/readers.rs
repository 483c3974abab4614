//! Answers to requests: one thread for pages, one for searches, so that no search delays a page.

use std::collections::HashMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use async_channel::Receiver;

use super::Report;
use super::clock::DAY;
use super::disk::{Disk, DiskFile};
use super::error::StoreError;
use super::frame::{Frame, Frames};
use super::index::{Erased, Filter, Index, Span};
use super::segment::chunks_with;
use super::shared::Shared;
use crate::hub::history::{Answer, Kept, Matcher, Query, Range, Request};
use crate::protocol::MsgId;

/// Bytes of log after which a request is answered with what was found, and goes on when it has its
/// next turn: others wait so long.
const MAX_READ: usize = 1024 * 1024;
/// Spans planned at once.
const PLANNED: usize = 32;
/// Starts of one request, where the files that it reads are rewritten meanwhile.
const MAX_STARTS: usize = 8;

/// A request and the ticket that goes with it.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) ticket: u64,
    pub(super) request: Request,
    /// The segment that was written to when it was asked, and which of its chunks hold the fingerprint
    /// that is looked for: its index is not on disk yet.
    pub(super) open: (u32, Vec<u16>),
}

/// Answers until the store is closed.
pub(super) fn run(shared: &Shared, requests: &Receiver<Question>) {
    while let Ok(question) = requests.recv_blocking() {
        let ticket = question.ticket;
        let answer = catch_unwind(AssertUnwindSafe(|| answer(shared, &question))).unwrap_or_else(|_| {
            log::error!("a fault of the server's own: a request to the history panicked");
            Err(StoreError::Fault("the request hit a fault of the server's own".into()))
        });
        shared.notify(Report::Answer { ticket, answer });
    }
}

fn answer(shared: &Shared, question: &Question) -> Result<Answer, StoreError> {
    for _ in 0..MAX_STARTS {
        let result = match &question.request {
            Request::Lines(query) => page(shared, query),
            Request::Search { rooms, range, limit, matcher } => {
                search(shared, rooms, *range, *limit, matcher)
            }
            Request::Find { room, fingerprint } => find(shared, room, fingerprint.get(), &question.open),
        };
        match result {
            // It was replaced between planning and reading.
            Err(error) if error.is_gone() => {}
            result => return result,
        }
    }
    Err(StoreError::Fault("the files it reads are rewritten again and again".into()))
}

fn page(shared: &Shared, query: &Query) -> Result<Answer, StoreError> {
    let mut found = Vec::new();
    let Some(room) = shared.index().number(&query.room).filter(|_| query.limit > 0) else {
        return Ok(Answer::Lines { found, more: None });
    };
    let (wanted, erased) = (shared.wanted(query.range), shared.index().erased());
    let walked = walk(shared, &[room], wanted, (query.newest, query.events), query.limit, |frame| {
        if query.events || !frame.is_event() {
            found.push(kept(&query.room, frame, &erased));
        }
        found.len() < query.limit
    })?;
    if query.newest {
        found.reverse();
    }
    let more = if let Walk::Reached(id) = walked { Some(id) } else { None };
    Ok(Answer::Lines { found, more })
}

fn search(
    shared: &Shared,
    rooms: &[Arc<str>],
    range: Range,
    limit: usize,
    matcher: &Matcher,
) -> Result<Answer, StoreError> {
    let names: HashMap<u32, &Arc<str>> = {
        let index = shared.index();
        rooms.iter().filter_map(|name| Some((index.number(name)?, name))).collect()
    };
    let rooms: Vec<u32> = names.keys().copied().collect();
    let erased = shared.index().erased();
    let mut found: Vec<Kept> = Vec::new();
    let walked = walk(shared, &rooms, shared.wanted(range), (true, false), usize::MAX, |frame| {
        if let Some(room) = names.get(&frame.room).filter(|_| !frame.is_event())
            && !erased.contains_key(&frame.key)
            && (matcher.0)(frame.payload)
        {
            found.push(kept(room, frame, &erased));
        }
        found.len() < limit
    })?;
    let more = match walked {
        Walk::All => None,
        Walk::Stopped => found.last().map(|last| last.id),
        Walk::Reached(id) => Some(id),
    };
    Ok(Answer::Lines { found, more })
}

/// The indexes know which chunks have the fingerprint, so that few bytes are read.
fn find(
    shared: &Shared,
    room: &Arc<str>,
    fingerprint: u64,
    (open, in_open): &(u32, Vec<u16>),
) -> Result<Answer, StoreError> {
    let yesterday = shared.now().saturating_sub(DAY);
    let answer = |found| Ok(Answer::Lines { found, more: None });
    let (number, segments) = {
        let index = shared.index();
        let Some(number) = index.number(room) else { return answer(Vec::new()) };
        let young = index
            .segments
            .iter()
            .rev()
            .take_while(|segment| segment.last().is_none_or(|last| last.millis >= yesterday));
        (number, young.map(|segment| (segment.header, segment.chunks.len())).collect::<Vec<_>>())
    };
    let (wanted, erased) = (shared.wanted(Range::ALL), shared.index().erased());
    let mut files = Files::new(&*shared.disk);
    for (header, chunks) in segments {
        let known = || chunks_with(&*shared.disk, header, fingerprint);
        let mut places =
            if (header.number, header.generation) == (*open, 0) { Some(in_open.clone()) } else { known() }
                .unwrap_or_else(|| (0..chunks as u16).collect());
        places.dedup();
        for chunk in places.into_iter().rev() {
            let span = {
                let index = shared.index();
                if index.segment(header.number).is_none_or(|segment| segment.header != header) {
                    let gone = io::ErrorKind::NotFound.into();
                    return Err(StoreError::io(&*shared.disk, &header.log_name())(gone));
                }
                index.live_span(number, header.number, chunk)
            };
            let Some(span) = span else { continue };
            let bytes = read(shared, &mut files, &span)?;
            let mut newest = None;
            let damage = each(&*shared.disk, &span, &bytes, &[number], &wanted, |frame| {
                if frame.fingerprint == fingerprint && frame.key.millis >= yesterday {
                    newest = Some(kept(room, frame, &erased));
                }
            });
            damage.iter().for_each(|damage| shared.tell_damage(header, damage));
            if newest.is_some() {
                return answer(newest.into_iter().collect());
            }
        }
    }
    answer(Vec::new())
}

/// The end of a walk.
enum Walk {
    /// Everything that is wanted was shown.
    All,
    /// The visitor wanted no more.
    Stopped,
    /// So much was read that others have their turn: everything up to here, in the order asked for.
    Reached(MsgId),
}

/// Shows the records of `rooms` that are wanted, ascending or descending, until `visit` says false.
fn walk(
    shared: &Shared,
    rooms: &[u32],
    mut wanted: Filter,
    (newest_first, events): (bool, bool),
    least: usize,
    mut visit: impl FnMut(&Frame<'_>) -> bool,
) -> Result<Walk, StoreError> {
    let mut files = Files::new(&*shared.disk);
    let mut count = 0;
    loop {
        let (spans, complete) = shared.index().plan(rooms, &wanted, (newest_first, events), (least, PLANNED));
        for span in &spans {
            count += span.len;
            let bytes = read(shared, &mut files, span)?;
            let mut frames = Vec::new();
            let damage = each(&*shared.disk, span, &bytes, rooms, &wanted, |frame| frames.push(*frame));
            damage.iter().for_each(|damage| shared.tell_damage(span.header, damage));
            let goes_on = if newest_first {
                frames.iter().rev().all(&mut visit)
            } else {
                frames.iter().all(&mut visit)
            };
            if !goes_on {
                return Ok(Walk::Stopped);
            }
            if newest_first {
                wanted.range.upto = span.first.before();
            } else {
                wanted.leave_out(span.last);
            }
            if count >= MAX_READ {
                return Ok(Walk::Reached(if newest_first { span.first } else { span.last }));
            }
        }
        if complete {
            return Ok(Walk::All);
        }
    }
}

/// Reads a span; nothing, where its file is missing that nobody has replaced.
fn read(shared: &Shared, files: &mut Files<'_>, span: &Span) -> Result<Vec<u8>, StoreError> {
    let is_current = |index: &Index| {
        index.segment(span.header.number).is_some_and(|segment| segment.header == span.header)
    };
    match files.read(span) {
        Err(error) if error.is_gone() && is_current(&shared.index()) => {
            shared.tell_damage(span.header, &error);
            Ok(Vec::new())
        }
        result => result,
    }
}

/// Shows the records of `rooms` in a span that are kept and wanted. What is damaged is left out;
/// says what and where, if anything is.
pub(super) fn each<'a>(
    disk: &dyn Disk,
    span: &Span,
    bytes: &'a [u8],
    rooms: &[u32],
    wanted: &Filter,
    mut visit: impl FnMut(&Frame<'a>),
) -> Option<StoreError> {
    let mut skip = span.skip.clone();
    let mut damage = None;
    for frame in Frames::new(bytes, span.header.salt, span.offset) {
        let frame = match frame {
            Ok((_, frame)) => frame,
            Err(offset) => {
                damage.get_or_insert(offset);
                continue;
            }
        };
        let mut is_kept = false;
        for number in frame.rooms().filter(|number| rooms.contains(number)) {
            match skip.iter_mut().find(|(room, left)| *room == number && *left > 0) {
                Some((_, left)) => *left -= u64::from(!frame.is_event()),
                None => is_kept = true,
            }
        }
        if is_kept && wanted.has(frame.key) {
            visit(&frame);
        }
    }
    damage
        .map(|offset| StoreError::torn(disk, &span.header.log_name(), offset))
        .or_else(|| cut(disk, span, bytes))
}

/// Whether a span was read whole.
pub(super) fn cut(disk: &dyn Disk, span: &Span, bytes: &[u8]) -> Option<StoreError> {
    let what = format!("it ends at byte {}", span.offset + bytes.len() as u64);
    (bytes.len() < span.len).then(|| StoreError::damaged(disk, &span.header.log_name(), &what))
}

/// A record of an answer; what was deleted is not in it.
pub(super) fn kept(room: &Arc<str>, frame: &Frame<'_>, erased: &Erased) -> Kept {
    let payload = erased.get(&frame.key).map_or(frame.payload, |payload| payload);
    Kept { room: room.clone(), id: frame.key, payload: payload.into() }
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

    /// The bytes of a span; fewer, where the file ends.
    pub(super) fn read(&mut self, span: &Span) -> Result<Vec<u8>, StoreError> {
        let name = span.header.log_name();
        let failed = |error| StoreError::Io { path: self.disk.path(&name), error };
        let file = match &self.open {
            Some((open, file)) if *open == name => file.clone(),
            _ => self.disk.open(&name).map_err(failed)?,
        };
        let mut bytes = vec![0; span.len];
        let count = file.read_at(&mut bytes, span.offset).map_err(failed)?;
        bytes.truncate(count);
        self.open = Some((name, file));
        Ok(bytes)
    }
}
