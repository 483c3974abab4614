//! Who is still there: registration in time, PING and its answer.

use std::time::Duration;

use crate::hub::delivery::queue::Order;
use crate::hub::{ConnectionId, Hub, Speaker};
use crate::protocol::line::MAX_BODY;

impl Hub {
    /// Any received byte is a sign of life.
    pub(crate) fn alive(&mut self, id: ConnectionId) {
        let now = self.now.elapsed;
        if let Some(member) = self.member_mut(id) {
            member.heard = now;
            member.pinged = None;
        }
    }

    /// Flood control makes a reader wait: the clocks stand still meanwhile.
    pub(crate) fn delayed(&mut self, id: ConnectionId, by: Duration) {
        self.alive(id);
        if let Some(member) = self.member_mut(id).filter(|member| !member.registered()) {
            member.spoke += by;
        }
    }

    /// Looks at those whose deadline has come.
    pub(crate) fn tick(&mut self) {
        let now = self.now.elapsed;
        for id in self.timers.expired(now) {
            if self.tick_lingering(id) {
                continue;
            }
            let Some(member) = self.member(id) else { continue };
            let (heard, pinged) = (member.heard, member.pinged);
            let (ping_after, pong_within) = (self.settings.ping_after, self.settings.pong_within);
            if !member.registered() {
                let limit = self.settings.registration;
                let until = member.spoke + limit;
                if now >= until {
                    self.lost(id, &format!("No name was given within {} s", limit.as_secs()));
                } else {
                    self.timers.arm(id, until);
                }
            } else if member.speaker != Speaker::Irc {
                // TCP keepalive looks after these.
            } else if self.delivery.is_held(id) {
                // Nothing is read of it: its answer could not be heard.
                self.alive(id);
                self.timers.arm(id, now + ping_after);
            } else if let Some(at) = pinged {
                if now >= at + pong_within {
                    let silent = (ping_after + pong_within).as_secs();
                    self.lost(id, &format!("Ping timeout: {silent} seconds"));
                } else {
                    self.timers.arm(id, at + pong_within);
                }
            } else if now >= heard + ping_after {
                let line = format!("PING :{}\r\n", self.settings.name).into_bytes().into();
                self.delivery.send(id, line, Order::News);
                if let Some(member) = self.member_mut(id) {
                    member.pinged = Some(now);
                }
                self.timers.arm(id, now + pong_within);
            } else {
                self.timers.arm(id, heard + ping_after);
            }
        }
    }

    /// Behind long replies that are under way: a client takes the PONG for their end.
    pub(crate) fn ping(&mut self, id: ConnectionId, token: &str) {
        let line = self.server_line(format_args!("PONG {} :{token}", self.settings.name));
        if line.len() > MAX_BODY {
            return self.too_long(id);
        }
        self.delivery.send(id, line, Order::End);
    }
}
