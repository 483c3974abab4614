//! A connection that is lost: its member is waited for, and comes back on another one.

use std::borrow::Cow;

use crate::hub::Hub;
use crate::hub::delivery::event::{Event, What};
use crate::hub::delivery::output::Output;
use crate::hub::state::limits::{LINGER, MAX_MISSED, MAX_MISSED_BYTES};
use crate::hub::state::member::{Lingering, Missed, Speaker};
use crate::hub::state::room::{Owner, RoomId};
use crate::hub::state::{ConnectionId, Token};
use crate::protocol::Capability;

impl Hub {
    /// The end of a registration that brought a token: takes the old place over, if that is
    /// still there. The private lines that came meanwhile, if so.
    pub(super) fn take_over(&mut self, id: ConnectionId, token: Token) -> Option<Vec<Missed>> {
        let old = self.state.holder_of(token)?;
        self.take_place(id, old, "Resumed elsewhere")
    }

    /// Gives a connection the place of an old one, which is told why, and closed. The private lines that came
    /// while nobody was there.
    pub(super) fn take_place(
        &mut self,
        id: ConnectionId,
        old: ConnectionId,
        why: &str,
    ) -> Option<Vec<Missed>> {
        let member = self.state.member(old)?;
        let ip = member.peer.ip();
        if let Some(token) = member.token {
            self.state.tokens.remove(&token);
        }
        if self.state.member(old)?.lingering.is_none() {
            self.closing_line(old, why);
        }
        let missed = self.state.move_member(old, id)?;
        self.history.forget(ip, old);
        if !old.is_remote() {
            self.delivery.close(old);
            self.delivery.output(Output::Close { id: old });
        }
        let member = self.state.member(id)?;
        self.log_about(member.peer, format!("resumed: {} from {}", member.name(), member.peer));
        if id.is_remote() {
            self.forward(id, missed);
            return Some(Vec::new());
        }
        Some(missed)
    }

    /// After the welcome of somebody who came back: its rooms, and what it missed.
    pub(super) fn show_resumed(&mut self, id: ConnectionId, missed: Vec<Missed>) {
        for room in self.state.rooms_of(id) {
            self.show_resumed_room(id, room);
        }
        let nick = self.state.nick_of(id).to_owned();
        for Missed { id: when, from, tags, verb, text } in missed {
            let what = What::Message { verb, target: &nick, text: &text, private: true };
            self.tell(
                id,
                &Event { id: when, from: Cow::Owned(from), tags: &tags, what, volatile: false, batch: "" },
            );
        }
    }

    fn show_resumed_room(&mut self, id: ConnectionId, room: RoomId) {
        let (Some(member), Some(state)) = (self.state.member(id), self.state.rooms.get(room)) else { return };
        let (name, realname) = (state.name.to_string(), member.realname.to_string());
        let event = self.event_beside(Some(id), What::Join { room: &name, realname: &realname });
        self.tell(id, &event);
        self.show_room(id, room);
    }

    /// Hands out the token of this connection, and lets it stand for what the one before stood
    /// for.
    pub(crate) fn hand_out_token(&mut self, id: ConnectionId, brought: Option<Token>) {
        let Some(member) = self.state.member(id) else { return };
        // With other servers who asked for it before it was a member has one, for all of them.
        let resumes = member.has(Capability::Resume);
        let token = member.token.filter(|_| resumes || self.state.cluster.is_some());
        if let Some(token) = token {
            self.state.tokens.insert(token, id);
            if resumes {
                self.say_as_server(id, format!("RESUME TOKEN {token:032x}"));
            }
        }
        // Used is used, though nothing new is handed out for it.
        let owner = self.state.owner(id).filter(|owner| !matches!(owner, Owner::Token(_)) || token.is_some());
        brought.into_iter().for_each(|brought| self.state.pass_on(brought, owner.clone()));
        if owner.is_none() {
            return;
        }
        self.state.rooms_of(id).into_iter().for_each(|room| self.state.bind_rank(id, room));
    }

    /// The connection is gone without a good-bye: whether it is waited for. Others are told
    /// `reason` when that was in vain.
    pub(crate) fn linger(&mut self, id: ConnectionId, reason: &str) -> bool {
        let until = self.state.now.elapsed + LINGER;
        let stopping = self.state.stopping;
        let Some(member) = self.state.member(id) else { return false };
        let wanted = member.registered()
            && member.speaker == Speaker::Irc
            && member.token.is_some_and(|token| self.state.tokens.contains_key(&token))
            && member.lingering.is_none()
            && !member.leaving;
        let ip = member.peer.ip();
        if !wanted || stopping || !self.state.admission.wait_for(ip) {
            return false;
        }
        let Some(member) = self.state.member_mut(id) else { return false };
        if let Some(waiting) = &mut member.waiting {
            waiting.lines.clear();
            waiting.ended = None;
        }
        member.waiting.take_if(|waiting| !waiting.is_proposing());
        member.lingering = Some(Box::new(Lingering { until, reason: reason.into(), missed: Vec::new() }));
        let (peer, text) =
            (member.peer, format!("waiting: {} from {} ({reason})", member.name(), member.peer));
        self.log_about(peer, text);
        self.history.forget(ip, id);
        self.delivery.close(id);
        self.state.timers.arm(id, until);
        self.delivery.output(Output::Detach { id });
        true
    }

    /// Looks at somebody who is waited for. Says whether that is so.
    pub(crate) fn tick_lingering(&mut self, id: ConnectionId) -> bool {
        let now = self.state.now.elapsed;
        let Some(lingering) = self.state.member(id).and_then(|member| member.lingering.as_ref()) else {
            return false;
        };
        let (until, reason) = (lingering.until, lingering.reason.clone());
        if self.state.member(id).is_some_and(|member| member.leaving) {
            // It is given up already.
        } else if now >= until {
            self.leaves(id, &reason, &reason);
        } else {
            self.state.timers.arm(id, until);
        }
        true
    }

    /// A private message for somebody who is waited for: says whether it is kept. `None`: for
    /// somebody who is here.
    pub(crate) fn keep_for_resume(&mut self, id: ConnectionId, event: &Event<'_>) -> Option<bool> {
        let lingering = self.state.member_mut(id).and_then(|member| member.lingering.as_mut());
        let (lingering, What::Message { verb, text, .. }) = (lingering?, &event.what) else { return None };
        let kept = lingering.missed.iter().map(|missed| missed.tags.len() + missed.text.len());
        let bytes = kept.sum::<usize>() + event.tags.len() + text.len();
        let room_left = lingering.missed.len() < MAX_MISSED && bytes <= MAX_MISSED_BYTES;
        if room_left {
            let from = event.from.clone().into_owned();
            let (tags, text) = (event.tags.to_owned(), (*text).to_owned());
            lingering.missed.push(Missed { id: event.id, from, tags, verb: *verb, text });
        }
        Some(room_left)
    }
}
