//! How lines are written for a connection, and what fan-out looks at for each recipient.

use crate::hub::state::member::{Member, RawKind, Speaker};
use crate::protocol::{Capabilities, Capability};

/// How lines are written for a connection: an index into the encodings of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Form(u8);

impl Form {
    pub(crate) const COUNT: usize = 13;
    const TIME: u8 = 1;
    const TAGS: u8 = 2;
    const EXTENDED_JOIN: u8 = 4;
    pub(crate) const PLAIN: Form = Form(8);
    pub(crate) const RAW_ASCII: Form = Form(9);
    pub(crate) const RAW_HTML: Form = Form(10);
    pub(crate) const RAW_UTF8: Form = Form(11);
    /// Hears nothing yet.
    pub(crate) const NONE: Form = Form(12);

    pub(crate) fn of(speaker: Speaker, caps: Capabilities) -> Form {
        let bit = |capability, bit| if caps.has(capability) { bit } else { 0 };
        match speaker {
            Speaker::Unknown => Form::NONE,
            Speaker::Plain => Form::PLAIN,
            Speaker::Raw(RawKind::Ascii) => Form::RAW_ASCII,
            Speaker::Raw(RawKind::Html) => Form::RAW_HTML,
            Speaker::Raw(RawKind::Utf8) => Form::RAW_UTF8,
            Speaker::Irc => Form(
                bit(Capability::ServerTime, Form::TIME)
                    | bit(Capability::MessageTags, Form::TAGS)
                    | bit(Capability::ExtendedJoin, Form::EXTENDED_JOIN),
            ),
        }
    }

    pub(crate) fn index(self) -> usize {
        usize::from(self.0)
    }

    pub(crate) fn irc(self) -> bool {
        self.0 < Form::PLAIN.0
    }

    pub(crate) fn time(self) -> bool {
        self.irc() && self.0 & Form::TIME != 0
    }

    pub(crate) fn tags(self) -> bool {
        self.irc() && self.0 & Form::TAGS != 0
    }

    pub(crate) fn extended_join(self) -> bool {
        self.irc() && self.0 & Form::EXTENDED_JOIN != 0
    }
}

/// A place in the table of connections. What fan-out looks at for each recipient stands here,
/// not behind the pointer.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) generation: u32,
    /// The last epoch in which an event reached this one.
    pub(crate) mark: u32,
    pub(crate) caps: Capabilities,
    pub(crate) form: Form,
    pub(crate) member: Option<Box<Member>>,
}
