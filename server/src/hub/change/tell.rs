//! Who hears of a change: rooms, neighbours, the one who made it, the operator's terminal.

use std::net::SocketAddr;

use crate::hub::Hub;
use crate::hub::delivery::event::{Event, What};
use crate::hub::delivery::output::Output;
use crate::hub::delivery::queue::Order;
use crate::hub::state::ConnectionId;
use crate::hub::state::room::{Rank, Room, RoomId, Seat};
use crate::protocol::{Capabilities, Capability};

/// Whom of a room an event is for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Audience {
    Everyone,
    /// All but the one who did it, who is told apart.
    Others(ConnectionId),
    /// As [`Others`](Audience::Others), from this rank on (STATUSMSG).
    Ranked(ConnectionId, Rank),
}

impl Hub {
    /// Sends an event to people in a room.
    pub(crate) fn tell_room(&mut self, room: RoomId, event: &Event<'_>, audience: Audience) {
        let Hub { state, delivery, .. } = self;
        let Some(seats) = state.rooms.get(room).map(Room::seats) else { return };
        match audience {
            Audience::Everyone => delivery.fan_out(Some(room), seats, event, |_, _| true),
            Audience::Others(by) => {
                delivery.fan_out(Some(room), seats, event, |seat, _| seat.member != by);
            }
            Audience::Ranked(by, rank) => {
                delivery.fan_out(None, seats, event, |seat, _| seat.member != by && seat.rank >= rank);
            }
        }
    }

    /// Somebody does something in a room: tells everyone else in it, the history and the
    /// operator's terminal.
    pub(crate) fn happens(&mut self, by: ConnectionId, room: RoomId, name: &str, event: &Event<'_>) {
        self.tell_room(room, event, Audience::Others(by));
        self.record(room, event, None);
        self.narrate(name, event);
    }

    /// Sends an event once to everyone who shares a room with `id`, but not to `id`.
    pub(crate) fn tell_neighbours(
        &mut self,
        id: ConnectionId,
        event: &Event<'_>,
        wants: impl Fn(Capabilities) -> bool,
    ) {
        let of = self.state.rooms_of(id);
        let Hub { state, delivery, .. } = self;
        let rooms = of.iter().filter_map(|room| state.rooms.get(*room));
        delivery.fan_out_once(rooms.flat_map(Room::seats), event, id, |reader| wants(reader.caps));
    }

    /// Sends an event once to those who asked for its kind and share a room with `id`, or watch it
    /// (IRCv3 extended-monitor); not to `id`.
    pub(super) fn tell_acquaintances(&mut self, id: ConnectionId, event: &Event<'_>, wants: Capability) {
        self.tell_neighbours(id, event, |caps| caps.has(wants));
        let Some(folded) = self.state.member(id).and_then(|member| Some(member.nick.as_ref()?.fold())) else {
            return;
        };
        for watcher in self.state.watchers.get(&folded).cloned().unwrap_or_default() {
            let watches = self.state.member(watcher).is_some_and(|member| {
                member.has(Capability::ExtendedMonitor) && member.has(wants) && watcher != id
            });
            if watches && !self.delivery.was_told(watcher) {
                self.tell(watcher, event);
            }
        }
    }

    /// Sends an event to some of the people in a room.
    pub(crate) fn fan_out(
        &mut self,
        room: RoomId,
        event: &Event<'_>,
        to: impl Fn(&Seat, Capabilities) -> bool,
    ) {
        let Hub { state, delivery, .. } = self;
        if let Some(room) = state.rooms.get(room) {
            delivery.fan_out(None, room.seats(), event, |seat, reader| to(seat, reader.caps));
        }
    }

    /// Sends an event to one connection.
    pub(crate) fn tell(&mut self, to: ConnectionId, event: &Event<'_>) {
        let Some(line) = event.line(self.delivery.form(to)) else { return };
        let order = match event.what {
            // Of a message to oneself only the echo carries the label (labeled-response).
            What::Message { .. } | What::Announcement { .. } => Order::News,
            _ => Order::Change,
        };
        self.delivery.send(to, line, order);
    }

    /// A line of the log; about what comes from another server, that one writes it.
    pub(crate) fn log(&mut self, text: String) {
        if self.state.is_foreign() {
            return;
        }
        self.delivery.output(Output::Log { about: None, text });
    }

    /// A line of the log about what somebody at this address did.
    pub(crate) fn log_about(&mut self, peer: SocketAddr, text: String) {
        if self.state.is_foreign() {
            return;
        }
        self.delivery.output(Output::Log { about: Some(peer.ip()), text });
    }

    /// Shows the operator what happens in a room (or, without one, to a person), where there is
    /// a terminal to show it on.
    pub(crate) fn narrate(&mut self, room: &str, event: &Event<'_>) {
        if self.state.settings.narrate {
            let space = if room.is_empty() { "" } else { " " };
            for text in event.narration() {
                self.delivery.output(Output::Console(format!("{room}{space}{text}")));
            }
        }
    }
}
