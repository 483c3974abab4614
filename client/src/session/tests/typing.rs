//! Who is typing.

use super::*;

fn of_us() -> World {
    World::welcomed("me", "message-tags echo-message", "SAFERATE")
}

fn shown(world: &World) -> Vec<String> {
    let told = world.events.iter().rev().find_map(|event| match event {
        Event::Typing { key, names } if *key == Key::new("#lobby") => Some(names.clone()),
        _ => None,
    });
    told.unwrap_or_default()
}

#[test]
fn others_are_seen_typing_until_they_have_sent_it_or_gone() {
    let mut world = of_us();
    world.server("@+typing=active :bob!b@h TAGMSG #lobby");
    world.server("@+typing=active :eve!e@h TAGMSG #lobby");
    assert_eq!(shown(&world), ["bob", "eve"]);
    world.server(":bob!b@h PRIVMSG #lobby :hello");
    assert_eq!(shown(&world), ["eve"]);
    world.pass(Duration::from_secs(4));
    world.server("@+typing=active :eve!e@h TAGMSG #lobby");
    world.pass(Duration::from_secs(4));
    assert_eq!(shown(&world), ["eve"], "still");
    world.pass(Duration::from_secs(3));
    assert_eq!(shown(&world), [""; 0], "6 s without a word");
    for end in ["@+typing=done :bob!b@h TAGMSG #lobby", ":bob!b@h QUIT :bye"] {
        world.server("@+typing=active :bob!b@h TAGMSG #lobby");
        assert_eq!(shown(&world), ["bob"]);
        world.server(end);
        assert_eq!(shown(&world), [""; 0], "{end}");
    }
    world.server("@+typing=active :amy!a@h TAGMSG #lobby");
    world.give(Input::Lost(GONE));
    assert_eq!(shown(&world), [""; 0], "nobody is seen where nobody is heard");
}

#[test]
fn a_crowd_that_types_costs_no_more_than_its_bound() {
    let mut world = of_us();
    world.events.clear();
    for i in 0..2 * crate::limits::TYPING {
        world.server(&format!("@+typing=active :n{i}!n@h TAGMSG #lobby"));
        world.server("@+typing=active :me!m@h TAGMSG #lobby");
        world.server(&format!("@+typing=active :n{i}!n@h TAGMSG #elsewhere"));
    }
    assert_eq!(shown(&world).len(), crate::limits::TYPING);
}

#[test]
fn it_is_said_once_in_three_seconds_and_taken_back() {
    let mut world = of_us();
    let writes = |world: &mut World, writes| {
        world.act(Action::Typing { to: Key::new("#lobby"), writes });
        world.sent()
    };
    let [active, done] = ["active", "done"].map(|state| format!("@+typing={state} TAGMSG #lobby"));
    assert_eq!(writes(&mut world, false), [""; 0], "nothing was said that could be taken back");
    assert_eq!(writes(&mut world, true), [&*active]);
    assert_eq!(writes(&mut world, true), [""; 0]);
    world.pass(Duration::from_secs(3));
    world.sent();
    assert_eq!(writes(&mut world, true), [&*active]);
    assert_eq!(writes(&mut world, false), [done]);
    assert_eq!(writes(&mut world, true), [active]);
    world.say("#lobby", "sent");
    world.sent();
    assert_eq!(writes(&mut world, false), [""; 0], "the line has said so");

    // Where nobody hears it, nothing is said.
    for (caps, isupport) in [("echo-message", "SAFERATE"), ("message-tags", "CLIENTTAGDENY=* SAFERATE")] {
        let mut world = World::welcomed("me", caps, isupport);
        world.sent();
        assert_eq!(writes(&mut world, true), [""; 0], "{caps} {isupport}");
    }
    let mut world = World::welcomed("me", "message-tags", "CLIENTTAGDENY=*,-typing SAFERATE");
    world.sent();
    assert_eq!(writes(&mut world, true).len(), 1);
}
