//! Modes of rooms and people (RFC 2811 §4, modern.ircdocs.horse "Channel Modes"): letters, rules,
//! and how changes are told.

use std::time::Duration;

use crate::hub::state::limits::{MAX_KEY, MAX_LIST, MAX_LISTED, MAX_MASK, MAX_SLOW};
use crate::hub::state::member::ACCOUNT_MASK;
use crate::hub::state::refusal::{Refused, shown};
use crate::hub::state::room::{Entry, MUTE, Rank, Room, RoomId};
use crate::hub::state::{ConnectionId, State};
use crate::protocol::Numeric::*;
use crate::protocol::{Folded, mask};

/// Letters of user modes (RPL_MYINFO): bot, invisible, server operator, hears WALLOPS.
pub(crate) const USER_MODES: &str = "Biow";
/// Letters of room modes (RPL_MYINFO).
pub(crate) const ROOM_MODES: &str = "IRbefiklmnostv";
/// Those of them that take a parameter (RPL_MYINFO).
pub(crate) const ROOM_MODES_ARG: &str = "Ibefklov";

/// One mode set or taken away: a letter of [`ROOM_MODES`] or [`USER_MODES`], and its argument, empty
/// where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ModeChange<'a> {
    pub(crate) on: bool,
    pub(crate) letter: char,
    pub(crate) argument: &'a str,
}

/// Whether a room mode that is set (`on`) or taken away comes with an argument.
pub(crate) fn takes_argument(on: bool, letter: char) -> bool {
    matches!(letter, 'b' | 'e' | 'I' | 'o' | 'v' | 'k') || (matches!(letter, 'f' | 'l') && on)
}

/// Changes made, as others are told of them: `+o-v bob carol`.
#[derive(Default)]
pub(crate) struct Made {
    letters: String,
    arguments: String,
    sign: Option<bool>,
}

impl Made {
    /// `argument`: empty where the letter takes none.
    pub(crate) fn add(&mut self, on: bool, letter: char, argument: &str) {
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

    pub(crate) fn len(&self) -> usize {
        self.letters.len() + self.arguments.len()
    }

    pub(crate) fn take(&mut self) -> Option<String> {
        let Made { letters, arguments, .. } = std::mem::take(self);
        (!letters.is_empty()).then_some(letters + &arguments)
    }
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

impl State {
    /// Makes one change of a room. `None` if nothing changed, else the argument that others are
    /// shown.
    pub(crate) fn change_mode(
        &mut self,
        by: ConnectionId,
        room: RoomId,
        name: &str,
        ModeChange { on, letter, argument }: ModeChange<'_>,
    ) -> Result<Option<String>, Refused> {
        let invalid = |why: String| (ERR_INVALIDMODEPARAM, format!("{name} {letter} {why}"));
        // A key and a mask stand between spaces.
        let word =
            !argument.starts_with(':') && !argument.chars().any(|c| c.is_whitespace() || c.is_control());
        if let 'o' | 'v' = letter {
            if argument.is_empty() {
                return Err(invalid("* :Say who".into()));
            }
            let rank = if letter == 'o' { Rank::OPERATOR } else { Rank::VOICE };
            let (other, place) = self.seated(argument, room, name)?;
            return Ok(self.change_rank(other, place, on, rank));
        }
        let (setter, at) = (self.nick_of(by).to_owned(), self.now.wall);
        let maker = self.rooms.get(room).and_then(Room::maker);
        let clock = self.clock();
        let crowded = maker.is_some_and(|maker| self.rooms.share(maker).1 >= MAX_LISTED);
        let Some(state) = self.rooms.get_mut(room) else { return Ok(None) };
        match (letter, on) {
            ('b' | 'e' | 'I', _) if argument.len() > MAX_MASK || !word => {
                let rule = format!("a mask is nick!user@host of at most {MAX_MASK} bytes");
                Err(invalid(format!("* :Mask refused: {rule}")))
            }
            ('b' | 'e' | 'I', _) => {
                let full = state.entries() >= MAX_LIST;
                let (kind, bare) = match argument.strip_prefix(MUTE).filter(|_| letter == 'b') {
                    Some(bare) => (MUTE, bare),
                    None => ("", argument),
                };
                let mask = match bare.starts_with(ACCOUNT_MASK) {
                    true => argument.to_owned(),
                    false => format!("{kind}{}", mask::complete(bare)),
                };
                let folded = Folded::new(&mask);
                let Some(list) = state.list_mut(letter) else { return Ok(None) };
                let there = list.iter().position(|entry| entry.folded == folded);
                match (on, there) {
                    (true, None) if full => {
                        let why = format!("The lists b, e and I are full ({MAX_LIST} entries)");
                        return Err((ERR_BANLISTFULL, format!("{name} {letter} :{why}")));
                    }
                    (true, None) if crowded => {
                        let why = "The lists of all rooms that were made from one address are full";
                        return Err((
                            ERR_BANLISTFULL,
                            format!("{name} {letter} :{why} ({MAX_LISTED} entries)"),
                        ));
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
            ('f', false) => {
                state.spoke.clear();
                Ok(state.slow.take().map(|_| String::new()))
            }
            ('f', true) => {
                let seconds: Option<u32> = argument.parse().ok().filter(|it| (1..=MAX_SLOW).contains(it));
                let rule = format!("{} :Slow mode is 1 to {MAX_SLOW} seconds", shown(argument));
                let seconds = seconds.ok_or_else(|| invalid(rule))?;
                // Who may speak again by now was not held up for longer by what comes.
                let pause = Duration::from_secs(state.slow.unwrap_or_default().into());
                state.spoke.retain(|_, spoke| *spoke + pause > clock);
                Ok((state.slow.replace(seconds) != Some(seconds)).then(|| seconds.to_string()))
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

    /// Sets or takes away modes of a member, letters of [`USER_MODES`]; what changed.
    pub(crate) fn change_user_modes(
        &mut self,
        id: ConnectionId,
        changes: &[ModeChange<'_>],
    ) -> Option<String> {
        let mut made = Made::default();
        for &ModeChange { on, letter, .. } in changes {
            let member = self.member_mut(id)?;
            let mode = match letter {
                'B' => &mut member.bot,
                'i' => &mut member.invisible,
                'o' => &mut member.operator,
                _ => &mut member.wallops,
            };
            if std::mem::replace(mode, on) == on {
                continue;
            }
            made.add(on, letter, "");
            let count = match letter {
                'i' => &mut self.population.invisible,
                'o' => &mut self.population.operators,
                _ => continue,
            };
            *count = if on { *count + 1 } else { count.saturating_sub(1) };
        }
        made.take()
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
