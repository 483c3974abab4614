//! What the window learns.

use std::sync::Arc;

use super::{Key, Line, LineId, Naming, Status};

/// What the window learns. Everything it shows is derived from these, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the comments say it; doc comments would take a line a field")]
pub enum Event {
    // How the connection stands; the first one comes from [`Session::new`].
    Status(Status),
    // Our name, as the server knows it.
    Me { nick: String },
    // How the server tells names apart; until it says, the default.
    Naming(Naming),
    // A conversation is there. A room is opened when we are in it; it stays open while the
    // connection is lost.
    Opened { key: Key, name: String, kind: Kind },
    // The person has asked for it: it is to be shown, now or as soon as it is open.
    Wanted { key: Key },
    // It is gone: we left, or (`why`) were put out. Its lines that still waited have failed.
    Closed { key: Key, why: Option<String> },
    // The person of a private conversation has another name: `key` is called `to` from now on.
    Moved { key: Key, to: Key, name: String },
    // Empty: there is none.
    Topic { key: Key, text: String },
    // Who is in a room: all of them, operators first, then by folded name. At most once a
    // handled input, and only if something changed. Empty while the connection is lost.
    People { key: Key, people: Arc<[Person]> },
    // New lines at the end of a timeline, in order.
    Lines { key: Key, lines: Vec<Line> },
    // Lines in order directly above another one: older pages, filled gaps, what others said
    // while own lines still wait at the end. A line that was taken out may come again here.
    // `new`: they were said just now or while we were away, as those of `Lines`; not in an older
    // page.
    Inserted { key: Key, before: LineId, lines: Vec<Line>, new: bool },
    // A line that is there, by its id, with something new: state, msgid, time.
    Changed { key: Key, line: Line },
    // These are not there any more: they move, or a crash of the server took them back.
    Removed { key: Key, ids: Vec<LineId> },
    // What [`Action::Find`](super::Action::Find) found.
    Found(Found),
    // The line that [`Action::Jump`](super::Action::Jump) wanted is in the timeline under this
    // id; without: it is not to be had any more.
    Jumped { key: Key, id: Option<LineId> },
    // Lines of others since the conversation was last read, and how many of them mention us.
    Unread { key: Key, count: u32, mentions: u32 },
    // Somebody mentioned us, or wrote privately, in a conversation that is not being read.
    Alert { key: Key, from: String, text: String },
    // The server's rooms, by number of people.
    Listed(Vec<ListedRoom>),
    // Something was not accepted; before the first welcome the session is offline after it.
    Refused(Refusal),
    // The commands: how each is written, and what it does.
    Help(Vec<(String, String)>),
    // Whom we ignore now, for the settings: names as they were given.
    Ignored(Vec<String>),
}

/// A page of found lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Where they were said.
    pub key: Key,
    /// What was looked for.
    pub text: String,
    /// The newest first, all older than those of the pages before. Those that the timeline has
    /// bear their ids; others have ids of their own.
    pub lines: Vec<Line>,
    /// This is the first page: what was shown of an earlier search is to go.
    pub first: bool,
    /// There are more: [`Action::FindMore`](super::Action::FindMore).
    pub more: bool,
    /// Only what was loaded could be looked through.
    pub local: bool,
}

/// What a conversation is with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Many.
    Room,
    /// One.
    Person,
    /// The server's own messages; always there.
    Server,
}

/// One who is in a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// As the person writes it.
    pub name: Arc<str>,
    /// What they may do.
    pub rank: Rank,
    /// They are away (known only where the server has `away-notify`).
    pub away: bool,
    /// It is us.
    pub me: bool,
}

/// What somebody may do in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Rank {
    /// May kick, ban and change the topic (`@`, and what is above or just below it).
    Operator,
    /// May talk where others may not (`+`).
    Voice,
    /// Nothing special.
    Member,
}

/// A room of the server's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedRoom {
    /// With its `#`.
    pub name: String,
    /// How many are in it.
    pub people: u32,
    /// Perhaps empty.
    pub topic: String,
}

/// Something that was not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Beside which field the sentence belongs.
    pub field: Field,
    /// What it is, for a window that has words of its own.
    pub reason: Reason,
    /// For the person: what failed, on what, and what to do.
    pub sentence: String,
    /// A name that is probably free, if the name was taken.
    pub suggestion: Option<String>,
}

/// A field of the first card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Field {
    /// Our name.
    Name,
    /// The address of the server.
    Address,
    /// The room.
    Room,
}

/// Why something was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// Somebody else has that name.
    NameTaken,
    /// The server does not allow such a name.
    NameBad,
    /// Nobody answers at the address, or the connection ended before the welcome.
    NoAnswer,
    /// Somebody answers, but speaks another protocol or nothing at all.
    NotChat,
    /// We may not connect to this server.
    Banned,
    /// The server needs a password.
    Password,
    /// The room does not let us in.
    RoomClosed,
    /// There cannot be a room of that name.
    RoomBad,
}
