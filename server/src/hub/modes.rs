//! MODE for rooms and people (RFC 2811 §4, modern.ircdocs.horse "Channel Modes").

use super::event::What;
use super::limits::{MAX_CHANGES, MAX_KEY, MAX_LIST};
use super::page::{Page, Sheet};
use super::room::{Entry, OPERATOR, RoomId, VOICE};
use super::{ConnectionId, Hub};
use crate::protocol::Numeric::*;
use crate::protocol::{Folded, mask};

/// Letters of user modes (RPL_MYINFO): bot, invisible, server operator, hears WALLOPS.
pub(super) const USER_MODES: &str = "Biow";
/// Letters of room modes (RPL_MYINFO).
pub(super) const ROOM_MODES: &str = "Ibeiklmnostv";
/// Those of them that take a parameter (RPL_MYINFO).
pub(super) const ROOM_MODES_ARG: &str = "Ibeklov";
/// Bytes of a mask in a list.
const MAX_MASK: usize = 128;
/// Bytes of the changes that one MODE line tells of; more go into a second line.
const MAX_CHANGE_LINE: usize = 300;

/// Changes made, as others are told of them: `+o-v bob carol`.
#[derive(Default)]
struct Changes {
    letters: String,
    arguments: String,
    sign: Option<bool>,
}

impl Changes {
    fn add(&mut self, on: bool, letter: char, argument: Option<&str>) {
        if self.sign != Some(on) {
            self.letters.push(if on { '+' } else { '-' });
            self.sign = Some(on);
        }
        self.letters.push(letter);
        if let Some(argument) = argument {
            self.arguments.push(' ');
            self.arguments.push_str(argument);
        }
    }

    fn len(&self) -> usize {
        self.letters.len() + self.arguments.len()
    }

    fn take(&mut self) -> Option<String> {
        let Changes { letters, arguments, .. } = std::mem::take(self);
        (!letters.is_empty()).then_some(letters + &arguments)
    }
}

impl Hub {
    pub(super) fn mode(&mut self, id: ConnectionId, target: &str, modes: Option<&str>, arguments: &[&str]) {
        if target.starts_with('#') {
            let Some((room, _)) = self.room_named(target).filter(|(room, _)| self.sees(id, *room)) else {
                return self.no_such_room(id, super::membership::shown(target));
            };
            return match modes {
                None => self.show_modes(id, room),
                Some(modes) => self.change_room(id, room, modes, arguments),
            };
        }
        match self.find(target) {
            Some(other) if other == id => match modes {
                None => self.show_user_modes(id),
                Some(modes) => self.change_user(id, modes),
            },
            Some(_) => {
                self.reply(id, ERR_USERSDONTMATCH, format_args!(":You can only change your own modes"))
            }
            None => self.no_such_nick(id, super::membership::shown(target)),
        }
    }

    fn show_modes(&mut self, id: ConnectionId, room: RoomId) {
        let inside = self.place(id, room).is_some();
        let Some(state) = self.rooms.get(room) else { return };
        let (name, modes, created) = (state.name.to_string(), state.modes(inside), state.created.seconds());
        self.reply(id, RPL_CHANNELMODEIS, format_args!("{name} {modes}"));
        self.reply(id, RPL_CREATIONTIME, format_args!("{name} {created}"));
    }

    fn change_room(&mut self, id: ConnectionId, room: RoomId, modes: &str, arguments: &[&str]) {
        let Some(name) = self.rooms.get(room).map(|room| room.name.to_string()) else { return };
        let operator = self.is_operator(id, room);
        let mut arguments = arguments.iter().copied();
        let mut on = true;
        let mut with_argument = 0;
        let mut changes = Changes::default();
        let mut denied = false;
        let mut listed = String::new();
        for letter in modes.chars() {
            if matches!(letter, '+' | '-') {
                on = letter == '+';
                continue;
            }
            let takes = matches!(letter, 'b' | 'e' | 'I' | 'o' | 'v' | 'k') || (letter == 'l' && on);
            let argument =
                if takes { arguments.next().filter(|argument| !argument.is_empty()) } else { None };
            // Looking at a list is for everybody, once; changing it for operators.
            if matches!(letter, 'b' | 'e' | 'I') && argument.is_none() {
                if !listed.contains(letter) {
                    listed.push(letter);
                    self.page(id, Page::Entries { room, name: name.as_str().into(), letter, from: 0 });
                }
                continue;
            }
            if !"beIklimnstov".contains(letter) {
                self.reply(id, ERR_UNKNOWNMODE, format_args!("{letter} :is no mode of a room here"));
                continue;
            }
            if !operator {
                denied = true;
                continue;
            }
            if takes {
                with_argument += 1;
                if with_argument > MAX_CHANGES {
                    let text = format!("{letter} * :{MAX_CHANGES} changes at a time; this one was not made");
                    self.reply(id, ERR_INVALIDMODEPARAM, format_args!("{name} {text}"));
                    continue;
                }
            }
            if let Some(shown) = self.change(id, room, &name, on, letter, argument) {
                let longer = shown.as_deref().map_or(0, str::len) + changes.len();
                if longer > MAX_CHANGE_LINE {
                    self.announce_changes(id, room, &name, &mut changes);
                }
                changes.add(on, letter, shown.as_deref());
            }
        }
        if denied {
            self.operator_needed(id, &name);
        }
        self.announce_changes(id, room, &name, &mut changes);
    }

    fn announce_changes(&mut self, id: ConnectionId, room: RoomId, name: &str, changes: &mut Changes) {
        let Some(change) = changes.take() else { return };
        let from = self.source(id);
        let event = self.event(&from, What::Mode { target: name, change: &change });
        self.tell_room(room, &event, Some(id), 0);
        self.record(room, &event, 0);
        self.changed(room);
        self.narrate(name, &event);
        self.tell(id, &event);
    }

    /// Makes one change. `None` if nothing changed, else the argument that others are shown.
    fn change(
        &mut self,
        id: ConnectionId,
        room: RoomId,
        name: &str,
        on: bool,
        letter: char,
        argument: Option<&str>,
    ) -> Option<Option<String>> {
        match letter {
            'b' | 'e' | 'I' => self.change_list(id, room, name, on, letter, argument?).map(Some),
            'o' | 'v' => self.change_rank(id, room, name, on, letter, argument).map(Some),
            'k' => {
                let state = self.rooms.get_mut(room)?;
                if !on {
                    return state.key.take().map(|_| Some("*".into()));
                }
                let key = argument.unwrap_or_default();
                let legal = !key.is_empty()
                    && key.len() <= MAX_KEY
                    && !key.starts_with(':')
                    && !key.chars().any(|c| c.is_whitespace() || c.is_control() || c == ',');
                if !legal {
                    let rule = format!("a key has 1 to {MAX_KEY} bytes without space or comma");
                    self.reply(id, ERR_INVALIDKEY, format_args!("{name} :Key refused: {rule}"));
                    return None;
                }
                (state.key.as_deref() != Some(key)).then(|| state.key = Some(key.into()))?;
                Some(Some(key.into()))
            }
            'l' if !on => self.rooms.get_mut(room)?.limit.take().map(|_| None),
            'l' => {
                let limit = argument.unwrap_or_default();
                match limit.parse::<u32>() {
                    Ok(limit) if limit > 0 => {
                        let state = self.rooms.get_mut(room)?;
                        (state.limit != Some(limit)).then(|| state.limit = Some(limit))?;
                        Some(Some(limit.to_string()))
                    }
                    _ => {
                        let shown = super::membership::shown(limit);
                        self.reply(
                            id,
                            ERR_INVALIDMODEPARAM,
                            format_args!("{name} l {shown} :A limit is a whole number above 0"),
                        );
                        None
                    }
                }
            }
            _ => {
                let flag = self.rooms.get_mut(room)?.flags.get_mut(letter)?;
                (std::mem::replace(flag, on) != on).then_some(None)
            }
        }
    }

    fn change_rank(
        &mut self,
        id: ConnectionId,
        room: RoomId,
        name: &str,
        on: bool,
        letter: char,
        nick: Option<&str>,
    ) -> Option<String> {
        let Some(nick) = nick else {
            self.reply(id, ERR_INVALIDMODEPARAM, format_args!("{name} {letter} * :Say who"));
            return None;
        };
        let Some(other) = self.find(nick) else {
            self.no_such_nick(id, super::membership::shown(nick));
            return None;
        };
        let Some(place) = self.place(other, room) else {
            self.reply(id, ERR_USERNOTINCHANNEL, format_args!("{nick} {name} :They are not in that room"));
            return None;
        };
        let bit = if letter == 'o' { OPERATOR } else { VOICE };
        let seat = self.rooms.get_mut(room)?.seat_mut(place.number)?;
        let rank = if on { seat.rank | bit } else { seat.rank & !bit };
        let changed = std::mem::replace(&mut seat.rank, rank) != rank;
        if changed {
            self.hold_rank(other, room);
        }
        changed.then(|| self.nick_of(other).to_owned())
    }

    fn change_list(
        &mut self,
        id: ConnectionId,
        room: RoomId,
        name: &str,
        on: bool,
        letter: char,
        written: &str,
    ) -> Option<String> {
        let whole = mask::complete(written);
        let sound = written.len() <= MAX_MASK
            && !written.starts_with(':')
            && !written.chars().any(|c| c.is_whitespace() || c.is_control());
        if !sound {
            let rule = format!("a mask is nick!user@host of at most {MAX_MASK} bytes");
            self.reply(id, ERR_INVALIDMODEPARAM, format_args!("{name} {letter} * :Mask refused: {rule}"));
            return None;
        }
        let setter = self.nick_of(id).to_owned();
        let at = self.now.wall;
        let state = self.rooms.get_mut(room)?;
        let entries = state.bans.len() + state.exceptions.len() + state.invitations.len();
        let list = state.list_mut(letter)?;
        let folded = Folded::new(&whole);
        let there = list.iter().position(|entry| entry.folded == folded);
        match (on, there) {
            (true, None) if entries >= MAX_LIST => {
                let full = format!("{name} {letter} :The lists b, e and I are full ({MAX_LIST} entries)");
                self.reply(id, ERR_BANLISTFULL, format_args!("{full}"));
                None
            }
            (true, None) => {
                list.push(Entry { mask: whole.clone(), folded, setter, at });
                Some(whole)
            }
            (false, Some(at)) => Some(list.remove(at).mask),
            _ => None,
        }
    }

    pub(super) fn entries_page(
        &mut self,
        id: ConnectionId,
        room: RoomId,
        name: Box<str>,
        letter: char,
        from: usize,
        sheet: &mut Sheet,
    ) -> Option<Page> {
        let (reply, end) = match letter {
            'e' => (RPL_EXCEPTLIST, RPL_ENDOFEXCEPTLIST),
            'I' => (RPL_INVEXLIST, RPL_ENDOFINVEXLIST),
            _ => (RPL_BANLIST, RPL_ENDOFBANLIST),
        };
        let list = self.rooms.get_mut(room).and_then(|room| room.list_mut(letter).map(|list| &list[..]));
        let entries: Vec<Entry> = list.unwrap_or_default().iter().skip(from).cloned().collect();
        for (i, Entry { mask, setter, at, .. }) in entries.iter().enumerate() {
            let at = at.seconds();
            sheet.push(self.numeric_line(id, reply, format_args!("{name} {mask} {setter} {at}")));
            if sheet.full() {
                return Some(Page::Entries { room, name, letter, from: from + i + 1 });
            }
        }
        sheet.push(self.numeric_line(id, end, format_args!("{name} :End of list")));
        None
    }

    fn show_user_modes(&mut self, id: ConnectionId) {
        let Some(member) = self.member(id) else { return };
        let set = [(member.bot, 'B'), (member.invisible, 'i'), (member.operator, 'o'), (member.wallops, 'w')];
        let letters: String = set.iter().filter(|(on, _)| *on).map(|(_, letter)| *letter).collect();
        self.reply(id, RPL_UMODEIS, format_args!("+{letters}"));
    }

    fn change_user(&mut self, id: ConnectionId, modes: &str) {
        let Some(member) = self.member_mut(id) else { return };
        let before = [member.bot, member.invisible, member.operator, member.wallops];
        let mut after = before;
        let (mut on, mut unknown) = (true, false);
        for letter in modes.chars() {
            match (letter, USER_MODES.find(letter)) {
                ('+' | '-', _) => on = letter == '+',
                // Only OPER gives it; anybody may give it up.
                ('o', _) if on => {}
                (_, Some(at)) => after[at] = on,
                (_, None) => unknown = true,
            }
        }
        [member.bot, member.invisible, member.operator, member.wallops] = after;
        let mut changes = Changes::default();
        for (letter, (before, after)) in USER_MODES.chars().zip(before.into_iter().zip(after)) {
            if before != after {
                changes.add(after, letter, None);
                let count = match letter {
                    'i' => &mut self.population.invisible,
                    'o' => &mut self.population.operators,
                    _ => continue,
                };
                *count = if after { *count + 1 } else { count.saturating_sub(1) };
            }
        }
        if unknown {
            self.reply(id, ERR_UMODEUNKNOWNFLAG, format_args!(":Unknown mode; here are {USER_MODES}"));
        }
        if let Some(change) = changes.take() {
            let nick = self.nick_of(id).to_owned();
            let line = format!(":{nick} MODE {nick} :{change}\r\n");
            self.emit(id, line.into_bytes().into());
        }
    }
}
