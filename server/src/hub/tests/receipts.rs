//! Receipts, resuming and the life of rooms under virtual time: what takes long, or needs a disk
//! that does as it is told.

use crate::hub::*;
use crate::testing::World;

const CAPS: &str = "batch echo-message labeled-response message-tags parlor/resume draft/chathistory";

fn durable() -> World {
    World::with(Settings { durable: true, boot: 7, ..Settings::default() })
}

/// Somebody with all that makes receipts and coming back possible.
fn member(world: &mut World, nick: &str) -> ConnectionId {
    let id = asking(world);
    world.say(id, &format!("NICK {nick}\nUSER u 0 * :r\nCAP END\n"));
    world.heard(id);
    id
}

/// A connection that negotiated and has not registered.
fn asking(world: &mut World) -> ConnectionId {
    let id = world.open();
    world.give(Input::News(id, News::Speaks(Speaker::Irc, None)));
    world.say(id, &format!("CAP REQ :{CAPS}\n"));
    world.heard(id);
    id
}

/// The token of a connection, as [`World`] hands them out.
fn token(id: ConnectionId) -> String {
    format!("{:032x}", id.slot + 1)
}

fn has(lines: &[String], part: &str) -> bool {
    lines.iter().any(|line| line.contains(part))
}

#[test]
fn who_vanished_is_gone_after_30_s_and_not_before() {
    let mut world = World::new();
    let (alice, bob) = (member(&mut world, "alice"), world.irc("bob"));
    world.say(alice, "JOIN #a\n");
    world.say(bob, "JOIN #a\n");
    world.heard(bob);
    world.give(Input::News(alice, News::HungUp));
    world.pass(29);
    assert_eq!(world.heard(bob), [] as [String; 0]);
    assert_eq!(world.closed, []);
    world.pass(1);
    assert!(world.heard(bob)[0].ends_with("QUIT :Connection closed"));
    assert_eq!(world.closed, [alice]);
    world.check();
}

#[test]
fn a_ping_timeout_is_waited_for_as_well() {
    let mut world = World::new();
    let alice = member(&mut world, "alice");
    world.pass(90);
    assert!(has(&world.heard(alice), "ERROR :Closing link: Ping timeout: 90 seconds"));
    world.pass(20);
    let again = asking(&mut world);
    world.say(again, &format!("RESUME {}\nUSER u 0 * :r\nCAP END\n", token(alice)));
    let lines = world.heard(again);
    assert!(has(&lines, "RESUME ACCEPTED alice") && has(&lines, " 001 alice "), "{lines:?}");
    world.pass(30);
    assert_eq!(world.closed, [alice], "the deadline of the old connection is nobody's");
    world.check();
}

#[test]
fn who_registers_after_the_30_s_is_told() {
    let mut world = durable();
    let alice = member(&mut world, "alice");
    world.say(alice, "JOIN #a\n");
    world.give(Input::News(alice, News::HungUp));
    world.pass(25);
    let again = asking(&mut world);
    world.say(again, &format!("RESUME {}\nUSER u 0 * :r\n", token(alice)));
    assert!(has(&world.heard(again), "RESUME ACCEPTED alice"));
    world.pass(10);
    world.say(again, "CAP END\n");
    assert!(has(&world.heard(again), "FAIL RESUME INVALID_TOKEN"));
    world.say(again, "NICK alice\nJOIN #a\n");
    let lines = world.heard(again);
    assert!(has(&lines, " 001 alice ") && has(&lines, " 353 alice = #a :@alice"), "{lines:?}");
    world.check();
}

#[test]
fn an_echo_waits_for_the_disk_and_replies_wait_for_the_echo() {
    let mut world = durable();
    let (alice, bob) = (member(&mut world, "alice"), world.irc("bob"));
    world.say(alice, "JOIN #a\n");
    world.say(bob, "JOIN #a\n");
    world.heard(alice);
    world.heard(bob);
    world.say(alice, "PRIVMSG #a :one\n");
    let one = world.last;
    world.say(alice, "PING x\nPRIVMSG #a :two\n@label=1 PING y\nNICK alicia\n");
    let lines = world.heard(alice);
    assert!(lines.len() == 1 && has(&lines, "NICK :alicia"), "a change is told at once: {lines:?}");
    assert_eq!(world.heard(bob).len(), 3, "others hear at once");
    world.say(bob, "PRIVMSG #a :me too\nPRIVMSG alicia :psst\n");
    assert_eq!(world.heard(alice).len(), 2, "what others say does not wait");
    world.give(Input::Stored { upto: one });
    let lines = world.heard(alice);
    assert!(lines.len() == 2 && has(&lines[..1], "#a :one") && has(&lines[1..], "PONG"), "{lines:?}");
    world.stored();
    let lines = world.heard(alice);
    assert!(lines.len() == 2 && has(&lines[..1], "#a :two") && has(&lines[1..], "label=1"), "{lines:?}");
}

#[test]
fn who_says_more_than_the_disk_takes_is_not_read_and_not_pinged_for_it() {
    let mut world = durable();
    let alice = member(&mut world, "alice");
    world.say(alice, "JOIN #a\n");
    world.heard(alice);
    for _ in 0..255 {
        world.say(alice, "PRIVMSG #a :x\n");
    }
    assert_eq!(world.held, []);
    world.say(alice, "PRIVMSG #a :x\n");
    assert_eq!(world.held, [alice]);
    world.pass(600);
    assert_eq!((world.heard(alice).len(), world.closed.len()), (0, 0));
    world.stored();
    assert_eq!((world.held.len(), world.heard(alice).len()), (0, 256));
    // Then it is asked as anybody who says nothing.
    world.pass(31);
    assert_eq!(world.heard(alice), ["PING :parlor.local"]);
}

#[test]
fn a_disk_that_stops_gives_no_receipts_and_one_that_goes_on_does() {
    let mut world = durable();
    let (alice, bob) = (member(&mut world, "alice"), world.irc("bob"));
    world.say(alice, "JOIN #a,#b\n");
    world.say(bob, "JOIN #a\n");
    world.heard(alice);
    world.heard(bob);
    world.say(alice, "PRIVMSG #a :one\n@label=2 PRIVMSG #a,#b :two\nPING x\n");
    world.give(Input::Paused { why: "/secret/folder is full".into() });
    let lines = world.heard(alice);
    let volatile: Vec<&String> = lines.iter().filter(|line| line.contains("parlor/volatile")).collect();
    assert!(volatile.len() == 3 && volatile.iter().all(|line| line.contains("PRIVMSG")), "{lines:?}");
    let place = |part: &str| lines.iter().position(|line| line.contains(part));
    assert!(place(":one") < place("BATCH +") && place("BATCH -") < place("PONG"), "{lines:?}");
    let told = world.heard(bob);
    assert!(has(&told, "NOTICE #a :History is paused") && !has(&told, "/secret"), "{told:?}");
    assert!(has(&world.log, "/secret/folder is full"), "the log is for that");
    world.give(Input::Paused { why: "still".into() });
    assert_eq!(world.heard(bob), [] as [String; 0], "once is enough");
    world.say(alice, "PRIVMSG #a :three\n");
    assert!(has(&world.heard(alice), "parlor/volatile"));
    world.give(Input::Resumed { lost: 1 });
    assert!(has(&world.heard(bob), "History goes on"));
    world.heard(alice);
    world.say(alice, "PRIVMSG #a :four\n");
    assert_eq!(world.heard(alice).len(), 0);
    world.stored();
    let lines = world.heard(alice);
    assert!(has(&lines, ":four") && !has(&lines, "volatile"), "{lines:?}");
}

#[test]
fn a_line_sent_again_keeps_its_place_among_the_replies() {
    let mut world = durable();
    let alice = member(&mut world, "alice");
    world.say(alice, "JOIN #a\n");
    world.heard(alice);
    let name = "0123456789abcdef0123456789abcdef";
    world.say(alice, &format!("@+parlor/id={name} PRIVMSG #a :once\n"));
    world.stored();
    let first = world.heard(alice);
    world.asked = Some(Vec::new());
    world.say(alice, &format!("@+parlor/id={name} PRIVMSG #a :again\nPING x\nPRIVMSG #a :next\n"));
    world.stored();
    assert_eq!(world.heard(alice), [] as [String; 0]);
    world.answer();
    let lines = world.heard(alice);
    assert_eq!(lines[0], first[0]);
    assert!(lines.len() == 3 && lines[1].contains("PONG") && lines[2].contains(":next"), "{lines:?}");
    // Whoever hung up meanwhile is answered nothing.
    world.say(alice, &format!("@+parlor/id={name} PRIVMSG #a :again\nCHATHISTORY LATEST #a * 5\n"));
    world.give(Input::News(alice, News::HungUp));
    world.answer();
    world.pass(40);
    world.check();
}

#[test]
fn a_label_binds_every_echo_of_a_line_sent_again() {
    let mut world = durable();
    let alice = member(&mut world, "alice");
    world.say(alice, "JOIN #a,#b\n");
    let name = "0123456789abcdef0123456789abcdef";
    world.say(alice, &format!("@+parlor/id={name} PRIVMSG #a :x\n"));
    world.stored();
    world.heard(alice);
    world.asked = Some(Vec::new());
    // Known in one room and not in the other, then in both, then one of them.
    for (targets, count) in [("#a,#b", 2), ("#a,#b", 2), ("#b", 1)] {
        world.say(alice, &format!("@label=9;+parlor/id={name} PRIVMSG {targets} :x\nPING after\n"));
        world.stored();
        world.answer();
        let lines = world.heard(alice);
        let label = lines[0].starts_with("@label=9 ") || lines[0].starts_with("@label=9;");
        assert!(label && has(&lines[lines.len() - 1..], "PONG"), "{lines:?}");
        if count == 1 {
            assert!(lines.len() == 2 && lines[0].contains("PRIVMSG #b :x"), "{lines:?}");
            continue;
        }
        let batch = lines[0].split(['+', ' ']).nth(4).unwrap();
        let bound = lines.iter().filter(|line| line.starts_with(&format!("@batch={batch};")));
        assert_eq!(bound.filter(|line| line.contains("PRIVMSG")).count(), 2, "{lines:?}");
        assert!(lines.len() == 5 && has(&lines[3..4], &format!("BATCH -{batch}")), "{lines:?}");
    }
}

#[test]
fn a_refused_question_keeps_its_label() {
    let mut world = durable();
    let alice = member(&mut world, "alice");
    world.say(alice, "JOIN #a\n");
    world.heard(alice);
    world.asked = Some(Vec::new());
    world.say(alice, &"CHATHISTORY LATEST #a * 5\n".repeat(192));
    assert_eq!(world.heard(alice), [] as [String; 0]);
    world.say(alice, "@label=q1 CHATHISTORY LATEST #a * 5\n");
    let lines = world.heard(alice);
    assert!(lines.len() == 1 && lines[0].starts_with("@label=q1 :parlor.local 263 "), "{lines:?}");
}

#[test]
fn a_private_line_that_is_not_kept_is_refused() {
    let mut world = durable();
    let (alice, bob) = (member(&mut world, "alice"), member(&mut world, "bob"));
    world.give(Input::News(alice, News::HungUp));
    for number in 0..100 {
        world.say(bob, &format!("PRIVMSG alice :{number}\n"));
    }
    assert_eq!(world.heard(bob).len(), 100, "their echoes");
    world.say(bob, "@label=1 PRIVMSG alice :one too many\nNOTICE alice :is not answered\n");
    let lines = world.heard(bob);
    assert!(lines.len() == 1 && lines[0].starts_with("@label=1 :parlor.local 401 bob alice "), "{lines:?}");
    let again = asking(&mut world);
    world.say(again, &format!("RESUME {}\nUSER u 0 * :r\nCAP END\n", token(alice)));
    assert_eq!(world.heard(again).iter().filter(|line| line.contains("PRIVMSG alice :")).count(), 100);
}

#[test]
fn who_comes_back_is_still_invited() {
    let mut world = durable();
    let (alice, bob) = (member(&mut world, "alice"), member(&mut world, "bob"));
    world.say(alice, "JOIN #a\nMODE #a +i\nINVITE bob #a\n");
    world.give(Input::News(bob, News::HungUp));
    let again = asking(&mut world);
    world.say(again, &format!("RESUME {}\nUSER u 0 * :r\nCAP END\n", token(bob)));
    world.heard(again);
    world.say(again, "INVITE\nJOIN #a\n");
    let lines = world.heard(again);
    assert!(has(&lines, " 336 bob #a") && has(&lines, " JOIN #a"), "{lines:?}");
    world.check();
}

#[test]
fn pages_do_not_pile_up_behind_a_missing_receipt() {
    let mut world = durable();
    let alice = member(&mut world, "alice");
    world.say(alice, "JOIN #a\n");
    let long = "t".repeat(400);
    for number in 0..100 {
        world.say(alice, &format!("PRIVMSG #a :{number} {long}\n"));
    }
    world.stored();
    world.heard(alice);
    world.more.clear();
    world.say(alice, "PRIVMSG #a :pending\n");
    world.say(alice, &"CHATHISTORY LATEST #a * 100\n".repeat(10));
    assert_eq!((world.heard(alice).len(), world.more.len()), (0, 0), "nothing to read, nothing more");
    world.stored();
    let said = |page: &[String]| {
        assert!(page.iter().map(String::len).sum::<usize>() < 16 * 1024, "at once");
        page.iter().filter(|line| line.contains("PRIVMSG")).count()
    };
    let mut lines = said(&world.heard(alice));
    while let Some(id) = world.more.pop() {
        world.more.clear();
        world.give(Input::News(id, News::Drained));
        lines += said(&world.heard(alice));
    }
    assert!(lines > 990, "{lines}");
}

#[test]
fn ids_rise_although_the_clock_went_back() {
    let mut world = World::with(Settings { durable: true, boot: 8, ..Settings::default() });
    let alice = member(&mut world, "alice");
    world.say(alice, "JOIN #a\nPRIVMSG #a :x\n");
    let before = world.last;
    world.start -= 86_400_000;
    world.say(alice, "PRIVMSG #a :y\n");
    assert!(world.last > before && world.last.to_string() > before.to_string());
    assert_eq!(world.last.millis, before.millis - 86_400_000, "the time is that of the clock");
}

#[test]
fn coming_and_going_forgets_no_other_room() {
    let mut world = durable();
    let (alice, eve) = (world.irc("alice"), world.irc("eve"));
    world.say(alice, "JOIN #kept\nTOPIC #kept :a topic\nPART #kept\n");
    world.say(eve, "JOIN #x\nTOPIC #x :y\nPART #x\n");
    for _ in 0..10_100 {
        world.say(eve, "JOIN #x\nPART #x\n");
        world.heard(eve);
    }
    assert!(world.rooms["#kept"].is_some() && world.rooms["#x"].is_some());
    world.heard(alice);
    world.say(alice, "JOIN #kept\n");
    assert!(has(&world.heard(alice), " 332 alice #kept :a topic"));
    world.check();
}

#[test]
fn a_rank_waits_30_days_from_the_leaving_on() {
    const DAY: u64 = 24 * 3600;
    let mut world = durable();
    let alice = member(&mut world, "alice");
    world.say(alice, "JOIN #a\nMODE #a +k sesame\n");
    for _ in 0..40 * 24 * 60 {
        world.pass(59);
        world.say(alice, "PONG x\n");
    }
    world.say(alice, "QUIT\n");
    world.pass(29 * DAY);
    let again = asking(&mut world);
    world.say(again, &format!("RESUME {}\nNICK alice\nUSER u 0 * :r\nCAP END\n", token(alice)));
    assert!(has(&world.heard(again), "RESUME RANKS"));
    world.say(again, "JOIN #a\n");
    assert!(has(&world.heard(again), " 353 alice = #a :@alice"));
    world.say(again, "QUIT\n");
    world.pass(31 * DAY);
    let late = asking(&mut world);
    world.say(late, &format!("RESUME {}\nNICK alice\nUSER u 0 * :r\nCAP END\n", token(again)));
    assert!(has(&world.heard(late), "FAIL RESUME INVALID_TOKEN"));
    // Then the room is for the next who comes, with the key.
    world.say(late, "JOIN #a sesame\n");
    assert!(has(&world.heard(late), " 353 alice = #a :@alice"));
    world.check();
}

#[test]
fn a_restored_hub_is_as_the_one_before() {
    let mut world = durable();
    let alice = member(&mut world, "alice");
    world.say(alice, "JOIN #Ä\nMODE #ä +ik sesame\nTOPIC #ä :t\nJOIN #b\n");
    let rooms: Vec<(Box<str>, Box<[u8]>)> =
        world.rooms.iter().filter_map(|(name, state)| Some((name.as_ref().into(), state.clone()?))).collect();
    let mut next = World::with(Settings { durable: true, boot: 8, ..Settings::default() });
    // Its connections have other tokens.
    next.open();
    let mut broken = rooms.clone();
    broken.push(("#c".into(), b"\x09not a room"[..].into()));
    broken.push(("#other".into(), rooms[0].1.clone()));
    let mut unreadable = next.hub.restore(broken, vec![3]);
    unreadable.sort();
    assert_eq!(unreadable, ["#c".into(), "#other".into()]);
    next.check();
    let eve = next.irc("eve");
    next.say(eve, "LIST\nJOIN #Ä sesame\n");
    let lines = next.heard(eve);
    assert!(!has(&lines, "322 eve #b") && has(&lines, " 473 eve #Ä "), "{lines:?}");
    // What locked them is not known: so nobody comes in whom the operator does not let in.
    next.say(eve, "JOIN #c,#other\n");
    let lines = next.heard(eve);
    assert!(has(&lines, " 473 eve #c ") && has(&lines, " 473 eve #other "), "{lines:?}");
    let again = asking(&mut next);
    next.say(again, &format!("RESUME {}\nNICK alice\nUSER u 0 * :r\nCAP END\n", token(alice)));
    next.heard(again);
    next.say(again, "JOIN #ä\n");
    let lines = next.heard(again);
    assert!(has(&lines, "332 alice #Ä :t") && has(&lines, ":@alice"), "{lines:?}");
}

#[test]
fn what_a_room_becomes_is_written_before_what_is_said_next() {
    let mut world = durable();
    let alice = member(&mut world, "alice");
    let block = "JOIN #a\nMODE #a +b eve!*@*\nPRIVMSG #a :banned her\n";
    world.hub.handle(Input::News(alice, News::Lines(block.as_bytes().into())), Moment::default());
    let outputs: Vec<Output> = world.hub.drain().collect();
    let banned = outputs.iter().rposition(|output| matches!(output, Output::Room { .. }));
    let said = outputs.iter().rposition(|output| matches!(output, Output::Store(_)));
    assert!(banned.is_some() && banned < said, "{outputs:?}");
}

#[test]
fn a_history_that_cannot_be_read_is_said_and_blocks_nothing() {
    let mut world = durable();
    let alice = member(&mut world, "alice");
    world.say(alice, "JOIN #a\n");
    world.stored();
    world.heard(alice);
    world.asked = Some(Vec::new());
    world.say(alice, "@label=1 CHATHISTORY LATEST #a * 5\nPING x\n");
    let (ticket, _) = world.asked.as_mut().and_then(Vec::pop).unwrap();
    world.give(Input::Answer { ticket, answer: Answer::Failed });
    let lines = world.heard(alice);
    assert!(
        lines[0].starts_with("@label=1 :parlor.local FAIL CHATHISTORY MESSAGE_ERROR LATEST #a :"),
        "{lines:?}"
    );
    assert!(lines.len() == 2 && lines[1].contains("PONG"), "{lines:?}");
    // An answer that nobody waits for is nothing.
    world.give(Input::Answer { ticket, answer: Answer::Failed });
    assert_eq!(world.heard(alice), [] as [String; 0]);
}

#[test]
fn wrong_tokens_end_a_connection_and_nobody_is_waited_for() {
    let mut world = World::new();
    let eve = asking(&mut world);
    world.say(eve, "NICK eve\nRESUME x\nRESUME y\nRESUME z\nPING after\n");
    let lines = world.heard(eve);
    assert!(has(&lines, "FAIL RESUME TOO_MANY") && !has(&lines, "PONG"), "{lines:?}");
    assert_eq!(world.closed, [eve]);
    world.check();
}
