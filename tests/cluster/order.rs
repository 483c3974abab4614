//! People on several servers are in one house.

use parlor_tests::{Irc, Launch, Message};

use crate::house::House;

#[test]
fn people_on_two_servers_are_in_one_room() {
    let Some(house) = House::new() else { return };
    let (mut one, other) = (house.server(1), house.server(2));
    let mut amy = one.irc_with("amy", &["echo-message", "message-tags", "server-time"]);
    let mut bob = other.irc_with("bob", &["echo-message", "message-tags", "server-time"]);
    amy.join("#tea");
    bob.join("#tea");
    amy.expect(":bob!*@* JOIN #tea");
    amy.send("PRIVMSG #tea :the kettle is on");
    let heard = bob.expect(":amy!*@* PRIVMSG #tea :the kettle is on");
    let echo = amy.expect(":amy!*@* PRIVMSG #tea :the kettle is on");
    assert!(echo.tag("msgid").is_some() && echo.tag("msgid") == heard.tag("msgid"), "one id on both");
    // Operators rule wherever they are, and names are had once.
    amy.send("TOPIC #tea :Earl Grey");
    bob.expect(":amy!*@* TOPIC #tea :Earl Grey");
    bob.send("KICK #tea amy");
    bob.expect("482 bob #tea **");
    let mut eve = Irc::connect(&other);
    eve.send("NICK amy");
    eve.send("USER u 0 * :eve");
    eve.expect("433 * amy **");
    amy.send("KICK #tea bob :enough");
    bob.expect(":amy!*@* KICK #tea bob :enough");
    // A plain terminal, too.
    let mut nc = other.plain();
    nc.send("nina\n");
    nc.expect("-!- Welcome to parlor.local, nina.*");
    amy.join("#lobby");
    nc.send("hi\n");
    amy.expect(":nina!*@* PRIVMSG #lobby :hi");
    // How long the log takes; then nothing has happened since.
    one.console("/stats");
    one.wait_stdout("order * changes since the last time, half within * µs, 99 of 100 within * µs");
    one.console("/stats");
    one.wait_stdout("order        0 changes since the last time");
}

#[test]
fn the_way_to_the_redis_may_be_encrypted() {
    let Some((house, url)) = House::encrypted() else { return };
    let data = |number: usize| house.folder.file(&format!("data{number}"));
    let server = |number| Launch::new(&["--cluster", &url, "--data", &data(number)]).start();
    let (one, other) = (server(1), server(2));
    let mut amy = one.irc("amy");
    let mut bob = other.irc("bob");
    amy.join("#tea");
    bob.join("#tea");
    amy.expect(":bob!*@* JOIN #tea");
    // Many at once fill what is read and written at a time.
    let lines = (0..2_000).map(|number| format!("PRIVMSG #tea :{number} {}\r\n", "x".repeat(200)));
    amy.send_bytes(lines.collect::<String>());
    for number in 0..2_000 {
        bob.expect(&*format!(":amy!*@* PRIVMSG #tea :{number} *"));
    }
    bob.send("PRIVMSG amy :psst");
    amy.expect(":bob!*@* PRIVMSG amy :psst");
    // Nobody vouches for it.
    let unknown = url.split('?').next().unwrap_or_default();
    let ended = Launch::new(&["--cluster", unknown]).run();
    assert_eq!(ended.code, 78, "{}", ended.stderr);
    assert!(ended.stderr.contains("certificate"), "{}", ended.stderr);
}

#[test]
fn private_lines_and_accounts_go_over_servers() {
    let Some(house) = House::new() else { return };
    let (one, other, third) = (house.server(1), house.server(2), house.server(3));
    let caps =
        ["echo-message", "message-tags", "server-time", "labeled-response", "batch", "draft/chathistory"];
    let mut amy = one.irc_with("amy", &caps);
    amy.join("#tea");
    let mut bob = other.irc_with("bob", &caps);
    bob.join("#tea");
    amy.expect(":bob!*@* JOIN #tea");
    amy.send("@label=7 PRIVMSG bob :psst");
    let echo = amy.expect(":amy!*@* PRIVMSG bob :psst");
    assert_eq!(echo.tag("label"), Some("7"));
    let heard = bob.expect(":amy!*@* PRIVMSG bob :psst");
    assert_eq!(echo.tag("msgid"), heard.tag("msgid"), "one id on both ends");
    for (person, name) in [(&mut amy, "amy"), (&mut bob, "bob")] {
        person.send("NS REGISTER correct-horse");
        person.expect(|m: &Message| m.command == "900" && m.param(0) == name);
    }
    bob.send("PRIVMSG amy :kept");
    amy.expect(":bob!*@* PRIVMSG amy :kept");
    bob.expect(":bob!*@* PRIVMSG amy :kept");
    let page = amy.ask_batch("CHATHISTORY LATEST bob * 10");
    assert!(page.iter().any(|m| m.last() == "kept"), "{page:?}");
    // The name is amy's on the other server as well.
    amy.send("QUIT");
    let mut eve = Irc::connect(&other);
    eve.send("NICK amy");
    eve.send("USER u 0 * :eve");
    eve.expect("433 * amy **");
    // What two accounts said is kept on all servers, whichever they come back to.
    let mut amy = third.irc_with("amy2", &caps);
    amy.send("NS IDENTIFY amy correct-horse");
    amy.expect("900 **");
    let page = amy.ask_batch("CHATHISTORY LATEST bob * 10");
    assert!(page.iter().any(|m| m.last() == "kept"), "{page:?}");
}

#[test]
fn an_operator_rules_from_any_console() {
    let Some(house) = House::new() else { return };
    let (mut one, other) = (house.server(1), house.server(2));
    let mut bob = other.irc("bob");
    bob.join("#tea");
    one.console("hear, all");
    bob.expect(|m: &Message| m.command == "NOTICE" && m.last() == "hear, all");
    one.console("/op bob #tea");
    one.wait_stdout("*bob is operator of #tea now*");
    one.console("/who");
    one.wait_stdout("*bob  127.0.0.1:*#tea*");
    one.console("/kick bob tired");
    bob.expect("ERROR **");
    one.wait_stdout("*bob is disconnected*");
}

#[test]
fn what_was_said_while_a_server_was_away_is_in_its_history() {
    let Some(house) = House::new() else { return };
    let (one, other) = (house.server(1), house.server(2));
    let mut amy = one.irc("amy");
    amy.join("#tea");
    amy.send("TOPIC #tea :Earl Grey");
    amy.expect(":amy!*@* TOPIC #tea :Earl Grey");
    assert_eq!(other.stop(), 0);
    for number in 0..20 {
        amy.send(&format!("PRIVMSG #tea :line {number}"));
    }
    amy.silent_until_pong("FAIL **");
    let other = house.server(2);
    let mut bob = other.irc_with("bob", &["message-tags", "batch", "draft/chathistory"]);
    bob.send("JOIN #tea");
    bob.expect("332 bob #tea :Earl Grey");
    bob.send("CHATHISTORY LATEST #tea * 100");
    let page = bob.until(|m: &Message| m.command == "BATCH" && m.param(0).starts_with('-'));
    let lines: Vec<&str> = page.iter().filter(|m| m.command == "PRIVMSG").map(Message::last).collect();
    let wanted: Vec<String> = (0..20).map(|number| format!("line {number}")).collect();
    assert_eq!(lines, wanted);
    // All of them stop, and begin where they ended.
    assert_eq!((one.stop(), other.stop()), (0, 0));
    let one = house.server(1);
    let mut amy = one.irc("amy");
    amy.send("JOIN #tea");
    amy.expect("332 amy #tea :Earl Grey");
}
