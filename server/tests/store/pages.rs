//! What is kept comes back: pages, searches, targets, resends, states.

use std::sync::Arc;
use std::time::Duration;

use parlor_server::hub::history::{Edge, Fingerprint, Matcher, Query, Range, Record, Request};
use parlor_server::protocol::MsgId;
use parlor_server::protocol::time::UnixMillis;
use parlor_server::store::{Export, Job, Options, StoreError};
use parlor_server::testing::{FakeDisk, Random};

use crate::desk::{Desk, Scratch, everything, key, line, options};

/// A few thousand records of four rooms, some of them events, over several segments.
fn talk(random: &mut Random, count: u64) -> Vec<Record> {
    let rooms = ["#a", "#b", "#quiet", "#ünï"];
    (1..=count)
        .map(|millis| {
            let room = if random.below(200) == 0 { 2 } else { random.below(4) };
            let room = if room == 2 && random.below(50) > 0 { 0 } else { room };
            let size = if random.below(10) == 0 { random.below(60_000) } else { random.below(300) };
            let event = random.below(5) == 0;
            let fingerprint = Fingerprint::new(millis << 8).filter(|_| random.below(2) == 0);
            Record { event, fingerprint, ..line(rooms[room], millis * 10, size) }
        })
        .collect()
}

fn expected(all: &[Record], query: &Query, oldest: u64) -> Vec<MsgId> {
    let inside = |key: MsgId| {
        let late = match query.range.after {
            Edge::Open => true,
            Edge::At(after) => key > after,
            Edge::Time(after) => key.millis > after.0,
        };
        let early = match query.range.before {
            Edge::Open => true,
            Edge::At(before) => key < before,
            Edge::Time(before) => key.millis < before.0,
        };
        late && early && key <= query.range.upto && key.millis >= oldest
    };
    let wanted = all.iter().filter(|record| record.room == query.room && (query.events || !record.event));
    let mut keys: Vec<MsgId> = wanted.map(|record| record.id).filter(|&key| inside(key)).collect();
    if query.newest {
        keys.drain(..keys.len().saturating_sub(query.limit));
    } else {
        keys.truncate(query.limit);
    }
    keys
}

fn some_query(random: &mut Random, count: u64) -> Query {
    let bound = |random: &mut Random| match random.below(4) {
        0 => Edge::Time(UnixMillis(random.number(count * 11))),
        1 => Edge::Open,
        _ => Edge::At(key(random.number(count * 11))),
    };
    let (after, before) = (bound(random), bound(random));
    let upto = if random.below(4) == 0 { key(random.number(count * 11)) } else { MsgId::MAX };
    Query {
        room: ["#a", "#b", "#quiet", "#ünï", "#nobody"][random.below(5)].into(),
        range: Range { after, before, upto },
        limit: random.below(120) + 1,
        newest: random.below(2) == 0,
        events: random.below(2) == 0,
    }
}

#[test]
fn every_page_is_what_was_said_live_and_after_a_restart() {
    let disk = FakeDisk::default();
    let random = &mut Random::new(1);
    let count = 6_000;
    let all = talk(random, count);
    let mut desk = Desk::open(Arc::new(disk.clone()), options()).unwrap();
    let mut said = 0;
    while said < all.len() {
        let next = (said + random.below(300) + 1).min(all.len());
        desk.store.submit(Job::Append(all[said..next].to_vec())).unwrap();
        said = next;
        // It waits for the disk by itself.
        let query = some_query(random, count);
        assert_eq!(desk.page(query.clone()), expected(&all[..said], &query, 0), "{query:?}");
    }
    for restart in ["none", "clean", "killed"] {
        match restart {
            "clean" => drop(desk.close()),
            // What was committed is on the disk; the threads of the old store still end.
            _ => drop(desk),
        }
        let copy = if restart == "killed" { disk.after_power_cut(0) } else { disk.clone() };
        copy.unlock();
        desk = Desk::open(Arc::new(copy), options()).unwrap();
        for _ in 0..200 {
            let query = some_query(random, count);
            assert_eq!(desk.page(query.clone()), expected(&all, &query, 0), "{restart}: {query:?}");
        }
    }
    let payloads: Vec<_> = desk.all("#b").into_iter().map(|(_, payload)| payload).collect();
    let said: Vec<_> =
        all.iter().filter(|record| &*record.room == "#b").map(|record| record.payload.clone()).collect();
    assert_eq!(payloads, said);
}

#[test]
fn a_search_is_newest_first_over_all_its_rooms_and_goes_on_where_it_ended() {
    let mut desk = Desk::open(Arc::new(FakeDisk::default()), options()).unwrap();
    let all = talk(&mut Random::new(2), 3_000);
    desk.keep(all.clone());
    let wanted = |payload: &[u8]| payload.windows(4).any(|part| part == b"70 x");
    let said =
        |record: &&Record| ["#a", "#b"].contains(&&*record.room) && !record.event && wanted(&record.payload);
    let mut expected: Vec<MsgId> = all.iter().filter(said).map(|record| record.id).collect();
    expected.reverse();
    assert!(expected.len() > 100);
    let (mut found, mut before) = (Vec::new(), Edge::Open);
    loop {
        let (part, more) = desk.found(Request::Search {
            rooms: vec!["#a".into(), "#nobody".into(), "#b".into()],
            range: Range { before, ..Range::ALL },
            limit: 30,
            matcher: Matcher(Box::new(wanted)),
        });
        assert!(part.len() <= 30);
        found.extend(part.iter().map(|record| record.id));
        match more {
            Some(reached) => before = Edge::At(reached),
            None => break,
        }
    }
    assert_eq!(found, expected);
}

#[test]
fn a_matcher_that_panics_is_answered_and_harms_nobody() {
    let mut desk = Desk::open(Arc::new(FakeDisk::default()), options()).unwrap();
    desk.keep(vec![line("#a", 1, 10)]);
    let search = Request::Search {
        rooms: vec!["#a".into()],
        range: Range::ALL,
        limit: 30,
        matcher: Matcher(Box::new(|_| panic!("this panic is part of the test"))),
    };
    assert!(matches!(desk.ask(search), Err(StoreError::Fault(_))));
    assert_eq!(desk.page(everything("#a", 9)), [key(1)]);
}

#[test]
fn a_resend_is_found_for_a_day_across_restarts() {
    let day = 24 * 60 * 60 * 1000;
    let disk = FakeDisk::default();
    let mut desk = Desk::open(Arc::new(disk.clone()), options()).unwrap();
    let printed =
        |room, millis, print| Record { fingerprint: Fingerprint::new(print), ..line(room, millis, 9_000) };
    let all: Vec<Record> = (1..=2_000).map(|i| printed("#a", i * day / 1_000, i)).collect();
    desk.keep(all.clone());
    desk.keep(vec![printed("#b", 2 * day + 1, 1_990)]);
    desk.tell(2 * day);
    for restart in [false, true] {
        if restart {
            desk.close();
            disk.unlock();
            desk = Desk::open(Arc::new(disk.clone()), Options { now_ms: 2 * day, ..options() }).unwrap();
            let prints = &desk.opened.fingerprints;
            // By whole chunks: a few more than of the last day.
            assert!((1_001..1_020).contains(&prints.len()), "{}", prints.len());
            assert!((1_001..=2_000).all(|print| prints.contains(&print)));
        }
        let mut find = |room: &str, print| {
            let fingerprint = Fingerprint::new(print).unwrap();
            desk.found(Request::Find { room: room.into(), fingerprint })
                .0
                .pop()
                .map(|record| record.id.millis)
        };
        assert_eq!(find("#a", 1_990), Some(1_990 * day / 1_000));
        assert_eq!(find("#b", 1_990), Some(2 * day + 1));
        assert_eq!(find("#a", 1_002), Some(1_002 * day / 1_000));
        assert_eq!(find("#b", 1_002), None);
        assert_eq!(find("#a", 900), None);
    }
}

#[test]
fn one_question_reads_little_and_goes_on() {
    let disk = FakeDisk::default();
    let mut desk = Desk::open(Arc::new(disk.clone()), options()).unwrap();
    // A line of #a stands in each 100 KB of others'.
    let all: Vec<Record> = (1..=2_000)
        .map(|i| if i % 16 == 0 { line("#a", i, 100) } else { line("#b", i, 6_000) })
        .chain((2_001..2_300).map(|i| Record { event: true, ..line("#a", i, 6_000) }))
        .collect();
    for part in all.chunks(200) {
        desk.keep(part.to_vec());
    }
    let mebibyte = 1024 * 1024;
    for newest in [true, false] {
        let query = Query { newest, events: false, ..everything("#a", 100) };
        let before = disk.bytes_read();
        let (found, more) = desk.found(Request::Lines(query.clone()));
        let read = disk.bytes_read() - before;
        assert!(found.len() < 20 && more.is_some(), "{} lines", found.len());
        assert!((mebibyte..mebibyte + 100_000).contains(&read), "{read} bytes");
        assert_eq!(desk.page(query.clone()), expected(&all, &query, 0));
    }
    let search = Request::Search {
        rooms: vec!["#a".into(), "#b".into()],
        range: Range::ALL,
        limit: 10,
        matcher: Matcher(Box::new(|_| false)),
    };
    let before = disk.bytes_read();
    assert!(desk.found(search).1.is_some());
    let read = disk.bytes_read() - before;
    assert!(read < mebibyte + 100_000, "{read} bytes");
}

#[test]
fn a_resend_is_found_by_reading_a_chunk() {
    let disk = FakeDisk::default();
    let mut desk = Desk::open(Arc::new(disk.clone()), options()).unwrap();
    let all: Vec<Record> = (1..=25_000_u64)
        .map(|i| Record {
            fingerprint: Fingerprint::new(i.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
            ..line("#a", i, 900)
        })
        .collect();
    for part in all.chunks(1_000) {
        desk.keep(part.to_vec());
    }
    // Two segments are complete, one is written to.
    for wanted in [&all[10], &all[9_000], &all[24_000], &all[24_999]] {
        let before = disk.bytes_read();
        let fingerprint = wanted.fingerprint.unwrap();
        let (found, _) = desk.found(Request::Find { room: "#a".into(), fingerprint });
        assert_eq!(found.iter().map(|record| record.id).collect::<Vec<_>>(), [wanted.id]);
        let read = disk.bytes_read() - before;
        assert!(read < 70_000, "{read} bytes");
    }
}

#[test]
fn states_boots_and_the_secret_survive() {
    let scratch = Scratch::new();
    let desk = Desk::in_folder(&scratch.0, options());
    assert_eq!((desk.opened.boot, desk.opened.secret), (MsgId::STARTS, [7; 16]));
    for i in 0..20_000_u32 {
        let state = (i % 7 > 0).then(|| i.to_le_bytes().repeat(9).into());
        while desk
            .store
            .submit(Job::SetRoom { room: format!("#{}", i % 50).into(), state: state.clone() })
            .is_err()
        {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    desk.close();
    let desk = Desk::in_folder(&scratch.0, Options { secret: [8; 16], ..options() });
    assert_eq!((desk.opened.boot, desk.opened.secret), (2 * MsgId::STARTS, [7; 16]));
    let mut rooms = desk.opened.rooms.clone();
    rooms.sort();
    let mut expected: Vec<(Box<str>, Box<[u8]>)> = (19_950..20_000_u32)
        .filter(|i| i % 7 > 0)
        .map(|i| (format!("#{}", i % 50).into(), i.to_le_bytes().repeat(9).into()))
        .collect();
    expected.sort();
    assert_eq!(rooms, expected);
    assert!(std::fs::metadata(scratch.0.join("rooms.log")).unwrap().len() < 200_000);
}

#[test]
fn an_export_is_the_whole_room_from_a_time_on() {
    let scratch = Scratch::new();
    let mut desk = Desk::in_folder(&scratch.0, options());
    let all = talk(&mut Random::new(3), 2_000);
    desk.keep(all.clone());
    let in_use = Export::open(&scratch.0, options(), "#a", 0).unwrap_err();
    assert!(matches!(in_use, StoreError::InUse { .. }), "{in_use}");
    desk.close();
    for since in [0, 9_000] {
        let export = Export::open(&scratch.0, options(), "#a", since).unwrap();
        let bound = export.records() as usize;
        let got: Vec<MsgId> = export.map(|record| record.unwrap().id).collect();
        let query = everything("#a", usize::MAX);
        assert_eq!(got, expected(&all, &query, since));
        assert!((got.len()..got.len() + 1_000).contains(&bound));
    }
    assert_eq!(Export::open(&scratch.0, options(), "#nobody", 0).unwrap().count(), 0);
    assert!(matches!(Export::open(&scratch.0.join("none"), options(), "#a", 0), Err(StoreError::Io { .. })));
}

#[test]
fn nothing_is_taken_without_bound() {
    let desk = Desk::open(Arc::new(FakeDisk::default()), options()).unwrap();
    let mut millis = 0;
    // The writer is quick; the caller is quicker.
    let full = (0..1_000).any(|_| {
        millis += 100;
        desk.store
            .submit(Job::Append((millis..millis + 50).map(|millis| line("#a", millis, 60_000)).collect()))
            .is_err()
    });
    assert!(full);
}

#[test]
fn a_store_of_format_1_opens_and_goes_on() {
    let scratch = Scratch::new();
    let of_before = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/store/format-1");
    for file in std::fs::read_dir(of_before).unwrap() {
        let path = file.unwrap().path();
        std::fs::copy(&path, scratch.0.join(path.file_name().unwrap())).unwrap();
    }
    for _ in 0..2 {
        let mut desk = Desk::in_folder(&scratch.0, Options { now_ms: 1_900_000_000_000, ..options() });
        assert!(desk.opened.boot > 2 && desk.opened.repaired.is_empty(), "{:?}", desk.opened.repaired);
        assert!(desk.opened.rooms.iter().any(|(room, _)| &**room == "#tea"));
        let lines = |desk: &mut Desk, room: &str| {
            let told = |payload: &[u8]| {
                parlor_server::hub::history::Told::parse(payload).map(|told| told.first.to_owned())
            };
            desk.all(room).iter().filter_map(|(_, payload)| told(payload)).collect::<Vec<_>>()
        };
        let tea = lines(&mut desk, "#tea");
        for text in ["line 0", "line 19", "leaves", "rob", "last", "later 4"] {
            assert!(tea.iter().any(|line| line == text), "{text} in {tea:?}");
        }
        assert_eq!(lines(&mut desk, "#coffee").iter().filter(|line| line.starts_with("cup")).count(), 20);
        // What is of before and what is new, by time.
        let id = MsgId { boot: desk.opened.boot, millis: 1_900_000_000_001, count: 0 };
        desk.keep(vec![Record { id, ..line("#milk", 0, 20) }]);
        let after = |time: u64| Range { after: Edge::Time(UnixMillis(time)), ..Range::ALL };
        let old = Query { range: after(1_500_000_000_000), ..everything("#milk", 100) };
        let new = Query { range: after(1_900_000_000_000), ..everything("#milk", 100) };
        assert!(desk.page(old).len() > 2);
        assert_eq!(desk.page(new).last(), Some(&id));
        desk.close();
    }
}
