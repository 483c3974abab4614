//! MODE for rooms (lists have a file of their own) and for people.

use std::collections::BTreeSet;

use parlor_tests::{Irc, Message, Server};

fn flags(irc: &mut Irc, room: &str) -> BTreeSet<char> {
    irc.send(&format!("MODE {room}"));
    irc.expect(format!("324 * {room} **").as_str()).param(2).chars().filter(|&c| c != '+').collect()
}

/// Alice has founded #tea, Bob is in it, Carol is not.
fn tea(server: &Server) -> (Irc, Irc, Irc) {
    let (mut alice, mut bob) = (server.irc("alice"), server.irc("bob"));
    alice.join("#tea");
    bob.join("#tea");
    alice.settle();
    (alice, bob, server.irc("carol"))
}

#[test]
fn a_new_room_has_modes_and_a_birthday() {
    let server = Server::start(&[]);
    let (mut alice, mut bob, _carol) = tea(&server);
    assert_eq!(flags(&mut alice, "#tea"), BTreeSet::from(['n', 't']));
    bob.send("MODE #tea");
    let created = bob.expect("329 bob #tea *");
    assert!(created.last().parse::<u64>().is_ok_and(|seconds| seconds > 1_700_000_000), "{created}");
}

#[test]
fn changing_modes_is_the_operators() {
    let server = Server::start(&[]);
    let (mut alice, mut bob, mut carol) = tea(&server);
    bob.ask("MODE #tea +m", "482 bob #tea *");
    bob.ask("MODE #tea +o bob", "482 bob #tea *");
    carol.ask("MODE #tea +m", |m: &Message| matches!(m.command.as_str(), "442" | "482"));
    alice.ask("MODE #nowhere +m", "403 alice #nowhere *");
    alice.ask("MODE", "461 alice MODE *");
    alice.ask("MODE #tea +y", |m: &Message| m.command == "472" && m.param(1) == "y");
    alice.silent();
}

#[test]
fn an_operator_makes_operators_and_gives_voice() {
    let server = Server::start(&[]);
    let (mut alice, mut bob, _carol) = tea(&server);
    alice.send("MODE #tea +o-o+v bob alice bob");
    let change = bob.expect(":alice!*@* MODE #tea **");
    assert_eq!(
        change.params.get(1..),
        Some(&["+o-o+v", "bob", "alice", "bob"].map(str::to_owned)[..]),
        "{change}"
    );
    alice.settle();
    alice.ask("MODE #tea +m", "482 alice #tea *");
    bob.ask("MODE #tea +o carol", "441 bob carol #tea *");
    bob.ask("MODE #tea +o nobody", |m: &Message| matches!(m.command.as_str(), "401" | "441"));
    bob.ask("MODE #tea +o", |m: &Message| matches!(m.command.as_str(), "461" | "696"));
}

#[test]
fn what_changes_nothing_is_not_told() {
    let server = Server::start(&[]);
    let (mut alice, mut bob, _carol) = tea(&server);
    for line in ["MODE #tea +nt", "MODE #tea -m", "MODE #tea +o alice", "MODE #tea -v bob", "MODE #tea -l"] {
        alice.send(line);
    }
    alice.silent_until_pong("MODE **");
    bob.silent();
    alice.send("MODE #tea +nm");
    alice.expect(":alice!*@* MODE #tea +m");
}

#[test]
fn six_changes_fit_into_one_line() {
    let server = Server::start(&[]);
    let (mut alice, mut bob, _carol) = tea(&server);
    alice.send("MODE #tea +vbbbeI bob a!*@* b!*@* c!*@* d!*@* e!*@*");
    let change = bob.expect(":alice!*@* MODE #tea **");
    assert_eq!(change.params.len(), 8, "{change}");
    assert_eq!(change.param(1), "+vbbbeI", "{change}");
}

#[test]
fn a_moderated_room_hears_those_with_voice() {
    let server = Server::start(&[]);
    let (mut alice, mut bob, _carol) = tea(&server);
    alice.send("MODE #tea +m");
    alice.settle();
    bob.settle();
    bob.ask("PRIVMSG #tea :may I?", "404 bob #tea *");
    alice.send("MODE #tea +v bob");
    alice.settle();
    bob.send("PRIVMSG #tea :thank you");
    alice.expect(":bob!*@* PRIVMSG #tea :thank you");
}

#[test]
fn strangers_speak_only_where_they_may() {
    let server = Server::start(&[]);
    let (mut alice, _bob, mut carol) = tea(&server);
    carol.ask("PRIVMSG #tea :knock", "404 carol #tea *");
    alice.silent_until_pong("PRIVMSG **");
    alice.send("MODE #tea -n");
    alice.settle();
    carol.send("PRIVMSG #tea :knock");
    alice.expect(":carol!*@* PRIVMSG #tea knock");
}

#[test]
fn a_key_opens_the_room() {
    let server = Server::start(&[]);
    let (mut alice, mut bob, mut carol) = tea(&server);
    alice.send("MODE #tea +k leaves");
    bob.expect(":alice!*@* MODE #tea +k **");
    carol.ask("JOIN #tea", "475 carol #tea *");
    carol.ask("JOIN #tea Leaves", "475 carol #tea *");
    carol.send("MODE #tea");
    let seen = carol.expect("324 carol #tea **");
    assert!(!seen.raw.contains("leaves"), "the key is not for outsiders: {seen}");
    carol.send("JOIN #tea leaves");
    carol.expect(":carol!*@* JOIN #tea");
    alice.send("MODE #tea -k whatever");
    alice.expect(":alice!*@* MODE #tea -k **");
    server.irc("dan").join("#tea");
}

#[test]
fn a_key_that_nobody_could_type_is_refused() {
    let server = Server::start(&[]);
    let (mut alice, mut bob, _carol) = tea(&server);
    for key in [":", ":two words", "a,b"] {
        alice.send(&format!("MODE #tea +k {key}"));
        alice.silent_until_pong("MODE **");
    }
    bob.silent();
}

#[test]
fn a_full_room_is_full() {
    let server = Server::start(&[]);
    let (mut alice, mut bob, mut carol) = tea(&server);
    alice.send("MODE #tea +l 2");
    bob.expect(":alice!*@* MODE #tea +l 2");
    carol.ask("JOIN #tea", "471 carol #tea *");
    alice.settle();
    for bad in ["0", "-3", "many", "99999999999999999999"] {
        alice.send(&format!("MODE #tea +l {bad}"));
        alice.silent_until_pong("MODE **");
    }
    alice.ask("MODE #tea -l", ":alice!*@* MODE #tea -l");
    carol.join("#tea");
}

#[test]
fn an_invitation_opens_a_closed_room_once() {
    let server = Server::start(&[]);
    let (mut alice, _bob, mut carol) = tea(&server);
    alice.send("MODE #tea +i");
    alice.settle();
    carol.ask("JOIN #tea", "473 carol #tea *");
    alice.send("INVITE carol #tea");
    carol.expect("INVITE carol #tea");
    carol.join("#tea");
    carol.send("PART #tea");
    carol.settle();
    carol.ask("JOIN #tea", "473 carol #tea *");
}

#[test]
fn a_secret_room_is_seen_by_its_members_alone() {
    let server = Server::start(&[]);
    let (mut alice, mut bob, mut carol) = tea(&server);
    alice.send("MODE #tea +s");
    alice.settle();
    for line in ["LIST", "LIST #tea", "WHOIS alice", "NAMES #tea", "WHO #tea", "WHO alice"] {
        let lines = carol.ask_all(line);
        let tells = |m: &&Message| {
            matches!(m.command.as_str(), "322" | "319" | "353")
                || (m.command == "352" && m.param(1) == "#tea")
        };
        let told: Vec<&Message> = lines.iter().filter(tells).filter(|m| m.raw.contains("#tea")).collect();
        assert!(told.is_empty(), "{line}: {told:?}");
    }
    let lines = carol.ask_all("TOPIC #tea");
    assert!(lines.iter().all(|m| matches!(m.command.as_str(), "442" | "403")), "{lines:?}");
    bob.send("NAMES #tea");
    bob.expect("353 bob @ #tea *");
    bob.send("LIST");
    bob.expect("322 bob #tea 2 *");
    bob.send("WHOIS alice");
    bob.expect("319 bob alice :*@#tea*");
}

#[test]
fn peoples_modes_are_their_own() {
    let server = Server::start(&[]);
    let (mut alice, _bob, _carol) = tea(&server);
    alice.ask("MODE alice +i", ":alice* MODE alice +i");
    let modes = alice.ask("MODE alice", "221 alice *");
    assert!(modes.last().contains('i'), "{modes}");
    alice.ask("MODE alice -i+w", |m: &Message| m.command == "MODE" && m.last().contains("-i"));
    alice.ask("MODE bob +i", "502 alice *");
    alice.ask("MODE bob", "502 alice *");
    alice.ask("MODE nobody", |m: &Message| matches!(m.command.as_str(), "401" | "502"));
    alice.ask("MODE alice +y", "501 alice *");
    let lines = alice.ask_all("MODE alice +yB");
    assert!(lines.iter().any(|m| m.is_like("MODE alice +B")), "what is known is done: {lines:?}");
    assert!(lines.iter().any(|m| m.command == "501"), "{lines:?}");
}

#[test]
fn nobody_makes_themselves_an_operator() {
    let server = Server::start(&[]);
    let (mut alice, _bob, _carol) = tea(&server);
    let before = alice.ask("MODE alice", "221 alice *");
    alice.send("MODE alice +o");
    alice.silent_until_pong("MODE **");
    let after = alice.ask("MODE alice", "221 alice *");
    assert_eq!(before.params, after.params);
    assert!(!after.last().contains('o'), "{after}");
}
