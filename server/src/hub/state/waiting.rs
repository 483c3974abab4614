//! A connection whose password is looked at, or whose change has yet to have its turn: what it says waits, as if no
//! time had passed.

use crate::hub::state::{ConnectionId, State};

/// How a connection ended of which all is read.
#[derive(Debug, Clone, Copy)]
pub(crate) enum End {
    HungUp,
    Broken,
}

/// What came of a connection while an answer is waited for.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    ticket: Option<u64>,
    /// Its changes that have not had their turn.
    proposals: u32,
    /// Lines, each ended by LF.
    pub(crate) lines: Vec<u8>,
    /// The end that came then.
    pub(crate) ended: Option<End>,
}

impl Waiting {
    /// Whether it is a change that has yet to have its turn.
    pub(crate) fn is_proposing(&self) -> bool {
        self.proposals > 0
    }
}

impl State {
    /// From now on a connection waits for this answer.
    pub(crate) fn wait(&mut self, id: ConnectionId, ticket: u64) {
        if let Some(member) = self.member_mut(id) {
            member.waiting.get_or_insert_default().ticket = Some(ticket);
        }
    }

    pub(crate) fn waits_for(&self, id: ConnectionId, ticket: u64) -> bool {
        let waiting = self.member(id).and_then(|member| member.waiting.as_ref());
        waiting.is_some_and(|waiting| waiting.ticket == Some(ticket))
    }

    /// It waits for this answer no more.
    pub(crate) fn end_wait(&mut self, id: ConnectionId, ticket: u64) {
        let waiting = self.member_mut(id).and_then(|member| member.waiting.as_mut());
        if let Some(waiting) = waiting.filter(|waiting| waiting.ticket == Some(ticket)) {
            waiting.ticket = None;
        }
    }

    /// A change of it is proposed.
    pub(crate) fn begin_proposal(&mut self, id: ConnectionId) {
        if let Some(member) = self.member_mut(id) {
            member.waiting.get_or_insert_default().proposals += 1;
        }
    }

    /// A change of it has had its turn; whether that was the last one.
    pub(crate) fn end_proposal(&mut self, id: ConnectionId) -> bool {
        let Some(waiting) = self.member_mut(id).and_then(|member| member.waiting.as_mut()) else {
            return false;
        };
        waiting.proposals = waiting.proposals.saturating_sub(1);
        waiting.proposals == 0
    }

    /// Whether a change of it has yet to have its turn.
    pub(crate) fn is_proposing(&self, id: ConnectionId) -> bool {
        let waiting = self.member(id).and_then(|member| member.waiting.as_ref());
        waiting.is_some_and(|waiting| waiting.is_proposing())
    }

    /// What came of it meanwhile, if it waits for nothing any more.
    pub(crate) fn go_on_from(&mut self, id: ConnectionId) -> Option<Box<Waiting>> {
        let done = |waiting: &mut Box<Waiting>| waiting.ticket.is_none() && waiting.proposals == 0;
        self.member_mut(id)?.waiting.take_if(done)
    }

    /// The connection ended: says whether that waits, too.
    pub(crate) fn ends_later(&mut self, id: ConnectionId, end: End) -> bool {
        let waiting = self.member_mut(id).and_then(|member| member.waiting.as_mut());
        waiting.map(|waiting| waiting.ended = Some(end)).is_some()
    }
}
