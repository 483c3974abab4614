//! A full disk: people are told, nothing that was kept is lost, and it goes on by itself.

use std::sync::Arc;

use parlor_server::hub::history::Record;
use parlor_server::store::Job;
use parlor_server::testing::FakeDisk;

use crate::desk::{Desk, line, options};

#[test]
fn history_pauses_and_resumes_by_itself() {
    let disk = FakeDisk::default();
    let mut desk = Desk::open(Arc::new(disk.clone()), options()).unwrap();
    for millis in 1..=10 {
        assert!(desk.keep(vec![line("#a", millis, 1_000)]));
    }
    for room in [0, 1, 15, 40, 200, 500, 1_000] {
        let before = desk.all("#a").len();
        disk.set_room(Some(disk.used() + room));
        // More than the zeros that were written ahead.
        let millis = desk.committed.millis + 1;
        let mut records: Vec<_> = (millis..millis + 200).map(|millis| line("#a", millis, 1_000)).collect();
        let last = records.pop().unwrap();
        assert!(!desk.keep(records), "room for {room}");
        assert!(desk.paused[0].contains("00000001-0.log"), "{:?}", desk.paused);
        // What was kept is still read, with what fitted, and nothing half.
        let kept = desk.all("#a").len();
        assert!((before..before + 70).contains(&kept), "{kept}");
        // This one fits in what may wait.
        desk.store.submit(Job::Append(vec![last.clone()])).unwrap();
        disk.set_room(None);
        desk.wait(|desk| desk.lost.is_some() && desk.committed >= last.id);
        assert_eq!(desk.lost.take(), Some(0));
        assert_eq!(desk.all("#a").len(), before + 200);
        desk.paused.clear();
    }
    let all = desk.all("#a");
    desk.close();
    disk.unlock();
    let mut desk = Desk::open(Arc::new(disk), options()).unwrap();
    assert_eq!(desk.all("#a"), all);
    assert!(desk.opened.repaired.is_empty());
}

#[test]
fn what_does_not_fit_in_the_waiting_room_is_counted() {
    let disk = FakeDisk::default();
    let mut desk = Desk::open(Arc::new(disk.clone()), options()).unwrap();
    assert!(desk.keep(vec![line("#a", 1, 10)]));
    disk.set_room(Some(disk.used()));
    for millis in 2..=60 {
        // Far more than the zeros ahead and 1 MiB.
        while desk.store.submit(Job::Append(vec![line("#a", millis, 60_000)])).is_err() {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
    }
    desk.wait(|desk| !desk.paused.is_empty());
    assert!(desk.all("#a").len() < 10);
    disk.set_room(None);
    desk.wait(|desk| desk.lost.is_some());
    let lost = desk.lost.unwrap() as usize;
    let kept = desk.all("#a");
    assert_eq!(kept.len() + lost, 60);
    assert!(lost > 30 && kept.len() > 15, "{lost} lost");
    // The first ones are kept, without a gap.
    assert!(kept.iter().map(|(key, _)| key.millis).eq(1..=kept.len() as u64));
}

#[test]
fn what_fits_is_written_in_order() {
    let disk = FakeDisk::default();
    let mut desk = Desk::open(Arc::new(disk.clone()), options()).unwrap();
    assert!(desk.keep(vec![line("#a", 1, 1_000)]));
    // Not even the zeros that are written ahead.
    disk.set_room(Some(0));
    desk.store.submit(Job::Append((2..=400).map(|millis| line("#a", millis, 1_000)).collect())).unwrap();
    desk.wait(|desk| !desk.paused.is_empty());
    let first = desk.all("#a").len();
    assert!(first < 70, "{first}");
    for _ in 0..2 {
        let before = desk.all("#a").len();
        disk.set_room(Some(disk.used() + 120_000));
        desk.wait(|desk| desk.committed.millis as usize >= before + 110);
        let kept = desk.all("#a");
        assert!(kept.iter().map(|(key, _)| key.millis).eq(1..=kept.len() as u64), "in order");
        assert!(kept.len() <= before + 120 && desk.lost.is_none());
    }
    let kept = desk.all("#a").len() as u64;
    assert_eq!(desk.close(), 400 - kept);
    disk.unlock();
    disk.set_room(None);
    let mut desk = Desk::open(Arc::new(disk), options()).unwrap();
    assert_eq!((desk.all("#a").len() as u64, desk.opened.repaired.len()), (kept, 0));
}

#[test]
fn an_event_of_several_rooms_is_written_in_all_of_them_or_none() {
    let disk = FakeDisk::default();
    let mut desk = Desk::open(Arc::new(disk.clone()), options()).unwrap();
    let rooms = ["#a", "#b", "#c"];
    let also = || rooms[1..].iter().map(|room| (*room).into()).collect();
    let talk = (1..=200).map(|millis| Record { also: also(), ..line("#a", millis, 3_000) });
    disk.set_room(Some(disk.used() + 200_500));
    desk.store.submit(Job::Append(talk.collect())).unwrap();
    desk.wait(|desk| !desk.paused.is_empty());
    let kept = rooms.map(|room| desk.all(room).len() as u64);
    assert!(kept[0] > 30 && kept == [kept[0]; 3] && desk.committed.millis == kept[0], "{kept:?}");
    disk.set_room(None);
    desk.wait(|desk| desk.lost.is_some());
    assert_eq!(rooms.map(|room| desk.all(room).len()), [200; 3]);
}

#[test]
fn a_store_that_is_closed_while_the_disk_is_full_says_what_is_lost() {
    let disk = FakeDisk::default();
    let mut desk = Desk::open(Arc::new(disk.clone()), options()).unwrap();
    assert!(desk.keep(vec![line("#a", 1, 10)]));
    disk.set_room(Some(disk.used()));
    assert!(!desk.keep((2..=4).map(|millis| line("#a", millis, 60_000)).collect()));
    // One has a place among the zeros that were written ahead.
    assert_eq!(desk.close(), 2);
    disk.unlock();
    let mut desk = Desk::open(Arc::new(disk), options()).unwrap();
    assert_eq!(desk.all("#a").len(), 2);
}

/// The system's own limit; this test starts itself again below it.
#[cfg(unix)]
#[test]
fn a_real_limit_pauses_a_real_file() {
    use std::env;
    use std::process::Command;

    use crate::desk::Scratch;

    const INSIDE: &str = "PARLOR_STORE_BELOW_A_LIMIT";
    if let Some(folder) = env::var_os(INSIDE) {
        let mut desk = Desk::in_folder(folder.as_ref(), options());
        let mut millis = 0;
        while desk.paused.is_empty() {
            millis += 1;
            assert!(millis < 100, "the limit was never met");
            desk.keep(vec![line("#a", millis, 30_000)]);
        }
        assert_eq!(desk.all("#a").len() as u64, millis - 1);
        desk.close();
        return;
    }
    let scratch = Scratch::new();
    let this = env::current_exe().unwrap();
    // 1,000 blocks of 512 bytes; the signal that comes with the limit is the server's to ignore.
    let inside = Command::new("sh")
        .args([
            "-c",
            "trap '' XFSZ; ulimit -f 1000; exec \"$0\" --exact disk_full::a_real_limit_pauses_a_real_file",
        ])
        .arg(this)
        .env(INSIDE, &scratch.0)
        .output()
        .unwrap();
    assert!(inside.status.success(), "{}", String::from_utf8_lossy(&inside.stdout));
    let mut desk = Desk::in_folder(&scratch.0, options());
    let count = desk.all("#a").len() as u64;
    assert!(count > 5 && desk.opened.repaired.is_empty(), "{count}");
    assert!(desk.keep(vec![line("#a", 1_000, 60_000)]));
}
