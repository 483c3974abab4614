//! Names of message tags, and kinds of batches.

/// When it happened, as [`UnixMillis`](super::time::UnixMillis) is written (IRCv3 server-time).
pub const TIME: &str = "time";
/// The server's name of an event (IRCv3 message-ids); ours are [`MsgId`](super::MsgId)s.
pub const MSGID: &str = "msgid";
/// The account of who sends it (IRCv3 account-tag).
pub const ACCOUNT: &str = "account";
/// The batch that a message belongs to (IRCv3 batch).
pub const BATCH: &str = "batch";
/// The command that a message answers (IRCv3 labeled-response).
pub const LABEL: &str = "label";
/// A line's [`LineName`](super::LineName), 32 hexadecimal digits: from a sender to a server with
/// `parlor/ID=secret` in RPL_ISUPPORT as it is, to everybody else its public form. Client-only, so every
/// server relays it.
pub const LINE_ID: &str = "+parlor/id";
/// The line goes on where the one before it in the batch ended; no value (IRCv3 draft/multiline).
pub const CONCAT: &str = "draft/multiline-concat";
/// Somebody wants to speak next (`up`), or no longer (`down`); client-only.
pub const HAND: &str = "+parlor/hand";
/// The line is not on disk, and may be gone after a crash; no value.
pub const VOLATILE: &str = "parlor/volatile";

/// Kinds of batches (IRCv3 batch, second parameter of BATCH).
pub mod batch {
    /// A page of history (IRCv3 draft/chathistory).
    pub const CHATHISTORY: &str = "chathistory";
    /// Conversations with something new (IRCv3 draft/chathistory, TARGETS).
    pub const TARGETS: &str = "draft/chathistory-targets";
    /// A page of what SEARCH has found (soju).
    pub const SEARCH: &str = "soju.im/search";
    /// Lines that are one message (IRCv3 draft/multiline).
    pub const MULTILINE: &str = "draft/multiline";
    /// Several lines that answer one command (IRCv3 labeled-response).
    pub const LABELED: &str = "labeled-response";
    /// Members who are gone with their server (IRCv3 netsplit).
    pub const NETSPLIT: &str = "netsplit";
    /// What ZNC has kept for a client that comes back.
    pub const PLAYBACK: &str = "znc.in/playback";
}
