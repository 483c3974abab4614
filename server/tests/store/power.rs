//! The power goes at any moment: what was said to be on disk is, and nothing else is made up.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parlor_server::hub::history::Record;
use parlor_server::protocol::MsgId;
use parlor_server::store::{Job, Options, Retention};
use parlor_server::testing::{FakeDisk, Random};

use crate::desk::{Desk, keeping, key, line, options};

/// What happened until the power went.
#[derive(Default)]
struct Past {
    said: Vec<Record>,
    /// What was said to be on disk.
    committed: Option<MsgId>,
    /// Of the room `#a`: set before what was committed, and last.
    state: (u8, u8),
}

/// Talks until the power goes or nothing is left to say.
fn talk(disk: &FakeDisk, options: &Options, commits: u64, size: usize, seed: u64) -> Past {
    let mut past = Past::default();
    let options = Options { retry: Duration::from_secs(3_600), ..options.clone() };
    let Ok(mut desk) = Desk::open(Arc::new(disk.clone()), options) else { return past };
    let random = &mut Random::new(seed);
    let mut millis = 0;
    for commit in 1..=commits {
        if random.below(4) == 0 {
            past.state.1 = commit as u8;
            desk.store
                .submit(Job::SetRoom { room: "#a".into(), state: Some([commit as u8].into()) })
                .unwrap();
        }
        let records: Vec<Record> = (0..random.below(5) + 1)
            .map(|_| {
                millis += 1;
                line(["#a", "#b", "#c"][random.below(3)], millis, random.below(size))
            })
            .collect();
        past.said.extend(records.clone());
        if !desk.keep(records) {
            break;
        }
        past.committed = Some(key(millis));
        past.state.0 = past.state.1;
    }
    desk.close();
    past
}

/// What is there now is what was committed, and perhaps the next few records.
fn check(disk: FakeDisk, options: &Options, past: &Past, what: &str) {
    disk.unlock();
    let mut desk =
        Desk::open(Arc::new(disk.clone()), options.clone()).unwrap_or_else(|error| panic!("{what}: {error}"));
    if past.committed.is_some() {
        assert!(desk.opened.boot > 1, "{what}: a boot number came twice");
    }
    let mut found: Vec<(MsgId, String, Box<[u8]>)> = Vec::new();
    for room in ["#a", "#b", "#c"] {
        let all = desk.all(room);
        found.extend(all.into_iter().map(|(key, payload)| (key, room.to_owned(), payload)));
    }
    found.sort();
    let expected: BTreeMap<MsgId, &Record> = past.said.iter().map(|record| (record.id, record)).collect();
    for (key, room, payload) in &found {
        let said = expected.get(key).unwrap_or_else(|| panic!("{what}: {key:?} was never said"));
        assert!(*said.room == **room && said.payload == *payload, "{what}: {key:?} is not what was said");
    }
    let last = found.last().map(|(key, ..)| *key);
    assert!(last >= past.committed, "{what}: {last:?} after {:?}", past.committed);
    // No gap: of each room, all that was said up to the last, or the newest of it that are kept.
    for room in ["#a", "#b", "#c"] {
        let said: Vec<MsgId> = past
            .said
            .iter()
            .filter(|record| &*record.room == room && Some(record.id) <= last)
            .map(|record| record.id)
            .collect();
        let kept = options.retention.lines.map_or(said.len(), |lines| said.len().min(lines as usize));
        let there: Vec<MsgId> = found.iter().filter(|(_, of, _)| of == room).map(|(key, ..)| *key).collect();
        assert_eq!(there, said[said.len() - kept..], "{what}: {room}");
    }
    let state = desk.opened.rooms.iter().find(|(room, _)| &**room == "#a").map_or(0, |(_, state)| state[0]);
    assert!(state == past.state.0 || state == past.state.1, "{what}: state {state} of {:?}", past.state);
    // And it goes on.
    let next =
        Record { id: MsgId { boot: desk.opened.boot, millis: 1_000_000, count: 0 }, ..line("#b", 0, 99) };
    assert!(desk.keep(vec![next.clone()]), "{what}");
    assert_eq!(desk.all("#b").last().map(|(key, _)| *key), Some(next.id), "{what}");
    desk.close();
    disk.unlock();
    let mut desk =
        Desk::open(Arc::new(disk), options.clone()).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert!(desk.opened.repaired.is_empty(), "{what}: {:?}", desk.opened.repaired);
    assert_eq!(desk.all("#b").last().map(|(key, _)| *key), Some(next.id), "{what}");
}

#[test]
fn a_power_cut_at_every_change_of_a_small_store() {
    let whole = FakeDisk::default();
    talk(&whole, &options(), 12, 2_000, 5);
    for changes in 0..whole.changes() + 2 {
        for seed in 0..12 {
            let disk = FakeDisk::default();
            disk.cut_power_after(changes);
            let past = talk(&disk, &options(), 12, 2_000, 5);
            check(
                disk.after_power_cut(seed),
                &options(),
                &past,
                &format!("cut after {changes}, seed {seed}"),
            );
        }
    }
}

#[test]
fn a_power_cut_at_some_changes_of_a_large_store_that_forgets() {
    let keep = keeping(Retention { lines: Some(120), ..Retention::default() });
    let whole = FakeDisk::default();
    talk(&whole, &keep, 260, 60_000, 6);
    let total = whole.changes();
    let random = &mut Random::new(9);
    for round in 0..25 {
        // Half of them where segments are closed, deleted and rewritten at the end.
        let changes = if round % 2 == 0 { total - random.number(60) } else { random.number(total) };
        let disk = FakeDisk::default();
        disk.cut_power_after(changes);
        let past = talk(&disk, &keep, 260, 60_000, 6);
        check(disk.after_power_cut(round), &keep, &past, &format!("cut after {changes}, seed {round}"));
    }
}

#[test]
fn a_second_power_cut_while_the_first_is_repaired() {
    for seed in 0..60 {
        let disk = FakeDisk::default();
        disk.cut_power_after(40 + seed % 20);
        let past = talk(&disk, &options(), 30, 3_000, seed);
        let disk = disk.after_power_cut(seed);
        disk.cut_power_after(seed % 7);
        // It may or may not get as far as being open.
        drop(Desk::open(Arc::new(disk.clone()), options()));
        check(disk.after_power_cut(seed + 1), &options(), &past, &format!("seed {seed}"));
    }
}
