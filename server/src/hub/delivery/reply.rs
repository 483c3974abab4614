//! Replies to one connection: numerics, FAIL, and what binds them to a label
//! (IRCv3 labeled-response, batch, standard-replies).

use std::borrow::Cow;
use std::fmt::Display;

use crate::hub::delivery::echo::Storage;
use crate::hub::delivery::event::{Event, SERVER, Source, What};
use crate::hub::delivery::queue::Order;
use crate::hub::{ConnectionId, Hub, Line, Speaker};
use crate::protocol::Numeric::*;
use crate::protocol::line::MAX_BODY;
use crate::protocol::name::MAX_BYTES;
use crate::protocol::{Capability, Message, Numeric, command, message, text};

/// Bytes of a label (IRCv3 labeled-response).
const MAX_LABEL: usize = 64;

const TOO_LONG: &str = "Input line was too long; nothing of it was sent";

/// Why something was not done: the numeric, and what follows the recipient's name.
pub(crate) type Refused = (Numeric, String);

/// A name that nobody has.
pub(crate) fn nobody(nick: &str) -> Refused {
    (ERR_NOSUCHNICK, format!("{} :Nobody here has that name", shown(nick)))
}

impl Hub {
    /// Sends a line that answers a command, behind what waits.
    pub(crate) fn send_reply(&mut self, to: ConnectionId, line: Line) {
        self.delivery.send(to, line, Order::Reply);
    }

    /// Sends a numeric. `args` is all that follows the recipient's name.
    pub(crate) fn reply(&mut self, to: ConnectionId, numeric: Numeric, args: impl AsRef<str>) {
        let args = args.as_ref();
        let Some(member) = self.member(to) else { return };
        if member.speaker != Speaker::Irc {
            // A person at a terminal gets the sentence at its end.
            return self.explain(to, args.split_once(':').map_or(args, |(_, sentence)| sentence));
        }
        let mut line = self.numeric_line(to, numeric, args);
        if line.len() > MAX_BODY {
            // It repeats words of the client that leave no place for an answer.
            line = self.numeric_line(to, ERR_INPUTTOOLONG, format_args!(":{TOO_LONG}"));
        }
        self.send_reply(to, line);
    }

    /// A numeric, encoded.
    pub(crate) fn numeric_line(&self, to: ConnectionId, numeric: Numeric, args: impl Display) -> Line {
        self.server_line(format_args!("{numeric} {} {args}", self.nick_of(to)))
    }

    /// A line of the server itself; `text` has no prefix and no line end.
    pub(crate) fn server_line(&self, text: impl Display) -> Line {
        self.delivery.server_line(text)
    }

    /// Sends a line of the server itself, without prefix and line end.
    pub(crate) fn say_as_server(&mut self, to: ConnectionId, text: impl Display) {
        let line = self.server_line(text);
        if line.len() > MAX_BODY {
            return self.too_long(to);
        }
        self.send_reply(to, line);
    }

    /// FAIL (IRCv3 standard-replies).
    pub(crate) fn fail(&mut self, to: ConnectionId, command: &str, code: &str, sentence: &str) {
        self.say_as_server(to, format!("FAIL {command} {code} :{sentence}"));
    }

    /// Tells a person something, in the way that its program shows: a NOTICE or a plain line.
    pub(crate) fn explain(&mut self, to: ConnectionId, sentence: &str) {
        match self.member(to).map(|member| member.speaker) {
            Some(Speaker::Plain) => {
                let line = format!("-!- {}\n", text::printable(sentence));
                self.send_reply(to, line.into_bytes().into());
            }
            Some(Speaker::Irc) => self.say_as_server(to, format!("NOTICE {} :{sentence}", self.nick_of(to))),
            _ => {}
        }
    }

    /// A numeric with all words at the end of `start`, in as many replies as they need; at least
    /// one.
    pub(crate) fn reply_packed(
        &mut self,
        to: ConnectionId,
        numeric: Numeric,
        start: &str,
        words: &[String],
        separator: char,
    ) {
        let mut packed = Packed::behind(self.numeric_line(to, numeric, start).len(), separator);
        for word in words {
            if let Some(line) = packed.add(word) {
                self.reply(to, numeric, format!("{start}{line}"));
            }
        }
        self.reply(to, numeric, format!("{start}{}", packed.line));
    }

    /// Whether a member has not asked for what a command belongs to; if so, it is told.
    pub(crate) fn lacks(&mut self, id: ConnectionId, capability: Capability, command: &str) -> bool {
        let lacks = !self.member(id).is_some_and(|member| member.has(capability));
        if lacks {
            self.reply(id, ERR_UNKNOWNCOMMAND, format!("{command} :Ask for {capability} first"));
        }
        lacks
    }

    pub(crate) fn too_long(&mut self, id: ConnectionId) {
        self.reply(id, ERR_INPUTTOOLONG, format!(":{TOO_LONG}"));
    }

    pub(crate) fn not_utf8(&mut self, id: ConnectionId, command: &str) {
        let known = command::is_verb(command);
        let command = if known { command.to_ascii_uppercase() } else { "*".into() };
        self.fail(
            id,
            &command,
            "INVALID_UTF8",
            "The line is not UTF-8 and was refused; set your program to UTF-8",
        );
    }

    pub(crate) fn not_registered(&mut self, id: ConnectionId) {
        self.reply(id, ERR_NOTREGISTERED, ":You have not registered");
    }

    pub(crate) fn already_registered(&mut self, id: ConnectionId) {
        self.reply(id, ERR_ALREADYREGISTERED, ":You may not reregister");
    }

    pub(crate) fn no_such_nick(&mut self, id: ConnectionId, nick: &str) {
        let (numeric, why) = nobody(nick);
        self.reply(id, numeric, why);
    }

    pub(crate) fn no_such_room(&mut self, id: ConnectionId, room: &str) {
        self.reply(id, ERR_NOSUCHCHANNEL, format!("{} :There is no such room", shown(room)));
    }

    /// The member at `id` as the source of an event.
    pub(crate) fn source(&self, id: ConnectionId) -> Source {
        match self.member(id) {
            Some(member) => Source { nick: member.name().into(), prefix: member.prefix(), bot: member.bot },
            None => self.server_source(),
        }
    }

    /// The server as the source of an event.
    fn server_source(&self) -> Source {
        Source { nick: SERVER.into(), prefix: self.settings.name.clone(), bot: false }
    }

    /// What the member at `id` does now.
    pub(crate) fn event<'a>(&mut self, id: ConnectionId, what: What<'a>) -> Event<'a> {
        let talk = matches!(what, What::Message { private: false, .. });
        let volatile = talk && self.delivery.storage != Storage::Disk;
        let from = Cow::Owned(self.source(id));
        Event { id: self.stamps.next(self.now.wall), from, tags: "", what, volatile }
    }

    /// What the server does now.
    pub(crate) fn server_event<'a>(&mut self, what: What<'a>) -> Event<'a> {
        let from = Cow::Owned(self.server_source());
        Event { id: self.stamps.next(self.now.wall), from, tags: "", what, volatile: false }
    }

    /// Begins to bind replies if the command has a label to bind them to.
    pub(crate) fn begin_label(&mut self, id: ConnectionId, message: &Message<'_>) {
        if message.tags.0.is_empty() || !self.member(id).is_some_and(|m| m.has(Capability::LabeledResponse)) {
            return;
        }
        let label = message.tags.get("label").filter(|label| !label.is_empty() && label.len() <= MAX_LABEL);
        if let Some(label) = label {
            self.delivery.begin_label(id, &message::escape(&label));
        }
    }
}

/// Words on their way into lines of at most [`MAX_BODY`] bytes.
pub(crate) struct Packed {
    /// The line that has room still.
    pub(crate) line: String,
    room: usize,
    separator: char,
}

impl Packed {
    /// In lines that have so many bytes besides.
    pub(crate) fn behind(fixed: usize, separator: char) -> Packed {
        Packed { line: String::new(), room: MAX_BODY.saturating_sub(fixed), separator }
    }

    /// Adds a word; gives out the line before it where that has no room for it.
    pub(crate) fn add(&mut self, word: &str) -> Option<String> {
        let full = !self.line.is_empty() && self.line.len() + 1 + word.len() > self.room;
        let done = full.then(|| std::mem::take(&mut self.line));
        if !self.line.is_empty() {
            self.line.push(self.separator);
        }
        self.line.push_str(word);
        done
    }
}

/// A line with one more tag, if that has a value: the label of a command, or a batch.
pub(crate) fn with_tag(key: &str, value: Option<&str>, line: Line) -> Line {
    match value {
        Some(value) => tagged(&format!("{key}={value}"), &line),
        None => line,
    }
}

/// A line with one more tag in front of those it has.
pub(crate) fn tagged(tag: &str, line: &[u8]) -> Line {
    let mut with = Vec::with_capacity(line.len() + tag.len() + 2);
    with.push(b'@');
    with.extend_from_slice(tag.as_bytes());
    match line.strip_prefix(b"@") {
        Some(rest) => {
            with.push(b';');
            with.extend_from_slice(rest);
        }
        None => {
            with.push(b' ');
            with.extend_from_slice(line);
        }
    }
    with.into()
}

/// A name from a client as a reply may repeat it: a `*` where it is too long or no middle
/// parameter.
pub(crate) fn shown(name: &str) -> &str {
    let middle = !name.is_empty() && !name.contains(' ') && !name.starts_with(':');
    if middle && name.len() <= 2 * MAX_BYTES { name } else { "*" }
}
