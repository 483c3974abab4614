//! Peers that no server would wish for, on a thread of their own.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::Duration;

use super::clock::now;
use super::crowd::{Crowd, Dialect};
use super::rounds::ROOM;

/// Bytes that the kernel may keep for somebody who reads little.
const SMALL_BUFFER: usize = 4096;
/// Between two looks of an offender.
const STEP: Duration = Duration::from_millis(50);
/// Connections that never say a name.
const SILENT: usize = 1_000;
/// Who comes back after a restart.
const STORM: usize = 5_000;
/// Members of a room in the storm.
const STORM_ROOM: usize = 50;

/// See the [module](self).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    NeverReads,
    /// One kilobyte a second.
    ReadsSlowly,
    /// One byte a second.
    WritesSlowly,
    NeverRegister,
    Flooder,
    Storm,
}

impl Kind {
    pub(crate) const ALL: [Kind; 6] = [
        Kind::NeverReads,
        Kind::ReadsSlowly,
        Kind::WritesSlowly,
        Kind::NeverRegister,
        Kind::Flooder,
        Kind::Storm,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::NeverReads => "never reads",
            Kind::ReadsSlowly => "reads 1 KB/s",
            Kind::WritesSlowly => "a byte a second",
            Kind::NeverRegister => "1,000 never register",
            Kind::Flooder => "flooder",
            Kind::Storm => "storm of 5,000",
        }
    }

    /// Connections whose outboxes may fill.
    pub(crate) fn connections(self) -> usize {
        match self {
            Kind::NeverRegister => SILENT,
            Kind::Storm => STORM,
            _ => 1,
        }
    }
}

/// An offender at work.
pub(crate) struct Offender {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<io::Result<Option<Duration>>>,
}

impl Offender {
    pub(crate) fn start(kind: Kind, server: SocketAddr) -> Offender {
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        Offender { stop, thread: spawn(move || offend(kind, server, &told)) }
    }

    /// Ends it; says how long a storm took until all were in.
    pub(crate) fn end(self) -> io::Result<Option<Duration>> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap_or_else(|_| Err(io::Error::other("the offender's thread has failed")))
    }
}

fn offend(kind: Kind, server: SocketAddr, stop: &AtomicBool) -> io::Result<Option<Duration>> {
    let stopped = || stop.load(Ordering::Relaxed);
    match kind {
        Kind::NeverReads => {
            let offender = member(server, true)?;
            while !stopped() {
                sleep(STEP);
            }
            drop(offender);
            Ok(None)
        }
        Kind::ReadsSlowly => {
            let mut offender = member(server, true)?;
            let mut due = now();
            while !stopped() {
                if due <= now() {
                    due += Duration::from_secs(1);
                    // Whether it is cut the others hear.
                    let _ = offender.read(&mut [0; 1024]);
                }
                sleep(STEP);
            }
            Ok(None)
        }
        Kind::WritesSlowly => {
            let mut offender = member(server, false)?;
            let mut due = now();
            while !stopped() {
                if due <= now() {
                    due += Duration::from_secs(1);
                    offender.write_all(b"P")?;
                }
                drain(&mut offender)?;
                sleep(STEP);
            }
            Ok(None)
        }
        Kind::NeverRegister => {
            let mut silent = Vec::new();
            for _ in 0..SILENT {
                silent.push(TcpStream::connect(server)?);
            }
            while !stopped() {
                sleep(STEP);
            }
            Ok(None)
        }
        Kind::Flooder => flood(server, stop),
        Kind::Storm => {
            let mut crowd = Crowd::new(server, Dialect::Irc, "s")?;
            let began = now();
            crowd.enter(STORM, STORM, &|number| vec![format!("#s{}", number / STORM_ROOM)])?;
            let time = began.elapsed();
            while !stopped() {
                crowd.idle(now() + STEP)?;
            }
            Ok(Some(time))
        }
    }
}

/// Says lines to the room as fast as the server takes them.
fn flood(server: SocketAddr, stop: &AtomicBool) -> io::Result<Option<Duration>> {
    let mut offender = member(server, false)?;
    offender.set_nonblocking(true)?;
    let line = format!("PRIVMSG {ROOM} :flood flood flood flood\r\n");
    let block = line.repeat(100);
    let mut taken = 0;
    while !stop.load(Ordering::Relaxed) {
        match offender.write(&block.as_bytes()[taken % line.len()..]) {
            Ok(count) => taken += count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                drain(&mut offender)?;
                sleep(Duration::from_millis(1));
            }
            // Cut; the others hear of it.
            Err(_) => return Ok(None),
        }
    }
    Ok(None)
}

/// Somebody in the room; with a small buffer for what is sent to it.
fn member(server: SocketAddr, small: bool) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(server)?;
    if small {
        rustix::net::sockopt::set_socket_recv_buffer_size(&stream, SMALL_BUFFER)?;
    }
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    write!(stream, "NICK offender\r\nUSER o 0 * :o\r\n")?;
    crate::memory::read_until(&mut stream, " 422 ")?;
    write!(stream, "JOIN {ROOM}\r\n")?;
    crate::memory::read_until(&mut stream, " 366 ")?;
    Ok(stream)
}

/// Throws away what waits.
fn drain(stream: &mut TcpStream) -> io::Result<()> {
    stream.set_nonblocking(true)?;
    let mut buffer = [0; 65536];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}
