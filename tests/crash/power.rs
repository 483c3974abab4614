//! The power is cut at any write: what was said to be on disk is there, and the rest is whole or gone.

use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use parlor_server::hub::history::{Answer, Query, Range, Record, Request};
use parlor_server::protocol::MsgId;
use parlor_server::store::{Job, Options, Report, Store};
use parlor_server::testing::{FakeDisk, Random};

const SEEDS: u64 = 60;
/// Times that the power is cut on one disk.
const CUTS: usize = 5;
const ROOMS: [&str; 3] = ["#lobby", "#tea", "#garden"];

/// What was said: its key and its room.
type Said = (MsgId, &'static str);

#[test]
fn what_was_committed_survives_a_power_cut() {
    for seed in 0..SEEDS {
        day(seed);
    }
}

fn day(seed: u64) {
    let mut random = Random::new(seed);
    let mut disk = FakeDisk::default();
    // What must be there, in order, and what may be.
    let mut kept: Vec<Said> = Vec::new();
    let mut perhaps: Vec<Said> = Vec::new();
    let mut boots = 0;
    for cut in 0..=CUTS {
        let committed = Arc::new(Mutex::new(MsgId::default()));
        let (answers, answered) = mpsc::channel();
        let note = Arc::clone(&committed);
        let notify = move |report| match report {
            Report::Committed(key) => {
                let mut last = note.lock().expect("nobody panics with it");
                *last = key.max(*last);
            }
            Report::Answer { ticket, answer } => drop(answers.send((ticket, answer))),
            Report::Paused(_) | Report::Resumed { .. } => {}
        };
        let options = Options { retry: Duration::from_millis(5), secret: [7; 16], ..Options::default() };
        let opened = Store::open_on(Arc::new(disk.clone()), options, notify);
        let (store, opened) = opened.unwrap_or_else(|error| panic!("seed {seed}, cut {cut}: {error}"));
        assert!(opened.boot > boots, "seed {seed}: a boot number is never given twice");
        boots = opened.boot;
        let found = all(&store, &answered);
        let promised: Vec<Said> = found.iter().filter(|said| kept.contains(said)).copied().collect();
        assert_eq!(promised, kept, "seed {seed}, cut {cut}: what was committed is there, once and in order");
        let rest: Vec<Said> = found.iter().filter(|said| !kept.contains(said)).copied().collect();
        assert_eq!(
            rest,
            perhaps[..rest.len()],
            "seed {seed}, cut {cut}: of the rest some beginning is there"
        );
        if cut == CUTS {
            return;
        }
        kept = found;
        // The power goes while this is written.
        disk.cut_power_after(disk.changes() + 1 + random.below(60) as u64);
        perhaps = talk(&store, opened.boot, &mut random);
        drop(store);
        let last = *committed.lock().expect("nobody panics with it");
        let sure = perhaps.iter().take_while(|(key, _)| *key <= last).count();
        kept.extend(perhaps.drain(..sure));
        disk = disk.after_power_cut(random.next());
        disk.unlock();
    }
}

/// Says something in groups of all sizes.
fn talk(store: &Store, boot: u32, random: &mut Random) -> Vec<Said> {
    let mut said = Vec::new();
    for millis in 1..=30 {
        let most = *random.pick(&[4, 4, 4, 4, 60]);
        let count = 1 + random.below(most);
        let mut group = Vec::new();
        for number in 0..count {
            let key = MsgId { boot, millis: u64::from(boot) * 1000 + millis, count: number as u16 };
            let room = ROOMS[random.below(ROOMS.len())];
            let payload = vec![b'x'; random.below(700)].into();
            group.push(Record {
                room: room.into(),
                also: Box::default(),
                id: key,
                event: false,
                fingerprint: None,
                erases: None,
                payload,
            });
            said.push((key, room));
        }
        store.submit(Job::Append(group)).expect("so little is taken");
        if random.below(3) == 0 {
            std::thread::sleep(Duration::from_micros(random.below(800) as u64));
        }
    }
    said
}

/// Everything that is kept, in order.
fn all(
    store: &Store,
    answered: &mpsc::Receiver<(u64, Result<Answer, parlor_server::store::StoreError>)>,
) -> Vec<Said> {
    let mut found = Vec::new();
    for (ticket, room) in ROOMS.into_iter().enumerate() {
        let query =
            Query { room: room.into(), range: Range::ALL, limit: 100_000, newest: false, events: true };
        store
            .submit(Job::Read { ticket: ticket as u64, request: Request::Lines(query) })
            .expect("one question is taken");
        let (of, answer) = answered.recv_timeout(Duration::from_secs(10)).expect("an answer");
        let Ok(Answer::Lines { found: page, .. }) = answer else { panic!("a page, not {answer:?}") };
        assert_eq!(of, ticket as u64);
        found.extend(page.iter().map(|record| (record.id, room)));
    }
    found.sort();
    found
}
