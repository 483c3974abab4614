//! NAMES: who is in a room.

use crate::hub::Hub;
use crate::hub::command::Done;
use crate::hub::command::page::Page;
use crate::hub::delivery::reply::Packed;
use crate::hub::delivery::{Rest, Sheet};
use crate::hub::state::ConnectionId;
use crate::hub::state::refusal::shown;
use crate::hub::state::room::RoomId;
use crate::protocol::Capability;
use crate::protocol::Message;
use crate::protocol::Numeric::*;

pub(super) fn names(hub: &mut Hub, id: ConnectionId, message: &Message<'_>) -> Done {
    let Some(name) = message.params.filled(0) else {
        return Err((RPL_ENDOFNAMES, "* :End of NAMES; name a room".into()));
    };
    match hub.state.rooms.find(name).filter(|room| hub.state.sees(id, *room)) {
        Some(room) => hub.page(id, Page::Names { room, name: name.into(), from: 0 }),
        None => hub.reply(id, RPL_ENDOFNAMES, format!("{} :End of NAMES", shown(name))),
    }
    Ok(())
}

impl Hub {
    pub(super) fn names_page(&self, room: RoomId, name: &str, from: &mut u32, sheet: &mut Sheet) -> Rest {
        let id = sheet.to;
        let (Some(member), state) = (self.state.member(id), self.state.rooms.get(room)) else {
            return Rest::Done;
        };
        let (all, userhost) = (member.has(Capability::MultiPrefix), member.has(Capability::UserhostInNames));
        let inside = self.state.place(id, room).is_some();
        let symbol = if state.is_some_and(|room| room.flags.secret) { '@' } else { '=' };
        let start = format!("{symbol} {name} :");
        let mut packed = Packed::behind(self.numeric_line(id, RPL_NAMREPLY, &start).len(), ' ');
        for seat in state.map(|room| room.seats_from(*from)).unwrap_or_default() {
            let Some(other) = self.state.member(seat.member) else { continue };
            if other.invisible && !inside {
                continue;
            }
            let shown = if userhost { other.prefix() } else { other.name().to_owned() };
            if let Some(names) = packed.add(&format!("{}{shown}", seat.prefixes(all))) {
                sheet.push(self.numeric_line(id, RPL_NAMREPLY, format_args!("{start}{names}")));
                if sheet.full(1) {
                    *from = seat.number;
                    return Rest::More;
                }
            }
        }
        if !packed.line.is_empty() {
            sheet.push(self.numeric_line(id, RPL_NAMREPLY, format_args!("{start}{}", packed.line)));
        }
        sheet.push(self.numeric_line(id, RPL_ENDOFNAMES, format_args!("{name} :End of NAMES")));
        Rest::Done
    }
}
