//! Names: who has one, whether one is free, who waits for one to come or go.

use crate::hub::state::member::Member;
use crate::hub::state::reserved::is_reserved;
use crate::hub::state::whowas::Departed;
use crate::hub::state::{ConnectionId, State};
use crate::protocol::Numeric::{self, *};
use crate::protocol::name::{MAX_BYTES, MAX_CHARS};
use crate::protocol::{Folded, MsgId, Nick};

/// Name of who tells none; numbered.
const ANONYMOUS: &str = "guest";

/// Why a name is not to be had that somebody has.
pub(crate) fn taken(nick: &str) -> (Numeric, String) {
    (ERR_NICKNAMEINUSE, format!("The name {nick} is taken"))
}

impl State {
    /// Whether a name is free, or this connection's own in another spelling; if not, why.
    pub(crate) fn may_have(&self, id: ConnectionId, nick: &Nick) -> Result<(), (Numeric, String)> {
        if is_reserved(nick.as_str(), &self.settings.name) {
            let why = format!("The name {nick} reads like the server's own or a service's");
            return Err((ERR_ERRONEUSNICKNAME, why));
        }
        if self.is_others(id, &nick.fold()) {
            return Err((
                ERR_NICKNAMEINUSE,
                format!(
                    "{nick} is somebody's name; whoever has its password gets it: /msg NickServ IDENTIFY {nick} PASSWORD, or SASL"
                ),
            ));
        }
        match self.nicks.get(&nick.fold()) {
            Some(other) if *other != id && self.is_had(*other) => Err(taken(nick.as_str())),
            _ => Ok(()),
        }
    }

    /// Whether who has a name has it for all: other servers do not know of those who are no members yet.
    fn is_had(&self, other: ConnectionId) -> bool {
        let in_turn = self.cluster.is_some() && self.decides();
        !in_turn || self.member(other).is_some_and(Member::registered)
    }

    /// The nearest free name: what cannot stand in a name becomes `_`, a taken one gets a
    /// number.
    pub(crate) fn free_name(&self, wanted: &str) -> Nick {
        let mut base = String::new();
        for c in wanted.trim().chars() {
            let longer =
                [format!("{base}{c}"), format!("{base}_")].into_iter().find(|n| Nick::parse(n).is_ok());
            let Some(longer) = longer else { break };
            base = longer;
        }
        if base.is_empty() || is_reserved(&base, &self.settings.name) {
            base = ANONYMOUS.to_owned();
        }
        let first = if base == ANONYMOUS { Some(1) } else { None };
        let mut number = first;
        loop {
            let suffix = number.map_or(String::new(), |number: u32| number.to_string());
            let kept: String = base.chars().take(MAX_CHARS - suffix.len()).collect();
            let kept = &kept[..kept.floor_char_boundary(MAX_BYTES - suffix.len())];
            if let Ok(nick) = Nick::parse(&format!("{kept}{suffix}"))
                && !self.nicks.get(&nick.fold()).is_some_and(|other| self.is_had(*other))
                && !self.accounts.has(&nick.fold())
            {
                return nick;
            }
            // Ends: there are fewer members than numbers.
            number = Some(number.map_or(2, |number| number + 1));
        }
    }

    /// Gives a connection a name that [`may_have`](Self::may_have) allowed; the one it had, if that is
    /// free now.
    pub(crate) fn rename(&mut self, id: ConnectionId, nick: Nick) -> Option<Nick> {
        let member = self.member(id)?;
        let (before, after) = (member.nick.as_ref().map(Nick::fold), nick.fold());
        let other = before.as_ref() != Some(&after);
        if other {
            if member.registered() {
                self.remember(id);
            }
            if let Some(before) = before.filter(|before| self.nicks.get(before) == Some(&id)) {
                self.nicks.remove(&before);
            }
            self.take_name(id, after);
        }
        self.member_mut(id)?.nick.replace(nick).filter(|_| other)
    }

    /// Makes a member of a connection that has a name.
    pub(crate) fn admit(&mut self, id: ConnectionId) -> Option<&Member> {
        let now = self.now;
        self.stays += 1;
        let stay = format!(" {:x}.{:x}", self.settings.boot / MsgId::STARTS, self.stays).into();
        let member = self.member_mut(id)?;
        member.registration = None;
        let name = member.nick.as_ref().map(Nick::fold);
        (member.signed_on, member.spoke, member.stay) = (now.wall, now.elapsed, stay);
        name.filter(|_| self.cluster.is_some()).into_iter().for_each(|name| self.take_name(id, name));
        let population = &mut self.population;
        population.registered += 1;
        population.registered_peak = population.registered_peak.max(population.registered);
        self.member(id)
    }

    /// Frees the name and the token of a connection that goes; the name.
    pub(crate) fn free_names(&mut self, id: ConnectionId) -> Option<Nick> {
        let member = self.member(id)?;
        let (nick, token) = (member.nick.clone(), member.token);
        if let Some(token) = token {
            self.tokens.remove(&token);
        }
        let folded = nick.as_ref()?.fold();
        if self.nicks.get(&folded) == Some(&id) {
            self.nicks.remove(&folded);
        }
        nick
    }

    /// Gives a connection a name; one that is no member yet, and has it here alone, loses it.
    fn take_name(&mut self, id: ConnectionId, name: Folded) {
        let before = self.nicks.insert(name, id).filter(|before| *before != id);
        self.displaced.extend(before.filter(|_| self.cluster.is_some()));
    }

    /// Those who lost the names that they chose since the last call.
    pub(crate) fn take_displaced(&mut self) -> Vec<ConnectionId> {
        std::mem::take(&mut self.displaced)
    }

    /// A connection that is no member yet has no name.
    pub(crate) fn unname(&mut self, id: ConnectionId) {
        if let Some(nick) = self.member_mut(id).and_then(|member| member.nick.take())
            && self.nicks.get(&nick.fold()) == Some(&id)
        {
            self.nicks.remove(&nick.fold());
        }
    }

    /// Keeps a name that is given up, for WHOWAS.
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

    /// Takes a member off the lists of these names.
    pub(crate) fn unwatch(&mut self, id: ConnectionId, names: Vec<(Folded, Box<str>)>) {
        for (name, _) in names {
            if let Some(watchers) = self.watchers.get_mut(&name) {
                watchers.retain(|watcher| *watcher != id);
                if watchers.is_empty() {
                    self.watchers.remove(&name);
                }
            }
        }
    }
}
