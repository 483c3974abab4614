//! One visit: a session in pieces, read or not, ended in some way.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::Duration;

use parlor_server::testing::Random;

use crate::mutation::mutated;
use crate::session::session;

/// The pause where neither side has anything.
const STEP: Duration = Duration::from_millis(1);
/// Looks without any progress before a visit ends.
const LOOKS: usize = 200;

/// How a visit ends.
#[derive(Clone, Copy)]
enum End {
    Close,
    /// Everything that waits is thrown away.
    Reset,
    /// Its own side only; the rest is read.
    Half,
}

pub(crate) fn visit(door: SocketAddr, random: &mut Random, stop: &AtomicBool) -> io::Result<()> {
    let bytes = mutated(session(random), random).concat();
    let end = *random.pick(&[End::Close, End::Reset, End::Half]);
    let reads = random.below(8) > 0;
    // Some come in single bytes, some in one piece.
    let piece = *random.pick(&[1, 7, 64, 512, 4096, 65536]);
    let mut stream = TcpStream::connect(door)?;
    stream.set_nonblocking(true)?;
    let (mut sent, mut looks) = (0, 0);
    let mut buffer = [0; 16 * 1024];
    while sent < bytes.len() && looks < LOOKS && !stop.load(Ordering::Relaxed) {
        let mut progress = false;
        let next = (sent + 1 + random.below(piece)).min(bytes.len());
        match stream.write(&bytes[sent..next]) {
            Ok(count) => {
                sent += count;
                progress = true;
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        if reads {
            progress |= read(&mut stream, &mut buffer)?;
        }
        looks = if progress { 0 } else { looks + 1 };
        if !progress {
            sleep(STEP);
        }
    }
    match end {
        End::Close => {}
        End::Reset => reset(&stream)?,
        End::Half => {
            stream.shutdown(Shutdown::Write)?;
            for _ in 0..LOOKS {
                if !read(&mut stream, &mut buffer)? {
                    sleep(STEP);
                }
            }
        }
    }
    Ok(())
}

/// Whether anything came; the end of the stream is an error.
fn read(stream: &mut TcpStream, buffer: &mut [u8]) -> io::Result<bool> {
    match stream.read(buffer) {
        Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(target_os = "linux")]
fn reset(stream: &TcpStream) -> io::Result<()> {
    Ok(rustix::net::sockopt::set_socket_linger(stream, Some(Duration::ZERO))?)
}

#[cfg(not(target_os = "linux"))]
fn reset(_: &TcpStream) -> io::Result<()> {
    Ok(())
}
