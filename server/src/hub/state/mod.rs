//! What the hub knows: who is here, which rooms there are, who may do what. Data and rules; nothing
//! here sends a line.

mod absences;
pub(crate) mod accounts;
pub(crate) mod admission;
pub(crate) mod circle;
pub(crate) mod cluster;
pub(crate) mod draft;
pub(crate) mod guest;
pub(crate) mod limits;
pub(crate) mod member;
pub(crate) mod member_record;
pub(crate) mod modes;
pub(crate) mod nicks;
pub(crate) mod pace;
mod places;
pub(crate) mod private;
pub(crate) mod refusal;
mod reserved;
pub(crate) mod room;
pub(crate) mod room_record;
mod running;
pub(crate) mod sasl;
pub(crate) mod settings;
mod snapshot;
pub(crate) mod stamp;
pub(crate) mod timers;
pub(crate) mod token;
pub(crate) mod waiting;
pub(crate) mod whowas;
pub(crate) mod words;

use std::collections::{HashMap, HashSet};
use std::num::NonZeroU128;
use std::sync::Arc;

use crate::protocol::Folded;
use crate::protocol::sorted::sorted;
use crate::protocol::time::{Moment, UnixMillis};

use absences::Absences;
use accounts::Book;
use admission::Admission;
use cluster::Cluster;
use member::{Member, Slot, Source};
use private::Private;
use room::{RoomId, Rooms};
use running::Running;
use settings::Settings;
use stamp::Stamps;
use timers::Timers;
use whowas::Whowas;

/// The name under which the server itself speaks to plain members.
pub(crate) const SERVER: &str = "server";

/// One connection, for as long as the server runs: a place in a table and how often that
/// place was taken before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId {
    /// The place in the table.
    pub slot: u32,
    /// Tells this connection from earlier ones in the same place.
    pub generation: u32,
}

/// What a connection comes back with (`parlor/resume`): 128 random bits.
pub type Token = NonZeroU128;

/// What is to be written of a room: its folded name, and what it is now, or nothing; or of somebody
/// who [was here](absences).
pub(crate) type Unwritten = (Arc<str>, Option<Box<[u8]>>);

/// See the [module](self).
pub(crate) struct State {
    pub(crate) settings: Settings,
    pub(crate) started: UnixMillis,
    /// The time of the input in hand.
    pub(crate) now: Moment,
    /// By [`ConnectionId::slot`]; as many as were ever connected at a time.
    pub(crate) slots: Vec<Slot>,
    pub(crate) nicks: HashMap<Folded, ConnectionId>,
    pub(crate) rooms: Rooms,
    pub(crate) watchers: HashMap<Folded, Vec<ConnectionId>>,
    pub(crate) whowas: Whowas,
    absences: Absences,
    private: Private,
    pub(crate) accounts: Book,
    pub(crate) admission: Admission,
    pub(crate) timers: Timers,
    pub(crate) stamps: Stamps,
    pub(crate) population: Population,
    /// Members that were admitted since the start.
    stays: u64,
    /// Who comes back with which token.
    pub(crate) tokens: HashMap<Token, ConnectionId>,
    /// Rooms that are written down, and those that are to be.
    written: HashSet<Arc<str>>,
    changed_rooms: Vec<RoomId>,
    /// Who lost a name that was chosen, see [`take_displaced`](State::take_displaced).
    displaced: Vec<ConnectionId>,
    /// What is to be written of rooms, and of who was in them.
    unwritten: Vec<Unwritten>,
    /// Rooms that ended, and whose lines nobody may read any more.
    forgotten: Vec<Arc<str>>,
    running: Running,
    pub(crate) stopping: bool,
    /// The other servers; `None`: there are none.
    pub(crate) cluster: Option<Box<Cluster>>,
}

/// How many are here, counted as they come and go.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Population {
    pub(crate) registered: usize,
    pub(crate) registered_peak: usize,
    pub(crate) invisible: usize,
    pub(crate) operators: usize,
}

impl State {
    /// The default room, and nobody in it.
    pub(crate) fn new(settings: Settings, now: Moment) -> State {
        let mut rooms = Rooms::default();
        rooms.create(settings.default_room.clone(), now.wall, true);
        State {
            stamps: Stamps::new(settings.boot, settings.cluster.is_some()),
            cluster: settings.cluster.map(|server| Box::new(Cluster::new(server))),
            admission: Admission::new(settings.max_clients, settings.max_clients_per_ip),
            settings,
            started: now.wall,
            now,
            slots: Vec::new(),
            nicks: HashMap::new(),
            rooms,
            watchers: HashMap::new(),
            whowas: Whowas::default(),
            absences: Absences::default(),
            private: Private::default(),
            accounts: Book::default(),
            timers: Timers::default(),
            population: Population::default(),
            stays: 0,
            tokens: HashMap::new(),
            written: HashSet::new(),
            changed_rooms: Vec::new(),
            displaced: Vec::new(),
            unwritten: Vec::new(),
            forgotten: Vec::new(),
            running: Running::default(),
            stopping: false,
        }
    }

    /// The member at `id`, if that connection is still here.
    pub(crate) fn member(&self, id: ConnectionId) -> Option<&Member> {
        let slot = match &self.cluster {
            Some(cluster) if id.is_remote() => cluster.slot(id)?,
            _ => self.slots.get(id.slot as usize)?,
        };
        slot.member.as_deref().filter(|_| slot.generation == id.generation)
    }

    pub(crate) fn member_mut(&mut self, id: ConnectionId) -> Option<&mut Member> {
        let slot = match &mut self.cluster {
            Some(cluster) if id.is_remote() => cluster.slot_mut(id)?,
            _ => self.slots.get_mut(id.slot as usize)?,
        };
        slot.member.as_deref_mut().filter(|_| slot.generation == id.generation)
    }

    /// The registered member who has this name.
    pub(crate) fn find(&self, nick: &str) -> Option<ConnectionId> {
        let id = *self.nicks.get(&Folded::new(nick))?;
        self.member(id).filter(|member| member.registered()).map(|_| id)
    }

    /// The name of the member at `id`, or `*` before it has one.
    pub(crate) fn nick_of(&self, id: ConnectionId) -> &str {
        self.member(id).and_then(|member| member.nick.as_ref()).map_or("*", |nick| nick.as_str())
    }

    /// Every place, those of other servers' members behind the connections.
    pub(crate) fn places(&self) -> impl Iterator<Item = (ConnectionId, &Member)> {
        let remote = self.cluster.iter().flat_map(|cluster| cluster.slots());
        (0..).zip(&self.slots).chain(remote).filter_map(|(slot, entry)| {
            let id = ConnectionId { slot, generation: entry.generation };
            Some((id, entry.member.as_deref()?))
        })
    }

    /// Every connection of this server, registered or not, lowest place first.
    pub(crate) fn connections(&self) -> Vec<ConnectionId> {
        self.places().map(|(id, _)| id).filter(|id| !id.is_remote()).collect()
    }

    /// Everybody of whom this holds, registered or not, in an order that is the same on all servers.
    pub(crate) fn all_who(&self, holds: impl Fn(ConnectionId, &Member) -> bool) -> Vec<ConnectionId> {
        let found = self.places().filter(|(id, member)| holds(*id, member));
        let all = sorted(found.map(|(id, _)| (self.origin(id), id)));
        all.into_iter().map(|(_, id)| id).collect()
    }

    /// Everyone who is here, lowest place first.
    pub(crate) fn everyone(&self) -> impl Iterator<Item = (ConnectionId, &Member)> {
        self.places().filter(|(_, member)| member.registered())
    }

    /// The rooms that somebody is in, in the order of joining.
    pub(crate) fn rooms_of(&self, id: ConnectionId) -> Vec<RoomId> {
        self.member(id).map_or_else(Vec::new, |member| member.rooms.iter().map(|place| place.room).collect())
    }

    /// The member at `id` as the source of an event.
    pub(crate) fn source(&self, id: ConnectionId) -> Source {
        match self.member(id) {
            Some(member) => Source {
                nick: member.name().into(),
                prefix: member.prefix(),
                account: member.account.clone(),
                author: member.author().clone(),
                bot: member.bot,
            },
            None => self.server_source(),
        }
    }

    /// The server as the source of an event.
    pub(crate) fn server_source(&self) -> Source {
        Source {
            nick: SERVER.into(),
            prefix: self.settings.name.clone(),
            account: None,
            author: Arc::default(),
            bot: false,
        }
    }
}
