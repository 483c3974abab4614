//! One connection to the engine.

use std::future::Future;
use std::io::{self, ErrorKind};
use std::net::TcpStream;
use std::pin::{Pin, pin};
use std::time::Duration;

use futures_lite::future;
use smol::{Async, Timer};

use super::address::Address;
use super::error::Error;
use super::reply::{self, MAX_REPLY, Reply, Scan};
use super::wire::{Plain, Wire};

/// A connection that is silent for so long, beyond what was asked of it, is dead.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// Bytes that are read at once.
const CHUNK: usize = 32 << 10;
/// Bytes of a buffer that is kept when it is empty.
const KEEP: usize = 256 << 10;

/// See the [module](self).
pub(super) struct Connection {
    /// Host and port, for errors.
    pub(super) at: String,
    stream: Async<TcpStream>,
    wire: Box<dyn Wire>,
    /// Read, and no whole reply yet.
    input: Vec<u8>,
    scan: Scan,
    /// Commands that wait to be sent.
    output: Vec<u8>,
}

impl Connection {
    /// Connects, with this much time for each step, and gives the password.
    pub(super) async fn open(address: &Address, patience: Duration) -> Result<Connection, Error> {
        let at = address.host.to_string();
        let mut stream = Err(ErrorKind::NotFound.into());
        let host = (address.host.host.as_str(), address.host.port);
        let found = within(patience, pin!(smol::net::resolve(host))).await;
        for found in found.map_err(|error| failed(&at, error))? {
            stream = within(patience, pin!(Async::<TcpStream>::connect(found))).await;
            if stream.is_ok() {
                break;
            }
        }
        let stream = stream.map_err(|error| failed(&at, error))?;
        stream.get_ref().set_nodelay(true).map_err(|error| failed(&at, error))?;
        #[cfg(feature = "tls")]
        let encrypted = super::encryption::wire;
        #[cfg(not(feature = "tls"))]
        let encrypted = |_: &Address| Err(Error::NoTls);
        let wire: Box<dyn Wire> = if address.encrypted { encrypted(address)? } else { Box::new(Plain) };
        let mut connection =
            Connection { at, stream, wire, input: Vec::new(), scan: Scan::default(), output: Vec::new() };
        if let Some(password) = &address.password {
            match &address.user {
                Some(user) => connection.say(&[b"AUTH", user.as_bytes(), password.as_bytes()]),
                None => connection.say(&[b"AUTH", password.as_bytes()]),
            }
            connection.answer(patience).await?;
        }
        Ok(connection)
    }

    /// Appends a command to those that wait to be sent.
    pub(super) fn say(&mut self, arguments: &[&[u8]]) {
        header(&mut self.output, '*', arguments.len());
        for argument in arguments {
            header(&mut self.output, '$', argument.len());
            self.output.extend_from_slice(argument);
            self.output.extend_from_slice(b"\r\n");
        }
    }

    /// Sends the commands that wait.
    pub(super) async fn send(&mut self) -> Result<(), Error> {
        let Connection { at, stream, wire, output, .. } = self;
        let mut sent = 0;
        while let Some(rest) = output.get(sent..).filter(|rest| !rest.is_empty()) {
            let writing = stream.write_with(|tcp| wire.write(tcp, rest));
            match within(PATIENCE, pin!(writing)).await {
                Ok(0) => return Err(failed(at, ErrorKind::WriteZero.into())),
                Ok(count) => sent += count,
                Err(error) => return Err(failed(at, error)),
            }
        }
        empty(output);
        let flushing = stream.write_with(|tcp| wire.flush(tcp));
        within(PATIENCE, pin!(flushing)).await.map_err(|error| failed(at, error))
    }

    /// The next reply, whatever it is. `patience` is for each part of it; [`Error::Silent`] leaves the connection as it was.
    pub(super) async fn next(&mut self, patience: Duration) -> Result<Reply, Error> {
        let Connection { at, stream, wire, input, scan, .. } = self;
        loop {
            let garbled = |_| Error::Garbled { at: at.clone() };
            if let Some(end) = scan.end(input).map_err(garbled)? {
                let reply = reply::read(input.get(..end).unwrap_or_default()).map_err(garbled)?;
                input.drain(..end);
                if input.is_empty() {
                    empty(input);
                }
                return Ok(reply);
            }
            let whole = input.len();
            if whole > MAX_REPLY + CHUNK {
                return Err(Error::Garbled { at: at.clone() });
            }
            input.resize(whole + CHUNK, 0);
            let into = input.get_mut(whole..).unwrap_or_default();
            let read = within(patience, pin!(stream.read_with(|tcp| wire.read(tcp, into)))).await;
            input.truncate(whole + *read.as_ref().unwrap_or(&0));
            match read {
                Ok(0) => return Err(failed(at, ErrorKind::UnexpectedEof.into())),
                Ok(_) => {}
                Err(error) => return Err(failed(at, error)),
            }
        }
    }

    /// Sends the commands that wait, of which one is unanswered, and takes its reply; one that is an error is ours.
    pub(super) async fn answer(&mut self, patience: Duration) -> Result<Reply, Error> {
        self.send().await?;
        self.reply(patience).await
    }

    /// The next reply; one that is an error is ours.
    pub(super) async fn reply(&mut self, patience: Duration) -> Result<Reply, Error> {
        match self.next(patience).await? {
            Reply::Error(why) => Err(Error::of_reply(&self.at, &why)),
            reply => Ok(reply),
        }
    }
}

fn header(output: &mut Vec<u8>, kind: char, length: usize) {
    output.extend_from_slice(format!("{kind}{length}\r\n").as_bytes());
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

/// What comes of it in time; [`ErrorKind::TimedOut`] if nothing does.
async fn within<T>(
    patience: Duration,
    future: Pin<&mut (dyn Future<Output = io::Result<T>> + '_)>,
) -> io::Result<T> {
    let late = async {
        Timer::after(patience).await;
        Err(ErrorKind::TimedOut.into())
    };
    future::or(future, late).await
}
