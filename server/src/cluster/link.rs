//! What the other parts of a server hold of the log.

use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use async_channel::Sender;
use futures_lite::future;
use smol::{LocalExecutor, Task};

use super::clock::now;
use super::history::History;
use super::script::{Identity, Script};
use super::shared::{Event, FENCED, Publication, Shared, ring, rung, within};
use super::{listener, reader, writer};
use crate::protocol::Position;

/// Beyond the time that is given, so long may it take to give up the lease.
const LEAVE: Duration = Duration::from_secs(1);

/// The running side of a server's place in a cluster; cheap to clone, and nothing of it waits but [`Link::leave`]. With the
/// last one everything ends.
#[derive(Clone)]
pub struct Link(Rc<Running>);

struct Running {
    shared: Rc<Shared>,
    task: Task<()>,
}

impl Link {
    pub(super) fn run(
        me: Identity,
        script: Script,
        history: History,
        executor: &LocalExecutor<'static>,
        tell: Sender<Event>,
    ) -> Link {
        let shared = Rc::new(Shared::new(me, history, tell));
        let task = executor.spawn(all(Rc::clone(&shared), script));
        Link(Rc::new(Running { shared, task }))
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

    /// Hands something to one server, if it is there now: [`Event::Heard`] tells. At most 4 MB wait; nobody hears what is
    /// more.
    pub fn publish(&self, server: u32, ticket: u64, bytes: Box<[u8]>) {
        self.0.shared.publish(Publication { server, ticket, bytes });
    }

    /// Ends the lease of a server whose lease is over, and appends this entry that says so, both or nothing; it begins anew if
    /// it comes back. Nothing happens if its lease is not over, or somebody else was first. The order with proposals is
    /// not defined.
    pub fn fence(&self, server: u32, bytes: Box<[u8]>) {
        self.0.shared.state.borrow_mut().fences.insert(server, bytes);
        ring(&self.0.shared.bell);
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

/// Runs the connections until this server has to begin anew.
async fn all(shared: Rc<Shared>, script: Script) {
    let writes = pin!(writer::write(&shared, script));
    let reads = pin!(reader::read(&shared));
    let hears = pin!(listener::hear(&shared));
    let watches = pin!(async {
        shared.watch().await;
        String::new()
    });
    let mut parts: [Pin<&mut dyn Future<Output = String>>; 4] = [writes, reads, hears, watches];
    let why = future::poll_fn(|context| {
        for part in &mut parts {
            if let done @ std::task::Poll::Ready(_) = part.as_mut().poll(context) {
                return done;
            }
        }
        std::task::Poll::Pending
    });
    let why = why.await;
    if why != FENCED {
        // Otherwise the others would wait for the end of a lease that nobody has any more.
        let leaving = async {
            if let Ok(mut script) = Script::open(&shared.me.address, LEAVE).await {
                let _ = script.run(&shared.me, "leave", Position::default(), &[]).await;
            }
        };
        within(LEAVE, pin!(leaving)).await;
    }
    shared.tell(Event::Fenced { why }).await;
}
