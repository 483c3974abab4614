//! About the server and its rooms: LIST, MOTD, LUSERS, VERSION, TIME, INFO, ADMIN,
//! LINKS, STATS.

use crate::hub::Hub;
use crate::hub::command::filter::Filter;
use crate::hub::command::page::Page;
use crate::hub::command::{Done, need};
use crate::hub::delivery::{Rest, Sheet};
use crate::hub::state::ConnectionId;
use crate::hub::state::accounts::Accounts;
use crate::hub::state::limits::*;
use crate::hub::state::refusal::{shown, too_many_targets};
use crate::hub::state::room::Flags;
use crate::protocol::Numeric::*;
use crate::protocol::{Folded, Message, mask, name};

/// Tokens of one RPL_ISUPPORT line (modern.ircdocs.horse, RPL_ISUPPORT).
const TOKENS_A_LINE: usize = 13;

/// Name and version of this program.
pub(crate) const VERSION: &str = concat!("parlor-", env!("CARGO_PKG_VERSION"));

pub(super) fn list(hub: &mut Hub, id: ConnectionId, message: &Message<'_>) -> Done {
    let filter = Filter::new(message.params.filled(0).unwrap_or_default());
    if filter.masks.len() > MAX_MASKS {
        return Err(too_many_targets(filter.masks.len()));
    }
    hub.page(id, Page::List { from: 0, filter });
    Ok(())
}

pub(super) fn motd(hub: &mut Hub, id: ConnectionId, message: &Message<'_>) -> Done {
    this_server(hub, message)?;
    hub.motd(id);
    Ok(())
}

pub(super) fn lusers(hub: &mut Hub, id: ConnectionId, _message: &Message<'_>) -> Done {
    hub.lusers(id);
    Ok(())
}

pub(super) fn version(hub: &mut Hub, id: ConnectionId, message: &Message<'_>) -> Done {
    this_server(hub, message)?;
    hub.reply(id, RPL_VERSION, format!("{VERSION} {} :A live chat room", hub.state.settings.name));
    hub.isupport(id);
    Ok(())
}

pub(super) fn time(hub: &mut Hub, id: ConnectionId, message: &Message<'_>) -> Done {
    this_server(hub, message)?;
    let wall = hub.state.now.wall;
    hub.reply(id, RPL_TIME, format!("{} {} 0 :{wall}", hub.state.settings.name, wall.seconds()));
    Ok(())
}

pub(super) fn info(hub: &mut Hub, id: ConnectionId, message: &Message<'_>) -> Done {
    this_server(hub, message)?;
    let about = "A live chat room that IRC programs, nc and raw clients share.";
    for line in [VERSION, about, "MIT OR Apache-2.0"] {
        hub.reply(id, RPL_INFO, format!(":{line}"));
    }
    hub.reply(id, RPL_ENDOFINFO, ":End of INFO");
    Ok(())
}

pub(super) fn admin(hub: &mut Hub, id: ConnectionId, message: &Message<'_>) -> Done {
    this_server(hub, message)?;
    hub.reply(id, RPL_ADMINME, format!("{} :Administrative info", hub.state.settings.name));
    hub.reply(id, RPL_ADMINLOC1, ":A Parlor server");
    hub.reply(id, RPL_ADMINLOC2, format!(":Ask in {}", hub.state.settings.default_room));
    hub.reply(id, RPL_ADMINEMAIL, ":No address is given");
    Ok(())
}

pub(super) fn links(hub: &mut Hub, id: ConnectionId, _message: &Message<'_>) -> Done {
    hub.reply(id, RPL_LINKS, format!("{name} {name} :0 Parlor", name = hub.state.settings.name));
    hub.reply(id, RPL_ENDOFLINKS, "* :End of LINKS");
    Ok(())
}

pub(super) fn stats(hub: &mut Hub, id: ConnectionId, message: &Message<'_>) -> Done {
    let query = need(message, 0)?.chars().next().unwrap_or('*');
    if query == 'u' {
        let up = hub.state.now.elapsed.as_secs();
        let (days, h, m, s) = (up / 86_400, up / 3600 % 24, up / 60 % 60, up % 60);
        hub.reply(id, RPL_STATSUPTIME, format!(":Server Up {days} days {h}:{m:02}:{s:02}"));
    }
    let query = if query == ':' { '*' } else { query };
    hub.reply(id, RPL_ENDOFSTATS, format!("{query} :End of STATS"));
    Ok(())
}

/// Some queries may name a server; there is no other one than this: its name, a mask for it, or
/// somebody who is on it.
fn this_server(hub: &Hub, message: &Message<'_>) -> Done {
    let Some(word) = message.params.filled(0) else { return Ok(()) };
    let (mask, name) = (Folded::new(word), Folded::new(&hub.state.settings.name));
    if mask::Text::new(name.as_str()).matches(mask.as_str()) || hub.state.find(word).is_some() {
        return Ok(());
    }
    Err((ERR_NOSUCHSERVER, format!("{} :No such server", shown(word))))
}

impl Hub {
    pub(super) fn list_page(&self, filter: &Filter, from: &mut u32, sheet: &mut Sheet) -> Rest {
        let id = sheet.to;
        for (room, state) in self.state.rooms.from(*from) {
            if sheet.full(1 + filter.masks.len()) {
                *from = room.slot;
                return Rest::More;
            }
            let (name, people) = (state.name.as_str(), state.seats().len());
            if state.is_alive() && filter.matches(&state.folded, people) && self.state.sees(id, room) {
                let topic = state.topic.as_ref().map_or("", |topic| &topic.text);
                sheet.push(self.numeric_line(id, RPL_LIST, format_args!("{name} {people} :{topic}")));
            }
        }
        sheet.push(self.numeric_line(id, RPL_LISTEND, format_args!(":End of LIST")));
        Rest::Done
    }

    pub(crate) fn motd(&mut self, id: ConnectionId) {
        let Some(motd) = self.state.settings.motd.clone() else {
            return self.reply(id, ERR_NOMOTD, ":There is no message of the day");
        };
        self.reply(id, RPL_MOTDSTART, format!(":- {} Message of the day -", self.state.settings.name));
        for line in motd {
            self.reply(id, RPL_MOTD, format!(":- {line}"));
        }
        self.reply(id, RPL_ENDOFMOTD, ":End of MOTD");
    }

    pub(crate) fn lusers(&mut self, id: ConnectionId) {
        let unknown = self.state.all_who(|id, member| !id.is_remote() && !member.registered()).len();
        let count = self.state.population;
        let visible = count.registered - count.invisible;
        let (here, peak) = (count.registered, count.registered_peak);
        let rooms = self.state.rooms.from(0).filter(|(_, room)| room.is_alive()).count();
        let text = format!("There are {visible} users and {} invisible on 1 servers", count.invisible);
        self.reply(id, RPL_LUSERCLIENT, format!(":{text}"));
        for (numeric, number, of) in [
            (RPL_LUSEROP, count.operators, "operators online"),
            (RPL_LUSERUNKNOWN, unknown, "unknown connections"),
            (RPL_LUSERCHANNELS, rooms, "rooms formed"),
        ] {
            // None of them is told of (RFC 2812 §5.1).
            if number > 0 {
                self.reply(id, numeric, format!("{number} :{of}"));
            }
        }
        self.reply(id, RPL_LUSERME, format!(":I have {here} clients and 0 servers"));
        self.reply(id, RPL_LOCALUSERS, format!("{here} {peak} :Current local users {here}, max {peak}"));
        self.reply(id, RPL_GLOBALUSERS, format!("{here} {peak} :Current global users {here}, max {peak}"));
    }

    /// RPL_ISUPPORT, exactly what the hub enforces.
    pub(crate) fn isupport(&mut self, id: ConnectionId) {
        let mut tokens = vec![
            "ACCOUNTEXTBAN=a".into(),
            format!("AWAYLEN={MAX_AWAY}"),
            "BOT=B".into(),
            "CASEMAPPING=ascii".into(),
            "parlor/CASEMAPPING=unicode".into(),
            format!("CHANLIMIT=#:{MAX_ROOMS}"),
            format!("CHANMODES=beI,k,fl,{}", Flags::LETTERS),
            format!("CHANNELLEN={}", name::MAX_CHARS),
            "CHANTYPES=#".into(),
            format!("CHATHISTORY={}", MAX_LINES),
            "ELIST=MU".into(),
            "EXCEPTS=e".into(),
            "EXTBAN=~,am".into(),
            "INVEX=I".into(),
            format!("KEYLEN={}", MAX_KEY),
            format!("KICKLEN={MAX_KICK}"),
            format!("MAXLIST=beI:{}", MAX_LIST),
            format!("MODES={}", MAX_CHANGES),
            format!("MONITOR={}", MAX_WATCHED),
            "MSGREFTYPES=msgid,timestamp".into(),
            format!("NAMELEN={MAX_REALNAME}"),
            "NETWORK=Parlor".into(),
            format!("NICKLEN={}", name::MAX_CHARS),
            "PREFIX=(ov)@+".into(),
            "SAFELIST".into(),
            "SAFERATE".into(),
            "STATUSMSG=@+".into(),
            format!(
                "TARGMAX=JOIN:{joins},KICK:{most},LIST:{masks},NAMES:1,NOTICE:{most},PART:{joins},PRIVMSG:{most},TAGMSG:{most},WHOIS:1",
                joins = MAX_JOINS,
                masks = MAX_MASKS,
                most = MAX_TARGETS
            ),
            format!("TOPICLEN={MAX_TOPIC}"),
            format!("USERLEN={MAX_USER}"),
            "UTF8ONLY".into(),
            "WHOX".into(),
            // Of a line's id only the public form is relayed.
            "parlor/ID=secret".into(),
            // Message ids sort as the events happened.
            "parlor/MSGID=sorted".into(),
        ];
        if self.state.settings.private && self.state.settings.accounts != Accounts::Off {
            // What accounts say to each other is kept: CHATHISTORY knows it.
            tokens.push("parlor/PRIVATE".into());
        }
        for line in tokens.chunks(TOKENS_A_LINE) {
            self.reply(id, RPL_ISUPPORT, format!("{} :are supported by this server", line.join(" ")));
        }
    }
}
