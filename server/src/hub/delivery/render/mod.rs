//! An event as each kind of reader is told of it.

pub(super) mod irc;
pub(super) mod plain;
pub(super) mod raw;

use crate::hub::delivery::event::Event;
use crate::hub::delivery::form::Form;
use crate::hub::delivery::lines::Line;
use crate::hub::state::refusal::{Refused, too_long};
use crate::protocol::line::MAX_BODY;

impl Event<'_> {
    /// Bytes of the message as IRC members get it, without tags, with CR LF.
    pub(crate) fn body_len(&self) -> usize {
        irc::body_len(self)
    }

    /// Whether IRC members can be sent it.
    pub(crate) fn fits(&self) -> Result<(), Refused> {
        if self.body_len() > MAX_BODY { Err(too_long()) } else { Ok(()) }
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
