//! MODE for rooms and people (RFC 2811 §4, modern.ircdocs.horse "Channel Modes").

use crate::hub::Hub;
use crate::hub::change::Change;
use crate::hub::command::page::Page;
use crate::hub::command::{Done, need};
use crate::hub::delivery::{Rest, Sheet};
use crate::hub::state::ConnectionId;
use crate::hub::state::modes::{ModeChange, ROOM_MODES, USER_MODES, takes_argument};
use crate::hub::state::refusal::{no_such_room, nobody, operator_needed};
use crate::hub::state::room::{Entry, LISTS, RoomId};
use crate::protocol::Message;
use crate::protocol::Numeric::*;
use crate::protocol::sorted::sorted_by_key;

pub(super) fn mode(hub: &mut Hub, id: ConnectionId, message: &Message<'_>) -> Done {
    let (target, modes) = (need(message, 0)?, message.params.filled(1));
    if target.starts_with('#') {
        let found = hub.state.room_named(target).filter(|(room, _)| hub.state.sees(id, *room));
        let (room, _) = found.ok_or_else(|| no_such_room(target))?;
        let arguments = message.params.get(2..).unwrap_or_default();
        return match modes {
            None => show_modes(hub, id, room),
            Some(modes) => room_modes(hub, id, room, modes, arguments),
        };
    }
    match (hub.state.find(target), modes) {
        (Some(other), None) if other == id => show_user_modes(hub, id),
        (Some(other), Some(modes)) if other == id => user_modes(hub, id, modes),
        (Some(_), _) => Err((ERR_USERSDONTMATCH, ":You can only change your own modes".into())),
        (None, _) => Err(nobody(target)),
    }
}

fn show_modes(hub: &mut Hub, id: ConnectionId, room: RoomId) -> Done {
    let inside = hub.state.place(id, room).is_some();
    let Some(state) = hub.state.rooms.get(room) else { return Ok(()) };
    let (name, modes, created) = (state.name.to_string(), state.modes(inside), state.created.seconds());
    hub.reply(id, RPL_CHANNELMODEIS, format!("{name} {modes}"));
    hub.reply(id, RPL_CREATIONTIME, format!("{name} {created}"));
    Ok(())
}

fn room_modes(hub: &mut Hub, id: ConnectionId, room: RoomId, modes: &str, arguments: &[&str]) -> Done {
    let Some(name) = hub.state.rooms.get(room).map(|room| room.name.to_string()) else { return Ok(()) };
    let mut arguments = arguments.iter().copied();
    let (mut on, mut listed, mut changes) = (true, String::new(), Vec::new());
    for letter in modes.chars() {
        if matches!(letter, '+' | '-') {
            on = letter == '+';
            continue;
        }
        let argument = if takes_argument(on, letter) { arguments.next() } else { None };
        let argument = argument.unwrap_or_default();
        if LISTS.contains(letter) && argument.is_empty() {
            // Looking at a list is for everybody, once; changing it for operators.
            if !listed.contains(letter) {
                listed.push(letter);
                hub.page(id, Page::Entries { room, name: name.as_str().into(), letter, from: 0 });
            }
        } else if ROOM_MODES.contains(letter) {
            changes.push(ModeChange { on, letter, argument });
        } else {
            hub.reply(id, ERR_UNKNOWNMODE, format!("{letter} :Rooms have no such mode here"));
        }
    }
    if changes.is_empty() {
        return Ok(());
    }
    if !hub.state.is_operator(id, room) {
        return Err(operator_needed(&name));
    }
    hub.propose(id, Change::Modes { room: &name, changes: changes.into() });
    Ok(())
}

fn show_user_modes(hub: &mut Hub, id: ConnectionId) -> Done {
    let Some(member) = hub.state.member(id) else { return Ok(()) };
    let set = [(member.bot, 'B'), (member.invisible, 'i'), (member.operator, 'o'), (member.wallops, 'w')];
    let letters: String = set.iter().filter(|(on, _)| *on).map(|(_, letter)| *letter).collect();
    hub.reply(id, RPL_UMODEIS, format!("+{letters}"));
    Ok(())
}

fn user_modes(hub: &mut Hub, id: ConnectionId, modes: &str) -> Done {
    let (mut on, mut unknown) = (true, false);
    // The last word on each letter counts.
    let mut changes: Vec<ModeChange<'_>> = Vec::new();
    for letter in modes.chars() {
        match letter {
            '+' | '-' => on = letter == '+',
            // Only OPER gives it; anybody may give it up.
            'o' if on => {}
            _ if USER_MODES.contains(letter) => {
                changes.retain(|change| change.letter != letter);
                changes.push(ModeChange { on, letter, argument: "" });
            }
            _ => unknown = true,
        }
    }
    if unknown {
        hub.reply(id, ERR_UMODEUNKNOWNFLAG, format!(":Unknown mode; here are {USER_MODES}"));
    }
    let changes = sorted_by_key(changes, |change| change.letter);
    hub.propose(id, Change::UserModes { changes: changes.into() });
    Ok(())
}

impl Hub {
    pub(super) fn entries_page(
        &self,
        (room, name): (RoomId, &str),
        letter: char,
        from: &mut usize,
        sheet: &mut Sheet,
    ) -> Rest {
        let id = sheet.to;
        let (reply, end) = match letter {
            'e' => (RPL_EXCEPTLIST, RPL_ENDOFEXCEPTLIST),
            'I' => (RPL_INVEXLIST, RPL_ENDOFINVEXLIST),
            _ => (RPL_BANLIST, RPL_ENDOFBANLIST),
        };
        let entries = self.state.rooms.get(room).map(|room| room.list(letter)).unwrap_or_default();
        for Entry { mask, setter, at, .. } in entries.iter().skip(*from) {
            *from += 1;
            let at = at.seconds();
            sheet.push(self.numeric_line(id, reply, format_args!("{name} {mask} {setter} {at}")));
            if sheet.full(1) {
                return Rest::More;
            }
        }
        sheet.push(self.numeric_line(id, end, format_args!("{name} :End of list")));
        Rest::Done
    }
}
