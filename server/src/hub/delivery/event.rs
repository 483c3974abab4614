//! What happened. How a reader is told is in `render`.

use std::borrow::Cow;

use crate::hub::state::member::Source;
use crate::protocol::command::Verb;
use crate::protocol::{LineName, MsgId};

/// What happened.
#[derive(Debug)]
pub(crate) enum What<'a> {
    // `private`: to the reader alone.
    Message { verb: Verb, target: &'a str, text: &'a str, private: bool },
    Join { room: &'a str, realname: &'a str },
    Part { room: &'a str, reason: Option<&'a str> },
    Quit { reason: &'a str },
    Kick { room: &'a str, nick: &'a str, reason: &'a str },
    Nick { new: &'a str },
    Topic { room: &'a str, text: &'a str },
    Mode { target: &'a str, change: &'a str },
    Invite { nick: &'a str, room: &'a str },
    Away { text: Option<&'a str> },
    Account { name: Option<&'a str> },
    Setname { realname: &'a str },
    Wallops { text: &'a str },
    // Somebody wants to speak next, or no longer; so many want to then.
    Hand { room: &'a str, up: bool, waiting: usize },
    // A line is deleted. `past`: the line itself comes just before, empty.
    Redact { target: &'a str, of: MsgId, reason: &'a str, past: bool },
    // The operator speaks: `target` is a room, or the name of somebody who is in none.
    Announcement { target: &'a str, text: &'a str },
}

/// What somebody says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Talk<'a> {
    pub(crate) verb: Verb,
    pub(crate) text: &'a str,
    /// What the sender calls it.
    pub(crate) line: Option<LineName>,
    /// Client-only, escaped and joined, as others get them.
    pub(crate) tags: &'a str,
    /// It may have several lines, LF between two, and be longer than one line of the protocol.
    pub(crate) long: bool,
}

/// One event.
#[derive(Debug)]
pub(crate) struct Event<'a> {
    pub(crate) id: MsgId,
    pub(crate) from: Cow<'a, Source>,
    /// Client-only tags to relay, escaped and joined.
    pub(crate) tags: &'a str,
    pub(crate) what: What<'a>,
    /// It is talk of a room that is not kept on disk now.
    pub(crate) volatile: bool,
    /// The tag of a batch that it is in, for readers who know batches; empty: it is in none.
    pub(crate) batch: &'a str,
}
