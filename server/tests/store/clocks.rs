//! A clock that is wrong: nothing is lost by it, and what is said under it is found in its place.

use std::sync::Arc;
use std::time::Duration;

use parlor_server::hub::history::{Edge, Query, Range, Record};
use parlor_server::protocol::MsgId;
use parlor_server::protocol::time::{Moment, UnixMillis};
use parlor_server::store::{Job, Options, Retention};
use parlor_server::testing::{FakeDisk, Random};

use crate::desk::{Desk, everything, keeping, line, options};

const MINUTE: u64 = 60_000;
const DAY: u64 = 24 * 60 * MINUTE;
const YEAR: u64 = 365 * DAY;

fn days(count: u64, now_ms: u64) -> Options {
    let age = Some(Duration::from_millis(count * DAY));
    Options { now_ms, ..keeping(Retention { age, ..Retention::default() }) }
}

fn said(boot: u32, millis: u64) -> Record {
    Record { id: MsgId { boot, millis, count: 0 }, ..line("#a", millis, 40) }
}

/// The times of all that is told.
fn told(desk: &mut Desk) -> Vec<u64> {
    desk.all("#a").iter().map(|(id, _)| id.millis).collect()
}

fn tell(desk: &Desk, elapsed: u64, wall: u64) {
    let now = Moment { elapsed: Duration::from_millis(elapsed), wall: UnixMillis(wall) };
    desk.store.submit(Job::Time(now)).unwrap();
}

#[test]
fn a_leap_hides_nothing_until_the_server_has_run_for_an_hour_after_it() {
    let disk = FakeDisk::default();
    let mut desk = Desk::open(Arc::new(disk.clone()), days(30, 100 * DAY)).unwrap();
    desk.keep((60..=100).map(|day| said(1, day * DAY)).collect());
    tell(&desk, 0, 100 * DAY);
    let all: Vec<u64> = (70..=100).map(|day| day * DAY).collect();
    assert_eq!(told(&mut desk), all);
    let ahead = 100 * DAY + 30 * YEAR;
    for minute in 1..60 {
        tell(&desk, minute * MINUTE, ahead + minute * MINUTE);
        assert_eq!(told(&mut desk), all[1..], "what it ran is counted, minute {minute}");
    }
    // A line under that clock, and a crash: the hour begins anew.
    desk.keep(vec![said(1, ahead + 59 * MINUTE)]);
    let disk = disk.after_power_cut(0);
    disk.unlock();
    let mut desk = Desk::open(Arc::new(disk.clone()), days(30, ahead + 60 * MINUTE)).unwrap();
    let boot = desk.opened.boot;
    let with_it = [&all[..], &[ahead + 59 * MINUTE]].concat();
    tell(&desk, 59 * MINUTE, ahead + 119 * MINUTE);
    assert_eq!(told(&mut desk), with_it[1..]);
    // The clock is put right: everything is judged anew, and goes on.
    tell(&desk, 60 * MINUTE, 100 * DAY + 120 * MINUTE);
    assert_eq!(told(&mut desk), with_it[1..]);
    desk.keep(vec![said(boot + 1, 101 * DAY)]);
    tell(&desk, DAY, 101 * DAY);
    let next = [&with_it[1..], &[101 * DAY]].concat();
    assert_eq!(told(&mut desk), next);
    desk.close();
    disk.unlock();
    // A server that was off for long, or a clock that is right at last: an hour later it counts.
    let mut desk = Desk::open(Arc::new(disk), days(30, 2 * YEAR)).unwrap();
    tell(&desk, 59 * MINUTE, 2 * YEAR + 59 * MINUTE);
    assert_eq!(told(&mut desk), next[1..]);
    tell(&desk, 60 * MINUTE, 2 * YEAR + 60 * MINUTE);
    assert_eq!(told(&mut desk), [] as [u64; 0]);
}

#[test]
fn a_line_under_a_wrong_clock_goes_with_its_neighbours() {
    let disk = FakeDisk::default();
    let mut desk = Desk::open(Arc::new(disk.clone()), days(5, 113 * DAY)).unwrap();
    let good = |boot: u32, days: std::ops::RangeInclusive<u64>| days.map(move |day| said(boot, day * DAY));
    let all: Vec<Record> = good(1, 100..=110)
        .chain([said(1, 30 * YEAR)])
        .chain(good(2, 111..=111))
        .chain([said(3, MINUTE)])
        .chain(good(4, 112..=113))
        .collect();
    for record in &all {
        desk.keep(vec![record.clone()]);
    }
    let kept = |from: u64| -> Vec<u64> {
        let first = all.iter().position(|record| record.id.millis == from * DAY).unwrap();
        all[first..].iter().map(|record| record.id.millis).collect()
    };
    for restart in [false, true] {
        if restart {
            desk.close();
            disk.unlock();
            desk = Desk::open(Arc::new(disk.clone()), days(5, 113 * DAY)).unwrap();
        }
        tell(&desk, 0, 113 * DAY);
        assert_eq!(told(&mut desk), kept(108));
    }
    tell(&desk, 2 * DAY, 115 * DAY);
    assert_eq!(told(&mut desk), kept(110));
    tell(&desk, 4 * DAY, 117 * DAY);
    assert_eq!(told(&mut desk), kept(112));
    // A Raspberry Pi starts in 1970: nothing is old there.
    desk.close();
    disk.unlock();
    let mut desk = Desk::open(Arc::new(disk), days(5, MINUTE)).unwrap();
    tell(&desk, MINUTE, 2 * MINUTE);
    assert_eq!(told(&mut desk), kept(112));
}

#[test]
fn lines_are_found_by_their_own_times_though_these_do_not_rise() {
    let random = &mut Random::new(3);
    let disk = FakeDisk::default();
    let mut desk = Desk::open(Arc::new(disk.clone()), options()).unwrap();
    let mut all: Vec<Record> = Vec::new();
    for boot in 1..=20 {
        let start = random.number(50) * DAY;
        all.extend((1..=30).map(|step| Record {
            id: MsgId { boot, millis: start + step * random.number(9) * 1_000, count: step as u16 },
            ..line("#a", 0, random.below(4_000))
        }));
    }
    all.sort_by_key(|record| record.id);
    for records in all.chunks(7) {
        desk.keep(records.to_vec());
    }
    let edge = |random: &mut Random| match random.below(3) {
        0 => Edge::Open,
        1 => Edge::At(all[random.below(all.len())].id),
        _ => Edge::Time(all[random.below(all.len())].id.time()),
    };
    for round in 0..400 {
        if round == 200 {
            desk.close();
            disk.unlock();
            desk = Desk::open(Arc::new(disk.clone()), options()).unwrap();
        }
        let range = Range { after: edge(random), before: edge(random), ..Range::ALL };
        let query = Query { range, newest: round % 2 == 0, ..everything("#a", 1 + random.below(60)) };
        let inside = |id: MsgId| {
            let after = match range.after {
                Edge::Open => true,
                Edge::At(after) => id > after,
                Edge::Time(after) => id.time() > after,
            };
            after
                && match range.before {
                    Edge::Open => true,
                    Edge::At(before) => id < before,
                    Edge::Time(before) => id.time() < before,
                }
        };
        let fitting: Vec<MsgId> = all.iter().map(|record| record.id).filter(|id| inside(*id)).collect();
        let limit = query.limit.min(fitting.len());
        let expected = if query.newest { &fitting[fitting.len() - limit..] } else { &fitting[..limit] };
        assert_eq!(desk.page(query.clone()), expected, "{query:?}");
    }
}
