//! One event of several rooms, and rooms that share a total.

use std::sync::Arc;

use parlor_server::hub::history::Record;
use parlor_server::store::{Export, Job, Retention};
use parlor_server::testing::FakeDisk;

use crate::desk::{Desk, Scratch, keeping, line, options};

const ROOMS: [&str; 4] = ["#a", "#b", "#c", "#d"];

fn everywhere(millis: u64) -> Record {
    let also = ROOMS[1..].iter().map(|room| (*room).into()).collect();
    Record { event: true, also, ..line("#a", millis, 300) }
}

#[test]
fn an_event_of_several_rooms_is_written_once_and_told_in_each() {
    let scratch = Scratch::new();
    let disk = FakeDisk::default();
    let mut desk = Desk::open(Arc::new(disk.clone()), options()).unwrap();
    desk.keep(
        ROOMS
            .map(|room| line(room, 1, 20))
            .into_iter()
            .zip(1..)
            .map(|(line, count)| {
                let id = parlor_server::protocol::MsgId { count, ..line.id };
                Record { id, ..line }
            })
            .collect(),
    );
    let before = disk.used();
    for millis in 2..=101 {
        desk.keep(vec![everywhere(millis)]);
    }
    assert!(disk.used() - before < 100 * 440 + 70_000, "{} bytes for 100", disk.used() - before);
    let mut desk = {
        for room in ROOMS {
            assert_eq!(desk.all(room).len(), 101, "{room}");
        }
        // Read from what is on disk, and from an index.
        let killed = disk.after_power_cut(0);
        killed.unlock();
        let mut again = Desk::open(Arc::new(killed), options()).unwrap();
        ROOMS.iter().for_each(|room| assert_eq!(again.all(room), desk.all(room), "{room}"));
        desk.close();
        disk.unlock();
        Desk::open(Arc::new(disk.clone()), options()).unwrap()
    };
    ROOMS.iter().for_each(|room| assert_eq!(desk.all(room).len(), 101, "{room}"));
    desk.close();
    for (name, bytes) in disk.snapshot() {
        std::fs::write(scratch.0.join(name), bytes).unwrap();
    }
    for room in ROOMS {
        let export = Export::open(&scratch.0, options(), room, 0).unwrap();
        assert_eq!(export.records(), 101, "{room}");
        assert_eq!(export.map(Result::unwrap).filter(|kept| &*kept.room == room).count(), 101, "{room}");
    }
}

#[test]
fn it_stays_for_the_rooms_that_keep_it_when_others_forget_it() {
    let keep = keeping(Retention { lines: Some(10), ..Retention::default() });
    let disk = FakeDisk::default();
    let mut desk = Desk::open(Arc::new(disk.clone()), keep.clone()).unwrap();
    ROOMS.iter().zip(1..).for_each(|(room, millis)| assert!(desk.keep(vec![line(room, millis, 20)])));
    desk.keep(vec![everywhere(10)]);
    // Of #d it is pushed out, with everything that was before; so much that it is rewritten.
    for millis in 11..=700 {
        desk.keep(vec![line("#d", millis, 60_000)]);
    }
    let told =
        |desk: &mut Desk, room: &str| desk.all(room).iter().map(|(id, _)| id.millis).collect::<Vec<_>>();
    for _ in 0..2 {
        assert_eq!(told(&mut desk, "#d"), (691..=700).collect::<Vec<_>>());
        for (room, millis) in [("#a", 1), ("#b", 2), ("#c", 3)] {
            assert_eq!(told(&mut desk, room), [millis, 10], "{room}");
        }
        desk.close();
        assert!(disk.used() < 17_000_000, "{}", disk.used());
        disk.unlock();
        desk = Desk::open(Arc::new(disk.clone()), keep.clone()).unwrap();
    }
}

#[test]
fn beyond_the_total_those_rooms_lose_lines_that_have_more_than_others() {
    let keep = keeping(Retention { total: Some(4_000_000), ..Retention::default() });
    let disk = FakeDisk::default();
    let mut desk = Desk::open(Arc::new(disk.clone()), keep).unwrap();
    let quiet = ["#q1", "#q2", "#q3"];
    let mut millis = 0;
    let mut say = |desk: &mut Desk, room: &str, count: usize| {
        for _ in 0..count {
            millis += 1;
            while desk.store.submit(Job::Append(vec![line(room, millis, 10_000)])).is_err() {
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
        }
        desk.all(room).len()
    };
    for room in quiet {
        assert_eq!(say(&mut desk, room, 50), 50);
    }
    // Two floods of 30 MB each.
    for _ in 0..60 {
        say(&mut desk, "#flood1", 50);
        say(&mut desk, "#flood2", 50);
    }
    // A half of what is left for each, when the writer has come to it.
    let half =
        |desk: &mut Desk, room: &str| (1_000_000..1_400_000).contains(&(desk.all(room).len() * 10_033));
    let is_done = |desk: &mut Desk| half(desk, "#flood1") && half(desk, "#flood2");
    for seconds in 2.. {
        desk.tell(1_000_000 + seconds * 1_000);
        if is_done(&mut desk) {
            break;
        }
        assert!(seconds < 1_000, "{} lines stay", desk.all("#flood1").len());
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    for room in quiet {
        assert_eq!(desk.all(room).len(), 50, "{room} is not the flood");
    }
    desk.close();
    assert!(disk.used() < 14_000_000, "{} bytes on disk", disk.used());
}

/// A line and a state in each of so many rooms, and it starts as fast as a person blinks.
#[test]
#[expect(clippy::disallowed_methods, reason = "how long a start takes is what is tested")]
fn many_rooms_are_no_slow_start() {
    let disk = FakeDisk::default();
    let mut desk = Desk::open(Arc::new(disk.clone()), options()).unwrap();
    for millis in 1..=20_000 {
        let room = format!("#a room with a name {millis}");
        let state = Some([b'x'; 300].into());
        let mut jobs = vec![
            Job::SetRoom { room: room.as_str().into(), state },
            Job::Append(vec![line(&room, millis, 60)]),
        ];
        while let Some(job) = jobs.pop() {
            if let Err(job) = desk.store.submit(job) {
                jobs.push(job);
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
        }
    }
    assert_eq!(desk.all("#a room with a name 20000").len(), 1);
    drop(desk);
    disk.unlock();
    let begin = std::time::Instant::now();
    let mut desk = Desk::open(Arc::new(disk), options()).unwrap();
    let took = begin.elapsed();
    // A tenth of it on a quiet machine: what grows with the square of the rooms takes minutes.
    assert!(took < std::time::Duration::from_secs(10), "{took:?}");
    assert_eq!(desk.opened.rooms.len(), 20_000);
    assert_eq!(desk.all("#a room with a name 1").len(), 1);
}
