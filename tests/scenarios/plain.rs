//! Plain mode: a person with `nc`.

use std::time::Duration;

use parlor_tests::{Deadline, Irc, Launch, Plain, Server};

const PROMPT: &str = ":parlor.local NOTICE * :Type a nickname and press Enter";

/// A person at a terminal who has said the name and was welcomed.
pub(crate) fn person(server: &Server, name: &str) -> Plain {
    let mut person = server.plain();
    person.send(name);
    person.expect(&format!("-!- Welcome to parlor.local, {name}. *"));
    person
}

/// What has come up to now: the server answers line by line, so its answer to nonsense is the end of it.
pub(crate) fn so_far(person: &mut Plain) -> Vec<String> {
    person.send("/so-far");
    let mut lines = person.until("-!- There is no command /so-far*");
    lines.pop();
    lines
}

/// Someone over IRC in the default room.
pub(crate) fn in_lobby(server: &Server, nick: &str) -> Irc {
    let mut irc = server.irc(nick);
    irc.join("#lobby");
    irc
}

#[test]
fn a_silent_peer_is_asked_for_a_name_after_a_second() {
    let server = Server::start(&[]);
    let not_yet = Deadline::after(Duration::from_millis(950));
    let mut bob = server.plain();
    assert_eq!(bob.next_line(), PROMPT);
    assert!(not_yet.left().is_none(), "a program that speaks within a second must not be prompted");
    let mut alice = in_lobby(&server, "alice");
    bob.send("bob");
    alice.expect(":bob!*@* JOIN #lobby");
    assert!(bob.next_line().starts_with("-!- Welcome to parlor.local, bob. "), "and asked only once");
}

#[test]
fn the_prompt_is_one_whole_line_and_nothing_else() {
    let server = Server::start(&["--name", "kettle.example"]);
    let mut bob = server.plain();
    let bytes = bob.chunk();
    assert_eq!(
        String::from_utf8_lossy(&bytes).trim_end_matches(['\r', '\n']),
        ":kettle.example NOTICE * :Type a nickname and press Enter"
    );
    assert!(bytes.ends_with(b"\n"), "a program that reads lines must see it end");
}

#[test]
fn the_timer_never_decides_what_a_peer_speaks() {
    let server = Server::start(&[]);
    let (mut slow, mut halting, mut clock) = (server.plain(), server.plain(), server.plain());
    let mut irc = Irc::connect(&server);
    halting.send_bytes("NICK halt");
    irc.expect("NOTICE * :Type a nickname and press Enter");
    clock.expect(PROMPT);
    // Both were silent, or halted within a line, for more than a second, and speak IRC all the same.
    irc.send("NICK late");
    irc.send("USER late 0 * :Late");
    irc.expect("001 late *");
    halting.send_bytes("ing\r\nUSER halting 0 * :Halting\r\n");
    let first = halting.next_line();
    assert!(first.starts_with(":parlor.local 001 halting :"), "no prompt within a line: {first}");
    // And who is asked may answer as a person.
    assert_eq!(slow.next_line(), PROMPT);
    slow.send("sloth");
    assert!(slow.next_line().starts_with("-!- Welcome"));
}

#[test]
fn each_person_reads_what_a_person_can_read() {
    let server = Server::start(&[]);
    let mut bob = person(&server, "bob");
    let mut alice = in_lobby(&server, "alice");
    alice.send("PRIVMSG #lobby :hi");
    alice.send("NOTICE #lobby :the kettle is on");
    alice.send("PRIVMSG #lobby :\u{1}ACTION pours tea\u{1}");
    alice.send("PRIVMSG bob :just for you");
    alice.send("NICK rob");
    alice.send("PART #lobby");
    alice.send("JOIN #lobby");
    alice.send("QUIT :bye");
    let heard: Vec<String> = (0..9).map(|_| bob.next_line()).collect();
    let wanted = [
        "-!- alice joined",
        "<alice> hi",
        "-alice- the kettle is on",
        "* alice pours tea",
        "[alice to you] just for you",
        "-!- alice is now known as rob",
        "-!- rob left",
        "-!- rob joined",
        "-!- rob left (Quit: bye)",
    ];
    assert_eq!(heard, wanted);
}

#[test]
fn an_operator_of_the_room_is_readable_too() {
    let server = Server::start(&[]);
    let mut alice = server.irc("alice");
    alice.join("#tea");
    let (mut bob, mut carol) = (person(&server, "bob"), person(&server, "carol"));
    for person in [&mut bob, &mut carol] {
        person.send("/join #tea");
    }
    alice.expect(":carol!*@* JOIN #tea");
    carol.expect("-!- You are in #tea*");
    alice.send("TOPIC #tea :green tea");
    assert_eq!(carol.expect("*topic*"), "-!- alice changed the topic to: green tea");
    alice.send("KICK #tea bob :spilled");
    assert_eq!(carol.next_line(), "-!- alice kicked bob (spilled)");
    bob.expect("-!- alice kicked bob (spilled)");
    alice.send("INVITE bob #tea");
    bob.expect("-!- alice invites you to #tea*");
}

#[test]
fn lines_of_a_person_are_messages_to_the_default_room() {
    let server = Server::start(&["--default-room", "#kitchen"]);
    let mut alice = server.irc("alice");
    alice.join("#kitchen");
    let mut bob = person(&server, "bob");
    let mut carol = person(&server, "carol");
    alice.expect(":carol!*@* JOIN #kitchen");
    assert_eq!(so_far(&mut bob), ["-!- carol joined"], "a person is not told of their own coming");
    bob.send("hi all");
    bob.send_bytes("with CR LF\r\n");
    bob.send("");
    bob.send("#lobby, : and 小明 are text");
    for text in ["hi all", "with CR LF", "#lobby, : and 小明 are text"] {
        let said = alice.next_message();
        assert!(said.is_like(":bob!*@* PRIVMSG #kitchen *") && said.last() == text, "{said}");
        assert_eq!(carol.next_line(), format!("<bob> {text}"));
    }
    assert!(so_far(&mut bob).is_empty(), "their own lines are on their screen already");
}

#[test]
fn a_name_that_cannot_be_is_explained_and_asked_again() {
    let server = Server::start(&[]);
    let mut alice = in_lobby(&server, "Zoë");
    let mut bob = server.plain();
    // The same name in other letters, and composed in another way.
    for taken in ["Zoë", "ZOË", "zoe\u{308}"] {
        bob.send(taken);
        let answer = bob.next_line();
        assert_eq!(answer, format!("-!- The name {taken} is taken. Type another one."));
    }
    let long = "x".repeat(33);
    let invalid = ["bob smith", "b*b", "#bob", "b,b", "bob!bob", "@bob", "b\u{200b}b", "\u{202e}bob", &long];
    for name in invalid {
        bob.send(name);
        let answer = bob.next_line();
        let explained = answer.starts_with("-!- ") && answer.ends_with(" Type another one.");
        assert!(explained && answer.len() > "-!-  Type another one.".len(), "{name:?}: {answer}");
    }
    bob.send_bytes(b"caf\xe9\n");
    assert!(bob.next_line().starts_with("-!- "), "what is not UTF-8 is explained as well");
    alice.silent();
    bob.send("  Олег ");
    bob.expect("-!- Welcome to parlor.local, Олег. *");
    alice.expect(":Олег!*@* JOIN #lobby");
}

#[test]
fn a_script_is_heard_under_another_name_where_its_own_is_taken() {
    let server = Server::start(&[]);
    let mut alice = in_lobby(&server, "alice");
    let _bob = person(&server, "bob");
    alice.expect(":bob!*@* JOIN #lobby");
    let mut script = server.plain();
    script.send_bytes("bob\nhello\nthe backup is done\n");
    alice.expect(":bob2!*@* JOIN #lobby");
    for text in ["hello", "the backup is done"] {
        assert_eq!(alice.expect(":bob2!*@* PRIVMSG #lobby *").last(), text);
    }
}

#[test]
fn no_line_of_a_script_is_taken_for_a_name() {
    let server = Server::start(&[]);
    let mut alice = in_lobby(&server, "alice");
    for first in [&b"backup done"[..], b"\xffbackup", b"/nick backup"] {
        let mut script = server.plain();
        script.send_bytes([first, b"\nhello\nsecret text\n"].concat());
        let said = String::from_utf8(script.read_to_end()).expect("UTF-8");
        assert!(said.ends_with("-!- Closing link: A name comes first; nothing was said\n"), "{said}");
    }
    alice.silent();
}

#[test]
fn a_line_behind_a_refused_name_is_no_name_unless_that_is_said() {
    let server = Server::start(&[]);
    let mut alice = in_lobby(&server, "alice");
    for refused in ["alice", "backup done"] {
        let mut script = server.plain();
        script.send(refused);
        script.expect("-!- * Type another one.");
        script.send_bytes("hello\nsecret text\n");
        script.expect("-!- Closing link: A name comes first; nothing was said");
    }
    alice.silent();
    let mut person = server.plain();
    person.send("alice");
    person.expect("-!- * Type another one.");
    person.send("hello");
    assert_eq!(person.next_line(), "-!- Your name is hello now, and nothing was said; /nick changes it.");
    person.expect("-!- Welcome to parlor.local, hello. *");
}

#[test]
fn names_of_people_and_of_programs_are_one_set() {
    let server = Server::start(&[]);
    let _bob = person(&server, "bob");
    let mut irc = Irc::connect(&server);
    irc.send("NICK Bob");
    irc.expect("433 * Bob *");
}

#[test]
fn a_half_closed_script_delivers_and_drains() {
    let server = Server::start(&[]);
    let mut alice = in_lobby(&server, "alice");
    for (script, said) in [("bob\nhi\n", "hi"), ("bob\none\ntwo", "two"), ("bob\r\nthree", "three")] {
        let mut pipe = server.plain();
        pipe.send_bytes(script);
        pipe.close_writing();
        alice.expect(":bob!*@* JOIN #lobby");
        alice.expect(format!(":bob!*@* PRIVMSG #lobby {said}").as_str());
        let read = String::from_utf8(pipe.read_to_end()).expect("UTF-8");
        assert!(read.starts_with("-!- Welcome to parlor.local, bob. ") && read.ends_with('\n'), "{read:?}");
        alice.expect(":bob!*@* QUIT *");
    }
    // A name and nothing more is a visit.
    let mut pipe = server.plain();
    pipe.send_bytes("carol");
    pipe.close_writing();
    alice.expect(":carol!*@* JOIN #lobby");
    alice.expect(":carol!*@* QUIT *");
    assert!(pipe.read_to_end().starts_with(b"-!- Welcome"));
}

#[test]
fn a_long_line_goes_out_as_several_in_order() {
    let server = Server::start(&[]);
    let mut alice = in_lobby(&server, "alice");
    let mut carol = person(&server, "carol");
    let mut bob = person(&server, "bob");
    carol.expect("-!- bob joined");
    let words: Vec<String> = (0..700).map(|number| format!("word{number}")).collect();
    for text in [words.join(" "), "x".repeat(4000), "明".repeat(2000), format!("a{}", "é".repeat(1500))] {
        bob.send(&text);
        let (mut irc, mut plain) = (String::new(), String::new());
        while irc.len() < text.len() {
            // Irc holds each message to 512 bytes of valid UTF-8.
            let part = alice.expect(":bob!*@* PRIVMSG #lobby *");
            irc.push_str(part.last());
            let line = carol.next_line();
            plain.push_str(line.strip_prefix("<bob> ").unwrap_or_else(|| panic!("{line:?}")));
        }
        assert!(irc == text && plain == text, "nothing is lost, doubled or out of order");
    }
    bob.send(&format!("/me {}", "waves ".repeat(300).trim_end()));
    let mut waves = 0;
    while waves < 300 {
        let part = alice.expect(":bob!*@* PRIVMSG #lobby *");
        let action = part.last().strip_prefix("\u{1}ACTION ").and_then(|rest| rest.strip_suffix('\u{1}'));
        waves += action.unwrap_or_else(|| panic!("{part}")).matches("waves").count();
    }
    bob.send("/so-far");
    bob.expect("-!- There is no command /so-far*");
    bob.send_bytes("y".repeat(8 * 1024 + 1));
    assert!(bob.next_line().starts_with("-!- Closing link: "), "8 KiB without an end close with a reason");
    assert!(bob.read_to_end().is_empty());
}

#[test]
fn nothing_from_others_moves_a_terminal() {
    let server = Server::start(&["--raw-bind", "127.0.0.1:0"]);
    let mut bob = person(&server, "bob");
    let mut alice = in_lobby(&server, "alice");
    let nasty =
        "a\u{1b}[31;1mb\u{1b}]0;title\u{7}c\u{9b}2Jd\u{8}\u{7}\u{7f}e\u{202e}f\u{b}\u{c}\u{90}g\u{85}";
    alice.send(&format!("PRIVMSG #lobby :{nasty}"));
    alice.send(&format!("NOTICE #lobby :{nasty}"));
    alice.send(&format!("PRIVMSG #lobby :\u{1}ACTION {nasty}\u{1}"));
    alice.send(&format!("PRIVMSG bob :{nasty}"));
    alice.send(&format!("PART #lobby :{nasty}"));
    alice.send("JOIN #lobby");
    let mut carol = person(&server, "carol");
    carol.send(nasty);
    carol.send(&format!("/me {nasty}"));
    carol.send(&format!("/quit {nasty}"));
    let mut raw = Plain::connect_to(server.raw_address());
    raw.send_bytes(format!("hi\n{nasty}\n"));
    let mut heard = bob.until("<guest1> hi");
    heard.push(bob.next_line());
    alice.send(&format!("QUIT :{nasty}"));
    heard.extend(bob.until("-!- alice left (Quit*"));
    assert_eq!(heard.iter().filter(|line| line.contains("abcdefg")).count(), 10, "all was said: {heard:?}");
    for line in &heard {
        let harmless = !line.contains(|c: char| c.is_control() || c == '\u{202e}');
        assert!(harmless, "{line:?}");
    }
    // A sequence is gone as a whole, and what a person wrote around it is still there.
    assert_eq!(heard.last().map(String::as_str), Some("-!- alice left (Quit: abcdefg)"));
}

#[test]
fn who_wants_only_irc_turns_people_away() {
    let server = Launch::new(&["--no-plain"]).start();
    let beside = Server::start(&[]);
    let (mut bob, mut irc) = (server.plain(), Irc::connect(&server));
    let mut clock = beside.plain();
    clock.expect(PROMPT);
    // More than a second has passed for these two, and neither was asked for a name.
    let from = bob.local_address();
    bob.send("bob");
    assert!(bob.read_to_end().is_empty(), "closed without a byte");
    server.wait_log(&format!("refused: {from} (*)"));
    irc.send("NICK alice");
    irc.send("USER alice 0 * :Alice");
    let first = irc.next_message();
    assert!(first.is_like("001 alice *"), "{first}");
}

#[cfg(target_os = "linux")]
#[test]
fn the_system_looks_for_dead_terminals() {
    let server = Server::start(&[]);
    let bob = person(&server, "bob");
    let table = std::fs::read_to_string("/proc/net/tcp").expect("Linux has it");
    let ends =
        format!("0100007F:{:04X} 0100007F:{:04X} ", server.address().port(), bob.local_address().port());
    let socket = table.lines().find(|line| line.contains(&ends)).expect("the server's end of bob");
    // `tr`, the kind of timer that runs: 2 is keepalive (Documentation/networking/proc_net_tcp.rst).
    let timer = socket.split_whitespace().nth(5).unwrap_or_default();
    assert!(timer.starts_with("02:"), "{socket}");
}

#[test]
fn what_somebody_says_never_reads_like_what_happens_or_like_somebody_else() {
    let mut server = Server::start(&["--raw-bind", "127.0.0.1:0"]);
    let mut eve = in_lobby(&server, "eve");
    let mut raw = Plain::connect_to(server.raw_address());
    assert_eq!(raw.chunk(), b"NICK");
    raw.send_bytes("dan");
    eve.expect(":dan!*@* JOIN #lobby");
    let mut bob = person(&server, "bob");
    so_far(&mut bob);
    // What really happens.
    let mut carol = in_lobby(&server, "carol");
    carol.send("NICK caro");
    carol.send("KICK #lobby eve :spam");
    carol.send("PART #lobby :bye");
    carol.settle();
    eve.send("TOPIC #lobby :x");
    eve.settle();
    server.console("hello");
    let mut happened = bob.until("-!- server: hello");
    happened.extend(so_far(&mut bob));
    assert!(happened.len() >= 4 && happened.iter().all(|line| line.starts_with("-!- ")), "{happened:?}");
    // The same as talk, and as much else as looks like it.
    let forged = ["joined", "left", "kicked bob (spam)", "is now known as server", "set +o eve"];
    let words = forged.iter().map(|text| (*text).to_owned()).chain(happened.iter().cloned()).chain(
        ["<bob> hi", "bob: hi", "bob joined the chat!", "\u{2028}<bob> hi", "\u{85}<bob> hi", "\u{b}bob: hi"]
            .map(String::from),
    );
    for text in words {
        for wire in [format!("PRIVMSG #lobby :{text}"), format!("PRIVMSG #lobby :\u{1}ACTION {text}\u{1}")] {
            eve.send(&wire);
            eve.settle();
            let shown = so_far(&mut bob);
            assert_eq!(shown.len(), 1, "{wire}: {shown:?}");
            assert!(shown[0].starts_with("<eve> ") || shown[0].starts_with("* eve "), "{wire}: {shown:?}");
            assert!(!happened.contains(&shown[0]), "{wire}: {shown:?}");
        }
    }
    eve.send("PRIVMSG #lobby :that is all");
    let heard = raw.until("eve: that is all");
    let own =
        ["dan joined the chat!", "bob joined the chat!", "carol joined the chat!", "caro left the chat!"];
    let is_own = |line: &&String| {
        own.contains(&line.as_str()) || line.starts_with("eve: ") || *line == "server: hello"
    };
    let others: Vec<&String> = heard.iter().filter(|line| !is_own(line)).collect();
    assert!(others.iter().all(|line| line.ends_with("Connected to server!")), "{others:?}");
}
