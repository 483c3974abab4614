//! The real window on a real display: two windows and a terminal in one room, typed into as a
//! person types. Needs Xvfb, xdotool and a font.
#![forbid(unsafe_code)]
#![expect(clippy::expect_used, reason = "a test may fail")]

mod again;
mod bus;
mod desk;
mod desktop;
mod frame;
mod history;
mod hostile;
mod links;
mod mouse;
mod notices;
mod pasting;
mod reading;
mod scene;
mod spoken;
mod start;
mod tray;
mod typing;
mod unread;

use std::net::TcpListener;
use std::time::Duration;

use desk::Desk;
use parlor_tests::{Plain, Server, needs};

/// A port that is free now.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("loopback").port()
}

#[test]
fn two_windows_and_a_terminal_talk() {
    if !needs::have(needs::DISPLAY) {
        return;
    }
    let server = Server::start(&[]);
    let mut bob = Plain::connect(&server);
    bob.send("bob");
    bob.expect("-!- Welcome *");
    let address = server.address().to_string();
    let alice = Desk::new().client(&[&address, "--name", "alice"]);
    bob.expect("-!- alice joined");
    let zoe = Desk::new().client(&[&address, "--name", "zoë"]);
    bob.expect("-!- zoë joined");
    alice.wait_title("#lobby*");
    zoe.wait_title("#lobby*");

    alice.types("hello from a window");
    bob.expect("<alice> hello from a window");
    zoe.types("and from another one");
    bob.expect("<zoë> and from another one");
    // What arrives is seen in the title, if it is for one alone.
    bob.send("/msg alice psst");
    alice.wait_title("(1) #lobby*");
    bob.send("good evening");
    zoe.types("bob: good evening");
    bob.expect("<zoë> bob: good evening");
    alice.picture("room-alice");
    zoe.picture("room-zoe");
}

#[test]
fn a_room_is_hosted_from_the_window() {
    if !needs::have(needs::DISPLAY) {
        return;
    }
    let port = free_port();
    let desk = Desk::new().setting("name", "\"alice\"").setting("host-port", &port.to_string());
    let desk = desk.setting("host-address", "\"127.0.0.1\"");
    let alice = desk.client(&["--host"]);
    alice.wait_title("Parlor");
    alice.picture("host");
    alice.key("Return");
    alice.wait_title("#lobby*");
    let mut bob = Plain::connect_to(([127, 0, 0, 1], port).into());
    bob.send("bob");
    bob.expect("-!- Welcome *");
    alice.types("welcome to my room");
    bob.expect("<alice> welcome to my room");
    alice.picture("hosting");
}

#[test]
fn what_is_typed_while_the_server_is_away_arrives() {
    if !needs::have(needs::DISPLAY) {
        return;
    }
    let port = free_port();
    let bind = format!("127.0.0.1:{port}");
    let server = Server::start(&["--bind", &bind]);
    let alice = Desk::new().client(&[&bind, "--name", "alice"]);
    server.wait_log("joined: alice *");
    alice.wait_title("#lobby*");
    server.signal("KILL");
    drop(server.wait());
    alice.types("typed into the dark");
    alice.picture("reconnecting");

    let server = Server::start(&["--bind", &bind]);
    // The window waits longer before each attempt.
    let mut bob = Plain::connect(&server).patience(Duration::from_secs(40));
    bob.send("bob");
    bob.expect("-!- Welcome *");
    bob.expect("<alice> typed into the dark");
    alice.picture("back");
}
