//! One person on one connection.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use super::page::Pages;
use super::receipts::Queue;
use super::resume::Lingering;
use super::room::Place;
use crate::protocol::time::UnixMillis;
use crate::protocol::{Capabilities, Capability, Folded, Nick};

/// How a toy client writes text; settled by its first chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToyKind {
    /// Answered the prompt: gets ASCII only, anything else as `?`.
    Ascii,
    /// Sent `<font`: its tags are dropped, `<>&` are escaped for it.
    Html,
    /// Anything else: text as it is.
    Utf8,
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
    /// A tutorial's chat client, on the listener for those.
    Toy(ToyKind),
}

impl fmt::Display for Speaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Speaker::Unknown => "?",
            Speaker::Irc => "irc",
            Speaker::Plain => "plain",
            Speaker::Toy(ToyKind::Ascii) => "toy, ascii",
            Speaker::Toy(ToyKind::Html) => "toy, html",
            Speaker::Toy(ToyKind::Utf8) => "toy, utf-8",
        })
    }
}

/// How lines are written for a connection: an index into the encodings of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Form(u8);

impl Form {
    pub(super) const COUNT: usize = 13;
    const TIME: u8 = 1;
    const TAGS: u8 = 2;
    const EXTENDED_JOIN: u8 = 4;
    pub(super) const PLAIN: Form = Form(8);
    pub(super) const TOY_ASCII: Form = Form(9);
    pub(super) const TOY_HTML: Form = Form(10);
    pub(super) const TOY_UTF8: Form = Form(11);
    /// Hears nothing yet.
    pub(super) const NONE: Form = Form(12);

    pub(super) fn of(speaker: Speaker, caps: Capabilities) -> Form {
        let bit = |capability, bit| if caps.has(capability) { bit } else { 0 };
        match speaker {
            Speaker::Unknown => Form::NONE,
            Speaker::Plain => Form::PLAIN,
            Speaker::Toy(ToyKind::Ascii) => Form::TOY_ASCII,
            Speaker::Toy(ToyKind::Html) => Form::TOY_HTML,
            Speaker::Toy(ToyKind::Utf8) => Form::TOY_UTF8,
            Speaker::Irc => Form(
                bit(Capability::ServerTime, Form::TIME)
                    | bit(Capability::MessageTags, Form::TAGS)
                    | bit(Capability::ExtendedJoin, Form::EXTENDED_JOIN),
            ),
        }
    }

    pub(super) fn index(self) -> usize {
        usize::from(self.0)
    }

    pub(super) fn irc(self) -> bool {
        self.0 < Form::PLAIN.0
    }

    pub(super) fn time(self) -> bool {
        self.irc() && self.0 & Form::TIME != 0
    }

    pub(super) fn tags(self) -> bool {
        self.irc() && self.0 & Form::TAGS != 0
    }

    pub(super) fn extended_join(self) -> bool {
        self.irc() && self.0 & Form::EXTENDED_JOIN != 0
    }
}

/// A place in the table of connections. What fan-out looks at for each recipient stands here,
/// not behind the pointer.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) generation: u32,
    /// The last epoch in which an event reached this one.
    pub(super) mark: u32,
    pub(super) caps: Capabilities,
    pub(super) form: Form,
    pub(super) member: Option<Box<Member>>,
}

/// What a connection has said of itself before it is a member.
#[derive(Debug, Default)]
pub(super) struct Registration {
    /// CAP LS or REQ came, CAP END has not.
    pub(super) negotiating: bool,
    pub(super) user: bool,
    /// The token of an earlier connection (`parlor/resume`).
    pub(super) brought: Option<u128>,
    /// It was told that it will have the place of that one.
    pub(super) accepted: bool,
    pub(super) wrong_tokens: u8,
}

/// One person on one connection.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) peer: SocketAddr,
    pub(super) cloak: u64,
    /// What it is handed out to come back with (`parlor/resume`); random. 0: nothing.
    pub(super) token: u128,
    pub(super) speaker: Speaker,
    pub(super) caps: Capabilities,
    /// The rest of registration; `None` once the member is in.
    pub(super) registration: Option<Box<Registration>>,
    pub(super) nick: Option<Nick>,
    pub(super) username: Box<str>,
    pub(super) realname: Box<str>,
    pub(super) away: Option<Box<str>>,
    /// Server operator.
    pub(super) operator: bool,
    pub(super) invisible: bool,
    pub(super) bot: bool,
    /// Hears WALLOPS.
    pub(super) wallops: bool,
    /// The rooms this member is in, in the order of joining.
    pub(super) rooms: Vec<Place>,
    /// When the last byte came.
    pub(super) heard: Duration,
    /// A PING was sent at that time and nothing came since.
    pub(super) pinged: Option<Duration>,
    pub(super) signed_on: UnixMillis,
    /// When this member last said something; before it is one, since when it is waited for.
    pub(super) spoke: Duration,
    /// Whom this member watches (MONITOR), folded and as written.
    pub(super) watched: Vec<(Folded, Box<str>)>,
    /// Replies that wait until the peer has read what it was sent.
    pub(super) pages: Option<Box<Pages>>,
    /// Lines for this member behind a receipt that has not come yet.
    pub(super) held: Option<Box<Queue>>,
    /// Its connection is gone, and it is waited for.
    pub(super) lingering: Option<Box<Lingering>>,
}

impl Member {
    pub(super) fn new(peer: SocketAddr, cloak: u64, token: u128, now: Duration) -> Member {
        Member {
            peer,
            cloak,
            token,
            speaker: Speaker::Unknown,
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
            pinged: None,
            signed_on: UnixMillis::default(),
            spoke: now,
            watched: Vec::new(),
            pages: None,
            held: None,
            lingering: None,
        }
    }

    pub(super) fn registered(&self) -> bool {
        self.registration.is_none()
    }

    pub(super) fn has(&self, capability: Capability) -> bool {
        self.caps.has(capability)
    }

    /// The name, or `*` before there is one.
    pub(super) fn name(&self) -> &str {
        self.nick.as_ref().map_or("*", Nick::as_str)
    }

    /// What others see instead of the address.
    pub(super) fn host(&self) -> Cloak {
        Cloak(self.cloak)
    }

    /// `nick!user@host`.
    pub(super) fn prefix(&self) -> String {
        format!("{}!{}@{}", self.name(), self.username, self.host())
    }
}

/// A host as others see it: twelve characters that stand for an address, and `.cloak`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cloak(u64);

impl fmt::Display for Cloak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
        for i in 0..12 {
            let digit = (self.0 >> (5 * i)) & 31;
            write!(f, "{}", char::from(ALPHABET[digit as usize]))?;
        }
        f.write_str(".cloak")
    }
}
