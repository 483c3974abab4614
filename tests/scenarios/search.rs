//! SEARCH (soju.im/search): what was said in the rooms that one is in, newest first.

use parlor_tests::{Irc, Message, Scratch, Server};

const CAPS: [&str; 6] =
    ["batch", "draft/chathistory", "labeled-response", "message-tags", "server-time", "soju.im/search"];

fn on_disk_and_in_memory(scenario: impl Fn(&Server)) {
    scenario(&Server::start(&["--no-history"]));
    scenario(&Scratch::new().server(&[]));
}

#[track_caller]
fn found(irc: &mut Irc, attributes: &str) -> Vec<String> {
    let lines = irc.ask_batch(&format!("SEARCH {attributes}"));
    assert!(lines.iter().all(|m| m.tag("msgid").is_some() && m.tag("time").is_some()), "{lines:?}");
    lines.iter().map(|m| format!("{} {}", m.param(0), m.last())).collect()
}

#[test]
fn lines_are_found_by_words_sender_room_and_number() {
    on_disk_and_in_memory(|server| {
        let mut alice = server.irc_with("alice", &CAPS);
        let mut bob = server.irc("bob");
        for room in ["#tea", "#coffee"] {
            alice.join(room);
            bob.join(room);
        }
        for line in
            ["#tea :the Kettle is on", "#coffee :no kettle here", "#tea :小明 drinks ＴＥＡ", "#tea :ÄRGER"]
        {
            alice.send(&format!("PRIVMSG {line}"));
        }
        alice.settle();
        for line in
            ["PRIVMSG #tea :my kettle, my rules", "NOTICE #tea :kettle boiled", "TOPIC #tea :kettle topic"]
        {
            bob.send(line);
        }
        bob.settle();
        for (attributes, wanted) in [
            (
                "text=kettle",
                vec![
                    "#tea kettle boiled",
                    "#tea my kettle, my rules",
                    "#coffee no kettle here",
                    "#tea the Kettle is on",
                ],
            ),
            (r"text=kettle\smy", vec!["#tea my kettle, my rules"]),
            (
                "text=kettle;in=#TEA",
                vec!["#tea kettle boiled", "#tea my kettle, my rules", "#tea the Kettle is on"],
            ),
            ("text=kettle;from=ALICE", vec!["#coffee no kettle here", "#tea the Kettle is on"]),
            ("text=kettle;limit=1", vec!["#tea kettle boiled"]),
            ("from=bob;in=#tea", vec!["#tea kettle boiled", "#tea my kettle, my rules"]),
            ("text=小明", vec!["#tea 小明 drinks ＴＥＡ"]),
            ("text=明", vec!["#tea 小明 drinks ＴＥＡ"]),
            ("text=ärger", vec!["#tea ÄRGER"]),
            ("text=teapot", vec![]),
            ("from=nobody", vec![]),
            ("unknown=x;in=#coffee", vec!["#coffee no kettle here"]),
        ] {
            assert_eq!(found(&mut alice, attributes), wanted, "{attributes}");
        }
    });
}

#[test]
fn both_ends_of_a_time_count() {
    let home = Scratch::new();
    let server = home.server(&[]);
    let mut alice = server.irc_with("alice", &CAPS);
    alice.request(&["echo-message"]);
    alice.join("#tea");
    let time = |echo: Message| echo.tag("time").expect("a time").to_owned();
    let mut times: Vec<String> = Vec::new();
    while times.len() < 4 {
        let said = time(alice.ask(&format!("PRIVMSG #tea :{}", times.len()), "PRIVMSG #tea *"));
        times.push(said.clone());
        // The next one in a later millisecond; a message to oneself is not kept.
        let note = "PRIVMSG alice :tick";
        while alice.ask_all(note).into_iter().next().map(time).is_none_or(|now| now == said) {}
    }
    let ask = |after: usize, before: usize| format!("after={};before={}", times[after], times[before]);
    assert_eq!(found(&mut alice, &ask(1, 2)), ["#tea 2", "#tea 1"]);
    assert_eq!(found(&mut alice, &ask(2, 2)), ["#tea 2"]);
    assert_eq!(found(&mut alice, &ask(2, 1)), [""; 0]);
    assert_eq!(found(&mut alice, &format!("after={}", times[3])), ["#tea 3"]);
    assert_eq!(found(&mut alice, &format!("before={}", times[0])), ["#tea 0"]);
    assert_eq!(found(&mut alice, "after=1970-01-01T00:00:00.000Z;limit=1"), ["#tea 3"]);
}

#[test]
fn nobody_searches_rooms_that_they_are_not_in() {
    on_disk_and_in_memory(|server| {
        let mut alice = server.irc_with("alice", &CAPS);
        alice.join("#tea");
        alice.send("PRIVMSG #tea :secret");
        alice.settle();
        let mut eve = server.irc_with("eve", &CAPS);
        assert_eq!(found(&mut eve, "text=secret"), [""; 0]);
        eve.ask("SEARCH text=secret;in=#tea", "FAIL SEARCH INVALID_PARAMS in *");
        eve.ask("@label=s SEARCH text=secret;in=#nowhere", "@label=s FAIL SEARCH INVALID_PARAMS in *");
        eve.join("#tea");
        assert_eq!(found(&mut eve, "text=secret").len(), 1);
        eve.send("PART #tea");
        eve.expect("PART #tea");
        assert_eq!(found(&mut eve, "text=secret"), [""; 0]);
    });
}

#[test]
fn what_cannot_be_searched_is_explained() {
    let server = Server::start(&[]);
    let mut alice = server.irc_with("alice", &CAPS);
    alice.ask("SEARCH", "461 alice SEARCH *");
    alice.ask("SEARCH limit=0", "FAIL SEARCH INVALID_PARAMS limit *");
    alice.ask("SEARCH limit=many", "FAIL SEARCH INVALID_PARAMS limit *");
    alice.ask(&format!("SEARCH text={}", r"w\s".repeat(17)), "FAIL SEARCH INVALID_PARAMS text *");
    assert_eq!(found(&mut alice, &format!("text={}", r"w\s".repeat(16))), [""; 0]);
    alice.ask("SEARCH after=yesterday", "FAIL SEARCH INVALID_PARAMS after *");
    alice.ask("SEARCH before=2026-13-01T00:00:00.000Z", "FAIL SEARCH INVALID_PARAMS before *");
    server.irc("old").ask("SEARCH text=x", "421 old SEARCH *");
}

#[test]
fn the_answer_is_one_batch_with_its_label() {
    let server = Server::start(&[]);
    let mut alice = server.irc_with("alice", &CAPS);
    alice.join("#tea");
    alice.send("PRIVMSG #tea :x");
    let lines = alice.ask_all("@label=s SEARCH text=x");
    assert!(lines[0].is_like("@label=s BATCH +* soju.im/search"), "{}", lines[0]);
    assert!(lines.last().is_some_and(|m| m.command == "BATCH" && m.tag("label").is_none()), "{lines:?}");
    let lines = alice.ask_all("@label=n SEARCH text=nothing");
    assert_eq!(lines.iter().map(|m| m.command.as_str()).collect::<Vec<_>>(), ["BATCH", "BATCH"]);
}

#[test]
fn the_whole_of_a_long_history_is_searched() {
    let home = Scratch::new();
    let server = home.server(&[]);
    let mut alice = server.irc_with("alice", &CAPS);
    alice.join("#tea");
    alice.join("#noise");
    alice.send("PRIVMSG #tea :the needle");
    let hay = "hay ".repeat(100);
    for _ in 0..40 {
        alice.send_bytes(format!("PRIVMSG #noise :{hay}\r\n").repeat(1000));
        alice.settle();
    }
    assert_eq!(found(&mut alice, "text=needle"), ["#tea the needle"]);
    assert_eq!(found(&mut alice, "text=hay").len(), 100, "and no more than that");
    // Nobody else waits for it.
    let mut bob = server.irc_with("bob", &CAPS);
    bob.join("#noise");
    bob.send_bytes("SEARCH text=nothing\r\n".repeat(20));
    alice.send("PRIVMSG #noise :meanwhile");
    alice.settle();
    for _ in 0..20 {
        assert_eq!(bob.batch(), Vec::<Message>::new());
    }
}

#[test]
fn while_60_connections_ask_a_member_is_answered() {
    let home = Scratch::new();
    let server = home.server(&["--max-clients-per-ip", "100"]);
    let mut alice = server.irc_with("alice", &CAPS);
    alice.join("#tea");
    alice.send("PRIVMSG #tea :the needle");
    let hay = "hay ".repeat(100);
    for _ in 0..30 {
        alice.send_bytes(format!("PRIVMSG #tea :{hay}\r\n").repeat(1000));
        alice.settle();
    }
    // Each looks for words that are nowhere, so at every line: in all more than the deadline allows.
    let words = r"nothing\s".repeat(16);
    let crowd: Vec<Irc> = (0..60)
        .map(|i| {
            let mut irc = server.irc_with(&format!("m{i}"), &CAPS);
            irc.join("#tea");
            irc.send_bytes(format!("SEARCH text={words}\r\n").repeat(30));
            irc.send_bytes("CHATHISTORY BEFORE #tea timestamp=2000-01-01T00:00:00.000Z 100\r\n".repeat(30));
            irc
        })
        .collect();
    alice.settle();
    assert_eq!(alice.ask_batch("CHATHISTORY LATEST #tea * 10").len(), 10);
    alice.settle();
    drop(crowd);
    assert_eq!(found(&mut alice, "text=needle"), ["#tea the needle"]);
}
