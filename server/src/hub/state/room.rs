//! A room: who sits in it, its topic, its modes and lists.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::hub::state::{ConnectionId, Token};
use crate::protocol::time::UnixMillis;
use crate::protocol::{Folded, RoomName, mask};

/// A room, for as long as it exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RoomId {
    pub(crate) slot: u32,
    serial: u32,
}

/// Rank in a room: operator, voice, both or none. Ordered: an operator is above a voice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank(u8);

impl Rank {
    pub(crate) const NONE: Rank = Rank(0);
    pub(crate) const VOICE: Rank = Rank(1);
    pub(crate) const OPERATOR: Rank = Rank(2);

    pub(crate) fn has(self, rank: Rank) -> bool {
        self.0 & rank.0 == rank.0
    }

    pub(crate) fn with(self, rank: Rank) -> Rank {
        Rank(self.0 | rank.0)
    }

    pub(crate) fn without(self, rank: Rank) -> Rank {
        Rank(self.0 & !rank.0)
    }

    /// As it is written down.
    pub(crate) fn number(self) -> u8 {
        self.0
    }

    /// As it was written down; `None` for what is no rank.
    pub(crate) fn parse(number: &str) -> Option<Rank> {
        let number = number.parse().ok()?;
        (number <= Rank::VOICE.with(Rank::OPERATOR).0).then_some(Rank(number))
    }
}

/// Where a member sits: the room, and the number of the seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) room: RoomId,
    pub(crate) number: u32,
}

/// One member's seat.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seat {
    pub(crate) member: ConnectionId,
    /// Rises with each join, so that a reply in pages knows where it stopped.
    pub(crate) number: u32,
    pub(crate) rank: Rank,
}

impl Seat {
    /// `@`, `+`, both or none: all with `multi-prefix`, else the highest.
    pub(crate) fn prefixes(&self, all: bool) -> &'static str {
        match (self.rank.has(Rank::OPERATOR), self.rank.has(Rank::VOICE)) {
            (true, true) if all => "@+",
            (true, _) => "@",
            (false, true) => "+",
            (false, false) => "",
        }
    }
}

/// Begins a ban that keeps nobody out, but silent (`m:` as other servers have it).
pub(crate) const MUTE: &str = "~m:";
/// Letters of the lists: bans, exceptions from them, invitations.
pub(crate) const LISTS: &str = "beI";

/// One entry of a ban, exception or invitation list.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) mask: String,
    pub(crate) folded: Folded,
    pub(crate) setter: String,
    pub(crate) at: UnixMillis,
}

/// A room's topic and who set it when.
#[derive(Debug, Clone)]
pub(crate) struct Topic {
    pub(crate) text: String,
    pub(crate) setter: String,
    pub(crate) at: UnixMillis,
}

/// Whose a rank is, whether they are here or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Owner {
    /// Whoever has the token that was handed out last.
    Token(Token),
    /// Whoever logs in to the account of this folded name that was made then; not to a later one.
    Account(Folded, UnixMillis),
}

/// A rank that is kept for somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Holder {
    pub(crate) owner: Owner,
    pub(crate) rank: Rank,
    /// When it was used last, in hours that the server had run.
    pub(crate) at: u32,
}

/// The modes without a parameter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Flags {
    pub(crate) invite_only: bool,
    pub(crate) moderated: bool,
    pub(crate) no_outside: bool,
    pub(crate) secret: bool,
    pub(crate) topic_by_operators: bool,
    /// Only who is logged in to an account may come in.
    pub(crate) accounts_only: bool,
}

impl Flags {
    /// The letters of all of them.
    pub(crate) const LETTERS: &str = "Rimnst";

    /// The flag of a mode letter (RFC 2811 §4.2; `R` as other servers have it).
    pub(crate) fn get_mut(&mut self, letter: char) -> Option<&mut bool> {
        Some(match letter {
            'i' => &mut self.invite_only,
            'm' => &mut self.moderated,
            'n' => &mut self.no_outside,
            's' => &mut self.secret,
            't' => &mut self.topic_by_operators,
            'R' => &mut self.accounts_only,
            _ => return None,
        })
    }
}

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Room {
    pub(crate) name: RoomName,
    /// The folded name: the room's key in the history.
    pub(crate) folded: Arc<str>,
    serial: u32,
    pub(crate) created: UnixMillis,
    /// Something of it is kept. Until then nobody's coming and going is: rooms cost nothing to
    /// make.
    pub(crate) remembered: bool,
    /// Stays when the last member leaves.
    pub(crate) permanent: bool,
    /// The cloak of whom it counts for; `None` where that is not known.
    maker: Option<u64>,
    /// When the last one left, in hours that the server had run.
    pub(crate) left: u32,
    pub(crate) topic: Option<Topic>,
    pub(crate) flags: Flags,
    pub(crate) key: Option<String>,
    pub(crate) limit: Option<u32>,
    /// Seconds between two lines of one of those without a rank (`f`).
    pub(crate) slow: Option<u32>,
    /// While that is set, when who said something last; by [author](crate::hub::state::member::Member::author), so
    /// that leaving and coming back is of no use.
    pub(crate) spoke: HashMap<Arc<str>, Duration>,
    /// Seats of those who want to speak, the first first.
    pub(crate) hands: Vec<u32>,
    /// In the order of [`LISTS`].
    lists: [Vec<Entry>; 3],
    /// Who has a rank here by a secret, whether they are here or not.
    pub(crate) holders: Vec<Holder>,
    /// Who was invited by name and has not come yet.
    pub(crate) invited: Vec<ConnectionId>,
    /// By number: joins push, so the list stays sorted.
    seats: Vec<Seat>,
    next_number: u32,
}

impl Room {
    /// Whether it is more than a memory: somebody is in it, or it is the one that always exists.
    pub(crate) fn is_alive(&self) -> bool {
        self.permanent || !self.seats.is_empty()
    }

    pub(crate) fn seats(&self) -> &[Seat] {
        &self.seats
    }

    pub(crate) fn seat(&self, number: u32) -> Option<&Seat> {
        self.seats.binary_search_by_key(&number, |seat| seat.number).ok().map(|i| &self.seats[i])
    }

    pub(crate) fn seat_mut(&mut self, number: u32) -> Option<&mut Seat> {
        let i = self.seats.binary_search_by_key(&number, |seat| seat.number).ok()?;
        self.seats.get_mut(i)
    }

    /// The seats from this number on.
    pub(crate) fn seats_from(&self, number: u32) -> &[Seat] {
        &self.seats[self.seats.partition_point(|seat| seat.number < number)..]
    }

    /// Seats a member and returns the seat's number.
    pub(crate) fn sit(&mut self, member: ConnectionId, rank: Rank) -> u32 {
        if self.next_number == u32::MAX {
            // Four thousand million joins: number anew, in the same order. A page in progress
            // may then repeat or miss a name.
            self.hands.clear();
            for (number, seat) in self.seats.iter_mut().enumerate() {
                seat.number = number as u32;
            }
            self.next_number = self.seats.len() as u32;
        }
        let number = self.next_number;
        self.next_number += 1;
        self.seats.push(Seat { member, number, rank });
        number
    }

    pub(crate) fn leave(&mut self, number: u32) {
        if let Ok(i) = self.seats.binary_search_by_key(&number, |seat| seat.number) {
            self.seats.remove(i);
            self.hands.retain(|hand| *hand != number);
        }
    }

    pub(crate) fn list_mut(&mut self, letter: char) -> Option<&mut Vec<Entry>> {
        self.lists.get_mut(LISTS.find(letter)?)
    }

    /// The list of a letter of [`LISTS`].
    pub(crate) fn list(&self, letter: char) -> &[Entry] {
        LISTS.find(letter).and_then(|at| self.lists.get(at)).map_or(&[], Vec::as_slice)
    }

    /// Whether somebody whom [masks](crate::hub::state::member::Member::masked) see so is banned and not excepted.
    pub(crate) fn banned(&self, masked: &[Folded]) -> bool {
        listed(self.list('b'), "", masked) && !listed(self.list('e'), "", masked)
    }

    /// Whether such a one may come in, but say nothing.
    pub(crate) fn muted(&self, masked: &[Folded]) -> bool {
        listed(self.list('b'), MUTE, masked) && !listed(self.list('e'), "", masked)
    }

    pub(crate) fn maker(&self) -> Option<u64> {
        self.maker
    }

    /// Entries of the lists `b`, `e` and `I`.
    pub(crate) fn entries(&self) -> usize {
        self.lists.iter().map(Vec::len).sum()
    }

    /// Whether not everybody may come in and read.
    pub(crate) fn is_locked(&self) -> bool {
        let Flags { invite_only, secret, accounts_only, .. } = self.flags;
        invite_only || secret || accounts_only || self.key.is_some() || !self.list('b').is_empty()
    }

    /// Whether the list `I` lets somebody in.
    pub(crate) fn invited_by_mask(&self, masked: &[Folded]) -> bool {
        listed(self.list('I'), "", masked)
    }

    /// `+Rimnst f k l`: letters and, where `secrets`, the key.
    pub(crate) fn modes(&self, secrets: bool) -> String {
        let mut flags = self.flags;
        let mut modes = String::from("+");
        modes.extend(Flags::LETTERS.chars().filter(|letter| flags.get_mut(*letter).is_some_and(|on| *on)));
        let mut arguments = String::new();
        if let Some(seconds) = self.slow {
            modes.push('f');
            arguments.push_str(&format!(" {seconds}"));
        }
        if let Some(key) = &self.key {
            modes.push('k');
            arguments.push(' ');
            arguments.push_str(if secrets { key } else { "*" });
        }
        if let Some(limit) = self.limit {
            modes.push('l');
            arguments.push_str(&format!(" {limit}"));
        }
        modes + &arguments
    }
}

/// Whether an entry that begins with `kind` is about one of these. What begins with the sign of another kind
/// looks like nobody.
fn listed(list: &[Entry], kind: &str, masked: &[Folded]) -> bool {
    let texts = masked.iter().filter(|_| !list.is_empty()).map(|text| mask::Text::new(text.as_str()));
    let masks = || list.iter().filter_map(|entry| entry.folded.as_str().strip_prefix(kind));
    texts.into_iter().any(|text| masks().any(|mask| text.matches(mask)))
}

/// All rooms, by place and by name.
#[derive(Debug, Default)]
pub(crate) struct Rooms {
    slots: Vec<Option<Room>>,
    free: Vec<u32>,
    by_name: HashMap<Folded, RoomId>,
    /// By the cloaks of their makers.
    by_maker: HashMap<u64, Vec<RoomId>>,
    serials: u32,
}

impl Rooms {
    /// Makes a room with the modes `+nt`.
    pub(crate) fn create(&mut self, name: RoomName, now: UnixMillis, permanent: bool) -> RoomId {
        self.serials = self.serials.wrapping_add(1);
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() as u32 - 1
        });
        let id = RoomId { slot, serial: self.serials };
        self.by_name.insert(name.fold(), id);
        self.slots[slot as usize] = Some(Room {
            folded: name.fold().as_str().into(),
            name,
            serial: self.serials,
            created: now,
            remembered: false,
            permanent,
            maker: None,
            left: 0,
            topic: None,
            flags: Flags { no_outside: true, topic_by_operators: true, ..Flags::default() },
            key: None,
            limit: None,
            slow: None,
            spoke: HashMap::new(),
            hands: Vec::new(),
            lists: Default::default(),
            holders: Vec::new(),
            invited: Vec::new(),
            seats: Vec::new(),
            next_number: 0,
        });
        id
    }

    /// Counts a room for its maker.
    pub(crate) fn made_by(&mut self, id: RoomId, maker: u64) {
        if let Some(room) = self.get_mut(id) {
            room.maker = Some(maker);
            self.by_maker.entry(maker).or_default().push(id);
        }
    }

    /// How many there are of a maker, and the entries of their lists.
    pub(crate) fn share(&self, maker: u64) -> (usize, usize) {
        let rooms = self.by_maker.get(&maker).map_or(&[][..], Vec::as_slice);
        (rooms.len(), rooms.iter().filter_map(|id| self.get(*id)).map(Room::entries).sum())
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.by_name.len()
    }

    pub(crate) fn find(&self, name: &str) -> Option<RoomId> {
        self.by_name.get(&Folded::new(name)).copied()
    }

    pub(crate) fn get(&self, id: RoomId) -> Option<&Room> {
        self.slots.get(id.slot as usize)?.as_ref().filter(|room| room.serial == id.serial)
    }

    pub(crate) fn get_mut(&mut self, id: RoomId) -> Option<&mut Room> {
        self.slots.get_mut(id.slot as usize)?.as_mut().filter(|room| room.serial == id.serial)
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Room> {
        self.slots.iter_mut().flatten()
    }

    /// Ends a room.
    pub(crate) fn end(&mut self, id: RoomId) {
        if let Some(room) = self.get(id) {
            let (folded, maker) = (room.name.fold(), room.maker);
            self.by_name.remove(&folded);
            if let Some(maker) = maker
                && let Some(rooms) = self.by_maker.get_mut(&maker)
            {
                rooms.retain(|room| *room != id);
                if rooms.is_empty() {
                    self.by_maker.remove(&maker);
                }
            }
            self.slots[id.slot as usize] = None;
            self.free.push(id.slot);
        }
    }

    /// The rooms from this place on.
    pub(crate) fn from(&self, slot: u32) -> impl Iterator<Item = (RoomId, &Room)> {
        self.slots.iter().enumerate().skip(slot as usize).filter_map(|(slot, room)| {
            room.as_ref().map(|room| (RoomId { slot: slot as u32, serial: room.serial }, room))
        })
    }
}

#[cfg(test)]
impl Rooms {
    /// A room by itself.
    pub(crate) fn made(mut self) -> Room {
        let id = self.create(RoomName::parse("#made").unwrap(), UnixMillis(1), false);
        self.slots[id.slot as usize].take().unwrap()
    }
}
