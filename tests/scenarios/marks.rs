//! Up to where somebody has read, on whatever device (IRCv3 draft/read-marker), and what is heard of people
//! who are watched (extended-monitor).

use parlor_tests::{Message, Scratch};

use crate::private::known;
use crate::sasl::claimed;

const CAPS: &[&str] = &["draft/read-marker", "echo-message"];
const ONE: &str = "timestamp=2020-01-01T00:00:00.001Z";
const TWO: &str = "timestamp=2020-01-02T00:00:00.002Z";

#[test]
fn how_far_somebody_has_read_is_told_on_the_next_device_and_only_rises() {
    let home = Scratch::new();
    let server = home.server(&[]);
    claimed(&server, "alice", "sesame");
    let _guest = server.irc_with("guest", CAPS);
    let mut alice = known(&server, "alice", CAPS);
    alice.send("JOIN #tea");
    let shown = alice.until("366 alice #tea *");
    assert!(shown.iter().any(|m: &Message| m.is_like("MARKREAD #tea *")), "before the end of the names");
    alice.ask(&format!("MARKREAD #tea {TWO}"), &*format!("MARKREAD #tea {TWO}"));
    alice.ask(&format!("MARKREAD #tea {ONE}"), &*format!("MARKREAD #tea {TWO}"));
    alice.ask(&format!("MARKREAD guest {ONE}"), &*format!("MARKREAD guest {ONE}"));
    // A time to come is now.
    alice.send("MARKREAD #tea timestamp=2999-01-01T00:00:00.000Z");
    let now = alice.expect("MARKREAD #tea *");
    assert!(now.last() > TWO && now.last() < "timestamp=2998", "{now:?}");
    alice.ask(&format!("MARKREAD #tea {TWO}"), &*format!("MARKREAD #tea {}", now.last()));
    // A line that comes back is on disk, and all before it.
    alice.ask("PRIVMSG #tea :on disk", "PRIVMSG #tea *");
    server.crash();
    let server = home.server(&[]);
    let mut alice = known(&server, "alice", CAPS);
    alice.send("JOIN #tea");
    alice.expect(&*format!("MARKREAD #tea {}", now.last()));
    alice.settle();
    for (line, code) in [
        ("MARKREAD", "NEED_MORE_PARAMS"),
        ("MARKREAD #tea yesterday", "INVALID_PARAMS yesterday"),
        ("MARKREAD #elsewhere", "INVALID_PARAMS #elsewhere"),
        ("MARKREAD nobody", "INVALID_PARAMS nobody"),
    ] {
        alice.ask(line, &*format!("FAIL MARKREAD {code} *"));
    }
    // Who has no account has nothing on another device.
    let mut guest = server.irc_with("guest", CAPS);
    guest.send("JOIN #tea");
    guest.expect("MARKREAD #tea *");
    guest.settle();
    guest.ask(&format!("MARKREAD #tea {ONE}"), "FAIL MARKREAD INVALID_PARAMS #tea *");
}

#[test]
fn who_watches_somebody_hears_how_they_are_once_whether_they_share_a_room_or_not() {
    let server = parlor_tests::Server::start(&[]);
    claimed(&server, "alice", "sesame");
    let caps = ["extended-monitor", "away-notify", "account-notify", "setname"];
    let mut bob = server.irc_with("bob", &caps);
    let mut carol = server.irc_with("carol", &caps);
    let mut dave = server.irc_with("dave", &["away-notify", "setname"]);
    let mut alice = server.irc_with("alice2", &["setname"]);
    for irc in [&mut bob, &mut carol, &mut dave] {
        irc.send("MONITOR + alice2");
        irc.settle();
    }
    alice.join("#tea");
    carol.join("#tea");
    for (line, event) in [
        ("AWAY :at tea", ":alice2!*@* AWAY at*tea"),
        ("AWAY", ":alice2!*@* AWAY"),
        ("SETNAME :Alice A.", ":alice2!*@* SETNAME *"),
        ("NS IDENTIFY alice sesame", ":alice2!*@* ACCOUNT alice"),
    ] {
        alice.send(line);
        bob.expect(|m: &Message| m.is_like(event));
        carol.expect(|m: &Message| m.is_like(event));
        if !event.contains("ACCOUNT") {
            assert!(carol.settle().is_empty(), "once: {line}");
        }
        assert!(dave.settle().iter().all(|m| !m.is_like(event)), "dave asked for no more: {line}");
    }
}
