//! When the desktop, or a terminal's bell, is to tell of a line.

use std::collections::HashSet;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::conversations::ConversationId;
use crate::limits::{NOTICE_EVERY, NOTICE_PEOPLE};
use crate::session::{Kind, Line, LineId, LineKind};

/// The lines that are told of while nobody looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Notify {
    /// Lines with the person's name in them.
    Mentions,
    /// These, and private lines.
    #[default]
    Private,
    /// Every line.
    All,
    /// Nothing.
    Off,
}

impl Notify {
    /// Whether an [`Event::Alert`](crate::session::Event::Alert) of such a conversation is told.
    pub fn tells_alert(self, kind: Kind) -> bool {
        match self {
            Notify::Mentions => kind == Kind::Room,
            Notify::Private | Notify::All => true,
            Notify::Off => false,
        }
    }

    /// The line that stands for a batch of new ones in such a conversation, of which no alert comes:
    /// the last one, if every line is to be told of.
    pub fn line_to_tell(self, kind: Kind, lines: &[Line]) -> Option<&Line> {
        let told = |line: &&Line| {
            let talk = !line.own() && matches!(line.kind(), LineKind::Said | LineKind::Action);
            talk && kind == Kind::Room && !line.mention()
        };
        if self == Notify::All { lines.iter().rfind(told) } else { None }
    }
}

/// The same of one conversation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RoomNotify {
    /// As the settings say.
    #[default]
    Usual,
    /// Every line.
    All,
    /// Nothing, and what is new in it stands back in the list, too.
    Muted,
}

impl RoomNotify {
    /// What that makes of the settings.
    pub fn over(self, settings: Notify) -> Notify {
        match self {
            RoomNotify::Usual => settings,
            RoomNotify::All => Notify::All,
            RoomNotify::Muted => Notify::Off,
        }
    }
}

/// Why something is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Our name was said in a room.
    Mention,
    /// Somebody wrote to us alone.
    Private,
    /// Somebody asks us into a room.
    Invitation,
    /// Every line is to be told of.
    Line,
}

/// Something that the desktop is to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Where it was said.
    pub of: ConversationId,
    /// The line there.
    pub line: LineId,
    /// The name of that room; none: to us alone.
    pub room: Option<String>,
    /// Who.
    pub from: String,
    /// What.
    pub text: String,
    /// What it has to do with us.
    pub why: Why,
}

/// What is told at once.
#[derive(Debug, PartialEq, Eq)]
pub enum Told {
    /// A line.
    One(Notice),
    /// Several lines of so many people, and the last one; `one_room`: all in its conversation.
    #[expect(missing_docs, reason = "said above")]
    Many { lines: u32, people: usize, one_room: bool, last: Notice },
}

/// Joins what would be told too soon after the last notification.
#[derive(Debug, Default)]
pub struct Notices {
    /// When the next one may be told.
    next: Option<Instant>,
    lines: u32,
    people: HashSet<String>,
    /// They come from several conversations.
    mixed: bool,
    last: Option<Notice>,
}

impl Notices {
    /// What to tell now; without: it waits, until [`Notices::due`].
    pub fn add(&mut self, notice: Notice, now: Instant) -> Option<Told> {
        self.lines = self.lines.saturating_add(1);
        if self.people.len() < NOTICE_PEOPLE {
            self.people.insert(notice.from.clone());
        }
        self.mixed |= self.last.as_ref().is_some_and(|last| last.of != notice.of);
        self.last = Some(notice);
        self.take(now)
    }

    /// When to [`take`](Self::take) what waits.
    pub fn due(&self) -> Option<Instant> {
        self.next.filter(|_| self.last.is_some())
    }

    /// What waits, if it may be told now.
    pub fn take(&mut self, now: Instant) -> Option<Told> {
        if self.next.is_some_and(|next| now < next) {
            return None;
        }
        let last = self.last.take()?;
        self.next = Some(now + NOTICE_EVERY);
        let (lines, people) = (std::mem::take(&mut self.lines), std::mem::take(&mut self.people).len());
        let one_room = !std::mem::take(&mut self.mixed);
        Some(if lines == 1 { Told::One(last) } else { Told::Many { lines, people, one_room, last } })
    }

    /// The person looks: what waits need not be told.
    pub fn seen(&mut self) {
        (self.lines, self.mixed, self.last) = (0, false, None);
        self.people.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::Place;
    use crate::session::{Key, Parts};

    #[test]
    fn what_comes_too_soon_is_joined() {
        let of = ConversationId::new(&Place::parse("a:1").unwrap().id(), Key::new("bob"));
        let notice = |from: &str, text: &str| {
            let (of, line, why) = (of.clone(), LineId(1), Why::Private);
            Notice { of, line, room: None, from: from.into(), text: text.into(), why }
        };
        #[expect(clippy::disallowed_methods, reason = "there is no other way to have an Instant")]
        let start = Instant::now();
        let mut notices = Notices::default();
        assert_eq!(notices.add(notice("bob", "1"), start), Some(Told::One(notice("bob", "1"))));
        for i in 0..2_000 {
            assert_eq!(notices.add(notice(&format!("p{}", i % 5), "x"), start), None);
        }
        let due = notices.due().unwrap();
        assert_eq!((due, notices.take(start)), (start + NOTICE_EVERY, None));
        let told = Told::Many { lines: 2_000, people: 5, one_room: true, last: notice("p4", "x") };
        assert_eq!((notices.take(due), notices.due()), (Some(told), None));
        // Read meanwhile.
        assert_eq!(notices.add(notice("bob", "2"), due), None);
        notices.seen();
        assert_eq!((notices.due(), notices.take(due + NOTICE_EVERY)), (None, None));
        let later = due + 2 * NOTICE_EVERY;
        assert_eq!(notices.add(notice("bob", "3"), later), Some(Told::One(notice("bob", "3"))));
    }

    fn said(id: u64, own: bool, mention: bool) -> Line {
        let kind = LineKind::Said;
        Line::new(LineId(id), &Parts { kind, from: "bob", text: "hi", own, mention, ..Parts::default() })
    }

    #[test]
    fn an_alert_is_told_unless_it_is_not_wanted() {
        for (notify, room, person) in [
            (Notify::Off, false, false),
            (Notify::Mentions, true, false),
            (Notify::Private, true, true),
            (Notify::All, true, true),
        ] {
            assert_eq!((notify.tells_alert(Kind::Room), notify.tells_alert(Kind::Person)), (room, person));
            assert_eq!(RoomNotify::Usual.over(notify), notify);
            assert!(RoomNotify::All.over(notify).tells_alert(Kind::Person));
            assert!(!RoomNotify::Muted.over(notify).tells_alert(Kind::Room));
        }
    }

    #[test]
    fn only_who_wants_all_is_told_of_lines_without_an_alert() {
        let lines = [said(1, false, false), said(2, false, true), said(3, true, false)];
        let told = |notify: Notify, kind| notify.line_to_tell(kind, &lines).map(Line::id);
        for notify in [Notify::Off, Notify::Mentions, Notify::Private] {
            assert_eq!(told(notify, Kind::Room), None, "{notify:?}");
        }
        assert_eq!((told(Notify::All, Kind::Room), told(Notify::All, Kind::Person)), (Some(LineId(1)), None));
    }
}
