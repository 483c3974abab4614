//! A server whose state is the list of all that was ever said.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use smol::{LocalExecutor, Task, Timer};

use crate::cluster::clock::now;
use crate::cluster::{Entry, Error, Event, Joined, Link, Options, Start, join};
use crate::protocol::Position;

/// For whatever is waited for: machines are loaded.
const DEADLINE: Duration = Duration::from_secs(45);

pub(super) fn options(port: u16) -> Options {
    Options {
        address: format!("redis://127.0.0.1:{port}/test").parse().unwrap(),
        format: 1,
        settings: vec![("--default-room", "#lobby".to_owned())],
        member_of: None,
        cloak_key: [7; 16],
        boot: 5,
        known_upto: None,
    }
}

#[derive(Default)]
pub(super) struct Seen {
    /// All that was said, from the beginning.
    pub(super) said: Vec<String>,
    pub(super) last: Position,
    /// What else was told.
    pub(super) events: Vec<Event>,
}

impl Seen {
    fn take(&mut self, entry: &Entry) {
        assert!(entry.at > self.last, "{} comes behind {}", entry.at, self.last);
        self.last = entry.at;
        self.said.push(String::from_utf8(entry.bytes.to_vec()).unwrap());
    }

    fn snapshot(&self) -> Arc<[u8]> {
        format!("\n{}", self.said.join("\n")).into_bytes().into()
    }
}

pub(super) struct Node {
    pub(super) server: u32,
    pub(super) cluster: u64,
    pub(super) link: Link,
    pub(super) seen: Rc<RefCell<Seen>>,
    pub(super) alive: Vec<u32>,
    _task: Task<()>,
}

impl Node {
    pub(super) async fn start(executor: &LocalExecutor<'static>, options: Options) -> Node {
        Node::run(executor, join(options).await.unwrap()).await.unwrap()
    }

    /// Begins as a server does.
    pub(super) async fn run(executor: &LocalExecutor<'static>, mut joined: Joined) -> Result<Node, Error> {
        let mut seen = Seen::default();
        match joined.start.clone() {
            Start::Found => joined.found(seen.snapshot()).await?,
            Start::From { at, snapshot } => {
                seen.last = at;
                let text = String::from_utf8(snapshot.to_vec()).unwrap();
                seen.said = text.lines().skip(1).map(str::to_owned).collect();
            }
        }
        loop {
            let entries = joined.catch_up().await?;
            if entries.is_empty() {
                break;
            }
            entries.iter().for_each(|entry| seen.take(entry));
        }
        let alive = joined.alive().await?;
        let (server, cluster) = (joined.server, joined.cluster);
        let (tell, told) = async_channel::bounded(4);
        let link = joined.run(executor, tell);
        let seen = Rc::new(RefCell::new(seen));
        let (sees, fences) = (Rc::clone(&seen), link.clone());
        let task = executor.spawn(async move {
            while let Ok(event) = told.recv().await {
                let seen = &mut *sees.borrow_mut();
                match event {
                    Event::Entries(entries) => entries.iter().for_each(|entry| seen.take(entry)),
                    other => {
                        if let Event::Expired { server } = other {
                            fences.fence(server, format!("{server} is gone").as_bytes().into());
                        }
                        seen.events.push(other);
                    }
                }
            }
        });
        Ok(Node { server, cluster, link, seen, alive, _task: task })
    }

    pub(super) fn say(&self, text: &str) {
        self.link.propose(text.as_bytes().into());
    }

    pub(super) fn said(&self) -> Vec<String> {
        self.seen.borrow().said.clone()
    }

    pub(super) fn count(&self) -> usize {
        self.seen.borrow().said.len()
    }

    /// How many times something was told.
    pub(super) fn told(&self, matches: impl Fn(&Event) -> bool) -> usize {
        self.seen.borrow().events.iter().filter(|event| matches(event)).count()
    }

    pub(super) fn is_fenced(&self) -> bool {
        self.told(|event| matches!(event, Event::Fenced { .. })) > 0
    }

    pub(super) fn keep_snapshot(&self) {
        let seen = self.seen.borrow();
        self.link.keep_snapshot(seen.last, seen.snapshot());
    }

    /// Waits until all of these were said, each once.
    pub(super) async fn hears(&self, wanted: usize) {
        until(&format!("{wanted} entries at {}", self.server), || {
            let count = self.count();
            assert!(count <= wanted, "{count} entries at {}", self.server);
            count == wanted || self.is_fenced()
        })
        .await;
        assert!(!self.is_fenced(), "{:?}", self.seen.borrow().events);
    }
}

pub(super) async fn until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = now() + DEADLINE;
    while !done() {
        assert!(now() < deadline, "{what}");
        Timer::after(Duration::from_millis(5)).await;
    }
}

/// Runs a scenario with an executor of its own.
pub(super) fn scenario<F: Future<Output = ()>>(play: impl FnOnce(Rc<LocalExecutor<'static>>) -> F) {
    let executor = Rc::new(LocalExecutor::new());
    smol::block_on(executor.run(play(Rc::clone(&executor))));
}

/// Each of these was said once, and everybody heard them in one order.
pub(super) fn agree(nodes: &[&Node], wanted: &[String]) {
    let first = nodes[0].said();
    for node in nodes {
        assert_eq!(node.said(), first, "{}", node.server);
    }
    let mut sorted = [first, wanted.to_vec()];
    sorted.iter_mut().for_each(|list| list.sort());
    let [said, wanted] = sorted;
    assert_eq!(said, wanted);
}
