//! What the hub wants done.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::hub::delivery::lines::Lines;
use crate::hub::history::query::{Record, Request};
use crate::hub::state::ConnectionId;
use crate::protocol::Position;

/// A password, and how its keys are derived; never shown.
pub struct Password {
    /// As it was typed.
    pub text: Box<str>,
    /// Random bytes of the account.
    pub salt: [u8; 16],
    /// Of PBKDF2.
    pub rounds: u32,
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password")
    }
}

/// What the hub wants done. To be carried out in the order in which it comes.
#[derive(Debug)]
#[expect(missing_docs, reason = "the fields are what the variants say")]
pub enum Output {
    /// Send whole lines to one connection.
    Lines { to: ConnectionId, lines: Lines },
    /// Close, once what was sent before has gone out. The hub has forgotten this connection, and
    /// its place may be given to another one.
    Close { id: ConnectionId },
    /// A reply is not finished: give [`News::Drained`](crate::hub::News::Drained) when the peer
    /// has read so far.
    More { id: ConnectionId },
    /// The socket is gone or to be closed, but the hub still knows who this was: its place is
    /// free after [`Output::Close`].
    Detach { id: ConnectionId },
    /// Read nothing from this connection, until [`Output::Release`].
    Hold { id: ConnectionId },
    /// Read it again.
    Release { id: ConnectionId },
    /// The command that this connection just ran cost so many lines of flood control, of 512 bytes and a fan-out
    /// to one room, beyond the one that it was.
    Charge { id: ConnectionId, lines: u32 },
    /// Keep this; then say [`Input::Stored`](crate::hub::Input::Stored).
    Store(Box<Record>),
    /// Keep what a room is, in the hub's own encoding for [`Hub::restore`](crate::hub::Hub::restore), or forget
    /// it, where rooms are durable; under folded names that do not begin with `#`, also what somebody has read of
    /// rooms, and how long the server has run.
    Room { room: Arc<str>, state: Option<Box<[u8]>> },
    /// A room is over, and not everybody could read it: what it was and what was said in it belongs to no
    /// name any more.
    Forget { room: Arc<str> },
    /// Answer this with [`Input::Answer`](crate::hub::Input::Answer), in the light of all that was
    /// to be stored before.
    Read { ticket: u64, request: Request },
    /// Derive keys from this, and answer with [`Input::Derived`](crate::hub::Input::Derived). One at a time.
    Derive { ticket: u64, password: Password },
    /// Keep what an account is, in the hub's own encoding for
    /// [`Hub::restore_accounts`](crate::hub::Hub::restore_accounts), or forget it. With a ticket, answer with
    /// [`Input::AccountKept`](crate::hub::Input::AccountKept) when it is on disk.
    Account { ticket: Option<u64>, name: Box<str>, state: Option<Box<[u8]>> },
    /// Put this into the log that several servers share; it comes back as [`Input::Ordered`](crate::hub::Input::Ordered)
    /// when it has its turn. Each once, in this order.
    Propose { entry: Box<[u8]> },
    /// Hand this to one server alone, or to all, as [`Input::Letter`](crate::hub::Input::Letter), in this order; then say
    /// [`Input::Heard`](crate::hub::Input::Heard), if there is a ticket.
    Post { server: Option<u32>, ticket: u64, letter: Box<[u8]> },
    /// This is what several servers know, right after that place of their log: keep it for those who start.
    Snapshot { at: Position, state: Box<[u8]> },
    /// At that place of the log this hub knew something else than another server: it must not go on.
    Differs { at: Position },
    /// A line for the operator's terminal.
    Console(String),
    /// A line for the log, about what this address does, which may be added up. Never message text, never a
    /// password.
    Log { about: Option<IpAddr>, text: String },
    /// The same, for those too who want warnings only.
    Warn(String),
    /// The operator wants to know what only the shell does: answer with [`Input::Stats`](crate::hub::Input::Stats).
    Stats { asker: Option<ConnectionId> },
    /// The operator asks for the files to be read again.
    Reload,
    /// The operator asks the server to stop after this time.
    Stop(Duration),
}
