//! The ideal hub: reads lines, writes each to every other socket, batching what arrived in a
//! turn. No protocol, no limits, no names: what is left is what any server has to pay.

use std::convert::Infallible;
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::ops::Range;

use super::poll::Poll;

/// Bytes that one turn takes before it writes.
const TURN: usize = 1024 * 1024;
/// Bytes that one read takes at most.
const READ: usize = 64 * 1024;
/// The listener's number among the sockets.
const LISTENER: u64 = u64::MAX;
/// What a socket is told when it is in.
const GREETING: &[u8] = b"in\r\n";

struct Peer {
    stream: TcpStream,
    /// The beginning of a line whose end has not come.
    rest: Vec<u8>,
    /// What the kernel did not take.
    late: Vec<u8>,
}

/// Runs until it is killed; says on standard output where it listens.
pub(crate) fn run() -> io::Result<Infallible> {
    super::cores::raise_descriptors();
    let listener = TcpListener::bind("127.0.0.1:0")?;
    rustix::net::listen(&listener, 4096)?;
    listener.set_nonblocking(true)?;
    println!("Listening on {}", listener.local_addr()?);
    let mut poll = Poll::new()?;
    poll.add(&listener, LISTENER)?;
    // A place for each that ever came, in the order of coming.
    let mut peers: Vec<Option<Peer>> = Vec::new();
    let mut ready = Vec::new();
    let mut turn = vec![0; TURN + READ];
    loop {
        poll.wait(None, &mut ready)?;
        let mut filled = 0;
        let mut parts: Vec<(usize, Range<usize>)> = Vec::new();
        for (number, readable, writable) in ready.drain(..) {
            if number == LISTENER {
                accept(&listener, &poll, &mut peers)?;
                continue;
            }
            let Some(place) = peers.get_mut(number as usize) else { continue };
            let Some(peer) = place else { continue };
            if writable {
                let late = std::mem::take(&mut peer.late);
                if peer.write(&[IoSlice::new(&late)]).is_ok_and(|left| !left) {
                    poll.watch_writable(&peer.stream, number, false)?;
                }
            }
            if !readable || filled >= TURN {
                continue;
            }
            let kept = peer.rest.len();
            turn[filled..filled + kept].copy_from_slice(&peer.rest);
            match peer.stream.read(&mut turn[filled + kept..filled + READ]) {
                Ok(count) if count > 0 => {
                    let bytes = &turn[filled..filled + kept + count];
                    let whole = memchr::memrchr(b'\n', bytes).map_or(0, |end| end + 1);
                    peer.rest.clear();
                    peer.rest.extend_from_slice(&bytes[whole..]);
                    parts.push((number as usize, filled..filled + whole));
                    filled += whole;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                _ => *place = None,
            }
        }
        if filled == 0 {
            continue;
        }
        let mut slices = Vec::with_capacity(parts.len() + 1);
        for (number, place) in peers.iter_mut().enumerate() {
            let Some(peer) = place else { continue };
            slices.clear();
            let mut start = 0;
            // Everything but its own; `parts` is in the order of the turn.
            for (from, part) in parts.iter().filter(|(from, _)| *from == number) {
                debug_assert_eq!(*from, number);
                slices.push(IoSlice::new(&turn[start..part.start]));
                start = part.end;
            }
            slices.push(IoSlice::new(&turn[start..filled]));
            match peer.write(&slices) {
                Ok(false) => {}
                Ok(true) => poll.watch_writable(&peer.stream, number as u64, true)?,
                Err(_) => *place = None,
            }
        }
    }
}

impl Peer {
    /// Writes; true if something has to wait until the socket takes more.
    fn write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<bool> {
        let total: usize = slices.iter().map(|slice| slice.len()).sum();
        if total == 0 {
            return Ok(false);
        }
        let mut written = 0;
        if self.late.is_empty() {
            let result = match slices {
                [slice] => self.stream.write(slice),
                slices => self.stream.write_vectored(slices),
            };
            written = match result {
                Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
                result => result?,
            };
            if written == total {
                return Ok(false);
            }
        }
        for slice in slices {
            let skip = written.min(slice.len());
            written -= skip;
            self.late.extend_from_slice(&slice[skip..]);
        }
        Ok(true)
    }
}

fn accept(listener: &TcpListener, poll: &Poll, peers: &mut Vec<Option<Peer>>) -> io::Result<()> {
    loop {
        match listener.accept() {
            Ok((mut stream, _)) => {
                stream.set_nodelay(true)?;
                stream.set_nonblocking(true)?;
                poll.add(&stream, peers.len() as u64)?;
                stream.write_all(GREETING)?;
                peers.push(Some(Peer { stream, rest: Vec::new(), late: Vec::new() }));
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}
