//! Reads one peer: tells what it speaks, and hands whole lines to the hub, as fast as flood
//! control lets it.

use std::convert::Infallible;
use std::io;
use std::rc::Rc;
use std::time::Instant;

use async_channel::Sender;
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
    pub(crate) async fn forward(&self, block: Box<[u8]>, bucket: &mut Option<Bucket>) -> Result<(), End> {
        let id = self.connection.id;
        self.connection.gate.pass().await;
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
                        self.connection.say(format!(":{name} NOTICE * :Type a nickname and press Enter\r\n"));
                    }
                }
            }
        }
    }
}
