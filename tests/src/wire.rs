//! A socket with deadlines and a memory of everything that was said on it.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use rustls::{ClientConnection, StreamOwned};

use crate::tls::Stream;
use crate::{Deadline, Tls};

/// The most lines of a transcript that a failure prints.
const TRANSCRIPT: usize = 60;

#[derive(Debug)]
pub(crate) struct Wire {
    stream: Stream,
    /// Received and not yet taken.
    buffer: Vec<u8>,
    transcript: Vec<String>,
    pub(crate) patience: Duration,
}

/// Why there is nothing to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nothing {
    /// The deadline passed.
    Late,
    /// The other side has closed.
    Closed,
}

impl Wire {
    #[track_caller]
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let stream = match TcpStream::connect_timeout(&address, Deadline::DEFAULT) {
            Ok(stream) => stream,
            Err(error) => panic!("cannot connect to {address}: {error}"),
        };
        stream.set_nodelay(true).expect("a fresh socket");
        stream.set_write_timeout(Some(Deadline::DEFAULT)).expect("a fresh socket");
        Self {
            stream: Stream::Tcp(stream),
            buffer: Vec::new(),
            transcript: Vec::new(),
            patience: Deadline::DEFAULT,
        }
    }

    /// From now on encrypted: hands are shaken with the first bytes.
    pub(crate) fn encrypt(mut self, tls: &Tls) -> Self {
        if let Stream::Tcp(stream) = self.stream {
            self.stream = Stream::Tls(Box::new(StreamOwned::new(tls.client(), stream)));
        }
        self
    }

    /// What is known of the server.
    pub(crate) fn client(&self) -> Option<&ClientConnection> {
        self.stream.client()
    }

    pub(crate) fn deadline(&self) -> Deadline {
        Deadline::after(self.patience)
    }

    pub(crate) fn local_address(&self) -> SocketAddr {
        self.stream.tcp().local_addr().expect("a connected socket")
    }

    /// A peer that has closed already is not this call's failure: the next wait shows it, with this transcript.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.transcript.push(format!("-> {}", readable(bytes)));
        if let Err(error) = self.stream.write_all(bytes) {
            self.transcript.push(format!("-- not sent: {error}"));
        }
    }

    pub(crate) fn close_writing(&mut self) {
        self.transcript.push("-- we closed our side".to_owned());
        if let Err(error) = self.stream.close_writing() {
            self.transcript.push(format!("-- not closed: {error}"));
        }
    }

    /// The next line with its end, `\n`.
    pub(crate) fn line(&mut self, deadline: Deadline) -> Result<Vec<u8>, Nothing> {
        let mut searched = 0;
        loop {
            if let Some(at) = self.buffer.iter().skip(searched).position(|&byte| byte == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=searched + at).collect();
                self.transcript.push(format!("<- {}", readable(&line)));
                return Ok(line);
            }
            searched = self.buffer.len();
            self.fill(deadline)?;
        }
    }

    /// What has been received; waits where that is nothing.
    pub(crate) fn some(&mut self, deadline: Deadline) -> Result<Vec<u8>, Nothing> {
        if self.buffer.is_empty() {
            self.fill(deadline)?;
        }
        let some = std::mem::take(&mut self.buffer);
        self.transcript.push(format!("<- {}", readable(&some)));
        Ok(some)
    }

    fn fill(&mut self, deadline: Deadline) -> Result<(), Nothing> {
        loop {
            let left = deadline.left().ok_or(Nothing::Late)?;
            self.stream.set_read_timeout(left);
            let mut bytes = [0; 16 * 1024];
            match self.stream.read(&mut bytes) {
                Ok(0) => return self.closed("they closed"),
                Ok(count) => {
                    self.buffer.extend_from_slice(bytes.get(..count).expect("read tells the truth"));
                    return Ok(());
                }
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    return Err(Nothing::Late);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return self.closed(&error.to_string()),
            }
        }
    }

    fn closed(&mut self, how: &str) -> Result<(), Nothing> {
        if !self.buffer.is_empty() {
            self.transcript.push(format!("<- {} (no line end)", readable(&self.buffer)));
        }
        self.transcript.push(format!("-- {how}"));
        Err(Nothing::Closed)
    }

    #[track_caller]
    pub(crate) fn fail(&self, what: &str) -> ! {
        let skipped = self.transcript.len().saturating_sub(TRANSCRIPT);
        let mut text: Vec<String> = self.transcript.iter().skip(skipped).cloned().collect();
        if skipped > 0 {
            text.insert(0, format!("({skipped} earlier lines)"));
        }
        if !self.buffer.is_empty() {
            text.push(format!("?? not looked at: {}", readable(&self.buffer)));
        }
        panic!("{what}\n--- transcript of {}\n{}\n---", self.local_address(), text.join("\n"));
    }
}

/// Bytes as they would stand in a Rust string, shortened in the middle where they are very many.
fn readable(bytes: &[u8]) -> String {
    const MOST: usize = 1200;
    let text: String =
        String::from_utf8_lossy(bytes)
            .chars()
            .map(|c| {
                if c.is_control() || c == '\u{fffd}' { c.escape_default().to_string() } else { c.to_string() }
            })
            .collect();
    let count = text.chars().count();
    if count <= MOST {
        return text;
    }
    let head: String = text.chars().take(MOST / 2).collect();
    let tail: String = text.chars().skip(count - MOST / 2).collect();
    format!("{head} … ({} bytes in all) … {tail}", bytes.len())
}
