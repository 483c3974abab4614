//! What the window learns.

use std::net::IpAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{
    Ban, Dcc, HostPort, Key, Line, LineId, Multiline, Naming, RoomSettings, Sentence, Status, UnixMillis,
};
use crate::trust::{KeyId, Shown};

/// What the window learns. Everything it shows is derived from these, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// How the connection stands; the first one comes from [`Session::new`](super::Session::new).
    Status(Status),
    /// Of the several addresses of the place this one is called now.
    Calling {
        /// Which one.
        server: HostPort,
    },
    /// The server was called and has answered.
    Met {
        /// Which one it is.
        server: HostPort,
        /// By TLS, and who it is then; else all that is said can be read on the way.
        shown: Option<Shown>,
        /// This computer's address on the way there.
        own: Option<IpAddr>,
        /// It is this very computer.
        here: bool,
    },
    /// Our name, as the server knows it.
    Me {
        /// The name.
        nick: String,
    },
    /// By our own wish we go by this name from now on; what is ours is that name's.
    Renamed {
        /// The name.
        nick: String,
    },
    /// How the server tells names apart; until it says, the default.
    Naming(Naming),
    /// A conversation is there. A room is opened when we are in it, asked for its key or invited, or because it was
    /// open when an earlier run of the program ended; it stays open while the connection is lost, and when we are put
    /// out.
    Opened {
        /// What names it from now on.
        key: Key,
        /// As the server or its owner writes it.
        name: String,
        /// With whom.
        kind: Kind,
    },
    /// The person has asked for a conversation: it is to be shown, now or as soon as it is open.
    Wanted {
        /// Which.
        key: Key,
    },
    /// A conversation is gone. Its lines that still waited have failed.
    Closed {
        /// Which.
        key: Key,
    },
    /// We are not in a room any more that stays on the screen, or not yet: put out, not let (back)
    /// in, invited. Or we are in.
    Out {
        /// The room.
        key: Key,
        /// Why; none: we are in.
        why: Option<Sentence>,
    },
    /// What opens a room has been found out, or has changed.
    RoomKey {
        /// The room.
        key: Key,
        /// Empty: nothing is needed. A secret.
        room_key: String,
    },
    /// How a room is set, and whenever that changes, after
    /// [`Action::LookAtSettings`](super::Action::LookAtSettings).
    Settings {
        /// Which.
        room: Key,
        /// Whole.
        settings: RoomSettings,
    },
    /// Who is kept out of a room, and whenever that changes, after
    /// [`Action::LookAtBans`](super::Action::LookAtBans).
    Bans {
        /// Which.
        room: Key,
        /// All of them, at most 1,000; none: the server shows them to others only.
        bans: Option<Vec<Ban>>,
    },
    /// The person of a private conversation has another name, or the server tells names apart in another way.
    Moved {
        /// What named it until now.
        key: Key,
        /// What names it from now on.
        to: Key,
        /// As the person writes it.
        name: String,
    },
    /// A room has another topic.
    Topic {
        /// The room.
        key: Key,
        /// Empty: there is none.
        text: String,
    },
    /// Who is in a room: all of them. At most once a handled input, and only if something changed.
    People {
        /// The room.
        key: Key,
        /// Operators first, then by folded name; empty while the connection is lost.
        people: Arc<[Person]>,
    },
    /// Whose hands are up in a room: all of them. At most once a handled input, after [`People`](Self::People).
    Hands {
        /// The room.
        key: Key,
        /// In the order in which they came; people of the room.
        hands: Vec<Key>,
    },
    /// What the host of a room can do on this server; with each connection.
    Tools(Tools),
    /// The server confirms what we did to somebody and can take back.
    Done {
        /// In which room.
        room: Key,
        /// What.
        deed: Deed,
    },
    /// Others are typing, or not any more.
    Typing {
        /// In which conversation.
        key: Key,
        /// Their names, in the order in which they began.
        names: Vec<String>,
    },
    /// New lines at the end of a timeline.
    Lines {
        /// Of which conversation.
        key: Key,
        /// In order; at least one.
        lines: Vec<Line>,
    },
    /// Lines directly above another one: older pages, filled gaps, what others said while own lines
    /// still wait at the end. A line that was taken out may come again here.
    Inserted {
        /// Of which conversation.
        key: Key,
        /// The line below them.
        before: LineId,
        /// In order; at least one.
        lines: Vec<Line>,
        /// They were said just now or while we were away, as those of [`Lines`](Self::Lines), not in
        /// an older page.
        new: bool,
    },
    /// A line that is there, by its id, with something new: state, msgid, time.
    Changed {
        /// Of which conversation.
        key: Key,
        /// The line as it is now.
        line: Line,
    },
    /// Lines that are not there any more: they move, or a crash of the server took them back.
    Removed {
        /// Of which conversation.
        key: Key,
        /// At least one.
        ids: Vec<LineId>,
    },
    /// What [`Action::Find`](super::Action::Find) found.
    Found(Found),
    /// Where the line is that [`Action::Jump`](super::Action::Jump) wanted.
    Jumped {
        /// In which conversation.
        key: Key,
        /// Its id in the timeline; without: it is not to be had any more.
        id: Option<LineId>,
    },
    /// The next lines that were said in a conversation, from its beginning on, after
    /// [`Action::Transcript`](super::Action::Transcript).
    Transcript {
        /// Which.
        key: Key,
        /// In order; perhaps none. Those that the timeline has bear their ids.
        lines: Vec<Line>,
        /// No more come.
        end: Option<Told>,
    },
    /// How much a conversation has that was not read.
    Unread {
        /// Which.
        key: Key,
        /// Lines of others since it was last read.
        count: u32,
        /// Those of them that mention us.
        mentions: u32,
    },
    /// Another device of ours has shown what was said until then.
    ReadElsewhere {
        /// Of which conversation.
        key: Key,
        /// The time of the last line that was read.
        at: UnixMillis,
    },
    /// Whether lines can be reacted to, and be taken back, on this server.
    Marking {
        /// Reactions, and that a line answers another one, get to the others.
        reacts: bool,
        /// Lines can be taken back.
        deletes: bool,
    },
    /// Somebody mentioned us, invited us, or wrote privately, in a conversation that is not being read.
    Alert {
        /// Which.
        key: Key,
        /// The line; it is in a timeline, too.
        line: Line,
    },
    /// The server's rooms, by number of people, the fullest first; at most 10,000.
    Listed(Vec<ListedRoom>),
    /// Something was not accepted; before the first welcome the session is offline after it.
    Refused(Refusal),
    /// A text or a command that nothing could be made of. Nobody has got it, and no line stands for it.
    GivenBack {
        /// Where it was typed.
        key: Key,
        /// All of it, as it was typed or would have to be now.
        text: String,
        /// The line that it answers.
        reply: Option<Line>,
        /// What is wrong with it.
        why: Sentence,
    },
    /// How long a text may be that goes out as one line.
    LineRoom {
        /// Bytes of it together with the name that it is for.
        bytes: usize,
        /// What a message may hold that has several lines, if it may.
        multiline: Option<Multiline>,
    },
    /// A person's program says something of a file: an offer, or what is agreed about one.
    Dcc {
        /// Where we talk to them.
        key: Key,
        /// Their name, folded.
        who: Key,
        /// As they write it.
        nick: String,
        /// What it says.
        dcc: Dcc,
    },
    /// The person wants to send somebody a file.
    SendFile {
        /// A private conversation.
        key: Key,
        /// The file, as it was typed; empty: it is still to be chosen.
        path: String,
    },
    /// The person asks which commands there are: [`Command::ALL`](super::Command::ALL).
    Help,
    /// The person wants to be told of nothing in a conversation, or of it again as usual.
    Muted {
        /// Which.
        key: Key,
        /// Of nothing.
        muted: bool,
    },
    /// Whom we ignore now, for the settings: names as they were given.
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

/// What the host of a room can do on a server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tools {
    /// Hands can be raised.
    pub hands: bool,
    /// Operators can lower those of others.
    pub lowers: bool,
    /// One person can be kept from speaking.
    pub mutes: bool,
    /// A room can be slow.
    pub slow: bool,
}

/// What we did to somebody in a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// Sent them out.
    Kicked {
        /// Whom.
        nick: String,
    },
    /// Put somebody on the list of those who are kept out, or may not speak.
    Banned(Ban),
}

/// How much of a conversation was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// All that the server has, or all that was here where it keeps nothing.
    Whole,
    /// The server did not answer, or there is no connection: more may have been said.
    InPart,
}

/// What a conversation is with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Many.
    #[default]
    Room,
    /// One.
    Person,
    /// Strangers, each of whom wrote to us alone, once too many of them have: its people are those
    /// whose lines it has. [`Action::Private`](super::Action::Private) gives one of them a
    /// conversation, and moves what they wrote there.
    Others,
    /// The server's own messages; always there.
    Server,
}

/// One who is in a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The name, folded.
    pub key: Key,
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
    /// What failed, and on what.
    pub sentence: Sentence,
    /// A name that is probably free, if the name was taken.
    pub suggestion: Option<String>,
}

impl Refusal {
    /// A server that is not met before it is trusted, and its key.
    pub fn stranger(&self) -> Option<(&HostPort, KeyId)> {
        match &self.sentence {
            Sentence::KeyChanged { server, now: key, .. } | Sentence::KeyUnknown { server, key } => {
                Some((server, *key))
            }
            _ => None,
        }
    }
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
    /// The password of our name.
    Password,
    /// The password of the server.
    ServerPassword,
    /// The file of our certificate.
    Certificate,
}
