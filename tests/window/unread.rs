//! What counts as read: a window that nobody looks at has read nothing.

use parlor_tests::{Plain, Server, needs};

use crate::desk::Desk;
use crate::scene;

/// The lobby, where there are displays.
fn lobby(desk: Desk) -> Option<(Server, Plain, Desk)> {
    needs::have(needs::DISPLAY).then(|| scene::lobby(desk))
}

#[test]
fn a_window_without_the_keyboard_has_read_nothing() {
    let Some((_server, mut bob, alice)) = lobby(Desk::new()) else { return };
    bob.send("while you look");
    alice.wait_still();
    alice.look_away();
    for line in ["one", "two", "three"] {
        bob.send(line);
    }
    alice.wait_title("(3) #lobby*");
    alice.picture("unread-away");
    // Looked at, and its end is in view: read, and the line stays where reading stopped.
    alice.types("back");
    bob.expect("<alice> back");
    alice.wait_title("#lobby*");
    alice.picture("unread-back");
}

#[test]
fn what_comes_below_the_screen_or_under_a_page_is_not_read() {
    let Some((_server, mut bob, alice)) = lobby(Desk::new()) else { return };
    for i in 0..60 {
        bob.send(&format!("line {i}"));
    }
    alice.types("seen");
    bob.expect("<alice> seen");
    alice.wait_title("#lobby*");
    // All lines have come: there is something above.
    alice.wait_still();
    alice.key("Prior");
    alice.wait_still();
    bob.send("below");
    alice.wait_title("(1) #lobby*");
    alice.key("ctrl+End");
    alice.wait_title("#lobby*");
    // Settings cover the lines.
    alice.key("ctrl+comma");
    alice.wait_still();
    bob.send("under the page");
    alice.wait_title("(1) #lobby*");
    alice.key("Escape");
    alice.wait_title("#lobby*");
    // Another room.
    alice.types("/join #two");
    alice.wait_title("#two*");
    bob.send("elsewhere, alice");
    alice.wait_title("(1) #two*");
    alice.key("alt+Up");
    alice.wait_title("#lobby*");
}

#[test]
fn a_room_opens_where_reading_stopped() {
    let Some((_server, mut bob, alice)) = lobby(Desk::new()) else { return };
    alice.types("/join #two");
    alice.wait_title("#two*");
    for i in 0..100 {
        bob.send(&format!("alice: line {i}"));
    }
    alice.wait_title("(100) #two*");
    alice.key("alt+Up");
    // More than fits: not read before its end was in view.
    alice.wait_title("(100) #lobby*");
    alice.wait_still();
    alice.wait_title("(100) #lobby*");
    alice.picture("unread-many");
    alice.key("ctrl+End");
    alice.wait_title("#lobby*");
    // Few: all of it is in view at once.
    alice.key("alt+Down");
    alice.wait_title("#two*");
    bob.send("alice: a");
    bob.send("alice: b");
    alice.wait_title("(2) #two*");
    alice.key("alt+Up");
    alice.wait_title("#lobby*");
    alice.picture("unread-few");
}
