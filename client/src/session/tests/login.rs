//! Showing who we are: to the real hub, and to servers of other kinds.

use parlor_server::hub;
use parlor_server::protocol::base64;
use parlor_server::protocol::scram::{Exchange, Keys};

use super::hub::Party;
use super::*;

fn own(secret: &str) -> Login {
    Login { private: true, own: vec![secret.into()], ..Login::default() }
}

fn typed(password: &str) -> Login {
    Login { private: true, password: password.into(), ..Login::default() }
}

/// What was refused, last.
fn refused(world: &World) -> Option<(Field, &Sentence)> {
    world.events.iter().rev().find_map(|event| match event {
        Event::Refused(refusal) => Some((refusal.field, &refusal.sentence)),
        _ => None,
    })
}

fn is_connected(world: &World) -> bool {
    matches!(world.screen.status, Some(Status::Connected { .. }))
}

#[test]
fn a_name_is_claimed_without_a_word_and_nobody_else_has_it_then() {
    let mut party = Party::of(hub::Settings::default());
    party.come("bob", own("secret of this computer"));
    party.come("bob", own("secret of another one"));
    let sentence = Sentence::NameOwned { name: "bob".into() };
    assert_eq!(refused(&party.members[1]), Some((Field::Name, &sentence)));
    assert_eq!(party.members[1].screen.status, Some(Status::Offline { since: None }));
    assert_eq!(party.members[0].screen.lines("*"), [], "nothing is said of it");
    // Nor while its owner is away.
    party.act(0, Action::Disconnect);
    party.come("bob", Login::default());
    assert_eq!(refused(&party.members[2]).map(|(field, _)| field), Some(Field::Name));
    party.come("bob", own("secret of this computer"));
    assert!(is_connected(&party.members[3]));
}

#[test]
fn a_secret_of_before_still_opens_the_name() {
    let mut party = Party::of(hub::Settings::default());
    party.come("bob", own("the old one"));
    party.act(0, Action::Disconnect);
    let both = Login { own: vec!["the new one".into(), "the old one".into()], ..own("") };
    party.come("bob", both);
    assert!(is_connected(&party.members[1]), "{:?}", refused(&party.members[1]));
}

#[test]
fn who_comes_from_another_device_has_the_place_and_the_first_stays_away() {
    let mut party = Party::of(hub::Settings::default());
    party.come("amy", Login::default());
    party.come("bob", own("secret"));
    party.say(1, "from the desk");
    party.come("bob", own("secret"));
    assert!(is_connected(&party.members[2]));
    assert_eq!(refused(&party.members[1]), Some((Field::Name, &Sentence::Replaced)));
    party.pass(120);
    assert!(is_connected(&party.members[2]) && !is_connected(&party.members[1]));
    party.say(2, "from the sofa");
    let talk = party.members[0].talk("#lobby");
    assert_eq!(talk, ["bob: from the desk", "bob: from the sofa"]);
    assert!(party.members[0].names("#lobby").contains(&"bob".to_owned()));
    // By the person's wish it is the other way round.
    party.act(1, Action::RetryNow);
    assert!(is_connected(&party.members[1]));
    assert_eq!(refused(&party.members[2]), Some((Field::Name, &Sentence::Replaced)));
}

#[test]
fn a_connection_that_was_lost_comes_back_as_who_it_was() {
    let mut party = Party::of(hub::Settings::default());
    party.come("bob", own("secret"));
    for server_knows in [true, false] {
        party.cut(0, server_knows);
        party.pass(70);
        assert!(is_connected(&party.members[0]));
        assert_eq!(party.members[0].session.me.nick, "bob");
        assert!(party.members[0].session.registration.signing.done, "and is logged in");
    }
}

#[test]
fn what_the_person_types_opens_a_name_or_claims_it() {
    let mut party = Party::of(hub::Settings::default());
    party.come("bob", typed("sesame"));
    assert!(is_connected(&party.members[0]), "nobody's before");
    party.act(0, Action::Disconnect);
    party.come("bob", typed("poppy"));
    let sentence = Sentence::PasswordRefused { reason: "Wrong name or password".into() };
    assert_eq!(refused(&party.members[1]), Some((Field::Password, &sentence)));
    party.come("bob", typed("sesame"));
    assert!(is_connected(&party.members[2]));
}

#[test]
fn a_servers_password_is_asked_for_and_given() {
    let settings = hub::Settings { password: Some("open".into()), ..hub::Settings::default() };
    let mut party = Party::of(settings);
    for (given, answer) in [("", Sentence::PasswordNeeded), ("shut", Sentence::PasswordWrong)] {
        let login = Login { server_password: given.into(), ..own("secret") };
        party.come("bob", login);
        assert_eq!(refused(party.members.last().unwrap()), Some((Field::ServerPassword, &answer)));
    }
    party.come("bob", Login { server_password: "open".into(), ..own("secret") });
    assert!(is_connected(party.members.last().unwrap()));
}

#[test]
fn no_secret_goes_where_others_read_it() {
    let not_safe = Sentence::PasswordNotSafe { server: HostPort::new("irc.test", 49806) };
    let readable = Login { private: false, ..typed("sesame") };
    let server = Login { server_password: "open".into(), ..Login::default() };
    for (login, field, caps) in [
        (readable.clone(), Field::Password, "sasl=PLAIN"),
        (readable.clone(), Field::Password, "server-time"),
        (server, Field::ServerPassword, ""),
    ] {
        let mut world = World { login: login.clone(), ..World::new(profile("me")) };
        world.give(Input::Connected(login));
        world.server(&format!(":s.test CAP * LS :{caps}"));
        if let Some(asked) = world.sent.iter().find_map(|line| line.strip_prefix("CAP REQ :")) {
            let ack = format!(":s.test CAP me ACK :{asked}");
            world.server(&ack);
        }
        assert_eq!(refused(&world), Some((field, &not_safe)), "{caps}");
        assert!(!world.sent.iter().any(|line| line.contains("sesame") || line.contains("open")));
    }
    // To prove it says nothing to who listens.
    let mut world = World { login: readable, ..World::new(profile("me")) };
    begin(&mut world, "sasl=PLAIN,SCRAM-SHA-256");
    assert_eq!(world.sent(), ["AUTHENTICATE SCRAM-SHA-256"]);
}

/// As far as the answer to the capability.
fn begin(world: &mut World, caps: &str) {
    world.give(Input::Connected(world.login.clone()));
    world.server(&format!(":s.test CAP * LS :{caps}"));
    world.server(":s.test CAP me ACK :sasl");
    let sent = world.sent();
    let from = sent.iter().position(|line| line.starts_with("AUTHENTICATE")).unwrap_or(sent.len());
    world.sent = sent[from..].to_vec();
}

#[test]
fn what_a_server_does_not_know_is_not_the_end() {
    let plain = base64::encode(b"\0me\0sesame");
    // It lists what it knows, or says so only when it is asked.
    let mut world = World { login: typed("sesame"), ..World::new(profile("me")) };
    begin(&mut world, "sasl=PLAIN");
    world.server("AUTHENTICATE +");
    assert_eq!(world.sent(), ["AUTHENTICATE PLAIN", &format!("AUTHENTICATE {plain}")]);
    world.server(":s.test 900 me me!u@h me :You are\n:s.test 903 me :SASL successful");
    assert_eq!(world.sent(), ["CAP END"]);

    let mut world = World { login: typed("sesame"), ..World::new(profile("me")) };
    begin(&mut world, "sasl");
    world.server(":s.test 908 me PLAIN,EXTERNAL :are available\n:s.test 904 me :SASL failed");
    world.server("AUTHENTICATE +");
    let expected = ["AUTHENTICATE SCRAM-SHA-256", "AUTHENTICATE PLAIN", &format!("AUTHENTICATE {plain}")];
    assert_eq!(world.sent(), expected);

    // Our own secret is never said, and to strangers nothing is proved with it.
    for (caps, asked) in [("sasl=PLAIN parlor/resume", 1), ("sasl=SCRAM-SHA-256", 0)] {
        let mut world = World { login: own("secret"), ..World::new(profile("me")) };
        world.give(Input::Connected(world.login.clone()));
        world.server(&format!(":s.test CAP * LS :{caps}"));
        assert_eq!(world.sent.iter().filter(|line| line.starts_with("CAP REQ")).count(), asked, "{caps}");
        world.server(":s.test CAP me ACK :sasl");
        assert!(!world.sent().iter().any(|line| line.starts_with("AUTHENTICATE")), "{caps}");
    }
}

#[test]
fn a_certificate_goes_before_a_password() {
    let login = Login { certificate: true, ..typed("sesame") };
    let mut world = World { login, ..World::new(profile("me")) };
    begin(&mut world, "sasl=EXTERNAL,PLAIN");
    world.server("AUTHENTICATE +\n:s.test 904 me :SASL failed");
    assert_eq!(world.sent(), ["AUTHENTICATE EXTERNAL", "AUTHENTICATE +", "AUTHENTICATE PLAIN"]);
}

#[test]
fn a_server_that_does_not_know_the_password_hears_no_more_of_it() {
    let mut world = World { login: typed("sesame"), ..World::new(profile("me")) };
    begin(&mut world, "sasl=SCRAM-SHA-256,PLAIN");
    let keys = Keys::derive("another", b"salt", 4_096);
    world.server("AUTHENTICATE +");
    let first = world.sent().pop().unwrap();
    let text = base64::decode(first.strip_prefix("AUTHENTICATE ").unwrap()).unwrap();
    let mut exchange = Exchange::begin(str::from_utf8(&text).unwrap()).unwrap();
    let challenge = exchange.challenge("nonce", b"salt", 4_096).to_owned();
    world.server(&format!("AUTHENTICATE {}", base64::encode(challenge.as_bytes())));
    let last = world.sent().pop().unwrap();
    let text = base64::decode(last.strip_prefix("AUTHENTICATE ").unwrap()).unwrap();
    assert_eq!(exchange.finish(str::from_utf8(&text).unwrap(), &keys), None, "it is another password");
    // It says that all is well.
    world.server(&format!("AUTHENTICATE {}", base64::encode(b"v=AAAA")));
    assert_eq!(world.sent(), ["AUTHENTICATE *"]);
    world.server(":s.test 906 me :SASL aborted");
    assert_eq!(refused(&world).map(|(field, _)| field), Some(Field::Password));
    assert!(!world.sent().iter().any(|line| line.contains("PLAIN")));
}

#[test]
fn what_nobody_asked_for_and_what_never_ends_is_not_answered_for_ever() {
    let mut world = World { login: typed("sesame"), ..World::new(profile("me")) };
    begin(&mut world, "sasl=SCRAM-SHA-256");
    world.sent();
    let chunk = format!("AUTHENTICATE {}", "A".repeat(400));
    (0..100).for_each(|_| world.server(&chunk));
    assert_eq!(world.sent(), ["AUTHENTICATE *"], "once");
    world.server("AUTHENTICATE +");
    assert_eq!(world.sent(), [""; 0]);
    world.server(":s.test 906 me :SASL aborted");
    assert_eq!(refused(&world).map(|(field, _)| field), Some(Field::Password));
    let mut world = World::welcomed("me", "server-time", "SAFERATE");
    world.sent();
    world.server("AUTHENTICATE +");
    assert_eq!(world.sent(), [""; 0]);
}

#[test]
fn nickserv_is_told_where_there_is_nothing_better() {
    let mut world = World { login: typed("sesame"), ..World::new(profile("me")) };
    world.welcome("server-time", "NETWORK=Test");
    assert!(world.sent().contains(&"PRIVMSG NickServ :IDENTIFY sesame".to_owned()));
    // Not under another name, and not with what is our own.
    let mut world = World { login: own("secret"), ..World::new(profile("me")) };
    world.welcome("server-time", "NETWORK=Test");
    assert!(!world.sent().iter().any(|line| line.contains("NickServ") || line.contains("secret")));
}
