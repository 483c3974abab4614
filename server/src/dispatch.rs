//! The hub task: the channel into the hub, what it wants done out of it.
//!
//! It never waits for a peer. What the kernel does not take at once is left to a task of that
//! connection.

use std::cell::Cell;
use std::collections::VecDeque;
use std::net::{SocketAddr, TcpStream};
use std::rc::{Rc, Weak};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use async_channel::{Receiver, Sender};
use futures_lite::{FutureExt, future};
use smol::{Async, LocalExecutor, Task, Timer};

use crate::archive::Archive;
use crate::hub::history::Answer;
use crate::hub::{ConnectionId, Hub, Input, Output};
use crate::peer::{Arrival, Blocks, Cloaks, Connection, Feed, Flushed, guarded, read};
use crate::protocol::time::{Moment, UnixMillis};
use crate::start::config::Config;
use crate::start::descriptors::MAX_CLOSING;
use crate::start::listen::ListenerKind;
use crate::store::{Notice, Opened};

/// Events that may wait for the hub; then readers wait, and through them their peers.
pub(crate) const QUEUE: usize = 256;
/// Events handled before what came of them is written out.
const TURN: usize = 256;
/// Bytes in an outbox that are written out before the turn ends.
const EARLY_FLUSH: usize = 64 * 1024;

/// How long the store may take nothing of what is said before that is given up.
const TOO_SLOW: Duration = Duration::from_secs(5);
/// How often the store is told the time: what is too old goes, and what is missing is noticed.
const TELL_TIME: Duration = Duration::from_secs(5);
/// At least, where lines are kept for a few seconds only.
const TELL_TIME_OFTEN: Duration = Duration::from_secs(1);

/// What a turn of the hub task begins with.
enum Woken {
    Arrival(Arrival),
    Notice(Notice),
    /// Long replies go on.
    Pages,
    Alarm,
}

struct Entry {
    generation: u32,
    connection: Option<(Rc<Connection>, Task<()>)>,
    /// In `dirty` already.
    dirty: bool,
    /// The connection is gone, but the hub keeps its place.
    detached: bool,
}

/// See the [module](self).
pub(crate) struct Dispatch {
    hub: Hub,
    config: Rc<Config>,
    executor: Weak<LocalExecutor<'static>>,
    events: Receiver<Arrival>,
    sender: Sender<Arrival>,
    shown: Sender<String>,
    cloaks: Cloaks,
    entries: Vec<Entry>,
    free: Vec<u32>,
    /// Whose outbox got something in this turn.
    dirty: Vec<u32>,
    /// What several outboxes got alike in this turn.
    blocks: Blocks,
    /// Whose long reply goes on.
    more: Vec<ConnectionId>,
    /// Who has to go when this turn's outputs are carried out.
    failed: Vec<(ConnectionId, &'static str)>,
    closing_now: Rc<Cell<usize>>,
    stopping: bool,
    /// Each closing connection holds a sender: when all are dropped, all are closed.
    closing: (Sender<()>, Receiver<()>),
    started: Instant,
    stop_at: Option<Instant>,
    archive: Archive,
    /// The store has said that its disk takes nothing.
    disk_fails: bool,
    /// Since when the store takes nothing.
    behind_since: Option<Instant>,
    /// When to tell the store the time.
    tell_time_at: Instant,
    /// What memory answered and the hub has not heard yet.
    answers: VecDeque<(u64, Answer)>,
}

impl Dispatch {
    pub(crate) fn new(
        config: Rc<Config>,
        executor: Weak<LocalExecutor<'static>>,
        (sender, events): (Sender<Arrival>, Receiver<Arrival>),
        shown: Sender<String>,
        cloaks: Cloaks,
        (archive, kept): (Archive, Opened),
    ) -> Dispatch {
        let started = clock();
        let mut hub = Hub::new(config.hub.clone(), moment(started));
        for room in hub.restore(kept.rooms, kept.fingerprints) {
            log::warn!("history: what {room} was cannot be read; its lines can");
        }
        Dispatch {
            hub,
            config,
            executor,
            events,
            sender,
            shown,
            cloaks,
            entries: Vec::new(),
            free: Vec::new(),
            dirty: Vec::new(),
            blocks: Blocks::default(),
            more: Vec::new(),
            failed: Vec::new(),
            closing_now: Rc::default(),
            stopping: false,
            closing: async_channel::bounded(1),
            started,
            stop_at: None,
            archive,
            disk_fails: false,
            behind_since: None,
            tell_time_at: started + TELL_TIME_OFTEN,
            answers: VecDeque::new(),
        }
    }

    /// Runs until the server is asked to stop; then tells everybody, delivers what waits and
    /// returns.
    pub(crate) async fn run(mut self) {
        let mut alarm = Timer::never();
        let mut set_for = None;
        loop {
            let wanted = self.next_alarm();
            if wanted != set_for {
                set_for = wanted;
                alarm = wanted.map_or_else(Timer::never, Timer::at);
            }
            let woken = if self.more.is_empty() {
                let rung = async {
                    (&mut alarm).await;
                    Woken::Alarm
                };
                let noticed = async { Woken::Notice(self.archive.notice().await) };
                // What the disk does not take must not pile up here: readers wait, and through
                // them their peers.
                let arrived = async {
                    match self.events.recv().await {
                        Ok(arrival) => Woken::Arrival(arrival),
                        Err(_) => future::pending().await,
                    }
                };
                if self.archive.is_behind() {
                    noticed.or(rung).await
                } else {
                    arrived.or(noticed).or(rung).await
                }
            } else {
                // Long replies go on; everybody else has a turn between two pages.
                future::yield_now().await;
                if self.archive.is_behind() {
                    Woken::Pages
                } else {
                    self.events.try_recv().map_or(Woken::Pages, Woken::Arrival)
                }
            };
            for id in std::mem::take(&mut self.more) {
                self.next_page(id);
            }
            match woken {
                Woken::Arrival(arrival) => {
                    self.take(arrival);
                    for _ in 1..TURN {
                        let Ok(arrival) = self.events.try_recv() else { break };
                        self.take(arrival);
                    }
                }
                Woken::Notice(notice) => self.noticed(notice),
                Woken::Pages => {}
                Woken::Alarm => set_for = None,
            }
            while let Some(notice) = self.archive.next_notice() {
                self.noticed(notice);
            }
            let now = clock();
            self.look_after_archive(now);
            if self.stop_at.is_some_and(|at| at <= now) {
                return self.finish().await;
            }
            if self.hub.next_timeout().is_some_and(|at| self.started + at <= now) {
                self.give(Input::Tick);
            }
            self.flush();
            self.flush_archive(now);
        }
    }

    fn next_alarm(&self) -> Option<Instant> {
        let hub = self.hub.next_timeout().map(|at| self.started + at);
        let behind = self.behind_since.map(|since| since + TOO_SLOW);
        let time = self.archive.is_on_disk().then_some(self.tell_time_at);
        [hub, self.stop_at, behind, time].into_iter().flatten().min()
    }

    /// What the store says.
    fn noticed(&mut self, notice: Notice) {
        match notice {
            Notice::Committed(upto) => {
                self.give(Input::Stored { upto });
                self.take_up();
            }
            Notice::Paused(why) => {
                self.disk_fails = true;
                self.give(Input::Paused { why: &why });
            }
            Notice::Resumed { lost } => {
                self.disk_fails = false;
                let dropped = self.archive.take_up().unwrap_or_default();
                self.give(Input::Resumed { lost: lost + dropped });
            }
            Notice::Answer { ticket, answer } => {
                let answer = answer.unwrap_or_else(|error| {
                    log::error!("history: {error}");
                    Answer::Failed
                });
                self.give(Input::Answer { ticket, answer });
            }
        }
    }

    /// Tries again what the store did not take, and gives that up where it takes nothing.
    fn look_after_archive(&mut self, now: Instant) {
        if self.archive.is_on_disk() && self.tell_time_at <= now {
            let keep = self.config.history.as_ref().and_then(|history| history.retention.age);
            self.tell_time_at =
                now + keep.map_or(TELL_TIME, |age| (age / 8).clamp(TELL_TIME_OFTEN, TELL_TIME));
            self.archive.tell_time(moment(self.started).wall.0);
        }
        self.flush_archive(now);
        if self.behind_since.is_some_and(|since| since + TOO_SLOW <= now) {
            self.behind_since = None;
            self.archive.give_up();
            self.give(Input::Paused { why: "the disk is too slow" });
        }
    }

    /// Hands the store what waits, and notes since when it takes nothing.
    fn flush_archive(&mut self, now: Instant) {
        self.archive.flush();
        if self.archive.is_behind() {
            self.behind_since.get_or_insert(now);
        } else {
            self.behind_since = None;
        }
    }

    /// The disk has taken something: if it had been given up, it is used again.
    fn take_up(&mut self) {
        if !self.disk_fails
            && let Some(lost) = self.archive.take_up()
        {
            self.give(Input::Resumed { lost });
        }
    }

    fn take(&mut self, arrival: Arrival) {
        match arrival {
            Arrival::Opened { stream, peer, listener } => self.open(*stream, peer, listener),
            Arrival::Speaks { id, speaker, name } => {
                self.give(Input::Speaks { id, speaker, name: name.as_deref() });
            }
            Arrival::Lines { id, block } => self.give(Input::Lines { id, block: &block }),
            Arrival::Alive { id } => self.give(Input::Alive { id }),
            Arrival::Delayed { id, by } => self.give(Input::Delayed { id, by }),
            Arrival::Drained { id } => self.give(Input::Drained { id }),
            Arrival::HungUp { id } => self.give(Input::HungUp { id }),
            Arrival::Lost { id, reason } => self.give(Input::Lost { id, reason: &reason }),
            Arrival::Refused { id, reason } => self.give(Input::Refused { id, reason }),
            Arrival::Console(line) => self.give(Input::Console(&line)),
            Arrival::Operate(operation) => self.give(Input::Operate(&operation)),
            // Whoever asked may have gone.
            Arrival::Guests(answer) => drop(answer.try_send(self.hub.guests())),
            Arrival::Stop => self.stop_at = Some(clock()),
        }
    }

    /// Gives the hub one input and carries out what comes of it, but for writing to sockets.
    fn give(&mut self, input: Input<'_>) {
        self.hub.handle(input, moment(self.started));
        self.carry_out();
        self.hand_over();
        self.bury();
    }

    /// Tells the hub of connections that failed while its outputs were carried out.
    fn bury(&mut self) {
        while let Some((id, reason)) = self.failed.pop() {
            self.hub.handle(Input::Lost { id, reason }, moment(self.started));
            self.carry_out();
        }
    }

    /// Gives the hub what memory answers at once.
    fn hand_over(&mut self) {
        while let Some((ticket, answer)) = self.answers.pop_front() {
            self.hub.handle(Input::Answer { ticket, answer }, moment(self.started));
            self.carry_out();
        }
    }

    fn carry_out(&mut self) {
        let mut closed = Vec::new();
        for output in self.hub.drain() {
            match output {
                Output::Line { to, line } => {
                    let Some(entry) = self.entries.get_mut(to.slot as usize) else { continue };
                    let Some((connection, _)) = &entry.connection else { continue };
                    if entry.generation != to.generation {
                        continue;
                    }
                    if !std::mem::replace(&mut entry.dirty, true) {
                        self.dirty.push(to.slot);
                    }
                    let waiting = connection.push(line);
                    if waiting > EARLY_FLUSH {
                        // A failure shows again, and is handled, when the turn ends.
                        let early = connection.flush();
                        if matches!(early, Ok(Flushed::Blocked)) {
                            write_on(&self.executor, connection, &self.sender, self.config.write_stall);
                        }
                        if connection.waiting() > self.config.outbox {
                            connection.clear();
                            self.failed.push((to, "SendQ exceeded"));
                        }
                    }
                }
                Output::Close { id } | Output::Detach { id } => {
                    closed.push((id, matches!(output, Output::Close { .. })))
                }
                Output::Hold { id } | Output::Release { id } => {
                    let entry = self.entries.get(id.slot as usize);
                    let entry = entry.filter(|entry| entry.generation == id.generation);
                    if let Some((connection, _)) = entry.and_then(|entry| entry.connection.as_ref()) {
                        if matches!(output, Output::Hold { .. }) {
                            connection.gate.close();
                        } else {
                            connection.gate.open();
                        }
                    }
                }
                Output::Store(record) => self.archive.keep(*record),
                Output::Room { room, state } => self.archive.keep_room(room, state),
                Output::Read { ticket, request } => {
                    let answer = self.archive.read(ticket, request, moment(self.started).wall.0);
                    self.answers.extend(answer.map(|answer| (ticket, answer)));
                }
                Output::More { id } => self.more.push(id),
                Output::Log(text) => log::info!("{text}"),
                Output::Warn(text) => log::warn!("{text}"),
                // A terminal that is held up must not hold up the room.
                Output::Console(text) => drop(self.shown.try_send(text)),
                Output::Stop(after) => self.stop_at = Some(clock() + after),
            }
        }
        closed.into_iter().for_each(|(id, free)| self.close(id, free));
    }

    /// Writes out what this turn brought.
    fn flush(&mut self) {
        // A failed write ends a connection, which others are told of: once more for these.
        while !self.dirty.is_empty() {
            for slot in std::mem::take(&mut self.dirty) {
                let Some(entry) = self.entries.get_mut(slot as usize) else { continue };
                entry.dirty = false;
                let Some((connection, _)) = &entry.connection else { continue };
                connection.share(&mut self.blocks);
                match connection.flush() {
                    Ok(Flushed::All) => {}
                    Ok(Flushed::Blocked) => {
                        write_on(&self.executor, connection, &self.sender, self.config.write_stall);
                    }
                    Err(_) => self.failed.push((connection.id, "Connection lost")),
                }
            }
            self.bury();
        }
        self.blocks.clear();
    }

    fn open(&mut self, stream: Async<TcpStream>, peer: SocketAddr, listener: ListenerKind) {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.entries.push(Entry { generation: 0, connection: None, dirty: false, detached: false });
            self.entries.len() as u32 - 1
        });
        let Some(executor) = self.executor.upgrade() else { return };
        let Some(entry) = self.entries.get_mut(slot as usize) else { return };
        entry.generation = entry.generation.wrapping_add(1);
        let id = ConnectionId { slot, generation: entry.generation };
        let connection = Rc::new(Connection::new(id, stream, listener));
        let feed = Feed {
            connection: Rc::clone(&connection),
            hub: self.sender.clone(),
            config: Rc::clone(&self.config),
        };
        let reader = Box::pin(read(feed, listener));
        let task = executor.spawn(guarded(reader, self.sender.clone(), id));
        entry.connection = Some((connection, task));
        let raw = listener == ListenerKind::Raw;
        let mut token = [0; 16];
        // Without randomness there is nothing to come back with.
        let token = getrandom::fill(&mut token).map_or(0, |()| u128::from_le_bytes(token));
        self.give(Input::Opened { id, peer, cloak: self.cloaks.of(peer.ip()), token, raw });
    }

    /// Takes a connection out of the table; a task of its own delivers what waits.
    /// `free`: its place is free for another one.
    fn close(&mut self, id: ConnectionId, free: bool) {
        let Some(entry) = self.entries.get_mut(id.slot as usize) else { return };
        if entry.generation != id.generation {
            return;
        }
        if free && (entry.connection.is_some() || entry.detached) {
            self.free.push(id.slot);
        }
        entry.detached = !free;
        let Some((connection, reader)) = entry.connection.take() else { return };
        drop(reader);
        let Some(executor) = self.executor.upgrade() else { return };
        let count = Rc::clone(&self.closing_now);
        if count.get() >= MAX_CLOSING && !self.stopping {
            // Descriptors are for members: what the kernel takes now is all that goes out.
            drop(connection.flush());
            return;
        }
        count.set(count.get() + 1);
        let alive = self.closing.0.clone();
        let task = async move {
            connection.close().await;
            count.set(count.get() - 1);
            drop(alive);
        };
        executor.spawn(guarded(Box::pin(task), self.sender.clone(), id)).detach();
    }

    /// Goes on with a long reply if its reader has taken what came before.
    fn next_page(&mut self, id: ConnectionId) {
        let Some(entry) = self.entries.get(id.slot as usize) else { return };
        let Some((connection, _)) = &entry.connection else { return };
        if entry.generation == id.generation && connection.await_drained() {
            self.give(Input::Drained { id });
        }
    }

    async fn finish(mut self) {
        self.stopping = true;
        self.give(Input::Stop);
        let Dispatch { closing: (sender, closing), config, archive, .. } = self;
        drop(sender);
        let closed = async { while closing.recv().await.is_ok() {} };
        let late = async {
            Timer::after(config.shutdown).await;
        };
        closed.or(late).await;
        archive.close();
    }
}

/// Lets a task write what the kernel did not take.
fn write_on(
    executor: &Weak<LocalExecutor<'static>>,
    connection: &Rc<Connection>,
    hub: &Sender<Arrival>,
    stall: Duration,
) {
    let Some(executor) = executor.upgrade() else { return };
    let (connection, hub, hub_for_guard) = (Rc::clone(connection), hub.clone(), hub.clone());
    let id = connection.id;
    let task = async move {
        let arrival = match connection.write_rest(stall).await {
            Ok(()) if connection.take_awaited() => Arrival::Drained { id },
            Ok(()) => return,
            Err(reason) => Arrival::Lost { id, reason: reason.into() },
        };
        drop(connection);
        // A hub that is gone needs no news.
        let _ = hub.send(arrival).await;
    };
    executor.spawn(guarded(Box::pin(task), hub_for_guard, id)).detach();
}

#[expect(clippy::disallowed_methods, reason = "here time comes in")]
fn clock() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "here time comes in")]
fn moment(started: Instant) -> Moment {
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Moment { elapsed: started.elapsed(), wall: UnixMillis(wall.as_millis() as u64) }
}
