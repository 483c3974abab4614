//! About people: AWAY, SETNAME, USERHOST, ISON, WHOIS, WHOWAS.

use crate::hub::Hub;
use crate::hub::change::Change;
use crate::hub::command::{Access, Command, need};
use crate::hub::state::ConnectionId;
use crate::hub::state::limits::{MAX_AWAY, MAX_REALNAME};
use crate::hub::state::refusal::{Refused, nobody, shown, too_long};
use crate::hub::state::whowas::Departed;
use crate::protocol::Numeric::*;
use crate::protocol::{Capability, Folded};

/// Names that one WHOWAS lists.
const MAX_SHOWN: usize = 10;

pub(super) const AWAY: Command = Command {
    verb: "AWAY",
    access: Access::Members,
    help: "AWAY [text] marks you as away, AWAY alone as back.",
    run: |hub, id, message| {
        let text = message.params.filled(0);
        if text.is_some_and(|text| text.len() > MAX_AWAY) {
            return Err(too_long());
        }
        hub.propose(id, Change::Away { text });
        Ok(())
    },
};

pub(super) const SETNAME: Command = Command {
    verb: "SETNAME",
    access: Access::Members,
    help: "SETNAME :name changes your real name.",
    run: |hub, id, message| {
        let realname = need(message, 0)?;
        if realname.len() > MAX_REALNAME {
            let sentence = format!("A real name has at most {MAX_REALNAME} bytes");
            hub.fail(id, "SETNAME", "INVALID_REALNAME", &sentence);
            return Ok(());
        }
        hub.propose(id, Change::Setname { realname });
        Ok(())
    },
};

pub(super) const USERHOST: Command = Command {
    verb: "USERHOST",
    access: Access::Members,
    help: "USERHOST nick … tells their hosts.",
    run: |hub, id, message| {
        need(message, 0)?;
        hub.userhost(id, &message.params);
        Ok(())
    },
};

pub(super) const ISON: Command = Command {
    verb: "ISON",
    access: Access::Members,
    help: "ISON nick … tells who of them is here.",
    run: |hub, id, message| {
        need(message, 0)?;
        hub.ison(id, &message.params);
        Ok(())
    },
};

pub(super) const WHOIS: Command = Command {
    verb: "WHOIS",
    access: Access::Members,
    help: "WHOIS nick tells about somebody.",
    run: |hub, id, message| {
        // With two, the first names a server: there is only this one.
        let nick = message.params.filled(usize::from(message.params.len() > 1));
        hub.whois(id, nick.ok_or_else(no_nickname_given)?);
        Ok(())
    },
};

pub(super) const WHOWAS: Command = Command {
    verb: "WHOWAS",
    access: Access::Members,
    help: "WHOWAS nick [count] tells about somebody who was here.",
    run: |hub, id, message| {
        let nick = message.params.filled(0).ok_or_else(no_nickname_given)?;
        hub.whowas(id, nick, message.params.filled(1));
        Ok(())
    },
};

pub(super) fn no_nickname_given() -> Refused {
    (ERR_NONICKNAMEGIVEN, ":No nickname given".into())
}

impl Hub {
    pub(crate) fn userhost(&mut self, id: ConnectionId, nicks: &[&str]) {
        let entries: Vec<String> = nicks
            .iter()
            .filter_map(|nick| {
                let member = self.state.member(self.state.find(nick)?)?;
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
            .filter_map(|nick| self.state.find(nick).map(|other| self.state.nick_of(other).to_owned()))
            .collect();
        self.reply_packed(id, RPL_ISON, ":", &here, ' ');
    }

    pub(crate) fn whois(&mut self, id: ConnectionId, nick: &str) {
        let nick = nick.split(',').next().unwrap_or(nick);
        let Some((other, member)) =
            self.state.find(nick).and_then(|other| Some((other, self.state.member(other)?)))
        else {
            self.refuse(id, nobody(nick));
            return self.reply(id, RPL_ENDOFWHOIS, format!("{} :End of WHOIS", shown(nick)));
        };
        let (name, user, host) = (member.name().to_owned(), member.username.clone(), member.host());
        let (realname, away) = (member.realname.clone(), member.away.clone());
        let (operator, bot, signed_on) = (member.operator, member.bot, member.signed_on.seconds());
        let idle = self.state.now.elapsed.saturating_sub(member.spoke).as_secs();
        let rooms: Vec<String> = member
            .rooms
            .iter()
            .filter(|place| self.state.sees(id, place.room))
            .filter(|place| !member.invisible || other == id || self.state.place(id, place.room).is_some())
            .filter_map(|place| {
                let room = self.state.rooms.get(place.room)?;
                let all = self.state.member(id)?.has(Capability::MultiPrefix);
                Some(format!("{}{}", room.seat(place.number)?.prefixes(all), room.name))
            })
            .collect();
        self.reply(id, RPL_WHOISUSER, format!("{name} {user} {host} * :{realname}"));
        if !rooms.is_empty() {
            self.reply_packed(id, RPL_WHOISCHANNELS, &format!("{name} :"), &rooms, ' ');
        }
        self.reply(id, RPL_WHOISSERVER, format!("{name} {} :Parlor", self.state.settings.name));
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

    pub(crate) fn whowas(&mut self, id: ConnectionId, nick: &str, count: Option<&str>) {
        let folded = Folded::new(nick);
        let nick = shown(nick);
        // A count that is no positive number means all (RFC 2812 §3.6.3); all is bounded here.
        let most = count.and_then(|count| count.parse().ok()).filter(|count| *count > 0).unwrap_or(MAX_SHOWN);
        let found = self.state.whowas.of(&folded).take(most.min(MAX_SHOWN)).cloned();
        let found: Vec<Departed> = found.collect();
        if found.is_empty() {
            self.reply(id, ERR_WASNOSUCHNICK, format!("{nick} :Nobody of that name was here lately"));
        }
        for Departed { nick, user, host, realname, at, .. } in found {
            self.reply(id, RPL_WHOWASUSER, format!("{nick} {user} {host} * :{realname}"));
            self.reply(id, RPL_WHOISSERVER, format!("{nick} {} :{at}", self.state.settings.name));
        }
        self.reply(id, RPL_ENDOFWHOWAS, format!("{nick} :End of WHOWAS"));
    }
}
