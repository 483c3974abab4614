//! WHO and WHOX (modern.ircdocs.horse "WHO", IRCv3 WHOX).

use crate::hub::command::membership::shown;
use crate::hub::command::page::Page;
use crate::hub::delivery::Sheet;
use crate::hub::state::room::{RoomId, Seat};
use crate::hub::{ConnectionId, Hub, Line};
use crate::protocol::Numeric::*;
use crate::protocol::{Capability, Folded, mask};

/// Letters of the fields that WHOX knows, in the order in which they are sent.
const FIELDS: &str = "tcuihsnfdlaor";
/// Bytes of a WHOX token.
const MAX_TOKEN: usize = 3;

/// What a WHO asks for.
#[derive(Debug, Clone)]
pub(crate) struct Query {
    /// As the client wrote it.
    mask: Box<str>,
    /// WHOX fields and token: `%tcuhn,42`.
    fields: Option<(Box<str>, Box<str>)>,
    operators_only: bool,
}

impl Query {
    fn new(mask: &str, options: Option<&str>) -> Query {
        let options = options.unwrap_or_default();
        let (flags, fields) = match options.split_once('%') {
            Some((flags, fields)) => (flags, Some(fields)),
            None => (options, None),
        };
        let fields = fields.map(|fields| {
            let (letters, token) = fields.split_once(',').unwrap_or((fields, ""));
            let sound = token.len() <= MAX_TOKEN && token.bytes().all(|b| b.is_ascii_alphanumeric());
            (letters.into(), if sound && !token.is_empty() { token } else { "0" }.into())
        });
        Query { mask: shown(mask).into(), fields, operators_only: flags.contains('o') }
    }
}

impl Hub {
    pub(crate) fn who(&mut self, id: ConnectionId, mask: &str, options: Option<&str>) {
        let query = Query::new(mask, options);
        if mask.starts_with('#') {
            return match self.rooms.find(mask).filter(|room| self.sees(id, *room)) {
                Some(room) => self.page(id, Page::WhoRoom { room, from: 0, query }),
                None => self.end_of_who(id, &query),
            };
        }
        if let Some(other) = self.find(mask) {
            if let Some(line) = self.who_line(id, other, None, &query) {
                self.send_reply(id, line);
            }
            return self.end_of_who(id, &query);
        }
        self.page(id, Page::WhoAll { from: 0, query });
    }

    fn end_of_who(&mut self, id: ConnectionId, query: &Query) {
        self.reply(id, RPL_ENDOFWHO, format!("{} :End of WHO", query.mask));
    }

    pub(crate) fn who_room_page(
        &mut self,
        id: ConnectionId,
        room: RoomId,
        from: u32,
        query: Query,
        sheet: &mut Sheet,
    ) -> Option<Page> {
        let inside = self.place(id, room).is_some();
        for seat in self.rooms.get(room).map(|state| state.seats_from(from)).unwrap_or_default() {
            if sheet.full() {
                return Some(Page::WhoRoom { room, from: seat.number, query });
            }
            let hidden = !inside && self.member(seat.member).is_some_and(|other| other.invisible);
            if !hidden && let Some(line) = self.who_line(id, seat.member, Some((room, seat)), &query) {
                sheet.push(line);
            }
        }
        sheet.push(self.numeric_line(id, RPL_ENDOFWHO, format_args!("{} :End of WHO", query.mask)));
        None
    }

    pub(crate) fn who_all_page(
        &mut self,
        id: ConnectionId,
        from: u32,
        query: Query,
        sheet: &mut Sheet,
    ) -> Option<Page> {
        let folded = Folded::new(if &*query.mask == "0" { "*" } else { &query.mask });
        for (other, member) in self.everyone().filter(|(other, _)| other.slot >= from) {
            if sheet.full() {
                return Some(Page::WhoAll { from: other.slot, query });
            }
            let fits = |text: &str| mask::matches(folded.as_str(), Folded::new(text).as_str());
            let found = fits(member.name()) || fits(&member.host().to_string()) || fits(&member.realname);
            let hidden = member.invisible && other != id && !self.share_a_room(id, other);
            if found
                && !hidden
                && let Some(line) = self.who_line(id, other, None, &query)
            {
                sheet.push(line);
            }
        }
        sheet.push(self.numeric_line(id, RPL_ENDOFWHO, format_args!("{} :End of WHO", query.mask)));
        None
    }

    fn share_a_room(&self, a: ConnectionId, b: ConnectionId) -> bool {
        let Some(member) = self.member(a) else { return false };
        member.rooms.iter().any(|place| self.place(b, place.room).is_some())
    }

    fn who_line(
        &self,
        id: ConnectionId,
        other: ConnectionId,
        seat: Option<(RoomId, &Seat)>,
        query: &Query,
    ) -> Option<Line> {
        let (asker, member) = (self.member(id)?, self.member(other)?);
        if query.operators_only && !member.operator {
            return None;
        }
        let room = seat.and_then(|(room, _)| self.rooms.get(room)).map_or("*", |room| room.name.as_str());
        let flags = format!(
            "{}{}{}{}",
            if member.away.is_some() { 'G' } else { 'H' },
            if member.operator { "*" } else { "" },
            seat.map_or("", |(_, seat)| seat.prefixes(asker.has(Capability::MultiPrefix))),
            if member.bot { "B" } else { "" },
        );
        let (name, user, host, server) =
            (member.name(), &member.username, member.host(), &self.settings.name);
        let realname = &member.realname;
        let Some((fields, token)) = &query.fields else {
            let line = format_args!("{room} {user} {host} {server} {name} {flags} :0 {realname}");
            return Some(self.numeric_line(id, RPL_WHOREPLY, line));
        };
        let idle = self.now.elapsed.saturating_sub(member.spoke).as_secs();
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
                'a' => "0".into(),
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
