//! A connection whose password is looked at: what it says waits, as if no time had passed.

use crate::hub::state::{ConnectionId, State};

/// What came of a connection while an answer is waited for.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    ticket: u64,
    /// Lines, each ended by LF.
    pub(crate) lines: Vec<u8>,
    /// Then its peer closed its side.
    pub(crate) ended: bool,
}

impl State {
    /// From now on a connection waits for this answer.
    pub(crate) fn wait(&mut self, id: ConnectionId, ticket: u64) {
        if let Some(member) = self.member_mut(id) {
            member.waiting = Some(Box::new(Waiting { ticket, ..Waiting::default() }));
        }
    }

    pub(crate) fn waits_for(&self, id: ConnectionId, ticket: u64) -> bool {
        let waiting = self.member(id).and_then(|member| member.waiting.as_ref());
        waiting.is_some_and(|waiting| waiting.ticket == ticket)
    }

    /// It waits no more; what came meanwhile.
    pub(crate) fn go_on_from(&mut self, id: ConnectionId, ticket: u64) -> Option<Box<Waiting>> {
        self.member_mut(id)?.waiting.take_if(|waiting| waiting.ticket == ticket)
    }

    /// The peer closed its side: says whether that waits, too.
    pub(crate) fn ends_later(&mut self, id: ConnectionId) -> bool {
        let waiting = self.member_mut(id).and_then(|member| member.waiting.as_mut());
        waiting.map(|waiting| waiting.ended = true).is_some()
    }
}
