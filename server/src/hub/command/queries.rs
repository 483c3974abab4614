//! About the server and its rooms: LIST, MOTD, LUSERS, VERSION, TIME, INFO, ADMIN, HELP,
//! LINKS, STATS.

use crate::hub::command::page::Page;
use crate::hub::delivery::Sheet;
use crate::hub::state::limits::MAX_MASKS;
use crate::hub::{ConnectionId, Hub};
use crate::protocol::Numeric::*;
use crate::protocol::{Folded, mask};

/// Name and version of this program.
pub(crate) const VERSION: &str = concat!("parlor-", env!("CARGO_PKG_VERSION"));

/// Which rooms a LIST shows (ISUPPORT ELIST=MU): masks, `>n` and `<n` people.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    masks: Vec<Folded>,
    more_than: Option<usize>,
    fewer_than: Option<usize>,
}

impl Filter {
    fn new(text: &str) -> Filter {
        let mut filter = Filter::default();
        for part in text.split(',').filter(|part| !part.is_empty()) {
            if let Some(count) = part.strip_prefix('>') {
                filter.more_than = count.parse().ok();
            } else if let Some(count) = part.strip_prefix('<') {
                filter.fewer_than = count.parse().ok();
            } else {
                filter.masks.push(Folded::new(part));
            }
        }
        filter
    }

    fn lets(&self, name: &str, people: usize) -> bool {
        let name = Folded::new(name);
        (self.masks.is_empty() || self.masks.iter().any(|m| mask::matches(m.as_str(), name.as_str())))
            && self.more_than.is_none_or(|count| people > count)
            && self.fewer_than.is_none_or(|count| people < count)
    }
}

/// HELP by subject; the first is the index.
const HELP: &[(&str, &[&str])] = &[
    (
        "INDEX",
        &[
            "You talk to a Parlor server. HELP and a word tells more of:",
            "ROOMS   JOIN PART TOPIC NAMES LIST INVITE KICK MODE",
            "TALK    PRIVMSG NOTICE TAGMSG AWAY",
            "PEOPLE  NICK SETNAME WHO WHOIS WHOWAS ISON USERHOST MONITOR",
            "SERVER  MOTD LUSERS VERSION TIME INFO ADMIN LINKS STATS",
            "OPER    OPER KILL WALLOPS CONSOLE",
        ],
    ),
    (
        "ROOMS",
        &[
            "JOIN #room [key] goes into a room, or makes it; PART #room [reason] leaves it.",
            "TOPIC #room [text] shows or sets what it is about. NAMES #room tells who is there.",
            "LIST [mask,>n,<n] lists rooms. INVITE nick #room asks somebody in.",
            "KICK #room nick [reason] puts somebody out; for operators of the room.",
            "MODE #room +b-e+I mask, +k key, +l n, +o nick, +v nick, +imnst",
        ],
    ),
    (
        "TALK",
        &[
            "PRIVMSG target :text talks to #room or nick; @#room reaches its operators only.",
            "NOTICE is the same for programs: it is never answered. TAGMSG has tags and no text.",
            "AWAY [text] marks you as away, AWAY alone as back.",
        ],
    ),
    (
        "PEOPLE",
        &[
            "NICK name renames you, SETNAME :name changes your real name.",
            "WHO #room or mask, WHOIS nick, WHOWAS nick tell about people.",
            "ISON and USERHOST ask for several; MONITOR + nick tells when they come and go.",
            "MODE nick +i hides you from strangers, +B marks a bot, +w hears WALLOPS.",
        ],
    ),
    ("SERVER", &["MOTD LUSERS VERSION TIME INFO ADMIN LINKS STATS u tell about this server."]),
    (
        "OPER",
        &[
            "OPER name key makes you a server operator; the key stands in the server's oper file.",
            "KILL nick :reason disconnects. WALLOPS :text reaches everybody with mode +w.",
            "CONSOLE :line is a line at the operator's console: an announcement, or /help.",
        ],
    ),
];

impl Hub {
    pub(crate) fn list(&mut self, id: ConnectionId, filter: Option<&str>) {
        let filter = Filter::new(filter.unwrap_or_default());
        if filter.masks.len() > MAX_MASKS {
            return self.too_many_targets(id, filter.masks.len());
        }
        self.page(id, Page::List { from: 0, filter });
    }

    pub(crate) fn list_page(
        &mut self,
        id: ConnectionId,
        from: u32,
        filter: Filter,
        sheet: &mut Sheet,
    ) -> Option<Page> {
        for (room, state) in self.rooms.from(from) {
            if sheet.full() {
                return Some(Page::List { from: room.slot, filter });
            }
            let (name, people) = (state.name.as_str(), state.seats().len());
            if state.is_alive() && filter.lets(name, people) && self.sees(id, room) {
                let topic = state.topic.as_ref().map_or("", |topic| &topic.text);
                sheet.push(self.numeric_line(id, RPL_LIST, format_args!("{name} {people} :{topic}")));
            }
        }
        sheet.push(self.numeric_line(id, RPL_LISTEND, format_args!(":End of LIST")));
        None
    }

    pub(crate) fn motd(&mut self, id: ConnectionId) {
        let Some(motd) = self.settings.motd.clone() else {
            return self.reply(id, ERR_NOMOTD, ":There is no message of the day");
        };
        self.reply(id, RPL_MOTDSTART, format!(":- {} Message of the day -", self.settings.name));
        for line in motd {
            self.reply(id, RPL_MOTD, format!(":- {line}"));
        }
        self.reply(id, RPL_ENDOFMOTD, ":End of MOTD");
    }

    pub(crate) fn lusers(&mut self, id: ConnectionId) {
        let connections = self.slots.iter().filter(|slot| slot.member.is_some()).count();
        let count = self.population;
        let visible = count.registered - count.invisible;
        let unknown = connections - count.registered;
        let (here, peak) = (count.registered, count.registered_peak);
        let rooms = self.rooms.from(0).filter(|(_, room)| room.is_alive()).count();
        let text = format!("There are {visible} users and {} invisible on 1 servers", count.invisible);
        self.reply(id, RPL_LUSERCLIENT, format!(":{text}"));
        self.reply(id, RPL_LUSEROP, format!("{} :operators online", count.operators));
        self.reply(id, RPL_LUSERUNKNOWN, format!("{unknown} :unknown connections"));
        self.reply(id, RPL_LUSERCHANNELS, format!("{rooms} :rooms formed"));
        self.reply(id, RPL_LUSERME, format!(":I have {here} clients and 0 servers"));
        self.reply(id, RPL_LOCALUSERS, format!("{here} {peak} :Current local users {here}, max {peak}"));
        self.reply(id, RPL_GLOBALUSERS, format!("{here} {peak} :Current global users {here}, max {peak}"));
    }

    pub(crate) fn version(&mut self, id: ConnectionId) {
        self.reply(id, RPL_VERSION, format!("{VERSION} {} :A live chat room", self.settings.name));
        self.isupport(id);
    }

    pub(crate) fn time(&mut self, id: ConnectionId) {
        let wall = self.now.wall;
        self.reply(id, RPL_TIME, format!("{} {} 0 :{wall}", self.settings.name, wall.seconds()));
    }

    pub(crate) fn info(&mut self, id: ConnectionId) {
        for line in
            [VERSION, "A live chat room that IRC programs, nc and raw clients share.", "MIT OR Apache-2.0"]
        {
            self.reply(id, RPL_INFO, format!(":{line}"));
        }
        self.reply(id, RPL_ENDOFINFO, ":End of INFO");
    }

    pub(crate) fn admin(&mut self, id: ConnectionId) {
        self.reply(id, RPL_ADMINME, format!("{} :Administrative info", self.settings.name));
        self.reply(id, RPL_ADMINLOC1, ":A Parlor server");
        self.reply(id, RPL_ADMINLOC2, format!(":Ask in {}", self.settings.default_room));
        self.reply(id, RPL_ADMINEMAIL, ":No address is given");
    }

    pub(crate) fn help(&mut self, id: ConnectionId, subject: Option<&str>) {
        let wanted = subject.unwrap_or("INDEX").to_ascii_uppercase();
        let found = HELP.iter().find(|(title, lines)| {
            *title == wanted || lines.iter().any(|line| line.split([' ', ',', '.']).any(|w| w == wanted))
        });
        let found = HELP.iter().find(|(title, _)| *title == wanted).or(found);
        let shown = crate::hub::command::membership::shown(&wanted);
        let Some((_, [first, rest @ ..])) = found else {
            return self.reply(id, ERR_HELPNOTFOUND, format!("{shown} :No help on that; try HELP alone"));
        };
        self.reply(id, RPL_HELPSTART, format!("{shown} :{first}"));
        for line in rest {
            self.reply(id, RPL_HELPTXT, format!("{shown} :{line}"));
        }
        self.reply(id, RPL_ENDOFHELP, format!("{shown} :End of HELP"));
    }

    pub(crate) fn links(&mut self, id: ConnectionId) {
        self.reply(id, RPL_LINKS, format!("{name} {name} :0 Parlor", name = self.settings.name));
        self.reply(id, RPL_ENDOFLINKS, "* :End of LINKS");
    }

    pub(crate) fn stats(&mut self, id: ConnectionId, query: &str) {
        let query = query.chars().next().unwrap_or('*');
        if query == 'u' {
            let up = self.now.elapsed.as_secs();
            let (days, h, m, s) = (up / 86_400, up / 3600 % 24, up / 60 % 60, up % 60);
            self.reply(id, RPL_STATSUPTIME, format!(":Server Up {days} days {h}:{m:02}:{s:02}"));
        }
        let query = if query == ':' { '*' } else { query };
        self.reply(id, RPL_ENDOFSTATS, format!("{query} :End of STATS"));
    }
}
