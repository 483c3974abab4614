//! When the desktop, or a terminal's bell, is to tell of a line.

use std::collections::HashSet;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::limits::{NOTICE_EVERY, NOTICE_PEOPLE};
use crate::session::{Kind, Line, LineKind};

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

    /// The line that stands for a batch of new ones in such a conversation: the last one worth it.
    /// `shown`: the conversation is on the screen, so that no alert comes of it.
    pub fn line_to_tell(self, kind: Kind, shown: bool, lines: &[Line]) -> Option<&Line> {
        let private = kind != Kind::Room && self == Notify::Private;
        let wanted = |line: &&Line| {
            let talk = !line.own() && matches!(line.kind(), LineKind::Said | LineKind::Action);
            talk && (self == Notify::All || (shown && (line.mention() || private)))
        };
        if self == Notify::Off { None } else { lines.iter().rfind(wanted) }
    }
}

/// Something that the desktop is to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// In which room our name was said; none: to us alone.
    pub room: Option<String>,
    /// Who.
    pub from: String,
    /// What.
    pub text: String,
}

/// What is told at once.
#[derive(Debug, PartialEq, Eq)]
pub enum Told {
    /// A line.
    One(Notice),
    /// Several lines of so many people, and the last one.
    #[expect(missing_docs, reason = "said above")]
    Many { lines: u32, people: usize, last: Notice },
}

/// Joins what would be told too soon after the last notification.
#[derive(Debug, Default)]
pub struct Notices {
    /// When the next one may be told.
    next: Option<Instant>,
    lines: u32,
    people: HashSet<String>,
    last: Option<Notice>,
}

impl Notices {
    /// What to tell now; without: it waits, until [`Notices::due`].
    pub fn add(&mut self, notice: Notice, now: Instant) -> Option<Told> {
        self.lines = self.lines.saturating_add(1);
        if self.people.len() < NOTICE_PEOPLE {
            self.people.insert(notice.from.clone());
        }
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
        Some(if lines == 1 { Told::One(last) } else { Told::Many { lines, people, last } })
    }

    /// The person looks: what waits need not be told.
    pub fn seen(&mut self) {
        (self.lines, self.last) = (0, None);
        self.people.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::{LineId, Parts};

    #[test]
    fn what_comes_too_soon_is_joined() {
        let notice = |from: &str, text: &str| Notice { room: None, from: from.into(), text: text.into() };
        #[expect(clippy::disallowed_methods, reason = "there is no other way to have an Instant")]
        let start = Instant::now();
        let mut notices = Notices::default();
        assert_eq!(notices.add(notice("bob", "1"), start), Some(Told::One(notice("bob", "1"))));
        for i in 0..2_000 {
            assert_eq!(notices.add(notice(&format!("p{}", i % 5), "x"), start), None);
        }
        let due = notices.due().unwrap();
        assert_eq!((due, notices.take(start)), (start + NOTICE_EVERY, None));
        let told = Told::Many { lines: 2_000, people: 5, last: notice("p4", "x") };
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
        }
    }

    #[test]
    fn of_new_lines_the_last_one_that_matters_is_told() {
        let lines = [said(1, false, true), said(2, false, false), said(3, true, false)];
        let told = |notify: Notify, kind, shown| notify.line_to_tell(kind, shown, &lines).map(Line::id);
        for (notify, in_room, privately, elsewhere) in [
            (Notify::Off, None, None, None),
            (Notify::Mentions, Some(1), Some(1), None),
            (Notify::Private, Some(1), Some(2), None),
            (Notify::All, Some(2), Some(2), Some(2)),
        ] {
            assert_eq!(told(notify, Kind::Room, true), in_room.map(LineId), "{notify:?}");
            assert_eq!(told(notify, Kind::Person, true), privately.map(LineId), "{notify:?}");
            assert_eq!(told(notify, Kind::Room, false), elsewhere.map(LineId), "{notify:?}");
        }
        assert_eq!(Notify::All.line_to_tell(Kind::Room, true, &lines[2..]), None);
    }
}
