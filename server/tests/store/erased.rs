//! Records that are deleted: in no answer from then on, and soon in no file.

use std::sync::Arc;
use std::time::Duration;

use parlor_server::hub::history::{Erasure, Matcher, Range, Record, Request};
use parlor_server::store::{Options, Retention};
use parlor_server::testing::{FakeDisk, Random};

use crate::desk::{Desk, keeping, key, line, options};
use crate::retention::{is_on, wait_until_gone};

/// An event at `millis` that deletes what was said in the room at `of`.
fn erase(room: &str, millis: u64, of: u64) -> Record {
    let erasure = Erasure { id: key(of), payload: format!("gone {of}").into_bytes().into() };
    Record { event: true, erases: Some(Box::new(erasure)), ..line(room, millis, 30) }
}

/// Everything in a room; a search finds nothing else.
fn shown(desk: &mut Desk, room: &str) -> Vec<String> {
    let text = |payload: &[u8]| String::from_utf8_lossy(payload).trim_end_matches('x').to_owned();
    let all: Vec<String> = desk.all(room).iter().map(|(_, payload)| text(payload)).collect();
    let rooms = vec![room.into()];
    let matcher = Matcher(Box::new(|payload| payload.starts_with(b"#")));
    let (found, _) = desk.found(Request::Search { rooms, range: Range::ALL, limit: 10_000, matcher });
    for kept in found {
        let found = text(&kept.payload);
        assert!(all.contains(&found), "{found:?} was found, and is in no page");
    }
    all
}

#[test]
fn what_is_deleted_is_in_no_answer_and_after_the_next_start_in_no_file() {
    let disk = FakeDisk::default();
    let mut desk = Desk::open(Arc::new(disk.clone()), options()).unwrap();
    desk.keep(vec![line("#a", 1, 300), line("#a", 2, 300), line("#b", 3, 300), line("#a", 4, 300)]);
    assert_eq!(shown(&mut desk, "#a"), ["#a 1 ", "#a 2 ", "#a 4 "]);
    desk.keep(vec![erase("#a", 5, 2)]);
    // In the same commit as what is deleted, too.
    desk.keep(vec![line("#b", 6, 300), erase("#b", 7, 6)]);
    let check = |desk: &mut Desk| {
        assert_eq!(shown(desk, "#a"), ["#a 1 ", "gone 2", "#a 4 ", "#a 5 "]);
        assert_eq!(shown(desk, "#b"), ["#b 3 ", "gone 6", "#b 7 "]);
    };
    check(&mut desk);
    assert!(is_on(&disk, b"#a 2 x") && is_on(&disk, b"#b 6 x"), "the test looks where it stood");
    for _ in 0..2 {
        desk.close();
        disk.unlock();
        desk = Desk::open(Arc::new(disk.clone()), options()).unwrap();
        check(&mut desk);
        wait_until_gone(&disk, b"#a 2 x");
        wait_until_gone(&disk, b"#b 6 x");
        check(&mut desk);
        assert!(desk.opened.rooms.is_empty(), "nothing of it is a room: {:?}", desk.opened.rooms);
    }
}

#[test]
fn a_day_later_or_when_there_are_many_it_leaves_the_disk_while_people_talk() {
    let disk = FakeDisk::default();
    let mut desk = Desk::open(Arc::new(disk.clone()), options()).unwrap();
    desk.keep((1..=5_000).map(|millis| line("#a", millis, 300)).collect());
    desk.keep(vec![erase("#a", 5_001, 77)]);
    desk.tell(1_000_000 + 1_000);
    assert!(is_on(&disk, b"#a 77 x"), "a file is not written anew for one line");
    desk.tell(1_000_000 + 86_400_001);
    wait_until_gone(&disk, b"#a 77 x");
    let many: Vec<Record> = (0..1_100).map(|number| erase("#a", 6_000 + number, 1_001 + number)).collect();
    desk.keep(many);
    desk.tell(1_000_000 + 86_402_000);
    wait_until_gone(&disk, b"#a 2000 x");
    let all = shown(&mut desk, "#a");
    assert_eq!(all.iter().filter(|text| text.starts_with("gone")).count(), 1_101);
    assert_eq!(all.len(), 5_000 + 1 + 1_100);
}

#[test]
fn what_is_deleted_while_its_file_is_written_anew_stays_deleted() {
    let keep = keeping(Retention { lines: Some(2_000), ..Retention::default() });
    for seed in 0..20 {
        let random = &mut Random::new(seed);
        let disk = FakeDisk::default();
        let mut desk = Desk::open(Arc::new(disk.clone()), keep.clone()).unwrap();
        let mut deleted = Vec::new();
        // Retention is at work all the time: 2,000 of 6,000 long lines are kept.
        for start in (1..=12_000).step_by(100) {
            let mut records = Vec::new();
            for millis in (start..start + 100).step_by(2) {
                records.push(line("#a", millis, 4_000));
                let of = millis - 2 * random.below(1_500.min(start as usize / 2)) as u64;
                if random.below(20) == 0 && !deleted.contains(&of) {
                    deleted.push(of);
                    records.push(erase("#a", millis + 1, of));
                }
            }
            desk.keep(records);
            if random.below(10) == 0 {
                desk.tell(1_000_000 + 1_000_000 * start);
            }
        }
        let all = shown(&mut desk, "#a");
        for of in &deleted {
            assert!(!all.contains(&format!("#a {of} ")), "{seed}: {of} is back");
        }
        desk.close();
        disk.unlock();
        let mut desk = Desk::open(Arc::new(disk.clone()), keep.clone()).unwrap();
        let all = shown(&mut desk, "#a");
        assert!(deleted.iter().all(|of| !all.contains(&format!("#a {of} "))), "{seed}: after a restart");
    }
}

#[test]
fn the_power_goes_at_any_write_and_what_was_said_to_be_deleted_stays_so() {
    let options = Options { retry: Duration::from_secs(3_600), ..options() };
    for cut in 1.. {
        let disk = FakeDisk::default();
        let mut desk = Desk::open(Arc::new(disk.clone()), options.clone()).unwrap();
        desk.keep((1..=20).map(|millis| line("#a", millis, 300)).collect());
        let before = disk.changes();
        disk.cut_power_after(cut);
        let told = [3, 9].map(|of| desk.keep(vec![erase("#a", 20 + of, of)]));
        desk.close();
        let whole = disk.changes() < before + cut;
        for seed in 0..4 {
            let disk = disk.after_power_cut(seed);
            disk.unlock();
            let mut desk = Desk::open(Arc::new(disk.clone()), options.clone()).unwrap();
            let all = shown(&mut desk, "#a");
            for (of, told) in [3, 9].into_iter().zip(told) {
                let gone = all.contains(&format!("gone {of}"));
                assert!(gone || !told && all.contains(&format!("#a {of} ")), "{cut}, {seed}: {all:?}");
            }
        }
        if whole {
            return;
        }
    }
}
