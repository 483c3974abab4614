//! The hub under virtual time: scenarios that would take minutes, and random ones that look
//! inside.

mod absences;
mod accounts;
mod cluster;
mod receipts;
mod rooms;
mod turns;

use std::time::Duration;

use super::*;
use crate::protocol::Message;
use crate::protocol::line::MAX_BODY;
use crate::testing::{Random, World};

impl World {
    /// Everything the hub knows twice agrees.
    pub(super) fn check(&self) {
        let hub = &self.hub;
        let mut seats = 0;
        for (id, member) in hub.state.places() {
            for place in &member.rooms {
                let seat = hub.state.rooms.get(place.room).and_then(|room| room.seat(place.number));
                assert_eq!(seat.map(|seat| seat.member), Some(id), "a place without its seat");
                seats += 1;
            }
            let sure = hub.state.cluster.is_none() || member.registered();
            if let Some(nick) = member.nick.as_ref().filter(|_| sure) {
                assert_eq!(hub.state.nicks.get(&nick.fold()), Some(&id), "{nick} is not found by name");
            }
            for (name, _) in &member.watched {
                assert!(hub.state.watchers[name].contains(&id));
            }
        }
        assert_eq!(hub.state.rooms.from(0).map(|(_, room)| room.seats().len()).sum::<usize>(), seats);
        assert_eq!(hub.state.rooms.from(0).count(), hub.state.rooms.len());
        let durable = hub.state.settings.durable;
        assert!(hub.state.rooms.from(0).all(|(_, room)| durable || room.is_alive()));
        for (_, room) in hub.state.rooms.from(0) {
            assert!(room.seats().is_sorted_by_key(|seat| seat.number));
        }
        for (name, id) in &hub.state.nicks {
            assert!(hub.state.member(*id).is_some(), "{name:?} leads to nobody: {id:?}");
        }
        for id in hub.state.watchers.values().flatten() {
            assert!(hub.state.member(*id).is_some(), "a name leads to nobody: {id:?}");
        }
        assert_eq!(hub.state.population.registered, hub.state.everyone().count());
        assert_eq!(hub.state.population.invisible, hub.state.everyone().filter(|(_, m)| m.invisible).count());
        assert_eq!(hub.state.population.operators, hub.state.everyone().filter(|(_, m)| m.operator).count());
    }
}

/// With a disk that is slow: nothing is stored until a test says so.
fn slow_disk() -> World {
    World::with(Settings { durable: true, ..Settings::default() })
}

fn echoing(world: &mut World, nick: &str) -> ConnectionId {
    let id = world.irc(nick);
    world.say(id, "CAP REQ :echo-message message-tags\nJOIN #a\n");
    world.heard(id);
    id
}

#[test]
fn what_changes_a_room_does_not_wait_for_receipts() {
    let mut world = slow_disk();
    let (amy, bob) = (echoing(&mut world, "amy"), echoing(&mut world, "bob"));
    world.say(bob, "JOIN #b\nPRIVMSG #b :first\n");
    world.heard(bob);
    world.say(amy, "PRIVMSG #a :hi\nJOIN #b\nPING 1\n");
    world.say(bob, "PRIVMSG #b :hello\nPART #b\n");
    // JOIN comes before what others do there; the echo, the names and the PONG wait.
    let heard = world.heard(amy).join("\n");
    let places = ["JOIN #b", "PRIVMSG #b :hello", "PART #b"].map(|w| heard.find(w));
    assert!(places.is_sorted() && places.iter().all(Option::is_some), "{heard}");
    assert!([":hi", " 353 ", "PONG"].iter().all(|w| !heard.contains(w)), "{heard}");
    world.give(Input::Stored { upto: MsgId::MAX });
    world.give(Input::News(amy, News::Drained));
    let heard = world.heard(amy);
    assert!(heard[0].ends_with("PRIVMSG #a :hi"), "{heard:?}");
    // The names are those of now: bob has left meanwhile.
    assert!(heard.iter().any(|line| line.ends_with(" 353 amy = #b :amy")), "{heard:?}");
    assert!(heard.iter().any(|line| line.contains("PONG")), "{heard:?}");
}

#[test]
fn the_echo_of_a_resend_is_no_receipt_for_what_is_not_on_disk() {
    let mut world = slow_disk();
    let amy = echoing(&mut world, "amy");
    world.give(Input::Paused { why: "the disk is full".into() });
    let line = "@+parlor/id=0123456789abcdef0123456789abcdef PRIVMSG #a :hi\n";
    world.say(amy, line);
    // The disk did not take it, and has nothing of it.
    world.forget();
    world.heard(amy);
    for storage in ["paused", "back"] {
        world.say(amy, line);
        let heard = world.heard(amy);
        assert!(heard.len() == 1 && heard[0].contains("parlor/volatile"), "{storage}: {heard:?}");
        world.give(Input::Resumed { lost: 1 });
        world.heard(amy);
    }
}

#[test]
fn who_tells_no_name_within_30_s_is_closed() {
    let mut world = World::new();
    let (silent, begun) = (world.open(), world.open());
    world.give(Input::News(begun, News::Alive));
    world.pass(29);
    world.give(Input::News(begun, News::Alive));
    assert_eq!(world.closed, []);
    world.pass(1);
    assert_eq!(world.closed, [begun]);
    assert!(world.heard(begun)[0].contains("No name was given within 30 s"));
    // Who writes with a raw client reads first; and may begin as late as that.
    world.pass(500);
    world.give(Input::News(silent, News::Alive));
    world.pass(29);
    assert_eq!(world.closed, [begun]);
    world.pass(31);
    assert_eq!(world.closed, [begun, silent]);
    let never = world.open();
    world.pass(600);
    assert_eq!(world.closed.last(), Some(&never));
}

#[test]
fn the_clock_of_registration_stands_still_while_flood_control_delays() {
    let mut world = World::new();
    let slow = world.open();
    world.give(Input::News(slow, News::Delayed(Duration::from_secs(10))));
    world.pass(35);
    assert_eq!(world.closed, []);
    world.pass(6);
    assert_eq!(world.closed, [slow]);
}

#[test]
fn a_silent_member_is_pinged_after_60_s_and_gone_30_s_later() {
    let mut world = World::new();
    let (bob, eve) = (world.irc("bob"), world.irc("eve"));
    world.say(bob, "JOIN #a\n");
    world.say(eve, "JOIN #a\n");
    world.heard(bob);
    world.pass(59);
    assert_eq!(world.heard(bob), [] as [String; 0]);
    world.pass(2);
    assert_eq!(world.heard(bob), ["PING :parlor.local"]);
    // One byte that is no line yet is a sign of life.
    world.give(Input::News(bob, News::Alive));
    world.pass(31);
    assert_eq!(world.closed, [eve]);
    assert!(world.heard(bob).last().is_some_and(|line| line.ends_with("QUIT :Ping timeout: 90 seconds")));
    world.pass(600);
    assert_eq!(world.closed, [eve, bob]);
    world.check();
}

#[test]
fn activity_puts_the_ping_off() {
    let mut world = World::new();
    let bob = world.irc("bob");
    for _ in 0..10 {
        world.pass(50);
        world.say(bob, "PONG x\n");
    }
    assert_eq!(world.heard(bob), [] as [String; 0]);
    assert_eq!(world.closed, []);
}

#[test]
fn a_room_of_10_000_is_joined_and_its_names_come_in_pages() {
    let mut world = World::new();
    world.deaf = true;
    let members: Vec<ConnectionId> = (0..10_000)
        .map(|i| {
            let id = world.irc(&format!("member{i}"));
            world.say(id, "CAP REQ no-implicit-names\nJOIN #big\n");
            id
        })
        .collect();
    world.deaf = false;
    let late = world.irc("late");
    world.more.clear();
    world.say(late, "JOIN #big\n");

    let told: usize = members.iter().map(|id| world.heard(*id).len()).sum();
    assert_eq!(told, 10_000, "one line a member");
    let first: usize = world.heard(late).iter().map(String::len).sum();
    assert!(first < 16 * 1024, "the first page has {first} bytes");

    let mut pages = 0;
    let mut names = Vec::new();
    let mut ended = false;
    while let Some(id) = world.more.pop() {
        pages += 1;
        if pages == 2 {
            // Somebody leaves who was named already, and somebody who was not.
            world.say(members[0], "QUIT\n");
            world.say(members[9_999], "QUIT\n");
            world.heard(late);
        }
        world.give(Input::News(id, News::Drained));
        let page = world.heard(late);
        assert!(page.iter().map(String::len).sum::<usize>() < 16 * 1024);
        for line in page {
            let message = Message::parse(&line).unwrap();
            match message.command {
                "353" => names.extend(message.params[3].split(' ').map(str::to_owned)),
                "366" => ended = true,
                other => panic!("{other} in the middle of names"),
            }
        }
    }
    assert!(ended && pages > 5);
    let count = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), count, "nobody twice");
    assert!(!names.contains(&"member9999".to_owned()));
    assert!(names.contains(&"member9998".to_owned()) && names.contains(&"late".to_owned()));
    world.check();
}

#[test]
fn one_line_that_asks_for_much_gets_it_in_pages() {
    let mut world = World::new();
    let bob = world.irc("bob");
    world.say(bob, "JOIN #a\n");
    for i in 0..90 {
        world.say(bob, &format!("MODE #a +b {i}{}!*@*\n", "x".repeat(100)));
    }
    world.heard(bob);
    world.more.clear();
    world.say(bob, &format!("MODE #a {}\n", "bIeb".repeat(120)));
    world.say(bob, &"MODE #a b\nWHO *\nLIST\n".repeat(10));
    let sent: usize = world.heard(bob).iter().map(String::len).sum();
    assert!((8_000..20_000).contains(&sent), "{sent} bytes at once");
    let mut ends = 0;
    while let Some(id) = world.more.pop() {
        world.give(Input::News(id, News::Drained));
        let page = world.heard(bob);
        assert!(page.iter().map(String::len).sum::<usize>() < 20_000);
        ends += page.iter().filter(|line| line.contains(" 368 ") || line.contains(" 323 ")).count();
    }
    assert_eq!(ends, 1 + 10 + 10, "each list once a line, all of them in the end");
    world.say(bob, "LIST a,b,c,d,e,f,g,h,i,j,k\nJOIN #1,#2,#3,#4,#5,#6,#7,#8,#9,#10,#11,#12,#13,#14,#15,#16,#17,#18,#19,#20,#21\n");
    assert!(world.heard(bob).iter().all(|line| line.contains(" 407 ")));
}

#[test]
fn mode_changes_without_end_go_out_in_lines_of_512_bytes() {
    let mut world = World::new();
    let bob = world.irc(&"b".repeat(32));
    world.say(bob, &format!("JOIN #{}\n", "a".repeat(31)));
    world.heard(bob);
    world.say(bob, &format!("MODE #{} {}\n", "a".repeat(31), "+i-i".repeat(110)));
    let lines = world.heard(bob);
    assert!(lines.len() > 1 && lines.iter().all(|line| line.len() <= MAX_BODY - 2), "{lines:?}");
    world.say(bob, &format!("MODE {} {}\n", "b".repeat(32), "+i-i+w".repeat(70)));
    assert!(world.heard(bob)[0].ends_with("MODE bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb :+w"));
}

#[test]
fn a_raw_client_may_listen_before_it_speaks() {
    let mut world = World::new();
    let id = ConnectionId { slot: 0, generation: 1 };
    world.give(Input::Opened { id, peer: ([127, 0, 0, 1], 1).into(), cloak: 1, token: None, raw: true });
    world.pass(600);
    assert_eq!(world.closed, []);
}

#[test]
fn a_ban_from_the_console_runs_out() {
    let mut world = World::new();
    let bob = world.irc("bob");
    world.give(Input::Console("/ban bob 10".into()));
    assert_eq!(world.closed, [bob]);
    let again = world.open();
    assert!(world.heard(again)[0].contains("You are banned"));
    world.pass(601);
    world.irc("bob");
    assert_eq!(world.closed, [bob, again]);
}

#[test]
fn the_log_holds_no_words_and_no_keys() {
    let mut world = World::new();
    let (alice, bob) = (world.irc("alice"), world.irc("bob"));
    world.say(
        alice,
        "JOIN #secretroom sesame\nPRIVMSG #secretroom :confidential\nTOPIC #secretroom :confidential\n",
    );
    world.say(bob, "OPER x wrongsesame\nOPER x open\nPRIVMSG alice :confidential\nAWAY :confidential\n");
    world.give(Input::Console("/kick bob confidential".into()));
    world.say(alice, "PART #secretroom :confidential\nQUIT :confidential\n");
    let log = world.log.join("\n");
    assert!(log.contains("joined: alice from 127.0.0.1:"));
    assert!(!log.contains("confidential") && !log.contains("sesame"), "{log}");
}

/// One random command, often a sensible one.
fn random_line(random: &mut Random) -> String {
    const VERBS: &[&str] = &[
        "JOIN", "JOIN", "JOIN", "PART", "PRIVMSG", "NOTICE", "TAGMSG", "MODE", "MODE", "KICK", "TOPIC",
        "NAMES", "LIST", "INVITE", "WHO", "WHOIS", "WHOWAS", "NICK", "NICK", "AWAY", "MONITOR", "SETNAME",
        "OPER", "KILL", "WALLOPS", "CONSOLE", "CAP", "USERHOST", "ISON", "HELP", "STATS", "LUSERS", "MOTD",
        "PING", "USER", "QUIT",
    ];
    const WORDS: &[&str] = &[
        "#a",
        "#b",
        "#ä",
        "#Ä",
        "#lobby",
        "@#a",
        "alice",
        "bob",
        "小明",
        "zoë",
        "ZOË",
        "+o",
        "-o+v",
        "+b",
        "+bbb",
        "+imnst",
        "+k",
        "+l",
        "-kl",
        "+B",
        "-i+i",
        "*!*@*",
        "a!b@c",
        "5",
        "0",
        "%tcuihsnfdlaor,7",
        "+",
        "-",
        "C",
        "L",
        "S",
        "LS",
        "REQ",
        "END",
        "302",
        "multi-prefix",
        "labeled-response batch",
        ":open sesame",
        ":",
        "#a,#b",
        "alice,bob",
        ":some words",
        "*",
        "?",
        ":/who",
        ":/kick bob",
        ":\u{1}ACTION x\u{1}",
        "\u{202e}",
        ">1",
        "🙂",
    ];
    let mut line = String::new();
    if random.below(4) == 0 {
        line.push_str("@label=l;+x/y=z ");
    }
    line.push_str(random.pick::<&str>(VERBS));
    for _ in 0..random.below(5) {
        line.push(' ');
        line.push_str(random.pick::<&str>(WORDS));
    }
    line + "\n"
}

#[test]
fn random_commands_leave_everything_consistent() {
    for seed in 1..=60 {
        let mut random = Random::new(seed);
        let mut world = World::new();
        let mut ids: Vec<ConnectionId> = Vec::new();
        for step in 0..600 {
            if ids.is_empty() || random.below(25) == 0 {
                let id = world.open();
                let kinds =
                    [Speaker::Irc, Speaker::Irc, Speaker::Irc, Speaker::Plain, Speaker::Raw(RawKind::Html)];
                let speaker = kinds[random.below(kinds.len())];
                world.give(Input::News(id, News::Speaks(speaker, Some("raw".into()))));
                if speaker == Speaker::Irc {
                    let nick = format!("n{seed}x{step}");
                    world.say(
                        id,
                        &format!(
                            "NICK {nick}\nUSER u 0 * :r\nCAP REQ :message-tags labeled-response batch\n"
                        ),
                    );
                    world.say(
                        id,
                        if random.below(9) == 0 { "OPER x :open sesame\nCAP END\n" } else { "CAP END\n" },
                    );
                }
                ids.push(id);
            }
            let id = ids[random.below(ids.len())];
            match random.below(14) {
                0 => world.say(id, &format!("/{}", random_line(&mut random).to_lowercase())),
                1 => world.pass(7),
                3 => {
                    let line = random_line(&mut random).to_lowercase();
                    world.give(Input::Console(line.trim_start_matches(|c| c != ' ').into()));
                    world.give(Input::Console(format!("/ {}", line)));
                    world.give(Input::Console(format!("/kick {}", line)));
                }
                2 if random.below(6) == 0 => world.give(Input::News(id, News::HungUp)),
                _ => world.say(id, &random_line(&mut random)),
            }
            while let Some(id) = world.more.pop() {
                world.give(Input::News(id, News::Drained));
            }
            world.check();
            let closed = std::mem::take(&mut world.closed);
            ids.retain(|id| !closed.contains(id));
            for id in &ids {
                let irc = world.hub.state.member(*id).is_some_and(|member| member.speaker == Speaker::Irc);
                for line in world.heard(*id).iter().filter(|_| irc) {
                    let message = Message::parse(line).unwrap_or_else(|| panic!("seed {seed}: {line:?}"));
                    let body =
                        line.len() - if message.tags.0.is_empty() { 0 } else { message.tags.0.len() + 2 };
                    assert!(body <= MAX_BODY - 2, "seed {seed}: {line:?}");
                    assert!(!line.contains(['\r', '\n', '\0']), "seed {seed}: {line:?}");
                }
            }
        }
    }
}
