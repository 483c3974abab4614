//! Our own name: taken, freed, changed.

use super::*;

fn refusal(events: Vec<Event>) -> Option<Refusal> {
    events.into_iter().find_map(|event| match event {
        Event::Refused(refusal) => Some(refusal),
        _ => None,
    })
}

#[test]
fn a_taken_name_at_the_start_offers_another() {
    for (name, suggestion) in [("bob", "bob_"), ("bob_", "bob2")] {
        let mut world = World::new(profile(name));
        world.give(Input::Connected(Login::default()));
        world.look();
        world.server(&format!(":s.test 433 * {name} :Nickname is already in use"));
        assert_eq!(world.calls, ["disconnect"]);
        assert_eq!(world.screen.status, Some(Status::Offline { since: None }));
        let refusal = refusal(world.events()).unwrap();
        assert_eq!(
            (refusal.field, refusal.sentence),
            (Field::Name, Sentence::NameTaken { name: name.into() })
        );
        assert_eq!(refusal.suggestion.as_deref(), Some(suggestion));
        world.act(Action::Rename { nick: suggestion.into() });
        world.act(Action::RetryNow);
        world.give(Input::Connected(Login::default()));
        assert_eq!(world.sent()[1], format!("NICK {suggestion}"));
    }
}

#[test]
fn a_name_the_server_does_not_take_is_refused() {
    let mut world = World::new(profile("小明"));
    world.give(Input::Connected(Login::default()));
    world.server(":s.test 432 * 小明 :Erroneous nickname");
    let refusal = refusal(world.events()).unwrap();
    let sentence = Sentence::NameNotPossible { name: "小明".into() };
    assert_eq!(refusal, Refusal { field: Field::Name, sentence, suggestion: None });
}

#[test]
fn on_a_reconnect_the_ghost_is_waited_for() {
    let mut world = World::ours("me");
    world.seconds(20);
    world.give(Input::Lost(GONE));
    world.give(Input::Connected(Login::default()));
    world.look();
    world.server(":s.test CAP * LS :");
    world.server(":s.test 433 * me :Taken\n:s.test 433 * me_ :Taken");
    assert_eq!(world.sent(), ["CAP END", "NICK me_", "NICK me2"]);
    world.server(":s.test 001 me2 :Welcome me2!u@h\n:s.test 422 me2 :No MOTD");
    assert!(world.events().contains(&Event::Me { nick: "me2".into() }));
    world.enter("#lobby", "me2 me @bob");
    world.seconds(15);
    assert!(world.sent().contains(&"NICK me".into()));
    world.server(":s.test 433 me2 me :Taken");
    assert_eq!(refusal(world.events()), None, "tried again, without a word");
    world.server(":me!u@host.test QUIT :Ping timeout");
    assert_eq!(world.sent(), ["NICK me"], "at once when the ghost goes");
    world.server(":me2!u@h NICK me");
    assert!(world.events().contains(&Event::Me { nick: "me".into() }));
    assert_eq!(world.names("#lobby"), ["bob", "me"]);
    world.seconds(120);
    assert!(!world.sent().iter().any(|line| line.starts_with("NICK")));
}

#[test]
fn renames_by_wish_and_by_force() {
    let mut world = World::ours("me");
    world.act(Action::Rename { nick: "bob".into() });
    world.server(":s.test 433 me bob :Taken");
    let (sent, events) = world.look();
    assert_eq!(sent, ["NICK bob"]);
    assert_eq!(refusal(events).unwrap().suggestion.as_deref(), Some("bob_"));
    world.act(Action::Rename { nick: "zoë".into() });
    world.server(":me!u@host.test NICK :zoë");
    assert!(world.events().contains(&Event::Me { nick: "zoë".into() }));
    let line = world.last("#lobby");
    assert_eq!((line.kind(), line.from(), line.text(), line.own()), (LineKind::Renamed, "me", "zoë", true));
    world.server(":zoë!u@host.test NICK :Guest1");
    assert!(world.events().contains(&Event::Me { nick: "Guest1".into() }));
    world.act(Action::Rename { nick: "a b".into() });
    let (sent, events) = world.look();
    assert_eq!(sent, [""; 0]);
    assert_eq!(refusal(events).unwrap().sentence, Sentence::NameNotPossible { name: "a b".into() });
}
