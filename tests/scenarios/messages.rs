//! PRIVMSG, NOTICE and STATUSMSG; TAGMSG is with the tags.

use parlor_tests::{Irc, Message, Server};

/// Alice has founded #tea, Bob and Carol are in it.
fn tea(server: &Server) -> [Irc; 3] {
    let mut people = ["alice", "bob", "carol"].map(|nick| server.irc(nick));
    for irc in &mut people {
        irc.join("#tea");
    }
    for irc in &mut people {
        irc.settle();
    }
    people
}

#[test]
fn a_room_hears_what_one_of_it_says() {
    let server = Server::start(&[]);
    let [mut alice, mut bob, mut carol] = tea(&server);
    let mut stranger = server.irc("dan");
    for verb in ["PRIVMSG", "NOTICE"] {
        bob.send(&format!("{verb} #tea :two lumps, please: :)"));
        bob.silent();
        for irc in [&mut alice, &mut carol] {
            let heard = irc.next_message();
            assert!(heard.is_like(&format!(":bob!*@*.cloak {verb} #tea :two lumps, please: :)")), "{heard}");
            assert!(heard.tags.is_empty(), "nobody asked for tags: {heard}");
        }
    }
    stranger.silent();
}

#[test]
fn what_is_said_to_one_is_heard_by_one() {
    let server = Server::start(&[]);
    let [mut alice, mut bob, mut carol] = tea(&server);
    alice.send("PRIVMSG BOB :psst");
    alice.send("NOTICE bob :hear me?");
    alice.silent();
    bob.expect(":alice!*@* PRIVMSG bob psst");
    bob.expect(":alice!*@* NOTICE bob :hear me?");
    carol.silent();
    alice.ask("PRIVMSG alice :note to self", ":alice!*@* PRIVMSG alice :note to self");
}

#[test]
fn control_codes_of_clients_pass_unchanged() {
    let server = Server::start(&[]);
    let [mut alice, mut bob, _carol] = tea(&server);
    let text = "\u{1}ACTION pours\u{2}tea\u{3}4,5 \u{f}for \u{1f}everybody\t👍🏽 e\u{301}\u{1}";
    alice.send(&format!("PRIVMSG #tea :{text}"));
    let heard = bob.expect("PRIVMSG #tea *");
    assert_eq!(heard.last(), text);
    alice.send("PRIVMSG #tea ::-) starts with a colon, ends with a space ");
    let heard = bob.expect("PRIVMSG #tea *");
    assert_eq!(heard.last(), ":-) starts with a colon, ends with a space ");
}

#[test]
fn order_is_kept() {
    let server = Server::start(&[]);
    let [mut alice, mut bob, mut carol] = tea(&server);
    for number in 0..100 {
        alice.send(&format!("PRIVMSG #tea :a{number}"));
        bob.send(&format!("PRIVMSG #tea :b{number}"));
    }
    alice.settle();
    bob.settle();
    let heard: Vec<Message> = carol.settle().into_iter().filter(|m| m.command == "PRIVMSG").collect();
    for (nick, letter) in [("alice", 'a'), ("bob", 'b')] {
        let texts: Vec<&str> = heard.iter().filter(|m| m.nick() == nick).map(Message::last).collect();
        assert_eq!(texts, (0..100).map(|number| format!("{letter}{number}")).collect::<Vec<_>>());
    }
}

#[test]
fn everybody_hears_the_same_order() {
    let server = Server::start(&[]);
    let [mut alice, mut bob, mut carol] = tea(&server);
    let mut dan = server.irc("dan");
    dan.join("#tea");
    for number in 0..50 {
        alice.send(&format!("PRIVMSG #tea :a{number}"));
        bob.send(&format!("PRIVMSG #tea :b{number}"));
    }
    alice.settle();
    bob.settle();
    let [carol, dan] = [carol.settle(), dan.settle()].map(|lines| {
        let said = lines.into_iter().filter(|m| m.command == "PRIVMSG");
        said.map(|m| m.last().to_owned()).collect::<Vec<_>>()
    });
    assert_eq!(carol.len(), 100);
    assert_eq!(carol, dan);
}

#[test]
fn several_can_be_spoken_to_at_once() {
    let server = Server::start(&[]);
    let [mut alice, mut bob, mut carol] = tea(&server);
    alice.send("PRIVMSG bob,carol,#tea :all of you");
    alice.silent();
    for (irc, nick) in [(&mut bob, "bob"), (&mut carol, "carol")] {
        irc.expect(format!("PRIVMSG {nick} :all of you").as_str());
        irc.expect("PRIVMSG #tea :all of you");
    }
    let lines = alice.ask_all("PRIVMSG bob,nobody :who is there");
    assert!(lines.iter().any(|m| m.is_like("401 alice nobody *")), "{lines:?}");
    bob.expect("PRIVMSG bob :who is there");
}

#[test]
fn five_targets_are_one_too_many() {
    let server = Server::start(&[]);
    let [mut alice, mut bob, mut carol] = tea(&server);
    let mut dan = server.irc("dan");
    alice.send("PRIVMSG bob,carol,dan,alice :four");
    for irc in [&mut alice, &mut bob, &mut carol, &mut dan] {
        irc.expect("PRIVMSG * four");
    }
    let lines = alice.ask_all("PRIVMSG bob,carol,dan,alice,#tea :five");
    assert!(lines.iter().any(|m| m.command == "407"), "{lines:?}");
}

#[test]
fn what_cannot_be_said_is_refused_with_the_right_numeric() {
    let server = Server::start(&[]);
    let [mut alice, mut bob, _carol] = tea(&server);
    alice.ask("PRIVMSG", "411 alice *");
    alice.ask("PRIVMSG bob", "412 alice *");
    alice.ask("PRIVMSG bob :", "412 alice *");
    alice.ask("PRIVMSG nobody :hello?", "401 alice nobody *");
    alice.ask("PRIVMSG #nowhere :hello?", |m: &Message| {
        matches!(m.command.as_str(), "401" | "403") && m.param(1) == "#nowhere"
    });
    bob.silent();
}

/// "They must not send any error back to the client on receipt of a NOTICE command."
#[test]
fn a_notice_is_never_answered() {
    let server = Server::start(&[]);
    let [mut alice, mut bob, _carol] = tea(&server);
    bob.send("AWAY :asleep");
    bob.settle();
    for line in ["NOTICE nobody :x", "NOTICE #nowhere :x", "NOTICE bob :x", "NOTICE bob :", "NOTICE"] {
        alice.send(line);
        alice.silent();
    }
}

#[test]
fn a_message_to_somebody_away_is_answered_and_delivered() {
    let server = Server::start(&[]);
    let [mut alice, mut bob, _carol] = tea(&server);
    bob.send("AWAY :out for milk");
    bob.settle();
    alice.ask("PRIVMSG bob :are you there", "301 alice bob :out for milk");
    bob.expect("PRIVMSG bob :are you there");
    alice.send("PRIVMSG #tea :anybody?");
    alice.silent();
}

#[test]
fn a_message_can_be_for_the_ranks_of_a_room() {
    let server = Server::start(&[]);
    let [mut alice, mut bob, mut carol] = tea(&server);
    let mut dan = server.irc("dan");
    dan.join("#tea");
    alice.send("MODE #tea +ov bob carol");
    for irc in [&mut alice, &mut bob, &mut carol, &mut dan] {
        irc.settle();
    }
    alice.send("PRIVMSG @#tea :operators only");
    alice.send("NOTICE +#tea :voices too");
    alice.silent();
    assert_eq!(bob.next_message().params, ["@#tea", "operators only"]);
    assert_eq!(bob.next_message().params, ["+#tea", "voices too"]);
    let heard = carol.next_message();
    assert!(heard.is_like(":alice!*@* NOTICE +#tea :voices too"), "{heard}");
    dan.silent();
    let mut stranger = server.irc("eve");
    stranger.ask("PRIVMSG @#tea :let me in", "404 eve * *");
    bob.silent();
}

#[test]
fn who_is_named_twice_hears_and_suffers_it_once() {
    let server = Server::start(&[]);
    let [mut alice, mut bob, _carol] = tea(&server);
    bob.request(&["message-tags"]);
    alice.request(&["message-tags"]);
    let once = |bob: &mut Irc, verb: &str| {
        let heard = bob.settle();
        assert_eq!(heard.iter().filter(|m| m.command == verb).count(), 1, "{verb}: {heard:?}");
    };
    for command in ["PRIVMSG #tea,#tea,#TEA,#tea :hi", "NOTICE bob,BOB,bob :hi", "@+x TAGMSG #tea,#Tea"] {
        alice.send(command);
        alice.settle();
        once(&mut bob, command.trim_start_matches("@+x ").split(' ').next().expect("a verb"));
    }
    for command in ["JOIN #a,#A,#a", "PART #a,#a,#A", "KICK #tea bob,BOB", "JOIN #b,#B,#c one,two,three"] {
        let answers = alice.ask_all(command);
        let (verb, _) = command.split_once(' ').expect("a verb");
        let rooms = if command.contains("#c") { 2 } else { 1 };
        assert_eq!(answers.iter().filter(|m| m.command == verb).count(), rooms, "{answers:?}");
        assert!(!answers.iter().any(|m| m.command.starts_with('4')), "{answers:?}");
    }
    once(&mut bob, "KICK");
}
