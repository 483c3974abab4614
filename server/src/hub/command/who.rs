//! WHO and WHOX (modern.ircdocs.horse "WHO", IRCv3 WHOX).

use crate::hub::Hub;
use crate::hub::command::Done;
use crate::hub::command::filter::Query;
use crate::hub::command::page::Page;
use crate::hub::delivery::lines::Line;
use crate::hub::delivery::{Rest, Sheet};
use crate::hub::state::ConnectionId;
use crate::hub::state::refusal::Refused;
use crate::hub::state::room::{RoomId, Seat};
use crate::protocol::Numeric::*;
use crate::protocol::{Capability, Folded, Message, mask};

/// Looks that one person costs whom a mask is compared with: name, host, real name, shared rooms.
const LOOKS: usize = 4;
/// Letters of the fields that WHOX knows, in the order in which they are sent.
const FIELDS: &str = "tcuihsnfdlaor";
pub(super) fn who(hub: &mut Hub, id: ConnectionId, message: &Message<'_>) -> Done {
    let (mask, options) = (message.params.filled(0).unwrap_or("*"), message.params.filled(1));
    let query = Query::new(mask, options);
    if mask.starts_with('#') {
        match hub.state.rooms.find(mask).filter(|room| hub.state.sees(id, *room)) {
            Some(room) => hub.page(id, Page::WhoRoom { room, from: 0, query }),
            None => return Err(end_of_who(&query)),
        }
        return Ok(());
    }
    if let Some(other) = hub.state.find(mask) {
        if let Some(line) = hub.who_line(id, other, None, &query) {
            hub.send_reply(id, line);
        }
        return Err(end_of_who(&query));
    }
    hub.page(id, Page::WhoAll { from: 0, query });
    Ok(())
}

fn end_of_who(query: &Query) -> Refused {
    (RPL_ENDOFWHO, format!("{} :End of WHO", query.mask))
}

impl Hub {
    pub(super) fn who_room_page(
        &self,
        room: RoomId,
        query: &Query,
        from: &mut u32,
        sheet: &mut Sheet,
    ) -> Rest {
        let id = sheet.to;
        let inside = self.state.place(id, room).is_some();
        for seat in self.state.rooms.get(room).map(|state| state.seats_from(*from)).unwrap_or_default() {
            if sheet.full(1) {
                *from = seat.number;
                return Rest::More;
            }
            let hidden = !inside && self.state.member(seat.member).is_some_and(|other| other.invisible);
            if !hidden && let Some(line) = self.who_line(id, seat.member, Some((room, seat)), query) {
                sheet.push(line);
            }
        }
        sheet.push(self.numeric_line(id, RPL_ENDOFWHO, format_args!("{} :End of WHO", query.mask)));
        Rest::Done
    }

    pub(super) fn who_all_page(&self, query: &Query, from: &mut u32, sheet: &mut Sheet) -> Rest {
        let id = sheet.to;
        let folded = Folded::new(if &*query.mask == "0" { "*" } else { &query.mask });
        let first = *from;
        for (other, member) in self.state.everyone().filter(|(other, _)| other.slot >= first) {
            if sheet.full(LOOKS) {
                *from = other.slot;
                return Rest::More;
            }
            let fits = |text: &str| mask::Text::new(Folded::new(text).as_str()).matches(folded.as_str());
            let found = fits(member.name()) || fits(&member.host().to_string()) || fits(&member.realname);
            let hidden = || member.invisible && other != id && !self.state.share_a_room(id, other);
            if found
                && !hidden()
                && let Some(line) = self.who_line(id, other, None, query)
            {
                sheet.push(line);
            }
        }
        sheet.push(self.numeric_line(id, RPL_ENDOFWHO, format_args!("{} :End of WHO", query.mask)));
        Rest::Done
    }

    fn who_line(
        &self,
        id: ConnectionId,
        other: ConnectionId,
        seat: Option<(RoomId, &Seat)>,
        query: &Query,
    ) -> Option<Line> {
        let (asker, member) = (self.state.member(id)?, self.state.member(other)?);
        if query.operators_only && !member.operator {
            return None;
        }
        let room =
            seat.and_then(|(room, _)| self.state.rooms.get(room)).map_or("*", |room| room.name.as_str());
        let flags = format!(
            "{}{}{}{}",
            if member.away.is_some() { 'G' } else { 'H' },
            if member.operator { "*" } else { "" },
            seat.map_or("", |(_, seat)| seat.prefixes(asker.has(Capability::MultiPrefix))),
            if member.bot { "B" } else { "" },
        );
        let (name, user, host, server) =
            (member.name(), &member.username, member.host(), &self.state.settings.name);
        let realname = &member.realname;
        let Some((fields, token)) = &query.fields else {
            let line = format_args!("{room} {user} {host} {server} {name} {flags} :0 {realname}");
            return Some(self.numeric_line(id, RPL_WHOREPLY, line));
        };
        let idle = self.state.now.elapsed.saturating_sub(member.spoke).as_secs();
        let mut line = String::new();
        for field in FIELDS.chars().filter(|field| fields.contains(*field)) {
            let value = match field {
                't' => token.to_string(),
                'c' => room.into(),
                'u' => user.to_string(),
                // Addresses are shown to nobody here (WHOX gives 255.255.255.255 for that).
                'i' => "255.255.255.255".into(),
                'h' => host.to_string(),
                's' => server.clone(),
                'n' => name.into(),
                'f' => flags.clone(),
                'd' => "0".into(),
                'l' => idle.to_string(),
                'a' => member.account.as_deref().unwrap_or("0").into(),
                'o' => "n/a".into(),
                _ => format!(":{realname}"),
            };
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(&value);
        }
        Some(self.numeric_line(id, RPL_WHOSPCRPL, format_args!("{line}")))
    }
}
