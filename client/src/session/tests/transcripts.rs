//! All that was said, from the beginning on.

use super::history::{entered, lobby};
use super::server::Pair;
use super::*;

/// What was told of the room, and whether that is all.
fn told(pair: &mut Pair) -> (Vec<String>, Option<Told>) {
    let (mut all, mut ends) = (Vec::new(), None);
    for event in pair.world.events() {
        if let Event::Transcript { key, lines, end } = event {
            assert_eq!((key, ends), (lobby(), None), "nothing comes behind the end");
            all.extend(lines.iter().map(|line| format!("{}: {}", line.from(), line.text())));
            ends = end;
        }
    }
    (all, ends)
}

fn said(pair: &Pair) -> Vec<String> {
    pair.server.lines.iter().map(|line| format!("{}: {}", line.nick, line.text)).collect()
}

#[test]
fn the_whole_history_comes_in_its_order_though_little_of_it_is_here() {
    for ours in [true, false] {
        let mut pair = entered(ours, 1_234);
        pair.world.say("#lobby", "mine");
        pair.settle();
        pair.server.commit(usize::MAX);
        pair.settle();
        pair.server.asked.clear();
        pair.world.act(Action::Transcript { key: lobby() });
        // Something is said meanwhile.
        pair.server.say("bob", "the last one", None);
        pair.server.commit(usize::MAX);
        pair.settle();
        assert_eq!(told(&mut pair), (said(&pair), Some(Told::Whole)), "{ours}");
        assert_eq!(pair.server.asked.len(), 14, "a hundred a page, and one that is empty");
        assert_eq!(pair.world.talk("#lobby").len(), 52, "the timeline stays as it was");
    }
}

#[test]
fn what_only_we_have_stands_where_it_was_said() {
    let mut pair = entered(true, 60);
    let all = said(&pair);
    // The server keeps the last ten.
    pair.server.lines.drain(..50);
    pair.server.committed = pair.server.lines.len();
    pair.world.act(Action::Transcript { key: lobby() });
    pair.settle();
    assert_eq!(told(&mut pair), (all[10..].to_vec(), Some(Told::Whole)));
}

#[test]
fn what_is_taken_back_or_broken_off_says_so() {
    let mut pair = entered(true, 300);
    pair.world.act(Action::Transcript { key: lobby() });
    pair.world.act(Action::NoTranscript);
    // An answer to the first one is none to the second.
    pair.world.act(Action::Transcript { key: lobby() });
    pair.settle();
    assert_eq!(told(&mut pair), (said(&pair), Some(Told::Whole)));

    pair.world.act(Action::Transcript { key: lobby() });
    pair.world.give(Input::Lost(GONE));
    let (lines, end) = told(&mut pair);
    assert_eq!((lines.len(), end), (50, Some(Told::InPart)), "what is here");
    // Out of reach: what is here, and above it there is more.
    pair.world.act(Action::Transcript { key: lobby() });
    let (lines, end) = told(&mut pair);
    assert_eq!((lines.len(), end), (50, Some(Told::InPart)));
    pair.world.act(Action::Transcript { key: Key::new("#never") });
    assert!(matches!(pair.world.events().last(), Some(Event::Transcript { end: Some(Told::InPart), .. })));
}

#[test]
fn what_was_taken_back_is_in_no_transcript() {
    let mut world = World::ours("me");
    world.server("@msgid=a :bob!u@h PRIVMSG #lobby :hello\n@msgid=b :bob!u@h PRIVMSG #lobby :not that\n:bob!u@h REDACT #lobby b");
    world.look();
    world.act(Action::Transcript { key: lobby() });
    let [Event::Transcript { lines, .. }] = &world.events()[..] else { panic!() };
    let texts: Vec<&str> = lines.iter().map(Line::text).collect();
    assert_eq!(texts, ["hello"]);
}

#[test]
fn where_nothing_is_kept_it_is_what_is_here() {
    let mut world = World::ours("me");
    world.server(":bob!u@h PRIVMSG #lobby :hello\n:bob!u@h PRIVMSG #lobby :\u{1}ACTION waves\u{1}");
    world.say("#lobby", "not sent yet, or not confirmed");
    world.look();
    world.act(Action::Transcript { key: lobby() });
    let [Event::Transcript { lines, end: Some(Told::Whole), .. }] = &world.events()[..] else { panic!() };
    let texts: Vec<&str> = lines.iter().map(Line::text).collect();
    assert_eq!(texts, ["hello", "waves"]);
}

#[test]
fn a_long_conversation_is_told_faster_than_it_came() {
    #[expect(clippy::disallowed_methods, reason = "what is measured is the time of this computer")]
    fn now() -> std::time::Instant {
        std::time::Instant::now()
    }
    let world = World::welcomed("me", "", "SAFERATE");
    let (mut session, at) = (world.session, moment(world.now));
    let before = now();
    for _ in 0..60 {
        session.handle(Input::Received(":bob!u@h PRIVMSG #lobby :word\r\n".repeat(1_000).as_bytes()), at);
        session.drain().for_each(drop);
    }
    let came = before.elapsed();
    let before = now();
    session.handle(Input::Act(Action::Transcript { key: lobby() }), at);
    let told = before.elapsed();
    let is_all =
        |output| matches!(output, Output::Event(Event::Transcript { lines, .. }) if lines.len() == 60_000);
    assert!(session.drain().any(is_all));
    assert!(told < came, "{told:?} {came:?}");
}
