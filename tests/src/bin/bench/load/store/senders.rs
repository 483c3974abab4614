//! Members who talk in a closed loop: each says its next line when the echo of an earlier one
//! has come.

use std::io;
use std::time::{Duration, Instant};

use parlor_tests::Server;

use super::super::clock::now;
use super::super::crowd::{Crowd, Dialect};
use super::super::process;
use super::super::rounds::TEXT;
use super::super::spread::Spread;
use super::super::stamp::Stamp;

/// What the window asks for, as far as it changes how a line looks.
const CAPABILITIES: &[u8] = b"CAP REQ :echo-message message-tags server-time\r\n";
/// How long nothing may come before what is on its way counts as lost.
const LOST: Duration = Duration::from_secs(20);

/// When senders stop.
#[derive(Debug, Clone, Copy)]
pub(super) enum End {
    After(Duration),
    /// So many lines of all together.
    Lines(u64),
}

/// What came of it, from the first line to the last echo.
pub(super) struct Told {
    lines: u64,
    time: Duration,
    /// From before the `write` of a line to the `read` of its echo.
    pub(super) latency: Spread,
    /// Bytes that the server had written to disk.
    written: u64,
    /// CPU of the server, and of this program.
    cpu: Duration,
    own: Duration,
}

impl Told {
    /// Lines a second.
    pub(super) fn rate(&self) -> f64 {
        self.lines as f64 / self.time.as_secs_f64()
    }

    /// Bytes written for each line.
    pub(super) fn bytes(&self) -> f64 {
        self.written as f64 / self.lines.max(1) as f64
    }

    /// The server's share of one core, in percent.
    pub(super) fn share(&self) -> f64 {
        100.0 * self.cpu.as_secs_f64() / self.time.as_secs_f64()
    }

    /// This program's share of one core, in percent.
    pub(super) fn own_share(&self) -> f64 {
        100.0 * self.own.as_secs_f64() / self.time.as_secs_f64()
    }
}

/// See the [module](self).
pub(super) struct Senders {
    crowd: Crowd,
    server: u32,
    rooms: usize,
    said: Vec<u32>,
    echoed: Vec<u32>,
    /// Lines that others heard, and that they have to.
    heard: u64,
    due: u64,
}

impl Senders {
    /// Each is in one of the rooms, in turn, and hears whoever else is there.
    pub(super) fn enter(server: &Server, senders: usize, rooms: usize) -> io::Result<Senders> {
        let mut crowd = Crowd::new(server.address(), Dialect::Irc, "m")?;
        crowd.enter(senders, senders, &|number| vec![super::room(number % rooms)])?;
        (0..senders).try_for_each(|number| crowd.say(number, CAPABILITIES))?;
        let (mut asked, began) = (senders, now());
        while asked > 0 {
            crowd.turn(Some(LOST), |_, _, line| {
                asked -= usize::from(memchr::memmem::find(line, b" ACK ").is_some());
                Ok(())
            })?;
            if began.elapsed() > LOST {
                return Err(io::Error::other("the server does not know echo-message"));
            }
        }
        let (said, echoed) = (vec![0; senders], vec![0; senders]);
        Ok(Senders { crowd, server: server.id(), rooms, said, echoed, heard: 0, due: 0 })
    }

    /// How many lines each has said; all are echoed.
    pub(super) fn said(&self) -> Vec<u32> {
        self.said.clone()
    }

    /// Answers PING until this time.
    pub(super) fn idle(&mut self, until: Instant) -> io::Result<()> {
        self.crowd.idle(until)
    }

    /// Lets them talk, each with so many lines without an echo at most. Returns when every line
    /// was echoed and heard.
    ///
    /// # Errors
    /// An echo that came twice, out of its sender's order, or not at all.
    pub(super) fn talk(&mut self, depth: usize, end: End) -> io::Result<Told> {
        let (written, cpu) = (process::written(self.server)?, process::cpu(self.server)?);
        let own = process::cpu(std::process::id())?;
        let began = now();
        let nanoseconds = |at: Instant| at.saturating_duration_since(began).as_nanos() as u64;
        let mut sent = vec![0; self.said.len() * depth];
        let (mut latency, mut lines, mut block) = (Spread::default(), 0, Vec::new());
        let mut progress = began;
        let time = loop {
            let left = match end {
                End::After(time) if began.elapsed() >= time => 0,
                End::After(_) => u64::MAX,
                End::Lines(all) => all - lines,
            };
            if left == 0 && self.said == self.echoed {
                break began.elapsed();
            }
            let mut left = left;
            for sender in 0..self.said.len() {
                let free = (depth - (self.said[sender] - self.echoed[sender]) as usize) as u64;
                block.clear();
                let at = nanoseconds(now());
                for _ in 0..free.min(left) {
                    sent[sender * depth + self.said[sender] as usize % depth] = at;
                    self.write(sender, &mut block);
                    lines += 1;
                    left -= 1;
                }
                self.crowd.say(sender, &block)?;
            }
            let (said, echoed, heard) = (&self.said, &mut self.echoed, &mut self.heard);
            self.crowd.turn(Some(Duration::from_millis(50)), |member, at, line| {
                let Some(Stamp { sender, number }) = Stamp::of(line) else { return Ok(()) };
                progress = at;
                if sender != member {
                    *heard += 1;
                    return Ok(());
                }
                let (Some(said), Some(echoed)) = (said.get(sender), echoed.get_mut(sender)) else {
                    return Err(io::Error::other("an echo of nobody"));
                };
                if number != *echoed || number >= *said {
                    return Err(io::Error::other(format!("{sender} got echo {number}, {echoed} was next")));
                }
                *echoed += 1;
                latency.add(nanoseconds(at).saturating_sub(sent[sender * depth + number as usize % depth]));
                Ok(())
            })?;
            if progress.elapsed() > LOST {
                return Err(io::Error::other("echoes are missing"));
            }
        };
        let told = Told {
            lines,
            time,
            latency,
            written: process::written(self.server)? - written,
            cpu: process::cpu(self.server)?.saturating_sub(cpu),
            own: process::cpu(std::process::id())?.saturating_sub(own),
        };
        self.hear_the_rest()?;
        Ok(told)
    }

    /// The next line of a sender.
    fn write(&mut self, sender: usize, block: &mut Vec<u8>) {
        let number = self.said[sender];
        // Nothing repeats: the digits are as good as random ones, for they are hashed.
        block.extend_from_slice(format!("@+parlor/id={sender:016x}{number:016x} ").as_bytes());
        let room = sender % self.rooms;
        Stamp { sender, number }.write(Some(&super::room(room)), TEXT, block);
        self.said[sender] += 1;
        let members = (self.said.len() - room).div_ceil(self.rooms);
        self.due += members as u64 - 1;
    }

    fn hear_the_rest(&mut self) -> io::Result<()> {
        let mut progress = now();
        while self.heard < self.due {
            let before = self.heard;
            let heard = &mut self.heard;
            self.crowd.turn(Some(LOST), |_, _, line| {
                *heard += u64::from(Stamp::of(line).is_some());
                Ok(())
            })?;
            if self.heard > before {
                progress = now();
            } else if progress.elapsed() > LOST {
                let missing = self.due - self.heard;
                return Err(io::Error::other(format!("{missing} deliveries were lost")));
            }
        }
        if self.heard > self.due {
            return Err(io::Error::other("lines were heard twice"));
        }
        Ok(())
    }
}
