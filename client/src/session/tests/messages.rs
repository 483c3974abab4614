//! Several lines as one message, on the way out and in.

use super::*;

/// Our own kind of server, which takes them.
fn several(nick: &str) -> World {
    with(nick, "")
}

fn with(nick: &str, more: &str) -> World {
    let caps = format!("{OURS} draft/multiline=max-bytes=4096,max-lines=100 {more}");
    World::welcomed(
        nick,
        &caps,
        "CASEMAPPING=ascii NETWORK=Parlor SAFERATE STATUSMSG=@+ NICKLEN=32 PREFIX=(ov)@+",
    )
}

/// The reference of a message that goes out, and the texts of its lines.
fn message(sent: &[String]) -> (String, Vec<String>) {
    let opening = sent.first().expect("a message");
    let (_, rest) = token(opening);
    let reference = rest.strip_prefix("BATCH +").and_then(|rest| rest.split_once(' ')).expect(opening).0;
    let end = format!("BATCH -{reference}");
    let lines = sent[1..].iter().take_while(|line| **line != end);
    let text = |line: &String| line.split_once(" PRIVMSG #lobby :").expect("a line").1.to_owned();
    let texts: Vec<String> = lines.map(text).collect();
    assert!(sent.contains(&end), "{sent:?}");
    (reference.to_owned(), texts)
}

#[test]
fn a_text_of_several_lines_is_one_line_with_one_receipt() {
    let mut world = several("me");
    world.say("#lobby", "one\r\n\n\ttwo\nthree\n\n");
    let sent = world.sent();
    let (name, rest) = token(&sent[0]);
    assert!(rest.starts_with("BATCH +m") && rest.ends_with(" draft/multiline #lobby"), "{rest}");
    assert_eq!(message(&sent).1, ["one", "", "\ttwo", "three"]);
    assert_eq!(sent.len(), 6);
    let line = world.last("#lobby");
    assert_eq!((line.text(), line.state()), ("one\n\n\ttwo\nthree", Delivery::Pending));

    world.server(&format!(
        "@msgid=7;time=2023-11-14T22:13:21.500Z;+parlor/id={name} :me!u@h BATCH +x draft/multiline #lobby\n\
         @batch=x :me!u@h PRIVMSG #lobby :one\n@batch=x :me!u@h PRIVMSG #lobby :\n\
         @batch=x :me!u@h PRIVMSG #lobby :\ttwo"
    ));
    assert_eq!(world.states("#lobby"), [Delivery::Pending], "it is not whole yet");
    world.server("@batch=x :me!u@h PRIVMSG #lobby :three\n:irc.test BATCH -x");
    let line = world.last("#lobby");
    assert_eq!((line.text(), line.state()), ("one\n\n\ttwo\nthree", Delivery::Delivered));
    assert_eq!((line.msgid().as_deref(), world.kept.len()), (Some("7"), 0));
    assert_eq!(world.talk("#lobby").len(), 1);
}

#[test]
fn what_others_say_in_several_lines_is_one_too() {
    let mut world = several("me");
    world.server(
        "@msgid=8;+reply=7 :bob!u@h BATCH +y draft/multiline #lobby\n@batch=y :bob!u@h PRIVMSG #lobby :me, \u{2}see\u{2}\n\
         :eve!u@h PRIVMSG #lobby :between\n@batch=y;draft/multiline-concat :bob!u@h PRIVMSG #lobby : this\n\
         @batch=y :bob!u@h PRIVMSG #lobby :\u{1}no request\u{1}\n:irc.test BATCH -y",
    );
    assert_eq!(world.talk("#lobby"), ["eve: between", "bob: me, see this\nno request"]);
    let line = world.last("#lobby");
    assert!(line.mention() && line.reply().is_some_and(|quote| &*quote.msgid == "7"));
    assert_eq!(line.spans().len(), 1);
    let unread = world.events().into_iter().rev().find(|event| matches!(event, Event::Unread { .. }));
    assert_eq!(unread, Some(Event::Unread { key: Key::new("#lobby"), count: 2, mentions: 1 }));
    // One that never ends is none, and one that nobody began neither.
    world.server(":bob!u@h BATCH +z draft/multiline #lobby\n@batch=z :bob!u@h PRIVMSG #lobby :half\n:irc.test BATCH -q");
    assert_eq!(world.talk("#lobby").len(), 2);
    world.server(":irc.test BATCH +e draft/multiline #lobby\n:irc.test BATCH -e");
    assert_eq!(world.talk("#lobby").len(), 2);
}

#[test]
fn history_has_whole_messages() {
    let mut world = with("me", "draft/chathistory draft/event-playback");
    let asked =
        world.session.questions.front().and_then(|question| question.label.clone()).expect("a question");
    world.server(&format!(
        "@label={asked} :irc.test BATCH +h chathistory #lobby\n@batch=h;msgid=1 :bob!u@h PRIVMSG #lobby :before\n\
         @batch=h;msgid=2 :bob!u@h BATCH +i draft/multiline #lobby\n@batch=i :bob!u@h PRIVMSG #lobby :one\n\
         @batch=i :bob!u@h PRIVMSG #lobby :two\n:bob!u@h BATCH -i\n@batch=h;msgid=3 :bob!u@h PRIVMSG #lobby :behind\n\
         :irc.test BATCH -h"
    ));
    assert_eq!(world.talk("#lobby"), ["bob: before", "bob: one\ntwo", "bob: behind"]);
}

#[test]
fn a_long_text_is_several_messages_that_can_be_cancelled() {
    let mut world = several("me");
    let text = (0..250).map(|i| format!("line {i}")).collect::<Vec<_>>().join("\n");
    world.say("#lobby", &text);
    let own: Vec<String> = world
        .screen
        .lines("#lobby")
        .iter()
        .filter(|l| l.own() && l.is_talk())
        .map(|l| l.text().into())
        .collect();
    assert_eq!((own.len(), own.join("\n")), (3, text.clone()));
    for _ in 0..10 {
        world.say("#lobby", &text);
    }
    assert_eq!(world.states("#lobby").len(), 33);
    world.act(Action::Cancel { to: Key::new("#lobby") });
    assert_eq!(world.states("#lobby").len(), 16, "what is under way is not taken back");
    let sent = world.sent();
    assert_eq!(sent.iter().filter(|line| line.contains("BATCH +")).count(), 16);
    assert!(sent.iter().all(|line| line.len() < 512));
}

#[test]
fn a_message_survives_a_restart_and_goes_once() {
    let mut world = several("me");
    world.say("#lobby", "*one*\n\ntwo");
    let (name, _) = token(&world.sent()[0]);
    world.give(Input::Lost(GONE));
    let unsent = world.kept.clone();
    assert_eq!((unsent.len(), &*unsent[0].text), (1, "\u{2}one\u{2}\n\ntwo"));

    let mut again = World::new(Profile { unsent, ..profile("me") });
    let caps = format!("{OURS} draft/multiline=max-bytes=4096,max-lines=100");
    again.welcome(&caps, "CASEMAPPING=ascii SAFERATE");
    again.enter("#lobby", "me @bob");
    let line = again.last("#lobby");
    assert_eq!((line.text(), line.state(), line.spans().len()), ("one\n\ntwo", Delivery::Pending, 1));
    let sent: Vec<String> = again.sent().into_iter().skip_while(|line| !line.contains("BATCH")).collect();
    assert_eq!(token(&sent[0]).0, name);
    assert_eq!(message(&sent).1, ["\u{2}one\u{2}", "", "two"]);
}

#[test]
fn a_server_without_such_messages_gets_lines() {
    let mut world = several("me");
    world.give(Input::Lost(GONE));
    world.say("#lobby", "one\n\ntwo");
    world.say("#lobby", "three");
    assert_eq!(world.states("#lobby").len(), 2);
    world.seconds(61);
    world.look();
    world.welcome(OURS, "CASEMAPPING=ascii SAFERATE");
    world.enter("#lobby", "me @bob");
    let sent = world.sent();
    let said: Vec<&str> =
        sent.iter().filter_map(|line| Some(line.split_once("PRIVMSG #lobby :")?.1)).collect();
    assert_eq!(said, ["one", " ", "two", "three"]);
    assert_eq!(world.states("#lobby").len(), 4);
    // A single line that is too long for one is several, too, and nobody hears of a BATCH.
    let open = Open { name: "#lobby".into(), kind: Kind::Room, ..Open::default() };
    let mut world = World::new(Profile { open: vec![open], ..profile("me") });
    let long = "word ".repeat(150);
    world.say("#lobby", &long);
    assert_eq!(world.states("#lobby").len(), 1);
    world.welcome("", "SAFERATE");
    world.enter("#lobby", "me @bob");
    let sent = world.sent();
    let said: Vec<&str> = sent.iter().filter_map(|line| line.strip_prefix("PRIVMSG #lobby :")).collect();
    assert_eq!((said.len(), said.concat()), (2, long));
    assert!(sent.iter().all(|line| line.len() < 500 && !line.contains("BATCH")), "{sent:?}");
    // A `/me` is lines anyway.
    let mut world = several("me");
    world.act(Action::Me { to: Key::new("#lobby"), text: "waves\nand goes".into() });
    assert_eq!(world.sent().len(), 2);
}

#[test]
fn a_server_that_takes_less_gets_smaller_messages() {
    let mut world = several("me");
    world.give(Input::Lost(GONE));
    let lines: Vec<String> = (0..10).map(|i| format!("line {i}")).collect();
    world.say("#lobby", &lines.join("\n"));
    world.act(Action::Me { to: Key::new("#lobby"), text: "waves ".repeat(75) });
    world.seconds(61);
    world.look();
    world
        .welcome(&format!("{OURS} draft/multiline=max-bytes=4096,max-lines=4"), "CASEMAPPING=ascii SAFERATE");
    // The others see a longer name of ours, too.
    let us = format!(":me!u@{}", "h".repeat(150));
    world.server(&format!("{us} JOIN #lobby\n:irc.test 366 me #lobby :End of NAMES"));
    let sent = world.sent();
    let said = sent.split_inclusive(|line| line.starts_with("BATCH -")).filter(|sent| sent.len() > 2);
    let said: Vec<Vec<String>> = said
        .filter_map(|sent| {
            sent.iter().position(|line| line.contains("BATCH +")).map(|at| message(&sent[at..]).1)
        })
        .collect();
    assert_eq!(said, lines.chunks(4).map(<[String]>::to_vec).collect::<Vec<_>>());
    let waves: Vec<&str> =
        sent.iter().filter_map(|line| Some(line.split_once("PRIVMSG #lobby :\u{1}ACTION ")?.1)).collect();
    assert_eq!((waves.len(), waves.concat().matches("waves").count()), (2, 75));
    assert!(
        waves.iter().all(|text| us.len() + " PRIVMSG #lobby :\u{1}ACTION \r\n".len() + text.len() <= 512)
    );
}

#[test]
fn a_message_that_is_refused_can_be_tried_again() {
    let mut world = several("me");
    world.say("#lobby", "one\ntwo");
    world.say("#lobby", "single");
    world.server("FAIL BATCH MULTILINE_MAX_LINES 1 :Too many lines");
    assert_eq!(world.states("#lobby"), [Delivery::Failed, Delivery::Pending]);
    let id =
        world.screen.lines("#lobby").iter().find(|line| line.state() == Delivery::Failed).expect("it").id();
    let before = token(&world.sent()[0]).0;
    world.act(Action::Retry { to: Key::new("#lobby"), id });
    let sent = world.sent();
    assert!(token(&sent[0]).0 != before && message(&sent).1 == ["one", "two"]);
}

#[test]
fn what_is_typed_with_stars_goes_with_codes() {
    let mut world = World::ours("me");
    world.say("#lobby", "a *b* snake_case_name");
    assert!(world.sent()[0].ends_with("PRIVMSG #lobby :a \u{2}b\u{2} snake_case_name"));
    let line = world.last("#lobby");
    assert_eq!((line.text(), line.spans().len()), ("a b snake_case_name", 1));
}
