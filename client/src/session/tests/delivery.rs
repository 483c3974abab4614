//! The way of an own line.

use super::*;

#[test]
fn an_echo_is_a_receipt() {
    let mut world = World::ours("me");
    world.say("#lobby", "hello");
    assert_eq!(world.states("#lobby"), [Delivery::Pending]);
    let (token, rest) = token(&world.sent()[0]);
    assert_eq!(rest, "PRIVMSG #lobby :hello");
    world.server(&format!("@msgid=a;+parlor/id={token} :me!u@host.test PRIVMSG #lobby :hello"));
    assert_eq!(world.states("#lobby"), [Delivery::Delivered]);
    assert_eq!(world.last("#lobby").msgid().as_deref(), Some("a"));
    let events = world.events();
    assert!(matches!(&events[..], [Event::Changed { .. }]), "{events:?}");
    world.server(&format!("@msgid=b;+parlor/id={token} :me!u@host.test PRIVMSG #lobby :hello"));
    assert_eq!(world.talk("#lobby"), ["me: hello"], "stored twice, shown once");
}

#[test]
fn an_echo_without_our_tag_is_known_by_its_text() {
    let mut world = World::welcomed("me", "echo-message", "SAFERATE");
    world.say("#lobby", "hello");
    world.act(Action::Me { to: Key::new("#lobby"), text: "waves".into() });
    assert_eq!(world.sent(), ["PRIVMSG #lobby :hello", "PRIVMSG #lobby :\u{1}ACTION waves\u{1}"]);
    world.server(":me!u@h PRIVMSG #lobby :hello\n:me!u@h PRIVMSG #lobby :\u{1}ACTION waves\u{1}");
    assert_eq!(world.states("#lobby"), [Delivery::Delivered, Delivery::Delivered]);
}

#[test]
fn lines_of_ours_from_elsewhere_are_ours() {
    let mut world = World::ours("me");
    world.server(":me!u@h PRIVMSG #lobby :typed on the phone\n:me!u@h PRIVMSG bob :and this");
    assert!(world.last("#lobby").own() && world.last("bob").own());
    assert_eq!(world.states("bob"), [Delivery::Delivered]);
    assert!(!world.events().iter().any(|event| matches!(event, Event::Alert { .. })));
}

#[test]
fn a_message_to_oneself_is_shown_once() {
    let mut world = World::ours("me");
    world.command("#lobby", "/msg me note");
    let (token, _) = token(&world.sent()[0]);
    for _ in 0..2 {
        world.server(&format!("@msgid=a;+parlor/id={token} :me!u@h PRIVMSG me :note"));
    }
    assert_eq!((world.talk("me"), world.states("me")), (vec!["me: note".into()], vec![Delivery::Delivered]));
}

#[test]
fn without_echo_a_pong_is_the_sign() {
    let mut world = World::welcomed("me", "", "SAFERATE");
    world.say("#lobby", "one");
    assert_eq!(world.sent(), ["PRIVMSG #lobby :one", "PING :parlor-2"]);
    world.say("#lobby", "two");
    world.server(":s.test PONG s.test :parlor-2");
    assert_eq!(world.states("#lobby"), [Delivery::Delivered, Delivery::Pending]);
    world.server("PONG parlor-3");
    assert_eq!(world.states("#lobby"), [Delivery::Delivered, Delivery::Delivered]);
    world.server(":s.test PONG s.test :parlor-99999999999999999999999\n:s.test PONG");
}

#[test]
fn what_another_connection_of_ours_says_is_no_receipt() {
    for second in [true, false] {
        let mut world = World::welcomed("me", OURS, "SAFERATE parlor/MSGID=sorted");
        world.server(":me!u@h NICK me2");
        world.say("#lobby", "twice under way");
        let (token, _) = token(&world.sent()[0]);
        let line = format!(
            "@msgid=00000001018c2f3a4b50001;+parlor/id={token} :me!u@h PRIVMSG #lobby :twice under way"
        );
        world.server(&line);
        assert_eq!(world.states("#lobby"), [Delivery::Pending], "it may not be on disk");
        assert_eq!(world.sent(), ["PING :parlor-1"]);
        // What it says is the receipt of ours, or else what was heard before was that.
        world.server(if second { &line } else { "PONG parlor-1" });
        assert_eq!(world.states("#lobby"), [Delivery::Delivered]);
        assert_eq!(world.talk("#lobby"), ["me2: twice under way"]);
    }
}

#[test]
fn a_refused_line_that_another_connection_of_ours_says_is_there() {
    let mut world = World::welcomed("me", OURS, "SAFERATE parlor/MSGID=sorted");
    world.server(":me!u@h NICK me2");
    world.say("#lobby", "one");
    let (token, _) = token(&world.sent()[0]);
    world.server(":s.test 404 me2 #lobby :You may not");
    let msgid = "00000001018c2f3a4b50001";
    world.server(&format!("@msgid={msgid};+parlor/id={token} :me!u@h PRIVMSG #lobby :one"));
    let last = world.last("#lobby");
    assert_eq!((last.state(), last.msgid().as_deref()), (Delivery::None, Some(msgid)));
    assert_eq!(world.talk("#lobby").len(), 1);
}

#[test]
fn a_refusal_of_a_line_that_was_given_up_fails_no_other_one() {
    let mut world = World::ours("me");
    world.say("#lobby", "under way");
    world.server(":bob!u@h KICK #lobby me");
    world.act(Action::Join { room: "#lobby".into(), key: None });
    world.enter("#lobby", "me @bob");
    world.look();
    world.say("#lobby", "afterwards");
    let (token, _) = token(&world.sent()[0]);
    world.server(":s.test 404 me #lobby :Join the room to talk in it");
    let last = |world: &World| world.states("#lobby").last().copied();
    assert_eq!(last(&world), Some(Delivery::Pending));
    world.server(&format!("@msgid=a;+parlor/id={token} :me!u@h PRIVMSG #lobby :afterwards"));
    assert_eq!(last(&world), Some(Delivery::Delivered));
    // Once: the next refusal is of the next line.
    world.say("#lobby", "and now");
    world.server(":s.test 404 me #lobby :You may not");
    assert_eq!(world.reasons("#lobby").last(), Some(&server_says("You may not")));
}

#[test]
fn a_muted_line_says_why_as_the_mode_does() {
    let mut world = World::welcomed("me", OURS, "SAFERATE");
    for (mode, sentence) in
        [("+n", Sentence::NotInRoom), ("+m", Sentence::MayNotSpeak), ("+b", Sentence::BannedHere)]
    {
        world.say("#lobby", mode);
        world.server(&format!(":s.test 404 me #lobby :Cannot send to channel ({mode})"));
        assert_eq!(world.reasons("#lobby").last(), Some(&sentence));
    }
}

#[test]
fn a_refusal_fails_the_line_with_the_servers_sentence() {
    for caps in ["", OURS] {
        let mut world = World::welcomed("me", caps, "SAFERATE");
        world.say("#lobby", "one");
        world.server(":s.test 404 me #lobby :This room is moderated");
        assert_eq!(world.reasons("#lobby"), [server_says("This room is moderated")]);
        world.act(Action::Private { nick: "amy".into() });
        world.say("amy", "are you there?");
        world.server(":s.test 401 me amy :No such nick");
        assert_eq!(world.reasons("amy"), [Sentence::NoSuchPerson { name: Some("amy".into()) }]);
        world.say("amy", "and now?");
        world.server(":s.test FAIL PRIVMSG CANNOT_SEND amy :They are gone");
        assert_eq!(world.reasons("amy")[1], server_says("They are gone"));
    }
}

#[test]
fn retry_sends_the_same_line_again_under_another_id() {
    let mut world = World::ours("me");
    world.say("#lobby", "one");
    let first = world.sent();
    world.server(":s.test 404 me #lobby :Moderated");
    let line = world.last("#lobby");
    world.act(Action::Retry { to: Key::new("#lobby"), id: line.id() });
    assert_eq!(world.states("#lobby"), [Delivery::Pending]);
    let again = world.sent();
    assert_eq!(token(&again[0]).1, token(&first[0]).1);
    assert_ne!(token(&again[0]).0, token(&first[0]).0);
    world.server(&format!("@+parlor/id={} :me!u@h PRIVMSG #lobby :one", token(&again[0]).0));
    assert_eq!(world.states("#lobby"), [Delivery::Delivered]);
    world.act(Action::Retry { to: Key::new("#lobby"), id: line.id() });
    assert_eq!(world.sent(), [""; 0]);
}

#[test]
fn where_names_are_secret_a_line_that_is_tried_again_keeps_its_own() {
    let mut world = World::welcomed("me", OURS, "CASEMAPPING=ascii NETWORK=Parlor SAFERATE parlor/ID=secret");
    world.say("#lobby", "one");
    let first = world.sent();
    // Another server of the same rooms may have taken it before it was lost, and this one refuses it.
    world.server(":s.test 404 me #lobby :You were put out");
    let id = world.last("#lobby").id();
    world.act(Action::Retry { to: Key::new("#lobby"), id });
    assert_eq!(world.sent(), first);
}

#[test]
fn a_receipt_that_never_comes_is_a_failure_and_not_for_ever_pending() {
    let mut world = World::ours("me");
    world.say("#lobby", "swallowed");
    world.look();
    world.seconds(10);
    assert_eq!(world.sent(), ["PING :parlor-2"]);
    world.server(":s.test PONG s.test :parlor-2");
    assert!(matches!(&world.states("#lobby")[..], [Delivery::Failed]));
}

#[test]
fn long_and_many_lines_lose_nothing() {
    let mut world = World::ours("me");
    let long = "明".repeat(700) + &"word ".repeat(300);
    world.say("#lobby", &format!("first\n\n{long}\r\n\tlast\u{1}"));
    let mut said = Vec::new();
    while let Some(lines) = Some(world.sent()).filter(|sent| !sent.is_empty()) {
        for line in lines {
            let (token, rest) = token(&line);
            let relayed = format!(":me!u@host.test {rest}\r\n");
            assert!(relayed.len() <= 512, "{}", relayed.len());
            said.push(rest.strip_prefix("PRIVMSG #lobby :").unwrap().to_owned());
            world.server(&format!("@+parlor/id={token} {}", relayed.trim_end()));
        }
    }
    assert_eq!(said.first().unwrap(), "first");
    assert_eq!(said.last().unwrap(), "\tlast");
    assert_eq!((&*said[1], said[2..said.len() - 1].concat()), (" ", long));
    assert!(said[2].len() > 460, "cut by the real prefix, not by a guess: {}", said[2].len());
    assert!(world.states("#lobby").iter().all(|state| *state == Delivery::Delivered));
    assert_eq!(world.talk("#lobby").len(), said.len());
}

#[test]
fn sixteen_at_a_time() {
    let mut world = World::ours("me");
    world.say("#lobby", &(0..40).map(|i| format!("{i}\n")).collect::<String>());
    let sent = world.sent();
    assert_eq!(sent.len(), 16);
    world.server(&format!("@+parlor/id={} :me!u@h PRIVMSG #lobby :0", token(&sent[0]).0));
    assert!(world.sent()[0].ends_with(":16"));
    assert_eq!(world.states("#lobby").iter().filter(|s| **s == Delivery::Pending).count(), 39);
}

#[test]
fn slowly_to_a_server_that_cuts_the_fast() {
    let mut world = World::welcomed("me", "", "NICKLEN=9");
    world.seconds(25);
    world.look();
    world.say("#lobby", &(0..12).map(|i| format!("{i}\n")).collect::<String>());
    assert!(!world.sent.iter().any(|line| line.starts_with("PING")), "not for each line");
    let lines = |world: &mut World| world.sent().iter().filter(|line| line.starts_with("PRIVMSG")).count();
    assert_eq!(lines(&mut world), 5);
    world.pass(Duration::from_millis(499));
    assert_eq!(lines(&mut world), 0);
    world.pass(Duration::from_millis(1));
    assert_eq!(lines(&mut world), 1);
    world.seconds(3);
    assert_eq!(lines(&mut world), 6);
    world.server(&format!(":s.test PONG s.test :parlor-{}", world.session.pings.last()));
    assert!(world.states("#lobby").iter().all(|state| *state == Delivery::Delivered));
}

#[test]
fn to_nobody_is_said_so() {
    let mut world = World::ours("me");
    world.say("*", "hello?");
    assert_eq!(world.given_back().unwrap().0, "hello?");
    world.say("#nowhere", "hello?");
    assert!(world.said("*").to_string().contains("hello?"));
    world.say("#lobby", "waits");
    world.server(":me!u@h PART #lobby");
    let changed = world.events().into_iter().any(
        |event| matches!(event, Event::Changed { line, .. } if matches!(line.state(), Delivery::Failed)),
    );
    assert!(changed, "what waited has failed before the room closed");
}
