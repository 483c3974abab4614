//! The listener for everybody: programs that need no word are served there too.

use std::time::Duration;

use parlor_tests::{Deadline, Irc, Plain, Server};

use crate::kind::{BARE, FRONT, HTML, Kind, Names, Stage};

/// The kinds that need nothing but to be understood.
const KINDS: [&Kind; 3] = [&HTML, &FRONT, &BARE];

const PROMPT: &str = ":parlor.local NOTICE * :Type a nickname and press Enter";

/// A server without a listener for raw clients.
fn open() -> Stage {
    let server = Server::start(&[]);
    let mut alice = server.irc("alice");
    alice.join("#lobby");
    Stage { server, alice }
}

#[test]
fn each_kind_is_in_the_conversation_here_too() {
    for kind in KINDS {
        let mut stage = open();
        let Some(mut program) = stage.start_at(stage.server.address(), kind) else { return };
        let mine = "大家好，今天 Zoë ☕";
        program.says(mine);
        stage.hears(kind.name, mine);
        stage.says("R 早上好");
        program.shows(&kind.line("alice", "R 早上好"));
        program.types("rush 一 one\t二 two");
        if kind.names == Names::Nowhere {
            stage.hears(kind.name, "一 one二 two");
        } else {
            stage.hears(kind.name, "一 one");
            stage.hears(kind.name, "二 two");
        }
        assert_eq!(program.screen().matches(mine).count(), 1, "each own line once");
        program.types("leave");
        let visit = stage.visit(kind.name);
        assert!(visit.said.is_empty(), "{visit:?}");
    }
}

#[test]
fn long_messages_come_whole_here_too() {
    for kind in KINDS {
        let mut stage = open();
        let Some(mut program) = stage.start_at(stage.server.address(), kind) else { return };
        let text = "明".repeat(1666);
        program.says(&text);
        let mut heard = String::new();
        while heard.len() < text.len() {
            heard += stage.alice.expect(format!(":{}!*@* PRIVMSG #lobby *", kind.name).as_str()).last();
        }
        assert!(heard == text, "{kind:?}: {heard}");
    }
}

#[test]
fn a_machine_that_is_gone_has_left_here_too() {
    for kind in KINDS {
        let mut stage = open();
        let Some(mut program) = stage.start_at(stage.server.address(), kind) else { return };
        program.says("do you hear me");
        stage.hears(kind.name, "do you hear me");
        program.types("reset");
        assert!(stage.visit(kind.name).said.is_empty());
    }
}

#[test]
fn a_second_of_silence_ends_what_has_no_end() {
    let mut stage = open();
    for (bytes, name, said) in [
        ("<font color=\"Blue\">Zoë</font>: hello", "Zoë", "hello"),
        ("小红：你好", "小红", "你好"),
        ("bob: hello", "bob", "hello"),
        ("hello there", "guest1", "hello there"),
        ("Hello, server!", "guest1", "Hello, server!"),
        ("bob", "guest1", "bob"),
        ("你好吗", "guest1", "你好吗"),
        ("NICKY: hello", "NICKY", "hello"),
        ("I told alice: no", "guest1", "I told alice: no"),
    ] {
        let mut client = stage.server.plain();
        let not_yet = Deadline::after(Duration::from_millis(950));
        client.send_bytes(bytes);
        stage.joined(name);
        assert!(not_yet.left().is_none(), "{bytes}: the rest of a line may still come");
        stage.hears(name, said);
        drop(client);
        stage.visit(name);
    }
}

#[test]
fn a_silent_one_is_asked_and_may_still_be_such_a_program() {
    let mut stage = open();
    for (bytes, name, said) in [("小红：你好", "小红", "你好"), ("hello there", "guest1", "hello there")]
    {
        let mut client = stage.server.plain();
        assert_eq!(client.next_line(), PROMPT);
        client.send_bytes(bytes);
        stage.hears(name, said);
        client.send_bytes(bytes);
        stage.hears(name, said);
        drop(client);
        stage.visit(name);
    }
}

#[test]
fn a_first_line_may_name_and_say() {
    let mut stage = open();
    for (lines, name, colon) in [
        ("bob: hello\nbob: again\nand more\n", "bob", ": "),
        ("小红：hello\n小红：again\nand more\n", "小红", "："),
        (
            "<font color=\"Blue\">zoe</font>: hello\n<font color=\"Blue\">zoe</font>: again\nand more\n",
            "zoe",
            "",
        ),
    ] {
        let mut client = stage.server.plain();
        client.send_bytes(lines);
        for text in ["hello", "again", "and more"] {
            stage.hears(name, text);
        }
        stage.says("welcome");
        let mut read = String::new();
        while !read.contains("welcome") {
            read += &String::from_utf8_lossy(&client.chunk());
        }
        let line = |from: &str, text: &str| match colon {
            "" => HTML.line(from, text),
            _ => format!("{from}{colon}{text}\n"),
        };
        let wanted = ["hello", "again", "and more"].map(|text| line(name, text)).concat();
        let wanted = wanted + &line("alice", "welcome");
        assert!(read.ends_with(&wanted) && !read.contains("NOTICE"), "own lines come back: {read}");
        drop(client);
        stage.visit(name);
    }
}

#[test]
fn a_name_alone_is_still_a_person() {
    let mut stage = open();
    for first in ["bob\n", "bob:\n", "bob:hello\n", "12:30 is fine\n"] {
        let mut person = stage.server.plain();
        person.send_bytes(first);
        assert!(person.next_line().starts_with("-!- "), "{first:?}");
    }
    let mut script = stage.server.plain();
    script.send_bytes("carol\nhello: all\ncarol: me\n");
    stage.hears("carol", "hello: all");
    stage.hears("carol", "carol: me");
}

#[test]
fn a_terminal_that_sends_each_key_stays_a_terminal() {
    for keys in [&["b", "o", "b", "\r\n"][..], &["小", "明", "\n"]] {
        let mut stage = open();
        let mut person = stage.server.plain();
        let name = keys.concat().trim().to_owned();
        for key in keys {
            person.send_bytes(key);
            // The server has read it before the next one.
            (0..3).for_each(|_| drop(stage.alice.settle()));
            stage.a_second();
        }
        assert!(person.expect("-!- *").starts_with(&format!("-!- Welcome to parlor.local, {name}.")));
        for key in ["h", "i", " ", "a", "l", "l"] {
            person.send_bytes(key);
            (0..3).for_each(|_| drop(stage.alice.settle()));
        }
        person.send_bytes("\n");
        stage.hears(&name, "hi all");
    }
}

#[test]
fn what_may_become_irc_stays_irc() {
    let stage = open();
    let halves = [
        ("NICK b", "ob\r\nUSER b 0 * :B\r\n"),
        ("NI", "CK bob\r\nUSER b 0 * :B\r\n"),
        ("CAP LS 302", "\r\nNICK bob\r\nUSER b 0 * :B\r\nCAP END\r\n"),
        ("nick bo", "b\r\nuser b 0 * :B\r\n"),
        ("@label=1 CA", "P LS\r\nNICK bob\r\nUSER b 0 * :B\r\nCAP END\r\n"),
        (":bob NICK", " bob\r\nUSER b 0 * :B\r\n"),
        ("PASS secret: word", "\r\nNICK bob\r\nUSER b 0 * :B\r\n"),
    ];
    for (half, rest) in halves {
        let mut irc = Irc::connect(&stage.server);
        irc.send_bytes(half);
        stage.a_second();
        stage.a_second();
        irc.send_bytes(rest);
        irc.expect("001 bob *");
        irc.send("QUIT");
        irc.expect_closed();
    }
}

#[test]
fn strangers_are_refused_whole_or_not() {
    let mut stage = open();
    let tls: &[u8] = b"\x16\x03\x01\xff\xff\x01\x00\x01\xfc\x03\x03";
    for hello in [
        &b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"[..],
        b"GET /chat?name: text HTT",
        b"POST / HTTP/1.1",
        b"SSH-2.0-OpenSSH_9",
        tls,
        b"bob: \0\x01",
    ] {
        let mut stranger = stage.server.plain();
        let from = stranger.local_address();
        stranger.send_bytes(hello);
        assert!(stranger.read_to_end().is_empty(), "closed without a byte: {}", hello.escape_ascii());
        stage.server.wait_log(&format!("refused: {from} (*)"));
    }
    stage.alice.silent();
}

#[test]
fn who_cannot_be_served_is_told_what_to_use() {
    let server = Server::start(&["--no-plain"]);
    let mut alice = server.irc("alice");
    alice.join("#lobby");
    for bytes in ["<font color=\"Blue\">Zoë</font>: hello", "小红：你好", "hello there", "bob: hello\n"]
    {
        let mut client = Plain::connect(&server);
        let from = client.local_address();
        client.send_bytes(bytes);
        let told = String::from_utf8(client.read_to_end()).expect("UTF-8");
        assert!(told.lines().count() == 1 && told.ends_with('\n'), "{bytes}: one line: {told:?}");
        server.wait_log(&format!("refused: {from} (*--raw-bind*)"));
    }
    alice.silent();
}
