//! Members: the end of registration, names, being away.

use crate::hub::Hub;
use crate::hub::delivery::event::What;
use crate::hub::state::ConnectionId;
use crate::hub::state::member::Speaker;
use crate::hub::state::refusal::Refused;
use crate::protocol::Numeric::*;
use crate::protocol::{Capability, Nick};

/// Rooms of a member for which a new name costs a line of flood control more.
const ROOMS_A_LINE: usize = 16;

impl Hub {
    /// Makes a member of a connection that has a name or brings a token. Who speaks no IRC begins in
    /// the default room.
    pub(super) fn register(&mut self, id: ConnectionId) -> Result<(), Refused> {
        let brought = self.state.brought(id);
        let account = |hub: &Hub| hub.state.member(id)?.account.clone();
        if self.state.cluster.is_some() {
            // What it has shown before it was a member is known to all now.
            account(self).into_iter().for_each(|name| self.state.note_used(&name));
        }
        let proved = account(self);
        if let Some(missed) = brought.and_then(|token| self.take_over(id, token)) {
            self.welcome(id, brought);
            self.show_resumed(id, missed);
            // The place may be that of a time before its owner had this account.
            let other = proved.filter(|name| account(self).as_ref() != Some(name));
            return other.map_or(Ok(()), |name| self.log_in(id, &name));
        }
        if let Some(old) = self.state.standing(id) {
            let token = self.state.member(old).and_then(|member| member.token);
            if let Some(missed) = self.replace(id, old) {
                if self.state.member(id).is_some_and(|member| member.speaker == Speaker::Irc) {
                    self.welcome(id, token);
                }
                self.show_place(id, missed);
            }
            return Ok(());
        }
        if self.state.cluster.is_some() {
            self.have_name(id)?;
        }
        let Some(member) = self.state.admit(id) else { return Ok(()) };
        let speaker = member.speaker;
        let (peer, text) =
            (member.peer, format!("joined: {} from {} ({speaker})", member.name(), member.peer));
        self.log_about(peer, text);
        self.watched_came(id);
        if speaker == Speaker::Irc {
            self.welcome(id, brought);
            self.replay_private(id);
            return Ok(());
        }
        let entered = self.enter(id, self.state.settings.default_room.clone(), "");
        if speaker == Speaker::Plain {
            self.plain_welcome(id);
            self.replay_private(id);
        }
        entered.map(|_| ())
    }

    /// On another server somebody may have been quicker: to have the name of somebody who is about to be a member, or
    /// to leave the place that it was to have.
    fn have_name(&mut self, id: ConnectionId) -> Result<(), Refused> {
        if !id.is_remote() {
            self.refuse_late_resume(id);
        }
        let Some(member) = self.state.member(id) else { return Ok(()) };
        // Whoever is to have the place of its account has chosen no name of its own.
        let of_account = || Nick::parse(member.account.as_deref()?).ok();
        let Some(nick) = member.nick.clone().or_else(of_account) else {
            return Err((ERR_NONICKNAMEGIVEN, "The place is gone by now; send a NICK".into()));
        };
        self.state.may_have(id, &nick)?;
        if let Some(member) = self.state.member_mut(id) {
            member.nick = Some(nick);
        }
        Ok(())
    }

    /// Gives a member, or a connection that is to be one, another name.
    pub(crate) fn rename(&mut self, id: ConnectionId, nick: Nick) -> Result<(), Refused> {
        self.state.may_have(id, &nick).map_err(|(numeric, why)| (numeric, format!("{nick} :{why}")))?;
        let Some(member) = self.state.member(id).filter(|member| member.nick.as_ref() != Some(&nick)) else {
            return Ok(());
        };
        let registered = member.registered();
        if registered {
            let event = self.event(id, What::Nick { new: nick.as_str() });
            self.tell_neighbours(id, &event, |_| true);
            self.record_everywhere(id, &event);
            self.narrate("", &event);
            self.tell(id, &event);
            // Every room is told, and named in the record.
            let rooms = self.state.member(id).map_or(0, |member| member.rooms.len());
            self.delivery.charge(id, rooms.div_ceil(ROOMS_A_LINE) as u32);
        }
        if let (true, Some(before)) = (registered, self.state.rename(id, nick)) {
            self.watched_left(&before.fold(), before.as_str());
            self.watched_came(id);
        }
        Ok(())
    }

    pub(super) fn away(&mut self, id: ConnectionId, text: Option<&str>) -> Result<(), Refused> {
        let Some(member) = self.state.member_mut(id) else { return Ok(()) };
        let changed = member.away.as_deref() != text;
        member.away = text.map(Into::into);
        match text {
            Some(_) => self.reply(id, RPL_NOWAWAY, ":You are marked as away"),
            None => self.reply(id, RPL_UNAWAY, ":You are no longer marked as away"),
        }
        if changed {
            let event = self.event(id, What::Away { text });
            self.tell_acquaintances(id, &event, Capability::AwayNotify);
        }
        Ok(())
    }

    pub(super) fn setname(&mut self, id: ConnectionId, realname: &str) -> Result<(), Refused> {
        let Some(member) = self.state.member_mut(id) else { return Ok(()) };
        member.realname = realname.into();
        let own = member.has(Capability::Setname);
        let event = self.event(id, What::Setname { realname });
        self.tell_acquaintances(id, &event, Capability::Setname);
        if own {
            self.tell(id, &event);
        }
        Ok(())
    }
}
