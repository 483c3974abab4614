//! One order for all.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use smol::{LocalExecutor, Task, Timer};

use super::engine::Engine;
use super::node::{Node, agree, options, scenario, until};
use super::proxy::Proxy;
use crate::cluster::{Event, Start, join};

/// Has a server say something every few milliseconds, until it is told to stop; gives what was said.
fn talk(executor: &LocalExecutor<'static>, node: &Node, stop: &Rc<Cell<bool>>) -> Task<Vec<String>> {
    let (server, link, stop) = (node.server, node.link.clone(), Rc::clone(stop));
    executor.spawn(async move {
        let mut said = Vec::new();
        while !stop.get() {
            for _ in 0..5 {
                let text = format!("{server} says {}", said.len());
                link.propose(text.as_bytes().into());
                said.push(text);
            }
            Timer::after(Duration::from_millis(3)).await;
        }
        said
    })
}

/// Servers talk while something happens; in the end each has heard all of it once, and in one order.
pub(super) async fn while_talking(
    executor: &LocalExecutor<'static>,
    nodes: &[&Node],
    happens: impl Future<Output = ()>,
) {
    let before = nodes[0].said();
    let stop = Rc::new(Cell::new(false));
    let talks: Vec<_> = nodes.iter().map(|node| talk(executor, node, &stop)).collect();
    happens.await;
    Timer::after(Duration::from_millis(200)).await;
    stop.set(true);
    let mut wanted = before;
    for talk in talks {
        wanted.extend(talk.await);
    }
    for node in nodes {
        node.hears(wanted.len()).await;
    }
    agree(nodes, &wanted);
}

#[test]
fn two_servers_hear_everything_once_and_in_one_order() {
    let Some(engine) = Engine::always() else { return };
    scenario(async |executor| {
        let one = Node::start(&executor, options(engine.port)).await;
        let two = Node::start(&executor, options(engine.port)).await;
        assert_eq!((one.server, two.server), (1, 2));
        assert_eq!(one.cluster, two.cluster);
        assert_eq!((&one.alive, &two.alive), (&vec![1], &vec![1, 2]));
        let mut wanted = Vec::new();
        for at in 0..1000 {
            for node in [&one, &two] {
                let text = format!("{} says {at}", node.server);
                node.say(&text);
                wanted.push(text);
            }
        }
        assert!(one.link.waiting() > 0);
        one.hears(2000).await;
        two.hears(2000).await;
        agree(&[&one, &two], &wanted);
        assert_eq!(one.link.waiting() + two.link.waiting(), 0);
        // Of each server in its own order.
        let of_one: Vec<_> = one.said().into_iter().filter(|text| text.starts_with('1')).collect();
        assert_eq!(of_one, (0..1000).map(|at| format!("1 says {at}")).collect::<Vec<_>>());
    });
}

#[test]
fn large_entries_are_read_and_one_that_is_too_large_is_left_out() {
    let Some(engine) = Engine::start(&["--appendfsync", "no"]) else { return };
    scenario(async |executor| {
        let one = Node::start(&executor, options(engine.port)).await;
        let large = "x".repeat(crate::cluster::MAX_ENTRY);
        let wanted: Vec<_> = (0..300).map(|_| large.clone()).collect();
        wanted.iter().for_each(|text| one.say(text));
        one.say(&format!("{large}x"));
        one.hears(300).await;
        agree(&[&one], &wanted);
        assert_eq!(one.told(|_| true), 0);
    });
}

#[test]
fn an_answer_that_is_lost_makes_no_second_entry() {
    let Some(engine) = Engine::always() else { return };
    scenario(async |executor| {
        let proxy = Proxy::start(&executor, engine.port);
        let one = Node::start(&executor, options(proxy.port)).await;
        let two = Node::start(&executor, options(engine.port)).await;
        while_talking(&executor, &[&one, &two], async {
            for _ in 0..12 {
                proxy.cuts.set(1);
                until("an append", || proxy.cuts.get() == 0).await;
            }
        })
        .await;
    });
}

#[test]
fn a_third_begins_with_a_snapshot_and_what_came_after_it_under_load() {
    let Some(engine) = Engine::always() else { return };
    scenario(async |executor| {
        let one = Node::start(&executor, options(engine.port)).await;
        let two = Node::start(&executor, options(engine.port)).await;
        let third = Cell::new(None);
        while_talking(&executor, &[&one, &two], async {
            for round in 0..6 {
                let before = one.count();
                until("talk", || one.count() > before + 300).await;
                one.keep_snapshot();
                two.keep_snapshot();
                // Of one place or of two.
                until("a snapshot", || {
                    let count: usize = engine.ask(&["HLEN", "parlor:{test}:snapshots"]).parse().unwrap();
                    assert!(count <= 4);
                    count >= (round + 2).min(4)
                })
                .await;
            }
            let joined = join(options(engine.port)).await.unwrap();
            let Start::From { at, .. } = joined.start else { panic!("founded anew") };
            assert!(at > Default::default());
            third.set(Some(Node::run(&executor, joined).await.unwrap()));
        })
        .await;
        let third = third.take().unwrap();
        third.hears(one.count()).await;
        assert_eq!(third.said(), one.said());
        // The log was trimmed to the oldest snapshot.
        let length: usize = engine.ask(&["XLEN", "parlor:{test}:log"]).parse().unwrap();
        assert!(length + 600 < one.count(), "{length} of {}", one.count());
        // One whose own history reaches only so far begins with the snapshot before that.
        let oldest = engine.ask(&["HKEYS", "parlor:{test}:snapshots"]);
        let place = |text: &str| crate::protocol::Position::parse(text.as_bytes()).unwrap();
        let mut places: Vec<_> = oldest.lines().map(place).collect();
        places.sort();
        for (known_upto, expected) in [
            (Some(places[1]), places[1]),
            (Some(Default::default()), places[0]),
            (None, places[places.len() - 1]),
        ] {
            let joined = join(crate::cluster::Options { known_upto, ..options(engine.port) }).await.unwrap();
            let Start::From { at, .. } = joined.start else { panic!("founded anew") };
            assert_eq!(at, expected);
            joined.abandon().await;
        }
    });
}

#[test]
fn what_is_published_is_heard_by_the_server_it_is_for_or_by_nobody() {
    let Some(mut engine) = Engine::always() else { return };
    scenario(async |executor| {
        let one = Node::start(&executor, options(engine.port)).await;
        let two = Node::start(&executor, options(engine.port)).await;
        until("a subscription", || engine.ask(&["PUBSUB", "NUMSUB", "parlor:{test}:to:2"]).ends_with('1'))
            .await;
        one.link.publish(Some(2), 10, b"hello"[..].into());
        one.link.publish(Some(9), 11, b"nobody"[..].into());
        let heard = |ticket, heard| move |event: &Event| *event == Event::Heard { ticket, heard };
        until("answers", || one.told(heard(10, true)) == 1 && one.told(heard(11, false)) == 1).await;
        let hello = |event: &Event| matches!(event, Event::Private(bytes) if **bytes == *b"hello");
        until("a private word", || two.told(hello) == 1).await;
        one.link.publish(None, 13, b"to all"[..].into());
        let to_all = |event: &Event| matches!(event, Event::Private(bytes) if **bytes == *b"to all");
        until("a word to all", || one.told(heard(13, true)) + one.told(to_all) + two.told(to_all) == 3).await;
        engine.kill();
        one.link.publish(Some(2), 12, b"hello?"[..].into());
        until("an answer", || one.told(heard(12, false)) == 1).await;
        assert_eq!(one.told(|event| matches!(event, Event::Heard { .. })), 4);
        assert_eq!(two.told(|event| matches!(event, Event::Private(_))), 2);
    });
}
