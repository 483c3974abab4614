//! Reads one peer: tells what it speaks, and hands whole lines to the hub, as fast as flood
//! control lets it.

use std::convert::Infallible;
use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use async_channel::{Sender, TrySendError};
use futures_lite::future;
use smol::Timer;

use crate::config::Config;
use crate::connection::{Connection, Door, READ};
use crate::dispatch::Arrival;
use crate::flood::Bucket;
use crate::hub::Speaker;
use crate::protocol::line::{self, Framer};
use crate::speaker::{self, Verdict};

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

    async fn main(&self) -> Result<Infallible, End> {
        let id = self.connection.id;
        let (speaker, first, mut ended) = Box::pin(self.tell_apart()).await?;
        self.tell(Arrival::Speaks { id, speaker, name: None }).await?;
        #[expect(clippy::disallowed_methods, reason = "flood control measures real time")]
        let mut bucket = self.config.flood.map(|rate| Bucket::new(rate, Instant::now()));
        let mut framer = Framer::default();
        let mut framed = framer.push(&first);
        drop(first);
        loop {
            let (block, sound) = framed;
            match block {
                Some(block) => self.forward(block, &mut bucket).await?,
                None => self.tell(Arrival::Alive { id }).await?,
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
    ///
    /// What need not wait, nearly everything, does not: the waiting is boxed, so that an idle
    /// reader has no place for it.
    pub(crate) async fn forward(&self, block: Box<[u8]>, bucket: &mut Option<Bucket>) -> Result<(), End> {
        let allowed = bucket.as_mut().map_or(block.len(), |bucket| allowed(&block, 0, bucket).0);
        if allowed < block.len() || self.connection.gate.is_closed() {
            return Box::pin(self.forward_slowly(block, allowed, bucket)).await;
        }
        self.tell(Arrival::Lines { id: self.connection.id, block }).await
    }

    /// Tells the hub something; waits only where the hub is behind.
    pub(crate) async fn tell(&self, arrival: Arrival) -> Result<(), End> {
        match self.hub.try_send(arrival) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(arrival)) => Ok(Box::pin(self.hub.send(arrival)).await?),
            Err(TrySendError::Closed(_)) => Err(End::Hub),
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
