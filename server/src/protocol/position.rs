//! A place in the log that several servers share.

use std::fmt;

/// The id of an entry of a stream, as Redis and Valkey count them; the default, 0-0, is before the first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Milliseconds since 1970 of the engine's clock, or later where it went back.
    pub millis: u64,
    /// Counts the entries of one millisecond.
    pub count: u64,
}

impl Position {
    /// Reads `millis-count`, both in digits; `None` for anything else.
    pub fn parse(text: &[u8]) -> Option<Position> {
        let (millis, count) = std::str::from_utf8(text).ok()?.split_once('-')?;
        // `u64` would take a sign.
        let number = |text: &str| text.parse().ok().filter(|_| text.bytes().all(|b| b.is_ascii_digit()));
        Some(Position { millis: number(millis)?, count: number(count)? })
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.millis, self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_the_same_and_nothing_else_is_read() {
        let position = Position { millis: 1_700_000_000_000, count: u64::MAX };
        assert_eq!(Position::parse(position.to_string().as_bytes()), Some(position));
        assert_eq!(Position::parse(b"0-0"), Some(Position::default()));
        for text in ["", "-", "1", "1-", "-1", "+1-1", "1-+1", "1-1-1", "a-1", "18446744073709551616-0"] {
            assert_eq!(Position::parse(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn the_later_is_the_greater() {
        let at = |millis, count| Position { millis, count };
        assert!(at(9, 0) < at(10, 0) && at(10, 2) < at(10, 10) && Position::default() < at(0, 1));
    }
}
