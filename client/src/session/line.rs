//! One line of a timeline.

use std::sync::Arc;

use parlor_server::protocol::time::UnixMillis;

/// The place of a line in the order in which this session saw lines; rises, never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LineId(pub u64);

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LineKind {
    /// Somebody said it.
    Said,
    /// `/me`: "`from` `text`".
    Action,
    /// A program or the server said it (NOTICE).
    Notice,
    /// `from` came in; no text.
    Joined,
    /// `from` left the room or the server; `text` is the reason, or empty.
    Left,
    /// `from` put somebody out; see [`Line::kicked`].
    Kicked,
    /// `from` (the old name) is called `text` now.
    Renamed,
    /// `from` made `text` the topic; empty: cleared it.
    Topic,
    /// `from` changed modes; `text` is the change: `+o bob`.
    Mode,
    /// The program or the server tells something; `from` may be empty.
    Info,
    /// Something did not work; `from` may be empty.
    Error,
}

/// What became of an own line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// Not an own line.
    None,
    /// It waits here, or is under way.
    Pending,
    /// The server has it.
    Delivered,
    /// It was refused, with the reason as a sentence; [`Action::Retry`](super::Action::Retry)
    /// tries again.
    Failed(Box<str>),
}

/// One line of a timeline. The window keeps them, a hundred thousand of them, so it is small.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Names the line in [`Event::Changed`](super::Event::Changed).
    pub id: LineId,
    /// The server's name for it, where it gives one.
    pub msgid: Option<Box<str>>,
    /// When it was said: by the server's clock where it tells (`server-time`), else by ours.
    /// An own line keeps the time at which it was typed.
    pub at: UnixMillis,
    /// Who: as the person writes the name. Shared between all lines of one person.
    pub from: Arc<str>,
    /// What it is.
    pub kind: LineKind,
    /// One line, without control characters and IRC formatting.
    pub text: Box<str>,
    /// It is ours.
    pub own: bool,
    /// Somebody else said our name.
    pub mention: bool,
    /// What became of it, if it is ours.
    pub state: Delivery,
}

impl Line {
    /// Who was put out, and why (perhaps empty), if this is a [`LineKind::Kicked`].
    pub fn kicked(&self) -> Option<(&str, &str)> {
        (self.kind == LineKind::Kicked).then(|| self.text.split_once(' ').unwrap_or((&self.text, "")))
    }
}
