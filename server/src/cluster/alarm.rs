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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_lite::future;

    use super::*;

    /// It rings after so many milliseconds.
    async fn rings(alarm: &mut Alarm, millis: u64) {
        let (begun, due) = (now(), Duration::from_millis(millis));
        future::poll_fn(|context| alarm.poll(context, begun + due)).await;
        let took = begun.elapsed();
        assert!(took >= due && took < Duration::from_secs(20), "{took:?} for {due:?}");
    }

    #[test]
    fn it_rings_at_the_time_whatever_it_was_set_for_before() {
        smol::block_on(async {
            let mut alarm = Alarm::default();
            let far = now() + Duration::from_secs(60);
            assert!(future::poll_once(future::poll_fn(|context| alarm.poll(context, far))).await.is_none());
            rings(&mut alarm, 50).await;
            let near = now() + Duration::from_millis(20);
            assert!(future::poll_once(future::poll_fn(|context| alarm.poll(context, near))).await.is_none());
            // It rings too early first, while nobody listens and then while somebody does.
            rings(&mut alarm, 60).await;
            Timer::after(Duration::from_millis(30)).await;
            rings(&mut alarm, 40).await;
            rings(&mut alarm, 0).await;
        });
        // On another executor, with another waker.
        let mut alarm = Alarm::default();
        let far = now() + Duration::from_secs(60);
        let once = future::poll_fn(|context| alarm.poll(context, far));
        assert!(smol::block_on(future::poll_once(once)).is_none());
        std::thread::scope(|scope| {
            scope.spawn(|| smol::block_on(rings(&mut alarm, 50)));
        });
    }
}
