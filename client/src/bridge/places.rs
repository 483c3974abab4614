//! The places where we are or want to be: a session each.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::vec;

use async_channel::Sender;
use parlor_ui::Lock;
use smol::Task;

use crate::keeper::Claim;
use crate::limits::OPEN_KEPT;
use crate::net::Connection;
use crate::notify::RoomNotify;
use crate::place::{Identity, PlaceId};
use crate::secrets::Given;
use crate::session::{Event, HostPort, Key, ListedRoom, Multiline, Naming, Open, Refusal, Status, Tools};
use crate::trust::KeyId;

/// How far we have come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    /// Not welcomed yet.
    Calling,
    /// Welcomed, and the card waits; but the first room has neither let us in nor refused.
    Waiting,
    /// Its rooms are in the list, and the card does not wait for it.
    Inside,
}

/// A place with its session.
pub(super) struct OpenPlace {
    pub(super) id: PlaceId,
    pub(super) connection: Connection,
    /// The person waits for what comes next.
    pub(super) hurry: Sender<()>,
    /// The name that we want there.
    pub(super) name: String,
    /// The room that was asked for; empty: none.
    pub(super) room: String,
    /// What of it was on the screen last.
    pub(super) last: Option<Key>,
    /// What the desktop is told of conversations, where that is not as usual: by key.
    pub(super) notify: BTreeMap<String, RoomNotify>,
    /// Why it is not open, where the card can put that right.
    pub(super) refusal: Option<Refusal>,
    /// What is kept is theirs.
    pub(super) whose: Identity,
    /// Of several servers that which is called, or connected.
    pub(super) server: Option<HostPort>,
    /// The key of the one that is connected, or was last, if it is known by that.
    pub(super) key: Option<KeyId>,
    /// By which its servers are known, as far as they are.
    pub(super) keys: Vec<KeyId>,
    /// What shows there who we are, as far as the person has given it.
    pub(super) given: Given,
    /// To keep what is ours there; without: nothing is kept.
    pub(super) claim: Option<Claim>,
    /// What was open at the last start and is not open yet.
    pub(super) back: Vec<Open>,
    pub(super) entry: Entry,
    pub(super) me: String,
    pub(super) away: bool,
    pub(super) status: Option<Status>,
    /// This computer's address on the way there.
    pub(super) own: Option<IpAddr>,
    /// The server is on this computer.
    pub(super) here: bool,
    /// Whether others can read on the way what is said; not asked on the way to this computer itself.
    pub(super) lock: Lock,
    pub(super) naming: Naming,
    /// As [`Event::LineRoom`] says.
    pub(super) line_room: usize,
    /// The same.
    pub(super) multiline: Option<Multiline>,
    /// Lines can be reacted to there, and be taken back.
    pub(super) reacts: bool,
    pub(super) deletes: bool,
    /// What the host of a room can do there.
    pub(super) tools: Tools,
    /// The server's rooms, as it last listed them.
    pub(super) listed: Vec<ListedRoom>,
    /// Events that wait for their turn.
    pub(super) batch: vec::IntoIter<Event>,
    /// Takes the session's events; ends with the place.
    pub(super) _pump: Task<()>,
    /// Waits for the first room, while it may still answer.
    pub(super) patience: Option<Task<()>>,
}

impl OpenPlace {
    /// The address that is called, or connected, as one types it.
    pub(super) fn address(&self) -> String {
        self.server.as_ref().map_or_else(|| self.id.address(), HostPort::to_string)
    }

    /// All keys that are known there, for a bookmark.
    pub(super) fn keys_in_files(&self) -> String {
        self.keys.iter().map(KeyId::to_string).collect::<Vec<_>>().join(",")
    }

    /// What is known of a conversation that is open again.
    pub(super) fn back(&mut self, key: &Key) -> Option<Open> {
        let at = self.back.iter().position(|open| Key::new(&open.name) == *key)?;
        Some(self.back.remove(at))
    }

    /// What the desktop is told of a conversation from now on; of more than [`OPEN_KEPT`] as usual.
    pub(super) fn set_notify(&mut self, key: &Key, notify: RoomNotify) {
        self.notify.remove(key.as_str());
        if notify != RoomNotify::Usual && self.notify.len() < OPEN_KEPT {
            self.notify.insert(key.to_string(), notify);
        }
    }
}

/// All open places, in the order of joining: as many as the person has opened.
#[derive(Default)]
pub(super) struct Places(Vec<OpenPlace>);

impl Places {
    pub(super) fn iter(&self) -> impl Iterator<Item = &OpenPlace> {
        self.0.iter()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn get(&self, id: &PlaceId) -> Option<&OpenPlace> {
        self.0.iter().find(|place| place.id == *id)
    }

    pub(super) fn get_mut(&mut self, id: &PlaceId) -> Option<&mut OpenPlace> {
        self.0.iter_mut().find(|place| place.id == *id)
    }

    pub(super) fn first(&self) -> Option<&OpenPlace> {
        self.0.first()
    }

    pub(super) fn add(&mut self, place: OpenPlace) {
        self.0.push(place);
    }

    pub(super) fn remove(&mut self, id: &PlaceId) -> Option<OpenPlace> {
        let at = self.0.iter().position(|place| place.id == *id)?;
        Some(self.0.remove(at))
    }
}
