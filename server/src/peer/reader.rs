//! Reads one peer: tells what it speaks, and hands whole lines to the hub, as fast as flood
//! control lets it.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use async_channel::{Sender, TrySendError};
use futures_lite::future;
use smol::Timer;

use super::arrival::Arrival;
use super::connection::{Connection, Door, READ};
use super::flood::Bucket;
use super::speaker::{self, Verdict};
use crate::hub::Speaker;
use crate::protocol::line::{self, Framer};
use crate::start::config::Config;

/// Why a reader ends.
pub(crate) enum End {
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

/// What nearly always needs no waiting. Where it does, the waiting is boxed, so that an idle reader
/// has no place for it.
pub(crate) enum Step<'a> {
    Done,
    Waits(Pin<Box<dyn Future<Output = Result<(), End>> + 'a>>),
}

impl Future for Step<'_> {
    type Output = Result<(), End>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.get_mut() {
            Step::Done => Poll::Ready(Ok(())),
            Step::Waits(rest) => rest.as_mut().poll(context),
        }
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
    #[expect(clippy::manual_async_fn, reason = "an `async fn` has a second place for `self`")]
    pub(crate) fn run(self) -> impl Future<Output = ()> {
        async move {
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
            let _ = self.tell(arrival).await;
        }
    }

    async fn main(&self) -> Result<Infallible, End> {
        let mut framer = Framer::default();
        let (speaker, mut framed, mut ended) = {
            let (speaker, first, ended) = Box::pin(self.tell_apart()).await?;
            (speaker, framer.push(&first), ended)
        };
        self.tell(Arrival::Speaks { id: self.connection.id, speaker, name: None }).await?;
        #[expect(clippy::disallowed_methods, reason = "flood control measures real time")]
        let mut bucket = self.config.flood.map(|rate| Bucket::new(rate, Instant::now()));
        loop {
            let (block, sound) = framed;
            let step = match block {
                Some(block) => self.forward(block, &mut bucket),
                None => self.tell(Arrival::Alive { id: self.connection.id }),
            };
            step.await?;
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
    pub(crate) fn forward<'a>(&'a self, block: Box<[u8]>, bucket: &'a mut Option<Bucket>) -> Step<'a> {
        let allowed = bucket.as_mut().map_or(block.len(), |bucket| allowed(&block, 0, bucket).0);
        if allowed < block.len() || self.connection.gate.is_closed() {
            return Step::Waits(Box::pin(self.forward_slowly(block, allowed, bucket)));
        }
        self.tell(Arrival::Lines { id: self.connection.id, block })
    }

    /// Tells the hub something; waits only where the hub is behind.
    pub(crate) fn tell(&self, arrival: Arrival) -> Step<'_> {
        match self.hub.try_send(arrival) {
            Ok(()) => Step::Done,
            Err(TrySendError::Full(arrival)) => {
                Step::Waits(Box::pin(async { Ok(self.hub.send(arrival).await?) }))
            }
            Err(TrySendError::Closed(_)) => Step::Waits(Box::pin(async { Err(End::Hub) })),
        }
    }

    /// The same in parts: when the gate opens, and as flood control counts. `end`: so much is
    /// counted already.
    async fn forward_slowly(
        &self,
        block: Box<[u8]>,
        mut end: usize,
        bucket: &mut Option<Bucket>,
    ) -> Result<(), End> {
        let id = self.connection.id;
        self.connection.gate.pass().await;
        let mut start = 0;
        while end < block.len()
            && let Some(bucket) = bucket
        {
            let (next, wait) = allowed(&block, end, bucket);
            end = next;
            let Some(wait) = wait else { break };
            if end > start {
                self.tell(Arrival::Lines { id, block: block[start..end].into() }).await?;
                start = end;
            }
            self.tell(Arrival::Delayed { id, by: wait }).await?;
            Timer::after(wait).await;
        }
        let block = if start == 0 { block } else { block[start..].into() };
        self.tell(Arrival::Lines { id, block }).await
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
                        self.connection.say(format!(":{name} NOTICE * :Type a nickname and press Enter\r\n"));
                    }
                }
            }
        }
    }
}

/// How far into a block of lines flood control lets its reader go now, and how long to wait where
/// that is not its end.
fn allowed(block: &[u8], mut end: usize, bucket: &mut Bucket) -> (usize, Option<Duration>) {
    #[expect(clippy::disallowed_methods, reason = "flood control measures real time")]
    let now = Instant::now();
    while end < block.len() {
        let length = memchr::memchr(b'\n', &block[end..]).map_or(block.len() - end, |at| at + 1);
        match bucket.take(length, now) {
            Ok(()) => end += length,
            Err(wait) => return (end, Some(wait)),
        }
    }
    (end, None)
}
