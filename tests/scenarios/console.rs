//! The operator at the server's standard input.

use parlor_tests::needs::{Lack, skip};
use parlor_tests::{Irc, Launch, Lines, Plain, Scratch, Server};

use crate::plain::{in_lobby, person, so_far};

/// Types a line and returns what the console says up to the line that matches.
#[track_caller]
fn ask(server: &mut Server, line: &str, last: &str) -> Vec<String> {
    let before = server.stdout().all().len();
    server.console(line);
    let fits = |lines: &Lines| lines.all().iter().skip(before).any(|line| parlor_tests::glob(last, line));
    // `wait` sees old lines as well, so each wait is for one more of them.
    for count in 1.. {
        if fits(server.stdout()) {
            break;
        }
        let deadline = parlor_tests::Deadline::after(parlor_tests::Deadline::DEFAULT);
        let lines = server.stdout().wait_many(last, count, deadline);
        assert!(lines.len() == count, "{line:?} was not answered by {last:?}:\n{}", server.stdout().text());
    }
    server.stdout().all().split_off(before)
}

#[test]
fn a_plain_line_is_announced_once_to_every_room() {
    let mut server = Server::start(&["--raw-bind", "127.0.0.1:0"]);
    let mut alice = in_lobby(&server, "alice");
    alice.join("#tea");
    let mut bob = person(&server, "bob");
    let mut nowhere = server.irc("nowhere");
    let mut raw = Plain::connect_to(server.raw_address());
    raw.send_bytes("<font>zoe</font>: hi");
    alice.expect(":zoe!*@* PRIVMSG **");
    let mut unnamed = server.plain();
    server.console("closing at ten");
    bob.expect("-!- server: closing at ten");
    // Once in each room, where people look; to who is in none by name.
    alice.expect(":parlor.local NOTICE #lobby :closing at ten");
    alice.expect(":parlor.local NOTICE #tea :closing at ten");
    nowhere.expect(":parlor.local NOTICE nowhere :*closing at ten");
    let mut read = String::new();
    while !read.contains("closing") {
        read += &String::from_utf8_lossy(&raw.chunk());
    }
    assert!(read.ends_with("<div><font color=\"Blue\">server</font>: closing at ten</div>"), "{read}");
    for irc in [&mut alice, &mut nowhere] {
        irc.silent();
    }
    assert!(so_far(&mut bob).is_empty());
    unnamed.send("carol");
    assert!(unnamed.next_line().starts_with("-!- Welcome"), "who has no name yet is no member");
    // Two slashes say one, an empty line says nothing, a long one goes out as several.
    server.console("");
    server.console("//who is who");
    bob.expect("-!- server: /who is who");
    server.console(&"tea ".repeat(300));
    let mut cups = 0;
    while cups < 300 {
        cups += alice.expect(":parlor.local NOTICE #tea *").last().matches("tea").count();
    }
    server.console("it is \u{1b}[31mred");
    bob.expect("-!- server: it is red");
}

#[test]
fn who_shows_everyone_with_addresses() {
    let mut server = Server::start(&["--raw-bind", "127.0.0.1:0"]);
    let mut alice = in_lobby(&server, "alice");
    alice.join("#tea");
    let bob = person(&server, "bob");
    let mut raw = Plain::connect_to(server.raw_address());
    raw.send_bytes("<font>zoe</font>: hi");
    alice.expect(":zoe!*@* PRIVMSG **");
    let (at_alice, at_bob, at_raw) = (alice.local_address(), bob.local_address(), raw.local_address());
    let people = ask(&mut server, "/who", "*zoe*");
    for (nick, address, room) in
        [("alice", at_alice, "#tea"), ("bob", at_bob, "#lobby"), ("zoe", at_raw, "#lobby")]
    {
        let about: Vec<_> = people.iter().filter(|line| line.contains(&address.to_string())).collect();
        assert_eq!(about.len(), 1, "{nick} in {people:?}");
        assert!(about.iter().all(|line| line.starts_with(nick) && line.contains(room)), "{about:?}");
    }
    alice.silent();
}

#[test]
fn rooms_shows_every_room() {
    let mut server = Server::start(&[]);
    let mut alice = in_lobby(&server, "alice");
    alice.join("#tea");
    alice.send("MODE #tea +s");
    alice.send("TOPIC #tea :green");
    alice.settle();
    let rooms = ask(&mut server, "/rooms", "#tea*");
    assert!(rooms.iter().any(|line| line.starts_with("#lobby ") && line.contains('1')), "{rooms:?}");
    assert!(rooms.iter().any(|line| line.starts_with("#tea ") && line.contains("green")), "{rooms:?}");
}

#[test]
fn stats_tell_what_goes_on() {
    let scratch = Scratch::new();
    let mut server = scratch.server(&[]);
    // Each name's first figure.
    let figures = |lines: &[String]| -> std::collections::HashMap<String, String> {
        let words = lines.iter().map(|line| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
        words.filter(|words| words.len() > 1).map(|words| (words[0].clone(), words[1..].join(" "))).collect()
    };
    let before = figures(&ask(&mut server, "/stats", "memory *"));
    for (name, value) in
        [("members", "0, 0 at a time"), ("rooms", "1"), ("messages", "0"), ("traffic", "0 B in, 0 B out")]
    {
        assert_eq!(before[name], value, "{before:?}");
    }
    assert!(before["up"].starts_with("0 days 0:00:") && before["history"].ends_with('B'), "{before:?}");
    let mut alice = server.irc_with("alice", &["echo-message", "message-tags"]);
    alice.join("#tea");
    let mut bob = person(&server, "bob");
    let _unnamed = server.plain();
    alice.ask("PRIVMSG #tea :one", "PRIVMSG #tea one");
    alice.send("TAGMSG #tea");
    bob.send("two");
    bob.send("/msg alice three");
    alice.expect(":bob!*@* PRIVMSG alice three");
    alice.ask(&format!("PRIVMSG #tea :{}", "4".repeat(400)), "PRIVMSG #tea 4*");
    let after = figures(&ask(&mut server, "/stats", "memory *"));
    for (name, value) in [("members", "2, 2 at a time"), ("rooms", "2"), ("messages", "4")] {
        assert_eq!(after[name], value, "{after:?}");
    }
    assert!(after["connections"].starts_with("3 of "), "{after:?}");
    let words: Vec<&str> = after["traffic"].split(' ').collect();
    assert!(
        matches!(words[..], [read, _, "in,", sent, "KB", "out"] if read != "0" && sent != "0"),
        "{after:?}"
    );
    assert_ne!((&after["history"], &after["turns"]), (&before["history"], &before["turns"]), "{after:?}");
    #[cfg(target_os = "linux")]
    assert!(after["memory"].ends_with(" MB"), "{after:?}");
    // From afar, and where the history is in memory.
    let key = scratch.write_secret("oper", "0123456789abcdef0123456789abcdef\n");
    let server = Server::start(&["--oper-file", &key]);
    let mut root = server.irc("root");
    root.ask_all("OPER me 0123456789abcdef0123456789abcdef");
    root.send("CONSOLE :/stats");
    root.expect("NOTICE root :members *1, 1 at a time");
    root.expect("NOTICE root :history *in memory");
}

#[test]
fn op_makes_an_operator_of_a_room() {
    let mut server = Server::start(&[]);
    let (mut alice, mut bob) = (in_lobby(&server, "alice"), in_lobby(&server, "bob"));
    alice.expect(":bob!*@* JOIN #lobby");
    alice.ask("TOPIC #lobby :mine", "482 alice #lobby *");
    ask(&mut server, "/op alice #lobby", "*alice*#lobby*");
    for irc in [&mut alice, &mut bob] {
        irc.expect(":parlor.local MODE #lobby +o alice");
    }
    alice.send("TOPIC #lobby :mine");
    bob.expect(":alice!*@* TOPIC #lobby mine");
    ask(&mut server, "/op nobody #lobby", "*nobody*");
    ask(&mut server, "/op bob #nowhere", "*#nowhere*");
    ask(&mut server, "/op bob", "*/op*");
    bob.silent();
}

#[test]
fn op_lets_somebody_into_a_room_that_lost_its_operators() {
    let home = Scratch::new();
    let mut server = home.server(&[]);
    let (mut alice, mut bob) = (server.irc("alice"), server.irc("bob"));
    alice.join("#shut");
    alice.send("MODE #shut +i");
    alice.send("TOPIC #shut :there is something to keep");
    alice.send("PART #shut");
    alice.settle();
    bob.ask("JOIN #shut", "473 bob #shut *");
    ask(&mut server, "/op bob #shut", "*bob is not in #shut, but may come in now*");
    bob.expect(":parlor.local INVITE bob #shut");
    bob.join("#shut");
    bob.ask("MODE #shut -i", ":bob!*@* MODE #shut -i");
}

#[test]
fn kick_disconnects() {
    let mut server = Server::start(&["--raw-bind", "127.0.0.1:0"]);
    let mut alice = in_lobby(&server, "alice");
    let (mut bob, mut carol) = (in_lobby(&server, "bob"), person(&server, "carol"));
    let mut raw = Plain::connect_to(server.raw_address());
    raw.send_bytes("<font>zoe</font>: hi");
    alice.expect(":zoe!*@* PRIVMSG **");
    server.console("/kick Bob no  kettle of yours");
    let last = bob.expect_closed();
    let error = last.last().expect("a closing line");
    assert_eq!(error.params, ["Closing link: Kicked: no  kettle of yours"]);
    let quit = alice.expect(":bob!*@* QUIT *");
    assert!(quit.last().contains("Kicked: no  kettle of yours"), "{quit}");
    server.console("/kick carol");
    alice.expect(":carol!*@* QUIT *");
    let last = String::from_utf8(carol.read_to_end()).expect("UTF-8");
    let last = last.lines().last().unwrap_or_default();
    assert!(last.starts_with("-!- ") && last.contains("Kicked"), "{last:?}");
    server.console("/kick zoe");
    alice.expect(":zoe!*@* QUIT *");
    raw.read_to_end();
    ask(&mut server, "/kick nobody", "*nobody*");
    ask(&mut server, "/kick", "*/kick*");
    alice.settle();
    alice.silent();
}

#[test]
fn ban_keeps_an_address_out_until_unban() {
    if std::net::TcpListener::bind("[::1]:0").is_err() {
        return skip(Lack::Forbidden("this machine has no IPv6, and a ban needs two addresses"));
    }
    let mut server = Server::start(&["--bind", "127.0.0.1:0", "--bind", "[::1]:0"]);
    let [four, six] = *server.addresses() else { panic!("two listeners") };
    let mut alice = Irc::connect_to(four).register("alice");
    alice.join("#lobby");
    let mut bob = Irc::connect_to(six).register("bob");
    bob.join("#lobby");
    let mut brother = Irc::connect_to(six);
    brother.send("NICK brother");
    server.console("/ban bob");
    for irc in [&mut bob, &mut brother] {
        let last = irc.expect_closed();
        let banned = last.last().is_some_and(|m| m.is_like("ERROR :Closing link: *anned*"));
        assert!(banned, "{last:?}");
    }
    alice.expect(":bob!*@* QUIT *");
    let mut again = Irc::connect_to(six);
    let last = again.expect_closed();
    assert!(last.iter().any(|m| m.is_like("ERROR :Closing link: *banned*")), "{last:?}");
    server.wait_log(&format!("refused: {} (*)", again.local_address()));
    alice.settle();

    ask(&mut server, "/bans", "*::1*");
    ask(&mut server, "/unban 192.0.2.9", "*192.0.2.9*");
    ask(&mut server, "/unban ::1", "*::1*may come*");
    let _bob = Irc::connect_to(six).register("bob");
    ask(&mut server, "/ban 192.0.2.7 15", "*192.0.2.7*");
    ask(&mut server, "/bans", "192.0.2.7*15*");
    ask(&mut server, "/ban nobody", "*nobody*");
    ask(&mut server, "/ban 192.0.2.7 soon", "*minutes*");
    alice.settle();
}

#[test]
fn help_and_unknown_commands() {
    let mut server = Server::start(&[]);
    let mut alice = in_lobby(&server, "alice");
    let help = ask(&mut server, "/help", "*/stop*");
    for command in ["/who", "/rooms", "/op", "/kick", "/ban", "/unban", "/bans", "/stop"] {
        assert!(help.iter().any(|line| line.contains(command)), "{command} in {help:?}");
    }
    for unknown in ["/frob", "/", "/WHOIS alice"] {
        let said = ask(&mut server, unknown, "*/help*");
        assert_eq!(said.len(), 1, "one sentence: {said:?}");
    }
    alice.silent();
}

#[test]
fn stop_ends_the_server() {
    let mut server = Server::start(&[]);
    let (mut alice, mut bob) = (in_lobby(&server, "alice"), person(&server, "bob"));
    ask(&mut server, "/stop soon", "*/stop*");
    server.console("/stop");
    let last = alice.expect_closed();
    assert!(last.last().is_some_and(|m| m.is_like("ERROR :Closing link: *")), "{last:?}");
    assert!(
        String::from_utf8_lossy(&bob.read_to_end()).lines().any(|line| line.starts_with("-!- Closing link"))
    );
    drop((alice, bob));
    assert_eq!(server.wait().code, 0);
}

#[test]
fn stop_in_some_seconds_says_so_first() {
    let mut server = Server::start(&[]);
    let (mut alice, mut bob) = (in_lobby(&server, "alice"), person(&server, "bob"));
    server.console("/stop 1");
    bob.expect("-!- server: *1 second*");
    alice.expect(":parlor.local NOTICE #lobby *");
    // Meanwhile they may still say good-bye.
    alice.send("PRIVMSG #lobby :bye");
    bob.expect("<alice> bye");
    alice.expect("ERROR :Closing link: *");
    drop((alice, bob));
    assert_eq!(server.wait().code, 0);
}

#[test]
fn a_closed_console_is_normal() {
    let mut closed = Server::start(&[]);
    closed.close_console();
    let absent = Launch::new(&[]).without_console().start();
    let shut = Launch::new(&[]).through_shell("exec \"$@\" <&-").start();
    let servers = [closed, absent, shut];
    let mut silent: Vec<Plain> = servers.iter().map(Server::plain).collect();
    for (server, silent) in servers.iter().zip(&mut silent) {
        in_lobby(server, "alice").settle();
        // A second of silence, in which a loop that reads the end again and again would burn.
        silent.expect("*Type a nickname*");
        #[cfg(target_os = "linux")]
        assert!(ticks(server) < 25, "{} ticks of 10 ms in about a second", ticks(server));
    }
    drop(silent);
    for server in servers {
        assert_eq!(server.stop(), 0);
    }
}

/// Hundredths of a second that a server has used.
#[cfg(target_os = "linux")]
fn ticks(server: &Server) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", server.id())).expect("it runs");
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    // utime and stime, counted behind the name (proc_pid_stat(5)).
    fields.iter().skip(11).take(2).map(|field| field.parse::<u64>().expect("a number")).sum()
}

#[test]
fn without_a_terminal_the_rooms_are_not_shown() {
    let server = Server::start(&[]);
    let mut alice = in_lobby(&server, "alice");
    alice.send("PRIVMSG #lobby :not for a file");
    alice.settle();
    drop(alice);
    server.wait_log("left: alice *");
    server.signal("TERM");
    let ended = server.wait();
    assert_eq!(ended.stdout.lines().count(), 1, "the address and nothing else: {}", ended.stdout);
}

#[cfg(target_os = "linux")]
#[test]
fn on_a_terminal_the_operator_sees_the_rooms() {
    // util-linux's script(1) gives it a terminal.
    let mut server = Launch::new(&[]).through_shell("exec script -qec \"$*\" /dev/null").start();
    let mut alice = in_lobby(&server, "alice");
    server.wait_stdout("#lobby -!- alice joined");
    let mut bob = person(&server, "bob");
    alice.send("PRIVMSG #lobby :hi \u{1b}[31mthere");
    server.wait_stdout("#lobby <alice> hi there");
    bob.send("/me waves");
    server.wait_stdout("#lobby * bob waves");
    alice.send("PRIVMSG bob :between us");
    alice.send("NICK alicia");
    server.wait_stdout("-!- alice is now known as alicia");
    server.console("closing at ten");
    bob.expect("-!- server: closing at ten");
    bob.send("/quit");
    server.wait_stdout("-!- bob left*");
    alice.send("PART #lobby");
    server.wait_stdout("#lobby * alicia left*");
    alice.join("#tea");
    alice.send("TOPIC #tea :green");
    server.wait_stdout("#tea * alicia changed the topic to: green");
    assert!(!server.stdout().text().contains("between us"), "what is private is not for the operator");
}
