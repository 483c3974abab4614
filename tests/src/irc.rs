//! An IRC client that notices everything.

use std::net::SocketAddr;
use std::str;
use std::time::Duration;

use crate::plain::reason;
use crate::wire::{Nothing, Wire};
use crate::{Message, Server, Tls};

/// What a message is compared with: a text as for [`Message::is_like`], or a closure.
pub trait Pattern {
    /// Whether the message is the wanted one.
    fn fits(&self, message: &Message) -> bool;

    /// How a failure names it.
    fn describe(&self) -> String;
}

impl Pattern for &str {
    #[track_caller]
    fn fits(&self, message: &Message) -> bool {
        message.is_like(self)
    }

    fn describe(&self) -> String {
        format!("{self:?}")
    }
}

impl<F: Fn(&Message) -> bool> Pattern for F {
    fn fits(&self, message: &Message) -> bool {
        self(message)
    }

    fn describe(&self) -> String {
        "what the closure wants".to_owned()
    }
}

/// A connection that speaks IRC. Each line that it receives has to be a message of at most 512 bytes, tags apart, of at
/// most 8191 bytes of tags, in UTF-8, with CR LF; anything else fails the test that received it.
#[derive(Debug)]
pub struct Irc {
    wire: Wire,
    pings: u32,
}

impl Irc {
    /// Connects to the server's first `--bind`, and sends nothing.
    #[track_caller]
    #[must_use]
    pub fn connect(server: &Server) -> Self {
        Self::connect_to(server.address())
    }

    /// Connects to any address.
    #[track_caller]
    #[must_use]
    pub fn connect_to(address: SocketAddr) -> Self {
        Self { wire: Wire::connect(address), pings: 0 }
    }

    /// Encrypts from the first byte on.
    #[must_use]
    pub fn encrypted(self, tls: &Tls) -> Self {
        Self { wire: self.wire.encrypt(tls), ..self }
    }

    /// What is known of the server, where it is [`encrypted`](Self::encrypted).
    #[must_use]
    pub fn session(&self) -> Option<&rustls::ClientConnection> {
        self.wire.client()
    }

    /// Waits at most this long from now on, not [`crate::Deadline::DEFAULT`].
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.wire.patience = patience;
        self
    }

    /// Registers with NICK and USER (user name `user`, real name `Real Name`) and waits for the end of the MOTD.
    #[track_caller]
    #[must_use]
    pub fn register(mut self, nick: &str) -> Self {
        self.send(&format!("NICK {nick}"));
        self.send("USER user 0 * :Real Name");
        self.welcomed();
        self
    }

    /// Registers with capabilities, each of which has to be acknowledged.
    #[track_caller]
    #[must_use]
    pub fn register_with(mut self, nick: &str, capabilities: &[&str]) -> Self {
        self.send("CAP LS 302");
        self.send(&format!("NICK {nick}"));
        self.send("USER user 0 * :Real Name");
        self.request(capabilities);
        self.send("CAP END");
        self.welcomed();
        self
    }

    /// Requests capabilities, registered or not, and waits until they are acknowledged.
    #[track_caller]
    pub fn request(&mut self, capabilities: &[&str]) {
        self.send(&format!("CAP REQ :{}", capabilities.join(" ")));
        self.expect(|m: &Message| {
            m.command == "CAP"
                && m.param(1) == "ACK"
                && m.last().split(' ').filter(|c| !c.is_empty()).eq(capabilities.iter().copied())
        });
    }

    /// Waits for the end of registration; returns everything from the next line to the end of the MOTD.
    #[track_caller]
    pub fn welcomed(&mut self) -> Vec<Message> {
        self.until(|m: &Message| matches!(m.command.as_str(), "376" | "422"))
    }

    /// Joins a room and returns what that brought, to the end of NAMES, topic and all.
    #[track_caller]
    pub fn join(&mut self, room: &str) -> Vec<Message> {
        self.send(&format!("JOIN {room}"));
        let mut lines = self.until(format!("JOIN {room} **").as_str());
        lines.extend(self.settle());
        lines
    }

    /// Our own address, as the server's log shows it.
    #[must_use]
    pub fn local_address(&self) -> SocketAddr {
        self.wire.local_address()
    }

    /// Sends a line with CR LF.
    pub fn send(&mut self, line: &str) {
        self.send_bytes(format!("{line}\r\n"));
    }

    /// Sends exactly these bytes in one write.
    pub fn send_bytes(&mut self, bytes: impl AsRef<[u8]>) {
        self.wire.send(bytes.as_ref());
    }

    /// Closes our side and goes on reading.
    pub fn close_writing(&mut self) {
        self.wire.close_writing();
    }

    /// The very next message.
    #[track_caller]
    pub fn next_message(&mut self) -> Message {
        let line = self.wire.line(self.wire.deadline());
        match line {
            Ok(line) => self.check(&line),
            Err(why) => self.wire.fail(&format!("waited for a message: {}", reason(why))),
        }
    }

    /// The next message that fits, skipping others.
    #[track_caller]
    pub fn expect(&mut self, pattern: impl Pattern) -> Message {
        self.until(pattern).pop().expect("it ends with the match")
    }

    /// The next message with this numeric, whatever its parameters.
    #[track_caller]
    pub fn expect_numeric(&mut self, numeric: &str) -> Message {
        self.expect(format!("{numeric} **").as_str())
    }

    /// The next message with one of these numerics or commands: where the specification leaves a choice.
    #[track_caller]
    pub fn expect_any(&mut self, commands: &[&str]) -> Message {
        let deadline = self.wire.deadline();
        loop {
            match self.wire.line(deadline) {
                Ok(line) => {
                    let message = self.check(&line);
                    if commands.contains(&message.command.as_str()) {
                        return message;
                    }
                }
                Err(why) => self.wire.fail(&format!("waited for any of {commands:?}: {}", reason(why))),
            }
        }
    }

    /// All messages up to and including the one that fits.
    #[track_caller]
    pub fn until(&mut self, pattern: impl Pattern) -> Vec<Message> {
        let deadline = self.wire.deadline();
        let mut messages = Vec::new();
        loop {
            let message = match self.wire.line(deadline) {
                Ok(line) => self.check(&line),
                Err(why) => self.wire.fail(&format!("waited for {}: {}", pattern.describe(), reason(why))),
            };
            let found = pattern.fits(&message);
            messages.push(message);
            if found {
                return messages;
            }
        }
    }

    /// Waits until the server has done all that we asked of it (PING, PONG); returns what came before the PONG.
    ///
    /// The server handles lines one at a time, so what we caused has by then been put on its way to everybody.
    #[track_caller]
    pub fn settle(&mut self) -> Vec<Message> {
        self.pings += 1;
        let token = format!("settled-{}", self.pings);
        self.send(&format!("PING {token}"));
        let mut before = self.until(|m: &Message| m.command == "PONG" && m.last() == token);
        before.pop();
        before
    }

    /// Asserts that nothing that fits came up to now; returns what did come. To show that a line of somebody else does
    /// not reach us, that somebody has to [`Irc::settle`] first.
    #[track_caller]
    pub fn silent_until_pong(&mut self, pattern: impl Pattern) -> Vec<Message> {
        let before = self.settle();
        if let Some(unwanted) = before.iter().find(|message| pattern.fits(message)) {
            self.wire.fail(&format!("this must not come: {unwanted}"));
        }
        before
    }

    /// Asserts that nothing at all came up to now.
    #[track_caller]
    pub fn silent(&mut self) {
        self.silent_until_pong(|_: &Message| true);
    }

    /// Sends a line and asserts that it is answered by exactly one message, which fits.
    #[track_caller]
    pub fn ask(&mut self, line: &str, answer: impl Pattern) -> Message {
        let mut answers = self.ask_all(line);
        match answers.pop() {
            Some(only) if answers.is_empty() && answer.fits(&only) => only,
            _ => self.wire.fail(&format!("{line:?} must bring {} and nothing else", answer.describe())),
        }
    }

    /// Sends a line and returns everything that it brought.
    #[track_caller]
    pub fn ask_all(&mut self, line: &str) -> Vec<Message> {
        self.send(line);
        self.settle()
    }

    /// Sends a request that a batch answers; returns what is in the batch, in order.
    #[track_caller]
    pub fn ask_batch(&mut self, line: &str) -> Vec<Message> {
        self.send(line);
        self.batch()
    }

    /// The next batch: what is in it, in order. Other lines that come between are skipped.
    #[track_caller]
    pub fn batch(&mut self) -> Vec<Message> {
        let opened = self.expect(|m: &Message| m.command == "BATCH" && m.param(0).starts_with('+'));
        let reference = opened.param(0).trim_start_matches('+').to_owned();
        let mut lines = self.until(format!("BATCH -{reference}").as_str());
        lines.retain(|line| line.tag("batch") == Some(&reference));
        lines
    }

    /// All that a room remembers (CHATHISTORY, page by page): of each line its id, and its sender's name for it.
    #[track_caller]
    pub fn remembered(&mut self, room: &str) -> Vec<(String, String)> {
        let mut lines: Vec<(String, String)> = Vec::new();
        loop {
            let after = match lines.last() {
                Some((msgid, _)) => format!("msgid={msgid}"),
                None => "timestamp=1970-01-01T00:00:00.000Z".to_owned(),
            };
            self.send(&format!("CHATHISTORY AFTER {room} {after} 100"));
            let page = self.until(|m: &Message| m.command == "BATCH" && m.param(0).starts_with('-'));
            let before = lines.len();
            let tag = |m: &Message, name| m.tag(name).unwrap_or_default().to_owned();
            let talk = page.iter().filter(|m| m.command == "PRIVMSG");
            lines.extend(talk.map(|m| (tag(m, "msgid"), tag(m, "+parlor/id"))));
            if lines.len() == before {
                return lines;
            }
        }
    }

    /// Waits for the server to close the connection; returns what it said before.
    #[track_caller]
    pub fn expect_closed(&mut self) -> Vec<Message> {
        let deadline = self.wire.deadline();
        let mut messages = Vec::new();
        loop {
            match self.wire.line(deadline) {
                Ok(line) => messages.push(self.check(&line)),
                Err(Nothing::Closed) => return messages,
                Err(Nothing::Late) => self.wire.fail("waited for the server to close: it did not"),
            }
        }
    }

    /// Panics with the transcript of this connection.
    #[track_caller]
    pub fn fail(&self, what: &str) -> ! {
        self.wire.fail(what)
    }

    #[track_caller]
    fn check(&self, line: &[u8]) -> Message {
        match checked(line) {
            Ok(message) => message,
            Err(why) => self.wire.fail(&format!("the server sent what is not a message: {why}")),
        }
    }
}

fn checked(line: &[u8]) -> Result<Message, String> {
    let line = line.strip_suffix(b"\r\n").ok_or("no CR LF at its end")?;
    let text = str::from_utf8(line).map_err(|error| error.to_string())?;
    if text.contains(['\0', '\r']) {
        return Err("NUL or CR within".to_owned());
    }
    let tags = if text.starts_with('@') { text.find(' ').map_or(0, |at| at + 1) } else { 0 };
    if tags > 8191 || text.len() - tags + 2 > 512 {
        return Err(format!("{tags} bytes of tags and {} of message", text.len() - tags + 2));
    }
    Message::parse(text)
}
