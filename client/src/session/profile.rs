//! Who we are and where we want to go.

/// Who we are and where we want to go.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Profile {
    /// The server, for messages; the driver is what calls it.
    pub server: super::HostPort,
    /// The name we want.
    pub nick: String,
    /// The name shown by WHOIS; empty: the nick.
    pub realname: String,
    /// The rooms to enter, each with its `#`.
    pub rooms: Vec<String>,
    /// People whose lines are dropped.
    pub ignored: Vec<String>,
    /// What an earlier run of the program had not sent to this server; see
    /// [`Output::Keep`](super::Output::Keep).
    pub unsent: Vec<super::Unsent>,
    /// How text is read that is not UTF-8.
    pub encoding: super::Encoding,
}
