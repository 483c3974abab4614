//! History: pages, gaps, catching up, and search.

use super::super::seed::Seed;
use super::server::{Pair, Stored};
use super::*;

/// Random orders of events that are tried, for each kind of server.
const SEEDS: u64 = 400;

pub(super) fn lobby() -> Key {
    Key::new("#lobby")
}

/// In the room, with so many lines said before.
pub(super) fn entered(ours: bool, before: usize) -> Pair {
    let mut pair = Pair::new(ours);
    for i in 0..before {
        pair.server.say("bob", &format!("old {i}"), None);
    }
    pair.server.commit(usize::MAX);
    pair.settle();
    pair.world.seconds(20);
    pair.settle();
    pair.world.look();
    pair
}

#[test]
fn the_last_lines_on_entering_and_older_ones_on_demand() {
    for ours in [true, false] {
        let mut pair = entered(ours, 170);
        assert_eq!(pair.server.asked, ["CHATHISTORY LATEST #lobby * 50"]);
        assert_eq!(pair.world.talk("#lobby").len(), 50);
        assert_eq!(pair.gaps(), [(0, Delivery::None)], "there may be more above");
        for _ in 0..3 {
            pair.world.act(Action::Older { key: lobby() });
        }
        assert_eq!(pair.gaps(), [(0, Delivery::Pending)], "asked once");
        pair.settle();
        assert_eq!(pair.world.talk("#lobby").len(), 150);
        let news = pair.world.events().iter().any(|e| matches!(e, Event::Inserted { new: true, .. }));
        assert!(!news, "nothing old is news");
        pair.older_until_the_top();
        pair.assert_same("all of it");
        pair.world.act(Action::Older { key: lobby() });
        assert_eq!(pair.world.sent(), [""; 0]);
    }
}

#[test]
fn what_was_missed_comes_page_by_page_and_is_news() {
    for ours in [true, false] {
        let mut pair = entered(ours, 10);
        pair.cut();
        for i in 0..250 {
            pair.server.say("bob", &format!("missed {i}"), None);
        }
        pair.settle();
        pair.assert_same("after a loss");
        assert_eq!(pair.gaps(), [(0, Delivery::None)], "but perhaps above the first lines");
        let unread = pair.world.events().into_iter().rev().find_map(|event| match event {
            Event::Unread { count, .. } => Some(count),
            _ => None,
        });
        assert_eq!(unread, Some(250));
        assert!(pair.server.asked.len() <= 6, "{:?}", pair.server.asked);
    }
}

#[test]
fn a_loss_while_catching_up_leaves_no_gap() {
    for ours in [true, false] {
        let mut pair = entered(ours, 10);
        pair.cut();
        for i in 0..250 {
            pair.server.say("bob", &format!("missed {i}"), None);
        }
        while pair.world.talk("#lobby").len() < 100 {
            pair.carry_up();
            pair.server.commit(usize::MAX);
            pair.carry_down(1);
            pair.world.pass(Duration::from_millis(10));
        }
        pair.server.say("bob", "in between", None);
        pair.carry_down(3);
        pair.cut();
        assert!(pair.gaps().iter().all(|(_, state)| *state == Delivery::None));
        pair.server.say("bob", "and again", None);
        pair.settle();
        pair.assert_same("after two losses");
        assert_eq!(pair.gaps().len(), 1);
    }
}

#[test]
fn a_late_receipt_takes_its_place() {
    let mut pair = entered(true, 2);
    pair.world.say("#lobby", "mine");
    pair.carry_up();
    pair.server.say("bob", "theirs", None);
    pair.carry_down(9);
    assert_eq!(pair.world.talk("#lobby"), ["bob: old 0", "bob: old 1", "bob: theirs", "me: mine"]);
    pair.settle();
    assert_eq!(pair.world.talk("#lobby"), ["bob: old 0", "bob: old 1", "me: mine", "bob: theirs"]);
    pair.assert_same("the server's order");
    pair.world.look();
    pair.world.say("#lobby", "at the end");
    pair.settle();
    let moved = pair.world.events().iter().any(|event| matches!(event, Event::Removed { .. }));
    assert!(!moved, "it was in its place already");
}

#[test]
fn a_server_that_forgot_gives_the_newest() {
    let mut pair = entered(false, 60);
    pair.cut();
    pair.server.lines.clear();
    for i in 0..150 {
        pair.server.say("bob", &format!("new {i}"), None);
    }
    pair.settle();
    assert_eq!(pair.world.talk("#lobby").len(), 50 + 100);
    assert_eq!(pair.gaps().len(), 2, "one at the top, one where the rest is missing");
    pair.older_until_the_top_but_one();
}

impl Pair {
    fn older_until_the_top_but_one(&mut self) {
        let (at, _) = self.gaps()[1];
        let gap = self.lobby()[at].id();
        self.world.act(Action::Fill { key: lobby(), gap });
        self.settle();
        assert!(self.world.talk("#lobby").contains(&"bob: new 0".to_owned()));
    }
}

#[test]
fn an_answer_that_does_not_come_is_given_up() {
    let mut pair = entered(true, 170);
    pair.world.act(Action::Older { key: lobby() });
    pair.world.sent.clear();
    pair.world.server("PING :x");
    pair.world.seconds(29);
    assert_eq!(pair.gaps(), [(0, Delivery::Pending)]);
    pair.world.seconds(1);
    assert_eq!(pair.gaps(), [(0, Delivery::Failed)]);
    pair.settle();
    pair.world.act(Action::Older { key: lobby() });
    pair.settle();
    assert_eq!(pair.world.talk("#lobby").len(), 150, "asked again it works");
}

#[test]
fn an_answer_that_is_put_off_is_said_at_the_gap() {
    let caps = format!("{OURS} draft/chathistory");
    let mut world = World::welcomed("me", &caps, "SAFERATE parlor/MSGID=sorted CHATHISTORY=100");
    let (gap, label) = (world.screen.lines["#lobby"][0].clone(), "q1");
    assert_eq!((gap.kind(), gap.state()), (LineKind::Gap, Delivery::Pending));
    world.server(&format!("@label={label} :irc.test 263 me * :Too many long replies at once; try again"));
    let gap = &world.screen.lines["#lobby"][0];
    let later = server_says("Too many long replies at once; try again");
    assert_eq!((gap.state(), gap.sentence()), (Delivery::Failed, Some(&later)));
}

#[test]
fn an_answer_from_before_one_was_put_out_says_nothing_of_what_came_after() {
    let caps = format!("{OURS} draft/chathistory");
    let mut world = World::welcomed("me", &caps, "parlor/MSGID=sorted CHATHISTORY=100");
    let tags = |n: u64| format!("msgid={:08x}{:011x}0000;time={}", 256, START + n, UnixMillis(START + n));
    world.server(&format!("@{} :bob!u@host.test PRIVMSG #lobby :here", tags(1)));
    world.server(&format!("@{} :bob!u@host.test KICK #lobby me :out", tags(2)));
    world.act(Action::Join { room: "#lobby".into(), key: None });
    world.server(&format!("@{} :me!u@host.test JOIN #lobby", tags(9)));
    world.server("@label=q1 :irc.test BATCH +1 chathistory #lobby");
    world.server(&format!("@batch=1;{} :bob!u@host.test PRIVMSG #lobby :before", tags(0)));
    world.server(":irc.test BATCH -1");
    let gaps = world.screen.lines["#lobby"].iter().filter(|line| line.kind() == LineKind::Gap);
    assert_eq!(gaps.map(Line::state).collect::<Vec<_>>(), [Delivery::None, Delivery::Pending]);
}

#[test]
fn what_was_refused_after_a_loss_is_looked_for_where_it_may_stand() {
    let caps = format!("{OURS} draft/chathistory");
    let isupport = "SAFERATE parlor/MSGID=sorted parlor/ID=secret CHATHISTORY=100";
    let mut world = World::welcomed("me", &caps, isupport);
    let id = |n: u64| format!("{:08x}{:011x}0000", 256, START + n);
    let tags = |n: u64| format!("msgid={};time={}", id(n), UnixMillis(START + n));
    world.seconds(11);
    world.server(&format!("@{} :bob!u@host.test PRIVMSG #lobby :before", tags(1)));
    world.say("#lobby", "perhaps it arrived");
    world.server(&format!("@{} :bob!u@host.test PRIVMSG #lobby :after", tags(3)));
    world.give(Input::Lost(GONE));
    world.welcome(&caps, isupport);
    world.enter("#lobby", "me @bob");
    world.server(&format!("@{} :bob!u@host.test KICK #lobby me :out", tags(4)));
    world.server(":irc.test 404 me #lobby :Join the room to talk in it (+n)");
    world.look();
    world.act(Action::Join { room: "#lobby".into(), key: None });
    world.server(&format!("@{} :me!u@host.test JOIN #lobby", tags(9)));
    let asked = world.sent();
    let from = format!("CHATHISTORY AFTER #lobby msgid={} ", id(1));
    assert!(asked.iter().any(|line| line.contains(&from)), "{asked:?}");
}

#[test]
fn search_finds_the_newest_first_and_jumps_there() {
    for ours in [true, false] {
        let mut pair = entered(ours, 600);
        let find = |pair: &mut Pair, action: Action| -> Found {
            pair.world.act(action);
            pair.settle();
            let found = pair.world.events().into_iter().find_map(|event| match event {
                Event::Found(found) => Some(found),
                _ => None,
            });
            found.expect("an answer")
        };
        let first = find(&mut pair, Action::Find { key: lobby(), text: "old 1".into() });
        assert!(first.first && first.more && !first.local);
        assert_eq!((first.lines.len(), first.lines[0].text()), (50, "old 199"));
        let next = find(&mut pair, Action::FindMore { key: lobby() });
        assert!(!next.first && next.lines[0].text() == "old 149", "{:?}", next.lines[0]);
        let last = find(&mut pair, Action::FindMore { key: lobby() });
        assert_eq!((last.more, last.lines.last().map(Line::text)), (false, Some("old 1")));
        let to = next.lines[0].clone();
        pair.world.act(Action::Jump { key: lobby(), to: to.clone() });
        pair.settle();
        let at = pair.world.events().into_iter().find_map(|event| match event {
            Event::Jumped { id, .. } => id,
            _ => None,
        });
        let row = pair.lobby().iter().position(|line| Some(line.id()) == at).expect("it is there");
        assert_eq!(pair.lobby()[row].text(), "old 149");
        assert_eq!(pair.lobby()[row + 1].text(), "old 150");
        assert_eq!(pair.gaps().len(), 2);
        pair.world.act(Action::Jump { key: lobby(), to });
        assert!(pair.world.events().contains(&Event::Jumped { key: lobby(), id: at }), "known now");
        pair.older_until_the_top();
        pair.assert_same("every gap filled");
    }
}

#[test]
fn search_without_a_server_looks_here() {
    let mut world = World::welcomed("me", "", "SAFERATE");
    for i in 0..70 {
        world.server(&format!(":bob!u@h PRIVMSG #lobby :Tea {i}"));
    }
    world.look();
    world.act(Action::Find { key: lobby(), text: "tea bob".into() });
    world.act(Action::FindMore { key: lobby() });
    let found: Vec<Found> = world
        .events()
        .into_iter()
        .filter_map(|e| if let Event::Found(found) = e { Some(found) } else { None })
        .collect();
    let shape: Vec<_> = found.iter().map(|f| (f.lines.len(), f.first, f.more, f.local)).collect();
    assert_eq!(shape, [(50, true, true, true), (20, false, false, true)]);
    assert_eq!(found[0].lines[0], world.last("#lobby"));
}

#[test]
fn what_waits_survives_a_restart_of_the_program() {
    let mut pair = entered(true, 1);
    pair.world.say("#lobby", "arrived, but nobody said so");
    pair.carry_up();
    pair.server.commit(usize::MAX);
    pair.cut();
    pair.world.say("#lobby", "never sent");
    let unsent = pair.world.kept.clone();
    assert_eq!(unsent.len(), 2);
    pair.world = World::new(Profile { unsent, rooms: Vec::new(), ..profile("me") });
    pair.settle();
    assert_eq!(pair.server.lines.len(), 3);
    pair.assert_same("nothing twice");
    assert_eq!(pair.world.kept, []);
    assert!(pair.world.states("#lobby").iter().all(|state| *state == Delivery::Delivered));
}

#[test]
fn a_resume_is_seen_by_nobody() {
    let caps = format!("{OURS} parlor/resume");
    let mut world = World::welcomed("me", &caps, "SAFERATE");
    world.server(":irc.test RESUME TOKEN abc");
    world.seconds(20);
    world.give(Input::Lost(GONE));
    world.look();
    world.give(Input::Connected(Login::default()));
    world.server(":irc.test 433 * me :Taken\n:irc.test CAP * LS :batch parlor/resume\n:irc.test CAP * ACK :batch parlor/resume");
    let sent = world.sent();
    let resume = sent.iter().position(|line| line == "RESUME abc").expect("the token is used");
    assert!(sent[resume + 1..].contains(&"CAP END".to_owned()), "{sent:?}");
    let before = world.screen.lines["#lobby"].len();
    world.server(":irc.test RESUME ACCEPTED me\n:irc.test 001 me :Welcome\n:irc.test RESUME TOKEN def\n:irc.test 422 me :No");
    world.enter("#lobby", "me @bob");
    assert_eq!(world.screen.lines["#lobby"].len(), before, "no coming in is shown");
    assert_eq!(world.session.me.nick, "me");
    // Refused: as everybody.
    world.seconds(20);
    world.give(Input::Lost(GONE));
    world.give(Input::Connected(Login::default()));
    world.server(":irc.test CAP * LS :parlor/resume\n:irc.test CAP * ACK :parlor/resume");
    assert!(world.sent().contains(&"RESUME def".to_owned()));
    world.server(
        ":irc.test FAIL RESUME INVALID_TOKEN :Too late\n:irc.test 001 me :Welcome\n:irc.test 422 me :No",
    );
    assert!(world.sent().contains(&"JOIN #lobby".to_owned()));
}

#[test]
fn a_sleep_and_another_network_are_noticed() {
    let mut world = World::ours("me");
    world.seconds(20);
    let mut now = moment(world.now + Duration::from_secs(1));
    now.wall.0 += 3_600_000;
    world.session.handle(Input::Tick, now);
    world.collect();
    assert_eq!(world.sent(), ["PING :parlor-2"]);
    world.session.handle(Input::Tick, Moment { elapsed: now.elapsed + Duration::from_secs(3), ..now });
    world.collect();
    assert_eq!(world.calls, ["disconnect", "connect"]);
    for _ in 0..5 {
        world.give(Input::Lost(GONE));
    }
    assert!(matches!(world.screen.status, Some(Status::Reconnecting { .. })));
    world.look();
    world.give(Input::Network);
    assert_eq!(world.calls, ["connect"]);
}

/// Whatever comes in whatever order: in the end the timeline is the server's.
fn scenario(number: u64, ours: bool) {
    let mut seed = Seed::new(u128::from(number).to_le_bytes());
    let mut pair = Pair::new(ours);
    pair.server.limit = [3, 10, 100][seed.below(3) as usize];
    pair.server.bare_join = seed.below(4) == 0;
    pair.settle();
    let mut said = 0;
    let mut lost: Vec<Stored> = Vec::new();
    for _ in 0..300 {
        match seed.below(20) {
            0..=4 => pair.carry_up(),
            5..=9 => pair.carry_down(seed.below(6) as usize),
            10 | 11 => {
                let token = format!("{:032x}", seed.next());
                pair.server.say("bob", &format!("b{}", seed.next() % 1000), Some(&token));
            }
            12 | 13 => {
                said += 1;
                pair.world.say("#lobby", &format!("m{said}"));
            }
            14 => pair.server.commit(pair.server.committed + seed.below(3) as usize),
            15 => pair.world.pass(Duration::from_millis(seed.below(3000))),
            16 => pair.world.act(Action::Older { key: lobby() }),
            17 if seed.below(4) == 0 => pair.cut(),
            18 if ours && seed.below(6) == 0 => {
                lost.extend(pair.server.crash());
                pair.world.sent.clear();
                pair.world.give(Input::Lost(GONE));
            }
            19 => {
                // A sender who lives sends again what had no receipt.
                if let Some(line) = lost.pop().filter(|line| line.nick == "bob") {
                    pair.server.say("bob", &line.text, line.token.as_deref());
                }
            }
            _ => {}
        }
    }
    pair.settle();
    pair.world.seconds(61);
    pair.settle();
    // Whether something is older than what is here only the server knows.
    pair.older_until_the_top();
    let times = |i| pair.server.lines.iter().filter(|line| line.text == format!("m{i}")).count();
    // Another server may store twice what it does not know by its token; it is shown once.
    if !ours && (1..=said).any(|i| times(i) > 1) {
        return;
    }
    pair.assert_same(&format!("seed {number}, ours: {ours}"));
    assert!((1..=said).all(|i| times(i) == 1), "seed {number}");
    assert!(pair.world.states("#lobby").iter().all(|state| *state == Delivery::Delivered), "seed {number}");
}

#[test]
fn every_order_of_events_gives_the_servers_order() {
    for number in 0..SEEDS {
        scenario(number, true);
    }
}

#[test]
fn another_servers_order_is_kept_too() {
    for number in 0..SEEDS {
        scenario(number, false);
    }
}
