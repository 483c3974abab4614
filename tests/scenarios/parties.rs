//! One address with all its connections: how fast it may talk, and come back.

use std::thread;
use std::time::Duration;

use parlor_tests::{Deadline, Irc, Plain, Server};

/// A server with a second listener, from which its own machine is somebody else.
fn with_two_addresses(options: &[&str]) -> Server {
    Server::start(&[&["--bind", "127.0.0.1:0", "--bind", "[::1]:0"], options].concat())
}

/// Somebody at another address than 127.0.0.1.
fn elsewhere(server: &Server, nick: &str) -> Irc {
    let mut irc = Irc::connect_to(server.addresses()[1]).register(nick);
    irc.join("#lobby");
    irc
}

/// Hears so many lines.
fn hear(irc: &mut Irc, mut lines: usize) {
    while lines > 0 {
        lines -= usize::from(irc.next_message().command == "PRIVMSG");
    }
}

#[test]
fn a_classroom_that_comes_at_once_and_talks_is_not_slowed() {
    const PEOPLE: usize = 60;
    const LINES: usize = 16;
    let server = with_two_addresses(&["--flood", "5"]);
    let mut teacher = elsewhere(&server, "teacher");
    let talk = "PRIVMSG #lobby :here\r\n".repeat(LINES);
    let mut class: Vec<Irc> = (0..PEOPLE).map(|_| Irc::connect(&server)).collect();
    for (number, pupil) in class.iter_mut().enumerate() {
        pupil.send_bytes(format!("NICK p{number}\r\nUSER p 0 * :P\r\nJOIN #lobby\r\n{talk}"));
    }
    let in_time = Deadline::after(Duration::from_secs(5));
    hear(&mut teacher, PEOPLE * LINES);
    assert!(in_time.left().is_some(), "the class was slowed");
}

#[test]
fn new_connections_bring_no_new_right_to_talk() {
    const VISITS: usize = 80;
    const LINES: usize = 19;
    let server = with_two_addresses(&["--flood", "2"]);
    let mut alice = elsewhere(&server, "alice");
    // A name and 19 lines are a connection's burst; 64 times that is an address's, and 320 lines are more.
    let slowed = Deadline::after(Duration::from_secs(2));
    let talk = "again\n".repeat(LINES);
    let visit = |number| {
        let mut visit = server.plain();
        visit.send_bytes(format!("v{number}\n{talk}"));
        visit.close_writing();
        visit
    };
    let mut visits: Vec<Plain> = (0..60).map(visit).collect();
    hear(&mut alice, 60 * LINES);
    // They have gone, or make place while the next ones come.
    drop(visits.drain(..));
    visits.extend((60..VISITS).map(visit));
    hear(&mut alice, (VISITS - 60) * LINES);
    assert!(slowed.left().is_none(), "nothing was delayed");
}

#[test]
fn a_reconnect_storm_is_told_when_to_come_again_and_others_do_not_notice() {
    let server = with_two_addresses(&["--flood", "5", "--raw-bind", "127.0.0.1:0"]);
    let mut alice = elsewhere(&server, "alice");
    let mut bob = elsewhere(&server, "bob");
    for number in 0..1000 {
        drop(server.plain());
        if number % 100 == 0 {
            bob.send(&format!("PRIVMSG #lobby :{number}"));
            alice.expect(format!(":bob!*@* PRIVMSG #lobby {number}").as_str());
        }
    }
    let mut late = server.plain();
    let told = String::from_utf8(late.read_to_end()).expect("UTF-8");
    let told =
        told.trim_end().strip_prefix("ERROR :Closing link: Too many new connections from your address; ");
    let seconds = told.and_then(|told| told.strip_prefix("come again in ")?.strip_suffix(" s")?.parse().ok());
    assert!(seconds.is_some_and(|seconds: u64| (1..=60).contains(&seconds)), "{told:?}");
    let mut raw = Plain::connect_to(server.raw_address());
    assert!(raw.read_to_end().starts_with(b"server: Too many new connections"));
    // Nobody is kept out: there is a place again in less than a second.
    let soon = Deadline::after(Deadline::DEFAULT);
    let let_in = std::iter::repeat_with(|| {
        let mut irc = Irc::connect(&server);
        irc.send_bytes("NICK carol\r\nUSER c 0 * :C\r\n");
        irc.expect_any(&["001", "ERROR"]).command == "001"
    });
    assert!(let_in.take_while(|_| soon.left().is_some()).any(|let_in| let_in), "carol is kept out");
    let log = server.log().text();
    let about = log.lines().filter(|line| line.contains("127.0.0.1")).count();
    assert!(about < 300, "{about} lines in the log");
    assert_eq!(log.matches("too many new connections").count(), 1);
}

#[test]
fn without_flood_control_nobody_is_turned_away() {
    let server = Server::start(&["--flood", "off", "--max-clients-per-ip", "2000"]);
    for _ in 0..300 {
        drop(server.plain());
    }
    drop(server.irc("alice"));
    let refused = || server.log().text().matches("Connection closed").count();
    let deadline = Deadline::after(Duration::from_secs(20));
    while refused() <= 200 {
        assert!(deadline.left().is_some(), "the log tells all: {}", refused());
        thread::sleep(Duration::from_millis(10));
    }
}
