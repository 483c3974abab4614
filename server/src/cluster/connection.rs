//! One connection to the engine.

use std::future::Future;
use std::io::{self, ErrorKind};
use std::net::TcpStream;
use std::ops::Range;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_lite::future;
use smol::{Async, Timer};

use super::address::Address;
use super::alarm::Alarm;
use super::clock::now;
use super::error::Error;
use super::reply::{self, MAX_REPLY, Reply, Scan};
use super::wire::{Plain, Wire};
use super::words::Words;

/// A connection that is silent for so long, beyond what was asked of it, is dead.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// It is late when it is silent for so long.
pub(super) const LATE: Duration = Duration::from_secs(2);
/// Bytes for which there is room at least when something is read.
const CHUNK: usize = 8 << 10;
/// Bytes of a buffer that is kept when it is empty.
const KEEP: usize = 256 << 10;

/// What comes of waiting for the engine; in a box, since who waits for it is to be small.
pub(super) type Waiting<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + 'a>>;

/// See the [module](self).
pub(super) struct Connection {
    /// Host and port, for errors.
    at: String,
    stream: Async<TcpStream>,
    wire: Box<dyn Wire>,
    /// Room for what is read, at most twice the largest reply; what of it is read and not taken.
    input: Vec<u8>,
    unread: Range<usize>,
    scan: Scan,
    /// Commands that wait to be sent, and how much of them is.
    output: Vec<u8>,
    sent: usize,
    flushes: bool,
    /// The socket is to be waited for before anything else is tried.
    waits: bool,
    alarm: Alarm,
    /// The reply to a password is to come.
    asked_in: bool,
    /// Whoever is silent is asked whether it is there.
    pub(super) pings: bool,
}

/// How it goes on.
enum Step {
    Done,
    Wrote,
    Read,
    Blocked,
}

impl Connection {
    /// Connects, with this much time for each step. The password goes before the first command.
    pub(super) fn open(address: &Address, patience: Duration) -> Waiting<'_, Connection> {
        Box::pin(async move {
            let at = address.host.to_string();
            let connecting = async {
                let mut stream = Err(ErrorKind::NotFound.into());
                for found in smol::net::resolve((address.host.host.as_str(), address.host.port)).await? {
                    stream = future::or(Async::<TcpStream>::connect(found), late(patience)).await;
                    if stream.is_ok() {
                        break;
                    }
                }
                stream
            };
            // Of each of several addresses; a name may take its time too.
            let stream = future::or(connecting, late(patience * 2)).await;
            Connection::begin(address, at, stream)
        })
    }

    fn begin(
        address: &Address,
        at: String,
        stream: io::Result<Async<TcpStream>>,
    ) -> Result<Connection, Error> {
        let stream = stream.map_err(|error| failed(&at, error))?;
        stream.get_ref().set_nodelay(true).map_err(|error| failed(&at, error))?;
        #[cfg(feature = "tls")]
        let encrypted = super::encryption::wire;
        #[cfg(not(feature = "tls"))]
        let encrypted = |_: &Address| Err(Error::NoTls);
        let wire: Box<dyn Wire> = if address.encrypted { encrypted(address)? } else { Box::new(Plain) };
        let mut connection = Connection {
            at,
            stream,
            wire,
            input: Vec::new(),
            unread: 0..0,
            scan: Scan::default(),
            output: Vec::new(),
            sent: 0,
            flushes: false,
            waits: false,
            alarm: Alarm::default(),
            asked_in: false,
            pings: false,
        };
        if let Some(password) = &address.password {
            let mut words = Words::default();
            words.add(b"AUTH");
            if let Some(user) = &address.user {
                words.add(user.as_bytes());
            }
            connection.say(words.add(password.as_bytes()));
            connection.asked_in = true;
        }
        Ok(connection)
    }

    /// Appends a command to those that wait to be sent.
    pub(super) fn say(&mut self, words: &Words) {
        words.send(&mut self.output);
        self.waits = false;
    }

    /// Sends the commands that wait, and takes so many replies, errors among them. `may_take` is the time for which the engine
    /// may be silent with good reason; `late` is called where it is [`LATE`] then, and with [`PATIENCE`] it is over.
    pub(super) fn exchange<'a>(
        &'a mut self,
        want: usize,
        may_take: Duration,
        late: &'a dyn Fn(),
    ) -> Waiting<'a, Vec<Reply>> {
        let mut replies = Vec::new();
        let (mut begun, mut stage) = (now(), 0);
        Box::pin(future::poll_fn(move |context| {
            loop {
                match self.advance(context, want, &mut replies) {
                    Err(error) => return Poll::Ready(Err(error)),
                    Ok(Step::Done) => return Poll::Ready(Ok(std::mem::take(&mut replies))),
                    // That it could be asked whether it is there is no sign that it is.
                    Ok(Step::Wrote) if self.pings && stage > 0 => {}
                    Ok(Step::Wrote | Step::Read) => (begun, stage) = (now(), 0),
                    Ok(Step::Blocked) => {
                        let silent = [Duration::ZERO, LATE].get(stage).copied().unwrap_or(PATIENCE);
                        ready!(self.alarm.poll(context, begun + may_take + silent));
                        match stage {
                            0 if self.pings => self.say(Words::default().add(b"PING")),
                            0 => {}
                            1 => late(),
                            _ => return Poll::Ready(Err(Error::Silent { at: self.at.clone() })),
                        }
                        stage += 1;
                    }
                }
            }
        }))
    }

    /// Writes or reads something.
    fn advance(
        &mut self,
        context: &mut Context<'_>,
        want: usize,
        replies: &mut Vec<Reply>,
    ) -> Result<Step, Error> {
        let error = loop {
            let writes = self.flushes || !self.output.is_empty();
            if self.waits {
                let ready = if writes {
                    self.stream.poll_writable(context)
                } else {
                    self.stream.poll_readable(context)
                };
                match ready {
                    Poll::Pending => return Ok(Step::Blocked),
                    Poll::Ready(Ok(())) => self.waits = false,
                    Poll::Ready(Err(error)) => break error,
                }
            }
            let moved = if writes { self.write() } else { self.read(want, replies)? };
            match moved {
                Ok(Some(step)) => return Ok(step),
                Ok(None) => break ErrorKind::UnexpectedEof.into(),
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.waits = true,
                Err(error) => break error,
            }
        };
        Err(failed(&self.at, error))
    }

    /// Writes; `None`: the engine takes nothing any more.
    fn write(&mut self) -> io::Result<Option<Step>> {
        let stream = self.stream.get_ref();
        if self.output.is_empty() {
            self.wire.flush(stream)?;
            // An answer takes longer than it takes to ask.
            (self.flushes, self.waits) = (false, !self.wire.holds());
            return Ok(Some(Step::Wrote));
        }
        let count = self.wire.write(stream, self.output.get(self.sent..).unwrap_or_default())?;
        self.sent += count;
        if self.sent >= self.output.len() {
            empty(&mut self.output);
            (self.sent, self.flushes) = (0, true);
        }
        Ok((count > 0).then_some(Step::Wrote))
    }

    /// Reads; `None`: nothing follows.
    fn read(&mut self, want: usize, replies: &mut Vec<Reply>) -> Result<io::Result<Option<Step>>, Error> {
        let garbled = |_| Error::Garbled { at: self.at.clone() };
        while replies.len() < want {
            let unread = self.input.get(self.unread.clone()).unwrap_or_default();
            let Some(end) = self.scan.end(unread).map_err(garbled)? else { break };
            let reply = reply::read(unread.get(..end).unwrap_or_default()).map_err(garbled)?;
            self.unread.start += end;
            if !std::mem::take(&mut self.asked_in) {
                replies.push(reply);
            } else if let Reply::Error(why) = reply {
                return Err(Error::of_reply(&self.at, &why));
            }
        }
        if replies.len() >= want {
            return Ok(Ok(Some(Step::Done)));
        }
        let unread = self.unread.len();
        if unread > MAX_REPLY + CHUNK {
            return Err(Error::Garbled { at: self.at.clone() });
        }
        if self.unread.start > 0 {
            self.input.copy_within(self.unread.clone(), 0);
            self.unread = 0..unread;
        }
        if unread == 0 && self.input.len() > KEEP {
            self.input = Vec::new();
        }
        if self.input.len() < unread + CHUNK {
            // Twice as much each time: what is moved and zeroed is bounded by what is read.
            self.input.resize(unread * 2 + CHUNK, 0);
        }
        let room = self.input.get_mut(unread..).unwrap_or_default();
        let read = self.wire.read(self.stream.get_ref(), room);
        self.unread.end += *read.as_ref().unwrap_or(&0);
        Ok(read.map(|count| (count > 0).then_some(Step::Read)))
    }
}

fn empty(buffer: &mut Vec<u8>) {
    buffer.clear();
    if buffer.capacity() > KEEP {
        *buffer = Vec::new();
    }
}

fn failed(at: &str, error: io::Error) -> Error {
    let at = at.to_owned();
    match error.kind() {
        ErrorKind::TimedOut => Error::Silent { at },
        // What is no TLS, or a certificate that nobody vouches for.
        ErrorKind::InvalidData => Error::Insecure { at, why: error.to_string() },
        _ => Error::Unreachable { at, error },
    }
}

/// An error after so long.
async fn late(patience: Duration) -> io::Result<Async<TcpStream>> {
    pin!(Timer::after(patience)).await;
    Err(ErrorKind::TimedOut.into())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::io::Write;
    use std::net::TcpListener;

    use super::*;

    /// A connection to somebody who says this at once.
    fn connected(says: &[u8]) -> (Connection, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let address = format!("redis://127.0.0.1:{port}/test").parse().unwrap();
        let connection = smol::block_on(Connection::open(&address, LATE)).unwrap();
        let (mut engine, _) = listener.accept().unwrap();
        engine.write_all(says).unwrap();
        (connection, engine)
    }

    fn exchange(connection: &mut Connection, may_take: Duration) -> Result<Vec<Reply>, Error> {
        smol::block_on(connection.exchange(1, may_take, &|| ()))
    }

    #[test]
    fn what_came_with_another_reply_is_not_waited_for() {
        let (mut connection, mut engine) = connected(b"+one\r\n$3\r\ntwo\r\n+thr");
        for wanted in ["one", "two"] {
            let replies = exchange(&mut connection, LATE).unwrap();
            assert_eq!(replies, [Reply::Text(wanted.into())]);
        }
        connection.say(Words::default().add(b"PING"));
        engine.write_all(b"ee\r\n").unwrap();
        let begun = now();
        let replies = exchange(&mut connection, LATE).unwrap();
        assert_eq!(replies, [Reply::Text("three".into())]);
        assert!(begun.elapsed() < LATE);
    }

    #[test]
    fn who_does_not_answer_when_asked_is_gone() {
        let (mut connection, _engine) = connected(b"");
        connection.pings = true;
        let (begun, told) = (now(), Cell::new(0));
        let late = || told.set(told.get() + 1);
        let ended = smol::block_on(connection.exchange(1, Duration::from_millis(100), &late));
        assert!(matches!(ended, Err(Error::Silent { .. })), "{ended:?}");
        assert_eq!(told.get(), 1);
        assert!(begun.elapsed() >= PATIENCE);
    }
}
