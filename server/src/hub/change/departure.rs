//! Leaving for good: QUIT, lost connections, the end of the server.

use crate::hub::Hub;
use crate::hub::delivery::event::What;
use crate::hub::delivery::output::Output;
use crate::hub::delivery::queue::Order;
use crate::hub::state::ConnectionId;
use crate::hub::state::member::{Member, Speaker};
use crate::hub::state::waiting::End;
use crate::protocol::text::printable;

/// What others are told of somebody who hung up.
pub(super) const CLOSED: &str = "Connection closed";

impl Hub {
    /// The connection has ended behind all that its peer had said, of which some may wait: that comes first.
    pub(crate) fn ended(&mut self, id: ConnectionId, end: End) {
        match end {
            _ if self.state.ends_later(id, end) => {}
            End::HungUp => self.hung_up(id),
            End::Broken => self.failed(id, "Connection lost"),
        }
    }

    /// The peer has closed its side, and reads no last line.
    fn hung_up(&mut self, id: ConnectionId) {
        self.state.reads_on(id);
        if !self.linger(id, CLOSED) {
            self.leaves(id, CLOSED, CLOSED);
        }
    }

    /// The connection broke or has to end: what was sent to it may wait unread.
    pub(crate) fn failed(&mut self, id: ConnectionId, reason: &str) {
        if let Some(member) = self.state.member_mut(id) {
            member.read = None;
        }
        self.lost(id, reason);
    }

    /// The connection ended or has to end, for a reason the server knows.
    pub(crate) fn lost(&mut self, id: ConnectionId, reason: &str) {
        self.closing_line(id, reason);
        if !self.linger(id, reason) {
            self.leaves(id, reason, reason);
        }
    }

    /// What a peer is told last, in its own way.
    pub(crate) fn closing_line(&mut self, id: ConnectionId, reason: &str) {
        self.delivery.end_label(id);
        self.go_on(id);
        let line = match self.state.member(id).map(|member| member.speaker) {
            None => return,
            Some(Speaker::Raw(_)) => {
                let event = self.event_beside(None, What::Announcement { target: "*", text: reason });
                return self.tell(id, &event);
            }
            Some(Speaker::Plain) => format!("-!- Closing link: {}\n", printable(reason)),
            Some(_) => format!("ERROR :Closing link: {reason}\r\n"),
        };
        self.delivery.send(id, line.into_bytes().into(), Order::News);
    }

    /// Takes a connection out of everything. `reason` is for people, `logged` for the log.
    pub(crate) fn depart(&mut self, id: ConnectionId, reason: &str, logged: &str) {
        let Some(member) = self.state.member(id) else { return };
        let (peer, registered) = (member.peer, member.registered());
        if !registered && self.state.is_proposing(id) {
            // The other servers will take it for a member: it goes when it is one.
            return self.detach_for_good(id);
        }
        if registered {
            let event = self.event(id, What::Quit { reason });
            self.tell_neighbours(id, &event, |_| true);
            self.record_everywhere(id, &event);
            self.narrate("", &event);
            self.log_about(peer, format!("left: {} from {peer} ({logged})", event.from.nick));
        } else {
            self.log_about(peer, format!("refused: {peer} ({logged})"));
        }
        self.go_without_a_word(id);
    }

    /// Takes a connection out of everything; who is to hear of it has.
    pub(super) fn go_without_a_word(&mut self, id: ConnectionId) {
        let registered = self.state.member(id).is_some_and(Member::registered);
        if registered {
            self.state.remember(id);
            self.state.note_read(id);
            self.state.leave_everything(id);
        }
        let nick = self.state.free_names(id);
        if let (true, Some(nick)) = (registered, nick) {
            self.watched_left(&nick.fold(), nick.as_str());
        }
        self.forget(id);
    }

    /// Forgets a connection that is to be closed.
    fn forget(&mut self, id: ConnectionId) {
        if let Some(member) = self.state.close(id) {
            self.history.forget(member.peer.ip(), id);
            if !id.is_remote() {
                self.delivery.close(id);
                self.delivery.output(Output::Close { id });
            }
        }
    }

    /// The server ends: everybody is told, and closed.
    pub(crate) fn stop(&mut self) {
        self.state.stopping = true;
        self.close_all("The server is stopping");
    }

    /// Closes every connection with this reason.
    pub(crate) fn close_all(&mut self, reason: &str) {
        for id in self.state.connections() {
            self.state.reads_on(id);
            self.state.note_read(id);
            if let Some(member) = self.state.member(id) {
                let (owner, places) = (self.state.owner(id), member.rooms.clone());
                places.into_iter().for_each(|place| self.state.renew_holder(owner.as_ref(), place));
                self.closing_line(id, reason);
                self.forget(id);
            }
        }
    }
}
