//! How much of what others send is kept: every table that somebody else can fill, its bound, and
//! what goes first. A server with the worst of intentions costs a window about 200 MB, and nothing
//! once it is silent.
//!
//! | table | who fills it | bound | what goes first |
//! | --- | --- | --- | --- |
//! | lines to the server | PING, CAP, whatever is answered | [`TO_SEND`] bytes | the connection |
//! | events for the window | everything | [`TO_TELL`] | nothing: the server waits |
//! | lines of a place | talk, comings and goings, replies | [`LINES_BYTES`] | the oldest of the longest conversation |
//! | lines of a conversation | the same | [`LINES`]; of the strangers' row [`OTHERS_LINES`] | the oldest |
//! | conversations with strangers | whoever writes to us | [`STRANGERS`] | nothing: later ones share a row |
//! | rooms that we did not ask for | JOIN in our name | [`ROOMS_UNASKED`] | the newcomer |
//! | rooms that we are not in | INVITE | [`INVITED`] | the newcomer: told among the server's lines |
//! | who is kept out of a room | RPL_BANLIST | [`BANS`] | what comes last |
//! | people of a room, of all rooms | JOIN, NAMES | [`PEOPLE_IN_ROOM`], [`PEOPLE`], names of [`NAME`] bytes | the newcomer |
//! | gaps of a conversation | losses of the connection | [`GAPS`] | the oldest |
//! | questions under way | JOIN, scrolling | [`QUESTIONS`] | the newcomer: asked when it is looked at |
//! | open batches, their lines | BATCH | [`BATCHES`], [`PAGE_LINES`] each, [`PAGES_BYTES`] in all | the oldest batch, the last lines |
//! | the list of rooms | LIST | [`LISTED`] of [`TOPIC_LISTED`] bytes | what comes last |
//! | who is typing | TAGMSG | [`TYPING`] in all | the newcomer |
//! | whose hands are up in a room | TAGMSG | [`HANDS`] of its people | the newcomer |
//! | what is said about lines | TAGMSG, REDACT, answers | [`MARKED`] lines of a place, named in [`MSGID`] bytes, [`REACTIONS`] in all, of a line [`REACTED`] of [`KINDS`] and [`ANSWERS`] | the line that was marked first |
//! | deletions that no server has confirmed | we | 64 (`session/reactions.rs`) | the oldest: it is the server's alone |
//! | parts of a line with formatting | talk | [`SPANS`] | the last: they are plain |
//! | a message of several lines | BATCH | [`MESSAGE_BYTES`], [`MESSAGE_LINES`] | its end |
//! | files that are offered | DCC SEND | 5 of one person, 40 in all (`dcc`) | the oldest |
//! | files that wait for a yes | we | 4 (`bridge/transfers`) | the newcomer, and that is said |
//! | pictures that are shown | we | those of the files above | with their file |
//! | pages that wait for a transcript's disk | whoever tells us history | 256 (`bridge/transcript`) | nothing is saved |
//! | files that are remembered | the same, and we | 80 (`dcc`) | the oldest that is over |
//! | names that we had | NICK in our name | [`NAMES_HAD`] | all but the last |
//! | names of lines seen | msgids, `+parlor/id` | 4,096 (`session/recent.rs`) | the oldest |
//! | starts of the server | msgids | 64 (`session/durable.rs`) | the oldest |
//! | one unfinished line | anything | 24 KB (`protocol/leniency.rs`) | the connection |
//! | one row of comings and goings | JOIN, QUIT, NICK | [`FOLDED`] | nothing: another row begins |
//! | notifications | mentions, private lines | one each [`NOTICE_EVERY`], [`NOTICE_PEOPLE`] counted | nothing: they are joined |
//! | notifications that can be clicked | the same | [`NOTICES_SHOWN`] | the oldest |
//! | the draft of a conversation, a paste | the person | [`TYPED`] characters | nothing: it stays as it was |
//! | a file of ours | other programs | [`FILE`] bytes | it is set aside |
//! | what was open and comes back | we, and who writes to us | [`OPEN_KEPT`] of one person at one place | the newcomer |
//! | windows of one person at one place | we | [`SLOTS`] | nothing is kept of the newcomer |
//! | places to come back to | we | [`BOOKMARKS`] | the one that was used longest ago |
//! | a transcript | whoever tells us history | [`TRANSCRIPT`] bytes | nothing is saved |
//! | JOINs that wait for the server's patience | what was open | [`OPEN_KEPT`] rooms in few lines | nothing |

use std::time::Duration;

/// Bytes that a server may leave unread before the connection ends.
pub const TO_SEND: usize = 1 << 20;
/// Events, lines and people that wait for the window before the server has to; what one read
/// makes of it may be more by as much again.
pub const TO_TELL: usize = 8_192;
/// Bytes of a read that are looked at in one go.
pub const AT_ONCE: usize = 4_096;

/// Bytes of the lines of a place, with what holds them.
pub const LINES_BYTES: usize = 64 << 20;
/// Lines of one conversation.
pub const LINES: usize = 200_000;
/// Lines of the conversation that strangers share.
pub const OTHERS_LINES: usize = 1_000;
/// Lost stretches of one conversation.
pub const GAPS: usize = 64;

/// People whom we never answered and who have a conversation each.
pub const STRANGERS: usize = 20;
/// Rooms that are open when the server puts us into another one.
pub const ROOMS_UNASKED: usize = 128;
/// Rooms on the screen that we are not in when somebody invites us into another one.
pub const INVITED: usize = 8;
/// Bans and exceptions of one room.
pub const BANS: usize = 1_000;
/// People of one room.
pub const PEOPLE_IN_ROOM: usize = 10_000;
/// People of all rooms, about 300 bytes each.
pub const PEOPLE: usize = 32_768;
/// Bytes of a name, and of `user@host`; longer ones are nobody's.
pub const NAME: usize = 256;
/// Names that we had and that are still known as ours.
pub const NAMES_HAD: usize = 64;

/// Questions for history that wait for an answer.
pub const QUESTIONS: usize = 512;
/// Batches that are open at a time.
pub const BATCHES: usize = 16;
/// Lines of one answer; a server gives fewer.
pub const PAGE_LINES: usize = 10_000;
/// Bytes of all answers that are still coming.
pub const PAGES_BYTES: usize = 8 << 20;
/// Rooms of a list.
pub const LISTED: usize = 10_000;
/// People of whom is known that they are typing.
pub const TYPING: usize = 100;
/// Hands that are up in one room.
pub const HANDS: usize = 1_000;
/// Bytes of a server's name for a line; a line with a longer one has none.
pub const MSGID: usize = 128;
/// Lines of a place about which something is said: reactions, a deletion, answers.
pub const MARKED: usize = 8_192;
/// Reactions of a place, about 100 bytes each.
pub const REACTIONS: usize = 20_000;
/// Reactions to one line, of all people.
pub const REACTED: usize = 200;
/// Different ones to one line.
pub const KINDS: usize = 20;
/// Bytes of one.
pub const EMOJI: usize = 64;
/// Lines of which is remembered that they answer another one.
pub const ANSWERS: usize = 64;
/// Characters of a line that are shown above one that answers it.
pub const QUOTED: usize = 160;
/// Parts of one line that are written in a way of their own.
pub const SPANS: usize = 256;
/// Bytes of a message of several lines.
pub const MESSAGE_BYTES: usize = 64 << 10;
/// Lines of one.
pub const MESSAGE_LINES: usize = 1_000;
/// Bytes of the topic of a room in a list of rooms.
pub const TOPIC_LISTED: usize = 400;

/// Comings and goings in one row.
pub const FOLDED: usize = 200;
/// Sentences that a screen reader says at a time; of more their number and the last one.
pub const SAID: usize = 3;
/// Characters of one of those.
pub const SAID_CHARACTERS: usize = 400;
/// Between two times that something is said.
pub const SAID_EVERY: Duration = Duration::from_secs(1);
/// Between two notifications.
pub const NOTICE_EVERY: Duration = Duration::from_secs(5);
/// Notifications that can be clicked.
pub const NOTICES_SHOWN: usize = 32;
/// People of a joined notification who are counted.
pub const NOTICE_PEOPLE: usize = 1_000;

/// Characters of a text that is being written, and of one that is pasted; more would take a field long to lay out.
pub const TYPED: usize = 16_000;

/// Bytes of a file that is read.
pub const FILE: u64 = 16 << 20;
/// Rooms and people that were open and come back at the next start.
pub const OPEN_KEPT: usize = 256;
/// Windows of the same person at the same place that keep what is theirs.
pub const SLOTS: usize = 16;
/// Places to come back to.
pub const BOOKMARKS: usize = 64;
/// Bytes of a transcript: a server may tell for ever.
pub const TRANSCRIPT: u64 = 1 << 30;
