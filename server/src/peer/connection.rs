//! One peer: its socket, and what waits to be written to it.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::io::{self, ErrorKind, Read};
use std::net::{IpAddr, Shutdown, TcpStream};
use std::pin::Pin;
use std::time::{Duration, Instant};

use async_channel::Sender;
use futures_lite::future;
use smol::{Async, Timer};

use super::arrival::Arrival;
use super::flood::Bucket;
use super::gate::Gate;
use super::outbox::{Flushed, Outbox};
use crate::charset::Charset;
use crate::hub::{ConnectionId, Input, Line, Lines, News};
use crate::start::listen::ListenerKind;
use crate::tls::{Encrypting, Session};

/// Bytes that one read takes at most; one buffer serves all connections of a thread.
pub(crate) const READ: usize = 16 * 1024;
/// The time that a closed peer may take for its last lines.
const CLOSE: Duration = Duration::from_secs(5);
/// The time that a closed peer may take to say that it has read everything.
const LINGER: Duration = Duration::from_secs(2);

thread_local! {
    /// Borrowed only between two awaits, so connections that say nothing hold no buffer.
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ].into());
}

/// One peer.
pub(crate) struct Connection {
    pub(crate) id: ConnectionId,
    /// The peer's address.
    pub(crate) ip: IpAddr,
    /// Flood control of this connection alone.
    pub(crate) bucket: Cell<Bucket>,
    stream: Async<TcpStream>,
    outgoing: RefCell<Outgoing>,
    /// Nothing is read while it is closed.
    pub(crate) gate: Gate,
}

/// The way of bytes over the socket.
#[derive(Default)]
pub(super) enum Wire {
    /// As they are.
    #[default]
    Readable,
    /// Nothing goes out while hands are shaken; what comes is the handshake's.
    Closed,
    Encrypted(Box<dyn Session>),
}

#[derive(Default)]
struct Outgoing {
    outbox: Outbox,
    wire: Wire,
    /// A task writes what the kernel did not take at once.
    writer: bool,
    /// The hub waits for the outbox to be empty.
    awaited: bool,
    /// What a raw client's lines are written in; others' are as the hub wrote them.
    charset: Charset,
    /// The peer takes nothing more.
    broken: bool,
}

impl Outgoing {
    /// Bytes that wait; of encrypted ones it is only told that there are some.
    fn waiting(&self) -> usize {
        let encrypted = matches!(&self.wire, Wire::Encrypted(session) if session.is_waiting());
        if self.broken { 0 } else { self.outbox.bytes() + usize::from(encrypted) }
    }

    /// Writes what the kernel takes. Whoever takes nothing more may have said something before that, a
    /// good-bye perhaps: their reader finds the end behind it, and tells the hub.
    fn write_out(&mut self, stream: &TcpStream) -> Flushed {
        if self.broken {
            return Flushed::All;
        }
        self.try_write_out(stream).unwrap_or_else(|_| {
            self.broken = true;
            self.outbox = Outbox::default();
            // A connection that was reset has no side left to shut.
            let _ = stream.shutdown(Shutdown::Both);
            Flushed::All
        })
    }

    fn try_write_out(&mut self, stream: &TcpStream) -> io::Result<Flushed> {
        match &mut self.wire {
            Wire::Readable => self.outbox.flush(stream),
            Wire::Closed => Ok(Flushed::All),
            Wire::Encrypted(session) => {
                if self.outbox.flush(Encrypting(&mut **session, stream))? == Flushed::Blocked {
                    return Ok(Flushed::Blocked);
                }
                match session.flush(stream) {
                    Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(Flushed::Blocked),
                    flushed => flushed.map(|()| Flushed::All),
                }
            }
        }
    }
}

impl Connection {
    pub(crate) fn new(
        id: ConnectionId,
        ip: IpAddr,
        stream: Async<TcpStream>,
        listener: ListenerKind,
        now: Instant,
    ) -> Connection {
        let bucket = Cell::new(Bucket::full(now));
        let mut outgoing = Outgoing::default();
        outgoing.outbox.singly = listener == ListenerKind::Raw;
        Connection { id, ip, bucket, stream, outgoing: RefCell::new(outgoing), gate: Gate::default() }
    }

    /// From now on each line is a write of its own, in these bytes.
    pub(crate) fn write_raw(&self, charset: Charset) {
        let mut outgoing = self.outgoing.borrow_mut();
        outgoing.outbox.singly = true;
        outgoing.charset = charset;
    }

    /// From now on bytes go this way.
    pub(super) fn change_to(&self, wire: Wire) {
        self.outgoing.borrow_mut().wire = wire;
    }

    /// Whether nobody on the way can read what is said.
    pub(super) fn is_encrypted(&self) -> bool {
        matches!(self.outgoing.borrow().wire, Wire::Encrypted(_))
    }

    /// Has all of something written past the outbox, however long that takes.
    pub(super) async fn write_all(
        &self,
        mut write: impl FnMut(&TcpStream) -> io::Result<()>,
    ) -> io::Result<()> {
        loop {
            match write(self.stream.get_ref()) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.stream.writable().await?,
                written => return written,
            }
        }
    }

    /// The peer's address, for the log.
    pub(crate) fn peer(&self) -> String {
        self.stream.get_ref().peer_addr().map_or_else(|_| "somebody".into(), |peer| peer.to_string())
    }

    /// Adds a line to what waits; returns how many bytes wait now.
    pub(crate) fn push(&self, lines: Lines) -> usize {
        let outgoing = &mut *self.outgoing.borrow_mut();
        if outgoing.broken {
            return 0;
        }
        let lines = match outgoing.charset {
            Charset::Utf8 => lines,
            charset => Line::from(charset.encode(&String::from_utf8_lossy(&lines))).into(),
        };
        outgoing.outbox.push(lines);
        outgoing.outbox.bytes()
    }

    /// Whether nothing can be written any more.
    pub(crate) fn is_broken(&self) -> bool {
        self.outgoing.borrow().broken
    }

    /// Bytes that wait.
    pub(crate) fn waiting(&self) -> usize {
        self.outgoing.borrow().waiting()
    }

    /// Gives up what waits.
    pub(crate) fn clear(&self) {
        self.outgoing.borrow_mut().outbox.clear();
    }

    /// Writes what waits, unless a task does that already. `Blocked`: the caller has to start
    /// [`write_rest`](Self::write_rest).
    pub(crate) fn flush(&self) -> Flushed {
        let mut outgoing = self.outgoing.borrow_mut();
        if outgoing.writer {
            return Flushed::All;
        }
        let flushed = outgoing.write_out(self.stream.get_ref());
        outgoing.writer = flushed == Flushed::Blocked;
        flushed
    }

    /// Writes a first line past the hub, which does not know the peer yet.
    pub(crate) fn say(&self, text: String) {
        self.push(Line::from(text.into_bytes()).into());
        // What the kernel does not take of it at once goes out with the next one.
        if self.flush() == Flushed::Blocked {
            self.outgoing.borrow_mut().writer = false;
        }
    }

    /// Whether everything is with the kernel; if not, [`News::Drained`] will tell.
    pub(crate) fn await_drained(&self) -> bool {
        let mut outgoing = self.outgoing.borrow_mut();
        outgoing.awaited = outgoing.waiting() > 0;
        !outgoing.awaited
    }

    /// Writes on when the peer takes more, until nothing waits; gives up after `stall`
    /// without progress.
    pub(crate) async fn write_rest(&self, stall: Duration) -> Result<(), &'static str> {
        loop {
            // Not `poll_writable`, which knows one task: the one that closes may wait here too.
            match within(stall, self.stream.writable()).await {
                None => return Err("Write stalled"),
                Some(Err(_)) => return Err("Connection lost"),
                Some(Ok(())) => {}
            }
            let mut outgoing = self.outgoing.borrow_mut();
            if outgoing.write_out(self.stream.get_ref()) == Flushed::All {
                outgoing.writer = false;
                return Ok(());
            }
        }
    }

    /// Whether the hub waits to hear that the outbox is empty; it is told once.
    pub(crate) fn take_awaited(&self) -> bool {
        std::mem::take(&mut self.outgoing.borrow_mut().awaited)
    }

    /// Delivers what waits and closes, within [`CLOSE`].
    pub(crate) async fn close(&self) {
        within(CLOSE, self.deliver_and_close()).await;
    }

    async fn deliver_and_close(&self) {
        if matches!(self.outgoing.borrow().wire, Wire::Closed) {
            // It would not understand them.
            self.clear();
        }
        while self.waiting() > 0 || self.ends_session() {
            let blocked = self.flush() == Flushed::Blocked || self.waiting() > 0;
            if blocked && self.write_rest(CLOSE).await.is_err() {
                return;
            }
        }
        if self.stream.get_ref().shutdown(Shutdown::Write).is_err() {
            return;
        }
        // Input that the peer sent and we did not read would make the kernel throw our last
        // lines away.
        let emptied = async { while self.receive(<[u8]>::len).await.is_ok_and(|count| count > 0) {} };
        within(LINGER, emptied).await;
    }

    /// Whether something is to be written after the last line: that it was the last.
    fn ends_session(&self) -> bool {
        match &mut *self.outgoing.borrow_mut() {
            Outgoing { wire: Wire::Encrypted(session), broken: false, .. } => {
                session.close();
                session.is_waiting()
            }
            _ => false,
        }
    }

    /// Waits for bytes and hands them over; an empty slice is the end of the stream.
    pub(crate) async fn receive<R>(&self, take: impl FnOnce(&[u8]) -> R) -> io::Result<R> {
        loop {
            let more = matches!(&self.outgoing.borrow().wire, Wire::Encrypted(session) if session.has_more());
            if !more {
                // Its only reader: this costs less than `readable`, which serves several.
                poll_fn(|context| self.stream.poll_readable(context)).await?;
            }
            let received = SCRATCH.with_borrow_mut(|scratch| {
                let count = match &mut self.outgoing.borrow_mut().wire {
                    Wire::Encrypted(session) => session.read(self.stream.get_ref(), scratch),
                    _ => self.stream.get_ref().read(scratch),
                };
                count.map(|count| count.min(scratch.len()))
            });
            match received {
                Ok(count) => return Ok(SCRATCH.with_borrow(|scratch| take(&scratch[..count]))),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// As [`receive`](Self::receive), for at most `wait`; `None` if nothing came.
    pub(crate) async fn receive_within<R>(
        &self,
        wait: Duration,
        take: impl FnOnce(&[u8]) -> R,
    ) -> io::Result<Option<R>> {
        within(wait, self.receive(take)).await.transpose()
    }
}

/// What comes of a task, if it is done in so long.
pub(crate) async fn within<T>(time: Duration, task: impl Future<Output = T>) -> Option<T> {
    let late = async {
        Timer::after(time).await;
        None
    };
    future::or(async { Some(task.await) }, late).await
}

/// Runs a connection's task; a panic in it is reported, and ends nothing else.
///
/// The task comes boxed: else it would be held twice, as an argument and where it is awaited.
pub(crate) async fn guarded(task: Pin<Box<dyn Future<Output = ()>>>, hub: Sender<Arrival>, id: ConnectionId) {
    use futures_lite::FutureExt;
    if std::panic::AssertUnwindSafe(task).catch_unwind().await.is_err() {
        log::error!("a connection's task failed and its peer is closed; please report this");
        let news = News::Lost("Internal error".into());
        let _ = Box::pin(hub.send(Arrival::Input(Input::News(id, news)))).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_in_a_connection_closes_that_peer_only() {
        let (sender, events) = async_channel::bounded(1);
        let id = ConnectionId { slot: 7, generation: 1 };
        smol::block_on(guarded(Box::pin(async { panic!("as the test asked") }), sender, id));
        let told = events.try_recv();
        assert!(matches!(told, Ok(Arrival::Input(Input::News(of, News::Lost(_)))) if of == id));
    }
}
