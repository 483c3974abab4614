//! The mark at the end of each measured line: who sent it, and as which of its lines.
//! Fixed in width, so that a reader looks at twelve digits and parses nothing else.

use std::fmt;

/// Bytes of a mark: `~`, four digits of the sender, eight of the line's number.
pub(crate) const MARK: usize = 13;
/// Bytes that IRC adds to a text on its way to another member: prefix, command, room. Servers
/// without a protocol get longer texts instead, so that all write lines of about one length.
const WRAPPING: usize = 56;

/// Who sent a line, and as which of its lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) sender: usize,
    pub(crate) number: u32,
}

impl Stamp {
    /// Reads the mark of a line, or of a reaction at the end of its tags; `None` for lines that are not measured.
    /// `line` ends before LF.
    #[inline]
    pub(crate) fn of(line: &[u8]) -> Option<Stamp> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let tags = || line.get(..memchr::memchr(b' ', line.strip_prefix(b"@")?)? + 1);
        Stamp::at_end(line).or_else(|| Stamp::at_end(tags()?))
    }

    #[inline]
    fn at_end(of: &[u8]) -> Option<Stamp> {
        let (_, mark) = of.split_last_chunk::<MARK>()?;
        if mark[0] != b'~' {
            return None;
        }
        let digits = |digits: &[u8]| {
            digits.iter().try_fold(0_u32, |sum, digit| {
                let digit = digit.wrapping_sub(b'0');
                (digit < 10).then_some(sum * 10 + u32::from(digit))
            })
        };
        Some(Stamp { sender: digits(&mark[1..5])? as usize, number: digits(&mark[5..])? })
    }

    /// Appends a line to say in a room, of `text` bytes; without a room raw.
    pub(crate) fn write(self, room: Option<&str>, text: usize, to: &mut Vec<u8>) {
        let padding = match room {
            Some(room) => {
                to.extend_from_slice(b"PRIVMSG ");
                to.extend_from_slice(room.as_bytes());
                to.extend_from_slice(b" :");
                text
            }
            None => text + WRAPPING,
        };
        to.resize(to.len() + padding.saturating_sub(MARK), b'x');
        to.extend_from_slice(format!("{self}\r\n").as_bytes());
    }

    /// Appends a reaction in a room, to an id of the usual length.
    pub(crate) fn react(self, room: &str, to: &mut Vec<u8>) {
        let reaction = format!("@+draft/react=👍;+draft/reply=d61806001a{self} TAGMSG {room}\r\n");
        to.extend_from_slice(reaction.as_bytes());
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "~{:04}{:08}", self.sender, self.number % 100_000_000)
    }
}

/// Bytes of a raw line with `text` bytes of talk, CR LF included.
pub(crate) fn raw_length(text: usize) -> usize {
    text + WRAPPING + 2
}
