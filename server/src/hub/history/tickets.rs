//! What is known of the past without asking, and what the store is asked: by everybody in turn.
//!
//! A party that waits has one question answered, then the next party; within a party it is the same
//! with its members. So neither many questions nor many connections of one address make others wait:
//! they wait for as many questions as there are parties. Each is answered in a short time, the store
//! sees to that: what takes longer goes on when it has its next turn.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;

use crate::hub::Hub;
use crate::hub::delivery::output::Output;
use crate::hub::history::seen::Seen;
use crate::hub::history::{Fingerprint, Request};
use crate::hub::state::ConnectionId;
use crate::hub::state::admission::party;
use crate::hub::state::circle::Circle;
use crate::protocol::MsgId;
use crate::protocol::command::Verb;

/// Questions of one kind that the store has at a time: it answers one while the hub takes the answer to
/// another.
const AT_A_TIME: usize = 2;

/// See the [module](self).
#[derive(Debug, Default)]
pub(crate) struct History {
    pub(crate) seen: Seen,
    /// With other servers: private lines, which only this one knows.
    pub(crate) seen_private: Option<Seen>,
    /// Who waits for which answer: at most one a line or long reply that waits.
    tickets: HashMap<u64, Ticket>,
    last_ticket: u64,
    /// Searches take the store longer, and have a thread of their own there.
    searches: Questions,
    others: Questions,
}

/// Who waits for an answer of the store.
#[derive(Debug)]
pub(crate) enum Ticket {
    /// A long reply of this connection.
    Page(ConnectionId),
    /// The echo of a line that was sent again.
    Echo(Box<Resend>),
    /// A line that is to be deleted.
    Redact(Box<Redaction>),
}

/// A line that was sent again, while the store looks for the first one.
#[derive(Debug)]
pub(crate) struct Resend {
    pub(crate) id: ConnectionId,
    pub(crate) room: String,
    pub(crate) verb: Verb,
    pub(crate) text: String,
    pub(crate) tags: String,
}

/// A line that is to be deleted, while the store looks for it.
#[derive(Debug)]
pub(crate) struct Redaction {
    pub(crate) id: ConnectionId,
    /// Where it is kept.
    pub(crate) room: Arc<str>,
    pub(crate) target: Box<str>,
    pub(crate) of: MsgId,
    pub(crate) reason: Box<str>,
}

/// Questions that wait for their turn, each with its ticket.
#[derive(Debug, Default)]
struct Questions {
    waiting: Circle<IpAddr, Circle<ConnectionId, VecDeque<(u64, Request)>>>,
    /// Those that the store has.
    asked: Vec<u64>,
}

impl Questions {
    fn next(&mut self) -> Option<(u64, Request)> {
        if self.asked.len() >= AT_A_TIME {
            return None;
        }
        let (ticket, request) = self.waiting.next(|members| {
            let question = members.next(|questions| Some((questions.pop_front()?, questions.is_empty())))?;
            Some((question, members.order.is_empty()))
        })?;
        self.asked.push(ticket);
        Some((ticket, request))
    }
}

impl History {
    /// Nothing is asked yet; tickets come behind `last_ticket`.
    pub(crate) fn new(seen: Seen, seen_private: Option<Seen>, last_ticket: u64) -> History {
        History { seen, seen_private, last_ticket, ..History::default() }
    }

    /// Private lines that another one knew are known.
    pub(crate) fn succeed(&mut self, before: &mut History) {
        self.seen_private = before.seen_private.take();
    }

    /// Whether a private line is known already.
    pub(crate) fn knows_private(&self, print: Fingerprint) -> bool {
        self.seen_private.as_ref().unwrap_or(&self.seen).contains(print.get())
    }

    /// A private line is known from now on.
    pub(crate) fn note_private(&mut self, print: Fingerprint) {
        self.seen_private.as_mut().unwrap_or(&mut self.seen).insert(print.get());
    }

    fn questions(&mut self, request: &Request) -> &mut Questions {
        if matches!(request, Request::Search { .. }) { &mut self.searches } else { &mut self.others }
    }

    /// Forgets what somebody who goes wanted to ask.
    pub(crate) fn forget(&mut self, ip: IpAddr, id: ConnectionId) {
        let party = party(ip);
        for Questions { waiting, .. } in [&mut self.searches, &mut self.others] {
            let Some(members) = waiting.queues.get_mut(&party) else { continue };
            for (ticket, _) in members.leave(&id).unwrap_or_default() {
                self.tickets.remove(&ticket);
            }
            if members.order.is_empty() {
                waiting.leave(&party);
            }
        }
    }
}

impl Hub {
    /// Asks the store something for a member, when it has its turn; the answer comes as
    /// [`Input::Answer`](crate::hub::Input::Answer).
    pub(crate) fn ask(&mut self, id: ConnectionId, ticket: Ticket, request: Request) -> u64 {
        self.history.last_ticket += 1;
        let number = self.history.last_ticket;
        if let Some(member) = self.state.member(id) {
            let party = party(member.peer.ip());
            self.history.tickets.insert(number, ticket);
            self.history.questions(&request).waiting.queue(party).queue(id).push_back((number, request));
        }
        self.ask_next();
        number
    }

    /// Takes the ticket of an answer; the next question has its turn.
    pub(crate) fn answered(&mut self, ticket: u64) -> Option<Ticket> {
        for questions in [&mut self.history.searches, &mut self.history.others] {
            questions.asked.retain(|asked| *asked != ticket);
        }
        self.ask_next();
        self.history.tickets.remove(&ticket)
    }

    fn ask_next(&mut self) {
        let Hub { delivery, history, .. } = self;
        for questions in [&mut history.searches, &mut history.others] {
            while let Some((ticket, request)) = questions.next() {
                delivery.output(Output::Read { ticket, request });
            }
        }
    }
}
