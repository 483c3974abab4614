//! `kill -9` at any moment, twenty times, while twenty members talk.

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use parlor_server::testing::Random;
use parlor_tests::{Irc, Launch, Scratch, Server};

use crate::member::{Holdings, Member};
use crate::stage::Stage;

const MEMBERS: usize = 20;
const ROUNDS: usize = 20;
/// Milliseconds after which a server is killed.
const LIVES: usize = 100;

#[test]
fn what_was_echoed_survives_kill_9() {
    let (scratch, stage) = (Scratch::new(), Stage::default());
    let data = scratch.file("data");
    let launch = || Launch::new(&["--data", &data]).without_console().start();
    let mut random = Random::drawn();
    let holdings: Vec<Holdings> = thread::scope(|scope| {
        let members: Vec<_> =
            (0..MEMBERS).map(Member::new).map(|member| scope.spawn(|| member.run(&stage))).collect();
        for round in 0..ROUNDS {
            let server = launch();
            stage.start(server.address());
            // Half of them fall while people come in and catch up.
            if round % 2 == 0 {
                stage.wait_until_spoke(MEMBERS);
            }
            thread::sleep(Duration::from_millis(random.below(LIVES) as u64));
            server.signal("KILL");
            assert_eq!(server.wait().code, -1, "the signal ended it");
        }
        let server = launch();
        stage.start(server.address());
        stage.wait_until_spoke(MEMBERS);
        stage.end();
        members.into_iter().map(|member| member.join().expect("a member keeps the contract")).collect()
    });
    let server = launch();
    let history = history(&server);
    judge(&history, &holdings);
    assert_eq!(server.stop(), 0);
}

/// Everything that the room remembers, page by page: msgids and the senders' names for the lines.
pub(crate) fn history(server: &Server) -> Vec<(String, String)> {
    let mut irc = Irc::connect(server).register_with(
        "reader",
        &["message-tags", "server-time", "batch", "echo-message", "draft/chathistory"],
    );
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
        let held: Vec<(&str, &str)> =
            has.held.iter().map(|(msgid, name)| (msgid.as_str(), name.as_str())).collect();
        let kept: Vec<(&str, &str)> =
            history.iter().map(|(msgid, name)| (msgid.as_str(), name.as_str())).collect();
        let lacks: Vec<_> = kept.iter().filter(|line| !has.held.contains_key(line.0)).collect();
        let more: Vec<_> = held.iter().filter(|line| by_name.get(line.1) != Some(&line.0)).collect();
        assert!(held == kept, "m{i} lacks {lacks:?} and has besides {more:?}");
    }
    // Nothing that a living member said is lost: all of it was echoed in the end.
    assert_eq!(echoed, history.len(), "each line is somebody's");
    assert!(echoed > ROUNDS * MEMBERS, "people talked");
}
