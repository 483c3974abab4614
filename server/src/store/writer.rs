//! The writer: takes all that waits, writes it, syncs once, says so. Between two commits it does a
//! little upkeep.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use async_channel::Sender;
use std::time::{Duration, Instant};

use super::error::StoreError;
use super::frame::{EVENT, Frame};
use super::load::{Loaded, create_segment};
use super::log::LogFile;
use super::meta::{META, Meta};
use super::pace::Pace;
use super::queue::{Job, MAX_COMMIT, Queue, cost};
use super::readers::Question;
use super::retention::{Upkeep, lateness};
use super::rooms::{ROOMS, Rooms};
use super::segment::{Contents, Known, SEGMENT, write_index};
use super::shared::Shared;
use super::{MAX_PAYLOAD, Report};
use crate::hub::history::{Erasure, Fingerprint, Record, Request};
use crate::protocol::MsgId;

/// The longest upkeep between two commits.
const UPKEEP: Duration = Duration::from_millis(20);
/// Milliseconds after which the time is written down.
const SAVE_TIME: u64 = 3_600_000;

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Writer {
    shared: Arc<Shared>,
    queue: Arc<Queue>,
    rooms: Rooms,
    log: LogFile,
    contents: Contents,
    meta: Meta,
    pace: Pace,
    upkeep: Upkeep,
    /// The time was told: the segment that is written to may have become old.
    older: bool,
    /// It is to be seen whether all files are there.
    unsure: bool,
    /// They are not: nothing is written, and nothing removed.
    gone: bool,
    /// Records that are not on disk yet.
    held: Vec<Record>,
    held_bytes: usize,
    /// Of the last record that was taken.
    last: MsgId,
    paused: Option<Paused>,
    reads: Vec<Question>,
    pages: Sender<Question>,
    searches: Sender<Question>,
    /// Kept for its memory.
    buffer: Vec<u8>,
}

#[derive(Debug)]
struct Paused {
    retry: Instant,
    lost: u64,
}

impl Writer {
    pub(super) fn new(
        shared: Arc<Shared>,
        queue: Arc<Queue>,
        loaded: Loaded,
        (pages, searches): (Sender<Question>, Sender<Question>),
    ) -> Writer {
        let last = shared.index().last();
        let mut upkeep = Upkeep::default();
        upkeep.wake();
        let pace = Pace::new(shared.options.pace, clock());
        Writer {
            shared,
            queue,
            rooms: loaded.rooms,
            log: loaded.log,
            contents: loaded.contents,
            meta: loaded.meta,
            pace,
            upkeep,
            older: true,
            unsure: false,
            gone: false,
            held: Vec::new(),
            held_bytes: 0,
            last,
            paused: None,
            reads: Vec::new(),
            pages,
            searches,
            buffer: Vec::new(),
        }
    }

    /// Runs until the queue is closed; says how many records the disk did not take. A panic pauses
    /// the history until the server is started again.
    pub(super) fn run(mut self, deadline: &dyn Fn() -> Option<Instant>) -> u64 {
        match catch_unwind(AssertUnwindSafe(|| self.work(deadline))) {
            Ok(lost) => lost,
            Err(_) => {
                let why = "The thread that writes it panicked, a fault of the server's own. Start the server again.";
                self.shared.notify(Report::Paused(why.into()));
                self.refuse()
            }
        }
    }

    fn work(&mut self, deadline: &dyn Fn() -> Option<Instant>) -> u64 {
        self.close_old_segment();
        loop {
            let patience = match &self.paused {
                Some(paused) => Some(paused.retry.saturating_duration_since(clock())),
                None => self.upkeep.is_busy().then_some(Duration::ZERO),
            };
            let (jobs, mut closed) = self.queue.take(patience);
            self.accept(jobs);
            while !closed && let Some(pause) = self.pause() {
                let (jobs, is_last) = self.queue.take(Some(pause));
                self.accept(jobs);
                closed = is_last;
            }
            self.unsure |= closed;
            if closed || self.paused.as_ref().is_none_or(|paused| paused.retry <= clock()) {
                self.try_commit();
            }
            // While the disk takes nothing, they are answered with what it has.
            self.release_reads();
            if closed {
                return self.finish(deadline());
            }
            self.close_old_segment();
            let until = clock() + UPKEEP;
            while self.upkeep.is_busy() && !self.gone {
                self.keep_up();
                if !self.queue.is_empty() || clock() >= until {
                    break;
                }
            }
        }
    }

    /// The time in which more may come before there is another small commit.
    fn pause(&mut self) -> Option<Duration> {
        let bytes = self.held_bytes + self.rooms.unsaved();
        if bytes == 0 || self.paused.is_some() { None } else { self.pace.wait(bytes, clock()) }
    }

    fn accept(&mut self, jobs: Vec<Job>) {
        for job in jobs {
            match job {
                Job::Append(records) => records.into_iter().for_each(|record| self.hold(record)),
                Job::SetRoom { room, state } => self.rooms.set_state(&room, state),
                Job::Forget { room } => self.forget_room(&room),
                Job::Read { ticket, request } => self.read(ticket, request),
                Job::Time(now) => {
                    self.shared.tell_time(now);
                    self.upkeep.wake();
                    self.older = true;
                    self.unsure = true;
                }
            }
        }
    }

    /// Records that wait find their numbers by names, when they are committed: so those of the room come
    /// first, or never.
    fn forget_room(&mut self, name: &str) {
        if self.held.iter().any(|record| record.rooms().any(|room| **room == *name)) {
            self.try_commit();
            let before = self.held.len();
            self.held.retain_mut(|record| {
                let others: Vec<_> = record.rooms().filter(|room| ***room != *name).cloned().collect();
                let mut others = others.into_iter();
                let Some(room) = others.next() else { return false };
                (record.room, record.also) = (room, others.collect());
                true
            });
            self.held_bytes = self.held.iter().map(cost).sum();
            self.paused.iter_mut().for_each(|paused| paused.lost += (before - self.held.len()) as u64);
        }
        if let Some(number) = self.rooms.forget_one(name) {
            self.shared.index_mut().drop_room(number, name);
            self.upkeep.wake();
        }
    }

    fn hold(&mut self, record: Record) {
        if record.id <= self.last || record.payload.len() + 4 * (1 + record.also.len()) > MAX_PAYLOAD {
            log::error!("a fault of the server's own: a record of the history is too long or out of order");
            debug_assert!(
                false,
                "keys rise, and payloads are bounded: {:?} after {:?}",
                record.id, self.last
            );
            return;
        }
        self.last = record.id;
        if let Some(erasure) = record.erases.as_deref() {
            self.erase(erasure);
        }
        if let Some(paused) = &mut self.paused
            && self.held_bytes + cost(&record) > MAX_COMMIT
        {
            paused.lost += 1;
            return;
        }
        self.held_bytes += cost(&record);
        self.held.push(record);
    }

    /// No answer has it from now on, even while the disk takes nothing; with the next commit it stands there, before
    /// the record that says so.
    fn erase(&mut self, Erasure { id, payload }: &Erasure) {
        self.rooms.set_erased(*id, Some(payload.clone()));
        let mut index = self.shared.index_mut();
        index.erased_mut().insert(*id, payload.clone());
        self.upkeep.erased(index.erased_mut().len());
    }

    fn try_commit(&mut self) {
        let bytes = self.held_bytes + self.rooms.unsaved();
        match self.commit_all() {
            Ok(()) => {
                if bytes > 0 {
                    self.pace.made(bytes);
                }
                if let Some(paused) = self.paused.take() {
                    self.shared.notify(Report::Resumed { lost: paused.lost });
                }
            }
            Err(error) => {
                let lost = self.paused.take().map(|paused| paused.lost);
                self.paused = Some(Paused {
                    retry: clock() + self.shared.options.retry,
                    lost: lost.unwrap_or_default(),
                });
                if lost.is_none() {
                    self.shared.notify(Report::Paused(error.to_string()));
                }
            }
        }
    }

    /// Commits all that is held or, where the disk has no room for that, as many of the first
    /// records as fit.
    fn commit_all(&mut self) -> Result<(), StoreError> {
        if std::mem::take(&mut self.unsure) || self.paused.is_some() {
            let all_there = self.all_there();
            self.gone = all_there.is_err();
            all_there?;
        }
        // A disk that was full takes one record, if any, sooner than all.
        let mut count = if self.paused.is_some() { 1 } else { self.held.len() };
        let mut fits = true;
        loop {
            count = count.min(self.held.len());
            let last = self.held.get(count.saturating_sub(1)).map(|record| record.id);
            match self.commit(count) {
                Ok(()) => {
                    let bytes: usize = self.held.drain(..count).map(|record| cost(&record)).sum();
                    self.held_bytes = self.held_bytes.saturating_sub(bytes);
                    if let Some(id) = last {
                        self.shared.notify(Report::Committed(id));
                    }
                    if self.held.is_empty() {
                        return Ok(());
                    }
                    count = if fits { 2 * count } else { count };
                }
                Err(error) if count <= 1 || !error.is_full() => return Err(error),
                Err(_) => {
                    fits = false;
                    count /= 2;
                }
            }
        }
    }

    /// An error if the folder or a file in it is not the one any more that was opened or written.
    fn all_there(&self) -> Result<(), StoreError> {
        let disk = &*self.shared.disk;
        let gone = |name: &str| Err(StoreError::Gone { path: disk.path(name) });
        // Whatever else the system says, the next write will meet, too.
        if disk.is_ours().is_ok_and(|ours| !ours) {
            return gone("");
        }
        if self.log.is_removed().is_ok_and(|removed| removed) {
            return gone(&self.log.name);
        }
        if self.rooms.is_removed().is_ok_and(|removed| removed) {
            return gone(ROOMS);
        }
        let Ok(names) = disk.list() else { return Ok(()) };
        let names: HashSet<String> = names.into_iter().collect();
        let segments: Vec<String> =
            self.shared.index().segments.iter().map(|segment| segment.header.log_name()).collect();
        let needed = [META, ROOMS].into_iter().chain(segments.iter().map(String::as_str));
        needed.into_iter().find(|name| !names.contains(*name)).map_or(Ok(()), gone)
    }

    /// The first `count` of what is held is on disk, or an error and nothing changed.
    fn commit(&mut self, count: usize) -> Result<(), StoreError> {
        let shared = self.shared.clone();
        let disk = &*shared.disk;
        let mut batch = std::mem::take(&mut self.buffer);
        let held = self.held.get(..count).unwrap_or_default();
        let mut rooms = Vec::with_capacity(held.len());
        for record in held {
            let of: Vec<_> = record.rooms().map(|room| self.rooms.number_for(room)).collect();
            rooms.push(of);
        }
        self.rooms.save(disk, &mut batch).map_err(StoreError::io(disk, ROOMS))?;
        if rooms.is_empty() {
            self.buffer = batch;
            return Ok(());
        }
        if self.log.end >= SEGMENT {
            self.next_segment()?;
        }
        let mut numbers: Vec<Vec<u8>> = vec![Vec::new(); rooms.len()];
        let frames = self.held.iter().zip(&rooms).zip(&mut numbers).map(|((record, rooms), numbers)| {
            let mut frame = Frame {
                flags: if record.event { EVENT } else { 0 },
                key: record.id,
                fingerprint: record.fingerprint.map_or(0, Fingerprint::get),
                payload: &record.payload,
                ..Frame::default()
            };
            frame.set_rooms(&rooms.iter().map(|(number, _)| *number).collect::<Vec<_>>(), numbers);
            frame
        });
        let frames: Vec<Frame<'_>> = frames.collect();
        self.log.start_batch(&mut batch);
        let mut offset = self.log.end + batch.len() as u64;
        frames.iter().for_each(|frame| frame.encode(self.log.header.salt, &mut batch));
        self.log.append(&mut batch).map_err(StoreError::io(disk, &self.log.name))?;
        let mut index = self.shared.index_mut();
        for (frame, rooms) in frames.iter().zip(&rooms) {
            for (number, name) in rooms {
                if !index.rooms.contains_key(number) {
                    index.add_room(*number, name.clone());
                }
            }
            let chunk = self.contents.add(self.log.header.number, offset, frame);
            offset += frame.size() as u64;
            index.add(&self.contents, chunk, offset, frame);
        }
        drop(index);
        batch.shrink_to(MAX_COMMIT / 4);
        self.buffer = batch;
        Ok(())
    }

    fn next_segment(&mut self) -> Result<(), StoreError> {
        let shared = self.shared.clone();
        let disk = &*shared.disk;
        self.seal();
        let number = self.log.header.number + 1;
        let log = create_segment(disk, &self.meta.secret, number).map_err(StoreError::io(disk, ""))?;
        self.contents = Contents::default();
        self.shared.index_mut().install(log.header, log.end, &self.contents, number..=number);
        self.log = log;
        self.upkeep.wake();
        Ok(())
    }

    fn keep_up(&mut self) {
        if let Err(error) = self.upkeep.step(&self.shared, &mut self.rooms, &self.meta.secret) {
            self.upkeep.rest(&error);
        }
    }

    /// Only a complete segment can be deleted or rewritten: one that holds old lines, or once a day
    /// one that holds too many, is complete whatever its size. Nothing old stays in the rooms then,
    /// either.
    fn close_old_segment(&mut self) {
        if !std::mem::take(&mut self.older) || self.paused.is_some() {
            return;
        }
        if let Err(error) = self.close_if_old() {
            self.upkeep.rest(&error);
        }
    }

    fn close_if_old(&mut self) -> Result<(), StoreError> {
        let shared = self.shared.clone();
        if self.upkeep.sweep(&shared, &mut self.rooms) {
            self.rooms
                .sweep(&*shared.disk, &mut self.buffer)
                .map_err(StoreError::io(&*shared.disk, ROOMS))?;
        }
        if shared.retention().age.is_some() {
            self.note_time(SAVE_TIME)?;
        }
        let (Some(first), Some(last)) = (self.contents.chunks.first(), self.contents.last()) else {
            return Ok(());
        };
        let age = shared.now().saturating_sub(first.first.millis);
        let old = lateness(&shared).is_some_and(|lateness| age > lateness);
        let dead = last.millis < shared.oldest();
        if old || dead || self.upkeep.is_condemned(self.log.header.number) {
            self.next_segment()?;
        }
        Ok(())
    }

    /// The next start is told until when the server ran.
    fn note_time(&mut self, after: u64) -> Result<(), StoreError> {
        let now = self.shared.now();
        let noted = self.meta.time.is_some_and(|noted| noted.abs_diff(now) < after);
        if noted {
            return Ok(());
        }
        self.meta.time = Some(now);
        self.meta.write(&*self.shared.disk)
    }

    /// The segment that is written to gets an index, and loses the zeros behind its end.
    fn seal(&mut self) {
        let known = Known { end: self.log.end, batch: self.log.batch, rooms: self.rooms.extent() };
        let sealed = self
            .log
            .cut()
            .and_then(|()| write_index(&*self.shared.disk, self.log.header, known, &self.contents));
        if let Err(error) = sealed {
            // It is scanned when the store is opened.
            log::warn!("an index of the history cannot be written: {error}");
        }
    }

    fn read(&mut self, ticket: u64, request: Request) {
        self.reads.push(Question { ticket, request, open: (0, Vec::new()) });
    }

    fn release_reads(&mut self) {
        for mut question in self.reads.drain(..) {
            if let Request::Find { fingerprint, .. } = question.request {
                let same = |(_, print): &&(u16, u64)| *print == fingerprint.get();
                let chunks = self.contents.prints.iter().filter(same).map(|(chunk, _)| *chunk);
                question.open = (self.log.header.number, chunks.collect());
            }
            let search = matches!(question.request, Request::Search { .. });
            // They end after the writer.
            let _ = if search { &self.searches } else { &self.pages }.try_send(question);
        }
    }

    fn finish(&mut self, deadline: Option<Instant>) -> u64 {
        let lost = self.held.len() as u64 + self.paused.as_ref().map_or(0, |paused| paused.lost);
        if self.gone {
            return lost;
        }
        self.upkeep.wake();
        self.older = deadline.is_some();
        self.close_old_segment();
        while self.upkeep.is_busy() && deadline.is_some_and(|at| clock() < at) {
            self.keep_up();
        }
        self.upkeep.abandon(&self.shared);
        if let Err(error) = self.note_time(1) {
            log::warn!("the time cannot be written to the history: {error}");
        }
        // Rooms that were forgotten; whatever fails is found again.
        let mut buffer = Vec::new();
        if let Err(error) = self.rooms.save(&*self.shared.disk, &mut buffer) {
            log::warn!("the rooms of the history cannot be written: {error}");
        }
        self.seal();
        lost
    }

    /// Nothing is written any more; what is on disk is still read.
    fn refuse(&mut self) -> u64 {
        let mut lost = self.held.len() as u64;
        loop {
            let (jobs, closed) = self.queue.take(None);
            for job in jobs {
                match job {
                    Job::Append(records) => lost += records.len() as u64,
                    Job::Read { ticket, request } => self.read(ticket, request),
                    Job::SetRoom { .. } | Job::Forget { .. } | Job::Time(_) => {}
                }
            }
            self.release_reads();
            if closed {
                return lost;
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the store's thread knows no other clock")]
pub(super) fn clock() -> Instant {
    Instant::now()
}
