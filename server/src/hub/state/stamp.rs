//! Gives out message ids.

use crate::protocol::MsgId;
use crate::protocol::time::UnixMillis;

/// Gives out message ids.
#[derive(Debug)]
pub(crate) struct Stamps {
    last: MsgId,
}

impl Stamps {
    /// `millis`: no earlier time is given out, though the clock may say one.
    pub(crate) fn new(boot: u32, millis: u64) -> Stamps {
        Stamps { last: MsgId { boot, millis, count: 0 } }
    }

    /// The last id given out.
    pub(crate) fn last(&self) -> MsgId {
        self.last
    }

    /// An id later than all before, whatever the clock does.
    pub(crate) fn next(&mut self, now: UnixMillis) -> MsgId {
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
        let mut stamps = Stamps::new(3, 900);
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
