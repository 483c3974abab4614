//! The line as such: its ends, its limits, its bytes.

use parlor_tests::{Irc, Message, Server};

/// The most bytes of a message, CR LF among them (RFC 1459 §2.3).
const LINE: usize = 512;

/// Alice has founded #tea and Bob is in it; and how many bytes of text fit into what Alice says there.
fn tea(server: &Server) -> (Irc, Irc, usize) {
    let (mut alice, mut bob) = (server.irc("alice"), server.irc("bob"));
    let lines = alice.join("#tea");
    let source = &lines.first().expect("the JOIN").source;
    let room = LINE - format!(":{source} PRIVMSG #tea :\r\n").len();
    bob.join("#tea");
    alice.settle();
    (alice, bob, room)
}

#[test]
fn lf_alone_ends_a_line_as_well() {
    let server = Server::start(&[]);
    let (_alice, mut bob, _) = tea(&server);
    let mut carol = Irc::connect(&server);
    carol.send_bytes(
        "NICK carol\nUSER user 0 * :Carol\r\nJOIN #tea\nPRIVMSG #tea :one\nPRIVMSG #tea :two\r\n",
    );
    carol.welcomed();
    bob.expect(":carol!*@* JOIN #tea");
    bob.expect("PRIVMSG #tea one");
    bob.expect("PRIVMSG #tea two");
}

#[test]
fn a_line_may_come_byte_by_byte_or_many_at_once() {
    let server = Server::start(&[]);
    let (mut alice, mut bob, _) = tea(&server);
    for byte in "PRIVMSG #tea :sl\u{f6}wly\r\n".bytes() {
        alice.send_bytes([byte]);
    }
    bob.expect("PRIVMSG #tea slöwly");
    let many: String = (0..500).map(|number| format!("PRIVMSG #tea :{number}\r\n")).collect();
    alice.send_bytes(many);
    for number in 0..500 {
        let said = bob.next_message();
        assert!(said.is_like(&format!("PRIVMSG #tea {number}")), "{said}");
    }
}

#[test]
fn empty_lines_and_idle_spaces_mean_nothing() {
    let server = Server::start(&[]);
    let (mut alice, mut bob, _) = tea(&server);
    alice.send_bytes("\r\n\n\r\n");
    alice.silent();
    alice.send_bytes("privmsg   #tea    :  three spaces  \r\n");
    let said = bob.expect("PRIVMSG #tea *");
    assert_eq!(said.last(), "  three spaces  ");
    alice.send(":forged!u@h PRIVMSG #tea :still me");
    bob.expect(":alice!*@* PRIVMSG #tea :still me");
}

#[test]
fn a_line_of_512_bytes_is_read_and_not_one_more() {
    let server = Server::start(&[]);
    let (mut alice, _bob, _) = tea(&server);
    let longest = format!("FROB {}", "x".repeat(LINE - "FROB \r\n".len()));
    alice.ask(&longest, "421 alice FROB *");
    alice.ask(&format!("{longest}x"), "417 alice *");
    alice.ask(&format!("PRIVMSG #tea :{}", "x".repeat(5000)), "417 alice *");
    alice.silent();
}

#[test]
fn what_would_be_too_long_with_its_sender_is_refused_not_cut() {
    let server = Server::start(&[]);
    let (mut alice, mut bob, room) = tea(&server);
    let full = "x".repeat(room);
    alice.send(&format!("PRIVMSG #tea :{full}"));
    alice.silent();
    let said = bob.expect("PRIVMSG #tea *");
    assert_eq!(said.last(), full);
    alice.ask(&format!("PRIVMSG #tea :{full}x"), "417 alice *");
    // A character is never cut in two, either.
    let wide = format!("{}é", "x".repeat(room - 1));
    alice.ask(&format!("PRIVMSG #tea :{wide}"), "417 alice *");
    alice.ask(&format!("NOTICE bob :{}", "x".repeat(room + 3)), "417 alice *");
    bob.silent();
}

#[test]
fn an_answer_that_would_be_too_long_is_refused_as_well() {
    let server = Server::start(&[]);
    let (mut alice, _bob, _) = tea(&server);
    alice.send(&format!("PING :{}", "x".repeat(LINE - "PING :\r\n".len())));
    alice.expect("417 alice *");
    alice.silent();
}

#[test]
fn other_texts_are_refused_where_they_are_too_long() {
    let server = Server::start(&[]);
    let (mut alice, mut bob, _) = tea(&server);
    let text = |bytes: usize| "é".repeat(bytes / 2);
    alice.ask(&format!("AWAY :{}", text(200)), "306 alice *");
    alice.ask(&format!("AWAY :{}a", text(200)), "417 alice *");
    alice.ask(&format!("PART #tea :{}", "x".repeat(480)), "417 alice *");
    alice.send("PRIVMSG #tea :still here");
    bob.expect("PRIVMSG #tea :still here");
    alice.send(&format!("KICK #tea bob :{}", text(200)));
    bob.expect(format!("KICK #tea bob {}", text(200)).as_str());
}

#[test]
fn a_nul_closes_with_a_reason() {
    let server = Server::start(&[]);
    let (mut alice, mut bob, _) = tea(&server);
    alice.send_bytes(b"PRIVMSG #tea :one\r\nPRIVMSG #tea :a\0b\r\nPRIVMSG #tea :three\r\n");
    let last = alice.expect_closed();
    assert!(last.last().is_some_and(|m| m.is_like("ERROR :Closing link: *")), "{last:?}");
    bob.expect("PRIVMSG #tea one");
    let quit = bob.next_message();
    assert!(quit.is_like(":alice!*@* QUIT *"), "nothing of or behind the NUL: {quit}");
}

#[test]
fn eight_kibibytes_without_an_end_close_with_a_reason() {
    let server = Server::start(&[]);
    let (mut alice, mut bob, _) = tea(&server);
    alice.send_bytes(format!("PRIVMSG #tea :{}", "x".repeat(8 * 1024)));
    let last = alice.expect_closed();
    assert!(last.last().is_some_and(|m| m.is_like("ERROR :Closing link: *")), "{last:?}");
    let quit = bob.next_message();
    assert!(quit.is_like(":alice!*@* QUIT *"), "{quit}");
}

#[test]
fn a_long_line_in_pieces_is_no_endless_one() {
    let server = Server::start(&[]);
    let (mut alice, _bob, _) = tea(&server);
    for _ in 0..4 {
        alice.send_bytes("x".repeat(1500));
    }
    alice.send_bytes("\r\n");
    alice.expect("417 alice *");
    alice.silent();
}

#[test]
fn invalid_utf8_is_refused_and_not_forwarded() {
    let server = Server::start(&[]);
    let (mut alice, mut bob, _) = tea(&server);
    let bad: [&[u8]; 6] = [
        b"PRIVMSG #tea :caf\xe9",
        b"PRIVMSG #tea :\xc0\xaf",
        b"PRIVMSG #tea :\xed\xa0\x80",
        b"PRIVMSG #tea :\xf0\x9f\x91",
        b"PRIVMSG #t\xff :x",
        b"TOPIC #tea :\xfe",
    ];
    for line in bad {
        alice.send_bytes([line, b"\r\n"].concat());
        let answers = alice.settle();
        let verb = if line.starts_with(b"TOPIC") { "TOPIC" } else { "PRIVMSG" };
        let fails = answers.iter().filter(|m| m.is_like(&format!("FAIL {verb} INVALID_UTF8 **"))).count();
        assert!(fails == 1 && answers.len() == 1, "{}: {answers:?}", line.escape_ascii());
    }
    bob.silent();
    let mut irc = Irc::connect(&server);
    irc.send_bytes(b"NICK caf\xe9\r\n");
    irc.expect("FAIL NICK INVALID_UTF8 **");
    irc.send("NICK café");
    irc.send_bytes(b"USER user 0 * :caf\xe9\r\n");
    irc.expect("FAIL USER INVALID_UTF8 **");
    irc.send("USER user 0 * :café");
    irc.expect("001 café *");
}

#[test]
fn a_verb_that_is_no_word_is_unknown() {
    let server = Server::start(&[]);
    let (mut alice, _bob, _) = tea(&server);
    for line in ["FROB/NICATE x", "1234", "小明 hi", "-"] {
        alice.send(line);
        alice.expect(|m: &Message| matches!(m.command.as_str(), "421"));
    }
    for line in [":", "@", "@a=b", ":source", "@a=b :source", " "] {
        alice.send(line);
    }
    // Whatever these are worth as an answer, the connection lives and the next line is understood.
    alice.ask("PING still", "PONG parlor.local still");
}

#[test]
fn fifteen_parameters_and_more_are_no_harm() {
    let server = Server::start(&[]);
    let (mut alice, _bob, _) = tea(&server);
    alice.send(&format!("USERHOST {}", "nobody ".repeat(60)));
    alice.expect("302 alice *");
    alice.send(&format!("FROB{}", " x".repeat(200)));
    alice.expect("421 alice FROB *");
    alice.send(&format!("JOIN {}", "#,".repeat(200)));
    alice.settle();
    alice.silent();
}

#[test]
fn who_closes_one_half_is_still_heard() {
    let server = Server::start(&[]);
    let (_alice, mut bob, _) = tea(&server);
    let mut script = Irc::connect(&server);
    script.send_bytes("NICK script\r\nUSER user 0 * :Script\r\nJOIN #tea\r\nPRIVMSG #tea :done\r\n");
    script.close_writing();
    bob.expect(":script!*@* PRIVMSG #tea done");
    bob.expect(":script!*@* QUIT *");
    let heard = script.expect_closed();
    assert!(heard.iter().any(|m| m.is_like(":script!*@* JOIN #tea")), "{heard:?}");
}

#[test]
fn a_cut_line_at_the_end_is_not_a_message() {
    let server = Server::start(&[]);
    let (_alice, mut bob, _) = tea(&server);
    let mut carol = server.irc("carol");
    carol.join("#tea");
    carol.send_bytes("PRIVMSG #tea :cut of");
    drop(carol);
    bob.expect(":carol!*@* JOIN #tea");
    let next = bob.next_message();
    assert!(next.is_like(":carol!*@* QUIT *"), "{next}");
}
