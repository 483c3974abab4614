//! The real program under mutated sessions at all its listeners, with cuts and resets, while two people
//! talk: nobody else loses a line, nothing panics, and what was said is in the history afterwards.
//!
//! A minute, or `PARLOR_FUZZ_SECONDS`. Each run has another seed, printed where it fails; `PARLOR_SEED` repeats
//! what its strangers say (not when: they are threads).

mod mutation;
mod session;
mod stranger;

use std::env;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use parlor_server::testing::Random;
use parlor_tests::{Deadline, Irc, Message, Scratch, Server};

/// Seconds, unless `PARLOR_FUZZ_SECONDS` says otherwise.
const SECONDS: u64 = 60;
/// Strangers at a time.
const STRANGERS: usize = 8;
/// Kilobytes that the server may ever have had in memory.
#[cfg(target_os = "linux")]
const MEMORY: u64 = 128 * 1024;
/// How long one of the two waits for the other while eight strangers rage.
const PATIENCE: Duration = Duration::from_secs(30);
const ROOM: &str = "#calm";

#[test]
fn two_people_talk_while_strangers_say_anything_at_all() {
    let seconds = env::var("PARLOR_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(SECONDS);
    let mut random = Random::drawn();
    let folder = Scratch::new();
    let args = ["--max-clients-per-ip", "1000", "--raw-bind", "127.0.0.1:0"];
    let server = folder.server(&args);
    let mut talk = Talk::begin(&server);
    let stop = Arc::new(AtomicBool::new(false));
    let doors = [server.address(), server.address(), server.raw_address()];
    let strangers: Vec<_> =
        (0..STRANGERS).map(|_| let_loose(Random::new(random.next()), doors, stop.clone())).collect();

    let deadline = Deadline::after(Duration::from_secs(seconds));
    while deadline.left().is_some() {
        talk.go_on();
    }
    stop.store(true, Ordering::Relaxed);
    let sessions: u64 = strangers.into_iter().map(|one| one.join().expect("a stranger's thread")).sum();
    println!("{sessions} sessions beside {} lines of talk", talk.said);
    assert!(sessions > 100, "only {sessions} sessions: this run shows nothing");
    assert!(!server.log().text().contains("panicked"), "{}", server.log().text());
    #[cfg(target_os = "linux")]
    assert!(peak(&server) < MEMORY, "{} KB were in memory", peak(&server));
    let said = talk.said;
    drop(talk);
    assert_eq!(server.stop(), 0);
    in_the_history(&folder, said);
}

/// Everything that was said, once and in order.
fn in_the_history(folder: &Scratch, said: u64) {
    let args = ["--data", &folder.path().display().to_string(), "--export", ROOM];
    let ended = parlor_tests::Launch::new(&args).without_defaults().run();
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let kept = ended.stdout.lines().filter_map(|line| line.split_once(" <alice> line ")?.1.parse().ok());
    let kept: Vec<u64> = kept.collect();
    // The oldest may have made room for what strangers said.
    let first = kept.first().copied().unwrap_or(said);
    assert_eq!(kept, (first..said).collect::<Vec<u64>>());
    assert!(!kept.is_empty(), "nothing of {said} lines is kept");
}

/// Two people, and how many lines the one has said to the other.
struct Talk {
    alice: Irc,
    bob: Irc,
    said: u64,
}

impl Talk {
    fn begin(server: &Server) -> Talk {
        let mut people = ["alice", "bob"].map(|nick| server.irc(nick).patience(PATIENCE));
        people.iter_mut().for_each(|person| drop(person.join(ROOM)));
        let [mut alice, bob] = people;
        // An operator keeps strangers from throwing the other out; they may talk and come.
        alice.send(&format!("MODE {ROOM} +t"));
        Talk { alice, bob, said: 0 }
    }

    /// Says the next line; it has to arrive before any later one.
    fn go_on(&mut self) {
        let Talk { alice, bob, said } = self;
        alice.send(&format!("PRIVMSG {ROOM} :line {said}"));
        let heard = bob.expect(|message: &Message| {
            message.command == "PRIVMSG" && message.nick() == "alice" && message.param(0) == ROOM
        });
        assert_eq!(heard.last(), format!("line {said}"));
        *said += 1;
        alice.settle();
    }
}

/// Strangers in a thread, one behind the other; how many there were.
fn let_loose(mut random: Random, doors: [SocketAddr; 3], stop: Arc<AtomicBool>) -> thread::JoinHandle<u64> {
    thread::spawn(move || {
        let mut sessions = 0;
        while !stop.load(Ordering::Relaxed) {
            let door = *random.pick(&doors);
            // A refusal or a cut is what strangers earn.
            let _ = stranger::visit(door, &mut random, &stop);
            sessions += 1;
        }
        sessions
    })
}

/// The most kilobytes that were in memory at once.
#[cfg(target_os = "linux")]
fn peak(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id())).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("Linux counts it");
    line.split_whitespace().next().and_then(|kb| kb.parse().ok()).expect("kilobytes")
}
