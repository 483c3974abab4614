//! A server that says what it is told to: for what a real one does only in a crash.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use parlor_server::protocol::MsgId;

use crate::person::PATIENCE;

/// What our own server says that it can.
const CAPS: &str = "batch message-tags server-time echo-message draft/chathistory draft/event-playback";

pub(crate) struct Script {
    listener: TcpListener,
}

impl Script {
    pub(crate) fn new() -> Script {
        Script { listener: TcpListener::bind("127.0.0.1:0").unwrap() }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap()
    }

    /// Lets the next one in and into #lobby. Call it on a thread: the window drives itself.
    pub(crate) fn welcome(&self, boot: u32) -> Guest {
        let (stream, _) = self.listener.accept().unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut guest = Guest { lines: BufReader::new(stream), boot, count: 0 };
        guest.reads("CAP LS");
        guest.says(&format!(":s CAP * LS :{CAPS}"));
        guest.reads("CAP REQ");
        guest.says(&format!(":s CAP * ACK :{CAPS}"));
        guest.reads("CAP END");
        guest.says(":s 001 alice :Welcome");
        guest.says(":s 005 alice CHATHISTORY=100 MSGREFTYPES=msgid,timestamp parlor/MSGID=sorted SAFERATE CHANTYPES=# :are supported");
        guest.says(":s 422 alice :no message of the day");
        guest.reads("JOIN #lobby");
        guest.said("alice", "JOIN", "");
        guest.says(":s 366 alice #lobby :end");
        guest
    }
}

/// The window, as that server sees it.
pub(crate) struct Guest {
    pub(crate) lines: BufReader<TcpStream>,
    boot: u32,
    count: u64,
}

impl Guest {
    pub(crate) fn says(&mut self, line: &str) {
        write!(self.lines.get_mut(), "{line}\r\n").unwrap();
    }

    /// The next line that contains a text; others are passed over.
    pub(crate) fn reads(&mut self, text: &str) -> String {
        loop {
            let mut line = String::new();
            assert_ne!(self.lines.read_line(&mut line).unwrap(), 0, "it hung up before {text}");
            if line.contains(text) {
                return line.trim_end().to_owned();
            }
            if let Some(token) = line.strip_prefix("PING ") {
                let token = token.trim_end().to_owned();
                self.says(&format!(":s PONG s {token}"));
            }
        }
    }

    /// The next msgid, and its time.
    fn stamp(&mut self) -> (String, String) {
        self.count += 1;
        let millis = 1_767_225_600_000 + u64::from(self.boot) * 1_000_000 + self.count * 1000;
        let time = format!("2026-01-01T00:{:02}:{:02}.000Z", self.boot, self.count % 60);
        (format!("{:08x}{millis:011x}0000", self.boot * MsgId::STARTS), time)
    }

    /// Something happens in the room; its msgid.
    pub(crate) fn said(&mut self, nick: &str, command: &str, text: &str) -> String {
        let (msgid, time) = self.stamp();
        let text = if text.is_empty() { String::new() } else { format!(" :{text}") };
        self.says(&format!("@msgid={msgid};time={time} :{nick}!u@h {command} #lobby{text}"));
        msgid
    }

    /// Answers the next question for history with these lines: msgid and text.
    pub(crate) fn answers(&mut self, lines: &[(&str, &str)]) -> String {
        let question = self.reads("CHATHISTORY");
        self.says(":s BATCH +h chathistory #lobby");
        for (msgid, text) in lines {
            self.says(&format!(
                "@batch=h;msgid={msgid};time=2026-01-01T00:00:00.000Z :bob!u@h PRIVMSG #lobby :{text}"
            ));
        }
        self.says(":s BATCH -h");
        question
    }
}
