//! What members are held to: what RPL_ISUPPORT tells them, how large each table of the state gets,
//! who fills it and what goes first. The queue of a member has its bounds in `delivery::queue`.

use std::time::Duration;

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
/// Bytes of a room's key (ISUPPORT KEYLEN).
pub(crate) const MAX_KEY: usize = 32;
/// Bytes of a mask in the lists `b`, `e` and `I`.
pub(crate) const MAX_MASK: usize = 128;
/// Rooms of one JOIN or PART (ISUPPORT TARGMAX).
pub(crate) const MAX_JOINS: usize = 20;
/// Targets of one command (ISUPPORT TARGMAX).
pub(crate) const MAX_TARGETS: usize = 4;
/// Masks of one LIST (ISUPPORT TARGMAX).
pub(crate) const MAX_MASKS: usize = 10;
/// Changes with a parameter that one MODE may make (ISUPPORT MODES).
pub(crate) const MAX_CHANGES: usize = 6;
/// Lines that one CHATHISTORY may bring (ISUPPORT CHATHISTORY).
pub(crate) const MAX_LINES: usize = 100;

/// Rooms of one member (ISUPPORT CHANLIMIT). JOIN fills them; beyond, it is refused.
pub(crate) const MAX_ROOMS: usize = 50;
/// Names that one member watches (ISUPPORT MONITOR). MONITOR fills them; beyond, it is refused.
pub(crate) const MAX_WATCHED: usize = 100;
/// Entries of a room's lists `b`, `e` and `I` together (ISUPPORT MAXLIST). Its operators fill them with
/// MODE; beyond, that is refused.
pub(crate) const MAX_LIST: usize = 100;
/// Invitations by name of one room. INVITE fills them; beyond, the oldest goes.
pub(crate) const MAX_INVITED: usize = 100;
/// Ranks by token of one room. Members with a token fill them; beyond, a voice goes, else the oldest.
pub(crate) const MAX_HOLDERS: usize = 64;
/// Time after which a token that was not used is worth no rank any more.
pub(crate) const HELD_FOR: Duration = Duration::from_secs(30 * 24 * 3600);
/// Rooms that are kept although nobody is in them. Whoever leaves last fills them. Beyond, the one left
/// first goes that was open to all. What was said in a locked one must not be read by who makes it
/// anew: of those the one left last goes, so that nobody can push an older one out.
pub(crate) const MAX_EMPTY: usize = 10_000;
/// Names given up that WHOWAS knows. NICK and leaving fill them; beyond, the oldest goes.
pub(crate) const MAX_WHOWAS: usize = 200;
/// Time for which somebody who vanished is waited for; as many as may be connected.
pub(crate) const LINGER: Duration = Duration::from_secs(30);
/// Time for which a connection may say nothing at all: who writes with a raw client may well read first.
pub(crate) const SILENT: Duration = Duration::from_secs(600);
/// Private lines that are kept for one of them. Others fill them; beyond, they are told.
pub(crate) const MAX_MISSED: usize = 100;
/// Wrong tokens that one connection may try; then it is closed.
pub(crate) const MAX_WRONG: u8 = 3;
/// Connections from one loopback or private address: a class behind one router. Beyond, one more is
/// refused, as it is beyond the next.
pub(crate) const PER_NEAR_IP: usize = 64;
/// Connections from one address of the internet.
pub(crate) const PER_FAR_IP: usize = 16;
