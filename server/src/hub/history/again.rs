//! A line that was sent before: nobody hears it twice, and its sender gets the first one's
//! echo.

use crate::hub::delivery::event::What;
use crate::hub::delivery::receipts::Until;
use crate::hub::delivery::reply::tagged;
use crate::hub::history::record::Remembered;
use crate::hub::history::replay::Ticket;
use crate::hub::history::{Answer, Request};
use crate::hub::state::room::RoomId;
use crate::hub::{ConnectionId, Event, Hub, Line};
use crate::protocol::Capability;
use crate::protocol::command::Verb;

/// A line that was sent again, while the store looks for the first one.
#[derive(Debug)]
pub(crate) struct Again {
    id: ConnectionId,
    /// What binds the echo to the label of its command.
    pub(crate) tag: Option<String>,
    room: String,
    verb: Verb,
    text: String,
    tags: String,
}

impl Hub {
    /// Answers a line that is known already.
    pub(crate) fn say_again(
        &mut self,
        id: ConnectionId,
        room: RoomId,
        fingerprint: u64,
        (verb, text, tags): (Verb, &str, &str),
    ) {
        let Some(state) = self.rooms.get(room) else { return };
        if !self.member(id).is_some_and(|member| member.has(Capability::EchoMessage)) {
            return;
        }
        let request = Request::Find { room: state.folded.clone(), fingerprint };
        let room = state.name.to_string();
        let again = Again { id, tag: None, room, verb, text: text.into(), tags: tags.into() };
        let ticket = self.ask(Ticket::Echo(Box::new(again)), request);
        let nothing: Line = [].into();
        self.emit_when(id, nothing, Until::Answered(ticket));
    }

    /// The store has looked: the echo, at the place that was kept for it.
    pub(crate) fn echo_again(&mut self, ticket: u64, again: Again, answer: Answer) {
        let Again { id, tag, room, verb, text, tags } = again;
        let found = match answer {
            Answer::Lines { found, .. } => found.into_iter().next(),
            Answer::Targets(_) | Answer::Failed => None,
        };
        let Some(form) = self.slots.get(id.slot as usize).map(|slot| slot.form) else { return };
        let first = found.and_then(|kept| Remembered::parse(&kept.payload)?.line(&room, kept.id, form));
        let line = match first {
            Some(line) if self.settings.durable => line,
            Some(line) => self.volatile(id, line),
            None => {
                // It was heard, but is not kept (any more): the disk was full, or it is too old.
                let what = What::Message { verb, target: &room, text: &text, private: false };
                let event = Event { tags: &tags, volatile: true, ..self.event(id, what) };
                // Who wants no tags any more gets none; what waits behind it has to go on.
                self.encode(id, &event).unwrap_or_else(|| [].into())
            }
        };
        let line = match tag.filter(|_| !line.is_empty()) {
            Some(tag) => tagged(&tag, &line),
            None => line,
        };
        self.answered(id, ticket, line);
    }
}
