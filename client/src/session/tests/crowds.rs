//! Many strangers, and servers that never stop: what is kept has a bound.

use super::*;
use crate::limits::*;

impl World {
    /// The server sends so many lines; what is shown of them is not kept. The outputs of the input
    /// that had most of them.
    fn flood(&mut self, count: usize, line: impl Fn(usize) -> String) -> usize {
        let mut most = 0;
        let mut block = String::new();
        for i in 0..count {
            block += &line(i);
            block += "\r\n";
            if block.len() >= AT_ONCE || i + 1 == count {
                self.session.handle(Input::Received(block.as_bytes()), moment(self.now));
                most = most.max(self.session.drain().count());
                block.clear();
            }
        }
        most
    }

    fn lines_bytes(&self) -> usize {
        self.session.conversations.values().map(|conversation| conversation.log.bytes()).sum()
    }

    fn people_count(&self) -> usize {
        self.session.conversations.values().map(|conversation| conversation.roster.len()).sum()
    }
}

/// One after the last stranger with a conversation of their own.
fn strangers() -> World {
    let mut world = World::ours("me");
    world.act(Action::Private { nick: "friend".into() });
    for i in 0..STRANGERS + 2 {
        world.server(&format!(":s{i:02}!u@h PRIVMSG me :hello from {i}"));
    }
    world
}

#[test]
fn strangers_beyond_the_first_share_a_conversation() {
    let mut world = strangers();
    assert_eq!(world.talk("s19"), ["s19: hello from 19"]);
    assert_eq!(world.talk("**"), ["s20: hello from 20", "s21: hello from 21"]);
    assert_eq!(world.names("**"), ["s20", "s21"]);
    // A friend, and whoever was answered, do not count: there is room for another one.
    world.say("s03", "hi");
    world.server(":s22!u@h PRIVMSG me :me too");
    assert_eq!(world.talk("s22"), ["s22: me too"]);
    // Who stands among the others goes on there, until they are answered.
    world.server(":s03!u@h QUIT :bye");
    world.server(":s20!u@h PRIVMSG me :still there?");
    assert_eq!(world.talk("**").len(), 3);
    world.server(":friend!u@h PRIVMSG me :I am no stranger");
    assert_eq!(world.talk("friend"), ["friend: I am no stranger"]);
    // Nobody is told that one of them went.
    world.server(":s21!u@h QUIT :bye");
    assert_eq!((world.names("**"), world.screen.lines("**").len()), (vec!["s20".to_owned()], 3));
}

#[test]
fn a_stranger_who_is_answered_takes_what_they_wrote_along() {
    let mut world = strangers();
    world.server(":s20!u@h PRIVMSG me :once more");
    world.look();
    world.say("**", "which of you?");
    assert_eq!(world.given_back(), Some(("which of you?".into(), Sentence::AnswerOneOfThem)));
    assert!(world.sent().is_empty());
    world.act(Action::Private { nick: "S20".into() });
    assert_eq!(world.talk("s20"), ["s20: hello from 20", "s20: once more"]);
    assert_eq!(
        (world.talk("**"), world.names("**")),
        (vec!["s21: hello from 21".to_owned()], vec!["s21".to_owned()])
    );
    let unread = world.events().into_iter().rev().find_map(|event| match event {
        Event::Unread { key, count, .. } if key.is_others() => Some(count),
        _ => None,
    });
    assert_eq!(unread, Some(1));
    world.say("s20", "now you");
    assert!(world.sent()[0].ends_with("PRIVMSG s20 :now you"));
}

#[test]
fn the_conversation_of_strangers_is_left_and_comes_again() {
    let mut world = strangers();
    world.act(Action::Close { key: Key::others() });
    assert!(!world.screen.lines.contains_key("**"));
    world.server(":s20!u@h PRIVMSG me :again");
    assert_eq!(world.talk("**"), ["s20: again"]);
    world.command("**", "/msg s20 hello");
    assert_eq!(world.talk("s20"), ["s20: again", "me: hello"]);
    assert!(!world.screen.lines.contains_key("**"), "it is empty");
    // A name that looks like it is nobody's conversation.
    for nick in ["**", "*"] {
        world.server(&format!(":{nick}!u@h PRIVMSG me :trick"));
        world.server(&format!(":s01!u@h NICK {nick}"));
        world.act(Action::Private { nick: nick.into() });
    }
    assert!(world.screen.lines.contains_key("s01"));
}

#[test]
fn twenty_thousand_strangers_are_twenty_one_conversations() {
    let mut world = World::ours("me");
    world.flood(20_000, |i| format!(":s{i}!u@h PRIVMSG me :{i}"));
    assert_eq!(world.session.conversations.len(), STRANGERS + 3);
    assert!(world.session.conversations[&Key::others()].log.len() <= OTHERS_LINES);
    // Those who wrote what is there; the last ones are looked through when the oldest lines go.
    assert!(world.people_count() <= OTHERS_LINES + OTHERS_LINES / 20 + 3);
}

#[test]
fn forced_rooms_are_bounded_and_our_own_are_not() {
    let mut world = World::ours("me");
    world.flood(5_000, |i| format!(":me!u@h JOIN #r{i}"));
    assert!(world.session.conversations.len() <= ROOMS_UNASKED + 1);
    assert!(world.session.wanted.len() <= ROOMS_UNASKED);
    world.act(Action::Join { room: "#mine".into(), key: None });
    world.server(":me!u@h JOIN #mine");
    assert!(world.session.conversations.contains_key("#mine"));
    // Lines about rooms that are not open are nobody's.
    let open = world.session.conversations.len();
    world.flood(1_000, |i| format!(":s TOPIC #q{i} :t\r\n:s MODE #q{i} +k x\r\n:s 353 me = #q{i} :a b c"));
    assert_eq!(world.session.conversations.len(), open);
}

#[test]
fn rooms_without_end_hold_so_many_people() {
    let mut world = World::ours("me");
    world.flood(12_000, |i| format!(":p{i}!user@host{i} JOIN #lobby"));
    assert_eq!(world.session.conversations["#lobby"].roster.len(), PEOPLE_IN_ROOM);
    for room in 0..4 {
        world.server(&format!(":me!u@h JOIN #r{room}"));
        // Without an end (366), too.
        world.flood(8_000, |i| format!(":s 353 me = #r{room} :q{i}!u@h"));
    }
    // Those of one input may come on top.
    assert!((PEOPLE..PEOPLE + 200).contains(&world.people_count()), "{}", world.people_count());
    let long = "x".repeat(NAME + 1);
    world.server(&format!(":p1!u@h NICK {long}"));
    world.server(":p2!u@h PART #lobby");
    assert_eq!(world.session.conversations["#lobby"].roster.len(), PEOPLE_IN_ROOM - 2);
}

#[test]
fn lines_of_all_conversations_share_a_bound_and_the_longest_pays() {
    let mut world = World::ours("me");
    world.server(":bob!u@h PRIVMSG me :keep me");
    let long = "y".repeat(8_000);
    world.flood(8_500, |_| format!(":bob!u@h PRIVMSG #lobby :{long}"));
    world.flood(500, |_| format!(":irc.test 372 me :{long}"));
    world.flood(500, |_| format!(":irc.test 999 me :{long}"));
    assert!((LINES_BYTES / 2..=LINES_BYTES).contains(&world.lines_bytes()), "{}", world.lines_bytes());
    assert_eq!(world.session.conversations["bob"].log.len(), 1);
}

#[test]
fn coming_and_going_of_ours_without_end_asks_so_much() {
    let mut world = World::welcomed("me", &format!("{OURS} draft/chathistory"), "parlor/MSGID=sorted");
    world.flood(2_000, |i| format!(":me!u@h JOIN #r{}\r\n:me!u@h PART #r{}", i % 7, i % 7));
    assert!(world.session.questions.len() <= QUESTIONS);
    world.server(":me!u@h JOIN #tea");
    world.look();
    world.flood(2_000, |_| ":me!u@h JOIN #tea".into());
    assert!(world.session.conversations["#tea"].log.gaps.len() <= 1, "we came in once");
    assert!(world.session.questions.len() <= QUESTIONS);
    // When nobody has answered, it is asked again.
    world.seconds(31);
    assert!(world.session.questions.is_empty());
    for _ in 0..2 * GAPS {
        world.seconds(11);
        world.give(Input::Lost(GONE));
        world.welcome(&format!("{OURS} draft/chathistory"), "parlor/MSGID=sorted");
        world.server(":me!u@h JOIN #lobby");
        world
            .server(&format!("@msgid=00000001{:011x}0000 :bob!u@h PRIVMSG #lobby :x", world.now.as_millis()));
    }
    assert!(world.session.conversations["#lobby"].log.gaps.len() <= GAPS);
}

#[test]
fn batches_without_end_give_way_and_their_gaps_are_asked_about_again() {
    let mut world = World::welcomed("me", "batch draft/chathistory message-tags", "");
    let gap = |world: &World| world.session.conversations["#lobby"].log.gaps[0].id;
    world.server(":s BATCH +first chathistory #lobby");
    let state = |world: &World| world.session.conversations["#lobby"].log.get(gap(world)).unwrap().state();
    assert_eq!(state(&world), Delivery::Pending);
    let long = "z".repeat(8_000);
    world.flood(3_000, |_| format!("@batch=first :bob!u@h PRIVMSG #lobby :{long}"));
    assert!(world.session.batches[0].bytes <= PAGES_BYTES + 10_000);
    world.flood(1_000, |i| format!(":s BATCH +b{i} chathistory #lobby"));
    assert_eq!(world.session.batches.len(), BATCHES);
    assert_eq!(state(&world), Delivery::Failed);
    // One that is never ended, alone, is given up in time.
    let mut world = World::welcomed("me", "batch draft/chathistory message-tags", "");
    world.server(":s BATCH +first chathistory #lobby");
    world.seconds(31);
    assert_eq!(state(&world), Delivery::Failed);
    // What comes of it then is of the past, and nobody of it is here now.
    world.server(
        "@batch=first :zoe!u@h JOIN #lobby\n@batch=first :zoe!u@h PRIVMSG #lobby :long ago\n:s BATCH -first",
    );
    assert!(!world.names("#lobby").iter().any(|name| name.contains("zoe")), "{:?}", world.names("#lobby"));
    assert!(world.session.batches.is_empty());
}

#[test]
fn what_says_nothing_new_is_not_told() {
    let mut world = World::ours("me");
    let most = world.flood(1_000, |_| ":s 005 me CASEMAPPING=ascii NETWORK=x :are supported".into());
    assert_eq!(most, 0);
    world.flood(1_000, |i| {
        format!(":me{}!u@h NICK me{}", if i == 0 { String::new() } else { i.to_string() }, i + 1)
    });
    assert!(world.session.me.were.len() <= NAMES_HAD);
    assert_eq!(world.session.me.nick, "me1000");
}

#[test]
fn one_input_makes_so_much_for_the_window() {
    let mut world = World::ours("me");
    world.flood(300, |i| format!(":me!u@h JOIN #r{i}\r\n:a!u@h JOIN #r{i}"));
    let most = world.flood(500, |i| if i % 2 == 0 { ":a NICK b".into() } else { ":b NICK a".into() });
    assert!(most < 100 * TO_TELL, "{most}");
}

#[test]
fn pings_without_end_do_not_silence_us() {
    let mut world = World::welcomed("me", "", "PREFIX=(ov)@+");
    world.flood(10_000, |i| format!("PING :{i}"));
    world.say("#lobby", "I am still here");
    world.seconds(10);
    assert!(world.sent().iter().any(|line| line.ends_with("PRIVMSG #lobby :I am still here")));
}
