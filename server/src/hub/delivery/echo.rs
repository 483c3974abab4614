//! An echo is a receipt: it comes when the line is on disk (IRCv3 echo-message).

use crate::hub::delivery::Delivery;
use crate::hub::delivery::event::{Event, What};
use crate::hub::delivery::queue::{Order, Until};
use crate::hub::state::ConnectionId;
use crate::protocol::Capability;
use crate::protocol::command::Verb;

/// What becomes of lines that are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Storage {
    /// They go to disk.
    Disk,
    /// They should, but the disk does not take them.
    Paused,
    /// Only the latest are remembered, in memory.
    Memory,
}

impl<P> Delivery<P> {
    /// The sender's own copy. `kept`: the event goes to disk if anything does.
    pub(crate) fn echo(&mut self, id: ConnectionId, event: &Event<'_>, kept: bool) {
        if matches!(event.what, What::Message { verb, .. } if verb != Verb::Tagmsg) {
            self.said += 1;
        }
        let Some(reader) = self.reader(id).filter(|reader| reader.caps.has(Capability::EchoMessage)) else {
            return;
        };
        let Some(line) = event.line(reader.form) else { return };
        if kept && self.storage == Storage::Disk {
            self.send_when(id, line, Until::Durable(event.id));
        } else {
            self.send(id, line, Order::Reply);
        }
    }
}
