//! Who is here, as the operator and the host see it.

use std::net::SocketAddr;

use crate::hub::state::State;
use crate::hub::state::member::Speaker;

/// Somebody who is here, as the operator and the host see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guest {
    /// The name.
    pub nick: String,
    /// The real address and port.
    pub peer: SocketAddr,
    /// The program: `irc`, `plain`, `raw, …`.
    pub speaker: Speaker,
    /// Marked as away.
    pub away: bool,
    /// The rooms, in the order of joining.
    pub rooms: Vec<String>,
}

impl State {
    /// Everyone who is here.
    pub(crate) fn guests(&self) -> Vec<Guest> {
        self.everyone()
            .map(|(id, member)| Guest {
                nick: member.name().to_owned(),
                peer: member.peer,
                speaker: member.speaker,
                away: member.away.is_some(),
                rooms: self.room_names_of(id),
            })
            .collect()
    }
}
