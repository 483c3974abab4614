//! The timeline as the window's list shows it: a row is made when it comes into view.

use std::any::Any;
use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::ops::Range;

use parlor_ui::slint::{ComponentHandle, Model, ModelNotify, ModelTracker, SharedString, StyledText, Weak};
use parlor_ui::{App, LineKind as RowKind, LineRow, LineState, Part, ReactionChip, TimelineView, Words};

use super::phrases::phrase;
use super::text::{self, Written, hue, shared};
use super::{clock, comings, mode_words};
use crate::session::{Delivery, Line, LineId, LineKind, Quote, Reaction, UnixMillis};
use crate::settings::TimeFormat;
use crate::timeline::{Change, Row, Timeline};

/// A [`Timeline`] that tells the window which rows changed.
///
/// Where a room's history is known to begin, a row above all others says so; the timeline itself
/// has none for that.
pub(super) struct Lines {
    timeline: RefCell<Timeline>,
    notify: ModelNotify,
    window: Weak<App>,
    format: Cell<TimeFormat>,
    /// The line that a search jumped to.
    found: Cell<Option<LineId>>,
    /// Where lines may be missing.
    gaps: RefCell<Vec<LineId>>,
    /// There was a gap at the very top: without one, the history begins here.
    was_open: Cell<bool>,
    /// The row for the beginning is there.
    begins: Cell<bool>,
}

impl Lines {
    pub(super) fn new(window: Weak<App>, format: TimeFormat, fold: bool) -> Lines {
        Lines {
            timeline: RefCell::new(Timeline::new(clock::day_of, fold)),
            notify: ModelNotify::default(),
            window,
            format: Cell::new(format),
            found: Cell::new(None),
            gaps: RefCell::default(),
            was_open: Cell::new(false),
            begins: Cell::new(false),
        }
    }

    pub(super) fn push(&self, lines: Vec<Line>) -> Vec<Change> {
        self.note_gaps(&lines);
        self.change(|timeline, changes| timeline.push(lines, changes))
    }

    pub(super) fn insert(&self, before: LineId, lines: Vec<Line>, news: bool) -> Vec<Change> {
        self.note_gaps(&lines);
        self.change(|timeline, changes| timeline.insert(before, lines, news, changes))
    }

    pub(super) fn remove(&self, ids: &[LineId]) -> Vec<Change> {
        self.gaps.borrow_mut().retain(|gap| !ids.contains(gap));
        self.change(|timeline, changes| timeline.remove(ids, changes))
    }

    pub(super) fn replace(&self, line: Line) -> Vec<Change> {
        self.change(|timeline, changes| timeline.replace(line, changes))
    }

    /// The person reads down to the end of it, or does not any more.
    pub(super) fn set_reading(&self, reading: bool) {
        self.timeline.borrow_mut().set_reading(reading);
    }

    /// It is not on the screen any more.
    pub(super) fn leave(&self) {
        self.change(|timeline, changes| changes.extend(timeline.leave()));
    }

    /// The row that says where reading stopped, if something below it is new.
    pub(super) fn first_new(&self) -> Option<usize> {
        self.timeline.borrow().first_new().map(|row| row + self.above())
    }

    /// See [`Timeline::resume`].
    pub(super) fn resume(&self, read: UnixMillis) {
        self.timeline.borrow_mut().resume(read);
    }

    /// See [`Timeline::read_until`].
    pub(super) fn read_until(&self, at: UnixMillis) -> Vec<Change> {
        self.change(|timeline, changes| timeline.read_until(at, changes))
    }

    /// See [`Timeline::read`].
    pub(super) fn read(&self) -> Option<UnixMillis> {
        self.timeline.borrow().read()
    }

    pub(super) fn toggle(&self, row: usize) -> Vec<Change> {
        let Some(row) = row.checked_sub(self.above()) else { return Vec::new() };
        self.change(|timeline, changes| changes.extend(timeline.toggle(row)))
    }

    fn note_gaps(&self, lines: &[Line]) {
        let gaps = lines.iter().filter(|line| line.kind() == LineKind::Gap).map(Line::id);
        self.gaps.borrow_mut().extend(gaps);
    }

    /// Changes the timeline and tells the window. What is returned speaks of the window's rows.
    fn change(&self, change: impl FnOnce(&mut Timeline, &mut Vec<Change>)) -> Vec<Change> {
        let mut changes = Vec::new();
        let open = !self.timeline.borrow().begins_here();
        change(&mut self.timeline.borrow_mut(), &mut changes);
        let above = self.above();
        for change in &mut changes {
            match change {
                Change::Updated(row) => *row += above,
                Change::Removed { at, .. } | Change::Added { at, .. } => *at += above,
            }
        }
        let begins_here = self.timeline.borrow().begins_here();
        self.was_open.set(self.was_open.get() || open || !begins_here);
        let begins = begins_here && self.was_open.get();
        if self.begins.replace(begins) != begins {
            let (at, count) = (0, 1);
            changes.push(if begins { Change::Added { at, count } } else { Change::Removed { at, count } });
            // What was the second row is the first one now, or the other way round.
            changes.push(Change::Updated(usize::from(begins)));
        }
        let rows = self.row_count();
        for change in &changes {
            match *change {
                Change::Updated(row) if row < rows => self.notify.row_changed(row),
                Change::Updated(_) => {}
                Change::Removed { at, count } => self.notify.row_removed(at, count),
                Change::Added { at, count } => self.notify.row_added(at, count),
            }
        }
        changes
    }

    /// Rows above those of the timeline.
    fn above(&self) -> usize {
        usize::from(self.begins.get())
    }

    /// The gaps in these rows that nothing is done about yet.
    pub(super) fn gaps_in(&self, rows: Range<usize>) -> Vec<LineId> {
        let idle = |gap: &&LineId| {
            let row = self.find(**gap).filter(|row| rows.contains(row));
            row.and_then(|row| self.line(row)).is_some_and(|line| line.state() == Delivery::None)
        };
        self.gaps.borrow().iter().filter(idle).copied().collect()
    }

    /// Whether lines may be missing somewhere.
    pub(super) fn has_gaps(&self) -> bool {
        !self.gaps.borrow().is_empty()
    }

    /// Times or words are shown in another way now.
    pub(super) fn show_anew(&self, format: TimeFormat) {
        self.format.set(format);
        self.notify.reset();
    }

    /// Another day is today now.
    pub(super) fn name_days(&self) {
        let rows: Vec<usize> = self.timeline.borrow().days().map(|row| row + self.above()).collect();
        rows.into_iter().for_each(|row| self.notify.row_changed(row));
    }

    /// The line of a row, or its gap, if it is one.
    pub(super) fn line(&self, row: usize) -> Option<Line> {
        match self.timeline.borrow().row(row.checked_sub(self.above())?)? {
            Row::Line { line, .. } | Row::Gap(line) => Some(line),
            _ => None,
        }
    }

    /// Own lines that wait to be sent; they stand at the end.
    pub(super) fn waiting(&self) -> usize {
        let timeline = self.timeline.borrow();
        let rows = (0..timeline.len()).rev().map_while(|row| timeline.row(row));
        let waits = |row: &Row| matches!(row, Row::Line { line, .. } if line.state() == Delivery::Pending);
        rows.take_while(waits).count()
    }

    /// The row of a line.
    pub(super) fn find(&self, id: LineId) -> Option<usize> {
        self.timeline.borrow().find(id).map(|row| row + self.above())
    }

    /// Marks a line as the one that was looked for, in place of another.
    pub(super) fn mark_found(&self, id: Option<LineId>) {
        let before = self.found.replace(id);
        let rows = before.into_iter().chain(id).filter_map(|id| self.find(id));
        rows.for_each(|row| self.notify.row_changed(row));
    }

    /// A row as text to copy: a part of what it says (bytes of what is shown), with name and time unless `bare`. `None`
    /// if nothing of it is in that part.
    pub(super) fn as_text(&self, row: usize, part: Range<usize>, bare: bool) -> Option<String> {
        let words = self.window.upgrade()?;
        let words = words.global::<Words>();
        let row = match self.timeline.borrow().row(row.checked_sub(self.above())?)? {
            Row::Fold { mut lines, .. } if lines.len() == 1 => {
                Row::Line { line: lines.remove(0), heading: false }
            }
            row => row,
        };
        Some(match row {
            Row::Line { line, .. } => {
                if line.deleted().is_some() {
                    return None;
                }
                let text = text_of(&words, &line);
                let text = Some(text::part(&text, part)).filter(|text| !text.is_empty())?;
                let time = clock::time(&words, self.format.get(), line.at());
                match line.kind() {
                    _ if bare => text.to_owned(),
                    LineKind::Said | LineKind::Notice => format!("[{time}] {}: {text}", line.from()),
                    LineKind::Action => format!("[{time}] * {} {text}", line.from()),
                    _ => format!("[{time}] {text}"),
                }
            }
            Row::Fold { lines, .. } => {
                lines.iter().map(|line| said(&words, line)).collect::<Vec<_>>().join("\n")
            }
            Row::Day(_) | Row::New | Row::Gap(_) => return None,
        })
    }

    fn show(&self, words: &Words<'_>, row: Row, first: bool) -> LineRow {
        match row {
            Row::Day(day) => LineRow {
                kind: RowKind::Day,
                plain: clock::day(words, day, clock::now()).into(),
                ..LineRow::default()
            },
            Row::New => LineRow { kind: RowKind::New, ..LineRow::default() },
            Row::Gap(gap) => LineRow {
                kind: if first { RowKind::Top } else { RowKind::Gap },
                state: line_state(gap.state()),
                reason: reason(words, &gap),
                ..LineRow::default()
            },
            Row::Line { line, heading } => {
                let found = self.found.get() == Some(line.id());
                LineRow { found, ..self.show_line(words, &line, heading) }
            }
            Row::Fold { lines, open } => {
                let one = lines.len() == 1;
                let plain = if one || open {
                    lines.iter().map(|line| said(words, line)).collect::<Vec<_>>().join("\n")
                } else {
                    comings::summary(words, &lines).into()
                };
                let plain = if one { text::shown(&plain) } else { plain };
                LineRow {
                    kind: if one { RowKind::Info } else { RowKind::Fold },
                    text: if one { text::styled(&plain) } else { StyledText::default() },
                    plain: plain.into(),
                    time: lines.first().map_or_else(Default::default, |line| self.time(words, line)).into(),
                    folded_count: people(&lines) as i32,
                    folded_open: open,
                    ..LineRow::default()
                }
            }
        }
    }

    fn time(&self, words: &Words<'_>, line: &Line) -> String {
        clock::time(words, self.format.get(), line.at())
    }

    fn show_line(&self, words: &Words<'_>, line: &Line, heading: bool) -> LineRow {
        let kind = match line.kind() {
            LineKind::Said => RowKind::Message,
            LineKind::Action => RowKind::Action,
            LineKind::Notice => RowKind::Notice,
            LineKind::Error => RowKind::Error,
            _ => RowKind::Info,
        };
        let deleted = line.deleted().map(|deleted| (shared(&deleted.by), shared(&deleted.reason)));
        let written = match &deleted {
            Some((by, _)) => text::written(&words.invoke_deleted(by.clone()), &[]),
            None => text::written(&text_of(words, line), line.spans()),
        };
        let Written { plain, blocks, .. } = &written;
        let quote = line.reply();
        LineRow {
            kind,
            heading,
            name: shared(line.from()),
            hue: hue(line.from()),
            time: self.time(words, line).into(),
            full_date: clock::full(words, self.format.get(), line.at()).into(),
            text: written.styled(|ink| self.ink(ink)),
            linked: deleted.is_none() && text::links(plain).next().is_some(),
            rtl: text::is_rtl(plain),
            large: line.is_talk() && deleted.is_none() && text::is_large(plain),
            styles: shared(&written.styles()),
            blocks: blocks.iter().map(part).collect::<Vec<_>>().as_slice().into(),
            named: line.is_talk() && deleted.is_none() && line.msgid().is_some(),
            reason: match &deleted {
                Some((_, why)) => why.clone(),
                None => reason(words, line),
            },
            deleted: deleted.is_some(),
            answers: quote.is_some(),
            quote_name: quote.map(|quote| shared(&quote.from)).unwrap_or_default(),
            quote_hue: quote.map_or(0, |quote| hue(&quote.from)),
            quote: quote.map(|quote| self::quote(words, quote)).unwrap_or_default(),
            reactions: line.reactions().iter().map(reaction).collect::<Vec<_>>().as_slice().into(),
            plain: shared(plain),
            own: line.own(),
            mention: line.mention(),
            state: line_state(line.state()),
            ..LineRow::default()
        }
    }

    /// The colour of the theme that is nearest to one that somebody has chosen: legible on both grounds.
    fn ink(&self, ink: u32) -> Option<u32> {
        let inks = self.window.upgrade()?.global::<TimelineView>().get_inks();
        let channels = |ink: u32| [16, 8, 0].map(|shift| (ink >> shift & 0xff) as i32);
        let wanted = channels(ink);
        let (low, high) = (wanted.iter().min()?, wanted.iter().max()?);
        // Grey is how text looks anyway.
        if high - low < 48 {
            return None;
        }
        // Apart from how light it is.
        let pure = |[r, g, b]: [i32; 3]| {
            let (low, high) = (r.min(g).min(b), r.max(g).max(b));
            [r, g, b].map(|channel| (channel - low) * 255 / (high - low).max(1))
        };
        let far = |shown: &u32| -> i32 {
            let pairs = pure(channels(*shown)).into_iter().zip(pure(wanted));
            pairs.map(|(a, b)| (a - b) * (a - b)).sum()
        };
        let shown = inks.iter().map(|ink| u32::from_be_bytes([0, ink.red(), ink.green(), ink.blue()]));
        shown.min_by_key(far)
    }
}

fn part(range: &Range<usize>) -> Part {
    Part { from: range.start as i32, to: range.end as i32 }
}

fn reaction(reaction: &Reaction) -> ReactionChip {
    ReactionChip {
        emoji: shared(&reaction.emoji),
        count: reaction.names.len() as i32,
        own: reaction.own,
        names: shared(&reaction.names.join(", ")),
    }
}

/// What stands above a line that answers another one.
fn quote(words: &Words<'_>, quote: &Quote) -> SharedString {
    match quote {
        Quote { deleted: true, .. } => words.invoke_answers_deleted(),
        Quote { from, .. } if from.is_empty() => words.invoke_answers_unknown(),
        Quote { text, .. } => shared(text),
    }
}

/// Where a row is, once these changes were made; one that is gone is the next one below.
pub(super) fn follow(row: usize, changes: &[Change]) -> usize {
    changes.iter().fold(row, |row, change| match *change {
        Change::Added { at, count } if at <= row => row + count,
        Change::Removed { at, count } if at < row => row - count.min(row - at),
        _ => row,
    })
}

/// The same, if it is still there.
pub(super) fn find(row: usize, changes: &[Change]) -> Option<usize> {
    changes.iter().try_fold(row, |row, change| match *change {
        Change::Removed { at, count } if (at..at + count).contains(&row) => None,
        _ => Some(follow(row, std::slice::from_ref(change))),
    })
}

/// How many people came and went, however often.
fn people(lines: &[Line]) -> usize {
    let mut names: Vec<&str> = lines.iter().map(Line::from).collect();
    names.sort_unstable();
    names.dedup();
    names.len()
}

fn line_state(state: Delivery) -> LineState {
    match state {
        Delivery::None => LineState::None,
        Delivery::Pending => LineState::Pending,
        Delivery::Delivered => LineState::Delivered,
        Delivery::Failed => LineState::Failed,
    }
}

/// What a line says.
fn text_of<'a>(words: &Words<'_>, line: &'a Line) -> Cow<'a, str> {
    match line.kind() {
        LineKind::Said | LineKind::Action | LineKind::Notice => line.text().into(),
        _ => said(words, line).into(),
    }
}

/// A quiet line in the person's language.
fn said(words: &Words<'_>, line: &Line) -> String {
    let (from, text) = (shared(line.from()), shared(line.text()));
    match line.kind() {
        LineKind::Joined => words.invoke_joined(from).into(),
        LineKind::Left => words.invoke_left(from, text).into(),
        LineKind::Kicked => {
            let (who, why) = line.kicked().unwrap_or_default();
            words.invoke_kicked(shared(who), from, shared(why)).into()
        }
        LineKind::Renamed => words.invoke_renamed(from, text).into(),
        LineKind::Topic => words.invoke_topic_changed(from, text).into(),
        LineKind::Mode => mode_words::changed(words, line.from(), line.text()).into(),
        _ => line.sentence().map_or_else(|| text.into(), |sentence| phrase(words, sentence).into()),
    }
}

/// Why a line failed, or a gap was not filled.
fn reason(words: &Words<'_>, line: &Line) -> SharedString {
    let failed = line.sentence().filter(|_| line.state() == Delivery::Failed);
    failed.map_or_else(SharedString::default, |sentence| phrase(words, sentence))
}

/// A line as a notification shows it.
pub(super) fn plain(words: &Words<'_>, line: &Line) -> SharedString {
    line.sentence().map_or_else(|| shared(line.text()), |sentence| phrase(words, sentence))
}

impl Model for Lines {
    type Data = LineRow;

    fn row_count(&self) -> usize {
        self.timeline.borrow().len() + self.above()
    }

    fn row_data(&self, row: usize) -> Option<LineRow> {
        let window = self.window.upgrade()?;
        let Some(inner) = row.checked_sub(self.above()) else {
            // Everything above is here.
            return Some(LineRow { kind: RowKind::Top, state: LineState::Delivered, ..LineRow::default() });
        };
        let shown = self.timeline.borrow().row(inner)?;
        Some(self.show(&window.global::<Words>(), shown, row == 0))
    }

    fn model_tracker(&self) -> &dyn ModelTracker {
        &self.notify
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_followed() {
        let added = |at, count| Change::Added { at, count };
        let removed = |at, count| Change::Removed { at, count };
        for (changes, to) in [
            (vec![added(0, 3)], 13),
            (vec![added(10, 2)], 12),
            (vec![added(11, 2), Change::Updated(3)], 10),
            (vec![removed(2, 3)], 7),
            (vec![removed(8, 5)], 8),
            (vec![removed(10, 1), added(10, 1)], 11),
        ] {
            assert_eq!(follow(10, &changes), to, "{changes:?}");
        }
    }
}
