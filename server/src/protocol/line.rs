//! Line framing: a stream of bytes becomes blocks of whole lines.

use std::fmt;

use memchr::{memchr, memrchr};

/// Bytes of a message without its tags, CR LF included (RFC 1459 §2.3).
pub const MAX_BODY: usize = 512;
/// Bytes of what a client may send as tags, with the leading `@` and the closing space
/// (IRCv3 message-tags: 4094 bytes of tag data).
pub const MAX_CLIENT_TAGS: usize = 4096;
/// Bytes that may arrive without a line end before the connection is closed.
pub const MAX_UNFINISHED: usize = 8192;

/// Why a stream cannot be read on: its peer is told and closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FramingError {
    /// More than [`MAX_UNFINISHED`] bytes without a line end.
    NoLineEnd,
    /// A NUL byte, which no line may hold (RFC 1459 §2.3.1).
    Nul,
}

impl fmt::Display for FramingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FramingError::NoLineEnd => "More than 8 KiB without a line end",
            FramingError::Nul => "A line holds a NUL byte",
        })
    }
}

impl std::error::Error for FramingError {}

/// Collects bytes until a line is whole. Holds memory only while a line is unfinished.
#[derive(Debug, Default)]
pub struct Framer {
    unfinished: Vec<u8>,
}

impl Framer {
    /// Takes received bytes and returns all lines that are whole now, as one block that ends
    /// with LF; `None` while not one is whole.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Option<Box<[u8]>>, FramingError> {
        if memchr(0, bytes).is_some() {
            return Err(FramingError::Nul);
        }
        let Some(last) = memrchr(b'\n', bytes) else {
            self.unfinished.extend_from_slice(bytes);
            return self.check().map(|()| None);
        };
        let (whole, rest) = bytes.split_at(last + 1);
        let mut block = std::mem::take(&mut self.unfinished);
        block.extend_from_slice(whole);
        if lines(&block).any(|line| line.len() > MAX_UNFINISHED) {
            return Err(FramingError::NoLineEnd);
        }
        self.unfinished.extend_from_slice(rest);
        self.check()?;
        Ok(Some(block.into_boxed_slice()))
    }

    /// What was received after the last line end.
    pub fn unfinished(&self) -> &[u8] {
        &self.unfinished
    }

    /// Gives up what was received after the last line end.
    pub fn take_unfinished(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.unfinished)
    }

    fn check(&self) -> Result<(), FramingError> {
        if self.unfinished.len() > MAX_UNFINISHED { Err(FramingError::NoLineEnd) } else { Ok(()) }
    }
}

/// The lines of a block, each without its LF or CR LF.
pub fn lines(block: &[u8]) -> Lines<'_> {
    Lines { rest: block }
}

/// See [`lines`].
#[derive(Debug, Clone)]
pub struct Lines<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        let (line, rest) = match memchr(b'\n', self.rest) {
            Some(end) => (&self.rest[..end], &self.rest[end + 1..]),
            None => (self.rest, &[][..]),
        };
        self.rest = rest;
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lf_and_crlf_both_end_a_line() {
        let mut framer = Framer::default();
        assert_eq!(framer.push(b"PING 1\r").unwrap(), None);
        let block = framer.push(b"\nPING 2\nPI").unwrap().unwrap();
        assert_eq!(lines(&block).collect::<Vec<_>>(), [&b"PING 1"[..], b"PING 2"]);
        let block = framer.push(b"NG 3\n").unwrap().unwrap();
        assert_eq!(lines(&block).collect::<Vec<_>>(), [&b"PING 3"[..]]);
        assert!(framer.unfinished().is_empty());
    }

    #[test]
    fn a_stream_without_line_ends_is_refused_however_it_is_cut() {
        for cut in [1, 7, 4096, 8192] {
            let mut framer = Framer::default();
            let mut last = Ok(None);
            for chunk in vec![b'x'; MAX_UNFINISHED + 1].chunks(cut) {
                last = framer.push(chunk);
            }
            assert_eq!(last, Err(FramingError::NoLineEnd), "cut {cut}");
        }
        let mut whole = vec![b'x'; MAX_UNFINISHED + 1];
        whole.push(b'\n');
        assert_eq!(Framer::default().push(&whole), Err(FramingError::NoLineEnd));
    }

    #[test]
    fn a_nul_is_refused() {
        assert_eq!(Framer::default().push(b"hi\0\n"), Err(FramingError::Nul));
    }
}
