//! Lines that are deleted.

use crate::hub::Hub;
use crate::hub::delivery::echo::Storage;
use crate::hub::delivery::event::{Event, What};
use crate::hub::delivery::queue::Until;
use crate::hub::history::{Erasure, Told};
use crate::hub::state::ConnectionId;
use crate::hub::state::refusal::Refused;
use crate::protocol::{Capability, MsgId};

/// A line that is to be deleted, by somebody who may.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deletion<'a> {
    /// Where it is kept.
    pub(crate) room: &'a str,
    /// The room, or the other person, as it was written.
    pub(crate) target: &'a str,
    pub(crate) of: MsgId,
    pub(crate) told: Told<'a>,
    pub(crate) reason: &'a str,
    /// Under which the answer waits.
    pub(crate) ticket: u64,
}

impl Hub {
    pub(super) fn redact(&mut self, id: ConnectionId, deletion: Deletion<'_>) -> Result<(), Refused> {
        let Deletion { room, target, of, told, reason, ticket } = deletion;
        let found = self.state.rooms.find(target);
        let name = found.and_then(|room| self.state.rooms.get(room)).map(|room| room.name.to_string());
        let name = name.unwrap_or_else(|| target.to_owned());
        let event = self.event(id, What::Redact { target: &name, of, reason, past: false });
        if found.is_none() && !self.state.keeps_pair(room) {
            // Another server keeps it, or it is nobody's any more.
            self.delivery.answer(id, ticket, &[].into(), None);
            return Ok(());
        }
        let answer = event.line(self.delivery.form(id)).unwrap_or_else(|| [].into());
        if told.deletion(target, of).is_some() {
            self.delivery.answer(id, ticket, &answer, None);
            return Ok(());
        }
        match found {
            Some(room) => self.fan_out(room, &event, |seat, caps| {
                seat.member != id && caps.has(Capability::MessageRedaction)
            }),
            None => self.tell_redacted(id, (room, target), &event),
        }
        let payload = told.tombstone(&event.from.prefix, reason);
        self.record_deletion(room.into(), &event, Erasure { id: of, payload });
        if let (Some(_), Some(member)) = (found, self.state.member(id)) {
            let whose = if told.author == &**member.author() { "their own" } else { told.sender() };
            let text = format!("deleted: a line of {whose} in {name} by {}", member.name());
            self.log_about(member.peer, text);
        }
        let until = (self.delivery.storage == Storage::Disk).then_some(Until::Durable(event.id));
        self.delivery.answer(id, ticket, &answer, until);
        Ok(())
    }

    /// A private line is deleted: the other one is told, if that is somebody else and asked for it.
    fn tell_redacted(&mut self, id: ConnectionId, (room, target): (&str, &str), event: &Event<'_>) {
        // Somebody else may have that name meanwhile.
        let same = self.state.pair(id, target).is_some_and(|pair| *pair.key == *room);
        let other = self.state.find(target).filter(|other| same && *other != id);
        let wants = |other: &ConnectionId| {
            self.state.member(*other).is_some_and(|member| member.has(Capability::MessageRedaction))
        };
        other.filter(wants).into_iter().for_each(|other| self.tell(other, event));
    }
}
