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
/// Seconds between two lines of one person in a room (mode `f`).
pub(crate) const MAX_SLOW: u32 = 3600;
/// Targets of one command (ISUPPORT TARGMAX).
pub(crate) const MAX_TARGETS: usize = 4;
/// Masks of one LIST (ISUPPORT TARGMAX).
pub(crate) const MAX_MASKS: usize = 10;
/// Changes with a parameter that one MODE may make (ISUPPORT MODES).
pub(crate) const MAX_CHANGES: usize = 6;
/// Lines that one CHATHISTORY may bring (ISUPPORT CHATHISTORY).
pub(crate) const MAX_LINES: usize = 100;
/// Bytes of a message of several lines (the value of `draft/multiline`).
pub(crate) const MAX_MESSAGE: usize = 4096;
/// Its lines; each costs flood control as much as one by itself.
pub(crate) const MAX_MESSAGE_LINES: usize = 100;

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
/// Hours that the server runs, after which a token that was not used is worth no rank any more, and
/// a room that nobody came into ends: 30 days. No clock can leap over them.
pub(crate) const KEPT_FOR: u32 = 30 * 24;
/// Rooms that one address may make for each connection that it may have (a near one 1,024, a far one
/// 256), with people or kept; about 1 KB each, and 0.4 KB in the store. JOIN fills them; beyond, one more
/// is refused: nobody's room makes place for it.
pub(crate) const ROOMS_A_PERSON: usize = 16;
/// Rooms in all. Beyond, one more is refused.
pub(crate) const MAX_ALL_ROOMS: usize = 20_000;
/// Entries of the lists of all rooms that one address made: 2 MB with the longest masks. The operators of
/// those rooms fill them with MODE; beyond, that is refused.
pub(crate) const MAX_LISTED: usize = 5_000;
/// Names given up that WHOWAS knows. NICK and leaving fill them; beyond, the oldest goes.
pub(crate) const MAX_WHOWAS: usize = 200;
/// Time for which somebody who vanished is waited for; as many as may be connected.
pub(crate) const LINGER: Duration = Duration::from_secs(30);
/// Time for which a connection may say nothing at all: who writes with a raw client may well read first.
pub(crate) const SILENT: Duration = Duration::from_secs(600);
/// Private lines that are kept for one of them, and their bytes. Others fill them; beyond, they are told.
pub(crate) const MAX_MISSED: usize = 100;
/// See [`MAX_MISSED`].
pub(crate) const MAX_MISSED_BYTES: usize = 128 * 1024;
/// Wrong tokens that one connection may try; then it is closed.
pub(crate) const MAX_WRONG: u8 = 3;
/// Connections from one loopback or private address: a class behind one router. Beyond, one more is
/// refused, as it is beyond the next.
pub(crate) const PER_NEAR_IP: usize = 64;
/// Connections from one address of the internet.
pub(crate) const PER_FAR_IP: usize = 16;
