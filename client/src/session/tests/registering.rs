//! Capabilities, the welcome, and servers that do without.

use super::*;

#[test]
fn only_what_is_offered_is_asked_for() {
    let mut world = World::new(profile("me"));
    assert_eq!(world.calls, ["connect"]);
    assert_eq!(world.screen.status, Some(Status::Connecting));
    world.give(Input::Connected(Login::default()));
    assert_eq!(world.screen.status, Some(Status::Registering));
    assert_eq!(world.sent(), ["CAP LS 302", "NICK me", "USER me 0 * :me"]);
    world.server(":s.test CAP * LS * :sasl=PLAIN echo-message");
    assert_eq!(world.sent(), [""; 0], "the list goes on");
    world.server(":s.test CAP * LS :server-time draft/x");
    assert_eq!(world.sent(), ["CAP REQ :server-time echo-message"]);
    world.server(":s.test CAP me ACK :echo-message server-time");
    assert_eq!(world.sent(), ["CAP END"]);
    world.server(":s.test 001 me :Welcome me!u@h\n:s.test 005 me NETWORK=Test\\x20Net :are supported");
    assert_eq!(world.screen.status, Some(Status::Registering));
    world.server(":s.test 376 me :End of MOTD");
    assert_eq!(world.screen.status, Some(Status::Connected { server: "Test Net".into() }));
    assert_eq!(world.sent(), ["JOIN #lobby", "PING :parlor-1"]);
}

#[test]
fn a_refused_request_is_no_reason_to_stay_away() {
    let mut world = World::new(profile("me"));
    world.give(Input::Connected(Login::default()));
    world.server(":s.test CAP * LS :echo-message");
    world.server(":s.test CAP me NAK :echo-message");
    assert_eq!(world.sent().last().unwrap(), "CAP END");
    world.server(":s.test 001 me :Welcome\n:s.test 422 me :No MOTD");
    assert_eq!(world.screen.status, Some(Status::Connected { server: "s.test".into() }));
}

#[test]
fn a_server_without_capabilities_will_do() {
    for refusal in ["", ":s.test 421 * CAP :Unknown command", ":s.test 451 * :You have not registered"] {
        let mut world = World::new(profile("me"));
        world.give(Input::Connected(Login::default()));
        world.server(refusal);
        world.server(
            ":s.test 001 me :Hi\n:s.test 375 me :- MOTD\n:s.test 372 me :- be kind\n:s.test 376 me :End",
        );
        assert!(matches!(world.screen.status, Some(Status::Connected { .. })));
        assert_eq!(world.said("*"), server_says("be kind"));
        world.enter("#lobby", "me");
        world.look();
        world.say("#lobby", "hi");
        assert_eq!(world.sent(), ["PRIVMSG #lobby :hi", "PING :parlor-2"], "no tags, no echo");
    }
}

#[test]
fn capabilities_come_and_go() {
    let mut world = World::welcomed("me", "server-time", "SAFERATE");
    world.server(":s.test CAP me NEW :echo-message message-tags");
    assert_eq!(world.sent(), ["CAP REQ :message-tags echo-message"]);
    world.server(":s.test CAP me ACK :message-tags echo-message");
    world.say("#lobby", "one");
    assert!(token(&world.sent()[0]).1.ends_with(":one"));
    world.server(":s.test CAP me DEL :message-tags");
    world.say("#lobby", "two");
    assert_eq!(world.sent(), ["PRIVMSG #lobby :two"]);
}

#[test]
fn a_server_that_never_ends_its_welcome_is_welcome_after_a_while() {
    let mut world = World::new(profile("me"));
    world.give(Input::Connected(Login::default()));
    world.server(":s.test 001 me :Hi");
    world.seconds(31);
    assert!(matches!(world.screen.status, Some(Status::Connected { .. })));
}

#[test]
fn what_is_no_chat_server_is_said() {
    let refused = |bytes: &[u8]| {
        let mut world = World::new(profile("me"));
        world.give(Input::Connected(Login::default()));
        world.give(Input::Received(bytes));
        world.seconds(40);
        assert_eq!(world.screen.status, Some(Status::Offline { since: None }));
        assert_eq!(world.calls, ["connect", "disconnect"]);
        let refusals = world.events().into_iter().filter_map(|event| match event {
            Event::Refused(refusal) => Some(refusal),
            _ => None,
        });
        refusals.map(|refusal| (refusal.field, refusal.sentence)).collect::<Vec<_>>()
    };
    let not_chat = (Field::Address, Sentence::NotChat { server: HostPort::new("irc.test", 49806) });
    assert_eq!(refused(b"HTTP/1.1 400 Bad Request\r\n\r\n"), std::slice::from_ref(&not_chat));
    assert_eq!(refused(b"a\0b"), std::slice::from_ref(&not_chat));
    assert_eq!(refused(&[b'x'; 30_000]), std::slice::from_ref(&not_chat));
    assert_eq!(refused(b""), std::slice::from_ref(&not_chat));
}

#[test]
fn nobody_answers_and_the_card_says_so() {
    let mut world = World::new(profile("me"));
    let server = HostPort::new("irc.test", 49806);
    world.give(Input::Lost(Sentence::NobodyAnswers { server }));
    assert_eq!(world.screen.status, Some(Status::Offline { since: None }));
    let events = world.events();
    assert!(events.iter().any(|event| matches!(event, Event::Refused(refusal)
        if refusal.field == Field::Address && matches!(refusal.sentence, Sentence::NobodyAnswers { .. }))));
    world.seconds(3600);
    assert_eq!(world.calls, [""; 0], "no second attempt by itself");
    world.act(Action::RetryNow);
    assert_eq!(world.calls, ["connect"]);
    world.seconds(25);
    assert_eq!(world.calls, ["connect", "disconnect"], "no answer for too long");
}

#[test]
fn a_ban_and_a_password_are_told_as_such() {
    let banned = |reason: &str| Sentence::Banned { reason: reason.into() };
    let too_many = Some("Closing link: Too many connections".to_owned());
    for (line, sentence) in [
        (":s.test 465 me :You are banned", banned("You are banned")),
        ("ERROR :Closing link: You are banned here", banned("Closing link: You are banned here")),
        (":s.test 464 me :Bad password", Sentence::PasswordNeeded),
        ("ERROR :Closing link: Too many connections", Sentence::ServerClosed { reason: too_many }),
    ] {
        let mut world = World::new(profile("me"));
        world.give(Input::Connected(Login::default()));
        world.server(line);
        world.give(Input::Lost(GONE));
        let asks = sentence == Sentence::PasswordNeeded;
        let field = if asks { Field::ServerPassword } else { Field::Address };
        let refusal = Refusal { field, sentence, suggestion: None };
        assert!(world.events().contains(&Event::Refused(refusal)), "{line}");
    }
}

#[test]
fn rooms_are_entered_in_as_few_lines_as_servers_take() {
    let rooms = (0..25).map(|i| format!("#room{i}")).collect();
    let mut world = World::new(Profile { rooms, ..profile("me") });
    world.act(Action::Join { room: "#secret".into(), key: Some("sesame".into()) });
    world.welcome("", "NICKLEN=9");
    let joins: Vec<String> = world.sent().into_iter().filter(|line| line.starts_with("JOIN")).collect();
    assert_eq!(joins.len(), 3);
    assert!(joins[0].starts_with("JOIN #secret,#room0,") && joins[0].ends_with(" sesame"));
    assert_eq!(joins.iter().map(|line| line.matches('#').count()).sum::<usize>(), 26);
}
