//! The task that reads one peer.

use std::future::Future;

use super::feed::{End, Feed};
use super::{line_reader, raw_reader};
use crate::hub::News;
use crate::start::listen::ListenerKind;

/// Reads one peer until it ends, and tells the hub.
#[expect(clippy::manual_async_fn, reason = "an `async fn` has a second place for its arguments")]
pub(crate) fn read(feed: Feed, listener: ListenerKind) -> impl Future<Output = ()> {
    async move {
        let end = match listener {
            // Boxed: whoever is told apart needs the bigger states no more.
            ListenerKind::Main => line_reader::read(&feed).await,
            ListenerKind::Raw => Box::pin(raw_reader::read(&feed)).await,
        };
        let Err(end) = end;
        let news = match end {
            End::Closed if !feed.connection.is_broken() => News::HungUp,
            End::Closed | End::Broken => News::Broken,
            End::Framing(error) => News::Lost(error.to_string().into()),
            End::Refused(reason) => News::Refused(reason),
            End::Hub => return,
        };
        // A hub that is gone needs no news.
        let _ = feed.tell(news).await;
    }
}
