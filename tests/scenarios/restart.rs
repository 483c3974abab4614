//! What a room is outlives the server, however that ended.

use parlor_tests::{Irc, Message, Scratch, Server};

const CAPS: [&str; 4] = ["batch", "draft/chathistory", "message-tags", "server-time"];

/// Somebody who hears of it when all that it did is on disk.
fn member(server: &Server, nick: &str) -> Irc {
    server.irc_with(nick, &["echo-message"])
}

/// Waits until the disk has everything up to now.
#[track_caller]
fn on_disk(irc: &mut Irc, room: &str) {
    irc.send(&format!("PRIVMSG {room} :on disk"));
    irc.expect("PRIVMSG * :on disk");
}

/// What a room says of itself to somebody in it: modes, lists, topic.
fn told(irc: &mut Irc, room: &str) -> Vec<String> {
    let mut told: Vec<Vec<String>> = Vec::new();
    for line in ["MODE {}", "MODE {} b", "MODE {} e", "MODE {} I", "TOPIC {}"] {
        let answers = irc.ask_all(&line.replace("{}", room));
        told.extend(answers.into_iter().map(|m| m.params[1..].to_vec()));
    }
    told.into_iter().map(|words| words.join(" ")).collect()
}

#[test]
fn a_room_is_what_it_was() {
    let home = Scratch::new();
    for crashes in [true, false] {
        let server = home.server(&[]);
        let mut alice = member(&server, "alice");
        let room = if crashes { "#Größe" } else { "#tea" };
        alice.join(room);
        for change in [
            "+stm",
            "-n",
            "+k sesame",
            "+l 12",
            "+b eve!*@*",
            "+bb *!*@a *!*@b",
            "+e bob!*@*",
            "+I carol!*@*",
            "-b *!*@a",
        ] {
            alice.send(&format!("MODE {room} {change}"));
        }
        alice.send(&format!("TOPIC {room} :what: a topic, 小明"));
        on_disk(&mut alice, room);
        let before = told(&mut alice, room);
        assert!(before.len() > 8 && before[0].contains("sesame"), "{before:?}");
        if crashes {
            server.crash();
        } else {
            assert_eq!(server.stop(), 0);
        }
        let server = home.server(&[]);
        let mut alice = member(&server, "alice");
        alice.ask(&format!("JOIN {room}"), "475 **");
        alice.send(&format!("JOIN {room} sesame"));
        alice.expect("JOIN **");
        alice.settle();
        assert_eq!(told(&mut alice, room), before);
        let mut eve = server.irc("eve");
        eve.ask(&format!("JOIN {room} sesame"), "474 **");
        // What was changed back stays changed back.
        for change in ["-smtk+n sesame", "-l", "-bb eve!*@* *!*@b", "-eI bob!*@* carol!*@*"] {
            alice.send(&format!("MODE {room} {change}"));
        }
        alice.send(&format!("TOPIC {room} :"));
        on_disk(&mut alice, room);
        server.crash();
        let server = home.server(&[]);
        let mut eve = server.irc("eve");
        eve.join(room);
        let now = told(&mut eve, room);
        assert!(now[0].contains("+n") && !now.iter().any(|line| line.contains("eve!*@*")), "{now:?}");
    }
}

#[test]
fn a_room_without_anybody_is_not_listed() {
    let home = Scratch::new();
    let server = home.server(&[]);
    let mut alice = member(&server, "alice");
    alice.join("#tea");
    alice.send("TOPIC #tea :leaves");
    on_disk(&mut alice, "#tea");
    server.crash();
    let server = home.server(&[]);
    let mut bob = server.irc("bob");
    let listed = |lines: Vec<Message>| -> Vec<String> {
        lines.into_iter().filter(|m| m.command == "322").map(|m| m.param(1).to_owned()).collect()
    };
    assert_eq!(listed(bob.ask_all("LIST")), ["#lobby"]);
    assert_eq!(listed(bob.ask_all("LIST #tea")), [""; 0]);
    // Nor does it tell anything to those outside.
    bob.ask("PRIVMSG #tea :anybody?", |m: &Message| matches!(m.command.as_str(), "403" | "404"));
    let lines = bob.join("#tea");
    assert!(lines.iter().any(|m| m.is_like("332 bob #tea leaves")), "{lines:?}");
    assert_eq!(listed(bob.ask_all("LIST")).len(), 2);
    bob.send("PART #tea");
    bob.expect("PART #tea");
    assert_eq!(listed(bob.ask_all("LIST")), ["#lobby"]);
    let rooms = bob.ask_all("LUSERS").into_iter().find(|m| m.command == "254").expect("a count");
    assert_eq!(rooms.param(1), "1", "{rooms}");
}

#[test]
fn the_default_room_keeps_its_topic_and_has_no_operator() {
    let home = Scratch::new();
    let mut server = home.server(&[]);
    let mut alice = member(&server, "alice");
    alice.join("#lobby");
    server.console("/op alice #lobby");
    alice.expect("MODE #lobby +o alice");
    alice.send("TOPIC #lobby :welcome");
    on_disk(&mut alice, "#lobby");
    server.crash();
    let server = home.server(&[]);
    let lines = server.irc("bob").join("#lobby");
    assert!(lines.iter().any(|m| m.is_like("332 bob #lobby welcome")), "{lines:?}");
    assert!(lines.iter().any(|m| m.is_like("353 bob = #lobby bob")), "{lines:?}");
}

#[test]
fn ids_rise_across_restarts() {
    let home = Scratch::new();
    let mut ids: Vec<String> = Vec::new();
    for round in 0..6 {
        let server = home.server(&[]);
        let mut alice = server.irc_with("alice", &CAPS);
        alice.request(&["echo-message"]);
        let joined = alice.join("#tea");
        ids.extend(
            joined.iter().filter(|m| m.command == "JOIN").filter_map(|m| m.tag("msgid")).map(str::to_owned),
        );
        for number in 0..3 {
            let echo = alice.ask(&format!("PRIVMSG #tea :{round}.{number}"), "PRIVMSG #tea *");
            ids.push(echo.tag("msgid").expect("an id").to_owned());
        }
        // Others saw it, whether or not it is on disk.
        let mut bob = server.irc_with("bob", &CAPS);
        bob.join("#tea");
        alice.send("PRIVMSG #tea :lost perhaps");
        ids.push(bob.expect("PRIVMSG #tea *perhaps").tag("msgid").expect("an id").to_owned());
        if round % 2 == 0 { server.crash() } else { assert_eq!(server.stop(), 0) }
    }
    assert!(ids.iter().all(|id| id.len() == 23), "{ids:?}");
    assert!(ids.windows(2).all(|pair| pair[0] < pair[1]), "{ids:?}");
}

#[test]
fn hosts_stay_the_same() {
    let home = Scratch::new();
    let host = |server: &Server| {
        let mut alice = server.irc("alice");
        alice.send("WHOIS alice");
        alice.expect_numeric("311").param(3).to_owned()
    };
    let server = home.server(&[]);
    let first = host(&server);
    server.crash();
    assert_eq!(host(&home.server(&[])), first, "a ban of it still holds");
    assert_ne!(host(&Scratch::new().server(&[])), first, "it is a secret of this server");
}

#[test]
fn the_welcome_tells_when_this_server_was_started() {
    let home = Scratch::new();
    let created = |server: &Server| {
        let mut irc = Irc::connect(server);
        irc.send("NICK alice");
        irc.send("USER u 0 * :r");
        irc.expect_numeric("003").last().to_owned()
    };
    let mut server = home.server(&[]);
    let first = created(&server);
    let mut bob = member(&server, "bob");
    bob.join("#lobby");
    server.console("/op bob #lobby");
    bob.expect("MODE #lobby +o bob");
    bob.send("TOPIC #lobby :kept");
    on_disk(&mut bob, "#lobby");
    server.crash();
    assert_ne!(created(&home.server(&[])), first);
}

#[test]
fn the_lines_of_a_stop_are_kept_too() {
    let home = Scratch::new();
    let server = home.server(&[]);
    let mut alice = server.irc("alice");
    alice.join("#tea");
    const LINES: usize = 2000;
    let all: String = (0..LINES).map(|number| format!("PRIVMSG #tea :{number}\r\n")).collect();
    alice.send_bytes(all);
    alice.settle();
    assert_eq!(server.stop(), 0);
    let server = home.server(&[]);
    let mut bob = server.irc_with("bob", &CAPS);
    bob.join("#tea");
    let last = bob.ask_batch("CHATHISTORY LATEST #tea * 1");
    assert_eq!(last[0].last(), (LINES - 1).to_string());
    let first = bob.ask_batch("CHATHISTORY AFTER #tea timestamp=2000-01-01T00:00:00.000Z 1");
    assert_eq!(first[0].last(), "0");
}
