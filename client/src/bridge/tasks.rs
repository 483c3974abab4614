//! What the window waits for without standing still.

use std::rc::Rc;

use futures_lite::future;
use parlor_ui::slint;
use smol::{LocalExecutor, Task};

/// Tasks on the UI thread, run by the window's event loop; all end with the bridge.
pub(super) struct Tasks(Rc<LocalExecutor<'static>>);

impl Tasks {
    pub(super) fn new() -> Tasks {
        let executor = Rc::new(LocalExecutor::new());
        let running = Rc::clone(&executor);
        // Without an event loop (a test) whoever drives the window calls `Bridge::pump`.
        let _ = slint::spawn_local(async move { running.run(future::pending::<()>()).await });
        Tasks(executor)
    }

    /// Dropping the task ends it, unless it is detached.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + 'static) -> Task<()> {
        self.0.spawn(task)
    }

    /// Runs what can go on now.
    pub(super) fn run_ready(&self) {
        while self.0.try_tick() {}
    }

    /// Runs them until this is done, with the thread standing still: for the end, when no window
    /// is open any more.
    pub(super) fn block_on(&self, done: impl Future<Output = ()>) {
        smol::block_on(self.0.run(done));
    }
}
