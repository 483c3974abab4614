//! The lines that wait to be written to one connection: bounded, and written with as few system
//! calls as possible.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice, Write};

use crate::hub::Lines;

/// Lines that one system call writes at most.
const SLICES: usize = 64;
/// Places that an empty outbox keeps.
const KEPT: usize = 4;

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
    lines: VecDeque<Lines>,
    /// Bytes of the first line that are written already.
    written: usize,
    bytes: usize,
    /// The kernel takes no more: what waits may have to for long.
    blocked: bool,
    /// One system call a line: for raw clients, which take what one read gives for one message.
    pub(crate) singly: bool,
}

impl Outbox {
    pub(crate) fn push(&mut self, mut lines: Lines) {
        if self.blocked {
            lines.compact();
        }
        self.bytes += lines.len();
        self.lines.push_back(lines);
    }

    /// Bytes that wait.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
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
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    if !std::mem::replace(&mut self.blocked, true) {
                        self.lines.iter_mut().for_each(Lines::compact);
                    }
                    return Ok(Flushed::Blocked);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.blocked = false;
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
    use std::rc::Rc;

    use super::*;
    use crate::hub::Line;

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

    fn line(text: &str) -> Lines {
        Line::from(text.as_bytes()).into()
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
            assert!(outbox.bytes() == 0);
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

    #[test]
    fn who_reads_nothing_keeps_no_large_block_alive() {
        let block: Line = [b'x'; 4096].into();
        let weak = Rc::downgrade(&block);
        let mut outbox = Outbox::default();
        outbox.push(Lines::new(block, 5..9));
        assert_eq!(outbox.flush(Narrow { taken: Vec::new(), calls: 2, most: 1 }).unwrap(), Flushed::Blocked);
        assert!(weak.upgrade().is_none());
        let mut to = Narrow { taken: Vec::new(), calls: 0, most: 9 };
        assert_eq!(outbox.flush(&mut to).unwrap(), Flushed::All);
        assert_eq!(to.taken, b"xxxx");
    }
}
