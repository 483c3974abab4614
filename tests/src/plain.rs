//! A peer that sends bytes: `nc`, a script, a raw client, a browser, an attacker.

use std::net::SocketAddr;
use std::time::Duration;

use crate::wire::{Nothing, Wire};
use crate::{Server, Tls, glob};

/// A connection without a protocol.
#[derive(Debug)]
pub struct Plain(Wire);

impl Plain {
    /// Connects to the server's first `--bind`.
    #[track_caller]
    #[must_use]
    pub fn connect(server: &Server) -> Self {
        Self::connect_to(server.address())
    }

    /// Connects to any address, such as [`Server::raw_address`].
    #[track_caller]
    #[must_use]
    pub fn connect_to(address: SocketAddr) -> Self {
        Self(Wire::connect(address))
    }

    /// Encrypts from the first byte on.
    #[must_use]
    pub fn encrypted(self, tls: &Tls) -> Self {
        Self(self.0.encrypt(tls))
    }

    /// Waits at most this long from now on, not [`crate::Deadline::DEFAULT`].
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.0.patience = patience;
        self
    }

    /// Our own address, as the server's log shows it.
    #[must_use]
    pub fn local_address(&self) -> SocketAddr {
        self.0.local_address()
    }

    /// Sends a line, ended by LF alone as `nc` does.
    pub fn send(&mut self, line: &str) {
        self.send_bytes(format!("{line}\n"));
    }

    /// Sends exactly these bytes in one write.
    pub fn send_bytes(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.send(bytes.as_ref());
    }

    /// Closes our side and goes on reading, as `printf … | nc` does.
    pub fn close_writing(&mut self) {
        self.0.close_writing();
    }

    /// The very next line, without its end.
    #[track_caller]
    pub fn next_line(&mut self) -> String {
        match self.0.line(self.0.deadline()) {
            Ok(line) => text(&line),
            Err(why) => self.0.fail(&format!("waited for a line: {}", reason(why))),
        }
    }

    /// The next line that matches (`*` is any text), skipping others.
    #[track_caller]
    pub fn expect(&mut self, pattern: &str) -> String {
        self.until(pattern).pop().expect("it ends with the match")
    }

    /// All lines up to and including the one that matches (`*` is any text).
    #[track_caller]
    pub fn until(&mut self, pattern: &str) -> Vec<String> {
        let deadline = self.0.deadline();
        let mut lines = Vec::new();
        loop {
            match self.0.line(deadline) {
                Ok(line) => lines.push(text(&line)),
                Err(why) => self.0.fail(&format!("waited for {pattern:?}: {}", reason(why))),
            }
            if lines.last().is_some_and(|line| glob(pattern, line)) {
                return lines;
            }
        }
    }

    /// The next bytes, as one read gives them, whether or not they end a line.
    #[track_caller]
    pub fn chunk(&mut self) -> Vec<u8> {
        match self.0.some(self.0.deadline()) {
            Ok(bytes) => bytes,
            Err(why) => self.0.fail(&format!("waited for bytes: {}", reason(why))),
        }
    }

    /// Everything up to the other side's close, which must come.
    #[track_caller]
    pub fn read_to_end(&mut self) -> Vec<u8> {
        let deadline = self.0.deadline();
        let mut all = Vec::new();
        loop {
            match self.0.some(deadline) {
                Ok(bytes) => all.extend(bytes),
                Err(Nothing::Closed) => return all,
                Err(Nothing::Late) => self.0.fail("waited for the other side to close: it did not"),
            }
        }
    }

    /// Panics with the transcript of this connection.
    #[track_caller]
    pub fn fail(&self, what: &str) -> ! {
        self.0.fail(what)
    }
}

pub(crate) fn reason(why: Nothing) -> &'static str {
    match why {
        Nothing::Late => "the deadline passed",
        Nothing::Closed => "the connection was closed",
    }
}

fn text(line: &[u8]) -> String {
    String::from_utf8_lossy(line).trim_end_matches(['\r', '\n']).to_owned()
}
