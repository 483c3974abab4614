//! INVITE.

use crate::hub::delivery::event::What;
use crate::hub::state::room::{OPERATOR, RoomId};
use crate::hub::{ConnectionId, Hub};
use crate::protocol::Capability;
use crate::protocol::Numeric::*;

/// Invitations by name that a room remembers.
const MAX_INVITED: usize = 100;

impl Hub {
    pub(crate) fn invite(&mut self, id: ConnectionId, nick: &str, name: &str) {
        let Some(invited) = self.find(nick) else { return self.no_such_nick(id, nick) };
        let Some(room) = self.joined_room(id, name) else { return };
        if self.place(invited, room).is_some() {
            return self.reply(
                id,
                ERR_USERONCHANNEL,
                format!("{nick} {name} :They are in that room already"),
            );
        }
        let Some(state) = self.rooms.get_mut(room) else { return };
        let (name, invite_only) = (state.name.to_string(), state.flags.invite_only);
        if invite_only && !self.is_operator(id, room) {
            return self.operator_needed(id, &name);
        }
        self.note_invited(room, invited);
        let nick = self.nick_of(invited).to_owned();
        self.reply(id, RPL_INVITING, format!("{nick} {name}"));
        if let Some(away) = self.member(invited).and_then(|member| member.away.clone()) {
            self.reply(id, RPL_AWAY, format!("{nick} :{away}"));
        }
        let event = self.event(id, What::Invite { nick: &nick, room: &name });
        self.tell(invited, &event);
        // invite-notify: those who could have invited learn of it.
        self.fan_out(room, &event, |seat, slot| {
            seat.member != id
                && (!invite_only || seat.rank & OPERATOR != 0)
                && slot.caps.has(Capability::InviteNotify)
        });
    }

    /// Lets somebody in once, whatever the room's modes are; beyond [`MAX_INVITED`] the oldest goes.
    pub(crate) fn note_invited(&mut self, room: RoomId, invited: ConnectionId) {
        let Some(state) = self.rooms.get_mut(room) else { return };
        state.invited.retain(|other| *other != invited);
        if state.invited.len() >= MAX_INVITED {
            state.invited.remove(0);
        }
        state.invited.push(invited);
    }

    /// INVITE without parameters: where one is invited to.
    pub(crate) fn invitations(&mut self, id: ConnectionId) {
        let rooms: Vec<String> = self
            .rooms
            .from(0)
            .filter(|(_, room)| room.invited.contains(&id))
            .take(MAX_INVITED)
            .map(|(_, room)| room.name.to_string())
            .collect();
        for room in rooms {
            self.reply(id, RPL_INVITELIST, room);
        }
        self.reply(id, RPL_ENDOFINVITELIST, ":End of invite list");
    }
}
