//! Peers that do not read, read slowly, talk too much, or are many.

use std::time::Duration;

use parlor_tests::{Deadline, Irc, Message, Plain, Server};

use crate::plain::in_lobby;

/// A server that takes this many connections from this machine.
fn roomy(options: &[&str]) -> Server {
    Server::start(&[&["--max-clients-per-ip", "2000"], options].concat())
}

/// People who have sent their registration and a JOIN, and have not read anything.
fn crowd(server: &Server, count: usize, room: &str, realname: &str) -> Vec<Irc> {
    let come = |number| {
        let mut irc = Irc::connect(server);
        irc.send_bytes(format!("NICK m{number}\r\nUSER m 0 * :{realname}\r\nJOIN {room}\r\n"));
        irc
    };
    (0..count).map(come).collect()
}

#[test]
fn who_never_reads_is_cut_and_nobody_else_loses_a_line() {
    let server = roomy(&[]);
    let (mut alice, mut carol) = (in_lobby(&server, "alice"), in_lobby(&server, "carol"));
    let stuck = in_lobby(&server, "stuck");
    let mut plain = crate::plain::person(&server, "bob");
    carol.expect(":bob!*@* JOIN #lobby");
    let text = "y".repeat(400);
    let mut next = 0;
    // The kernel's buffers are some megabytes, the outbox is 256 KiB: it has to end in there.
    'talk: for round in 0.. {
        assert!(round < 400, "16 MB and still not cut");
        let many: String =
            (0..100).map(|number| format!("PRIVMSG #lobby :{} {text}\r\n", round * 100 + number)).collect();
        alice.send_bytes(many);
        let mut cut = false;
        while next < (round + 1) * 100 {
            let message = carol.next_message();
            match message.command.as_str() {
                "PRIVMSG" => {
                    assert_eq!(message.last(), format!("{next} {text}"));
                    next += 1;
                }
                "QUIT" => {
                    assert!(message.is_like(":stuck!*@* QUIT :*SendQ exceeded*"), "{message}");
                    cut = true;
                }
                _ => carol.fail("only talk and one quit"),
            }
        }
        if cut {
            break 'talk;
        }
        // Bob reads as well, so that only one is stuck.
        plain.until(&format!("<alice> {} *", next - 1));
    }
    server.wait_log(&format!("left: stuck from {} (*SendQ exceeded*)", stuck.local_address()));
    let left: Vec<String> = plain.until(&format!("<alice> {} *", next - 1));
    assert_eq!(left.iter().filter(|line| line.starts_with("-!- stuck left (")).count(), 1, "told once");
    alice.send("PRIVMSG #lobby :we go on");
    carol.expect(":alice!*@* PRIVMSG #lobby :we go on");
}

#[test]
fn every_line_reaches_each_of_fifty_members_once_and_in_order() {
    const SENDERS: usize = 10;
    const LINES: usize = 25;
    let server = roomy(&[]);
    let mut members = crowd(&server, 50, "#tea", "Member");
    for (number, member) in members.iter_mut().enumerate() {
        member.expect(format!("366 m{number} #tea *").as_str());
        member.settle();
    }
    for line in 0..LINES {
        for (sender, member) in members.iter_mut().take(SENDERS).enumerate() {
            member.send(&format!("PRIVMSG #tea :{sender} {line}"));
        }
    }
    for (number, member) in members.iter_mut().enumerate() {
        let mut next = [0; SENDERS];
        let others = if number < SENDERS { SENDERS - 1 } else { SENDERS };
        for _ in 0..others * LINES {
            let message = member.expect("PRIVMSG #tea *");
            let (sender, line) = message.last().split_once(' ').expect("a sender and a number");
            let (sender, line): (usize, usize) =
                (sender.parse().expect("a number"), line.parse().expect("a number"));
            assert_eq!(message.nick(), format!("m{sender}"));
            assert_ne!(sender, number, "nobody hears themselves");
            assert_eq!(line, next[sender], "of {sender} to {number}");
            next[sender] += 1;
        }
        member.silent_until_pong("PRIVMSG **");
    }
}

#[test]
fn a_room_of_hundreds_is_joined_and_its_names_are_complete() {
    const MEMBERS: usize = 400;
    let server = roomy(&[]);
    let mut alice = server.irc("alice");
    alice.join("#tea");
    let _members = crowd(&server, MEMBERS, "#tea", "Member");
    let mut came: Vec<String> = (0..MEMBERS).map(|_| alice.expect("JOIN #tea").nick().to_owned()).collect();
    alice.silent();
    came.extend(["@alice".to_owned(), "late".to_owned()]);
    came.sort();
    let mut late = server.irc("late");
    let lines = late.join("#tea");
    assert_eq!(names(&lines), came);
    let lines = late.ask_all("NAMES #tea");
    // The end may come behind the PONG: a long reply waits for its reader.
    let lines =
        if lines.iter().any(|m| m.command == "366") { lines } else { [lines, late.until("366 **")].concat() };
    assert_eq!(names(&lines), came);
    let joined = alice.settle();
    assert_eq!(joined.len(), 1, "a JOIN costs each member one line: {joined:?}");
}

fn names(lines: &[Message]) -> Vec<String> {
    let replies = lines.iter().filter(|m| m.command == "353");
    let mut names: Vec<String> = replies.flat_map(|m| m.last().split(' ').map(str::to_owned)).collect();
    names.sort();
    names
}

#[test]
fn long_replies_never_cut_who_reads_them_late() {
    const MEMBERS: usize = 500;
    const ASKED: usize = 60;
    let server = roomy(&[]);
    let mut alice = server.irc("alice");
    alice.join("#tea");
    let _members = crowd(&server, MEMBERS, "#tea", &"r".repeat(120));
    for _ in 0..MEMBERS {
        alice.expect("JOIN #tea");
    }
    let mut slow = Plain::connect_to(server.address());
    slow.send_bytes("NICK slow\r\nUSER slow 0 * :Slow\r\nJOIN #tea\r\n");
    slow.until("* 366 *");
    // Over six megabytes, more than the kernel's buffers and the outbox together, and not read while others talk.
    slow.send_bytes("WHO #tea\r\n".repeat(ASKED) + "NAMES #tea\r\nLIST\r\n");
    let mut bob = server.irc("bob");
    bob.join("#tea");
    bob.send("PRIVMSG #tea :is it slow?");
    alice.expect(":bob!*@* PRIVMSG #tea *");
    let mut heard = Vec::new();
    for _ in 0..ASKED {
        let lines = slow.until("* 315 slow #tea *");
        let members = lines.iter().filter(|line| line.contains(" 352 slow #tea ")).count();
        // Bob came at some moment in between.
        assert!(members == MEMBERS + 2 || members == MEMBERS + 3, "{members}");
        heard.extend(lines);
    }
    heard.extend(slow.until("* 323 *"));
    assert!(heard.iter().any(|line| line.contains(" 322 slow #tea ")), "LIST came as well");
    let ends = heard.iter().filter(|line| line.contains(" 366 slow #tea ")).count();
    assert_eq!(ends, 1, "and NAMES");
    let said = heard.iter().filter(|line| line.contains("is it slow?")).count();
    assert_eq!(said, 1, "what was said meanwhile came once");
    alice.send("QUIT");
    slow.until(":alice!* QUIT *");
}

#[test]
fn a_burst_of_twenty_is_immediate() {
    // At one a second, more than the burst would take longer than a wait's deadline.
    let server = Server::start(&["--flood", "1"]);
    let mut alice = in_lobby(&server, "alice");
    let mut bob = Irc::connect(&server);
    let burst: String = (0..17).map(|number| format!("PRIVMSG #lobby :{number}\r\n")).collect();
    bob.send_bytes(format!("NICK bob\r\nUSER bob 0 * :Bob\r\nJOIN #lobby\r\n{burst}"));
    // One wait for all of them, not one for each.
    let heard = alice.until(":bob!*@* PRIVMSG #lobby 16");
    let said: Vec<&str> = heard.iter().filter(|m| m.command == "PRIVMSG").map(Message::last).collect();
    assert_eq!(said, (0..17).map(|number| number.to_string()).collect::<Vec<_>>());
}

#[test]
fn flood_control_delays_and_loses_nothing() {
    let server = Server::start(&["--flood", "10"]);
    let mut alice = in_lobby(&server, "alice");
    let mut watch = crate::plain::person(&server, "watch");
    alice.expect(":watch!*@* JOIN #lobby");
    let lines: String = (0..40).map(|number| format!("PRIVMSG #lobby :{number}\r\n")).collect();
    // 3 lines to come in and 40 of talk: 23 are delayed, a tenth of a second each.
    let delayed = Deadline::after(Duration::from_millis(2200));
    let mut bob = Irc::connect(&server);
    bob.send_bytes(format!("NICK bob\r\nUSER bob 0 * :Bob\r\nJOIN #lobby\r\n{lines}"));
    let mut carol = server.plain();
    let lines: String = (0..40).map(|number| format!("{number}\n")).collect();
    // A person's name is a line too; closing one side loses nothing either.
    carol.send_bytes(format!("carol\n{lines}"));
    carol.close_writing();
    let (mut by_bob, mut by_carol, mut left) = (Vec::new(), Vec::new(), false);
    while by_bob.len() < 40 || !left {
        let heard = alice.next_message();
        match (heard.command.as_str(), heard.nick()) {
            ("PRIVMSG", "bob") => by_bob.push(heard.last().to_owned()),
            ("PRIVMSG", "carol") => by_carol.push(heard.last().to_owned()),
            ("QUIT", "carol") => left = true,
            _ => {}
        }
    }
    assert!(delayed.left().is_none(), "nothing was delayed");
    let all: Vec<String> = (0..40).map(|number| number.to_string()).collect();
    assert_eq!(by_bob, all);
    assert_eq!(by_carol, all);
    bob.settle();
    watch.send("still here");
    alice.expect(":watch!*@* PRIVMSG #lobby :still here");
}

#[test]
fn flood_control_delays_raw_clients_too() {
    let server = Server::start(&["--flood", "20", "--raw-bind", "127.0.0.1:0"]);
    let mut alice = in_lobby(&server, "alice");
    let delayed = Deadline::after(Duration::from_millis(900));
    let mut raw = Plain::connect_to(server.raw_address());
    raw.send_bytes((0..40).map(|number| format!("{number}\n")).collect::<String>());
    for number in 0..40 {
        assert_eq!(alice.expect(":guest1!*@* PRIVMSG #lobby *").last(), number.to_string());
    }
    assert!(delayed.left().is_none(), "nothing was delayed");
}

#[test]
fn many_connect_at_once() {
    const PEOPLE: usize = 500;
    let server = roomy(&["--max-clients", "1000"]);
    // The server sleeps while they all knock: the backlog has to hold them.
    server.signal("STOP");
    let mut people: Vec<Irc> = (0..PEOPLE).map(|_| Irc::connect(&server)).collect();
    for (number, irc) in people.iter_mut().enumerate() {
        irc.send_bytes(format!("NICK p{number}\r\nUSER p 0 * :P\r\n"));
    }
    server.signal("CONT");
    for (number, irc) in people.iter_mut().enumerate() {
        irc.expect(format!("001 p{number} *").as_str());
    }
}

#[test]
fn what_was_said_before_a_program_ended_without_reading_its_answers_is_heard() {
    const LINES: usize = 400;
    let server = Server::start(&[]);
    let (mut alice, mut bob) = (in_lobby(&server, "alice"), in_lobby(&server, "bob"));
    for (last, reason) in [("QUIT :gone home\r\n", "*gone home*"), ("", "*Connection lost*")] {
        let mut dave = in_lobby(&server, "dave");
        alice.expect(":dave!*@* JOIN *");
        bob.send("PRIVMSG dave :are you there?");
        bob.settle();
        // While the server sleeps all of it comes, and more than one read takes. A connection that is closed
        // with something unread is reset: that is what the answers meet.
        server.signal("STOP");
        let talk =
            (0..LINES).map(|number| format!("PRIVMSG #lobby :{number} {}\r\nPING x\r\n", "y".repeat(90)));
        dave.send_bytes(talk.collect::<String>() + last);
        drop(dave);
        server.signal("CONT");
        for number in 0..LINES {
            let message = alice.expect(":dave!*@* PRIVMSG #lobby :*");
            assert!(message.last().starts_with(&format!("{number} ")), "{message}");
        }
        alice.expect(format!(":dave!*@* QUIT :{reason}").as_str());
    }
}
