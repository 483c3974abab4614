//! Who was here: the last names that were given up.

use std::collections::VecDeque;

use crate::hub::command::membership::shown;
use crate::hub::{ConnectionId, Hub};
use crate::protocol::Folded;
use crate::protocol::Numeric::*;
use crate::protocol::time::UnixMillis;

/// Names remembered.
const MOST: usize = 200;
/// Names that one reply lists.
const MOST_SHOWN: usize = 10;

#[derive(Debug, Clone)]
pub(crate) struct Departed {
    pub(crate) folded: Folded,
    pub(crate) nick: String,
    pub(crate) user: String,
    pub(crate) host: String,
    pub(crate) realname: String,
    pub(crate) at: UnixMillis,
}

/// The last [`MOST`] names that were given up, newest first.
#[derive(Debug, Default)]
pub(crate) struct Whowas(VecDeque<Departed>);

impl Whowas {
    pub(crate) fn push(&mut self, departed: Departed) {
        self.0.truncate(MOST - 1);
        self.0.push_front(departed);
    }
}

impl Hub {
    pub(crate) fn whowas(&mut self, id: ConnectionId, nick: &str, count: Option<&str>) {
        let folded = Folded::new(nick);
        let nick = shown(nick);
        // A count that is no positive number means all (RFC 2812 §3.6.3); all is bounded here.
        let most =
            count.and_then(|count| count.parse().ok()).filter(|count| *count > 0).unwrap_or(MOST_SHOWN);
        let found: Vec<Departed> = self
            .whowas
            .0
            .iter()
            .filter(|departed| departed.folded == folded)
            .take(most.min(MOST_SHOWN))
            .cloned()
            .collect();
        if found.is_empty() {
            self.reply(id, ERR_WASNOSUCHNICK, format!("{nick} :Nobody of that name was here lately"));
        }
        for Departed { nick, user, host, realname, at, .. } in found {
            self.reply(id, RPL_WHOWASUSER, format!("{nick} {user} {host} * :{realname}"));
            self.reply(id, RPL_WHOISSERVER, format!("{nick} {} :{at}", self.settings.name));
        }
        self.reply(id, RPL_ENDOFWHOWAS, format!("{nick} :End of WHOWAS"));
    }
}
