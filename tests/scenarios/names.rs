//! Names in any script, two ways to write one name, and what no name may have in it.

use parlor_tests::{Irc, Message, Server};

fn refused(message: &Message) -> bool {
    message.command == "432"
}

#[test]
fn names_are_in_any_script() {
    let server = Server::start(&[]);
    let mut alice = server.irc("alice");
    alice.join("#茶");
    for nick in ["小明", "Zoë", "Олег", "محمد", "[brackets]", "{a|b}", "o-o_o", "`tick^"] {
        let mut irc = server.irc(nick);
        irc.join("#茶");
        alice.expect(format!(":{nick}!*@* JOIN #茶").as_str());
        irc.send("PRIVMSG #茶 :hi");
        let said = alice.expect("PRIVMSG #茶 hi");
        assert_eq!(said.nick(), nick);
        alice.send(&format!("PRIVMSG {nick} :welcome"));
        irc.expect(format!("PRIVMSG {nick} welcome").as_str());
    }
}

#[test]
fn case_and_composition_make_no_new_name() {
    let server = Server::start(&[]);
    for (taken, same) in
        [("Олег", "оЛЕГ"), ("Zoë", "ZOE\u{308}"), ("Zoe\u{301}", "zo\u{e9}"), ("Σοφια", "σοφια")]
    {
        let mut owner = server.irc(taken);
        let mut other = Irc::connect(&server);
        other.send("USER user 0 * :Other");
        other.send(&format!("NICK {same}"));
        other.expect("433 * **");
        other.send("NICK somebody");
        other.welcomed();
        other.send(&format!("PRIVMSG {same} :I know you"));
        owner.expect(":somebody!*@* PRIVMSG * :I know you");
        other.send("QUIT");
        other.expect_closed();
        owner.send("QUIT");
        owner.expect_closed();
    }
}

#[test]
fn a_room_is_the_same_in_any_case_and_composition() {
    let server = Server::start(&[]);
    let (mut alice, mut bob) = (server.irc("alice"), server.irc("bob"));
    alice.join("#Café");
    bob.send("JOIN #cAFE\u{301}");
    // The room keeps the name that its founder gave it.
    bob.expect(":bob!*@* JOIN #Café");
    alice.expect(":bob!*@* JOIN #Café");
    bob.settle();
    bob.send("PRIVMSG #CAFÉ :hi");
    alice.expect(":bob!*@* PRIVMSG #Café hi");
    let lines = alice.ask_all("LIST");
    assert_eq!(lines.iter().filter(|m| m.command == "322").count(), 2, "#lobby and #Café: {lines:?}");
}

#[test]
fn ascii_folds_as_ascii_does() {
    let server = Server::start(&[]);
    let mut alice = server.irc("a[b]^");
    // In rfc1459 these would be one name; CASEMAPPING says ascii.
    let mut other = server.irc("a{b}~");
    other.send("PRIVMSG A[B]^ :hi");
    alice.expect("PRIVMSG a[b]^ hi");
}

/// "Servers MUST allow at least all alphanumerical characters, square and curly brackets, backslashes, and pipe."
#[test]
fn a_backslash_is_a_letter_as_well() {
    let server = Server::start(&[]);
    let mut irc = Irc::connect(&server);
    irc.send("USER user 0 * :Somebody");
    irc.send("NICK back\\slash");
    let answer = irc.expect_any(&["001", "432"]);
    assert_eq!(answer.command, "001", "{answer}");
}

#[test]
fn characters_that_nobody_sees_are_in_no_name() {
    let server = Server::start(&[]);
    let mut irc = Irc::connect(&server);
    irc.send("USER user 0 * :Somebody");
    let invisible = [
        '\u{200b}',
        '\u{200d}',
        '\u{200e}',
        '\u{202e}',
        '\u{2060}',
        '\u{2066}',
        '\u{feff}',
        '\u{ad}',
        '\u{61c}',
        '\u{85}',
        '\u{7f}',
        '\u{1}',
        '\u{2028}',
        '\u{a0}',
        '\u{3000}',
        '\u{e0041}',
    ];
    for c in invisible {
        irc.send(&format!("NICK al{c}ice"));
        let answer = irc.next_message();
        assert!(refused(&answer), "{:?}: {answer}", c.escape_unicode().to_string());
    }
    irc.send("NICK alice");
    irc.welcomed();
    for c in invisible {
        irc.ask(&format!("JOIN #t{c}ea"), |m: &Message| matches!(m.command.as_str(), "403" | "476" | "479"));
    }
}

#[test]
fn names_have_32_characters_and_64_bytes() {
    let server = Server::start(&[]);
    for (longest, too_long) in [
        ("n".repeat(32), "n".repeat(33)),
        ("я".repeat(32), "я".repeat(33)),
        ("小".repeat(21), "小".repeat(22)),
    ] {
        let mut irc = Irc::connect(&server);
        irc.send("USER user 0 * :Somebody");
        irc.send(&format!("NICK {too_long}"));
        irc.expect_any(&["432", "417"]);
        irc.send(&format!("NICK {longest}"));
        irc.expect(format!("001 {longest} *").as_str());
        irc.welcomed();
        let room = |name: &str| format!("#{}", name.chars().skip(1).collect::<String>());
        irc.ask(&format!("JOIN {}x{}", room(&longest), "小"), |m: &Message| {
            matches!(m.command.as_str(), "403" | "476" | "479" | "417")
        });
        irc.join(&room(&longest));
    }
}

#[test]
fn special_characters_are_in_no_name() {
    let server = Server::start(&[]);
    let mut alice = server.irc("alice");
    for nick in ["#a", "a!b", "a@b", "a,b", "a*", "a?", "@a", "+a", "$a", ":a", "a b", "*"] {
        let answer = alice.ask(&format!("NICK :{nick}"), |m: &Message| refused(m));
        assert_eq!(answer.param(0), "alice", "{nick}: {answer}");
    }
}

/// The server speaks as `server`; services and operators are told from people by their names alone.
#[test]
fn a_name_that_reads_like_the_servers_is_refused_wherever_a_name_is_given() {
    let server = Server::start(&["--raw-bind", "127.0.0.1:0"]);
    let mut alice = server.irc("alice");
    alice.join("#lobby");
    for name in
        ["server", "sеrver", "ſerver", "SERVER", "NickServ", "ChanSеrv", "parlor․local", "Host", "0perator"]
    {
        let mut early = Irc::connect(&server);
        early.send(&format!("NICK {name}"));
        early.send("USER user 0 * :Other");
        let why = early.expect(format!("432 * {name} *").as_str());
        assert!(why.last().contains("reads like the server's own"), "{why}");
        early.send("NICK somebody");
        early.welcomed();
        early.ask(&format!("NICK {name}"), format!("432 somebody {name} *").as_str());
        early.send("QUIT");
        early.expect_closed();
        let mut plain = server.plain();
        plain.send(name);
        let why = plain.next_line();
        assert_eq!(
            why,
            format!("-!- The name {name} reads like the server's own or a service's. Type another one.")
        );
        plain.send("bob");
        plain.expect("-!- Welcome*");
        plain.send(&format!("/nick {name}"));
        plain.expect(&format!("-!- The name {name} reads like the server's own or a service's"));
        plain.send("/quit");
        plain.read_to_end();
    }
    // Who cannot be asked gets another one: a script, and the programs of tutorials.
    for text in ["server\nhello\n", "server: hello\n"] {
        let mut script = server.plain();
        script.send_bytes(text);
        let said = alice.expect("PRIVMSG #lobby hello");
        assert!(said.nick().starts_with("guest"), "{said}");
    }
    let mut raw = parlor_tests::Plain::connect_to(server.raw_address());
    assert_eq!(raw.chunk(), b"NICK");
    raw.send_bytes("NickServ");
    let joined = alice.expect(|m: &Message| m.command == "JOIN" && m.nick().starts_with("guest"));
    assert!(!joined.nick().to_lowercase().contains("serv"), "{joined}");
}
