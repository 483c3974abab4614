//! A room with a past: read back to its first line, searched, and kept through a crash.

use std::time::Duration;

use parlor_tests::{Plain, Scratch, Server, needs};

use crate::desk::Desk;
use crate::free_port;
use crate::scene::terminal;

/// Lines that were said before anybody looks.
const PAST: usize = 500;

/// Inside the row that a search has jumped to: left of its words, and in front of its text.
const FOUND: (i16, i16) = (228, 261);
/// What such a row is painted with in the light theme.
const WASH: u32 = 0xe6_f2_f0;

/// Inside the pill that says how things stand, and what it is painted with when all is well.
const PILL: (i16, i16) = (638, 36);
const SIDE: u32 = 0xf5_f6_f8;

/// Fills a room with a past; the word `xylophone` is in its 38th line.
fn talk(server: &Server) {
    let [mut bob, mut ear] = ["bob", "ear"].map(|name| terminal(server, name));
    for i in 0..PAST {
        match i {
            37 => bob.send("here is the xylophone"),
            i => bob.send(&format!("line {i}")),
        }
        if i % 20 == 19 {
            ear.expect(&format!("<bob> line {i}"));
        }
    }
}

#[test]
fn a_long_past_is_read_back_and_searched() {
    if !needs::have(needs::DISPLAY) {
        return;
    }
    let data = Scratch::new();
    let folder = data.path().join("data").display().to_string();
    let server = Server::start(&["--data", &folder]);
    talk(&server);
    let mut bob = Plain::connect(&server);
    bob.send("bob2");
    bob.expect("-!- Welcome *");
    let desk = Desk::new().setting("theme", "\"light\"");
    let alice = desk.client(&[&server.address().to_string(), "--name", "alice"]);
    bob.expect("-!- alice joined");
    alice.wait_title("#lobby*");

    // What is found is jumped to, far from what is loaded, and highlighted in the upper third.
    alice.key("ctrl+f");
    alice.types("xylophone");
    alice.until_colour(FOUND, WASH, || alice.key("Return"));
    alice.picture("history-jumped");
    alice.key("Escape");
    alice.click(FOUND);
    alice.says_copied();
    bob.expect("<alice> [*] bob: here is the xylophone");

    // Up to the very first line, row by row: the beginning, the day, the line. On a busy machine
    // keys are faster than pages: what is above the top is pressed for nothing.
    alice.click(FOUND);
    // Past the button that leads to the end.
    alice.keys("shift+Tab", 2);
    alice.keys("Up", 3 * PAST);
    alice.keys("Down", 2);
    alice.says_copied();
    bob.expect("<alice> [*] bob: line 0");
    alice.picture("history-beginning");
}

#[test]
fn what_waits_is_there_once_after_a_crash() {
    if !needs::have(needs::DISPLAY) {
        return;
    }
    let data = Scratch::new();
    let folder = data.path().join("data").display().to_string();
    let port = free_port();
    let bind = format!("127.0.0.1:{port}");
    let options = ["--bind", &bind, "--data", &folder];
    let server = Server::start(&options);
    let alice = Desk::new().setting("theme", "\"light\"").client(&[&bind, "--name", "alice"]);
    server.wait_log("joined: alice *to #lobby");
    alice.wait_title("#lobby*");
    for i in 0..5 {
        alice.types(&format!("before {i}"));
    }
    server.signal("KILL");
    drop(server.wait());
    for i in 0..5 {
        alice.types(&format!("after {i}"));
    }
    alice.picture("history-waiting");

    let server = Server::start(&options);
    // Whoever comes now reads or hears each of them once. The window waits longer before each
    // attempt.
    let mut carol = Plain::connect(&server).patience(Duration::from_secs(40));
    carol.send("carol");
    alice.types("that was all");
    let seen = carol.until("*<alice> that was all").join("\n");
    for text in (0..5).flat_map(|i| [format!("before {i}"), format!("after {i}")]) {
        let count = seen.lines().filter(|line| line.ends_with(&text)).count();
        assert_eq!(count, 1, "{text} in\n{seen}");
    }
    alice.until_colour(PILL, SIDE, || ());
    alice.picture("history-after");
}
