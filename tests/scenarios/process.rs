//! The process: how it ends, and what its log holds.

use parlor_tests::{Irc, Launch, Plain, Scratch, Server};

use crate::plain::{in_lobby, person};

#[test]
fn sigint_sigterm_and_sighup_say_good_bye() {
    for signal in ["INT", "TERM", "HUP"] {
        let server = Server::start(&["--raw-bind", "127.0.0.1:0"]);
        let (mut alice, mut bob) = (in_lobby(&server, "alice"), person(&server, "bob"));
        alice.expect(":bob!*@* JOIN #lobby");
        let mut raw = Plain::connect_to(server.raw_address());
        raw.send_bytes("<font>zoe</font>: hi");
        alice.expect(":zoe!*@* PRIVMSG **");
        let mut unnamed = Irc::connect(&server);
        unnamed.ask("PING x", "PONG parlor.local x");
        server.signal(signal);
        let last = alice.expect_closed();
        assert!(last.last().is_some_and(|m| m.is_like("ERROR :Closing link: *")), "{last:?}");
        let last = String::from_utf8(bob.read_to_end()).expect("UTF-8");
        assert!(last.lines().last().is_some_and(|line| line.starts_with("-!- Closing link: ")), "{last:?}");
        assert!(last.ends_with('\n'), "{last:?}");
        raw.read_to_end();
        unnamed.expect("ERROR :Closing link: *");
        // Programs hang up when they are told, and then nothing is waited for.
        drop((alice, bob, raw, unnamed));
        let ended = server.wait();
        assert_eq!(ended.code, 0, "{}", ended.stderr);
    }
}

#[test]
fn what_is_to_outlive_its_terminal_does() {
    let server = Launch::new(&[]).through_shell("trap '' HUP; exec \"$@\"").start();
    let mut alice = in_lobby(&server, "alice");
    server.signal("HUP");
    alice.ask("PING x", "PONG parlor.local x");
}

#[test]
fn a_raw_client_is_told_as_well() {
    let server = Server::start(&["--raw-bind", "127.0.0.1:0"]);
    let mut alice = in_lobby(&server, "alice");
    let mut raw = Plain::connect_to(server.raw_address());
    raw.send_bytes("hi");
    alice.expect(":guest1!*@* PRIVMSG **");
    server.signal("TERM");
    let last = String::from_utf8(raw.read_to_end()).expect("UTF-8");
    assert!(last.starts_with("server: ") && last.ends_with('\n'), "members get a closing line: {last:?}");
}

#[test]
fn what_is_queued_at_the_end_is_delivered() {
    let server = Server::start(&[]);
    let mut alice = in_lobby(&server, "alice");
    let mut bob = in_lobby(&server, "bob");
    let mut carol = person(&server, "carol");
    alice.expect(":carol!*@* JOIN #lobby");
    const LINES: usize = 2000;
    let text = "y".repeat(300);
    let many: String = (0..LINES).map(|number| format!("PRIVMSG #lobby :{number} {text}\r\n")).collect();
    alice.send_bytes(many);
    alice.settle();
    // Neither has read anything yet.
    server.signal("TERM");
    for number in 0..LINES {
        assert_eq!(bob.expect("PRIVMSG **").last(), format!("{number} {text}"));
        assert_eq!(carol.next_line(), format!("<alice> {number} {text}"));
    }
    bob.expect("ERROR :Closing link: *");
    carol.expect("-!- Closing link: *");
    drop((alice, bob, carol));
    assert_eq!(server.wait().code, 0);
}

#[cfg(target_os = "linux")]
#[test]
fn what_the_kernel_did_not_take_is_delivered_at_the_end_too() {
    let server = Server::start(&[]);
    let (mut alice, mut bob) = (in_lobby(&server, "alice"), in_lobby(&server, "bob"));
    alice.expect(":bob!*@* JOIN #lobby");
    let lines = fill(&server, &mut alice, &bob);
    server.signal("TERM");
    for number in 0..lines {
        let said = bob.expect("PRIVMSG #lobby *");
        assert!(said.last().starts_with(&format!("{number} ")), "{number}, but {said}");
    }
    bob.expect("ERROR :Closing link: *");
    drop((alice, bob));
    assert_eq!(server.wait().code, 0);
}

#[cfg(target_os = "linux")]
#[test]
fn who_never_reads_does_not_hold_the_end_up() {
    let server = Server::start(&[]);
    let (mut alice, bob) = (in_lobby(&server, "alice"), in_lobby(&server, "bob"));
    alice.expect(":bob!*@* JOIN #lobby");
    fill(&server, &mut alice, &bob);
    server.signal("TERM");
    alice.expect("ERROR :Closing link: *");
    // The harness waits for half as long as a stalled write would be waited for.
    assert_eq!(server.wait().code, 0);
    drop(bob);
}

/// Talks until the kernel takes no more for a reader, so that the server has to keep some of it; returns how many lines.
#[cfg(target_os = "linux")]
fn fill(server: &Server, talker: &mut Irc, reader: &Irc) -> usize {
    let text = "y".repeat(400);
    let mut lines = 0;
    let mut held = 0;
    loop {
        let many: String =
            (lines..lines + 50).map(|number| format!("PRIVMSG #lobby :{number} {text}\r\n")).collect();
        talker.send_bytes(many);
        talker.settle();
        lines += 50;
        let now = on_the_way(server.address().port(), reader.local_address().port());
        if now == held {
            return lines;
        }
        held = now;
    }
}

/// Bytes that the kernel has from a server for a client: what is to be sent at one end and to be read at the other.
#[cfg(target_os = "linux")]
fn on_the_way(server: u16, client: u16) -> u64 {
    let table = std::fs::read_to_string("/proc/net/tcp").expect("Linux has it");
    let queues = |from: u16, to: u16| {
        let ends = format!(" 0100007F:{from:04X} 0100007F:{to:04X} ");
        let row = table.lines().find(|line| line.contains(&ends)).expect("both ends are here");
        let (sends, reads) =
            row.split_whitespace().nth(4).and_then(|both| both.split_once(':')).expect("two queues");
        let bytes = |hex| u64::from_str_radix(hex, 16).expect("a number");
        (bytes(sends), bytes(reads))
    };
    queues(server, client).0 + queues(client, server).1
}

#[test]
fn comings_and_goings_are_logged_with_addresses() {
    let server = Server::start(&["--raw-bind", "127.0.0.1:0"]);
    let mut alice = in_lobby(&server, "alice");
    let bob = person(&server, "bob");
    let mut raw = Plain::connect_to(server.raw_address());
    raw.send_bytes("hi");
    let addresses = [alice.local_address(), bob.local_address(), raw.local_address()];
    for (nick, address) in ["alice", "bob", "guest1"].into_iter().zip(addresses) {
        server.wait_log(&format!("joined: {nick} from {address} to #lobby"));
    }
    alice.send("QUIT");
    drop(bob);
    drop(raw);
    for (nick, address) in ["alice", "bob", "guest1"].into_iter().zip(addresses) {
        server.wait_log(&format!("left: {nick} from {address}*"));
    }
    let mut stranger = server.plain();
    let from = stranger.local_address();
    stranger.send_bytes("GET / HTTP/1.1\r\n\r\n");
    server.wait_log(&format!("refused: {from} (HTTP*)"));
}

#[test]
fn quiet_leaves_the_log_empty() {
    let server = Server::start(&["--quiet"]);
    let mut alice = in_lobby(&server, "alice");
    alice.send("QUIT");
    alice.expect_closed();
    drop(alice);
    server.signal("TERM");
    let ended = server.wait();
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
}

#[test]
fn the_log_never_holds_what_was_said_or_a_secret() {
    let scratch = Scratch::new();
    let key = "hush-0123456789abcdef";
    let oper = scratch.write_secret("oper", format!("{key}\n"));
    let options = ["--verbose", "--oper-file", &oper, "--raw-bind", "127.0.0.1:0"];
    let mut server = Launch::new(&options).start();
    let mut alice = Irc::connect(&server);
    for line in ["PASS hush-pass", "NICK alice", "USER alice 0 * :hush-real"] {
        alice.send(line);
    }
    alice.welcomed();
    alice.join("#tea");
    let (mut bob, mut carol) = (person(&server, "bob"), server.irc("carol"));
    for line in [
        "MODE #tea +k hush-key",
        "TOPIC #tea :hush-topic",
        "PRIVMSG #tea :hush-said",
        "NOTICE #lobby :hush-notice",
        "PRIVMSG bob :hush-private",
        "AWAY :hush-away",
        "SETNAME :hush-name",
        "OPER alice hush-wrong",
        "OPER alice hush-0123456789abcdef",
        "WALLOPS :hush-wallops",
        "CONSOLE :hush-announced",
        "FROB hush-unknown",
        "JOIN #secret hush-guess",
        "PART #secret :hush-part",
        "KILL nobody :hush-kill",
    ] {
        alice.send(line);
    }
    alice.settle();
    carol.send("JOIN #tea hush-no");
    carol.send("JOIN #tea hush-key");
    carol.expect("JOIN #tea");
    alice.send("KICK #tea carol :hush-kick");
    carol.expect("KICK **");
    for line in [
        "hush-plain",
        "/me hush-me",
        "/msg alice hush-msg",
        "/join #tea hush-bad",
        "/hush-typo",
        "/quit hush-q",
    ] {
        bob.send(line);
    }
    bob.expect("-!- Closing link*");
    let mut raw = Plain::connect_to(server.raw_address());
    raw.send_bytes("hush-raw");
    server.wait_log("joined: guest1 from * to #lobby");
    server.console("hush-console");
    server.console("/kick guest1 hush-why");
    raw.read_to_end();
    alice.send("KILL carol :hush-killed");
    carol.expect_closed();
    let mut browser = server.plain();
    browser.send_bytes("GET /hush-path HTTP/1.1\r\nAuthorization: hush-auth\r\n\r\n");
    browser.read_to_end();
    alice.send("QUIT :hush-bye");
    alice.expect_closed();
    drop((alice, bob, carol));
    server.signal("TERM");
    let ended = server.wait();
    assert!(ended.stderr.contains("left: alice from"), "the log was kept: {}", ended.stderr);
    assert!(!ended.stderr.contains("hush"), "{}", ended.stderr);
}
