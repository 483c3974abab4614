//! Somebody who asks: how long they wait for a PONG and for a page of history.

use std::io::{self, BufRead, BufReader, ErrorKind, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::Duration;

use crate::load::clock::now;
use crate::load::rounds::ROOM;
use crate::load::source::connect_from;

/// Between two questions.
const STEP: Duration = Duration::from_millis(250);
/// Longer than this is an error.
const PATIENCE: Duration = Duration::from_secs(60);

/// Lines of the past between two looks.
const BLOCK: usize = 100;

/// The longest waits.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Asked {
    pub(crate) pong: Duration,
    pub(crate) page: Duration,
}

/// See the [module](self).
pub(crate) struct Probe {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<io::Result<Asked>>,
}

impl Probe {
    pub(crate) fn start(from: Ipv4Addr, server: SocketAddr) -> Probe {
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        Probe { stop, thread: spawn(move || run(from, server, &told)) }
    }

    pub(crate) fn end(self) -> io::Result<Asked> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap_or_else(|_| Err(io::Error::other("the asker's thread has failed")))
    }
}

fn run(from: Ipv4Addr, server: SocketAddr, stop: &AtomicBool) -> io::Result<Asked> {
    let mut asker = Asker::enter(connect_from(from, server)?, "asker")?;
    let mut asked = Asked::default();
    while !stop.load(Ordering::Relaxed) {
        asked.pong = asked.pong.max(asker.ask("PING probe", " PONG ")?);
        let page = format!("@label=p CHATHISTORY LATEST {ROOM} * 50");
        asked.page = asked.page.max(asker.ask(&page, " BATCH -")?);
        sleep(STEP);
    }
    Ok(asked)
}

/// Says so many lines in the room, one behind the other, so that there is a past.
pub(crate) fn talk_before(server: SocketAddr, lines: usize) -> io::Result<()> {
    let mut member = Asker::enter(TcpStream::connect(server)?, "past")?;
    for block in 0..lines / BLOCK {
        for number in block * BLOCK..(block + 1) * BLOCK {
            let text = format!("w{} and w{} were here, {number}", number % 40, number % 7);
            writeln!(member.stream, "PRIVMSG {ROOM} :{text}")?;
        }
        member.ask("PING past", " PONG ")?;
    }
    Ok(())
}

struct Asker {
    stream: TcpStream,
    lines: BufReader<TcpStream>,
}

impl Asker {
    fn enter(stream: TcpStream, nick: &str) -> io::Result<Asker> {
        stream.set_read_timeout(Some(PATIENCE))?;
        let lines = BufReader::new(stream.try_clone()?);
        let mut asker = Asker { stream, lines };
        let wanted = "message-tags batch labeled-response server-time draft/chathistory";
        write!(asker.stream, "CAP REQ :{wanted}\r\nNICK {nick}\r\nUSER a 0 * :a\r\nCAP END\r\n")?;
        asker.until(" 422 ")?;
        asker.ask(&format!("JOIN {ROOM}"), " 366 ")?;
        Ok(asker)
    }

    /// How long it takes until a line with this in it comes.
    fn ask(&mut self, question: &str, mark: &str) -> io::Result<Duration> {
        let began = now();
        write!(self.stream, "{question}\r\n")?;
        self.until(mark)?;
        Ok(began.elapsed())
    }

    fn until(&mut self, mark: &str) -> io::Result<()> {
        let mut line = Vec::new();
        loop {
            line.clear();
            if self.lines.read_until(b'\n', &mut line)? == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            let text = String::from_utf8_lossy(&line);
            if let Some(token) = text.strip_prefix("PING ") {
                write!(self.stream, "PONG {token}")?;
            }
            if text.contains(mark) {
                return Ok(());
            }
        }
    }
}
