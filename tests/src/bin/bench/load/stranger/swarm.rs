//! The connections of a stranger at work, on a thread of their own.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::Duration;

use super::attack::Attack;
use crate::load::source::connect_from;

/// Bytes that wait for the kernel before no more lines are written.
const AHEAD: usize = 4 * 1024;
/// The pause when nothing could be done.
const STEP: Duration = Duration::from_millis(1);

/// What a stranger did.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Tally {
    pub(crate) connections: u64,
    pub(crate) lines: u64,
}

/// See the [module](self).
pub(crate) struct Swarm {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<io::Result<Tally>>,
}

impl Swarm {
    pub(crate) fn start(attack: &'static Attack, from: Ipv4Addr, server: SocketAddr) -> Swarm {
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        Swarm { stop, thread: spawn(move || run(attack, from, server, &told)) }
    }

    pub(crate) fn end(self) -> io::Result<Tally> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap_or_else(|_| Err(io::Error::other("the stranger's thread has failed")))
    }
}

/// One connection, with what is still to be written.
struct Peer {
    stream: TcpStream,
    who: u64,
    number: u64,
    late: Vec<u8>,
}

fn run(attack: &Attack, from: Ipv4Addr, server: SocketAddr, stop: &AtomicBool) -> io::Result<Tally> {
    let mut tally = Tally::default();
    let mut peers: Vec<Option<Peer>> = (0..attack.connections).map(|_| None).collect();
    let mut buffer = vec![0; 64 * 1024];
    let mut text = String::new();
    while !stop.load(Ordering::Relaxed) {
        let mut busy = false;
        for place in &mut peers {
            let Some(peer) = place else {
                // A server that is asked too often may refuse; the next round asks again.
                if let Ok(stream) = connect_from(from, server) {
                    stream.set_nonblocking(true)?;
                    text.clear();
                    (attack.opening)(&mut text, tally.connections);
                    let late = text.as_bytes().into();
                    *place = Some(Peer { stream, who: tally.connections, number: 0, late });
                    tally.connections += 1;
                    busy = true;
                }
                continue;
            };
            let before = tally.lines;
            if peer.work(attack, &mut text, &mut buffer, &mut tally).is_err() {
                *place = None;
            }
            busy |= tally.lines > before;
        }
        if !busy {
            sleep(STEP);
        }
    }
    Ok(tally)
}

impl Peer {
    /// Writes what the kernel takes. An error: it is over.
    fn work(
        &mut self,
        attack: &Attack,
        text: &mut String,
        buffer: &mut [u8],
        tally: &mut Tally,
    ) -> io::Result<()> {
        if attack.reads {
            match self.stream.read(buffer) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(count) => {
                    let read = &buffer[..count];
                    if let Some(at) = memchr::memmem::find(read, b"PING :") {
                        let end = memchr::memchr(b'\r', &read[at..]).map_or(count, |end| at + end);
                        self.late.extend_from_slice(b"PONG ");
                        self.late.extend_from_slice(&read[at + 5..end]);
                        self.late.extend_from_slice(b"\r\n");
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        while self.late.len() < AHEAD && attack.lines.is_none_or(|most| self.number < most) {
            text.clear();
            (attack.line)(text, self.who, self.number);
            self.late.extend_from_slice(text.as_bytes());
            self.number += 1;
            tally.lines += text.lines().count() as u64;
        }
        match self.stream.write(&self.late) {
            Ok(count) => drop(self.late.drain(..count)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        if self.late.is_empty() && attack.lines.is_some_and(|most| self.number >= most) {
            return Err(ErrorKind::ConnectionReset.into());
        }
        Ok(())
    }
}
