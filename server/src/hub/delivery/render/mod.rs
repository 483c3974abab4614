//! An event as each kind of reader is told of it.

pub(super) mod irc;
pub(super) mod plain;
pub(super) mod raw;

use std::borrow::Cow;

use crate::hub::delivery::event::{Event, What};
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
            Form::Plain => self.each_line(|event| plain::write(event, to)),
            Form::Raw(kind) => self.each_line(|event| raw::write(event, kind, to)),
        }
    }

    /// The lines for the operator's terminal.
    pub(crate) fn narration(&self) -> Vec<String> {
        let mut lines = Vec::new();
        self.each_line(|event| plain::line(event).map(|line| lines.push(line)).is_some());
        lines
    }

    /// A message of several lines as several of one, without the empty ones; anything else as it is. Whether
    /// `write` wrote any.
    fn each_line(&self, mut write: impl FnMut(&Event<'_>) -> bool) -> bool {
        match self.what {
            What::Message { verb, target, text, private } if text.contains('\n') => {
                let mut written = false;
                for text in text.split('\n').filter(|line| !line.is_empty()) {
                    let what = What::Message { verb, target, text, private };
                    let from = Cow::Borrowed(&*self.from);
                    written |= write(&Event {
                        id: self.id,
                        from,
                        tags: self.tags,
                        what,
                        volatile: self.volatile,
                        batch: "",
                    });
                }
                written
            }
            _ => write(self),
        }
    }
}
