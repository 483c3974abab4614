//! What a conversation looks like from top to bottom: lines under headings, days, the place
//! where reading stopped, gaps, comings and goings folded into one quiet row.
//!
//! Pure: the window asks for a row when it shows it, and is told which rows changed. Lines may
//! be put in and taken out anywhere; they are named by their ids, rows by their places.

mod edit;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use parlor_server::protocol::time::UnixMillis;

use crate::session::{Delivery, Line, LineId, LineKind};

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
    Line { line: Line, heading: bool },
    /// People came, went or were renamed; one line or more.
    #[expect(missing_docs, reason = "said above")]
    Fold { lines: Vec<Line>, open: bool },
    /// Lines may be missing here; see [`LineKind::Gap`] for what the state of it says.
    Gap(Line),
}

/// Which rows changed. Several of them are to be applied one after the other: each speaks of the
/// places that the ones before it have left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "said above each")]
pub enum Change {
    /// So many rows are new, from this place on.
    Added { at: usize, count: usize },
    /// This row shows something else.
    Updated(usize),
    /// So many rows are gone, from this place on.
    Removed { at: usize, count: usize },
}

#[derive(Debug)]
enum Item {
    Day(i64),
    New,
    /// A gap is one too.
    Line(Line),
    Fold(Box<(Vec<Line>, bool)>),
}

/// The row that says where reading stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MarkRow {
    None,
    /// What stands below it is new.
    Stands,
    /// All below it was read: it goes when there is something new, or when nobody looks.
    Old,
}

/// Where to look for what is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    /// The person looks at it.
    Unwanted,
    /// The next line of somebody else below this one is new; without one, as long as nobody has
    /// looked: any.
    After(Option<LineId>),
    /// Those of somebody else that come in later than this are new: an earlier run of the program has shown the rest.
    Since(UnixMillis),
}

/// The rows of one conversation; see the [module](self).
///
/// ```
/// use parlor_client::session::{Line, LineId, LineKind, Parts};
/// use parlor_client::timeline::{Change, Row, Timeline};
///
/// let said = |id, text| {
///     Line::new(LineId(id), &Parts { kind: LineKind::Said, from: "bob", text, ..Parts::default() })
/// };
/// let mut timeline = Timeline::new(|at| (at.0 / 86_400_000) as i64, true);
/// timeline.set_reading(true);
/// let mut changes = Vec::new();
/// timeline.push(vec![said(1, "hello"), said(2, "it is me")], &mut changes);
/// assert_eq!(changes, [Change::Added { at: 0, count: 3 }], "the day, and two lines");
/// assert_eq!(timeline.row(0), Some(Row::Day(0)));
/// assert_eq!(timeline.row(1), Some(Row::Line { line: said(1, "hello"), heading: true }));
/// assert_eq!(timeline.row(2), Some(Row::Line { line: said(2, "it is me"), heading: false }));
/// ```
#[derive(Debug)]
pub struct Timeline {
    items: VecDeque<Item>,
    mark_row: MarkRow,
    day_of: fn(UnixMillis) -> i64,
    fold: bool,
    /// The person looks at it.
    reading: bool,
    mark: Mark,
}

impl Timeline {
    /// An empty one. `day_of` gives the day of a time where the person is; `fold`: comings and
    /// goings share a row.
    pub fn new(day_of: fn(UnixMillis) -> i64, fold: bool) -> Timeline {
        Timeline {
            items: VecDeque::new(),
            mark_row: MarkRow::None,
            day_of,
            fold,
            reading: false,
            mark: Mark::After(None),
        }
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
            Item::Line(line) if line.kind() == LineKind::Gap => Row::Gap(line.clone()),
            Item::Line(line) => Row::Line { line: line.clone(), heading: self.has_heading(i, line) },
            Item::Fold(fold) => Row::Fold { lines: fold.0.clone(), open: fold.1 },
        })
    }

    /// The rows at which a day begins.
    pub fn days(&self) -> impl Iterator<Item = usize> {
        self.items.iter().enumerate().filter(|(_, item)| matches!(item, Item::Day(_))).map(|(row, _)| row)
    }

    /// Whether everything that was ever said here is here: nothing is missing at the top.
    pub fn begins_here(&self) -> bool {
        !matches!(self.items.front(), Some(Item::Line(line)) if line.kind() == LineKind::Gap)
    }

    /// Adds lines at the end.
    pub fn push(&mut self, lines: Vec<Line>, changes: &mut Vec<Change>) {
        for line in lines {
            self.put(self.items.len(), line, true, changes);
        }
    }

    /// Puts lines in above another one; without it, at the end. `news`: they were said just now or
    /// while we were away, not in an older page.
    pub fn insert(&mut self, before: LineId, lines: Vec<Line>, news: bool, changes: &mut Vec<Change>) {
        let mut known = None;
        for line in lines {
            let at = match known.filter(|row| self.starts_with(*row, before)) {
                Some(row) => row,
                None => match self.place(before) {
                    Some((row, inner)) => self.split(row, inner, changes),
                    None => self.items.len(),
                },
            };
            let below = self.items.len() - at;
            self.put(at, line, news, changes);
            // Nothing below it has changed.
            known = self.items.len().checked_sub(below);
        }
    }

    /// Puts a line in the place of the one with the same id, if that is here.
    pub fn replace(&mut self, line: Line, changes: &mut Vec<Change>) {
        let Some((row, inner)) = self.place(line.id()) else { return };
        match self.items.get_mut(row) {
            Some(Item::Line(old)) if (self.day_of)(old.at()) == (self.day_of)(line.at()) => {
                *old = line;
                changes.push(Change::Updated(row));
                self.update_heading(row + 1, changes);
            }
            Some(Item::Fold(fold)) => {
                if let Some(old) = fold.0.get_mut(inner) {
                    *old = line;
                    changes.push(Change::Updated(row));
                }
            }
            Some(_) => {
                let below = self.id_below(row + 1);
                self.take_out(row, changes);
                match below {
                    Some(below) => self.insert(below, vec![line], false, changes),
                    None => self.push(vec![line], changes),
                }
            }
            None => {}
        }
    }

    /// Takes lines out.
    pub fn remove(&mut self, ids: &[LineId], changes: &mut Vec<Change>) {
        for id in ids {
            let Some((row, inner)) = self.place(*id) else { continue };
            if self.mark == Mark::After(Some(*id)) {
                self.mark = Mark::After(self.read_above(row));
            }
            match self.items.get_mut(row) {
                Some(Item::Fold(fold)) if fold.0.len() > 1 => {
                    fold.0.remove(inner);
                    changes.push(Change::Updated(row));
                }
                _ => self.take_out(row, changes),
            }
        }
    }

    /// The row of a line, or of the fold that it is in. Lines near both ends are found first.
    pub fn find(&self, id: LineId) -> Option<usize> {
        self.place(id).map(|(row, _)| row)
    }

    /// The person reads it down to its end, or does not any more: then what comes is new.
    pub fn set_reading(&mut self, reading: bool) {
        if self.reading == reading {
            return;
        }
        self.reading = reading;
        if reading {
            // What was said before is still to come.
            if !matches!(self.mark, Mark::Since(_)) {
                self.mark = Mark::Unwanted;
            }
            return;
        }
        match (self.mark, self.last_read()) {
            (Mark::Since(_), None) => {}
            (_, read) => self.mark = Mark::After(read),
        }
        if self.mark_row == MarkRow::Stands {
            self.mark_row = MarkRow::Old;
        }
    }

    /// It is not on the screen any more: a mark above what was read goes.
    pub fn leave(&mut self) -> Option<Change> {
        self.set_reading(false);
        let at = self.marked().filter(|_| self.mark_row == MarkRow::Old)?;
        self.drop_mark(at);
        Some(Change::Removed { at, count: 1 })
    }

    /// An earlier run of the program has shown what was said until then.
    pub fn resume(&mut self, read: UnixMillis) {
        self.mark = Mark::Since(read);
    }

    /// Another device has shown what was said until then: what is new begins below that, or nothing is.
    pub fn read_until(&mut self, at: UnixMillis, changes: &mut Vec<Change>) {
        if self.reading {
            return;
        }
        let first = self.items.iter().rposition(|item| match item {
            Item::Line(line) => line.kind() != LineKind::Gap && line.at() <= at,
            Item::Fold(fold) => fold.0.last().is_some_and(|line| line.at() <= at),
            Item::Day(_) | Item::New => false,
        });
        let Some(last) = first else { return self.resume(at) };
        if self.marked().is_some_and(|mark| mark > last) {
            // More was read here.
            return;
        }
        let below = self.id_below(last + 1);
        if let Some(mark) = self.marked() {
            self.drop_mark(mark);
            edit::removed(mark, changes);
            self.update_heading(mark, changes);
        }
        let others =
            |item: &Item| matches!(item, Item::Line(line) if line.is_talk() && !line.own() && line.at() > at);
        let row = below.and_then(|id| self.find(id)).filter(|row| self.items.range(*row..).any(others));
        match row {
            Some(row) => {
                let row = self.items.range(row..).position(others).map_or(row, |more| row + more);
                let row = self.above_separators(row);
                self.mark = Mark::After(self.read_above(row));
                self.add(row, Item::New, changes);
                self.mend(row + 1, changes);
            }
            None => self.mark = Mark::After(self.last_read()),
        }
    }

    /// The time of the last line that was read; none, if that is not known.
    pub fn read(&self) -> Option<UnixMillis> {
        let at = |id: LineId| {
            let (row, inner) = self.place(id)?;
            match self.items.get(row)? {
                Item::Line(line) => Some(line.at()),
                Item::Fold(fold) => fold.0.get(inner).map(Line::at),
                Item::Day(_) | Item::New => None,
            }
        };
        let last = if self.reading { self.last_read().and_then(at) } else { None };
        match self.mark {
            // What was said before is still to come, unless it is here.
            Mark::Since(read) if self.mark_row != MarkRow::None => last.or(Some(read)),
            Mark::Since(read) => Some(read),
            Mark::After(read) => read.and_then(at),
            Mark::Unwanted => last,
        }
    }

    /// The row that says where reading stopped, if something below it is new.
    pub fn first_new(&self) -> Option<usize> {
        self.marked().filter(|_| self.mark_row == MarkRow::Stands && !self.reading)
    }

    /// Opens or closes a folded row.
    pub fn toggle(&mut self, i: usize) -> Option<Change> {
        let Some(Item::Fold(fold)) = self.items.get_mut(i) else { return None };
        fold.1 = !fold.1;
        Some(Change::Updated(i))
    }

    /// Row and place in the fold of a line.
    fn place(&self, id: LineId) -> Option<(usize, usize)> {
        let inner = |item: &Item| match item {
            Item::Line(line) => (line.id() == id).then_some(0),
            Item::Fold(fold) => fold.0.iter().position(|line| line.id() == id),
            Item::Day(_) | Item::New => None,
        };
        let last = self.items.len().checked_sub(1)?;
        for i in 0..=last / 2 {
            for row in [last - i, i] {
                if let Some(inner) = self.items.get(row).and_then(inner) {
                    return Some((row, inner));
                }
            }
        }
        None
    }

    /// Whether a line is the first of a row.
    fn starts_with(&self, row: usize, id: LineId) -> bool {
        match self.items.get(row) {
            Some(Item::Line(line)) => line.id() == id,
            Some(Item::Fold(fold)) => fold.0.first().is_some_and(|line| line.id() == id),
            _ => false,
        }
    }

    fn above_separators(&self, at: usize) -> usize {
        let separator = |i: usize| matches!(self.items.get(i), Some(Item::Day(_) | Item::New));
        let mut at = at.min(self.items.len());
        while at > 0 && separator(at - 1) {
            at -= 1;
        }
        at
    }

    /// Whether a line of somebody else that comes in above this row is the first new one.
    fn is_new(&self, at: usize, line: &Line, news: bool) -> bool {
        let read = match self.mark {
            Mark::Unwanted => return false,
            Mark::After(_) if !news => return false,
            Mark::After(read) => read,
            // What is said before our eyes is not.
            Mark::Since(read) if line.at() <= read || (self.reading && at == self.items.len()) => {
                return false;
            }
            Mark::Since(_) => None,
        };
        let stands = self.mark_row == MarkRow::Stands;
        if at == self.items.len() {
            return !stands;
        }
        if stands && self.marked().is_some_and(|mark| mark < at) {
            return false;
        }
        read.and_then(|id| self.find(id)).is_none_or(|row| row < at)
    }

    fn marked(&self) -> Option<usize> {
        let find = || self.items.iter().rposition(|item| matches!(item, Item::New));
        if self.mark_row == MarkRow::None { None } else { find() }
    }

    /// The day of the last line above this row.
    fn day_above(&self, at: usize) -> Option<i64> {
        self.items.range(..at).rev().find_map(|item| match item {
            Item::Day(day) => Some(*day),
            Item::New => None,
            Item::Line(line) if line.kind() == LineKind::Gap => None,
            Item::Line(line) => Some((self.day_of)(line.at())),
            Item::Fold(fold) => fold.0.last().map(|line| (self.day_of)(line.at())),
        })
    }

    /// The day of the first line from this row on.
    fn day_below(&self, at: usize) -> Option<i64> {
        self.items.range(at.min(self.items.len())..).find_map(|item| match item {
            Item::Day(_) | Item::New => None,
            Item::Line(line) if line.kind() == LineKind::Gap => None,
            Item::Line(line) => Some((self.day_of)(line.at())),
            Item::Fold(fold) => fold.0.first().map(|line| (self.day_of)(line.at())),
        })
    }

    fn id_below(&self, at: usize) -> Option<LineId> {
        self.items.range(at.min(self.items.len())..).find_map(|item| match item {
            Item::Line(line) => Some(line.id()),
            Item::Fold(fold) => fold.0.first().map(Line::id),
            Item::Day(_) | Item::New => None,
        })
    }

    fn last_read(&self) -> Option<LineId> {
        self.read_above(self.items.len())
    }

    /// The last line above this row that stays where it is: others come in above a gap and above
    /// what waits to be sent.
    fn read_above(&self, at: usize) -> Option<LineId> {
        self.items.range(..at).rev().find_map(|item| match item {
            Item::Line(line) if line.kind() == LineKind::Gap || line.state() == Delivery::Pending => None,
            Item::Line(line) => Some(line.id()),
            Item::Fold(fold) => fold.0.last().map(Line::id),
            Item::Day(_) | Item::New => None,
        })
    }

    fn has_heading(&self, i: usize, line: &Line) -> bool {
        if line.kind() != LineKind::Said {
            return line.kind() == LineKind::Notice;
        }
        match i.checked_sub(1).and_then(|above| self.items.get(above)) {
            Some(Item::Line(above)) => {
                above.kind() != LineKind::Said
                    || above.from() != line.from()
                    || above.own() != line.own()
                    || line.at().0.abs_diff(above.at().0) > TOGETHER
            }
            _ => true,
        }
    }
}

fn is_quiet(kind: LineKind) -> bool {
    matches!(kind, LineKind::Joined | LineKind::Left | LineKind::Renamed)
}
