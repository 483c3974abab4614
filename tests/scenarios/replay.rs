//! What comes by itself to IRC programs that cannot ask for the past: how much, in which form, and
//! not twice to the same one.

use std::net::TcpListener;

use parlor_tests::needs::{Lack, skip};
use parlor_tests::{Irc, Launch, Message, Scratch, Server};

use crate::chathistory::both;

/// Says numbered lines; nobody returns before all of them are said.
#[track_caller]
fn say(alice: &mut Irc, numbers: std::ops::Range<usize>) {
    numbers.for_each(|number| alice.send(&format!("PRIVMSG #tea :{number}")));
    alice.settle();
}

fn alice(server: &Server) -> Irc {
    let mut alice = server.irc_with("alice", &["echo-message", "draft/chathistory"]);
    alice.join("#tea");
    alice
}

/// The numbers among what came, of now or with the time in front.
fn numbers(lines: &[Message]) -> Vec<usize> {
    let said = lines.iter().filter(|m| m.command == "PRIVMSG");
    said.map(|m| m.last().rsplit(' ').next().and_then(|word| word.parse().ok()).expect("a number")).collect()
}

/// Comes into the room and says which lines that brought.
#[track_caller]
fn join(irc: &mut Irc) -> Vec<usize> {
    numbers(&irc.join("#tea"))
}

/// Hears somebody go for good.
#[track_caller]
fn gone(alice: &mut Irc) {
    alice.expect(|m: &Message| m.command == "QUIT");
}

#[test]
fn who_comes_back_is_shown_what_was_said_meanwhile() {
    both(|server| {
        let mut alice = alice(server);
        say(&mut alice, 0..3);
        let mut bob = server.irc("bob");
        assert_eq!(join(&mut bob), [0, 1, 2], "never here before");
        say(&mut alice, 3..5);
        assert_eq!(numbers(&bob.settle()), [3, 4]);
        bob.send("PRIVMSG #tea :5");
        bob.send("QUIT");
        gone(&mut alice);
        say(&mut alice, 6..8);
        let mut bob = server.irc("Bob");
        assert_eq!(join(&mut bob), [6, 7]);
        bob.send("QUIT");
        gone(&mut alice);
        assert_eq!(join(&mut server.irc("bob")), [0; 0], "nothing was said");
    });
}

#[test]
fn every_way_to_go_is_one() {
    both(|server| {
        let mut alice = alice(server);
        alice.send("PRIVMSG #tea :0");
        alice.settle();
        let mut last = 0;
        for way in ["QUIT", "PART #tea", "KICK #tea bob", "close"] {
            let mut bob = server.irc("bob");
            join(&mut bob);
            bob.settle();
            match way {
                "close" => bob.close_writing(),
                "KICK #tea bob" => alice.send(way),
                _ => bob.send(way),
            }
            let stays = matches!(way, "PART #tea" | "KICK #tea bob");
            match way {
                "PART #tea" => drop(bob.expect(way)),
                "KICK #tea bob" => drop(bob.expect("KICK #tea bob *")),
                _ => gone(&mut alice),
            }
            let new = last + 1..last + 4;
            say(&mut alice, new.clone());
            last += 3;
            let mut back = if stays { bob } else { server.irc("bob") };
            assert_eq!(join(&mut back), new.collect::<Vec<_>>(), "{way}");
            back.send("QUIT");
            gone(&mut alice);
        }
    });
}

#[test]
fn the_last_30_are_enough() {
    both(|server| {
        let mut alice = alice(server);
        let mut bob = server.irc("bob");
        bob.join("#tea");
        bob.send("QUIT");
        gone(&mut alice);
        say(&mut alice, 0..40);
        assert_eq!(join(&mut server.irc("bob")), (10..40).collect::<Vec<_>>());
    });
}

#[test]
fn another_name_or_address_is_somebody_else() {
    if TcpListener::bind("[::1]:0").is_err() {
        return skip(Lack::Forbidden("this machine has no IPv6, and the name comes from two addresses"));
    }
    let server = Launch::new(&["--bind", "127.0.0.1:0", "--bind", "[::1]:0"]).start();
    let mut alice = alice(&server);
    let mut bob = server.irc("bob");
    bob.join("#tea");
    say(&mut alice, 0..3);
    bob.settle();
    bob.send("QUIT");
    gone(&mut alice);
    say(&mut alice, 3..4);
    let mut far = Irc::connect_to(server.addresses()[1]).register("bob");
    assert_eq!(join(&mut far), [0, 1, 2, 3], "the name from elsewhere");
    far.send("QUIT");
    gone(&mut alice);
    assert_eq!(join(&mut server.irc("carol")), [0, 1, 2, 3], "another name from here");
    assert_eq!(join(&mut server.irc("bob")), [3], "and neither took it away");
}

#[test]
fn each_room_is_remembered_by_itself() {
    both(|server| {
        let mut alice = alice(server);
        alice.join("#cake");
        let mut bob = server.irc("bob");
        bob.join("#tea");
        bob.join("#cake");
        bob.send("PART #tea");
        bob.expect("PART #tea");
        say(&mut alice, 0..2);
        alice.send("PRIVMSG #cake :10");
        alice.settle();
        assert_eq!(numbers(&bob.settle()), [10]);
        bob.send("QUIT");
        gone(&mut alice);
        let mut bob = server.irc("bob");
        assert_eq!(numbers(&bob.join("#cake")), [0; 0]);
        assert_eq!(join(&mut bob), [0, 1]);
    });
}

#[test]
fn a_name_that_was_given_up_was_here_too() {
    both(|server| {
        let mut alice = alice(server);
        say(&mut alice, 0..2);
        let mut bob = server.irc("bob");
        bob.join("#tea");
        bob.ask("NICK rob", "NICK rob");
        say(&mut alice, 2..4);
        bob.settle();
        bob.send("QUIT");
        gone(&mut alice);
        say(&mut alice, 4..5);
        assert_eq!(join(&mut server.irc("rob")), [4]);
        assert_eq!(join(&mut server.irc("bob")), [2, 3, 4], "since the name left");
    });
}

#[test]
fn a_restart_forgets_nobody() {
    let home = Scratch::new();
    let server = home.server(&[]);
    let mut one = alice(&server);
    say(&mut one, 0..3);
    let mut bob = server.irc("bob");
    assert_eq!(join(&mut bob), [0, 1, 2]);
    let mut carol = server.irc("carol");
    carol.join("#tea");
    carol.send("QUIT");
    gone(&mut one);
    // Nothing is heard of bob behind these: the stop itself says that they reached him.
    say(&mut one, 3..5);
    assert_eq!(server.stop(), 0);
    assert_eq!(numbers(&bob.expect_closed()), [3, 4]);

    let server = home.server(&[]);
    let mut two = alice(&server);
    say(&mut two, 5..6);
    assert_eq!(join(&mut server.irc("bob")), [5]);
    assert_eq!(join(&mut server.irc("carol")), [3, 4, 5]);
    assert_eq!(join(&mut server.irc("dora")), [0, 1, 2, 3, 4, 5]);
}

#[test]
fn a_crash_shows_lines_again_but_loses_none() {
    let home = Scratch::new();
    let server = home.server(&[]);
    let mut one = alice(&server);
    say(&mut one, 0..3);
    let mut bob = server.irc("bob");
    assert_eq!(join(&mut bob), [0, 1, 2]);
    // It is heard once more, so it has read these.
    bob.settle();
    let mut carol = server.irc("carol");
    carol.join("#tea");
    carol.send("QUIT");
    gone(&mut one);
    say(&mut one, 3..5);
    server.crash();

    let server = home.server(&[]);
    assert_eq!(join(&mut server.irc("bob")), [3, 4], "what came after it was in");
    assert_eq!(join(&mut server.irc("carol")), [3, 4]);
    assert_eq!(join(&mut server.irc("dora")), [0, 1, 2, 3, 4]);
}

#[test]
fn no_address_is_in_the_folder_and_no_name_is_a_room() {
    let home = Scratch::new();
    let server = home.server(&[]);
    let mut alice = alice(&server);
    say(&mut alice, 0..1);
    let mut bob = server.irc("bob");
    bob.join("#tea");
    bob.send("QUIT");
    gone(&mut alice);
    assert_eq!(server.stop(), 0);
    for file in home.path().read_dir().expect("it is ours") {
        let bytes = std::fs::read(file.expect("it is ours").path()).expect("it is ours");
        assert!(!bytes.windows(9).any(|nine| nine == b"127.0.0.1"));
    }
    let folder = home.path().display().to_string();
    let ended = Launch::new(&["--data", &folder, "--export", "#none"]).run();
    assert!(ended.code == 66 && ended.stderr.contains("#tea") && !ended.stderr.contains("bob"), "{ended:?}");
}

#[test]
fn a_person_at_a_terminal_always_gets_the_last_30() {
    let server = Server::start(&["--default-room", "#tea"]);
    let mut alice = alice(&server);
    say(&mut alice, 0..2);
    for _ in 0..2 {
        let mut bob = server.plain();
        bob.send("bob");
        let lines = bob.until("*] 1");
        assert_eq!(lines.iter().filter(|line| line.contains("UTC] ")).count(), 2, "{lines:?}");
        bob.send("/quit");
        gone(&mut alice);
    }
    assert_eq!(join(&mut server.irc("bob")), [0, 1], "the program has shown nothing yet");
}

#[test]
fn bots_are_told_nothing_of_the_past() {
    both(|server| {
        let mut alice = alice(server);
        say(&mut alice, 0..3);
        let mut bot = server.irc("bot");
        bot.send("MODE bot +B");
        bot.expect("MODE bot +B");
        assert_eq!(join(&mut bot), [0; 0]);
        bot.send("QUIT");
        gone(&mut alice);
        for burst in ["MODE bot +B\r\nJOIN #tea\r\n", "JOIN #tea\r\nMODE bot +B\r\n"] {
            let mut bot = Irc::connect(server);
            bot.send_bytes(format!("NICK bot\r\nUSER u 0 * :r\r\n{burst}"));
            let lines = bot.settle();
            assert!(lines.iter().any(|m| m.is_like("JOIN #tea")), "{lines:?}");
            assert_eq!(numbers(&lines), [0; 0], "{burst}");
            say(&mut alice, 3..4);
            assert_eq!(numbers(&bot.settle()), [3], "it hears what is said now");
            bot.send("QUIT");
            gone(&mut alice);
        }
    });
}

#[test]
fn how_many_there_are_is_an_option() {
    for (option, expected) in [("2", &[1, 2][..]), ("0", &[])] {
        let server = Server::start(&["--replay", option, "--default-room", "#tea"]);
        let mut alice = alice(&server);
        say(&mut alice, 0..3);
        assert_eq!(join(&mut server.irc("bob")), expected);
        let mut plain = server.plain();
        plain.send("dora");
        alice.expect(|m: &Message| m.command == "JOIN" && m.nick() == "dora");
        say(&mut alice, 3..4);
        let lines = plain.until("<alice> 3");
        assert_eq!(lines.iter().filter(|line| line.contains("UTC] ")).count(), expected.len(), "{lines:?}");
    }
    for wrong in ["-1", "101", "x", ""] {
        let ended = Launch::new(&["--replay", wrong]).run();
        assert!(ended.code == 64 && ended.stderr.contains("--replay"), "{ended:?}");
    }
}

#[test]
fn who_has_batches_gets_one() {
    both(|server| {
        let mut alice = alice(server);
        let mut bob = server.irc_with("bob", &["batch", "server-time"]);
        assert!(bob.join("#tea").iter().all(|m| m.command != "BATCH"), "nothing is no batch");
        bob.send("QUIT");
        gone(&mut alice);
        say(&mut alice, 0..3);
        let mut bob = server.irc_with("bob", &["batch", "server-time"]);
        bob.send("JOIN #Tea");
        let opened = bob.expect("BATCH +* **");
        assert_eq!(opened.params[1..], ["chathistory", "#tea"], "{opened}");
        let reference = opened.param(0).trim_start_matches('+').to_owned();
        let lines = bob.until(format!("BATCH -{reference}").as_str());
        assert_eq!(numbers(&lines), [0, 1, 2]);
        let said = lines.iter().filter(|m| m.command == "PRIVMSG");
        let tagged = |m: &Message| m.tag("batch") == Some(&*reference) && m.tag("time").is_some();
        assert!({ said }.all(tagged), "{lines:?}");
    });
}

#[test]
fn the_batch_stands_in_that_of_a_label() {
    both(|server| {
        let mut alice = alice(server);
        say(&mut alice, 0..2);
        let mut bob = server.irc_with("bob", &["batch", "labeled-response", "server-time"]);
        bob.send("@label=j JOIN #tea");
        let outer = bob.expect("BATCH +* labeled-response");
        assert_eq!(outer.tag("label"), Some("j"));
        let outer = outer.param(0).trim_start_matches('+').to_owned();
        let lines = bob.until(format!("BATCH -{outer}").as_str());
        let inner = lines.iter().find(|m| m.is_like("BATCH +* chathistory #tea")).expect("a batch in it");
        assert_eq!(inner.tag("batch"), Some(&*outer));
        let inner = inner.param(0).trim_start_matches('+').to_owned();
        let said = lines.iter().filter(|m| m.command == "PRIVMSG");
        assert!({ said }.all(|m| m.tag("batch") == Some(&*inner)), "{lines:?}");
        assert_eq!(numbers(&lines), [0, 1]);
    });
}
