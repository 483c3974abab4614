//! One peer: tells what it speaks, reads its lines for the hub, writes what the hub has for it.

use std::cell::RefCell;
use std::future::Future;
use std::io::{self, ErrorKind, Read};
use std::net::{Shutdown, TcpStream};
use std::rc::Rc;
use std::time::{Duration, Instant};

use async_channel::Sender;
use futures_lite::future;
use smol::{Async, Timer};

use crate::config::Config;
use crate::dispatch::Arrival;
use crate::flood::Bucket;
use crate::hub::{ConnectionId, Line, Speaker, ToyKind};
use crate::outbox::{Flushed, Outbox};
use crate::protocol::html;
use crate::protocol::line::{self, Framer};
use crate::speaker::{self, Verdict};

/// Bytes that one read takes at most; one buffer serves all connections of a thread.
const READ: usize = 16 * 1024;
/// Silence after which a toy client is asked for its name.
const TOY_PROMPT_AFTER: Duration = Duration::from_millis(300);
/// Quiet that ends a toy client's chunk.
const TOY_QUIET: Duration = Duration::from_millis(150);
/// Bytes of a toy client's chunk.
const TOY_CHUNK: usize = 1024;
/// How long a closed peer may take for its last lines.
const CLOSE: Duration = Duration::from_secs(5);
/// How long a closed peer may take to say that it has read everything.
const LINGER: Duration = Duration::from_secs(2);

thread_local! {
    /// Borrowed only between two awaits, so connections that say nothing hold no buffer.
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ].into());
}

/// Which listener a connection came through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    /// For IRC programs and people at terminals.
    Main,
    /// For toy clients.
    Toy,
}

/// One peer.
pub(crate) struct Connection {
    pub(crate) id: ConnectionId,
    stream: Async<TcpStream>,
    outgoing: RefCell<Outgoing>,
}

#[derive(Default)]
struct Outgoing {
    outbox: Outbox,
    /// A task writes what the kernel did not take at once.
    writer: bool,
    /// The hub waits for the outbox to be empty.
    awaited: bool,
}

impl Connection {
    pub(crate) fn new(id: ConnectionId, stream: Async<TcpStream>, door: Door) -> Connection {
        let mut outgoing = Outgoing::default();
        outgoing.outbox.singly = door == Door::Toy;
        Connection { id, stream, outgoing: RefCell::new(outgoing) }
    }

    /// Adds a line to what waits; returns how many bytes wait now.
    pub(crate) fn push(&self, line: Line) -> usize {
        let outbox = &mut self.outgoing.borrow_mut().outbox;
        outbox.push(line);
        outbox.bytes()
    }

    /// Bytes that wait.
    pub(crate) fn waiting(&self) -> usize {
        self.outgoing.borrow().outbox.bytes()
    }

    /// Gives up what waits.
    pub(crate) fn clear(&self) {
        self.outgoing.borrow_mut().outbox.clear();
    }

    /// Writes what waits, unless a task does that already. `Blocked`: the caller has to start
    /// [`write_rest`](Self::write_rest).
    pub(crate) fn flush(&self) -> io::Result<Flushed> {
        let mut outgoing = self.outgoing.borrow_mut();
        if outgoing.writer {
            return Ok(Flushed::All);
        }
        let flushed = outgoing.outbox.flush(self.stream.get_ref())?;
        outgoing.writer = flushed == Flushed::Blocked;
        Ok(flushed)
    }

    /// Whether everything is with the kernel; if not, [`Arrival::Drained`] will tell.
    pub(crate) fn await_drained(&self) -> bool {
        let mut outgoing = self.outgoing.borrow_mut();
        outgoing.awaited = !outgoing.outbox.is_empty();
        !outgoing.awaited
    }

    /// Writes on when the peer takes more, until nothing waits; gives up after `stall`
    /// without progress.
    pub(crate) async fn write_rest(&self, stall: Duration) -> Result<(), &'static str> {
        loop {
            let stalled = async {
                Timer::after(stall).await;
                Err(io::Error::from(ErrorKind::TimedOut))
            };
            match future::or(self.stream.writable(), stalled).await {
                Err(error) if error.kind() == ErrorKind::TimedOut => return Err("Write stalled"),
                Err(_) => return Err("Connection lost"),
                Ok(()) => {}
            }
            let mut outgoing = self.outgoing.borrow_mut();
            match outgoing.outbox.flush(self.stream.get_ref()) {
                Ok(Flushed::Blocked) => {}
                Ok(Flushed::All) => {
                    outgoing.writer = false;
                    return Ok(());
                }
                Err(_) => return Err("Connection lost"),
            }
        }
    }

    /// Whether the hub waits to hear that the outbox is empty; it is told once.
    pub(crate) fn take_awaited(&self) -> bool {
        std::mem::take(&mut self.outgoing.borrow_mut().awaited)
    }

    /// Delivers what waits and closes, within [`CLOSE`].
    pub(crate) async fn close(&self) {
        let late = async {
            Timer::after(CLOSE).await;
        };
        future::or(self.deliver_and_close(), late).await;
    }

    async fn deliver_and_close(&self) {
        while self.waiting() > 0 {
            let blocked = match self.flush() {
                Ok(flushed) => flushed == Flushed::Blocked || self.waiting() > 0,
                Err(_) => return,
            };
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
        let late = async {
            Timer::after(LINGER).await;
        };
        future::or(emptied, late).await;
    }

    /// Waits for bytes and hands them over; an empty slice is the end of the stream.
    async fn receive<R>(&self, take: impl FnOnce(&[u8]) -> R) -> io::Result<R> {
        loop {
            self.stream.readable().await?;
            let received = SCRATCH.with_borrow_mut(|scratch| {
                self.stream.get_ref().read(scratch).map(|count| count.min(scratch.len()))
            });
            match received {
                Ok(count) => return Ok(SCRATCH.with_borrow(|scratch| take(&scratch[..count]))),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// As [`receive`](Self::receive), for at most `wait`; `None` if nothing came.
    async fn receive_within<R>(
        &self,
        wait: Duration,
        take: impl FnOnce(&[u8]) -> R,
    ) -> io::Result<Option<R>> {
        future::or(async { self.receive(take).await.map(Some) }, async {
            Timer::after(wait).await;
            Ok(None)
        })
        .await
    }
}

/// Why a reader ends.
enum End {
    /// The peer closed its side, or the connection broke.
    Closed,
    Refused(&'static str),
    Framing(line::FramingError),
    /// The hub is gone.
    Hub,
}

impl From<io::Error> for End {
    fn from(_: io::Error) -> End {
        End::Closed
    }
}

impl<T> From<async_channel::SendError<T>> for End {
    fn from(_: async_channel::SendError<T>) -> End {
        End::Hub
    }
}

/// Reads one peer until it ends, and tells the hub.
pub(crate) struct Reader {
    pub(crate) connection: Rc<Connection>,
    pub(crate) door: Door,
    pub(crate) hub: Sender<Arrival>,
    pub(crate) config: Rc<Config>,
}

impl Reader {
    pub(crate) async fn run(self) {
        let end = match self.door {
            // Boxed: whoever is told apart needs the bigger states no more.
            Door::Main => self.main().await,
            Door::Toy => Box::pin(self.toy()).await,
        };
        let Err(end) = end;
        let id = self.connection.id;
        let arrival = match end {
            End::Closed => Arrival::HungUp { id },
            End::Framing(error) => Arrival::Lost { id, reason: error.to_string().into() },
            End::Refused(reason) => Arrival::Refused { id, reason },
            End::Hub => return,
        };
        // A hub that is gone needs no news.
        let _ = self.hub.send(arrival).await;
    }

    async fn main(&self) -> Result<std::convert::Infallible, End> {
        let id = self.connection.id;
        let (speaker, first, mut ended) = Box::pin(self.tell_apart()).await?;
        self.hub.send(Arrival::Speaks { id, speaker, name: None }).await?;
        #[expect(clippy::disallowed_methods, reason = "flood control measures real time")]
        let mut bucket = self.config.flood.map(|rate| Bucket::new(rate, Instant::now()));
        let mut framer = Framer::default();
        let mut framed = framer.push(&first);
        drop(first);
        loop {
            let (block, sound) = framed;
            match block {
                Some(block) => self.forward(block, &mut bucket).await?,
                None => self.hub.send(Arrival::Alive { id }).await?,
            }
            sound.map_err(End::Framing)?;
            if ended {
                break;
            }
            let count;
            (count, framed) = self.connection.receive(|bytes| (bytes.len(), framer.push(bytes))).await?;
            ended = count == 0;
            if count == READ {
                // There is more: let others have their turn first.
                future::yield_now().await;
            }
        }
        // A person's last line counts without a line end too; half a command does not.
        let rest = framer.take_unfinished();
        if speaker == Speaker::Plain && !rest.is_empty() {
            self.forward(rest.into(), &mut bucket).await?;
        }
        Err(End::Closed)
    }

    /// Hands whole lines to the hub, as fast as flood control lets them.
    async fn forward(&self, block: Box<[u8]>, bucket: &mut Option<Bucket>) -> Result<(), End> {
        let id = self.connection.id;
        let Some(bucket) = bucket else {
            return Ok(self.hub.send(Arrival::Lines { id, block }).await?);
        };
        #[expect(clippy::disallowed_methods, reason = "flood control measures real time")]
        let clock = Instant::now;
        let (mut start, mut end) = (0, 0);
        while end < block.len() {
            let length = memchr::memchr(b'\n', &block[end..]).map_or(block.len() - end, |at| at + 1);
            match bucket.take(length, clock()) {
                Ok(()) => end += length,
                Err(wait) => {
                    if end > start {
                        let part = block[start..end].into();
                        self.hub.send(Arrival::Lines { id, block: part }).await?;
                        start = end;
                    }
                    self.hub.send(Arrival::Delayed { id, by: wait }).await?;
                    Timer::after(wait).await;
                }
            }
        }
        let block = if start == 0 { block } else { block[start..].into() };
        Ok(self.hub.send(Arrival::Lines { id, block }).await?)
    }

    /// Waits until it is clear what the peer speaks, and asks a silent one for a name.
    /// Returns what was read, and whether the stream has ended.
    async fn tell_apart(&self) -> Result<(Speaker, Vec<u8>, bool), End> {
        let mut read = Vec::new();
        let mut ended = false;
        let mut prompt = self.config.plain.then_some(self.config.prompt_after);
        loop {
            match speaker::tell(&read, ended) {
                Verdict::Irc => return Ok((Speaker::Irc, read, ended)),
                Verdict::Plain if self.config.plain => return Ok((Speaker::Plain, read, ended)),
                Verdict::Plain => return Err(End::Refused("Only IRC is spoken here")),
                Verdict::Refuse(reason) => return Err(End::Refused(reason)),
                Verdict::Unclear if ended => return Err(End::Closed),
                Verdict::Unclear => {}
            }
            let mut take = |bytes: &[u8]| {
                read.extend_from_slice(bytes);
                ended = bytes.is_empty();
            };
            match prompt {
                None => self.connection.receive(&mut take).await?,
                Some(wait) => {
                    if self.connection.receive_within(wait, &mut take).await?.is_none() && read.is_empty() {
                        prompt = None;
                        let name = &self.config.hub.name;
                        self.say(format!(":{name} NOTICE * :Type a nickname and press Enter\r\n"));
                    }
                }
            }
        }
    }

    /// Writes to the peer past the hub, which does not know it yet.
    fn say(&self, text: String) {
        self.connection.push(text.into_bytes().into());
        // What the kernel does not take at once, of a first line, goes out with the next one.
        if self.connection.flush().is_ok_and(|flushed| flushed == Flushed::Blocked) {
            self.connection.outgoing.borrow_mut().writer = false;
        }
    }

    /// A toy client: chunks instead of lines.
    async fn toy(&self) -> Result<std::convert::Infallible, End> {
        let id = self.connection.id;
        let mut asked = false;
        #[expect(clippy::disallowed_methods, reason = "flood control measures real time")]
        let mut bucket = self.config.flood.map(|rate| Bucket::new(rate, Instant::now()));
        let mut pending = Vec::new();
        let mut told = false;
        loop {
            if pending.is_empty() {
                let take = |bytes: &[u8]| pending.extend_from_slice(bytes);
                if told || asked {
                    self.connection.receive(take).await?;
                } else if self.connection.receive_within(TOY_PROMPT_AFTER, take).await?.is_none() {
                    asked = true;
                    self.say(self.config.plain_prompt.clone());
                    continue;
                }
            }
            let (chunk, ended) = self.chunk(&mut pending).await?;
            if !chunk.is_empty() {
                if !told && let Some(reason) = speaker::foreign(&chunk) {
                    return Err(End::Refused(reason));
                }
                let text = String::from_utf8_lossy(&chunk);
                let answer = if told { None } else { Some(toy_kind(&text, asked)) };
                told = true;
                match answer {
                    Some((kind, name)) => {
                        let is_message = kind != ToyKind::Ascii;
                        let speaker = Speaker::Toy(kind);
                        self.hub.send(Arrival::Speaks { id, speaker, name: Some(name.into()) }).await?;
                        if is_message {
                            self.forward(chunk.into(), &mut bucket).await?;
                        }
                    }
                    None => self.forward(chunk.into(), &mut bucket).await?,
                }
            }
            if ended {
                return Err(End::Closed);
            }
        }
    }

    /// One chunk: to a newline, to [`TOY_CHUNK`] bytes or to [`TOY_QUIET`], whichever comes
    /// first. Also says whether the stream has ended.
    async fn chunk(&self, pending: &mut Vec<u8>) -> Result<(Vec<u8>, bool), End> {
        let mut ended = pending.is_empty();
        loop {
            let newline = memchr::memchr(b'\n', pending).map(|at| at + 1);
            let end = newline.unwrap_or(usize::MAX).min(TOY_CHUNK);
            if end <= pending.len() {
                let end = if newline == Some(end) { end } else { whole_characters(&pending[..end]) };
                let rest = pending.split_off(end);
                return Ok((std::mem::replace(pending, rest), false));
            }
            if ended {
                return Ok((std::mem::take(pending), true));
            }
            let before = pending.len();
            let more =
                self.connection.receive_within(TOY_QUIET, |bytes| pending.extend_from_slice(bytes)).await?;
            match more {
                None => return Ok((std::mem::take(pending), false)),
                Some(()) => ended = pending.len() == before,
            }
        }
    }
}

/// Where to cut bytes so that no character of UTF-8 is cut; their end if they are none.
fn whole_characters(bytes: &[u8]) -> usize {
    match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() && error.valid_up_to() > 0 => error.valid_up_to(),
        _ => bytes.len(),
    }
}

/// What kind of toy a first chunk comes from, and the name in it.
fn toy_kind(chunk: &str, asked: bool) -> (ToyKind, String) {
    if chunk.to_ascii_lowercase().contains("<font") {
        (ToyKind::Html, html::first_tag_text(chunk))
    } else if asked {
        (ToyKind::Ascii, chunk.trim().into())
    } else {
        (ToyKind::Utf8, String::new())
    }
}

/// Runs a connection's task; a panic in it is reported, and ends nothing else.
pub(crate) async fn guarded(task: impl Future<Output = ()>, hub: Sender<Arrival>, id: ConnectionId) {
    use futures_lite::FutureExt;
    if std::panic::AssertUnwindSafe(task).catch_unwind().await.is_err() {
        log::error!("a connection's task failed and its peer is closed; please report this");
        let _ = hub.send(Arrival::Lost { id, reason: "Internal error".into() }).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_in_a_connection_closes_that_peer_only() {
        let (sender, events) = async_channel::bounded(1);
        let id = ConnectionId { slot: 7, generation: 1 };
        smol::block_on(guarded(async { panic!("as the test asked") }, sender, id));
        assert!(matches!(events.try_recv(), Ok(Arrival::Lost { id: lost, .. }) if lost == id));
    }
}
