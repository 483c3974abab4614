//! The engine goes away, and forgets.

use std::time::Duration;

use smol::Timer;

use super::engine::Engine;
use super::node::{Node, agree, options, scenario, until};
use super::order::while_talking;
use super::proxy::Proxy;
use crate::cluster::Event;

fn away(event: &Event) -> bool {
    matches!(event, Event::Away { .. })
}

fn put_back(event: &Event) -> bool {
    matches!(event, Event::PutBack { .. })
}

async fn sleep(milliseconds: u64) {
    Timer::after(Duration::from_millis(milliseconds)).await;
}

/// Waits until the first of them hears something more; none begins anew.
async fn talks_again(nodes: [&Node; 2]) {
    let before = nodes[0].count();
    until("talk again", || {
        for node in nodes {
            assert!(!node.is_fenced(), "{}: {:?}", node.server, node.seen.borrow().events);
        }
        nodes[0].count() > before
    })
    .await;
}

/// `kill -9` a few times while servers talk.
fn killed(arguments: &[&str]) {
    let Some(mut engine) = Engine::start(arguments) else { return };
    scenario(async |executor| {
        let one = Node::start(&executor, options(engine.port)).await;
        let two = Node::start(&executor, options(engine.port)).await;
        while_talking(&executor, &[&one, &two], async {
            for _ in 0..3 {
                sleep(300).await;
                engine.kill();
                sleep(100).await;
                engine.run();
                talks_again([&one, &two]).await;
            }
        })
        .await;
    });
}

#[test]
fn nothing_is_lost_where_the_engine_is_killed_that_flushes_always() {
    killed(&["--appendfsync", "always"]);
}

#[test]
fn nothing_is_lost_where_the_engine_is_killed_that_flushes_every_second() {
    killed(&["--appendfsync", "everysec"]);
}

#[test]
fn an_engine_that_has_forgotten_everything_is_told_again() {
    let Some(engine) = Engine::always() else { return };
    scenario(async |executor| {
        let one = Node::start(&executor, options(engine.port)).await;
        let two = Node::start(&executor, options(engine.port)).await;
        while_talking(&executor, &[&one, &two], async {
            for round in 0..2 {
                let before = one.count();
                until("talk", || one.count() > before + 100).await;
                // Each has another snapshot.
                if round == 1 {
                    two.keep_snapshot();
                }
                engine.ask(&["FLUSHALL"]);
                until("entries that are put back", || one.told(put_back) + two.told(put_back) > round).await;
                talks_again([&one, &two]).await;
            }
        })
        .await;
        let third = Node::start(&executor, options(engine.port)).await;
        assert_eq!(third.cluster, one.cluster);
        third.hears(one.count()).await;
        assert_eq!(third.said(), one.said());
        one.say("goes on");
        third.hears(one.count() + 1).await;
    });
}

#[test]
fn what_nobody_has_read_before_the_engine_forgot_it_is_appended_again() {
    let Some(engine) = Engine::always() else { return };
    scenario(async |executor| {
        let [way, other_way] = [(); 2].map(|()| Proxy::start(&executor, engine.port));
        let one = Node::start(&executor, options(way.port)).await;
        let two = Node::start(&executor, options(other_way.port)).await;
        one.say("both hear it");
        two.hears(1).await;
        one.hears(1).await;
        way.deaf.set(true);
        other_way.deaf.set(true);
        one.say("nobody hears it");
        until("an entry", || one.link.waiting() == 0).await;
        engine.ask(&["FLUSHALL"]);
        // It is the other one that notices first.
        two.say("something else");
        until("that it is put back", || two.told(put_back) == 1).await;
        way.deaf.set(false);
        other_way.deaf.set(false);
        one.hears(3).await;
        two.hears(3).await;
        agree(&[&one, &two], &["both hear it", "nobody hears it", "something else"].map(str::to_owned));
    });
}

#[test]
fn who_has_not_read_what_the_snapshot_of_another_holds_reads_it_after_all() {
    let Some(engine) = Engine::always() else { return };
    scenario(async |executor| {
        let way = Proxy::start(&executor, engine.port);
        let one = Node::start(&executor, options(way.port)).await;
        let two = Node::start(&executor, options(engine.port)).await;
        let mut wanted = vec!["both hear it".to_owned()];
        two.say("both hear it");
        one.hears(1).await;
        way.deaf.set(true);
        for number in 0..50 {
            wanted.push(format!("one of them hears {number}"));
            two.say(&wanted[number + 1]);
        }
        two.hears(51).await;
        two.keep_snapshot();
        engine.ask(&["FLUSHALL"]);
        two.say("goes on");
        until("that it is put back", || two.told(put_back) == 1).await;
        way.deaf.set(false);
        one.hears(52).await;
        two.hears(52).await;
        wanted.push("goes on".to_owned());
        agree(&[&one, &two], &wanted);
    });
}

/// Whoever puts it back may die at any moment: others can begin with what it has left.
#[test]
fn what_was_put_back_by_a_server_that_died_then_is_enough_to_begin_with() {
    let Some(engine) = Engine::always() else { return };
    scenario(async |executor| {
        let way = Proxy::start(&executor, engine.port);
        let one = Node::start(&executor, options(way.port)).await;
        for number in 0..50 {
            one.say(&format!("line {number}"));
        }
        one.hears(50).await;
        one.keep_snapshot();
        until("a snapshot", || engine.ask(&["HLEN", "parlor:{test}:snapshots"]) == "2").await;
        way.operation.set("restore");
        way.cuts.set(1);
        engine.ask(&["FLUSHALL"]);
        one.say("never comes");
        until("that it is put back", || way.cuts.get() == 0).await;
        until("a snapshot", || engine.ask(&["HLEN", "parlor:{test}:snapshots"]) == "1").await;
        way.stopped.set(true);
        let two = Node::start(&executor, options(engine.port)).await;
        two.hears(50).await;
        two.say("goes on");
        two.hears(51).await;
        assert_eq!(two.said()[..50], one.said()[..50]);
    });
}

#[test]
fn an_engine_with_an_older_copy_of_its_data_is_told_the_rest() {
    let Some(mut engine) = Engine::always() else { return };
    scenario(async |executor| {
        let one = Node::start(&executor, options(engine.port)).await;
        let two = Node::start(&executor, options(engine.port)).await;
        while_talking(&executor, &[&one, &two], async {
            until("talk", || one.count() > 100).await;
            let copy = engine.save("copy");
            let before = one.count();
            until("talk", || one.count() > before + 200).await;
            // What the older copy has is before the snapshot that they have now.
            one.keep_snapshot();
            two.keep_snapshot();
            until("talk", || one.count() > before + 400).await;
            engine.kill();
            engine.replace(&copy);
            engine.run();
            until("entries that are put back", || one.told(put_back) + two.told(put_back) > 0).await;
        })
        .await;
        let third = Node::start(&executor, options(engine.port)).await;
        third.hears(one.count()).await;
        assert_eq!(third.said(), one.said());
    });
}

#[test]
fn a_number_that_the_engine_has_forgotten_is_given_to_nobody_else() {
    let Some(mut engine) = Engine::always() else { return };
    scenario(async |executor| {
        let one = Node::start(&executor, options(engine.port)).await;
        let copy = engine.save("copy");
        let way = Proxy::start(&executor, engine.port);
        let two = Node::start(&executor, options(way.port)).await;
        two.say("what it had said");
        one.hears(1).await;
        let third = Node::start(&executor, options(way.port)).await;
        // Both stand still, and cannot say that they are there; nobody has heard of the last one.
        way.stopped.set(true);
        engine.kill();
        engine.replace(&copy);
        engine.run();
        until("an entry that is put back", || one.told(put_back) > 0).await;
        let new = Node::start(&executor, options(engine.port)).await;
        new.hears(1).await;
        assert!(![one.server, two.server, third.server].contains(&new.server), "{}", new.server);
        way.stopped.set(false);
        for (node, text) in [(&two, "two"), (&third, "third"), (&new, "new")] {
            node.say(text);
        }
        new.hears(4).await;
        assert_eq!(new.said()[0], "what it had said");
        assert!(!two.is_fenced() && !third.is_fenced());
    });
}

#[test]
fn who_has_read_what_is_not_in_the_log_begins_anew() {
    let Some(mut engine) = Engine::always() else { return };
    scenario(async |executor| {
        let (way, other_way) = (Proxy::start(&executor, engine.port), Proxy::start(&executor, engine.port));
        let one = Node::start(&executor, options(way.port)).await;
        let two = Node::start(&executor, options(other_way.port)).await;
        one.say("both hear it");
        two.hears(1).await;
        one.hears(1).await;
        let copy = engine.save("copy");
        other_way.stopped.set(true);
        one.say("only one hears it");
        one.hears(2).await;
        way.stopped.set(true);
        engine.kill();
        engine.replace(&copy);
        engine.run();
        other_way.stopped.set(false);
        two.say("something else");
        two.hears(2).await;
        way.stopped.set(false);
        until("that one of them begins anew", || one.is_fenced()).await;
        assert!(!two.is_fenced());
        let again = Node::start(&executor, options(engine.port)).await;
        again.hears(2).await;
        agree(&[&two, &again], &["both hear it".to_owned(), "something else".to_owned()]);
    });
}

/// Longer than a lease, so that all leases are over in between.
#[test]
fn what_is_said_while_the_engine_is_away_is_appended_once_it_is_back() {
    let Some(mut engine) = Engine::always() else { return };
    scenario(async |executor| {
        let one = Node::start(&executor, options(engine.port)).await;
        let two = Node::start(&executor, options(engine.port)).await;
        while_talking(&executor, &[&one, &two], async {
            sleep(200).await;
            engine.kill();
            until("that it is away", || one.told(away) + two.told(away) == 2).await;
            sleep(16_000).await;
            assert!(one.link.waiting() > 0);
            engine.run();
            let back = |event: &Event| *event == Event::Back;
            until("that it is back", || one.told(back) + two.told(back) == 2).await;
            sleep(6_000).await;
        })
        .await;
        for node in [&one, &two] {
            assert_eq!(node.told(away), 1);
            assert_eq!(node.told(|event| matches!(event, Event::Expired { .. })), 0);
        }
    });
}

#[test]
fn an_engine_that_does_not_answer_is_away() {
    let Some(engine) = Engine::always() else { return };
    scenario(async |executor| {
        let one = Node::start(&executor, options(engine.port)).await;
        let two = Node::start(&executor, options(engine.port)).await;
        while_talking(&executor, &[&one, &two], async {
            // A short hiccup is nobody's business.
            engine.freeze(true);
            sleep(500).await;
            engine.freeze(false);
            sleep(300).await;
            assert_eq!(one.told(|_| true) + two.told(|_| true), 0);
            engine.freeze(true);
            until("that it is away", || one.told(away) + two.told(away) == 2).await;
            sleep(6_000).await;
            engine.freeze(false);
            let back = |event: &Event| *event == Event::Back;
            until("that it is back", || one.told(back) + two.told(back) == 2).await;
        })
        .await;
        assert_eq!((one.told(away), two.told(away)), (1, 1));
    });
}
