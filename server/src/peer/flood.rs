//! Flood control: a reader that brings too much is delayed, nothing is dropped; who connects too often is
//! refused for some seconds; who fills the log is told of in sums.
//!
//! What somebody does is counted for their connection and for their [`party`]: that outlives
//! connections.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use async_channel::{Receiver, Sender};
use smol::Timer;

use crate::hub::{party, party_size};
use crate::protocol::sorted::sorted;

/// Lines that one connection may send at once.
const BURST: f64 = 20.0;
/// Bytes that count as one line.
const LINE: usize = 512;
/// The longest wait before the next line, in seconds, whatever the last one cost: a program that hears
/// nothing for longer takes the server for gone. Debts beyond are forgiven.
const LONGEST: f64 = 10.0;
/// New connections at once, for each of a party's people: all may come back, and try twice.
const ARRIVALS: f64 = 2.0;
/// Seconds in which each of them may connect once more.
const ARRIVE_EVERY: f64 = 10.0;
/// Longest time to come again after, in seconds: so many are asked to come one after the other.
const LAST_IN_LINE: f64 = 60.0;
/// Lines of the log in a minute for each of a party's people.
const LOG: f64 = 4.0;
/// The same for all parties together.
const LOG_ALL: Size = Size { rate: 2000.0 / 60.0, burst: 2000.0 };
/// Time after which the log says what was left out.
const FOLD: Duration = Duration::from_secs(60);
/// Parties that the log names then, those with the most lines; the others are added up.
const NAMED: usize = 10;
/// Parties that are not as if they had never been here. Whoever connects or sends fills the table.
/// Beyond, those that come are counted as one.
const MAX_PARTIES: usize = 16 * 1024;

/// What may come now, refilled at a rate: all of it is the time when it is full again (the generic cell
/// rate algorithm, ITU-T I.371).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bucket(Instant);

/// The size of a bucket.
#[derive(Debug, Clone, Copy)]
struct Size {
    /// A second.
    rate: f64,
    burst: f64,
}

impl Size {
    fn times(self, people: f64) -> Size {
        Size { rate: self.rate * people, burst: self.burst * people }
    }
}

impl Bucket {
    pub(crate) fn full(now: Instant) -> Bucket {
        Bucket(now)
    }

    /// Takes so much, into debt where it is not there, but at most so many seconds; says how long to
    /// wait for it.
    fn take(&mut self, cost: f64, size: Size, debt: f64, now: Instant) -> Duration {
        let burst = size.burst / size.rate;
        let used = self.0.saturating_duration_since(now).as_secs_f64() + cost / size.rate;
        let used = used.min(burst + debt);
        self.0 = now + Duration::from_secs_f64(used);
        Duration::from_secs_f64((used - burst).max(0.0))
    }

    /// Takes one, if it is there.
    fn try_take(&mut self, size: Size, now: Instant) -> bool {
        let before = *self;
        let taken = self.take(1.0, size, f64::INFINITY, now).is_zero();
        if !taken {
            *self = before;
        }
        taken
    }

    fn is_full(self, now: Instant) -> bool {
        self.0 <= now
    }
}

/// The flood control of a server.
#[derive(Debug)]
pub(crate) struct Flood {
    /// Lines a second from one connection.
    rate: Cell<NonZeroU32>,
    /// People of one party, where the operator says so.
    people: Cell<Option<usize>>,
    parties: RefCell<Parties>,
    /// Something is left out of the log.
    folded: (Sender<()>, Receiver<()>),
}

impl Flood {
    pub(crate) fn new(rate: NonZeroU32, people: Option<usize>, now: Instant) -> Flood {
        let parties = RefCell::new(Parties::new(now));
        Flood { rate: rate.into(), people: people.into(), parties, folded: async_channel::bounded(1) }
    }

    /// Other limits, from now on.
    pub(crate) fn limit(&self, rate: NonZeroU32, people: Option<usize>) {
        self.rate.set(rate);
        self.people.set(people);
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
        let one = Size { rate: f64::from(self.rate.get().get()), burst: BURST };
        let mut bucket = own.get();
        let alone = bucket.take(cost, one, LONGEST, now);
        own.set(bucket);
        let all = one.times(self.people(ip));
        alone.max(self.parties.borrow_mut().of(ip, now).lines.take(cost, all, LONGEST, now))
    }

    /// Counts a new connection, or says after how long it is to come again.
    pub(crate) fn arrive(&self, ip: IpAddr, now: Instant) -> Result<(), Duration> {
        let size = Size { rate: 1.0 / ARRIVE_EVERY, burst: ARRIVALS }.times(self.people(ip));
        let mut parties = self.parties.borrow_mut();
        let party = parties.of(ip, now);
        if party.arrivals.try_take(size, now) {
            return Ok(());
        }
        // One after the other: what they are told is no use to all of them at once.
        let one = Size { burst: 0.0, ..size };
        let first = party.line_up.is_full(now);
        let wait = party.line_up.take(1.0, one, LAST_IN_LINE, now);
        if first {
            log::info!("refused: {ip} (too many new connections)");
        } else {
            self.fold(party);
        }
        Err(wait)
    }

    /// Whether the log may tell of a party; what it may not is added up.
    pub(crate) fn may_log(&self, ip: IpAddr, now: Instant) -> bool {
        let people = LOG * self.people(ip);
        let size = Size { rate: people / 60.0, burst: people };
        let mut parties = self.parties.borrow_mut();
        let all = parties.log.try_take(LOG_ALL, now);
        let party = parties.of(ip, now);
        let may = all && party.log.try_take(size, now);
        if !may {
            self.fold(party);
        }
        may
    }

    fn fold(&self, party: &mut Party) {
        party.folded += 1;
        // One word is enough for all of them.
        let _ = self.folded.0.try_send(());
    }

    /// Says in the log, every minute in which there was some, what was left out of it.
    pub(crate) async fn sum_up(&self) {
        while self.folded.1.recv().await.is_ok() {
            Timer::after(FOLD).await;
            self.parties.borrow_mut().take_folded().into_iter().for_each(|line| log::info!("{line}"));
        }
    }

    fn people(&self, ip: IpAddr) -> f64 {
        self.people.get().unwrap_or_else(|| party_size(ip)) as f64
    }
}

/// What a party has done of late.
#[derive(Debug)]
struct Party {
    lines: Bucket,
    arrivals: Bucket,
    /// Those who were told to come again.
    line_up: Bucket,
    log: Bucket,
    /// Lines that the log has not.
    folded: u32,
}

impl Party {
    fn new(now: Instant) -> Party {
        let full = Bucket::full(now);
        Party { lines: full, arrivals: full, line_up: full, log: full, folded: 0 }
    }

    /// Whether it is as if it had never been here.
    fn is_calm(&self, now: Instant) -> bool {
        let buckets = [self.lines, self.arrivals, self.line_up, self.log];
        self.folded == 0 && buckets.into_iter().all(|bucket| bucket.is_full(now))
    }
}

/// All parties but those that are [calm](Party::is_calm).
#[derive(Debug)]
struct Parties {
    table: HashMap<IpAddr, Party>,
    /// The number at which those that have become calm are thrown out.
    sweep_at: usize,
    /// The time before which a full table is not swept again.
    sweep_after: Instant,
    /// Those who find no place.
    others: Party,
    log: Bucket,
}

impl Parties {
    const FEW: usize = 64;

    fn new(now: Instant) -> Parties {
        let (table, others, log) = (HashMap::new(), Party::new(now), Bucket::full(now));
        Parties { table, sweep_at: Self::FEW, sweep_after: now, others, log }
    }

    fn of(&mut self, ip: IpAddr, now: Instant) -> &mut Party {
        let party = party(ip);
        if self.table.len() >= self.sweep_at && now >= self.sweep_after {
            self.table.retain(|_, party| !party.is_calm(now));
            self.sweep_at = (self.table.len() * 2).clamp(Self::FEW, MAX_PARTIES);
            self.sweep_after = now + Duration::from_secs(1);
            self.table.shrink_to(self.sweep_at);
        }
        if self.table.len() >= MAX_PARTIES && !self.table.contains_key(&party) {
            return &mut self.others;
        }
        self.table.entry(party).or_insert_with(|| Party::new(now))
    }

    /// Lines for the log in the place of those that it has not.
    fn take_folded(&mut self) -> Vec<String> {
        let folded = self.table.iter_mut().filter(|(_, party)| party.folded > 0);
        let mut folded = sorted(folded.map(|(ip, party)| (std::mem::take(&mut party.folded), *ip)));
        folded.reverse();
        let rest = folded.split_off(folded.len().min(NAMED));
        let rest: u32 = rest.into_iter().map(|(lines, _)| lines).sum();
        let rest = rest + std::mem::take(&mut self.others.folded);
        let mut lines: Vec<String> = folded
            .into_iter()
            .map(|(lines, ip)| format!("{lines} more lines about {ip} in the last minute"))
            .collect();
        if rest > 0 {
            lines.push(format!("{rest} more lines about other addresses in the last minute"));
        }
        lines
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
    const NEAR: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 168, 1, 4));
    const SECOND: Duration = Duration::from_secs(1);

    fn how_many(mut more: impl FnMut() -> bool) -> usize {
        (0..).take_while(|_| more()).count()
    }

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
        assert_eq!(flood.line(FAR, &own, 10, start + 60 * SECOND), Duration::ZERO);
    }

    #[test]
    fn new_connections_of_a_party_bring_it_no_new_burst() {
        let start = Instant::now();
        let flood = flood(5, start);
        let burst =
            |ip: IpAddr| how_many(|| flood.line(ip, &Cell::new(Bucket::full(start)), 10, start).is_zero());
        assert_eq!(burst(FAR), 16 * 20);
        assert_eq!(burst(FAR), 0);
        assert_eq!(burst("203.0.113.10".parse().unwrap()), 16 * 20, "another party");
        assert_eq!(burst(NEAR), 64 * 20, "a classroom");
    }

    #[test]
    fn what_a_command_costs_beyond_its_line_is_waited_for_but_not_for_ever() {
        let start = Instant::now();
        let (flood, own) = (flood(5, start), Cell::new(Bucket::full(start)));
        flood.charge(FAR, &own, 24, start);
        assert_eq!(flood.line(FAR, &own, 10, start), SECOND);
        flood.charge(FAR, &own, u32::MAX, start);
        assert_eq!(flood.line(FAR, &own, 10, start), 10 * SECOND);
        let own = Cell::new(Bucket::full(start));
        assert_eq!(flood.line(FAR, &own, 10, start), 10 * SECOND, "on a new connection");
    }

    #[test]
    fn who_connects_too_often_is_told_when_to_come_again() {
        let start = Instant::now();
        let flood = flood(5, start);
        assert_eq!(how_many(|| flood.arrive(NEAR, start).is_ok()), 128);
        let asked: Vec<Duration> = (0..64).filter_map(|_| flood.arrive(NEAR, start).err()).collect();
        assert_eq!((asked.len(), asked.is_sorted()), (64, true));
        assert!(asked[0] <= SECOND && asked[63] > 9 * SECOND, "not all at once: {asked:?}");
        // And all who come then are let in.
        for after in asked {
            assert_eq!(flood.arrive(NEAR, start + after), Ok(()));
        }
        // Whoever does not care keeps nobody out for longer than their own.
        assert!((0..100_000).filter(|_| flood.arrive(FAR, start).is_ok()).count() == 32);
        assert_eq!(flood.arrive(FAR, start), Err(60 * SECOND));
        assert_eq!(how_many(|| flood.arrive(FAR, start + 10 * SECOND).is_ok()), 16);
    }

    #[test]
    fn the_log_adds_up_what_one_party_does() {
        let start = Instant::now();
        let flood = flood(5, start);
        assert_eq!(how_many(|| flood.may_log(FAR, start)), 64);
        (0..9).for_each(|_| assert!(!flood.may_log(FAR, start)));
        assert!(flood.may_log(NEAR, start));
        let lines = flood.parties.borrow_mut().take_folded();
        assert_eq!(lines, ["10 more lines about 203.0.113.9 in the last minute"]);
        assert!(flood.parties.borrow_mut().take_folded().is_empty());
        let many = |number: u32| flood.may_log(IpAddr::from((number << 8).to_be_bytes()), start);
        assert_eq!((1..3000).filter(|number| many(*number)).count(), 2000 - 64 - 11, "of all together");
        let lines = flood.parties.borrow_mut().take_folded();
        assert_eq!(lines.len(), NAMED + 1);
        assert!(lines[NAMED].ends_with(" more lines about other addresses in the last minute"));
    }

    #[test]
    fn a_full_table_frees_nobody() {
        let start = Instant::now();
        let mut parties = Parties::new(start);
        let size = Size { rate: 1.0, burst: 1.0 };
        let address = |number: usize| IpAddr::from((number as u32 + 1).to_be_bytes());
        for number in 0..MAX_PARTIES + 10 {
            parties.of(address(number), start).lines.take(1.0, size, 10.0, start);
        }
        assert_eq!(parties.table.len(), MAX_PARTIES);
        assert!(!parties.of(address(0), start).is_calm(start));
        assert!(!parties.of(address(MAX_PARTIES + 99), start).is_calm(start), "shared by the others");
        let later = start + 2 * SECOND;
        assert!(parties.of(address(MAX_PARTIES), later).is_calm(later));
        assert_eq!(parties.table.len(), 1, "who is calm needs no place");
    }
}
