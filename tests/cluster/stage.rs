//! Where the servers are now, and whether the play is over.

use std::net::SocketAddr;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use parlor_tests::{Deadline, Server};

#[derive(Debug, Default)]
struct State {
    addresses: Vec<SocketAddr>,
    echoes: usize,
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

    /// These are the servers that run.
    pub(crate) fn now_at(&self, servers: &[Option<Server>]) {
        self.lock().addresses = servers.iter().flatten().map(Server::address).collect();
        self.changed.notify_all();
    }

    /// A server, another one than the last where there is one.
    pub(crate) fn pick(&self, try_number: usize, last: Option<SocketAddr>) -> SocketAddr {
        let state = self.lock();
        let others: Vec<SocketAddr> =
            state.addresses.iter().copied().filter(|at| Some(*at) != last).collect();
        let from = if others.is_empty() { &state.addresses } else { &others };
        from[try_number % from.len()]
    }

    pub(crate) fn echo(&self) {
        self.lock().echoes += 1;
        self.changed.notify_all();
    }

    pub(crate) fn echoes(&self) -> usize {
        self.lock().echoes
    }

    /// Waits until so many lines had their echoes, of all members.
    pub(crate) fn wait_for_echoes(&self, count: usize) {
        let deadline = Deadline::after(Duration::from_secs(120));
        let mut state = self.lock();
        while state.echoes < count {
            let Some(left) = deadline.left() else {
                panic!("only {} of {count} lines had echoes", state.echoes)
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
