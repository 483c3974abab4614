//! Replies to one connection: numerics, FAIL, and what binds them to a label
//! (IRCv3 labeled-response, standard-replies); and events, with the one who causes them.

use std::borrow::Cow;
use std::fmt::Display;

use crate::hub::Hub;
use crate::hub::delivery::echo::Storage;
use crate::hub::delivery::event::{Event, What};
use crate::hub::delivery::lines::Line;
use crate::hub::delivery::queue::Order;
use crate::hub::delivery::reply::Packed;
use crate::hub::state::ConnectionId;
use crate::hub::state::member::Speaker;
use crate::hub::state::refusal::{Refused, too_long};
use crate::protocol::Numeric::*;
use crate::protocol::line::MAX_BODY;
use crate::protocol::{Capability, Message, Numeric, message, text};

/// Bytes of a label (IRCv3 labeled-response).
const MAX_LABEL: usize = 64;

impl Hub {
    /// Sends a line that answers a command, behind what waits.
    pub(crate) fn send_reply(&mut self, to: ConnectionId, line: Line) {
        self.delivery.send(to, line, Order::Reply);
    }

    /// Sends a numeric. `args` is all that follows the recipient's name.
    pub(crate) fn reply(&mut self, to: ConnectionId, numeric: Numeric, args: impl AsRef<str>) {
        let args = args.as_ref();
        let Some(member) = self.state.member(to) else { return };
        if member.speaker != Speaker::Irc {
            // A person at a terminal gets the sentence at its end.
            return self.explain(to, args.split_once(':').map_or(args, |(_, sentence)| sentence));
        }
        let mut line = self.numeric_line(to, numeric, args);
        if line.len() > MAX_BODY {
            // It repeats words of the client that leave no place for an answer.
            let (numeric, why) = too_long();
            line = self.numeric_line(to, numeric, why);
        }
        self.send_reply(to, line);
    }

    /// Tells somebody why something was not done.
    pub(crate) fn refuse(&mut self, to: ConnectionId, (numeric, why): Refused) {
        self.reply(to, numeric, why);
    }

    /// A numeric, encoded.
    pub(crate) fn numeric_line(&self, to: ConnectionId, numeric: Numeric, args: impl Display) -> Line {
        self.server_line(format_args!("{numeric} {} {args}", self.state.nick_of(to)))
    }

    /// A line of the server itself; `text` has no prefix and no line end.
    pub(crate) fn server_line(&self, text: impl Display) -> Line {
        self.delivery.server_line(text)
    }

    /// Sends a line of the server itself, without prefix and line end.
    pub(crate) fn say_as_server(&mut self, to: ConnectionId, text: impl Display) {
        let line = self.server_line(text);
        if line.len() > MAX_BODY {
            return self.refuse(to, too_long());
        }
        self.send_reply(to, line);
    }

    /// FAIL (IRCv3 standard-replies).
    pub(crate) fn fail(&mut self, to: ConnectionId, command: &str, code: &str, sentence: &str) {
        self.say_as_server(to, format!("FAIL {command} {code} :{sentence}"));
    }

    /// Tells a person something, in the way that its program shows: a NOTICE or a plain line.
    pub(crate) fn explain(&mut self, to: ConnectionId, sentence: &str) {
        match self.state.member(to).map(|member| member.speaker) {
            Some(Speaker::Plain) => {
                let line = format!("-!- {}\n", text::printable(sentence));
                self.send_reply(to, line.into_bytes().into());
            }
            Some(Speaker::Irc) => {
                self.say_as_server(to, format!("NOTICE {} :{sentence}", self.state.nick_of(to)))
            }
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
        let lacks = !self.state.member(id).is_some_and(|member| member.has(capability));
        if lacks {
            self.reply(id, ERR_UNKNOWNCOMMAND, format!("{command} :Ask for {capability} first"));
        }
        lacks
    }

    /// What the member at `id` does now.
    pub(crate) fn event<'a>(&mut self, id: ConnectionId, what: What<'a>) -> Event<'a> {
        let talk = matches!(what, What::Message { private: false, .. });
        let volatile = talk && self.delivery.storage != Storage::Disk;
        let from = Cow::Owned(self.state.source(id));
        Event { id: self.state.next_id(), from, tags: "", what, volatile, batch: "" }
    }

    /// What the server does now.
    pub(crate) fn server_event<'a>(&mut self, what: What<'a>) -> Event<'a> {
        let from = Cow::Owned(self.state.server_source());
        Event { id: self.state.next_id(), from, tags: "", what, volatile: false, batch: "" }
    }

    /// What one member alone is told of another, or of itself: it takes no id of the shared order.
    pub(crate) fn event_beside<'a>(&mut self, id: Option<ConnectionId>, what: What<'a>) -> Event<'a> {
        let from = id.map_or_else(|| self.state.server_source(), |id| self.state.source(id));
        Event {
            id: self.state.next_id_beside(),
            from: Cow::Owned(from),
            tags: "",
            what,
            volatile: false,
            batch: "",
        }
    }

    /// Begins to bind replies if the command has a label to bind them to.
    pub(crate) fn begin_label(&mut self, id: ConnectionId, message: &Message<'_>) {
        if message.tags.0.is_empty()
            || !self.state.member(id).is_some_and(|m| m.has(Capability::LabeledResponse))
        {
            return;
        }
        let label = message.tags.get("label").filter(|label| !label.is_empty() && label.len() <= MAX_LABEL);
        if let Some(label) = label {
            self.delivery.begin_label(id, &message::escape(&label));
        }
    }
}
