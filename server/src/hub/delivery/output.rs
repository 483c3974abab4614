//! What the hub wants done.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::hub::delivery::lines::Lines;
use crate::hub::history::query::{Record, Request};
use crate::hub::state::ConnectionId;

/// What the hub wants done. To be carried out in the order in which it comes.
#[derive(Debug)]
pub enum Output {
    /// Send lines to one connection.
    Lines {
        /// Whom to.
        to: ConnectionId,
        /// Whole ones.
        lines: Lines,
    },
    /// Close, once what was sent before has gone out. The hub has forgotten this connection, and
    /// its place may be given to another one.
    Close {
        /// Which one.
        id: ConnectionId,
    },
    /// A reply is not finished: give [`News::Drained`](crate::hub::News::Drained) when the peer
    /// has read so far.
    More {
        /// Whose reply.
        id: ConnectionId,
    },
    /// The socket is gone or to be closed, but the hub still knows who this was: its place is
    /// free after [`Output::Close`].
    Detach {
        /// Which one.
        id: ConnectionId,
    },
    /// Read nothing from this connection, until [`Output::Release`].
    Hold {
        /// Which one.
        id: ConnectionId,
    },
    /// Read it again.
    Release {
        /// Which one.
        id: ConnectionId,
    },
    /// The command just run cost so many lines of flood control beyond the one that it was.
    Charge {
        /// Whose command.
        id: ConnectionId,
        /// Lines, of 512 bytes and a fan-out to one room.
        lines: u32,
    },
    /// Keep this; then say [`Input::Stored`](crate::hub::Input::Stored).
    Store(Box<Record>),
    /// Keep what a room is, or forget it, where rooms are durable; under names that do not begin with
    /// `#`, also what somebody has read of rooms, and how long the server has run.
    Room {
        /// The room's folded name.
        room: Arc<str>,
        /// In the hub's own encoding, for [`Hub::restore`](crate::hub::Hub::restore); `None`:
        /// forget it.
        state: Option<Box<[u8]>>,
    },
    /// A room is over, and not everybody could read it: what it was and what was said in it belongs to no
    /// name any more.
    Forget {
        /// The room's folded name.
        room: Arc<str>,
    },
    /// Answer this with [`Input::Answer`](crate::hub::Input::Answer), in the light of all that was
    /// to be stored before.
    Read {
        /// Names the question in the answer.
        ticket: u64,
        /// The question.
        request: Request,
    },
    /// A line for the operator's terminal.
    Console(String),
    /// A line for the log. Never message text, never a password.
    Log {
        /// Whose doing it is; what one address does may be added up.
        about: Option<IpAddr>,
        /// The line.
        text: String,
    },
    /// The same, for those too who want warnings only.
    Warn(String),
    /// The operator asks the server to stop after this time.
    Stop(Duration),
}
