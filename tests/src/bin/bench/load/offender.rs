//! Peers that no server would wish for, on a thread of their own.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
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
/// How long the last lines of a closed connection are waited for.
const LAST: Duration = Duration::from_secs(3);

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

/// What became of an offender.
#[derive(Debug, Default)]
pub(crate) struct Fate {
    /// The server has closed it.
    pub(crate) cut: bool,
    /// Lines that the server took of a flooder, a second; or seconds until a storm was in.
    pub(crate) measured: Option<f64>,
}

/// An offender at work.
pub(crate) struct Offender {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<io::Result<Fate>>,
}

impl Offender {
    pub(crate) fn start(kind: Kind, server: SocketAddr) -> Offender {
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        Offender { stop, thread: spawn(move || offend(kind, server, &told)) }
    }

    /// Ends it and says what became of it.
    pub(crate) fn end(self) -> io::Result<Fate> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap_or_else(|_| Err(io::Error::other("the offender's thread has failed")))
    }
}

fn offend(kind: Kind, server: SocketAddr, stop: &AtomicBool) -> io::Result<Fate> {
    let stopped = || stop.load(Ordering::Relaxed);
    match kind {
        Kind::NeverReads => {
            let offender = member(server, true)?;
            while !stopped() {
                sleep(STEP);
            }
            Ok(Fate { cut: closed(offender)?, measured: None })
        }
        Kind::ReadsSlowly => {
            let mut offender = member(server, true)?;
            let mut due = now();
            let mut cut = false;
            while !stopped() && !cut {
                if due <= now() {
                    due += Duration::from_secs(1);
                    cut = matches!(offender.read(&mut [0; 1024]), Ok(0));
                }
                sleep(STEP);
            }
            Ok(Fate { cut: cut || closed(offender)?, measured: None })
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
            Ok(Fate::default())
        }
        Kind::NeverRegister => {
            let mut silent = Vec::new();
            for _ in 0..SILENT {
                silent.push(TcpStream::connect(server)?);
            }
            while !stopped() {
                sleep(STEP);
            }
            Ok(Fate::default())
        }
        Kind::Flooder => flood(server, stop),
        Kind::Storm => {
            let mut crowd = Crowd::new(server, Dialect::Irc, "s")?;
            let began = now();
            crowd.enter(STORM, STORM, &|number| vec![format!("#s{}", number / STORM_ROOM)])?;
            let time = began.elapsed().as_secs_f64();
            while !stopped() {
                crowd.idle(now() + STEP)?;
            }
            Ok(Fate { cut: false, measured: Some(time) })
        }
    }
}

/// Says lines to the room as fast as the server takes them.
fn flood(server: SocketAddr, stop: &AtomicBool) -> io::Result<Fate> {
    let mut offender = member(server, false)?;
    offender.set_nonblocking(true)?;
    let line = format!("PRIVMSG {ROOM} :flood flood flood flood\r\n");
    let block = line.repeat(100);
    let began = now();
    let mut taken = 0;
    while !stop.load(Ordering::Relaxed) {
        match offender.write(&block.as_bytes()[taken % line.len()..]) {
            Ok(count) => taken += count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                drain(&mut offender)?;
                sleep(Duration::from_millis(1));
            }
            Err(_) => return Ok(Fate { cut: true, measured: None }),
        }
    }
    // The kernel's buffers took some too.
    let lines = taken / line.len();
    Ok(Fate { cut: false, measured: Some(lines as f64 / began.elapsed().as_secs_f64()) })
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

/// Whether the server has closed a connection: its end comes after what was sent before.
fn closed(mut stream: TcpStream) -> io::Result<bool> {
    stream.set_read_timeout(Some(Duration::from_millis(500)))?;
    let began = now();
    let mut buffer = [0; 65536];
    let mut text = Vec::new();
    while began.elapsed() < LAST {
        match stream.read(&mut buffer) {
            Ok(0) => return Ok(true),
            Ok(count) => {
                text.extend_from_slice(&buffer[..count]);
                // What the server says before it closes.
                if memchr::memmem::find(&text, b"ERROR :").is_some() {
                    return Ok(true);
                }
                text.drain(..text.len().saturating_sub(16));
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => break,
            Err(_) => return Ok(true),
        }
    }
    // Gone already is as good.
    let _ = stream.shutdown(Shutdown::Both);
    Ok(false)
}
