//! Modes of rooms and people.

use crate::hub::Hub;
use crate::hub::change::WRITTEN;
use crate::hub::delivery::event::What;
use crate::hub::state::ConnectionId;
use crate::hub::state::limits::MAX_CHANGES;
use crate::hub::state::modes::{Made, ModeChange, takes_argument};
use crate::hub::state::refusal::{Refused, no_such_room, operator_needed};
use crate::hub::state::room::RoomId;
use crate::protocol::Numeric::*;

/// Bytes of the changes that one MODE line tells of; more go into a second line.
const MAX_CHANGE_LINE: usize = 300;

impl Hub {
    pub(super) fn room_modes(
        &mut self,
        id: ConnectionId,
        room: &str,
        changes: &[ModeChange<'_>],
    ) -> Result<(), Refused> {
        let (room, state) = self.state.room_named(room).ok_or_else(|| no_such_room(room))?;
        let name = state.name.to_string();
        if !self.state.is_operator(id, room) {
            return Err(operator_needed(&name));
        }
        let mut made = Made::default();
        let mut with_argument = 0;
        for change in changes {
            let ModeChange { on, letter, .. } = *change;
            with_argument += usize::from(takes_argument(on, letter));
            if takes_argument(on, letter) && with_argument > MAX_CHANGES {
                let why = format!("{letter} * :{MAX_CHANGES} changes at a time; this one was not made");
                self.reply(id, ERR_INVALIDMODEPARAM, format!("{name} {why}"));
                continue;
            }
            match self.state.change_mode(id, room, &name, *change) {
                Ok(None) => {}
                Ok(Some(shown)) => {
                    if shown.len() + made.len() > MAX_CHANGE_LINE {
                        self.announce_modes(id, room, &name, &mut made);
                    }
                    made.add(on, letter, &shown);
                }
                Err(refused) => self.refuse(id, refused),
            }
        }
        self.announce_modes(id, room, &name, &mut made);
        self.delivery.charge(id, WRITTEN);
        Ok(())
    }

    fn announce_modes(&mut self, id: ConnectionId, room: RoomId, name: &str, made: &mut Made) {
        let Some(change) = made.take() else { return };
        let event = self.event(id, What::Mode { target: name, change: &change });
        self.happens(id, room, name, &event);
        self.state.changed(room);
        self.tell(id, &event);
    }

    pub(super) fn user_modes(&mut self, id: ConnectionId, changes: &[ModeChange<'_>]) -> Result<(), Refused> {
        if let Some(change) = self.state.change_user_modes(id, changes) {
            let nick = self.state.nick_of(id).to_owned();
            self.send_reply(id, format!(":{nick} MODE {nick} :{change}\r\n").into_bytes().into());
        }
        Ok(())
    }
}
