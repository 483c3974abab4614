//! The record of a room: topic, modes, lists and ranks by token, how and when they are written down.
//!
//! Topic, modes, lists and the ranks that belong to a token survive a restart, and a room that
//! everybody has left keeps them. A room that has nothing but its name ends with its last member.

use std::sync::Arc;

use crate::hub::state::limits::{HELD_FOR, MAX_EMPTY};
use crate::hub::state::room::{Entry, Flags, Holder, Rank, Room, RoomId, Topic};
use crate::hub::state::words::{put, take};
use crate::hub::state::{State, Token, Unwritten};
use crate::protocol::time::UnixMillis;
use crate::protocol::{Folded, RoomName};

/// The first byte of what is written.
const VERSION: u8 = 1;
const LETTERS: &str = "imnst";

/// Writes down what a room is; `None` if it is nothing but its name.
fn encode(room: &Room) -> Option<Box<[u8]>> {
    let plain = Flags { no_outside: true, topic_by_operators: true, ..Flags::default() };
    let bare = room.topic.is_none()
        && room.flags == plain
        && room.key.is_none()
        && room.limit.is_none()
        && room.bans.is_empty()
        && room.exceptions.is_empty()
        && room.invitations.is_empty()
        && room.holders.is_empty();
    if bare {
        return None;
    }
    let mut flags = room.flags;
    let letters: String = LETTERS.chars().filter(|c| flags.get_mut(*c).is_some_and(|on| *on)).collect();
    let mut bytes = vec![VERSION];
    let mut word = |word: &str| put(&mut bytes, word);
    word(room.name.as_str());
    word(&room.created.0.to_string());
    word(&letters);
    word(room.key.as_deref().unwrap_or_default());
    word(&room.limit.unwrap_or_default().to_string());
    if let Some(topic) = &room.topic {
        word("topic");
        word(&topic.text);
        word(&topic.setter);
        word(&topic.at.0.to_string());
    }
    for (letter, list) in [("b", &room.bans), ("e", &room.exceptions), ("I", &room.invitations)] {
        for entry in list {
            word(letter);
            word(&entry.mask);
            word(&entry.setter);
            word(&entry.at.0.to_string());
        }
    }
    for holder in &room.holders {
        word("holder");
        word(&format!("{:032x}", holder.token));
        word(&holder.rank.number().to_string());
        word(&holder.at.0.to_string());
    }
    Some(bytes.into())
}

/// A room's name, read first: the room has to be there before the rest is read into it.
fn name_of(state: &[u8]) -> Option<RoomName> {
    let mut rest = state.strip_prefix(&[VERSION])?;
    RoomName::parse(take(&mut rest)?).ok()
}

/// Reads what was written; `None` where it is no such thing.
fn decode(state: &[u8], room: &mut Room) -> Option<()> {
    let mut rest = state.strip_prefix(&[VERSION])?;
    let mut word = || take(&mut rest);
    word()?;
    room.remembered = true;
    room.created = millis(word()?)?;
    room.flags = Flags::default();
    for letter in word()?.chars() {
        *room.flags.get_mut(letter)? = true;
    }
    room.key = Some(word()?.to_owned()).filter(|key| !key.is_empty());
    room.limit = word()?.parse().ok().filter(|limit| *limit > 0);
    while let Some(what) = word() {
        let (text, setter, at) = (word()?, word()?, millis(word()?)?);
        match what {
            "topic" => room.topic = Some(Topic { text: text.into(), setter: setter.into(), at }),
            "holder" => {
                let token = u128::from_str_radix(text, 16).ok().and_then(Token::new)?;
                room.holders.push(Holder { token, rank: Rank::parse(setter)?, at });
            }
            list => {
                let entry = Entry { mask: text.into(), folded: Folded::new(text), setter: setter.into(), at };
                room.list_mut(list.chars().next()?)?.push(entry);
            }
        }
    }
    Some(())
}

impl Holder {
    /// Whether its token is still worth something.
    pub(crate) fn counts(&self, now: UnixMillis) -> bool {
        now.0.saturating_sub(self.at.0) < HELD_FOR.as_millis() as u64
    }
}

fn millis(number: &str) -> Option<UnixMillis> {
    number.parse().ok().map(UnixMillis)
}

impl State {
    /// Takes in what a store remembers: rooms and who was in them, by folded names and with states as
    /// [`Output::Room`](crate::hub::delivery::output::Output::Room) gave them out. Says which could not be read.
    pub(crate) fn restore(&mut self, rooms: Vec<(Box<str>, Box<[u8]>)>) -> Vec<Box<str>> {
        let mut unreadable = Vec::new();
        for (folded, state) in rooms {
            if !folded.starts_with('#') {
                self.restore_absence(&folded, &state);
                continue;
            }
            let read = name_of(&state).filter(|name| name.fold().as_str() == &*folded).and_then(|name| {
                let found = self.rooms.find(name.as_str());
                let id = found.unwrap_or_else(|| self.rooms.create(name, self.now.wall, false));
                let read = decode(&state, self.rooms.get_mut(id)?);
                if read.is_none() && found.is_none() {
                    self.rooms.end(id);
                }
                read
            });
            match read {
                Some(()) => {
                    self.written.insert(folded.as_ref().into());
                    self.empty_rooms.extend(self.rooms.find(&folded));
                }
                None => unreadable.push(folded),
            }
        }
        unreadable
    }

    /// Something about a room changed that is written down.
    pub(crate) fn changed(&mut self, room: RoomId) {
        if !self.changed_rooms.contains(&room) {
            self.changed_rooms.push(room);
        }
    }

    /// What is to be written of rooms since the last call: folded names, and what they are now, or
    /// nothing.
    pub(crate) fn take_unwritten(&mut self) -> Vec<Unwritten> {
        let changed = std::mem::take(&mut self.changed_rooms);
        for id in changed {
            let Some(room) = self.rooms.get(id).filter(|_| self.settings.durable) else { continue };
            let (folded, state) = (room.folded.clone(), encode(room));
            self.write_room(folded, state);
        }
        std::mem::take(&mut self.unwritten)
    }

    fn write_room(&mut self, room: Arc<str>, state: Option<Box<[u8]>>) {
        let known =
            if state.is_some() { !self.written.insert(room.clone()) } else { self.written.remove(&room) };
        if state.is_some() || known {
            self.unwritten.push((room, state));
        }
    }

    /// Ends a room if nobody is in it and nothing keeps it.
    pub(crate) fn end_if_empty(&mut self, id: RoomId) {
        let now = self.now.wall;
        let Some(room) = self.rooms.get_mut(id).filter(|room| room.seats().is_empty()) else { return };
        if room.permanent {
            return;
        }
        room.holders.retain(|holder| holder.counts(now));
        // Without a disk a room lasts as long as somebody is in it, as on any IRC server.
        let folded = room.folded.clone();
        if self.settings.durable && encode(room).is_some() {
            let State { empty_rooms, rooms, .. } = self;
            let is_empty = |room: &RoomId| rooms.get(*room).is_some_and(|room| room.seats().is_empty());
            empty_rooms.retain(|room| *room != id && is_empty(room));
            empty_rooms.push_back(id);
            if empty_rooms.len() > MAX_EMPTY {
                self.end_an_empty_room();
            }
            return self.changed(id);
        }
        self.rooms.end(id);
        if self.settings.durable {
            return self.write_room(folded, None);
        }
        // Its key or its ban list ends with it: whoever makes the next room of this name must not
        // read what was said in this one.
        self.unwritten.push((folded, None));
    }

    fn end_an_empty_room(&mut self) {
        let State { empty_rooms, rooms, .. } = self;
        let open = empty_rooms.iter().position(|room| rooms.get(*room).is_none_or(|room| !room.is_locked()));
        let gone = match open {
            Some(at) => empty_rooms.remove(at),
            None => empty_rooms.pop_back(),
        };
        let Some(id) = gone else { return };
        if let Some(room) = self.rooms.get(id).filter(|room| room.seats().is_empty() && !room.permanent) {
            let folded = room.folded.clone();
            self.rooms.end(id);
            self.write_room(folded, None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::state::room::Rooms;

    fn room() -> Room {
        let mut rooms = Rooms::default();
        let name = RoomName::parse("#Größe").unwrap();
        let id = rooms.create(name, UnixMillis(5), false);
        let room = rooms.get_mut(id).unwrap();
        room.topic = Some(Topic { text: "a: b".into(), setter: "bob!u@h".into(), at: UnixMillis(7) });
        *room.flags.get_mut('i').unwrap() = true;
        *room.flags.get_mut('t').unwrap() = false;
        (room.key, room.limit) = (Some("sesame".into()), Some(12));
        let entry = Entry {
            mask: "a!*@*".into(),
            folded: Folded::new("a!*@*"),
            setter: "bob".into(),
            at: UnixMillis(9),
        };
        room.bans.push(entry.clone());
        room.invitations.push(entry);
        room.holders.push(Holder { token: Token::MAX, rank: Rank::VOICE, at: UnixMillis(11) });
        std::mem::replace(room, Rooms::default().made())
    }

    #[test]
    fn what_is_written_is_read_again() {
        let room = room();
        let state = encode(&room).unwrap();
        assert_eq!(name_of(&state), Some(room.name.clone()));
        let mut read = Rooms::default().made();
        decode(&state, &mut read).unwrap();
        read.name = room.name.clone();
        read.folded = room.folded.clone();
        assert_eq!(encode(&read), Some(state));
    }

    #[test]
    fn a_room_that_is_nothing_but_its_name_is_not_written() {
        assert_eq!(encode(&Rooms::default().made()), None);
    }

    #[test]
    fn damaged_states_are_not_read() {
        let state = encode(&room()).unwrap();
        for cut in 0..state.len() {
            // Some prefixes are whole states of less; none may panic.
            decode(&state[..cut], &mut Rooms::default().made());
        }
        assert!(decode(b"\x07", &mut Rooms::default().made()).is_none());
    }
}
