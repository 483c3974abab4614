//! One line of a timeline.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use parlor_server::protocol::MsgId;
use parlor_server::protocol::text::cut;
use parlor_server::protocol::time::UnixMillis;

use super::marks::{Deleted, Quote, Reaction};
use super::{Sentence, Span};
use crate::limits::MSGID;

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
    /// The program or the server tells something: [`Line::sentence`].
    Info,
    /// Something did not work: [`Line::sentence`].
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
    /// It was refused: [`Line::sentence`] says why,
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
    pub sentence: Option<&'a Sentence>,
    pub spans: &'a [Span],
    pub reply: Option<&'a str>,
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
            sentence: None,
            spans: &[],
            reply: None,
        }
    }
}

/// One line of a timeline; it never changes, and a clone of it is another pointer to it.
///
/// Session and window hold a hundred thousand of them, so the order and the size of the fields are
/// chosen: 56 bytes, the counters of the pointer, and one more allocation for sender and text.
#[derive(Clone, PartialEq, Eq)]
pub struct Line(Arc<Inner>);

#[derive(Clone, PartialEq, Eq)]
struct Inner {
    id: LineId,
    at: UnixMillis,
    /// Sender, then text: one allocation of their size.
    words: Box<str>,
    /// Bytes of the sender.
    from: u16,
    known: Known,
    kind: LineKind,
    own: bool,
    mention: bool,
    state: Delivery,
}

/// What the server calls a line, or what the session says in place of that: a line that failed has no
/// name at the server.
#[derive(Clone, PartialEq, Eq)]
enum Known {
    Nameless,
    /// The fields of a [`MsgId`], apart so that they fit beside the variant.
    Sorted {
        boot: u32,
        count: u16,
        millis: u64,
    },
    Other(Box<OtherId>),
    Said(Box<Sentence>),
    /// One of the others, and more.
    More(Box<More>),
}

/// What few lines have.
#[derive(Clone, PartialEq, Eq)]
struct More {
    /// Never [`Known::More`].
    known: Known,
    spans: Box<[Span]>,
    reply: Option<Quote>,
    reactions: Box<[Reaction]>,
    deleted: Option<Deleted>,
}

impl More {
    fn is_any(&self) -> bool {
        !self.spans.is_empty() || self.reply.is_some() || !self.reactions.is_empty() || self.deleted.is_some()
    }
}

/// A msgid of another kind of server; boxed, because it is wide and few lines have one.
#[derive(Clone, PartialEq, Eq)]
struct OtherId(Box<str>);

impl Known {
    /// A msgid above 255 bytes is none.
    fn named(msgid: Option<&str>) -> Known {
        match msgid {
            Some(msgid) => match MsgId::parse(msgid) {
                Some(MsgId { boot, millis, count }) => Known::Sorted { boot, count, millis },
                None if (1..=MSGID).contains(&msgid.len()) => Known::Other(Box::new(OtherId(msgid.into()))),
                None => Known::Nameless,
            },
            None => Known::Nameless,
        }
    }
}

impl Line {
    /// A line of these parts. A msgid above [`MSGID`] bytes is dropped, a sender above 65,535 is cut. A
    /// line with a sentence has no msgid.
    pub fn new(id: LineId, parts: &Parts<'_>) -> Line {
        let Parts { kind, from, text, at, msgid, own, mention, state, sentence, spans, reply } = *parts;
        let from = cut(from, usize::from(u16::MAX));
        let known = match sentence {
            Some(sentence) => Known::Said(Box::new(sentence.clone())),
            None => Known::named(msgid),
        };
        let words = [from, text].concat().into();
        let mut inner = Inner { id, at, words, from: from.len() as u16, known, kind, own, mention, state };
        let reply = reply.filter(|reply| (1..=MSGID).contains(&reply.len()));
        if !spans.is_empty() || reply.is_some() {
            inner.change_more(|more| (more.spans, more.reply) = (spans.into(), reply.map(Quote::unknown)));
        }
        Line(Arc::new(inner))
    }

    /// The same line as the server has it: under this name, if it gives one, and since then.
    pub(super) fn received(&self, state: Delivery, msgid: Option<&str>, at: UnixMillis) -> Line {
        self.with(|inner| {
            (inner.state, inner.at) = (state, at);
            if msgid.is_some() || matches!(inner.known(), Known::Said(_)) {
                inner.know(Known::named(msgid));
            }
        })
    }

    /// The same line in another state, and why.
    pub(super) fn in_state(&self, state: Delivery, sentence: Option<&Sentence>) -> Line {
        self.with(|inner| {
            inner.state = state;
            match sentence {
                Some(sentence) => inner.know(Known::Said(Box::new(sentence.clone()))),
                None if matches!(inner.known(), Known::Said(_)) => inner.know(Known::Nameless),
                None => {}
            }
        })
    }

    /// The same line as the server has it: some alter what was said.
    pub(super) fn saying(&self, text: &str, spans: &[Span]) -> Line {
        let words = [self.from(), text].concat().into();
        self.with(|inner| {
            inner.words = words;
            inner.change_more(|more| more.spans = spans.into());
        })
    }

    /// The same line with what is said about it. Of a deleted one nothing is left that was said.
    pub(super) fn marked(&self, reactions: &[Reaction], deleted: Option<&Deleted>) -> Line {
        let words = deleted.map(|_| self.from().into());
        self.with(|inner| {
            inner.words = words.unwrap_or_else(|| std::mem::take(&mut inner.words));
            inner.change_more(|more| match deleted {
                None => more.reactions = reactions.into(),
                Some(deleted) => {
                    (more.spans, more.reply, more.reactions) = Default::default();
                    more.deleted = Some(deleted.clone());
                }
            });
        })
    }

    /// The same line, which answers this.
    pub(super) fn quoting(&self, quote: Quote) -> Line {
        self.with(|inner| inner.change_more(|more| more.reply = Some(quote)))
    }

    /// The same line as one of ours that had this id.
    pub(super) fn as_own(&self, id: LineId) -> Line {
        self.with(|inner| {
            (inner.id, inner.own, inner.mention, inner.state) = (id, true, false, Delivery::Delivered);
        })
    }

    fn with(&self, change: impl FnOnce(&mut Inner)) -> Line {
        let mut inner = Inner::clone(&self.0);
        change(&mut inner);
        Line(Arc::new(inner))
    }

    /// Names the line in [`Event`](super::Event)s and [`Action`](super::Action)s.
    pub fn id(&self) -> LineId {
        self.0.id
    }

    /// When it was said: by the server's clock where it tells (`server-time`), else by ours.
    /// An own line has the time at which it was typed until the server gives it another.
    pub fn at(&self) -> UnixMillis {
        self.0.at
    }

    /// What it is.
    pub fn kind(&self) -> LineKind {
        self.0.kind
    }

    /// It is ours.
    pub fn own(&self) -> bool {
        self.0.own
    }

    /// Somebody else said our name.
    pub fn mention(&self) -> bool {
        self.0.mention
    }

    /// What became of it, if it is ours.
    pub fn state(&self) -> Delivery {
        self.0.state
    }

    /// The server's name for it, where it gives one; at most [`MSGID`] bytes.
    pub fn msgid(&self) -> Option<Cow<'_, str>> {
        match self.0.known() {
            Known::Other(id) => Some(Cow::from(&*id.0)),
            _ => self.position().map(|position| position.to_string().into()),
        }
    }

    /// Who: as the person writes the name.
    pub fn from(&self) -> &str {
        self.0.words.get(..usize::from(self.0.from)).unwrap_or_default()
    }

    /// Without control characters and IRC formatting, of several lines if it was said so; empty where the session says
    /// a [`sentence`](Self::sentence) of its own, and where it was [`deleted`](Self::deleted).
    pub fn text(&self) -> &str {
        self.0.words.get(usize::from(self.0.from)..).unwrap_or_default()
    }

    /// What the session says: the whole line, if it is [`LineKind::Info`] or [`LineKind::Error`];
    /// else why it failed, if its state is [`Delivery::Failed`].
    pub fn sentence(&self) -> Option<&Sentence> {
        match self.0.known() {
            Known::Said(sentence) => Some(sentence),
            _ => None,
        }
    }

    /// How parts of the text are written, in order; at most [`SPANS`](crate::limits::SPANS).
    pub fn spans(&self) -> &[Span] {
        self.more().map_or(&[], |more| &more.spans)
    }

    /// What it answers.
    pub fn reply(&self) -> Option<&Quote> {
        self.more()?.reply.as_ref()
    }

    /// What people put under it, in the order in which it came.
    pub fn reactions(&self) -> &[Reaction] {
        self.more().map_or(&[], |more| &more.reactions)
    }

    /// That it was taken back.
    pub fn deleted(&self) -> Option<&Deleted> {
        self.more()?.deleted.as_ref()
    }

    fn more(&self) -> Option<&More> {
        match &self.0.known {
            Known::More(more) => Some(more),
            _ => None,
        }
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

    /// What it takes in session and window: its words, and about as much as both need besides.
    pub(super) fn bytes(&self) -> usize {
        let said = self.sentence().map_or(0, |sentence| sentence.to_string().len());
        let more = self.more().map_or(0, |more| {
            let quote = more.reply.as_ref().map_or(0, Quote::bytes);
            let reactions: usize = more.reactions.iter().map(Reaction::bytes).sum();
            size_of::<More>() + size_of_val(&*more.spans) + quote + reactions
        });
        self.0.words.len() + said + more + 160
    }

    /// Where it stands in the order of a server whose msgids are sorted.
    pub(super) fn position(&self) -> Option<MsgId> {
        match *self.0.known() {
            Known::Sorted { boot, count, millis } => Some(MsgId { boot, millis, count }),
            _ => None,
        }
    }
}

impl Inner {
    /// Never [`Known::More`].
    fn known(&self) -> &Known {
        match &self.known {
            Known::More(more) => &more.known,
            known => known,
        }
    }

    fn know(&mut self, known: Known) {
        match &mut self.known {
            Known::More(more) => more.known = known,
            own => *own = known,
        }
    }

    fn change_more(&mut self, change: impl FnOnce(&mut More)) {
        let mut more = match std::mem::replace(&mut self.known, Known::Nameless) {
            Known::More(more) => more,
            known => Box::new(More {
                known,
                spans: Box::default(),
                reply: None,
                reactions: Box::default(),
                deleted: None,
            }),
        };
        change(&mut more);
        self.known = if more.is_any() { Known::More(more) } else { more.known };
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (id, kind, state) = (self.id().0, self.kind(), self.state());
        write!(f, "{id} {kind:?} {state:?} {:?} {}: {:?}", self.msgid(), self.from(), self.text())?;
        self.sentence().map_or(Ok(()), |sentence| write!(f, " ({sentence})"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_gives_back_what_it_was_made_of() {
        let long = "明".repeat(40_000);
        for msgid in [None, Some("0000000b018c2f3a4b5001f"), Some("opaque"), Some("")] {
            let (from, text, state) = ("zoë", "say it", Delivery::Pending);
            let (at, kind) = (UnixMillis(1_700_000_000_123), LineKind::Said);
            let parts = Parts { kind, from, text, at, msgid, own: true, state, ..Parts::default() };
            let line = Line::new(LineId(7), &parts);
            assert_eq!((line.id(), line.at(), line.kind()), (LineId(7), at, kind));
            assert_eq!((line.own(), line.mention(), line.state()), (true, false, state));
            assert_eq!((line.from(), line.text(), line.sentence()), (from, text, None));
            assert_eq!(line.msgid().as_deref(), msgid.filter(|msgid| !msgid.is_empty()));
            let there = line.received(Delivery::Delivered, None, UnixMillis(1));
            assert_eq!((there.msgid(), there.text(), there.at()), (line.msgid(), text, UnixMillis(1)));
            let cut = Line::new(LineId(8), &Parts { from: &long, ..parts });
            assert!((65_000..=65_535).contains(&cut.from().len()) && cut.text() == text);
        }
    }

    #[test]
    fn why_a_line_failed_goes_when_it_is_tried_again() {
        let line = Line::new(LineId(1), &Parts { text: "hi", ..Parts::default() });
        let failed = line.in_state(Delivery::Failed, Some(&Sentence::BannedHere));
        assert_eq!((failed.state(), failed.sentence()), (Delivery::Failed, Some(&Sentence::BannedHere)));
        assert_eq!(failed.in_state(Delivery::Pending, None).sentence(), None);
        assert_eq!(failed.received(Delivery::Delivered, Some("x"), line.at()).msgid().as_deref(), Some("x"));
    }

    /// With the two counters of the pointer; how many bytes an allocator adds is its own affair.
    #[test]
    fn a_line_costs_its_words_and_little_more() {
        assert!(size_of::<Line>() == 8 && size_of::<Inner>() <= 56, "{}", size_of::<Inner>());
    }
}
