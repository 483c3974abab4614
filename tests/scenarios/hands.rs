//! A teacher's tools: whose turn it is (`+parlor/hand`, HAND, /hand), and a room that is slow (mode `f`).

use parlor_tests::{Message, Scratch, Server};

#[test]
fn hands_are_up_in_the_order_in_which_they_came_whatever_program_raised_them() {
    let server = Server::start(&[]);
    let mut teacher = server.irc_with("teacher", &["message-tags"]);
    let mut bob = server.irc_with("bob", &["message-tags"]);
    let mut old = server.irc("old");
    for irc in [&mut teacher, &mut bob, &mut old] {
        irc.join("#class");
    }
    teacher.settle();
    let mut nc = server.plain();
    nc.send("carol");
    nc.expect("-!- Welcome *");
    nc.send("/join #class");
    nc.until("-!- You are in #class *");
    bob.send("@+parlor/hand=up TAGMSG #class");
    let up = |nick: &str| {
        let nick = nick.to_owned();
        move |m: &Message| m.command == "TAGMSG" && m.nick() == nick && m.tag("+parlor/hand") == Some("up")
    };
    teacher.expect(up("bob"));
    bob.expect(up("bob"));
    nc.expect("-!- bob raises a hand (1 up)");
    old.expect(":bob!*@* NOTICE #class *raises*");
    nc.send("/hand");
    nc.expect("-!- carol raises a hand (2 up)");
    old.send("HAND #class UP");
    teacher.expect(up("old"));
    nc.send("/hands");
    nc.until("-!- Hands up in #class: bob, carol, old");
    // Twice is once; and who comes later is told, in this order.
    bob.send("HAND #class UP");
    assert!(bob.settle().iter().all(|m| m.command != "TAGMSG" || m.nick() == "old" || m.nick() == "carol"));
    let mut late = server.irc_with("late", &["message-tags"]);
    late.send("JOIN #class");
    for nick in ["bob", "carol", "old"] {
        late.expect(up(nick));
    }
    // The teacher gives the word; nobody else lowers another one's hand.
    late.settle();
    late.ask("HAND #class DOWN bob", "482 late #class *");
    teacher.send("HAND #class DOWN bob");
    teacher.expect(|m: &Message| m.nick() == "bob" && m.tag("+parlor/hand") == Some("down"));
    nc.send("/hand down");
    nc.until("-!- carol lowers the hand");
    old.send("PART #class");
    old.expect("PART #class");
    teacher.settle();
    teacher.ask("HAND #class", "NOTICE teacher *No*hand*");
    teacher.ask("HAND #class SIDEWAYS", "FAIL HAND INVALID_PARAMS SIDEWAYS *");
    teacher.ask("@+parlor/hand=sideways TAGMSG #class", "FAIL TAGMSG INVALID_PARAMS sideways *");
    teacher.ask("HAND #nowhere UP", "403 teacher #nowhere *");
}

#[test]
fn who_may_not_talk_raises_no_hand_either_but_in_a_moderated_room_everybody_asks() {
    let server = Server::start(&[]);
    let mut teacher = server.irc_with("teacher", &["message-tags"]);
    let mut bob = server.irc_with("bob", &["message-tags"]);
    teacher.join("#class");
    bob.join("#class");
    let mut nc = server.plain();
    nc.send("carol");
    nc.expect("-!- Welcome *");
    nc.send("/join #class");
    nc.until("-!- You are in #class *");
    teacher.settle();
    bob.settle();
    let hand = |nick: &str, which: &str| {
        let (nick, which) = (nick.to_owned(), which.to_owned());
        move |m: &Message| m.nick() == nick && m.tag("+parlor/hand") == Some(&which)
    };
    teacher.ask("MODE #class +m", "MODE #class +m");
    bob.expect("MODE #class +m");
    for mask in ["", "~m:"] {
        // It is up already when its owner is kept from talking.
        bob.send("HAND #class UP");
        teacher.expect(hand("bob", "up"));
        bob.expect(hand("bob", "up"));
        let banned: String = ["bob", "carol"].map(|nick| format!("{mask}{nick}!*@*")).join(" ");
        teacher.send(&format!("MODE #class +bb {banned}"));
        bob.expect(format!("MODE #class +bb {banned}").as_str());
        bob.send("@+parlor/hand=down TAGMSG #class");
        teacher.expect(hand("bob", "down"));
        bob.expect(hand("bob", "down"));
        for up in ["HAND #class UP", "@+parlor/hand=up TAGMSG #class"] {
            let refused = bob.ask(up, "404 bob #class *");
            assert!(refused.last().contains("(+b"), "{refused:?}");
        }
        nc.send("/hand");
        nc.until("-!- You * (+b*");
        // With a rank they may talk, and so ask.
        teacher.send("MODE #class +v bob");
        bob.expect("MODE #class +v bob");
        bob.send("HAND #class UP");
        teacher.expect(hand("bob", "up"));
        bob.send("HAND #class DOWN");
        teacher.expect(hand("bob", "down"));
        teacher.send(&format!("MODE #class -vbb bob {banned}"));
        bob.expect("MODE #class -vbb bob **");
    }
}

#[test]
fn in_a_slow_room_one_line_of_each_comes_in_a_while_and_ranks_are_free_of_it() {
    let home = Scratch::new();
    let server = home.server(&[]);
    let mut teacher = server.irc_with("teacher", &["message-tags"]);
    let mut bob = server.irc_with("bob", &["message-tags"]);
    teacher.join("#tea");
    bob.join("#tea");
    teacher.settle();
    bob.settle();
    bob.ask("MODE #tea +f 60", "482 bob #tea *");
    for wrong in ["0", "3601", "soon", "-1"] {
        teacher.ask(&format!("MODE #tea +f {wrong}"), "696 teacher #tea f **");
    }
    teacher.ask("MODE #tea +f 60", "MODE #tea +f 60");
    bob.send("PRIVMSG #tea :one");
    teacher.expect("PRIVMSG #tea one");
    bob.settle();
    let refused = bob.ask("PRIVMSG #tea :two", "404 bob #tea *");
    assert!(refused.last().contains("in 60 s") || refused.last().contains("in 59 s"), "{refused:?}");
    // Leaving and coming back is of no use, but tags are no lines.
    bob.send("PART #tea");
    bob.join("#tea");
    bob.ask("PRIVMSG #tea :two", "404 bob #tea *");
    bob.send("@+draft/react=x TAGMSG #tea");
    teacher.expect("TAGMSG #tea");
    for number in 0..3 {
        teacher.send(&format!("PRIVMSG #tea :{number}"));
        bob.expect(&*format!("PRIVMSG #tea {number}"));
    }
    teacher.send("MODE #tea +v bob");
    bob.expect("MODE #tea +v bob");
    bob.send("PRIVMSG #tea :two");
    teacher.expect("PRIVMSG #tea two");
    teacher.request(&["echo-message"]);
    teacher.ask("PRIVMSG #tea :on disk", "PRIVMSG #tea *");
    server.crash();
    let server = home.server(&[]);
    let mut eve = server.irc("eve");
    eve.join("#tea");
    let modes = eve.ask_all("MODE #tea");
    assert!(modes.iter().any(|m| m.is_like("324 eve #tea +ntf 60")), "{modes:?}");
}

#[test]
fn who_is_muted_reads_on_comes_back_and_says_nothing() {
    let server = Server::start(&[]);
    let mut teacher = server.irc_with("teacher", &["message-tags"]);
    let mut bob = server.irc_with("bob", &["message-tags"]);
    teacher.join("#tea");
    bob.join("#tea");
    teacher.settle();
    teacher.send("MODE #tea +b ~m:bob");
    bob.expect("MODE #tea +b ~m:bob!*@*");
    bob.ask("PRIVMSG #tea :but", "404 bob #tea *");
    bob.send("PART #tea");
    bob.send("JOIN #tea");
    bob.expect("JOIN #tea");
    bob.settle();
    teacher.send("PRIVMSG #tea :quiet please");
    bob.expect(|m: &Message| m.last() == "quiet please");
    bob.ask("PRIVMSG #tea :but", "404 bob #tea *");
    teacher.send("MODE #tea -b ~m:bob!*@*");
    bob.expect("MODE #tea -b ~m:bob!*@*");
    bob.send("PRIVMSG #tea :thank you");
    teacher.expect(|m: &Message| m.last() == "thank you");
}
