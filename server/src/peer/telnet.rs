//! Telnet's commands among what a person types (RFC 854): taken out. None is answered, so both sides
//! stay what they are without them.

use std::borrow::Cow;

/// Begins a command; twice, the byte itself.
const IAC: u8 = 255;
const SUBNEGOTIATION: u8 = 250;
const SUBNEGOTIATION_END: u8 = 240;
/// Bytes of a subnegotiation; what does not end within is text.
const LONGEST: u16 = 512;

/// The place in a stream of bytes, which may be cut anywhere.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum At {
    #[default]
    Text,
    Command,
    /// WILL, WON'T, DO or DON'T came, its option has not.
    Option,
    Inside(u16),
    /// IAC came inside of a subnegotiation.
    InsideCommand(u16),
    /// CR came: telnet writes CR NUL for it alone.
    Return,
}

/// See the [module](self).
#[derive(Debug, Default)]
pub(super) struct Telnet {
    at: At,
    /// A command came: it is a telnet program.
    seen: bool,
}

impl Telnet {
    /// Whether a command came: it is a telnet program.
    pub(super) fn is_seen(&self) -> bool {
        self.seen
    }

    /// The text among bytes.
    pub(super) fn strip<'a>(&mut self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        if !self.seen && self.at == At::Text && !bytes.contains(&IAC) {
            return Cow::Borrowed(bytes);
        }
        let mut text = Vec::with_capacity(bytes.len());
        for &byte in bytes {
            self.at = match (self.at, byte) {
                (At::Text | At::Return, IAC) => At::Command,
                (At::Return, 0) if self.seen => {
                    text.push(b'\n');
                    At::Text
                }
                (At::Text | At::Return, byte) => {
                    text.push(byte);
                    if byte == b'\r' { At::Return } else { At::Text }
                }
                (At::Command, 251..=254) => At::Option,
                (At::Command, SUBNEGOTIATION) => At::Inside(0),
                (At::Command, SUBNEGOTIATION_END..SUBNEGOTIATION) => At::Text,
                // The byte itself, or no telnet at all.
                (At::Command, byte) => {
                    text.push(IAC);
                    if byte != IAC {
                        text.push(byte);
                    }
                    At::Text
                }
                (At::Option, _) | (At::InsideCommand(_), SUBNEGOTIATION_END) => At::Text,
                (At::Inside(LONGEST..) | At::InsideCommand(LONGEST..), _) => At::Text,
                (At::Inside(length), IAC) => At::InsideCommand(length + 1),
                (At::Inside(length) | At::InsideCommand(length), _) => At::Inside(length + 1),
            };
            self.seen |= matches!(self.at, At::Option | At::Inside(_));
        }
        Cow::Owned(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], text: &[u8]) {
        for cut in 1..=bytes.len() {
            let mut telnet = Telnet::default();
            let mut read = Vec::new();
            for piece in bytes.chunks(cut) {
                read.extend_from_slice(&telnet.strip(piece));
            }
            assert_eq!(read, text, "{} cut {cut}", bytes.escape_ascii());
        }
    }

    #[test]
    fn commands_are_taken_out_however_they_are_cut() {
        check(b"bob\r\n", b"bob\r\n");
        // PuTTY: window size, speed, terminal; then the size itself, with a 255 in it.
        check(b"\xff\xfb\x1f\xff\xfb\x20\xff\xfb\x18bob\r\nhi\r\n", b"bob\r\nhi\r\n");
        check(b"h\xff\xfa\x1f\x00\xff\xff\x00\x18\xff\xf0i\r\n", b"hi\r\n");
        check(b"\xff\xf1h\xff\xf9i\n", b"hi\n");
        check(b"\xff\xfd\x01bob\r\0hi\r\0", b"bob\r\nhi\r\n");
        check(b"\xff\xfd\x01a\xff\xffb\n", b"a\xffb\n");
    }

    #[test]
    fn what_is_no_command_stays() {
        for text in [&b"\xffbackup\nhello\n"[..], b"caf\xe9\r\n", b"a\r\0b\n", b"\xff\n"] {
            check(text, text);
        }
        let endless = [b"\xff\xfa\x18".to_vec(), vec![b'x'; 600], b"\nhello\n".to_vec()].concat();
        let mut telnet = Telnet::default();
        let read = telnet.strip(&endless);
        assert!(read.ends_with(b"x\nhello\n"), "a person is not silenced by it");
    }
}
