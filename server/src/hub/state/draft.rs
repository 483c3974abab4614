//! A message of several lines while they come (IRCv3 draft/multiline).

use crate::hub::state::limits::{MAX_MESSAGE, MAX_MESSAGE_LINES};
use crate::protocol::command::Verb;
use crate::protocol::{Folded, LineName};

/// See the [module](self). At most [`MAX_MESSAGE`] bytes; it goes with its connection.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    /// What the client calls it.
    pub(crate) reference: Box<str>,
    pub(crate) target: Box<str>,
    /// Of the message, see [`Talk`](crate::hub::delivery::event::Talk).
    pub(crate) line: Option<LineName>,
    pub(crate) tags: String,
    /// That of the command that began it: the answer to the whole carries it.
    pub(crate) label: Option<Box<str>>,
    /// That of its lines, once there is one.
    pub(crate) verb: Option<Verb>,
    /// Its lines, LF between two.
    pub(crate) text: String,
    lines: usize,
    /// It was refused: what still comes of it is left out.
    pub(crate) failed: bool,
}

/// Why a line is none of a message.
#[derive(Debug)]
pub(crate) enum Fault {
    /// No such message was begun.
    Unknown,
    Bytes,
    Lines,
    /// The message's target, and this line's.
    Target(Box<str>, Box<str>),
    Invalid(&'static str),
}

impl Draft {
    pub(crate) fn new(
        reference: &str,
        target: &str,
        (line, tags): (Option<LineName>, String),
        label: Option<Box<str>>,
    ) -> Draft {
        let (reference, target) = (reference.into(), target.into());
        Draft {
            reference,
            target,
            line,
            tags,
            label,
            verb: None,
            text: String::new(),
            lines: 0,
            failed: false,
        }
    }

    /// Adds a line; `concat`: it goes on where the last one ended.
    pub(crate) fn add(
        &mut self,
        verb: Option<Verb>,
        target: &str,
        text: &str,
        concat: bool,
    ) -> Result<(), Fault> {
        if verb.is_none() || self.verb.is_some_and(|known| Some(known) != verb) {
            return Err(Fault::Invalid("A message is made of PRIVMSG alone, or of NOTICE alone"));
        }
        if Folded::new(target) != Folded::new(&self.target) {
            return Err(Fault::Target(self.target.clone(), target.into()));
        }
        if concat && (text.is_empty() || self.lines == 0) {
            return Err(Fault::Invalid("An empty line, or a first one, goes on nowhere"));
        }
        if self.lines >= MAX_MESSAGE_LINES {
            return Err(Fault::Lines);
        }
        let separator = if self.lines == 0 || concat { "" } else { "\n" };
        if self.text.len() + separator.len() + text.len() > MAX_MESSAGE {
            return Err(Fault::Bytes);
        }
        self.text.extend([separator, text]);
        self.lines += 1;
        self.verb = verb;
        Ok(())
    }
}
