//! What a conversation looks like from top to bottom: lines under headings, days, the place
//! where reading stopped, comings and goings folded into one quiet row.
//!
//! Pure: the window asks for a row when it shows it, and is told which rows changed.

use std::collections::VecDeque;
use std::sync::Arc;

use parlor_server::protocol::time::UnixMillis;

use crate::session::{Delivery, Line, LineId, LineKind};

/// Lines of one conversation that stay in memory; the oldest go first.
pub const MAX_ROWS: usize = 200_000;
/// Rows that go at a time, so that not every line moves all others.
const DROPPED: usize = 2_000;
/// Lines of one person within this time share a heading, in milliseconds.
const TOGETHER: u64 = 5 * 60 * 1000;

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Row {
    /// A new day begins: days since 1970, in the person's time zone.
    Day(i64),
    /// Reading stopped above this.
    New,
    /// A line. `heading`: name and time stand above it.
    #[expect(missing_docs, reason = "said above")]
    Line { line: Arc<Line>, heading: bool },
    /// People came, went or were renamed; one line or more.
    #[expect(missing_docs, reason = "said above")]
    Fold { lines: Vec<Arc<Line>>, open: bool },
}

/// Which rows changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// So many rows were added at the end.
    Added(usize),
    /// This row shows something else.
    Updated(usize),
    /// So many rows are gone, from this one on.
    #[expect(missing_docs, reason = "said above")]
    Removed { at: usize, count: usize },
}

#[derive(Debug)]
enum Item {
    Day(i64),
    New,
    Line(Arc<Line>),
    Fold(Box<(Vec<Arc<Line>>, bool)>),
}

/// See the [module](self).
#[derive(Debug)]
pub struct Timeline {
    items: VecDeque<Item>,
    day_of: fn(UnixMillis) -> i64,
    fold: bool,
    /// The person looks at it.
    reading: bool,
    /// The next line comes below the mark for new ones.
    mark_next: bool,
}

impl Timeline {
    /// An empty one. `day_of` gives the day of a time where the person is; `fold`: comings and
    /// goings share a row.
    pub fn new(day_of: fn(UnixMillis) -> i64, fold: bool) -> Timeline {
        Timeline { items: VecDeque::new(), day_of, fold, reading: false, mark_next: false }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The `i`th row from the top.
    pub fn row(&self, i: usize) -> Option<Row> {
        Some(match self.items.get(i)? {
            Item::Day(day) => Row::Day(*day),
            Item::New => Row::New,
            Item::Line(line) => Row::Line { line: Arc::clone(line), heading: self.has_heading(i, line) },
            Item::Fold(fold) => Row::Fold { lines: fold.0.clone(), open: fold.1 },
        })
    }

    fn has_heading(&self, i: usize, line: &Line) -> bool {
        if line.kind != LineKind::Said {
            return line.kind == LineKind::Notice;
        }
        match i.checked_sub(1).and_then(|above| self.items.get(above)) {
            Some(Item::Line(above)) => {
                above.kind != LineKind::Said
                    || above.from != line.from
                    || above.own != line.own
                    || line.at.0.saturating_sub(above.at.0) > TOGETHER
            }
            _ => true,
        }
    }

    /// Adds a line at the end.
    pub fn push(&mut self, line: Arc<Line>, changes: &mut Vec<Change>) {
        let quiet = is_quiet(line.kind);
        let before = self.items.len();
        if !quiet && !line.own && std::mem::take(&mut self.mark_next) {
            self.items.push_back(Item::New);
        }
        let day = (self.day_of)(line.at);
        if self.last_day() != Some(day) {
            self.items.push_back(Item::Day(day));
        }
        match self.items.back_mut() {
            Some(Item::Fold(fold)) if quiet && self.fold => {
                fold.0.push(line);
                changes.push(Change::Updated(before - 1));
            }
            _ if quiet => self.items.push_back(Item::Fold(Box::new((vec![line], false)))),
            _ => self.items.push_back(Item::Line(line)),
        }
        if self.items.len() > before {
            changes.push(Change::Added(self.items.len() - before));
        }
        if self.items.len() > MAX_ROWS {
            self.items.drain(..DROPPED);
            changes.push(Change::Removed { at: 0, count: DROPPED });
        }
    }

    /// Puts a line in the place of the one with the same id, if that is still here.
    pub fn replace(&mut self, line: Arc<Line>) -> Option<Change> {
        let i = self.find(line.id)?;
        self.items[i] = Item::Line(line);
        Some(Change::Updated(i))
    }

    /// The row of a line; late lines are found first.
    pub fn find(&self, id: LineId) -> Option<usize> {
        self.items.iter().rposition(|item| matches!(item, Item::Line(line) if line.id == id))
    }

    /// The person looks at it, or does not any more: then the mark is set anew.
    pub fn set_reading(&mut self, reading: bool) -> Option<Change> {
        if self.reading == reading {
            return None;
        }
        self.reading = reading;
        self.mark_next = !reading;
        if reading {
            return None;
        }
        let at = self.items.iter().rposition(|item| matches!(item, Item::New))?;
        self.items.remove(at);
        Some(Change::Removed { at, count: 1 })
    }

    /// Takes out a line of the person's own that was not sent.
    pub fn discard(&mut self, i: usize) -> Option<Change> {
        let failed = |line: &Line| matches!(line.state, Delivery::Failed(_));
        if !matches!(self.items.get(i), Some(Item::Line(line)) if failed(line)) {
            return None;
        }
        self.items.remove(i);
        Some(Change::Removed { at: i, count: 1 })
    }

    /// Opens or closes a folded row.
    pub fn toggle(&mut self, i: usize) -> Option<Change> {
        let Some(Item::Fold(fold)) = self.items.get_mut(i) else { return None };
        fold.1 = !fold.1;
        Some(Change::Updated(i))
    }

    fn last_day(&self) -> Option<i64> {
        self.items.iter().rev().find_map(|item| match item {
            Item::Day(day) => Some(*day),
            Item::New => None,
            Item::Line(line) => Some((self.day_of)(line.at)),
            Item::Fold(fold) => fold.0.last().map(|line| (self.day_of)(line.at)),
        })
    }
}

fn is_quiet(kind: LineKind) -> bool {
    matches!(kind, LineKind::Joined | LineKind::Left | LineKind::Renamed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc_day(at: UnixMillis) -> i64 {
        (at.0 / 86_400_000) as i64
    }

    fn line(id: u64, minutes: u64, from: &str, kind: LineKind) -> Arc<Line> {
        Arc::new(Line {
            id: LineId(id),
            msgid: None,
            at: UnixMillis(minutes * 60_000),
            from: from.into(),
            kind,
            text: format!("line {id}").into(),
            own: false,
            mention: false,
            state: Delivery::None,
        })
    }

    fn shape(timeline: &Timeline) -> String {
        let rows = (0..timeline.len()).filter_map(|i| timeline.row(i));
        rows.map(|row| match row {
            Row::Day(_) => "D".into(),
            Row::New => "N".into(),
            Row::Line { heading, .. } => if heading { "H" } else { "l" }.into(),
            Row::Fold { lines, .. } => format!("{}", lines.len()),
        })
        .collect()
    }

    fn pushed(timeline: &mut Timeline, line: Arc<Line>) -> Vec<Change> {
        let mut changes = Vec::new();
        timeline.push(line, &mut changes);
        changes
    }

    #[test]
    fn lines_of_one_person_share_a_heading_for_five_minutes() {
        let mut timeline = Timeline::new(utc_day, true);
        for (id, minutes, from) in [(1, 0, "a"), (2, 4, "a"), (3, 4, "b"), (4, 5, "a"), (5, 11, "a")] {
            pushed(&mut timeline, line(id, minutes, from, LineKind::Said));
        }
        assert_eq!(shape(&timeline), "DHlHHH");
    }

    #[test]
    fn each_day_begins_with_a_separator() {
        let mut timeline = Timeline::new(utc_day, true);
        pushed(&mut timeline, line(1, 0, "a", LineKind::Said));
        let changes = pushed(&mut timeline, line(2, 24 * 60, "a", LineKind::Said));
        assert_eq!((shape(&timeline).as_str(), changes), ("DHDH", vec![Change::Added(2)]));
    }

    #[test]
    fn comings_and_goings_fold() {
        let mut timeline = Timeline::new(utc_day, true);
        for (id, kind) in
            [(1, LineKind::Joined), (2, LineKind::Left), (3, LineKind::Said), (4, LineKind::Joined)]
        {
            pushed(&mut timeline, line(id, 0, "a", kind));
        }
        assert_eq!(shape(&timeline), "D2H1");
        assert_eq!(pushed(&mut timeline, line(5, 0, "b", LineKind::Left)), [Change::Updated(3)]);
        assert_eq!(timeline.toggle(3), Some(Change::Updated(3)));
        assert!(matches!(timeline.row(3), Some(Row::Fold { open: true, .. })));

        let mut apart = Timeline::new(utc_day, false);
        pushed(&mut apart, line(1, 0, "a", LineKind::Joined));
        pushed(&mut apart, line(2, 0, "b", LineKind::Joined));
        assert_eq!(shape(&apart), "D11");
    }

    #[test]
    fn the_mark_stands_where_reading_stopped() {
        let mut timeline = Timeline::new(utc_day, true);
        timeline.set_reading(true);
        pushed(&mut timeline, line(1, 0, "a", LineKind::Said));
        timeline.set_reading(false);
        pushed(&mut timeline, line(2, 0, "a", LineKind::Said));
        pushed(&mut timeline, line(3, 0, "a", LineKind::Said));
        assert_eq!(shape(&timeline), "DHNHl");
        timeline.set_reading(true);
        pushed(&mut timeline, line(4, 0, "a", LineKind::Said));
        assert_eq!(timeline.set_reading(false), Some(Change::Removed { at: 2, count: 1 }));
        assert_eq!(shape(&timeline), "DHlll");
    }

    #[test]
    fn a_line_is_replaced_by_its_id() {
        let mut timeline = Timeline::new(utc_day, true);
        pushed(&mut timeline, line(1, 0, "a", LineKind::Said));
        pushed(&mut timeline, line(2, 0, "a", LineKind::Said));
        let delivered =
            Arc::new(Line { state: Delivery::Delivered, ..(*line(1, 0, "a", LineKind::Said)).clone() });
        assert_eq!(timeline.replace(Arc::clone(&delivered)), Some(Change::Updated(1)));
        assert_eq!(timeline.row(1), Some(Row::Line { line: delivered, heading: true }));
        assert_eq!(timeline.replace(line(9, 0, "a", LineKind::Said)), None);
    }

    #[test]
    fn only_what_failed_can_be_discarded() {
        let mut timeline = Timeline::new(utc_day, true);
        let failed =
            Line { state: Delivery::Failed("why".into()), ..(*line(1, 0, "a", LineKind::Said)).clone() };
        pushed(&mut timeline, Arc::new(failed));
        pushed(&mut timeline, line(2, 0, "a", LineKind::Said));
        assert_eq!(timeline.discard(2), None);
        assert_eq!(timeline.discard(1), Some(Change::Removed { at: 1, count: 1 }));
        assert_eq!(shape(&timeline), "DH");
    }

    #[test]
    fn memory_is_bounded() {
        let mut timeline = Timeline::new(utc_day, true);
        let one = line(1, 0, "a", LineKind::Said);
        let mut changes = Vec::new();
        for _ in 0..MAX_ROWS + 10 {
            timeline.push(Arc::clone(&one), &mut changes);
        }
        assert!(timeline.len() <= MAX_ROWS);
        assert!(changes.contains(&Change::Removed { at: 0, count: DROPPED }));
    }
}
