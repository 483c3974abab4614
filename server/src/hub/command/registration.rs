//! From a connection to a member, and back: capabilities, names, welcome, PING, QUIT.

use crate::hub::command::modes::{ROOM_MODES, ROOM_MODES_ARG, USER_MODES};
use crate::hub::command::queries::VERSION;
use crate::hub::delivery::event::What;
use crate::hub::state::limits::{MAX_REALNAME, MAX_USER};
use crate::hub::state::member::Registration;
use crate::hub::{ConnectionId, Hub, Speaker};
use crate::protocol::Nick;
use crate::protocol::Numeric::*;

impl Hub {
    pub(crate) fn speaks(&mut self, id: ConnectionId, speaker: Speaker, name: Option<&str>) {
        let Some(member) = self.member_mut(id) else { return };
        member.speaker = speaker;
        self.update_form(id);
        if let Speaker::Raw(_) = speaker {
            self.raw_enters(id, name.unwrap_or_default());
        }
    }

    pub(crate) fn nick(&mut self, id: ConnectionId, wanted: &str) {
        if self.is_coming_back(id) {
            return;
        }
        let nick = match Nick::parse(wanted) {
            Ok(nick) => nick,
            Err(error) => {
                let shown = crate::hub::command::membership::shown(wanted);
                return self.reply(id, ERR_ERRONEUSNICKNAME, format!("{shown} :{error}"));
            }
        };
        if !self.may_have(id, &nick) {
            return self.reply(id, ERR_NICKNAMEINUSE, format!("{nick} :That name is taken"));
        }
        self.rename(id, nick);
        self.try_register(id);
    }

    /// Whether a name is free, or this connection's own in another spelling.
    pub(crate) fn may_have(&self, id: ConnectionId, nick: &Nick) -> bool {
        self.nicks.get(&nick.fold()) == Some(&id) || !self.is_taken(nick)
    }

    /// Whether somebody has a name, or the server itself speaks under it.
    pub(crate) fn is_taken(&self, nick: &Nick) -> bool {
        let folded = nick.fold();
        self.nicks.contains_key(&folded) || folded.as_str() == crate::hub::delivery::event::SERVER
    }

    /// Gives a connection a name that [`may_have`](Self::may_have) allowed.
    pub(crate) fn rename(&mut self, id: ConnectionId, nick: Nick) {
        let Some(member) = self.member(id) else { return };
        if member.nick.as_ref() == Some(&nick) {
            return;
        }
        let registered = member.registered();
        let before = member.nick.as_ref().map(Nick::fold);
        let after = nick.fold();
        if registered {
            let event = self.event(id, What::Nick { new: nick.as_str() });
            self.tell_neighbours(id, &event, |_| true);
            self.record_everywhere(id, &event);
            self.narrate("", &event);
            self.tell(id, &event);
            if before.as_ref() != Some(&after) {
                self.remember(id);
            }
        }
        if before.as_ref() != Some(&after) {
            if let Some(before) = &before {
                self.nicks.remove(before);
            }
            self.nicks.insert(after.clone(), id);
        }
        let old = self.member_mut(id).and_then(|member| member.nick.replace(nick));
        if let (true, Some(before)) = (registered, before)
            && before != after
        {
            let old = old.as_ref().map_or("*", Nick::as_str).to_owned();
            self.watched_left(&before, &old);
            self.watched_came(id);
        }
    }

    pub(crate) fn user(&mut self, id: ConnectionId, username: &str, realname: &str) {
        if realname.len() > MAX_REALNAME {
            return self.too_long(id);
        }
        let mut user: String = username
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
            .take(MAX_USER)
            .collect();
        if user.is_empty() {
            user.push_str("user");
        }
        let Some(member) = self.member_mut(id) else { return };
        member.username = user.into();
        member.realname = realname.into();
        if let Some(registration) = &mut member.registration {
            registration.user = true;
        }
        self.try_register(id);
    }

    pub(crate) fn try_register(&mut self, id: ConnectionId) {
        let registration = self.member(id).and_then(|member| member.registration.as_deref());
        if !matches!(registration, Some(Registration { negotiating: false, user: true, .. })) {
            return;
        }
        self.tell_who_came_too_late(id);
        if !self.is_coming_back(id) && self.member(id).is_none_or(|member| member.nick.is_none()) {
            return;
        }
        let brought = self.brought(id);
        if let Some(missed) = brought.and_then(|token| self.take_over(id, token)) {
            self.welcome(id, brought);
            return self.show_rooms_again(id, missed);
        }
        self.admit(id);
        self.welcome(id, brought);
    }

    /// Makes a member of a connection that has a name.
    pub(crate) fn admit(&mut self, id: ConnectionId) {
        let now = self.now;
        let Some(member) = self.member_mut(id) else { return };
        member.registration = None;
        member.signed_on = now.wall;
        member.spoke = now.elapsed;
        let text = format!("joined: {} from {} ({})", member.name(), member.peer, member.speaker);
        self.population.registered += 1;
        self.population.registered_peak = self.population.registered_peak.max(self.population.registered);
        self.log(text);
        self.watched_came(id);
    }

    fn welcome(&mut self, id: ConnectionId, brought: Option<u128>) {
        self.reply(id, RPL_WELCOME, format!(":Welcome to Parlor, {}", self.source(id).prefix));
        self.hand_out_token(id, brought);
        let server = &self.settings.name;
        let modes = format!("{server} {VERSION} {USER_MODES} {ROOM_MODES} {ROOM_MODES_ARG}");
        self.reply(id, RPL_YOURHOST, format!(":Your host is {}, running {VERSION}", self.settings.name));
        self.reply(id, RPL_CREATED, format!(":This server was started {}", self.started));
        self.reply(id, RPL_MYINFO, modes);
        self.isupport(id);
        self.lusers(id);
        self.motd(id);
    }
}
