//! What the person does.

use super::{Dcc, Key, Line, LineId, RoomSetting};

/// What the person does.
///
/// Nothing here fails: what cannot be done is answered with a line of kind
/// [`Error`](super::LineKind::Error), or with [`Event::Refused`](super::Event::Refused). A conversation
/// that is not open is none of an action's business; rooms and people are named by their keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Says a text, perhaps of several lines; nothing in it is a command. It becomes one or more
    /// pending lines at once, connected or not.
    Say {
        /// The room or the person.
        to: Key,
        /// As typed, with `*bold*`, `_italic_`, `` `code` `` and blocks of code; as one message where the server takes one of
        /// several lines and it fits, else cut.
        text: String,
    },
    /// The same in answer to a line that the server has.
    Answer {
        /// The room or the person.
        to: Key,
        /// As with [`Say`](Self::Say).
        text: String,
        /// The line.
        id: LineId,
    },
    /// Puts an emoji under a line that the server has, or takes it back.
    React {
        /// Where it stands.
        to: Key,
        /// The line.
        id: LineId,
        /// At most [`EMOJI`](crate::limits::EMOJI) bytes.
        emoji: String,
        /// Puts rather than takes.
        on: bool,
    },
    /// Takes a line back that the server has: an own one or, as operator, anybody's.
    Delete {
        /// Where it stands.
        to: Key,
        /// The line.
        id: LineId,
        /// What others are told; may be empty.
        reason: String,
    },
    /// Brings the line that another one answers into the timeline, as [`Jump`](Self::Jump) does.
    JumpToAnswered {
        /// Where.
        key: Key,
        /// The line that answers.
        id: LineId,
    },
    /// What is not under way of what was said there is not sent any more.
    Cancel {
        /// Where.
        to: Key,
    },
    /// Says what the person does (`/me`, CTCP ACTION); else as [`Say`](Self::Say).
    Me {
        /// The room or the person.
        to: Key,
        /// Without the name.
        text: String,
    },
    /// Tells the others that something is being typed, every 3 s at most, or that it was taken back. Sent, it says so itself.
    Typing {
        /// The room or the person.
        to: Key,
        /// There is something.
        writes: bool,
    },
    /// Sends a failed line again, as the last one.
    Retry {
        /// Where it stands.
        to: Key,
        /// The line.
        id: LineId,
    },
    /// Takes a failed line out; it is not sent any more.
    Discard {
        /// Where it stands.
        to: Key,
        /// The line.
        id: LineId,
    },
    /// Fetches the page above the first line, if that is a gap. Harmless to say often.
    Older {
        /// Of which room.
        key: Key,
    },
    /// Fetches what is missing at a gap, from its lower end up.
    Fill {
        /// Of which room.
        key: Key,
        /// The line of kind [`Gap`](super::LineKind::Gap).
        gap: LineId,
    },
    /// Looks for words in a conversation, the newest first: in the server's whole history where it
    /// has a search, else in the lines that are here. Answered by [`Event::Found`](super::Event::Found).
    Find {
        /// Where.
        key: Key,
        /// The words; all of them stand in a line that is found.
        text: String,
    },
    /// The next, older page of what [`Find`](Self::Find) of the same conversation has found.
    FindMore {
        /// Where.
        key: Key,
    },
    /// Brings a found line and those around it into the timeline;
    /// [`Event::Jumped`](super::Event::Jumped) says where.
    Jump {
        /// Where.
        key: Key,
        /// A line of [`Found`](super::Found).
        to: Line,
    },
    /// What was typed with a leading `/`; see [`Command`](super::Command). An unknown word is
    /// answered with a line, never sent as text; `//x` says `/x`.
    Command {
        /// The conversation in which it was typed.
        at: Key,
        /// The whole line.
        line: String,
    },
    /// Enters rooms, now or as soon as there is a connection.
    Join {
        /// One or several with commas between; each may lack its `#`.
        room: String,
        /// The room's password (mode `k`).
        key: Option<String>,
    },
    /// Leaves a room, with [`Event::Closed`](super::Event::Closed).
    Leave {
        /// The room.
        key: Key,
    },
    /// Changes a topic.
    Topic {
        /// The room.
        room: Key,
        /// Empty: clears it.
        text: String,
    },
    /// Puts somebody out of a room.
    Kick {
        /// The room.
        room: Key,
        /// Whom.
        nick: String,
        /// What they are told; may be empty.
        why: String,
    },
    /// Keeps somebody from coming in again; does not kick. By host where it is known, else by name; what has a
    /// `!`, `@` or `*` in it is a mask.
    Ban {
        /// The room.
        room: Key,
        /// Whom.
        nick: String,
    },
    /// Lets somebody in again.
    Unban {
        /// The room.
        room: Key,
        /// As [`Ban::mask`](super::Ban) says it.
        mask: String,
        /// Takes back an exception rather than a ban.
        exception: bool,
    },
    /// Asks who is kept out; [`Event::Bans`](super::Event::Bans) tells, from now on with each change.
    LookAtBans {
        /// Of which room.
        room: Key,
    },
    /// Asks how a room is set; [`Event::Settings`](super::Event::Settings) tells, from now on with
    /// each change.
    LookAtSettings {
        /// Which room.
        room: Key,
    },
    /// Sets it in another way.
    Set {
        /// Which room.
        room: Key,
        /// What.
        setting: RoomSetting,
    },
    /// Raises or lowers our hand, or lowers somebody's.
    Hand {
        /// The room.
        room: Key,
        /// Raises it.
        up: bool,
        /// Whose, to lower it as operator; none: ours.
        nick: Option<String>,
    },
    /// Lets somebody speak while the room is moderated, or takes that back.
    Voice {
        /// The room.
        room: Key,
        /// Whom.
        nick: String,
        /// Gives rather than takes it.
        on: bool,
    },
    /// Keeps somebody from speaking who stays in the room, or takes that back.
    Mute {
        /// The room.
        room: Key,
        /// Whom.
        nick: String,
        /// Mutes rather than unmutes.
        on: bool,
    },
    /// Makes somebody operator, or takes that back.
    Op {
        /// The room.
        room: Key,
        /// Whom.
        nick: String,
        /// Gives the rank rather than takes it.
        on: bool,
    },
    /// Invites somebody.
    Invite {
        /// Into which room.
        room: Key,
        /// Whom.
        nick: String,
    },
    /// Opens a private conversation.
    Private {
        /// With whom.
        nick: String,
    },
    /// Closes a private conversation; of a room the same as [`Leave`](Self::Leave).
    Close {
        /// Which.
        key: Key,
    },
    /// Says something of a file to somebody's program.
    Dcc {
        /// Whose.
        nick: String,
        /// What.
        dcc: Dcc,
    },
    /// Drops what somebody says from now on.
    Ignore {
        /// Who.
        nick: String,
    },
    /// Takes [`Ignore`](Self::Ignore) back.
    Unignore {
        /// Who.
        nick: String,
    },
    /// Tells all that was said in a conversation, in [`Event::Transcript`](super::Event::Transcript)s: the server's
    /// history where it has one, and what is here. One at a time: another one takes the place of the first.
    Transcript {
        /// Of which.
        key: Key,
    },
    /// Takes that back.
    NoTranscript,
    /// Gives us another name; while offline it is kept for the next connection.
    Rename {
        /// The name.
        nick: String,
    },
    /// Marks us as away, or as back.
    Away {
        /// What others are told; `None`: back.
        text: Option<String>,
    },
    /// Lists all rooms of the server, in [`Event::Listed`](super::Event::Listed).
    ListRooms,
    /// This conversation is on the screen: its unread count is and stays 0.
    Reading {
        /// Which.
        key: Key,
    },
    /// No conversation is on the screen: the window is hidden, or shows something else.
    NotReading,
    /// Connects at once instead of later, also after [`Disconnect`](Self::Disconnect).
    RetryNow,
    /// Says good-bye and stays offline.
    Disconnect,
}
