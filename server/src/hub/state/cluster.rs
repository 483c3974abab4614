//! Several servers with one order: who is on which of them, and what time it is for all.
//!
//! Members of the other servers are members here, in places of their own: they sit in rooms and have names, but nothing
//! is sent to them from here. What decides about others is decided when its entry of the shared log has its turn, on
//! every server alike; its time and its message ids come from the log.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use crate::hub::state::member::{Member, Slot};
use crate::hub::state::{ConnectionId, State};
use crate::protocol::time::{Moment, UnixMillis};
use crate::protocol::{MsgId, Position};

/// Places from here on are those of members of other servers.
const REMOTE: u32 = 1 << 31;
/// Ids from here on within a millisecond are given out beside the shared order, a stretch of them by each server.
const BESIDE: u16 = 1 << 15;
/// Ids of a stretch.
const STRETCH: u16 = 1 << 10;
/// Entries after which all servers look what they know, and write that down.
const MILESTONE: u64 = 10_000;
/// Bytes of entries after which they do, too.
const MILESTONE_BYTES: usize = 2 << 20;
/// Milestones that are remembered: what another one says of them comes soon.
const MILESTONES: usize = 8;
/// How long after the last hour the next one is over.
const HOUR: Duration = Duration::from_secs(3600);

/// A connection of any of the servers: the same for all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Origin {
    pub(crate) server: u32,
    pub(crate) slot: u32,
    pub(crate) generation: u32,
}

/// See the [module](self).
#[derive(Debug, Default)]
pub(crate) struct Cluster {
    /// This server's number.
    pub(crate) server: u32,
    /// Whose entry is in hand: that server's.
    turn: Option<u32>,
    /// The last entry that had its turn.
    pub(crate) position: Position,
    /// How many have had it, and their bytes since the last milestone.
    pub(crate) entries: u64,
    bytes: usize,
    /// What the state was at the last milestones, see [`Milestone`].
    milestones: VecDeque<Milestone>,
    /// The last place at which servers have compared theirs.
    compared: Position,
    /// The time of the last entry, and when it had its turn by this computer's clock.
    last: Option<(UnixMillis, Duration)>,
    /// The last id that was given out beside the order.
    beside: MsgId,
    pub(crate) hour_at: Duration,
    /// By place; as many as there ever were at a time.
    slots: Vec<(Origin, Slot)>,
    free: Vec<u32>,
    places: HashMap<Origin, ConnectionId>,
}

/// A place in the log at which all servers look what they know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Milestone {
    pub(crate) at: Position,
    /// Stands for everything that they share.
    pub(crate) digest: u64,
}

impl ConnectionId {
    /// Whether it is one of another server.
    pub(crate) fn is_remote(self) -> bool {
        self.slot >= REMOTE
    }
}

impl Cluster {
    pub(crate) fn new(server: u32) -> Cluster {
        Cluster { server, hour_at: HOUR, ..Cluster::default() }
    }

    pub(super) fn slot(&self, id: ConnectionId) -> Option<&Slot> {
        self.slots.get((id.slot - REMOTE) as usize).map(|(_, slot)| slot)
    }

    pub(super) fn slot_mut(&mut self, id: ConnectionId) -> Option<&mut Slot> {
        self.slots.get_mut((id.slot - REMOTE) as usize).map(|(_, slot)| slot)
    }

    /// All remote members, lowest place first.
    pub(super) fn slots(&self) -> impl Iterator<Item = (u32, &Slot)> {
        (REMOTE..).zip(self.slots.iter().map(|(_, slot)| slot))
    }

    /// The place of a member who has gone is free.
    pub(super) fn vacate(&mut self, id: ConnectionId) {
        let at = id.slot - REMOTE;
        if let Some((origin, _)) = self.slots.get(at as usize) {
            self.places.remove(origin);
            self.free.push(at);
        }
    }
}

impl State {
    /// Whether what is to change for others changes now: this server is alone, or an entry of the log has its turn.
    pub(crate) fn decides(&self) -> bool {
        self.cluster.as_ref().is_none_or(|cluster| cluster.turn.is_some())
    }

    /// Whether the entry in hand is another server's: that one writes the log and answers.
    pub(crate) fn is_foreign(&self) -> bool {
        self.cluster.as_ref().is_some_and(|cluster| cluster.turn.is_some_and(|turn| turn != cluster.server))
    }

    /// Whether this is the number of this server.
    pub(crate) fn is_this_server(&self, server: u32) -> bool {
        self.cluster.as_ref().is_some_and(|cluster| cluster.server == server)
    }

    /// The time that decides about others. Alone it is that of this computer, which never leaps; else the log's.
    pub(crate) fn clock(&self) -> Duration {
        match self.cluster {
            Some(_) => Duration::from_millis(self.now.wall.0),
            None => self.now.elapsed,
        }
    }

    /// The time of an input that is no entry of the log: with other servers, as it goes on from the last entry.
    pub(crate) fn set_time(&mut self, now: Moment) {
        self.now = now;
        if let Some((wall, at)) = self.cluster.as_ref().and_then(|cluster| cluster.last) {
            self.now.wall = UnixMillis(wall.0 + now.elapsed.saturating_sub(at).as_millis() as u64);
        }
    }

    /// An entry of a server has its turn.
    pub(crate) fn begin_turn(&mut self, server: u32, at: Position) {
        let now = UnixMillis(at.millis);
        self.now.wall = now;
        let elapsed = self.now.elapsed;
        if let Some(cluster) = &mut self.cluster {
            (cluster.turn, cluster.position, cluster.last) = (Some(server), at, Some((now, elapsed)));
            cluster.entries += 1;
        }
    }

    /// It has had its turn; whether all servers look now what they know. `bytes`: of the entry.
    pub(crate) fn end_turn(&mut self, bytes: usize) -> bool {
        let Some(cluster) = &mut self.cluster else { return false };
        cluster.turn = None;
        cluster.bytes += bytes;
        let milestone = cluster.entries.is_multiple_of(MILESTONE) || cluster.bytes >= MILESTONE_BYTES;
        if milestone {
            cluster.bytes = 0;
        }
        milestone
    }

    /// What the state is at a milestone.
    pub(crate) fn note_milestone(&mut self, milestone: Milestone) {
        if let Some(cluster) = &mut self.cluster {
            if cluster.milestones.len() >= MILESTONES {
                cluster.milestones.pop_front();
            }
            cluster.milestones.push_back(milestone);
        }
    }

    /// What it is by the first server that says so; whether here it is something else.
    pub(crate) fn differs(&mut self, said: Milestone) -> bool {
        let Some(cluster) = &mut self.cluster else { return false };
        if said.at <= cluster.compared {
            return false;
        }
        cluster.compared = said.at;
        cluster.milestones.iter().any(|own| own.at == said.at && own.digest != said.digest)
    }

    /// The next message id: of the order, or beside it what concerns one member alone.
    pub(crate) fn next_id(&mut self) -> MsgId {
        if self.decides() { self.stamps.next(self.now.wall) } else { self.next_id_beside() }
    }

    /// A message id of what one member alone is told, even while an entry has its turn.
    pub(crate) fn next_id_beside(&mut self) -> MsgId {
        let (last, now) = (self.stamps.last(), self.now.wall);
        let Some(cluster) = &mut self.cluster else { return self.stamps.next(now) };
        let first = BESIDE + (cluster.server % 32) as u16 * STRETCH;
        let millis = now.0.max(last.millis).max(cluster.beside.millis);
        let at = MsgId { boot: last.boot, millis, count: first };
        let next = cluster.beside.after();
        let stretch = first..=first + (STRETCH - 1);
        cluster.beside = match next.millis == millis && stretch.contains(&next.count) {
            true => MsgId { boot: last.boot, ..next },
            false if cluster.beside < at => at,
            false => MsgId { millis: millis + 1, ..at },
        };
        cluster.beside
    }

    /// What all servers call a connection.
    pub(crate) fn origin(&self, id: ConnectionId) -> Origin {
        let own = Origin { server: 0, slot: id.slot, generation: id.generation };
        match &self.cluster {
            None => own,
            Some(cluster) if !id.is_remote() => Origin { server: cluster.server, ..own },
            Some(cluster) => {
                cluster.slots.get((id.slot - REMOTE) as usize).map_or(own, |(origin, _)| *origin)
            }
        }
    }

    /// The connection that all servers call so, if it is here or its member is known.
    pub(crate) fn at_origin(&self, origin: Origin) -> Option<ConnectionId> {
        let cluster = self.cluster.as_ref()?;
        if origin.server == cluster.server {
            let id = ConnectionId { slot: origin.slot, generation: origin.generation };
            return self.member(id).map(|_| id);
        }
        cluster.places.get(&origin).copied()
    }

    /// Gives a member of another server its place.
    pub(crate) fn add_remote(&mut self, origin: Origin, member: Member) -> Option<ConnectionId> {
        let cluster = self.cluster.as_mut()?;
        let slot = |generation| Slot { generation, member: None };
        let at = cluster.free.pop().unwrap_or_else(|| {
            cluster.slots.push((origin, slot(0)));
            cluster.slots.len() as u32 - 1
        });
        let (known, place) = cluster.slots.get_mut(at as usize)?;
        let generation = place.generation.wrapping_add(1);
        (*known, *place) = (origin, Slot { member: Some(Box::new(member)), ..slot(generation) });
        let id = ConnectionId { slot: REMOTE + at, generation };
        cluster.places.insert(origin, id);
        Some(id)
    }

    /// The servers that members are on, without this one.
    pub(crate) fn servers(&self) -> Vec<u32> {
        let mut servers = Vec::new();
        for id in self.everyone().map(|(id, _)| id).filter(|id| id.is_remote()) {
            let server = self.origin(id).server;
            if !servers.contains(&server) {
                servers.push(server);
            }
        }
        servers
    }

    /// The members of a server of the cluster, in the order of their places there.
    pub(crate) fn members_of(&self, server: u32) -> Vec<ConnectionId> {
        self.all_who(|id, member| member.registered() && self.origin(id).server == server)
    }

    /// When the next hour is over, where an entry of the log says so.
    pub(crate) fn next_shared_hour(&self) -> Option<Duration> {
        self.cluster.as_ref().map(|cluster| cluster.hour_at)
    }

    /// The next hour begins now.
    pub(crate) fn begin_hour(&mut self) {
        let at = self.now.elapsed + HOUR;
        self.cluster.iter_mut().for_each(|cluster| cluster.hour_at = at);
    }
}
