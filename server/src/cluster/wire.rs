//! What passes between a connection and its socket.

use std::io::{self, Read, Write};
use std::net::TcpStream;

/// Bytes on their way to the engine and back.
pub(super) trait Wire: Send {
    /// Whether there may be something to read that the socket does not have any more.
    fn holds(&self) -> bool;

    /// Reads what the engine says; 0 bytes are its end.
    fn read(&mut self, stream: &TcpStream, into: &mut [u8]) -> io::Result<usize>;

    /// Takes as many bytes as it can.
    fn write(&mut self, stream: &TcpStream, bytes: &[u8]) -> io::Result<usize>;

    /// Has the kernel take what was written.
    fn flush(&mut self, stream: &TcpStream) -> io::Result<()>;
}

/// Bytes as they are.
pub(super) struct Plain;

impl Wire for Plain {
    fn holds(&self) -> bool {
        false
    }

    fn read(&mut self, mut stream: &TcpStream, into: &mut [u8]) -> io::Result<usize> {
        stream.read(into)
    }

    fn write(&mut self, mut stream: &TcpStream, bytes: &[u8]) -> io::Result<usize> {
        stream.write(bytes)
    }

    fn flush(&mut self, _: &TcpStream) -> io::Result<()> {
        Ok(())
    }
}
