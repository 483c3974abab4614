//! The lines that were said while we were not here, or before.

use std::collections::BTreeMap;

use parlor_server::protocol::{Capability, Message, MsgId};

use super::event::{Event, Kind};
use super::line::{Delivery, Line, LineId};
use super::log::Gap;
use super::page::{PageLine, Query, Question};
use super::{Key, Sentence, Session, UnixMillis};

/// Lines that are asked for on entering a room.
const FIRST: usize = 50;
/// Lines of a page, unless the server gives fewer.
const PAGE: usize = 100;
/// People who are asked for that have said something meanwhile.
const MISSED: usize = 50;
/// Milliseconds that are looked back for them at most: 30 days.
const MISSED_FOR: u64 = 30 * 86_400_000;

impl Session {
    /// Whether the server may keep what is said there. Our own kind keeps what two accounts
    /// say alone.
    pub(super) fn has_history(&self, key: &Key) -> bool {
        let private = !self.isupport.sorted || self.keeps_private();
        let kept = |kind| kind == Kind::Room || kind == Kind::Person && private;
        self.caps.has(Capability::Chathistory)
            && self.caps.has(Capability::Batch)
            && self.conversations.get(key).is_some_and(|conversation| kept(conversation.kind))
    }

    /// Whether our server keeps what is said to us alone.
    pub(super) fn keeps_private(&self) -> bool {
        self.isupport.private && self.registration.logged_in
    }

    /// Asks who has said something to us alone since we were here: that is told to who asks only.
    fn ask_targets(&mut self) {
        if !(self.keeps_private()
            && self.caps.has(Capability::Chathistory)
            && self.caps.has(Capability::Batch))
        {
            return;
        }
        let now = self.wall();
        let read = self.conversations.values().filter_map(|open| open.read);
        let heard = self.conversations.values().filter_map(|open| Some(open.log.iter().next_back()?.at()));
        let month = UnixMillis(now.0.saturating_sub(MISSED_FOR));
        let since = read.chain(heard).max().map_or(month, |since| since.max(month).min(now));
        self.missed_since = Some(since);
        let until = UnixMillis(now.0.saturating_add(MISSED_FOR));
        self.send(&format!("CHATHISTORY TARGETS timestamp={since} timestamp={until} {MISSED}"));
    }

    /// `CHATHISTORY TARGETS name time`: somebody has said something meanwhile.
    pub(super) fn on_target(&mut self, message: &Message<'_>) {
        let targets = message.params.first().is_some_and(|verb| verb.eq_ignore_ascii_case("TARGETS"));
        let Some(name) = message.params.filled(1).filter(|_| targets && self.keeps_private()) else { return };
        let key = self.private_place(name);
        if self.isupport.is_room(name) || key.is_others() || self.conversations.contains_key(&key) {
            return;
        }
        let key = self.open(name, Kind::Person);
        if let Some(conversation) = self.conversations.get_mut(&key) {
            conversation.read = self.missed_since;
        }
        self.begin_history(&key, None);
    }

    /// What was said to us alone before this start, where the server has kept it.
    pub(super) fn begin_private_history(&mut self) {
        let people = self.conversations.iter().filter(|(_, open)| open.kind == Kind::Person);
        let people: Vec<Key> = people.map(|(key, _)| key.clone()).collect();
        for key in &people {
            self.begin_history(key, None);
            self.delete_again(key);
        }
        self.ask_targets();
    }

    /// We are in a room (again), since this position of a sorted server.
    pub(super) fn begin_history(&mut self, key: &Key, joined: Option<MsgId>) {
        if !self.has_history(key) {
            return;
        }
        self.forget_fillings(key);
        let given_up = self.outgoing.has_given_up(key);
        let Some(conversation) = self.conversations.get_mut(key) else { return };
        let log = &mut conversation.log;
        log.sorted = self.isupport.sorted;
        conversation.entered = joined;
        let incomplete = conversation.incomplete.take();
        conversation.incomplete = joined.filter(|_| given_up);
        let last = incomplete.or(log.last_position());
        let named = |line: &Line| line.msgid().is_some() && line.is_talk();
        let known = if log.sorted { last.is_some() } else { log.iter().any(named) };
        self.last_line += 1;
        let id = LineId(self.last_line);
        let below = joined.filter(|joined| log.sorted && Some(*joined) > last);
        log.open_gap(Gap { id, above: last, below, catch_up: known }, !known);
        let from = last.filter(|_| log.sorted);
        self.emit(key, false);
        // What was being filled when the connection was lost goes on first.
        self.resume_gaps(key, id);
        if known {
            self.ask_after(key, id, from)
        } else {
            self.ask_latest(key, id, FIRST)
        }
        self.ask_what_is_kept(key);
    }

    /// What was asked before we were out of a room says nothing of what was said there meanwhile.
    fn forget_fillings(&mut self, key: &Key) {
        let begun = self.batches.iter_mut().filter_map(|batch| batch.page.as_mut());
        let all = self.questions.iter_mut().chain(begun.map(|(question, _)| question));
        let mut gaps = Vec::new();
        for question in all.filter(|question| question.key == *key && question.gap.is_some()) {
            question.stale = true;
            gaps.extend(question.gap.take());
        }
        gaps.into_iter().for_each(|gap| self.gap_says(key, gap, Delivery::None, None));
    }

    /// The server's last start as a msgid tells it. If we are in rooms already without having known
    /// of it, their last lines are looked at again.
    pub(super) fn started_again(&mut self, start: u32) {
        let before = self.start;
        self.start = before.max(Some(start));
        if before.is_none() || before >= Some(start) || !self.is_ready() {
            return;
        }
        let joined = self.conversations.iter().filter(|(_, conversation)| conversation.joined);
        let joined: Vec<Key> = joined.map(|(key, _)| key.clone()).collect();
        joined.iter().for_each(|key| self.ask_what_is_kept(key));
    }

    /// A crash takes back what was not on disk yet: asks of each earlier start of the server what
    /// it has kept of the lines that are here.
    fn ask_what_is_kept(&mut self, key: &Key) {
        let Some(log) = self.conversations.get(key).map(|conversation| &conversation.log) else { return };
        if !self.has_history(key) || !self.is_room(key) {
            return;
        }
        let mut last: BTreeMap<u32, MsgId> = BTreeMap::new();
        for position in log.iter().filter_map(|line| log.position(line).filter(|_| may_be_lost(line))) {
            if Some(position.start()) < self.start && !self.durable.covers(position) {
                last.insert(position.start(), position);
            }
        }
        last.into_values().for_each(|upto| self.ask_kept(key, upto));
    }

    fn ask_kept(&mut self, key: &Key, upto: MsgId) {
        let Some(name) = self.conversations.get(key).map(|conversation| &conversation.name) else { return };
        let line = format!("CHATHISTORY BEFORE {name} msgid={} 1", upto.after());
        // Else it is asked again with the next loss.
        let _ = self.ask_history(key, Query::Kept(upto), None, &line);
    }

    /// Those gaps that a loss of the connection has left.
    fn resume_gaps(&mut self, key: &Key, but: LineId) {
        let Some(conversation) = self.conversations.get(key) else { return };
        let open: Vec<Gap> =
            conversation.log.gaps.iter().filter(|gap| gap.catch_up && gap.id != but).copied().collect();
        for gap in open {
            self.ask_after(key, gap.id, gap.above);
        }
    }

    fn ask_after(&mut self, key: &Key, gap: LineId, from: Option<MsgId>) {
        let Some((name, log)) = self.conversations.get(key).map(|c| (&c.name, &c.log)) else { return };
        let reference = match from {
            Some(position) => Some(format!("msgid={position}")),
            None => log.beside(gap).0.map(|line| self.reference(line)),
        };
        let Some(reference) = reference else { return self.ask_latest(key, gap, PAGE) };
        let line = format!("CHATHISTORY AFTER {name} {reference} {}", self.page_size(PAGE));
        self.ask_to_fill(key, Query::After(from), gap, &line);
    }

    fn ask_latest(&mut self, key: &Key, gap: LineId, count: usize) {
        let Some(name) = self.conversations.get(key).map(|conversation| &conversation.name) else { return };
        let line = format!("CHATHISTORY LATEST {name} * {}", self.page_size(count));
        self.ask_to_fill(key, Query::Latest, gap, &line);
    }

    /// Asks, or leaves the gap to be asked about when it is looked at.
    fn ask_to_fill(&mut self, key: &Key, query: Query, gap: LineId, line: &str) {
        let asked = self.ask_history(key, query, Some(gap), line);
        self.gap_says(key, gap, if asked { Delivery::Pending } else { Delivery::None }, None);
    }

    /// Fetches the page above the first line.
    pub(super) fn older(&mut self, key: &Key) {
        let top = self.known(key).and_then(|key| Some((self.conversations.get(&key)?.log.top_gap()?, key)));
        if let Some((gap, key)) = top {
            self.fill(&key, gap);
        }
    }

    /// Fetches the page directly above what is complete below a gap.
    pub(super) fn fill(&mut self, key: &Key, gap: LineId) {
        let Some(key) = self.known(key).filter(|key| self.is_ready() && self.has_history(key)) else {
            return;
        };
        let Some(conversation) = self.conversations.get(&key).filter(|c| c.joined) else { return };
        let (Some(gap), log) = (conversation.log.gap(gap), &conversation.log) else { return };
        if self.is_asked(gap.id) || log.is_full() {
            return;
        }
        let reference = match gap.below {
            Some(position) => Some(format!("msgid={position}")),
            None => log.beside(gap.id).1.map(|line| self.reference(line)),
        };
        let Some(reference) = reference else { return self.ask_latest(&key, gap.id, PAGE) };
        let below = gap.below.or_else(|| log.beside(gap.id).1.and_then(|line| log.position(line)));
        let line = format!("CHATHISTORY BEFORE {} {reference} {}", conversation.name, self.page_size(PAGE));
        self.ask_to_fill(&key, Query::Before(below), gap.id, &line);
    }

    /// Brings a found line and those around it here.
    pub(super) fn jump(&mut self, key: &Key, to: &Line) {
        let Some(key) = self.known(key) else { return };
        let Some(conversation) = self.conversations.get(&key) else { return };
        let log = &conversation.log;
        let here = log.get(to.id()).map(Line::id).or_else(|| log.by_msgid(&to.msgid()?));
        let id = match here {
            Some(id) => Some(id),
            None if self.is_ready() && conversation.joined && self.has_history(&key) => {
                let (name, reference) = (&conversation.name, self.reference(to));
                let line = format!("CHATHISTORY AROUND {name} {reference} {}", self.page_size(PAGE));
                if self.ask_history(&key, Query::Around(to.clone()), None, &line) {
                    return;
                }
                None
            }
            None => None,
        };
        self.tell(Event::Jumped { key, id });
    }

    /// A page has come.
    pub(super) fn history(&mut self, question: Question, page: Vec<PageLine>, events: Vec<MsgId>) {
        let Question { key, query, gap, stale, .. } = question;
        if stale || !self.conversations.contains_key(&key) {
            return;
        }
        let sorted = self.isupport.sorted;
        let came = page.len() + events.len();
        let page: Vec<PageLine> =
            page.into_iter().filter(|entry| !sorted || entry.line.position().is_some()).collect();
        let positions = page.iter().filter_map(|entry| entry.line.position());
        let positions: Vec<MsgId> = positions.chain(events).collect();
        let (first, last) = (positions.iter().min().copied(), positions.iter().max().copied());
        if sorted {
            // Of what is said to us alone not all is kept: the other one may have had no account.
            let room = self.is_room(&key);
            if room && matches!(query, Query::After(_) | Query::Latest | Query::Kept(_)) {
                let (from, to) = reach(&query, first, last);
                self.withdraw(&key, from, to, &positions);
            }
            positions.iter().for_each(|position| self.durable.note(*position));
        }
        let lines = self.own_among(&key, page);
        let lines: Vec<Line> = lines.into_iter().map(|line| self.dress(&key, line)).collect();
        let Session { conversations, last_line, .. } = self;
        let Some(conversation) = conversations.get_mut(&key) else { return };
        let log = &mut conversation.log;
        let away = matches!(query, Query::After(_));
        let (added, next) = if sorted {
            let (from, to) = reach(&query, first, last);
            // The page begins behind that place: a line just there may be missing.
            let from = if away { from.map(MsgId::after) } else { from };
            let empty_around = matches!(query, Query::Around(_)) && first.is_none();
            let added = if empty_around { Vec::new() } else { log.merge_sorted(lines, from, to, last_line) };
            // A page without an end would be asked for for ever.
            let stuck = away && (came == 0 || matches!(&query, Query::After(from) if last <= *from));
            if let Some(gap) = gap.filter(|_| stuck) {
                log.close_gap(gap);
            }
            (added, last)
        } else {
            let last = lines.last().map(Line::id);
            let place = match &query {
                Query::Around(line) => {
                    lines.first().and_then(|first| log.gap_at(first.at().0.min(line.at().0)))
                }
                _ => gap,
            };
            let added = place.map_or_else(Vec::new, |place| log.merge_at(lines, place, away));
            match (&query, gap) {
                // The page ends somewhere in the gap: the rest of that is below it.
                (Query::Around(_), _) => {
                    if let (Some(place), Some(line)) =
                        (place.filter(|gap| log.gap(*gap).is_some()), added.last())
                        && Some(line.id()) == last
                        && log.beside(place).1.is_some()
                    {
                        *last_line += 1;
                        let gap = Gap { id: LineId(*last_line), above: None, below: None, catch_up: false };
                        log.open_gap_below(line.id(), gap);
                    }
                }
                // The newest lines may all have been heard meanwhile.
                (Query::Latest, _) if came > 0 => {}
                (_, Some(gap)) if added.is_empty() => log.close_gap(gap),
                _ => {}
            }
            (added, None)
        };
        let still = gap.filter(|gap| log.gap(*gap).is_some());
        // An earlier run of the program has shown what is older.
        let read = conversation.read.filter(|_| matches!(query, Query::Latest));
        let is_new = |line: &Line| away || read.is_some_and(|read| line.at() > read);
        self.emit(&key, away);
        added.iter().for_each(|line| self.is_here(&key, line));
        for line in added.iter().filter(|line| is_new(line) && !line.own() && line.is_talk()) {
            self.count_unread(&key, line);
        }
        match still {
            Some(gap) if away => self.ask_after(&key, gap, next),
            Some(gap) => self.gap_says(&key, gap, Delivery::None, None),
            None => {}
        }
        if let Query::Around(line) = query {
            let log = self.conversations.get(&key).map(|conversation| &conversation.log);
            let id = log.and_then(|log| log.by_msgid(&line.msgid()?));
            self.tell(Event::Jumped { key, id });
        }
    }

    /// A question got no answer, or a refusal.
    pub(super) fn unanswered(&mut self, question: Question, sentence: &Sentence, refused: bool) {
        let Question { key, query, gap, stale, .. } = question;
        if let Query::Transcript(number) = query {
            return self.no_page(number);
        }
        if stale {
            return;
        }
        match (query, gap) {
            (Query::Search, _) => self.find_locally(&key),
            (Query::Around(_), _) => self.tell(Event::Jumped { key, id: None }),
            (Query::Kept(upto), _) if !refused => self.ask_kept(&key, upto),
            // It does not know the line any more: the newest ones, and a gap above them.
            (Query::After(_), Some(gap)) if refused => self.ask_latest(&key, gap, PAGE),
            (_, Some(gap)) if refused && !self.is_room(&key) => {
                // Not every server that keeps rooms keeps this.
                if let Some(conversation) = self.conversations.get_mut(&key) {
                    conversation.log.close_gap(gap);
                }
                self.emit(&key, false);
            }
            (_, Some(gap)) => self.gap_says(&key, gap, Delivery::Failed, Some(sentence)),
            (_, None) => {}
        }
    }

    /// The connection is gone, and with it all answers.
    pub(super) fn forget_questions(&mut self) {
        let begun = std::mem::take(&mut self.batches).into_iter().filter_map(|batch| batch.page);
        let asked: Vec<Question> =
            begun.map(|(question, _)| question).chain(std::mem::take(&mut self.questions)).collect();
        for question in asked {
            match question {
                Question { key, gap: Some(gap), .. } => self.gap_says(&key, gap, Delivery::None, None),
                Question { key, query: Query::Around(_), .. } => self.tell(Event::Jumped { key, id: None }),
                Question { key, query: Query::Search, .. } => self.find_locally(&key),
                Question { query: Query::Transcript(number), .. } => self.no_page(number),
                Question { .. } => {}
            }
        }
    }

    /// Own lines of a page that still waited here have arrived; the rest of the page.
    fn own_among(&mut self, key: &Key, page: Vec<PageLine>) -> Vec<Line> {
        let mut rest = Vec::with_capacity(page.len());
        for PageLine { line, token } in page {
            let name = token.as_deref().map(|token| super::delivery::token_name(token, line.text()));
            if let Some(token) = token.as_deref()
                && (self.was_me(line.from()) || self.outgoing.waits(key, token, line.text()))
                && let Some(waiting) = self
                    .outgoing
                    .take(|w| *w.token == *token && w.to == *key)
                    .or_else(|| self.outgoing.take_failed_token(token))
            {
                // The same line, where the server has it.
                let id = waiting.line.id();
                if let Some(conversation) = self.conversations.get_mut(key) {
                    conversation.log.remove(id);
                }
                name.into_iter().for_each(|name| self.recent.insert(&name, id));
                rest.push(line.as_own(id));
                continue;
            }
            if let Some(name) = &name {
                self.replace_taken_back(key, name, line.position());
                self.recent.insert(name, line.id());
            }
            if let Some(msgid) = line.msgid().filter(|_| !self.isupport.sorted) {
                self.recent.insert(&msgid, line.id());
            }
            rest.push(line);
        }
        rest
    }

    /// A line whose sender sent it again under the same token (as which `name` knows it), because a
    /// crash took it back: the first one goes.
    pub(super) fn replace_taken_back(&mut self, key: &Key, name: &str, again: Option<MsgId>) {
        let Some(id) = self.recent.get(name) else { return };
        if self.is_taken_back(key, id, again) {
            if let Some(conversation) = self.conversations.get_mut(key) {
                conversation.log.remove(id);
            }
            self.emit(key, false);
        }
    }

    /// Whether a line was heard before the server's last start, is perhaps not on disk, and was
    /// given another position since.
    pub(super) fn is_taken_back(&self, key: &Key, id: LineId, again: Option<MsgId>) -> bool {
        let line = self.conversations.get(key).and_then(|conversation| conversation.log.get(id));
        let position = line.and_then(Line::position).filter(|_| self.isupport.sorted);
        let (Some(position), Some(again)) = (position, again) else { return false };
        position.start() < again.start() && !self.durable.covers(position)
    }

    /// Takes out what others said before the server's last start, and what its history lacks
    /// though it covers the place: from (not with) `from` to `to`.
    fn withdraw(&mut self, key: &Key, from: Option<MsgId>, to: Option<MsgId>, page: &[MsgId]) {
        let Session { conversations, durable, start, .. } = self;
        let Some(conversation) = conversations.get_mut(key) else { return };
        // What is lost is the end of what a start of the server has seen: below a line that is
        // kept none is missing for that reason.
        let kept = |lost: &MsgId| page.iter().any(|kept| kept > lost && kept.start() == lost.start());
        let covered = |position: &MsgId| {
            from.is_none_or(|from| *position > from) && to.is_none_or(|to| *position <= to)
        };
        let log = &conversation.log;
        let lost: Vec<LineId> = log
            .iter()
            .rev()
            .filter_map(|line| Some((line, log.position(line)?)))
            .take_while(|(_, position)| from.is_none_or(|from| *position > from))
            .filter(|(line, _)| may_be_lost(line))
            .filter(|(_, position)| {
                Some(position.start()) < *start && covered(position) && !durable.covers(*position)
            })
            .filter(|(_, position)| !page.contains(position) && !kept(position))
            .map(|(line, _)| line.id())
            .collect();
        for id in lost {
            conversation.log.remove(id);
        }
        self.emit(key, false);
    }

    fn gap_says(&mut self, key: &Key, gap: LineId, state: Delivery, why: Option<&Sentence>) {
        if let Some(conversation) = self.conversations.get_mut(key) {
            conversation.log.set_gap(gap, state, why);
        }
        self.emit(key, false);
    }

    /// How a line is named in a question.
    pub(super) fn reference(&self, line: &Line) -> String {
        match line.msgid().filter(|_| self.isupport.by_msgid) {
            Some(msgid) => format!("msgid={msgid}"),
            None => format!("timestamp={}", line.at()),
        }
    }

    pub(super) fn page_size(&self, wanted: usize) -> usize {
        match self.isupport.chathistory {
            0 => wanted,
            most => wanted.min(most),
        }
    }

    /// Old lines went because there were too many: they can be had again.
    pub(super) fn note_cut(&mut self, key: &Key) {
        let history = self.has_history(key);
        let Some(conversation) = self.conversations.get_mut(key) else { return };
        if std::mem::take(&mut conversation.log.cut) && history {
            self.last_line += 1;
            let below = conversation.log.first_position();
            let id = LineId(self.last_line);
            conversation.log.open_gap(Gap { id, above: None, below, catch_up: false }, true);
            conversation.log.set_gap(id, Delivery::None, None);
        }
    }
}

/// From where to where an answer of a sorted server says all there is; `None`: without end.
fn reach(query: &Query, first: Option<MsgId>, last: Option<MsgId>) -> (Option<MsgId>, Option<MsgId>) {
    match query {
        Query::Latest => (first, None),
        Query::After(from) => (*from, last),
        Query::Before(to) => (first, *to),
        Query::Kept(upto) => (first, Some(*upto)),
        Query::Around(_) | Query::Search | Query::Transcript(_) => (first, last),
    }
}

/// Whether a crash may have taken a line back without its sender's telling us: own ones go again.
fn may_be_lost(line: &Line) -> bool {
    line.is_talk() && line.state() == Delivery::None
}
