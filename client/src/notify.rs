//! When the desktop, or a terminal's bell, is to tell of a line.

use serde::{Deserialize, Serialize};

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::{LineId, Parts};

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
