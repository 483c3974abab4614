//! The timeline as the window's list shows it: a row is made when it comes into view.

use std::any::Any;
use std::cell::{Cell, RefCell};

use parlor_ui::slint::{ComponentHandle, Model, ModelNotify, ModelTracker, StyledText, Weak};
use parlor_ui::{App, LineKind as RowKind, LineRow, LineState, Words};

use super::clock;
use super::phrases::phrase;
use super::text::{hue, shared, styled};
use crate::session::{Delivery, Line, LineId, LineKind};
use crate::settings::TimeFormat;
use crate::timeline::{Change, Row, Timeline};

/// A [`Timeline`] that tells the window which rows changed.
pub(super) struct Lines {
    timeline: RefCell<Timeline>,
    notify: ModelNotify,
    window: Weak<App>,
    format: Cell<TimeFormat>,
    /// The row that a search jumped to.
    found: Cell<Option<usize>>,
}

impl Lines {
    pub(super) fn new(window: Weak<App>, format: TimeFormat, fold: bool) -> Lines {
        Lines {
            timeline: RefCell::new(Timeline::new(clock::day_of, fold)),
            notify: ModelNotify::default(),
            window,
            format: Cell::new(format),
            found: Cell::new(None),
        }
    }

    pub(super) fn push(&self, lines: Vec<Line>) {
        self.change(|timeline, changes| timeline.push(lines, changes));
    }

    pub(super) fn insert(&self, before: LineId, lines: Vec<Line>) {
        self.change(|timeline, changes| timeline.insert(before, lines, changes));
    }

    pub(super) fn remove(&self, ids: &[LineId]) {
        self.change(|timeline, changes| timeline.remove(ids, changes));
    }

    pub(super) fn replace(&self, line: Line) {
        self.change(|timeline, changes| timeline.replace(line, changes));
    }

    pub(super) fn set_reading(&self, reading: bool) {
        self.change(|timeline, changes| changes.extend(timeline.set_reading(reading)));
    }

    pub(super) fn toggle(&self, row: usize) {
        self.change(|timeline, changes| changes.extend(timeline.toggle(row)));
    }

    fn change(&self, change: impl FnOnce(&mut Timeline, &mut Vec<Change>)) {
        let mut changes = Vec::new();
        change(&mut self.timeline.borrow_mut(), &mut changes);
        for change in changes {
            match change {
                Change::Updated(row) => self.notify.row_changed(row),
                Change::Removed { at, count } => self.notify.row_removed(at, count),
                Change::Added { at, count } => self.notify.row_added(at, count),
            }
        }
    }

    /// Times or words are shown in another way now.
    pub(super) fn show_anew(&self, format: TimeFormat) {
        self.format.set(format);
        self.notify.reset();
    }

    /// The line of a row, if it is one.
    pub(super) fn line(&self, row: usize) -> Option<Line> {
        match self.timeline.borrow().row(row)? {
            Row::Line { line, .. } => Some(line),
            _ => None,
        }
    }

    /// The row of a line.
    pub(super) fn find(&self, id: LineId) -> Option<usize> {
        self.timeline.borrow().find(id)
    }

    /// Marks a row as the one that was looked for.
    pub(super) fn mark_found(&self, row: Option<usize>) {
        let before = self.found.replace(row);
        before.into_iter().chain(row).for_each(|row| self.notify.row_changed(row));
    }

    /// The lines whose text or sender has all words of a query, the newest first.
    pub(super) fn search(&self, query: &str, most: usize) -> Vec<Line> {
        let words: Vec<String> = query.split_whitespace().map(str::to_lowercase).collect();
        let timeline = self.timeline.borrow();
        let lines = (0..timeline.len()).rev().filter_map(|row| match timeline.row(row)? {
            Row::Line { line, .. } => Some(line),
            _ => None,
        });
        let has = |line: &Line| {
            let text = format!("{} {}", line.from(), line.text()).to_lowercase();
            words.iter().all(|word| text.contains(word))
        };
        lines.filter(has).take(most).collect()
    }

    /// A row as text to copy.
    pub(super) fn as_text(&self, row: usize) -> Option<String> {
        let words = self.window.upgrade()?;
        let words = words.global::<Words>();
        let row = self.timeline.borrow().row(row)?;
        Some(match row {
            Row::Line { line, .. } => {
                let time = clock::time(&words, self.format.get(), line.at());
                match line.kind() {
                    LineKind::Said | LineKind::Notice => format!("[{time}] {}: {}", line.from(), line.text()),
                    LineKind::Action => format!("[{time}] * {} {}", line.from(), line.text()),
                    _ => format!("[{time}] {}", said(&words, &line)),
                }
            }
            Row::Fold { lines, .. } => {
                lines.iter().map(|line| said(&words, line)).collect::<Vec<_>>().join("\n")
            }
            Row::Day(_) | Row::New | Row::Gap(_) => return None,
        })
    }

    fn show(&self, words: &Words<'_>, row: Row, found: bool) -> LineRow {
        match row {
            Row::Day(day) => LineRow {
                kind: RowKind::Day,
                plain: clock::day(words, day, clock::now()).into(),
                ..LineRow::default()
            },
            Row::New => LineRow { kind: RowKind::New, ..LineRow::default() },
            Row::Gap(_) => LineRow { kind: RowKind::Info, plain: "…".into(), ..LineRow::default() },
            Row::Line { line, heading } => LineRow { found, ..self.show_line(words, &line, heading) },
            Row::Fold { lines, open } => {
                let one = lines.len() == 1;
                let plain = if one || open {
                    lines.iter().map(|line| said(words, line)).collect::<Vec<_>>().join("\n")
                } else {
                    String::new()
                };
                LineRow {
                    kind: if one { RowKind::Info } else { RowKind::Fold },
                    plain: plain.into(),
                    time: lines.first().map_or_else(Default::default, |line| self.time(words, line)).into(),
                    folded_count: lines.len() as i32,
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
        let talk = matches!(line.kind(), LineKind::Said | LineKind::Action | LineKind::Notice);
        let state = match line.state() {
            Delivery::None => LineState::None,
            Delivery::Pending => LineState::Pending,
            Delivery::Delivered => LineState::Delivered,
            Delivery::Failed => LineState::Failed,
        };
        LineRow {
            kind,
            heading,
            name: shared(line.from()),
            hue: hue(line.from()),
            time: self.time(words, line).into(),
            full_date: clock::full(words, self.format.get(), line.at()).into(),
            text: if talk { styled(line.text()) } else { StyledText::default() },
            plain: if talk { shared(line.text()) } else { said(words, line).into() },
            own: line.own(),
            mention: line.mention(),
            state,
            reason: phrase(words, line.reason()),
            ..LineRow::default()
        }
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
        LineKind::Mode => match line.text().split_once(' ') {
            Some(("+o", nick)) => words.invoke_made_operator(shared(nick), from).into(),
            Some(("-o", nick)) => words.invoke_no_operator(shared(nick), from).into(),
            _ => words.invoke_mode_changed(from, text).into(),
        },
        // Who invited whom already has its name in front.
        _ if line.from().is_empty() || line.text().starts_with(line.from()) => {
            phrase(words, line.text()).into()
        }
        _ => format!("{}: {}", line.from(), line.text()),
    }
}

impl Model for Lines {
    type Data = LineRow;

    fn row_count(&self) -> usize {
        self.timeline.borrow().len()
    }

    fn row_data(&self, row: usize) -> Option<LineRow> {
        let window = self.window.upgrade()?;
        let shown = self.timeline.borrow().row(row)?;
        Some(self.show(&window.global::<Words>(), shown, self.found.get() == Some(row)))
    }

    fn model_tracker(&self) -> &dyn ModelTracker {
        &self.notify
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
