//! How an event is written down, and read again.
//!
//! A kind, then words: each two bytes of length (little-endian) and its text. What a later
//! version adds goes behind; what it does not know, a reader skips.

use std::borrow::Cow;
use std::sync::Arc;

use crate::hub::Hub;
use crate::hub::delivery::event::{Event, What};
use crate::hub::delivery::form::Form;
use crate::hub::delivery::lines::Line;
use crate::hub::delivery::output::Output;
use crate::hub::history::{Erasure, Fingerprint, Record};
use crate::hub::state::member::Source;
use crate::hub::state::modes::without_key;
use crate::hub::state::private::Pair;
use crate::hub::state::room::RoomId;
use crate::hub::state::words::{put, take};
use crate::hub::state::{ConnectionId, SERVER};
use crate::protocol::command::Verb;
use crate::protocol::line::MAX_BODY;
use crate::protocol::tag::LINE_ID;
use crate::protocol::{LineName, MsgId, text};

/// Tags that are worth nothing a second later.
const FLEETING: &[&str] = &["+typing", "+draft/typing"];
/// Bytes of the tags that are kept of a line besides its name: what it answers, a reaction. Beyond, further
/// ones are left out; who hears the line gets them all.
const MAX_TAGS: usize = 160;

/// The second byte: the sender is a program.
const BOT: u8 = 1;
/// The same: what was deleted was no talk, but tags.
const TAGS: u8 = 2;
/// What stands in a page in place of a text that was deleted.
const DELETED: &str = "[deleted]";

/// A record, as far as it can be read: its words, and for the hub the event once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told<'a> {
    /// The command of it: PRIVMSG, NOTICE, JOIN, …
    pub kind: &'static str,
    /// `nick!user@host`, or the server's name.
    pub prefix: &'a str,
    /// Client-only tags, escaped and joined.
    pub tags: &'a str,
    /// Text, reason, topic, change, new name or real name; of a KICK who was put out, of a REDACT which line was
    /// deleted; of a line that was deleted who did that.
    pub first: &'a str,
    /// The reason of a KICK, or why a line was deleted.
    pub second: &'a str,
    /// Who may take it back: an account, or one stay here. Empty in records of earlier versions.
    pub(crate) author: &'a str,
    number: u8,
    flags: u8,
}

impl<'a> Told<'a> {
    /// Reads a payload; `None` for what this version does not know.
    pub fn parse(payload: &'a [u8]) -> Option<Told<'a>> {
        let (&[number, flags], mut rest) = payload.split_first_chunk::<2>()?;
        let kind = kind::WORDS.get(usize::from(number)).filter(|word| !word.is_empty())?;
        let mut word = || take(&mut rest);
        let [prefix, tags, first, second] = [word()?, word()?, word()?, word()?];
        let author = word().unwrap_or_default();
        Some(Told { kind, prefix, tags, first, second, author, number, flags })
    }

    /// The name in front of the prefix.
    pub fn nick(&self) -> &'a str {
        self.prefix.split_once('!').map_or(self.prefix, |(nick, _)| nick)
    }

    /// Who said it; under this name the server speaks, too.
    pub(crate) fn sender(&self) -> &'a str {
        self.prefix.split_once('!').map_or(SERVER, |(nick, _)| nick)
    }

    /// The event in a room, once more; `id` says when it was.
    pub(crate) fn event<'e>(&self, room: &'e str, id: MsgId) -> Event<'e>
    where
        'a: 'e,
    {
        let Told { first, second, .. } = *self;
        let private = !room.starts_with('#');
        let message = |verb| What::Message { verb, target: room, text: first, private };
        let what = match self.number {
            kind::PRIVMSG => message(Verb::Privmsg),
            kind::NOTICE => message(Verb::Notice),
            kind::TAGMSG => message(Verb::Tagmsg),
            kind::JOIN => What::Join { room, realname: first },
            kind::PART => What::Part { room, reason: (!first.is_empty()).then_some(first) },
            kind::QUIT => What::Quit { reason: first },
            kind::KICK => What::Kick { room, nick: first, reason: second },
            kind::NICK => What::Nick { new: first },
            kind::TOPIC => What::Topic { room, text: first },
            kind::MODE => What::Mode { target: room, change: first },
            kind::REDACT => {
                let of = MsgId::parse(first).unwrap_or_default();
                What::Redact { target: room, of, reason: second, past: false }
            }
            kind::DELETED => What::Message { verb: Verb::Privmsg, target: room, text: DELETED, private },
            _ => What::Announcement { target: room, text: first },
        };
        let account = Some(self.author).filter(|author| !author.is_empty() && !author.starts_with(' '));
        let from = Source {
            nick: self.sender().into(),
            prefix: self.prefix.into(),
            account: account.map(Into::into),
            author: self.author.into(),
            bot: self.flags & BOT != 0,
        };
        Event { id, from: Cow::Owned(from), tags: self.tags, what, volatile: false, batch: "" }
    }

    /// The line for readers of a form.
    pub(crate) fn line(&self, room: &str, id: MsgId, form: Form) -> Option<Line> {
        self.event(room, id).line(form)
    }

    /// Whether it can be taken back.
    pub(crate) fn is_redactable(&self) -> bool {
        self.number == kind::TAGMSG || self.talk().is_some()
    }

    /// Whether it tells that something was deleted: to those who asked for that alone.
    pub(crate) fn redacts(&self) -> bool {
        matches!(self.number, kind::REDACT | kind::DELETED)
    }

    /// Whether it was a text that was deleted, of which a page shows where it was.
    pub(crate) fn was_talk(&self) -> bool {
        self.number == kind::DELETED && self.flags & TAGS == 0
    }

    /// That it was deleted, if it was.
    pub(crate) fn deletion<'e>(&self, target: &'e str, id: MsgId) -> Option<Event<'e>>
    where
        'a: 'e,
    {
        let prefix = Some(self.first).filter(|_| self.number == kind::DELETED)?;
        let nick = prefix.split_once('!').map_or(SERVER, |(nick, _)| nick).into();
        let from = Source { nick, prefix: prefix.into(), account: None, author: Arc::default(), bot: false };
        let what = What::Redact { target, of: id, reason: self.second, past: true };
        Some(Event { id, from: Cow::Owned(from), tags: "", what, volatile: false, batch: "" })
    }

    /// What is kept of it when somebody deletes it: who said it, and who took it back.
    pub(crate) fn tombstone(&self, by: &str, reason: &str) -> Box<[u8]> {
        let tags = if self.number == kind::TAGMSG { TAGS } else { 0 };
        let mut bytes = vec![kind::DELETED, self.flags & BOT | tags];
        put(&mut bytes, &[self.prefix, "", by, reason, self.author]);
        bytes.into()
    }

    /// Who said what kind of line, without what was said, as it is read again.
    pub(crate) fn without_text(&self) -> Vec<u8> {
        let mut bytes = vec![self.number, self.flags];
        put(&mut bytes, &[self.prefix, "", "", "", self.author]);
        bytes
    }

    /// What was said; `None` if it is no talk.
    pub(crate) fn talk(&self) -> Option<&'a str> {
        matches!(self.number, kind::PRIVMSG | kind::NOTICE | kind::ANNOUNCEMENT).then_some(self.first)
    }

    /// For a terminal or a program that knows no times: the lines, with the time in front of the
    /// text. Where that is too long for one, there are two.
    pub(crate) fn lines_with_time(&self, room: &str, id: MsgId, form: Form) -> Vec<Line> {
        let time = id.time().to_string();
        // `2026-11-20T09:12:03.456Z`: day and minute are enough for a person.
        let (day, minute) = (time.get(..10).unwrap_or_default(), time.get(11..16).unwrap_or_default());
        let (start, said, end) = match self.first.strip_prefix("\u{1}ACTION ") {
            Some(said) => ("\u{1}ACTION ", said.trim_end_matches('\u{1}'), "\u{1}"),
            None => ("", self.first, ""),
        };
        let without_text = Told { first: "", ..*self }.event(room, id).body_len() + start.len() + end.len();
        let mut lines = Vec::new();
        for said in said.split('\n').filter(|line| !line.is_empty()) {
            let said = format!("[{day} {minute} UTC] {said}");
            let pieces = text::pieces(&said, MAX_BODY.saturating_sub(without_text)).into_iter();
            lines.extend(pieces.filter_map(|piece| {
                let first = &format!("{start}{piece}{end}");
                Told { first, ..*self }.line(room, id, form)
            }));
        }
        lines
    }
}

/// Kinds of records; a number is never used again.
mod kind {
    pub(crate) const PRIVMSG: u8 = 1;
    pub(crate) const NOTICE: u8 = 2;
    pub(crate) const TAGMSG: u8 = 3;
    pub(crate) const JOIN: u8 = 4;
    pub(crate) const PART: u8 = 5;
    pub(crate) const QUIT: u8 = 6;
    pub(crate) const KICK: u8 = 7;
    pub(crate) const NICK: u8 = 8;
    pub(crate) const TOPIC: u8 = 9;
    pub(crate) const MODE: u8 = 10;
    pub(crate) const ANNOUNCEMENT: u8 = 11;
    pub(crate) const REDACT: u8 = 12;
    pub(crate) const DELETED: u8 = 13;

    /// The commands that they come from, by number.
    pub(crate) const WORDS: [&str; 14] = [
        "", "PRIVMSG", "NOTICE", "TAGMSG", "JOIN", "PART", "QUIT", "KICK", "NICK", "TOPIC", "MODE", "NOTICE",
        "REDACT", "DELETED",
    ];
}

/// Writes an event down; `None` for what is not kept.
fn encode(event: &Event<'_>) -> Option<Box<[u8]>> {
    let shown;
    let tags = lasting(event.tags);
    let (kind, words) = match &event.what {
        What::Message { verb: Verb::Privmsg, text, .. } => (kind::PRIVMSG, [*text, ""]),
        What::Message { verb: Verb::Notice, text, .. } => (kind::NOTICE, [*text, ""]),
        What::Message { verb: Verb::Tagmsg, .. } if tags.is_empty() => return None,
        What::Message { verb: Verb::Tagmsg, .. } => (kind::TAGMSG, ["", ""]),
        What::Join { realname, .. } => (kind::JOIN, [*realname, ""]),
        What::Part { reason, .. } => (kind::PART, [reason.unwrap_or_default(), ""]),
        What::Quit { reason } => (kind::QUIT, [*reason, ""]),
        What::Kick { nick, reason, .. } => (kind::KICK, [*nick, *reason]),
        What::Nick { new } => (kind::NICK, [*new, ""]),
        What::Topic { text, .. } => (kind::TOPIC, [*text, ""]),
        What::Mode { change, .. } => {
            shown = without_key(change);
            (kind::MODE, [shown.as_str(), ""])
        }
        What::Announcement { text, .. } => (kind::ANNOUNCEMENT, [*text, ""]),
        What::Redact { of, reason, .. } => {
            shown = of.to_string();
            (kind::REDACT, [shown.as_str(), *reason])
        }
        What::Invite { .. }
        | What::Hand { .. }
        | What::Away { .. }
        | What::Account { .. }
        | What::Setname { .. }
        | What::Wallops { .. } => return None,
    };
    let author = &event.from.author;
    let words = [event.from.prefix.as_str(), &tags, words[0], words[1], author];
    // What nobody can take back has no author.
    let words = if kind <= kind::TAGMSG { &words[..] } else { &words[..4] };
    let mut bytes = Vec::with_capacity(2 + words.iter().map(|word| 2 + word.len()).sum::<usize>());
    bytes.push(kind);
    bytes.push(if event.from.bot { BOT } else { 0 });
    put(&mut bytes, words);
    Some(bytes.into())
}

/// The tags that are kept, in their order: the line's own name, and of the others those that fit.
fn lasting(tags: &str) -> String {
    let mut left = MAX_TAGS;
    let lasts = |tag: &&str| {
        let key = tag.split('=').next().unwrap_or_default();
        let fits = !tag.is_empty() && !FLEETING.contains(&key) && tag.len() < left;
        let is_name = key == LINE_ID;
        left -= if fits && !is_name { tag.len() + 1 } else { 0 };
        fits || is_name
    };
    tags.split(';').filter(lasts).collect::<Vec<_>>().join(";")
}

/// Stands for a room and what the sender called a line.
///
/// That is a secret of the sender's: nobody else can prepare a collision, or have a line taken for one
/// that is known.
pub(crate) fn fingerprint(room: &str, LineName(id): LineName) -> Fingerprint {
    // FNV-1a over the room, then one half of the name after the other, mixed (the finish of
    // MurmurHash3): were they put together first, names of one pattern would be one.
    let room = room.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, b| {
        (hash ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let mixed = [id as u64, (id >> 64) as u64].iter().fold(room, |mixed, half| {
        let mixed = [0xff51_afd7_ed55_8ccd, 0xc4ce_b9fe_1a85_ec53]
            .iter()
            .fold(mixed ^ half, |mixed: u64, multiplier| (mixed ^ (mixed >> 33)).wrapping_mul(*multiplier));
        mixed ^ (mixed >> 33)
    });
    Fingerprint::new(mixed).unwrap_or(Fingerprint::MIN)
}

impl Hub {
    /// Keeps an event of a room; says whether it is one that is kept on disk.
    pub(crate) fn record(
        &mut self,
        room: RoomId,
        event: &Event<'_>,
        fingerprint: Option<Fingerprint>,
    ) -> bool {
        self.record_in(&[room], event, fingerprint)
    }

    /// Keeps an event of somebody once for all the rooms that they are in.
    pub(crate) fn record_everywhere(&mut self, id: ConnectionId, event: &Event<'_>) {
        self.record_in(&self.state.rooms_of(id), event, None);
    }

    /// Keeps what somebody says to another one, for these two; whether it is kept.
    pub(crate) fn record_private(
        &mut self,
        pair: &Pair,
        event: &Event<'_>,
        fingerprint: Option<Fingerprint>,
    ) -> bool {
        let Some(payload) = encode(event).filter(|_| self.state.add_pair(pair)) else { return false };
        let event = (event.id, !is_talk(&event.what));
        self.store(pair.key.clone(), Box::default(), event, (fingerprint, None), payload);
        true
    }

    /// Keeps in every room that something is missing there.
    pub(crate) fn record_gap(&mut self, id: MsgId, text: &str) {
        let rooms: Vec<RoomId> =
            self.state.rooms.from(0).filter(|(_, room)| room.remembered).map(|(id, _)| id).collect();
        let event = Event { id, ..self.event_beside(None, What::Announcement { target: "", text }) };
        self.record_in(&rooms, &event, None);
    }

    /// Keeps that a line was deleted, and deletes it. `room`: where it is kept.
    pub(crate) fn record_deletion(&mut self, room: Arc<str>, event: &Event<'_>, erasure: Erasure) {
        let Some(payload) = encode(event) else { return };
        self.store(room, Box::default(), (event.id, true), (None, Some(Box::new(erasure))), payload);
    }

    fn store(
        &mut self,
        room: Arc<str>,
        also: Box<[Arc<str>]>,
        (id, event): (MsgId, bool),
        (fingerprint, erases): (Option<Fingerprint>, Option<Box<Erasure>>),
        payload: Box<[u8]>,
    ) {
        let record = Record { room, also, id, event, fingerprint, erases, payload };
        self.delivery.output(Output::Store(Box::new(record)));
    }

    fn record_in(&mut self, rooms: &[RoomId], event: &Event<'_>, fingerprint: Option<Fingerprint>) -> bool {
        let Some(payload) = encode(event) else { return false };
        let fleeting = matches!(
            &event.what,
            What::Join { .. } | What::Part { .. } | What::Quit { .. } | What::Nick { .. }
        );
        let mut names = Vec::new();
        for room in rooms {
            let Some(state) = self.state.rooms.get_mut(*room) else { continue };
            if !state.remembered && !fleeting {
                // It counts for its maker from now on, over restarts too.
                state.remembered = true;
                self.state.changed(*room);
            }
            let Some(state) = self.state.rooms.get(*room) else { continue };
            if state.remembered {
                names.push(state.folded.clone());
            }
        }
        let mut names = names.into_iter();
        let Some(room) = names.next() else { return false };
        let also = names.collect();
        self.store(room, also, (event.id, !is_talk(&event.what)), (fingerprint, None), payload);
        true
    }
}

/// Whether it counts as a line.
fn is_talk(what: &What<'_>) -> bool {
    matches!(what, What::Announcement { .. } | What::Message { verb: Verb::Privmsg | Verb::Notice, .. })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_down_is_read_again() {
        let from = Source {
            nick: "bob".into(),
            prefix: "bob!u@h".into(),
            account: Some("Bob".into()),
            author: "Bob".into(),
            bot: true,
        };
        let id = MsgId { boot: 1, millis: 1_795_214_096_007, count: 2 };
        let room = "#a";
        for what in [
            What::Message { verb: Verb::Privmsg, target: room, text: "hello 小明", private: false },
            What::Message { verb: Verb::Notice, target: room, text: "x", private: false },
            What::Message { verb: Verb::Tagmsg, target: room, text: "", private: false },
            What::Join { room, realname: "Bob" },
            What::Part { room, reason: Some("why") },
            What::Part { room, reason: None },
            What::Quit { reason: "gone" },
            What::Kick { room, nick: "eve", reason: "spam" },
            What::Nick { new: "rob" },
            What::Topic { room, text: "" },
            What::Mode { target: room, change: "+o bob" },
            What::Announcement { target: room, text: "all" },
            What::Redact { target: room, of: MsgId::MAX, reason: "spam", past: false },
        ] {
            let tags = "+draft/react=x";
            let event = Event { id, from: Cow::Borrowed(&from), tags, what, volatile: false, batch: "" };
            let payload = encode(&event).expect("kept");
            let read = Told::parse(&payload).expect("known");
            // Who may take it back is kept of what can be taken back.
            let author = if read.number <= kind::TAGMSG { "Bob" } else { "" };
            let account = Some(author).filter(|author| !author.is_empty()).map(Into::into);
            let from = Source { account, author: author.into(), ..from.clone() };
            let event = Event { from: Cow::Owned(from), ..event };
            assert_eq!(format!("{:?}", read.event(room, id)), format!("{event:?}"));
        }
    }

    #[test]
    fn damaged_payloads_are_nothing() {
        for payload in [
            &b""[..],
            b"\x01",
            b"\x01\x00",
            b"\x01\x00\x05\x00ab",
            b"\x01\x00\x00\x00\x00\x00\x02\x00\xff\xff\x00\x00",
            &[99; 40],
        ] {
            assert!(Told::parse(payload).is_none(), "{payload:?}");
        }
    }

    #[test]
    fn fleeting_things_are_not_kept() {
        let from = Source {
            nick: "bob".into(),
            prefix: "bob!u@h".into(),
            account: None,
            author: " 1".into(),
            bot: false,
        };
        let typing = What::Message { verb: Verb::Tagmsg, target: "#a", text: "", private: false };
        assert_eq!(
            encode(&Event {
                id: MsgId::MAX,
                from: Cow::Borrowed(&from),
                tags: "+typing=active",
                what: typing,
                volatile: false,
                batch: "",
            }),
            None
        );
    }

    #[test]
    fn of_many_tags_those_are_kept_that_name_a_line_and_that_fit() {
        let name = "+parlor/id=0123456789abcdef0123456789abcdef";
        let long = format!("+x={}", "y".repeat(4_000));
        assert_eq!(
            lasting(&format!("+typing=active;{long};+draft/react=👍;{name}")),
            format!("+draft/react=👍;{name}")
        );
        assert_eq!(lasting("+typing=active;+draft/typing"), "");
        assert_eq!(lasting("+draft/reply=abc"), "+draft/reply=abc");
        let many: String = (0..100).map(|number| format!("+t{number}=v;")).collect();
        assert!((150..=MAX_TAGS).contains(&lasting(&many).len()));
    }

    #[test]
    fn a_fingerprint_is_of_the_room_and_the_name() {
        let name = 0x0123_4567_89ab_cdef_0123_4567_89ab_cdef;
        let one = fingerprint("#a", LineName(name));
        assert_ne!(one, fingerprint("#b", LineName(name)));
        assert_ne!(one, fingerprint("#a", LineName(name - 1)));
        let halves = [0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210, 0, u128::from(u64::MAX)];
        let prints = halves.map(|half| fingerprint("#a", LineName(half << 64 | half)));
        assert!((0..4).all(|i| !prints[..i].contains(&prints[i])), "{prints:?}");
        // As it stands in the files of earlier versions.
        assert_eq!(one.get(), 8_078_857_684_422_147_601);
    }
}
