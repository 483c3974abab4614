//! What the person at the window does.

use super::{Key, Line, LineId};

/// What the person at the window does.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the comments say it; doc comments would take a line a field")]
pub enum Action {
    // Says a text, perhaps of several lines: nothing in it is a command. It becomes one or more
    // pending lines at once, connected or not.
    Say { to: Key, text: String },
    // The same as `/me`.
    Me { to: Key, text: String },
    // Sends a failed line again, as the last one.
    Retry { to: Key, id: LineId },
    // Takes a failed line out; it is not sent any more.
    Discard { to: Key, id: LineId },
    // Fetches the page above the first line, if that is a gap. Harmless to say often.
    Older { key: Key },
    // Fetches what is missing at a gap, from its lower end up.
    Fill { key: Key, gap: LineId },
    // Looks for words in a conversation, the newest first: in the server's whole history where it
    // has a search, else in the lines that are here. Answered by [`Event::Found`].
    Find { key: Key, text: String },
    // The next, older page of what `Find` of the same conversation has found.
    FindMore { key: Key },
    // Brings a found line and those around it into the timeline; [`Event::Jumped`] says where.
    Jump { key: Key, to: Line },
    // What was typed with a leading `/`, in the conversation `at`; see [`Session::commands`].
    // An unknown word is answered with a line, never sent as text; `//x` says `/x`.
    Command { at: Key, line: String },
    // Enters a room; `room` may lack its `#`.
    Join { room: String, key: Option<String> },
    // Leaves a room, with [`Event::Closed`].
    Leave { key: Key },
    // Changes a topic; an empty one clears it.
    Topic { room: Key, text: String },
    Kick { room: Key, nick: String, why: String },
    // Keeps somebody from coming in again; does not kick.
    Ban { room: Key, nick: String },
    // Makes somebody operator, or takes that back.
    Op { room: Key, nick: String, on: bool },
    Invite { room: Key, nick: String },
    // Opens a private conversation.
    Private { nick: String },
    // Closes a private conversation; of a room the same as `Leave`.
    Close { key: Key },
    Ignore { nick: String },
    Unignore { nick: String },
    // Another name for us. While offline it is kept for the next connection.
    Rename { nick: String },
    // Away with a text, or back.
    Away { text: Option<String> },
    // Answered by [`Event::Listed`].
    ListRooms,
    // This conversation is on the screen: its unread count is and stays 0.
    Reading { key: Key },
    // None is: the window is hidden or shows something else.
    NotReading,
    // Connects at once instead of later, also after `Disconnect`.
    RetryNow,
    // Says goodbye and stays offline.
    Disconnect,
}
