//! What is not ours, not whole, too new or in use is refused, and left as it is.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use parlor_server::store::{Disk, Export, Folder, Job, Retention, StoreError};
use parlor_server::testing::FakeDisk;

use crate::desk::{Desk, Scratch, everything, keeping, key, line, options};

const FIRST: &str = "00000001-0.log";

/// A store of three segments; `clean` = it was closed.
fn store(clean: bool) -> FakeDisk {
    let disk = FakeDisk::default();
    let mut desk = Desk::open(Arc::new(disk.clone()), options()).unwrap();
    for millis in 1..=340 {
        desk.keep(vec![line("#a", millis, 60_000)]);
    }
    if clean {
        desk.close();
    } else {
        let copy = disk.after_power_cut(0);
        drop(desk);
        return copy;
    }
    disk.unlock();
    disk
}

/// Refused with a sentence that names the file, and nothing changed.
fn refused(disk: &FakeDisk, file: &str) -> StoreError {
    let before = disk.snapshot();
    disk.unlock();
    let error = Desk::open(Arc::new(disk.clone()), options()).err().expect("it is refused");
    assert!(error.to_string().contains(file), "{error}");
    assert_eq!(error.exit_code(), 65);
    assert!(before == disk.snapshot(), "something was changed");
    error
}

#[test]
fn a_flipped_bit_in_the_middle_is_refused() {
    let last = "00000003-0.log";
    for place in [28, 40, 45, 60_000, 500_000] {
        let disk = store(false);
        disk.tamper(last, |bytes| bytes[place] ^= 4);
        refused(&disk, last);
    }
    for (file, place) in [(FIRST, 20), ("rooms.log", 9), ("meta", 10)] {
        let disk = store(true);
        disk.tamper(file, |bytes| bytes[place] ^= 4);
        refused(&disk, file);
    }
}

#[test]
fn a_flipped_bit_anywhere_in_the_last_segment_is_refused_after_a_clean_stop() {
    let disk = FakeDisk::default();
    let mut desk = Desk::open(Arc::new(disk.clone()), options()).unwrap();
    for millis in 1..=10 {
        desk.keep(vec![line("#a", millis, 100)]);
    }
    desk.close();
    let whole = disk.snapshot().remove(FIRST).unwrap();
    assert!((1_000..3_000).contains(&whole.len()), "{}", whole.len());
    for place in 0..whole.len() {
        disk.tamper(FIRST, |bytes| bytes[place] ^= 1 << (place % 8));
        refused(&disk, FIRST);
        disk.tamper(FIRST, |bytes| bytes.clone_from(&whole));
    }
}

#[test]
fn a_flipped_bit_in_an_old_segment_costs_one_line_and_is_left_alone() {
    let disk = store(true);
    disk.tamper(FIRST, |bytes| bytes[7_000_000] ^= 1);
    let damaged = disk.snapshot().remove(FIRST).unwrap();
    // Most of the segment is dead: it would be rewritten.
    let keep = keeping(Retention { lines: Some(250), ..Retention::default() });
    let mut desk = Desk::open(Arc::new(disk.clone()), keep).unwrap();
    let all: Vec<u64> = desk.all("#a").iter().map(|(key, _)| key.millis).collect();
    assert_eq!(all, (91..=340).filter(|millis| *millis != 117).collect::<Vec<_>>());
    let newest = desk.page(parlor_server::hub::history::Query { newest: true, ..everything("#a", 100) });
    assert_eq!(newest.last(), Some(&key(340)));
    desk.close();
    assert!(disk.snapshot().get(FIRST) == Some(&damaged));
}

#[test]
fn an_old_segment_that_is_gone_costs_its_lines_only() {
    let disk = store(true);
    let mut desk = Desk::open(Arc::new(disk.clone()), options()).unwrap();
    disk.remove(FIRST).unwrap();
    let all = desk.all("#a");
    assert!((180..220).contains(&all.len()) && all.last().unwrap().0 == key(340), "{}", all.len());
}

#[test]
fn damage_is_exported_around() {
    for place in [28, 50, 4_000, 9_000] {
        let scratch = Scratch::new();
        let mut desk = Desk::in_folder(&scratch.0, options());
        for millis in 1..=100 {
            desk.keep(vec![line("#a", millis, 100)]);
        }
        desk.close();
        let path = scratch.0.join(FIRST);
        let mut bytes = fs::read(&path).unwrap();
        bytes[place] ^= 4;
        fs::write(&path, bytes).unwrap();
        for clean in [true, false] {
            if !clean {
                fs::remove_file(scratch.0.join("00000001-0.index")).unwrap();
            }
            let before = contents(&scratch.0);
            let export = Export::open(&scratch.0, options(), "#a", 0).unwrap();
            let (lines, errors): (Vec<_>, Vec<_>) = export.partition(Result::is_ok);
            assert!((99..=100).contains(&lines.len()) && errors.len() == 1, "{place}: {}", lines.len());
            assert!(before == contents(&scratch.0), "{place}");
        }
    }
}

#[test]
fn a_segment_without_its_index_is_indexed_again() {
    for change in
        [|_: &mut Vec<u8>| {}, |bytes: &mut Vec<u8>| bytes[60] ^= 1, |bytes: &mut Vec<u8>| bytes.truncate(70)]
    {
        let disk = store(true);
        let before = disk.snapshot();
        disk.tamper("00000002-0.index", change);
        let mut desk = Desk::open(Arc::new(disk.clone()), options()).unwrap();
        assert_eq!(desk.all("#a").len(), 340);
        desk.close();
        let after = disk.snapshot();
        assert!(before.get("00000002-0.index") == after.get("00000002-0.index"));
    }
}

#[test]
fn a_truncated_file_is_cut_at_the_end_and_refused_elsewhere() {
    let disk = store(true);
    disk.tamper(FIRST, |bytes| bytes.truncate(1_000_000));
    refused(&disk, FIRST);
    // The last one, after a kill: what is whole stays.
    let disk = store(false);
    disk.tamper("00000003-0.log", |bytes| bytes.truncate(1_000_000));
    let mut desk = Desk::open(Arc::new(disk.clone()), options()).unwrap();
    assert_eq!(desk.opened.repaired.len(), 1, "{:?}", desk.opened.repaired);
    let all = desk.all("#a");
    let keys: Vec<_> = all.iter().map(|(key, _)| key.millis).collect();
    assert!(keys.len() > 280 && keys == (1..=keys.len() as u64).collect::<Vec<_>>());
    assert!(desk.keep(vec![line("#a", 1_000, 60_000)]));
    desk.close();
    disk.unlock();
    let mut desk = Desk::open(Arc::new(disk), options()).unwrap();
    assert_eq!(desk.all("#a").len(), all.len() + 1);
    assert!(desk.opened.repaired.is_empty());
}

#[test]
fn rooms_that_were_cut_between_two_batches_are_refused() {
    let disk = FakeDisk::default();
    let mut desk = Desk::open(Arc::new(disk.clone()), options()).unwrap();
    let mut ends = Vec::new();
    for state in 1..4 {
        desk.store.submit(Job::SetRoom { room: "#a".into(), state: Some([state].into()) }).unwrap();
        desk.keep(vec![line("#a", u64::from(state), 10)]);
        ends.push(disk.snapshot()["rooms.log"].len());
    }
    desk.close();
    let whole = disk.snapshot().remove("rooms.log").unwrap();
    assert_eq!(whole.len(), ends[2]);
    for end in [28, ends[0], ends[1]] {
        disk.tamper("rooms.log", |bytes| bytes.truncate(end));
        refused(&disk, "rooms.log");
        disk.tamper("rooms.log", |bytes| bytes.clone_from(&whole));
    }
    disk.unlock();
    assert_eq!(Desk::open(Arc::new(disk), options()).unwrap().opened.rooms, [("#a".into(), [3].into())]);
}

#[test]
fn a_foreign_file_is_refused() {
    for file in [FIRST, "rooms.log", "meta"] {
        let disk = store(true);
        disk.tamper(file, |bytes| *bytes = b"Dear diary, today nothing happened.".to_vec());
        assert!(matches!(refused(&disk, file), StoreError::Foreign { .. }));
    }
}

#[test]
fn a_missing_file_is_refused() {
    for file in ["meta", "rooms.log"] {
        let scratch = Scratch::new();
        let mut desk = Desk::in_folder(&scratch.0, options());
        desk.keep(vec![line("#a", 1, 10)]);
        desk.close();
        fs::remove_file(scratch.0.join(file)).unwrap();
        let before = contents(&scratch.0);
        let error = Desk::open(Arc::new(Folder::new(&scratch.0)), options()).err().expect("it is refused");
        assert!(error.to_string().contains(file), "{error}");
        assert!(before == contents(&scratch.0));
    }
}

#[test]
fn a_newer_store_is_refused() {
    let disk = store(true);
    // Magic, then the format; then the checksum over all of it.
    disk.tamper("meta", |bytes| {
        bytes[8] = 9;
        let end = bytes.len() - 4;
        let sum = crc32c(&bytes[..end]);
        bytes[end..].copy_from_slice(&sum.to_le_bytes());
    });
    assert!(matches!(refused(&disk, ""), StoreError::Newer { found: 9, .. }));
}

#[test]
fn a_store_in_use_is_refused_until_it_is_closed() {
    let scratch = Scratch::new();
    let desk = Desk::in_folder(&scratch.0, options());
    let error = Desk::open(Arc::new(Folder::new(&scratch.0)), options()).err().expect("it is refused");
    assert!(matches!(error, StoreError::InUse { .. }) && error.exit_code() == 69);
    desk.close();
    Desk::in_folder(&scratch.0, options());
}

fn contents(folder: &Path) -> BTreeMap<std::ffi::OsString, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    entries.map(|entry| (entry.file_name(), fs::read(entry.path()).unwrap())).collect()
}

/// CRC-32C, bit by bit.
fn crc32c(bytes: &[u8]) -> u32 {
    let step = |value: u32, _| if value & 1 == 1 { (value >> 1) ^ 0x82f6_3b78 } else { value >> 1 };
    !bytes.iter().fold(!0, |value, &byte| (0..8).fold(value ^ u32::from(byte), step))
}
