//! What the host of a server has it do: the console's commands without their text.

use super::operator::Asker;
use crate::hub::Hub;

/// What the host of a server has it do. Who hears of it sees what has come of it; what cannot be
/// done is said in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// The server speaks in every room. A text of more than 360 bytes goes out as several.
    Announce {
        /// Whatever it begins with.
        text: String,
    },
    /// Makes a member operator of a room.
    Op {
        /// The member.
        nick: String,
        /// The room, with its `#`.
        room: String,
    },
    /// Disconnects a member.
    Kick {
        /// The member.
        nick: String,
        /// Why, for everybody; perhaps empty.
        why: String,
    },
    /// Disconnects a member's address, and keeps it out as long as the server runs.
    Ban {
        /// The member.
        nick: String,
    },
}

impl Hub {
    pub(crate) fn operate(&mut self, operation: &Operation) {
        let done = match operation {
            Operation::Announce { text } => return self.announce(text),
            Operation::Op { nick, room } => self.console_op(nick, room),
            Operation::Kick { nick, why } => self.console_kick(nick, why),
            Operation::Ban { nick } => self.console_ban(Asker::Console, nick, None),
        };
        if let Err(why) = done {
            self.log(format!("not done: {why}"));
        }
    }
}
