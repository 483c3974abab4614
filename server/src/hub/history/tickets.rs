//! What is known of the past without asking, and what the store was asked.

use std::collections::HashMap;

use crate::hub::history::seen::Seen;
use crate::hub::state::ConnectionId;
use crate::protocol::command::Verb;

/// See the [module](self).
#[derive(Debug, Default)]
pub(crate) struct History {
    pub(crate) seen: Seen,
    /// Who waits for which answer: at most one a line or long reply that waits.
    pub(crate) tickets: HashMap<u64, Ticket>,
    pub(crate) last_ticket: u64,
}

/// Who waits for an answer of the store.
#[derive(Debug)]
pub(crate) enum Ticket {
    /// A long reply of this connection.
    Page(ConnectionId),
    /// The echo of a line that was sent again.
    Echo(Box<Resend>),
}

/// A line that was sent again, while the store looks for the first one.
#[derive(Debug)]
pub(crate) struct Resend {
    pub(crate) id: ConnectionId,
    pub(crate) room: String,
    pub(crate) verb: Verb,
    pub(crate) text: String,
    pub(crate) tags: String,
}
