//! What happened, and how each kind of reader is told.

use std::borrow::Cow;
use std::fmt::Write;

use crate::hub::Line;
use crate::hub::delivery::form::Form;
use crate::protocol::MsgId;
use crate::protocol::command::Verb;
use crate::protocol::html;
use crate::protocol::tag::{MSGID, TIME, VOLATILE};
use crate::protocol::text::{self, printable};

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
        self.irc_body(false).len()
    }

    fn encode(&self, form: Form) -> Option<Line> {
        let line = match form {
            Form::NONE => return None,
            Form::PLAIN => self.plain()? + "\n",
            Form::RAW_ASCII => ascii(&self.raw()?),
            Form::RAW_HTML => html::escaped(&self.raw()?),
            Form::RAW_UTF8 => self.raw()?,
            irc => self.irc(irc)?,
        };
        Some(line.into_bytes().into())
    }

    fn irc(&self, form: Form) -> Option<String> {
        if matches!(self.what, What::Message { verb: Verb::Tagmsg, .. }) && !form.tags() {
            return None;
        }
        let body = self.irc_body(form.extended_join());
        if !form.time() && !form.tags() {
            return Some(body);
        }
        let mut line = String::with_capacity(body.len() + self.tags.len() + 80);
        let mut separator = '@';
        if form.time() {
            let _ = write!(line, "{separator}{TIME}={}", self.id.time());
            separator = ';';
        }
        if form.tags() {
            let _ = write!(line, "{separator}{MSGID}={}", self.id);
            if self.from.bot {
                line.push_str(";bot");
            }
            if self.volatile {
                line.push(';');
                line.push_str(VOLATILE);
            }
            if !self.tags.is_empty() {
                line.push(';');
                line.push_str(self.tags);
            }
        }
        line.push(' ');
        line.push_str(&body);
        Some(line)
    }

    fn irc_body(&self, extended_join: bool) -> String {
        let from = &self.from.prefix;
        let mut body = String::with_capacity(128);
        // Writing to a String cannot fail.
        let _ = match &self.what {
            What::Message { verb: Verb::Tagmsg, target, .. } => write!(body, ":{from} TAGMSG {target}"),
            What::Message { verb, target, text, .. } => {
                write!(body, ":{from} {} {target} :{text}", verb.as_str())
            }
            What::Join { room, realname } if extended_join => {
                write!(body, ":{from} JOIN {room} * :{realname}")
            }
            What::Join { room, .. } => write!(body, ":{from} JOIN {room}"),
            What::Part { room, reason: Some(reason) } => write!(body, ":{from} PART {room} :{reason}"),
            What::Part { room, reason: None } => write!(body, ":{from} PART {room}"),
            What::Quit { reason } => write!(body, ":{from} QUIT :{reason}"),
            What::Kick { room, nick, reason } => write!(body, ":{from} KICK {room} {nick} :{reason}"),
            What::Nick { new } => write!(body, ":{from} NICK :{new}"),
            What::Topic { room, text } => write!(body, ":{from} TOPIC {room} :{text}"),
            What::Mode { target, change } => write!(body, ":{from} MODE {target} {change}"),
            What::Invite { nick, room } => write!(body, ":{from} INVITE {nick} :{room}"),
            What::Away { text: Some(text) } => write!(body, ":{from} AWAY :{text}"),
            What::Away { text: None } => write!(body, ":{from} AWAY"),
            What::Setname { realname } => write!(body, ":{from} SETNAME :{realname}"),
            What::Wallops { text } => write!(body, ":{from} WALLOPS :{text}"),
            What::Announcement { target, text } => write!(body, ":{from} NOTICE {target} :{text}"),
        };
        body.push_str("\r\n");
        body
    }

    /// One line for a person at a terminal, without its end; `None` for what a plain member
    /// is not told.
    fn plain(&self) -> Option<String> {
        let nick = &self.from.nick;
        Some(match &self.what {
            What::Message { verb: Verb::Tagmsg, .. } => return None,
            What::Message { text, private, .. } if text.starts_with(text::CTCP) => {
                let action = printable(text::action(text)?);
                if *private { format!("[to you] * {nick} {action}") } else { format!("* {nick} {action}") }
            }
            What::Message { verb, target, text, private } => {
                let text = printable(text);
                match (verb, private) {
                    (_, true) => format!("[{nick} to you] {text}"),
                    (_, false) if target.starts_with('@') => format!("[{nick} to operators] {text}"),
                    (_, false) if target.starts_with('+') => format!("[{nick} to voices] {text}"),
                    (Verb::Notice, false) => format!("-{nick}- {text}"),
                    (_, false) => format!("<{nick}> {text}"),
                }
            }
            What::Join { .. } => format!("* {nick} joined"),
            What::Part { reason, .. } => left(nick, reason.unwrap_or_default()),
            What::Quit { reason } => left(nick, reason),
            What::Kick { nick: who, reason, .. } => {
                format!("* {nick} kicked {who} ({})", printable(reason))
            }
            What::Nick { new } => format!("* {nick} is now known as {new}"),
            What::Topic { text: "", .. } => format!("* {nick} cleared the topic"),
            What::Topic { text, .. } => format!("* {nick} changed the topic to: {}", printable(text)),
            What::Invite { room, .. } => format!("-!- {nick} invites you to {room}; /join {room} goes there"),
            What::Announcement { text, .. } => format!("-!- {SERVER}: {}", printable(text)),
            What::Mode { change, .. } => format!("* {nick} set {}", printable(change)),
            What::Away { .. } | What::Setname { .. } | What::Wallops { .. } => return None,
        })
    }

    /// `name: text` for a raw client, which is told of nothing but talk.
    fn raw(&self) -> Option<String> {
        let nick = &self.from.nick;
        Some(match &self.what {
            What::Message { verb: Verb::Privmsg | Verb::Notice, text, .. } => {
                if text.starts_with(text::CTCP) {
                    format!("{nick}: * {}\n", printable(text::action(text)?))
                } else {
                    format!("{nick}: {}\n", printable(text))
                }
            }
            What::Announcement { text, .. } => format!("{SERVER}: {}\n", printable(text)),
            _ => return None,
        })
    }

    /// The line for the operator's terminal.
    pub(crate) fn narration(&self) -> Option<String> {
        self.plain()
    }
}

fn left(nick: &str, reason: &str) -> String {
    match printable(reason) {
        reason if reason.is_empty() => format!("* {nick} left"),
        reason => format!("* {nick} left ({reason})"),
    }
}

fn ascii(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii() { c } else { '?' }).collect()
}

/// An event on its way to many: encoded at most once for each form.
pub(crate) struct Fanout<'a> {
    event: &'a Event<'a>,
    lines: [Option<Option<Line>>; Form::COUNT],
}

impl<'a> Fanout<'a> {
    pub(crate) fn new(event: &'a Event<'a>) -> Fanout<'a> {
        Fanout { event, lines: Default::default() }
    }

    /// The line for readers of this form; `None` if they are not told.
    pub(crate) fn line(&mut self, form: Form) -> Option<Line> {
        let cell = self.lines.get_mut(form.index())?;
        cell.get_or_insert_with(|| self.event.encode(form)).clone()
    }
}
