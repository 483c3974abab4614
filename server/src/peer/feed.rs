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
use super::flood::Flood;
use crate::hub::{Input, News};
use crate::protocol::line::FramingError;
use crate::start::config::Config;
use crate::tls::Acceptor;

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
    pub(crate) flood: Option<Rc<Flood>>,
    /// Absent where nobody encrypts.
    pub(crate) acceptor: Option<Rc<dyn Acceptor>>,
}

impl Feed {
    /// Hands whole lines to the hub, as fast as flood control lets them.
    pub(super) fn forward(&self, block: Box<[u8]>) -> Step<'_> {
        let paid = self.pay(&block, 0);
        if !paid.wait.is_zero() || self.connection.gate.is_closed() {
            return Step::Waits(Box::pin(self.forward_slowly(block, paid)));
        }
        self.tell(News::Lines(block))
    }

    /// Tells the hub something; waits only where the hub is behind.
    pub(super) fn tell(&self, news: News) -> Step<'_> {
        match self.hub.try_send(Arrival::Input(Input::News(self.connection.id, news))) {
            Ok(()) => Step::Done,
            Err(TrySendError::Full(arrival)) => {
                Step::Waits(Box::pin(async { Ok(self.hub.send(arrival).await?) }))
            }
            Err(TrySendError::Closed(_)) => Step::Waits(Box::pin(async { Err(End::Hub) })),
        }
    }

    /// The same in parts: when the gate opens, and as flood control counts.
    async fn forward_slowly(&self, block: Box<[u8]>, mut paid: Paid) -> Result<(), End> {
        self.connection.gate.pass().await;
        let mut start = 0;
        while !paid.wait.is_zero() {
            if paid.now > start {
                self.tell(News::Lines(block[start..paid.now].into())).await?;
                start = paid.now;
            }
            if self.connection.is_broken() {
                // Nobody is there who would wait.
                return Err(End::Broken);
            }
            self.tell(News::Delayed(paid.wait)).await?;
            Timer::after(paid.wait).await;
            paid = self.pay(&block, paid.next);
        }
        let block = if start == 0 { block } else { block[start..].into() };
        self.tell(News::Lines(block)).await
    }

    /// Pays for the lines of a block from `next` on, up to one that has to wait.
    fn pay(&self, block: &[u8], mut next: usize) -> Paid {
        let Some(flood) = &self.flood else {
            return Paid { now: block.len(), next: block.len(), wait: Duration::ZERO };
        };
        #[expect(clippy::disallowed_methods, reason = "flood control measures real time")]
        let clock = Instant::now();
        let (mut now, mut wait) = (next, Duration::ZERO);
        while wait.is_zero() && next < block.len() {
            now = next;
            let length = memchr::memchr(b'\n', &block[next..]).map_or(block.len() - next, |at| at + 1);
            next += length;
            wait = flood.line(self.connection.ip, &self.connection.bucket, length, clock);
        }
        Paid { now, next, wait }
    }
}

/// The part of a block of lines that is paid for.
struct Paid {
    /// The end of what may go on now; of all of it, where there is no `wait`.
    now: usize,
    /// The end of the line that may go on after `wait`.
    next: usize,
    wait: Duration,
}
