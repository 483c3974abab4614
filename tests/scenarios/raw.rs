//! Raw clients, by their bytes: clocks, pieces, and those who mean no good. What the programs of tutorials see is in
//! `tests/programs`.

use std::time::Duration;

use parlor_tests::{Deadline, Irc, Plain, Server};

use crate::plain::{in_lobby, person};

fn with_raw_listener(options: &[&str]) -> Server {
    Server::start(&[&["--raw-bind", "127.0.0.1:0"], options].concat())
}

fn connect(server: &Server) -> Plain {
    Plain::connect_to(server.raw_address())
}

/// The Python script: waits for a bare `NICK`, then answers with its name and no line end.
fn script(server: &Server, name: &str) -> Plain {
    let mut raw = connect(server);
    assert_eq!(String::from_utf8_lossy(&raw.chunk()), "NICK");
    raw.send_bytes(name);
    reads(&mut raw, "Connected to server!\n");
    raw
}

/// What a reader appends to its window, waiting until it is `wanted`.
#[track_caller]
fn reads(raw: &mut Plain, wanted: &str) {
    let mut read = Vec::new();
    while read.len() < wanted.len() {
        read.extend(raw.chunk());
    }
    assert_eq!(String::from_utf8_lossy(&read), wanted);
}

#[track_caller]
fn hears(irc: &mut Irc, from: &str, text: &str) {
    let said = irc.expect(format!(":{from}!*@* PRIVMSG #lobby *").as_str());
    assert_eq!(said.last(), text);
}

/// Lets more than 300 ms pass.
fn a_moment(server: &Server) {
    assert_eq!(connect(server).chunk(), b"NICK");
}

#[test]
fn a_silent_raw_client_is_asked_with_nick_alone() {
    let server = with_raw_listener(&[]);
    let mut alice = in_lobby(&server, "alice");
    let not_yet = Deadline::after(Duration::from_millis(280));
    let mut raw = connect(&server);
    assert_eq!(raw.chunk(), b"NICK", "four bytes: the script compares them");
    assert!(not_yet.left().is_none(), "a client that speaks first must not be asked");
    raw.send_bytes("bob");
    let joined = alice.expect(":bob!*@* JOIN #lobby");
    assert_eq!(joined.params, ["#lobby"]);
    alice.send("PRIVMSG #lobby :welcome");
    reads(&mut raw, "Connected to server!\nalice: welcome\n");
}

#[test]
fn comings_goings_and_talk_are_all_that_it_hears() {
    let mut server = with_raw_listener(&[]);
    let mut alice = in_lobby(&server, "alice");
    let mut bob = script(&server, "bob");
    alice.expect(":bob!*@* JOIN #lobby");
    let mut carol = person(&server, "carol");
    carol.send("/nick caroline");
    alice.send("PART #lobby :brb");
    alice.send("JOIN #lobby");
    alice.send("NICK alicia");
    alice.settle();
    carol.expect("-!- alice is now known as alicia");
    carol.send("hi");
    reads(&mut bob, "carol joined the chat!\nalice left the chat!\nalice joined the chat!\ncaroline: hi\n");
    server.console("closing at ten");
    reads(&mut bob, "server: closing at ten\n");
    alice.send("PRIVMSG #lobby :\u{1}ACTION waves\u{1}");
    reads(&mut bob, "alicia: * waves\n");
    alice.send("PRIVMSG bob :just you");
    alice.expect("401 alicia bob :*cannot show private messages");
    alice.send("PRIVMSG #lobby :all of you");
    reads(&mut bob, "alicia: all of you\n");
}

#[test]
fn a_message_ends_at_a_newline_at_1024_bytes_or_when_it_is_quiet() {
    let server = with_raw_listener(&[]);
    let mut alice = in_lobby(&server, "alice");
    let mut bob = script(&server, "bob");
    alice.expect(":bob!*@* JOIN #lobby");
    bob.send_bytes("bob: one\nbob: two\r\nbob: three");
    for text in ["one", "two", "three"] {
        hears(&mut alice, "bob", text);
    }
    // 1024 bytes: the next message begins behind them, and there its name counts again.
    let long = format!("bob: {}", "x".repeat(1024 - "bob: ".len()));
    bob.send_bytes(format!("{long}bob: short"));
    let mut heard = String::new();
    while heard.len() < 1024 - "bob: ".len() {
        heard.push_str(alice.expect(":bob!*@* PRIVMSG #lobby *").last());
    }
    assert_eq!(heard, "x".repeat(1024 - "bob: ".len()));
    hears(&mut alice, "bob", "short");
    bob.send_bytes("bob: no end");
    hears(&mut alice, "bob", "no end");
}

#[test]
fn no_cut_is_inside_a_character() {
    let server = with_raw_listener(&[]);
    let mut alice = in_lobby(&server, "alice");
    let mut raw = connect(&server);
    let text = format!("a{}", "é".repeat(700));
    raw.send_bytes(format!("{text}\n"));
    let mut heard = String::new();
    while heard.chars().count() < text.chars().count() {
        heard.push_str(alice.expect(":guest1!*@* PRIVMSG #lobby *").last());
    }
    assert!(heard == text, "{} characters became U+FFFD", heard.matches('\u{fffd}').count());
}

#[test]
fn a_character_that_takes_its_time_comes_whole() {
    let server = with_raw_listener(&[]);
    let mut alice = in_lobby(&server, "alice");
    for (before, pause) in [("", 1), ("明白", 1), ("明白", 5)] {
        let mut raw = connect(&server);
        let bytes = format!("{before}茶").into_bytes();
        let (one, two) = bytes.split_at(bytes.len() - 1);
        raw.send_bytes(one);
        // More than the quiet that ends a message; once it has shown that it writes UTF-8, however long.
        (0..pause).for_each(|_| a_moment(&server));
        raw.send_bytes(two);
        raw.close_writing();
        let gone = alice.until(":guest1!*@* QUIT *");
        let said: String =
            gone.iter().filter(|line| line.command == "PRIVMSG").map(|line| line.last()).collect();
        assert_eq!(said, format!("{before}茶"));
        raw.read_to_end();
    }
}

#[test]
fn a_taken_or_impossible_name_is_changed_and_not_asked_for_again() {
    let server = with_raw_listener(&[]);
    let mut alice = in_lobby(&server, "alice");
    let _bob = person(&server, "Bob");
    let mut second = script(&server, "bob");
    alice.expect(":bob2!*@* JOIN #lobby");
    let _third = script(&server, "bob");
    alice.expect(":bob3!*@* JOIN #lobby");
    reads(&mut second, "bob3 joined the chat!\n");
    let mut direction = connect(&server);
    direction.send_bytes("<font>\u{202e}bob</font>: hi");
    hears(&mut alice, "guest1", "\u{202e}bob: hi");
    reads(&mut second, "guest1 joined the chat!\nguest1: bob: hi\n");
    // At the listener for everybody too.
    let mut fourth = server.plain();
    fourth.send("bob: me too");
    hears(&mut alice, "bob4", "me too");
    alice.send("PRIVMSG #lobby :all here?");
    reads(&mut fourth, "bob4: me too\nalice: all here?\n");
}

#[test]
fn messages_of_one_moment_are_still_one_write_each() {
    const MESSAGES: usize = 20;
    let server = with_raw_listener(&[]);
    let mut alice = in_lobby(&server, "alice");
    let mut bob = script(&server, "bob");
    alice.expect(":bob!*@* JOIN #lobby");
    // The server has them all at once. Written as one, they could only ever be read as one; written one by one, a reader
    // that waits gets the first before the last is there, unless this machine is too busy to wake it in time.
    let read_in_parts = (0..200).any(|_| {
        alice.send_bytes("PRIVMSG #lobby :hi\r\n".repeat(MESSAGES));
        let mut parts = 0;
        let mut read = Vec::new();
        while read.len() < MESSAGES * "alice: hi\n".len() {
            read.extend(bob.chunk());
            assert!(read.ends_with(b"\n"), "a message in two writes: {}", read.escape_ascii());
            parts += 1;
        }
        parts > 1
    });
    assert!(read_in_parts, "{MESSAGES} messages always come as one");
}

#[test]
fn what_runs_together_is_slowed_as_lines_are() {
    let server = with_raw_listener(&["--flood", "50"]);
    let mut alice = in_lobby(&server, "alice");
    let name = "n".repeat(32);
    let mut fast = connect(&server);
    let too_soon = Deadline::after(Duration::from_millis(700));
    fast.send_bytes(format!("{name}: x").repeat(60));
    for _ in 0..60 {
        hears(&mut alice, &name, "x");
    }
    assert!(too_soon.left().is_none(), "20 at once, 50 a second from then on");
}

#[test]
fn a_browser_is_refused_whatever_its_method_and_pieces() {
    let server = with_raw_listener(&[]);
    let mut alice = in_lobby(&server, "alice");
    for hello in
        [&b"NICK / HTTP/1.1\r\nHost: x\r\n\r\n"[..], b"bob: / HTTP/1.1\r\n\r\nhi", b"NICK / HTTP/1.1"]
    {
        let mut stranger = connect(&server);
        let from = stranger.local_address();
        stranger.send_bytes(hello);
        assert!(stranger.read_to_end().is_empty(), "closed without a byte");
        server.wait_log(&format!("refused: {from} (*HTTP*)"));
    }
    alice.silent();
    let mut slow = connect(&server);
    slow.send_bytes("PO");
    hears(&mut alice, "guest1", "PO");
    slow.send_bytes("ST /x HTTP/1.1\r\nHost: x\r\n\r\nI am a web page");
    alice.expect(":guest1!*@* QUIT *");
    slow.read_to_end();
    alice.silent();
}

#[test]
fn a_browser_is_refused_at_every_address_and_nothing_of_it_is_said() {
    let server = with_raw_listener(&[]);
    let mut alice = in_lobby(&server, "alice");
    let long = format!("PRIVMSG /{} HTTP/1.1\r\nHost: x\r\n\r\n", "x".repeat(4096));
    let longer = format!("USER /{} HTTP/1.1\r\n", "x".repeat(9000));
    let method = format!("{} / HTTP/1.1\r\n", "buy".repeat(400));
    for address in [server.raw_address(), server.address()] {
        for request in [
            "NICK / HTTP/1.1\r\nHost: x\r\n\r\nUSER a 0 * :a\r\n",
            "nick / http/1.1\n",
            "\u{feff}NICK / HTTP/1.1\r\n",
            "\r\n\r\nUSER /a HTTP/1.0\r\n",
            "PING  http://a.example/\tHTTP/2\r\n",
            "CONNECT a.example:443 HTTP/1.1\r\n",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            "你好 /x HTTP/1.1\r\n\r\nhi",
            "FOO /x HTTP/1.1\r\nContent-Length: 3\r\n\r\nhi\n",
            &long,
            &longer,
            &method,
        ] {
            let mut page = Plain::connect_to(address);
            let from = page.local_address();
            page.send_bytes(request);
            page.send_bytes("\r\nbuy more tea\r\n");
            assert!(page.read_to_end().is_empty(), "closed without a byte");
            server.wait_log(&format!("refused: {from} (*)"));
        }
        // In pieces, with more than the silence that ends a message between them.
        let mut page = Plain::connect_to(address);
        for piece in ["FOO /buy", "-more-tea HT", "TP/1.1\r\n"] {
            page.send_bytes(piece);
            (0..4).for_each(|_| a_moment(&server));
        }
        assert!(page.read_to_end().is_empty(), "closed without a byte");
    }
    alice.silent();
}

#[test]
fn a_name_without_a_word_is_nobody_yet() {
    let server = with_raw_listener(&[]);
    let mut alice = in_lobby(&server, "alice");
    let mut shy = connect(&server);
    shy.send_bytes("bob: ");
    shy.close_writing();
    shy.read_to_end();
    let mut bob = connect(&server);
    bob.send_bytes("bob: ");
    a_moment(&server);
    alice.silent();
    bob.send_bytes("bob: here I am");
    hears(&mut alice, "bob", "here I am");
}

#[test]
fn a_byte_order_mark_is_no_part_of_a_name() {
    let server = with_raw_listener(&[]);
    let mut alice = in_lobby(&server, "alice");
    let mut raw = connect(&server);
    raw.send_bytes("\u{feff}bob: hi");
    hears(&mut alice, "bob", "hi");
    let mut person = server.plain();
    person.send_bytes(b"\xef\xbb");
    person.send_bytes(b"\xbfcarol\nhello\n");
    hears(&mut alice, "carol", "hello");
    let mut irc = Irc::connect(&server);
    irc.send_bytes("\u{feff}NICK dave\r\nUSER d 0 * :D\r\n");
    irc.expect("001 dave *");
}

#[test]
fn what_a_terminal_sends_before_its_person_types_is_no_text() {
    let server = with_raw_listener(&[]);
    let mut alice = in_lobby(&server, "alice");
    // PuTTY's telnet: window size, speed, kind of terminal.
    let mut putty = server.plain();
    putty.send_bytes(b"\xff\xfb\x1f\xff\xfb\x20\xff\xfb\x18");
    putty.expect(":parlor.local NOTICE * :Type a nickname and press Enter");
    let mut arrows = server.plain();
    arrows.send_bytes("\u{1b}[A\u{1b}[B");
    (0..5).for_each(|_| a_moment(&server));
    alice.silent();
    // The size of the window, once more while its person types.
    putty.send_bytes(b"pu\xff\xfa\x1f\x00\xff\xff\x00\x18\xff\xf0tty\r\n");
    putty.expect("-!- Welcome to parlor.local, putty. *");
    putty.send_bytes(b"hel\xff");
    putty.send_bytes(b"\xf1lo\r\0");
    hears(&mut alice, "putty", "hello");
}

#[test]
fn an_irc_program_is_told_that_it_came_to_the_wrong_address_and_says_nothing() {
    let server = with_raw_listener(&[]);
    let mut alice = in_lobby(&server, "alice");
    let mut lost = connect(&server);
    lost.send_bytes("CAP LS 302\r\nNICK bob\r\nUSER bob 0 * :Bob\r\n");
    let told = String::from_utf8(lost.read_to_end()).expect("UTF-8");
    assert!(told.starts_with("ERROR :") && told.contains("--bind"), "{told}");
    server.wait_log("refused: * (*--raw-bind*)");
    alice.silent();
}
