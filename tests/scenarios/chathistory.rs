//! CHATHISTORY (IRCv3 draft/chathistory), and what comes by itself to those who cannot ask.

use parlor_tests::{Irc, Message, Plain, Scratch, Server};

const CAPS: [&str; 6] =
    ["batch", "draft/chathistory", "echo-message", "labeled-response", "message-tags", "server-time"];

/// Somebody who said so many numbered lines in a room, and their ids.
fn talker(server: &Server, room: &str, lines: usize) -> (Irc, Vec<String>) {
    let mut alice = server.irc_with("alice", &CAPS);
    alice.join(room);
    (0..lines).for_each(|number| alice.send(&format!("PRIVMSG {room} :{number}")));
    let mut echoes = alice.settle();
    echoes.retain(|m| m.command == "PRIVMSG");
    let ids = echoes.iter().map(|m| m.tag("msgid").expect("an id").to_owned()).collect();
    (alice, ids)
}

fn texts(lines: &[Message]) -> Vec<&str> {
    lines.iter().map(Message::last).collect()
}

/// What the request brings, as numbers.
#[track_caller]
fn numbers(irc: &mut Irc, request: &str) -> Vec<usize> {
    let lines = irc.ask_batch(request);
    lines
        .iter()
        .map(|m| m.last().parse().unwrap_or_else(|_| irc.fail(&format!("{m} is no number"))))
        .collect()
}

/// On disk and in memory alike.
pub(crate) fn both(scenario: impl Fn(&Server)) {
    scenario(&Server::start(&["--no-history"]));
    scenario(&Scratch::new().server(&[]));
}

#[test]
fn each_request_brings_its_lines_by_id() {
    both(|server| {
        let (mut alice, ids) = talker(server, "#tea", 20);
        let id = |number: usize| format!("msgid={}", ids[number]);
        for (request, wanted) in [
            ("LATEST #tea * 5".to_owned(), vec![15, 16, 17, 18, 19]),
            (format!("LATEST #tea {} 50", id(16)), vec![17, 18, 19]),
            (format!("LATEST #tea {} 2", id(10)), vec![18, 19]),
            (format!("LATEST #tea {} 2", id(19)), vec![]),
            (format!("BEFORE #tea {} 3", id(10)), vec![7, 8, 9]),
            (format!("BEFORE #tea {} 3", id(1)), vec![0]),
            (format!("BEFORE #tea {} 3", id(0)), vec![]),
            (format!("AFTER #tea {} 3", id(10)), vec![11, 12, 13]),
            (format!("AFTER #tea {} 3", id(18)), vec![19]),
            (format!("AFTER #tea {} 3", id(19)), vec![]),
            (format!("AROUND #tea {} 5", id(10)), vec![8, 9, 10, 11, 12]),
            (format!("AROUND #tea {} 1", id(10)), vec![10]),
            (format!("AROUND #tea {} 5", id(0)), vec![0, 1, 2]),
            (format!("BETWEEN #tea {} {} 50", id(3), id(7)), vec![4, 5, 6]),
            (format!("BETWEEN #tea {} {} 2", id(3), id(7)), vec![4, 5]),
            (format!("BETWEEN #tea {} {} 2", id(7), id(3)), vec![5, 6]),
            (format!("BETWEEN #tea {} {} 50", id(7), id(7)), vec![]),
            ("latest #TEA * 1".to_owned(), vec![19]),
        ] {
            assert_eq!(numbers(&mut alice, &format!("CHATHISTORY {request}")), wanted, "{request}");
        }
    });
}

/// Says a number in #tea in a later millisecond than all before, as #clock shows; returns when.
fn said_later(irc: &mut Irc, number: usize) -> String {
    let time = |echo: Message| echo.tag("time").expect("a time").to_owned();
    let before = time(irc.ask("PRIVMSG #clock :tick", "PRIVMSG #clock tick"));
    while time(irc.ask("PRIVMSG #clock :tick", "PRIVMSG #clock tick")) == before {}
    time(irc.ask(&format!("PRIVMSG #tea :{number}"), "PRIVMSG #tea *"))
}

#[test]
fn each_request_brings_its_lines_by_time() {
    both(|server| {
        let mut alice = server.irc_with("alice", &CAPS);
        alice.join("#tea");
        alice.join("#clock");
        let times: Vec<String> = (0..6).map(|number| said_later(&mut alice, number)).collect();
        let at = |number: usize| format!("timestamp={}", times[number]);
        for (request, wanted) in [
            (format!("LATEST #tea {} 50", at(3)), vec![4, 5]),
            (format!("BEFORE #tea {} 2", at(4)), vec![2, 3]),
            (format!("AFTER #tea {} 2", at(1)), vec![2, 3]),
            (format!("AROUND #tea {} 3", at(2)), vec![1, 2, 3]),
            (format!("BETWEEN #tea {} {} 50", at(0), at(4)), vec![1, 2, 3]),
            (format!("BETWEEN #tea {} {} 2", at(4), at(0)), vec![2, 3]),
            ("AFTER #tea timestamp=1999-01-01T00:00:00.000Z 1".into(), vec![0]),
            ("BEFORE #tea timestamp=2999-01-01T00:00:00.000Z 1".into(), vec![5]),
            ("AFTER #tea timestamp=2999-01-01T00:00:00.000Z 1".into(), vec![]),
        ] {
            assert_eq!(numbers(&mut alice, &format!("CHATHISTORY {request}")), wanted, "{request}");
        }
    });
}

#[test]
fn an_id_that_nobody_has_is_a_position() {
    both(|server| {
        let (mut alice, ids) = talker(server, "#tea", 4);
        // The topic's id lies between two lines and is no line.
        alice.send("TOPIC #tea :between");
        let topic = alice.expect("TOPIC **").tag("msgid").expect("an id").to_owned();
        alice.ask("PRIVMSG #tea :4", "PRIVMSG #tea 4");
        assert_eq!(numbers(&mut alice, &format!("CHATHISTORY AFTER #tea msgid={topic} 9")), [4]);
        assert_eq!(numbers(&mut alice, &format!("CHATHISTORY BEFORE #tea msgid={topic} 1")), [3]);
        assert_eq!(numbers(&mut alice, &format!("CHATHISTORY AROUND #tea msgid={topic} 2")), [3, 4]);
        let (zero, last) = ("0".repeat(23), "f".repeat(23));
        assert_eq!(numbers(&mut alice, &format!("CHATHISTORY AFTER #tea msgid={zero} 2")), [0, 1]);
        assert_eq!(numbers(&mut alice, &format!("CHATHISTORY AFTER #tea msgid={last} 2")), []);
        assert_eq!(numbers(&mut alice, &format!("CHATHISTORY BEFORE #tea msgid={last} 1")), [4]);
        let _ = ids;
    });
}

#[test]
fn a_page_is_a_batch_of_what_was_heard() {
    let home = Scratch::new();
    let server = home.server(&[]);
    let mut alice = server.irc_with("alice", &CAPS);
    alice.join("#tea");
    let line = r"@+parlor/id=0123456789abcdef0123456789abcdef;+draft/reply=a\sb PRIVMSG #tea :hello";
    let echo = alice.ask(line, "PRIVMSG #tea hello");
    alice.send("@label=q CHATHISTORY LATEST #tea * 10");
    let lines = alice.settle();
    let [open, said, close] = &lines[..] else { alice.fail(&format!("not three lines: {lines:?}")) };
    assert!(open.is_like("@label=q :parlor.local BATCH +* chathistory #tea"), "{open}");
    let reference = open.param(0).trim_start_matches('+');
    assert!(close.is_like(&format!(":parlor.local BATCH -{reference}")), "{close}");
    assert_eq!(said.raw, format!("@batch={reference};{}", &echo.raw[1..]));
}

#[test]
fn without_batches_the_lines_come_bare() {
    let server = Server::start(&[]);
    let (_alice, _) = talker(&server, "#tea", 3);
    let mut bob = server.irc_with("bob", &["draft/chathistory", "server-time", "message-tags"]);
    let joined = bob.join("#tea");
    assert!(joined.iter().all(|m| m.command != "PRIVMSG"), "it can ask: {joined:?}");
    let lines = bob.ask_all("CHATHISTORY LATEST #tea * 2");
    assert_eq!(texts(&lines), ["1", "2"]);
    assert!(lines.iter().all(|m| m.tag("time").is_some() && m.tag("batch").is_none()), "{lines:?}");
}

#[test]
fn what_cannot_be_answered_is_explained() {
    let server = Server::start(&[]);
    let (mut alice, ids) = talker(&server, "#tea", 1);
    let mut stranger = server.irc_with("eve", &CAPS);
    let id = &ids[0];
    for (request, code) in [
        ("CHATHISTORY", "INVALID_PARAMS * *"),
        ("CHATHISTORY LATEST", "INVALID_PARAMS LATEST"),
        ("CHATHISTORY LATEST #tea", "INVALID_PARAMS LATEST"),
        ("CHATHISTORY LATEST #tea *", "INVALID_PARAMS LATEST"),
        ("CHATHISTORY LATEST #tea * 0", "INVALID_PARAMS LATEST"),
        ("CHATHISTORY LATEST #tea * -1", "INVALID_PARAMS LATEST"),
        ("CHATHISTORY LATEST #tea * many", "INVALID_PARAMS LATEST"),
        ("CHATHISTORY LATEST #tea * 5 more", "INVALID_PARAMS LATEST"),
        ("CHATHISTORY BEFORE #tea * 5", "INVALID_MSGREFTYPE BEFORE"),
        ("CHATHISTORY BEFORE #tea id=5 5", "INVALID_MSGREFTYPE BEFORE"),
        ("CHATHISTORY BEFORE #tea msgid=xyz 5", "INVALID_PARAMS BEFORE"),
        ("CHATHISTORY BEFORE #tea timestamp=yesterday 5", "INVALID_PARAMS BEFORE"),
        ("CHATHISTORY BEFORE #tea timestamp=2026-02-30T00:00:00.000Z 5", "INVALID_PARAMS BEFORE"),
        ("CHATHISTORY LATEST #nowhere * 5", "INVALID_TARGET LATEST #nowhere"),
        ("CHATHISTORY LATEST alice * 5", "INVALID_TARGET LATEST alice"),
        ("CHATHISTORY FROB #tea * 5", "INVALID_PARAMS FROB"),
        ("CHATHISTORY :a b", "INVALID_PARAMS"),
        ("CHATHISTORY BETWEEN #tea * 5", "INVALID_PARAMS BETWEEN"),
        (&format!("CHATHISTORY BETWEEN #tea msgid={id} 5"), "INVALID_PARAMS BETWEEN"),
        ("CHATHISTORY TARGETS", "INVALID_PARAMS TARGETS"),
        ("CHATHISTORY TARGETS timestamp=x timestamp=y 5", "INVALID_PARAMS TARGETS"),
    ] {
        let answers = alice.ask_all(request);
        let [answer] = &answers[..] else { alice.fail(&format!("{request}: one answer")) };
        let words = [&answer.command].into_iter().chain(&answer.params).map(String::as_str);
        let words = words.collect::<Vec<_>>().join(" ");
        assert!(words == code || words.contains(code), "{request}: {answer}");
    }
    stranger.ask("CHATHISTORY LATEST #tea * 5", "FAIL CHATHISTORY INVALID_TARGET LATEST #tea *");
    stranger.ask("@label=l CHATHISTORY LATEST #tea * 5", "@label=l FAIL CHATHISTORY INVALID_TARGET **");
    // A room that is there and one that is not look alike from outside.
    let there = stranger.ask("CHATHISTORY LATEST #tea * 5", "FAIL **");
    let absent = stranger.ask("CHATHISTORY LATEST #non * 5", "FAIL **");
    assert_eq!(there.raw.replace("#tea", "#non"), absent.raw);
    stranger.join("#tea");
    assert_eq!(stranger.ask_batch("CHATHISTORY LATEST #tea * 5").len(), 1);
    stranger.send("PART #tea");
    stranger.expect("PART #tea");
    stranger.ask("CHATHISTORY LATEST #tea * 5", "FAIL CHATHISTORY INVALID_TARGET **");
    server.irc("old").ask("CHATHISTORY LATEST #tea * 5", "421 old CHATHISTORY *");
}

#[test]
fn a_page_has_100_lines_at_most() {
    both(|server| {
        let (mut alice, _) = talker(server, "#tea", 150);
        let latest = numbers(&mut alice, "CHATHISTORY LATEST #tea * 4000000000");
        assert_eq!(latest, (50..150).collect::<Vec<_>>());
    });
}

#[test]
fn paging_back_reaches_the_first_line() {
    let home = Scratch::new();
    let server = home.server(&[]);
    let (mut alice, _) = talker(&server, "#tea", 1000);
    let mut all: Vec<usize> = Vec::new();
    let mut page = alice.ask_batch("CHATHISTORY LATEST #tea * 37");
    while let Some(first) = page.first() {
        let id = first.tag("msgid").expect("an id").to_owned();
        let mut before: Vec<usize> = page.iter().map(|m| m.last().parse().expect("a number")).collect();
        before.append(&mut all);
        all = before;
        page = alice.ask_batch(&format!("CHATHISTORY BEFORE #tea msgid={id} 37"));
    }
    assert_eq!(all, (0..1000).collect::<Vec<_>>());
}

#[test]
fn targets_are_the_rooms_with_lines_in_between() {
    both(|server| {
        let (mut alice, _) = talker(server, "#tea", 2);
        alice.join("#Coffee");
        alice.join("#silent");
        let last = alice.ask("PRIVMSG #coffee :3", "PRIVMSG #Coffee 3");
        let (old, new) = ("timestamp=1999-01-01T00:00:00.000Z", "timestamp=2999-01-01T00:00:00.000Z");
        for (from, to) in [(old, new), (new, old)] {
            let targets = alice.ask_batch(&format!("CHATHISTORY TARGETS {from} {to} 50"));
            let rooms: Vec<&str> = targets.iter().map(|m| m.param(1)).collect();
            assert_eq!(rooms, ["#tea", "#Coffee"], "oldest first");
            assert!(targets[1].is_like("CHATHISTORY TARGETS #Coffee *"), "{}", targets[1]);
            assert_eq!(Some(targets[1].param(2)), last.tag("time"));
        }
        assert_eq!(alice.ask_batch(&format!("CHATHISTORY TARGETS {old} {new} 1")).len(), 1);
        let time = last.tag("time").expect("a time");
        assert_eq!(alice.ask_batch(&format!("CHATHISTORY TARGETS timestamp={time} {new} 9")).len(), 0);
        // Nobody learns of rooms that they are not in.
        let mut eve = server.irc_with("eve", &CAPS);
        assert_eq!(eve.ask_batch(&format!("CHATHISTORY TARGETS {old} {new} 50")).len(), 0);
        eve.send(&format!("@label=t CHATHISTORY TARGETS {old} {new} 50"));
        eve.expect("@label=t BATCH +* draft/chathistory-targets");
    });
}

#[test]
fn events_are_for_those_who_ask_for_them() {
    both(|server| {
        let (mut alice, _) = talker(server, "#tea", 1);
        let mut bob = server.irc_with("bob", &["message-tags"]);
        bob.join("#tea");
        for line in
            ["@+draft/react=x TAGMSG #tea", "@+typing=active TAGMSG #tea", "NICK rob", "PART #tea :bye"]
        {
            bob.send(line);
        }
        bob.settle();
        for line in ["TOPIC #tea :leaves", "MODE #tea +m", "NOTICE #tea :1"] {
            alice.send(line);
        }
        alice.settle();
        let lines = alice.ask_batch("CHATHISTORY LATEST #tea * 50");
        assert_eq!(texts(&lines), ["0", "1"]);
        alice.request(&["draft/event-playback"]);
        let lines = alice.ask_batch("CHATHISTORY LATEST #tea * 50");
        let commands: Vec<&str> = lines.iter().map(|m| m.command.as_str()).collect();
        // Nobody's coming is kept before the first line.
        let wanted = ["PRIVMSG", "JOIN", "TAGMSG", "NICK", "PART", "TOPIC", "MODE", "NOTICE"];
        assert_eq!(commands, wanted);
        assert!(lines.iter().all(|m| m.tag("time").is_some() && m.tag("msgid").is_some()), "{lines:?}");
        // Without message-tags there is no TAGMSG.
        let mut old = server.irc_with("old", &["batch", "draft/chathistory", "draft/event-playback"]);
        old.join("#tea");
        let lines = old.ask_batch("CHATHISTORY LATEST #tea * 50");
        assert!(lines.iter().all(|m| m.command != "TAGMSG"), "{lines:?}");
    });
}

#[test]
fn rooms_are_found_in_any_spelling() {
    let home = Scratch::new();
    let server = home.server(&[]);
    let (mut alice, _) = talker(&server, "#Größe小明", 2);
    for name in ["#Größe小明", "#GRÖSSE小明", "#größe小明"] {
        let answers = alice.ask_all(&format!("CHATHISTORY LATEST {name} * 5"));
        let found = answers.iter().filter(|m| m.command == "PRIVMSG").count();
        let same = alice.ask_all(&format!("NAMES {name}")).iter().any(|m| m.command == "353");
        assert_eq!(found, if same { 2 } else { 0 }, "{name}");
    }
    drop(alice);
    server.crash();
    let server = home.server(&[]);
    let mut bob = server.irc_with("bob", &CAPS);
    bob.send("JOIN #größe小明");
    // As its founder wrote it.
    bob.expect("366 bob #Größe小明 *");
    assert_eq!(numbers(&mut bob, "CHATHISTORY LATEST #größe小明 * 5"), [0, 1]);
}

#[test]
fn what_is_said_while_somebody_asks_is_neither_lost_nor_doubled() {
    let home = Scratch::new();
    let server = home.server(&[]);
    let (mut alice, _) = talker(&server, "#tea", 50);
    let mut bob = server.irc_with("bob", &CAPS);
    bob.join("#tea");
    alice.settle();
    let mut next = 50;
    for _ in 0..30 {
        // Both on their way at once.
        let more: String = (next..next + 20).map(|number| format!("PRIVMSG #tea :{number}\r\n")).collect();
        alice.send_bytes(more);
        next += 20;
        bob.send("CHATHISTORY LATEST #tea * 100");
        alice.settle();
        let lines = bob.settle();
        let (page, live): (Vec<&Message>, Vec<&Message>) =
            lines.iter().filter(|m| m.command == "PRIVMSG").partition(|m| m.tag("batch").is_some());
        let heard = |lines: &[&Message]| -> Vec<usize> {
            lines.iter().map(|m| m.last().parse().expect("a number")).collect()
        };
        let (page, live) = (heard(&page), heard(&live));
        assert_eq!(live, (next - 20..next).collect::<Vec<_>>(), "every line comes live, once");
        assert!(page.windows(2).all(|pair| pair[1] == pair[0] + 1), "no gap in a page: {page:?}");
        let last = *page.last().expect("there are lines");
        // Together with what comes live there is no gap: it reaches to where that begins.
        assert!(last + 1 >= next - 20, "{last} and {next}");
        assert!(last < next, "{last}");
    }
}

#[test]
fn a_page_has_every_line_before_the_question() {
    let home = Scratch::new();
    let server = home.server(&[]);
    let (mut alice, _) = talker(&server, "#tea", 1);
    for round in 1..50 {
        // The disk has not seen the line when it is asked for.
        alice.send_bytes(format!(
            "PRIVMSG #tea :{round}\r\nCHATHISTORY LATEST #tea * 1\r\nPRIVMSG #tea :later\r\nPING x\r\n"
        ));
        let lines = alice.until("PONG parlor.local x");
        let page: Vec<&Message> = lines.iter().filter(|m| m.tag("batch").is_some()).collect();
        let [only] = page[..] else { alice.fail("one line in the page") };
        assert_eq!(only.last(), round.to_string());
        let order: Vec<&str> = lines.iter().map(|m| m.last()).collect();
        let at = |text: &str| order.iter().position(|said| *said == text);
        assert!(
            at(&round.to_string()) < lines.iter().position(|m| m.command == "BATCH"),
            "echo first: {order:?}"
        );
    }
}

#[test]
fn long_pages_wait_for_a_reader_who_is_slow() {
    let home = Scratch::new();
    let server = home.server(&[]);
    let mut alice = server.irc_with("alice", &CAPS);
    alice.join("#tea");
    let (tag, text) = ("t".repeat(3500), "y".repeat(350));
    for number in 0..100 {
        alice.send(&format!("@+x={tag} PRIVMSG #tea :{number} {text}"));
    }
    alice.settle();
    let mut bob = server.irc_with("bob", &CAPS);
    bob.join("#tea");
    // 20 MB are asked for, and nothing is read for as long as the server makes pages.
    bob.send_bytes("CHATHISTORY LATEST #tea * 100\r\n".repeat(50));
    bob.send("PING done");
    for _ in 0..50 {
        alice.settle();
    }
    for _ in 0..50 {
        let page = bob.batch();
        assert_eq!(page.len(), 100);
        assert!(page[99].last().starts_with("99 "));
    }
    bob.expect("PONG parlor.local done");
}

#[test]
fn long_pages_behind_an_echo_cut_nobody() {
    let home = Scratch::new();
    let server = home.server(&[]);
    let mut alice = server.irc_with("alice", &CAPS);
    alice.join("#tea");
    let (tag, text) = ("t".repeat(3500), "y".repeat(350));
    for number in 0..100 {
        alice.send(&format!("@+x={tag} PRIVMSG #tea :{number} {text}"));
    }
    alice.settle();
    for round in 0..5 {
        alice.send_bytes(format!(
            "PRIVMSG #tea :{round}\r\n{}PING done\r\n",
            "CHATHISTORY LATEST #tea * 100\r\nPRIVMSG #tea :between\r\n".repeat(10)
        ));
        for _ in 0..10 {
            assert_eq!(alice.batch().len(), 100);
        }
        alice.expect("PONG parlor.local done");
    }
}

#[test]
fn who_comes_in_and_cannot_ask_gets_the_last_30_lines() {
    both(|server| {
        let (mut alice, _) = talker(server, "#tea", 40);
        alice.send("TOPIC #tea :leaves");
        alice.settle();
        let mut timed = server.irc_with("timed", &["server-time"]);
        let lines = timed.join("#tea");
        let order: Vec<&str> = lines.iter().map(|m| m.command.as_str()).collect();
        let end = order.iter().position(|command| *command == "366").expect("the end of the names");
        let first = order.iter().position(|command| *command == "PRIVMSG").expect("lines");
        assert!(order[0] == "JOIN" && first > end, "topic, names, then lines: {order:?}");
        let said: Vec<&Message> = lines.iter().filter(|m| m.command == "PRIVMSG").collect();
        assert_eq!(
            said.iter().map(|m| m.last()).collect::<Vec<_>>(),
            (10..40).map(|n| n.to_string()).collect::<Vec<_>>()
        );
        assert!(said.iter().all(|m| m.tag("time").is_some() && m.nick() == "alice"), "{said:?}");

        let mut old = server.irc("old");
        let lines = old.join("#tea");
        let said: Vec<&Message> = lines.iter().filter(|m| m.command == "PRIVMSG").collect();
        assert_eq!(said.len(), 30);
        assert!(said[29].is_like(":alice!*@* PRIVMSG #tea :[20* UTC] 39"), "{}", said[29]);

        let mut able = server.irc_with("able", &["draft/chathistory", "batch"]);
        assert!(able.join("#tea").iter().all(|m| m.command != "PRIVMSG"), "it can ask");
    });
}

#[test]
fn people_at_terminals_see_what_was_said() {
    let home = Scratch::new();
    let server = home.server(&[]);
    let (mut alice, _) = talker(&server, "#lobby", 35);
    alice.send("PRIVMSG #lobby :\u{1}ACTION waves\u{1}");
    alice.send(&format!("PRIVMSG #lobby :{}", "long ".repeat(80)));
    alice.settle();
    let mut bob = server.plain();
    bob.send("bob");
    let lines = bob.until("*long*long*");
    let said: Vec<&String> =
        lines.iter().filter(|line| line.contains("alice") && line.contains("UTC] ")).collect();
    assert!(said[0].starts_with("<alice> [20") && said[0].ends_with(" UTC] 7"), "{said:?}");
    assert!(said.iter().any(|line| line.starts_with("* alice [20") && line.ends_with("] waves")), "{said:?}");
    bob.send("/join #tea");
    bob.expect("*You are in #tea*");
    bob.send("/join #lobby");
    bob.expect("*long*long*");
    bob.send("hi");
    alice.expect("PRIVMSG #lobby hi");
}

#[test]
fn raw_clients_are_told_nothing_of_the_past() {
    let home = Scratch::new();
    let server = home.server(&["--raw-bind", "127.0.0.1:0"]);
    let (mut alice, _) = talker(&server, "#lobby", 5);
    let mut raw = Plain::connect_to(server.raw_address());
    raw.send_bytes("hi");
    alice.expect("PRIVMSG #lobby hi");
    alice.send("PRIVMSG #lobby :now");
    let first = raw.next_line();
    assert_eq!(first, "alice: now", "the past would look like now");
}

#[test]
fn fifty_rooms_at_once_bring_their_lines() {
    let home = Scratch::new();
    let server = home.server(&[]);
    let mut alice = server.irc_with("alice", &CAPS);
    let rooms: Vec<String> = (0..50).map(|number| format!("#room{number}")).collect();
    let join = |rooms: &[String]| -> String {
        rooms.chunks(20).map(|some| format!("JOIN {}\r\n", some.join(","))).collect()
    };
    alice.send_bytes(join(&rooms));
    for room in &rooms {
        (0..3).for_each(|number| alice.send(&format!("PRIVMSG {room} :{room} {number}")));
    }
    alice.settle();
    let mut old = server.irc("old");
    old.send_bytes(join(&rooms));
    let lines = old.settle();
    let said: Vec<&Message> = lines.iter().filter(|m| m.command == "PRIVMSG").collect();
    assert_eq!(said.len(), 150);
    for room in &rooms {
        let own = said.iter().filter(|m| m.param(0) == room).map(|m| m.last().rsplit(' ').next());
        assert_eq!(own.collect::<Vec<_>>(), [Some("0"), Some("1"), Some("2")], "{room}");
    }
}

#[test]
fn without_a_disk_a_room_that_ended_tells_nothing_to_the_next() {
    let server = Server::start(&["--no-history"]);
    let (mut alice, _) = talker(&server, "#tea", 3);
    alice.ask("MODE #tea +k sesame", "MODE #tea +k sesame");
    alice.send("PART #tea");
    alice.expect("PART #tea");
    let mut eve = server.irc_with("eve", &CAPS);
    eve.join("#tea");
    assert_eq!(eve.ask_batch("CHATHISTORY LATEST #tea * 50").len(), 0, "it is another room");
}
