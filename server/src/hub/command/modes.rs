//! MODE for rooms and people (RFC 2811 §4, modern.ircdocs.horse "Channel Modes").

use crate::hub::command::membership::shown;
use crate::hub::command::page::Page;
use crate::hub::delivery::Sheet;
use crate::hub::delivery::event::What;
use crate::hub::delivery::reply::Refused;
use crate::hub::state::limits::{MAX_CHANGES, MAX_KEY, MAX_LIST};
use crate::hub::state::room::{Entry, OPERATOR, Place, RoomId, VOICE};
use crate::hub::{ConnectionId, Hub};
use crate::protocol::Numeric::*;
use crate::protocol::{Folded, mask};

/// Letters of user modes (RPL_MYINFO): bot, invisible, server operator, hears WALLOPS.
pub(crate) const USER_MODES: &str = "Biow";
/// Letters of room modes (RPL_MYINFO).
pub(crate) const ROOM_MODES: &str = "Ibeiklmnostv";
/// Those of them that take a parameter (RPL_MYINFO).
pub(crate) const ROOM_MODES_ARG: &str = "Ibeklov";
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
    /// `argument`: empty where the letter takes none.
    fn add(&mut self, on: bool, letter: char, argument: &str) {
        if self.sign != Some(on) {
            self.letters.push(if on { '+' } else { '-' });
            self.sign = Some(on);
        }
        self.letters.push(letter);
        if !argument.is_empty() {
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

/// Whether a room mode that is set (`on`) or taken away comes with an argument.
fn takes_argument(on: bool, letter: char) -> bool {
    matches!(letter, 'b' | 'e' | 'I' | 'o' | 'v' | 'k') || (letter == 'l' && on)
}

/// Changes as those are told of them who were not there: `*` for a key.
pub(crate) fn without_key(change: &str) -> String {
    let mut arguments = change.split(' ');
    let letters = arguments.next().unwrap_or_default();
    let mut shown = letters.to_owned();
    let mut on = true;
    for letter in letters.chars() {
        match letter {
            '+' | '-' => on = letter == '+',
            _ if takes_argument(on, letter) => {
                let Some(argument) = arguments.next() else { break };
                shown.push(' ');
                shown.push_str(if letter == 'k' { "*" } else { argument });
            }
            _ => {}
        }
    }
    shown
}

impl Hub {
    pub(crate) fn mode(&mut self, id: ConnectionId, target: &str, modes: Option<&str>, arguments: &[&str]) {
        if target.starts_with('#') {
            let Some((room, _)) = self.room_named(target).filter(|(room, _)| self.sees(id, *room)) else {
                return self.no_such_room(id, target);
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
            Some(_) => self.reply(id, ERR_USERSDONTMATCH, ":You can only change your own modes"),
            None => self.no_such_nick(id, target),
        }
    }

    fn show_modes(&mut self, id: ConnectionId, room: RoomId) {
        let inside = self.place(id, room).is_some();
        let Some(state) = self.rooms.get(room) else { return };
        let (name, modes, created) = (state.name.to_string(), state.modes(inside), state.created.seconds());
        self.reply(id, RPL_CHANNELMODEIS, format!("{name} {modes}"));
        self.reply(id, RPL_CREATIONTIME, format!("{name} {created}"));
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
            let takes = takes_argument(on, letter);
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
                self.reply(id, ERR_UNKNOWNMODE, format!("{letter} :is no mode of a room here"));
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
                    self.reply(id, ERR_INVALIDMODEPARAM, format!("{name} {text}"));
                    continue;
                }
            }
            match self.change(id, room, &name, (on, letter), argument.unwrap_or_default()) {
                Ok(None) => {}
                Ok(Some(shown)) => {
                    if shown.len() + changes.len() > MAX_CHANGE_LINE {
                        self.announce_changes(id, room, &name, &mut changes);
                    }
                    changes.add(on, letter, &shown);
                }
                Err((numeric, why)) => self.reply(id, numeric, why),
            }
        }
        if denied {
            self.operator_needed(id, &name);
        }
        self.announce_changes(id, room, &name, &mut changes);
    }

    fn announce_changes(&mut self, id: ConnectionId, room: RoomId, name: &str, changes: &mut Changes) {
        let Some(change) = changes.take() else { return };
        let event = self.event(id, What::Mode { target: name, change: &change });
        self.happens(id, room, name, &event);
        self.changed(room);
        self.tell(id, &event);
    }

    /// Makes one change. `None` if nothing changed, else the argument that others are shown.
    fn change(
        &mut self,
        id: ConnectionId,
        room: RoomId,
        name: &str,
        (on, letter): (bool, char),
        argument: &str,
    ) -> Result<Option<String>, Refused> {
        let invalid = |why: String| (ERR_INVALIDMODEPARAM, format!("{name} {letter} {why}"));
        // A key and a mask stand between spaces.
        let word =
            !argument.starts_with(':') && !argument.chars().any(|c| c.is_whitespace() || c.is_control());
        if let 'o' | 'v' = letter {
            if argument.is_empty() {
                return Err(invalid("* :Say who".into()));
            }
            let (other, place) = self.seated(argument, room, name)?;
            return Ok(self.change_rank(other, place, on, letter));
        }
        let (setter, at) = (self.nick_of(id).to_owned(), self.now.wall);
        let Some(state) = self.rooms.get_mut(room) else { return Ok(None) };
        match (letter, on) {
            ('b' | 'e' | 'I', _) if argument.len() > MAX_MASK || !word => {
                let rule = format!("a mask is nick!user@host of at most {MAX_MASK} bytes");
                Err(invalid(format!("* :Mask refused: {rule}")))
            }
            ('b' | 'e' | 'I', _) => {
                let full = state.bans.len() + state.exceptions.len() + state.invitations.len() >= MAX_LIST;
                let mask = mask::complete(argument);
                let folded = Folded::new(&mask);
                let Some(list) = state.list_mut(letter) else { return Ok(None) };
                let there = list.iter().position(|entry| entry.folded == folded);
                match (on, there) {
                    (true, None) if full => {
                        let why = format!("The lists b, e and I are full ({MAX_LIST} entries)");
                        return Err((ERR_BANLISTFULL, format!("{name} {letter} :{why}")));
                    }
                    (true, None) => list.push(Entry { mask: mask.clone(), folded, setter, at }),
                    (false, Some(at)) => return Ok(Some(list.remove(at).mask)),
                    _ => return Ok(None),
                }
                Ok(Some(mask))
            }
            ('k', false) => Ok(state.key.take().map(|_| "*".into())),
            ('k', true) if !word || !(1..=MAX_KEY).contains(&argument.len()) || argument.contains(',') => {
                let rule = format!("a key has 1 to {MAX_KEY} bytes without space or comma");
                Err((ERR_INVALIDKEY, format!("{name} :Key refused: {rule}")))
            }
            ('k', true) => {
                let before = state.key.replace(argument.into());
                Ok((before.as_deref() != Some(argument)).then(|| argument.into()))
            }
            ('l', false) => Ok(state.limit.take().map(|_| String::new())),
            ('l', true) => {
                let limit: Option<u32> = argument.parse().ok().filter(|limit| *limit > 0);
                let refused = || invalid(format!("{} :A limit is a whole number above 0", shown(argument)));
                let limit = limit.ok_or_else(refused)?;
                Ok((state.limit.replace(limit) != Some(limit)).then(|| limit.to_string()))
            }
            _ => {
                let flag = state.flags.get_mut(letter);
                let changed = flag.is_some_and(|flag| std::mem::replace(flag, on) != on);
                Ok(changed.then(String::new))
            }
        }
    }

    pub(crate) fn change_rank(
        &mut self,
        other: ConnectionId,
        place: Place,
        on: bool,
        letter: char,
    ) -> Option<String> {
        let bit = if letter == 'o' { OPERATOR } else { VOICE };
        let seat = self.rooms.get_mut(place.room)?.seat_mut(place.number)?;
        let rank = if on { seat.rank | bit } else { seat.rank & !bit };
        if std::mem::replace(&mut seat.rank, rank) == rank {
            return None;
        }
        self.hold_rank(other, place.room);
        Some(self.nick_of(other).to_owned())
    }

    pub(crate) fn entries_page(
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
        self.reply(id, RPL_UMODEIS, format!("+{letters}"));
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
                changes.add(after, letter, "");
                let count = match letter {
                    'i' => &mut self.population.invisible,
                    'o' => &mut self.population.operators,
                    _ => continue,
                };
                *count = if after { *count + 1 } else { count.saturating_sub(1) };
            }
        }
        if unknown {
            self.reply(id, ERR_UMODEUNKNOWNFLAG, format!(":Unknown mode; here are {USER_MODES}"));
        }
        if let Some(change) = changes.take() {
            let nick = self.nick_of(id).to_owned();
            let line = format!(":{nick} MODE {nick} :{change}\r\n");
            self.send_reply(id, line.into_bytes().into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::without_key;

    #[test]
    fn only_the_key_is_hidden() {
        for (told, kept) in [
            ("+k sesame", "+k *"),
            ("-k *", "-k *"),
            ("+lok-v+b 5 bob sesame carol *!*@k", "+lok-v+b 5 bob * carol *!*@k"),
            ("-l+k sesame", "-l+k *"),
            ("+nt", "+nt"),
        ] {
            assert_eq!(without_key(told), kept);
        }
    }
}
