//! Capability negotiation, and the capabilities that change what a client is told.

use parlor_server::protocol::Capability;
use parlor_tests::{Irc, Message, Server};

/// Everything that the server offers.
fn offered() -> Vec<&'static str> {
    Capability::ALL.iter().map(|capability| capability.name()).collect()
}

/// The names in an answer of one or more lines (`CAP * LS * :more to come`).
fn listed(irc: &mut Irc, request: &str, subcommand: &str) -> Vec<String> {
    irc.send(request);
    let lines = irc.until(|m: &Message| m.command == "CAP" && m.param(1) == subcommand && m.param(2) != "*");
    let names = lines.iter().filter(|m| m.command == "CAP").flat_map(|m| m.last().split_whitespace());
    names.map(|name| name.split('=').next().unwrap_or(name).to_owned()).collect()
}

#[test]
fn every_capability_is_offered_and_can_be_had() {
    let server = Server::start(&[]);
    let offered = offered();
    for request in ["CAP LS", "CAP LS 302"] {
        let mut irc = Irc::connect(&server);
        let names = listed(&mut irc, request, "LS");
        assert_eq!(names, offered, "{request}");
        irc.request(&offered);
    }
    let mut alice = server.irc_with("alice", &offered);
    let names = listed(&mut alice, "CAP LIST", "LIST");
    assert_eq!(names, offered, "LIST");
}

#[test]
fn a_request_is_granted_whole_or_not_at_all() {
    let server = Server::start(&[]);
    let mut irc = Irc::connect(&server);
    irc.send("CAP REQ :server-time no-such-thing");
    irc.expect(|m: &Message| {
        m.command == "CAP" && m.param(1) == "NAK" && m.last().trim_end() == "server-time no-such-thing"
    });
    assert!(listed(&mut irc, "CAP LIST", "LIST").is_empty());
    irc.request(&["server-time", "echo-message"]);
    irc.request(&["-server-time"]);
    assert_eq!(listed(&mut irc, "CAP LIST", "LIST"), ["echo-message"]);
}

#[test]
fn an_unknown_subcommand_is_refused() {
    let server = Server::start(&[]);
    let mut irc = Irc::connect(&server);
    irc.send("CAP FROB");
    irc.expect("410 * FROB *");
    irc.send("CAP");
    irc.expect_any(&["461", "410"]);
}

#[test]
fn capabilities_come_and_go_after_registration_too() {
    let server = Server::start(&[]);
    let mut alice = server.irc("alice");
    alice.join("#tea");
    alice.request(&["echo-message"]);
    alice.ask("PRIVMSG #tea :heard", ":alice!*@* PRIVMSG #tea heard");
    alice.request(&["-echo-message"]);
    assert!(alice.ask_all("PRIVMSG #tea :unheard").is_empty());
    alice.send("CAP END");
    alice.silent();
}

#[test]
fn multi_prefix_shows_every_rank_and_others_see_the_highest() {
    let server = Server::start(&[]);
    let mut alice = server.irc("alice");
    let mut bob = server.irc_with("bob", &["multi-prefix"]);
    alice.join("#tea");
    alice.send("MODE #tea +v alice");
    alice.settle();
    bob.join("#tea");
    bob.send("NAMES #tea");
    let names = bob.expect("353 bob = #tea *");
    assert!(names.last().split(' ').any(|name| name == "@+alice"), "{names}");
    bob.send("WHO #tea");
    let who = bob.expect("352 bob #tea * * * alice **");
    assert!(who.param(6).contains("@+"), "{who}");
    alice.send("NAMES #tea");
    let names = alice.expect("353 alice = #tea *");
    assert!(names.last().split(' ').any(|name| name == "@alice"), "{names}");
}

#[test]
fn userhost_in_names_shows_whole_masks() {
    let server = Server::start(&[]);
    let mut alice = server.irc_with("alice", &["userhost-in-names"]);
    let join = alice.join("#tea");
    let own = join.first().expect("the JOIN").source.clone();
    let names = join.iter().find(|m| m.command == "353").expect("NAMES");
    assert_eq!(names.last().trim_end(), format!("@{own}"));
}

#[test]
fn no_implicit_names_leaves_names_to_those_who_ask() {
    let server = Server::start(&[]);
    for (nick, capability) in [("alice", "no-implicit-names"), ("bob", "draft/no-implicit-names")] {
        let mut irc = server.irc_with(nick, &[capability]);
        let join = irc.join("#tea");
        assert!(join.iter().all(|m| m.command != "353" && m.command != "366"), "{join:?}");
        irc.send("NAMES #tea");
        irc.expect(format!("353 {nick} = #tea **").as_str());
        irc.expect(format!("366 {nick} #tea *").as_str());
    }
}

#[test]
fn extended_join_tells_account_and_real_name() {
    let server = Server::start(&[]);
    let mut alice = server.irc_with("alice", &["extended-join"]);
    let mut bob = server.irc("bob");
    alice.join("#tea");
    bob.join("#tea");
    alice.expect(":bob!*@* JOIN #tea * :Real Name");
    let mut carol = server.irc("carol");
    carol.join("#tea");
    bob.expect(":carol!*@* JOIN #tea");
}

#[test]
fn away_notify_tells_those_who_share_a_room_once() {
    let server = Server::start(&[]);
    let mut alice = server.irc_with("alice", &["away-notify"]);
    let (mut bob, mut carol) = (server.irc("bob"), server.irc("carol"));
    for room in ["#tea", "#coffee"] {
        for irc in [&mut alice, &mut bob, &mut carol] {
            irc.join(room);
        }
    }
    carol.settle();
    bob.send("AWAY :lunch");
    bob.expect("306 bob *");
    bob.send("AWAY");
    bob.expect("305 bob *");
    bob.settle();
    alice.expect(":bob!*@* AWAY lunch");
    alice.expect(":bob!*@* AWAY");
    alice.silent_until_pong("AWAY **");
    carol.silent_until_pong("AWAY **");
    bob.silent_until_pong("AWAY **");
}

#[test]
fn away_notify_tells_of_one_who_comes_in_away() {
    let server = Server::start(&[]);
    let mut alice = server.irc_with("alice", &["away-notify"]);
    alice.join("#tea");
    let mut bob = server.irc("bob");
    bob.send("AWAY :half asleep");
    bob.join("#tea");
    alice.expect(":bob!*@* JOIN #tea");
    alice.expect(":bob!*@* AWAY :half asleep");
}

#[test]
fn setname_changes_the_real_name_for_everybody() {
    let server = Server::start(&[]);
    let mut alice = server.irc_with("alice", &["setname"]);
    let mut bob = server.irc_with("bob", &["setname"]);
    let mut carol = server.irc("carol");
    for irc in [&mut alice, &mut bob, &mut carol] {
        irc.join("#tea");
    }
    alice.send("SETNAME :Alice Liddell");
    alice.expect(":alice!*@* SETNAME :Alice Liddell");
    alice.settle();
    bob.expect(":alice!*@* SETNAME :Alice Liddell");
    carol.silent_until_pong("SETNAME **");
    carol.send("WHOIS alice");
    carol.expect("311 carol alice * * * :Alice Liddell");
}

#[test]
fn a_real_name_over_its_limit_changes_nothing() {
    let server = Server::start(&[]);
    let mut alice = server.irc_with("alice", &["setname", "standard-replies"]);
    let longest = "n".repeat(128);
    alice.ask(&format!("SETNAME :{longest}"), format!("SETNAME {longest}").as_str());
    // The specification has its own refusal; the server's general one is a numeric.
    alice.ask(&format!("SETNAME :{longest}n"), |m: &Message| {
        m.is_like("FAIL SETNAME INVALID_REALNAME **") || m.command == "417"
    });
    alice.send("WHOIS alice");
    alice.expect(format!("311 alice alice * * * {longest}").as_str());
}

#[test]
fn invite_notify_tells_the_room() {
    let server = Server::start(&[]);
    let mut alice = server.irc_with("alice", &["invite-notify"]);
    let (mut bob, mut carol) = (server.irc("bob"), server.irc("carol"));
    alice.join("#tea");
    bob.join("#tea");
    alice.send("MODE #tea +o bob");
    alice.settle();
    bob.send("INVITE carol #tea");
    bob.expect("341 bob carol #tea");
    carol.expect(":bob!*@* INVITE carol #tea");
    alice.expect(":bob!*@* INVITE carol #tea");
    bob.silent_until_pong("INVITE **");
}

#[test]
fn bots_are_marked() {
    let server = Server::start(&[]);
    let mut alice = server.irc_with("alice", &["message-tags"]);
    let mut robot = server.irc("robot");
    alice.join("#tea");
    robot.join("#tea");
    robot.send("PRIVMSG #tea :still a person");
    let before = alice.expect("PRIVMSG #tea :still a person");
    assert_eq!(before.tag("bot"), None, "{before}");
    robot.ask("MODE robot +B", ":robot* MODE robot +B");
    robot.send("PRIVMSG #tea :beep");
    let beep = alice.expect("PRIVMSG #tea beep");
    assert_eq!(beep.tag("bot"), Some(""), "{beep}");
    alice.send("WHO #tea");
    let who = alice.expect("352 alice #tea * * * robot **");
    assert!(who.param(6).contains('B'), "{who}");
    alice.send("WHOIS robot");
    alice.expect("335 alice robot **");
}
