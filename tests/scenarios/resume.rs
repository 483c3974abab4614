//! Coming back to what a lost connection had (parlor/resume), as hub/resume.rs describes it.

use std::time::Duration;

use parlor_tests::{Irc, Message, Scratch, Server};

const CAPS: [&str; 5] = ["batch", "echo-message", "message-tags", "parlor/resume", "server-time"];

/// The token in what a welcome brought; the very line behind 001.
#[track_caller]
fn token(welcome: &[Message]) -> String {
    let at = welcome.iter().position(|m| m.command == "001").expect("a welcome");
    let handed = &welcome[at + 1];
    assert!(handed.is_like(":parlor.local RESUME TOKEN *"), "right behind the welcome: {handed}");
    let token = handed.last().to_owned();
    assert!((1..=128).contains(&token.len()) && !token.contains(' '), "{token}");
    token
}

/// A member that can come back, and its token.
#[track_caller]
fn member(server: &Server, nick: &str) -> (Irc, String) {
    let mut irc = asking(server);
    irc.send(&format!("NICK {nick}"));
    let token = token(&finish(&mut irc));
    (irc, token)
}

/// A connection that has the capability and has not registered.
#[track_caller]
fn asking(server: &Server) -> Irc {
    let mut irc = Irc::connect(server);
    irc.send("CAP LS 302");
    irc.request(&CAPS);
    irc
}

/// The end of a registration, and what it brings.
#[track_caller]
fn finish(irc: &mut Irc) -> Vec<Message> {
    irc.send("USER user 0 * :Real Name");
    irc.send("CAP END");
    irc.welcomed()
}

/// Comes back; the connection, and everything since the welcome.
#[track_caller]
fn back(server: &Server, token: &str, nick: &str) -> (Irc, Vec<Message>) {
    let mut irc = asking(server);
    irc.ask(&format!("RESUME {token}"), format!(":parlor.local RESUME ACCEPTED {nick}").as_str());
    let mut lines = finish(&mut irc);
    lines.extend(irc.settle());
    (irc, lines)
}

/// Goes away as a lost connection does: with a reset, for what it was sent is not read.
fn reset(server: &Server, mut irc: Irc, nick: &str) {
    irc.send("MOTD");
    irc.send("NAMES");
    irc.settle();
    irc.send("VERSION");
    let mut other = server.irc("resetter");
    other.settle();
    drop(irc);
    server.wait_log(&format!("waiting: {nick} from *"));
}

#[track_caller]
fn gone(server: &Server, irc: Irc, nick: &str) {
    drop(irc);
    server.wait_log(&format!("waiting: {nick} from *"));
}

/// Waits until the disk has everything up to now.
#[track_caller]
fn on_disk(irc: &mut Irc) {
    irc.send("PRIVMSG #tea :on disk");
    irc.expect("PRIVMSG #tea :on disk");
}

/// Nobody comes and nobody goes.
fn coming_or_going(message: &Message) -> bool {
    matches!(message.command.as_str(), "JOIN" | "PART" | "QUIT" | "NICK" | "MODE" | "AWAY" | "730" | "731")
}

#[test]
fn tokens_are_for_those_who_ask() {
    let server = Server::start(&[]);
    let (_alice, one) = member(&server, "alice");
    let (_bob, two) = member(&server, "bob");
    assert_ne!(one, two);
    let mut old = Irc::connect(&server);
    old.send("NICK old");
    old.send("USER u 0 * :r");
    assert!(old.welcomed().iter().all(|m| m.command != "RESUME"));
    old.ask(&format!("RESUME {one}"), "462 old *");
}

#[test]
fn everything_is_taken_over_and_nobody_notices() {
    let server = Server::start(&[]);
    let mut watcher = server.irc_with("bob", &["away-notify", "extended-join", "multi-prefix"]);
    watcher.send("MONITOR + alice");
    let (mut alice, token) = member(&server, "alice");
    watcher.expect("730 **");
    alice.join("#Tea");
    watcher.join("#Tea");
    watcher.send("JOIN #coffee");
    watcher.expect("366 **");
    alice.join("#coffee");
    for line in
        ["TOPIC #tea :leaves", "AWAY :back soon", "MODE alice +w", "MONITOR + carol", "SETNAME :Other"]
    {
        alice.send(line);
    }
    alice.settle();
    watcher.settle();
    let host = alice.ask_all("USERHOST alice");
    gone(&server, alice, "alice");
    watcher.send("NAMES #tea");
    watcher.expect("353 bob = #tea :@alice bob");
    let (mut alice, lines) = back(&server, &token, "alice");
    assert!(lines.iter().any(|m| m.is_like("001 alice *")), "{lines:?}");
    let rooms: Vec<&Message> = lines.iter().filter(|m| m.command == "JOIN").collect();
    assert_eq!(rooms.iter().map(|m| m.param(0)).collect::<Vec<_>>(), ["#Tea", "#coffee"]);
    assert!(rooms.iter().all(|m| m.nick() == "alice"), "{rooms:?}");
    assert!(lines.iter().any(|m| m.is_like("332 alice #Tea leaves")), "{lines:?}");
    assert!(lines.iter().any(|m| m.is_like("353 alice = #Tea :@alice bob")), "{lines:?}");
    assert_eq!(lines.iter().filter(|m| m.command == "366").count(), 2);
    let end = lines.iter().position(|m| m.command == "422").expect("MOTD");
    assert!(lines.iter().position(|m| m.command == "JOIN") > Some(end), "rooms come behind the MOTD");
    assert_eq!(alice.ask_all("USERHOST alice")[0].raw, host[0].raw, "away and host as before");
    alice.send("MODE #tea +v bob");
    watcher.expect("MODE #Tea +v bob");
    let _carol = server.irc("carol");
    alice.expect("730 alice :carol!*");
    watcher.send("PRIVMSG #tea :welcome");
    alice.expect("PRIVMSG #Tea welcome");
    watcher.silent_until_pong(coming_or_going);
}

#[test]
fn a_connection_that_was_reset_is_waited_for_too() {
    let server = Server::start(&[]);
    let mut bob = server.irc("bob");
    bob.join("#tea");
    let (mut alice, token) = member(&server, "alice");
    alice.join("#tea");
    bob.expect("JOIN #tea");
    reset(&server, alice, "alice");
    let (_alice, lines) = back(&server, &token, "alice");
    assert!(lines.iter().any(|m| m.is_like("JOIN #tea")), "{lines:?}");
    bob.silent_until_pong(coming_or_going);
}

#[test]
fn an_old_connection_that_still_stands_is_closed() {
    let server = Server::start(&[]);
    let mut bob = server.irc("bob");
    bob.join("#tea");
    let (mut old, token) = member(&server, "alice");
    old.join("#tea");
    bob.expect("JOIN #tea");
    let (mut new, _) = back(&server, &token, "alice");
    let last = old.expect_closed();
    assert!(last.last().is_some_and(|m| m.is_like("ERROR :*Resumed elsewhere*")), "{last:?}");
    bob.silent_until_pong(coming_or_going);
    bob.send("PRIVMSG #tea :one of you");
    new.expect("PRIVMSG #tea :one of you");
    bob.send("NAMES #tea");
    bob.expect("353 bob = #tea :@bob alice");
    // The place of the old connection may be taken by others.
    for number in 0..5 {
        server.irc(&format!("next{number}")).settle();
    }
    new.ask("PING x", "PONG parlor.local x");
}

#[test]
fn private_messages_wait() {
    let server = Server::start(&[]);
    let mut bob = server.irc_with("bob", &["echo-message"]);
    let (alice, token) = member(&server, "alice");
    gone(&server, alice, "alice");
    for number in 0..20 {
        bob.ask(&format!("PRIVMSG alice :{number}"), "PRIVMSG alice *");
    }
    let (_alice, lines) = back(&server, &token, "alice");
    let said: Vec<&str> = lines.iter().filter(|m| m.command == "PRIVMSG").map(Message::last).collect();
    assert_eq!(said, (0..20).map(|number| number.to_string()).collect::<Vec<_>>());
}

#[test]
fn private_messages_come_as_the_new_connection_reads_them() {
    let server = Server::start(&[]);
    let mut bob = server.irc_with("bob", &["message-tags"]);
    let (alice, token) = member(&server, "alice");
    gone(&server, alice, "alice");
    bob.send("PRIVMSG alice :plain words");
    bob.send("@+x=y TAGMSG alice");
    bob.settle();
    // Another program of hers, that knows no tags.
    let mut irc = Irc::connect(&server);
    irc.send("CAP LS 302");
    irc.request(&["parlor/resume"]);
    irc.ask(&format!("RESUME {token}"), "RESUME ACCEPTED alice");
    finish(&mut irc);
    let lines = irc.settle();
    let said: Vec<&Message> = lines.iter().filter(|m| m.nick() == "bob").collect();
    let [only] = said[..] else { irc.fail("one line that she can read") };
    assert!(only.tags.is_empty() && only.is_like("PRIVMSG alice :plain words"), "{only}");
}

#[test]
fn who_quits_is_gone_at_once() {
    let server = Server::start(&[]);
    let mut bob = server.irc("bob");
    bob.join("#tea");
    let (mut alice, token) = member(&server, "alice");
    alice.join("#tea");
    alice.send("QUIT :bye");
    bob.expect(":alice!*@* QUIT :Quit: bye");
    let mut again = asking(&server);
    again.ask(&format!("RESUME {token}"), "FAIL RESUME INVALID_TOKEN *");
    again.send("NICK alice");
    token_is_new(&finish(&mut again), &token);
}

#[track_caller]
fn token_is_new(welcome: &[Message], old: &str) {
    assert_ne!(token(welcome), old);
}

#[test]
fn who_was_put_out_is_not_waited_for() {
    let home = Scratch::new();
    let key = home.write_secret("oper", "0123456789abcdef0123456789abcdef\n");
    let mut server = Server::start(&["--oper-file", &key]);
    let mut bob = server.irc("bob");
    bob.join("#tea");
    bob.send("OPER bob 0123456789abcdef0123456789abcdef");
    bob.expect_numeric("381");
    for way in ["KILL", "kick", "ban"] {
        let (mut alice, token) = member(&server, "alice");
        alice.join("#tea");
        match way {
            "KILL" => bob.send("KILL alice :enough"),
            "kick" => server.console("/kick alice enough"),
            _ => {
                // The one who bans by an address from the console stays; bob is an operator and does it.
                bob.send("CONSOLE :/ban alice");
            }
        }
        bob.expect(":alice!*@* QUIT *");
        alice.expect_closed();
        if way != "ban" {
            asking(&server).ask(&format!("RESUME {token}"), "FAIL RESUME INVALID_TOKEN *");
        }
    }
}

#[test]
fn others_do_not_linger() {
    let server = Server::start(&[]);
    let mut bob = server.irc("bob");
    bob.join("#tea");
    let mut carol = server.irc("carol");
    carol.join("#tea");
    drop(carol);
    bob.expect(":carol!*@* QUIT *");
}

#[test]
fn a_token_is_good_for_one_use() {
    let server = Server::start(&[]);
    let (alice, first) = member(&server, "alice");
    gone(&server, alice, "alice");
    let (alice, lines) = back(&server, &first, "alice");
    let second = token(&lines);
    assert_ne!(first, second);
    asking(&server).ask(&format!("RESUME {first}"), "FAIL RESUME INVALID_TOKEN *");
    drop(alice);
    let _ = server.log().wait_many(
        "waiting: alice from *",
        2,
        parlor_tests::Deadline::after(parlor_tests::Deadline::DEFAULT),
    );
    let (_alice, _) = back(&server, &second, "alice");
}

#[test]
fn wrong_tokens_are_refused_and_three_are_enough() {
    let server = Server::start(&[]);
    let (_alice, right) = member(&server, "alice");
    let mut eve = asking(&server);
    eve.ask(&format!("RESUME {}", "0".repeat(32)), "FAIL RESUME INVALID_TOKEN *");
    eve.ask("RESUME", "461 **");
    eve.ask("RESUME :a b", "FAIL RESUME INVALID_TOKEN *");
    eve.send("RESUME x");
    let last = eve.expect_closed();
    assert!(last.iter().any(|m| m.is_like("FAIL RESUME TOO_MANY *")), "{last:?}");
    assert!(last.last().is_some_and(|m| m.command == "ERROR"), "{last:?}");
    // Two wrong ones do not spoil the right one.
    let mut late = asking(&server);
    late.ask(
        &format!("RESUME 0{}", &right[1..].replace(char::is_numeric, "f")),
        "FAIL RESUME INVALID_TOKEN *",
    );
    late.ask("RESUME no", "FAIL RESUME INVALID_TOKEN *");
    late.ask(&format!("RESUME {right}"), "RESUME ACCEPTED alice");
    // Without the capability it is worth nothing.
    let mut bare = Irc::connect(&server);
    bare.ask_all("CAP LS 302");
    bare.ask(&format!("RESUME {right}"), "FAIL RESUME INVALID_TOKEN *");
}

#[test]
fn a_name_sent_before_or_after_does_not_count() {
    let server = Server::start(&[]);
    let (alice, token) = member(&server, "alice");
    gone(&server, alice, "alice");
    let mut irc = asking(&server);
    irc.send("NICK temporary");
    irc.ask(&format!("RESUME {token}"), "RESUME ACCEPTED alice");
    irc.send("NICK another");
    let lines = finish(&mut irc);
    assert!(lines.iter().any(|m| m.is_like("001 alice *")), "{lines:?}");
    assert!(lines.iter().all(|m| m.command != "433"), "{lines:?}");
    // Both names are free.
    let _one = server.irc("temporary");
    let _two = server.irc("another");
}

#[test]
fn of_two_with_one_token_the_first_to_register_has_it() {
    let server = Server::start(&[]);
    let (mut alice, token) = member(&server, "alice");
    alice.join("#tea");
    gone(&server, alice, "alice");
    let (mut one, mut two, mut three) = (asking(&server), asking(&server), asking(&server));
    three.send("NICK third");
    for irc in [&mut one, &mut two, &mut three] {
        irc.ask(&format!("RESUME {token}"), "RESUME ACCEPTED alice");
    }
    assert!(finish(&mut one).iter().any(|m| m.is_like("001 alice *")));
    two.send("USER user 0 * :Real Name");
    two.ask("CAP END", "FAIL RESUME INVALID_TOKEN *");
    two.send("NICK second");
    assert!(two.welcomed().iter().any(|m| m.is_like("001 second *")));
    // Who sent a name before is told as well: it expects to be alice.
    three.send("USER user 0 * :Real Name");
    three.send("CAP END");
    three.expect("FAIL RESUME INVALID_TOKEN *");
    three.send("NICK third");
    three.expect("001 third *");
    assert!(one.settle().iter().any(|m| m.is_like("JOIN #tea")));
}

#[test]
fn after_a_restart_a_token_is_worth_its_ranks() {
    let home = Scratch::new();
    let server = home.server(&[]);
    let (mut alice, token_of_alice) = member(&server, "alice");
    let (mut bob, token_of_bob) = member(&server, "bob");
    let mut carol = server.irc("carol");
    alice.join("#tea");
    bob.join("#tea");
    carol.join("#tea");
    alice.send("MODE #tea +vo bob carol");
    alice.send("MODE #tea +i");
    bob.expect("MODE #tea +i");
    on_disk(&mut alice);
    server.crash();

    let server = home.server(&[]);
    // The name gives nothing, and the room is for invited people.
    let mut thief = server.irc("alice");
    thief.ask("JOIN #tea", "473 alice #tea *");
    let mut bob = asking(&server);
    bob.ask(&format!("RESUME {token_of_bob}"), "RESUME RANKS");
    bob.send("NICK bob");
    finish(&mut bob);
    bob.ask("JOIN #tea", "473 bob #tea *");
    let mut alice = asking(&server);
    alice.ask(&format!("RESUME {token_of_alice}"), "RESUME RANKS");
    alice.send("NICK alicia");
    let new = token(&finish(&mut alice));
    let lines = alice.join("#tea");
    assert!(lines.iter().any(|m| m.is_like("353 alicia = #tea @alicia")), "{lines:?}");
    alice.send("MODE #tea -i");
    alice.expect("MODE #tea -i");
    let lines = bob.join("#tea");
    assert!(lines.iter().any(|m| m.is_like("353 bob = #tea *+bob*")), "{lines:?}");
    let lines = thief.join("#tea");
    assert!(
        lines.iter().any(|m| m.is_like("353 alice = #tea *") && !m.last().contains("@alice ")),
        "{lines:?}"
    );
    thief.ask("MODE #tea +m", "482 alice #tea *");
    on_disk(&mut alice);
    // Used once, and the new one goes on.
    asking(&server).ask(&format!("RESUME {token_of_alice}"), "FAIL RESUME INVALID_TOKEN *");
    server.crash();
    let server = home.server(&[]);
    asking(&server).ask(&format!("RESUME {token_of_alice}"), "FAIL RESUME INVALID_TOKEN *");
    asking(&server).ask(&format!("RESUME {new}"), "RESUME RANKS");
}

#[test]
fn a_room_that_was_left_by_all_waits_for_its_operator() {
    let home = Scratch::new();
    let server = home.server(&[]);
    let (mut alice, token) = member(&server, "alice");
    alice.join("#tea");
    alice.send("MODE #tea +i");
    alice.expect("MODE #tea +i");
    alice.send("QUIT");
    alice.expect_closed();
    let mut eve = server.irc("eve");
    eve.ask("JOIN #tea", "473 eve #tea *");
    let mut alice = asking(&server);
    alice.ask(&format!("RESUME {token}"), "RESUME RANKS");
    alice.send("NICK alice");
    finish(&mut alice);
    let lines = alice.join("#tea");
    assert!(lines.iter().any(|m| m.is_like("353 alice = #tea @alice")), "{lines:?}");
}

#[test]
fn who_parts_gives_the_rank_up() {
    let home = Scratch::new();
    let server = home.server(&[]);
    let (mut alice, token) = member(&server, "alice");
    alice.join("#tea");
    alice.send("TOPIC #tea :kept");
    alice.send("PART #tea");
    alice.send("QUIT");
    alice.expect_closed();
    asking(&server).ask(&format!("RESUME {token}"), "FAIL RESUME INVALID_TOKEN *");
    // Nobody holds it any more: the next one has it, as in a new room.
    let lines = server.irc("eve").join("#tea");
    assert!(lines.iter().any(|m| m.is_like("332 eve #tea kept")), "{lines:?}");
    assert!(lines.iter().any(|m| m.is_like("353 eve = #tea @eve")), "{lines:?}");
}

#[test]
fn the_rank_that_was_taken_does_not_come_back() {
    let home = Scratch::new();
    let server = home.server(&[]);
    let (mut alice, token) = member(&server, "alice");
    let (mut bob, _token) = member(&server, "bob");
    alice.join("#tea");
    bob.join("#tea");
    alice.send("MODE #tea +o bob");
    bob.expect("MODE #tea +o bob");
    bob.send("MODE #tea -o alice");
    alice.expect("MODE #tea -o alice");
    on_disk(&mut alice);
    server.crash();
    let server = home.server(&[]);
    asking(&server).ask(&format!("RESUME {token}"), "FAIL RESUME INVALID_TOKEN *");
}

#[test]
fn a_server_operator_stays_one() {
    let home = Scratch::new();
    let key = home.write_secret("oper", "0123456789abcdef0123456789abcdef\n");
    let server = Server::start(&["--oper-file", &key]);
    let (mut alice, token) = member(&server, "alice");
    alice.send("OPER alice 0123456789abcdef0123456789abcdef");
    alice.expect_numeric("381");
    gone(&server, alice, "alice");
    let (mut alice, _) = back(&server, &token, "alice");
    alice.send("CONSOLE :/rooms");
    alice.expect("NOTICE alice *#lobby*");
}

#[test]
fn what_was_said_in_the_gap_is_in_the_history() {
    let home = Scratch::new();
    let server = home.server(&[]);
    let mut bob = server.irc("bob");
    bob.join("#tea");
    let (mut alice, token) = member(&server, "alice");
    alice.request(&["draft/chathistory"]);
    alice.join("#tea");
    bob.send("PRIVMSG #tea :heard");
    let last = alice.expect("PRIVMSG #tea heard").tag("msgid").expect("an id").to_owned();
    gone(&server, alice, "alice");
    (0..10).for_each(|number| bob.send(&format!("PRIVMSG #tea :{number}")));
    bob.settle();
    let mut alice = asking(&server);
    alice.request(&["draft/chathistory"]);
    alice.ask(&format!("RESUME {token}"), "RESUME ACCEPTED alice");
    finish(&mut alice);
    bob.send("PRIVMSG #tea :live");
    alice.expect("PRIVMSG #tea live");
    let missed = alice.ask_batch(&format!("CHATHISTORY AFTER #tea msgid={last} 100"));
    let texts: Vec<&str> = missed.iter().map(Message::last).collect();
    assert_eq!(texts, ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "live"]);
}

#[test]
fn a_whole_class_comes_back_when_its_router_does() {
    let server = Server::start(&["--max-clients-per-ip", "20"]);
    let mut class: Vec<(Irc, String)> =
        (0..20).map(|number| member(&server, &format!("pupil{number}"))).collect();
    for (irc, _) in &mut class {
        irc.join("#class");
    }
    let tokens: Vec<String> = class.into_iter().map(|(_, token)| token).collect();
    let waiting =
        server.log().wait_many("waiting: *", 20, parlor_tests::Deadline::after(Duration::from_secs(10)));
    assert_eq!(waiting.len(), 20);
    let back: Vec<Irc> = tokens
        .iter()
        .enumerate()
        .map(|(number, token)| back(&server, token, &format!("pupil{number}")).0)
        .collect();
    // And the limit is the limit.
    Irc::connect(&server).expect("ERROR *limit*");
    drop(back);
}
