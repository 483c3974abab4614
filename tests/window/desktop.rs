//! The window among others: what it tells the desktop when nobody looks, and how it ends when
//! the desktop asks it to.

use parlor_tests::{Plain, Server, needs};

use crate::bus::Bus;
use crate::desk::Desk;
use crate::free_port;

#[test]
fn mentions_and_private_lines_are_told_when_nobody_looks() {
    if !(needs::have(needs::DISPLAY) && needs::have(needs::BUS)) {
        return;
    }
    let server = Server::start(&[]);
    let bus = Bus::new();
    let mut bob = Plain::connect(&server);
    bob.send("bob");
    bob.expect("-!- Welcome *");
    let desk = Desk::new().bus(bus.address());
    let alice = desk.client(&[&server.address().to_string(), "--name", "alice"]);
    bob.expect("-!- alice joined");
    alice.wait_title("#lobby*");
    alice.types("here I am");
    bob.expect("<alice> here I am");

    // Whoever looks at the window is told nothing.
    bob.send("alice: while you look");
    alice.types("I have seen it");
    bob.expect("<alice> I have seen it");
    assert!(!alice.is_urgent());
    // What is not shown yet nobody has seen.
    alice.wait_still();
    alice.look_away();
    bob.send("nobody in particular");
    bob.send("alice: are <you> there?");
    bus.wait("bob mentioned you in #lobby");
    bus.wait("alice: are &lt;you&gt; there?");
    alice.wait_urgent();
    assert!(!bus.heard("while you look") && !bus.heard("nobody in particular"));
    bob.send("/msg alice psst");
    bus.wait("bob writes to you");
    bus.wait("psst");
}

#[test]
fn the_cursor_rests_when_nobody_is_there() {
    if !needs::have(needs::DISPLAY) {
        return;
    }
    /// Of the cursor in the light theme; the words in an empty composer are paler.
    const INK: u32 = 0x1c_1f_26;
    let server = Server::start(&[]);
    let mut bob = Plain::connect(&server);
    bob.send("bob");
    bob.expect("-!- Welcome *");
    let desk = Desk::new().setting("theme", "\"light\"");
    let alice = desk.client(&[&server.address().to_string(), "--name", "alice"]);
    bob.expect("-!- alice joined");
    alice.wait_title("#lobby*");
    alice.types("hello");
    bob.expect("<alice> hello");
    assert!(alice.wait_still().contains(&INK), "it is seen while it rests");
    alice.types_without_sending("still ");
    alice.types("here");
    bob.expect("<alice> still here");
}

#[test]
fn a_signal_says_good_bye_and_keeps_what_was_typed() {
    if !needs::have(needs::DISPLAY) {
        return;
    }
    let port = free_port();
    let desk = Desk::new().setting("name", "\"alice\"").setting("host-port", &port.to_string());
    let mut alice = desk.setting("host-address", "\"127.0.0.1\"").client(&["--host"]);
    alice.wait_title("Parlor");
    alice.key("Return");
    alice.wait_title("#lobby*");
    let mut bob = Plain::connect_to(([127, 0, 0, 1], port).into());
    bob.send("bob");
    bob.expect("-!- Welcome *");
    alice.types("one thing more");
    bob.expect("<alice> one thing more");
    alice.types_without_sending("half a thought");
    assert_eq!(alice.end("TERM"), Some(0));
    bob.expect("*stopping*");
    let drafts = crate::again::kept(alice.config());
    assert!(drafts.contains("half a thought"), "{drafts}");
}
