//! What the server says about a message itself: its time, its name, our token.

use std::borrow::Cow;

use parlor_server::protocol::time::UnixMillis;
use parlor_server::protocol::{Leniency, Message, MsgId, tag};

use super::page::Batch;
use crate::limits::MSGID;

/// What the tags of a message say about it.
#[derive(Debug, Clone)]
pub(super) struct Stamp<'a> {
    /// By the server's clock where it tells (`server-time`), else ours.
    pub(super) at: UnixMillis,
    pub(super) msgid: Option<Cow<'a, str>>,
    /// The sender's own name for the line.
    pub(super) token: Option<Cow<'a, str>>,
    /// It comes from the history, not from now.
    pub(super) old: bool,
    /// It belongs to an answer that we asked for: the place of that among the open batches.
    pub(super) page: Option<usize>,
    /// The server does not keep it (`parlor/volatile`).
    pub(super) volatile: bool,
}

impl<'a> Stamp<'a> {
    pub(super) fn of(message: &Message<'a>, now: UnixMillis, batches: &[Batch]) -> Stamp<'a> {
        let value = |name| message.tags.get(name).filter(|value| !value.is_empty() && value.len() <= MSGID);
        let batch = value(tag::BATCH)
            .and_then(|reference| batches.iter().position(|batch| batch.reference == *reference));
        Stamp {
            at: value(tag::TIME).and_then(|time| Leniency::Lenient.time(&time)).unwrap_or(now),
            msgid: value(tag::MSGID),
            token: value(tag::LINE_ID),
            old: batch.is_some_and(|at| batches.get(at).is_some_and(|batch| batch.incoming.is_none())),
            page: batch.filter(|at| batches.get(*at).is_some_and(|batch| batch.page.is_some())),
            volatile: message.tags.get(tag::VOLATILE).is_some(),
        }
    }
}

impl Stamp<'_> {
    /// The same, for later.
    pub(super) fn to_owned(&self) -> Stamp<'static> {
        let owned = |text: &Option<Cow<'_, str>>| text.as_deref().map(|text| text.to_owned().into());
        let Stamp { at, old, page, volatile, .. } = *self;
        Stamp { at, msgid: owned(&self.msgid), token: owned(&self.token), old, page, volatile }
    }

    /// Its place on a server whose msgids are sorted.
    pub(super) fn position(&self, sorted: bool) -> Option<MsgId> {
        self.msgid.as_deref().filter(|_| sorted).and_then(MsgId::parse)
    }
}
