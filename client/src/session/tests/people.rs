//! Who comes and goes.

use super::*;

#[test]
fn operators_first_then_by_name() {
    let mut world = World::new(profile("me"));
    world.welcome(OURS, "PREFIX=(qaohv)~&@%+");
    world.server(":me!u@h JOIN #lobby");
    world.server(
        ":s.test 353 me = #lobby :me!u@h +Zoë!u@h @carl!u@h\n:s.test 353 me = #lobby :~@Amy!u@h %bob!u@h",
    );
    assert!(world.screen.people.is_empty(), "the names are still coming");
    world.server(":s.test 366 me #lobby :End");
    assert_eq!(world.names("#lobby"), ["Amy", "bob", "carl", "me", "Zoë"]);
    let people = world.screen.people["#lobby"].clone();
    assert_eq!(
        people.iter().map(|p| p.rank).collect::<Vec<_>>(),
        [Rank::Operator, Rank::Operator, Rank::Operator, Rank::Member, Rank::Voice]
    );
    assert_eq!(people.iter().filter(|p| p.me).map(|p| &*p.name).collect::<Vec<_>>(), ["me"]);
}

#[test]
fn one_snapshot_for_a_crowd() {
    let mut world = World::ours("me");
    let crowd: String = (0..500).map(|i| format!(":p{i}!u@h JOIN #lobby\r\n")).collect();
    world.give(Input::Received(crowd.as_bytes()));
    let told = world.events().into_iter().filter(|e| matches!(e, Event::People { .. })).count();
    assert_eq!((told, world.names("#lobby").len()), (1, 502));
    world.server(":bob!u@h PRIVMSG #lobby :hi");
    assert!(!world.events().iter().any(|e| matches!(e, Event::People { .. })), "nothing changed");
}

#[test]
fn coming_and_going_is_told_where_it_happened() {
    let mut world = World::ours("me");
    world.enter("#music", "me bob");
    world.act(Action::Private { nick: "bob".into() });
    world.server("@msgid=1 :amy!u@h JOIN #lobby * :Amy A");
    world.server(":amy!u@h PART #lobby :lunch");
    world.server(":bob!u@h QUIT :gone");
    let quiet = |name: &str| {
        let lines = world.screen.lines[name].iter().filter(|line| !line.own());
        lines.map(|line| (line.kind(), line.from().to_string(), line.text().to_string())).collect::<Vec<_>>()
    };
    let line = |kind, from: &str, text: &str| (kind, from.to_owned(), text.to_owned());
    assert_eq!(
        quiet("#lobby"),
        [
            line(LineKind::Joined, "amy", ""),
            line(LineKind::Left, "amy", "lunch"),
            line(LineKind::Left, "bob", "gone")
        ]
    );
    assert_eq!(quiet("#music"), [line(LineKind::Left, "bob", "gone")]);
    assert_eq!(quiet("bob"), [line(LineKind::Left, "bob", "gone")]);
    assert_eq!(world.names("#lobby"), ["me"]);
}

#[test]
fn a_private_conversation_follows_a_rename() {
    let mut world = World::ours("me");
    world.server(":bob!u@h PRIVMSG me :hi");
    world.server(":bob!u@h NICK Robert");
    let moved = Event::Moved { key: Key::new("bob"), to: Key::new("robert"), name: "Robert".into() };
    assert!(world.events().contains(&moved));
    assert_eq!(
        (world.last("robert").kind(), world.screen.lines.contains_key("bob")),
        (LineKind::Renamed, false)
    );
    world.say("robert", "hello");
    let (token, rest) = token(&world.sent()[0]);
    assert!(rest.starts_with("PRIVMSG Robert :"));
    assert_eq!(world.names("#lobby"), ["Robert", "me"], "still operator");
    world.server(":Robert!u@h NICK bob");
    let relayed = format!("@+parlor/id={token} :me!u@h PRIVMSG Robert :hello");
    world.server(&relayed);
    assert_eq!(world.states("bob"), [Delivery::Delivered], "what was under way moved along");
}

#[test]
fn put_out_and_not_back_by_itself() {
    let mut world = World::ours("me");
    world.server(":bob!u@h JOIN #x\n:amy!u@h JOIN #lobby\n:bob!u@h KICK #lobby amy :spam spam");
    let line = world.last("#lobby");
    assert_eq!((line.kicked(), line.from()), (Some(("amy", "spam spam")), "bob"));
    world.server(":bob!u@h KICK #lobby me :bob");
    let (room, by) = ("#lobby".into(), Some("bob".into()));
    let why = Some(Sentence::PutOut { room, by, reason: None });
    assert!(world.events().contains(&Event::Out { key: Key::new("#lobby"), why }));
    assert!(world.names("#lobby").is_empty() && !world.screen.lines("#lobby").is_empty(), "its lines stay");
    // What is typed meanwhile goes nowhere, and says so.
    world.say("#lobby", "am I here?");
    assert_eq!((world.sent(), world.reasons("#lobby")), (vec![], vec![Sentence::NotInRoom]));
    world.give(Input::Lost(GONE));
    world.seconds(2);
    world.welcome("", "");
    assert!(!world.sent().iter().any(|line| line.starts_with("JOIN")), "not back by itself");
}

#[test]
fn ranks_change_with_modes_and_their_parameters() {
    let mut world = World::ours("me");
    world.server(":bob!u@h MODE #lobby +bko-v+l *!*@x key me bob 5");
    assert_eq!(world.names("#lobby"), ["bob", "me"]);
    assert_eq!(world.screen.people["#lobby"][1].rank, Rank::Operator);
    let line = world.last("#lobby");
    assert_eq!((line.kind(), line.text()), (LineKind::Mode, "+b *!*@x\n+k key\n+o me\n-v bob\n+l 5"));
    world.server(":irc.test MODE #lobby -o+v bob bob");
    assert_eq!(world.screen.people["#lobby"][1].rank, Rank::Voice);
    let before = world.screen.lines["*"].len();
    world.server(":me MODE me :+i");
    assert_eq!(world.screen.lines["*"].len(), before);
}

#[test]
fn topics_and_invitations() {
    let mut world = World::ours("me");
    let lobby = Key::new("#lobby");
    let topic = |text: &str| Event::Topic { key: lobby.clone(), text: text.into() };
    world.server(":irc.test 332 me #lobby :Be kind\n:irc.test 333 me #lobby bob 1");
    assert_eq!(world.events(), [topic("Be kind")]);
    world.server(":bob!u@h TOPIC #lobby :");
    assert!(world.events().contains(&topic("")));
    assert_eq!(world.last("#lobby").kind(), LineKind::Topic);
    world.server(":bob!u@h INVITE me :#secret");
    let invited = Sentence::InvitesYou { by: "bob".into(), room: "#secret".into() };
    assert_eq!(world.said("#secret"), invited);
    let waits = Event::Out { key: Key::new("#secret"), why: Some(invited.clone()) };
    assert!(world.events.contains(&waits));
    let alert =
        |event: &Event| matches!(event, Event::Alert { line, .. } if line.sentence() == Some(&invited));
    assert!(world.events().iter().any(alert));
    world.server(":bob!u@h INVITE amy :#lobby");
    assert_eq!(world.said("#lobby"), Sentence::InvitedBy { by: "bob".into(), name: "amy".into() });
}

#[test]
fn away_is_seen() {
    let mut world = World::ours("me");
    world.server(":bob!u@h AWAY :lunch");
    assert!(world.screen.people["#lobby"][0].away);
    world.server(":bob!u@h AWAY");
    assert!(!world.screen.people["#lobby"][0].away);
    world.act(Action::Away { text: Some("tea".into()) });
    assert_eq!(world.sent(), ["AWAY :tea"]);
    world.server(":irc.test 306 me :You are marked as away");
    assert!(world.screen.people["#lobby"][1].away);
    world.act(Action::Private { nick: "bob".into() });
    world.server(":irc.test 301 me bob :lunch\n:irc.test 301 me bob :lunch");
    assert_eq!(world.screen.lines["bob"].len(), 1, "said once");
}

#[test]
fn rooms_are_listed_by_size() {
    let mut world = World::ours("me");
    world.act(Action::ListRooms);
    world.server(":s.test 321 me Channel :Users Name\n:s.test 322 me #a 2 :\n:s.test 322 me #b 30 :music\n:s.test 323 me :End");
    let room =
        |name: &str, people, topic: &str| ListedRoom { name: name.into(), people, topic: topic.into() };
    assert!(world.events().contains(&Event::Listed(vec![room("#b", 30, "music"), room("#a", 2, "")])));
}

#[test]
fn a_room_that_does_not_let_us_in_is_refused() {
    let room = || "#secret".to_owned();
    for (code, sentence) in [
        (471, Sentence::RoomFull { room: room() }),
        (473, Sentence::RoomInviteOnly { room: room() }),
        (474, Sentence::RoomBanned { room: room() }),
        (476, Sentence::RoomNotPossible { room: room() }),
        (405, Sentence::RoomRefuses { room: room(), reason: "You may not".into() }),
    ] {
        let mut world = World::ours("me");
        world.act(Action::Join { room: "secret".into(), key: None });
        assert_eq!(world.sent(), ["JOIN #secret"]);
        world.server(&format!(":s.test {code} me #secret :You may not"));
        let refusal = Refusal { field: Field::Room, sentence, suggestion: None };
        assert_eq!(world.events(), [Event::Refused(refusal)]);
        assert!(!world.screen.lines.contains_key("#secret"));
    }
}

#[test]
fn a_room_asks_for_its_key_and_lets_in_who_knows_it() {
    let mut world = World::ours("me");
    world.act(Action::Join { room: "secret".into(), key: None });
    world.server(":s.test 475 me #secret :Cannot join channel (+k)");
    let out = |why| Event::Out { key: Key::new("#secret"), why };
    assert!(world.events().contains(&out(Some(Sentence::RoomKey { room: "#secret".into() }))));
    world.sent();
    world.act(Action::Join { room: "#secret".into(), key: Some("open".into()) });
    assert_eq!(world.sent(), ["JOIN #secret open"]);
    world.enter("#secret", "me");
    assert!(world.events().contains(&out(None)));
    // It is known from now on.
    world.give(Input::Lost(GONE));
    world.seconds(2);
    world.welcome("", "");
    let sent = world.sent();
    assert!(sent.contains(&"JOIN #secret,#lobby open".into()), "{sent:?}");
}

#[test]
fn who_was_put_out_comes_back_or_hears_why_not() {
    let mut world = World::ours("me");
    world.server(":bob!u@h KICK #lobby me :bob");
    world.act(Action::Join { room: "#lobby".into(), key: None });
    world.server(":s.test 474 me #lobby :Cannot join channel (+b)");
    let out = |why| Event::Out { key: Key::new("#lobby"), why };
    assert!(world.events().contains(&out(Some(Sentence::RoomBanned { room: "#lobby".into() }))));
    world.server(":bob!u@h INVITE me #lobby");
    let invited = Sentence::InvitesYou { by: "bob".into(), room: "#lobby".into() };
    assert!(world.events().contains(&out(Some(invited))));
    world.act(Action::Join { room: "#lobby".into(), key: None });
    world.enter("#lobby", "me @bob");
    assert!(world.events().contains(&out(None)));
    assert_eq!(world.names("#lobby"), ["bob", "me"]);
}

#[test]
fn invitations_without_end_open_so_many_rooms() {
    let mut world = World::ours("me");
    for i in 0..50 {
        world.server(&format!(":eve{i}!u@h INVITE me #r{i}"));
    }
    let open = world.screen.lines.keys().filter(|key| key.as_str().starts_with("#r")).count();
    assert_eq!(open, crate::limits::INVITED);
    world.act(Action::Close { key: Key::new("#r0") });
    assert!(!world.screen.lines.contains_key("#r0"));
}

#[test]
fn bans_are_listed_lifted_and_followed() {
    let mut world = World::ours("me");
    let lobby = Key::new("#lobby");
    world.act(Action::LookAtBans { room: lobby.clone() });
    assert_eq!(world.sent(), ["MODE #lobby b"], "exceptions are the operators' business");
    world.server(
        ":s.test 367 me #lobby Eve!*@* bob!u@h 1700000000\n:s.test 367 me #lobby *!*@x\n:s.test 368 me #lobby :End",
    );
    let ban = |mask: &str, by: &str, at| Ban { mask: mask.into(), by: by.into(), at, exception: false };
    let (eve, x) = (ban("Eve!*@*", "bob", Some(UnixMillis(1_700_000_000_000))), ban("*!*@x", "", None));
    let listed = |bans: &[&Ban]| Event::Bans {
        room: lobby.clone(),
        bans: Some(bans.iter().copied().cloned().collect()),
    };
    assert!(world.events().contains(&listed(&[&eve, &x])));
    world.act(Action::Unban { room: lobby.clone(), mask: "Eve!*@*".into(), exception: false });
    assert_eq!(world.sent(), ["MODE #lobby -b Eve!*@*"]);
    world.server(":bob!u@h MODE #lobby -b Eve!*@*");
    assert!(world.events().contains(&listed(&[&x])));
    world.act(Action::Ban { room: lobby.clone(), nick: "*!*@y".into() });
    assert_eq!(world.sent(), ["MODE #lobby +b *!*@y"]);
    // A server that shows it to operators alone says so once.
    world.act(Action::LookAtBans { room: lobby.clone() });
    let lines = world.screen.lines("#lobby").len();
    world.server(":s.test 482 me #lobby :You're not channel operator");
    assert!(world.events().contains(&Event::Bans { room: lobby.clone(), bans: None }));
    assert_eq!(world.screen.lines("#lobby").len(), lines);
}

#[test]
fn a_room_says_how_it_is_set_and_is_set_anew() {
    let mut world = World::ours("me");
    let lobby = Key::new("#lobby");
    world.act(Action::LookAtSettings { room: lobby.clone() });
    assert_eq!(world.sent(), ["MODE #lobby"]);
    world.server(":s.test 324 me #lobby +ntk open");
    let mut settings =
        RoomSettings { key: Some("open".into()), topic_locked: true, ..RoomSettings::default() };
    let told = |settings: &RoomSettings| Event::Settings { room: lobby.clone(), settings: settings.clone() };
    assert!(world.events().contains(&told(&settings)));
    for (setting, sent) in [
        (RoomSetting::InviteOnly(true), "MODE #lobby +i"),
        (RoomSetting::TopicLocked(false), "MODE #lobby -t"),
        (RoomSetting::Key(String::new()), "MODE #lobby -k open"),
        (RoomSetting::Key("new".into()), "MODE #lobby +k new"),
    ] {
        world.act(Action::Set { room: lobby.clone(), setting });
        assert_eq!(world.sent(), [sent]);
    }
    world.act(Action::Set { room: lobby.clone(), setting: RoomSetting::Key("two words".into()) });
    assert_eq!((world.sent(), world.said("#lobby")), (vec![], Sentence::KeyNotPossible));
    world.server(":bob!u@h MODE #lobby +i-k open");
    (settings.invite_only, settings.key) = (true, None);
    assert!(world.events().contains(&told(&settings)));
}
