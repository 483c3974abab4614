//! Lines that are deleted (IRCv3 draft/message-redaction): by who said them, or an operator of the room.

use std::fs;

use parlor_tests::{Irc, Launch, Message, Scratch, Server};

use crate::sasl::{asking, claimed, plain};

const CAPS: &[&str] = &[
    "batch",
    "draft/chathistory",
    "draft/event-playback",
    "draft/message-redaction",
    "echo-message",
    "labeled-response",
    "message-tags",
    "soju.im/search",
];

/// Says something, and tells which id it has.
fn say(irc: &mut Irc, target: &str, text: &str) -> String {
    irc.send(&format!("PRIVMSG {target} :{text}"));
    let echo = irc.expect(|m: &Message| m.command == "PRIVMSG" && m.last() == text);
    echo.tag("msgid").expect("an id").to_owned()
}

/// The talk and the deletions of a page.
fn page(irc: &mut Irc, ask: &str) -> Vec<String> {
    let lines = irc.ask_batch(ask);
    let lines = lines.iter().filter(|m| matches!(&*m.command, "PRIVMSG" | "REDACT"));
    lines.map(|m| format!("{} {} {}", m.nick(), m.command, m.last())).collect()
}

/// Whether a text stands in any file of the history.
fn stands_in_a_file(home: &Scratch, text: &str) -> bool {
    let files = home.path().read_dir().expect("it is ours").map(|file| file.expect("it is ours").path());
    let mut files = files.filter(|path| path.is_file());
    files.any(|path| {
        fs::read(path).expect("it is ours").windows(text.len()).any(|bytes| bytes == text.as_bytes())
    })
}

#[test]
fn who_said_a_line_takes_it_back_and_nobody_reads_it_again() {
    let home = Scratch::new();
    let server = home.server(&[]);
    let mut alice = server.irc_with("alice", CAPS);
    let mut bob = server.irc_with("bob", CAPS);
    let mut old = server.irc_with("old", &["message-tags", "batch", "draft/chathistory"]);
    for irc in [&mut alice, &mut bob, &mut old] {
        irc.join("#tea");
    }
    say(&mut alice, "#tea", "before");
    let id = say(&mut alice, "#tea", "the secret is sesame");
    say(&mut alice, "#tea", "after");
    bob.settle();
    old.settle();
    alice.send(&format!("@label=x REDACT #tea {id} :a slip"));
    let told = alice.expect(&*format!(":alice!*@* REDACT #tea {id} *"));
    assert_eq!((told.tag("label"), told.last()), (Some("x"), "a slip"));
    bob.expect(&*format!(":alice!*@* REDACT #tea {id} *"));
    old.silent();
    // Once more over a restart, which makes the files smaller: no byte of it is left then.
    let check = |server: &Server| {
        for nick in ["alice", "bob"] {
            let mut irc = server.irc_with(&format!("{nick}2"), CAPS);
            irc.join("#tea");
            let page = page(&mut irc, "CHATHISTORY LATEST #tea * 50");
            let expected = [
                "alice PRIVMSG before",
                "alice PRIVMSG [deleted]",
                "alice REDACT a slip",
                "alice PRIVMSG after",
                // That it was deleted is an event of its own, for who read the line before.
                "alice REDACT a slip",
            ];
            assert_eq!(page, expected);
            assert!(super::redact::page(&mut irc, "SEARCH text=sesame").is_empty());
        }
        let mut old = server.irc_with("old2", &["message-tags", "batch", "draft/chathistory"]);
        old.join("#tea");
        let lines = ["alice PRIVMSG before", "alice PRIVMSG after"];
        assert_eq!(page(&mut old, "CHATHISTORY LATEST #tea * 10"), lines);
    };
    check(&server);
    alice.settle();
    // Said again it is done; of what never was it is said so.
    alice.ask(&format!("REDACT #tea {id}"), &*format!("REDACT #tea {id}"));
    bob.settle();
    for (line, code) in [
        ("#tea 000000000000000000000ff", "UNKNOWN_MSGID #tea 000000000000000000000ff"),
        ("#tea nonsense", "UNKNOWN_MSGID #tea nonsense"),
        ("#coffee 000000000000000000000ff", "INVALID_TARGET #coffee"),
        ("bob 000000000000000000000ff", "INVALID_TARGET bob"),
    ] {
        alice.ask(&format!("REDACT {line}"), &*format!("FAIL REDACT {code} *"));
    }
    assert!(stands_in_a_file(&home, "sesame"), "the test looks where it stood");
    server.crash();
    let server = home.server(&[]);
    check(&server);
    assert_eq!(server.stop(), 0);
    assert!(!stands_in_a_file(&home, "sesame"), "no byte is left");
    let folder = home.path().display().to_string();
    let export = |format| {
        let args = ["--data", &folder, "--export", "#tea", "--format", format];
        Launch::new(&args).without_defaults().run().stdout
    };
    let text = export("text");
    assert!(text.contains("* a line of alice was deleted by alice: a slip"), "{text}");
    let json = export("jsonl");
    let tombstone = json.lines().find(|line| line.contains("\"DELETED\"")).expect("a tombstone");
    assert!(tombstone.contains(&id) && tombstone.contains("\"reason\":\"a slip\""), "{tombstone}");
    assert!(!text.contains("sesame") && !json.contains("sesame"));
}

#[test]
fn a_line_of_somebody_else_is_deleted_by_operators_of_the_room_alone() {
    let server = Server::start(&[]);
    let mut alice = server.irc_with("alice", CAPS);
    let mut bob = server.irc_with("bob", CAPS);
    let mut eve = server.irc_with("eve", CAPS);
    for irc in [&mut alice, &mut bob, &mut eve] {
        irc.join("#tea");
    }
    let id = say(&mut bob, "#tea", "mine");
    eve.settle();
    let forbidden = format!("FAIL REDACT REDACT_FORBIDDEN #tea {id} *");
    eve.ask(&format!("REDACT #tea {id}"), &*forbidden);
    // Somebody else of that name is not who said it.
    bob.send("QUIT");
    bob.expect_closed();
    let mut again = server.irc_with("bob", CAPS);
    again.join("#tea");
    again.ask(&format!("REDACT #tea {id}"), &*forbidden);
    // Where it was not said, there is no such line; nor is a join one.
    eve.join("#other");
    eve.ask(&format!("REDACT #other {id}"), "FAIL REDACT UNKNOWN_MSGID #other **");
    let joined = alice.ask_batch("CHATHISTORY LATEST #tea * 20");
    let joined = joined.iter().find(|m| m.command == "JOIN").and_then(|m| m.tag("msgid")).expect("a join");
    alice.ask(&format!("REDACT #tea {joined}"), "FAIL REDACT UNKNOWN_MSGID #tea **");
    alice.settle();
    alice.ask(&format!("REDACT #tea {id} :rude"), &*format!(":alice!*@* REDACT #tea {id} rude"));
    eve.expect(&*format!(":alice!*@* REDACT #tea {id} rude"));
    server.wait_log("deleted: a line of bob in #tea by alice");
}

#[test]
fn a_reaction_is_taken_back_too_and_an_account_takes_back_what_it_said_elsewhere() {
    let server = Server::start(&[]);
    claimed(&server, "bob", "sesame");
    let mut alice = server.irc_with("alice", CAPS);
    alice.join("#tea");
    let mut ids = Vec::new();
    for _ in 0..2 {
        let mut bob = asking(&server, "bob");
        bob.request(CAPS);
        plain(&mut bob, "bob", "sesame");
        bob.send("CAP END");
        bob.welcomed();
        bob.join("#tea");
        if let [said, reacted] = &ids[..] {
            for id in [said, reacted] {
                bob.ask(&format!("REDACT #tea {id}"), &*format!(":bob!*@* REDACT #tea {id}"));
                alice.expect(&*format!(":bob!*@* REDACT #tea {id}"));
            }
            break;
        }
        ids.push(say(&mut bob, "#tea", "hi"));
        bob.send(&format!("@+reply={};+draft/react=x TAGMSG #tea", ids[0]));
        ids.push(bob.expect("TAGMSG #tea").tag("msgid").expect("an id").to_owned());
        bob.send("QUIT");
        bob.expect_closed();
    }
    let page = alice.ask_batch("CHATHISTORY LATEST #tea * 20");
    assert!(page.iter().all(|m| m.command != "TAGMSG"), "{page:?}");
    let shown = page.iter().filter(|m| m.command == "PRIVMSG").count();
    assert_eq!(shown, 1, "of a reaction no placeholder is left: {page:?}");
}
