//! One connection of the generator.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};

use parlor_tests::Tls;
use rustls::ClientConnection;

use super::source::connect_from;

/// How far a member is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Connected; waits for the welcome, or for the first line of a server without a protocol.
    Entering,
    /// Waits for the end of the list of names of so many rooms.
    Joining(usize),
    In,
}

/// See the [module](self).
pub(crate) struct Member {
    pub(crate) stream: TcpStream,
    pub(crate) stage: Stage,
    /// The beginning of a line whose end has not come.
    pub(crate) rest: Vec<u8>,
    /// What the kernel did not take.
    late: Vec<u8>,
    tls: Option<Box<ClientConnection>>,
}

impl Member {
    pub(crate) fn connect(source: Ipv4Addr, to: SocketAddr) -> io::Result<Member> {
        let stream = connect_from(source, to)?;
        stream.set_nonblocking(true)?;
        Ok(Member { stream, stage: Stage::Entering, rest: Vec::new(), late: Vec::new(), tls: None })
    }

    /// Encrypts from the first byte on.
    pub(crate) fn encrypt(&mut self, tls: &Tls) {
        let mut client = tls.client();
        client.set_buffer_limit(None);
        self.tls = Some(Box::new(client));
    }

    /// Reads once behind what is left of the last time; `None` where nothing waits. Returns how
    /// many bytes of `buffer` are filled; an end of the stream is an error.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        let kept = self.rest.len();
        buffer[..kept].copy_from_slice(&self.rest);
        let read = match &mut self.tls {
            None => self.stream.read(&mut buffer[kept..]),
            Some(tls) => decrypt(tls, &mut self.stream, &mut buffer[kept..]),
        };
        match read {
            Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
            Ok(count) => {
                self.rest.clear();
                Ok(Some(kept + count))
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes; true if something has to wait for [`Member::write_on`].
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<bool> {
        if let Some(tls) = &mut self.tls {
            tls.writer().write_all(bytes)?;
            return send(tls, &mut self.stream);
        }
        if !self.late.is_empty() {
            self.late.extend_from_slice(bytes);
            return Ok(true);
        }
        let mut rest = bytes;
        while !rest.is_empty() {
            match self.stream.write(rest) {
                Ok(count) => rest = &rest[count..],
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.late.extend_from_slice(rest);
                    return Ok(true);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }

    /// Writes what waited; true if something still does.
    pub(crate) fn write_on(&mut self) -> io::Result<bool> {
        let late = std::mem::take(&mut self.late);
        self.write(&late)
    }
}

/// Reads what came, and goes on with the handshake.
fn decrypt(tls: &mut ClientConnection, stream: &mut TcpStream, into: &mut [u8]) -> io::Result<usize> {
    tls.read_tls(stream)?;
    tls.process_new_packets().map_err(io::Error::other)?;
    send(tls, stream)?;
    tls.reader().read(into)
}

/// True if something has to wait.
fn send(tls: &mut ClientConnection, stream: &mut TcpStream) -> io::Result<bool> {
    while tls.wants_write() {
        match tls.write_tls(stream) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(true),
            sent => sent?,
        };
    }
    Ok(false)
}
