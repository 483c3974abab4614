//! What one can ask the server about itself.

use parlor_tests::{Irc, Message, Server};

fn numerics(lines: &[Message]) -> Vec<&str> {
    lines.iter().map(|m| m.command.as_str()).collect()
}

fn alice(server: &Server) -> Irc {
    server.irc("alice")
}

#[test]
fn version_comes_with_what_is_supported() {
    let server = Server::start(&[]);
    let lines = alice(&server).ask_all("VERSION");
    let version = lines.first().expect("an answer");
    assert!(version.is_like("351 alice * parlor.local *"), "{version}");
    assert!(lines.len() > 1 && lines.iter().skip(1).all(|m| m.command == "005"), "{lines:?}");
}

#[test]
fn other_servers_are_not_known() {
    let server = Server::start(&[]);
    let mut alice = alice(&server);
    for verb in ["VERSION", "TIME", "ADMIN", "MOTD"] {
        alice.ask(&format!("{verb} other.example"), "402 alice other.example *");
    }
    alice.ask("TIME parlor.local", "391 alice **");
}

#[test]
fn time_is_the_servers() {
    let server = Server::start(&[]);
    alice(&server).ask("TIME", |m: &Message| m.is_like("391 alice parlor.local **") && m.params.len() >= 3);
}

#[test]
fn info_ends() {
    let server = Server::start(&[]);
    let lines = alice(&server).ask_all("INFO");
    let (last, rest) = lines.split_last().expect("an answer");
    assert!(last.is_like("374 alice *"), "{last}");
    assert!(!rest.is_empty() && rest.iter().all(|m| m.is_like("371 alice *")), "{rest:?}");
}

#[test]
fn admin_is_complete() {
    let server = Server::start(&[]);
    let lines = alice(&server).ask_all("ADMIN");
    assert!(["256 257 258 259", "423"].contains(&numerics(&lines).join(" ").as_str()), "{lines:?}");
}

#[test]
fn help_has_a_start_and_an_end() {
    let server = Server::start(&[]);
    let mut alice = alice(&server);
    for line in ["HELP", "HELP JOIN"] {
        let lines = alice.ask_all(line);
        let numerics = numerics(&lines);
        assert_eq!((numerics.first(), numerics.last()), (Some(&"704"), Some(&"706")), "{lines:?}");
        let between = numerics.get(1..numerics.len() - 1).unwrap_or_default();
        assert!(between.iter().all(|&numeric| numeric == "705"), "{lines:?}");
    }
    let lines = alice.ask_all("HELP :no such subject");
    assert!(numerics(&lines) == ["524"] || numerics(&lines).first() == Some(&"704"), "{lines:?}");
}

#[test]
fn links_names_this_server_alone() {
    let server = Server::start(&[]);
    let lines = alice(&server).ask_all("LINKS");
    assert_eq!(numerics(&lines), ["364", "365"]);
    assert!(
        lines.first().is_some_and(|m| m.is_like("364 alice parlor.local parlor.local :0 *")),
        "{lines:?}"
    );
}

#[test]
fn stats_end_with_their_letter() {
    let server = Server::start(&[]);
    let mut alice = alice(&server);
    let lines = alice.ask_all("STATS u");
    assert_eq!(numerics(&lines), ["242", "219"], "{lines:?}");
    assert!(lines.last().is_some_and(|m| m.is_like("219 alice u *")), "{lines:?}");
    alice.ask("STATS z", "219 alice z *");
    alice.ask("STATS", |m: &Message| matches!(m.command.as_str(), "461" | "219"));
}

#[test]
fn lusers_counts_people_and_rooms() {
    let server = Server::start(&[]);
    let (mut alice, mut bob) = (server.irc("alice"), server.irc("bob"));
    // Of what there is none nothing is said (RFC 2812 §5.1).
    let told: Vec<String> = alice.ask_all("LUSERS").into_iter().map(|m| m.command).collect();
    assert_eq!(told, ["251", "254", "255", "265", "266"]);
    let mut waiting = Irc::connect(&server);
    waiting.send("CAP LS 302");
    waiting.expect("CAP * LS **");
    bob.join("#tea");
    bob.send("MODE bob +i");
    bob.settle();
    let lines = alice.ask_all("LUSERS");
    let line = |numeric: &str| {
        lines.iter().find(|m| m.command == numeric).unwrap_or_else(|| panic!("{numeric} is not in {lines:?}"))
    };
    let clients = line("251");
    let numbers: Vec<u32> = clients.last().split(' ').filter_map(|word| word.parse().ok()).collect();
    assert_eq!(numbers, [1, 1, 1], "1 visible, 1 invisible, 1 server: {clients}");
    assert_eq!(line("253").param(1), "1", "one has not registered: {lines:?}");
    assert_eq!(line("254").param(1), "2", "#tea and the default room: {lines:?}");
    assert!(line("255").last().contains('2'), "{lines:?}");
    assert_eq!(line("265").params.get(1..3), Some(&["2", "2"].map(str::to_owned)[..]), "{lines:?}");
}
