//! About people: AWAY, SETNAME, USERHOST, ISON, WHOIS, WHOWAS.

use crate::hub::Hub;
use crate::hub::change::Change;
use crate::hub::command::{Done, need};
use crate::hub::state::ConnectionId;
use crate::hub::state::limits::{MAX_AWAY, MAX_REALNAME};
use crate::hub::state::refusal::{Refused, nobody, shown, too_long};
use crate::hub::state::whowas::Departed;
use crate::protocol::Numeric::*;
use crate::protocol::{Capability, Folded, Message};

/// Names that one WHOWAS lists.
const MAX_SHOWN: usize = 10;

pub(super) fn away(hub: &mut Hub, id: ConnectionId, message: &Message<'_>) -> Done {
    let text = message.params.filled(0);
    if text.is_some_and(|text| text.len() > MAX_AWAY) {
        return Err(too_long());
    }
    hub.propose(id, Change::Away { text });
    Ok(())
}

pub(super) fn setname(hub: &mut Hub, id: ConnectionId, message: &Message<'_>) -> Done {
    let realname = need(message, 0)?;
    if realname.len() > MAX_REALNAME {
        let sentence = format!("A real name has at most {MAX_REALNAME} bytes");
        hub.fail(id, "SETNAME", "INVALID_REALNAME", &sentence);
        return Ok(());
    }
    hub.propose(id, Change::Setname { realname });
    Ok(())
}

pub(super) fn userhost(hub: &mut Hub, id: ConnectionId, message: &Message<'_>) -> Done {
    need(message, 0)?;
    let entries: Vec<String> = message
        .params
        .iter()
        .filter_map(|nick| {
            let member = hub.state.member(hub.state.find(nick)?)?;
            let star = if member.operator { "*" } else { "" };
            let sign = if member.away.is_some() { '-' } else { '+' };
            let (name, user, host) = (member.name(), &member.username, member.host());
            Some(format!("{name}{star}={sign}{user}@{host}"))
        })
        .collect();
    hub.reply_packed(id, RPL_USERHOST, ":", &entries, ' ');
    Ok(())
}

pub(super) fn ison(hub: &mut Hub, id: ConnectionId, message: &Message<'_>) -> Done {
    need(message, 0)?;
    let here: Vec<String> = message
        .params
        .iter()
        .flat_map(|nicks| nicks.split(' '))
        .filter_map(|nick| hub.state.find(nick).map(|other| hub.state.nick_of(other).to_owned()))
        .collect();
    hub.reply_packed(id, RPL_ISON, ":", &here, ' ');
    Ok(())
}

pub(super) fn whois(hub: &mut Hub, id: ConnectionId, message: &Message<'_>) -> Done {
    // With two, the first names a server: there is only this one.
    let nick = message.params.filled(usize::from(message.params.len() > 1)).ok_or_else(no_nickname_given)?;
    let nick = nick.split(',').next().unwrap_or(nick);
    let Some((other, member)) =
        hub.state.find(nick).and_then(|other| Some((other, hub.state.member(other)?)))
    else {
        hub.refuse(id, nobody(nick));
        return Err((RPL_ENDOFWHOIS, format!("{} :End of WHOIS", shown(nick))));
    };
    let (name, user, host) = (member.name().to_owned(), member.username.clone(), member.host());
    let (realname, away, account) = (member.realname.clone(), member.away.clone(), member.account.clone());
    let (operator, bot, signed_on) = (member.operator, member.bot, member.signed_on.seconds());
    let (secure, certfp) = (member.secure, member.certificate.clone());
    let idle = hub.state.now.elapsed.saturating_sub(member.spoke).as_secs();
    let rooms: Vec<String> = member
        .rooms
        .iter()
        .filter(|place| hub.state.sees(id, place.room))
        .filter(|place| !member.invisible || other == id || hub.state.place(id, place.room).is_some())
        .filter_map(|place| {
            let room = hub.state.rooms.get(place.room)?;
            let all = hub.state.member(id)?.has(Capability::MultiPrefix);
            Some(format!("{}{}", room.seat(place.number)?.prefixes(all), room.name))
        })
        .collect();
    hub.reply(id, RPL_WHOISUSER, format!("{name} {user} {host} * :{realname}"));
    if !rooms.is_empty() {
        hub.reply_packed(id, RPL_WHOISCHANNELS, &format!("{name} :"), &rooms, ' ');
    }
    hub.reply(id, RPL_WHOISSERVER, format!("{name} {} :Parlor", hub.state.settings.name));
    if let Some(away) = away {
        hub.reply(id, RPL_AWAY, format!("{name} :{away}"));
    }
    if let Some(account) = account {
        hub.reply(id, RPL_WHOISACCOUNT, format!("{name} {account} :is logged in as"));
    }
    if operator {
        hub.reply(id, RPL_WHOISOPERATOR, format!("{name} :is a server operator"));
    }
    if bot {
        hub.reply(id, RPL_WHOISBOT, format!("{name} :is a bot"));
    }
    if secure {
        hub.reply(id, RPL_WHOISSECURE, format!("{name} :is using a secure connection"));
    }
    if let Some(certfp) = certfp.filter(|_| other == id) {
        let certfp: String = certfp.iter().map(|byte| format!("{byte:02x}")).collect();
        hub.reply(id, RPL_WHOISCERTFP, format!("{name} :has client certificate fingerprint {certfp}"));
    }
    hub.reply(id, RPL_WHOISIDLE, format!("{name} {idle} {signed_on} :seconds idle, signon time"));
    hub.reply(id, RPL_ENDOFWHOIS, format!("{name} :End of WHOIS"));
    Ok(())
}

pub(super) fn whowas(hub: &mut Hub, id: ConnectionId, message: &Message<'_>) -> Done {
    let (nick, count) = (message.params.filled(0).ok_or_else(no_nickname_given)?, message.params.filled(1));
    let folded = Folded::new(nick);
    let nick = shown(nick);
    // A count that is no positive number means all (RFC 2812 §3.6.3); all is bounded here.
    let most = count.and_then(|count| count.parse().ok()).filter(|count| *count > 0).unwrap_or(MAX_SHOWN);
    let found = hub.state.whowas.of(&folded).take(most.min(MAX_SHOWN)).cloned();
    let found: Vec<Departed> = found.collect();
    if found.is_empty() {
        hub.reply(id, ERR_WASNOSUCHNICK, format!("{nick} :Nobody of that name was here lately"));
    }
    for Departed { nick, user, host, realname, at, .. } in found {
        hub.reply(id, RPL_WHOWASUSER, format!("{nick} {user} {host} * :{realname}"));
        hub.reply(id, RPL_WHOISSERVER, format!("{nick} {} :{at}", hub.state.settings.name));
    }
    hub.reply(id, RPL_ENDOFWHOWAS, format!("{nick} :End of WHOWAS"));
    Ok(())
}

pub(super) fn no_nickname_given() -> Refused {
    (ERR_NONICKNAMEGIVEN, ":No nickname given".into())
}
