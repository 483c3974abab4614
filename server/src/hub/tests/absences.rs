//! What somebody is shown who comes back, where it takes long to go or a socket would have to break.

use crate::hub::*;
use crate::testing::World;

/// The numbers that a room's lines are, of now or with the time in front.
fn numbers(lines: &[String]) -> Vec<&str> {
    let said = lines.iter().filter(|line| line.contains(" PRIVMSG #a "));
    said.filter_map(|line| line.rsplit([' ', ':']).next()).collect()
}

/// Amy, who is always there, and bob, who has heard 1 and 2 and then nothing more: 3 and 4 were said.
fn scene(settings: Settings) -> (World, ConnectionId, ConnectionId) {
    let mut world = World::with(settings);
    let (amy, bob) = (world.irc("amy"), world.irc("bob"));
    world.say(amy, "JOIN #a\n");
    world.say(bob, "JOIN #a\n");
    world.say(amy, "PRIVMSG #a :1\nPRIVMSG #a :2\n");
    world.pass(10);
    world.say(bob, "PING x\n");
    world.say(amy, "PRIVMSG #a :3\nPRIVMSG #a :4\n");
    (world, amy, bob)
}

fn returns(world: &mut World) -> Vec<String> {
    let bob = world.irc("bob");
    world.say(bob, "JOIN #a\n");
    world.heard(bob)
}

#[test]
fn who_timed_out_is_shown_what_it_cannot_have_read() {
    let (mut world, amy, bob) = scene(Settings::default());
    for _ in 0..10 {
        world.pass(10);
        world.say(amy, "PING x\n");
    }
    assert_eq!(world.closed, [bob]);
    assert_eq!(numbers(&returns(&mut world)), ["3", "4"]);
}

#[test]
fn who_hung_up_had_read_everything() {
    let (mut world, _, bob) = scene(Settings::default());
    world.give(Input::News(bob, News::HungUp));
    assert_eq!(numbers(&returns(&mut world)), [""; 0]);
}

#[test]
fn of_who_was_lost_only_the_last_certain_thing_counts() {
    let (mut world, amy, bob) = scene(Settings::default());
    world.give(Input::News(bob, News::Lost("SendQ exceeded".into())));
    // It was heard last after its JOIN when 1 and 2 had been said.
    assert_eq!(numbers(&returns(&mut world)), ["3", "4"]);
    let bob = world.hub.state.find("bob").unwrap();
    // It is not heard of again.
    world.say(amy, "PRIVMSG #a :5\n");
    world.give(Input::News(bob, News::Lost("SendQ exceeded".into())));
    assert_eq!(numbers(&returns(&mut world)), ["3", "4", "5"]);
}

#[test]
fn what_is_written_down_is_bounded_and_comes_back() {
    let settings = Settings { durable: true, ..Settings::default() };
    let (mut world, _, bob) = scene(settings.clone());
    world.say(bob, "PART #a\n");
    for number in 0..30 {
        world.say(bob, &format!("JOIN #{number}\nPART #{number}\n"));
    }
    let folk = world.rooms.iter().filter(|(name, _)| name.starts_with("bob@"));
    let folk: Vec<(Box<str>, Box<[u8]>)> =
        folk.filter_map(|(name, state)| Some((&**name).into()).zip(state.clone())).collect();
    let names: Vec<&str> = folk.iter().map(|(name, _)| &**name).collect();
    assert_eq!(names, ["bob@0000000000000001"]);
    let rooms = folk[0].1.windows(2).filter(|two| two[1] == b'#').count();
    assert_eq!(rooms, 20, "{}", String::from_utf8_lossy(&folk[0].1));

    let mut next = World::with(Settings { boot: 1, ..settings });
    assert_eq!(next.hub.restore(folk, Vec::new()), [] as [Box<str>; 0]);
    let bob = next.irc("bob");
    next.say(bob, "JOIN #29\nJOIN #a\n");
    let known = ["#29", "#a"].map(|room| {
        let room = next.hub.state.rooms.find(room).unwrap();
        next.hub.state.read_before(bob, room).is_some()
    });
    assert_eq!(known, [true, false], "the latest 20");
}
