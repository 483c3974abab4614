//! What members are held to, and told in RPL_ISUPPORT.

use crate::hub::{ConnectionId, Hub};
use crate::protocol::Numeric::*;
use crate::protocol::name;

/// Bytes of a user name (ISUPPORT USERLEN).
pub(crate) const MAX_USER: usize = 10;
/// Bytes of a real name (ISUPPORT NAMELEN).
pub(crate) const MAX_REALNAME: usize = 128;
/// Bytes of a topic (ISUPPORT TOPICLEN): with the longest names it still fits one line.
pub(crate) const MAX_TOPIC: usize = 300;
/// Bytes of the reason of a KICK (ISUPPORT KICKLEN).
pub(crate) const MAX_KICK: usize = 200;
/// Bytes of an away message (ISUPPORT AWAYLEN).
pub(crate) const MAX_AWAY: usize = 200;
/// Rooms that one member may be in (ISUPPORT CHANLIMIT).
pub(crate) const MAX_ROOMS: usize = 50;
/// Tokens of one RPL_ISUPPORT line (modern.ircdocs.horse, RPL_ISUPPORT).
const TOKENS_A_LINE: usize = 13;
/// Rooms of one JOIN or PART (ISUPPORT TARGMAX).
pub(crate) const MAX_JOINS: usize = 20;
/// Targets of one command (ISUPPORT TARGMAX).
pub(crate) const MAX_TARGETS: usize = 4;
/// Masks of one LIST (ISUPPORT TARGMAX).
pub(crate) const MAX_MASKS: usize = 10;
/// Names that one member may watch (ISUPPORT MONITOR).
pub(crate) const MAX_WATCHED: usize = 100;
/// Changes with a parameter that one command may make (ISUPPORT MODES).
pub(crate) const MAX_CHANGES: usize = 6;
/// Bytes of a room's key (ISUPPORT KEYLEN).
pub(crate) const MAX_KEY: usize = 32;
/// Entries of the lists `b`, `e` and `I` together (ISUPPORT MAXLIST).
pub(crate) const MAX_LIST: usize = 100;

impl Hub {
    /// RPL_ISUPPORT, exactly what the hub enforces.
    pub(crate) fn isupport(&mut self, id: ConnectionId) {
        let tokens = [
            format!("AWAYLEN={MAX_AWAY}"),
            "BOT=B".into(),
            "CASEMAPPING=ascii".into(),
            format!("CHANLIMIT=#:{MAX_ROOMS}"),
            "CHANMODES=beI,k,l,imnst".into(),
            format!("CHANNELLEN={}", name::MAX_CHARS),
            "CHANTYPES=#".into(),
            format!("CHATHISTORY={}", crate::hub::command::chathistory::MAX_LINES),
            "ELIST=MU".into(),
            "EXCEPTS=e".into(),
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
            // Message ids sort as the events happened.
            "parlor/MSGID=sorted".into(),
        ];
        for line in tokens.chunks(TOKENS_A_LINE) {
            self.reply(id, RPL_ISUPPORT, format!("{} :are supported by this server", line.join(" ")));
        }
    }
}
