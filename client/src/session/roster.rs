//! Who is in a room.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::isupport::Isupport;
use super::{Key, Person, Rank};
use crate::limits::{HANDS, NAME, PEOPLE_IN_ROOM};

/// One who is in a room.
#[derive(Debug, Clone)]
pub(super) struct Member {
    /// As the person writes it.
    pub(super) name: Arc<str>,
    /// A bit for each prefix of ISUPPORT PREFIX.
    pub(super) ranks: u16,
    pub(super) away: bool,
    /// `user@host`, where it is known.
    pub(super) userhost: Option<Box<str>>,
}

/// Who is in a room; empty while we are not in it.
#[derive(Debug, Default)]
pub(super) struct Roster {
    people: BTreeMap<Key, Member>,
    /// Whose hands are up, in the order in which they came: at most [`HANDS`], and once all names have come of those
    /// who are in.
    hands: Vec<Key>,
    /// All names have come (RPL_ENDOFNAMES).
    complete: bool,
    changed: bool,
    hands_changed: bool,
}

impl Roster {
    /// Adds somebody, or what is new about somebody; `full`: nobody who is not known yet.
    pub(super) fn add(&mut self, key: Key, name: &Arc<str>, ranks: u16, userhost: Option<&str>, full: bool) {
        let full = full || self.people.len() >= PEOPLE_IN_ROOM;
        if name.len() > NAME || (full && !self.people.contains_key(&key)) {
            return;
        }
        self.changed = true;
        let member = self.people.entry(key).or_insert_with(|| Member {
            name: name.clone(),
            ranks: 0,
            away: false,
            userhost: None,
        });
        member.name = name.clone();
        member.ranks |= ranks;
        if let Some(userhost) = userhost.filter(|userhost| (2..=NAME).contains(&userhost.len())) {
            member.userhost = Some(userhost.into());
        }
    }

    pub(super) fn get(&self, key: &Key) -> Option<&Member> {
        self.people.get(key)
    }

    /// Takes somebody out; says whether they were in.
    pub(super) fn remove(&mut self, key: &Key) -> bool {
        self.hand_is(key, false);
        let removed = self.people.remove(key).is_some();
        self.changed |= removed;
        removed
    }

    /// Gives somebody another name; says whether they are in.
    pub(super) fn rename(&mut self, from: &Key, to: Key, name: &Arc<str>) -> bool {
        if name.len() > NAME {
            return self.remove(from);
        }
        if let Some(hand) = self.hands.iter_mut().find(|hand| *hand == from) {
            *hand = to.clone();
            self.hands_changed = true;
        }
        let Some(mut member) = self.people.remove(from) else { return false };
        self.changed = true;
        member.name = name.clone();
        self.people.insert(to, member);
        true
    }

    pub(super) fn len(&self) -> usize {
        self.people.len()
    }

    /// Takes everybody out but these.
    pub(super) fn retain(&mut self, stays: impl Fn(&Key) -> bool) {
        let before = self.people.len();
        self.people.retain(|key, _| stays(key));
        self.changed |= self.people.len() < before;
    }

    /// Raises a hand, behind those that are up, or lowers it.
    pub(super) fn hand_is(&mut self, key: &Key, up: bool) {
        let may = !self.complete || self.people.contains_key(key);
        match (self.hands.iter().position(|hand| hand == key), up) {
            (None, true) if may && self.hands.len() < HANDS => self.hands.push(key.clone()),
            (Some(at), false) => drop(self.hands.remove(at)),
            _ => return,
        }
        self.hands_changed = true;
    }

    /// Whose hands are up, the first first; `None` if nothing changed since the last call or the names are still coming.
    pub(super) fn hands(&mut self) -> Option<Vec<Key>> {
        (self.complete && std::mem::take(&mut self.hands_changed)).then(|| self.hands.clone())
    }

    /// Gives or takes a rank.
    pub(super) fn set_rank(&mut self, key: &Key, place: usize, set: bool) {
        if let Some(member) = self.people.get_mut(key) {
            let bit = 1u16.checked_shl(place as u32).unwrap_or_default();
            member.ranks = if set { member.ranks | bit } else { member.ranks & !bit };
            self.changed = true;
        }
    }

    pub(super) fn set_away(&mut self, key: &Key, away: bool) {
        if let Some(member) = self.people.get_mut(key).filter(|member| member.away != away) {
            member.away = away;
            self.changed = true;
        }
    }

    /// We came in, and the names follow.
    pub(super) fn begin(&mut self) {
        *self = Roster { changed: true, hands_changed: true, ..Roster::default() };
    }

    /// All names have come, or those that come are all.
    pub(super) fn complete(&mut self) {
        self.complete = true;
        let before = self.hands.len();
        self.hands.retain(|hand| self.people.contains_key(hand));
        self.hands_changed |= self.hands.len() < before;
    }

    /// We are out.
    pub(super) fn clear(&mut self) {
        let changed = self.changed || !self.people.is_empty();
        let hands_changed = self.hands_changed || !self.hands.is_empty();
        *self = Roster { changed, hands_changed, complete: true, ..Roster::default() };
    }

    /// Everybody, operators first, then by folded name; `None` if nothing changed since the
    /// last call or the names are still coming.
    pub(super) fn snapshot(&mut self, isupport: &Isupport, me: &Key) -> Option<Arc<[Person]>> {
        if !self.complete || !std::mem::take(&mut self.changed) {
            return None;
        }
        let person = |(key, member): (&Key, &Member)| Person {
            key: key.clone(),
            name: member.name.clone(),
            rank: isupport.rank(member.ranks),
            away: member.away,
            me: key == me,
        };
        let (mut people, others): (Vec<Person>, Vec<Person>) =
            self.people.iter().map(person).partition(|person| person.rank == Rank::Operator);
        people.extend(others);
        Some(people.into())
    }
}
