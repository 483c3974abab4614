//! About people: AWAY, SETNAME, USERHOST, ISON, WHOIS.

use crate::hub::command::membership::shown;
use crate::hub::delivery::event::What;
use crate::hub::state::limits::{MAX_AWAY, MAX_REALNAME};
use crate::hub::{ConnectionId, Hub};
use crate::protocol::Capability;
use crate::protocol::Numeric::*;

impl Hub {
    pub(crate) fn away(&mut self, id: ConnectionId, text: Option<&str>) {
        if text.is_some_and(|text| text.len() > MAX_AWAY) {
            return self.too_long(id);
        }
        let Some(member) = self.member_mut(id) else { return };
        let changed = member.away.as_deref() != text;
        member.away = text.map(Into::into);
        match text {
            Some(_) => self.reply(id, RPL_NOWAWAY, ":You are marked as away"),
            None => self.reply(id, RPL_UNAWAY, ":You are no longer marked as away"),
        }
        if changed {
            let event = self.event(id, What::Away { text });
            self.tell_neighbours(id, &event, |slot| slot.caps.has(Capability::AwayNotify));
        }
    }

    pub(crate) fn setname(&mut self, id: ConnectionId, realname: &str) {
        if realname.len() > MAX_REALNAME {
            let sentence = format!("A real name has at most {MAX_REALNAME} bytes");
            return self.fail(id, "SETNAME", "INVALID_REALNAME", &sentence);
        }
        if let Some(member) = self.member_mut(id) {
            member.realname = realname.into();
        }
        let event = self.event(id, What::Setname { realname });
        self.tell_neighbours(id, &event, |slot| slot.caps.has(Capability::Setname));
        if self.member(id).is_some_and(|member| member.has(Capability::Setname)) {
            self.tell(id, &event);
        }
    }

    pub(crate) fn userhost(&mut self, id: ConnectionId, nicks: &[&str]) {
        let entries: Vec<String> = nicks
            .iter()
            .filter_map(|nick| {
                let member = self.member(self.find(nick)?)?;
                let star = if member.operator { "*" } else { "" };
                let sign = if member.away.is_some() { '-' } else { '+' };
                let (name, user, host) = (member.name(), &member.username, member.host());
                Some(format!("{name}{star}={sign}{user}@{host}"))
            })
            .collect();
        self.reply_packed(id, RPL_USERHOST, ":", &entries, ' ');
    }

    pub(crate) fn ison(&mut self, id: ConnectionId, nicks: &[&str]) {
        let here: Vec<String> = nicks
            .iter()
            .flat_map(|nicks| nicks.split(' '))
            .filter_map(|nick| self.find(nick).map(|other| self.nick_of(other).to_owned()))
            .collect();
        self.reply_packed(id, RPL_ISON, ":", &here, ' ');
    }

    pub(crate) fn whois(&mut self, id: ConnectionId, nick: &str) {
        let nick = nick.split(',').next().unwrap_or(nick);
        let Some((other, member)) = self.find(nick).and_then(|other| Some((other, self.member(other)?)))
        else {
            self.no_such_nick(id, nick);
            return self.reply(id, RPL_ENDOFWHOIS, format!("{} :End of WHOIS", shown(nick)));
        };
        let (name, user, host) = (member.name().to_owned(), member.username.clone(), member.host());
        let (realname, away) = (member.realname.clone(), member.away.clone());
        let (operator, bot, signed_on) = (member.operator, member.bot, member.signed_on.seconds());
        let idle = self.now.elapsed.saturating_sub(member.spoke).as_secs();
        let rooms: Vec<String> = member
            .rooms
            .iter()
            .filter(|place| self.sees(id, place.room))
            .filter(|place| !member.invisible || other == id || self.place(id, place.room).is_some())
            .filter_map(|place| {
                let room = self.rooms.get(place.room)?;
                let all = self.member(id)?.has(Capability::MultiPrefix);
                Some(format!("{}{}", room.seat(place.number)?.prefixes(all), room.name))
            })
            .collect();
        self.reply(id, RPL_WHOISUSER, format!("{name} {user} {host} * :{realname}"));
        if !rooms.is_empty() {
            self.reply_packed(id, RPL_WHOISCHANNELS, &format!("{name} :"), &rooms, ' ');
        }
        self.reply(id, RPL_WHOISSERVER, format!("{name} {} :Parlor", self.settings.name));
        if let Some(away) = away {
            self.reply(id, RPL_AWAY, format!("{name} :{away}"));
        }
        if operator {
            self.reply(id, RPL_WHOISOPERATOR, format!("{name} :is a server operator"));
        }
        if bot {
            self.reply(id, RPL_WHOISBOT, format!("{name} :is a bot"));
        }
        self.reply(id, RPL_WHOISIDLE, format!("{name} {idle} {signed_on} :seconds idle, signon time"));
        self.reply(id, RPL_ENDOFWHOIS, format!("{name} :End of WHOIS"));
    }
}
