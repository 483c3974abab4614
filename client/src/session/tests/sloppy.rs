//! Servers that are slightly wrong.

use super::*;

/// As [`World::welcomed`], on a server that answers PING in a way of its own.
fn on(caps: &str, isupport: &str) -> World {
    World::welcomed("me", caps, isupport)
}

fn pings(sent: &[String]) -> usize {
    sent.iter().filter(|line| line.starts_with("PING")).count()
}

#[test]
fn any_answer_to_ping_is_one() {
    for answer in [
        ":s.test PONG s.test :1732800000",
        "PONG",
        ":s.test 421 me PING :Unknown command",
        ":s.test 409 me :No origin",
        ":s.test 461 me PING :Not enough parameters",
        ":s.test PONG :s.test parlor-1 x",
    ] {
        let mut world = on("", "SAFERATE");
        for i in 0..40 {
            world.say("#lobby", &format!("line {i}"));
            let sent = world.sent();
            assert_eq!(sent.len(), 2, "{answer}: {sent:?}");
            world.server(answer);
            assert!(world.states("#lobby").iter().all(|state| *state == Delivery::Delivered), "{answer}");
        }
    }
}

#[test]
fn where_no_ping_is_answered_time_decides() {
    for caps in ["", "echo-message"] {
        let mut world = World::new(profile("me"));
        world.welcome_without_pong(caps, "SAFERATE");
        world.enter("#lobby", "me @bob");
        world.look();
        world.say("#lobby", &(0..40).map(|i| format!("{i}\n")).collect::<String>());
        assert_eq!(world.sent().iter().filter(|line| line.starts_with("PRIVMSG")).count(), 16);
        world.seconds(61);
        let sent = world.sent().iter().filter(|line| line.starts_with("PRIVMSG")).count();
        assert_eq!(sent, 24, "after 16 lines more are sent");
        // Without an echo there is none to miss.
        let end = if caps.is_empty() { Delivery::Delivered } else { Delivery::Failed };
        assert!(world.states("#lobby").iter().all(|state| *state == end), "{:?}", world.states("#lobby"));
        world.seconds(3600);
        assert!(world.calls.is_empty(), "it is no reason to hang up, either: {:?}", world.calls);
    }
}

#[test]
fn a_server_that_answered_before_and_is_silent_now_is_gone() {
    let mut world = on("", "SAFERATE");
    world.seconds(46);
    assert!(world.calls.contains(&"disconnect"));
}

#[test]
fn a_slow_pong_is_waited_for() {
    let mut world = on("", "SAFERATE");
    world.say("#lobby", "hello");
    for _ in 0..5 {
        world.seconds(10);
        world.server(":bob!u@h PRIVMSG #lobby :chatter");
    }
    assert_eq!(world.states("#lobby"), [Delivery::Pending]);
    world.server(":s.test PONG s.test :parlor-2");
    assert_eq!(world.states("#lobby"), [Delivery::Delivered]);
}

#[test]
fn what_the_server_says_opens_no_conversation() {
    let mut world = World::new(profile("me"));
    world.give(Input::Connected(Login::default()));
    world.server(":localhost NOTICE AUTH :*** Looking up your hostname");
    world.server("NOTICE AUTH :*** Checking ident\n:helper!h@h.test NOTICE me :before the welcome");
    world.server(":localhost 001 me :Welcome\n:localhost 422 me :No MOTD");
    world.server(":localhost NOTICE me :Remember to register");
    world.server(":localhost PRIVMSG me :so do I");
    world.server(":services NOTICE me :from another server of the network");
    world.server(":localhost MODE me :+i");
    let events = world.events();
    assert!(!events.iter().any(|event| matches!(event, Event::Alert { .. })), "{events:?}");
    assert_eq!(world.screen.lines.keys().map(Key::as_str).collect::<Vec<_>>(), ["*"]);
    assert_eq!(world.talk("*").len(), 6);
    // People are people all the same.
    world.server(":bob!u@h NOTICE me :hello\n:amy PRIVMSG me :hi");
    assert_eq!((world.talk("bob"), world.talk("amy")), (vec!["bob: hello".into()], vec!["amy: hi".into()]));
    world.server(":amy NOTICE me :again");
    assert_eq!(world.talk("amy").len(), 2);
}

#[test]
fn a_name_in_the_myinfo_is_the_servers_too() {
    let mut world = World::new(profile("me"));
    world.give(Input::Connected(Login::default()));
    world.server("001 me :Welcome\n004 me box 1.0 i o\n422 me :No MOTD\n:box PRIVMSG me :hello");
    assert_eq!(world.talk("*"), ["box: hello"]);
}

#[test]
fn an_answer_that_comes_before_the_pong_stands_below_its_question() {
    let mut world = on("", "SAFERATE");
    world.say("#lobby", "who is there?\nand where?");
    world.server(":bob!u@h PRIVMSG #lobby :me, here");
    assert_eq!(world.states("#lobby"), [Delivery::Pending; 2]);
    let order = ["me: who is there?", "me: and where?", "bob: me, here"];
    assert_eq!(world.talk("#lobby"), order);
    world.server("PONG");
    assert_eq!(
        (world.talk("#lobby"), world.states("#lobby")),
        (order.map(Into::into).into(), vec![Delivery::Delivered; 2])
    );
    // What still waits here is below what comes.
    world.seconds(11);
    world.give(Input::Lost(GONE));
    world.say("#lobby", "typed meanwhile");
    world.give(Input::Connected(Login::default()));
    world.server(":s.test 001 me :Hi\n:s.test 422 me :No MOTD");
    world.server(":bob!u@h PRIVMSG me :psst\n:me!u@h JOIN #lobby");
    world.server(":bob!u@h PRIVMSG #lobby :welcome back");
    assert_eq!(world.talk("#lobby").last().map(String::as_str), Some("bob: welcome back"));
    world.server("PONG\nPONG\nPONG");
    assert_eq!(world.states("#lobby"), [Delivery::Delivered; 3]);
}

#[test]
fn a_nul_and_the_longest_tags_are_read() {
    let mut world = World::ours("me");
    world.give(Input::Received(b":bob!u@h PRIVMSG #lobby :a\0b\r\n"));
    let tags = format!("@msgid=x;+a={}", "y".repeat(8191 - "@msgid=x;+a= ".len()));
    let text = "z".repeat(512 - ":bob!u@h PRIVMSG #lobby :\r\n".len());
    let line = format!("{tags} :bob!u@h PRIVMSG #lobby :{text}\r\n");
    assert_eq!(line.len(), 8191 + 512);
    for part in line.as_bytes().chunks(1000) {
        world.give(Input::Received(part));
    }
    world.give(Input::Received(&[b'!'; 100_000]));
    world.give(Input::Received(b"\r\n:bob!u@h PRIVMSG #lobby :and on\r\n"));
    assert_eq!(world.talk("#lobby"), ["bob: ab".to_owned(), format!("bob: {text}"), "bob: and on".into()]);
    assert!(world.calls.is_empty());
}

#[test]
fn rooms_of_every_kind() {
    let long = format!("#{}:x", "a".repeat(180));
    for (types, room) in [
        ("&#", "&local"),
        ("+#", "+modeless"),
        ("#!", "!abcdesafe"),
        ("", "#lobby2"),
        ("#", &*long),
        ("#", "#a:b"),
    ] {
        let mut world = World::new(Profile { rooms: vec![room.into()], ..profile("me") });
        world.welcome("", &format!("CHANTYPES={types} SAFERATE"));
        assert!(world.sent().contains(&format!("JOIN {room}")), "{types:?}");
        world.enter(room, "me @bob");
        assert_eq!(world.names(room), ["bob", "me"]);
        world.server(&format!(":bob!u@h PRIVMSG {room} :hello\n:bob!u@h PRIVMSG @{room} :ops only"));
        assert_eq!(world.talk(room), ["bob: hello", "bob: ops only"]);
        assert!(!world.screen.lines.contains_key("bob"));
        world.look();
        world.say(room, "hi");
        assert_eq!(world.sent()[0], format!("PRIVMSG {room} :hi"));
    }
    // On a server without such rooms the sign is part of a name.
    let mut world = World::new(Profile { rooms: vec!["+tea".into(), "tea".into()], ..profile("me") });
    world.welcome("", "CHANTYPES=#");
    assert!(world.sent().contains(&"JOIN #+tea,#tea".into()));
}

#[test]
fn a_message_to_ranks_is_the_rooms_without_statusmsg() {
    let mut world = on("", "PREFIX=(qaohv)~&@%+ CHANTYPES=#&");
    for target in ["@#lobby", "+#lobby", "&#lobby", "@+#lobby"] {
        world.server(&format!(":bob!u@h PRIVMSG {target} :to {target}"));
    }
    assert_eq!(world.talk("#lobby").len(), 4);
    world.enter("&#lobby", "me");
    world.server(":bob!u@h PRIVMSG &#lobby :in the other room");
    assert_eq!(world.talk("&#lobby"), ["bob: in the other room"], "an open room of that name is meant");
}

#[test]
fn ascii_alone_folds_where_the_server_says_so() {
    let mut world = on("", "CASEMAPPING=ascii");
    world.server(":Ärger!u@h PRIVMSG me :one\n:ärger!u@h PRIVMSG me :another");
    assert_eq!(
        (world.talk("Ärger"), world.talk("ärger")),
        (vec!["Ärger: one".into()], vec!["ärger: another".into()])
    );
    let mut ours = on("", "CASEMAPPING=ascii parlor/CASEMAPPING=unicode");
    ours.server(":Ärger!u@h PRIVMSG me :one\n:ärger!u@h PRIVMSG me :another");
    assert_eq!(ours.talk("ärger"), ["Ärger: one", "ärger: another"]);
}

#[test]
fn what_waited_from_the_last_start_waits_under_the_servers_own_folding() {
    let unsent = Unsent {
        to: "ÄRGER".into(),
        token: "0123456789abcdef0123456789abcdef".into(),
        text: "are you there?".into(),
        at: 7,
        ..Unsent::default()
    };
    let mut world = World::new(Profile { unsent: vec![unsent], ..profile("me") });
    world.welcome("", "CASEMAPPING=ascii");
    world.server("PONG");
    assert_eq!(world.states("Ärger".replace("rger", "RGER").to_lowercase().as_str()), []);
    let key = world.screen.lines.keys().find(|key| key.as_str().ends_with("rger")).cloned().unwrap();
    assert_eq!((key.as_str(), world.states(key.as_str())), ("Ärger", vec![Delivery::Delivered]));
}

#[test]
fn a_welcome_without_an_end_is_over_after_two_quiet_seconds() {
    let mut world = World::new(profile("me"));
    world.give(Input::Connected(Login::default()));
    world.server(":s.test 001 me :Hi");
    world.pass(Duration::from_millis(1500));
    world.server(":s.test 005 me NETWORK=Quiet :are supported");
    world.pass(Duration::from_millis(1999));
    assert_eq!(world.screen.status, Some(Status::Registering));
    world.pass(Duration::from_millis(1));
    assert_eq!(world.screen.status, Some(Status::Connected { server: "Quiet".into() }));
    assert!(world.sent().contains(&"JOIN #lobby".into()));
}

#[test]
fn a_welcome_that_does_not_say_our_name() {
    for welcome in [":s.test 001 :Welcome to the test", ":s.test 001 * :Welcome"] {
        let mut world = World::new(profile("me"));
        world.give(Input::Connected(Login::default()));
        world.server(&format!("{welcome}\n:s.test 005 NETWORK=Terse PREFIX=(ov)@+ :are\n:s.test 376 :End"));
        assert_eq!(world.screen.status, Some(Status::Connected { server: "Terse".into() }));
        world.server(":me!u@h JOIN #lobby\n:s.test 353 = #lobby :me @bob\n:s.test 366 #lobby :End");
        world.server(":s.test 332 #lobby :which tea?");
        assert_eq!(world.names("#lobby"), ["bob", "me"]);
        assert!(
            world.events().iter().any(|e| matches!(e, Event::Topic { text, .. } if text == "which tea?"))
        );
        world.seconds(100);
        assert!(!world.sent().iter().any(|line| line.starts_with("NICK")));
    }
}

#[test]
fn a_name_that_the_server_cuts_is_not_asked_for_again() {
    let long = "abcdefghijkl";
    let mut world = World::new(profile(long));
    world.give(Input::Connected(Login::default()));
    world
        .server(":s.test 001 abcdefghi :Hi\n:s.test 005 abcdefghi NICKLEN=9 :are\n:s.test 422 abcdefghi :No");
    world.server(":abcdefghi!u@h JOIN #lobby");
    assert!(world.screen.lines.contains_key("#lobby"), "it is us");
    world.look();
    world.seconds(25);
    assert!(!world.sent().iter().any(|line| line.starts_with("NICK")));
    // Nor after a loss, when the ghost had it for a while.
    world.give(Input::Lost(GONE));
    world.give(Input::Connected(Login::default()));
    world.server(":s.test 433 * abcdefghi :Taken\n:s.test 001 abcdefgh_ :Hi\n:s.test 422 abcdefgh_ :No");
    world.seconds(16);
    assert!(world.sent().contains(&format!("NICK {long}")));
    world.server(":abcdefgh_!u@h NICK abcdefghi");
    world.seconds(20);
    assert!(!world.sent().iter().any(|line| line.starts_with("NICK")));
}

#[test]
fn an_echo_that_was_altered_is_the_line() {
    // By its label, by our own tag, and by order.
    for (caps, tag) in [
        ("message-tags echo-message batch labeled-response", "label=m"),
        ("message-tags echo-message", "+parlor/id="),
        ("echo-message", ""),
    ] {
        let mut world = on(caps, "SAFERATE");
        world.say("#lobby", "first damn\nsecond");
        let sent = world.sent();
        for (line, said) in sent.iter().zip(["first ****", "second"]) {
            let tags = line.strip_prefix('@').and_then(|line| line.split(' ').next()).unwrap_or_default();
            let back = tags.split(';').find(|one| one.starts_with(tag)).filter(|_| !tag.is_empty());
            let back = back.map(|tag| format!("@{tag} ")).unwrap_or_default();
            world.server(&format!("{back}:me!u@h PRIVMSG #lobby :{said}"));
        }
        assert_eq!(world.talk("#lobby"), ["me: first ****", "me: second"], "{caps}");
        assert_eq!(world.states("#lobby"), [Delivery::Delivered; 2], "{caps}");
    }
}

#[test]
fn a_label_says_which_line_was_refused_and_which_was_only_taken() {
    let mut world = on("message-tags echo-message batch labeled-response", "SAFERATE");
    world.say("#lobby", "one\ntwo\nthree");
    let label = |line: &String| line[1..].split(';').next().unwrap().to_owned();
    let labels: Vec<String> = world.sent().iter().map(label).collect();
    world.server(&format!("@{} :s.test 404 me #lobby :Not that", labels[1]));
    world.server(&format!("@{} :s.test ACK", labels[2]));
    world.server(&format!(
        "@{} :s.test BATCH +7 labeled-response\n@batch=7 :me!u@h PRIVMSG #lobby :one\n:s.test BATCH -7",
        labels[0]
    ));
    assert_eq!(world.states("#lobby"), [Delivery::Delivered, Delivery::Failed, Delivery::Delivered]);
    assert_eq!(world.reasons("#lobby"), [server_says("Not that")]);
    assert_eq!(world.talk("#lobby").len(), 3);
}

#[test]
fn text_that_is_not_utf_8_is_read_as_the_server_writes() {
    let mut world = World::new(Profile { encoding: Encoding::of_language("zh"), ..profile("me") });
    world.welcome("", "SAFERATE");
    world.enter("#lobby", "me bob");
    world.give(Input::Received(b":bob!u@h PRIVMSG #lobby :\xc4\xe3\xba\xc3\r\n"));
    world.give(Input::Received(":bob!u@h PRIVMSG #lobby :你好\r\n".as_bytes()));
    assert_eq!(world.talk("#lobby"), ["bob: 你好", "bob: 你好"]);
}

#[test]
fn playback_without_msgids_is_shown_once_and_where_it_was_said() {
    let mut world = on("batch server-time message-tags", "SAFERATE");
    let at = |second: u64| UnixMillis(parlor_server::testing::world::START + second * 1000);
    let line = |second: u64, text: &str| format!("@time={} :bob!u@h PRIVMSG #lobby :{text}", at(second));
    let played =
        |second: u64, text: &str| format!("@batch=p;time={} :bob!u@h PRIVMSG #lobby :{text}", at(second));
    world.server(&[line(1, "one"), line(2, "two")].join("\n"));
    world.seconds(11);
    world.give(Input::Lost(GONE));
    world.give(Input::Connected(Login::default()));
    world.server(":s.test CAP * LS :batch server-time message-tags");
    world.server(
        ":s.test CAP me ACK :batch server-time message-tags\n:s.test 001 me :Hi\n:s.test 376 me :End",
    );
    world.server(":me!u@h JOIN #lobby");
    world.server(&line(9, "back again"));
    let page = [played(1, "one"), played(2, "two"), played(3, "missed"), played(3, "two")].join("\n");
    world.server(&format!(":s.test BATCH +p znc.in/playback #lobby\n{page}\n:s.test BATCH -p"));
    assert_eq!(world.talk("#lobby"), ["bob: one", "bob: two", "bob: missed", "bob: two", "bob: back again"]);
}

#[test]
fn a_password_is_asked_for_at_once_though_the_connection_stays_open() {
    for (line, sentence) in [
        (":irc.znc.in 464 me :Password required", Sentence::PasswordNeeded),
        (":s.test 465 me :You are banned", Sentence::Banned { reason: "You are banned".into() }),
    ] {
        let mut world = World::new(profile("me"));
        world.give(Input::Connected(Login::default()));
        world.server(line);
        assert!(world.calls.contains(&"disconnect"));
        let asks = sentence == Sentence::PasswordNeeded;
        let field = if asks { Field::ServerPassword } else { Field::Address };
        let refusal = Refusal { field, sentence, suggestion: None };
        assert!(world.events().contains(&Event::Refused(refusal)), "{line}");
    }
}

#[test]
fn a_refused_line_goes_again_under_another_id() {
    let mut world = World::ours("me");
    world.say("#lobby", "one");
    let (first, _) = token(&world.sent()[0]);
    // Somebody else has said it under this id: the server swallows ours, and the PONG tells.
    world.seconds(10);
    world.server(":s.test PONG s.test :parlor-2");
    assert_eq!(world.reasons("#lobby"), [Sentence::NotConfirmed]);
    world.look();
    let id = world.last("#lobby").id();
    world.act(Action::Retry { to: Key::new("#lobby"), id });
    let (second, rest) = token(&world.sent()[0]);
    assert_ne!(first, second);
    world.server(&format!("@+parlor/id={second} :me!u@h {rest}"));
    assert_eq!(world.states("#lobby"), [Delivery::Delivered]);
}

#[test]
fn a_line_that_was_lost_with_the_connection_goes_again_under_its_own_id() {
    let mut world = World::ours("me");
    world.seconds(11);
    world.say("#lobby", "one");
    let (first, _) = token(&world.sent()[0]);
    world.give(Input::Lost(GONE));
    world.welcome(OURS, "SAFERATE");
    world.server(":s.test 474 me #lobby :Banned");
    let id = world.last("#lobby").id();
    let failed =
        world.screen.lines("#lobby").iter().find(|line| line.own() && line.state() == Delivery::Failed);
    let failed = failed.map(Line::id).unwrap_or(id);
    world.enter("#lobby", "me");
    world.look();
    world.act(Action::Retry { to: Key::new("#lobby"), id: failed });
    assert_eq!(token(&world.sent()[0]).0, first, "the server may have it already");
}

#[test]
fn the_first_ping_of_a_session_finds_out_whether_they_are_answered() {
    let mut world = World::new(profile("me"));
    world.welcome_without_pong("", "");
    assert_eq!(pings(&world.sent()), 1);
    world.server("PONG");
    world.seconds(12);
    world.give(Input::Lost(GONE));
    world.look();
    world.welcome_without_pong("", "");
    assert_eq!(pings(&world.sent()), 0, "that is known");
}
