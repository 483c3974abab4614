//! Several lines as one message (IRCv3 draft/multiline, draft/client-batch).

use parlor_tests::{Irc, Message, Server};

const CAPS: &[&str] =
    &["batch", "draft/multiline", "message-tags", "echo-message", "labeled-response", "server-time"];

/// Sends lines as one message; tags of the whole in front of its BATCH, `+` in front of what goes on.
fn say(irc: &mut Irc, tags: &str, target: &str, lines: &[&str]) {
    let space = if tags.is_empty() { "" } else { " " };
    irc.send(&format!("{tags}{space}BATCH +m draft/multiline {target}"));
    for line in lines {
        match line.strip_prefix('+') {
            Some(line) => irc.send(&format!("@batch=m;draft/multiline-concat PRIVMSG {target} :{line}")),
            None => irc.send(&format!("@batch=m PRIVMSG {target} :{line}")),
        }
    }
    irc.send("BATCH -m");
}

/// The next message of several lines: its opening, and its lines put together.
fn heard(irc: &mut Irc) -> (Message, String) {
    let opening = irc.expect(|m: &Message| m.command == "BATCH" && m.param(1) == "draft/multiline");
    let reference = opening.param(0).trim_start_matches('+').to_owned();
    let closing = format!("-{reference}");
    let lines = irc.until(|m: &Message| m.command == "BATCH" && m.param(0) == closing);
    let mut text = String::new();
    for (number, line) in lines.iter().filter(|m| m.command == "PRIVMSG").enumerate() {
        assert_eq!(line.tag("batch"), Some(&*reference), "{line:?}");
        if number > 0 && line.tag("draft/multiline-concat").is_none() {
            text.push('\n');
        }
        text.push_str(line.last());
    }
    (opening, text)
}

#[test]
fn several_lines_are_one_message_with_one_receipt_and_everybody_reads_them() {
    let server = Server::start(&[]);
    let mut alice = server.irc_with("alice", CAPS);
    let mut bob = server.irc_with("bob", CAPS);
    let mut old = server.irc_with("old", &["message-tags"]);
    let mut nc = server.plain();
    nc.send("carol");
    nc.expect("-!- Welcome to *");
    for irc in [&mut alice, &mut bob, &mut old] {
        irc.join("#lobby");
    }
    for irc in [&mut alice, &mut bob, &mut old] {
        irc.settle();
    }
    let code = ["fn main() {", "\tprint!(\"hi \");", "", "+", "}", "how are ", "+you?"];
    let code: Vec<&str> = code.into_iter().filter(|line| *line != "+").collect();
    let name = "+parlor/id=0123456789abcdef0123456789abcdef";
    say(&mut alice, &format!("@label=l;+reply=x;{name}"), "#lobby", &code);
    let whole = "fn main() {\n\tprint!(\"hi \");\n\n}\nhow are you?";

    let (echo, text) = heard(&mut alice);
    assert_eq!((echo.tag("label"), text.as_str()), (Some("l"), whole));
    let (opening, text) = heard(&mut bob);
    assert_eq!((opening.tag("+reply"), text.as_str()), (Some("x"), whole));
    assert_eq!(opening.tag("msgid"), echo.tag("msgid"));
    assert!(opening.tag("msgid").is_some() && opening.tag("time").is_some());

    // Who does not know of it gets lines, without the empty one; the first has what the whole has.
    let lines: Vec<Message> = (0..4).map(|_| old.expect("PRIVMSG #lobby *")).collect();
    let texts: Vec<&str> = lines.iter().map(Message::last).collect();
    assert_eq!(texts, ["fn main() {", "\tprint!(\"hi \");", "}", "how are you?"]);
    assert_eq!(lines[0].tag("msgid"), echo.tag("msgid"));
    assert!(lines[1..].iter().all(|line| line.tag("msgid").is_none() && line.tag("+reply").is_none()));
    for text in ["fn main() {", " print!(\"hi \");", "}", "how are you?"] {
        nc.expect(&format!("<alice> {text}"));
    }

    // Said again, it is nobody's news, and its sender gets the first one's echo.
    say(&mut alice, &format!("@{name}"), "#lobby", &code);
    let (again, text) = heard(&mut alice);
    assert_eq!((again.tag("msgid"), text.as_str()), (echo.tag("msgid"), whole));
    bob.silent();
}

#[test]
fn a_page_of_history_and_a_search_have_the_message_as_one() {
    let server = Server::start(&[]);
    let caps = [CAPS, &["draft/chathistory", "soju.im/search"]].concat();
    let mut alice = server.irc_with("alice", &caps);
    alice.join("#tea");
    say(&mut alice, "", "#tea", &["one", "", "needle", "four"]);
    let (echo, _) = heard(&mut alice);
    for ask in ["CHATHISTORY LATEST #tea * 10", "SEARCH in=#tea;text=needle"] {
        alice.send(ask);
        let outer = alice.expect(|m: &Message| m.command == "BATCH");
        let outer = outer.param(0).trim_start_matches('+').to_owned();
        let (opening, text) = heard(&mut alice);
        assert_eq!((opening.tag("batch"), text.as_str()), (Some(&*outer), "one\n\nneedle\nfour"), "{ask}");
        assert_eq!(opening.tag("msgid"), echo.tag("msgid"));
        alice.expect(&*format!("BATCH -{outer}"));
    }
    // Who knows no batches reads the lines that are not empty, each with the time.
    let mut old = server.irc("old");
    old.send("JOIN #tea");
    for text in ["one", "needle", "four"] {
        let end = format!("UTC] {text}");
        old.expect(|m: &Message| m.command == "PRIVMSG" && m.last().ends_with(&end));
    }
}

#[test]
fn a_message_that_is_none_is_refused_whole_and_with_the_reason() {
    let server = Server::start(&[]);
    let mut alice = server.irc_with("alice", &[CAPS, &["standard-replies"]].concat());
    let mut bob = server.irc("bob");
    alice.join("#tea");
    bob.join("#tea");
    alice.settle();
    bob.settle();
    let long = "x".repeat(400);
    let many = vec!["x"; 101];
    let huge = vec![long.as_str(); 11];
    for (lines, code) in [
        (many, "MULTILINE_MAX_LINES 100"),
        (huge, "MULTILINE_MAX_BYTES 4096"),
        (vec!["", ""], "MULTILINE_INVALID"),
        (vec![], "MULTILINE_INVALID"),
        (vec!["x", "+"], "MULTILINE_INVALID"),
        (vec!["+x"], "MULTILINE_INVALID"),
    ] {
        say(&mut alice, "", "#tea", &lines);
        alice.expect(&*format!("FAIL BATCH {code} *"));
        assert!(alice.settle().is_empty(), "one reason is enough: {code}");
    }
    let begin = "BATCH +m draft/multiline #tea\r\n";
    for (lines, code) in [
        (format!("{begin}@batch=m PRIVMSG #coffee :x\r\nBATCH -m"), "MULTILINE_INVALID_TARGET #tea #coffee"),
        (
            format!("{begin}@batch=m PRIVMSG #tea :x\r\n@batch=m NOTICE #tea :x\r\nBATCH -m"),
            "MULTILINE_INVALID",
        ),
        (format!("{begin}@batch=m JOIN #coffee\r\nBATCH -m"), "MULTILINE_INVALID"),
        (format!("{begin}{begin}@batch=m PRIVMSG #tea :x\r\nBATCH -m"), "MULTILINE_INVALID"),
        (
            "BATCH +m draft/other #tea\r\n@batch=m PRIVMSG #tea :x\r\nBATCH -m".into(),
            "UNKNOWN_TYPE m draft/other",
        ),
        (
            "BATCH +m draft/multiline #tea,bob\r\n@batch=m PRIVMSG #tea,bob :x\r\nBATCH -m".into(),
            "MULTILINE_INVALID",
        ),
        ("BATCH +a=b draft/multiline #tea".into(), "INVALID_REFTAG a=b"),
        ("BATCH -never".into(), "INVALID_REFTAG never"),
        ("@batch=z PRIVMSG #tea :x".into(), "INVALID_REFTAG z"),
        ("BATCH m".into(), "INVALID_REFTAG m"),
    ] {
        alice.send(&lines);
        alice.expect(&*format!("FAIL BATCH {code} *"));
        assert!(alice.settle().is_empty(), "one reason is enough: {code}");
    }
    say(&mut alice, "", "#nowhere", &["x", "y"]);
    alice.expect_any(&["403", "404"]);
    assert!(bob.settle().is_empty(), "nothing of it was said");
    // What is in order goes on working, and a long line is cut between words.
    let words = "word ".repeat(60);
    say(&mut alice, "", "#tea", &[&words[..250], &format!("+{}", &words[..250])]);
    assert_eq!(heard(&mut alice).1, [&words[..250], &words[..250]].concat());
    let pieces = [bob.expect("PRIVMSG #tea *"), bob.expect("PRIVMSG #tea *")];
    assert_eq!(pieces.iter().map(Message::last).collect::<String>(), [&words[..250], &words[..250]].concat());
}

#[test]
fn somebody_alone_is_told_several_lines_too_and_half_a_message_goes_with_its_connection() {
    let server = Server::start(&[]);
    let mut alice = server.irc_with("alice", CAPS);
    let mut bob = server.irc_with("bob", CAPS);
    let mut nc = server.plain();
    nc.send("carol");
    nc.expect("-!- Welcome to *");
    say(&mut alice, "", "bob", &["one", "two"]);
    assert_eq!(heard(&mut bob).1, "one\ntwo");
    say(&mut alice, "", "carol", &["one", "", "two"]);
    nc.expect("[alice to you] one");
    nc.expect("[alice to you] two");
    alice.send("BATCH +m draft/multiline bob");
    alice.send("@batch=m PRIVMSG bob :half");
    alice.send("QUIT");
    alice.expect_closed();
    bob.silent();
}
