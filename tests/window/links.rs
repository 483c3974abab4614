//! Links to rooms, as the desktop opens them: in the window that runs, and not before the person agrees where nobody was yet.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use parlor_tests::{Deadline, Scratch, Server, needs, program_named};

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

/// The desktop's tool is one that writes down what it is told: no desktop is here, and its real one asks that.
#[test]
fn links_of_the_desktop_can_be_had_without_a_package() {
    if !needs::have(needs::DISPLAY) {
        return;
    }
    let server = Server::start(&[]);
    let home = Scratch::new();
    let tool = home.write("xdg-mime", "#!/bin/sh\necho \"$@\" > \"$HOME/told\"\n");
    fs::set_permissions(&tool, Permissions::from_mode(0o755)).expect("it is ours");
    let path = format!("{}:{}", home.path().display(), std::env::var("PATH").expect("a path"));
    let alice = Desk::new().variable("HOME", &home.file("")).variable("PATH", &path);
    let alice = alice.variable("XDG_DATA_HOME", &home.file("data"));
    let alice = alice.client(&[&server.address().to_string(), "--name", "alice"]);
    alice.wait_title("#lobby*");
    // Back, name, two switches, and the button.
    alice.key("ctrl+comma");
    alice.key("Tab Tab Tab Tab space");
    alice.until("the tool", |_| fs::read_to_string(home.file("told")).is_ok_and(|told| told.ends_with('\n')));
    let told = fs::read_to_string(home.file("told")).expect("it was there");
    let entry = "org.parlor.Parlor.links.desktop";
    assert_eq!(told.trim(), format!("default {entry} x-scheme-handler/irc x-scheme-handler/ircs"));
    let entry = fs::read_to_string(home.path().join("data/applications").join(entry)).expect("an entry");
    let exec = entry.lines().find_map(|line| line.strip_prefix("Exec=")).expect("a command");
    // As a desktop does it: the link in the place of its code.
    let command = exec.replace("%u", &format!("irc://{}/tea", server.address()));
    let mut shell = Command::new("sh");
    shell.args(["-c", &command]).env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
    assert!(shell.status().is_ok_and(|status| status.success()), "{command}");
    alice.wait_title("#tea*");
}
