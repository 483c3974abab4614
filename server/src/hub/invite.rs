//! INVITE.

use super::event::What;
use super::membership::shown;
use super::room::{OPERATOR, Seat};
use super::{ConnectionId, Hub};
use crate::protocol::Capability;
use crate::protocol::Numeric::*;

/// Invitations by name that a room remembers.
const MAX_INVITED: usize = 100;

impl Hub {
    pub(super) fn invite(&mut self, id: ConnectionId, nick: &str, name: &str) {
        let Some(invited) = self.find(nick) else { return self.no_such_nick(id, shown(nick)) };
        let Some(room) = self.joined_room(id, name) else { return };
        if self.place(invited, room).is_some() {
            return self.reply(
                id,
                ERR_USERONCHANNEL,
                format_args!("{nick} {name} :They are in that room already"),
            );
        }
        let Some(state) = self.rooms.get_mut(room) else { return };
        let (name, invite_only) = (state.name.to_string(), state.flags.invite_only);
        if invite_only && !self.is_operator(id, room) {
            return self.operator_needed(id, &name);
        }
        if let Some(state) = self.rooms.get_mut(room) {
            state.invited.retain(|other| *other != invited);
            if state.invited.len() >= MAX_INVITED {
                state.invited.remove(0);
            }
            state.invited.push(invited);
        }
        let nick = self.nick_of(invited).to_owned();
        self.reply(id, RPL_INVITING, format_args!("{nick} {name}"));
        if let Some(away) = self.member(invited).and_then(|member| member.away.clone()) {
            self.reply(id, RPL_AWAY, format_args!("{nick} :{away}"));
        }
        let from = self.source(id);
        let event = self.event(&from, What::Invite { nick: &nick, room: &name });
        self.tell(invited, &event);
        // invite-notify: those who could have invited learn of it.
        let operators: Vec<ConnectionId> = self.rooms.get(room).map_or_else(Vec::new, |room| {
            let notified = |seat: &&Seat| {
                seat.member != id
                    && (!invite_only || seat.rank & OPERATOR != 0)
                    && self.slots[seat.member.slot as usize].caps.has(Capability::InviteNotify)
            };
            room.seats().iter().filter(notified).map(|seat| seat.member).collect()
        });
        for operator in operators {
            self.tell(operator, &event);
        }
    }

    /// INVITE without parameters: where one is invited to.
    pub(super) fn invitations(&mut self, id: ConnectionId) {
        let rooms: Vec<String> = self
            .rooms
            .from(0)
            .filter(|(_, room)| room.invited.contains(&id))
            .take(MAX_INVITED)
            .map(|(_, room)| room.name.to_string())
            .collect();
        for room in rooms {
            self.reply(id, RPL_INVITELIST, format_args!("{room}"));
        }
        self.reply(id, RPL_ENDOFINVITELIST, format_args!(":End of invite list"));
    }
}
