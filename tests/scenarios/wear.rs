//! What a command writes to the disk: no more than its line is worth.

use std::path::Path;

use parlor_tests::{Irc, Message, Scratch, Server};

use crate::private::known;
use crate::sasl::claimed;

/// Bytes in all files, up to the zeros that stand behind what is written.
fn written(home: &Scratch) -> usize {
    let end = |file: &Path| {
        let bytes = std::fs::read(file).expect("it is ours");
        bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1)
    };
    let files = home.path().read_dir().expect("it is ours");
    files.map(|file| end(&file.expect("it is ours").path())).sum()
}

/// How many bytes each of such lines adds to the folder.
fn growth(home: &Scratch, irc: &mut Irc, line: impl Fn(usize) -> String) -> usize {
    const LINES: usize = 400;
    on_disk(irc);
    let before = written(home);
    for number in 0..LINES {
        irc.send(&line(number));
        if number % 100 == 0 {
            irc.settle();
        }
    }
    on_disk(irc);
    written(home).checked_sub(before).expect("nothing is removed meanwhile") / LINES
}

/// Says a line and waits until it, and so all before it, is on disk.
fn on_disk(irc: &mut Irc) {
    irc.send("PRIVMSG #r0 :on disk");
    irc.expect("PRIVMSG #r0 :on disk");
}

fn member(server: &Server) -> Irc {
    let mut alice = server.irc_with("alice", &["echo-message", "message-tags"]);
    for room in 0..50 {
        alice.join(&format!("#r{room}"));
        alice.send(&format!("PRIVMSG #r{room} :so that it is remembered"));
    }
    on_disk(&mut alice);
    alice
}

#[test]
fn a_new_name_in_fifty_rooms_is_one_record_that_each_of_them_tells() {
    let home = Scratch::new();
    let server = home.server(&[]);
    let mut alice = member(&server);
    let each = growth(&home, &mut alice, |number| format!("NICK alice{number}"));
    // 33 of a frame, 2 and 49 times 4 for the other rooms, 48 for who it was and is, 16 of a commit.
    assert!(each < 300, "{each} bytes a NICK");
    alice.send("QUIT :good night");
    alice.expect("ERROR **");
    let caps = ["batch", "draft/chathistory", "draft/event-playback", "message-tags"];
    let check = |server: &Server| {
        let mut bob = server.irc_with("bob", &caps);
        for room in ["#r0", "#r17", "#r49"] {
            bob.join(room);
            let page = bob.ask_batch(&format!("CHATHISTORY LATEST {room} * 100"));
            let names = page.iter().filter(|m| m.command == "NICK").count();
            assert!(names > 90 && page.iter().any(|m| m.command == "QUIT"), "{names} in {room}");
        }
    };
    check(&server);
    server.crash();
    let server = home.server(&[]);
    check(&server);
    assert_eq!(server.stop(), 0);
    let folder = home.path().display().to_string();
    for room in ["#r0", "#r49"] {
        let export =
            parlor_tests::Launch::new(&["--data", &folder, "--export", room]).without_defaults().run();
        assert_eq!(export.stdout.lines().filter(|line| line.contains("NICK alice")).count(), 400, "{room}");
    }
}

#[test]
fn a_topic_in_a_room_with_many_bans_writes_the_topic() {
    let home = Scratch::new();
    let server = home.server(&[]);
    let mut alice = member(&server);
    for ban in 0..96 {
        let mask = format!("{ban}{}!*@*", "x".repeat(90));
        alice.send(&format!("MODE #r0 +b {mask}"));
    }
    on_disk(&mut alice);
    let each = growth(&home, &mut alice, |number| format!("TOPIC #r0 :{number}{}", "y".repeat(290)));
    // The topic in the history and in the state of the room, each with less than 80 around it.
    assert!(each < 2 * (293 + 80), "{each} bytes a TOPIC");
    on_disk(&mut alice);
    server.crash();
    let server = home.server(&[]);
    let mut bob = server.irc("bob");
    let lines = bob.join("#r0");
    assert!(lines.iter().any(|m| m.command == "332" && m.last().starts_with("399y")), "{lines:?}");
    assert_eq!(bob.ask_all("MODE #r0 b").iter().filter(|m| m.command == "367").count(), 96);
}

#[test]
fn of_long_tags_only_a_little_is_kept() {
    let home = Scratch::new();
    let server = home.server(&[]);
    let mut alice = member(&server);
    let long = "z".repeat(3_900);
    let each = growth(&home, &mut alice, |number| {
        format!("@+x={long};+draft/reply=abc;+parlor/id={number:032x} PRIVMSG #r0 :{number}")
    });
    assert!(each < 160, "{each} bytes a line");
    let each = growth(&home, &mut alice, |_| format!("@+x={long} TAGMSG #r0"));
    assert_eq!(each, 0, "bytes a TAGMSG");
    let mut bob = server.irc_with("bob", &["batch", "draft/chathistory", "message-tags"]);
    bob.join("#r0");
    let page = bob.ask_batch("CHATHISTORY LATEST #r0 * 10");
    let line = page.iter().find(|m| m.last() == "399").expect("the last of them");
    assert_eq!(line.tag("+draft/reply"), Some("abc"));
    assert_eq!(line.tag("+parlor/id").map(str::len), Some(32));
}

/// Eight connections of one address send so much each, while the lines of two others come through. What the second of
/// these has heard besides.
fn besieged(
    alice: &mut Irc,
    bob: &mut Irc,
    eves: &mut [Irc],
    line: impl Fn(usize, usize) -> String,
) -> Vec<Message> {
    for (eve, irc) in eves.iter_mut().enumerate() {
        irc.send_bytes((0..1_250).map(|number| line(eve, number) + "\r\n").collect::<String>());
    }
    let mut besides = Vec::new();
    for number in 0..10 {
        let text = format!("line {number}");
        alice.send(&format!("PRIVMSG #tea :{text}"));
        besides.extend(bob.until(|m: &Message| m.last() == text));
    }
    besides
}

#[test]
fn who_floods_a_room_with_deletions_holds_up_nobody_and_writes_little() {
    const CAPS: &[&str] = &["draft/message-redaction", "echo-message", "message-tags"];
    // As it is by default, and where nothing delays them.
    for rate in ["5", "off"] {
        let home = Scratch::new();
        let server = home.server(&["--flood", rate]);
        let says = |nick: &str| {
            let mut irc = server.irc_with(nick, CAPS);
            irc.join("#tea");
            irc.send("PRIVMSG #tea :mine");
            let said = irc.expect(|m: &Message| m.nick() == nick && m.last() == "mine");
            (irc, said.tag("msgid").expect("an id").to_owned())
        };
        let ((mut alice, hers), (mut bob, _)) = (says("alice"), says("bob"));
        let (mut eves, own): (Vec<Irc>, Vec<String>) =
            (0..8).map(|number| says(&format!("eve{number}"))).unzip();
        let mut heard = besieged(&mut alice, &mut bob, &mut eves, |eve, number| match number % 4 {
            0 => format!("REDACT #tea {number:023x}"),
            1 => format!("REDACT #tea {hers}"),
            2 => format!("REDACT #tea {}", own[eve]),
            _ => format!("REDACT #nowhere{number} nonsense"),
        });
        if rate == "off" {
            for eve in &mut eves {
                let answers = eve.settle();
                let refused = answers.iter().filter(|m| m.command == "FAIL").count();
                assert_eq!(refused, 313 + 313 + 312);
            }
            heard.extend(bob.settle());
            let told = heard.iter().filter(|m| m.command == "REDACT").count();
            // Two that are asked for at once may both find the line.
            assert!((8..=16).contains(&told), "{told} deletions of eight lines");
        }
        let size = written(&home);
        assert!(size < 32 * 1024, "{size} bytes on disk");
    }
}

#[test]
fn who_floods_with_marks_holds_up_nobody_and_writes_what_counts() {
    const CAPS: &[&str] = &["draft/read-marker", "echo-message"];
    for rate in ["5", "off"] {
        let home = Scratch::new();
        let server = home.server(&["--flood", rate]);
        claimed(&server, "alice", "sesame");
        let mut alice = known(&server, "alice", CAPS);
        let mut bob = server.irc("bob");
        alice.join("#tea");
        bob.join("#tea");
        alice.settle();
        let hers = "MARKREAD #tea timestamp=2020-01-01T00:00:00.001Z";
        alice.ask(hers, hers);
        // The last one has no account.
        let eves = (0..8).map(|number| {
            let nick = format!("eve{number}");
            let mut eve = if number < 7 {
                claimed(&server, &nick, "sesame");
                known(&server, &nick, CAPS)
            } else {
                server.irc_with(&nick, CAPS)
            };
            let rooms: Vec<String> = (0..19).map(|room| format!("#r{number}x{room}")).collect();
            eve.send(&format!("JOIN #tea,{}", rooms.join(",")));
            eve.until(format!("366 * {} *", rooms[18]).as_str());
            eve
        });
        let mut eves: Vec<Irc> = eves.collect();
        besieged(&mut alice, &mut bob, &mut eves, |eve, number| match number % 5 {
            0 => {
                format!("MARKREAD #tea timestamp=2020-01-01T00:00:{:02}.{:03}Z", number / 25, number % 1_000)
            }
            // Back, and to and fro.
            1 => format!("MARKREAD #tea timestamp=2019-01-01T00:00:00.{:03}Z", number % 1_000),
            2 => {
                format!("MARKREAD #r{eve}x{} timestamp=2020-01-01T00:{:02}:00.000Z", number % 19, number / 25)
            }
            3 => format!("MARKREAD eve{} timestamp=2020-01-01T00:{:02}:00.000Z", number % 8, number / 25),
            _ => format!("MARKREAD nobody{number} timestamp=2020-01-01T00:00:00.000Z"),
        });
        if rate == "off" {
            eves.iter_mut().for_each(|eve| drop(eve.settle()));
        }
        alice.send("PRIVMSG #tea :on disk");
        alice.expect(|m: &Message| m.last() == "on disk");
        let size = written(&home);
        assert!(size < 160 * 1024, "{size} bytes on disk");
        // Nobody else's went for it.
        server.crash();
        let server = home.server(&[]);
        let mut alice = known(&server, "alice", CAPS);
        alice.send("JOIN #tea");
        alice.expect(hers);
    }
}
