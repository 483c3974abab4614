//! A server dies or is frozen, the Redis is away: people are told, and nothing is lost or doubled.

use std::time::Duration;

use parlor_tests::{Irc, Message, Server};

use crate::house::House;

const CAPS: &[&str] = &["message-tags", "server-time", "batch", "echo-message", "parlor/resume"];

/// Somebody who has come in with a token.
fn resumable(server: &Server, nick: &str) -> (Irc, String) {
    let mut irc = Irc::connect(server).patience(Duration::from_secs(60));
    irc.send(&format!("CAP REQ :{}", CAPS.join(" ")));
    irc.send(&format!("NICK {nick}"));
    irc.send("USER u 0 * :x");
    irc.send("CAP END");
    let welcome = irc.welcomed();
    let token = welcome.iter().find(|m| m.command == "RESUME" && m.param(0) == "TOKEN");
    let token = token.expect("a token").param(1).to_owned();
    (irc, token)
}

fn resume(server: &Server, token: &str) -> Irc {
    let mut irc = Irc::connect(server).patience(Duration::from_secs(60));
    irc.send(&format!("CAP REQ :{}", CAPS.join(" ")));
    irc.send(&format!("RESUME {token}"));
    irc.send("USER u 0 * :x");
    irc.send("CAP END");
    irc
}

#[test]
fn members_of_a_dead_server_go_in_one_netsplit_and_who_came_over_stays() {
    let Some(house) = House::new() else { return };
    let (one, other) = (house.server(1), house.server(2));
    let mut amy = one.irc_with("amy", CAPS).patience(Duration::from_secs(60));
    amy.join("#tea");
    let (mut bob, token) = resumable(&other, "bob");
    bob.join("#tea");
    let mut cat = other.irc("cat");
    cat.join("#tea");
    let mut dan = other.irc("dan");
    dan.join("#tea");
    amy.expect(":dan!*@* JOIN #tea");
    other.crash();
    // Long before anybody is given up.
    let mut bob = resume(&one, &token);
    bob.expect("RESUME ACCEPTED bob");
    bob.expect(":bob!*@* JOIN #tea");
    let batch = amy.expect(|m: &Message| m.command == "BATCH" && m.param(1) == "netsplit");
    let reference = batch.param(0).trim_start_matches('+').to_owned();
    let gone = amy.until(|m: &Message| m.command == "BATCH" && m.param(0).starts_with('-'));
    let quits: Vec<&str> = gone.iter().filter(|m| m.command == "QUIT").map(Message::nick).collect();
    assert_eq!(quits, ["cat", "dan"], "{gone:?}");
    assert!(gone.iter().filter(|m| m.command == "QUIT").all(|m| m.tag("batch") == Some(&*reference)));
    amy.send("PRIVMSG #tea :still here?");
    bob.expect(":amy!*@* PRIVMSG #tea :still here?");
    bob.send("PRIVMSG #tea :yes");
    amy.expect(":bob!*@* PRIVMSG #tea :yes");
}

#[test]
fn a_server_that_was_frozen_begins_anew_and_nobody_is_in_two_hands() {
    let Some(house) = House::new() else { return };
    let (one, other) = (house.server(1), house.server(2));
    let mut amy = one.irc_with("amy", CAPS).patience(Duration::from_secs(60));
    amy.join("#tea");
    let (mut bob, _) = resumable(&other, "bob");
    bob.join("#tea");
    amy.expect(":bob!*@* JOIN #tea");
    other.signal("STOP");
    amy.expect(|m: &Message| m.command == "QUIT" && m.nick() == "bob");
    // Somebody else may have the name now.
    let mut new = one.irc("bob");
    new.join("#tea");
    other.signal("CONT");
    bob.expect("ERROR **");
    other.wait_log("*begins anew*");
    other.wait_log("*is one of them again*");
    let mut again = other.irc("cat");
    again.join("#tea");
    amy.expect(":cat!*@* JOIN #tea");
    again.send("PRIVMSG #tea :back");
    amy.expect(":cat!*@* PRIVMSG #tea :back");
    new.expect(":cat!*@* PRIVMSG #tea :back");
}

#[test]
fn while_the_redis_is_away_people_are_told_and_what_they_say_waits() {
    let Some(mut house) = House::new() else { return };
    let (one, other) = (house.server(1), house.server(2));
    let mut amy = one.irc_with("amy", CAPS).patience(Duration::from_secs(60));
    let mut bob = other.irc_with("bob", CAPS).patience(Duration::from_secs(60));
    amy.join("#tea");
    bob.join("#tea");
    amy.expect(":bob!*@* JOIN #tea");
    house.kill_redis();
    let name = "0123456789abcdef0123456789abcdef";
    amy.send(&format!("@+parlor/id={name} PRIVMSG #tea :can you hear me?"));
    amy.expect(|m: &Message| {
        m.command == "NOTICE" && m.last().starts_with("The servers cannot reach each other")
    });
    house.start_redis();
    let heard = bob.expect(":amy!*@* PRIVMSG #tea :can you hear me?");
    let echo = amy.expect(":amy!*@* PRIVMSG #tea :can you hear me?");
    assert_eq!(heard.tag("msgid"), echo.tag("msgid"));
    // Said again, it is the same line.
    amy.send(&format!("@+parlor/id={name} PRIVMSG #tea :can you hear me?"));
    let again = amy.expect(":amy!*@* PRIVMSG #tea :can you hear me?");
    assert_eq!(again.tag("msgid"), echo.tag("msgid"));
    bob.silent_until_pong(":amy!*@* PRIVMSG **");
}

#[test]
fn private_lines_are_kept_by_who_stood_still_and_by_all_when_the_redis_is_back() {
    const LINES: usize = 400;
    let Some(mut house) = House::new() else { return };
    let (one, other) = (house.server(1), house.server(2));
    let caps = [CAPS, &["draft/chathistory"]].concat();
    let come = |server: &Server, nick: &str| server.irc_with(nick, &caps).patience(Duration::from_secs(60));
    let (mut amy, mut bob) = (come(&one, "amy"), come(&one, "bob"));
    for person in [&mut amy, &mut bob] {
        person.send("NS REGISTER correct-horse");
        person.expect("900 **");
    }
    // For less than its lease: then it has all the entries at once, and all the letters.
    other.signal("STOP");
    amy.send_bytes((0..LINES).map(|number| format!("PRIVMSG bob :{number}\r\n")).collect::<String>());
    let mut told = Vec::new();
    for number in 0..LINES {
        told.push(amy.expect(&*format!(":amy!*@* PRIVMSG bob :{number}")).tag("msgid").map(str::to_owned));
    }
    other.signal("CONT");
    house.kill_redis();
    amy.send("PRIVMSG bob :last");
    amy.expect(|m: &Message| m.last().starts_with("The servers cannot reach each other"));
    house.start_redis();
    told.push(amy.expect(":amy!*@* PRIVMSG bob :last").tag("msgid").map(str::to_owned));
    let mut again = come(&other, "amy2");
    again.send("NS IDENTIFY amy correct-horse");
    again.expect("900 **");
    let page = again.ask_batch("CHATHISTORY LATEST bob * 100");
    let kept: Vec<Option<String>> = page.iter().map(|m| m.tag("msgid").map(str::to_owned)).collect();
    assert_eq!(kept, told[told.len() - 100..]);
}

#[test]
fn a_redis_that_has_lost_everything_is_given_it_back() {
    // It keeps nothing on disk at all.
    let Some(mut house) = House::with(&["--appendonly", "no"]) else { return };
    let (one, other) = (house.server(1), house.server(2));
    let mut amy = one.irc_with("amy", CAPS).patience(Duration::from_secs(60));
    let mut bob = other.irc_with("bob", CAPS).patience(Duration::from_secs(60));
    amy.join("#tea");
    bob.join("#tea");
    amy.send("TOPIC #tea :Earl Grey");
    bob.expect(":amy!*@* TOPIC #tea :Earl Grey");
    house.kill_redis();
    house.start_redis();
    amy.send("PRIVMSG #tea :anybody?");
    bob.expect(":amy!*@* PRIVMSG #tea :anybody?");
    bob.send("PRIVMSG #tea :me");
    amy.expect(":bob!*@* PRIVMSG #tea :me");
    // Who comes now has all of it.
    let third = house.server(3);
    let mut cat = third.irc("cat").patience(Duration::from_secs(60));
    cat.send("JOIN #tea");
    cat.expect("332 cat #tea :Earl Grey");
    amy.expect(":cat!*@* JOIN #tea");
}
