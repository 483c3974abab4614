//! What others say, and what becomes of it.

use super::*;

#[test]
fn rooms_people_and_the_server_have_their_own_timelines() {
    let mut world = World::ours("me");
    world.server(":bob!u@h PRIVMSG #lobby :hello all");
    world.server(":bob!u@h PRIVMSG me :just you");
    world.server(":bob!u@h PRIVMSG #lobby :\u{1}ACTION waves\u{1}");
    world.server(":bob!u@h PRIVMSG @#lobby :for operators");
    world.server(":irc.test NOTICE me :from the server\n:irc.test NOTICE #lobby :to the room");
    assert_eq!(
        world.talk("#lobby"),
        ["bob: hello all", "bob: waves", "bob: for operators", "irc.test: to the room"]
    );
    assert_eq!(world.talk("bob"), ["bob: just you"]);
    assert_eq!(world.talk("*"), ["irc.test: from the server"]);
    assert_eq!(world.screen.lines["#lobby"][world.screen.lines["#lobby"].len() - 3].kind(), LineKind::Action);
    let opened = world.events().into_iter().filter(|event| matches!(event, Event::Opened { .. }));
    assert_eq!(opened.count(), 1, "the private conversation");
}

#[test]
fn nothing_that_is_no_text_reaches_the_window() {
    let mut world = World::ours("me");
    world.server(":bob!u@h PRIVMSG #lobby :\u{3}04red\u{3} \u{2}bold\u{f}\u{1b}[2J");
    assert_eq!(world.talk("#lobby"), ["bob: red bold"]);
    world.give(Input::Received(b":bob!u@h PRIVMSG #lobby :caf\xe9\r\n"));
    assert_eq!(world.talk("#lobby")[1], "bob: café");
}

#[test]
fn bytes_may_be_cut_anywhere() {
    let mut world = World::ours("me");
    for byte in "@msgid=1;time=2023-11-14T22:13:21.500Z :bob!u@h PRIVMSG #lobby :小明 😀\r\n".bytes() {
        world.give(Input::Received(&[byte]));
    }
    let line = world.last("#lobby");
    assert_eq!(
        (line.text(), line.at(), line.msgid().as_deref()),
        ("小明 😀", UnixMillis(START + 1500), Some("1"))
    );
}

#[test]
fn a_mention_is_a_whole_word() {
    let mut world = World::ours("me");
    world.server(":bob!u@h PRIVMSG #lobby :some melons\n:bob!u@h PRIVMSG #lobby :ME: come");
    let lines = &world.screen.lines["#lobby"];
    let mentions: Vec<bool> = lines[lines.len() - 2..].iter().map(|line| line.mention()).collect();
    assert_eq!(mentions, [false, true]);
    let events = world.events();
    let lobby = Key::new("#lobby");
    assert!(events.contains(&Event::Unread { key: lobby.clone(), count: 2, mentions: 1 }));
    let alert = |event: &Event| {
        matches!(event, Event::Alert { key, line }
            if *key == lobby && (line.from(), line.text()) == ("bob", "ME: come"))
    };
    assert!(events.iter().any(alert));
}

#[test]
fn what_is_being_read_is_not_unread() {
    let mut world = World::ours("me");
    let lobby = Key::new("#lobby");
    world.server(":bob!u@h PRIVMSG #lobby :one\n:bob!u@h PRIVMSG #lobby :two\n:bob!u@h PART #lobby");
    let unread = |world: &mut World| {
        let events = world.events();
        events
            .into_iter()
            .filter(|e| matches!(e, Event::Unread { .. } | Event::Alert { .. }))
            .collect::<Vec<_>>()
    };
    assert_eq!(unread(&mut world), [Event::Unread { key: lobby.clone(), count: 2, mentions: 0 }]);
    world.act(Action::Reading { key: lobby.clone() });
    assert_eq!(unread(&mut world), [Event::Unread { key: lobby.clone(), count: 0, mentions: 0 }]);
    world.server(":bob!u@h PRIVMSG #lobby :me, three");
    assert_eq!(unread(&mut world), []);
    world.act(Action::NotReading);
    world.server(":bob!u@h PRIVMSG #lobby :four");
    assert_eq!(unread(&mut world), [Event::Unread { key: lobby, count: 1, mentions: 0 }]);
    world.server(":bob!u@h PRIVMSG me :psst");
    assert_eq!(unread(&mut world).len(), 2, "a private line alerts");
}

#[test]
fn a_line_comes_once_whoever_sends_it_again() {
    let mut world = World::ours("me");
    world.server("@msgid=a :bob!u@h PRIVMSG #lobby :one\n@msgid=a :bob!u@h PRIVMSG #lobby :one");
    world.server("@msgid=b;+parlor/id=77 :bob!u@h PRIVMSG #lobby :two");
    world.server("@msgid=c;+parlor/id=77 :bob!u@h PRIVMSG #lobby :two");
    world.server(":bob!u@h PRIVMSG #lobby :two");
    assert_eq!(world.talk("#lobby"), ["bob: one", "bob: two", "bob: two"]);
    world.server("@msgid=d;+parlor/id=77 :bob_!u@h PRIVMSG #lobby :two");
    world.server("@msgid=e;+parlor/id=77 :amy!u@h PRIVMSG #lobby :by chance the same token");
    assert_eq!(world.talk("#lobby")[3..], ["amy: by chance the same token"]);
}

#[test]
fn history_is_shown_with_its_time_and_wakes_nobody() {
    let mut world = World::ours("me");
    world.server(":irc.test BATCH +1 chathistory #lobby");
    world.server("@batch=1;time=2023-11-14T20:00:00.000Z;msgid=a :bob!u@h PRIVMSG #lobby :me: old");
    world.server("@batch=1;time=2023-11-14T20:00:01.000Z :me!u@h PART #lobby :old news");
    world.server(":irc.test BATCH -1");
    assert_eq!(world.screen.lines["#lobby"].len(), 3, "our coming in, and two of the history");
    assert_eq!(world.last("#lobby").at(), UnixMillis(1_699_992_001_000));
    let events = world.events();
    assert!(
        !events
            .iter()
            .any(|e| matches!(e, Event::Alert { .. } | Event::Unread { .. } | Event::Closed { .. }))
    );
    world.server("@batch=1;msgid=b :bob!u@h PRIVMSG #lobby :me: new");
    assert!(world.events().iter().any(|event| matches!(event, Event::Alert { .. })));
}

#[test]
fn who_is_ignored_says_nothing() {
    let mut world = World::ours("me");
    world.act(Action::Ignore { nick: "Bob".into() });
    assert!(world.events().contains(&Event::Ignored(vec!["Bob".into()])));
    world.server(":bob!u@h PRIVMSG #lobby :me!\n:bob!u@h PRIVMSG me :me!\n:bob!u@h INVITE me #x");
    world.server(":bob!u@h NOTICE me :\u{1}VERSION\u{1}\n:bob!u@h PRIVMSG me :\u{1}VERSION\u{1}");
    assert_eq!((world.talk("#lobby"), world.screen.lines.len()), (vec![], 2));
    assert_eq!(world.look(), (vec![], vec![]));
    world.act(Action::Unignore { nick: "BOB".into() });
    world.server(":bob!u@h PRIVMSG #lobby :hi");
    assert_eq!(world.talk("#lobby"), ["bob: hi"]);
    let profile = Profile { ignored: vec!["[Bob]".into()], ..profile("me") };
    let mut world = World::new(profile);
    world.welcome("", "CASEMAPPING=rfc1459");
    world.enter("#lobby", "me");
    world.server(":{bob}!u@h PRIVMSG #lobby :hi");
    assert_eq!(world.talk("#lobby"), [""; 0]);
}

#[test]
fn programs_are_answered_rarely() {
    let mut world = World::ours("me");
    world.server(":bob!u@h PRIVMSG me :\u{1}VERSION\u{1}");
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(world.sent(), [format!("NOTICE bob :\u{1}VERSION Parlor {version}\u{1}")]);
    for _ in 0..10 {
        world.server(":bob!u@h PRIVMSG me :\u{1}PING 12 34\u{1}");
    }
    assert_eq!(world.sent(), ["NOTICE bob :\u{1}PING 12 34\u{1}"; 2]);
    world.seconds(20);
    world.look();
    world.server(":bob!u@h PRIVMSG me :\u{1}DCC SEND x\u{1}\n:bob!u@h PRIVMSG #lobby :\u{1}VERSION\u{1}");
    assert_eq!(world.sent(), [""; 0]);
    assert!(!world.screen.lines.contains_key("bob"), "no conversation of programs");
    // So is what they answer, to us and now.
    world.server(":bob!u@h NOTICE #lobby :\u{1}VERSION irssi\u{1}");
    let before = world.screen.lines("*").len();
    for _ in 0..10 {
        world.server(":bob!u@h NOTICE me :\u{1}VERSION irssi\u{1}");
    }
    assert_eq!(world.screen.lines("*").len() - before, 3);
    let (name, verb, text) = ("bob".into(), "VERSION".into(), "irssi".into());
    assert_eq!(world.said("*"), Sentence::CtcpAnswer { name, verb, text });
}
