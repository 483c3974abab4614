//! How things stand with the connection.

use std::time::Duration;

use parlor_server::protocol::time::UnixMillis;

use super::Sentence;

/// How things stand with the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// Not connected, and not trying; `since`: when it last was.
    Offline {
        /// When the connection ended, if there ever was one.
        since: Option<UnixMillis>,
    },
    /// The address is being called.
    Connecting,
    /// Somebody answers; names are being exchanged.
    Registering,
    /// All is well.
    Connected {
        /// The network's name, or else the server's.
        server: String,
    },
    /// The connection was lost; what is typed meanwhile waits.
    Reconnecting {
        /// When it is tried again, as [`Moment::elapsed`](super::Moment::elapsed) counts.
        at: Duration,
        /// 1 for the first attempt since the loss.
        attempt: u32,
        /// Why the connection ended, or the last attempt.
        why: Sentence,
    },
}
