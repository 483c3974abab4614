//! An echo is a receipt: it comes when the line is on disk, and nothing later overtakes it.

use parlor_tests::{Irc, Message, Scratch, Server};

const ECHO: [&str; 5] = ["batch", "echo-message", "labeled-response", "message-tags", "server-time"];
const NAME: &str = "0123456789abcdef0123456789abcdef";
/// What everybody is told of it: the name is the key of SipHash-2-4.
const SHOWN: &str = "d338baa78a0f613b508dff450bef276e";

/// Two people in #tea; the first gets echoes.
fn pair(server: &Server) -> (Irc, Irc) {
    let mut alice = server.irc_with("alice", &ECHO);
    let mut bob = server.irc_with("bob", &["message-tags", "server-time"]);
    alice.join("#tea");
    bob.join("#tea");
    alice.settle();
    (alice, bob)
}

/// The texts of the latest lines of a room, as one sees them who comes in.
fn kept(server: &Server, room: &str) -> Vec<String> {
    let mut reader = server.irc_with("reader", &["server-time"]);
    let lines = reader.join(room);
    lines.iter().filter(|m| m.command == "PRIVMSG").map(|m| m.last().to_owned()).collect()
}

#[test]
fn what_was_echoed_outlives_a_crash() {
    let home = Scratch::new();
    let mut said = Vec::new();
    for round in 0..5 {
        let server = home.server(&[]);
        let mut alice = server.irc_with("alice", &ECHO);
        alice.join("#tea");
        for line in 0..4 {
            said.push(format!("{round}.{line}"));
            alice.send(&format!("PRIVMSG #tea :{round}.{line}"));
        }
        let echo = alice.expect(format!("PRIVMSG #tea {round}.3").as_str());
        assert_eq!(echo.tag("parlor/volatile"), None, "{echo}");
        server.crash();
    }
    assert_eq!(kept(&home.server(&[]), "#tea"), said);
}

#[test]
fn nothing_later_overtakes_an_echo() {
    let home = Scratch::new();
    let server = home.server(&[]);
    let (mut alice, mut bob) = pair(&server);
    for round in 0..20 {
        alice.send_bytes(format!(
            "PRIVMSG #tea :{round}\r\nPING first\r\n@label=x PING second\r\nTOPIC #tea\r\nMODE #tea b\r\nNICK alice{round}\r\nTOPIC #tea :{round}\r\nWHO #tea\r\nNOTICE #tea :last {round}\r\nPING third\r\n"
        ));
        let lines: Vec<String> =
            alice.until("PONG parlor.local third").into_iter().map(|m| m.command).collect();
        // What changes a room or a name is told in the order of all such changes, at once; a long
        // reply may come behind the echo of a later line, not before that of an earlier one.
        let (others, lines): (Vec<_>, Vec<_>) =
            lines.into_iter().partition(|command| matches!(command.as_str(), "NICK" | "TOPIC" | "NOTICE"));
        assert_eq!(others, ["NICK", "TOPIC", "NOTICE"]);
        let mut wanted = vec!["PRIVMSG", "PONG", "PONG", if round == 0 { "331" } else { "332" }];
        wanted.extend(if round == 0 { &[][..] } else { &["333"] });
        wanted.extend(["368", "352", "352", "315", "PONG"]);
        assert_eq!(lines, wanted);
    }
    bob.expect("NOTICE #tea :last 19");
}

#[test]
fn who_leaves_or_kicks_still_gets_the_echo() {
    let home = Scratch::new();
    let server = home.server(&[]);
    let (mut alice, mut bob) = pair(&server);
    alice.send_bytes("PRIVMSG #tea :one\r\nKICK #tea bob :out\r\nPING 1\r\n");
    let lines: Vec<_> = alice.until("PONG parlor.local 1").into_iter().map(|m| m.command).collect();
    assert!(lines.iter().any(|command| command == "KICK"), "{lines:?}");
    assert_eq!(lines.iter().filter(|command| *command != "KICK").collect::<Vec<_>>(), ["PRIVMSG", "PONG"]);
    bob.expect("KICK #tea bob out");
    alice.send_bytes("PRIVMSG #tea :two\r\nPART #tea :bye\r\nPING 2\r\n");
    let lines: Vec<_> = alice.until("PONG parlor.local 2").into_iter().map(|m| m.command).collect();
    assert_eq!(lines.iter().filter(|command| *command != "PART").collect::<Vec<_>>(), ["PRIVMSG", "PONG"]);
}

#[test]
fn a_line_sent_again_is_heard_once_and_echoed_as_the_first_one() {
    let home = Scratch::new();
    let server = home.server(&[]);
    let (mut alice, mut bob) = pair(&server);
    let line = format!("@+parlor/id={NAME};+draft/reply=x PRIVMSG #tea :the first");
    let first = alice.ask(&line, "PRIVMSG #tea :the first");
    assert_eq!(first.tag("+parlor/id"), Some(SHOWN));
    let again = alice.ask(&line, "PRIVMSG #tea :the first");
    assert_eq!(again.raw, first.raw);
    // Whatever it says now: it is the first one that is kept.
    let changed = format!("@+parlor/id={NAME} PRIVMSG #TEA :another text");
    assert_eq!(alice.ask(&changed, "PRIVMSG #tea :the first").raw, first.raw);
    let labelled = alice.ask(&format!("@label=7;{}", &line[1..]), "@label=7 PRIVMSG #tea :the first");
    assert_eq!(labelled.tag("msgid"), first.tag("msgid"));
    bob.expect("PRIVMSG #tea :the first");
    bob.silent_until_pong("PRIVMSG **");
    // Another room is another line.
    alice.join("#coffee");
    let other = alice.ask(&format!("@+parlor/id={NAME} PRIVMSG #coffee :there"), "PRIVMSG #coffee there");
    assert_ne!(other.tag("msgid"), first.tag("msgid"));
    assert_eq!(kept(&server, "#tea"), ["the first"]);
    assert_eq!(kept_by(&server, "other", "#coffee"), ["there"]);
}

fn kept_by(server: &Server, nick: &str, room: &str) -> Vec<String> {
    let lines = server.irc_with(nick, &["server-time"]).join(room);
    lines.iter().filter(|m| m.command == "PRIVMSG").map(|m| m.last().to_owned()).collect()
}

#[test]
fn a_line_sent_again_after_a_crash_is_known() {
    let home = Scratch::new();
    let server = home.server(&[]);
    let (mut alice, _bob) = pair(&server);
    let line = format!("@+parlor/id={NAME} PRIVMSG #tea :once");
    let first = alice.ask(&line, "PRIVMSG #tea once");
    server.crash();
    let server = home.server(&[]);
    let (mut alice, mut bob) = pair(&server);
    bob.settle();
    let again = alice.ask(&line, "PRIVMSG #tea once");
    for tag in ["msgid", "time", "+parlor/id"] {
        assert_eq!(again.tag(tag), first.tag(tag), "{again}");
    }
    bob.silent_until_pong("PRIVMSG **");
    assert_eq!(kept(&server, "#tea"), ["once"]);
}

#[test]
fn a_line_sent_again_while_its_echo_is_pending_is_one_line() {
    let home = Scratch::new();
    let server = home.server(&[]);
    let (mut alice, mut bob) = pair(&server);
    let line = format!("@+parlor/id={NAME} PRIVMSG #tea :hurry\r\n");
    alice.send_bytes(line.repeat(5));
    let echoes = alice.settle();
    assert_eq!(echoes.len(), 5);
    assert!(echoes.iter().all(|echo| echo.raw == echoes[0].raw), "{echoes:?}");
    bob.expect("PRIVMSG #tea hurry");
    bob.silent_until_pong("PRIVMSG **");
}

#[test]
fn what_others_saw_of_a_line_changes_nothing_for_its_sender() {
    let home = Scratch::new();
    let server = home.server(&[]);
    let mut alice = server.irc_with("alice", &ECHO);
    let mut eve = server.irc_with("eve", &ECHO);
    alice.join("#tea");
    eve.join("#tea");
    alice.settle();
    let line = format!("@+parlor/id={NAME} PRIVMSG #tea :mine");
    // Eve knows what will be shown of the line, and is first.
    for spelling in [SHOWN, &SHOWN.to_uppercase(), &format!(r"\{SHOWN}"), &format!("{SHOWN};+parlor/id=")] {
        eve.send(&format!("@+parlor/id={spelling} TAGMSG #tea"));
        eve.send(&format!("@+parlor/id={spelling} PRIVMSG #tea :mine"));
        eve.settle();
        for heard in alice.settle() {
            assert_ne!(heard.tag("+parlor/id"), Some(SHOWN), "nobody takes it for alice's: {heard}");
        }
    }
    let first = alice.ask(&line, ":alice!*@* PRIVMSG #tea mine");
    assert_eq!(first.tag("+parlor/id"), Some(SHOWN));
    assert_eq!(eve.expect(":alice!*@* PRIVMSG #tea mine").tag("+parlor/id"), Some(SHOWN));
    // The server ends before alice has heard that; eve is there first again.
    drop((alice, eve));
    server.crash();
    let server = home.server(&[]);
    let mut eve = server.irc_with("eve", &ECHO);
    eve.join("#tea");
    eve.ask(&format!("@+parlor/id={SHOWN} PRIVMSG #tea :mine"), ":eve!*@* PRIVMSG #tea mine");
    let mut alice = server.irc_with("alice", &ECHO);
    alice.join("#tea");
    alice.settle();
    assert_eq!(alice.ask(&line, ":alice!*@* PRIVMSG #tea mine").tag("msgid"), first.tag("msgid"));
    eve.silent_until_pong("PRIVMSG **");
}

#[test]
fn tags_without_text_are_known_by_no_name() {
    let home = Scratch::new();
    let server = home.server(&[]);
    let (mut alice, mut bob) = pair(&server);
    for command in ["TAGMSG #tea", "TAGMSG #tea", "PRIVMSG #tea :said"] {
        alice.send(&format!("@+parlor/id={NAME};+draft/react=x {command}"));
        let verb = command.split(' ').next().expect("a verb");
        bob.expect(format!("{verb} #tea **").as_str());
    }
}

#[test]
fn who_may_not_talk_gets_no_echo_of_what_is_known() {
    let home = Scratch::new();
    let server = home.server(&[]);
    let (mut alice, _bob) = pair(&server);
    let line = format!("@+parlor/id={NAME} PRIVMSG #tea :hidden");
    alice.ask(&line, "PRIVMSG #tea hidden");
    let mut eve = server.irc_with("eve", &ECHO);
    eve.ask(&line, "404 eve #tea *");
}

#[test]
fn without_a_disk_the_echo_says_so() {
    let server = Server::start(&["--no-history"]);
    let (mut alice, mut bob) = pair(&server);
    let line = format!("@+parlor/id={NAME} PRIVMSG #tea :here and now");
    let first = alice.ask(&line, "PRIVMSG #tea :here and now");
    assert_eq!(first.tag("parlor/volatile"), Some(""), "{first}");
    // Known or not: an echo of what no disk has is no receipt.
    let again = alice.ask(&line, "PRIVMSG #tea :here and now");
    assert_eq!((again.tag("msgid"), again.tag("parlor/volatile")), (first.tag("msgid"), Some("")), "{again}");
    let heard = bob.expect("PRIVMSG #tea **");
    // Others know, too, that no history will have it: they must not take it back for that.
    assert_eq!(heard.tag("parlor/volatile"), Some(""), "{heard}");
    bob.silent_until_pong("PRIVMSG **");
    let mut plain = server.irc_with("carol", &["echo-message"]);
    plain.join("#tea");
    assert_eq!(plain.ask("PRIVMSG #tea :x", "PRIVMSG #tea x").tags, []);
}

#[test]
fn private_messages_and_those_to_operators_are_echoed_and_not_kept() {
    let home = Scratch::new();
    let server = home.server(&[]);
    let (mut alice, mut bob) = pair(&server);
    for line in ["PRIVMSG bob :psst", "PRIVMSG @#tea :operators", "NOTICE +#tea :voices", "PRIVMSG #tea :all"]
    {
        let echo = alice.ask(line, |m: &Message| m.nick() == "alice");
        // What only some of a room hear is in no history, and its echo no receipt.
        let some = line.contains("@#") || line.contains("+#");
        assert_eq!(echo.tag("parlor/volatile").is_some(), some, "{echo}");
    }
    bob.expect("PRIVMSG bob psst");
    bob.expect("PRIVMSG #tea all");
    assert_eq!(kept(&server, "#tea"), ["all"]);
    let folder = home.path().read_dir().expect("it is ours");
    for file in folder.map(|file| file.expect("it is ours").path()).filter(|path| path.is_file()) {
        let bytes = std::fs::read(&file).expect("it is ours");
        for secret in ["psst", "operators", "voices"] {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{secret:?} in {}", file.display());
        }
    }
}

#[test]
fn a_name_that_is_no_name_is_only_a_tag() {
    let home = Scratch::new();
    let server = home.server(&[]);
    let (mut alice, mut bob) = pair(&server);
    for name in ["", "1234", &NAME[1..], &format!("{NAME}0"), "0123456789abcdef0123456789abcdeg"] {
        let line = format!("@+parlor/id={name} PRIVMSG #tea :again");
        let first = alice.ask(&line, "PRIVMSG #tea again");
        let second = alice.ask(&line, "PRIVMSG #tea again");
        assert_ne!(first.tag("msgid"), second.tag("msgid"), "{name:?}");
        for _ in 0..2 {
            bob.expect("PRIVMSG #tea again");
        }
    }
}

#[test]
fn one_line_to_two_rooms_is_kept_in_both_under_one_name() {
    let home = Scratch::new();
    let server = home.server(&[]);
    let (mut alice, _bob) = pair(&server);
    alice.join("#coffee");
    let line = format!("@label=2;+parlor/id={NAME} PRIVMSG #tea,#coffee :both");
    let echoes = alice.ask_batch(&line);
    assert_eq!(echoes.iter().map(|m| m.param(0)).collect::<Vec<_>>(), ["#tea", "#coffee"]);
    let again = alice.ask_all(&line.replace("label=2;", ""));
    let ids = |lines: &[Message]| lines.iter().map(|m| m.tag("msgid").map(str::to_owned)).collect::<Vec<_>>();
    assert_eq!(ids(&again), ids(&echoes));
    assert_eq!(kept(&server, "#tea"), ["both"]);
    assert_eq!(kept_by(&server, "other", "#coffee"), ["both"]);
}

#[test]
fn talk_at_full_speed_is_echoed_whole_and_in_order() {
    let home = Scratch::new();
    let server = home.server(&[]);
    let (mut alice, mut bob) = pair(&server);
    const LINES: usize = 3000;
    let all: String = (0..LINES).map(|number| format!("PRIVMSG #tea :{number}\r\n")).collect();
    alice.send_bytes(all);
    let mut last = String::new();
    for number in 0..LINES {
        let echo = alice.expect("PRIVMSG #tea *");
        assert_eq!(echo.last(), number.to_string());
        let id = echo.tag("msgid").unwrap_or_default().to_owned();
        assert!(id > last, "{id} after {last}");
        last = id;
        assert_eq!(bob.expect("PRIVMSG #tea *").tag("msgid"), Some(last.as_str()));
    }
}
