//! What is said about lines: answers, reactions, deletions, how far was read.

use super::*;

fn marking() -> World {
    let caps = format!(
        "{OURS} draft/multiline=max-bytes=4096 draft/message-redaction draft/read-marker draft/chathistory \
         draft/event-playback"
    );
    World::welcomed("me", &caps, "CASEMAPPING=ascii SAFERATE STATUSMSG=@+ PREFIX=(ov)@+")
}

/// Each reaction to the line with this text, with who has put it there.
fn reactions(world: &World, text: &str) -> Vec<String> {
    let shown =
        |one: &Reaction| format!("{}{} {}", if one.own { "*" } else { "" }, one.emoji, one.names.join(","));
    line(world, text).reactions().iter().map(shown).collect()
}

fn line(world: &World, text: &str) -> Line {
    let lines = world.screen.lines("#lobby");
    lines.iter().rev().find(|line| line.text() == text).unwrap_or_else(|| panic!("{text}: {lines:?}")).clone()
}

fn page(world: &mut World, lines: &str) {
    let asked =
        world.session.questions.front().and_then(|question| question.label.clone()).expect("a question");
    world.server(&format!(
        "@label={asked} :irc.test BATCH +h chathistory #lobby\n{lines}\n:irc.test BATCH -h"
    ));
}

#[test]
fn people_put_emoji_under_lines_and_take_them_back() {
    let mut world = marking();
    world.server("@msgid=1 :bob!u@h PRIVMSG #lobby :hi");
    let react = |who: &str, tag: &str, at: u32| {
        format!("@time=2023-11-14T22:14:{at:02}.000Z;+draft/reply=1;+draft/{tag} :{who}!u@h TAGMSG #lobby")
    };
    world.server(&react("bob", "react=👍", 1));
    world.server(&react("eve", "react=👍", 2));
    world.server(&react("eve", "react=👍", 3));
    world.server(&react("eve", "react=🎉", 4));
    world.server(&react("me", "react=🎉", 5));
    assert_eq!(reactions(&world, "hi"), ["👍 bob,eve", "*🎉 eve,me"]);
    world.server(&react("bob", "unreact=👍", 6));
    world.server(&react("eve", "unreact=👍", 7));
    assert_eq!(reactions(&world, "hi"), ["*🎉 eve,me"]);
    // What history brings of it again says nothing new.
    page(&mut world, &format!("@batch=h;{}", &react("bob", "react=👍", 1)[1..]));
    assert_eq!(reactions(&world, "hi"), ["*🎉 eve,me"]);
    world.act(Action::Ignore { nick: "eve".into() });
    world.server(&react("eve", "react=x", 8));
    world.server(&react("bob", &format!("react={}", "x".repeat(65)), 9));
    world.server(&react("bob", "react=\u{7}", 10));
    // No line has such a name.
    let long = "9".repeat(129);
    world.server(&format!(
        "@+reply={long};+draft/react=x :bob!u@h TAGMSG #lobby\n:bob!u@h REDACT #lobby {long}"
    ));
    assert!(world.session.marks.get(&Key::new("#lobby"), &long).is_none());
    assert_eq!(reactions(&world, "hi"), ["*🎉 eve,me"]);
    assert!(!world.events().iter().any(|event| matches!(event, Event::Alert { .. })), "no line");
}

#[test]
fn our_own_reactions_go_out_and_count_when_they_come_back() {
    let mut world = marking();
    world.server("@msgid=1;time=2023-11-14T22:14:00.000Z :bob!u@h PRIVMSG #lobby :hi");
    world.look();
    let (to, id) = (Key::new("#lobby"), line(&world, "hi").id());
    world.act(Action::React { to: to.clone(), id, emoji: "👍".into(), on: true });
    let sent = world.sent();
    assert_eq!(sent, ["@+reply=1;+draft/reply=1;+draft/react=👍 TAGMSG #lobby"]);
    assert_eq!(reactions(&world, "hi"), [""; 0]);
    world.server(&format!("@msgid=2;{}", &sent[0][1..].replacen(' ', " :me!u@h ", 1)));
    assert_eq!(reactions(&world, "hi"), ["*👍 me"]);
    world.act(Action::React { to: to.clone(), id, emoji: "👍".into(), on: false });
    assert_eq!(world.sent(), ["@+reply=1;+draft/reply=1;+draft/unreact=👍 TAGMSG #lobby"]);
    // Nothing is sent about a line that the server does not know.
    world.say("#lobby", "waits");
    world.look();
    let waits = line(&world, "waits").id();
    world.act(Action::React { to: to.clone(), id: waits, emoji: "👍".into(), on: true });
    world.act(Action::Delete { to: to.clone(), id: waits, reason: String::new() });
    assert_eq!(world.sent(), [""; 0]);
    // A server without echoes says nothing of it.
    let mut world = World::welcomed("me", "message-tags server-time", "SAFERATE");
    world.server("@msgid=1 :bob!u@h PRIVMSG #lobby :hi");
    let id = line(&world, "hi").id();
    world.act(Action::React { to, id, emoji: "👍".into(), on: true });
    assert_eq!(reactions(&world, "hi"), ["*👍 me"]);
}

#[test]
fn an_answer_shows_the_beginning_of_its_line() {
    let mut world = marking();
    let asked = std::mem::take(&mut world.session.questions);
    world.server(
        "@msgid=1 :bob!u@h PRIVMSG #lobby :shall we?\n@msgid=2;+reply=1 :eve!u@h PRIVMSG #lobby :bob: yes",
    );
    let quote = |world: &World, text: &str| {
        let line = line(world, text);
        let quote = line.reply().expect("an answer");
        (quote.from.to_string(), quote.text.to_string(), quote.deleted)
    };
    assert_eq!(quote(&world, "bob: yes"), ("bob".into(), "shall we?".into(), false));
    world.look();
    let id = line(&world, "bob: yes").id();
    world.act(Action::Answer { to: Key::new("#lobby"), text: "eve: fine".into(), id });
    let sent = world.sent();
    let (name, rest) = token(&sent[0]);
    assert!(sent[0].contains(";+reply=2;+draft/reply=2 ") && rest == "PRIVMSG #lobby :eve: fine", "{sent:?}");
    assert_eq!(quote(&world, "eve: fine"), ("eve".into(), "bob: yes".into(), false));
    world.server(&format!("@msgid=3;+parlor/id={name};+reply=2 :me!u@h PRIVMSG #lobby :eve: fine"));
    assert_eq!(quote(&world, "eve: fine").0, "eve");
    // An answer to a line that history brings later.
    world.server("@msgid=9;+draft/reply=0 :eve!u@h PRIVMSG #lobby :to an old one");
    assert_eq!(quote(&world, "to an old one"), (String::new(), String::new(), false));
    world.session.questions = asked;
    page(&mut world, "@batch=h;msgid=0 :bob!u@h PRIVMSG #lobby :an old one");
    assert_eq!(quote(&world, "to an old one"), ("bob".into(), "an old one".into(), false));
    // What is taken back is not read above an answer either.
    world.server(":bob!u@h REDACT #lobby 0");
    assert_eq!(quote(&world, "to an old one"), ("bob".into(), String::new(), true));
}

#[test]
fn an_answer_waits_across_a_restart_with_what_it_answers() {
    let mut world = marking();
    world.server("@msgid=1 :bob!u@h PRIVMSG #lobby :shall we?");
    world.give(Input::Lost(GONE));
    let id = line(&world, "shall we?").id();
    world.act(Action::Answer { to: Key::new("#lobby"), text: "bob: yes".into(), id });
    let unsent = world.kept.clone();
    assert_eq!(&*unsent[0].reply, "1");
    let mut again = World::new(Profile { unsent, ..profile("me") });
    again.welcome(OURS, "CASEMAPPING=ascii SAFERATE");
    again.enter("#lobby", "me @bob");
    assert!(again.sent().iter().any(|line| line.contains("+reply=1") && line.ends_with(":bob: yes")));
}

#[test]
fn a_deleted_line_says_who_deleted_it_and_nothing_else() {
    let mut world = marking();
    world.server("@msgid=1 :eve!u@h PRIVMSG #lobby :a \u{2}secret\u{2}\n@+draft/react=x;+draft/reply=1 :bob!u@h TAGMSG #lobby");
    world.look();
    let id = line(&world, "a secret").id();
    world.act(Action::Delete { to: Key::new("#lobby"), id, reason: "not here ".into() });
    assert_eq!(world.sent(), ["REDACT #lobby 1 :not here"]);
    world.server(":me!u@h REDACT #lobby 1 :not here");
    let gone = world.screen.lines("#lobby").iter().find(|line| line.id() == id).expect("its place").clone();
    let deleted = gone.deleted().expect("deleted");
    assert_eq!((&*deleted.by, &*deleted.reason), ("me", "not here"));
    assert!(gone.text().is_empty() && gone.reactions().is_empty() && gone.spans().is_empty());
    assert_eq!((gone.from(), gone.msgid().as_deref()), ("eve", Some("1")));
    // A second one changes nothing, nor does one of another room's line.
    world.server(":bob!u@h REDACT #lobby 1\n@msgid=5 :bob!u@h PRIVMSG #lobby :stays\n:bob!u@h REDACT me 5");
    assert_eq!(
        &*world.screen.lines("#lobby").iter().find(|line| line.id() == id).unwrap().deleted().unwrap().by,
        "me"
    );
    assert!(line(&world, "stays").deleted().is_none());
    // It is not found.
    world.act(Action::Find { key: Key::new("#lobby"), text: "eve".into() });
    assert!(
        world.events().iter().any(|event| matches!(event, Event::Found(found) if found.lines.is_empty()))
    );
    // A refusal is said where it was asked.
    world.server("FAIL REDACT REDACT_FORBIDDEN #lobby 1 :Only its sender and operators may");
    assert_eq!(world.said("#lobby"), server_says("Only its sender and operators may"));
}

#[test]
fn a_line_that_comes_after_its_deletion_is_deleted() {
    let mut world = marking();
    world.server(":eve!u@h REDACT #lobby 1 :oops\n@msgid=2 :bob!u@h PRIVMSG #lobby :here");
    page(
        &mut world,
        "@batch=h;msgid=1 :eve!u@h PRIVMSG #lobby :[deleted]\n@batch=h;msgid=3 :bob!u@h PRIVMSG #lobby :[deleted]\n\
         @batch=h;msgid=4 :bob!u@h REDACT #lobby 3",
    );
    let deleted: Vec<String> =
        world.screen.lines("#lobby").iter().filter_map(|l| Some(l.deleted()?.by.to_string())).collect();
    assert_eq!(deleted, ["eve", "bob"]);
    assert_eq!(world.talk("#lobby").iter().filter(|line| line.contains("[deleted]")).count(), 0);
}

#[test]
fn a_page_of_reactions_is_no_end_of_the_history() {
    let caps = format!("{OURS} draft/chathistory draft/event-playback");
    let mut world =
        World::welcomed("me", &caps, "CASEMAPPING=ascii SAFERATE parlor/MSGID=sorted CHATHISTORY=3");
    let id = |n: u64| format!("{:08x}{:011x}{:04x}", 256, START + n, 0);
    page(&mut world, &format!("@batch=h;msgid={} :bob!u@h PRIVMSG #lobby :one", id(1)));
    world.give(Input::Lost(GONE));
    world.seconds(61);
    world.welcome(&caps, "CASEMAPPING=ascii SAFERATE parlor/MSGID=sorted CHATHISTORY=3");
    world.server(&format!("@msgid={} :me!u@host.test JOIN #lobby\n:irc.test 366 me #lobby :End", id(90)));
    world.look();
    let events = (2..5).map(|n| {
        format!("@batch=h;msgid={};+draft/react={n};+reply={} :bob!u@h TAGMSG #lobby", id(n), id(1))
    });
    page(&mut world, &events.collect::<Vec<_>>().join("\n"));
    assert_eq!(reactions(&world, "one").len(), 3);
    let asked = world.sent();
    assert!(asked.iter().any(|line| line.contains(&format!("AFTER #lobby msgid={}", id(4)))), "{asked:?}");
}

#[test]
fn how_far_was_read_is_told_rarely_and_taken_from_other_devices() {
    let mut world = marking();
    let lobby = Key::new("#lobby");
    world.server(
        ":irc.test MARKREAD #lobby *\n@msgid=1;time=2023-11-14T22:14:01.000Z :bob!u@h PRIVMSG #lobby :one",
    );
    assert_eq!(world.sent().iter().filter(|line| line.starts_with("MARKREAD")).count(), 0);
    world.act(Action::Reading { key: lobby.clone() });
    assert_eq!(world.sent(), ["MARKREAD #lobby timestamp=2023-11-14T22:14:01.000Z"]);
    world.server(":irc.test MARKREAD #lobby timestamp=2023-11-14T22:14:01.000Z");
    for second in 2..5 {
        world.server(&format!(
            "@msgid={second};time=2023-11-14T22:14:0{second}.000Z :bob!u@h PRIVMSG #lobby :more"
        ));
    }
    assert_eq!(world.sent(), [""; 0]);
    world.seconds(3);
    assert_eq!(world.sent(), ["MARKREAD #lobby timestamp=2023-11-14T22:14:04.000Z"]);
    world.act(Action::NotReading);
    for second in 5..8 {
        world.server(&format!(
            "@msgid={second};time=2023-11-14T22:14:0{second}.000Z :bob!u@h PRIVMSG #lobby :me, more"
        ));
    }
    world.look();
    world.server(":irc.test MARKREAD #lobby timestamp=2023-11-14T22:14:06.000Z");
    let events = world.events();
    assert!(events.contains(&Event::Unread { key: lobby.clone(), count: 1, mentions: 1 }), "{events:?}");
    let at = UnixMillis(START + 46_000);
    assert!(events.iter().any(|event| matches!(event, Event::ReadElsewhere { .. })), "{events:?} {at}");
    // Who is not logged in is told so once.
    world.act(Action::Reading { key: lobby });
    world.seconds(3);
    world.server("FAIL MARKREAD INTERNAL_ERROR #lobby :Log in first");
    world.look();
    world.server("@msgid=9;time=2023-11-14T22:14:09.000Z :bob!u@h PRIVMSG #lobby :last");
    world.seconds(9);
    let (sent, events) = world.look();
    assert!(!sent.iter().any(|line| line.starts_with("MARKREAD")), "{sent:?}");
    assert!(
        !events
            .iter()
            .any(|event| matches!(event, Event::Lines { lines, .. } if lines[0].kind() == LineKind::Error))
    );
}

#[test]
fn what_was_only_found_crowds_out_no_answer() {
    let caps = format!("{OURS} draft/message-redaction soju.im/search");
    let mut world = World::welcomed("me", &caps, "CASEMAPPING=ascii SAFERATE");
    world.server("@msgid=7 :bob!u@h PRIVMSG #lobby :well?");
    world.act(Action::Find { key: Key::new("#lobby"), text: "yes".into() });
    let asked =
        world.session.questions.back().and_then(|question| question.label.clone()).expect("a question");
    let found: String = (0..crate::limits::ANSWERS)
        .map(|i| format!("@batch=s;msgid=f{i};+reply=7 :bob!u@h PRIVMSG #lobby :yes\n"))
        .collect();
    world.server(&format!("@label={asked} :irc.test BATCH +s soju.im/search\n{found}:irc.test BATCH -s"));
    world.server("@msgid=9;+reply=7 :eve!u@h PRIVMSG #lobby :here\n:bob!u@h REDACT #lobby 7");
    assert!(line(&world, "here").reply().is_some_and(|quote| quote.deleted));
    assert!(world.events().iter().any(
        |event| matches!(event, Event::Found(found) if found.lines.len() == 50 || found.lines.len() == 64)
    ));
}

#[test]
fn what_is_under_way_goes_with_whoever_has_another_name() {
    let mut world = marking();
    world.server("@msgid=7 :bob!u@h PRIVMSG me :not this");
    let id = world.last("bob").id();
    world.act(Action::Delete { to: Key::new("bob"), id, reason: String::new() });
    world.server("@+typing=active :bob!u@h TAGMSG me");
    world.look();
    world.server(":bob!u@h NICK bobby");
    let bobby = Key::new("bobby");
    let typing = Event::Typing { key: bobby.clone(), names: vec!["bobby".into()] };
    assert!(world.events().contains(&typing));
    world.server(":irc.test 482 me :That is not yours");
    assert!(world.screen.lines("bobby").len() > 1, "said where it was asked");
    world.pass(Duration::from_secs(7));
    assert!(world.events().contains(&Event::Typing { key: bobby.clone(), names: vec![] }));
    world.give(Input::Lost(GONE));
    world.seconds(61);
    world.look();
    let caps = format!("{OURS} draft/message-redaction");
    world.welcome(&caps, "CASEMAPPING=ascii SAFERATE parlor/PRIVATE");
    world.server(":irc.test 900 me me!u@h me :You are known");
    assert!(world.sent().contains(&"REDACT bobby 7".to_owned()));
}
