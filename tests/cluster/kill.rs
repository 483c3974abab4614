//! `kill -9` of servers and of the Redis at random moments, twenty times, while sixty members talk and move.

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use parlor_server::testing::Random;
use parlor_tests::{Irc, Server};

use crate::house::House;
use crate::member::{Holdings, Member};
use crate::stage::Stage;

const SERVERS: usize = 3;
const MEMBERS: usize = 60;
const ROUNDS: usize = 20;

#[test]
fn nothing_echoed_is_lost_and_nothing_doubled_whoever_is_killed() {
    let Some(mut house) = House::new() else { return };
    let stage = Stage::default();
    let mut random = Random::drawn();
    let mut servers: Vec<Option<Server>> =
        (1..=SERVERS).map(|number| Some(house.launch(number, &[]).without_console().start())).collect();
    stage.now_at(&servers);
    let holdings: Vec<Holdings> = thread::scope(|scope| {
        let members: Vec<_> = (0..MEMBERS)
            .map(|number| scope.spawn(move || Member::new(number)).join().expect("made"))
            .collect();
        let members: Vec<_> = members.into_iter().map(|member| scope.spawn(|| member.run(&stage))).collect();
        for round in 0..ROUNDS {
            let said = stage.echoes();
            stage.wait_for_echoes(said + 2 * MEMBERS);
            thread::sleep(Duration::from_millis(random.number(400)));
            if round % 4 == 3 {
                house.kill_redis();
                thread::sleep(Duration::from_millis(random.number(1500)));
                house.start_redis();
                continue;
            }
            let number = random.below(SERVERS);
            if let Some(server) = servers[number].take() {
                server.crash();
            }
            stage.now_at(&servers);
            thread::sleep(Duration::from_millis(random.number(2000)));
            servers[number] = Some(house.launch(number + 1, &[]).without_console().start());
            stage.now_at(&servers);
        }
        let said = stage.echoes();
        stage.wait_for_echoes(said + 2 * MEMBERS);
        stage.end();
        members.into_iter().map(|member| member.join().expect("a member keeps the contract")).collect()
    });
    let histories: Vec<Vec<(String, String)>> = servers.iter().flatten().map(history).collect();
    assert_eq!(histories.len(), SERVERS);
    for other in &histories[1..] {
        let (first, missing) = (&histories[0], |a: &[(String, String)], b: &[(String, String)]| {
            a.iter().filter(|line| !b.contains(line)).cloned().collect::<Vec<_>>()
        });
        assert!(
            first == other,
            "one lacks {:?}, the other {:?}",
            missing(other, first),
            missing(first, other)
        );
    }
    judge(&histories[0], &holdings);
    servers.into_iter().flatten().for_each(|server| assert_eq!(server.stop(), 0));
}

/// Everything that the room remembers, page by page: msgids and the senders' names for the lines.
fn history(server: &Server) -> Vec<(String, String)> {
    let caps = ["message-tags", "server-time", "batch", "echo-message", "draft/chathistory"];
    let mut irc = Irc::connect(server).patience(Duration::from_secs(60));
    irc.send(&format!("NICK reader{}", server.id()));
    irc.send("USER u 0 * :x");
    irc.welcomed();
    irc.request(&caps);
    irc.join("#lobby");
    irc.remembered("#lobby")
}

fn judge(history: &[(String, String)], holdings: &[Holdings]) {
    assert!(history.is_sorted_by(|one, next| one.0 < next.0), "ids rise");
    let mut by_name: BTreeMap<&str, &str> = BTreeMap::new();
    for (msgid, name) in history {
        let before = by_name.insert(name, msgid);
        assert_eq!(before, None, "{name} is kept twice");
    }
    let mut echoed = 0;
    for (i, has) in holdings.iter().enumerate() {
        echoed += has.echoed.len();
        for (name, msgid) in &has.echoed {
            assert_eq!(by_name.get(name.as_str()), Some(&msgid.as_str()), "m{i} had the echo of {name}");
        }
        let kept: BTreeMap<&str, &str> =
            history.iter().map(|(msgid, name)| (msgid.as_str(), name.as_str())).collect();
        for (msgid, name) in &has.held {
            assert_eq!(kept.get(msgid.as_str()), Some(&name.as_str()), "m{i} shows {name}, which nobody has");
        }
    }
    // Nothing that a living member said is lost: all of it was echoed in the end.
    assert_eq!(echoed, history.len(), "each line is somebody's");
    assert!(echoed > ROUNDS * MEMBERS, "people talked");
}
