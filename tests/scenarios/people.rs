//! NICK, AWAY, WHO, WHOIS, WHOWAS, USERHOST and ISON.

use parlor_tests::{Irc, Message, Server};

/// Alice has founded #tea and Bob is in it.
fn tea(server: &Server) -> [Irc; 2] {
    let mut people = ["alice", "bob"].map(|nick| server.irc(nick));
    for irc in &mut people {
        irc.join("#tea");
    }
    for irc in &mut people {
        irc.settle();
    }
    people
}

#[test]
fn a_change_of_nick_is_told_once_to_each_who_can_see_it() {
    let server = Server::start(&[]);
    let [mut alice, mut bob] = tea(&server);
    let mut stranger = server.irc("carol");
    alice.join("#coffee");
    bob.join("#coffee");
    alice.settle();
    alice.ask("NICK alicia", ":alice!*@* NICK alicia");
    bob.expect(":alice!*@* NICK alicia");
    bob.silent_until_pong("NICK **");
    stranger.silent();
    bob.send("PRIVMSG alicia :new name?");
    alice.expect("PRIVMSG alicia :new name?");
    bob.ask("PRIVMSG alice :gone", "401 bob alice *");
    let mut again = server.irc("alice");
    again.silent();
    alice.send("TOPIC #tea :still an operator");
    bob.expect(":alicia!*@* TOPIC #tea *");
}

#[test]
fn one_may_change_the_case_of_ones_own_nick() {
    let server = Server::start(&[]);
    let [mut alice, mut bob] = tea(&server);
    alice.ask("NICK ALICE", ":alice!*@* NICK ALICE");
    bob.expect(":alice!*@* NICK ALICE");
    alice.send("NICK ALICE");
    alice.silent();
    bob.silent();
}

#[test]
fn a_nick_that_cannot_be_had_changes_nothing() {
    let server = Server::start(&[]);
    let [mut alice, mut bob] = tea(&server);
    alice.ask("NICK Bob", "433 alice Bob *");
    alice.ask("NICK #bob", "432 alice #bob *");
    alice.ask("NICK", "431 alice *");
    bob.silent();
    bob.send("PRIVMSG alice :still you");
    alice.expect("PRIVMSG alice :still you");
}

#[test]
fn away_is_acknowledged() {
    let server = Server::start(&[]);
    let [mut alice, mut bob] = tea(&server);
    alice.ask("AWAY :lunch", "306 alice *");
    alice.ask("AWAY", "305 alice *");
    alice.ask("AWAY :lunch", "306 alice *");
    alice.ask("AWAY :", "305 alice *");
    alice.ask(&format!("AWAY :{}", "z".repeat(201)), "417 alice *");
    let answers = bob.ask_all("PRIVMSG alice :awake?");
    assert!(answers.is_empty(), "what was refused made nobody away: {answers:?}");
}

#[test]
fn who_lists_a_room_with_its_ranks() {
    let server = Server::start(&[]);
    let [mut alice, mut bob] = tea(&server);
    bob.send("AWAY :lunch");
    bob.settle();
    let lines = alice.ask_all("WHO #tea");
    assert_eq!(lines.len(), 3, "{lines:?}");
    for (nick, flags) in [("alice", "H@"), ("bob", "G")] {
        let like = format!("352 alice #tea user *.cloak parlor.local {nick} {flags} :0 Real Name");
        assert_eq!(lines.iter().filter(|m| m.is_like(&like)).count(), 1, "{like}: {lines:?}");
    }
    assert!(lines.last().is_some_and(|m| m.is_like("315 alice #tea *")), "{lines:?}");
}

#[test]
fn who_finds_one_and_ends_where_there_is_none() {
    let server = Server::start(&[]);
    let [mut alice, _bob] = tea(&server);
    let lines = alice.ask_all("WHO BOB");
    let numerics: Vec<&str> = lines.iter().map(|m| m.command.as_str()).collect();
    assert_eq!(numerics, ["352", "315"], "{lines:?}");
    alice.ask("WHO nobody", "315 alice nobody *");
    alice.ask("WHO #nowhere", "315 alice #nowhere *");
}

#[test]
fn who_by_mask_does_not_show_the_invisible_to_strangers() {
    let server = Server::start(&[]);
    let [mut alice, _bob] = tea(&server);
    let mut carol = server.irc("carol");
    alice.send("MODE alice +i");
    alice.settle();
    let seen = |lines: &[Message], nick: &str| lines.iter().any(|m| m.command == "352" && m.param(5) == nick);
    let lines = carol.ask_all("WHO a*");
    assert!(!seen(&lines, "alice"), "{lines:?}");
    carol.join("#tea");
    let lines = carol.ask_all("WHO a*");
    assert!(seen(&lines, "alice"), "who shares a room is no stranger: {lines:?}");
}

#[test]
fn whox_gives_the_asked_fields_in_the_standard_order() {
    let server = Server::start(&[]);
    let [mut alice, _bob] = tea(&server);
    let lines = alice.ask_all("WHO #tea %tcuihsnfdlaor,152");
    let row = lines.iter().find(|m| m.command == "354" && m.param(7) == "bob").expect("Bob is in #tea");
    // token, channel, user, ip, host, server, nick, flags, hops, idle, account, op level, real name
    assert_eq!(row.params.len(), 14, "{row}");
    assert_eq!(row.params.get(1..4), Some(&["152", "#tea", "user"].map(str::to_owned)[..]), "{row}");
    assert_eq!(row.param(4), "255.255.255.255", "addresses are nobody's business: {row}");
    assert!(row.param(5).ends_with(".cloak"), "{row}");
    assert_eq!(row.param(6), "parlor.local", "{row}");
    assert_eq!(row.param(8), "H", "{row}");
    assert!(row.param(10).parse::<u64>().is_ok(), "idle seconds: {row}");
    assert_eq!(row.param(11), "0", "there are no accounts: {row}");
    assert_eq!(row.last(), "Real Name", "{row}");
    assert!(lines.iter().all(|m| m.command != "352"), "{lines:?}");
    let lines = alice.ask_all("WHO bob %na");
    assert!(lines.iter().any(|m| m.is_like("354 alice bob 0")), "{lines:?}");
    assert!(lines.last().is_some_and(|m| m.command == "315"), "{lines:?}");
}

#[test]
fn whois_tells_what_everybody_may_know() {
    let server = Server::start(&[]);
    let [mut alice, mut bob] = tea(&server);
    alice.send("AWAY :lunch");
    alice.settle();
    for line in ["WHOIS alice", "WHOIS ALICE", "WHOIS parlor.local alice", "WHOIS alice alice"] {
        let lines = bob.ask_all(line);
        for like in [
            "311 bob alice user *.cloak * :Real Name",
            "312 bob alice parlor.local *",
            "319 bob alice :*@#tea*",
            "301 bob alice lunch",
            "317 bob alice * * *",
        ] {
            assert_eq!(lines.iter().filter(|m| m.is_like(like)).count(), 1, "{line}: {like}: {lines:?}");
        }
        assert!(lines.last().is_some_and(|m| m.command == "318"), "{lines:?}");
        assert!(lines.iter().all(|m| !m.raw.contains("127.0.0.1")), "no address: {lines:?}");
    }
}

#[test]
fn whois_of_nobody_ends_as_well() {
    let server = Server::start(&[]);
    let [mut alice, _bob] = tea(&server);
    let lines = alice.ask_all("WHOIS nobody");
    let numerics: Vec<&str> = lines.iter().map(|m| m.command.as_str()).collect();
    assert_eq!(numerics, ["401", "318"], "{lines:?}");
    alice.ask("WHOIS", |m: &Message| matches!(m.command.as_str(), "431" | "461"));
}

#[test]
fn whowas_remembers_who_has_left_and_who_changed_nick() {
    let server = Server::start(&[]);
    let [mut alice, mut bob] = tea(&server);
    bob.send("NICK robert");
    bob.settle();
    bob.send("QUIT");
    bob.expect_closed();
    alice.expect("QUIT *");
    for nick in ["bob", "Robert"] {
        let lines = alice.ask_all(&format!("WHOWAS {nick}"));
        let first = lines.first().expect("an answer");
        assert!(first.is_like("314 alice * user *.cloak * :Real Name"), "{lines:?}");
        assert!(first.param(1).eq_ignore_ascii_case(nick), "{first}");
        assert!(lines.last().is_some_and(|m| m.command == "369"), "{lines:?}");
        assert!(lines.iter().all(|m| !m.raw.contains("127.0.0.1")), "no address: {lines:?}");
    }
    let lines = alice.ask_all("WHOWAS nobody");
    let numerics: Vec<&str> = lines.iter().map(|m| m.command.as_str()).collect();
    assert_eq!(numerics, ["406", "369"], "{lines:?}");
    alice.ask("WHOWAS", |m: &Message| matches!(m.command.as_str(), "431" | "461"));
}

#[test]
fn whowas_counts_back_from_the_latest() {
    let server = Server::start(&[]);
    let [mut alice, _bob] = tea(&server);
    for name in ["first", "second", "third"] {
        let mut guest = Irc::connect(&server);
        guest.send("NICK guest");
        guest.send(&format!("USER {name} 0 * :Guest"));
        guest.welcomed();
        guest.send("QUIT");
        guest.expect_closed();
    }
    let users = |irc: &mut Irc, line: &str| {
        let lines = irc.ask_all(line);
        lines.iter().filter(|m| m.command == "314").map(|m| m.param(2).to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(users(&mut alice, "WHOWAS guest"), ["third", "second", "first"]);
    assert_eq!(users(&mut alice, "WHOWAS guest 2"), ["third", "second"]);
}

#[test]
fn userhost_tells_of_those_who_are_here() {
    let server = Server::start(&[]);
    let [mut alice, mut bob] = tea(&server);
    bob.send("AWAY :lunch");
    bob.settle();
    let answer = alice.ask("USERHOST alice nobody bob", "302 alice *");
    let entries: Vec<&str> = answer.last().split_whitespace().collect();
    assert_eq!(entries.len(), 2, "{answer}");
    for (entry, start) in entries.iter().zip(["alice=+user@", "bob=-user@"]) {
        assert!(entry.starts_with(start) && entry.ends_with(".cloak"), "{answer}");
    }
    alice.ask("USERHOST", "461 alice USERHOST *");
}

#[test]
fn ison_names_those_who_are_here() {
    let server = Server::start(&[]);
    let [mut alice, _bob] = tea(&server);
    for line in ["ISON nobody BOB alice", "ISON :nobody BOB alice"] {
        let answer = alice.ask(line, "303 alice *");
        let names: Vec<String> = answer.last().split_whitespace().map(str::to_ascii_lowercase).collect();
        assert_eq!(names, ["bob", "alice"], "{answer}");
    }
    alice.ask("ISON nobody", "303 alice :");
    alice.ask("ISON", "461 alice ISON *");
}

#[test]
fn hosts_are_cloaked_and_the_same_for_one_address() {
    let server = Server::start(&[]);
    let [mut alice, mut bob] = tea(&server);
    bob.send("PRIVMSG #tea :hi");
    let host = alice.expect("PRIVMSG #tea hi").host().to_owned();
    let cloak = host.strip_suffix(".cloak").unwrap_or_default();
    assert!(cloak.len() == 12 && cloak.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{host}");
    alice.send("PRIVMSG #tea :hi");
    assert_eq!(bob.expect("PRIVMSG #tea hi").host(), host, "both come from 127.0.0.1");
    // The key is each server's own, so a cloak cannot be looked up in a table.
    let other = Server::start(&[]);
    let mut carol = other.irc("carol");
    assert_ne!(carol.join("#tea").first().expect("the JOIN").host(), host);
}
