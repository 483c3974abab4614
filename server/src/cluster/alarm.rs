//! A timer that is set again and again, mostly to a later time.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use smol::Timer;

use super::clock::now;

/// Each timer that is set costs a wake-up of the reactor's thread: one that would ring too early is left as it is, and set
/// anew once it has.
pub(super) struct Alarm {
    timer: Timer,
    set_for: Option<Instant>,
}

impl Default for Alarm {
    fn default() -> Alarm {
        Alarm { timer: Timer::never(), set_for: None }
    }
}

impl Alarm {
    /// Ready once this time has come.
    pub(super) fn poll(&mut self, context: &mut Context<'_>, due: Instant) -> Poll<()> {
        loop {
            if due <= now() {
                return Poll::Ready(());
            }
            if self.set_for.is_none_or(|set_for| due < set_for) {
                self.timer.set_at(due);
                self.set_for = Some(due);
            }
            if Pin::new(&mut self.timer).poll(context).is_pending() {
                return Poll::Pending;
            }
            self.set_for = None;
        }
    }
}
