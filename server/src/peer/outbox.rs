//! The lines that wait to be written to one connection: bounded, and written with as few system
//! calls as possible.

use std::collections::{HashMap, VecDeque};
use std::io::{self, ErrorKind, IoSlice, Write};

use crate::hub::Line;

/// Lines that one system call writes at most.
const SLICES: usize = 64;
/// Places that an empty outbox keeps.
const KEPT: usize = 4;
/// From so many lines on, it pays to look whether others get the same.
const SHARED: usize = 4;

/// The end of a flush.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Flushed {
    /// Everything is with the kernel.
    All,
    /// The kernel takes no more now.
    Blocked,
}

/// See the [module](self).
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    lines: VecDeque<Line>,
    /// Bytes of the first line that are written already.
    written: usize,
    bytes: usize,
    /// One system call a line: for raw clients, which take what one read gives for one message.
    pub(crate) singly: bool,
}

/// The lines of one turn: outboxes with the same lines get them in one piece, which is made once.
#[derive(Debug, Default)]
pub(crate) struct Blocks {
    made: HashMap<(usize, usize, usize), Block>,
}

#[derive(Debug)]
struct Block {
    lines: Box<[Line]>,
    /// Made when a second outbox has the same lines.
    whole: Option<Line>,
}

impl Blocks {
    /// The turn is over.
    pub(crate) fn clear(&mut self) {
        self.made.clear();
    }
}

impl Outbox {
    /// Puts one piece in the place of many lines, if another outbox had the same in this turn.
    pub(crate) fn share(&mut self, blocks: &mut Blocks) {
        let count = self.lines.len();
        if count < SHARED || self.written > 0 || self.singly {
            return;
        }
        let (Some(first), Some(last)) = (self.lines.front(), self.lines.back()) else { return };
        // Lines of a turn are shared, so the same line is in the same place; the rest is looked at.
        let key = (first.as_ptr() as usize, last.as_ptr() as usize, count);
        let Some(block) = blocks.made.get_mut(&key) else {
            let lines = self.lines.iter().cloned().collect();
            blocks.made.insert(key, Block { lines, whole: None });
            return;
        };
        if !block.lines.iter().zip(&self.lines).all(|(one, other)| Line::ptr_eq(one, other)) {
            return;
        }
        let whole = block.whole.get_or_insert_with(|| {
            let mut whole = Vec::with_capacity(self.bytes);
            block.lines.iter().for_each(|line| whole.extend_from_slice(line));
            whole.into()
        });
        self.lines.clear();
        self.lines.push_back(whole.clone());
    }

    pub(crate) fn push(&mut self, line: Line) {
        self.bytes += line.len();
        self.lines.push_back(line);
    }

    /// Bytes that wait.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// Gives up all that waits, but not the rest of a line that is half written.
    pub(crate) fn clear(&mut self) {
        self.lines.truncate(usize::from(self.written > 0));
        self.bytes = self.lines.front().map_or(0, |line| line.len() - self.written);
        self.lines.shrink_to_fit();
    }

    /// Writes as much as the kernel takes.
    pub(crate) fn flush(&mut self, mut to: impl Write) -> io::Result<Flushed> {
        while self.bytes > 0 {
            let result = match (self.lines.front(), self.lines.len()) {
                (Some(first), 1) => to.write(first.get(self.written..).unwrap_or_default()),
                (Some(first), _) if self.singly => to.write(first.get(self.written..).unwrap_or_default()),
                _ => {
                    let mut slices = [IoSlice::new(&[]); SLICES];
                    let mut count = 0;
                    for (slice, line) in slices.iter_mut().zip(&self.lines) {
                        let skip = if count == 0 { self.written } else { 0 };
                        *slice = IoSlice::new(line.get(skip..).unwrap_or_default());
                        count += 1;
                    }
                    to.write_vectored(&slices[..count])
                }
            };
            match result {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(count) => self.advance(count),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Flushed::Blocked),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        if self.lines.capacity() > KEPT {
            self.lines.shrink_to(KEPT);
        }
        Ok(Flushed::All)
    }

    fn advance(&mut self, mut count: usize) {
        self.bytes -= count;
        while let Some(first) = self.lines.front() {
            let rest = first.len() - self.written;
            if count < rest {
                self.written += count;
                return;
            }
            count -= rest;
            self.written = 0;
            self.lines.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes a few bytes at a time, then blocks.
    struct Narrow {
        taken: Vec<u8>,
        calls: usize,
        most: usize,
    }

    impl Write for Narrow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.calls += 1;
            if self.calls.is_multiple_of(3) {
                return Err(ErrorKind::WouldBlock.into());
            }
            let count = bytes.len().min(self.most);
            self.taken.extend_from_slice(&bytes[..count]);
            Ok(count)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn line(text: &str) -> Line {
        text.as_bytes().into()
    }

    #[test]
    fn nothing_is_lost_or_doubled_however_little_is_taken() {
        for most in 1..9 {
            let mut to = Narrow { taken: Vec::new(), calls: 0, most };
            let mut outbox = Outbox::default();
            for i in 0..200 {
                outbox.push(line(&format!("line {i}\n")));
            }
            let whole: String = (0..200).map(|i| format!("line {i}\n")).collect();
            assert_eq!(outbox.bytes(), whole.len());
            while outbox.flush(&mut to).unwrap() == Flushed::Blocked {}
            assert_eq!(String::from_utf8(to.taken).unwrap(), whole);
            assert!(outbox.is_empty());
        }
    }

    #[test]
    fn who_gets_the_same_gets_it_in_one_piece() {
        let lines: Vec<Line> = (0..9).map(|i| line(&format!("line {i}\n"))).collect();
        let mut blocks = Blocks::default();
        let all = |_: &usize| true;
        let without = |own: usize| move |i: &usize| *i != own;
        let mut outboxes: Vec<(Outbox, String)> = Vec::new();
        let mut add = |wanted: &dyn Fn(&usize) -> bool| {
            let mut outbox = Outbox::default();
            let chosen: Vec<&Line> = (0..9).filter(wanted).map(|i| &lines[i]).collect();
            chosen.iter().for_each(|line| outbox.push(Line::clone(line)));
            let text = chosen.iter().map(|line| String::from_utf8_lossy(line)).collect();
            outbox.share(&mut blocks);
            outboxes.push((outbox, text));
        };
        // The middle differs where first, last and number are the same.
        let wanted: [&dyn Fn(&usize) -> bool; 6] = [&all, &all, &without(3), &without(4), &without(3), &all];
        wanted.iter().for_each(|wanted| add(wanted));
        let pieces: Vec<usize> = outboxes.iter().map(|(outbox, _)| outbox.lines.len()).collect();
        assert_eq!(pieces, [9, 1, 8, 8, 1, 1]);
        for (mut outbox, text) in outboxes {
            let mut to = Narrow { taken: Vec::new(), calls: 0, most: 5 };
            assert_eq!(outbox.bytes(), text.len());
            while outbox.flush(&mut to).unwrap() == Flushed::Blocked {}
            assert_eq!(String::from_utf8(to.taken).unwrap(), text);
        }
    }

    #[test]
    fn what_is_half_written_stays_whole() {
        let mut to = Narrow { taken: Vec::new(), calls: 1, most: 3 };
        let mut outbox = Outbox::default();
        outbox.push(line("first\n"));
        outbox.push(line("second\n"));
        assert_eq!(outbox.flush(&mut to).unwrap(), Flushed::Blocked);
        outbox.clear();
        outbox.push(line("last\n"));
        while outbox.flush(&mut to).unwrap() == Flushed::Blocked {}
        assert_eq!(to.taken, b"first\nlast\n");
    }
}
