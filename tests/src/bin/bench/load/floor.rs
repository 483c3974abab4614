//! The floor: a bare loop of `write` to as many sockets. A permit on the first connection is
//! one round: so many lines to each of the others, in one `write` each.

use std::convert::Infallible;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use super::clock::now;
use super::measured::{Measured, Sample};
use super::member::Member;
use super::poll::Poll;
use super::spread::Spread;
use super::stamp::raw_length;

/// Bytes that one read takes at most.
const READ: usize = 512 * 1024;
/// How long a round may take before the run has failed.
const STUCK: Duration = Duration::from_secs(20);

/// The program that writes; runs until its first connection ends.
pub(crate) fn run(sockets: usize, lines: usize, text: usize) -> io::Result<Infallible> {
    super::cores::raise_descriptors();
    let listener = TcpListener::bind("127.0.0.1:0")?;
    rustix::net::listen(&listener, 4096)?;
    println!("Listening on {}", listener.local_addr()?);
    let (mut permits, _) = listener.accept()?;
    let mut others = Vec::new();
    for _ in 0..sockets {
        let (stream, _) = listener.accept()?;
        stream.set_nodelay(true)?;
        others.push(stream);
    }
    permits.write_all(b"\n")?;
    let mut line = vec![b'x'; raw_length(text)];
    line.splice(line.len() - 2.., *b"\r\n");
    let block = line.repeat(lines);
    let mut permitted = [0; 256];
    loop {
        let rounds = permits.read(&mut permitted)?;
        if rounds == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        for _ in 0..rounds {
            for other in &mut others {
                other.write_all(&block)?;
            }
        }
    }
}

/// The reading side: keeps so many rounds in flight for a while, and measures the writer.
pub(crate) fn measure(
    (writer, address): (u32, SocketAddr),
    sockets: usize,
    (lines, in_flight): (usize, usize),
    text: usize,
    (warm, spell): (Duration, Duration),
) -> io::Result<Measured> {
    let mut permits = TcpStream::connect(address)?;
    permits.set_nodelay(true)?;
    let mut poll = Poll::new()?;
    let mut members = Vec::new();
    for number in 0..sockets {
        let member = Member::connect(std::net::Ipv4Addr::LOCALHOST, address)?;
        poll.add(&member.stream, number as u64)?;
        members.push(member);
    }
    permits.read_exact(&mut [0])?;
    let round = (sockets * lines * raw_length(text)) as u64;
    let (mut received, mut permitted) = (0_u64, 0_u64);
    let mut buffer = vec![0; READ];
    let mut ready = Vec::new();
    let began = now();
    let mut start: Option<Sample> = None;
    let mut progress = now();
    loop {
        let more = (received / round + in_flight as u64).saturating_sub(permitted);
        if more > 0 {
            permits.write_all(&vec![b'.'; more as usize])?;
            permitted += more;
        }
        poll.wait(Some(Duration::from_millis(100)), &mut ready)?;
        for (number, ..) in ready.drain(..) {
            let Some(member) = members.get_mut(number as usize) else { continue };
            if let Some(count) = member.read(&mut buffer)? {
                received += count as u64;
                progress = now();
            }
        }
        if progress.elapsed() > STUCK {
            return Err(io::Error::other("the floor stands still"));
        }
        let deliveries = received / raw_length(text) as u64;
        match start {
            None if began.elapsed() >= warm => start = Some(Sample::take(writer, deliveries, 0)?),
            Some(start) if start.at.elapsed() >= spell => {
                return Ok(start.until(Sample::take(writer, deliveries, 0)?, Spread::default()));
            }
            _ => {}
        }
    }
}
