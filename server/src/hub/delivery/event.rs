//! What happened. How a reader is told is in `render`.

use std::borrow::Cow;

use crate::hub::Line;
use crate::hub::delivery::form::Form;
use crate::hub::delivery::render::{irc, plain, raw};
use crate::protocol::MsgId;
use crate::protocol::command::Verb;

/// The name under which the server itself speaks to plain members.
pub(crate) const SERVER: &str = "server";

/// Who did it.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) nick: String,
    /// `nick!user@host`, or the server's name.
    pub(crate) prefix: String,
    pub(crate) bot: bool,
}

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
    Setname { realname: &'a str },
    Wallops { text: &'a str },
    // The operator speaks: `target` is a room, or the name of somebody who is in none.
    Announcement { target: &'a str, text: &'a str },
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
}

impl Event<'_> {
    /// Bytes of the message as IRC members get it, without tags, with CR LF.
    pub(crate) fn body_len(&self) -> usize {
        irc::body_len(self)
    }

    /// The line for readers of this form; `None` if they are not told.
    pub(crate) fn line(&self, form: Form) -> Option<Line> {
        let mut line = String::with_capacity(160);
        self.write(form, &mut line).then(|| line.into_bytes().into())
    }

    /// Appends the line for readers of this form; false if they are not told.
    pub(crate) fn write(&self, form: Form, to: &mut String) -> bool {
        match form {
            Form::Silent => false,
            Form::Irc(form) => irc::write(self, form, to),
            Form::Plain => plain::write(self, to),
            Form::Raw(kind) => raw::write(self, kind, to),
        }
    }

    /// The line for the operator's terminal.
    pub(crate) fn narration(&self) -> Option<String> {
        plain::line(self)
    }
}
