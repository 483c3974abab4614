//! Who we are and where we want to go.

use serde::{Deserialize, Serialize};

use super::Kind;

/// Who we are and where we want to go.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Profile {
    /// The server, for messages; the driver is what calls it.
    pub server: super::HostPort,
    /// Others that share its rooms: they are called when it does not answer, each in its turn.
    pub others: Vec<super::HostPort>,
    /// The name we want.
    pub nick: String,
    /// The name shown by WHOIS; empty: the nick.
    pub realname: String,
    /// The rooms to enter, each with its `#`.
    pub rooms: Vec<String>,
    /// What was open when an earlier run of the program ended, in the order of the list: it is open again at once, whether
    /// a room lets us in or not.
    pub open: Vec<Open>,
    /// People whose lines are dropped.
    pub ignored: Vec<String>,
    /// What an earlier run of the program had not sent to this server; see
    /// [`Output::Keep`](super::Output::Keep).
    pub unsent: Vec<super::Unsent>,
    /// An earlier run of the program was welcome there: it is called until it answers, not given up.
    pub known: bool,
    /// How text is read that is not UTF-8.
    pub encoding: super::Encoding,
}

/// A conversation that was open when an earlier run of the program ended.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Open {
    /// As the server or its owner writes it.
    pub name: String,
    /// A room or a person.
    pub kind: Kind,
    /// What opens the room (mode `k`): a secret. Empty: it needs none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub key: String,
    /// The time of the last line that was read, in milliseconds since 1970; 0: none was.
    pub read: u64,
}
