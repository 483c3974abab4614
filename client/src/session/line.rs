//! One line of a timeline.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use parlor_server::protocol::MsgId;
use parlor_server::protocol::time::UnixMillis;

/// Names a line for as long as the session lasts; rises, never reused. It says nothing about
/// the place of the line: an older page comes later, above all others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LineId(pub u64);

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LineKind {
    /// Somebody said it.
    Said,
    /// `/me`: "`from` `text`".
    Action,
    /// A program or the server said it (NOTICE).
    Notice,
    /// `from` came in; no text.
    Joined,
    /// `from` left the room or the server; `text` is the reason, or empty.
    Left,
    /// `from` put somebody out; see [`Line::kicked`].
    Kicked,
    /// `from` (the old name) is called `text` now.
    Renamed,
    /// `from` made `text` the topic; empty: cleared it.
    Topic,
    /// `from` changed modes; `text` is the change: `+o bob`.
    Mode,
    /// The program or the server tells something; `from` may be empty.
    Info,
    /// Something did not work; `from` may be empty.
    Error,
    /// No line: others may be missing here. [`Delivery::None`]: they are fetched when it is
    /// looked at ([`Action::Fill`](super::Action::Fill)), [`Delivery::Pending`]: they are on
    /// their way, [`Delivery::Failed`]: they did not come. At the very top: there may be older ones.
    Gap,
}

/// What became of an own line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Delivery {
    /// Not an own line.
    None,
    /// It waits here, or is under way.
    Pending,
    /// The server has it.
    Delivered,
    /// It was refused: [`Line::reason`] says why,
    /// [`Action::Retry`](super::Action::Retry) tries again.
    Failed,
}

/// What a line is made of.
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "each is said at the method of Line with its name")]
pub struct Parts<'a> {
    pub kind: LineKind,
    pub from: &'a str,
    pub text: &'a str,
    pub at: UnixMillis,
    pub msgid: Option<&'a str>,
    pub own: bool,
    pub mention: bool,
    pub state: Delivery,
    pub reason: &'a str,
}

impl Default for Parts<'_> {
    fn default() -> Self {
        Parts {
            kind: LineKind::Info,
            from: "",
            text: "",
            at: UnixMillis(0),
            msgid: None,
            own: false,
            mention: false,
            state: Delivery::None,
            reason: "",
        }
    }
}

/// One line of a timeline; it never changes, and a clone of it is another pointer to it.
///
/// Session and window hold a hundred thousand of them, so each is one allocation of about 60
/// bytes beside its text: id (8), time (8), kind, flags, the lengths of msgid (1), sender (2)
/// and reason (2), then these and the text. A msgid of our own server takes 12 bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Line(Arc<[u8]>);

const ID: usize = 0;
const AT: usize = 8;
const KIND: usize = 16;
const FLAGS: usize = 17;
const MSGID_LEN: usize = 18;
const FROM_LEN: usize = 19;
const REASON_LEN: usize = 21;
const HEADER: usize = 23;

const OWN: u8 = 1;
const MENTION: u8 = 2;
/// The msgid is a packed [`MsgId`].
const POSITION: u8 = 4;
/// Two bits from here on: the state.
const STATE: u8 = 3;

const KINDS: [LineKind; 12] = [
    LineKind::Said,
    LineKind::Action,
    LineKind::Notice,
    LineKind::Joined,
    LineKind::Left,
    LineKind::Kicked,
    LineKind::Renamed,
    LineKind::Topic,
    LineKind::Mode,
    LineKind::Info,
    LineKind::Error,
    LineKind::Gap,
];
const STATES: [Delivery; 4] = [Delivery::None, Delivery::Pending, Delivery::Delivered, Delivery::Failed];

impl Line {
    /// A line of these parts. A msgid above 255 bytes is dropped, a sender or reason above
    /// 65535 is cut.
    pub fn new(id: LineId, parts: &Parts<'_>) -> Line {
        let position = parts.msgid.and_then(MsgId::parse);
        let packed = position.map(pack);
        let msgid = match (&packed, parts.msgid) {
            (Some(packed), _) => &packed[..],
            (None, Some(msgid)) if msgid.len() <= usize::from(u8::MAX) => msgid.as_bytes(),
            _ => &[],
        };
        let (from, reason) = (cut(parts.from), cut(parts.reason));
        let state = STATES.iter().position(|state| *state == parts.state).unwrap_or_default() as u8;
        let flag = |set: bool, flag: u8| if set { flag } else { 0 };
        let flags = flag(parts.own, OWN)
            | flag(parts.mention, MENTION)
            | flag(packed.is_some(), POSITION)
            | state << STATE;
        let mut bytes =
            Vec::with_capacity(HEADER + msgid.len() + from.len() + reason.len() + parts.text.len());
        bytes.extend_from_slice(&id.0.to_le_bytes());
        bytes.extend_from_slice(&parts.at.0.to_le_bytes());
        bytes.extend_from_slice(&[parts.kind as u8, flags, msgid.len() as u8]);
        bytes.extend_from_slice(&(from.len() as u16).to_le_bytes());
        bytes.extend_from_slice(&(reason.len() as u16).to_le_bytes());
        bytes.extend_from_slice(msgid);
        bytes.extend_from_slice(from.as_bytes());
        bytes.extend_from_slice(reason.as_bytes());
        bytes.extend_from_slice(parts.text.as_bytes());
        Line(bytes.into())
    }

    /// The same line, with what `change` makes of its parts.
    pub(super) fn with<'a>(&'a self, change: impl FnOnce(&mut Parts<'a>)) -> Line {
        let msgid = self.msgid().map(Cow::into_owned);
        let mut parts = Parts {
            kind: self.kind(),
            from: self.from(),
            text: self.text(),
            at: self.at(),
            msgid: None,
            own: self.own(),
            mention: self.mention(),
            state: self.state(),
            reason: self.reason(),
        };
        change(&mut parts);
        match &msgid {
            Some(msgid) if parts.msgid.is_none() => {
                Line::new(self.id(), &Parts { msgid: Some(msgid), ..parts })
            }
            _ => Line::new(self.id(), &parts),
        }
    }

    /// The same line as one of ours that had this id.
    pub(super) fn as_own(&self, id: LineId) -> Line {
        let own =
            self.with(|parts| (parts.own, parts.mention, parts.state) = (true, false, Delivery::Delivered));
        let mut bytes = own.0.to_vec();
        bytes.get_mut(ID..AT).into_iter().for_each(|field| field.copy_from_slice(&id.0.to_le_bytes()));
        Line(bytes.into())
    }

    /// Names the line in [`Event`](super::Event)s and [`Action`](super::Action)s.
    pub fn id(&self) -> LineId {
        LineId(self.number(ID))
    }

    /// When it was said: by the server's clock where it tells (`server-time`), else by ours.
    /// An own line has the time at which it was typed until the server gives it another.
    pub fn at(&self) -> UnixMillis {
        UnixMillis(self.number(AT))
    }

    /// What it is.
    pub fn kind(&self) -> LineKind {
        KINDS.get(usize::from(self.byte(KIND))).copied().unwrap_or(LineKind::Info)
    }

    /// It is ours.
    pub fn own(&self) -> bool {
        self.byte(FLAGS) & OWN != 0
    }

    /// Somebody else said our name.
    pub fn mention(&self) -> bool {
        self.byte(FLAGS) & MENTION != 0
    }

    /// What became of it, if it is ours.
    pub fn state(&self) -> Delivery {
        STATES.get(usize::from(self.byte(FLAGS) >> STATE)).copied().unwrap_or(Delivery::None)
    }

    /// The server's name for it, where it gives one; at most 255 bytes.
    pub fn msgid(&self) -> Option<Cow<'_, str>> {
        match self.position() {
            Some(position) => Some(position.to_string().into()),
            None => Some(self.str(HEADER, self.len_of_msgid())).filter(|id| !id.is_empty()).map(Cow::from),
        }
    }

    /// Who: as the person writes the name.
    pub fn from(&self) -> &str {
        self.str(HEADER + self.len_of_msgid(), self.len_at(FROM_LEN))
    }

    /// Why it failed, as a sentence; else empty.
    pub fn reason(&self) -> &str {
        self.str(HEADER + self.len_of_msgid() + self.len_at(FROM_LEN), self.len_at(REASON_LEN))
    }

    /// One line, without control characters and IRC formatting.
    pub fn text(&self) -> &str {
        let start = HEADER + self.len_of_msgid() + self.len_at(FROM_LEN) + self.len_at(REASON_LEN);
        self.str(start, self.0.len().saturating_sub(start))
    }

    /// Who was put out, and why (perhaps empty), if this is a [`LineKind::Kicked`].
    pub fn kicked(&self) -> Option<(&str, &str)> {
        let text = self.text();
        (self.kind() == LineKind::Kicked).then(|| text.split_once(' ').unwrap_or((text, "")))
    }

    /// Whether somebody said it, rather than that something happened.
    pub fn is_talk(&self) -> bool {
        matches!(self.kind(), LineKind::Said | LineKind::Action | LineKind::Notice)
    }

    /// Where it stands in the order of a server whose msgids are sorted.
    pub(super) fn position(&self) -> Option<MsgId> {
        let packed = self.0.get(HEADER..HEADER + PACKED)?;
        (self.byte(FLAGS) & POSITION != 0).then(|| unpack(packed))
    }

    fn byte(&self, at: usize) -> u8 {
        self.0.get(at).copied().unwrap_or_default()
    }

    fn number(&self, at: usize) -> u64 {
        let bytes = self.0.get(at..at + 8).and_then(|bytes| bytes.try_into().ok());
        u64::from_le_bytes(bytes.unwrap_or_default())
    }

    fn len_of_msgid(&self) -> usize {
        usize::from(self.byte(MSGID_LEN))
    }

    fn len_at(&self, at: usize) -> usize {
        usize::from(u16::from_le_bytes([self.byte(at), self.byte(at + 1)]))
    }

    fn str(&self, start: usize, len: usize) -> &str {
        // What `new` put there is UTF-8.
        self.0.get(start..start + len).and_then(|bytes| str::from_utf8(bytes).ok()).unwrap_or_default()
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (id, kind, state) = (self.id().0, self.kind(), self.state());
        write!(f, "{id} {kind:?} {state:?} {:?} {}: {:?}", self.msgid(), self.from(), self.text())
    }
}

/// Bytes of a packed id.
const PACKED: usize = 14;

fn pack(id: MsgId) -> [u8; PACKED] {
    let mut packed = [0; PACKED];
    let fields = [&id.boot.to_le_bytes()[..], &id.millis.to_le_bytes(), &id.count.to_le_bytes()];
    packed.iter_mut().zip(fields.into_iter().flatten()).for_each(|(to, from)| *to = *from);
    packed
}

fn unpack(packed: &[u8]) -> MsgId {
    let number = |bytes: std::ops::Range<usize>| {
        let bytes = packed.get(bytes).unwrap_or_default();
        bytes.iter().rev().fold(0, |value: u64, byte| value << 8 | u64::from(*byte))
    };
    MsgId { boot: number(0..4) as u32, millis: number(4..12), count: number(12..14) as u16 }
}

/// As much of a text as its length has two bytes for.
fn cut(text: &str) -> &str {
    text.get(..text.floor_char_boundary(usize::from(u16::MAX))).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_gives_back_what_it_was_made_of() {
        let long = "明".repeat(40_000);
        for msgid in [None, Some("0000000b018c2f3a4b5001f"), Some("opaque"), Some("")] {
            for (state, kind) in [(Delivery::Failed, LineKind::Said), (Delivery::None, LineKind::Gap)] {
                let (from, text, reason) = ("zoë", "say it", "why not");
                let at = UnixMillis(1_700_000_000_123);
                let parts = Parts { kind, from, text, at, msgid, own: true, mention: false, state, reason };
                let line = Line::new(LineId(7), &parts);
                assert_eq!((line.id(), line.at(), line.kind()), (LineId(7), at, kind));
                assert_eq!((line.own(), line.mention(), line.state()), (true, false, state));
                assert_eq!((line.from(), line.text(), line.reason()), (from, text, reason));
                assert_eq!(line.msgid().as_deref(), msgid.filter(|msgid| !msgid.is_empty()));
                let changed = line.with(|parts| parts.state = Delivery::Delivered);
                assert_eq!((changed.msgid(), changed.text()), (line.msgid(), text));
                assert!(line.with(|parts| parts.from = &long).from().len() > 65_000);
            }
        }
    }

    #[test]
    fn a_line_costs_its_text_and_little_more() {
        let (text, msgid) = ("x".repeat(160), Some("0000000b018c2f3a4b5001f"));
        let parts = Parts { from: "alice", text: &text, msgid, ..Parts::default() };
        // With the counters of the Arc.
        assert!(Line::new(LineId(1), &parts).0.len() + 16 <= 160 + 64);
    }
}
