//! From the first byte to the end of the message of the day.

use parlor_tests::{Irc, Message, Scratch, Server};

#[test]
fn a_newcomer_is_welcomed_in_the_order_clients_rely_on() {
    let server = Server::start(&[]);
    let mut alice = Irc::connect(&server);
    alice.send("NICK alice");
    alice.send("USER user 0 * :Alice Liddell");
    let welcome = alice.welcomed();
    let mut numerics: Vec<&str> = welcome.iter().map(|m| m.command.as_str()).collect();
    numerics.dedup();
    assert_eq!(numerics.get(..5), Some(&["001", "002", "003", "004", "005"][..]), "{numerics:?}");
    let rest = numerics.get(5..).unwrap_or_default();
    for numeric in ["251", "255"] {
        assert!(rest.contains(&numeric), "LUSERS ({numeric}) is part of the welcome: {numerics:?}");
    }
    for message in &welcome {
        assert_eq!(message.source, "parlor.local", "{message}");
        assert_eq!(message.param(0), "alice", "{message}");
    }
    let myinfo = welcome.iter().find(|m| m.command == "004").expect("checked above");
    assert_eq!(myinfo.param(1), "parlor.local");
    assert!(myinfo.params.len() >= 5, "server, version, user modes, room modes: {myinfo}");
    for mode in ["B", "i", "o", "w"] {
        assert!(myinfo.param(3).contains(mode), "user mode {mode}: {myinfo}");
    }
    for mode in "beIiklmnstov".chars() {
        assert!(myinfo.param(4).contains(mode), "room mode {mode}: {myinfo}");
    }
}

#[test]
fn what_the_server_supports_is_advertised() {
    let server = Server::start(&[]);
    let mut alice = Irc::connect(&server);
    alice.send("NICK alice");
    alice.send("USER user 0 * :Alice");
    let mut tokens = Vec::new();
    for message in alice.welcomed().into_iter().filter(|m| m.command == "005") {
        // The nick, at most 13 tokens, and the sentence.
        assert!((3..=15).contains(&message.params.len()), "{message}");
        let last = message.params.len() - 1;
        tokens.extend(message.params.into_iter().take(last).skip(1));
    }
    for token in [
        "UTF8ONLY",
        "WHOX",
        "SAFERATE",
        "MONITOR=100",
        "NICKLEN=32",
        "CHANNELLEN=32",
        "TOPICLEN=300",
        "AWAYLEN=200",
        "KICKLEN=200",
        "NAMELEN=128",
        "USERLEN=10",
        "BOT=B",
        "CASEMAPPING=ascii",
        "STATUSMSG=@+",
        "MODES=6",
        "MAXLIST=beI:100",
        "CHANLIMIT=#:50",
        "PREFIX=(ov)@+",
        "CHANMODES=beI,k,fl,Rimnst",
        "CHANTYPES=#",
        "EXCEPTS=e",
        "INVEX=I",
    ] {
        assert!(tokens.iter().any(|own| own == token), "{token} is not in {tokens:?}");
    }
    let targmax = tokens.iter().find_map(|token| token.strip_prefix("TARGMAX=")).expect("TARGMAX");
    for limit in
        ["PRIVMSG:4", "NOTICE:4", "TAGMSG:4", "JOIN:20", "PART:20", "KICK:4", "WHOIS:1", "NAMES:1", "LIST:10"]
    {
        assert!(targmax.split(',').any(|own| own == limit), "{limit} is not in {targmax}");
    }
    assert!(tokens.iter().any(|token| token.starts_with("NETWORK=")), "{tokens:?}");
}

#[test]
fn user_before_nick_is_as_good() {
    let server = Server::start(&[]);
    let mut alice = Irc::connect(&server);
    alice.send("PASS anything at all");
    alice.send("USER user 0 * :Alice");
    alice.send("NICK alice");
    alice.expect("001 alice *");
    alice.welcomed();
}

#[test]
fn a_taken_nick_is_refused_and_another_one_is_welcome() {
    let server = Server::start(&[]);
    let _alice = server.irc("alice");
    let mut second = Irc::connect(&server);
    second.send("NICK Alice");
    second.send("USER user 0 * :Other");
    second.expect("433 * Alice *");
    second.send("NICK alicia");
    second.expect("001 alicia *");
}

#[test]
fn two_that_ask_for_one_nick_do_not_both_get_it() {
    let server = Server::start(&[]);
    let mut pair = [Irc::connect(&server), Irc::connect(&server)];
    for irc in &mut pair {
        irc.send("NICK alice");
        irc.send("CAP LIST");
        irc.send("USER user 0 * :One of two");
        irc.send("CAP END");
    }
    let answers = pair.map(|mut irc| irc.expect_any(&["001", "433"]).command);
    assert!(answers.contains(&"001".to_owned()) && answers.contains(&"433".to_owned()), "{answers:?}");
}

#[test]
fn a_nick_is_free_again_after_its_owner_has_left() {
    let server = Server::start(&[]);
    let mut alice = server.irc("alice");
    alice.send("QUIT");
    alice.expect_closed();
    let mut again = server.irc("alice");
    again.silent_until_pong("433 **");
}

#[test]
fn nicks_that_are_none_are_refused_with_the_right_numeric() {
    let server = Server::start(&[]);
    let mut irc = Irc::connect(&server);
    irc.send("USER user 0 * :Nobody yet");
    irc.send("NICK");
    irc.expect("431 * *");
    irc.send("NICK :");
    irc.expect_any(&["431", "432"]);
    for nick in
        ["al!ice", "al@ice", "#alice", "al,ice", "al*ce", "al?ce", "@alice", "+alice", ":alice", "$alice"]
    {
        irc.send(&format!("NICK :{nick}"));
        irc.expect(|m: &Message| m.command == "432" && m.param(0) == "*");
    }
    irc.send("NICK alice");
    irc.expect("001 alice *");
}

#[test]
fn user_with_too_few_parameters_is_refused() {
    let server = Server::start(&[]);
    let mut irc = Irc::connect(&server);
    irc.send("NICK alice");
    irc.send("USER user 0 *");
    irc.expect("461 * USER *");
    irc.send("USER user 0 * :");
    irc.expect_any(&["461", "001"]);
}

#[test]
fn nothing_else_is_done_before_registration() {
    let server = Server::start(&[]);
    let mut alice = server.irc("alice");
    alice.join("#tea");
    let mut irc = Irc::connect(&server);
    for line in ["JOIN #tea", "PRIVMSG #tea :hi", "NAMES #tea", "WHO alice", "LIST", "OPER a b", "AWAY :gone"]
    {
        irc.send(line);
        irc.expect("451 * **");
    }
    // Whatever else is wrong with it: irssi asks with `JOIN :` whether CAP is known.
    for verb in [
        "JOIN",
        "PART",
        "TOPIC",
        "NAMES",
        "LIST",
        "INVITE",
        "KICK",
        "MODE",
        "PRIVMSG",
        "NOTICE",
        "TAGMSG",
        "AWAY",
        "SETNAME",
        "WHO",
        "WHOIS",
        "WHOWAS",
        "ISON",
        "USERHOST",
        "MONITOR",
        "OPER",
        "KILL",
        "WALLOPS",
        "CONSOLE",
        "STATS",
        "CHATHISTORY",
        "SEARCH",
        "FROB",
    ] {
        for line in [verb.to_owned(), format!("{verb} :")] {
            irc.ask(&line, "451 * **");
        }
    }
    alice.silent();
}

#[test]
fn nobody_registers_twice() {
    let server = Server::start(&[]);
    let mut alice = server.irc("alice");
    alice.ask("USER other 0 * :Other", "462 alice *");
    alice.ask("PASS secret", "462 alice *");
}

#[test]
fn negotiation_holds_the_welcome_until_cap_end() {
    let server = Server::start(&[]);
    let mut alice = Irc::connect(&server);
    alice.send("CAP LS 302");
    alice.send("NICK alice");
    alice.send("USER user 0 * :Alice");
    alice.send("CAP LIST");
    let before = alice.until(|m: &Message| m.command == "CAP" && m.param(1) == "LIST");
    assert!(before.iter().all(|m| m.command == "CAP"), "{before:?}");
    alice.send("CAP END");
    alice.expect("001 alice *");
}

#[test]
fn ping_is_answered_with_its_token() {
    let server = Server::start(&["--name", "tea.example"]);
    let mut alice = server.irc("alice");
    alice.ask("PING :two words", ":tea.example PONG tea.example :two words");
    alice.ask("PING 12 ignored", "PONG * 12");
    alice.ask("PING", |m: &Message| matches!(m.command.as_str(), "461" | "409"));
    alice.send("PONG tea.example");
    alice.silent();
}

#[test]
fn any_verb_of_the_protocol_as_first_line_means_irc() {
    let server = Server::start(&[]);
    for (line, answers) in [
        ("PING :tok", &["PONG", "451"][..]),
        ("QUIT :changed my mind", &["ERROR"]),
        ("CAP LS", &["CAP"]),
        ("JOIN #tea", &["451"]),
        ("PRIVMSG alice :hi", &["451"]),
        ("nick al!ce", &["432"]),
        ("@a=b CAP LS", &["CAP"]),
    ] {
        let mut irc = Irc::connect(&server);
        irc.send(line);
        irc.expect_any(answers);
    }
}

/// How the network cuts what a client sends must make no difference.
#[test]
fn the_first_line_alone_tells_the_protocol() {
    let server = Server::start(&[]);
    let mut alice = server.irc("alice");
    let mut irc = Irc::connect(&server);
    irc.send_bytes("NICK bob\r\nUSER user 0 * :Bob\r\nPRIVMSG alice :\u{7}\u{1b}[1mding\r\n");
    irc.expect("001 bob *");
    alice.expect(":bob!*@* PRIVMSG alice :\u{7}\u{1b}[1mding");
}

/// "If this length is advertised, the username MUST be silently truncated to the given length before being used."
#[test]
fn a_user_name_is_cut_as_advertised_and_cannot_forge_a_host() {
    let server = Server::start(&[]);
    for (nick, user, kept) in [("alice", "averylongusername", Some("averylongu")), ("bob", "a!b@c", None)] {
        let mut irc = Irc::connect(&server);
        irc.send(&format!("NICK {nick}"));
        irc.send(&format!("USER {user} 0 * :Somebody"));
        irc.welcomed();
        let source = irc.join("#tea").remove(0).source;
        let (before, host) = source.split_once('@').expect("a host");
        let (_, shown) = before.split_once('!').expect("a user");
        assert!(host.ends_with(".cloak") && !host.contains(['!', '@']) && !shown.contains('!'), "{source}");
        assert!(kept.is_none_or(|kept| shown.trim_start_matches('~') == kept), "{source}");
    }
}

#[test]
fn who_leaves_gets_a_closing_line_and_the_others_the_reason() {
    let server = Server::start(&[]);
    let (mut alice, mut bob) = (server.irc("alice"), server.irc("bob"));
    for room in ["#tea", "#coffee"] {
        alice.join(room);
        bob.join(room);
    }
    alice.settle();
    bob.send("QUIT :off to bed");
    let last = bob.expect_closed();
    assert!(last.last().is_some_and(|m| m.is_like("ERROR :Closing link: *")), "{last:?}");
    let quit = alice.expect(":bob!*@* QUIT *");
    assert!(quit.last().contains("off to bed"), "{quit}");
    alice.silent_until_pong("QUIT **"); // once, not once a room
}

#[test]
fn a_lost_connection_is_a_quit_as_well() {
    let server = Server::start(&[]);
    let (mut alice, mut bob) = (server.irc("alice"), server.irc("bob"));
    alice.join("#tea");
    bob.join("#tea");
    drop(bob);
    alice.expect(":bob!*@* QUIT *");
}

#[test]
fn the_message_of_the_day_is_the_file() {
    let scratch = Scratch::new();
    let motd = scratch.write("motd", "Welcome to tea.\n\n小明 says hi\n");
    let server = Server::start(&["--motd", &motd]);
    let mut alice = server.irc("alice");
    let lines = alice.ask_all("MOTD");
    let numerics: Vec<&str> = lines.iter().map(|m| m.command.as_str()).collect();
    assert_eq!(numerics, ["375", "372", "372", "372", "376"]);
    let texts: Vec<&str> = lines.iter().filter(|m| m.command == "372").map(Message::last).collect();
    // Servers differ in how they set the lines off.
    let texts: Vec<&str> = texts.iter().map(|text| text.trim_start_matches('-').trim()).collect();
    assert_eq!(texts, ["Welcome to tea.", "", "小明 says hi"]);
}

#[test]
fn without_a_file_there_is_no_message_of_the_day() {
    let server = Server::start(&[]);
    server.irc("alice").ask("MOTD", "422 alice *");
}

#[test]
fn an_unknown_command_is_named() {
    let server = Server::start(&[]);
    let mut alice = server.irc("alice");
    alice.ask("FROBNICATE now", "421 alice FROBNICATE *");
    alice.ask("123 x", "421 alice 123 *");
}
