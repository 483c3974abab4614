//! The hub, sessions and a model of the store in one process, under virtual time: connections are slow, break anywhere,
//! and the server crashes at any moment.
//!
//! What must hold is said in [`oracle`], in [`names`] and at [`run`]. Each seed is another day:
//!
//! * `PARLOR_SEEDS=10000` runs so many, not 300;
//! * `PARLOR_SEED=17` runs that one and tells all that happened.
#![forbid(unsafe_code)]

mod cluster;
mod disk;
mod engine;
mod link;
mod names;
mod network;
mod oracle;
mod order;
mod owner;
mod people;
mod person;
mod plan;
mod private;
mod replica;
mod server;
mod stranger;
mod trace;
mod verdict;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::{env, thread};

use parlor_server::testing::random::given_seed;
use plan::Kind;
use trace::Trace;
use world::World;

/// Seeds of a normal run.
const SEEDS: u64 = 300;
/// Lines of a trace that are shown of a seed that failed.
const SHOWN: usize = 400;

/// One day: things go wrong for a while, then all is quiet, and everybody must have the same.
fn run(seed: u64, trace: Trace, kind: Kind) -> World {
    let mut world = World::new(seed, trace, kind);
    world.run_until(world.plan.chaos);
    world.settle();
    world.judge();
    world
}

/// The reason why a day went wrong, if it did.
fn failure(seed: u64, trace: Trace, kind: Kind) -> Option<String> {
    let end = catch_unwind(AssertUnwindSafe(|| drop(run(seed, trace, kind)))).err()?;
    let text = end.downcast_ref::<String>().map(String::as_str);
    Some(text.or(end.downcast_ref::<&str>().copied()).unwrap_or("a panic").to_owned())
}

fn number(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is not a number")))
}

/// Many days, or the one that was asked for.
fn days(kind: Kind, test: &str) {
    if let Some(seed) = given_seed() {
        let trace = Trace::on();
        let why = failure(seed, trace.clone(), kind);
        trace.lines().iter().for_each(|line| println!("{line}"));
        return assert!(why.is_none(), "seed {seed}: {}", why.unwrap_or_default());
    }
    let (next, failed) = (AtomicU64::new(0), Mutex::new(Vec::new()));
    let count = number("PARLOR_SEEDS").unwrap_or(SEEDS);
    let first = number("PARLOR_FIRST_SEED").unwrap_or(1);
    let work = || {
        loop {
            let seed = first + next.fetch_add(1, Ordering::Relaxed);
            if seed >= first + count {
                return;
            }
            if let Some(why) = failure(seed, Trace::default(), kind) {
                failed.lock().expect("nobody panics with it").push((seed, why));
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    let mut failed = failed.into_inner().expect("nobody panics with it");
    failed.sort();
    let Some((seed, _)) = failed.first() else { return };
    let trace = Trace::on();
    let why = failure(*seed, trace.clone(), kind)
        .unwrap_or_else(|| "it did not fail again: something is not of the seed".into());
    let lines = trace.lines();
    lines.iter().skip(lines.len().saturating_sub(SHOWN)).for_each(|line| println!("{line}"));
    for (seed, why) in &failed {
        println!("seed {seed}: {}", why.lines().next().unwrap_or_default());
    }
    panic!(
        "{} of {count} seeds failed. Seed {seed}: {why}\n\
         The last {SHOWN} lines of what happened stand above; all of them: \
         PARLOR_SEED={seed} cargo test -p parlor-tests --test simulation {test} -- --nocapture",
        failed.len()
    );
}

#[test]
fn nothing_is_lost_and_nothing_doubled() {
    days(Kind::One, "nothing_is_lost");
}

#[test]
fn several_servers_have_one_order() {
    days(Kind::Several, "several_servers");
}

#[test]
fn a_seed_is_the_same_day_each_time() {
    for (kind, seed) in
        [Kind::One, Kind::Several].into_iter().flat_map(|kind| (1..=10).map(move |seed| (kind, seed)))
    {
        let [one, other] = [(), ()].map(|()| {
            let trace = Trace::on();
            drop(failure(seed, trace.clone(), kind));
            trace.lines()
        });
        let differs = one.iter().zip(&other).find(|(one, other)| one != other);
        assert_eq!(differs, None, "seed {seed} of {kind:?}");
        assert!(one.len() == other.len() && one.len() > 100, "a day has events");
    }
}
