//! Message ids: unique, and in the order of time.

use std::fmt;

use super::time::UnixMillis;

/// The id of one event (IRCv3 message-ids): sorts as the events happened, across restarts and
/// clock steps; the time in it is that of the clock.
///
/// On the wire 23 hexadecimal digits: eight of the boot number, eleven of milliseconds since
/// 1970, four that count events within a millisecond. They sort as strings, too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MsgId {
    /// Higher at each start of the server, then a multiple of [`STARTS`](Self::STARTS), and after each step
    /// back of its clock.
    pub boot: u32,
    /// Since 1970; at most 44 bits.
    pub millis: u64,
    /// Events before it in the same millisecond.
    pub count: u16,
}

impl MsgId {
    /// Digits on the wire.
    const DIGITS: usize = 23;

    /// From the boot number of one start of the server to that of the next.
    pub const STARTS: u32 = 256;

    /// After every id.
    pub const MAX: MsgId = MsgId { boot: u32::MAX, millis: (1 << 44) - 1, count: u16::MAX };

    /// Reads an id as [`Display`](fmt::Display) writes it; `None` for anything else.
    pub fn parse(text: &str) -> Option<MsgId> {
        let sound = text.len() == Self::DIGITS
            && text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'a'..=b'f'));
        if !sound {
            return None;
        }
        Some(MsgId {
            boot: u32::from_str_radix(text.get(..8)?, 16).ok()?,
            millis: u64::from_str_radix(text.get(8..19)?, 16).ok()?,
            count: u16::from_str_radix(text.get(19..)?, 16).ok()?,
        })
    }

    /// The last id that is before this one; the first of all stays.
    pub fn before(self) -> MsgId {
        if let Some(count) = self.count.checked_sub(1) {
            return MsgId { count, ..self };
        }
        match (self.millis.checked_sub(1), self.boot.checked_sub(1)) {
            (Some(millis), _) => MsgId { millis, count: u16::MAX, ..self },
            (None, Some(boot)) => MsgId { boot, ..MsgId::MAX },
            (None, None) => self,
        }
    }

    /// The first id that is after this one; [`MsgId::MAX`] stays.
    pub fn after(self) -> MsgId {
        if let Some(count) = self.count.checked_add(1) {
            return MsgId { count, ..self };
        }
        if self.millis < MsgId::MAX.millis {
            return MsgId { millis: self.millis + 1, count: 0, ..self };
        }
        self.boot.checked_add(1).map_or(self, |boot| MsgId { boot, ..MsgId::default() })
    }

    /// The start of the server that gave it out.
    pub fn start(self) -> u32 {
        self.boot / Self::STARTS
    }

    /// The boot number of the start after this id's.
    pub fn next_boot(self) -> u32 {
        self.start().saturating_add(1).saturating_mul(Self::STARTS)
    }

    /// The time of the event, as its `time` tag says.
    pub fn time(self) -> UnixMillis {
        UnixMillis(self.millis)
    }
}

impl fmt::Display for MsgId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}{:011x}{:04x}", self.boot, self.millis, self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_parses_back() {
        for id in [MsgId::default(), MsgId::MAX, MsgId { boot: 7, millis: 1_795_214_096_007, count: 3 }] {
            assert_eq!(MsgId::parse(&id.to_string()), Some(id));
        }
    }

    #[test]
    fn nothing_lies_between_an_id_and_the_one_before() {
        for (id, before) in [
            (MsgId { boot: 1, millis: 5, count: 3 }, MsgId { boot: 1, millis: 5, count: 2 }),
            (MsgId { boot: 1, millis: 5, count: 0 }, MsgId { boot: 1, millis: 4, count: u16::MAX }),
            (MsgId { boot: 1, millis: 0, count: 0 }, MsgId { boot: 0, ..MsgId::MAX }),
            (MsgId::default(), MsgId::default()),
        ] {
            assert_eq!(id.before(), before);
            if id != before {
                assert_eq!(before.after(), id);
            }
        }
    }

    #[test]
    fn the_last_id_stays() {
        assert_eq!(MsgId::MAX.after(), MsgId::MAX);
    }

    #[test]
    fn anything_else_is_no_id() {
        let id = MsgId::MAX.to_string();
        let upper = id.to_uppercase();
        for text in [
            "",
            "abc",
            &upper,
            &id[1..],
            &format!("{id}0"),
            "0000000é00000000000000",
            "+0000007+0000000000+003",
        ] {
            assert_eq!(MsgId::parse(text), None, "{text}");
        }
    }
}
