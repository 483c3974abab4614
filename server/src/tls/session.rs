//! The encryption of one connection.

use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::TcpStream;

use rustls::ServerConnection;

use super::Session;
use super::identity::fingerprint;

/// Bytes of a record at most, without what encryption adds (RFC 8446 §5.1): so much is encrypted ahead of what
/// the kernel takes.
const RECORD: usize = 16 * 1024;

/// See the [module](self).
pub(super) struct Tls {
    session: ServerConnection,
    /// There may be text that was decrypted and not read yet.
    more: bool,
}

impl Tls {
    pub(super) fn new(mut session: ServerConnection) -> Tls {
        session.set_buffer_limit(Some(RECORD));
        Tls { session, more: true }
    }
}

impl Session for Tls {
    fn take_in(&mut self, mut records: &[u8]) -> io::Result<()> {
        // None is taken behind a good-bye (RFC 8446 §6.1).
        while !records.is_empty() && self.session.read_tls(&mut records)? > 0 {
            self.session.process_new_packets().map_err(io::Error::other)?;
        }
        Ok(())
    }

    fn is_handshaking(&self) -> bool {
        self.session.is_handshaking()
    }

    fn certfp(&self) -> Option<Box<[u8; 32]>> {
        let certificate = self.session.peer_certificates()?.first()?;
        fingerprint(certificate).try_into().ok().map(Box::new)
    }

    fn has_more(&self) -> bool {
        self.more
    }

    fn read(&mut self, mut stream: &TcpStream, into: &mut [u8]) -> io::Result<usize> {
        if !self.more {
            // Once: whoever sends records without a word in them takes nobody else's turn.
            self.session.read_tls(&mut stream)?;
            let sound = self.session.process_new_packets();
            // The answer to new keys, or what was wrong. The kernel takes it now or with the next lines.
            let _ = self.flush(stream);
            sound.map_err(io::Error::other)?;
        }
        let read = self.session.reader().read(into);
        self.more = read.is_ok();
        match read {
            // A peer that is gone without a word is gone.
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(0),
            read => read,
        }
    }

    fn write(&mut self, stream: &TcpStream, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.flush(stream)?;
        self.session.writer().write_vectored(slices)
    }

    fn is_waiting(&self) -> bool {
        self.session.wants_write()
    }

    fn flush(&mut self, mut stream: &TcpStream) -> io::Result<()> {
        while self.session.wants_write() {
            match self.session.write_tls(&mut stream) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    fn close(&mut self) {
        self.session.send_close_notify();
    }
}
