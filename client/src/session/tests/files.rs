//! Offers of files: what of them reaches the window.

use super::*;

fn offers(world: &mut World) -> Vec<Event> {
    world.events().into_iter().filter(|event| matches!(event, Event::Dcc { .. })).collect()
}

#[test]
fn an_offer_opens_a_conversation_and_waits_for_a_word() {
    let mut world = World::ours("me");
    world.server(":Bob!u@h PRIVMSG me :\u{1}DCC SEND \"a b.jpg\" 3232235777 5000 2359000\u{1}");
    let (name, file, size) = ("Bob".into(), "a b.jpg".into(), Some(2_359_000));
    assert_eq!(world.said("bob"), Sentence::FileOffered { name, file, size });
    let (sent, events) = world.look();
    assert_eq!(sent, [""; 0], "nobody is answered before the person is asked");
    let key = Key::new("bob");
    let ip = "192.168.1.1".parse().unwrap();
    let dcc = Dcc::Send { name: "a b.jpg".into(), ip, port: 5000, size: Some(2_359_000), token: None };
    assert!(events.contains(&Event::Dcc { key: key.clone(), who: key.clone(), nick: "Bob".into(), dcc }));
    assert!(events.contains(&Event::Unread { key: key.clone(), count: 1, mentions: 0 }));
    assert!(events.iter().any(|event| matches!(event, Event::Alert { .. })));
    // What is agreed about it makes no line.
    let lines = world.screen.lines("bob").len();
    world.server(":Bob!u@h PRIVMSG me :\u{1}DCC ACCEPT \"a b.jpg\" 5000 7\u{1}");
    world.server(":Bob!u@h NOTICE me :\u{1}DCC REJECT SEND mine.txt\u{1}");
    assert_eq!((offers(&mut world).len(), world.screen.lines("bob").len()), (2, lines));
    for (dcc, sent) in [
        (Dcc::Reject { name: "a b.jpg".into() }, "NOTICE bob :\u{1}DCC REJECT SEND \"a b.jpg\"\u{1}"),
        (
            Dcc::Resume { name: "c".into(), port: 5000, position: 7, token: None },
            "PRIVMSG bob :\u{1}DCC RESUME c 5000 7\u{1}",
        ),
    ] {
        world.act(Action::Dcc { nick: "bob".into(), dcc });
        assert_eq!(world.sent(), [sent]);
    }
}

#[test]
fn what_is_no_offer_to_us_is_none() {
    let mut world = World::ours("me");
    world.act(Action::Ignore { nick: "eve".into() });
    world.look();
    let offer = "\u{1}DCC SEND a 3232235777 5000 9\u{1}";
    for line in [
        format!(":eve!u@h PRIVMSG me :{offer}"),
        format!(":bob!u@h PRIVMSG #lobby :{offer}"),
        ":bob!u@h PRIVMSG me :\u{1}DCC CHAT chat 3232235777 5000\u{1}".into(),
        ":bob!u@h PRIVMSG me :\u{1}DCC SEND\u{1}".into(),
        ":bob!u@h PRIVMSG me :\u{1}DCC SEND a 1 99999 9\u{1}".into(),
        format!(":me!u@h PRIVMSG me :{offer}"),
        format!(":irc.test PRIVMSG me :{offer}"),
    ] {
        world.server(&line);
        assert_eq!((offers(&mut world), world.screen.lines.contains_key("bob")), (vec![], false), "{line}");
    }
    for number in 0..1000 {
        world.server(&format!(":bob!u@h PRIVMSG me :\u{1}DCC SEND {number} 3232235777 5000 9\u{1}"));
    }
    assert!((1..50).contains(&offers(&mut world).len()));
}

#[test]
fn files_go_to_one_person() {
    let mut world = World::ours("me");
    world.act(Action::Private { nick: "bob".into() });
    world.look();
    let typed = |at: &str, line: &str| Action::Command { at: Key::new(at), line: line.into() };
    world.act(typed("bob", "/send /home/me/a b.jpg "));
    let (key, path) = (Key::new("bob"), "/home/me/a b.jpg".to_owned());
    assert!(world.events().contains(&Event::SendFile { key: key.clone(), path }));
    world.act(typed("bob", "/send"));
    assert!(world.events().contains(&Event::SendFile { key, path: String::new() }));
    world.act(typed("#lobby", "/send a.jpg"));
    let why = Sentence::FilesToPeople;
    let (key, text) = (Key::new("#lobby"), "/send a.jpg".to_owned());
    assert!(world.events().contains(&Event::GivenBack { key, text, reply: None, why }));
    assert_eq!(world.sent(), [""; 0]);
}
