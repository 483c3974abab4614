//! What a crash took back, and what was sent again.

use super::history::{entered, lobby};
use super::server::Pair;
use super::*;

#[test]
fn what_a_crash_took_back_is_withdrawn() {
    let mut pair = entered(true, 3);
    pair.server.say("bob", "lost", None);
    pair.carry_down(9);
    assert_eq!(pair.world.talk("#lobby").len(), 4);
    pair.server.crash();
    pair.world.give(Input::Lost(GONE));
    pair.settle();
    pair.assert_same("without it");
}

#[test]
fn however_much_a_crash_took_back_is_withdrawn() {
    for kept in [0, 40] {
        let mut pair = entered(true, 3);
        for i in 0..4_000 {
            pair.server.say("bob", &format!("of a minute {i}"), None);
        }
        pair.carry_down(9_000);
        assert_eq!(pair.world.talk("#lobby").len(), 4_003);
        pair.server.commit(3 + kept);
        pair.server.crash();
        pair.world.give(Input::Lost(GONE));
        pair.settle();
        pair.assert_same("without it");
        assert!(pair.server.asked.len() <= 4, "{:?}", pair.server.asked);
    }
}

/// It asks for what it has missed, and no answer has come yet.
fn until_it_is_in_the_room(pair: &mut Pair) {
    for _ in 0..100 {
        if pair.world.session.conversations[&lobby()].joined {
            return;
        }
        pair.world.seconds(1);
        pair.carry_up();
        pair.carry_down(1);
    }
    panic!("it does not come back");
}

#[test]
fn a_loss_before_any_answer_leaves_nothing_that_is_not_kept() {
    let mut pair = entered(true, 3);
    pair.server.say("bob", "kept", None);
    pair.server.say("bob", "lost", None);
    pair.carry_down(9);
    pair.server.commit(4);
    pair.server.crash();
    pair.world.give(Input::Lost(GONE));
    until_it_is_in_the_room(&mut pair);
    pair.cut();
    pair.settle();
    pair.assert_same("without it");
}

#[test]
fn what_several_crashes_took_back_is_withdrawn() {
    let mut pair = entered(true, 3);
    for i in 0..3 {
        pair.server.say("bob", &format!("kept {i}"), None);
        pair.server.say("bob", &format!("lost {i}"), None);
        pair.carry_down(9);
        pair.server.commit(pair.server.lines.len() - 1);
        pair.server.crash();
        pair.world.give(Input::Lost(GONE));
        until_it_is_in_the_room(&mut pair);
    }
    pair.settle();
    pair.assert_same("without them");
}

#[test]
fn what_a_crash_took_back_is_withdrawn_when_the_crash_is_known() {
    let mut pair = entered(true, 3);
    pair.server.bare_join = true;
    pair.server.say("bob", "lost", None);
    pair.carry_down(9);
    pair.server.crash();
    pair.world.give(Input::Lost(GONE));
    pair.settle();
    pair.server.say("bob", "after", None);
    pair.settle();
    pair.assert_same("without it");
}

#[test]
fn a_line_that_was_given_up_and_arrived_is_shown() {
    let mut pair = entered(true, 3);
    pair.world.act(Action::Leave { key: lobby() });
    pair.world.act(Action::Join { room: "#lobby".into(), key: None });
    pair.world.say("#lobby", "sent behind both");
    pair.world.sent.retain(|line| !line.starts_with("PART") && !line.starts_with("JOIN"));
    pair.world.server(":me!u@host.test PART #lobby");
    assert!(!pair.world.screen.lines.contains_key("#lobby"));
    pair.server.take("JOIN #lobby");
    // Its echo would come now, behind what others say at once.
    pair.carry_up();
    pair.server.say("bob", "heard", None);
    pair.carry_down(usize::MAX);
    // Lost twice, the second time before it is in the room.
    for _ in 0..2 {
        pair.cut();
        pair.world.seconds(9);
        pair.carry_up();
    }
    pair.settle();
    assert_eq!(pair.world.talk("#lobby"), ["me: sent behind both", "bob: heard"]);
    pair.older_until_the_top();
    pair.assert_same("with it");
}

#[test]
fn what_its_sender_sends_again_is_shown_once() {
    for resent_first in [true, false] {
        let mut pair = entered(true, 3);
        let token = "0123456789abcdef0123456789abcdef";
        pair.server.say("bob", "again", Some(token));
        pair.carry_down(9);
        pair.server.crash();
        pair.world.give(Input::Lost(GONE));
        if resent_first {
            pair.server.say("bob", "again", Some(token));
        }
        pair.settle();
        pair.server.say("bob", "again", Some(token));
        pair.settle();
        assert_eq!(pair.world.talk("#lobby").len(), 4);
        pair.assert_same("once");
    }
}

#[test]
fn without_a_crash_nothing_is_withdrawn() {
    let mut pair = entered(true, 3);
    pair.server.say("bob", "not kept", None);
    pair.carry_down(9);
    // History is paused: the line is in nobody's.
    pair.server.lines.pop();
    pair.cut();
    pair.settle();
    assert_eq!(pair.world.talk("#lobby").len(), 4);
}
