//! Hands up and down.

use crate::hub::Hub;
use crate::hub::change::tell::Audience;
use crate::hub::delivery::event::What;
use crate::hub::state::ConnectionId;
use crate::hub::state::refusal::{Refused, no_such_room, not_in_room, operator_needed};
use crate::hub::state::room::RoomId;
use crate::protocol::Capability;
use crate::protocol::Numeric::ERR_CANNOTSENDTOCHAN;

impl Hub {
    /// Somebody raises a hand or lowers it, or, for operators, that of another one.
    pub(super) fn hand(
        &mut self,
        id: ConnectionId,
        room: &str,
        up: bool,
        nick: Option<&str>,
    ) -> Result<(), Refused> {
        let (found, state) = self.state.room_named(room).ok_or_else(|| no_such_room(room))?;
        let name = state.name.to_string();
        let (whose, place) = match nick {
            Some(nick) => self.state.seated(nick, found, &name)?,
            None => (id, self.state.place(id, found).ok_or_else(|| not_in_room(room))?),
        };
        if whose != id && !self.state.is_operator(id, found) {
            return Err(operator_needed(&name));
        }
        if let Some(sentence) = self.state.barred(id, found).filter(|_| up) {
            return Err((ERR_CANNOTSENDTOCHAN, format!("{room} :{sentence}")));
        }
        let Some(state) = self.state.rooms.get_mut(found) else { return Ok(()) };
        let before = state.hands.iter().position(|number| *number == place.number);
        match (before, up) {
            (None, true) => state.hands.push(place.number),
            (Some(at), false) => drop(state.hands.remove(at)),
            _ => return Ok(()),
        }
        let waiting = state.hands.len();
        let event = self.event(whose, What::Hand { room: &name, up, waiting });
        self.tell_room(found, &event, Audience::Everyone);
        self.narrate(&name, &event);
        Ok(())
    }

    /// Tells somebody who came into a room whose hands are up, the first first.
    pub(crate) fn show_hands(&mut self, id: ConnectionId, room: RoomId) {
        let Some(state) = self.state.rooms.get(room).filter(|state| !state.hands.is_empty()) else { return };
        if !self.state.member(id).is_some_and(|member| member.has(Capability::MessageTags)) {
            return;
        }
        let name = state.name.to_string();
        let whose = state.hands.iter().filter_map(|number| Some(state.seat(*number)?.member));
        let whose: Vec<ConnectionId> = whose.collect();
        for (waiting, whose) in (1..).zip(whose) {
            let event = self.event_beside(Some(whose), What::Hand { room: &name, up: true, waiting });
            self.tell(id, &event);
        }
    }
}
