//! Flood control: a reader that brings too much is delayed, nothing is dropped.
//!
//! A line is paid for twice: by its connection, and by the party that the connection belongs to
//! (an address), whose bucket outlives its connections.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use crate::hub::{party, party_size};

/// Lines that one connection may send at once.
const BURST: f64 = 20.0;
/// Bytes that count as one line.
const LINE: usize = 512;
/// The longest wait before the next line, in seconds, whatever the last one cost: a program that hears
/// nothing for longer takes the server for gone. Debts beyond are forgiven.
const LONGEST: f64 = 10.0;
/// Parties whose buckets are not full. Whoever connects or sends fills the table. Beyond, those that
/// come share one bucket.
const MAX_PARTIES: usize = 16 * 1024;

/// The number of lines that may come now, refilled at a rate: all of it is the time when it is full
/// again (the generic cell rate algorithm, ITU-T I.371).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bucket(Instant);

/// The size of a bucket.
#[derive(Debug, Clone, Copy)]
struct Size {
    /// A second.
    rate: f64,
    burst: f64,
}

impl Bucket {
    pub(crate) fn full(now: Instant) -> Bucket {
        Bucket(now)
    }

    /// Takes so much, into debt where it is not there; says how long to wait for it.
    fn take(&mut self, cost: f64, size: Size, now: Instant) -> Duration {
        let burst = size.burst / size.rate;
        let used = self.0.saturating_duration_since(now).as_secs_f64() + cost / size.rate;
        let used = used.min(burst + LONGEST);
        self.0 = now + Duration::from_secs_f64(used);
        Duration::from_secs_f64((used - burst).max(0.0))
    }

    fn is_full(self, now: Instant) -> bool {
        self.0 <= now
    }
}

/// The flood control of a server.
#[derive(Debug)]
pub(crate) struct Flood {
    /// Lines a second from one connection.
    rate: NonZeroU32,
    /// People of one party, where the operator says so.
    people: Option<usize>,
    parties: RefCell<Parties>,
}

impl Flood {
    pub(crate) fn new(rate: NonZeroU32, people: Option<usize>, now: Instant) -> Flood {
        Flood { rate, people, parties: RefCell::new(Parties::new(now)) }
    }

    /// Takes one line of so many bytes; says how long to wait before it may go on.
    pub(crate) fn line(&self, ip: IpAddr, own: &Cell<Bucket>, bytes: usize, now: Instant) -> Duration {
        self.take(ip, own, bytes.div_ceil(LINE).max(1) as f64, now)
    }

    /// Takes what a command cost beyond its own line: whatever comes next waits for it.
    pub(crate) fn charge(&self, ip: IpAddr, own: &Cell<Bucket>, lines: u32, now: Instant) {
        self.take(ip, own, f64::from(lines), now);
    }

    fn take(&self, ip: IpAddr, own: &Cell<Bucket>, cost: f64, now: Instant) -> Duration {
        let rate = f64::from(self.rate.get());
        let mut bucket = own.get();
        let alone = bucket.take(cost, Size { rate, burst: BURST }, now);
        own.set(bucket);
        let people = self.people.unwrap_or_else(|| party_size(ip)) as f64;
        let size = Size { rate: rate * people, burst: BURST * people };
        alone.max(self.parties.borrow_mut().of(party(ip), now).take(cost, size, now))
    }
}

/// The buckets of all parties; one that is full needs no place.
#[derive(Debug)]
struct Parties {
    buckets: HashMap<IpAddr, Bucket>,
    /// The number at which those that are full are thrown out.
    sweep_at: usize,
    /// The time before which a full table is not swept again.
    sweep_after: Instant,
    /// The bucket of those who find no place.
    others: Bucket,
}

impl Parties {
    const FEW: usize = 64;

    fn new(now: Instant) -> Parties {
        let others = Bucket::full(now);
        Parties { buckets: HashMap::new(), sweep_at: Self::FEW, sweep_after: now, others }
    }

    fn of(&mut self, party: IpAddr, now: Instant) -> &mut Bucket {
        if self.buckets.len() >= self.sweep_at && now >= self.sweep_after {
            self.buckets.retain(|_, bucket| !bucket.is_full(now));
            self.sweep_at = (self.buckets.len() * 2).clamp(Self::FEW, MAX_PARTIES);
            self.sweep_after = now + Duration::from_secs(1);
            self.buckets.shrink_to(self.sweep_at);
        }
        if self.buckets.len() >= MAX_PARTIES && !self.buckets.contains_key(&party) {
            return &mut self.others;
        }
        self.buckets.entry(party).or_insert(Bucket::full(now))
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "any moment will do as the first")]
mod tests {
    use super::*;

    fn flood(rate: u32, now: Instant) -> Flood {
        Flood::new(NonZeroU32::new(rate).unwrap(), None, now)
    }

    const FAR: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 9));

    #[test]
    fn a_burst_then_the_rate() {
        let start = Instant::now();
        let (flood, own) = (flood(5, start), Cell::new(Bucket::full(start)));
        for _ in 0..20 {
            assert_eq!(flood.line(FAR, &own, 10, start), Duration::ZERO);
        }
        let wait = flood.line(FAR, &own, 10, start);
        assert_eq!(wait, Duration::from_millis(200));
        assert_eq!(flood.line(FAR, &own, 1500, start + wait), Duration::from_millis(600));
        assert_eq!(flood.line(FAR, &own, 10, start + Duration::from_secs(60)), Duration::ZERO);
    }

    #[test]
    fn new_connections_of_a_party_bring_it_no_new_burst() {
        let start = Instant::now();
        let flood = flood(5, start);
        let burst = |ip: IpAddr| {
            let free = |_: &u32| flood.line(ip, &Cell::new(Bucket::full(start)), 10, start).is_zero();
            (0..).take_while(free).count()
        };
        assert_eq!(burst(FAR), 16 * 20);
        assert_eq!(burst(FAR), 0);
        assert_eq!(burst("203.0.113.10".parse().unwrap()), 16 * 20, "another party");
        assert_eq!(burst("192.168.1.4".parse().unwrap()), 64 * 20, "a classroom");
    }

    #[test]
    fn what_a_command_costs_beyond_its_line_is_waited_for_but_not_for_ever() {
        let start = Instant::now();
        let (flood, own) = (flood(5, start), Cell::new(Bucket::full(start)));
        flood.charge(FAR, &own, 24, start);
        assert_eq!(flood.line(FAR, &own, 10, start), Duration::from_secs(1));
        flood.charge(FAR, &own, u32::MAX, start);
        assert_eq!(flood.line(FAR, &own, 10, start), Duration::from_secs(10));
        let own = Cell::new(Bucket::full(start));
        assert_eq!(flood.line(FAR, &own, 10, start), Duration::from_secs(10), "on a new connection");
    }

    #[test]
    fn a_full_table_frees_nobody() {
        let start = Instant::now();
        let mut parties = Parties::new(start);
        let size = Size { rate: 1.0, burst: 1.0 };
        let address = |number: usize| IpAddr::from((number as u32 + 1).to_be_bytes());
        for number in 0..MAX_PARTIES + 10 {
            parties.of(address(number), start).take(1.0, size, start);
        }
        assert_eq!(parties.buckets.len(), MAX_PARTIES);
        assert!(!parties.of(address(0), start).is_full(start));
        assert!(!parties.of(address(MAX_PARTIES + 99), start).is_full(start), "shared by the others");
        let later = start + Duration::from_secs(2);
        assert!(parties.of(address(MAX_PARTIES), later).is_full(later));
        assert_eq!(parties.buckets.len(), 1, "full ones need no place");
    }
}
