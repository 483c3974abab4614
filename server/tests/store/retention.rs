//! What is too old or too much goes: for readers at once, from the disk without stalls.

use std::sync::Arc;
use std::time::Duration;

use parlor_server::hub::history::Record;
use parlor_server::store::{Job, Options, Retention};
use parlor_server::testing::FakeDisk;

use crate::desk::{Desk, keeping, key, line, options};

#[test]
fn lines_beyond_the_count_are_gone_at_once() {
    let keep = keeping(Retention { lines: Some(100), ..Retention::default() });
    let disk = FakeDisk::default();
    let mut desk = Desk::open(Arc::new(disk.clone()), keep.clone()).unwrap();
    for millis in (1..=2_000).step_by(2) {
        let join = Record { event: true, ..line("#a", millis + 1, 20) };
        desk.keep(vec![line("#a", millis, 500), join]);
        if millis % 101 == 0 {
            let lines = desk.all("#a").iter().filter(|(key, _)| key.millis % 2 == 1).count() as u64;
            assert_eq!(lines, millis.div_ceil(2).min(100));
        }
    }
    let before = desk.all("#a");
    assert_eq!(before[0].0, key(1_800), "of events, only what came right before the first line stays");
    desk.close();
    disk.unlock();
    let mut desk = Desk::open(Arc::new(disk), keep).unwrap();
    assert_eq!(desk.all("#a"), before);
}

#[test]
fn lines_beyond_the_age_are_gone_when_the_time_is_told() {
    let keep = Options {
        now_ms: 0,
        ..keeping(Retention { age: Some(Duration::from_millis(1_000)), ..Retention::default() })
    };
    let mut desk = Desk::open(Arc::new(FakeDisk::default()), keep).unwrap();
    desk.keep((1..=2_000).map(|millis| line("#a", millis, 300)).collect());
    assert_eq!(desk.all("#a").len(), 2_000, "no record tells the time");
    desk.tell(2_000);
    assert_eq!(desk.all("#a")[0].0, key(1_000));
    desk.tell(2_500);
    assert_eq!(desk.all("#a")[0].0, key(1_500));
    desk.tell(9_000);
    assert_eq!(desk.all("#a").len(), 0);
}

#[test]
fn another_retention_holds_at_once_and_the_one_before_no_more() {
    let keep = Options { now_ms: 0, ..keeping(Retention { lines: Some(1_900), ..Retention::default() }) };
    let mut desk = Desk::open(Arc::new(FakeDisk::default()), keep).unwrap();
    desk.keep((1..=2_000).map(|millis| line("#a", millis, 300)).collect());
    assert_eq!(desk.all("#a").len(), 1_900);
    desk.store.keep(Retention { lines: Some(1_000), ..Retention::default() });
    assert_eq!(desk.all("#a").len(), 1_000);
    let age = Some(Duration::from_millis(1_000));
    desk.store.keep(Retention { age, ..Retention::default() });
    desk.tell(2_500);
    assert_eq!(desk.all("#a")[0].0, key(1_500));
    desk.keep((3_001..=5_000).map(|millis| line("#a", millis, 300)).collect());
    desk.store.keep(Retention { total: Some(100_000), ..Retention::default() });
    // It is trimmed between two commits, soon after the time is told.
    let bytes = (0..100).map(|_| {
        desk.tell(5_000);
        desk.all("#a").len() * 300
    });
    assert!(bytes.into_iter().any(|bytes| (50_000..170_000).contains(&bytes)), "of 750,000");
}

#[test]
fn a_question_is_answered_by_the_time_it_was_asked_at() {
    let keep = Options {
        now_ms: 0,
        ..keeping(Retention { age: Some(Duration::from_millis(1_000)), ..Retention::default() })
    };
    let mut desk = Desk::open(Arc::new(FakeDisk::default()), keep).unwrap();
    desk.keep((1..=2_000).map(|millis| line("#a", millis, 300)).collect());
    desk.store.tell_time(desk.moment(2_999));
    assert_eq!(desk.all("#a")[0].0, key(1_999));
    desk.store.tell_time(desk.moment(3_001));
    assert_eq!(desk.all("#a").len(), 0);
}

#[test]
fn bytes_beyond_the_limit_are_gone_by_chunks() {
    let keep = keeping(Retention { bytes: Some(200_000), ..Retention::default() });
    let mut desk = Desk::open(Arc::new(FakeDisk::default()), keep).unwrap();
    for millis in 1..=3_000 {
        desk.store.submit(Job::Append(vec![line("#a", millis, 467)])).unwrap();
    }
    let bytes = desk.all("#a").len() * 500;
    assert!((200_000..200_000 + 66_500).contains(&bytes), "{bytes}");
}

#[test]
fn the_disk_is_freed_while_people_talk_and_read() {
    let keep = keeping(Retention { lines: Some(200), ..Retention::default() });
    let disk = FakeDisk::default();
    let mut desk = Desk::open(Arc::new(disk.clone()), keep.clone()).unwrap();
    // A quiet room keeps old segments from being deleted whole.
    let mut quiet = 0;
    let mut last = 0;
    for millis in 1..=3_000 {
        let room = if millis % 40 == 0 { "#quiet" } else { "#loud" };
        quiet += usize::from(room == "#quiet");
        desk.store.submit(Job::Append(vec![line(room, millis, 30_000)])).unwrap();
        if millis % 50 == 0 {
            let all = desk.all("#quiet");
            assert_eq!(all.len(), quiet);
            let newest = desk.all("#loud").last().map_or(0, |(key, _)| key.millis);
            assert!(newest > last);
            last = newest;
        }
    }
    let (quiet, loud) = (desk.all("#quiet"), desk.all("#loud"));
    assert_eq!((quiet.len(), loud.len()), (75, 200));
    desk.close();
    // 275 lines of 30 kB are live, of 3,000: the segment that is written to, what is half dead.
    assert!(disk.used() < 28_000_000, "{} bytes", disk.used());
    disk.unlock();
    let mut desk = Desk::open(Arc::new(disk.clone()), keep).unwrap();
    assert_eq!((desk.all("#quiet"), desk.all("#loud")), (quiet, loud));
    assert!(desk.opened.repaired.is_empty(), "{:?}", desk.opened.repaired);
}

#[test]
fn a_room_without_lines_and_state_is_forgotten_and_its_number_not_used_again() {
    let keep = Options {
        now_ms: 0,
        ..keeping(Retention { age: Some(Duration::from_millis(1_000)), ..Retention::default() })
    };
    let disk = FakeDisk::default();
    let mut desk = Desk::open(Arc::new(disk.clone()), keep.clone()).unwrap();
    desk.keep(vec![line("#old", 1, 300)]);
    desk.store.submit(Job::SetRoom { room: "#state".into(), state: Some([1].into()) }).unwrap();
    desk.tell(5_000);
    assert_eq!(desk.all("#old").len(), 0);
    desk.close();
    disk.unlock();
    let forever = Options { now_ms: 5_000, ..options() };
    let mut desk = Desk::open(Arc::new(disk.clone()), forever).unwrap();
    assert_eq!(desk.opened.rooms, [("#state".into(), [1].into())]);
    desk.keep(vec![line("#new", 5_001, 300)]);
    assert_eq!(desk.all("#new").len(), 1);
    assert_eq!(desk.all("#old").len(), 0);
}

/// Whether any file has these bytes.
pub(crate) fn is_on(disk: &FakeDisk, bytes: &[u8]) -> bool {
    disk.snapshot().values().any(|file| file.windows(bytes.len()).any(|part| part == bytes))
}

/// Waits until what the writer does is done.
fn wait_until(disk: &FakeDisk, done: impl Fn() -> bool) {
    for _ in 0..2_000 {
        if done() {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("{} bytes are still there: {:?}", disk.used(), disk.snapshot().keys());
}

pub(crate) fn wait_until_gone(disk: &FakeDisk, bytes: &[u8]) {
    wait_until(disk, || !is_on(disk, bytes));
}

#[test]
fn what_is_too_old_leaves_the_disk_without_a_new_line() {
    let keep = Options {
        now_ms: 1_000,
        ..keeping(Retention { age: Some(Duration::from_secs(20)), ..Retention::default() })
    };
    let disk = FakeDisk::default();
    let mut desk = Desk::open(Arc::new(disk.clone()), keep).unwrap();
    desk.keep(vec![line("#a", 1_001, 300), line("#b", 9_000, 300)]);
    desk.tell(21_500);
    assert_eq!((desk.all("#a").len(), desk.all("#b").len()), (0, 1));
    assert!(is_on(&disk, b"#a 1001 "), "a file for each line would be too much");
    desk.tell(29_500);
    wait_until_gone(&disk, b"#b 9000 ");
    assert!(!is_on(&disk, b"#a 1001 "));
    assert!(desk.keep(vec![line("#a", 29_600, 300)]));
    assert_eq!(desk.all("#a").len(), 1);
}

#[test]
fn what_is_too_old_leaves_the_disk_an_eighth_late_while_people_talk() {
    let keep = Options {
        now_ms: 0,
        ..keeping(Retention { age: Some(Duration::from_millis(8 * HOUR)), ..Retention::default() })
    };
    let disk = FakeDisk::default();
    let mut desk = Desk::open(Arc::new(disk.clone()), keep).unwrap();
    for minute in 1..=20 * 60 {
        let now = minute * 60_000;
        desk.keep(vec![line("#a", now, 300)]);
        desk.tell(now);
        if minute % 60 == 0 {
            // One pass behind: the pass is done when the next question is answered, or soon after.
            assert_eq!(desk.all("#a").len() as u64, minute.min(8 * 60 + 1));
            let late = now.saturating_sub(9 * HOUR + 120_000);
            (1..=late / 60_000).rev().take(60).for_each(|minute| {
                wait_until_gone(&disk, format!("#a {} ", minute * 60_000).as_bytes());
            });
            let files = disk.snapshot().len();
            assert!(files < 30, "{files} files");
        }
    }
}

#[test]
fn a_long_segment_of_before_is_rewritten_when_its_lines_become_too_old() {
    let disk = FakeDisk::default();
    let mut desk = Desk::open(Arc::new(disk.clone()), Options { now_ms: 1, ..options() }).unwrap();
    // One segment, of which a tenth is too old.
    desk.keep((1..=100).map(|day| line("#a", day * DAY, 300)).collect());
    desk.close();
    disk.unlock();
    let keep = Options {
        now_ms: 125 * DAY,
        ..keeping(Retention { age: Some(Duration::from_millis(90 * DAY)), ..Retention::default() })
    };
    let mut desk = Desk::open(Arc::new(disk.clone()), keep).unwrap();
    assert_eq!(desk.all("#a").len(), 100, "the clock is far ahead of what the machine ran");
    desk.tell(125 * DAY + HOUR);
    wait_until_gone(&disk, format!("#a {} ", 34 * DAY).as_bytes());
    assert_eq!(desk.all("#a").len(), 65);
    assert!(!is_on(&disk, format!("#a {} ", DAY).as_bytes()));
}

const HOUR: u64 = 3_600_000;
/// Longer than anything beyond the lines or bytes that are kept may stay.
const DAY: u64 = 24 * 3_600_000;

#[test]
fn what_is_too_much_leaves_the_disk_within_a_day() {
    let keep = keeping(Retention { lines: Some(1), ..Retention::default() });
    let disk = FakeDisk::default();
    let mut desk = Desk::open(Arc::new(disk.clone()), keep.clone()).unwrap();
    let set = |desk: &Desk, topic: &[u8]| {
        desk.store.submit(Job::SetRoom { room: "#a".into(), state: Some(topic.into()) }).unwrap();
    };
    desk.keep((1..=50).map(|number| line("#a", 1_000_000 + number, 100)).collect());
    set(&desk, b"an old topic");
    desk.keep(vec![line("#b", 1_020_000, 100)]);
    set(&desk, b"a topic");
    desk.keep(vec![line("#b", 1_020_001, 100)]);
    desk.tell(DAY - 1);
    assert_eq!((desk.all("#a").len(), desk.all("#b").len()), (1, 1));
    assert!(is_on(&disk, b"#a 1000001 "), "rewritten for each line it would wear the disk out");
    desk.tell(DAY + 1_000_000);
    for gone in [&b"#a 1000001 "[..], b"#b 1020000 ", b"an old topic"] {
        wait_until_gone(&disk, gone);
    }
    for kept in [&b"#a 1000050 "[..], b"#b 1020001 ", b"a topic"] {
        assert!(is_on(&disk, kept));
    }
    assert_eq!((desk.all("#a").len(), desk.all("#b").len()), (1, 1));
    assert!(desk.keep(vec![line("#c", DAY + 1, 100)]));
    desk.close();
    // Another day finds nothing to do.
    let logs = || -> Vec<String> {
        disk.snapshot().into_keys().filter(|name| name.ends_with(".log") && name != "rooms.log").collect()
    };
    let before = logs();
    disk.unlock();
    let mut desk = Desk::open(Arc::new(disk.clone()), Options { now_ms: 3 * DAY, ..keep }).unwrap();
    assert_eq!(desk.opened.rooms, [("#a".into(), b"a topic"[..].into())]);
    assert_eq!((desk.all("#a").len(), desk.all("#b").len(), desk.all("#c").len()), (1, 1, 1));
    desk.close();
    assert_eq!(logs(), before);
}

#[test]
fn a_smaller_retention_frees_the_disk_when_the_store_is_opened() {
    let disk = FakeDisk::default();
    let mut desk = Desk::open(Arc::new(disk.clone()), options()).unwrap();
    for millis in 1..=1_000 {
        let room = if millis % 10 == 0 { "#a" } else { "#b" };
        while desk.store.submit(Job::Append(vec![line(room, millis, 30_000)])).is_err() {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    let all = desk.all("#a");
    desk.close();
    assert!(disk.used() > 30_000_000);
    disk.unlock();
    let keep = keeping(Retention { lines: Some(100), ..Retention::default() });
    let mut desk = Desk::open(Arc::new(disk.clone()), Options { now_ms: 2 * DAY, ..keep }).unwrap();
    // 100 lines of 30 kB of each room, and nothing else.
    wait_until(&disk, || disk.used() < 6_100_000);
    assert_eq!(desk.all("#a"), all);
    assert_eq!(desk.all("#b").len(), 100);
}

#[test]
fn what_was_said_in_a_room_that_is_forgotten_belongs_to_no_name() {
    let disk = FakeDisk::default();
    let mut desk = Desk::open(Arc::new(disk.clone()), options()).unwrap();
    desk.keep(vec![line("#a", 1, 300), line("#b", 2, 300)]);
    desk.store.submit(Job::SetRoom { room: "#a".into(), state: Some([1].into()) }).unwrap();
    // Some that are on disk, and some that are not yet.
    desk.store.submit(Job::Append(vec![line("#a", 3, 300), line("#b", 4, 300)])).unwrap();
    desk.store.submit(Job::Forget { room: "#a".into() }).unwrap();
    assert_eq!(desk.all("#a").len(), 0);
    desk.keep(vec![line("#a", 5, 300)]);
    assert_eq!((desk.all("#a").len(), desk.all("#b").len()), (1, 2));
    desk.close();
    disk.unlock();
    let mut desk = Desk::open(Arc::new(disk.clone()), options()).unwrap();
    assert_eq!(desk.opened.rooms, []);
    assert_eq!((desk.all("#a").len(), desk.all("#b").len()), (1, 2));
    // And it is forgotten where nothing comes after it.
    desk.store.submit(Job::Forget { room: "#a".into() }).unwrap();
    desk.close();
    disk.unlock();
    let mut desk = Desk::open(Arc::new(disk), options()).unwrap();
    assert_eq!((desk.all("#a").len(), desk.opened.stateless.len()), (0, 1));
}
