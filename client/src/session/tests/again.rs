//! A start after another one: what was open comes back, and what was not sent is still its person's.

use super::*;

fn room(name: &str, key: &str, read: u64) -> Open {
    Open { name: name.into(), key: key.into(), read, kind: Kind::Room }
}

fn again(open: Vec<Open>) -> World {
    World::new(Profile { open, rooms: Vec::new(), ..profile("me") })
}

/// The rooms of all JOINs, and their keys, as the server reads them.
fn joins(sent: &[String]) -> Vec<(String, String)> {
    let lines = sent.iter().filter_map(|line| line.strip_prefix("JOIN "));
    let rooms = lines.flat_map(|line| {
        let (rooms, keys) = line.split_once(' ').unwrap_or((line, ""));
        let keys = keys.split(',').chain(std::iter::repeat(""));
        rooms.split(',').zip(keys).map(|(room, key)| (room.to_owned(), key.to_owned())).collect::<Vec<_>>()
    });
    rooms.collect()
}

#[test]
fn all_that_was_open_is_open_at_once_in_its_order() {
    let mut open: Vec<Open> = (0..20).map(|i| room(&format!("#room{}", 19 - i), "", 0)).collect();
    open.insert(3, room("#secret", "k3y", 0));
    open.push(Open { name: "bob".into(), kind: Kind::Person, ..Open::default() });
    // A file can say anything.
    for (name, kind) in [("", Kind::Room), ("a b", Kind::Person), ("*", Kind::Person), ("", Kind::Server)] {
        open.push(Open { name: name.into(), kind, ..Open::default() });
    }
    let names: Vec<String> = open.iter().take(22).map(|open| open.name.clone()).collect();
    let mut world = again(open);
    let opened = world.events().into_iter().filter_map(|event| match event {
        Event::Opened { name, kind: Kind::Room | Kind::Person, .. } => Some(name),
        _ => None,
    });
    assert_eq!(opened.collect::<Vec<_>>(), names);
    world.welcome(OURS, "SAFERATE TARGMAX=JOIN:4");
    let sent = world.sent();
    let joined = joins(&sent);
    assert_eq!(joined.len(), 21);
    assert!(joined.contains(&("#secret".into(), "k3y".into())), "{joined:?}");
    assert_eq!(sent.iter().filter(|line| line.starts_with("JOIN")).count(), 6, "four to a line");
    assert!(sent.iter().all(|line| line.len() <= 510));
}

#[test]
fn many_rooms_are_entered_as_fast_as_the_server_likes() {
    let mut world = again((0..200).map(|i| room(&format!("#{i:050}"), "", 0)).collect());
    world.welcome("", "TARGMAX=JOIN:");
    let first = world.sent();
    assert!(first.iter().filter(|line| line.starts_with("JOIN")).count() <= 5, "{first:?}");
    let mut joined = joins(&first);
    world.act(Action::Leave { key: Key::new(&format!("#{:050}", 199)) });
    for _ in 0..60 {
        world.pass(Duration::from_millis(500));
        let sent = world.sent();
        assert!(sent.iter().filter(|line| line.starts_with("JOIN")).count() <= 1);
        assert!(sent.iter().all(|line| line.len() <= 510));
        joined.extend(joins(&sent));
    }
    assert_eq!(joined.len(), 199, "all but the one that was left meanwhile");
}

#[test]
fn a_room_that_refuses_says_so_in_its_own_row_and_stops_nothing() {
    let mut world = again(vec![room("#a", "", 0), room("#b", "old", 0), room("#c", "", 0)]);
    world.welcome(OURS, "SAFERATE");
    world.server(":s.test 475 me #b :Cannot join channel (+k)\n:s.test 474 me #c :Cannot join channel (+b)");
    world.enter("#a", "me");
    let why = |name: &str| match world.said(name) {
        Sentence::NotBackIn { why } => *why,
        other => panic!("{other:?}"),
    };
    assert_eq!(why("#b"), Sentence::RoomKey { room: "#b".into() });
    assert_eq!(why("#c"), Sentence::RoomBanned { room: "#c".into() });
    assert_eq!(world.names("#a"), ["me"]);
    world.look();
    // With the new key it is the same row.
    world.act(Action::Join { room: "#b".into(), key: Some("new".into()) });
    world.enter("#b", "me");
    let told = |world: &mut World| {
        let keys = world.events().into_iter().filter_map(|event| match event {
            Event::RoomKey { room_key, .. } => Some(room_key),
            _ => None,
        });
        keys.collect::<Vec<_>>()
    };
    assert_eq!(told(&mut world), ["new"]);
    world.server(":bob!u@h MODE #b +k-v newer me\n:bob!u@h MODE #b +k *\n:bob!u@h MODE #b -k newer");
    assert_eq!(told(&mut world), ["newer", ""]);
    world.act(Action::Leave { key: Key::new("#c") });
    assert!(!world.screen.lines.contains_key(&Key::new("#c")));
}

#[test]
fn a_room_is_the_same_one_though_the_server_folds_names_in_another_way() {
    let mut world = again(vec![room("#Ärger", "", 0)]);
    world.welcome("", "CASEMAPPING=ascii");
    world.enter("#Ärger", "me");
    let rooms: Vec<&Key> = world.screen.lines.keys().filter(|key| !key.is_server()).collect();
    assert_eq!(rooms.len(), 1, "{rooms:?}");
    assert_eq!(world.screen.names(rooms[0].as_str()), ["me"]);
}

#[test]
fn what_was_said_since_the_last_line_that_was_read_is_unread() {
    let caps = "message-tags server-time batch draft/chathistory draft/event-playback";
    let mut world = again(vec![room("#lobby", "", START + 1000)]);
    world.welcome(caps, "SAFERATE CHATHISTORY=100 MSGREFTYPES=timestamp");
    world.server(":me!u@h JOIN #lobby");
    assert!(world.sent().iter().any(|line| line.contains("CHATHISTORY LATEST #lobby")));
    let said = |at: u64, text: &str| {
        format!("@batch=h;time={};msgid={at} :bob!u@h PRIVMSG #lobby :{text}\n", UnixMillis(START + at))
    };
    let page = [said(500, "read"), said(1000, "read, too"), said(1500, "me: new"), said(2500, "newer")];
    world.server(&format!(":s BATCH +h chathistory #lobby\n{}:s BATCH -h", page.concat()));
    let unread = world.events().into_iter().rev().find_map(|event| match event {
        Event::Unread { count, mentions, .. } => Some((count, mentions)),
        _ => None,
    });
    assert_eq!(unread, Some((2, 1)));
    assert_eq!(world.talk("#lobby").len(), 4);
}

#[test]
fn what_failed_comes_back_as_failed_and_goes_only_when_asked() {
    let line = |text: &str, state| Unsent {
        to: "#lobby".into(),
        token: format!("{:032x}", text.len()),
        text: text.into(),
        state,
        ..Unsent::default()
    };
    let unsent = vec![line("refused", UnsentState::Refused), line("of somebody", UnsentState::Nameless)];
    let mut world = World::new(Profile { unsent: unsent.clone(), ..profile("me") });
    world.welcome(OURS, "SAFERATE");
    world.enter("#lobby", "me");
    assert!(!world.sent().iter().any(|line| line.contains("PRIVMSG")), "nobody has asked");
    assert_eq!(world.reasons("#lobby"), [Sentence::NotSentThen, Sentence::SenderUnknown]);
    assert_eq!(world.kept, unsent, "as long as nobody decides");
    let ids: Vec<LineId> =
        world.screen.lines("#lobby").iter().filter(|l| l.own() && l.is_talk()).map(Line::id).collect();
    world.act(Action::Retry { to: Key::new("#lobby"), id: ids[1] });
    let (name, rest) = token(&world.sent()[0]);
    assert_eq!(rest, "PRIVMSG #lobby :of somebody");
    assert_ne!(name, unsent[1].token, "it may be known under that");
    world.act(Action::Discard { to: Key::new("#lobby"), id: ids[0] });
    world.server(&format!("@+parlor/id={name} :me!u@h {rest}"));
    assert_eq!(world.kept, []);
}

#[test]
fn a_line_that_fails_is_kept_until_somebody_decides() {
    let mut world = World::ours("me");
    world.say("#lobby", "hello");
    world.server(":s.test 404 me #lobby :You may not");
    assert_eq!(world.kept.iter().map(|line| line.state).collect::<Vec<_>>(), [UnsentState::Refused]);
    world.server(":me!u@h PART #lobby");
    assert_eq!(world.kept, []);
}

#[test]
fn another_name_by_our_own_wish_is_told_and_no_other_one() {
    let mut world = World::ours("me");
    let renamed = |world: &mut World| {
        let names = world.events().into_iter().filter_map(|event| match event {
            Event::Renamed { nick } => Some(nick),
            _ => None,
        });
        names.collect::<Vec<_>>()
    };
    world.command("#lobby", "/nick you");
    world.server(":me!u@h NICK you");
    assert_eq!(renamed(&mut world), ["you"]);
    world.server(":you!u@h NICK Guest1");
    assert_eq!(renamed(&mut world), [""; 0], "the server's will");
    world.give(Input::Lost(GONE));
    world.act(Action::Rename { nick: "offline".into() });
    assert_eq!(renamed(&mut world), ["offline"]);
}

#[test]
fn what_was_said_to_us_alone_is_asked_for_where_it_is_kept() {
    let caps = "message-tags server-time batch draft/chathistory draft/event-playback";
    for (isupport, asked) in [("CHATHISTORY=50", true), ("CHATHISTORY=50 parlor/MSGID=sorted", false)] {
        let mut world = again(vec![Open { name: "bob".into(), kind: Kind::Person, ..Open::default() }]);
        world.welcome(caps, isupport);
        let sent = world.sent();
        assert_eq!(sent.contains(&"CHATHISTORY LATEST bob * 50".into()), asked, "{sent:?}");
        if asked {
            world.server(":s BATCH +h chathistory bob\n@batch=h;msgid=1;time=2026-01-01T00:00:00.000Z :bob!u@h PRIVMSG me :psst");
            world.server(
                "@batch=h;msgid=2;time=2026-01-01T00:00:01.000Z :me!u@h PRIVMSG bob :yes?\n:s BATCH -h",
            );
            assert_eq!(world.talk("bob"), ["bob: psst", "me: yes?"]);
        }
    }
    let mut world = again(vec![Open { name: "bob".into(), kind: Kind::Person, ..Open::default() }]);
    world.welcome(caps, "CHATHISTORY=50");
    world.server(":s FAIL CHATHISTORY INVALID_TARGET LATEST bob :Messages could not be retrieved");
    assert!(world.screen.lines("bob").is_empty(), "{:?}", world.screen.lines("bob"));
}
