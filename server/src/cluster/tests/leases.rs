//! Servers that begin, fall silent, and leave.

use std::time::Duration;

use futures_lite::future;

use super::engine::Engine;
use super::node::{Node, options, scenario, until};
use super::proxy::Proxy;
use crate::cluster::clock::now;
use crate::cluster::{Error, Event, Options, Start, join};

#[test]
fn of_two_that_come_at_once_one_founds_the_cluster() {
    let Some(engine) = Engine::always() else { return };
    scenario(async |executor| {
        let start = || Node::start(&executor, options(engine.port));
        let (one, two) = future::zip(start(), start()).await;
        assert_eq!(one.cluster, two.cluster);
        assert_eq!(one.server + two.server, 3);
        one.say("hello");
        future::zip(one.hears(1), two.hears(1)).await;
    });
}

#[test]
fn one_that_gives_up_before_it_has_founded_the_cluster_is_no_obstacle() {
    let Some(engine) = Engine::always() else { return };
    scenario(async |executor| {
        let settings = vec![("--default-room", "#hall".to_owned())];
        let joined = join(Options { settings, ..options(engine.port) }).await.unwrap();
        assert_eq!(joined.start, Start::Found);
        joined.abandon().await;
        assert_eq!(engine.ask(&["EXISTS", "parlor:{test}:servers", "parlor:{test}:lease:1"]), "0");
        let one = Node::start(&executor, options(engine.port)).await;
        assert_eq!(one.server, 2);
        one.say("hello");
        one.hears(1).await;
    });
}

#[test]
fn one_that_is_silent_for_too_long_is_fenced_and_begins_anew() {
    let Some(engine) = Engine::always() else { return };
    scenario(async |executor| {
        let way = Proxy::start(&executor, engine.port);
        let silent = Node::start(&executor, options(way.port)).await;
        let two = Node::start(&executor, options(engine.port)).await;
        let three = Node::start(&executor, options(engine.port)).await;
        silent.say("hello");
        two.hears(1).await;
        way.stopped.set(true);
        silent.say("too late");
        two.hears(2).await;
        assert_eq!(two.said()[1], "1 is gone");
        way.stopped.set(false);
        until("that it begins anew", || silent.is_fenced()).await;
        two.say("goes on");
        two.hears(3).await;
        three.hears(3).await;
        assert_eq!(two.said(), three.said());
        assert!(two.told(|event| *event == Event::Expired { server: 1 }) > 0);
        let again = Node::start(&executor, options(engine.port)).await;
        assert_eq!((again.server, again.alive.clone()), (4, vec![2, 3, 4]));
        // One that leaves is gone for the others too, without the time of its lease; what waited is appended.
        three.say("good-bye");
        let left = now();
        three.link.leave(Duration::from_secs(10)).await;
        assert!(left.elapsed() < Duration::from_secs(8));
        two.hears(5).await;
        assert_eq!(two.said()[3..], ["good-bye", "3 is gone"]);
    });
}

#[test]
fn a_lease_that_is_gone_without_a_fence_is_taken_again() {
    let Some(engine) = Engine::always() else { return };
    scenario(async |executor| {
        let one = Node::start(&executor, options(engine.port)).await;
        engine.ask(&["DEL", "parlor:{test}:lease:1"]);
        one.say("hello");
        one.hears(1).await;
        assert_eq!(engine.ask(&["EXISTS", "parlor:{test}:lease:1"]), "1");
        // One that somebody else has is not.
        engine.ask(&["SET", "parlor:{test}:lease:1", "another"]);
        one.say("too late");
        until("that it begins anew", || one.is_fenced()).await;
        assert_eq!(one.count(), 1);
    });
}

#[test]
fn a_server_begins_anew_where_another_cluster_has_the_name() {
    let Some(engine) = Engine::always() else { return };
    scenario(async |executor| {
        let one = Node::start(&executor, options(engine.port)).await;
        engine.ask(&["HSET", "parlor:{test}:meta", "birth", "another"]);
        one.say("hello");
        until("that it begins anew", || one.is_fenced()).await;
        assert_eq!(one.count(), 0);
    });
}

#[test]
fn a_new_server_founds_no_other_cluster_where_the_engine_was_emptied() {
    let Some(engine) = Engine::always() else { return };
    scenario(async |executor| {
        let one = Node::start(&executor, options(engine.port)).await;
        one.say("hello");
        one.hears(1).await;
        let listens = || engine.ask(&["PUBSUB", "CHANNELS"]).contains("to:1");
        until("a subscription", listens).await;
        engine.ask(&["FLUSHALL"]);
        let two = Node::start(&executor, options(engine.port)).await;
        assert_eq!(two.cluster, one.cluster);
        assert_ne!(two.server, one.server);
        two.hears(1).await;
        assert!(!one.is_fenced());
    });
}

#[test]
fn a_server_that_was_fenced_before_its_engine_was_emptied_stays_so() {
    let Some(engine) = Engine::always() else { return };
    scenario(async |executor| {
        let way = Proxy::start(&executor, engine.port);
        let silent = Node::start(&executor, options(way.port)).await;
        let two = Node::start(&executor, options(engine.port)).await;
        way.stopped.set(true);
        engine.ask(&["DEL", "parlor:{test}:lease:1"]);
        two.link.fence(1, b"1 is gone"[..].into());
        two.hears(1).await;
        engine.ask(&["FLUSHALL"]);
        two.say("hello");
        two.hears(2).await;
        silent.say("too late");
        way.stopped.set(false);
        until("that it begins anew", || silent.is_fenced()).await;
        assert_eq!(two.count(), 2);
        let error = join(Options { format: 2, ..options(engine.port) }).await;
        assert!(matches!(error, Err(Error::Format { .. })));
    });
}
