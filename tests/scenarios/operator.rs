//! OPER and what it gives: KILL, WALLOPS, CONSOLE and the rights of every room's operator.

use std::fs;

use parlor_tests::{Irc, Launch, Message, Scratch, Server};

const KEY: &str = "0123456789abcdef0123456789abcdef";

/// A server whose key is [`KEY`], and the folder that has it.
fn with_key() -> (Server, Scratch) {
    let scratch = Scratch::new();
    let file = scratch.write_secret("oper", format!("{KEY}\n"));
    (Server::start(&["--oper-file", &file]), scratch)
}

fn oper(server: &Server, nick: &str) -> Irc {
    let mut irc = server.irc(nick);
    let lines = irc.ask_all(&format!("OPER root {KEY}"));
    assert!(lines.iter().any(|m| m.is_like(&format!("381 {nick} *"))), "{lines:?}");
    assert!(lines.iter().any(|m| m.is_like(&format!("MODE {nick} +o"))), "{lines:?}");
    irc
}

#[test]
fn the_key_is_made_where_there_is_none() {
    let scratch = Scratch::new();
    let file = scratch.file("oper");
    let server = Server::start(&["--oper-file", &file]);
    let text = fs::read_to_string(&file).expect("the key has been written");
    let key =
        text.lines().map(str::trim).rfind(|line| !line.is_empty() && !line.starts_with('#')).expect("a key");
    // 128 bits are 32 hexadecimal digits, 26 of base32, 22 of base64.
    assert!(key.len() >= 22, "{key:?}");
    let mut alice = server.irc("alice");
    let lines = alice.ask_all(&format!("OPER alice {key}"));
    assert!(lines.iter().any(|m| m.is_like("381 alice *")), "{lines:?}");
    assert!(!server.log().text().contains(key), "a key is not for the log");

    let other_file = scratch.file("other");
    let _other = Server::start(&["--oper-file", &other_file]);
    assert_ne!(fs::read_to_string(&other_file).expect("written as well"), text, "each key is its own");
}

#[cfg(unix)]
#[test]
fn the_key_is_nobody_elses() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = Scratch::new();
    let file = scratch.file("oper");
    assert_eq!(Server::start(&["--oper-file", &file]).stop(), 0);
    let mode = |file: &str| fs::metadata(file).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(&file), 0o600);
    for readable in [0o644, 0o640, 0o604] {
        fs::set_permissions(&file, fs::Permissions::from_mode(readable)).expect("the file is ours");
        let ended = Launch::new(&["--oper-file", &file]).run();
        assert_eq!(ended.code, 77, "{readable:o}: {}", ended.stderr);
        assert!(ended.stderr.starts_with("server: ") && ended.stderr.contains(&file), "{}", ended.stderr);
        assert_eq!(ended.stdout, "", "nothing half started");
    }
}

#[test]
fn a_wrong_key_opens_nothing() {
    let (server, _scratch) = with_key();
    let mut alice = server.irc("alice");
    let prefix = KEY.get(..31).expect("it is that long");
    for wrong in ["x", prefix, &format!("{KEY}0"), &KEY.to_uppercase()] {
        alice.ask(&format!("OPER root {wrong}"), "464 alice *");
    }
    alice.ask("OPER root", "461 alice OPER *");
    alice.ask("OPER", "461 alice OPER *");
    alice.ask("KILL alice :x", "481 alice *");
    alice.ask("WALLOPS :x", "481 alice *");
    alice.ask("CONSOLE :/who", "481 alice *");
    assert!(!server.log().text().contains(prefix), "what was typed is not for the log");
}

#[test]
fn an_operator_is_known_as_one() {
    let (server, _scratch) = with_key();
    let (mut root, mut bob) = (oper(&server, "root"), server.irc("bob"));
    let lines = bob.ask_all("WHOIS root");
    assert!(lines.iter().any(|m| m.is_like("313 bob root *")), "{lines:?}");
    let lines = bob.ask_all("WHO root");
    assert!(lines.iter().any(|m| m.command == "352" && m.param(6).starts_with("H*")), "{lines:?}");
    let userhost = bob.ask("USERHOST root", "302 bob *");
    assert!(userhost.last().starts_with("root*=+"), "{userhost}");
    let lines = bob.ask_all("LUSERS");
    assert!(lines.iter().any(|m| m.is_like("252 bob 1 *")), "{lines:?}");
    root.ask("MODE root -o", ":root* MODE root -o");
    root.ask("KILL bob :x", "481 root *");
    bob.silent();
}

#[test]
fn an_operator_has_the_rights_of_every_room() {
    let (server, _scratch) = with_key();
    let (mut root, mut alice, mut bob) = (oper(&server, "root"), server.irc("alice"), server.irc("bob"));
    alice.join("#tea");
    bob.join("#tea");
    bob.join("#lobby");
    alice.settle();
    root.send("MODE #lobby +o bob");
    bob.expect(":root!*@* MODE #lobby +o bob");
    root.join("#tea");
    root.send("TOPIC #tea :order!");
    alice.expect(":root!*@* TOPIC #tea order!");
    root.send("MODE #tea +m-o alice");
    alice.expect(":root!*@* MODE #tea +m-o alice");
    root.send("KICK #tea bob :enough");
    bob.expect(":root!*@* KICK #tea bob enough");
    root.send("MODE #tea +i");
    root.settle();
    root.ask("INVITE bob #tea", "341 root bob #tea");
    bob.expect("INVITE bob #tea");
}

#[test]
fn kill_ends_a_connection() {
    let (server, _scratch) = with_key();
    let (mut root, mut alice, mut bob) = (oper(&server, "root"), server.irc("alice"), server.irc("bob"));
    alice.join("#tea");
    bob.join("#tea");
    root.send("KILL Bob :flooding the kettle");
    let last = bob.expect_closed();
    let error = last.last().expect("a closing line");
    assert!(error.is_like("ERROR :Closing link: *flooding the kettle*"), "{error}");
    let quit = alice.expect(":bob!*@* QUIT *");
    assert!(quit.last().contains("flooding the kettle"), "{quit}");
    root.settle();
    root.ask("KILL bob :again", "401 root bob *");
    root.ask("KILL", "461 root KILL *");
}

#[test]
fn wallops_reach_those_who_want_them() {
    let (server, _scratch) = with_key();
    let (mut root, mut alice, mut bob) = (oper(&server, "root"), server.irc("alice"), server.irc("bob"));
    alice.send("MODE alice +w");
    alice.settle();
    bob.settle();
    root.send("WALLOPS :the kettle moves to port 7000");
    root.settle();
    alice.expect(":root!*@* WALLOPS :the kettle moves to port 7000");
    bob.silent();
    root.ask("WALLOPS", "461 root WALLOPS *");
}

#[test]
fn the_console_can_be_used_from_afar() {
    let (server, _scratch) = with_key();
    let (mut root, mut alice, mut bob) = (oper(&server, "root"), server.irc("alice"), server.irc("bob"));
    alice.join("#tea");
    bob.join("#tea");
    bob.join("#lobby");
    let bobs_address = bob.local_address().to_string();
    let lines = root.ask_all("CONSOLE :/who");
    assert!(lines.iter().all(|m| m.is_like(":parlor.local NOTICE root *")), "{lines:?}");
    let about_bob =
        lines.iter().filter(|m| m.last().contains("bob") && m.last().contains(&bobs_address)).count();
    assert_eq!(about_bob, 1, "{lines:?}");
    let lines = root.ask_all("CONSOLE :/rooms");
    assert!(lines.iter().any(|m| m.last().contains("#tea")), "{lines:?}");
    root.send("CONSOLE :/op bob #lobby");
    bob.expect("MODE #lobby +o bob");
    root.send("CONSOLE :/kick bob no kettle of yours");
    let last = bob.expect_closed();
    assert!(
        last.last().is_some_and(|m| m.is_like("ERROR :Closing link: Kicked: no kettle of yours")),
        "{last:?}"
    );
    root.settle();
    let lines = root.ask_all("CONSOLE :/frob");
    assert!(lines.len() == 1 && lines.iter().all(|m| m.last().contains("/help")), "{lines:?}");
    root.ask("CONSOLE", |m: &Message| m.command == "461");
}

#[test]
fn an_announcement_from_afar_reaches_every_room_once() {
    let (server, _scratch) = with_key();
    let (mut root, mut alice) = (oper(&server, "root"), server.irc("alice"));
    for room in ["#tea", "#coffee"] {
        alice.join(room);
    }
    root.send("CONSOLE :closing at ten");
    root.settle();
    alice.expect(":parlor.local NOTICE #tea :closing at ten");
    alice.expect(":parlor.local NOTICE #coffee :closing at ten");
    alice.silent();
}
