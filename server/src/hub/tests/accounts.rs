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
    let heard = world.heard(other).join("\n");
    assert!(heard.contains("REGISTER SUCCESS other") && heard.contains("Others on the network"), "{heard}");
}

#[test]
fn a_party_claims_as_many_names_each_day_as_it_may_stand_for_people() {
    let mut world = World::new();
    let mut claimed = Vec::new();
    for day in 0..3 {
        let claims = |world: &mut World, number: usize| {
            let id = world.irc(&format!("n{day}x{number}"));
            world.say(id, "REGISTER * * sesame\nQUIT\n");
            world.heard(id).iter().any(|line| line.contains("REGISTER SUCCESS"))
        };
        claimed.push((0..70).filter(|number| claims(&mut world, *number)).count());
        world.pass(86_400);
    }
    assert_eq!(claimed, [64; 3]);
}

#[test]
fn a_password_is_not_the_key_of_an_operator() {
    let mut world = World::new();
    let bob = claim(&mut world, "bob");
    world.say(bob, "OPER x :open sesame\n");
    assert!(world.heard(bob).iter().any(|line| line.contains(" 381 ")));
    for number in 0..3 {
        let back = world.open_irc();
        world.say(back, LOG_IN);
        if number == 2 {
            // It gives the key itself, under another name.
            world.say(back, "QUIT\n");
            let other = world.irc("other");
            world.say(other, "OPER x :open sesame\nPRIVMSG NickServ :IDENTIFY bob sesame\n");
        }
        world.check();
        let state = &world.hub.state;
        let has = state.find("bob").and_then(|id| state.member(id)).map(|member| member.operator);
        assert_eq!(has, Some(number == 2), "login {number}");
    }
}

#[test]
fn what_is_written_last_of_an_account_is_what_counts() {
    let mut world = World::with(Settings { durable: true, ..Settings::default() });
    let bob = claim(&mut world, "bob");
    world.hub.state.member_mut(bob).unwrap().certificate = Some(Box::new([7; 32]));
    let old = world.accounts["bob"].clone();
    let give = |world: &mut World, line: &str| world.give(Input::Console(line.into()));
    // While a new password is on its way to the disk, its account is used with the old one.
    world.keeps = None;
    give(&mut world, "/password bob");
    world.say(bob, "PRIVMSG NickServ :CERT\n");
    let (ticket, drafted) = (world.keeping.remove(0), world.accounts["bob"].clone());
    assert_ne!(drafted, old, "the new password is the last that was written");
    world.give(Input::AccountKept { ticket, kept: true });
    assert_eq!(world.accounts["bob"], drafted);
    assert!(world.closed.contains(&bob), "whoever knows the old one is out");
    assert!(world.hub.state.accounts.get("bob").is_some_and(|account| account.prints.is_empty()));
    // A disk that refuses one, and what is written next.
    give(&mut world, "/password bob");
    assert_ne!(world.accounts["bob"], drafted);
    let ticket = world.keeping.remove(0);
    world.give(Input::AccountKept { ticket, kept: false });
    assert_eq!(world.accounts["bob"], drafted);
    // It is forgotten meanwhile.
    give(&mut world, "/password bob");
    give(&mut world, "/forget bob");
    let ticket = world.keeping.remove(0);
    world.give(Input::AccountKept { ticket, kept: true });
    assert!(world.accounts["bob"].is_none() && world.hub.state.accounts.get("bob").is_none());
}

#[test]
fn whoever_has_a_name_when_it_is_claimed_at_last_gets_another_one() {
    let mut world = World::new();
    world.derive = Some(Vec::new());
    let bob = world.irc("bob");
    world.say(bob, "REGISTER * * sesame\n");
    world.keeps = None;
    world.derive_next();
    world.give(Input::News(bob, News::Lost("reset".into())));
    let guest = world.irc("bob");
    world.say(guest, "REGISTER * * another\n");
    assert!(world.heard(guest).iter().any(|line| line.contains("ACCOUNT_EXISTS")));
    let ticket = world.keeping.remove(0);
    world.give(Input::AccountKept { ticket, kept: true });
    assert!(world.hub.state.find("bob").is_none());
    let heard = world.heard(guest);
    assert!(heard.iter().any(|line| line.contains("NICK :bob2")), "{heard:?}");
    // Behind the operator, who was first, nobody claims.
    world.keeps = Some(true);
    let carol = world.irc("carol");
    world.give(Input::Console("/password carol".into()));
    world.say(carol, "REGISTER * * another\n");
    assert!(world.heard(carol).iter().any(|line| line.contains("ACCOUNT_EXISTS")));
}

#[test]
fn a_certificate_that_is_known_already_is_not_written_again() {
    let mut world = World::with(Settings { durable: true, ..Settings::default() });
    let bob = claim(&mut world, "bob");
    let mut written = 0;
    for byte in 0..200 {
        world.hub.state.member_mut(bob).unwrap().certificate = Some(Box::new([byte; 32]));
        for _ in 0..2 {
            let before = world.accounts["bob"].clone();
            world.say(bob, "PRIVMSG NickServ :CERT\n");
            written += usize::from(world.accounts["bob"] != before);
        }
    }
    // One of the 64 was the name.
    assert_eq!(written, 63);
}

#[test]
fn a_certificate_of_two_accounts_is_that_of_the_one_that_is_meant() {
    let mut world = World::new();
    for nick in ["zoe", "amy"] {
        let id = claim(&mut world, nick);
        world.hub.state.member_mut(id).unwrap().certificate = Some(Box::new([7; 32]));
        world.say(id, "PRIVMSG NickServ :CERT\nQUIT\n");
        world.pass(1);
    }
    for (meant, text, number) in [("zoe", "em9l", 1), ("amy", "YW15", 2), ("zoe", "+", 3)] {
        let id = world.open_irc();
        world.hub.state.member_mut(id).unwrap().certificate = Some(Box::new([7; 32]));
        world.say(id, &format!("CAP REQ :sasl\nAUTHENTICATE EXTERNAL\nAUTHENTICATE {text}\n"));
        assert!(world.heard(id).join("\n").contains(&format!("logged in as {meant}")), "{number}");
    }
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
fn whoever_brings_a_token_and_a_password_has_both() {
    let mut world = World::new();
    let owner = claim(&mut world, "bob");
    world.say(owner, "QUIT\n");
    for nick in ["bobby", "bob"] {
        let mobile = world.open_irc();
        world
            .say(mobile, &format!("CAP REQ :parlor/resume\nNICK {nick}x\nUSER u 0 * :r\nCAP END\nJOIN #a\n"));
        let heard = world.heard(mobile).join("\n");
        let token = heard.split("RESUME TOKEN ").nth(1).and_then(|rest| rest.get(..32)).unwrap().to_owned();
        world.give(Input::News(mobile, News::Lost("gone".into())));
        let back = world.open_irc();
        world.say(back, "CAP LS 302\nCAP REQ :sasl parlor/resume\n");
        world.say(back, &format!("RESUME {token}\n"));
        world.say(back, LOG_IN);
        let heard = world.heard(back).join("\n");
        assert!(heard.contains("RESUME ACCEPTED") && heard.contains("JOIN #a"), "{heard}");
        world.check();
        let member = world.hub.state.find("bob").and_then(|id| world.hub.state.member(id)).unwrap();
        assert!(member.account.as_deref() == Some("bob") && member.registered(), "{heard}");
        assert_eq!(world.hub.state.everyone().count(), 1);
    }
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
