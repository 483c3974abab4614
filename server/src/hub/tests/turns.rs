//! Everybody in turn: how much one question, one page, one party may have before others.

use super::*;
use crate::hub::history::Request;

const CAPS: &str = "batch draft/chathistory echo-message message-tags soju.im/search standard-replies";

/// A member of #a from this address, who may ask for history.
fn asker(world: &mut World, address: [u8; 4], nick: &str) -> ConnectionId {
    let id = world.open_from(address);
    world.give(Input::News(id, News::Speaks(Speaker::Irc, None)));
    world.say(id, &format!("NICK {nick}\nUSER u 0 * :r\nCAP REQ :{CAPS}\nCAP END\nJOIN #a\n"));
    world.heard(id);
    id
}

/// Answers questions in their order until somebody has the end of a batch; how many that took.
fn answers_until(world: &mut World, id: ConnectionId) -> usize {
    for count in 1..10_000 {
        let (ticket, request) = world.asked.as_mut().unwrap().remove(0);
        world.asked.as_ref().into_iter().flatten().for_each(|(_, other)| {
            assert!(
                world.asked.as_ref().unwrap().len() < 4,
                "the store has few questions at a time: {other:?}"
            );
        });
        let answer = world.answer_to(&request);
        world.give(Input::Answer { ticket, answer });
        if world.heard(id).iter().any(|line| line.contains("BATCH -")) {
            return count;
        }
    }
    panic!("no end");
}

#[test]
fn sixty_connections_of_one_address_have_one_turn_of_two() {
    for question in ["CHATHISTORY LATEST #a * 50\n", "SEARCH text=x\n"] {
        let mut world = World::new();
        let alice = asker(&mut world, [10, 0, 0, 2], "alice");
        let crowd: Vec<ConnectionId> =
            (0..60).map(|i| asker(&mut world, [10, 0, 0, 1], &format!("m{i}"))).collect();
        world.say(alice, "PRIVMSG #a :x\n");
        world.heard(alice);
        world.asked = Some(Vec::new());
        crowd.iter().for_each(|id| world.say(*id, &question.repeat(20)));
        world.say(alice, question);
        let count = answers_until(&mut world, alice);
        assert!(count <= 4, "{question}: {count} answers");
        // Nobody of the crowd waits for another one's 20.
        let last = *crowd.last().unwrap();
        let count = answers_until(&mut world, last);
        assert!(count <= 62, "{question}: {count} answers");
        // Who goes asks nothing any more.
        crowd.iter().for_each(|id| world.say(*id, "QUIT\n"));
        while let Some((ticket, _)) = world.asked.as_mut().unwrap().pop() {
            world.give(Input::Answer { ticket, answer: Answer::Failed });
        }
        world.say(alice, question);
        assert_eq!(answers_until(&mut world, alice), 1);
    }
}

#[test]
fn resends_of_one_member_are_looked_up_in_turn_with_the_questions_of_others() {
    let mut world = World::with(Settings { durable: true, ..Settings::default() });
    let mallory = asker(&mut world, [10, 0, 0, 1], "mallory");
    let alice = asker(&mut world, [10, 0, 0, 1], "alice");
    let line = "@+parlor/id=0123456789abcdef0123456789abcdef PRIVMSG #a :hi\n";
    world.say(mallory, line);
    world.stored();
    world.asked = Some(Vec::new());
    world.say(mallory, &line.repeat(100));
    assert!(matches!(world.asked.as_deref(), Some([(_, Request::Find { .. }), _])));
    world.heard(mallory);
    world.say(alice, "CHATHISTORY LATEST #a * 50\n");
    assert!(answers_until(&mut world, alice) <= 4);
    while !world.asked.as_ref().unwrap().is_empty() {
        world.answer();
    }
    let echoes = world.heard(mallory);
    assert!(echoes.len() == 100 && echoes.iter().all(|echo| echo.ends_with("PRIVMSG #a :hi")), "{echoes:?}");
}

#[test]
fn a_search_that_goes_on_holds_a_pong_back_for_two_seconds() {
    let mut world = World::new();
    let alice = asker(&mut world, [10, 0, 0, 2], "alice");
    world.asked = Some(Vec::new());
    world.say(alice, "SEARCH text=x\nPING one\n");
    world.pass(1);
    world.say(alice, "PING two\n");
    assert_eq!(world.heard(alice), [""; 0]);
    world.pass(1);
    let heard = world.heard(alice);
    assert!(heard.len() == 1 && heard[0].contains("PONG") && heard[0].ends_with("one"), "{heard:?}");
    world.answer();
    let heard = world.heard(alice).join(" ");
    assert!(heard.find("BATCH -") < heard.find(":two") && heard.contains("BATCH -"), "{heard}");
    world.pass(5);
    assert_eq!(world.heard(alice), [""; 0]);
}

#[test]
fn a_search_that_is_too_long_says_where_it_stopped() {
    let mut world = World::new();
    let alice = asker(&mut world, [10, 0, 0, 2], "alice");
    world.asked = Some(Vec::new());
    world.say(alice, "SEARCH text=x\n");
    let mut pieces = 0;
    while let Some((ticket, _)) = world.asked.as_mut().unwrap().pop() {
        pieces += 1;
        let at = MsgId { boot: 1, millis: 1_700_000_000_000 - pieces, count: 0 };
        world.give(Input::Answer { ticket, answer: Answer::Lines { found: Vec::new(), more: Some(at) } });
    }
    assert_eq!(pieces, 1024);
    let heard = world.heard(alice);
    let time = "2023-11-14T22:13:18.976Z";
    assert!(
        heard.iter().any(|line| line.contains(&format!("NOTE SEARCH STOPPED {time} :"))
            && line.ends_with(&format!("before={time}"))),
        "{heard:?}"
    );
}

#[test]
fn a_list_looks_at_so_many_rooms_and_masks_and_the_next_one_waits() {
    let mut world = World::new();
    for member in 0..40 {
        let id = world.irc(&format!("m{member}"));
        for room in 0..50 {
            world.say(id, &format!("JOIN #room-{member}-{room}\n"));
        }
        world.heard(id);
    }
    let bob = world.irc("bob");
    world.more.clear();
    let masks = (0..10).map(|i| format!("*??????{i}z")).collect::<Vec<_>>().join(",");
    world.say(bob, &format!("LIST {masks}\n").repeat(3));
    let (mut pages, mut ended) = (1, 0);
    while let Some(id) = world.more.pop() {
        world.give(Input::News(id, News::Drained));
        pages += 1;
        ended += world.heard(bob).iter().filter(|line| line.contains(" 323 ")).count();
    }
    // 2,000 rooms and 10 masks each.
    assert!(ended == 3 && (3 * 40..3 * 50).contains(&pages), "{ended} in {pages} pages");
    // Nothing but its end is to be read, and yet one waits for the other.
    world.say(bob, "LIST #nowhere\nLIST #nowhere\nWHO nobody\n");
    assert!(world.more.len() == 1 && world.heard(bob).is_empty());
}
