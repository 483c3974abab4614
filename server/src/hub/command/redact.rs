//! REDACT: a line is taken back by who said it, or deleted by an operator of its room
//! (IRCv3 draft/message-redaction).

use std::sync::Arc;

use crate::hub::Hub;
use crate::hub::change::{Change, Deletion};
use crate::hub::command::{Done, need};
use crate::hub::delivery::echo::Storage;
use crate::hub::delivery::lines::Line;
use crate::hub::delivery::queue::Until;
use crate::hub::history::tickets::{Redaction, Ticket};
use crate::hub::history::{Answer, Edge, Query, Range, Request, Told};
use crate::hub::state::ConnectionId;
use crate::hub::state::limits::MAX_KICK;
use crate::hub::state::refusal::{shown, too_long};
use crate::protocol::{Capability, Message, MsgId};

/// What looking for a line and writing it anew costs, in lines.
const COST: u32 = 4;

pub(super) fn redact(hub: &mut Hub, id: ConnectionId, message: &Message<'_>) -> Done {
    let (target, given) = (need(message, 0)?, need(message, 1)?);
    if hub.lacks(id, Capability::MessageRedaction, "REDACT") {
        return Ok(());
    }
    let reason = message.params.get(2).copied().unwrap_or_default();
    if reason.len() > MAX_KICK {
        return Err(too_long());
    }
    hub.delivery.charge(id, COST);
    let Some(room) = hub.kept_at(id, target) else {
        let code = format!("INVALID_TARGET {}", shown(target));
        hub.fail(
            id,
            "REDACT",
            &code,
            "Lines are deleted in rooms that you are in, and where private lines are kept",
        );
        return Ok(());
    };
    let Some(of) = MsgId::parse(given) else {
        let code = format!("UNKNOWN_MSGID {} {}", shown(target), shown(given));
        hub.fail(id, "REDACT", &code, "There is no such line, or no longer");
        return Ok(());
    };
    let range = Range { after: Edge::At(of.before()), upto: of, ..Range::ALL };
    let query = Query { room: room.clone(), range, limit: 1, newest: true, events: true };
    let redaction = Redaction { id, room, target: target.into(), of, reason: reason.into() };
    let ticket = hub.ask(id, Ticket::Redact(Box::new(redaction)), Request::Lines(query));
    let nothing: Line = [].into();
    hub.delivery.send_when(id, nothing, Until::Answered(ticket));
    Ok(())
}

impl Hub {
    /// Where the lines are kept that a member may ask for: of a room that it is in, or between it and
    /// somebody.
    pub(super) fn kept_at(&self, id: ConnectionId, target: &str) -> Option<Arc<str>> {
        if !target.starts_with('#') {
            return self.state.pair(id, target).map(|pair| pair.key);
        }
        let room = self.state.rooms.find(target)?;
        self.state.place(id, room)?;
        Some(self.state.rooms.get(room)?.folded.clone())
    }

    /// The store has looked for a line that is to be deleted.
    pub(super) fn redact_found(&mut self, ticket: u64, redaction: &Redaction, answer: Answer) {
        let Redaction { id, room, target, of, reason } = redaction;
        let id = *id;
        let (found, failed) = match answer {
            Answer::Lines { found, .. } => (found.into_iter().find(|kept| kept.id == *of), false),
            Answer::Failed => (None, true),
        };
        let told = found.as_ref().and_then(|kept| Told::parse(&kept.payload));
        let Some(member) = self.state.member(id) else { return };
        let author = member.author().clone();
        let operates = self.state.rooms.find(target).is_some_and(|room| self.state.is_operator(id, room));
        let refusal = match told {
            _ if failed => {
                Some(("INTERNAL_ERROR", "The history could not be read; the server's log says why"))
            }
            // It would be told, and might come back.
            _ if self.delivery.storage == Storage::Paused => {
                Some(("INTERNAL_ERROR", "The server's disk takes nothing now; try again later"))
            }
            // Said again: it is done.
            Some(told) if told.deletion(target, *of).is_some() => None,
            Some(told) if !told.is_redactable() => Some(("UNKNOWN_MSGID", "That is no line")),
            Some(told) if !operates && told.author != &*author => {
                Some(("REDACT_FORBIDDEN", "That line is somebody else's"))
            }
            Some(_) => None,
            None => Some(("UNKNOWN_MSGID", "There is no such line, or no longer")),
        };
        if let Some((code, sentence)) = refusal {
            let line =
                self.server_line(format_args!("FAIL REDACT {code} {} {of} :{sentence}", shown(target)));
            self.delivery.answer(id, ticket, &line, None);
        } else if let Some(told) = told {
            let deletion = Deletion { room, target, of: *of, told, reason, ticket };
            self.propose(id, Change::Redact { deletion });
        }
        self.go_on(id);
    }
}
