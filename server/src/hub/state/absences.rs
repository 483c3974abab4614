//! Who had read a room until when: who comes back is not shown the same lines again.
//!
//! For IRC programs that cannot ask for the past; and what accounts have read, wherever they read it
//! (IRCv3 draft/read-marker). Somebody is a name and a party, whose address stands
//! here as its cloak does. It is kept where the states of rooms are, under a name that no room has.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::hub::state::member::{Member, Speaker};
use crate::hub::state::room::RoomId;
use crate::hub::state::words::{put, take};
use crate::hub::state::{ConnectionId, State};
use crate::protocol::{Capability, Folded, MsgId};

/// The first byte of what is written.
const VERSION: u8 = 1;
/// People who are remembered; beyond, who read longest ago goes.
const MAX_PEOPLE: usize = 4096;
/// The same of one party, so that it pushes out nobody but its own.
const MAX_OF_PARTY: usize = 512;
/// Rooms of one of them; beyond, the one read longest ago goes.
const MAX_ROOMS: usize = 20;
/// Rooms and people of an account; beyond, the same.
const MAX_MARKS: usize = 64;
/// The mark of an account for the private lines that it was told.
const TOLD: &str = "";

/// Rooms by folded names with the last event that was read there. Each keeps its place: what is written
/// down then differs by little.
type Read = Vec<(Arc<str>, MsgId)>;

fn last(read: &Read) -> Option<MsgId> {
    read.iter().map(|(_, read)| *read).max()
}

/// Filled by those who leave a room or the server, and by MARKREAD. At most [`MAX_PEOPLE`] with [`MAX_ROOMS`]
/// each, accounts with [`MAX_MARKS`]: 30 MB with the longest names, 3 MB with usual ones; on disk at most twice
/// that.
#[derive(Debug, Default)]
pub(crate) struct Absences {
    /// By name and party.
    people: HashMap<Arc<str>, Read>,
    /// The same people, by when they read last.
    order: BTreeSet<(MsgId, Arc<str>)>,
}

impl Absences {
    fn read(&self, who: &str, room: &str) -> Option<MsgId> {
        self.people.get(who)?.iter().find(|(known, _)| **known == *room).map(|(_, read)| *read)
    }

    fn insert(&mut self, who: Arc<str>, read: Read) {
        if let Some(last) = self.people.get(&who).and_then(last) {
            self.order.remove(&(last, who.clone()));
        }
        if let Some(last) = last(&read) {
            self.order.insert((last, who.clone()));
            self.people.insert(who, read);
        }
    }

    /// Forgets who read longest ago, if there are too many, or too many of the party of `new`.
    fn evict(&mut self, new: &str) -> Option<Arc<str>> {
        let party = new.rsplit('@').next().unwrap_or_default();
        let mut near = self.order.iter().filter(|(_, who)| who.ends_with(party));
        let oldest = near.next().cloned().filter(|_| near.count() >= MAX_OF_PARTY);
        let full = || self.order.first().cloned().filter(|_| self.people.len() > MAX_PEOPLE);
        let gone = oldest.or_else(full)?;
        self.order.remove(&gone);
        self.people.remove(&gone.1);
        Some(gone.1)
    }
}

impl State {
    /// Takes in what was written under a name of no room. What cannot be read is worth nothing.
    pub(crate) fn restore_absence(&mut self, who: &str, state: &[u8]) {
        if let Some(read) = decode(state) {
            self.absences.insert(who.into(), read);
        }
    }

    /// The last event of a room that somebody had read who comes into it again.
    pub(crate) fn read_before(&self, id: ConnectionId, room: RoomId) -> Option<MsgId> {
        self.absences.read(&who(self.member(id)?)?, &self.rooms.get(room)?.folded)
    }

    /// Somebody takes what it is sent up to now, as before.
    pub(crate) fn reads_on(&mut self, id: ConnectionId) {
        let last = self.stamps.last();
        if let Some(read) = self.member_mut(id).and_then(|member| member.read.as_mut()) {
            *read = last;
        }
    }

    /// Remembers what somebody must have read in all its rooms.
    pub(crate) fn note_read(&mut self, id: ConnectionId) {
        if let Some(read) = self.member(id).and_then(|member| member.read) {
            self.has_read(id, &self.rooms_of(id), read);
            if let Some(account) = self.member(id).and_then(|member| member.account.clone()) {
                self.mark_read(&account, TOLD.into(), read);
            }
        }
    }

    /// The same of what an account was told by itself, by the server that it has left.
    pub(crate) fn note_read_elsewhere(&mut self, id: ConnectionId, read: Option<MsgId>) {
        let account = self.member(id).filter(|_| id.is_remote()).and_then(|member| member.account.clone());
        if let Some((account, read)) = account.zip(read) {
            self.mark_read(&account, TOLD.into(), read);
        }
    }

    /// Remembers that somebody has read everything in these rooms up to `upto`.
    pub(crate) fn has_read(&mut self, id: ConnectionId, rooms: &[RoomId], upto: MsgId) {
        let here = self.member(id).filter(|_| !rooms.is_empty() && !id.is_remote());
        let Some(who) = here.and_then(who) else { return };
        let rooms = rooms.iter().filter_map(|room| Some(self.rooms.get(*room)?.folded.clone())).collect();
        self.mark(who, rooms, upto, MAX_ROOMS);
    }

    /// Up to where an account has read a room or somebody's lines (a folded name).
    pub(crate) fn marked(&self, account: &str, target: &str) -> Option<MsgId> {
        self.absences.read(&marks_of(account), target)
    }

    /// An account has read so far, at least.
    pub(crate) fn mark_read(&mut self, account: &str, target: Arc<str>, upto: MsgId) {
        self.mark(marks_of(account), vec![target], upto, MAX_MARKS);
    }

    /// The same, where another server may know more of it.
    pub(super) fn merge_absence(&mut self, who: &str, state: &[u8]) {
        if !self.absences.people.contains_key(who) {
            return self.restore_absence(who, state);
        }
        for (room, read) in decode(state).into_iter().flatten() {
            self.mark(who.into(), vec![room], read, MAX_MARKS);
        }
    }

    /// All of them, as they are written.
    pub(super) fn kept_absences(&self) -> Vec<(Box<str>, Box<[u8]>)> {
        self.absences.people.iter().map(|(who, read)| (Box::from(&**who), encode(read))).collect()
    }

    /// How far accounts have read, as it is written, for another server.
    pub(super) fn written_marks(&self) -> Vec<(Arc<str>, Box<[u8]>)> {
        let of_account = |(who, _): &(&Arc<str>, &Read)| who.starts_with('=');
        let shared = |(who, read): (&Arc<str>, &Read)| {
            // What it was told by itself, each server notes.
            let read: Read = read.iter().filter(|(room, _)| **room != *TOLD).cloned().collect();
            (who.clone(), encode(&read))
        };
        self.absences.people.iter().filter(of_account).map(shared).collect()
    }

    /// Up to where an account was told its private lines.
    pub(crate) fn told_private(&self, account: &str) -> Option<MsgId> {
        self.marked(account, TOLD)
    }

    /// Whose account ends has read nothing.
    pub(crate) fn forget_marks(&mut self, account: &str) {
        let who = marks_of(account);
        if let Some(last) = self.absences.people.remove(&who).as_ref().and_then(last) {
            self.absences.order.remove(&(last, who.clone()));
            self.unwritten.push((who, None));
        }
    }

    fn mark(&mut self, who: Arc<str>, rooms: Vec<Arc<str>>, upto: MsgId, most: usize) {
        let mut read = self.absences.people.get(&*who).cloned().unwrap_or_default();
        for room in rooms {
            match read.iter_mut().find(|(known, _)| *known == room) {
                Some((_, before)) => *before = upto.max(*before),
                None => read.push((room, upto)),
            }
        }
        while read.len() > most {
            let oldest = read.iter().enumerate().min_by_key(|(_, (_, read))| *read).map_or(0, |(at, _)| at);
            read.remove(oldest);
        }
        let state = encode(&read);
        let new = !self.absences.people.contains_key(&who);
        self.absences.insert(who.clone(), read);
        let gone = if new { self.absences.evict(&who) } else { None };
        if self.settings.durable {
            // Of several in one turn the last one counts.
            self.unwritten.pop_if(|(name, _)| *name == who);
            self.unwritten.push((who, Some(state)));
            self.unwritten.extend(gone.map(|gone| (gone, None)));
        }
    }
}

/// A name and a party, if it is one that is shown the past without asking; no room is called so.
fn who(member: &Member) -> Option<Arc<str>> {
    let shown = member.speaker == Speaker::Irc && !member.has(Capability::Chathistory);
    let nick = member.nick.as_ref().filter(|_| shown)?.fold();
    Some(format!("{}@{:016x}", nick.as_str(), member.cloak).into())
}

/// Under which the marks of an account stand; no room and nobody at an address is called so.
fn marks_of(account: &str) -> Arc<str> {
    format!("={}", Folded::new(account).as_str()).into()
}

fn encode(read: &Read) -> Box<[u8]> {
    let mut bytes = vec![VERSION];
    for (room, read) in read {
        put(&mut bytes, &[room, &read.to_string()]);
    }
    bytes.into()
}

fn decode(state: &[u8]) -> Option<Read> {
    let mut rest = state.strip_prefix(&[VERSION])?;
    let mut read = Read::new();
    while let Some(room) = take(&mut rest) {
        read.push((room.into(), MsgId::parse(take(&mut rest)?)?));
    }
    Some(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(millis: u64) -> MsgId {
        MsgId { boot: 1, millis, count: 0 }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let read: Read = vec![("#größe".into(), id(5)), ("#a".into(), id(7))];
        let state = encode(&read);
        assert_eq!(decode(&state), Some(read));
        for cut in 0..state.len() {
            // Some prefixes are whole states of less; none may panic.
            decode(&state[..cut]);
        }
        assert_eq!(decode(b"\x07"), None);
    }

    #[test]
    fn who_read_longest_ago_goes_first() {
        let mut absences = Absences::default();
        let who = |number: usize| Arc::<str>::from(format!("p{number}@{:016x}", number % 100));
        let mut read = |number: usize, party: Option<usize>, millis| {
            let who = party.map_or(who(number), |party| format!("p{number}@{party:016x}").into());
            absences.insert(who.clone(), vec![("#a".into(), id(millis))]);
            absences.evict(&who)
        };
        for number in 0..MAX_PEOPLE {
            assert_eq!(read(number, None, number as u64), None);
        }
        read(0, None, 90_000);
        assert_eq!(read(MAX_PEOPLE, None, 90_001), Some(who(1)));
        // Of one party its own go first.
        for number in 0..2 * MAX_OF_PARTY {
            let gone = read(number, Some(777), 91_000 + number as u64);
            let own = number.checked_sub(MAX_OF_PARTY).map(|first| format!("p{first}@{:016x}", 777));
            assert!(gone.is_some_and(|gone| own.is_none_or(|own| *gone == *own)));
        }
        assert_eq!((absences.people.len(), absences.order.len()), (MAX_PEOPLE, MAX_PEOPLE));
        assert_eq!(absences.read(&who(0), "#a"), Some(id(90_000)));
        assert_eq!((absences.read(&who(1), "#a"), absences.read(&who(0), "#b")), (None, None));
    }
}
