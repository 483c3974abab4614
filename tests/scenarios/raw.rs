//! Raw clients: a tutorial's chat program that knows no line ends.

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

#[test]
fn a_silent_raw_client_is_asked_with_nick_alone() {
    let server = with_raw_listener(&[]);
    let mut alice = in_lobby(&server, "alice");
    let not_yet = Deadline::after(Duration::from_millis(280));
    let mut raw = connect(&server);
    assert_eq!(raw.chunk(), b"NICK", "four bytes: the script compares them");
    assert!(not_yet.left().is_none(), "a client that speaks first must not be asked");
    raw.send_bytes("bob");
    alice.expect(":bob!*@* JOIN #lobby");
    alice.send("PRIVMSG #lobby :welcome");
    assert_eq!(raw.chunk(), b"alice: welcome\n", "and nothing before it");
}

#[test]
fn the_word_of_the_prompt_can_be_another() {
    let server = with_raw_listener(&["--raw-prompt", "USERNAME?"]);
    let mut raw = connect(&server);
    assert_eq!(raw.chunk(), b"USERNAME?");
}

#[test]
fn the_script_talks_with_everyone() {
    let server = with_raw_listener(&[]);
    let mut alice = in_lobby(&server, "alice");
    let mut carol = person(&server, "carol");
    let mut bob = script(&server, "bob");
    let joined = alice.expect(":bob!*@* JOIN #lobby");
    assert_eq!(joined.params, ["#lobby"]);
    assert_eq!(carol.next_line(), "* bob joined");
    bob.send_bytes("bob: hello");
    hears(&mut alice, "bob", "hello");
    assert_eq!(carol.next_line(), "<bob> hello");
    // Only the own name is dropped, and only in front.
    bob.send_bytes("alice: bob: you too");
    hears(&mut alice, "bob", "alice: bob: you too");
    bob.send_bytes("bobby: no");
    hears(&mut alice, "bob", "bobby: no");
    carol.expect("<bob> bobby: no");
    carol.send("tea?");
    assert_eq!(bob.chunk(), b"carol: tea?\n");
    drop(bob);
    alice.expect(":bob!*@* QUIT *");
    assert!(carol.next_line().starts_with("* bob left"));
}

#[test]
fn a_raw_client_hears_talk_and_nothing_else() {
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
    carol.expect("* alice is now known as alicia");
    carol.send("hi");
    assert_eq!(bob.chunk(), b"caroline: hi\n");
    server.console("closing at ten");
    assert_eq!(bob.chunk(), b"server: closing at ten\n");
    bob.send_bytes("bob: so early?");
    hears(&mut alice, "bob", "so early?");
    alice.send("PRIVMSG #lobby :yes");
    assert_eq!(bob.chunk(), b"alicia: yes\n", "what they say themselves is on their screen already");
}

#[test]
fn a_chunk_ends_at_a_newline_at_1024_bytes_or_when_it_is_quiet() {
    let server = with_raw_listener(&[]);
    let mut alice = in_lobby(&server, "alice");
    let mut bob = script(&server, "bob");
    alice.expect(":bob!*@* JOIN #lobby");
    // A newline: two messages in one segment.
    bob.send_bytes("bob: one\nbob: two\r\nbob: three");
    for text in ["one", "two", "three"] {
        hears(&mut alice, "bob", text);
    }
    // 1024 bytes: the next chunk begins behind them, and there its name counts again.
    let long = format!("bob: {}", "x".repeat(1024 - "bob: ".len()));
    bob.send_bytes(format!("{long}bob: short"));
    let mut heard = String::new();
    while heard.len() < 1024 - "bob: ".len() {
        heard.push_str(alice.expect(":bob!*@* PRIVMSG #lobby *").last());
    }
    assert_eq!(heard, "x".repeat(1024 - "bob: ".len()));
    hears(&mut alice, "bob", "short");
    // Quiet: this one has no end at all.
    bob.send_bytes("bob: no end");
    hears(&mut alice, "bob", "no end");
}

#[test]
fn what_comes_in_two_pieces_is_one_chunk() {
    let server = with_raw_listener(&[]);
    let mut alice = in_lobby(&server, "alice");
    let mut bob = script(&server, "bob");
    alice.expect(":bob!*@* JOIN #lobby");
    for number in 0.. {
        let together = Deadline::after(Duration::from_millis(50));
        bob.send_bytes(format!("bob: kett{number}"));
        bob.send_bytes("le");
        let in_time = together.left().is_some();
        let said = alice.expect(":bob!*@* PRIVMSG #lobby *");
        // Where this machine paused between the two, the quiet was real: once more.
        if in_time {
            assert_eq!(said.last(), format!("kett{number}le"));
            break;
        }
        assert!(number < 50, "this machine is too busy for this test");
    }
}

#[test]
fn a_chunk_of_1024_bytes_cuts_no_character() {
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
fn a_qt_client_is_told_by_its_first_chunk() {
    let server = with_raw_listener(&[]);
    let mut alice = in_lobby(&server, "alice");
    let mut carol = person(&server, "carol");
    let mut zoe = connect(&server);
    zoe.send_bytes("<font color=\"Blue\">Zoë</font>: hello &lt;all&gt; &amp; you");
    alice.expect(":Zoë!*@* JOIN #lobby");
    hears(&mut alice, "Zoë", "hello <all> & you");
    carol.expect("<Zoë> hello <all> & you");
    zoe.send_bytes("<font color=\"Blue\">Zoë</font>: <b>bold</b> 1 < 2");
    hears(&mut alice, "Zoë", "bold 1 < 2");
    // Going out: one line a message, harmless in a view of HTML, in UTF-8.
    alice.send("PRIVMSG #lobby :<img src=x> & 小明");
    assert_eq!(String::from_utf8_lossy(&zoe.chunk()), "alice: &lt;img src=x&gt; &amp; 小明\n");
}

#[test]
fn a_qt_client_that_was_asked_is_still_one() {
    let server = with_raw_listener(&[]);
    let mut alice = in_lobby(&server, "alice");
    let mut zoe = script(&server, "<FONT COLOR=\"Red\">zoe</FONT>: late");
    hears(&mut alice, "zoe", "late");
    alice.send("PRIVMSG #lobby :5 > 4 é");
    assert_eq!(String::from_utf8_lossy(&zoe.chunk()), "alice: 5 &gt; 4 é\n");
}

#[test]
fn the_script_gets_ascii_and_nothing_is_escaped_for_it() {
    let server = with_raw_listener(&[]);
    let mut alice = in_lobby(&server, "alice");
    let mut oleg = in_lobby(&server, "Олег");
    let mut bob = script(&server, "bob");
    alice.expect(":bob!*@* JOIN #lobby");
    alice.send("PRIVMSG #lobby :naïve <b> & 小明 😀");
    let read = bob.chunk();
    assert!(read.is_ascii(), "{read:?}");
    assert_eq!(String::from_utf8_lossy(&read), "alice: na?ve <b> & ?? ?\n");
    oleg.send("PRIVMSG #lobby :hi");
    assert_eq!(String::from_utf8_lossy(&bob.chunk()), "????: hi\n");
}

#[test]
fn anything_else_is_utf8_with_a_guests_name() {
    let server = with_raw_listener(&[]);
    let mut alice = in_lobby(&server, "alice");
    let mut first = connect(&server);
    first.send_bytes("привет");
    alice.expect(":guest1!*@* JOIN #lobby");
    hears(&mut alice, "guest1", "привет");
    let mut second = connect(&server);
    second.send_bytes("me too");
    hears(&mut alice, "guest2", "me too");
    reads(&mut first, "guest2: me too\n");
    alice.send("PRIVMSG #lobby :<b> 小明");
    reads(&mut first, "alice: <b> 小明\n");
    reads(&mut second, "alice: <b> 小明\n");
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
    let mut spaced = script(&server, "#a b*");
    let joined = alice.expect("JOIN #lobby");
    assert!(joined.nick() != "#a b*" && !joined.nick().is_empty(), "{joined}");
    let _long = script(&server, &"x".repeat(100));
    let joined = alice.expect("JOIN #lobby");
    assert!(joined.nick().starts_with("xxx") && joined.nick().len() <= 32, "{joined}");
    alice.send("PRIVMSG #lobby :all here?");
    assert_eq!(second.chunk(), b"alice: all here?\n", "no second prompt");
    assert_eq!(spaced.chunk(), b"alice: all here?\n");
}

#[test]
fn a_raw_client_whose_name_was_changed_is_still_seen_once() {
    let server = with_raw_listener(&[]);
    let mut alice = in_lobby(&server, "alice");
    let mut bob = script(&server, "alice");
    alice.expect(":alice2!*@* JOIN #lobby");
    // It doesn't know its suffix, and goes on with the name that it told.
    bob.send_bytes("alice: hello");
    hears(&mut alice, "alice2", "hello");
}

#[test]
fn each_message_is_one_write() {
    let server = with_raw_listener(&[]);
    let mut alice = in_lobby(&server, "alice");
    let mut bob = script(&server, "bob");
    alice.expect(":bob!*@* JOIN #lobby");
    for number in 0..20 {
        let text = "y".repeat(number * 20 + 1);
        alice.send(&format!("PRIVMSG #lobby :{text}"));
        // `recv(1024)` of the script takes what one write gave.
        assert_eq!(String::from_utf8_lossy(&bob.chunk()), format!("alice: {text}\n"));
    }
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
fn a_message_that_ends_with_the_connection_is_delivered() {
    let server = with_raw_listener(&[]);
    let mut alice = in_lobby(&server, "alice");
    let mut raw = connect(&server);
    raw.send_bytes("<font>zoe</font>: bye");
    raw.close_writing();
    hears(&mut alice, "zoe", "bye");
    alice.expect(":zoe!*@* QUIT *");
    raw.read_to_end();
}

#[test]
fn browsers_and_ssh_are_refused_here_too() {
    let server = with_raw_listener(&[]);
    let mut alice = in_lobby(&server, "alice");
    let tls: &[u8] = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
    for hello in
        [&b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"[..], b"POST / HTTP/1.1\r\n", b"SSH-2.0-OpenSSH_9\r\n", tls]
    {
        let mut stranger = connect(&server);
        let from = stranger.local_address();
        stranger.send_bytes(hello);
        assert!(stranger.read_to_end().is_empty(), "closed without a byte");
        server.wait_log(&format!("refused: {from} (*)"));
    }
    alice.silent();
}
