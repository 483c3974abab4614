//! How long something may take.

use std::time::Duration;

use futures_lite::FutureExt;
use smol::Timer;

/// What comes of it; `None` where it takes longer than that.
pub(crate) async fn within<T>(time: Duration, what: impl Future<Output = T>) -> Option<T> {
    let late = async {
        Timer::after(time).await;
        None
    };
    async { Some(what.await) }.or(late).await
}
