//! JOIN, PART, KICK, NAMES, LIST and INVITE; topics and modes have files of their own.

use std::collections::BTreeSet;

use parlor_tests::{Irc, Message, Server};

/// The nicks of a NAMES answer with their prefixes.
fn names(irc: &mut Irc, room: &str) -> BTreeSet<String> {
    irc.send(&format!("NAMES {room}"));
    let lines = irc.until("366 **");
    lines
        .iter()
        .filter(|m| m.command == "353")
        .flat_map(|m| m.last().split_whitespace())
        .map(str::to_owned)
        .collect()
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

#[test]
fn the_first_one_in_is_the_founder() {
    let server = Server::start(&[]);
    let mut alice = server.irc("alice");
    let lines = alice.join("#tea");
    let numerics: Vec<&str> = lines.iter().map(|m| m.command.as_str()).collect();
    assert_eq!(numerics, ["JOIN", "353", "366"]);
    assert!(lines.iter().any(|m| m.is_like("353 alice = #tea @alice")), "{lines:?}");
    assert!(lines.iter().any(|m| m.is_like("366 alice #tea *")), "{lines:?}");

    let mut bob = server.irc("bob");
    bob.join("#tea");
    let join = alice.expect(":bob!*@*.cloak JOIN #tea");
    assert_eq!(join.params, ["#tea"]);
    bob.settle();
    alice.silent_until_pong(|_: &Message| true); // one line a joiner, and nothing else
    assert_eq!(names(&mut bob, "#tea"), set(&["@alice", "bob"]));
}

#[test]
fn joining_twice_changes_nothing() {
    let server = Server::start(&[]);
    let (mut alice, mut bob) = (server.irc("alice"), server.irc("bob"));
    alice.join("#tea");
    bob.join("#tea");
    alice.settle();
    bob.send("JOIN #tea");
    bob.silent_until_pong("JOIN **");
    alice.silent();
    assert_eq!(names(&mut alice, "#tea"), set(&["@alice", "bob"]));
}

#[test]
fn several_rooms_at_once_each_with_its_key() {
    let server = Server::start(&[]);
    let (mut alice, mut bob) = (server.irc("alice"), server.irc("bob"));
    alice.join("#tea");
    alice.join("#coffee");
    alice.send("MODE #tea +k leaves");
    alice.send("MODE #coffee +k beans");
    alice.settle();
    let lines = bob.ask_all("JOIN #coffee,#tea beans,wrong");
    assert!(lines.iter().any(|m| m.is_like(":bob!*@* JOIN #coffee")), "{lines:?}");
    assert!(lines.iter().any(|m| m.is_like("475 bob #tea *")), "{lines:?}");
    bob.send("JOIN #tea leaves");
    bob.expect(":bob!*@* JOIN #tea");
}

#[test]
fn names_that_are_no_rooms_are_refused() {
    let server = Server::start(&[]);
    let mut alice = server.irc("alice");
    alice.ask("JOIN", "461 alice JOIN *");
    for room in ["tea", "#", "&tea", "#t\u{7}a", "+tea"] {
        alice.ask(&format!("JOIN {room}"), |m: &Message| matches!(m.command.as_str(), "403" | "476" | "479"));
    }
}

#[test]
fn join_zero_leaves_every_room() {
    let server = Server::start(&[]);
    let (mut alice, mut bob) = (server.irc("alice"), server.irc("bob"));
    for room in ["#tea", "#coffee"] {
        alice.join(room);
        bob.join(room);
    }
    bob.send("JOIN 0");
    let parted: BTreeSet<String> =
        bob.settle().iter().filter(|m| m.command == "PART").map(|m| m.param(0).to_owned()).collect();
    assert_eq!(parted, set(&["#tea", "#coffee"]));
    assert_eq!(names(&mut alice, "#tea"), set(&["@alice"]));
    assert_eq!(names(&mut alice, "#coffee"), set(&["@alice"]));
}

#[test]
fn fifty_rooms_are_enough_for_one() {
    let server = Server::start(&[]);
    let mut alice = server.irc("alice");
    for number in 1..=50 {
        alice.send(&format!("JOIN #room{number}"));
    }
    alice.silent_until_pong("405 **");
    alice.ask("JOIN #room51", "405 alice #room51 *");
    alice.send("PART #room1");
    alice.join("#room51");
}

#[test]
fn leaving_is_told_with_its_reason() {
    let server = Server::start(&[]);
    let (mut alice, mut bob) = (server.irc("alice"), server.irc("bob"));
    for irc in [&mut alice, &mut bob] {
        irc.join("#tea");
        irc.join("#coffee");
    }
    bob.send("PART #tea,#coffee :enough for today");
    bob.expect(":bob!*@* PART #tea :enough for today");
    bob.expect(":bob!*@* PART #coffee :enough for today");
    alice.expect(":bob!*@* PART #tea :enough for today");
    alice.expect(":bob!*@* PART #coffee :enough for today");
    alice.send("PRIVMSG #tea :still here?");
    alice.settle();
    bob.silent();
    bob.ask("PART #tea", "442 bob #tea *");
    bob.ask("PART #nowhere", "403 bob #nowhere *");
    bob.ask("PART", "461 bob PART *");
}

#[test]
fn an_empty_room_without_history_ends() {
    let server = Server::start(&["--no-history"]);
    let mut alice = server.irc("alice");
    alice.join("#tea");
    alice.send("TOPIC #tea :green or black");
    alice.send("MODE #tea +mk leaves");
    alice.send("PART #tea");
    alice.settle();
    alice.ask("MODE #tea", "403 alice #tea *");
    let mut bob = server.irc("bob");
    let lines = bob.join("#tea");
    assert!(lines.iter().all(|m| m.command != "332"), "{lines:?}");
    assert_eq!(names(&mut bob, "#tea"), set(&["@bob"]));
    bob.send("MODE #tea");
    let modes = bob.expect("324 bob #tea **");
    let flags: BTreeSet<char> = modes.param(2).chars().collect();
    assert_eq!(flags, BTreeSet::from(['+', 'n', 't']), "{modes}");
}

#[test]
fn the_default_room_is_always_there_and_nobodys() {
    let server = Server::start(&[]);
    let mut alice = server.irc("alice");
    let lines = alice.ask_all("LIST");
    assert!(lines.iter().any(|m| m.is_like("322 alice #lobby 0 *")), "{lines:?}");
    alice.join("#lobby");
    assert_eq!(names(&mut alice, "#lobby"), set(&["alice"]));
    alice.ask("MODE #lobby +m", "482 alice #lobby *");
    alice.send("PART #lobby");
    alice.settle();
    alice.join("#lobby");
    assert_eq!(names(&mut alice, "#lobby"), set(&["alice"]));
}

#[test]
fn the_default_room_has_the_name_it_was_given() {
    let server = Server::start(&["--default-room", "#кухня"]);
    let mut alice = server.irc("alice");
    let lines = alice.ask_all("LIST");
    assert!(lines.iter().any(|m| m.is_like("322 alice #кухня 0 *")), "{lines:?}");
    assert!(lines.iter().all(|m| m.param(1) != "#lobby"), "{lines:?}");
    alice.join("#кухня");
    assert_eq!(names(&mut alice, "#кухня"), set(&["alice"]));
}

#[test]
fn an_operator_shows_somebody_out() {
    let server = Server::start(&[]);
    let (mut alice, mut bob, mut carol) = (server.irc("alice"), server.irc("bob"), server.irc("carol"));
    for irc in [&mut alice, &mut bob, &mut carol] {
        irc.join("#tea");
    }
    alice.send("KICK #tea bob :no sugar here");
    for irc in [&mut alice, &mut bob, &mut carol] {
        irc.expect(":alice!*@* KICK #tea bob :no sugar here");
    }
    bob.ask("PRIVMSG #tea :why?", "404 bob #tea *");
    bob.join("#tea");
    alice.send("KICK #tea bob");
    bob.expect(":alice!*@* KICK #tea bob **");
    assert_eq!(names(&mut alice, "#tea"), set(&["@alice", "carol"]));
}

#[test]
fn several_can_be_shown_out_at_once() {
    let server = Server::start(&[]);
    let (mut alice, mut bob, mut carol) = (server.irc("alice"), server.irc("bob"), server.irc("carol"));
    for irc in [&mut alice, &mut bob, &mut carol] {
        irc.join("#tea");
    }
    alice.send("KICK #tea bob,carol :closing time");
    bob.expect(":alice!*@* KICK #tea bob :closing time");
    carol.expect(":alice!*@* KICK #tea carol :closing time");
    assert_eq!(names(&mut alice, "#tea"), set(&["@alice"]));
}

#[test]
fn a_kick_is_refused_with_the_right_numeric() {
    let server = Server::start(&[]);
    let (mut alice, mut bob, mut carol) = (server.irc("alice"), server.irc("bob"), server.irc("carol"));
    alice.join("#tea");
    bob.join("#tea");
    alice.settle();
    bob.ask("KICK #tea alice", "482 bob #tea *");
    carol.ask("KICK #tea alice", "442 carol #tea *");
    alice.ask("KICK #tea carol", "441 alice carol #tea *");
    alice.ask("KICK #tea nobody", |m: &Message| matches!(m.command.as_str(), "401" | "441"));
    alice.ask("KICK #nowhere bob", "403 alice #nowhere *");
    alice.ask("KICK #tea", "461 alice KICK *");
    alice.ask(&format!("KICK #tea bob :{}", "x".repeat(201)), "417 alice *");
    bob.silent();
}

#[test]
fn names_of_what_is_not_there_end_at_once() {
    let server = Server::start(&[]);
    let mut alice = server.irc("alice");
    alice.ask("NAMES #nowhere", "366 alice #nowhere *");
    alice.ask("NAMES tea", "366 alice tea *");
}

#[test]
fn the_list_counts_people_and_shows_topics() {
    let server = Server::start(&[]);
    let (mut alice, mut bob) = (server.irc("alice"), server.irc("bob"));
    alice.join("#tea");
    bob.join("#tea");
    alice.join("#coffee");
    alice.send("TOPIC #tea :green or black");
    alice.settle();
    let lines = bob.ask_all("LIST");
    assert_eq!(lines.last().map(|m| m.command.as_str()), Some("323"));
    for like in ["322 bob #tea 2 :*green or black", "322 bob #coffee 1 *", "322 bob #lobby 0 *"] {
        assert_eq!(lines.iter().filter(|m| m.is_like(like)).count(), 1, "{like}: {lines:?}");
    }
    let lines = bob.ask_all("LIST #coffee,#nowhere");
    let rooms: Vec<&str> = lines.iter().filter(|m| m.command == "322").map(|m| m.param(1)).collect();
    assert_eq!(rooms, ["#coffee"]);
}

#[test]
fn an_invitation_reaches_its_guest_alone() {
    let server = Server::start(&[]);
    let (mut alice, mut bob, mut carol) = (server.irc("alice"), server.irc("bob"), server.irc("carol"));
    alice.join("#tea");
    carol.join("#tea");
    alice.settle();
    alice.ask("INVITE bob #tea", "341 alice bob #tea");
    bob.expect(":alice!*@* INVITE bob #tea");
    carol.silent();
    bob.send("AWAY :asleep");
    bob.settle();
    let lines = alice.ask_all("INVITE bob #tea");
    assert!(lines.iter().any(|m| m.command == "341"), "{lines:?}");
}

#[test]
fn an_invitation_is_refused_with_the_right_numeric() {
    let server = Server::start(&[]);
    let (mut alice, mut bob, mut carol) = (server.irc("alice"), server.irc("bob"), server.irc("carol"));
    alice.join("#tea");
    bob.join("#tea");
    alice.settle();
    alice.ask("INVITE nobody #tea", "401 alice nobody *");
    alice.ask("INVITE bob #tea", "443 alice bob #tea *");
    alice.ask("INVITE bob #nowhere", "403 alice #nowhere *");
    alice.ask("INVITE bob", "461 alice INVITE *");
    carol.ask("INVITE bob #tea", "442 carol #tea *");
    alice.send("MODE #tea +i");
    alice.settle();
    bob.settle();
    bob.ask("INVITE carol #tea", "482 bob #tea *");
    carol.silent();
}

/// The lists are paged, so nothing is lost and nobody is listed twice.
#[test]
fn a_full_room_lists_everybody_once() {
    let server = Server::start(&["--max-clients-per-ip", "300"]);
    let mut alice = server.irc("alice");
    alice.join("#tea");
    let mut everybody = set(&["@alice"]);
    let mut people = Vec::new();
    for number in 0..200 {
        let nick = format!("somebody-with-a-long-name-{number}");
        let mut irc = Irc::connect(&server);
        irc.send_bytes(format!("NICK {nick}\r\nUSER user 0 * :Real Name\r\nJOIN #tea\r\n"));
        everybody.insert(nick);
        people.push(irc);
    }
    for irc in &mut people {
        irc.expect("366 * #tea *");
    }
    alice.settle();
    assert_eq!(names(&mut alice, "#tea"), everybody);
    // Two long answers, one after the other: neither is cut, and they do not mingle.
    alice.send_bytes("WHO #tea %tn,1\r\nWHO #tea %tn,2\r\n");
    let mut lines = alice.until("315 **");
    lines.extend(alice.until("315 **"));
    let tokens: Vec<&str> = lines.iter().map(|m| m.param(1)).collect();
    let count = everybody.len();
    let expected: Vec<&str> = [vec!["1"; count], vec!["#tea"], vec!["2"; count], vec!["#tea"]].concat();
    assert!(tokens == expected, "{tokens:?}");
    let listed: BTreeSet<&str> = lines.iter().filter(|m| m.param(1) == "2").map(|m| m.param(2)).collect();
    assert_eq!(listed.len(), count, "each one once");
}

/// Clients take a PONG for "all that I asked for has come"; [`Irc::settle`] does, too.
#[test]
fn a_pong_does_not_overtake_a_long_answer() {
    let server = Server::start(&["--max-clients-per-ip", "300"]);
    let mut alice = server.irc("alice");
    alice.join("#tea");
    let mut people = Vec::new();
    for number in 0..150 {
        let mut irc = Irc::connect(&server);
        irc.send_bytes(format!("NICK guest{number}\r\nUSER user 0 * :Real Name\r\nJOIN #tea\r\n"));
        people.push(irc);
    }
    for irc in &mut people {
        irc.expect("366 * #tea *");
    }
    alice.settle();
    alice.send_bytes(format!("{}PING done\r\n", "WHO #tea\r\n".repeat(5)));
    let lines = alice.until("PONG * done");
    assert_eq!(lines.iter().filter(|m| m.command == "352").count(), 5 * 151);
    assert_eq!(lines.iter().filter(|m| m.command == "315").count(), 5);
}

/// Ban, key, limit and invited-only are the operators': only one of them lets somebody past.
#[test]
fn only_an_operators_invitation_opens_a_shut_room() {
    let server = Server::start(&[]);
    let (mut alice, mut bob, mut eve) = (server.irc("alice"), server.irc("bob"), server.irc("eve"));
    alice.join("#tea");
    bob.join("#tea");
    for (modes, back, refused) in
        [("+b eve", "-b eve", "474"), ("+k sesame", "-k sesame", "475"), ("+l 2", "-l", "471")]
    {
        alice.send(&format!("MODE #tea {modes}"));
        alice.settle();
        bob.send("INVITE eve #tea");
        bob.expect("341 bob eve #tea");
        eve.expect(":bob!*@* INVITE eve #tea");
        eve.settle();
        eve.ask("JOIN #tea", format!("{refused} eve #tea *").as_str());
        alice.send("INVITE eve #tea");
        alice.expect("341 alice eve #tea");
        eve.join("#tea");
        eve.send("PART #tea");
        eve.settle();
        eve.ask("JOIN #tea", format!("{refused} eve #tea *").as_str());
        alice.send(&format!("MODE #tea {back}"));
        alice.settle();
    }
    eve.ask("INVITE", "337 eve *");
}
