//! The encryption of one connection.

use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::TcpStream;

use rustls::ServerConnection;

use super::identity::fingerprint;

/// Bytes of a record at most, without what encryption adds (RFC 8446 §5.1): so much is encrypted ahead of what
/// the kernel takes.
const RECORD: usize = 16 * 1024;

/// See the [module](self).
pub(crate) struct Session {
    tls: Box<ServerConnection>,
    /// There may be text that was decrypted and not read yet.
    more: bool,
}

impl Session {
    pub(super) fn new(mut tls: ServerConnection) -> Session {
        tls.set_buffer_limit(Some(RECORD));
        Session { tls: Box::new(tls), more: true }
    }

    /// Takes whole records of the handshake: this is what costs a handshake its time.
    pub(crate) fn take_in(&mut self, mut records: &[u8]) -> io::Result<()> {
        while !records.is_empty() {
            self.tls.read_tls(&mut records)?;
            self.tls.process_new_packets().map_err(io::Error::other)?;
        }
        Ok(())
    }

    /// Whether the handshake is not done yet.
    pub(crate) fn is_handshaking(&self) -> bool {
        self.tls.is_handshaking()
    }

    /// The SHA-256 of the certificate that the peer has shown, in lower-case hexadecimal digits.
    pub(crate) fn certfp(&self) -> Option<Box<str>> {
        let certificate = self.tls.peer_certificates()?.first()?;
        Some(fingerprint(certificate).iter().map(|byte| format!("{byte:02x}")).collect::<String>().into())
    }

    /// Whether it may be read without a look at the socket.
    pub(crate) fn has_more(&self) -> bool {
        self.more
    }

    /// Reads what the peer says; 0 bytes are its end.
    pub(crate) fn read(&mut self, mut stream: &TcpStream, into: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.tls.reader().read(into) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                // A peer that is gone without a word is gone.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(0),
                read => {
                    self.more = true;
                    return read;
                }
            }
            self.more = false;
            self.tls.read_tls(&mut stream)?;
            let sound = self.tls.process_new_packets();
            // The answer to new keys, or what was wrong. The kernel takes it now or with the next lines.
            let _ = self.flush(stream);
            sound.map_err(io::Error::other)?;
        }
    }

    /// Whether encrypted bytes wait for the kernel.
    pub(crate) fn is_waiting(&self) -> bool {
        self.tls.wants_write()
    }

    /// Has the kernel take the encrypted bytes that wait; `WouldBlock` where it does not take all.
    pub(crate) fn flush(&mut self, mut stream: &TcpStream) -> io::Result<()> {
        while self.tls.wants_write() {
            match self.tls.write_tls(&mut stream) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// What encrypts lines on their way to the socket.
    pub(crate) fn writer<'a>(&'a mut self, stream: &'a TcpStream) -> impl Write {
        Encrypting { session: self, stream }
    }

    /// Says that nothing follows (RFC 8446 §6.1); whether that waits for the kernel now.
    pub(crate) fn close(&mut self) -> bool {
        self.tls.send_close_notify();
        self.tls.wants_write()
    }
}

struct Encrypting<'a> {
    session: &'a mut Session,
    stream: &'a TcpStream,
}

impl Write for Encrypting<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(bytes)])
    }

    /// Takes a record's worth once the kernel has the one before.
    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.session.flush(self.stream)?;
        self.session.tls.writer().write_vectored(slices)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.session.flush(self.stream)
    }
}
