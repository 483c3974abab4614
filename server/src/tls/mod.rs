//! Encryption (TLS 1.3, RFC 8446, and 1.2, RFC 5246): the server's key and certificate, and the sessions of
//! connections. Only builds with the feature `tls` have more of it than these two traits.
//!
//! | file | noun |
//! | --- | --- |
//! | `certificate` | a certificate that a key signs for itself |
//! | `identity` | the key and the certificate, in memory or in files |
//! | `acceptor` | what all sessions have in common |
//! | `session` | the encryption of one connection |

#[cfg(feature = "tls")]
mod acceptor;
#[cfg(feature = "tls")]
mod certificate;
#[cfg(feature = "tls")]
mod identity;
#[cfg(feature = "tls")]
mod session;

use std::io::{self, IoSlice, Write};
use std::net::TcpStream;

use smol::lock::Semaphore;

#[cfg(feature = "tls")]
pub(crate) use acceptor::acceptor;

use crate::start::config::Identity;
use crate::start::error::StartError;

/// What all sessions have in common.
pub(crate) trait Acceptor: Send {
    /// The session of a connection that begins. `None`: it cannot be made.
    fn accept(&self) -> Option<Box<dyn Session>>;

    /// Whose turn it is to compute a handshake: one at a time, so that a core at most is busy with those who come.
    fn turns(&self) -> &Semaphore;

    /// The SHA-256 of the key, as it stands in the certificate (SubjectPublicKeyInfo), and of the certificate.
    fn fingerprints(&self) -> [Vec<u8>; 2];

    /// What reads the operator's files anew, from any thread.
    fn renews(&self) -> Renews;
}

/// Reads a key and a certificate; what it gives has the handshakes to come use them.
pub(crate) type Renews = Box<dyn Fn(&Identity) -> Result<Box<dyn FnOnce() + Send>, StartError> + Send + Sync>;

/// The encryption of one connection.
pub(crate) trait Session: Send {
    /// Takes whole records of the handshake: this is what costs a handshake its time.
    fn take_in(&mut self, records: &[u8]) -> io::Result<()>;

    /// Whether the handshake is not done yet.
    fn is_handshaking(&self) -> bool;

    /// The SHA-256 of the certificate that the peer has shown.
    fn certfp(&self) -> Option<Box<[u8; 32]>>;

    /// Whether it may be read without a look at the socket.
    fn has_more(&self) -> bool;

    /// Reads what the peer says; 0 bytes are its end.
    fn read(&mut self, stream: &TcpStream, into: &mut [u8]) -> io::Result<usize>;

    /// Encrypts as much as a record takes, once the kernel has the one before.
    fn write(&mut self, stream: &TcpStream, slices: &[IoSlice<'_>]) -> io::Result<usize>;

    /// Whether encrypted bytes wait for the kernel.
    fn is_waiting(&self) -> bool;

    /// Has the kernel take the encrypted bytes that wait; `WouldBlock` where it does not take all.
    fn flush(&mut self, stream: &TcpStream) -> io::Result<()>;

    /// Says that nothing follows (RFC 8446 §6.1).
    fn close(&mut self);
}

/// Lines on their way through a session.
pub(crate) struct Encrypting<'a>(pub(crate) &'a mut dyn Session, pub(crate) &'a TcpStream);

impl Write for Encrypting<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(self.1, &[IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.write(self.1, slices)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush(self.1)
    }
}

#[cfg(not(feature = "tls"))]
pub(crate) fn acceptor(_: &Identity, _: &str) -> Result<Box<dyn Acceptor>, StartError> {
    Err(StartError::NoTls)
}
