//! Several servers that share their rooms: one is lost, and the next one takes us in.

use super::*;
use crate::trust::KeyId;

fn server(name: &str) -> HostPort {
    HostPort::new(name, 49806)
}

fn of(names: &[&str], known: bool) -> World {
    let (first, others) = names.split_first().expect("a place has a server");
    let others = others.iter().map(|name| server(name)).collect();
    World::new(Profile { server: server(first), others, known, ..profile("me") })
}

/// Welcome at the first one, for 20 s.
fn inside(names: &[&str]) -> World {
    let mut world = of(names, false);
    world.welcome(OURS, "NETWORK=Test SAFERATE");
    world.enter("#lobby", "me @bob");
    world.seconds(20);
    world.look();
    world
}

fn nobody(world: &World) -> Sentence {
    Sentence::NobodyAnswers { server: world.session.server() }
}

fn key(byte: &str) -> KeyId {
    byte.repeat(32).parse().expect("a key")
}

fn stranger(name: &str) -> Sentence {
    Sentence::KeyChanged { server: server(name), before: key("AB"), now: key("CD") }
}

/// Lets so many calls fail, each as soon as it is made; says who was called, and how long after the first loss.
fn calls(world: &mut World, count: usize) -> Vec<(String, Duration)> {
    let began = world.now;
    let mut called = Vec::new();
    while called.len() < count {
        if world.calls.contains(&"connect") {
            world.look();
            called.push((world.session.server().host, world.now - began));
            let why = nobody(world);
            world.give(Input::Lost(why));
        } else {
            let at = world.session.next_timeout().expect("there is a next call");
            world.pass(at.saturating_sub(world.now));
        }
    }
    called
}

fn refusal(world: &mut World) -> Option<Sentence> {
    world.events().into_iter().find_map(|event| match event {
        Event::Refused(Refusal { field: Field::Address, sentence, .. }) => Some(sentence),
        _ => None,
    })
}

#[test]
fn the_next_one_is_called_at_once_and_all_of_them_before_anybody_waits() {
    let mut world = inside(&["a", "b", "c"]);
    world.give(Input::Lost(GONE));
    let called = calls(&mut world, 12);
    let names: Vec<&str> = called.iter().map(|(name, _)| &**name).collect();
    assert_eq!(names, ["b", "c", "a", "b", "c", "a", "b", "c", "a", "b", "c", "a"]);
    let times: Vec<Duration> = called.iter().map(|(_, at)| *at).collect();
    assert_eq!(times[..3], [Duration::ZERO; 3], "nobody waits before all were called");
    for (round, longest) in [(1, 1), (2, 3), (3, 7)].map(|(round, sum)| (round, Duration::from_secs(sum))) {
        let [first, .., last] = times[3 * round..3 * round + 3] else { panic!() };
        assert!(first == last && (longest * 3 / 4..=longest).contains(&first), "{times:?}");
    }
}

#[test]
fn one_that_is_silent_or_stops_is_left_for_the_next() {
    let mut world = inside(&["a", "b"]);
    world.server("ERROR :Closing link: The server is stopping");
    world.give(Input::Lost(GONE));
    let told = world.events().into_iter().find_map(|event| match event {
        Event::Status(Status::Reconnecting { why: Sentence::ServerClosed { reason }, .. }) => reason,
        _ => None,
    });
    assert_eq!(told.as_deref(), Some("Closing link: The server is stopping"));
    assert_eq!((world.session.address(), world.session.server()), (1, server("b")));
    world.welcome(OURS, "SAFERATE");
    world.seconds(29);
    world.look();
    // It is asked after half a minute, and owes an answer for a quarter.
    world.seconds(16);
    assert_eq!(world.calls, ["disconnect", "connect"]);
    assert_eq!(world.session.server(), server("a"));
    let calling = world.events().into_iter().any(|event| event == Event::Calling { server: server("a") });
    assert!(calling, "the window knows whom");
}

#[test]
fn one_that_does_not_answer_has_less_time_while_others_wait() {
    let mut world = inside(&["a", "b"]);
    world.give(Input::Lost(GONE));
    world.look();
    world.seconds(5);
    assert_eq!((world.calls.clone(), world.session.server()), (vec!["disconnect", "connect"], server("a")));
    world.look();
    world.seconds(19);
    assert_eq!(world.calls, [""; 0], "the last one has all the time there is");
}

#[test]
fn one_that_takes_the_call_and_says_nothing_has_less_time_while_others_wait() {
    let mut world = inside(&["a", "b"]);
    world.give(Input::Lost(GONE));
    world.give(Input::Connected(Login::default()));
    world.look();
    world.seconds(10);
    assert_eq!((world.calls.clone(), world.session.server()), (vec!["disconnect", "connect"], server("a")));
    world.give(Input::Connected(Login::default()));
    world.look();
    world.seconds(29);
    assert_eq!(world.calls, [""; 0]);
}

#[test]
fn servers_that_throw_us_out_are_not_called_in_turn_for_ever() {
    let mut world = inside(&["a", "b"]);
    world.give(Input::Lost(GONE));
    let mut waits = Vec::new();
    for _ in 0..8 {
        world.welcome(OURS, "SAFERATE");
        world.give(Input::Lost(GONE));
        let at = world.session.next_timeout().expect("there is a next call");
        let wait = if world.calls.last() == Some(&"connect") { Duration::ZERO } else { at - world.now };
        waits.push(wait);
        world.pass(wait);
        world.look();
    }
    for (wait, longest) in waits.iter().zip([0, 1, 0, 2, 0, 4, 0, 8].map(Duration::from_secs)) {
        assert!((longest * 3 / 4..=longest).contains(wait), "{waits:?}");
    }
}

#[test]
fn the_first_welcome_may_come_from_any_of_them() {
    let mut world = of(&["a", "b", "c"], false);
    for name in ["a", "b"] {
        assert_eq!(world.session.server(), server(name));
        let why = nobody(&world);
        world.give(Input::Lost(why));
        assert_eq!(refusal(&mut world), None);
    }
    world.welcome(OURS, "SAFERATE");
    assert!(matches!(world.screen.status, Some(Status::Connected { .. })));
    assert_eq!(world.session.server(), server("c"));

    // Who does not answer is no news where somebody says something else.
    let mut world = of(&["a", "b", "c"], false);
    calls(&mut world, 2);
    let why = nobody(&world);
    world.give(Input::Lost(why));
    let servers = "a:49806, b:49806, c:49806".into();
    assert_eq!(refusal(&mut world), Some(Sentence::NoneAnswers { servers }));
    assert!(matches!(world.screen.status, Some(Status::Offline { .. })));
    let mut world = of(&["a", "b", "c"], false);
    calls(&mut world, 1);
    world.give(Input::Connected(Login::default()));
    world.give(Input::Received(b"HTTP/1.1 400 Bad Request\r\n\r\n"));
    let why = nobody(&world);
    world.give(Input::Lost(why));
    assert_eq!(refusal(&mut world), Some(Sentence::NotChat { server: server("b") }));
    // Asked again, all are called again.
    world.act(Action::RetryNow);
    calls(&mut world, 2);
    assert_eq!(refusal(&mut world), None);
}

#[test]
fn one_with_another_key_is_asked_about_when_nobody_else_is_there() {
    let mut world = inside(&["a", "b"]);
    world.give(Input::Lost(GONE));
    world.give(Input::Lost(stranger("b")));
    assert_eq!((refusal(&mut world), world.session.server()), (None, server("a")));
    world.welcome(OURS, "SAFERATE");
    world.seconds(20);
    world.look();
    // As soon as the one that we know is gone, too.
    world.give(Input::Lost(GONE));
    world.give(Input::Lost(stranger("b")));
    let why = nobody(&world);
    world.give(Input::Lost(why));
    assert_eq!(refusal(&mut world), Some(stranger("b")));
    world.look();
    world.seconds(600);
    assert_eq!(world.calls, [""; 0], "the person is asked");

    // At the first start: the question, and not that somebody else does not answer.
    let mut world = of(&["a", "b"], true);
    world.give(Input::Lost(stranger("a")));
    let why = nobody(&world);
    world.give(Input::Lost(why));
    assert_eq!(refusal(&mut world), Some(stranger("a")));
}

#[test]
fn the_place_is_taken_again_and_what_was_typed_goes_once_to_the_next_one() {
    let caps = format!("{OURS} parlor/resume");
    let mut world = of(&["a", "b"], false);
    world.login = Login { private: true, ..Login::default() };
    world.welcome(&caps, "SAFERATE");
    world.enter("#lobby", "me @bob");
    world.server(":irc.test RESUME TOKEN abc");
    world.seconds(20);
    world.say("#lobby", "under way");
    let (first, _) = token(world.sent().last().expect("it goes out"));
    world.give(Input::Lost(GONE));
    world.say("#lobby", "typed meanwhile");
    // Nobody is at the next one, and then at the first one either.
    calls(&mut world, 2);
    world.seconds(1);
    world.look();
    assert_eq!(world.session.server(), server("b"));
    world.welcome(&caps, "SAFERATE");
    let sent = world.sent();
    assert_eq!(sent.iter().filter(|line| *line == "RESUME abc").count(), 1, "{sent:?}");
    world.enter("#lobby", "me @bob");
    let said: Vec<(String, String)> =
        world.sent().iter().filter(|line| line.contains("PRIVMSG")).map(|line| token(line)).collect();
    let texts: Vec<&str> = said.iter().filter_map(|(_, rest)| rest.rsplit(':').next()).collect();
    assert_eq!((texts, &said[0].0), (vec!["under way", "typed meanwhile"], &first));
    for (token, rest) in &said {
        world.server(&format!("@+parlor/id={token} :me!u@h {rest}"));
    }
    assert_eq!(world.states("#lobby"), [Delivery::Delivered, Delivery::Delivered]);
    assert_eq!(world.kept.len(), 0);
}

#[test]
fn what_was_said_in_secret_gives_no_place_back_where_others_read() {
    let caps = format!("{OURS} parlor/resume");
    let mut world = of(&["a", "b"], false);
    world.login = Login { private: true, ..Login::default() };
    world.welcome(&caps, "SAFERATE");
    world.server(":irc.test RESUME TOKEN abc");
    world.seconds(20);
    world.look();
    world.give(Input::Lost(GONE));
    world.login = Login::default();
    world.welcome(&caps, "SAFERATE");
    assert!(!world.sent().iter().any(|line| line.contains("RESUME ")));
}
