//! Message ids: unique, and in the order of time.

use std::fmt;

use crate::protocol::time::UnixMillis;

/// The id of one event: sorts as the events happened, across restarts and clock steps.
///
/// On the wire 23 hexadecimal digits: eight of the boot number, eleven of milliseconds since
/// 1970, four that count events within a millisecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct MsgId {
    boot: u32,
    millis: u64,
    count: u16,
}

impl MsgId {
    /// The time of the event, as its `time` tag says.
    pub(super) fn time(self) -> UnixMillis {
        UnixMillis(self.millis)
    }
}

impl fmt::Display for MsgId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}{:011x}{:04x}", self.boot, self.millis, self.count)
    }
}

/// Gives out message ids.
#[derive(Debug)]
pub(super) struct Stamps {
    last: MsgId,
}

impl Stamps {
    pub(super) fn new(boot: u32) -> Stamps {
        Stamps { last: MsgId { boot, millis: 0, count: 0 } }
    }

    /// The last id given out.
    pub(super) fn last(&self) -> MsgId {
        self.last
    }

    /// An id later than all before, whatever the clock does.
    pub(super) fn next(&mut self, now: UnixMillis) -> MsgId {
        let last = &mut self.last;
        if now.0 > last.millis {
            *last = MsgId { millis: now.0, count: 0, ..*last };
        } else if let Some(count) = last.count.checked_add(1) {
            last.count = count;
        } else {
            *last = MsgId { millis: last.millis + 1, count: 0, ..*last };
        }
        *last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_rise_whatever_the_clock_does() {
        let mut stamps = Stamps::new(3);
        let mut last = stamps.next(UnixMillis(1_000));
        let clock = [1_000, 1_001, 999, 0, 2_000].into_iter().chain(std::iter::repeat_n(2_000, 70_000));
        for now in clock {
            let id = stamps.next(UnixMillis(now));
            assert!(id > last && id.to_string() > last.to_string());
            last = id;
        }
        assert_eq!(last.to_string().len(), 23);
    }
}
