//! How events are written for a connection.

use crate::hub::state::member::{RawKind, Speaker};
use crate::protocol::raw::Colon;
use crate::protocol::{Capabilities, Capability};

/// How events are written for a connection: all readers of one form are sent the same bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Hears nothing yet, or nothing more.
    Silent,
    Irc(Irc),
    Plain,
    Raw(RawKind),
}

/// Those of an IRC client's capabilities that change how an event is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Irc {
    /// `server-time`.
    pub(crate) time: bool,
    /// `message-tags`.
    pub(crate) tags: bool,
    pub(crate) extended_join: bool,
    /// `account-tag`.
    pub(crate) account: bool,
    /// `draft/multiline`, and `batch`.
    pub(crate) multiline: bool,
}

impl Form {
    /// Forms that hear something.
    pub(crate) const COUNT: usize = 38;

    pub(crate) fn of(speaker: Speaker, caps: Capabilities) -> Form {
        match speaker {
            Speaker::Unknown => Form::Silent,
            Speaker::Plain => Form::Plain,
            Speaker::Raw(kind) => Form::Raw(kind),
            Speaker::Irc => Form::Irc(Irc {
                time: caps.has(Capability::ServerTime),
                tags: caps.has(Capability::MessageTags),
                extended_join: caps.has(Capability::ExtendedJoin),
                account: caps.has(Capability::AccountTag),
                multiline: caps.has(Capability::Multiline) && caps.has(Capability::Batch),
            }),
        }
    }

    /// A number below [`COUNT`](Self::COUNT) that no other form has; `None` for who hears nothing.
    pub(crate) fn index(self) -> Option<usize> {
        Some(match self {
            Form::Silent => return None,
            Form::Irc(Irc { time, tags, extended_join, account, multiline }) => {
                let flags = [time, tags, extended_join, account, multiline];
                flags.iter().enumerate().map(|(bit, flag)| usize::from(*flag) << bit).sum()
            }
            Form::Plain => 32,
            Form::Raw(RawKind::Html) => 33,
            Form::Raw(RawKind::Prompted) => 34,
            Form::Raw(RawKind::Named(Colon::Ascii)) => 35,
            Form::Raw(RawKind::Named(Colon::FullWidth)) => 36,
            Form::Raw(RawKind::Bare) => 37,
        })
    }

    /// Whether its lines say when something was.
    pub(crate) fn time(self) -> bool {
        matches!(self, Form::Irc(Irc { time: true, .. }))
    }

    /// Whether its lines carry tags.
    pub(crate) fn tags(self) -> bool {
        matches!(self, Form::Irc(Irc { tags: true, .. }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_forms_share_a_number() {
        let bits = |n: usize| {
            let [time, tags, extended_join, account, multiline] = [1, 2, 4, 8, 16].map(|bit| n & bit > 0);
            Irc { time, tags, extended_join, account, multiline }
        };
        let named = [Colon::Ascii, Colon::FullWidth].map(RawKind::Named);
        let raw = [RawKind::Html, RawKind::Prompted, RawKind::Bare].into_iter().chain(named).map(Form::Raw);
        let all = (0..32).map(|n| Form::Irc(bits(n))).chain([Form::Plain]).chain(raw);
        let mut numbers: Vec<usize> = all.filter_map(Form::index).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (0..Form::COUNT).collect::<Vec<_>>());
    }
}
