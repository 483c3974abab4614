//! More people than one can read, and servers that never stop.

use std::io::Write;
use std::thread;
use std::time::{Duration, Instant};

use parlor_ui::StatusKind;
use parlor_ui::slint::Model;

use crate::person::Person;
use crate::script::Script;

/// How long a typed line may take to the server in the worst of crowds.
const SOON: Duration = Duration::from_secs(2);

#[expect(clippy::disallowed_methods, reason = "a test measures real time")]
fn now() -> Instant {
    Instant::now()
}

#[test]
fn a_typed_line_goes_out_among_25_000_strangers() {
    let script = Script::new();
    let address = script.address();
    let server = thread::spawn(move || {
        let mut alice = script.welcome(1);
        let block: String = (0..25_000).map(|i| format!(":s{i}!u@h PRIVMSG alice :buy {i}\r\n")).collect();
        let mut crowd = alice.lines.get_ref().try_clone().unwrap();
        // What is typed is read while they write.
        let writing = thread::spawn(move || crowd.write_all(block.as_bytes()).unwrap());
        alice.reads("PRIVMSG #lobby :typed meanwhile");
        let heard = now();
        writing.join().unwrap();
        alice.says(":bob!u@h PRIVMSG #lobby :that was all");
        (alice, heard)
    });
    let alice = Person::new("crowd");
    alice.joins(address, "alice");
    alice.until("the row of others", |alice| alice.rooms().get_rooms().iter().any(|row| row.key == "**"));
    let typed = now();
    alice.says("typed meanwhile");
    alice.waits_for("that was all");
    let (guest, heard) = server.join().unwrap();
    assert!(heard - typed < SOON, "{:?}", heard - typed);
    println!("typed among 25,000 strangers, heard after {:?}", heard - typed);

    // The room, twenty people, the others.
    let rooms: Vec<_> = alice.rooms().get_rooms().iter().collect();
    assert_eq!(rooms.len(), 22, "{rooms:?}");
    let others = rooms.iter().position(|row| row.key == "**").unwrap();
    assert!(rooms[others].name == "Others wrote to you" && rooms[others].mention);
    alice.rooms().invoke_select_room(others as i32);
    alice.waits_for("buy 24999");
    assert!(!alice.room().get_alone() && alice.room().get_strangers());
    assert!((500..1_100).contains(&alice.people().get_people_count()), "those whose lines are there");
    alice.says("which one?");
    alice.waits_for_complaint("answer one by their name");
    // One of them is answered.
    alice.people().invoke_message_person("s24999".into());
    alice.until("a conversation of their own", |alice| alice.room().get_key() == "s24999");
    assert!(alice.has("buy 24999"));
    drop(guest);
}

#[test]
fn a_server_that_reads_nothing_is_left_and_nothing_is_kept_for_it() {
    let script = Script::new();
    let address = script.address();
    let server = thread::spawn(move || {
        let alice = script.welcome(1);
        let mut stream = alice.lines.get_ref().try_clone().unwrap();
        let pings = "PING :0123456789012345678901234567890123456789\r\n".repeat(1_000);
        let mut sent = 0;
        // Until it hangs up.
        while stream.write_all(pings.as_bytes()).is_ok() {
            sent += pings.len();
            assert!(sent < 200 << 20, "it answers without end");
        }
        sent
    });
    let alice = Person::new("deaf");
    alice.joins(address, "alice");
    alice.until("the end of the connection", |alice| {
        alice.status().get_status() != StatusKind::Connected
            && alice.status().get_status_detail().contains("does not read what it is sent")
    });
    println!("left after {} MB of PINGs", server.join().unwrap() >> 20);
}

#[test]
fn people_who_come_without_end_freeze_nothing() {
    let script = Script::new();
    let address = script.address();
    let server = thread::spawn(move || {
        let mut alice = script.welcome(1);
        let joins: String = (0..30_000).map(|i| format!(":p{i}!u@host{i} JOIN #lobby\r\n")).collect();
        let mut crowd = alice.lines.get_ref().try_clone().unwrap();
        let writing = thread::spawn(move || crowd.write_all(joins.as_bytes()).unwrap());
        alice.reads("PRIVMSG #lobby :typed meanwhile");
        let heard = now();
        writing.join().unwrap();
        alice.says(":bob!u@h PRIVMSG #lobby :that was all");
        alice.reads("PRIVMSG #lobby :and now");
        (alice, heard)
    });
    let alice = Person::new("joins");
    alice.joins(address, "alice");
    alice.until("many", |alice| alice.people().get_people_count() > 100);
    let typed = now();
    alice.says("typed meanwhile");
    alice.waits_for("that was all");
    alice.says("and now");
    let (guest, heard) = server.join().unwrap();
    assert!(heard - typed < SOON, "{:?}", heard - typed);
    alice.until("all that fit", |alice| alice.people().get_people_count() == 10_000);
    assert_eq!(alice.people().get_people().row_count(), 10_000);
    drop(guest);
}
