//! Who may connect: how many, from where, speaking what.

use parlor_tests::{Irc, Launch, Plain, Scratch, Server};

/// Registered, where the server lets it in.
fn try_register(server: &Server, nick: &str) -> Option<Irc> {
    let mut irc = Irc::connect(server);
    irc.send(&format!("NICK {nick}"));
    irc.send("USER user 0 * :Real Name");
    let answer = irc.expect_any(&["001", "ERROR"]);
    (answer.command == "001").then_some(irc)
}

#[test]
fn one_address_has_so_many_connections() {
    let server = Server::start(&["--max-clients-per-ip", "3"]);
    let mut people: Vec<Irc> = ["a", "b", "c"].iter().map(|nick| server.irc(nick)).collect();
    let mut fourth = Irc::connect(&server);
    let last = fourth.expect_closed();
    assert!(last.len() == 1 && last.iter().all(|m| m.is_like("ERROR :Closing link: *")), "{last:?}");
    server.wait_log(&format!("refused: {} (*)", fourth.local_address()));
    // Who leaves makes room.
    let mut leaver = people.pop().expect("three came");
    leaver.send("QUIT");
    leaver.expect_closed();
    let _fourth = server.irc("d");
    for irc in &mut people {
        irc.settle();
    }
}

#[test]
fn this_machine_and_its_network_have_64() {
    let server = Server::start(&[]);
    let _people: Vec<Plain> = (0..64).map(|_| server.plain()).collect();
    let mut next = server.plain();
    let last = String::from_utf8(next.read_to_end()).expect("UTF-8");
    assert!(last.starts_with("ERROR :Closing link: ") && last.contains("64"), "{last:?}");
}

#[test]
fn a_full_server_says_so() {
    let server = Server::start(&["--max-clients", "2", "--raw-bind", "127.0.0.1:0"]);
    let alice = server.irc("alice");
    let mut bob = server.irc("bob");
    assert!(try_register(&server, "carol").is_none());
    let mut raw = Plain::connect_to(server.raw_address());
    let from = raw.local_address();
    raw.read_to_end();
    server.wait_log(&format!("refused: {from} (*full*)"));
    drop(alice);
    server.wait_log("left: alice *");
    assert!(try_register(&server, "carol").is_some());
    bob.settle();
}

#[test]
fn what_is_no_chat_is_closed_without_a_byte_and_logged() {
    let server = Server::start(&[]);
    let mut alice = crate::plain::in_lobby(&server, "alice");
    let long = format!("NICK {}", "x".repeat(508));
    let longer = "x".repeat(8193);
    let strangers: [(&[u8], &str); 15] = [
        (b"GET / HTTP/1.1\r\nHost: parlor\r\n\r\n", "*HTTP*"),
        (b"POST /x HTTP/1.1\r\nContent-Length: 30\r\n\r\nNICK evil\r\nUSER e 0 * :e\r\n", "*HTTP*"),
        (b"HEAD / HTTP/1.0\r\n\r\n", "*HTTP*"),
        (b"OPTIONS * HTTP/1.1\r\n\r\n", "*HTTP*"),
        (b"PUT / HTTP/1.1\r\n\r\n", "*HTTP*"),
        (b"DELETE / HTTP/1.1\r\n\r\n", "*HTTP*"),
        (b"CONNECT example.org:443 HTTP/1.1\r\n\r\n", "*HTTP*"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "*HTTP*"),
        (b"SSH-2.0-OpenSSH_9.9\r\n", "*SSH*"),
        (b"\x16\x03\x01\xff\xff\x01\x00\x01\xfc\x03\x03", "*TLS*"),
        (b"\x00\x00\x00\x85\xffSMB", "*"),
        (b"\x03\x00\x00\x13\x0e\xe0\x00\x00\x00\x00\x00\x01\x00\x08\x00\x03\x00\x00\x00", "*"),
        // A browser may be told to use any method.
        (b"NICK / HTTP/1.1\r\nHost: parlor\r\n\r\n", "*HTTP*"),
        (long.as_bytes(), "*without an end*"),
        (longer.as_bytes(), "*without an end*"),
    ];
    for (bytes, why) in strangers {
        let mut stranger = server.plain();
        let from = stranger.local_address();
        stranger.send_bytes(bytes);
        let answer = stranger.read_to_end();
        assert!(answer.is_empty(), "{} got {}", bytes.escape_ascii(), answer.escape_ascii());
        server.wait_log(&format!("refused: {from} ({why})"));
    }
    // Byte by byte they are told apart as well.
    let mut slow = server.plain();
    for byte in b"GET / HTTP/1.1\r\n\r\n" {
        slow.send_bytes([*byte]);
    }
    assert!(slow.read_to_end().is_empty());
    alice.settle();
    alice.silent();
}

#[cfg(unix)]
#[test]
fn no_more_descriptors_is_no_end() {
    // Who is refused still holds a descriptor while the last words are on their way; 100 of them are all there are.
    let server = Launch::new(&[]).through_shell("ulimit -n 100 && exec \"$@\"").start();
    let mut alice = crate::plain::in_lobby(&server, "alice");
    let crowd: Vec<Plain> = (0..160).map(|_| server.plain()).collect();
    server.wait_log("*cannot accept a connection*");
    alice.settle();
    drop(crowd);
    // It goes on by itself, first of all with those who had been in the queue.
    let came = (0..200).find_map(|_| try_register(&server, "bob"));
    let mut bob = came.expect("there is room again");
    bob.join("#lobby");
    bob.send("PRIVMSG #lobby :made it");
    alice.expect(":bob!*@* PRIVMSG #lobby :made it");
    alice.settle();
}

/// Who has made too many rooms is told so; what is in them, and everybody else's, stays.
#[test]
fn rooms_that_are_made_and_kept_have_a_quota_an_address() {
    let home = Scratch::new();
    let two = std::net::TcpListener::bind("[::1]:0").is_ok();
    let start = || {
        let binds = ["--bind", "127.0.0.1:0", "--bind", "[::1]:0"];
        let binds = if two { &binds[..] } else { &binds[..2] };
        let server = home.server(&[&["--max-clients-per-ip", "5"], binds].concat());
        let eve = server.irc("eve");
        (server, eve)
    };
    let (mut server, mut eve) = start();
    let mut alice = server.irc("alice");
    alice.join("#alices");
    alice.send("MODE #alices +k sesame");
    alice.settle();
    alice.ask("PART #alices", "PART #alices");
    // Rooms in which nothing is said are gone at once.
    for number in 0..100 {
        eve.send(&format!("JOIN #empty{number}"));
        eve.send(&format!("PART #empty{number}"));
    }
    assert!(!eve.settle().iter().any(|m| m.command == "405"));
    let say = |eve: &mut Irc, number: usize| {
        eve.send(&format!("JOIN #{number}"));
        let answer = eve.expect_any(&["366", "405"]);
        if answer.command == "366" {
            eve.send(&format!("PRIVMSG #{number} :a line"));
            eve.send(&format!("PART #{number}"));
        }
        (answer.command == "405").then_some(answer)
    };
    // 5 connections, 16 rooms each: one of them is alice's.
    for number in 0..79 {
        assert_eq!(say(&mut eve, number).map(|m| m.raw), None, "{number}");
    }
    for _ in 0..2 {
        let why = say(&mut eve, 79).expect("it is too much").last().to_owned();
        assert!(
            why.starts_with("80 rooms that were made from your address are the limit; an empty one"),
            "{why}"
        );
        // Rooms that are there are open, her own and others'.
        eve.join("#7");
        eve.ask("PART #7", "PART #7");
        eve.ask("JOIN #alices", "475 eve #alices *");
        eve.send("QUIT");
        eve.expect_closed();
        drop((alice, eve));
        assert_eq!(server.stop(), 0);
        (server, eve) = start();
        alice = server.irc("alice");
    }
    // Another address makes rooms all the same.
    let Some(address) = server.addresses().iter().find(|address| address.is_ipv6()) else { return };
    let mut far = Irc::connect_to(*address).register("far");
    far.join("#far");
}
