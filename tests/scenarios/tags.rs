//! Message tags: server-time, msgid, client-only tags, TAGMSG and their limits.

use parlor_tests::{Message, Server};

#[test]
fn every_message_has_one_id_and_a_time_for_those_who_want_them() {
    let server = Server::start(&[]);
    let mut alice = server.irc_with("alice", &["message-tags", "server-time", "echo-message"]);
    let mut bob = server.irc_with("bob", &["message-tags", "server-time"]);
    let mut carol = server.irc("carol");
    for irc in [&mut alice, &mut bob, &mut carol] {
        irc.join("#tea");
    }
    let mut ids = Vec::new();
    for line in ["PRIVMSG #tea :one", "NOTICE #tea :two", "@+x=y TAGMSG #tea", "PRIVMSG bob :three"] {
        let verb = line.trim_start_matches("@+x=y ").split(' ').next().expect("a verb");
        let pattern = format!(":alice!*@* {verb} **");
        alice.send(line);
        let echo = alice.expect(pattern.as_str());
        let got = bob.expect(pattern.as_str());
        let id = got.tag("msgid").unwrap_or_default().to_owned();
        assert!(!id.is_empty() && !id.starts_with(':') && !id.contains([' ', ',']), "{got}");
        assert_eq!(echo.tag("msgid"), Some(id.as_str()), "an echo is the same message: {echo}");
        assert_eq!(echo.tag("time"), got.tag("time"), "{echo} {got}");
        assert!(got.tag("time").is_some_and(is_time), "{got}");
        ids.push(id);
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 4, "each message has an id of its own: {ids:?}");
    let plain = carol.expect("PRIVMSG #tea one");
    assert!(plain.tags.is_empty(), "{plain}");
    let plain = carol.expect("NOTICE #tea two");
    assert!(plain.tags.is_empty(), "{plain}");
}

/// `2011-10-19T16:40:51.620Z`, <https://ircv3.net/specs/extensions/server-time>
fn is_time(text: &str) -> bool {
    let shape = "dddd-dd-ddTdd:dd:dd.dddZ";
    text.len() == shape.len()
        && shape.chars().zip(text.chars()).all(
            |(want, c)| {
                if want == 'd' { c.is_ascii_digit() } else { c == want }
            },
        )
}

#[test]
fn server_time_is_on_joins_too() {
    let server = Server::start(&[]);
    let mut alice = server.irc_with("alice", &["server-time"]);
    alice.join("#tea");
    let mut bob = server.irc("bob");
    bob.join("#tea");
    let join = alice.expect(":bob!*@* JOIN #tea");
    assert!(join.tag("time").is_some_and(is_time), "{join}");
    assert_eq!(join.tag("msgid"), None, "without message-tags there is no other tag: {join}");
}

#[test]
fn client_only_tags_are_relayed_and_all_others_are_dropped() {
    let server = Server::start(&[]);
    let mut alice = server.irc_with("alice", &["message-tags", "server-time"]);
    let mut bob = server.irc_with("bob", &["message-tags"]);
    let mut carol = server.irc("carol");
    for irc in [&mut alice, &mut bob, &mut carol] {
        irc.join("#tea");
    }
    alice.send(
        r"@+draft/react=\:\)\s;msgid=forged;time=2001-01-01T00:00:00.000Z;+empty;bot;account=x PRIVMSG #tea :tagged",
    );
    let got = bob.expect("PRIVMSG #tea tagged");
    assert_eq!(got.tag("+draft/react"), Some(";) "), "{got}");
    assert_eq!(got.tag("+empty"), Some(""), "{got}");
    assert_ne!(got.tag("msgid"), Some("forged"), "{got}");
    for forged in ["time", "bot", "account"] {
        assert_eq!(got.tag(forged), None, "{got}");
    }
    assert!(carol.expect("PRIVMSG #tea tagged").tags.is_empty());
}

#[test]
fn tagmsg_reaches_those_who_understand_it_and_nobody_else() {
    let server = Server::start(&[]);
    let mut alice = server.irc_with("alice", &["message-tags"]);
    let mut bob = server.irc_with("bob", &["message-tags"]);
    let mut carol = server.irc_with("carol", &["server-time"]);
    for irc in [&mut alice, &mut bob, &mut carol] {
        irc.join("#tea");
    }
    alice.send("@+typing=active TAGMSG #tea");
    alice.send("@+typing=done TAGMSG bob");
    alice.send("@+typing=done TAGMSG carol");
    alice.silent_until_pong("TAGMSG **");
    bob.expect("@+typing=active :alice!*@* TAGMSG #tea");
    bob.expect("@+typing=done :alice!*@* TAGMSG bob");
    carol.silent_until_pong("TAGMSG **");
}

#[test]
fn a_tagmsg_to_nobody_is_refused() {
    let server = Server::start(&[]);
    let mut alice = server.irc_with("alice", &["message-tags"]);
    alice.ask("@+a=b TAGMSG", |m: &Message| matches!(m.command.as_str(), "411" | "461"));
    alice.ask("@+a=b TAGMSG nobody", "401 alice nobody *");
    alice.ask("@+a=b TAGMSG #nowhere", |m: &Message| matches!(m.command.as_str(), "401" | "403"));
}

/// 4094 bytes are the client's, between `@` and the space: <https://ircv3.net/specs/extensions/message-tags#size-limit>
#[test]
fn tags_have_4094_bytes_and_not_one_more() {
    let server = Server::start(&[]);
    let mut alice = server.irc_with("alice", &["message-tags", "server-time"]);
    let mut bob = server.irc_with("bob", &["message-tags", "server-time"]);
    alice.join("#tea");
    bob.join("#tea");
    alice.settle();
    let value = "v".repeat(4094 - "+a=".len());
    alice.send(&format!("@+a={value} PRIVMSG #tea :full"));
    alice.silent();
    let got = bob.expect("PRIVMSG #tea full");
    assert_eq!(got.tag("+a"), Some(value.as_str()));
    alice.ask(&format!("@+a={value}v PRIVMSG #tea :over"), "417 alice *");
    bob.silent_until_pong("PRIVMSG **");
}

#[test]
fn tags_have_room_beside_a_full_line() {
    let server = Server::start(&[]);
    let mut alice = server.irc_with("alice", &["message-tags"]);
    let mut bob = server.irc_with("bob", &["message-tags"]);
    alice.join("#tea");
    bob.join("#tea");
    alice.settle();
    let text = "t".repeat(400);
    alice.send(&format!("@+a={} PRIVMSG #tea :{text}", "v".repeat(4000)));
    alice.silent();
    bob.expect(format!("PRIVMSG #tea {text}").as_str());
}

#[test]
fn who_floods_a_room_with_typing_and_reactions_delays_nobody_else() {
    let server = Server::start(&["--flood", "5"]);
    let mut alice = server.irc_with("alice", &["message-tags", "echo-message"]);
    let mut bob = server.irc_with("bob", &["message-tags"]);
    let mut eve = server.irc_with("eve", &["message-tags"]);
    for irc in [&mut alice, &mut bob, &mut eve] {
        irc.join("#tea");
    }
    alice.send("PRIVMSG #tea :hello");
    let id = alice.expect("PRIVMSG #tea hello").tag("msgid").expect("an id").to_owned();
    bob.settle();
    let flood: String = (0..2_000)
        .map(|number| match number % 2 {
            0 => "@+typing=active TAGMSG #tea\r\n".to_owned(),
            _ => format!("@+reply={id};+draft/react={number} TAGMSG #tea\r\n"),
        })
        .collect();
    eve.send_bytes(&flood);
    for number in 0..10 {
        let text = format!("line {number}");
        alice.send(&format!("PRIVMSG #tea :{text}"));
        let before = bob.until(|m: &Message| m.last() == text);
        let flooded = before.iter().filter(|m| m.command == "TAGMSG").count();
        assert!(flooded < 200, "{flooded} reactions stood before line {number}");
    }
    // What is only of the moment is kept nowhere.
    let mut late =
        server.irc_with("late", &["batch", "draft/chathistory", "draft/event-playback", "message-tags"]);
    late.join("#tea");
    let page = late.ask_batch("CHATHISTORY LATEST #tea * 100");
    let tags = page.iter().filter(|m| m.command == "TAGMSG");
    assert!(tags.clone().all(|m| m.tag("+typing").is_none() && m.tag("+draft/react").is_some()), "{page:?}");
}
