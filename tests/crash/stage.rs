//! Where the server is now, and whether the play is over.

use std::net::SocketAddr;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use parlor_tests::Deadline;

#[derive(Debug, Default)]
struct State {
    starts: usize,
    address: Option<SocketAddr>,
    /// Members that have had an echo from the server that runs.
    spoke: usize,
    over: bool,
}

/// See the [module](self).
#[derive(Debug, Default)]
pub(crate) struct Stage {
    state: Mutex<State>,
    changed: Condvar,
}

impl Stage {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A server was started.
    pub(crate) fn start(&self, address: SocketAddr) {
        let mut state = self.lock();
        (state.address, state.spoke) = (Some(address), 0);
        state.starts += 1;
        self.changed.notify_all();
    }

    /// The next server after the one with this number.
    pub(crate) fn wait_for_start_after(&self, start: usize) -> (usize, SocketAddr) {
        let deadline = Deadline::after(Deadline::DEFAULT);
        let mut state = self.lock();
        while state.starts <= start {
            let left = deadline.left().expect("a server is started again");
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        (state.starts, state.address.expect("it was started"))
    }

    pub(crate) fn somebody_spoke(&self) {
        self.lock().spoke += 1;
        self.changed.notify_all();
    }

    /// Waits until so many members have had an echo.
    pub(crate) fn wait_until_spoke(&self, count: usize) {
        let deadline = Deadline::after(Deadline::DEFAULT);
        let mut state = self.lock();
        while state.spoke < count {
            let Some(left) = deadline.left() else {
                panic!("only {} of {count} members have had an echo", state.spoke)
            };
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Nobody says anything new from now on.
    pub(crate) fn end(&self) {
        self.lock().over = true;
    }

    pub(crate) fn is_over(&self) -> bool {
        self.lock().over
    }
}
