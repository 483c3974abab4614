//! A line that was sent before: nobody hears it twice, and its sender gets the first one's
//! echo.

use std::sync::Arc;

use crate::hub::Hub;
use crate::hub::delivery::event::{Event, Talk, What};
use crate::hub::delivery::lines::Line;
use crate::hub::delivery::marked_volatile;
use crate::hub::delivery::queue::Until;
use crate::hub::history::tickets::{Resend, Ticket};
use crate::hub::history::{Answer, Fingerprint, Request, Told};
use crate::hub::state::ConnectionId;
use crate::protocol::Capability;

impl Hub {
    /// Answers a line that is known already.
    /// `room`: where it is kept, and how the sender calls that.
    pub(crate) fn say_again(
        &mut self,
        id: ConnectionId,
        (folded, room): (Arc<str>, String),
        print: Fingerprint,
        talk: Talk<'_>,
    ) {
        let Talk { verb, text, tags, .. } = talk;
        if !self.state.member(id).is_some_and(|member| member.has(Capability::EchoMessage)) {
            return;
        }
        let request = Request::Find { room: folded, fingerprint: print };
        let resend = Resend { id, room, verb, text: text.into(), tags: tags.into() };
        let ticket = self.ask(id, Ticket::Echo(Box::new(resend)), request);
        let nothing: Line = [].into();
        self.delivery.send_when(id, nothing, Until::Answered(ticket));
    }

    /// The store has looked: the first line's echo.
    pub(crate) fn first_echo(&mut self, resend: Resend, answer: Answer) -> Line {
        let Resend { id, room, verb, text, tags } = resend;
        let found = match answer {
            Answer::Lines { found, .. } => found.into_iter().next(),
            Answer::Failed => None,
        };
        let form = self.delivery.form(id);
        let first = found.and_then(|kept| Told::parse(&kept.payload)?.line(&room, kept.id, form));
        match first {
            Some(line) if self.state.settings.durable => line,
            Some(line) => marked_volatile(form, line),
            None => {
                // It was heard, but is not kept (any more): the disk was full, or it is too old.
                let private = !room.starts_with('#');
                let what = What::Message { verb, target: &room, text: &text, private };
                let event = Event { tags: &tags, volatile: true, ..self.event(id, what) };
                // Who wants no tags any more gets none; what waits behind it has to go on.
                event.line(form).unwrap_or_else(|| [].into())
            }
        }
    }
}
