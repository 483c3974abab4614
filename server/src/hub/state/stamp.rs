//! Gives out message ids.

use crate::protocol::MsgId;
use crate::protocol::time::UnixMillis;

/// Milliseconds by which the clock may go back without more ado: times stand still for so long.
const SMALL_STEP: u64 = 1_000;
/// Where there are several servers, every so manyth id is the order's: those between are for what comes late.
const SHARED_STEP: u16 = 8;

/// Gives out message ids.
#[derive(Debug)]
pub(crate) struct Stamps {
    last: MsgId,
    /// The last one for what came late.
    late: MsgId,
    step: u16,
    /// The highest count within a millisecond.
    most: u16,
}

impl Stamps {
    /// `boot` and the numbers behind it, up to that of the next start, are this start's. `shared`: half of the ids
    /// of each millisecond are for what is beside the order of several servers.
    pub(crate) fn new(boot: u32, shared: bool) -> Stamps {
        let most = if shared { u16::MAX / 2 } else { u16::MAX };
        let step = if shared { SHARED_STEP } else { 1 };
        Stamps { last: MsgId { boot, ..MsgId::default() }, late: MsgId::default(), step, most }
    }

    /// Goes on behind this id.
    pub(crate) fn go_on_from(&mut self, last: MsgId) {
        self.last = last;
    }

    /// The last id given out.
    pub(crate) fn last(&self) -> MsgId {
        self.last
    }

    /// An id behind the last one and before the next, for what one server alone keeps behind all that it has
    /// kept; `None` if all of those are given out.
    pub(crate) fn late(&mut self) -> Option<MsgId> {
        let next = self.late.max(self.last).after();
        let free = next.boot == self.last.boot
            && next.millis == self.last.millis
            && next.count < self.last.count.saturating_add(self.step);
        free.then(|| {
            self.late = next;
            next
        })
    }

    /// An id later than all before, whatever the clock does.
    pub(crate) fn next(&mut self, now: UnixMillis) -> MsgId {
        let last = &mut self.last;
        let now = now.0.min(MsgId::MAX.millis);
        if now > last.millis {
            *last = MsgId { millis: now, count: 0, ..*last };
        } else if last.millis - now > SMALL_STEP
            && let boot = last.boot.saturating_add(1)
            && boot < last.next_boot()
        {
            *last = MsgId { boot, millis: now, count: 0 };
        } else if let Some(count) = last.count.checked_add(self.step).filter(|count| *count <= self.most) {
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
        let mut stamps = Stamps::new(3, false);
        let mut last = stamps.next(UnixMillis(1_000));
        let clock = [1_000, 1_001, 999, 0, 2_000].into_iter().chain(std::iter::repeat_n(2_000, 70_000));
        for now in clock {
            let id = stamps.next(UnixMillis(now));
            assert!(id > last && id.to_string() > last.to_string());
            last = id;
        }
        assert_eq!(last.to_string().len(), 23);
    }

    #[test]
    fn what_comes_late_has_ids_between_those_of_the_order() {
        let mut stamps = Stamps::new(3, true);
        let mut ids = vec![stamps.next(UnixMillis(1_000))];
        for now in [1_000, 1_000, 1_001] {
            ids.extend(std::iter::from_fn(|| stamps.late()));
            ids.push(stamps.next(UnixMillis(now)));
        }
        assert!(ids.len() == 4 + 3 * 7 && ids.is_sorted_by(|one, other| one < other), "{ids:?}");
        let alone = &mut Stamps::new(3, false);
        assert!(alone.next(UnixMillis(1_000)) < alone.next(UnixMillis(1_000)) && alone.late().is_none());
    }

    #[test]
    fn times_are_those_of_the_clock_however_often_it_steps_back() {
        let mut stamps = Stamps::new(3 * MsgId::STARTS, false);
        let mut last = MsgId::default();
        let highest = 4 * MsgId::STARTS - 1;
        for step in 0..2 * u64::from(MsgId::STARTS) {
            for now in [90_000_000 + step, 5_000_000 + step] {
                let id = stamps.next(UnixMillis(now));
                assert!(id > last, "{id} after {last}");
                assert!(id.millis == now || id.boot == highest, "{id} at {now}");
                last = id;
            }
        }
        assert_eq!(last.boot, highest, "the numbers behind are another start's");
    }
}
