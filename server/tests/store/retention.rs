//! What is too old or too much goes: for readers at once, from the disk without stalls.

use std::sync::Arc;
use std::time::Duration;

use parlor_server::hub::history::Record;
use parlor_server::store::{Command, Options, compact};

use crate::desk::{Desk, Scratch, key, line, options};
use crate::fake::FakeDisk;

#[test]
fn lines_beyond_the_count_are_gone_at_once() {
    let keep = Options { keep_lines: Some(100), ..options() };
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
    let keep = Options { keep: Some(Duration::from_millis(1_000)), now_ms: 0, ..options() };
    let mut desk = Desk::open(Arc::new(FakeDisk::default()), keep).unwrap();
    desk.keep((1..=2_000).map(|millis| line("#a", millis, 300)).collect());
    assert_eq!(desk.all("#a")[0].0, key(1_000));
    desk.store.give(Command::Time(2_500)).unwrap();
    assert_eq!(desk.all("#a")[0].0, key(1_500));
    desk.store.give(Command::Time(9_000)).unwrap();
    assert_eq!(desk.all("#a").len(), 0);
}

#[test]
fn a_question_is_answered_by_the_time_it_was_asked_at() {
    let keep = Options { keep: Some(Duration::from_millis(1_000)), now_ms: 0, ..options() };
    let mut desk = Desk::open(Arc::new(FakeDisk::default()), keep).unwrap();
    desk.keep((1..=2_000).map(|millis| line("#a", millis, 300)).collect());
    desk.store.tell_time(2_999);
    assert_eq!(desk.all("#a")[0].0, key(1_999));
    desk.store.tell_time(3_001);
    assert_eq!(desk.all("#a").len(), 0);
}

#[test]
fn bytes_beyond_the_limit_are_gone_by_chunks() {
    let keep = Options { keep_bytes: Some(200_000), ..options() };
    let mut desk = Desk::open(Arc::new(FakeDisk::default()), keep).unwrap();
    for millis in 1..=3_000 {
        desk.store.give(Command::Append(vec![line("#a", millis, 467)])).unwrap();
    }
    let bytes = desk.all("#a").len() * 500;
    assert!((200_000..200_000 + 66_500).contains(&bytes), "{bytes}");
}

#[test]
fn the_disk_is_freed_while_people_talk_and_read() {
    let keep = Options { keep_lines: Some(200), ..options() };
    let disk = FakeDisk::default();
    let mut desk = Desk::open(Arc::new(disk.clone()), keep.clone()).unwrap();
    // A quiet room keeps old segments from being deleted whole.
    let mut quiet = 0;
    let mut last = 0;
    for millis in 1..=3_000 {
        let room = if millis % 40 == 0 { "#quiet" } else { "#loud" };
        quiet += usize::from(room == "#quiet");
        desk.store.give(Command::Append(vec![line(room, millis, 30_000)])).unwrap();
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
    let keep = Options { keep: Some(Duration::from_millis(1_000)), now_ms: 0, ..options() };
    let disk = FakeDisk::default();
    let mut desk = Desk::open(Arc::new(disk.clone()), keep.clone()).unwrap();
    desk.keep(vec![line("#old", 1, 300)]);
    desk.store.give(Command::SetRoom { room: "#state".into(), state: Some([1].into()) }).unwrap();
    desk.store.give(Command::Time(5_000)).unwrap();
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

#[test]
fn compaction_leaves_only_what_is_kept() {
    let scratch = Scratch::new();
    let mut desk = Desk::in_folder(&scratch.0, options());
    for millis in 1..=1_000 {
        let room = if millis % 10 == 0 { "#a" } else { "#b" };
        while desk.store.give(Command::Append(vec![line(room, millis, 30_000)])).is_err() {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    let all = desk.all("#a");
    desk.close();
    let keep = Options { keep_lines: Some(100), ..options() };
    let (before, after) = compact(&scratch.0, keep).unwrap();
    // The last segment is written to, and stays as it is.
    assert!(before > 30_000_000 && after < 17_000_000, "{before} {after}");
    let mut desk = Desk::in_folder(&scratch.0, options());
    assert_eq!(desk.all("#a"), all);
}
