//! Line framing: a stream of bytes becomes blocks of whole lines.

use std::fmt;

use memchr::{memchr, memrchr};

use super::leniency::Leniency;

/// Bytes of a message without its tags, CR LF included (RFC 1459 §2.3).
pub const MAX_BODY: usize = 512;
/// Bytes of what a client may send as tags, with the leading `@` and the closing space
/// (IRCv3 message-tags: 4094 bytes of tag data).
pub const MAX_CLIENT_TAGS: usize = 4096;
/// Bytes that may arrive at a server without a line end before the connection is closed.
pub const MAX_UNFINISHED: usize = 8192;

/// Why a stream cannot be read on: its peer is told and closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FramingError {
    /// More bytes without a line end than may be.
    NoLineEnd {
        /// How many may be.
        max: usize,
    },
    /// A NUL byte, which no line may hold (RFC 1459 §2.3.1).
    Nul,
}

impl fmt::Display for FramingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FramingError::NoLineEnd { max } => write!(f, "More than {} KiB without a line end", max / 1024),
            FramingError::Nul => f.write_str("A line holds a NUL byte"),
        }
    }
}

impl std::error::Error for FramingError {}

/// Collects bytes until a line is whole. Holds memory only while a line is unfinished.
#[derive(Debug, Default)]
pub struct Framer {
    unfinished: Vec<u8>,
    leniency: Leniency,
    /// The line is too long, and its end is still to come.
    cut: bool,
}

impl Framer {
    /// A framer at the beginning of a stream; the default is strict.
    pub fn new(leniency: Leniency) -> Framer {
        Framer { unfinished: Vec::new(), leniency, cut: false }
    }

    /// Takes received bytes and returns all lines that are whole now, as one block that ends
    /// with LF, if there is any. Strictly an error ends the stream behind these lines; leniently
    /// a NUL is none, and after the other one the stream goes on, with the line cut.
    pub fn push(&mut self, bytes: &[u8]) -> (Option<Box<[u8]>>, Result<(), FramingError>) {
        let lenient = self.leniency == Leniency::Lenient;
        let bytes = match memchr(b'\n', bytes) {
            Some(end) if self.cut => &bytes[end..],
            None if self.cut => return (None, Ok(())),
            _ => bytes,
        };
        self.cut = false;
        let (sound, nul) = match memchr(0, bytes).filter(|_| !lenient) {
            Some(at) => (&bytes[..at], true),
            None => (bytes, false),
        };
        let mut block = Vec::new();
        if let Some(last) = memrchr(b'\n', sound) {
            let (whole, rest) = sound.split_at(last + 1);
            block = std::mem::take(&mut self.unfinished);
            block.extend_from_slice(whole);
            self.unfinished.extend_from_slice(rest);
        } else {
            self.unfinished.extend_from_slice(sound);
        }
        let max = self.leniency.max_unfinished();
        let mut result = if nul { Err(FramingError::Nul) } else { Ok(()) };
        if self.unfinished.len() > max {
            result = Err(FramingError::NoLineEnd { max });
            if lenient {
                self.unfinished.truncate(max);
                self.cut = true;
            }
        }
        // A line that came at once is too long as well as one that came in parts.
        let mut start = 0;
        while let Some(length) = memchr(b'\n', &block[start..]) {
            if length > max {
                result = Err(FramingError::NoLineEnd { max });
                if !lenient {
                    block.truncate(start);
                    break;
                }
                block.drain(start + max..start + length);
            }
            start += length.min(max) + 1;
        }
        ((!block.is_empty()).then(|| block.into_boxed_slice()), result)
    }

    /// What was received after the last line end.
    pub fn unfinished(&self) -> &[u8] {
        &self.unfinished
    }

    /// Gives up what was received after the last line end.
    pub fn take_unfinished(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.unfinished)
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
        assert_eq!(framer.push(b"PING 1\r"), (None, Ok(())));
        let (block, _) = framer.push(b"\nPING 2\nPI");
        assert_eq!(lines(&block.unwrap()).collect::<Vec<_>>(), [&b"PING 1"[..], b"PING 2"]);
        let (block, _) = framer.push(b"NG 3\n");
        assert_eq!(lines(&block.unwrap()).collect::<Vec<_>>(), [&b"PING 3"[..]]);
        assert!(framer.take_unfinished().is_empty());
    }

    #[test]
    fn a_stream_without_line_ends_is_refused_however_it_is_cut() {
        for cut in [1, 7, 4096, 8192] {
            let mut framer = Framer::default();
            let mut last = Ok(());
            for chunk in vec![b'x'; MAX_UNFINISHED + 1].chunks(cut) {
                last = framer.push(chunk).1;
            }
            assert_eq!(last, Err(FramingError::NoLineEnd { max: MAX_UNFINISHED }), "cut {cut}");
        }
        let mut whole = b"PING 1\n".to_vec();
        whole.resize(whole.len() + MAX_UNFINISHED + 1, b'x');
        whole.extend_from_slice(b"\nPING 2\n");
        let (block, result) = Framer::default().push(&whole);
        let error = FramingError::NoLineEnd { max: MAX_UNFINISHED };
        assert_eq!((block.as_deref(), result), (Some(&b"PING 1\n"[..]), Err(error)));
        assert_eq!(error.to_string(), "More than 8 KiB without a line end");
        let (_, result) = Framer::new(Leniency::Lenient).push(&whole);
        assert_eq!(result, Ok(()), "a client takes more");
    }

    #[test]
    fn a_client_takes_a_line_that_is_too_long_cut_and_reads_on() {
        let max = Leniency::Lenient.max_unfinished();
        let stream = [b"a\0b\n", &vec![b'x'; 3 * max][..], b"\nPING 2\n"].concat();
        for cut in [1, 1000, max, stream.len()] {
            let mut framer = Framer::new(Leniency::Lenient);
            let (mut got, mut told) = (Vec::new(), false);
            for chunk in stream.chunks(cut) {
                let (block, result) = framer.push(chunk);
                got.extend_from_slice(block.as_deref().unwrap_or_default());
                told |= result.is_err();
                assert!(framer.unfinished().len() <= max);
            }
            let lines: Vec<&[u8]> = lines(&got).collect();
            assert_eq!(
                (lines.len(), lines[0], lines[2], told),
                (3, &b"a\0b"[..], &b"PING 2"[..], true),
                "{cut}"
            );
            assert!((max - 1..=max).contains(&lines[1].len()), "{cut}");
        }
    }

    #[test]
    fn a_nul_is_refused_and_what_stood_before_it_is_not() {
        let (block, result) = Framer::default().push(b"PING 1\nhi\0\nPING 2\n");
        assert_eq!((block.as_deref(), result), (Some(&b"PING 1\n"[..]), Err(FramingError::Nul)));
    }
}
