//! HAND: who wants to speak next. Our window says it with the tag `+parlor/hand`, others type HAND or /hand.

use crate::hub::Hub;
use crate::hub::change::Change;
use crate::hub::command::{Done, need};
use crate::hub::state::ConnectionId;
use crate::hub::state::refusal::{not_in_room, shown};
use crate::hub::state::room::RoomId;
use crate::protocol::Message;
use crate::protocol::tag::HAND;

/// Names that are listed; a person waits for some, not for hundreds.
const LISTED: usize = 50;

pub(super) fn hand(hub: &mut Hub, id: ConnectionId, message: &Message<'_>) -> Done {
    let room = need(message, 0)?;
    let (found, _) = hub.state.room_joined(id, room)?;
    hub.state.place(id, found).ok_or_else(|| not_in_room(room))?;
    let nick = message.params.filled(2);
    match message.params.get(1).map(|word| word.to_ascii_uppercase()).as_deref() {
        None => hub.list_hands(id, found),
        Some("UP") if nick.is_none() => hub.propose(id, Change::Hand { room, up: true, nick: None }),
        Some("DOWN") => hub.propose(id, Change::Hand { room, up: false, nick }),
        Some(word) => {
            let sentence = "It is HAND #room, HAND #room UP, HAND #room DOWN or HAND #room DOWN nick";
            hub.fail(id, "HAND", &format!("INVALID_PARAMS {}", shown(word)), sentence);
        }
    }
    Ok(())
}

/// A TAGMSG that raises or lowers a hand; false if it is none of such.
pub(super) fn tagged(hub: &mut Hub, id: ConnectionId, message: &Message<'_>) -> bool {
    let (Some(value), Some(room)) = (message.tags.get(HAND), message.params.filled(0)) else { return false };
    match &*value {
        "up" => hub.propose(id, Change::Hand { room, up: true, nick: None }),
        "down" => hub.propose(id, Change::Hand { room, up: false, nick: None }),
        other => {
            hub.fail(id, "TAGMSG", &format!("INVALID_PARAMS {}", shown(other)), "A hand is up or down");
        }
    }
    true
}

impl Hub {
    /// Tells who wants to speak, the first first.
    pub(crate) fn list_hands(&mut self, id: ConnectionId, room: RoomId) {
        let Some(room) = self.state.rooms.get(room) else { return };
        let names = room
            .hands
            .iter()
            .filter_map(|number| Some(self.state.member(room.seat(*number)?.member)?.name()));
        let names: Vec<&str> = names.collect();
        let text = match names.as_slice() {
            [] => format!("No hand is up in {}", room.name),
            names => {
                let named = names.get(..LISTED).unwrap_or(names);
                let more = match names.len() - named.len() {
                    0 => String::new(),
                    more => format!(" and {more} more"),
                };
                format!("Hands up in {}: {}{more}", room.name, named.join(", "))
            }
        };
        self.explain(id, &text);
    }
}
