//! The lines of one conversation in their order, and the gaps between them.
//!
//! On a server whose msgids are sorted a line's place is its msgid's; elsewhere it is the order
//! of arrival, and for history that of the batch. Own lines without a receipt wait at the end.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet, VecDeque};

use parlor_server::protocol::MsgId;

use super::Sentence;
use super::line::{Delivery, Line, LineId, LineKind, Parts};
use crate::limits::GAPS;

/// Lines from the end among which one that is played back has its place, or is already.
const MAX_PLAYED_BACK: usize = 5_000;

/// What a window has to do to follow.
#[derive(Debug)]
pub(super) enum Edit {
    /// Above another line, or at the end.
    Insert {
        before: Option<LineId>,
        line: Line,
    },
    Remove(LineId),
    Change(Line),
}

/// Where lines are missing: everything up to `above` is here, and everything from `below` on.
/// Both only on sorted servers; elsewhere a gap is where its line stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gap {
    pub(super) id: LineId,
    pub(super) above: Option<MsgId>,
    pub(super) below: Option<MsgId>,
    /// It is filled without being asked for: we were away.
    pub(super) catch_up: bool,
}

/// See the [module](self).
#[derive(Debug, Default)]
pub(super) struct Log {
    /// The server's msgids are positions.
    pub(super) sorted: bool,
    /// Old lines went, and no gap stands at the top yet.
    pub(super) cut: bool,
    lines: VecDeque<Line>,
    /// Lines that are kept.
    most: usize,
    /// Of all lines.
    bytes: usize,
    pub(super) gaps: Vec<Gap>,
    /// Own lines that wait at the end.
    pending: usize,
    /// Own lines that wait, but not at the end any more.
    placed: Vec<LineId>,
    pub(super) edits: Vec<Edit>,
}

/// Where a line of a sorted server goes.
enum Place {
    Here(usize),
    /// It is there already.
    Known(usize),
}

impl Log {
    /// An empty one, of at most so many lines.
    pub(super) fn new(sorted: bool, most: usize) -> Log {
        Log { sorted, most, ..Log::default() }
    }

    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there is no room for more.
    pub(super) fn is_full(&self) -> bool {
        self.lines.len() >= self.most
    }

    /// What all lines take.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &Line> {
        self.lines.iter()
    }

    pub(super) fn get(&self, id: LineId) -> Option<&Line> {
        self.index(id).and_then(|at| self.lines.get(at))
    }

    /// Adds a line where it belongs; not if its position is taken. Says whether it did.
    pub(super) fn add(&mut self, line: Line) -> bool {
        if self.floats(&line) {
            self.put(self.lines.len(), line);
            return true;
        }
        match self.position(&line).map(|position| self.place(position)) {
            Some(Place::Known(_)) => return false,
            Some(Place::Here(at)) => self.put(at, line),
            None => self.put(self.end(), line),
        }
        self.trim();
        true
    }

    /// Adds a line of the past to a server's that has no positions: by its time, once. Says whether it did.
    pub(super) fn add_old(&mut self, line: Line) -> bool {
        if self.sorted || line.msgid().is_some() {
            return self.add(line);
        }
        let same = |other: &&Line| {
            (other.at(), other.kind(), other.from(), other.text())
                == (line.at(), line.kind(), line.from(), line.text())
        };
        let recent = self.lines.iter().rev().take(MAX_PLAYED_BACK);
        if recent.clone().any(|other| same(&other)) {
            return false;
        }
        let end = self.end();
        let later = self.lines.range(..end).rev().take(MAX_PLAYED_BACK);
        let later = later.take_while(|other| other.at() > line.at() || other.kind() == LineKind::Gap).count();
        self.put(end - later, line);
        self.trim();
        true
    }

    /// An own line that waits stays where it is from now on: what comes is below it.
    pub(super) fn keep_place(&mut self, id: LineId) {
        if self.get(id).is_some_and(|line| self.floats(line)) && !self.sorted {
            self.placed.push(id);
            self.pending -= 1;
        }
    }

    /// An own line has another state, and perhaps its place in the order.
    pub(super) fn settle(&mut self, line: Line) {
        let Some(mut from) = self.index(line.id()) else { return };
        let Some(old) = self.take(from) else { return };
        self.pending -= usize::from(self.floats(&old));
        let placed = self.placed.contains(&line.id());
        self.placed.retain(|id| *id != line.id());
        // History may have had it before its receipt came.
        if let Some(Place::Known(at)) = self.position(&line).map(|position| self.place(position))
            && let Some(twin) = self.take(at)
        {
            self.edits.push(Edit::Remove(twin.id()));
            from -= usize::from(at < from);
        }
        let to = match self.position(&line).map(|position| self.place(position)) {
            Some(Place::Here(at) | Place::Known(at)) => at,
            None if self.floats(&line) => self.lines.len(),
            // It failed: it stays where it is.
            None if placed || line.state() == Delivery::Failed => from,
            None => self.end(),
        };
        if to == from {
            self.pending += usize::from(self.floats(&line));
            self.bytes += line.bytes();
            self.lines.insert(to, line.clone());
            self.edits.push(Edit::Change(line));
        } else {
            self.edits.push(Edit::Remove(line.id()));
            self.put(to, line);
        }
    }

    /// A line has something new, but not its place.
    pub(super) fn change(&mut self, line: Line) {
        let Some(old) = self.index(line.id()).and_then(|at| self.lines.get_mut(at)) else { return };
        if *old != line {
            self.bytes = self.bytes + line.bytes() - old.bytes();
            *old = line.clone();
            self.edits.push(Edit::Change(line));
        }
    }

    pub(super) fn remove(&mut self, id: LineId) {
        if let Some(line) = self.index(id).and_then(|at| self.take(at)) {
            self.pending -= usize::from(self.floats(&line));
            self.placed.retain(|placed| *placed != id);
            self.edits.push(Edit::Remove(id));
        }
    }

    /// The lines of a page of a sorted server, which covers everything from `from` to `to`
    /// (`None`: without end). Gives back those that were new.
    pub(super) fn merge_sorted(
        &mut self,
        page: Vec<Line>,
        from: Option<MsgId>,
        to: Option<MsgId>,
        next_id: &mut u64,
    ) -> Vec<Line> {
        let added = page.into_iter().filter(|line| self.add(line.clone())).collect();
        for gap in std::mem::take(&mut self.gaps) {
            let over = to.is_some_and(|to| Some(to) <= gap.above)
                || from.is_some_and(|from| gap.below.is_some_and(|below| from >= below));
            if over {
                self.gaps.push(gap);
                continue;
            }
            let upper = from.filter(|from| gap.above.is_none_or(|above| above.after() < *from));
            let lower = to.filter(|to| gap.below.is_none_or(|below| *to < below));
            match (upper, lower) {
                (None, None) => self.remove(gap.id),
                (Some(from), None) => self.gaps.push(Gap { below: Some(from), ..gap }),
                (None, Some(to)) => {
                    let gap = Gap { above: Some(to), ..gap };
                    self.gaps.push(gap);
                    self.move_gap(&gap);
                }
                (Some(from), Some(to)) => {
                    self.gaps.push(Gap { below: Some(from), ..gap });
                    *next_id += 1;
                    let lower = Gap { id: LineId(*next_id), above: Some(to), ..gap };
                    self.gaps.push(lower);
                    self.put(self.place_of_gap(lower.above), gap_line(lower.id, Delivery::None));
                }
            }
        }
        added
    }

    /// The lines of a page of another server, in its order, which ends at a gap (`above`: they go
    /// on from what stands above it) or begins there. What lies between them has come then: gaps
    /// there close. Gives back those that were new.
    pub(super) fn merge_at(&mut self, page: Vec<Line>, gap: LineId, above: bool) -> Vec<Line> {
        let known = self.known(&page);
        let here = |line: &Line| known.get(&*line.msgid()?).copied();
        let gap_at = self.index(gap).unwrap_or_else(|| self.end());
        let first_known = page.iter().find_map(here).and_then(|id| self.index(id));
        let mut at = match first_known {
            Some(first) if !above && first < gap_at => first,
            _ if above => gap_at,
            _ => gap_at + 1,
        };
        let mut ends: Option<(LineId, LineId)> = None;
        let mut added = Vec::new();
        for line in page {
            let id = match here(&line) {
                Some(id) => {
                    at = self.index(id).map_or(at, |place| place + 1);
                    id
                }
                None => {
                    self.put(at, line.clone());
                    at += 1;
                    added.push(line);
                    added.last().map_or(gap, Line::id)
                }
            };
            ends = Some((ends.map_or(id, |(first, _)| first), id));
        }
        if let Some((first, last)) = ends
            && let (Some(from), Some(to)) = (self.index(first), self.index(last))
        {
            let between = self.lines.iter().skip(from).take((to + 1).saturating_sub(from));
            let gaps = between.filter(|line| line.kind() == LineKind::Gap).map(Line::id);
            gaps.collect::<Vec<_>>().into_iter().for_each(|gap| self.close_gap(gap));
        }
        added
    }

    /// Which lines of a page are here, by msgid.
    fn known(&self, page: &[Line]) -> HashMap<String, LineId> {
        let wanted: HashSet<String> = page.iter().filter_map(Line::msgid).map(Cow::into_owned).collect();
        let here = self.lines.iter().filter_map(|line| {
            let msgid = line.msgid()?;
            wanted.contains(&*msgid).then(|| (msgid.into_owned(), line.id()))
        });
        here.collect()
    }

    pub(super) fn by_msgid(&self, msgid: &str) -> Option<LineId> {
        if let Some(position) = MsgId::parse(msgid).filter(|_| self.sorted) {
            return match self.place(position) {
                Place::Known(at) => self.lines.get(at).map(Line::id),
                Place::Here(_) => None,
            };
        }
        self.lines.iter().rev().find(|line| line.msgid().as_deref() == Some(msgid)).map(Line::id)
    }

    /// Opens a gap at the end (of what has its place), or at the top.
    pub(super) fn open_gap(&mut self, gap: Gap, at_top: bool) {
        if self.gaps.len() >= GAPS
            && let Some(oldest) = self.gaps.first().map(|gap| gap.id)
        {
            self.close_gap(oldest);
        }
        let at = if at_top { 0 } else { self.end() };
        self.gaps.push(gap);
        self.put(at, gap_line(gap.id, Delivery::Pending));
    }

    /// A line has just been said here: all that come after it are heard, too.
    pub(super) fn heard(&mut self, position: MsgId) {
        let open = |gap: &&mut Gap| gap.catch_up && gap.below.is_none() && gap.above < Some(position);
        self.gaps.iter_mut().filter(open).for_each(|gap| gap.below = Some(position));
    }

    /// Opens a gap directly below a line.
    pub(super) fn open_gap_below(&mut self, line: LineId, gap: Gap) {
        let at = self.index(line).map_or(self.end(), |at| at + 1);
        self.gaps.push(gap);
        self.put(at, gap_line(gap.id, Delivery::None));
    }

    pub(super) fn close_gap(&mut self, id: LineId) {
        self.gaps.retain(|gap| gap.id != id);
        self.remove(id);
    }

    pub(super) fn gap(&self, id: LineId) -> Option<Gap> {
        self.gaps.iter().copied().find(|gap| gap.id == id)
    }

    /// What a gap says of itself.
    pub(super) fn set_gap(&mut self, id: LineId, state: Delivery, why: Option<&Sentence>) {
        let Some(line) = self.index(id).and_then(|at| self.lines.get_mut(at)) else { return };
        if (line.state(), line.sentence()) != (state, why) {
            let before = line.bytes();
            *line = line.in_state(state, why);
            self.bytes = self.bytes + line.bytes() - before;
            self.edits.push(Edit::Change(line.clone()));
        }
    }

    /// The gap at the very top.
    pub(super) fn top_gap(&self) -> Option<LineId> {
        self.lines.front().filter(|line| line.kind() == LineKind::Gap).map(Line::id)
    }

    /// The last line above a gap, and the first one below it, that have a msgid and that every
    /// history has: not all keep comings and goings.
    pub(super) fn beside(&self, gap: LineId) -> (Option<&Line>, Option<&Line>) {
        let Some(at) = self.index(gap) else { return (None, None) };
        let named = |line: &&Line| line.msgid().is_some() && line.is_talk();
        (self.lines.range(..at).rev().find(named), self.lines.range(at..).find(named))
    }

    /// The gap that a time falls into on a server without positions: the one whose next line below
    /// is not earlier.
    pub(super) fn gap_at(&self, at: u64) -> Option<LineId> {
        let fits = |gap: &&Gap| self.beside(gap.id).1.is_none_or(|below| below.at().0 >= at);
        self.gaps.iter().filter(fits).min_by_key(|gap| self.index(gap.id)).map(|gap| gap.id)
    }

    pub(super) fn first_position(&self) -> Option<MsgId> {
        self.lines.iter().find_map(|line| self.position(line))
    }

    /// The position of the last line that has one.
    pub(super) fn last_position(&self) -> Option<MsgId> {
        self.lines.iter().rev().find_map(|line| self.position(line))
    }

    pub(super) fn position(&self, line: &Line) -> Option<MsgId> {
        line.position().filter(|_| self.sorted)
    }

    fn place(&self, position: MsgId) -> Place {
        let end = self.end();
        let (mut low, mut high) = (0, end);
        // A line that has just been said comes last.
        let at_end = |(at, line): (usize, &Line)| Some((at, self.position(line)?));
        let last = self.lines.range(..end).enumerate().rev().find_map(at_end);
        match last {
            None => return Place::Here(end),
            Some((_, last)) if last < position => return Place::Here(end),
            Some((at, last)) if last == position => return Place::Known(at),
            Some(_) => {}
        }
        while low < high {
            let middle = low + (high - low) / 2;
            // Lines without a position lie where they came.
            let here = |(i, line): (usize, &Line)| Some((middle + i, self.position(line)?));
            let found = self.lines.range(middle..high).enumerate().find_map(here);
            match found {
                None => high = middle,
                Some((at, found)) if found == position => return Place::Known(at),
                Some((at, found)) if found < position => low = at + 1,
                Some(_) => high = middle,
            }
        }
        // Directly above the next one, but never below a gap that begins after it.
        let below = |line: &&Line| match self.gap(line.id()) {
            Some(gap) => gap.above < Some(position),
            None => self.position(line).is_none(),
        };
        let skipped = self.lines.range(low..end).take_while(below).count();
        Place::Here(low + skipped)
    }

    /// Directly below what is complete above a gap.
    fn place_of_gap(&self, above: Option<MsgId>) -> usize {
        match above.map(|above| self.place(above)) {
            None => 0,
            Some(Place::Known(at)) => at + 1,
            Some(Place::Here(at)) => at,
        }
    }

    fn move_gap(&mut self, gap: &Gap) {
        let Some(from) = self.index(gap.id) else { return };
        let to = self.place_of_gap(gap.above);
        if to != from
            && to != from + 1
            && let Some(line) = self.take(from)
        {
            self.edits.push(Edit::Remove(gap.id));
            self.put(if to > from { to - 1 } else { to }, line);
        }
    }

    /// Where the next line goes that comes in the order of arrival: above own ones that wait.
    fn end(&self) -> usize {
        let mut waiting = self.pending;
        let mut end = self.lines.len();
        while waiting > 0 && end > 0 {
            end -= 1;
            waiting -= usize::from(self.lines.get(end).is_some_and(|line| self.floats(line)));
        }
        end
    }

    fn index(&self, id: LineId) -> Option<usize> {
        let last = self.lines.len().checked_sub(1)?;
        let is = |at: &usize| self.lines.get(*at).is_some_and(|line| line.id() == id);
        // Nearly always near one end.
        (0..=last / 2).flat_map(|i| [last - i, i]).find(is)
    }

    /// Whether a line waits at the end.
    fn floats(&self, line: &Line) -> bool {
        let pending = line.kind() != LineKind::Gap && line.state() == Delivery::Pending;
        pending && !self.placed.contains(&line.id())
    }

    fn put(&mut self, at: usize, line: Line) {
        self.pending += usize::from(self.floats(&line));
        self.bytes += line.bytes();
        let before = self.lines.get(at).map(Line::id);
        self.lines.insert(at, line.clone());
        self.edits.push(Edit::Insert { before, line });
    }

    /// Keeps memory bounded. What went can be had again where the server keeps it: then a gap
    /// stands at the top already, or the caller opens one.
    fn trim(&mut self) {
        if self.lines.len() > self.most {
            self.drop_oldest();
        }
    }

    /// Takes out lines from another conversation's, oldest first.
    pub(super) fn take_those(&mut self, wanted: impl Fn(&Line) -> bool) -> Vec<Line> {
        let (taken, left): (Vec<Line>, Vec<Line>) =
            std::mem::take(&mut self.lines).into_iter().partition(wanted);
        self.lines = left.into();
        for line in &taken {
            self.bytes -= line.bytes();
            self.edits.push(Edit::Remove(line.id()));
        }
        taken
    }

    fn take(&mut self, at: usize) -> Option<Line> {
        let line = self.lines.remove(at)?;
        self.bytes -= line.bytes();
        Some(line)
    }

    /// Drops a twentieth, so that not every line moves all others. What waits to be sent stays.
    pub(super) fn drop_oldest(&mut self) {
        let gap = self.top_gap();
        let first = usize::from(gap.is_some());
        let last = (first + self.lines.len() / 20 + 1).min(self.end()).max(first);
        for line in self.lines.drain(first..last) {
            self.bytes -= line.bytes();
            self.gaps.retain(|gap| gap.id != line.id());
            self.edits.push(Edit::Remove(line.id()));
        }
        let below = self.first_position();
        match self.gaps.iter_mut().find(|known| Some(known.id) == gap) {
            Some(top) => top.below = below,
            None => self.cut = true,
        }
    }
}

fn gap_line(id: LineId, state: Delivery) -> Line {
    Line::new(id, &Parts { kind: LineKind::Gap, state, ..Parts::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_bounded_and_what_went_can_be_had_again() {
        let mut log = Log::new(false, 1_000);
        for id in 0..=1_000 {
            log.add(Line::new(LineId(id), &Parts::default()));
            log.edits.clear();
        }
        assert_eq!((log.len(), log.bytes()), (950, 950 * Line::new(LineId(0), &Parts::default()).bytes()));
        assert!(log.cut);
    }
}
