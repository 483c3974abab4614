//! MONITOR, <https://ircv3.net/specs/extensions/monitor>.

use std::collections::BTreeSet;

use parlor_tests::{Message, Server};

/// The nicks in the last parameters of these numerics, in lower case and without user and host.
fn targets(lines: &[Message], numeric: &str) -> BTreeSet<String> {
    let lists = lines.iter().filter(|m| m.command == numeric).flat_map(|m| m.last().split(','));
    lists.map(|target| target.split('!').next().unwrap_or(target).to_lowercase()).collect()
}

fn set(nicks: &[&str]) -> BTreeSet<String> {
    nicks.iter().map(|&nick| nick.to_owned()).collect()
}

#[test]
fn those_watched_are_reported_at_once() {
    let server = Server::start(&[]);
    let (mut alice, _bob) = (server.irc("alice"), server.irc("bob"));
    let lines = alice.ask_all("MONITOR + Bob,carol,олег");
    assert_eq!(targets(&lines, "730"), set(&["bob"]));
    assert_eq!(targets(&lines, "731"), set(&["carol", "олег"]));
    let online = lines.iter().find(|m| m.command == "730").expect("checked above");
    assert!(online.last().is_empty() || !online.raw.contains("127.0.0.1"), "{online}");
}

#[test]
fn coming_and_going_and_changing_nick_are_told() {
    let server = Server::start(&[]);
    let mut alice = server.irc("alice");
    alice.send("MONITOR + bob,robert");
    alice.settle();
    let mut bob = server.irc("BOB");
    let online = alice.expect("730 * *");
    assert_eq!(targets(&[online], "730"), set(&["bob"]));
    bob.send("NICK robert");
    bob.settle();
    let lines = alice.settle();
    assert_eq!(targets(&lines, "731"), set(&["bob"]));
    assert_eq!(targets(&lines, "730"), set(&["robert"]));
    bob.send("QUIT");
    let offline = alice.expect("731 * *");
    assert_eq!(targets(&[offline], "731"), set(&["robert"]));
}

#[test]
fn a_change_of_case_is_neither_coming_nor_going() {
    let server = Server::start(&[]);
    let (mut alice, mut bob) = (server.irc("alice"), server.irc("bob"));
    alice.send("MONITOR + bob");
    alice.settle();
    bob.send("NICK BOB");
    bob.settle();
    alice.silent_until_pong("731 **");
}

#[test]
fn the_list_is_kept_shown_and_cleared() {
    let server = Server::start(&[]);
    let (mut alice, _bob) = (server.irc("alice"), server.irc("bob"));
    alice.send("MONITOR + bob,carol,dan,BOB");
    alice.settle();
    alice.send("MONITOR - Dan");
    alice.silent();
    let lines = alice.ask_all("MONITOR L");
    assert_eq!(targets(&lines, "732"), set(&["bob", "carol"]));
    let listed = lines.iter().filter(|m| m.command == "732").flat_map(|m| m.last().split(',')).count();
    assert_eq!(listed, 2, "each once: {lines:?}");
    assert!(lines.last().is_some_and(|m| m.is_like("733 alice *")), "{lines:?}");
    let lines = alice.ask_all("MONITOR S");
    assert_eq!(targets(&lines, "730"), set(&["bob"]));
    assert_eq!(targets(&lines, "731"), set(&["carol"]));
    alice.send("MONITOR C");
    alice.silent();
    alice.ask("MONITOR L", "733 alice *");
    let mut carol = server.irc("carol");
    carol.settle();
    alice.silent();
}

#[test]
fn a_hundred_can_be_watched_and_no_more() {
    let server = Server::start(&[]);
    let mut alice = server.irc("alice");
    for tens in 0..10 {
        let nicks: Vec<String> = (0..10).map(|ones| format!("nick{tens}{ones}")).collect();
        alice.send(&format!("MONITOR + {}", nicks.join(",")));
    }
    alice.silent_until_pong("734 **");
    let lines = alice.ask_all("MONITOR + straw,camel");
    let full = lines.iter().find(|m| m.command == "734").expect("ERR_MONLISTFULL");
    assert_eq!((full.param(1), full.param(2)), ("100", "straw,camel"), "{full}");
    let lines = alice.ask_all("MONITOR L");
    assert_eq!(targets(&lines, "732").len(), 100);
}
