//! Rows that come and go, and what that changes around them: days, folds, headings.

use super::{Change, Item, Mark, MarkRow, Timeline, is_quiet};
use crate::limits::FOLDED;
use crate::session::{Line, LineKind};

impl Timeline {
    /// The row where something new goes in above the line at this place: a fold is cut there.
    pub(super) fn split(&mut self, row: usize, inner: usize, changes: &mut Vec<Change>) -> usize {
        let Some(Item::Fold(fold)) = self.items.get_mut(row) else { return row };
        if inner == 0 {
            return row;
        }
        let (below, open) = (fold.0.split_off(inner), fold.1);
        changes.push(Change::Updated(row));
        self.add(row + 1, Item::Fold(Box::new((below, open))), changes);
        row + 1
    }

    /// Puts a line in above the row `at`, with the separators it needs.
    pub(super) fn put(&mut self, at: usize, line: Line, news: bool, changes: &mut Vec<Change>) {
        // What stands directly above the next line belongs to that: the day, and the mark.
        let mut at = self.above_separators(at);
        let (quiet, gap) = (is_quiet(line.kind()), line.kind() == LineKind::Gap);
        if !quiet && !gap && !line.own() && self.is_new(at, &line, news) {
            if let Some(mark) = self.marked() {
                self.drop_mark(mark);
                removed(mark, changes);
                at -= usize::from(mark < at);
                self.update_heading(mark, changes);
            }
            self.add(at, Item::New, changes);
            at += 1;
        }
        if self.reading && at == self.items.len() && line.is_talk() {
            self.seen();
        }
        let day = (self.day_of)(line.at());
        if !gap && self.day_above(at) != Some(day) {
            self.add(at, Item::Day(day), changes);
            at += 1;
        }
        match at.checked_sub(1).and_then(|above| self.items.get_mut(above)) {
            Some(Item::Fold(fold)) if quiet && self.fold && fold.0.len() < FOLDED => {
                fold.0.push(line);
                changes.push(Change::Updated(at - 1));
                at -= 1;
            }
            _ if quiet => self.add(at, Item::Fold(Box::new((vec![line], false))), changes),
            _ => self.add(at, Item::Line(line), changes),
        }
        self.mend(at + 1, changes);
    }

    /// Takes a whole row out, and the separators that nobody needs then.
    pub(super) fn take_out(&mut self, row: usize, changes: &mut Vec<Change>) {
        self.items.remove(row);
        removed(row, changes);
        // Its own day, if nothing of that day is left.
        let start = self.above_separators(row);
        self.mend(start, changes);
    }

    /// Makes right what stands from here to the next line of talk: days, folds, headings.
    pub(super) fn mend(&mut self, from: usize, changes: &mut Vec<Change>) {
        let mut at = from;
        let mut above = self.day_above(at);
        let mut has_day = false;
        loop {
            match self.items.get(at) {
                Some(Item::Day(day)) => {
                    let next = self.day_below(at + 1);
                    if has_day || self.is_above_gap(at) || Some(*day) == above || next != Some(*day) {
                        self.items.remove(at);
                        removed(at, changes);
                    } else {
                        has_day = true;
                        above = Some(*day);
                        at += 1;
                    }
                }
                Some(Item::New) => {
                    let last = self.day_below(at + 1).is_none();
                    if last {
                        // It stood above a line that was taken out.
                        self.drop_mark(at);
                        removed(at, changes);
                    } else {
                        at += 1;
                    }
                }
                Some(Item::Line(line)) if line.kind() == LineKind::Gap => at += 1,
                Some(Item::Line(_) | Item::Fold(_)) => break,
                None => return,
            }
        }
        let day = self.day_below(at);
        if let Some(day) = day.filter(|day| above != Some(*day)) {
            self.add(at, Item::Day(day), changes);
            at += 1;
        }
        self.join_folds(at, changes);
        self.update_heading(at, changes);
    }

    /// A day stands directly above its first line, below a gap.
    pub(super) fn is_above_gap(&self, at: usize) -> bool {
        let next = self.items.range(at..).find(|item| !matches!(item, Item::Day(_) | Item::New));
        matches!(next, Some(Item::Line(line)) if line.kind() == LineKind::Gap)
    }

    /// Two folds without anything between them are one, if that is not too long to be shown.
    pub(super) fn join_folds(&mut self, at: usize, changes: &mut Vec<Change>) {
        let Some(above) = at.checked_sub(1).filter(|_| self.fold) else { return };
        let fit = match (self.items.get(above), self.items.get(at)) {
            (Some(Item::Fold(above)), Some(Item::Fold(at))) => above.0.len() + at.0.len() <= FOLDED,
            _ => false,
        };
        if fit
            && let Some(Item::Fold(below)) = self.items.remove(at)
            && let Some(Item::Fold(fold)) = self.items.get_mut(above)
        {
            fold.0.extend(below.0);
            changes.extend([Change::Removed { at, count: 1 }, Change::Updated(above)]);
        }
    }

    /// Something is said before the person's eyes: what comes now is not from before.
    fn seen(&mut self) {
        if matches!(self.mark, Mark::Since(_)) {
            self.mark = Mark::Unwanted;
        }
    }

    /// Takes out the row that says where reading stopped.
    pub(super) fn drop_mark(&mut self, at: usize) {
        self.items.remove(at);
        self.mark_row = MarkRow::None;
    }

    pub(super) fn update_heading(&self, at: usize, changes: &mut Vec<Change>) {
        let said = matches!(self.items.get(at), Some(Item::Line(line)) if line.kind() == LineKind::Said);
        if said && changes.last() != Some(&Change::Updated(at)) {
            changes.push(Change::Updated(at));
        }
    }

    pub(super) fn add(&mut self, at: usize, item: Item, changes: &mut Vec<Change>) {
        if matches!(item, Item::New) {
            self.mark_row = MarkRow::Stands;
        }
        self.items.insert(at, item);
        // One notice for a page: the list lays itself out once.
        match &mut changes[..] {
            [.., Change::Added { at: first, count }] if *first + *count == at => *count += 1,
            [.., Change::Added { at: first, count }, Change::Updated(next)]
                if *first + *count == at && *next == at =>
            {
                *count += 1;
                *next += 1;
            }
            _ => changes.push(Change::Added { at, count: 1 }),
        }
    }
}

/// Notes that a row is gone; those that go one after the other make one notice.
pub(super) fn removed(at: usize, changes: &mut Vec<Change>) {
    changes.pop_if(|last| *last == Change::Updated(at));
    match changes.last_mut() {
        Some(Change::Removed { at: first, count }) if *first == at => *count += 1,
        _ => changes.push(Change::Removed { at, count: 1 }),
    }
}
