//! The way from a reader to the hub: whole lines, as fast as flood control and the gate let them.

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use async_channel::{Sender, TrySendError};
use smol::Timer;

use super::arrival::Arrival;
use super::connection::Connection;
use super::flood::Bucket;
use crate::protocol::line::FramingError;
use crate::start::config::Config;

/// The reason why a reader ends.
pub(crate) enum End {
    /// The peer closed its side.
    Closed,
    /// The connection broke.
    Broken,
    Refused(&'static str),
    Framing(FramingError),
    /// The hub is gone.
    Hub,
}

impl From<io::Error> for End {
    fn from(_: io::Error) -> End {
        End::Broken
    }
}

impl<T> From<async_channel::SendError<T>> for End {
    fn from(_: async_channel::SendError<T>) -> End {
        End::Hub
    }
}

/// A step that seldom waits. Where it does, the waiting is boxed, so that an idle reader has no place
/// for it.
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

/// See the [module](self).
pub(crate) struct Feed {
    pub(crate) connection: Rc<Connection>,
    pub(crate) hub: Sender<Arrival>,
    pub(crate) config: Rc<Config>,
}

impl Feed {
    /// Flood control for this reader, if there is to be any.
    pub(super) fn bucket(&self) -> Option<Bucket> {
        #[expect(clippy::disallowed_methods, reason = "flood control measures real time")]
        self.config.flood.map(|rate| Bucket::new(rate, Instant::now()))
    }

    /// Hands whole lines to the hub, as fast as flood control lets them.
    pub(super) fn forward<'a>(&'a self, block: Box<[u8]>, bucket: &'a mut Option<Bucket>) -> Step<'a> {
        let allowed = bucket.as_mut().map_or(block.len(), |bucket| allowed(&block, 0, bucket).0);
        if allowed < block.len() || self.connection.gate.is_closed() {
            return Step::Waits(Box::pin(self.forward_slowly(block, allowed, bucket)));
        }
        self.tell(Arrival::Lines { id: self.connection.id, block })
    }

    /// Tells the hub something; waits only where the hub is behind.
    pub(super) fn tell(&self, arrival: Arrival) -> Step<'_> {
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
}

/// The end of what flood control lets a reader hand over of a block of lines now, and the wait for
/// more, where that is not all.
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
