//! What is typed with a leading `/`, and what menus do.

use super::*;

#[test]
fn commands_become_lines_of_the_protocol() {
    let mut world = World::ours("me");
    for (typed, line) in [
        ("/join #music", "JOIN #music"),
        ("/join music key", "JOIN #music key"),
        ("/JOIN #a,#b", "JOIN #a"),
        ("/nick zoë", "NICK zoë"),
        ("/topic Be kind", "TOPIC #lobby :Be kind"),
        ("/topic -", "TOPIC #lobby :"),
        ("/kick bob for fun", "KICK #lobby bob :for fun"),
        ("/kick bob", "KICK #lobby bob"),
        ("/ban bob", "MODE #lobby +b bob!*@*"),
        ("/op bob", "MODE #lobby +o bob"),
        ("/deop bob", "MODE #lobby -o bob"),
        ("/invite amy", "INVITE amy #lobby"),
        ("/away tea time", "AWAY :tea time"),
        ("/away", "AWAY :Away"),
        ("/back", "AWAY"),
        ("/whois bob", "WHOIS bob"),
        ("/list", "LIST"),
        ("/raw VERSION x", "VERSION x"),
        ("/part bye now", "PART #lobby :bye now"),
        ("/leave #lobby", "PART #lobby"),
    ] {
        world.command("#lobby", typed);
        assert_eq!(world.sent().first().map(String::as_str), Some(line), "{typed}");
    }
    world.server(":amy!u@cloak.test JOIN #lobby");
    world.act(Action::Ban { room: Key::new("#lobby"), nick: "Amy".into() });
    assert_eq!(world.sent(), ["MODE #lobby +b *!*@cloak.test"], "another name does not help");
    world.command("#lobby", "/quit");
    assert_eq!((world.calls.clone(), world.sent()), (vec!["disconnect"], vec!["QUIT".to_owned()]));
}

#[test]
fn texts_are_said_where_they_belong() {
    let mut world = World::ours("me");
    for (typed, line) in [
        ("//help is a word", "PRIVMSG #lobby :/help is a word"),
        ("/me waves", "PRIVMSG #lobby :\u{1}ACTION waves\u{1}"),
        ("/msg bob hi  there", "PRIVMSG bob :hi  there"),
        ("/msg #lobby hi", "PRIVMSG #lobby :hi"),
        ("/query amy psst", "PRIVMSG amy :psst"),
    ] {
        world.command("#lobby", typed);
        assert_eq!(token(&world.sent()[0]).1, line, "{typed}");
    }
    assert_eq!(world.last("bob").state(), Delivery::Pending);
}

#[test]
fn what_is_not_understood_is_never_sent() {
    let mut world = World::ours("me");
    let typed = [
        "/frobnicate now",
        "/",
        "/ x",
        "/kick",
        "/msg bob",
        "/join",
        "/nick",
        "/nick a b",
        "/msg a,b x",
        "/raw",
        "/ me",
        "/query",
        "/query a,b",
        "/join #a\u{7}b",
        "/me",
        "/whois",
        "/usr/bin is full",
    ];
    for typed in typed {
        let before = world.screen.lines["#lobby"].len();
        world.command("#lobby", typed);
        assert_eq!(world.given_back().map(|(text, _)| text).as_deref(), Some(typed));
        assert_eq!((world.sent(), world.screen.lines["#lobby"].len()), (Vec::new(), before), "{typed}");
    }
    let mut why = |at: &str, typed: &str| {
        world.command(at, typed);
        world.given_back().map(|(_, why)| why)
    };
    assert_eq!(why("#lobby", "/kick"), Some(Sentence::NeedsArgument { command: Command::Kick }));
    assert_eq!(why("*", "/topic x"), Some(Sentence::RoomOnly));
    assert_eq!(why("*", "/me waves"), Some(Sentence::NobodyReadsHere));
    assert_eq!(why("*", "/frobnicate now"), Some(Sentence::UnknownCommand { word: "frobnicate".into() }));
    world.say("*", "hello?");
    assert_eq!(world.given_back(), Some(("hello?".into(), Sentence::NobodyReadsHere)));
    // What is carried out stays away.
    world.command("#lobby", "//text");
    assert_eq!(world.given_back(), None);
    world.give(Input::Lost(GONE));
    world.command("#lobby", "/topic tea");
    assert_eq!(world.given_back(), Some(("/topic tea".into(), Sentence::NotConnectedYet)));
}

#[test]
fn blank_lines_inside_a_text_stay_and_tabs_too() {
    let mut world = World::ours("me");
    let text = "\n\n  if x:\r\n\ty = 1\r\n\r\n \n\tz\n\n";
    world.say("#lobby", text);
    let sent: Vec<String> = world.sent().iter().map(|line| token(line).1).collect();
    assert_eq!(sent, ["  if x:", "\ty = 1", " ", " ", "\tz"].map(|line| format!("PRIVMSG #lobby :{line}")));
    assert_eq!(world.talk("#lobby"), ["me:   if x:", "me: \ty = 1", "me:  ", "me:  ", "me: \tz"]);
    assert_eq!(count_messages(text, 400, None, "#lobby"), 5);
    assert_eq!(count_messages(&"x".repeat(1000), 406, None, "#lobby"), 3);
    assert_eq!(count_messages(" \n\t\n", 400, None, "#lobby"), 0);
    world.server(":bob!u@h PRIVMSG #lobby :a\tb");
    assert!(world.talk("#lobby").contains(&"bob: a\tb".into()));
}

#[test]
fn a_text_is_counted_as_it_is_sent() {
    let mut world = World::ours("me");
    let room = |events: Vec<Event>| {
        events.into_iter().rev().find_map(|event| match event {
            Event::LineRoom { bytes, .. } => Some(bytes),
            _ => None,
        })
    };
    world.server(":me!somebody@a.longer.host.test JOIN #music");
    let bytes = room(world.events()).expect("our host is another one");
    for length in [bytes - 6, bytes - 5] {
        let text = "x".repeat(length);
        world.say("#lobby", &text);
        assert_eq!(world.sent().len(), count_messages(&text, bytes, None, "#lobby"), "{length} bytes");
    }
}

#[test]
fn a_person_is_called_as_they_write_themselves() {
    let mut world = World::ours("me");
    world.command("#lobby", "/query ROB");
    let name = |events: &[Event]| {
        events.iter().rev().find_map(|event| match event {
            Event::Opened { name, .. } | Event::Moved { name, .. } => Some(name.clone()),
            _ => None,
        })
    };
    let opened = name(&world.events());
    world.server(":Rob!u@h PRIVMSG me :hello");
    assert_eq!((opened.as_deref(), name(&world.events()).as_deref()), (Some("ROB"), Some("Rob")));
    world.server(":Rob!u@h PRIVMSG me :again");
    assert_eq!(name(&world.events()), None);
    world.server(":Amy!u@h JOIN #lobby");
    world.command("#lobby", "/query amy");
    assert_eq!(name(&world.events()).as_deref(), Some("Amy"));
}

#[test]
fn help_lists_all_commands() {
    let mut world = World::ours("me");
    world.command("#lobby", "/help");
    assert_eq!(world.events(), [Event::Help]);
    for command in Command::ALL {
        let mut world = World::ours("me");
        world.command("#lobby", &format!("{} bob x", command.word()));
        let said = world.screen.lines.get("#lobby").and_then(|lines| lines.last()?.sentence().cloned());
        assert!(!matches!(said, Some(Sentence::UnknownCommand { .. })), "{command:?} is carried out");
        assert!(!matches!(said, Some(Sentence::NeedsArgument { .. })), "{command:?} has what it needs");
    }
}

#[test]
fn no_text_makes_two_lines_of_one() {
    let mut world = World::ours("me");
    let lobby = || Key::new("#lobby");
    world.act(Action::Topic { room: lobby(), text: "a\r\nQUIT".into() });
    world.act(Action::Kick { room: lobby(), nick: "bob".into(), why: "x\nQUIT".into() });
    world.act(Action::Kick { room: lobby(), nick: "bob\nQUIT".into(), why: String::new() });
    world.act(Action::Away { text: Some("x\nQUIT".into()) });
    world.act(Action::Join { room: "#x\r\nQUIT".into(), key: None });
    world.act(Action::Join { room: "#x".into(), key: Some("k\r\nQUIT".into()) });
    world.act(Action::Rename { nick: "x\r\nQUIT".into() });
    world.act(Action::Private { nick: "x\r\nQUIT :".into() });
    world.act(Action::Invite { room: lobby(), nick: "x y".into() });
    world.act(Action::Command { at: lobby(), line: "/raw a\nQUIT".into() });
    assert!(world.sent().iter().all(|line| !line.starts_with("QUIT") && !line.contains(['\r', '\n'])));
}

#[test]
fn answers_come_where_they_were_asked_for() {
    let mut world = World::ours("me");
    world.command("#lobby", "/whois bob");
    world.server(
        ":s.test 311 me bob u host.test * :Bob B\n:s.test 319 me bob :@#lobby\n:s.test 318 me bob :End",
    );
    let rooms = Sentence::WhoisRooms { name: "bob".into(), rooms: "@#lobby".into() };
    assert_eq!(world.said("#lobby"), rooms);
    world.server(":s.test 421 me FROB :Unknown command");
    assert_eq!(world.last("#lobby").kind(), LineKind::Error);
    let unknown = Sentence::Server { about: Some("FROB".into()), text: "Unknown command".into() };
    assert_eq!(world.said("#lobby"), unknown);
    world.server(":s.test 482 me #lobby :You are not an operator");
    assert_eq!(world.said("#lobby"), Sentence::NotOperator);
    let (name, userhost) = ("bob".to_owned(), "u@host.test".to_owned());
    for (numeric, sentence) in [
        (
            "311 me bob u host.test * :Bob B",
            Sentence::Whois {
                name: name.clone(),
                userhost: userhost.clone(),
                realname: Some("Bob B".into()),
            },
        ),
        ("314 me bob u host.test * :", Sentence::Whowas { name: name.clone(), userhost, realname: None }),
        (
            "312 me bob s.test :A server",
            Sentence::WhoisServer { name: name.clone(), server: "s.test".into(), about: "A server".into() },
        ),
        ("313 me bob :is an operator", Sentence::WhoisOperator { name: name.clone() }),
        (
            "317 me bob 120 0 :seconds idle",
            Sentence::WhoisIdle { name: name.clone(), idle: Duration::from_secs(120) },
        ),
        (
            "330 me bob rob :is logged in as",
            Sentence::WhoisAccount { name: name.clone(), account: "rob".into() },
        ),
        ("335 me bob :is a bot", Sentence::WhoisBot { name: name.clone() }),
        ("671 me bob :is using TLS", Sentence::WhoisSecure { name: name.clone() }),
        ("406 me bob :There was no such nickname", Sentence::NotSeen { name }),
    ] {
        world.server(&format!(":s.test {numeric}"));
        assert_eq!(world.said("#lobby"), sentence);
    }
}

#[test]
fn offline_commands_say_so() {
    let mut world = World::ours("me");
    world.give(Input::Lost(GONE));
    for typed in ["/topic x", "/list", "/whois bob", "/raw X"] {
        world.command("#lobby", typed);
        let (text, why) = world.given_back().unwrap();
        assert!(
            text == typed && matches!(why, Sentence::NotConnected | Sentence::NotConnectedYet),
            "{text}: {why:?}"
        );
    }
}
