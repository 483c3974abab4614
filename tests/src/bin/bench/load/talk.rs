//! Talk: members say lines in a closed loop or at a pace, and each line is followed to every
//! member that has to hear it.

use std::io;
use std::time::{Duration, Instant};

use super::clock::now;
use super::crowd::{Crowd, Dialect};
use super::measured::{Measured, Sample};
use super::spread::Spread;
use super::stamp::Stamp;

/// How long nothing may arrive before what is on its way counts as lost.
const LOST: Duration = Duration::from_secs(20);
/// Lines on their way at a pace before the server counts as too slow for it.
const BEHIND: usize = 8192;

/// When the next line is said.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Pace {
    /// As soon as fewer than so many lines of a sender are on their way. A line has arrived
    /// when every member has it.
    InFlight(usize),
    /// One line a time, by the senders in turn.
    Every(Duration),
}

/// What is said, by whom, to whom.
#[derive(Debug, Clone)]
pub(crate) struct Talk {
    /// The first so many members speak.
    pub(crate) senders: usize,
    /// The first so many members hear every line, but for its sender.
    pub(crate) hearers: usize,
    /// Taken in turn; all hearers are in all of them.
    pub(crate) rooms: Vec<String>,
    pub(crate) pace: Pace,
    /// Bytes of each text.
    pub(crate) text: usize,
}

impl Talk {
    /// Lets the crowd talk, and measures after a warm-up. Ends when every line has arrived.
    ///
    /// # Errors
    /// Where a line came twice, out of the sender's order, or not at all: there is no figure.
    pub(crate) fn run(
        &self,
        crowd: &mut Crowd,
        server: u32,
        (warm, spell): (Duration, Duration),
    ) -> io::Result<Measured> {
        let began = now();
        let mut book = Book::new(self, crowd.len(), began);
        let mut next = (0, began);
        let mut start: Option<Sample> = None;
        let mut end: Option<Sample> = None;
        let (mut seen, mut progress) = (0, began);
        loop {
            let time = now();
            if end.is_none() {
                match start {
                    None if time.duration_since(began) >= warm => {
                        book.latency = Spread::default();
                        start = Some(Sample::take(server, book.deliveries, book.strange)?);
                    }
                    Some(sample) if sample.at.elapsed() >= spell => {
                        end = Some(Sample::take(server, book.deliveries, book.strange)?);
                    }
                    _ => {}
                }
            }
            let mut wait = Duration::from_millis(50);
            match self.pace {
                _ if end.is_some() => {}
                Pace::InFlight(depth) => {
                    for sender in 0..self.senders {
                        let free = depth - book.on_their_way(sender);
                        self.say(crowd, &mut book, sender, free)?;
                    }
                }
                Pace::Every(step) => {
                    let (mut sender, mut due) = next;
                    while due <= time {
                        self.say(crowd, &mut book, sender, 1)?;
                        sender = (sender + 1) % self.senders;
                        due += step;
                    }
                    next = (sender, due);
                    wait = wait.min(due.saturating_duration_since(now()));
                }
            }
            crowd.turn(Some(wait), |member, at, line| book.hear(member, at, line))?;
            if book.deliveries > seen {
                (seen, progress) = (book.deliveries, now());
            }
            if let (Some(start), Some(end)) = (start, end)
                && book.silent()
            {
                return Ok(Measured { gone: book.gone, ..start.until(end, book.latency) });
            }
            if progress.elapsed() > LOST && !book.silent() {
                let missing = book.missing();
                return Err(io::Error::other(format!("{missing} deliveries were lost")));
            }
        }
    }

    /// Says the next lines of a sender in one `write`.
    fn say(&self, crowd: &mut Crowd, book: &mut Book, sender: usize, lines: usize) -> io::Result<()> {
        if lines == 0 {
            return Ok(());
        }
        let mut block = std::mem::take(&mut book.block);
        block.clear();
        let at = book.nanoseconds(now());
        for _ in 0..lines {
            let number = book.send(sender, at)?;
            let room = self.rooms.get(book.lines % self.rooms.len().max(1)).map(String::as_str);
            book.lines += 1;
            let stamp = Stamp { sender, number };
            match (crowd.dialect, room) {
                (Dialect::Reactions, Some(room)) => stamp.react(room, &mut block),
                (Dialect::Raw, _) => stamp.write(None, self.text, &mut block),
                _ => stamp.write(room, self.text, &mut block),
            }
        }
        crowd.say(sender, &block)?;
        book.block = block;
        Ok(())
    }
}

/// One line on its way.
#[derive(Debug, Clone, Copy, Default)]
struct Flight {
    /// Nanoseconds since the beginning, before its `write`.
    sent: u64,
    /// Members that have not got it.
    left: u32,
}

/// Who said what, and who has heard it.
struct Book {
    began: Instant,
    senders: usize,
    hearers: usize,
    /// Lines on their way, by sender and number; a ring for each sender.
    flights: Vec<Flight>,
    ring: usize,
    said: Vec<u32>,
    arrived: Vec<u32>,
    /// The number that each member has to hear next, of each sender.
    expected: Vec<u32>,
    deliveries: u64,
    /// Lines without a mark that were heard.
    strange: u64,
    gone: u64,
    lines: usize,
    latency: Spread,
    block: Vec<u8>,
}

impl Book {
    fn new(talk: &Talk, members: usize, began: Instant) -> Book {
        let (senders, hearers) = (talk.senders, talk.hearers.min(members));
        let ring = match talk.pace {
            Pace::InFlight(depth) => depth.next_power_of_two(),
            Pace::Every(_) => BEHIND,
        };
        Book {
            began,
            senders,
            hearers,
            flights: vec![Flight::default(); senders * ring],
            ring,
            said: vec![0; senders],
            arrived: vec![0; senders],
            expected: vec![0; senders * hearers],
            deliveries: 0,
            strange: 0,
            gone: 0,
            lines: 0,
            latency: Spread::default(),
            block: Vec::new(),
        }
    }

    fn nanoseconds(&self, at: Instant) -> u64 {
        at.saturating_duration_since(self.began).as_nanos() as u64
    }

    fn on_their_way(&self, sender: usize) -> usize {
        (self.said[sender] - self.arrived[sender]) as usize
    }

    fn silent(&self) -> bool {
        self.said == self.arrived
    }

    /// Deliveries that have not happened.
    fn missing(&self) -> u64 {
        self.flights.iter().map(|flight| u64::from(flight.left)).sum()
    }

    /// Enters a line that is about to be said, and returns its number.
    fn send(&mut self, sender: usize, at: u64) -> io::Result<u32> {
        if self.on_their_way(sender) >= self.ring {
            return Err(io::Error::other("the server is too slow for this pace"));
        }
        let number = self.said[sender];
        let others = (self.hearers - 1) as u32;
        self.flights[sender * self.ring + number as usize % self.ring] = Flight { sent: at, left: others };
        self.said[sender] += 1;
        Ok(number)
    }

    #[inline]
    fn hear(&mut self, member: usize, at: Instant, line: &[u8]) -> io::Result<()> {
        let Some(Stamp { sender, number }) = Stamp::of(line) else {
            self.strange += 1;
            self.gone += u64::from(memchr::memmem::find(line, b" QUIT ").is_some());
            return Ok(());
        };
        if sender >= self.senders || member >= self.hearers || sender == member {
            let line = String::from_utf8_lossy(line);
            return Err(io::Error::other(format!("member {member} heard what is not for it: {line}")));
        }
        let expected = &mut self.expected[member * self.senders + sender];
        if *expected != number || number >= self.said[sender] {
            let wrong = if number < *expected { "twice or late" } else { "before an earlier one" };
            return Err(io::Error::other(format!(
                "member {member} heard line {number} of {sender} {wrong}, {expected} was next"
            )));
        }
        *expected += 1;
        let at = at.saturating_duration_since(self.began).as_nanos() as u64;
        let flight = &mut self.flights[sender * self.ring + number as usize % self.ring];
        self.latency.add(at.saturating_sub(flight.sent));
        self.deliveries += 1;
        flight.left -= 1;
        if flight.left == 0 {
            self.arrived[sender] += 1;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three members of whom the first has said two lines.
    fn book() -> Book {
        let pace = Pace::InFlight(2);
        let talk = Talk { senders: 1, hearers: 3, rooms: Vec::new(), pace, text: 20 };
        let mut book = Book::new(&talk, 3, now());
        assert_eq!(book.send(0, 0).unwrap(), 0);
        assert_eq!(book.send(0, 0).unwrap(), 1);
        book
    }

    fn line(number: u32) -> Vec<u8> {
        let mut line = Vec::new();
        Stamp { sender: 0, number }.write(Some("#room"), 20, &mut line);
        line.pop();
        line
    }

    #[test]
    fn a_line_has_arrived_when_everybody_has_it() {
        let mut book = book();
        book.hear(1, now(), &line(0)).unwrap();
        assert_eq!(book.on_their_way(0), 2);
        book.hear(2, now(), &line(0)).unwrap();
        assert_eq!(book.on_their_way(0), 1);
        assert_eq!(book.missing(), 2);
    }

    #[test]
    fn what_is_doubled_misplaced_or_skipped_is_noticed() {
        let mut book = book();
        assert!(book.hear(1, now(), &line(1)).is_err(), "the first is missing");
        book.hear(1, now(), &line(0)).unwrap();
        assert!(book.hear(1, now(), &line(0)).is_err(), "twice");
        assert!(book.hear(0, now(), &line(0)).is_err(), "its own");
        book.hear(1, now(), &line(1)).unwrap();
        assert!(book.hear(1, now(), &line(2)).is_err(), "never said");
    }
}
