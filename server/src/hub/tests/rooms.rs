//! The life of rooms under virtual time: how many there may be, when an empty one ends, and what of it stays.

use crate::hub::*;
use crate::protocol::time::UnixMillis;
use crate::testing::World;

const DAY: u64 = 24 * 3600;

fn durable() -> World {
    World::with(Settings { durable: true, boot: 7, ..Settings::default() })
}

/// Somebody who may ask for the past.
fn reader(world: &mut World, nick: &str) -> ConnectionId {
    let id = world.irc(nick);
    world.say(id, "CAP REQ :draft/chathistory soju.im/search\n");
    world.heard(id);
    id
}

fn has(lines: &[String], part: &str) -> bool {
    lines.iter().any(|line| line.contains(part))
}

/// What somebody who comes into a room can read of it.
fn reads(world: &mut World, id: ConnectionId, join: &str) -> Vec<String> {
    let room = join.split(' ').next().unwrap();
    world.say(id, &format!("JOIN {join}\nCHATHISTORY LATEST {room} * 50\nSEARCH in={room};text=secret\n"));
    world.heard(id)
}

#[test]
fn an_empty_room_ends_after_30_days_and_takes_its_lines_along_if_it_was_shut() {
    for lock in ["+k sesame", "+i", "+s", "+b eve!*@*"] {
        let mut world = durable();
        let alice = reader(&mut world, "alice");
        world.say(alice, &format!("JOIN #shut\nMODE #shut {lock}\nPRIVMSG #shut :a secret\n"));
        world.say(alice, "JOIN #open\nTOPIC #open :what for\nPRIVMSG #open :no secret\n");
        world.say(alice, "PART #shut\nPART #open\n");
        world.pass(29 * DAY);
        // No clock makes it end sooner.
        let leap = UnixMillis(2_700_000_000_000);
        world.hub.handle(Input::Tick, Moment { elapsed: world.now, wall: leap });
        let eve = reader(&mut world, "eve");
        let lines = reads(&mut world, eve, "#shut");
        assert_eq!(has(&lines, "a secret"), lock == "+s", "{lock}: {lines:?}");
        assert!(has(&reads(&mut world, eve, "#open"), "332 eve #open :what for"));
        world.say(eve, "PART #shut\nPART #open\n");
        world.pass(31 * DAY);
        let eve = reader(&mut world, "eve");
        let lines = reads(&mut world, eve, "#shut");
        assert!(has(&lines, ":@eve") && !has(&lines, "secret"), "{lock}: {lines:?}");
        // Of an open one only topic and modes are gone.
        let lines = reads(&mut world, eve, "#open");
        assert!(has(&lines, "no secret") && has(&lines, ":@eve") && !has(&lines, "what for"), "{lines:?}");
        world.check();
    }
}

#[test]
fn days_without_anybody_count_over_restarts_and_end_when_somebody_comes() {
    let mut world = durable();
    let alice = reader(&mut world, "alice");
    for room in ["#left", "#visited", "#talked"] {
        world.say(alice, &format!("JOIN {room}\nPRIVMSG {room} :hello\n"));
    }
    world.say(alice, "MODE #left +k a\nMODE #visited +k b\nQUIT\n");
    for visit in 0..3 {
        world.pass(14 * DAY);
        world.give(Input::Stop);
        let kept = |(name, state): (&std::sync::Arc<str>, &Option<Box<[u8]>>)| {
            Some((name.as_ref().into(), state.clone()?))
        };
        let rooms = world.rooms.iter().filter_map(kept).collect();
        let before = std::mem::replace(&mut world, durable());
        world.rooms = before.rooms;
        assert_eq!(world.hub.restore(rooms, Vec::new()), [] as [Box<str>; 0]);
        let bob = reader(&mut world, "bob");
        let refused = |world: &mut World, room: &str| {
            world.say(bob, &format!("JOIN {room}\nPART {room}\n"));
            has(&world.heard(bob), " 475 ")
        };
        // 14, 28 and 42 days; what somebody came into is no younger than that for it.
        assert_eq!(refused(&mut world, "#left"), visit < 2, "{visit}");
        assert!(!refused(&mut world, "#visited b") && refused(&mut world, "#visited"), "{visit}");
    }
    assert!(world.rooms["#talked"].is_none() && world.rooms["#visited"].is_some());
}

#[test]
fn a_full_table_refuses_one_more_and_puts_nobody_elses_room_out() {
    let mut world = durable();
    let (alice, eve) = (reader(&mut world, "alice"), reader(&mut world, "eve"));
    world.say(alice, "JOIN #locked\nMODE #locked +k sesame\nPRIVMSG #locked :a secret\nPART #locked\n");
    world.deaf = true;
    for number in 0..20_100 {
        world.say(eve, &format!("JOIN #{number}\nTOPIC #{number} :y\nPART #{number}\n"));
    }
    world.deaf = false;
    let kept = world.rooms.iter().filter(|(name, state)| name.starts_with('#') && state.is_some());
    // With the default one.
    assert_eq!(kept.count(), 20_000 - 1);
    world.say(eve, "JOIN #more\n");
    let lines = world.heard(eve);
    assert!(has(&lines, " 405 eve #more :20000 rooms are the limit of this server"), "{lines:?}");
    assert!(!has(&reads(&mut world, eve, "#locked"), "secret"));
    assert!(has(&reads(&mut world, alice, "#locked sesame"), "a secret"));
    world.check();
    // Rooms that have no more than a name take no place for long.
    world.pass(31 * DAY);
    let eve = world.irc("eve");
    for _ in 0..20_100 {
        world.say(eve, "JOIN #a,#b\nPART #a,#b\n");
    }
    assert!(!has(&world.heard(eve), " 405 "));
    world.check();
}

#[test]
fn the_lists_of_the_rooms_of_one_party_have_a_bound_together() {
    let mut world = durable();
    let eve = world.irc("eve");
    let mut full = false;
    'all: for room in 0..60 {
        world.say(eve, &format!("JOIN #{room}\n"));
        for mask in 0..100 {
            world.say(eve, &format!("MODE #{room} +b {mask}!*@*\n"));
            if has(&world.heard(eve), " 478 ") {
                assert_eq!((room, mask), (50, 0), "5,000 entries");
                full = true;
                break 'all;
            }
        }
        world.say(eve, &format!("PART #{room}\n"));
    }
    assert!(full);
    // Less makes place for more.
    world.say(eve, "JOIN #0\nMODE #50 -b 0!*@*\n");
    world.say(eve, "JOIN #49\n");
    world.check();
}

#[test]
fn rooms_that_only_their_lines_tell_of_are_kept_and_end_as_others_do() {
    let mut world = durable();
    assert_eq!(world.hub.restore(vec![("#old".into(), [].into())], Vec::new()), [] as [Box<str>; 0]);
    let bob = world.irc("bob");
    world.say(bob, "LIST\n");
    assert!(!has(&world.heard(bob), "322 bob #old"), "nobody is in it");
    world.check();
    assert_eq!(world.hub.state.rooms.len(), 2);
    world.pass(31 * DAY);
    assert_eq!(world.hub.state.rooms.len(), 1);
    assert!(world.rooms["#old"].is_none());
}
