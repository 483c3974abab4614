//! Accounts under virtual time.

use std::time::Duration;

use super::*;

/// Somebody claims a name, and is logged in.
fn claim(world: &mut World, nick: &str) -> ConnectionId {
    let id = world.irc(nick);
    world.say(id, "REGISTER * * sesame\n");
    let heard = world.heard(id);
    assert!(heard.iter().any(|line| line.contains("REGISTER SUCCESS")), "{heard:?}");
    id
}

#[test]
fn an_account_that_nobody_uses_ends_with_its_time_and_never_one_that_is_used() {
    let keep = Duration::from_secs(30 * 86_400);
    let mut world = World::with(Settings { durable: true, accounts_keep: keep, ..Settings::default() });
    let (amy, bob) = (claim(&mut world, "amy"), claim(&mut world, "bob"));
    // Both programs answer each PING.
    let pass = |world: &mut World, days: u64, ids: &[ConnectionId]| {
        for _ in 0..days * 24 * 60 {
            world.pass(60);
            ids.iter().for_each(|id| world.say(*id, "PONG x\n"));
        }
        ids.iter().for_each(|id| drop(world.heard(*id)));
    };
    pass(&mut world, 20, &[amy, bob]);
    world.say(bob, "QUIT\n");
    pass(&mut world, 29, &[amy]);
    assert!(world.hub.state.accounts.get("bob").is_some(), "20 days of use, 29 without");
    pass(&mut world, 2, &[amy]);
    assert!(world.hub.state.accounts.get("bob").is_none() && world.hub.state.accounts.get("amy").is_some());
    let other = claim(&mut world, "bob");
    world.check();
    world.say(other, "QUIT\n");
}

#[test]
fn a_name_is_never_in_two_hands() {
    let mut world = World::new();
    let bob = claim(&mut world, "bob");
    world.say(bob, "JOIN #a\n");
    let mut random = Random::new(3);
    let mut ids = vec![bob];
    for step in 0..400 {
        let id = if random.below(4) == 0 { world.open_irc() } else { ids[random.below(ids.len())] };
        ids.push(id);
        let line = match random.below(9) {
            0 => format!("NICK guest{step}\nUSER u 0 * :r\n"),
            1 => "NICK bob\n".into(),
            2 => "USER u 0 * :r\n".into(),
            3 => {
                "CAP LS 302\nCAP REQ :sasl parlor/resume\nAUTHENTICATE PLAIN\nAUTHENTICATE AGJvYgBzZXNhbWU=\n"
                    .into()
            }
            4 => "CAP END\n".into(),
            5 => "PRIVMSG NickServ :IDENTIFY bob sesame\n".into(),
            6 => "JOIN #a,#b\n".into(),
            7 => "PRIVMSG NickServ :IDENTIFY bob wrong\n".into(),
            _ => "QUIT\n".into(),
        };
        world.say(id, &line);
        world.check();
        world.pass(5);
        let state = &world.hub.state;
        let logged: Vec<_> = state.everyone().filter(|(_, member)| member.account.is_some()).collect();
        assert!(logged.len() <= 1, "step {step}: {} have the account", logged.len());
        if let Some(id) = state.find("bob") {
            assert!(state.member(id).is_some_and(|member| member.account.is_some()), "step {step}");
        }
    }
}

#[test]
fn an_account_that_cannot_be_read_is_nobodys_to_have() {
    let mut world = World::new();
    assert_eq!(world.hub.restore_accounts(vec![("bob".into(), b"\x07".as_slice().into())]), ["bob".into()]);
    let eve = world.irc("eve");
    world.say(eve, "NICK bob\nPRIVMSG NickServ :IDENTIFY bob sesame\n");
    let heard = world.heard(eve);
    assert!(heard[0].contains(" 433 ") && heard[1].contains("Wrong name or password"), "{heard:?}");
}

#[test]
fn a_certificate_logs_in_by_itself_once_its_owner_said_so() {
    let mut world = World::new();
    let certify = |world: &mut World, id, byte| {
        world.hub.state.member_mut(id).unwrap().certificate = Some(Box::new([byte; 32]));
    };
    let ask = "CAP LS 302\nCAP REQ :sasl\nNICK bob\nUSER u 0 * :r\nAUTHENTICATE EXTERNAL\nAUTHENTICATE +\n";
    let bob = claim(&mut world, "bob");
    certify(&mut world, bob, 7);
    world.say(bob, "PRIVMSG NickServ :CERT ADD\nQUIT\n");
    for (byte, numeric) in [(7, " 903 "), (8, " 904 ")] {
        let id = world.open_irc();
        certify(&mut world, id, byte);
        world.say(id, ask);
        let heard = world.heard(id).join("\n");
        assert!(heard.contains("sasl=SCRAM-SHA-256,EXTERNAL,PLAIN") && heard.contains(numeric), "{heard}");
    }
}

#[test]
fn who_asks_for_another_name_meanwhile_is_told_nothing_of_the_first() {
    let mut world = World::new();
    let bob = claim(&mut world, "bob");
    world.say(bob, "QUIT\n");
    let id = world.open_irc();
    world.say(id, "CAP LS 302\nNICK bob\nNICK carol\nUSER u 0 * :r\nCAP END\n");
    let heard = world.heard(id).join("\n");
    assert!(heard.contains(" 001 carol ") && !heard.contains(" 433 "), "{heard}");
}

#[test]
fn questions_of_one_party_do_not_make_another_one_wait() {
    let mut world = World::new();
    world.derive = Some(Vec::new());
    let crowd: Vec<ConnectionId> = (0..40).map(|number| world.irc(&format!("n{number}"))).collect();
    crowd.iter().for_each(|id| world.say(*id, "REGISTER * * sesame\n"));
    let other = world.open_from([192, 0, 2, 1]);
    world.give(Input::News(other, News::Speaks(Speaker::Irc, None)));
    world.say(other, "NICK other\nUSER u 0 * :r\nREGISTER * * sesame\n");
    // One is under way, one of the others goes first at most.
    for _ in 0..3 {
        assert_eq!(world.derive.as_ref().map(Vec::len), Some(1), "one at a time");
        world.derive_next();
    }
    assert!(world.heard(other).iter().any(|line| line.contains("REGISTER SUCCESS other")));
}

const LOG_IN: &str = "CAP LS 302\nCAP REQ :sasl\nNICK bob\nUSER u 0 * :r\nAUTHENTICATE PLAIN\nAUTHENTICATE AGJvYgBzZXNhbWU=\nCAP END\n";

#[test]
fn whoever_is_waited_for_comes_back_by_password_as_well_as_by_token() {
    let mut world = World::new();
    let amy = world.irc("amy");
    let bob = world.open_irc();
    world.say(bob, "CAP REQ :parlor/resume\nNICK bob\nUSER u 0 * :r\nCAP END\nJOIN #a\n");
    // Its rank was kept for the token; from now on it is kept for the account.
    world.say(bob, "REGISTER * * sesame\n");
    world.say(amy, "JOIN #a\n");
    world.give(Input::News(bob, News::Lost("gone".into())));
    world.say(amy, "PRIVMSG bob :are you there?\n");
    world.heard(amy);
    let back = world.open_irc();
    world.say(back, LOG_IN);
    let heard = world.heard(back).join("\n");
    for wanted in [" 001 bob ", "JOIN #a", "@bob", "PRIVMSG bob :are you there?"] {
        assert!(heard.contains(wanted), "{wanted}: {heard}");
    }
    assert_eq!(world.heard(amy), [] as [String; 0]);
    world.check();
    // Nobody is waited for any more.
    world.pass(60);
    assert_eq!(world.heard(amy).iter().filter(|line| line.contains("QUIT")).count(), 0);
    world.say(back, "PART #a\nJOIN #a\n");
    assert!(world.heard(back).iter().any(|line| line.contains(" 353 ") && line.contains("@bob")));
}

#[test]
fn a_connection_that_is_lost_while_its_password_is_looked_at_says_nothing_more() {
    let mut world = World::new();
    let bob = claim(&mut world, "bob");
    world.say(bob, "JOIN #a\n");
    world.derive = Some(Vec::new());
    for lost in [true, false] {
        let id = world.irc("visitor");
        world.heard(bob);
        world.say(id, "JOIN #a\nPRIVMSG NickServ :IDENTIFY bob sesame\nPRIVMSG #a :said behind it\n");
        let news = if lost { News::Lost("reset".into()) } else { News::HungUp };
        world.give(Input::News(id, news));
        world.derive_next();
        world.check();
        assert!(!world.heard(bob).iter().any(|line| line.contains("said behind it")), "lost: {lost}");
        // What came before the end of a stream counts: it had bob's place by then, and left with it.
        assert_eq!(world.hub.state.find("bob").is_some(), lost);
    }
}
