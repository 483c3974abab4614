//! The members of a scenario: thousands of connections on one thread.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use parlor_tests::Tls;

use super::clock::now;
use super::member::{Member, Stage};
use super::poll::Poll;

/// Bytes that one read takes at most.
const READ: usize = 512 * 1024;
/// How long the members may take to enter before the scenario has failed.
const ENTRY: Duration = Duration::from_secs(180);
/// Rooms that one JOIN names.
const JOINS: usize = 10;

/// What is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Irc,
    /// The same, with a reaction for each line; for who hears them.
    Reactions,
    /// Lines, each for everybody else; a first line says that one is let in.
    Raw,
}

/// Which rooms a member is in; the same for the same number.
pub(crate) type Rooms<'a> = &'a dyn Fn(usize) -> Vec<String>;

/// See the [module](self).
pub(crate) struct Crowd {
    pub(crate) dialect: Dialect,
    server: SocketAddr,
    source: Ipv4Addr,
    prefix: &'static str,
    tls: Option<Tls>,
    tags: bool,
    poll: Poll,
    members: Vec<Member>,
    ready: Vec<(u64, bool, bool)>,
    buffer: Vec<u8>,
}

impl Crowd {
    /// Nobody yet. Their names begin with `prefix`.
    pub(crate) fn new(server: SocketAddr, dialect: Dialect, prefix: &'static str) -> io::Result<Crowd> {
        Crowd::of(Ipv4Addr::LOCALHOST, server, dialect, prefix)
    }

    /// The same, with all of them at this address.
    pub(crate) fn of(
        source: Ipv4Addr,
        server: SocketAddr,
        dialect: Dialect,
        prefix: &'static str,
    ) -> io::Result<Crowd> {
        Ok(Crowd {
            dialect,
            server,
            source,
            prefix,
            tls: None,
            tags: false,
            poll: Poll::new()?,
            members: Vec::new(),
            ready: Vec::new(),
            buffer: vec![0; READ],
        })
    }

    /// All of them encrypt.
    pub(crate) fn encrypted(mut self) -> Crowd {
        self.tls = Some(Tls::new());
        self
    }

    /// All of them hear reactions.
    pub(crate) fn tagged(mut self) -> Crowd {
        self.tags = true;
        self
    }

    /// Connects and registers so many more, lets them join their rooms, and waits until all
    /// are in and each has heard every JOIN that it has to. At most `abreast` enter at once.
    /// Returns the lines of JOIN that were delivered.
    pub(crate) fn enter(&mut self, more: usize, abreast: usize, rooms: Rooms<'_>) -> io::Result<u64> {
        let began = now();
        let first = self.members.len();
        let (mut entering, mut joined, mut joins) = (0, 0, 0_u64);
        let expected = if self.dialect == Dialect::Irc { expected_joins(first, more, rooms) } else { 0 };
        while self.members.len() < first + more || entering > 0 || joined < more || joins < expected {
            if began.elapsed() > ENTRY {
                let inside = first + joined;
                return Err(io::Error::other(format!(
                    "{inside} of {} members are in after {} s, with {joins} of {expected} JOINs heard",
                    first + more,
                    ENTRY.as_secs()
                )));
            }
            // A few at a time: those who are in have to be read meanwhile.
            for _ in 0..16 {
                if self.members.len() < first + more && entering < abreast {
                    self.connect()?;
                    entering += 1;
                }
            }
            let wait = if self.members.len() < first + more && entering < abreast { 0 } else { 100 };
            let mut steps = Vec::new();
            self.turn(Some(Duration::from_millis(wait)), |number, _, line| {
                match said(line) {
                    Said::Join => joins += 1,
                    Said::Welcomed => steps.push((number, Stage::Joining(0))),
                    Said::NamesEnd => steps.push((number, Stage::In)),
                    Said::Other if !line.starts_with(b":") => steps.push((number, Stage::Entering)),
                    Said::Other => {}
                }
                Ok(())
            })?;
            for (number, step) in steps {
                let Some(stage) = self.members.get(number).map(|member| member.stage) else { continue };
                let next = match (stage, step) {
                    (Stage::Entering, Stage::Entering) if self.dialect == Dialect::Raw => Stage::In,
                    (Stage::Entering, Stage::Joining(_)) => {
                        entering -= 1;
                        let rooms = rooms(number);
                        for rooms in rooms.chunks(JOINS) {
                            self.say(number, format!("JOIN {}\r\n", rooms.join(",")).as_bytes())?;
                        }
                        if rooms.is_empty() { Stage::In } else { Stage::Joining(rooms.len()) }
                    }
                    (Stage::Joining(1), Stage::In) => Stage::In,
                    (Stage::Joining(rooms), Stage::In) => Stage::Joining(rooms - 1),
                    _ => continue,
                };
                if next == Stage::In {
                    joined += 1;
                    if self.dialect == Dialect::Raw {
                        entering -= 1;
                    }
                }
                if let Some(member) = self.members.get_mut(number) {
                    member.stage = next;
                }
            }
        }
        Ok(joins)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.members.len()
    }

    /// Sends bytes as a member.
    pub(crate) fn say(&mut self, number: usize, bytes: &[u8]) -> io::Result<()> {
        let Some(member) = self.members.get_mut(number) else { return Ok(()) };
        if member.write(bytes)? {
            self.poll.watch_writable(&member.stream, number as u64, true)?;
        }
        Ok(())
    }

    /// Reads, for so long until something comes, and hands over each line without its LF, with
    /// the member that got it and the time of the read. Answers PING.
    pub(crate) fn turn(
        &mut self,
        at_most: Option<Duration>,
        mut line: impl FnMut(usize, Instant, &[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut ready = std::mem::take(&mut self.ready);
        self.poll.wait(at_most, &mut ready)?;
        let mut pings = Vec::new();
        for (number, readable, writable) in ready.drain(..) {
            let Some(member) = self.members.get_mut(number as usize) else { continue };
            if writable && !member.write_on()? {
                self.poll.watch_writable(&member.stream, number, false)?;
            }
            if !readable {
                continue;
            }
            let closed = |error| io::Error::other(format!("member {number} was lost: {error}"));
            let Some(filled) = member.read(&mut self.buffer).map_err(closed)? else { continue };
            let at = now();
            let bytes = &self.buffer[..filled];
            let mut start = 0;
            for end in memchr::memchr_iter(b'\n', bytes) {
                let one = &bytes[start..end];
                start = end + 1;
                match one.first() {
                    Some(b'P') if one.starts_with(b"PING") => {
                        pings.push((number as usize, one[4..].to_vec()))
                    }
                    Some(b'E') if one.starts_with(b"ERROR") => {
                        let why = String::from_utf8_lossy(one);
                        return Err(io::Error::other(format!("member {number} was told: {}", why.trim())));
                    }
                    _ => line(number as usize, at, one)?,
                }
            }
            member.rest.extend_from_slice(&bytes[start..]);
        }
        self.ready = ready;
        for (number, token) in pings {
            let pong = [b"PONG", token.trim_ascii_end(), b"\r\n"].concat();
            self.say(number, &pong)?;
        }
        Ok(())
    }

    /// Answers PING and throws away all else until this time.
    pub(crate) fn idle(&mut self, until: Instant) -> io::Result<()> {
        loop {
            let left = until.saturating_duration_since(now());
            if left.is_zero() {
                return Ok(());
            }
            self.turn(Some(left), |_, _, _| Ok(()))?;
        }
    }

    fn connect(&mut self) -> io::Result<()> {
        let number = self.members.len();
        let mut member = Member::connect(self.source, self.server)?;
        self.tls.iter().for_each(|tls| member.encrypt(tls));
        self.poll.add(&member.stream, number as u64)?;
        if self.dialect == Dialect::Irc {
            let name = format!("{}{number}", self.prefix);
            let tags = if self.tags { "CAP REQ :message-tags\r\nCAP END\r\n" } else { "" };
            member.write(format!("{tags}NICK {name}\r\nUSER {name} 0 * :m\r\n").as_bytes())?;
        }
        self.members.push(member);
        Ok(())
    }
}

/// What a line is about, as far as entering is concerned.
enum Said {
    Join,
    /// The end of the welcome.
    Welcomed,
    /// The end of the list of names after a JOIN.
    NamesEnd,
    Other,
}

#[inline]
fn said(line: &[u8]) -> Said {
    let tags = if line.starts_with(b"@") { memchr::memchr(b' ', line).map_or(0, |end| end + 1) } else { 0 };
    let line = &line[tags..];
    let Some(space) = memchr::memchr(b' ', line) else { return Said::Other };
    match line.get(space + 1..space + 5) {
        Some(b"JOIN") => Said::Join,
        Some(b"366 ") => Said::NamesEnd,
        // RPL_ENDOFMOTD, ERR_NOMOTD.
        Some(b"376 " | b"422 ") => Said::Welcomed,
        _ => Said::Other,
    }
}

/// Lines of JOIN that are delivered when members `first..first + more` join: whoever joins as
/// the nth of a room is heard by n.
fn expected_joins(first: usize, more: usize, rooms: Rooms<'_>) -> u64 {
    let mut sizes = std::collections::HashMap::new();
    let mut lines = 0;
    for number in 0..first + more {
        for room in rooms(number) {
            let size = sizes.entry(room).or_insert(0_u64);
            *size += 1;
            if number >= first {
                lines += *size;
            }
        }
    }
    lines
}
