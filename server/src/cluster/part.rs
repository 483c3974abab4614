//! A connection that is there as long as the server runs, and what it is for.

use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::time::{Duration, Instant};

use futures_lite::future;
use smol::Timer;

use super::alarm::Alarm;
use super::clock::now;
use super::connection::{Connection, LATE};
use super::error::Error;
use super::reply::Reply;
use super::shared::{Event, Role, Shared};

/// The first pause before a connection is tried again, and the longest: an engine that is back waits for three seconds for
/// those who know more than it (`hold`).
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LAST_PAUSE: Duration = Duration::from_secs(1);

/// What a part does next.
pub(super) enum Next {
    /// It has said something, and wants so many replies; the engine may take so long.
    Ask(usize, Duration),
    /// Nothing, until it is rung for or this time has come.
    Wait(Instant),
    /// Nothing any more.
    End,
}

/// What one connection is for.
pub(super) trait Part {
    /// Which it is.
    fn role(&self) -> Role;

    /// Begins anew: there is another connection, or will be.
    fn begin(&mut self, shared: &Shared);

    /// Says what is due.
    fn next(&mut self, shared: &Shared, connection: &mut Connection) -> Next;

    /// Takes the replies, and appends what is to be told. Gives the reason where the server has to begin anew.
    fn take(
        &mut self,
        shared: &Shared,
        replies: &[Reply],
        tell: &mut Vec<Event>,
    ) -> Result<Option<&'static str>, Error>;
}

/// Runs a part for ever, first on this connection; or says why the server has to begin anew.
pub(super) async fn run(
    shared: Rc<Shared>,
    mut part: Box<dyn Part>,
    mut given: Option<Connection>,
) -> &'static str {
    let shared = &*shared;
    let mut alarm = Alarm::default();
    let role = part.role();
    let mut pause = FIRST_PAUSE;
    let mut tell = Vec::new();
    loop {
        let failed = match given.take() {
            Some(mut connection) => loop {
                match part.next(shared, &mut connection) {
                    Next::End => future::pending().await,
                    Next::Wait(until) => {
                        let mut ringing = pin!(shared.bell.1.recv());
                        future::poll_fn(|context| {
                            let rings = ringing.as_mut().poll(context).map(drop);
                            if rings.is_ready() { rings } else { alarm.poll(context, until) }
                        })
                        .await;
                    }
                    Next::Ask(want, may_take) => {
                        let asked = now() + may_take;
                        let late = || shared.down(role, asked, &shared.silent());
                        let replies = match connection.exchange(want, may_take, &late).await {
                            Ok(replies) => replies,
                            Err(error) => break error,
                        };
                        let taken = part.take(shared, &replies, &mut tell);
                        drop(replies);
                        for event in tell.drain(..) {
                            shared.tell(event).await;
                        }
                        match taken {
                            Ok(None) => pause = FIRST_PAUSE,
                            Ok(Some(why)) => return why,
                            Err(error) => break error,
                        }
                    }
                }
            },
            None => match Connection::open(&shared.me.address, LATE).await {
                Ok(connection) => {
                    given = Some(connection);
                    continue;
                }
                Err(error) => error,
            },
        };
        shared.down(role, now(), &failed);
        part.begin(shared);
        Timer::after(pause).await;
        pause = (pause * 2).min(LAST_PAUSE);
    }
}
