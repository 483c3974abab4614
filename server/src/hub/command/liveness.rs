//! Who is still there: registration in time, PING and its answer.

use std::time::Duration;

use crate::hub::Hub;
use crate::hub::command::Done;
use crate::hub::delivery::queue::Order;
use crate::hub::state::ConnectionId;
use crate::hub::state::limits::SILENT;
use crate::hub::state::member::Speaker;
use crate::hub::state::refusal::too_long;
use crate::protocol::Message;
use crate::protocol::Numeric::ERR_NOORIGIN;
use crate::protocol::line::MAX_BODY;

/// The longest time that a PONG waits for the store behind long replies, from what was read last:
/// programs give a server up that is silent.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);

/// Behind long replies that are under way, for a while: a client takes the PONG for their end.
pub(super) fn ping(hub: &mut Hub, id: ConnectionId, message: &Message<'_>) -> Done {
    let token = message.params.first().ok_or((ERR_NOORIGIN, ":No origin specified".into()))?;
    let line = hub.server_line(format_args!("PONG {} :{token}", hub.state.settings.name));
    if line.len() > MAX_BODY {
        return Err(too_long());
    }
    hub.delivery.send(id, line, Order::End(hub.state.now.elapsed + PATIENCE));
    Ok(())
}

impl Hub {
    /// Any received byte is a sign of life.
    pub(crate) fn alive(&mut self, id: ConnectionId) {
        let (now, last) = (self.state.now.elapsed, self.state.stamps.last());
        let Some(member) = self.state.member_mut(id) else { return };
        (member.heard, member.pinged) = (now, None);
        if let Some(registration) = &mut member.registration
            && !std::mem::replace(&mut registration.begun, true)
        {
            member.spoke = now;
        }
        if member.read.replace(last).is_none() && !member.rooms.is_empty() {
            // Should the server crash, this much is known.
            self.state.note_read(id);
        }
    }

    /// Flood control makes a reader wait: the clocks stand still meanwhile.
    pub(crate) fn delayed(&mut self, id: ConnectionId, by: Duration) {
        self.alive(id);
        if let Some(member) = self.state.member_mut(id).filter(|member| !member.registered()) {
            member.spoke += by;
        }
    }

    /// Looks at those whose deadline has come.
    pub(crate) fn tick(&mut self) {
        let now = self.state.now.elapsed;
        for id in self.delivery.overdue(now) {
            self.go_on(id);
        }
        if self.state.next_hour().is_some_and(|at| now >= at) {
            if self.state.decides() { self.state.note_hours() } else { self.propose_hour() }
        }
        let (ping_after, pong_within) = (self.state.settings.ping_after, self.state.settings.pong_within);
        for id in self.state.timers.expired(now) {
            if self.tick_lingering(id) {
                continue;
            }
            if self.state.is_proposing(id) {
                // What it waits for is not its own fault.
                self.alive(id);
                self.delayed(id, ping_after);
                self.state.timers.arm(id, now + ping_after);
                continue;
            }
            let Some(member) = self.state.member(id) else { continue };
            let (heard, pinged) = (member.heard, member.pinged);
            if let Some(registration) = &member.registration {
                let soon = self.state.settings.registration;
                let limit = if registration.begun { soon } else { SILENT };
                let until = member.spoke + limit;
                if now >= until {
                    self.lost(id, &format!("No name was given within {} s", limit.as_secs()));
                } else {
                    self.state.timers.arm(id, until.min(now + soon));
                }
            } else if member.speaker != Speaker::Irc {
                // TCP keepalive looks after these.
            } else if self.delivery.is_held(id) {
                // Nothing is read of it: its answer could not be heard.
                self.alive(id);
                self.state.timers.arm(id, now + ping_after);
            } else if let Some(at) = pinged {
                if now >= at + pong_within {
                    let silent = (ping_after + pong_within).as_secs();
                    self.lost(id, &format!("Ping timeout: {silent} seconds"));
                } else {
                    self.state.timers.arm(id, at + pong_within);
                }
            } else if now >= heard + ping_after {
                let line = format!("PING :{}\r\n", self.state.settings.name).into_bytes().into();
                self.delivery.send(id, line, Order::News);
                if let Some(member) = self.state.member_mut(id) {
                    member.pinged = Some(now);
                }
                self.state.timers.arm(id, now + pong_within);
            } else {
                self.state.timers.arm(id, heard + ping_after);
            }
        }
    }
}
