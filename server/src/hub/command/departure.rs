//! Leaving for good: QUIT, lost connections, the end of the server.

use crate::hub::delivery::event::What;
use crate::hub::delivery::queue::Order;
use crate::hub::state::whowas::Departed;
use crate::hub::{ConnectionId, Hub, Speaker};
use crate::protocol::Nick;
use crate::protocol::line::MAX_BODY;
use crate::protocol::text::printable;

impl Hub {
    pub(crate) fn quit(&mut self, id: ConnectionId, reason: Option<&str>) {
        let Some(member) = self.member(id) else { return };
        let mut text = format!("Quit: {}", reason.unwrap_or_default());
        if reason.is_none() {
            text = "Quit".into();
        } else if member.prefix().len() + text.len() > MAX_BODY - 10 {
            self.too_long(id);
            text = "Quit".into();
        }
        self.closing_line(id, "Quit");
        self.depart(id, &text, "quit");
    }

    /// The connection ended or has to end, for a reason the server knows.
    pub(crate) fn lost(&mut self, id: ConnectionId, reason: &str) {
        self.closing_line(id, reason);
        if !self.linger(id, reason) {
            self.depart(id, reason, reason);
        }
    }

    /// What a peer is told last, in its own way.
    pub(crate) fn closing_line(&mut self, id: ConnectionId, reason: &str) {
        self.delivery.end_label(id);
        self.go_on(id);
        let line = match self.member(id).map(|member| member.speaker) {
            None => return,
            Some(Speaker::Raw(_)) => {
                let event = self.server_event(What::Announcement { target: "*", text: reason });
                return self.tell(id, &event);
            }
            Some(Speaker::Plain) => format!("-!- Closing link: {}\n", printable(reason)),
            Some(_) => format!("ERROR :Closing link: {reason}\r\n"),
        };
        self.delivery.send(id, line.into_bytes().into(), Order::News);
    }

    /// Takes a connection out of everything. `reason` is for people, `logged` for the log.
    pub(crate) fn depart(&mut self, id: ConnectionId, reason: &str, logged: &str) {
        let Some(member) = self.member(id) else { return };
        let (name, peer) = (member.name().to_owned(), member.peer);
        if member.registered() {
            let event = self.event(id, What::Quit { reason });
            self.tell_neighbours(id, &event, |_| true);
            self.record_everywhere(id, &event);
            self.narrate("", &event);
            self.remember(id);
            self.leave_everything(id);
            self.log(format!("left: {name} from {peer} ({logged})"));
        } else {
            self.log(format!("refused: {peer} ({logged})"));
        }
        if let Some(folded) = self.member(id).and_then(|m| m.nick.as_ref()).map(Nick::fold) {
            self.nicks.remove(&folded);
            if name != "*" && self.member(id).is_some_and(|m| m.registered()) {
                self.watched_left(&folded, &name);
            }
        }
        if let Some(token) = self.member(id).map(|member| member.token) {
            self.tokens.remove(&token);
        }
        self.forget(id);
    }

    fn leave_everything(&mut self, id: ConnectionId) {
        let Some(member) = self.member_mut(id) else { return };
        let rooms = std::mem::take(&mut member.rooms);
        let watched = std::mem::take(&mut member.watched);
        let (invisible, operator, token) = (member.invisible, member.operator, member.token);
        for place in rooms {
            // Its rank waits for it from now on, not from when it was given.
            self.hold_rank_of(token, place);
            if let Some(room) = self.rooms.get_mut(place.room) {
                room.leave(place.number);
            }
            self.end_if_empty(place.room);
        }
        self.unwatch(id, watched);
        self.population.registered -= 1;
        self.population.invisible -= usize::from(invisible);
        self.population.operators -= usize::from(operator);
    }

    /// Keeps a name that is given up for WHOWAS.
    pub(crate) fn remember(&mut self, id: ConnectionId) {
        let now = self.now.wall;
        let Some(member) = self.member(id) else { return };
        let Some(nick) = &member.nick else { return };
        let departed = Departed {
            folded: nick.fold(),
            nick: nick.to_string(),
            user: member.username.to_string(),
            host: member.host().to_string(),
            realname: member.realname.to_string(),
            at: now,
        };
        self.whowas.push(departed);
    }

    /// The server ends: everybody is told, and closed.
    pub(crate) fn stop(&mut self) {
        self.stopping = true;
        for slot in 0..self.slots.len() {
            let id = ConnectionId { slot: slot as u32, generation: self.slots[slot].generation };
            if let Some(member) = self.member(id) {
                let (token, places) = (member.token, member.rooms.clone());
                places.into_iter().for_each(|place| self.hold_rank_of(token, place));
                self.closing_line(id, "The server is stopping");
                self.forget(id);
            }
        }
    }
}
