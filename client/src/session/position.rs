//! The place of a line in the order of its server.

use std::fmt;

/// Hexadecimal digits of a msgid of our own kind of server: 8 of its boot number, 11 of the
/// time in milliseconds, 4 that count.
pub(super) const DIGITS: usize = 23;
/// Bytes that those digits pack into.
pub(super) const PACKED: usize = DIGITS.div_ceil(2);
/// Bits of the time and the count, below those of the boot number.
const BELOW_BOOT: u32 = 15 * 4;

/// A msgid of a server that says `parlor/MSGID=sorted`: they are in the order of its events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Position(u128);

impl Position {
    /// Reads 23 lower-case hexadecimal digits; anything else is another server's msgid.
    pub(super) fn parse(msgid: &str) -> Option<Position> {
        let sound = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
        if msgid.len() != DIGITS || !msgid.bytes().all(sound) {
            return None;
        }
        u128::from_str_radix(msgid, 16).ok().map(Position)
    }

    /// How often the server had started when it gave it.
    pub(super) fn boot(self) -> u64 {
        (self.0 >> BELOW_BOOT) as u64
    }

    /// The place directly after it.
    pub(super) fn after(self) -> Position {
        Position(self.0.saturating_add(1))
    }

    pub(super) fn pack(self) -> [u8; PACKED] {
        let mut packed = [0; PACKED];
        let bytes = self.0.to_be_bytes();
        packed.iter_mut().rev().zip(bytes.iter().rev()).for_each(|(to, from)| *to = *from);
        packed
    }

    pub(super) fn unpack(packed: &[u8]) -> Position {
        Position(packed.iter().fold(0, |value, byte| value << 8 | u128::from(*byte)))
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:0DIGITS$x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_written_as_they_are_read() {
        for msgid in ["00000000000000000000000", "0000000b018c2f3a4b5001f", "fffffffffffffffffffffff"] {
            let position = Position::parse(msgid).unwrap();
            assert_eq!(position.to_string(), msgid);
            assert_eq!(Position::unpack(&position.pack()), position);
        }
        assert_eq!(Position::parse("0000000b018c2f3a4b5001f").unwrap().boot(), 11);
        for other in ["", "0000000B018c2f3a4b5001f", "0000000b018c2f3a4b5001", "+000000b018c2f3a4b5001f"] {
            assert_eq!(Position::parse(other), None, "{other}");
        }
    }
}
