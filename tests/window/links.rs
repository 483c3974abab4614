//! Links to rooms, as the desktop opens them: in the window that runs, and not before the person agrees where nobody was yet.

use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use parlor_tests::{Deadline, Server, needs, program_named};

use crate::desk::Desk;

/// What a click on a link starts; waits for its end.
fn opens(desk: &Desk, link: &str) {
    let mut client = Command::new(program_named("client"));
    client.arg(link).arg("--config").arg(desk.config()).env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
    let mut client = client.spawn().expect("the client starts");
    let deadline = Deadline::after(Duration::from_secs(30));
    loop {
        // Without a display there is no window of its own: it ends well only if the other one has taken the link.
        if let Some(status) = client.try_wait().expect("a child") {
            assert!(status.success(), "{link} found no window: {status}");
            return;
        }
        assert!(deadline.left().is_some(), "a click on a link does not end");
        sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_link_goes_to_the_window_that_runs_and_a_stranger_s_waits_for_the_person() {
    if !needs::have(needs::DISPLAY) {
        return;
    }
    let (home, other) = (Server::start(&[]), Server::start(&[]));
    let mut bob = home.irc("bob");
    bob.join("#tea");
    let alice = Desk::new().client(&[&home.address().to_string(), "--name", "alice"]);
    alice.wait_title("#lobby*");

    opens(&alice, &format!("irc://{}/tea", home.address()));
    bob.expect(":alice!*@* JOIN *");
    alice.wait_title("#tea*");

    // Of a place where she was never: it stands on the card, and nobody has been called.
    let mut carol = other.irc("carol");
    carol.join("#club");
    opens(&alice, &format!("irc://{}/club", other.address()));
    alice.wait_title("Parlor");
    carol.silent_until_pong(":alice!*@* JOIN *");
    alice.key("Return");
    carol.expect(":alice!*@* JOIN *");
    alice.wait_title("#club*");

    // Known by now: a click is enough.
    opens(&alice, &format!("irc://{}/garden", other.address()));
    alice.wait_title("#garden*");
}

#[test]
fn whoever_opens_a_window_gets_one() {
    if !needs::have(needs::DISPLAY) {
        return;
    }
    let server = Server::start(&[]);
    let mut bob = server.irc("bob");
    bob.join("#lobby");
    let alice = Desk::new().client(&[&server.address().to_string(), "--name", "alice"]);
    alice.wait_title("#lobby*");
    bob.expect(":alice!*@* JOIN *");
    // With a name a link is for another window, as a double-click is.
    let link = format!("irc://{}/lobby", server.address());
    let zoe = Desk::new().sharing(&alice).client_again(&[&link, "--name", "zoe"]);
    bob.expect(":zoe!*@* JOIN *");
    zoe.wait_title("#lobby*");
}
