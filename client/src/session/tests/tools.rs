//! The host's tools: hands, who speaks, slow rooms, and what can be taken back.

use super::*;
use crate::limits::HANDS;

const SERVER: &str =
    "CASEMAPPING=ascii SAFERATE PREFIX=(ov)@+ CHANMODES=beI,k,fl,imnst EXTBAN=~,am parlor/MSGID=sorted";

fn hands(world: &mut World) -> Option<Vec<String>> {
    world.events().into_iter().rev().find_map(|event| match event {
        Event::Hands { hands, .. } => Some(hands.iter().map(ToString::to_string).collect()),
        _ => None,
    })
}

fn hand(world: &mut World, nick: &str, state: &str) {
    world.server(&format!("@+parlor/hand={state} :{nick}!u@h TAGMSG #lobby"));
}

#[test]
fn hands_stay_in_order_and_go_with_their_people() {
    let mut world = World::welcomed("me", OURS, SERVER);
    for nick in ["amy", "carl", "dora", "eve"] {
        world.server(&format!(":{nick}!u@h JOIN #lobby"));
    }
    world.look();
    for nick in ["dora", "amy", "bob", "carl", "eve", "me"] {
        hand(&mut world, nick, "up");
    }
    assert_eq!(hands(&mut world).unwrap(), ["dora", "amy", "bob", "carl", "eve", "me"]);
    hand(&mut world, "dora", "up");
    hand(&mut world, "dora", "sideways");
    hand(&mut world, "nobody", "up");
    world.server("@+parlor/hand=down :dora!u@h TAGMSG #elsewhere");
    assert_eq!(hands(&mut world), None, "nothing has changed");
    world.server(":amy!u@h NICK Zoe\n:bob!u@h PART #lobby\n:x!u@h KICK #lobby carl\n:eve!u@h QUIT :gone");
    assert_eq!(hands(&mut world).unwrap(), ["dora", "zoe", "me"]);
    hand(&mut world, "dora", "down");
    assert_eq!(hands(&mut world).unwrap(), ["zoe", "me"]);
    // A name that is too long is nobody's.
    hand(&mut world, "me", "down");
    world.server(&format!(":Zoe!u@h NICK {}", "z".repeat(300)));
    assert_eq!(hands(&mut world).unwrap(), [""; 0]);
    hand(&mut world, "me", "up");
    world.give(Input::Lost(GONE));
    assert_eq!(hands(&mut world).unwrap(), [""; 0]);
}

#[test]
fn whoever_comes_in_learns_the_order_before_the_names() {
    let mut world = World::welcomed("me", OURS, SERVER);
    world.server(":me!u@host.test JOIN #class");
    world.look();
    for nick in ["amy", "ghost", "carl"] {
        world.server(&format!("@+parlor/hand=up :{nick}!u@h TAGMSG #class"));
    }
    assert_eq!(hands(&mut world), None, "the names are still coming");
    world.server(":irc.test 353 me = #class :me @bob amy carl\n:irc.test 366 me #class :End");
    assert_eq!(hands(&mut world).unwrap(), ["amy", "carl"]);
}

#[test]
fn a_crowd_of_hands_has_a_bound() {
    let mut world = World::welcomed("me", OURS, SERVER);
    world.server(":me!u@host.test JOIN #class");
    let crowd: String = (0..HANDS + 50)
        .map(|i| format!("@+parlor/hand=up :p{i}!u@h TAGMSG #class\r\n:p{i}!u@h JOIN #class\r\n"))
        .collect();
    world.give(Input::Received(crowd.as_bytes()));
    world.server(":irc.test 366 me #class :End");
    assert_eq!(hands(&mut world).map(|hands| hands.len()), Some(HANDS));
}

#[test]
fn a_hand_is_raised_by_a_tag_and_lowered_for_others_where_the_server_can() {
    let mut world = World::welcomed("me", OURS, SERVER);
    world.command("#lobby", "/hand");
    world.command("#lobby", "/hand down");
    world.command("#lobby", "/hand down bob");
    let tag = |state: &str| format!("@+parlor/hand={state} TAGMSG #lobby");
    assert_eq!(world.sent(), [tag("up"), tag("down"), "HAND #lobby DOWN bob".into()]);
    world.command("#lobby", "/hand sideways");
    assert!(matches!(world.given_back(), Some((_, Sentence::NeedsArgument { .. }))));
    // Elsewhere windows tell each other, and where nothing comes back it is as we say.
    let mut world = World::welcomed("me", "message-tags", "SAFERATE");
    world.command("#lobby", "/hand");
    assert_eq!((world.sent.pop(), hands(&mut world)), (Some(tag("up")), Some(vec!["me".into()])));
    world.command("#lobby", "/hand down bob");
    assert_eq!(world.given_back(), Some(("/hand down bob".into(), Sentence::HandsNotPossible)));
    // Without tags nobody would know.
    for (caps, isupport) in [("", "SAFERATE"), ("message-tags", "SAFERATE CLIENTTAGDENY=*,-typing")] {
        let mut world = World::welcomed("me", caps, isupport);
        world.command("#lobby", "/hand");
        assert_eq!(world.given_back(), Some(("/hand".into(), Sentence::HandsNotPossible)), "{caps}");
        assert_eq!(world.sent(), [""; 0]);
    }
}

#[test]
fn what_the_host_can_do_is_told_with_the_welcome() {
    let tools = |caps: &str, isupport: &str| {
        let mut world = World::new(profile("me"));
        world.welcome(caps, isupport);
        world.events().into_iter().find_map(|event| match event {
            Event::Tools(tools) => Some(tools),
            _ => None,
        })
    };
    let ours = Tools { hands: true, lowers: true, mutes: true, slow: true };
    assert_eq!(tools(OURS, SERVER), Some(ours));
    assert_eq!(tools("", "PREFIX=(ov)@+"), Some(Tools::default()));
    let inspircd = Tools { hands: true, mutes: true, ..Tools::default() };
    assert_eq!(tools("message-tags", "EXTBAN=,ACNRSUcjmrz"), Some(inspircd));
    // There the letter lets messages by.
    let unreal = Tools { hands: true, ..Tools::default() };
    assert_eq!(tools("message-tags", "EXTBAN=~,GOTacfgijmnpqrt"), Some(unreal));
}

#[test]
fn one_person_is_muted_and_may_speak_again() {
    let mut world = World::welcomed("me", OURS, SERVER);
    let (room, nick) = (Key::new("#lobby"), "bob".to_owned());
    for mask in ["~q:a,b", "two words", ":x", ""] {
        world.act(Action::Unban { room: room.clone(), mask: mask.into(), exception: false });
    }
    assert_eq!(world.sent(), ["MODE #lobby -b ~q:a,b"]);
    for on in [true, false] {
        world.act(Action::Mute { room: room.clone(), nick: nick.clone(), on });
        world.act(Action::Voice { room: room.clone(), nick: nick.clone(), on });
    }
    assert_eq!(
        world.sent(),
        [
            "MODE #lobby +b ~m:bob!*@*",
            "MODE #lobby +v bob",
            "MODE #lobby -b ~m:bob!*@*",
            "MODE #lobby -v bob"
        ]
    );
    world.say("#lobby", "but");
    world.server(":irc.test 404 me #lobby :You may not speak here (+b ~m:)");
    assert_eq!(world.reasons("#lobby"), [Sentence::MutedHere]);
    for (mask, whom) in [
        ("~m:bob!*@*", Some("bob")),
        ("m:bob!*@*", Some("bob")),
        ("~m:*!*@x", Some("*!*@x")),
        ("~a:bob", None),
        ("bob!*@*", None),
    ] {
        assert_eq!(muted(mask), whom, "{mask}");
    }
}

#[test]
fn own_deeds_are_confirmed_and_nobody_elses() {
    let mut world = World::welcomed("me", OURS, SERVER);
    world.look();
    world.server(
        ":me!u@host.test MODE #lobby +b-b+b *!*@x *!*@y ~m:amy!*@*\n:me!u@host.test KICK #lobby bob :bye",
    );
    let deeds: Vec<Deed> = world
        .events()
        .into_iter()
        .filter_map(|event| match event {
            Event::Done { deed, .. } => Some(deed),
            _ => None,
        })
        .collect();
    let masks = deeds.iter().map(|deed| match deed {
        Deed::Banned(ban) => ban.mask.as_str(),
        Deed::Kicked { nick } => nick.as_str(),
    });
    assert_eq!(masks.collect::<Vec<_>>(), ["*!*@x", "~m:amy!*@*", "bob"]);
    world.server(":amy!u@h JOIN #lobby\n:irc.test MODE #lobby +b *!*@z\n:irc.test KICK #lobby amy");
    assert!(!world.events().iter().any(|event| matches!(event, Event::Done { .. })));
}

#[test]
fn a_room_is_made_slow_and_what_came_too_early_is_given_back() {
    let mut world = World::welcomed("me", OURS, SERVER);
    let room = Key::new("#lobby");
    world.act(Action::LookAtSettings { room: room.clone() });
    world.server(":irc.test 324 me #lobby +ntf 30");
    let slow = |world: &mut World| {
        world.events().into_iter().rev().find_map(|event| match event {
            Event::Settings { settings, .. } => Some(settings.slow),
            _ => None,
        })
    };
    assert_eq!(slow(&mut world), Some(Some(30)));
    for (pause, sent) in [(Some(60), "MODE #lobby +f 60"), (None, "MODE #lobby -f")] {
        world.act(Action::Set { room: room.clone(), setting: RoomSetting::Slow(pause) });
        assert_eq!(world.sent(), [sent]);
    }
    world.server(":bob!u@h MODE #lobby -f");
    assert_eq!((slow(&mut world), world.last("#lobby").text()), (Some(None), "-f 0"));
    // Typed marks come back as marks.
    world.say("#lobby", "said *in haste*");
    world.say("#lobby", "twice");
    let refusal = ":irc.test 404 me #lobby :The room is slow: your next line may come in 12 s (+f)";
    world.server(&format!("{refusal}\n{refusal}"));
    let why = Sentence::RoomSlow { wait: Duration::from_secs(12) };
    assert_eq!(world.given_back(), Some(("said *in haste*\ntwice".into(), why)));
    assert_eq!(world.states("#lobby"), [], "no line stands for them");
}

#[test]
fn what_comes_back_is_what_would_have_to_be_typed() {
    let mut world = World::welcomed("me", OURS, SERVER);
    world.server("@msgid=7 :bob!u@h PRIVMSG #lobby :well?");
    let asked = world.last("#lobby").id();
    world.look();
    let refusal = ":irc.test 404 me #lobby :The room is slow: your next line may come in 12 s (+f)";
    let mut back = |typed: &[&str]| {
        for text in typed {
            match text.strip_prefix('>') {
                Some(text) => {
                    world.act(Action::Answer { to: Key::new("#lobby"), text: text.into(), id: asked })
                }
                None if text.starts_with('/') => world.command("#lobby", text),
                None => world.say("#lobby", text),
            }
        }
        world.server(&vec![refusal; typed.len()].join("\n"));
        let back = world.events().into_iter().find_map(|event| match event {
            Event::GivenBack { text, reply, .. } => Some((text, reply.map(|line| line.id()))),
            _ => None,
        });
        let failed: Vec<Line> = world
            .screen
            .lines("#lobby")
            .iter()
            .filter(|line| line.state() == Delivery::Failed)
            .cloned()
            .collect();
        failed.iter().for_each(|line| world.act(Action::Discard { to: Key::new("#lobby"), id: line.id() }));
        world.look();
        let (text, reply) = back.expect("it comes back");
        (text, reply, failed.iter().map(|line| line.text().to_owned()).collect::<Vec<_>>())
    };
    for (typed, text) in [
        (&["//part"][..], "//part"),
        (&["//part", "b"], "/part\nb"),
        (&["a", "//part"], "a\n/part"),
        (&["/me runs"], "/me runs"),
        (&["//me runs"], "//me runs"),
    ] {
        assert_eq!(back(typed), (text.to_owned(), None, vec![]), "{typed:?}");
    }
    // What would be no command, or no answer, behind another line stays where it is, to be tried again.
    assert_eq!(back(&["a", "/me runs", "b"]), ("a\nb".into(), None, vec!["runs".to_owned()]));
    assert_eq!(back(&["/me runs", "a"]), ("/me runs".into(), None, vec!["a".to_owned()]));
    assert_eq!(back(&[">yes", "a"]), ("yes\na".into(), Some(asked), vec![]));
    assert_eq!(back(&["a", ">yes"]), ("a".into(), None, vec!["yes".to_owned()]));
}

#[test]
fn lists_of_several_rooms_do_not_mix() {
    let mut world = World::welcomed("me", OURS, SERVER);
    world.enter("#music", "me bob");
    world.look();
    let lines = |world: &World| world.screen.lines("#lobby").len() + world.screen.lines("#music").len();
    let before = lines(&world);
    for room in ["#lobby", "#lobby", "#music"] {
        world.act(Action::LookAtBans { room: Key::new(room) });
        world.act(Action::LookAtSettings { room: Key::new(room) });
    }
    assert_eq!(world.sent(), ["MODE #lobby b", "MODE #lobby", "MODE #music b", "MODE #music"]);
    world.server(
        ":s.test 367 me #lobby a!*@*\n:s.test 368 me #lobby :End\n:s.test 324 me #lobby +i\n\
         :s.test 367 me #music b!*@*\n:s.test 368 me #music :End\n:s.test 324 me #music +m",
    );
    let told: Vec<String> = world
        .events()
        .into_iter()
        .filter_map(|event| match event {
            Event::Bans { room, bans } => Some(format!("{room} {}", bans?.first()?.mask)),
            Event::Settings { room, settings } => Some(format!("{room} {}", settings.moderated)),
            _ => None,
        })
        .collect();
    assert_eq!(told, ["#lobby false", "#music b!*@*", "#music true"]);
    assert_eq!(lines(&world), before, "none of it is shown as a line");
}
