//! The record of a room: topic, modes, lists and ranks by token, how and when they are written down.
//!
//! Topic, modes, lists and the ranks that belong to a token survive a restart, and a room that
//! everybody has left keeps them, for [`KEPT_FOR`] hours; so does one that has nothing but a history. One
//! without either ends with its last member.
//!
//! The lines of a room that ends stay, and whoever makes it anew reads them: but for those of one that not
//! everybody could come into, which are nobody's then.

use std::collections::HashMap;
use std::sync::Arc;

use crate::hub::state::limits::{KEPT_FOR, MAX_ALL_ROOMS};
use crate::hub::state::room::{Entry, Flags, Holder, LISTS, Owner, Rank, Room, RoomId, Rooms, Topic};
use crate::hub::state::words::{put, take};
use crate::hub::state::{State, Token, Unwritten, admission, running};
use crate::protocol::time::UnixMillis;
use crate::protocol::{Folded, RoomName};

/// The first byte of what is written.
const VERSION: u8 = 2;
/// Knows no makers, and counts the ranks by the clock.
const FIRST_VERSION: u8 = 1;

/// Writes down what a room is; `None` if it is nothing but its name, and has no history.
fn encode(room: &Room) -> Option<Box<[u8]>> {
    let plain = Flags { no_outside: true, topic_by_operators: true, ..Flags::default() };
    let bare = room.topic.is_none()
        && room.flags == plain
        && room.key.is_none()
        && room.limit.is_none()
        && room.slow.is_none()
        && room.entries() == 0
        && room.holders.is_empty();
    if bare && !room.remembered { None } else { Some(written(room)) }
}

/// Writes down what a room is, whatever that is.
pub(super) fn written(room: &Room) -> Box<[u8]> {
    let mut flags = room.flags;
    let letters: String =
        Flags::LETTERS.chars().filter(|c| flags.get_mut(*c).is_some_and(|on| *on)).collect();
    let mut bytes = vec![VERSION];
    let (created, limit) = (room.created.0.to_string(), room.limit.unwrap_or_default().to_string());
    let key = room.key.as_deref().unwrap_or_default();
    put(&mut bytes, &[room.name.as_str(), &created, &letters, key, &limit]);
    // Somebody is in it: it will be left when the server ends.
    let left = if room.seats().is_empty() { room.left.to_string() } else { String::new() };
    let maker = room.maker().map_or(String::new(), |maker| format!("{maker:016x}"));
    put(&mut bytes, &["left", &left, &maker, "0"]);
    if let Some(seconds) = room.slow {
        put(&mut bytes, &["slow", &seconds.to_string(), "", "0"]);
    }
    if let Some(Topic { text, setter, at }) = &room.topic {
        put(&mut bytes, &["topic", text, setter, &at.0.to_string()]);
    }
    for letter in LISTS.chars() {
        for Entry { mask, setter, at, .. } in room.list(letter) {
            put(&mut bytes, &[letter.encode_utf8(&mut [0; 4]), mask, setter, &at.0.to_string()]);
        }
    }
    for Holder { owner, rank, at } in &room.holders {
        let rank = rank.number().to_string();
        match owner {
            Owner::Token(token) => {
                put(&mut bytes, &["holder", &format!("{token:032x}"), &rank, &at.to_string()])
            }
            Owner::Account(name, made) => {
                put(&mut bytes, &["account", name.as_str(), &rank, &made.0.to_string()])
            }
        }
    }
    bytes.into()
}

/// Its version, and the rest.
fn versioned(state: &[u8]) -> Option<(u8, &[u8])> {
    let (&version, rest) = state.split_first()?;
    matches!(version, FIRST_VERSION | VERSION).then_some((version, rest))
}

/// A room's name, read first: the room has to be there before the rest is read into it.
pub(super) fn name_of(state: &[u8]) -> Option<RoomName> {
    RoomName::parse(take(&mut versioned(state)?.1)?).ok()
}

/// Reads what was written, `ran` hours after the first start; its maker. `None` where it is no such thing.
pub(super) fn decode(state: &[u8], ran: u32, room: &mut Room) -> Option<Option<u64>> {
    let (version, mut rest) = versioned(state)?;
    let mut word = || take(&mut rest);
    word()?;
    let mut maker = None;
    (room.remembered, room.left) = (true, ran);
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
            "left" => {
                room.left = if text.is_empty() { ran } else { text.parse().ok()? };
                maker = u64::from_str_radix(setter, 16).ok();
            }
            "slow" => room.slow = text.parse().ok(),
            "topic" => room.topic = Some(Topic { text: text.into(), setter: setter.into(), at }),
            "holder" => {
                let token = u128::from_str_radix(text, 16).ok().and_then(Token::new)?;
                let at = if version == FIRST_VERSION { ran } else { u32::try_from(at.0).ok()? };
                room.holders.push(Holder { owner: Owner::Token(token), rank: Rank::parse(setter)?, at });
            }
            "account" => {
                let owner = Owner::Account(Folded::new(text), at);
                room.holders.push(Holder { owner, rank: Rank::parse(setter)?, at: ran });
            }
            list => {
                let entry = Entry { mask: text.into(), folded: Folded::new(text), setter: setter.into(), at };
                room.list_mut(list.chars().next()?)?.push(entry);
            }
        }
    }
    Some(maker)
}

/// Whether this is a room that not everybody could come into, made at another time: its lines are nobody's.
fn is_other(state: &[u8], created: UnixMillis) -> bool {
    let mut room = Rooms::default();
    // What cannot be read may be anything.
    let Some(name) = name_of(state) else { return false };
    let id = room.create(name, UnixMillis::default(), false);
    let decoded = room.get_mut(id).and_then(|room| decode(state, 0, room).map(|_| &*room));
    decoded.is_none_or(|room| room.is_locked() && room.created != created)
}

fn millis(number: &str) -> Option<UnixMillis> {
    number.parse().ok().map(UnixMillis)
}

impl State {
    /// Whether a rank is still kept: the token was used not long ago, or the account is there.
    pub(crate) fn counts(&self, holder: &Holder) -> bool {
        match &holder.owner {
            Owner::Token(_) => self.ran().saturating_sub(holder.at) < KEPT_FOR,
            Owner::Account(name, made) => {
                self.accounts.get(name.as_str()).is_some_and(|known| known.made == *made)
            }
        }
    }

    /// Takes in what a store remembers: rooms and who was in them, by folded names and with states as
    /// [`Output::Room`](crate::hub::delivery::output::Output::Room) gave them out, empty where only lines are
    /// known. Says which could not be read: those are for invited people only.
    pub(crate) fn restore(&mut self, rooms: Vec<(Box<str>, Box<[u8]>)>) -> Vec<Box<str>> {
        if let Some((_, hours)) = rooms.iter().find(|(name, _)| **name == *running::NAME) {
            self.restore_running(hours);
        }
        let mut unreadable = Vec::new();
        for (folded, state) in rooms {
            if *folded == *admission::BANS {
                self.restore_bans(&state);
            } else if self.restore_pair(&folded) {
            } else if !folded.starts_with('#') {
                self.restore_absence(&folded, &state);
            } else if !(state.is_empty() && self.rooms.len() >= MAX_ALL_ROOMS)
                && self.restore_room(&folded, &state).is_none()
            {
                unreadable.push(folded);
            }
        }
        unreadable
    }

    fn restore_room(&mut self, folded: &str, state: &[u8]) -> Option<()> {
        let written = name_of(state).filter(|name| name.fold().as_str() == folded);
        let sound = written.is_some();
        let name = written.or_else(|| RoomName::parse(folded).ok())?;
        let ran = self.ran();
        let found = self.rooms.find(folded);
        let id = found.unwrap_or_else(|| self.rooms.create(name, self.now.wall, false));
        let room = self.rooms.get_mut(id)?;
        (room.remembered, room.left) = (true, ran);
        let read = if state.is_empty() { Some(None) } else { decode(state, ran, room).filter(|_| sound) };
        match read {
            None => room.flags.invite_only |= !room.permanent,
            Some(maker) => {
                self.written.insert(folded.into());
                maker.into_iter().for_each(|maker| self.rooms.made_by(id, maker));
            }
        }
        read.map(|_| ())
    }

    /// What is kept here of rooms is made what they are, taken over from another server; `kept`: by folded names, as it
    /// was written.
    pub(crate) fn write_rooms_over(&mut self, kept: Vec<(Box<str>, Box<[u8]>)>) {
        let mut kept: HashMap<Box<str>, Box<[u8]>> = kept.into_iter().collect();
        let rooms: Vec<RoomId> = self.rooms.from(0).map(|(id, _)| id).collect();
        for id in rooms {
            let Some(room) = self.rooms.get(id) else { continue };
            let (now, folded, created) = (encode(room), room.folded.clone(), room.created);
            let before = kept.remove(&*folded);
            if before.as_ref().is_some_and(|before| is_other(before, created)) {
                self.forgotten.push(folded.clone());
            }
            if before != now {
                self.changed(id);
            }
            if before.is_some() {
                self.written.insert(folded);
            }
        }
        for (name, before) in kept {
            if !name.starts_with('#') {
                let taken = *name == *running::NAME || *name == *admission::BANS || self.restore_pair(&name);
                if !taken {
                    self.merge_absence(&name, &before);
                }
            } else if !before.is_empty()
                && (name_of(&before).is_none() || is_other(&before, UnixMillis::default()))
            {
                self.forgotten.push((&*name).into());
            } else {
                self.unwritten.push(((&*name).into(), None));
            }
        }
    }

    /// What is kept of rooms now, by folded names.
    pub(crate) fn kept_rooms(&self) -> Vec<(Box<str>, Box<[u8]>)> {
        let kept = |(_, room): (RoomId, &Room)| Some((Box::from(&*room.folded), encode(room)?));
        let rooms = self.rooms.from(0).filter_map(kept);
        let hours = (running::NAME.into(), self.ran().to_string().into_bytes().into());
        let own = self.kept_absences().into_iter().chain(self.kept_pairs());
        rooms.chain(own).chain([hours]).chain(self.kept_bans()).collect()
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
        let ran = self.ran();
        let Some(room) = self.rooms.get(id).filter(|room| !room.permanent && room.seats().is_empty()) else {
            return;
        };
        let kept = room.holders.iter().filter(|holder| self.counts(holder)).cloned().collect();
        let Some(room) = self.rooms.get_mut(id) else { return };
        (room.holders, room.left) = (kept, ran);
        // Without a disk a room lasts as long as somebody is in it, as on any IRC server.
        let kept = encode(room).is_some();
        if self.settings.durable && kept {
            return self.changed(id);
        }
        self.end(id);
    }

    /// Ends the rooms that nobody came into for [`KEPT_FOR`] hours.
    pub(super) fn end_rooms_left(&mut self, ran: u32) {
        let over = |room: &Room| !room.is_alive() && ran.saturating_sub(room.left) >= KEPT_FOR;
        let gone: Vec<RoomId> = self.rooms.from(0).filter(|(_, room)| over(room)).map(|(id, _)| id).collect();
        gone.into_iter().for_each(|id| self.end(id));
    }

    fn end(&mut self, id: RoomId) {
        let Some(room) = self.rooms.get(id) else { return };
        let (folded, shut) = (room.folded.clone(), room.is_locked());
        self.rooms.end(id);
        if shut || !self.settings.durable {
            // Its key or its ban list ends with it: whoever makes the next room of this name must not
            // read what was said in this one.
            self.written.remove(&folded);
            self.forgotten.push(folded);
        } else {
            self.write_room(folded, None);
        }
    }

    /// Rooms that ended since the last call, and whose lines nobody may read.
    pub(crate) fn take_forgotten(&mut self) -> Vec<Arc<str>> {
        std::mem::take(&mut self.forgotten)
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
        room.list_mut('b').unwrap().push(entry.clone());
        room.list_mut('I').unwrap().push(entry);
        room.holders.push(Holder { owner: Owner::Token(Token::MAX), rank: Rank::VOICE, at: 11 });
        let owner = Owner::Account(Folded::new("Zoë"), UnixMillis(8));
        room.holders.push(Holder { owner, rank: Rank::OPERATOR, at: 99 });
        std::mem::replace(room, Rooms::default().made())
    }

    #[test]
    fn what_is_written_is_read_again() {
        let room = room();
        let state = encode(&room).unwrap();
        assert_eq!(name_of(&state), Some(room.name.clone()));
        let mut read = Rooms::default().made();
        assert_eq!(decode(&state, 99, &mut read), Some(None));
        read.name = room.name.clone();
        read.folded = room.folded.clone();
        assert_eq!(encode(&read), Some(state));
    }

    /// As earlier builds wrote it.
    #[test]
    fn the_first_version_is_read() {
        let mut state = vec![FIRST_VERSION];
        let holder = ["holder", "000000000000000000000000000000ff", "2", "1700000000000"];
        let words = ["#Größe", "5", "int", "sesame", "0", "topic", "x", "bob", "7", "b", "a!*@*", "bob", "9"];
        words.iter().chain(&holder).for_each(|word| put(&mut state, &[word]));
        let mut read = Rooms::default().made();
        assert_eq!(decode(&state, 40, &mut read), Some(None));
        assert_eq!((read.key.as_deref(), read.left, read.list('b').len()), (Some("sesame"), 40, 1));
        // It was used now, as far as anybody knows.
        assert!(read.holders[0].at == 40 && read.flags.invite_only && read.topic.is_some());
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
            decode(&state[..cut], 0, &mut Rooms::default().made());
        }
        assert!(decode(b"\x07", 0, &mut Rooms::default().made()).is_none());
    }
}
