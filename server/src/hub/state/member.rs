//! One person on one connection.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::hub::state::Token;
use crate::hub::state::draft::Draft;
use crate::hub::state::room::Place;
use crate::hub::state::sasl::Sasl;
use crate::hub::state::waiting::Waiting;
use crate::protocol::command::Verb;
use crate::protocol::raw::Colon;
use crate::protocol::scram::Key;
use crate::protocol::time::UnixMillis;
use crate::protocol::{Capabilities, Capability, Folded, MsgId, Nick};

/// The kind of a raw client's program; settled by its first chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RawKind {
    /// It writes and shows HTML, with names in `<font>`.
    Html,
    /// It answered the prompt with its name, and writes `name: text`.
    Prompted,
    /// It writes its name in front of each message, with this colon behind it.
    Named(Colon),
    /// It writes nothing but text.
    Bare,
}

impl RawKind {
    /// Whether it shows what its person says only when that comes back, as from its own server.
    pub(crate) fn hears_itself(self) -> bool {
        self != RawKind::Bare
    }
}

/// What a connection speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaker {
    /// Nothing has been heard yet.
    Unknown,
    /// The IRC client protocol.
    Irc,
    /// A person at a terminal.
    Plain,
    /// A tutorial's chat program.
    Raw(RawKind),
}

impl fmt::Display for Speaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Speaker::Unknown => "?",
            Speaker::Irc => "irc",
            Speaker::Plain => "plain",
            Speaker::Raw(RawKind::Html) => "raw, html",
            Speaker::Raw(RawKind::Prompted) => "raw, prompted",
            Speaker::Raw(RawKind::Named(_)) => "raw, named",
            Speaker::Raw(RawKind::Bare) => "raw, bare",
        })
    }
}

/// Begins a mask of accounts.
pub(crate) const ACCOUNT_MASK: &str = "~a:";

/// A place in the table of connections.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) generation: u32,
    pub(crate) member: Option<Box<Member>>,
}

/// A password that a person at a terminal is to type.
#[derive(Debug, Clone)]
pub(crate) enum Asked {
    /// That of the server, before this is looked at as a name.
    Admission(Box<str>),
    /// That of this name.
    Password(Nick),
}

/// What a connection has said of itself before it is a member.
#[derive(Debug, Default)]
pub(crate) struct Registration {
    /// CAP LS or REQ came, CAP END has not.
    pub(crate) negotiating: bool,
    pub(crate) user: bool,
    /// Somebody's name, asked for before it was clear whether this is its owner.
    pub(crate) wished: Option<Nick>,
    /// It gave the password of the server.
    pub(crate) admitted: bool,
    /// What was asked at a terminal; the next line answers it.
    pub(crate) asked: Option<Asked>,
    /// Something has come from it.
    pub(crate) begun: bool,
    /// What it gave for a name at a terminal was refused.
    pub(crate) refused: bool,
    /// The token of an earlier connection (`parlor/resume`).
    pub(crate) brought: Option<Token>,
    /// It was told that it will have the place of that one.
    pub(crate) accepted: bool,
    /// Tokens and passwords.
    pub(crate) wrong: u8,
}

/// One person on one connection.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) peer: SocketAddr,
    pub(crate) cloak: u64,
    /// What it is handed out to come back with; without it, it cannot.
    pub(crate) token: Option<Token>,
    pub(crate) speaker: Speaker,
    /// Nobody on the way can read what it sends.
    pub(crate) secure: bool,
    /// SHA-256 of the certificate that it showed.
    pub(crate) certificate: Option<Box<Key>>,
    /// It is a telnet program: it can be told to show nothing.
    pub(crate) telnet: bool,
    /// The account that it has logged in to.
    pub(crate) account: Option<Arc<str>>,
    pub(crate) sasl: Option<Box<Sasl>>,
    /// A password of it is looked at, and its lines wait.
    pub(crate) waiting: Option<Box<Waiting>>,
    pub(crate) caps: Capabilities,
    /// The rest of registration; `None` once the member is in.
    pub(crate) registration: Option<Box<Registration>>,
    pub(crate) nick: Option<Nick>,
    pub(crate) username: Box<str>,
    pub(crate) realname: Box<str>,
    pub(crate) away: Option<Box<str>>,
    /// Server operator.
    pub(crate) operator: bool,
    pub(crate) invisible: bool,
    pub(crate) bot: bool,
    /// Hears WALLOPS.
    pub(crate) wallops: bool,
    /// The rooms this member is in, in the order of joining.
    pub(crate) rooms: Vec<Place>,
    /// When the last byte came.
    pub(crate) heard: Duration,
    /// The last event that it must have read; `None` while it was not heard since it came into a room.
    pub(crate) read: Option<MsgId>,
    /// A PING was sent at that time and nothing came since.
    pub(crate) pinged: Option<Duration>,
    pub(crate) signed_on: UnixMillis,
    /// Tells it from everybody else who ever was here, however often it comes back to its place. No account looks
    /// like it: it begins with a space.
    pub(crate) stay: Arc<str>,
    /// When this member last said something; before it is one, since when its name is waited for.
    pub(crate) spoke: Duration,
    /// Whom this member watches (MONITOR), folded and as written.
    pub(crate) watched: Vec<(Folded, Box<str>)>,
    /// A message of several lines that it has begun.
    pub(crate) draft: Option<Box<Draft>>,
    /// Its connection is gone for good, which has to have its turn.
    pub(crate) leaving: bool,
    /// Its connection is gone, and it is waited for.
    pub(crate) lingering: Option<Box<Lingering>>,
}

/// Somebody whose connection is gone and who may come back.
#[derive(Debug)]
pub(crate) struct Lingering {
    pub(crate) until: Duration,
    /// What others will be told if it does not.
    pub(crate) reason: Box<str>,
    pub(crate) missed: Vec<Missed>,
}

/// A private message that came meanwhile. Not a line yet: who comes back may read other tags.
#[derive(Debug)]
pub(crate) struct Missed {
    pub(crate) id: MsgId,
    pub(crate) from: Source,
    pub(crate) tags: String,
    pub(crate) verb: Verb,
    pub(crate) text: String,
}

impl Member {
    pub(crate) fn new(peer: SocketAddr, cloak: u64, token: Option<Token>, now: Duration) -> Member {
        Member {
            peer,
            cloak,
            token,
            speaker: Speaker::Unknown,
            secure: false,
            certificate: None,
            telnet: false,
            account: None,
            sasl: None,
            waiting: None,
            caps: Capabilities::default(),
            registration: Some(Box::default()),
            nick: None,
            username: "".into(),
            realname: "".into(),
            away: None,
            operator: false,
            invisible: false,
            bot: false,
            wallops: false,
            rooms: Vec::new(),
            heard: now,
            read: None,
            pinged: None,
            signed_on: UnixMillis::default(),
            stay: Arc::default(),
            spoke: now,
            watched: Vec::new(),
            draft: None,
            leaving: false,
            lingering: None,
        }
    }

    pub(crate) fn registered(&self) -> bool {
        self.registration.is_none()
    }

    pub(crate) fn has(&self, capability: Capability) -> bool {
        self.caps.has(capability)
    }

    /// The name, or `*` before there is one.
    pub(crate) fn name(&self) -> &str {
        self.nick.as_ref().map_or("*", Nick::as_str)
    }

    /// Whether a password may be sent as it is: nobody else can read it on its way.
    pub(crate) fn is_private(&self) -> bool {
        self.secure || self.peer.ip().is_loopback()
    }

    /// What others see instead of the address.
    pub(crate) fn host(&self) -> Cloak {
        Cloak(self.cloak)
    }

    /// Who may take back what it says.
    pub(crate) fn author(&self) -> &Arc<str> {
        self.account.as_ref().unwrap_or(&self.stay)
    }

    /// What masks of the lists `b`, `e` and `I` are compared with, folded: `nick!user@host`, and its account
    /// (IRCv3 account-extban) as `~a:account`, which no `nick!user@host` looks like.
    pub(crate) fn masked(&self) -> Vec<Folded> {
        let account = self.account.iter().map(|account| Folded::new(&format!("{ACCOUNT_MASK}{account}")));
        std::iter::once(Folded::new(&self.prefix())).chain(account).collect()
    }

    /// `nick!user@host`.
    pub(crate) fn prefix(&self) -> String {
        format!("{}!{}@{}", self.name(), self.username, self.host())
    }
}

/// A member, or the server, as others see who does something.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) nick: String,
    /// `nick!user@host`, or the server's name.
    pub(crate) prefix: String,
    pub(crate) account: Option<Arc<str>>,
    /// Who may take back what it says: the account, or else this one [stay](Member::stay).
    pub(crate) author: Arc<str>,
    pub(crate) bot: bool,
}

/// A host as others see it: twelve characters that stand for an address, and `.cloak`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cloak(u64);

impl fmt::Display for Cloak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
        // In one piece: it is in every line that somebody says.
        let mut host = *b"aaaaaaaaaaaa.cloak";
        for (i, letter) in host.iter_mut().take(12).enumerate() {
            let digit = (self.0 >> (5 * i)) & 31;
            *letter = ALPHABET[digit as usize];
        }
        f.write_str(std::str::from_utf8(&host).map_err(|_| fmt::Error)?)
    }
}
