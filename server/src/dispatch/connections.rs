//! The table of connections: lines into their outboxes and out to their sockets, opening, closing.
//!
//! Nothing here waits for a peer: a task of that connection writes what the kernel does not take at
//! once, and delivers the last lines of one that is closed.

use std::cell::Cell;
use std::net::{IpAddr, TcpStream};
use std::rc::{Rc, Weak};
use std::time::{Duration, Instant};

use async_channel::{Receiver, Sender};
use smol::{Async, LocalExecutor, Task};

use crate::hub::{ConnectionId, Input, Lines, News};
use crate::peer::{Arrival, Connection, Feed, Flood, Flushed, guarded, read, within};
use crate::start::config::Config;
use crate::start::limits::MAX_CLOSING;
use crate::start::listen::ListenerKind;
use crate::tls::Acceptor;

/// Bytes in an outbox that are written out before the turn ends.
const EARLY_FLUSH: usize = 64 * 1024;

/// See the [module](self).
pub(super) struct Connections {
    config: Rc<Config>,
    executor: Weak<LocalExecutor<'static>>,
    hub: Sender<Arrival>,
    flood: Option<Rc<Flood>>,
    acceptor: Option<Rc<dyn Acceptor>>,
    slots: Vec<Slot>,
    free: Vec<u32>,
    /// Slots whose outbox got something in this turn.
    dirty: Vec<u32>,
    /// Connections that failed, and why: the hub has yet to hear of them.
    failed: Vec<(ConnectionId, &'static str)>,
    /// Connections whose peers may still read their last lines.
    closing: Rc<Cell<usize>>,
    /// Each of them holds a sender: when all are dropped, all are closed.
    closed: (Sender<()>, Receiver<()>),
    /// Last lines are delivered to everybody, however many are closing.
    stopping: bool,
}

struct Slot {
    generation: u32,
    connection: Option<(Rc<Connection>, Task<()>)>,
    /// In `dirty` already.
    dirty: bool,
    /// The connection is gone, but the hub keeps its place.
    detached: bool,
}

impl Connections {
    pub(super) fn new(
        config: Rc<Config>,
        executor: Weak<LocalExecutor<'static>>,
        hub: Sender<Arrival>,
        flood: Option<Rc<Flood>>,
        acceptor: Option<Rc<dyn Acceptor>>,
    ) -> Connections {
        Connections {
            config,
            executor,
            hub,
            flood,
            acceptor,
            slots: Vec::new(),
            free: Vec::new(),
            dirty: Vec::new(),
            failed: Vec::new(),
            closing: Rc::default(),
            closed: async_channel::bounded(1),
            stopping: false,
        }
    }

    /// Where tasks run, as long as the server does.
    pub(super) fn executor(&self) -> Option<Rc<LocalExecutor<'static>>> {
        self.executor.upgrade()
    }

    /// Takes a connection in and starts its reader.
    pub(super) fn open(
        &mut self,
        ip: IpAddr,
        stream: Async<TcpStream>,
        listener: ListenerKind,
        now: Instant,
    ) -> Option<ConnectionId> {
        let number = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot { generation: 0, connection: None, dirty: false, detached: false });
            self.slots.len() as u32 - 1
        });
        let executor = self.executor.upgrade()?;
        let slot = self.slots.get_mut(number as usize)?;
        slot.generation = slot.generation.wrapping_add(1);
        let id = ConnectionId { slot: number, generation: slot.generation };
        let connection = Rc::new(Connection::new(id, ip, stream, listener, now));
        let feed = Feed {
            connection: Rc::clone(&connection),
            hub: self.hub.clone(),
            config: Rc::clone(&self.config),
            flood: self.flood.clone(),
            acceptor: self.acceptor.clone(),
        };
        let reader = Box::pin(read(feed, listener));
        let task = executor.spawn(guarded(reader, self.hub.clone(), id));
        slot.connection = Some((connection, task));
        Some(id)
    }

    /// Puts lines into an outbox.
    pub(super) fn push(&mut self, to: ConnectionId, lines: Lines) {
        let Some(slot) = self.slots.get_mut(to.slot as usize) else { return };
        let Some((connection, _)) = &slot.connection else { return };
        if slot.generation != to.generation {
            return;
        }
        if !std::mem::replace(&mut slot.dirty, true) {
            self.dirty.push(to.slot);
        }
        let waiting = connection.push(lines);
        if waiting > EARLY_FLUSH {
            if connection.flush() == Flushed::Blocked {
                write_on(&self.executor, connection, &self.hub, self.config.write_stall);
            }
            if connection.waiting() > self.config.outbox {
                connection.clear();
                self.failed.push((to, "SendQ exceeded"));
            }
        }
    }

    /// Writes out what this turn brought.
    pub(super) fn flush(&mut self) {
        let mut dirty = std::mem::take(&mut self.dirty);
        for number in dirty.drain(..) {
            let Some(slot) = self.slots.get_mut(number as usize) else { continue };
            slot.dirty = false;
            let Some((connection, _)) = &slot.connection else { continue };
            if connection.flush() == Flushed::Blocked {
                write_on(&self.executor, connection, &self.hub, self.config.write_stall);
            }
        }
        // Nothing was pushed meanwhile: its memory serves the next turn.
        self.dirty = dirty;
    }

    /// A connection that failed, and why; it is still in the table.
    pub(super) fn next_failed(&mut self) -> Option<(ConnectionId, &'static str)> {
        self.failed.pop()
    }

    /// Stops reading from a connection, until it is released.
    pub(super) fn hold(&self, id: ConnectionId) {
        self.get(id).into_iter().for_each(|connection| connection.gate.close());
    }

    pub(super) fn release(&self, id: ConnectionId) {
        self.get(id).into_iter().for_each(|connection| connection.gate.open());
    }

    /// Has flood control count lines that this connection's last command was worth.
    pub(super) fn charge(&self, id: ConnectionId, lines: u32, now: Instant) {
        if let (Some(flood), Some(connection)) = (&self.flood, self.get(id)) {
            flood.charge(connection.ip, &connection.bucket, lines, now);
        }
    }

    /// Whether the kernel has everything that was sent to a connection; if not,
    /// [`News::Drained`] will tell.
    pub(super) fn await_drained(&self, id: ConnectionId) -> bool {
        self.get(id).is_some_and(|connection| connection.await_drained())
    }

    fn get(&self, id: ConnectionId) -> Option<&Rc<Connection>> {
        let slot = self.slots.get(id.slot as usize).filter(|slot| slot.generation == id.generation)?;
        slot.connection.as_ref().map(|(connection, _)| connection)
    }

    /// Closes a connection, if it is not detached already, and frees its place.
    pub(super) fn close(&mut self, id: ConnectionId) {
        let Some(slot) = self.slots.get_mut(id.slot as usize) else { return };
        if slot.generation != id.generation {
            return;
        }
        if slot.connection.is_some() || slot.detached {
            self.free.push(id.slot);
        }
        slot.detached = false;
        self.deliver_last(id);
    }

    /// Closes a connection, and keeps its place until [`close`](Self::close).
    pub(super) fn detach(&mut self, id: ConnectionId) {
        let Some(slot) = self.slots.get_mut(id.slot as usize) else { return };
        if slot.generation == id.generation {
            slot.detached = true;
            self.deliver_last(id);
        }
    }

    /// Takes a connection out of the table; a task of its own delivers what waits.
    fn deliver_last(&mut self, id: ConnectionId) {
        let taken = self.slots.get_mut(id.slot as usize).and_then(|slot| slot.connection.take());
        let Some((connection, reader)) = taken else { return };
        drop(reader);
        let Some(executor) = self.executor.upgrade() else { return };
        let count = Rc::clone(&self.closing);
        if count.get() >= MAX_CLOSING && !self.stopping {
            // Descriptors are for members: what the kernel takes now is all that goes out.
            let _ = connection.flush();
            return;
        }
        count.set(count.get() + 1);
        let alive = self.closed.0.clone();
        let task = async move {
            connection.close().await;
            count.set(count.get() - 1);
            drop(alive);
        };
        executor.spawn(guarded(Box::pin(task), self.hub.clone(), id)).detach();
    }

    /// From now on everybody who is closed gets their last lines.
    pub(super) fn stop(&mut self) {
        self.stopping = true;
    }

    /// Waits until all that are closing are closed, at most so long.
    pub(super) async fn closed(self, time: Duration) {
        let (sender, closed) = self.closed;
        drop(sender);
        within(time, async { while closed.recv().await.is_ok() {} }).await;
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
        let news = match connection.write_rest(stall).await {
            Ok(()) if connection.take_awaited() => News::Drained,
            Ok(()) => return,
            Err(reason) => News::Lost(reason.into()),
        };
        drop(connection);
        // A hub that is gone needs no news.
        let _ = hub.send(Arrival::Input(Input::News(id, news))).await;
    };
    executor.spawn(guarded(Box::pin(task), hub_for_guard, id)).detach();
}
