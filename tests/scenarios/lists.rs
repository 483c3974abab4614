//! Bans, exceptions and invitations for good: the list modes b, e and I.

use parlor_tests::{Irc, Message, Server};

/// Alice has founded #tea; Bob is not in it.
fn tea(server: &Server) -> (Irc, Irc) {
    let mut alice = server.irc("alice");
    alice.join("#tea");
    (alice, server.irc("bob"))
}

#[test]
fn who_is_banned_stays_outside_and_silent() {
    let server = Server::start(&[]);
    let (mut alice, mut bob) = tea(&server);
    alice.ask("MODE #tea +b BOB!*@*", |m: &Message| {
        m.is_like(":alice!*@* MODE #tea +b *") && m.last().contains("!*@*")
    });
    bob.ask("JOIN #tea", "474 bob #tea *");
    alice.send("MODE #tea -b bob!*@*");
    alice.expect(":alice!*@* MODE #tea -b *");
    bob.join("#tea");
    alice.send("MODE #tea +b bob!*@*");
    alice.settle();
    bob.settle();
    bob.ask("PRIVMSG #tea :let me speak", "404 bob #tea *");
    alice.silent_until_pong("PRIVMSG **");
}

#[test]
fn a_ban_needs_no_whole_mask() {
    let server = Server::start(&[]);
    let (mut alice, mut bob) = tea(&server);
    for (typed, kept) in [("bob", "bob!*@*"), ("*@bad.example", "*!*@bad.example"), ("b?b!*", "b?b!*@*")] {
        let change = alice.ask(&format!("MODE #tea +b {typed}"), "MODE #tea +b *");
        assert_eq!(change.last(), kept, "{typed}");
    }
    bob.ask("JOIN #tea", "474 bob #tea *");
}

#[test]
fn a_ban_by_host_meets_the_cloak() {
    let server = Server::start(&[]);
    let (mut alice, mut bob) = tea(&server);
    bob.join("#tea");
    let host = alice.expect(":bob!*@* JOIN #tea").host().to_owned();
    bob.send("PART #tea");
    bob.settle();
    alice.settle();
    alice.send(&format!("MODE #tea +b *!*@{host}"));
    alice.settle();
    bob.ask("JOIN #tea", "474 bob #tea *");
    let mut renamed = server.irc("robert");
    renamed.ask("JOIN #tea", "474 robert #tea *");
}

#[test]
fn an_exception_lets_one_in_all_the_same() {
    let server = Server::start(&[]);
    let (mut alice, mut bob) = tea(&server);
    alice.send("MODE #tea +b *!*@*");
    alice.settle();
    bob.ask("JOIN #tea", "474 bob #tea *");
    alice.send("MODE #tea +e bob!*@*");
    alice.settle();
    bob.join("#tea");
    bob.send("PRIVMSG #tea :exceptional");
    alice.expect(":bob!*@* PRIVMSG #tea exceptional");
    let mut carol = server.irc("carol");
    carol.ask("JOIN #tea", "474 carol #tea *");
}

#[test]
fn an_invitation_for_good_needs_no_invite() {
    let server = Server::start(&[]);
    let (mut alice, mut bob) = tea(&server);
    alice.send("MODE #tea +i");
    alice.settle();
    bob.ask("JOIN #tea", "473 bob #tea *");
    alice.send("MODE #tea +I bob!*@*");
    alice.settle();
    bob.join("#tea");
}

#[test]
fn lists_show_masks_with_who_and_when() {
    let server = Server::start(&[]);
    let (mut alice, mut bob) = tea(&server);
    bob.join("#tea");
    alice.send("MODE #tea +beI x!*@* y!*@* z!*@*");
    alice.settle();
    bob.settle();
    for (mode, mask, item, end) in
        [("b", "x!*@*", "367", "368"), ("+e", "y!*@*", "348", "349"), ("I", "z!*@*", "346", "347")]
    {
        // Exceptions may be the operators' secret; the scenario reads all lists as operator.
        let lines = alice.ask_all(&format!("MODE #tea {mode}"));
        let numerics: Vec<&str> = lines.iter().map(|m| m.command.as_str()).collect();
        assert_eq!(numerics, [item, end], "{lines:?}");
        let entry = lines.first().expect("checked above");
        assert_eq!((entry.param(1), entry.param(2)), ("#tea", mask), "{entry}");
        assert!(entry.param(3).starts_with("alice"), "{entry}");
        assert!(entry.param(4).parse::<u64>().is_ok_and(|seconds| seconds > 1_700_000_000), "{entry}");
    }
    bob.send("MODE #tea +b");
    bob.expect("367 bob #tea x!*@* **");
    bob.expect("368 bob #tea *");
}

#[test]
fn a_mask_is_listed_once() {
    let server = Server::start(&[]);
    let (mut alice, _bob) = tea(&server);
    alice.send("MODE #tea +b x!*@*");
    alice.settle();
    alice.send("MODE #tea +b x!*@*");
    alice.send("MODE #tea +b X!*@*");
    alice.silent_until_pong("MODE **");
    let lines = alice.ask_all("MODE #tea b");
    assert_eq!(lines.iter().filter(|m| m.command == "367").count(), 1, "{lines:?}");
    alice.send("MODE #tea -b nobody!*@*");
    alice.silent_until_pong("MODE **");
}

#[test]
fn a_hundred_masks_are_all_that_a_room_keeps() {
    let server = Server::start(&[]);
    let (mut alice, _bob) = tea(&server);
    for number in 0..50 {
        alice.send(&format!("MODE #tea +bb ban{number}!*@* other{number}!*@*"));
    }
    alice.silent_until_pong("478 **");
    // MAXLIST=beI:100 is one limit for the three lists together.
    for mode in ["b", "e", "I"] {
        alice.ask(&format!("MODE #tea +{mode} onemore!*@*"), |m: &Message| {
            m.command == "478" && m.param(1) == "#tea"
        });
    }
    let lines = alice.ask_all("MODE #tea b");
    assert_eq!(lines.iter().filter(|m| m.command == "367").count(), 100);
}
