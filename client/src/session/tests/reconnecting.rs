//! Losing the connection and getting it back.

use super::*;

/// When the next attempt is due and its number.
fn waiting(world: &World) -> (Duration, u32) {
    match world.screen.status {
        Some(Status::Reconnecting { at, attempt, .. }) => (at - world.now, attempt),
        ref other => panic!("not waiting but {other:?}"),
    }
}

#[test]
fn at_once_then_1_s_doubling_to_60_s_for_ever() {
    let mut world = World::ours("me");
    world.seconds(20);
    world.give(Input::Lost(GONE));
    assert_eq!(world.calls, ["connect"]);
    let told = world
        .events()
        .into_iter()
        .any(|event| matches!(event, Event::Status(Status::Reconnecting { attempt: 1, why: GONE, .. })));
    assert!(told);
    let mut jitters = Vec::new();
    for i in 0..200u32 {
        world.give(Input::Lost(GONE));
        let (wait, attempt) = waiting(&world);
        let longest = Duration::from_secs(1 << i.min(6)).min(Duration::from_secs(60));
        assert!(wait <= longest && wait >= longest * 3 / 4, "{wait:?} for attempt {attempt}");
        assert_eq!(attempt, i + 2);
        jitters.push(wait.as_millis() * 1000 / longest.as_millis());
        world.look();
        world.pass(wait);
        assert_eq!(world.calls, ["connect"]);
    }
    jitters.dedup();
    assert!(jitters.len() > 100, "with jitter");
    world.look();
    world.act(Action::Disconnect);
    assert_eq!(world.calls, ["disconnect"]);
    world.seconds(3600);
    assert_eq!(world.calls, ["disconnect"]);
    assert!(matches!(world.screen.status, Some(Status::Offline { since: Some(_) })));
}

#[test]
fn a_connection_that_does_not_last_is_not_made_again_at_once() {
    let mut world = World::ours("me");
    world.server("ERROR :Closing link: Kicked");
    world.give(Input::Lost(GONE));
    let (wait, _) = waiting(&world);
    assert!(wait >= Duration::from_millis(750));
    let Some(Status::Reconnecting { why, .. }) = &world.screen.status else { panic!() };
    assert_eq!(*why, Sentence::ServerClosed { reason: Some("Closing link: Kicked".into()) });
    world.look();
    world.act(Action::RetryNow);
    assert_eq!(world.calls, ["connect"], "unless asked for");
}

#[test]
fn silence_is_asked_about_and_then_a_loss() {
    let mut world = World::ours("me");
    world.seconds(29);
    assert_eq!(world.sent(), [""; 0]);
    world.seconds(1);
    assert_eq!(world.sent(), ["PING :parlor-2"]);
    world.seconds(14);
    world.server(":s.test PONG s.test :parlor-2");
    world.seconds(30);
    assert_eq!(world.sent(), ["PING :parlor-3"]);
    world.seconds(15);
    assert_eq!(world.calls, ["disconnect", "connect"]);
    world.server("PING :late");
    assert_eq!(world.sent(), [""; 0], "what still comes of the old connection is nobody's");
}

#[test]
fn the_servers_ping_is_answered() {
    let mut world = World::ours("me");
    world.server("PING :a b");
    assert_eq!(world.sent(), ["PONG :a b"]);
}

#[test]
fn what_is_typed_meanwhile_waits_and_goes_in_order() {
    let mut world = World::ours("me");
    world.seconds(20);
    world.say("#lobby", "under way");
    let (first, _) = token(&world.sent()[0]);
    world.give(Input::Lost(GONE));
    assert_eq!(world.names("#lobby"), [""; 0]);
    world.say("#lobby", "typed offline");
    world.say("#lobby", "and more");
    assert_eq!(world.sent(), [""; 0]);
    assert_eq!(world.states("#lobby"), [Delivery::Pending, Delivery::Pending, Delivery::Pending]);
    world.welcome(OURS, "SAFERATE");
    let sent = world.sent();
    assert_eq!(sent.last().unwrap(), "JOIN #lobby", "not before we are in");
    world.enter("#lobby", "me");
    let sent: Vec<_> = world.sent().iter().map(|line| token(line)).collect();
    assert_eq!(sent[0].0, first, "the same line under the same id");
    let texts: Vec<_> = sent.iter().map(|(_, rest)| rest.rsplit(':').next().unwrap()).collect();
    assert_eq!(texts, ["under way", "typed offline", "and more"]);
    for (token, rest) in &sent {
        world.server(&format!("@+parlor/id={token} :me!u@h {rest}"));
    }
    assert_eq!(world.states("#lobby"), [Delivery::Delivered, Delivery::Delivered, Delivery::Delivered]);
    assert_eq!(world.talk("#lobby").len(), 3);
}

#[test]
fn disconnecting_keeps_what_waits() {
    let mut world = World::ours("me");
    world.act(Action::Away { text: Some("tea".into()) });
    world.look();
    world.act(Action::Disconnect);
    assert_eq!((world.calls.clone(), world.sent()), (vec!["disconnect"], vec!["QUIT".to_owned()]));
    world.say("#lobby", "later");
    world.act(Action::Join { room: "#music".into(), key: None });
    world.act(Action::RetryNow);
    world.welcome(OURS, "SAFERATE");
    let sent = world.sent();
    assert!(sent.contains(&"JOIN #lobby,#music".into()) && sent.contains(&"AWAY :tea".into()), "{sent:?}");
    world.enter("#lobby", "me");
    assert!(world.sent()[0].ends_with(":later"));
}

#[test]
fn a_room_we_cannot_come_back_into_says_so() {
    let mut world = World::ours("me");
    world.say("#lobby", "under way");
    world.give(Input::Lost(GONE));
    world.seconds(1);
    world.welcome(OURS, "SAFERATE");
    world.server(":s.test 474 me #lobby :You are banned");
    let why = Sentence::RoomBanned { room: "#lobby".into() }.into();
    assert_eq!(world.reasons("#lobby"), [Sentence::NotBackIn { why }]);
    assert_eq!(world.last("#lobby").kind(), LineKind::Error);
    world.act(Action::Leave { key: Key::new("#lobby") });
    assert!(world.events().contains(&Event::Closed { key: Key::new("#lobby") }));
    assert!(!world.sent().iter().any(|line| line.starts_with("PART")));
}

#[test]
fn a_ban_ends_the_attempts() {
    let mut world = World::ours("me");
    world.give(Input::Lost(GONE));
    world.seconds(1);
    world.give(Input::Connected(Login::default()));
    world.server("ERROR :Closing link: You are banned");
    world.give(Input::Lost(GONE));
    assert!(matches!(world.screen.status, Some(Status::Offline { .. })));
    world.look();
    world.seconds(600);
    assert_eq!(world.calls, [""; 0]);
}

#[test]
fn retry_now_asks_a_connection_that_may_be_dead() {
    let mut world = World::ours("me");
    world.act(Action::RetryNow);
    assert_eq!(world.sent(), ["PING :parlor-2"]);
    world.seconds(15);
    assert_eq!(world.calls.first(), Some(&"disconnect"));
}
