//! What the other parts of a server hold of the log.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use async_channel::Sender;
use futures_lite::{FutureExt, future};
use smol::{LocalExecutor, Task};

use super::clock::now;
use super::connection::Connection;
use super::history::History;
use super::listener::Listener;
use super::part::{Part, run};
use super::reader::Reader;
use super::script::{Identity, Script};
use super::shared::{Event, FENCED, Publication, Shared, ring, rung};
use super::writer::Writer;
use crate::protocol::Position;

/// Beyond the time that is given, so long may it take to give up the lease.
const LEAVE: Duration = Duration::from_secs(1);
/// Why a server begins anew one of whose parts has failed by a fault of ours.
const FAULT: &str = "what speaks to the engine has failed";

/// The running side of a server's place in a cluster; cheap to clone, and nothing of it waits but [`Link::leave`]. With the
/// last one everything ends.
#[derive(Clone)]
pub struct Link(Rc<Inner>);

struct Inner {
    shared: Rc<Shared>,
    task: Task<()>,
}

impl Link {
    pub(super) fn run(
        me: Identity,
        connection: Connection,
        script: Script,
        history: History,
        executor: &LocalExecutor<'static>,
        tell: Sender<Event>,
    ) -> Link {
        let shared = Rc::new(Shared::new(me, history, tell));
        let spawn = |part: Box<dyn Part>, given: Option<Connection>| {
            let running = AssertUnwindSafe(run(Rc::clone(&shared), part, given)).catch_unwind();
            executor.spawn(async { running.await.unwrap_or(FAULT) })
        };
        let parts = [
            spawn(Box::new(Writer::new(script)), Some(connection)),
            spawn(Box::new(Reader), None),
            spawn(Box::<Listener>::default(), None),
        ];
        let watched = Rc::clone(&shared);
        let watch = executor.spawn(async move { watched.watch().await });
        let task = executor.spawn(end(Rc::clone(&shared), parts, watch));
        Link(Rc::new(Inner { shared, task }))
    }

    /// Appends an entry of at most [`MAX_ENTRY`](super::MAX_ENTRY) bytes, in the order of the calls. What is not in the log
    /// yet is kept and tried again, whatever becomes of the connection; each is in the log once. An entry that is longer is
    /// left out.
    pub fn propose(&self, bytes: Box<[u8]>) {
        self.0.shared.propose(bytes);
    }

    /// Bytes that wait to be appended. Nothing else bounds them: propose nothing more where they are too many.
    pub fn waiting(&self) -> usize {
        self.0.shared.state.borrow().waiting
    }

    /// Hands something to one server, if it is there now, or to all, this one too, as soon as the engine is there, perhaps
    /// twice: [`Event::Heard`] tells whether anybody was there. At most 4 MB wait; nobody hears what is more.
    pub fn publish(&self, server: Option<u32>, ticket: u64, bytes: Box<[u8]>) {
        self.0.shared.publish(Publication { server, ticket, bytes });
    }

    /// Ends the lease of a server whose lease is over, and appends this entry that says so, both or nothing; it begins anew if
    /// it comes back. Nothing happens if its lease is not over, or somebody else was first. The order with proposals is
    /// not defined.
    pub fn fence(&self, server: u32, bytes: Box<[u8]>) {
        self.0.shared.fence(server, bytes);
    }

    /// Keeps a snapshot, which must not be empty, of the state right after `at`, here and at the engine, and lets the log be
    /// trimmed that is older than the oldest of the four that are kept. To be called after 10,000 entries or 4 MB at the
    /// latest: so much is kept in memory.
    pub fn keep_snapshot(&self, at: Position, bytes: Arc<[u8]>) {
        self.0.shared.state.borrow_mut().keep_snapshot(at, bytes);
        ring(&self.0.shared.bell);
    }

    /// Gives up the lease, after what waits is appended or the time is over.
    pub async fn leave(&self, within: Duration) {
        if !self.0.task.is_finished() {
            self.0.shared.state.borrow_mut().leave_at = Some(now() + within);
            ring(&self.0.shared.bell);
            rung(&self.0.shared.left, within + LEAVE).await;
        }
    }
}

/// Waits until one of the parts says why this server has to begin anew.
async fn end(shared: Rc<Shared>, mut parts: [Task<&'static str>; 3], watch: Task<()>) {
    let why = future::poll_fn(|context| {
        let mut ends = parts.iter_mut().map(|part| Pin::new(part).poll(context));
        ends.find(Poll::is_ready).unwrap_or(Poll::Pending)
    });
    let why = why.await;
    drop((parts, watch));
    if why != FENCED {
        // Otherwise the others would wait for the end of a lease that nobody has any more.
        let leaving = run(Rc::clone(&shared), Box::new(Writer::leaver()), None);
        shared.state.borrow_mut().leave_at = Some(now());
        let left = async {
            rung(&shared.left, LEAVE).await;
            ""
        };
        future::or(leaving, left).await;
    }
    // Nobody has to wait for that any more.
    shared.left.0.close();
    shared.tell(Event::Fenced { why: why.to_owned() }).await;
}
