//! A member who reads the past: pages and searches, timed.

use std::io::{self, BufRead, BufReader, ErrorKind, Write};
use std::net::TcpStream;
use std::time::Duration;

use memchr::memmem;
use parlor_tests::Server;

use super::super::clock::now;

/// What is needed to ask, and what the window asks for with it.
const CAPABILITIES: &str = "batch server-time message-tags echo-message draft/chathistory soju.im/search";
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// See the [module](self).
pub(super) struct Reader {
    stream: BufReader<TcpStream>,
}

/// An answer.
pub(super) struct Reply {
    /// To its first line and to its end, from before the `write` of the question; nanoseconds.
    pub(super) first: u64,
    pub(super) whole: u64,
    pub(super) lines: usize,
    /// `msgid` and `time` of the last line.
    pub(super) id: String,
    pub(super) time: String,
}

impl Reader {
    /// Joins so many rooms.
    pub(super) fn enter(server: &Server, rooms: usize) -> io::Result<Reader> {
        let stream = TcpStream::connect(server.address())?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut reader = Reader { stream: BufReader::new(stream) };
        let names: Vec<String> = (0..rooms).map(super::room).collect();
        let hello = format!("CAP REQ :{CAPABILITIES}\r\nNICK reader\r\nUSER r 0 * :r\r\nCAP END\r\n");
        reader.say(&hello)?;
        reader.until(b" 422 ")?;
        reader.say(&format!("JOIN {}\r\n", names.join(",")))?;
        (0..rooms).try_for_each(|_| reader.until(b" 366 "))?;
        Ok(reader)
    }

    /// Asks what a batch answers, and reads all of that.
    pub(super) fn ask(&mut self, question: &str) -> io::Result<Reply> {
        let began = now();
        self.say(&format!("{question}\r\n"))?;
        let mut reply = Reply { first: 0, whole: 0, lines: 0, id: String::new(), time: String::new() };
        loop {
            let line = self.line()?;
            let after = began.elapsed().as_nanos() as u64;
            if memmem::find(&line, b" PRIVMSG ").is_some() {
                if reply.lines == 0 {
                    reply.first = after;
                }
                reply.lines += 1;
                for (to, tag) in [(&mut reply.id, &b"msgid="[..]), (&mut reply.time, b"time=")] {
                    if let Some(value) = value(&line, tag) {
                        *to = value;
                    }
                }
            } else if memmem::find(&line, b" BATCH -").is_some() {
                reply.whole = after;
                return Ok(reply);
            } else if memmem::find(&line, b"FAIL ").is_some() {
                let why = String::from_utf8_lossy(&line);
                return Err(io::Error::other(format!("{question}: {}", why.trim_end())));
            }
        }
    }

    /// Nanoseconds until a PING is answered.
    pub(super) fn ping(&mut self) -> io::Result<u64> {
        let began = now();
        self.say("PING reader\r\n")?;
        self.until(b" PONG ")?;
        Ok(began.elapsed().as_nanos() as u64)
    }

    fn say(&mut self, text: &str) -> io::Result<()> {
        self.stream.get_mut().write_all(text.as_bytes())
    }

    fn until(&mut self, mark: &[u8]) -> io::Result<()> {
        while memmem::find(&self.line()?, mark).is_none() {}
        Ok(())
    }

    /// The next line; answers PING.
    fn line(&mut self) -> io::Result<Vec<u8>> {
        loop {
            let mut line = Vec::new();
            if self.stream.read_until(b'\n', &mut line)? == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            match line.strip_prefix(b"PING") {
                Some(token) => self.stream.get_mut().write_all(&[b"PONG", token].concat())?,
                None => return Ok(line),
            }
        }
    }
}

/// The value of a tag; `tag` ends in `=`.
fn value(line: &[u8], tag: &[u8]) -> Option<String> {
    let tags = line.strip_prefix(b"@")?.split(|byte| *byte == b' ').next()?;
    let value = tags.split(|byte| *byte == b';').find_map(|one| one.strip_prefix(tag))?;
    Some(String::from_utf8_lossy(value).into_owned())
}
