//! Questions whose answers come as batches of lines: CHATHISTORY and SEARCH.

use std::time::Duration;

use parlor_server::protocol::tag::{self, batch};
use parlor_server::protocol::text::printable;
use parlor_server::protocol::{Capability, Message, MsgId};

use super::line::{Line, LineId, LineKind, Parts};
use super::multiline::Incoming;
use super::stamp::Stamp;
use super::{Key, Sentence, Session};
use crate::limits::{BATCHES, PAGE_LINES, PAGES_BYTES, QUESTIONS};

/// How long an answer may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// What was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Query {
    /// The last lines, down to a gap's lower end.
    Latest,
    /// Those after a position; on other servers after the line above the gap.
    After(Option<MsgId>),
    /// Those before a position; on other servers before the line below the gap.
    Before(Option<MsgId>),
    /// The last line up to a position: what is here behind it is not on disk.
    Kept(MsgId),
    /// Those around the line with this id in a list of results.
    Around(Line),
    Search,
    /// The next lines of the transcript of this number.
    Transcript(u64),
}

/// A question under way.
#[derive(Debug, Clone)]
pub(super) struct Question {
    pub(super) key: Key,
    pub(super) query: Query,
    /// The gap that it fills.
    pub(super) gap: Option<LineId>,
    /// Given up then.
    pub(super) until: Duration,
    /// The conversation was closed meanwhile; should it be open again, this is not about it.
    pub(super) stale: bool,
    /// Tells its answer from a late one to an earlier question (IRCv3 labeled-response).
    pub(super) label: Option<String>,
}

/// A line of an answer, and the sender's own name for it.
#[derive(Debug)]
pub(super) struct PageLine {
    pub(super) line: Line,
    pub(super) token: Option<String>,
}

/// A batch that has begun (IRCv3 batch).
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) reference: String,
    /// The label of the command that it answers.
    pub(super) label: Option<String>,
    /// What it answers, and what has come; without: lines that nobody asked for.
    pub(super) page: Option<(Question, Vec<PageLine>)>,
    /// Of what has come.
    pub(super) bytes: usize,
    /// Where things stand of the answer that are no lines: reactions, deletions.
    pub(super) events: Vec<MsgId>,
    /// It is a message of several lines.
    pub(super) incoming: Option<Incoming>,
}

impl Session {
    /// Asks; the answer comes to [`Session::answered`] or [`Session::unanswered`]. Says
    /// whether it did: not while too much is asked already.
    pub(super) fn ask_history(&mut self, key: &Key, query: Query, gap: Option<LineId>, line: &str) -> bool {
        let until = self.now.elapsed + ANSWER_WITHIN;
        if self.questions.len() >= QUESTIONS {
            return false;
        }
        self.labels += 1;
        let label = self.caps.has(Capability::LabeledResponse).then(|| format!("q{}", self.labels));
        match &label {
            Some(label) => self.send(&format!("@{}={label} {line}", tag::LABEL)),
            None => self.send(line),
        }
        self.questions.push_back(Question { key: key.clone(), query, gap, until, stale: false, label });
        true
    }

    /// A conversation is closed: what was asked about it is answered to nobody.
    pub(super) fn questions_are_stale(&mut self, key: &Key) {
        let begun =
            self.batches.iter_mut().filter_map(|batch| batch.page.as_mut()).map(|(question, _)| question);
        let of_it = self.questions.iter_mut().chain(begun).filter(|question| question.key == *key);
        of_it.for_each(|question| question.stale = true);
    }

    /// Whether a gap is being filled.
    pub(super) fn is_asked(&self, gap: LineId) -> bool {
        let begun = self.batches.iter().filter_map(|batch| batch.page.as_ref());
        let mut all = self.questions.iter().chain(begun.map(|(question, _)| question));
        all.any(|question| question.gap == Some(gap))
    }

    /// Conversations of which the newest lines are still on their way.
    pub(super) fn catching_up(&self) -> Vec<Key> {
        let begun = self.batches.iter().filter_map(|batch| batch.page.as_ref());
        let all = self.questions.iter().chain(begun.map(|(question, _)| question));
        let newest = all.filter(|question| matches!(question.query, Query::Latest | Query::After(_)));
        newest.map(|question| question.key.clone()).collect()
    }

    pub(super) fn on_batch(&mut self, message: &Message<'_>) {
        let Some(reference) = message.params.filled(0) else { return };
        if let Some(reference) = reference.strip_prefix('-') {
            let Some(at) = self.batches.iter().position(|batch| batch.reference == reference) else { return };
            let batch = self.batches.remove(at);
            if let Some(message) = batch.incoming.as_ref().and_then(Incoming::message) {
                self.whole(&message);
            }
            if let Some((question, lines)) = batch.page {
                self.answered(question, lines, batch.events);
            }
        } else if let Some(reference) = reference.strip_prefix('+')
            && let Some(
                kind @ (batch::CHATHISTORY
                | batch::SEARCH
                | batch::PLAYBACK
                | batch::LABELED
                | batch::MULTILINE),
            ) = message.params.get(1).copied()
        {
            if self.batches.len() >= BATCHES {
                // One that was never ended.
                self.give_up_batch(0);
                self.batches.remove(0);
            }
            let search = kind == batch::SEARCH;
            let key = message.params.filled(2).map(|name| self.isupport.key(name));
            let label = self.label_of(message);
            let labels = self.caps.has(Capability::LabeledResponse);
            let fits = |question: &Question| match (&question.query, &key) {
                _ if labels => label.is_some() && question.label == label,
                (Query::Search, _) | (_, None) => search == (question.query == Query::Search),
                (_, Some(key)) => !search && question.key == *key,
            };
            let asked = self
                .questions
                .iter()
                .position(fits)
                .filter(|_| !matches!(kind, batch::PLAYBACK | batch::LABELED | batch::MULTILINE));
            let question = asked.and_then(|at| self.questions.remove(at));
            let page = question.map(|question| (question, Vec::new()));
            let incoming = (kind == batch::MULTILINE).then(|| Incoming::open(message));
            let (reference, events) = (reference.to_owned(), Vec::new());
            self.batches.push(Batch { reference, label, page, bytes: 0, events, incoming });
        }
    }

    /// Takes a line that is a part of a message. Says whether it was one.
    pub(super) fn is_part(&mut self, message: &Message<'_>) -> bool {
        let Some(reference) = message.tags.get(tag::BATCH) else { return false };
        let talk =
            message.command.eq_ignore_ascii_case("PRIVMSG") || message.command.eq_ignore_ascii_case("NOTICE");
        let mut batches = self.batches.iter_mut().filter(|batch| batch.reference == *reference);
        let Some(incoming) = batches.find_map(|batch| batch.incoming.as_mut()).filter(|_| talk) else {
            return false;
        };
        incoming.add(message);
        true
    }

    /// A message of several lines is complete.
    fn whole(&mut self, message: &Message<'_>) {
        let stamp = Stamp::of(message, self.wall(), &self.batches);
        let notice = message.command.eq_ignore_ascii_case("NOTICE");
        self.on_talk(message, &stamp, if notice { LineKind::Notice } else { LineKind::Said });
    }

    /// Something of an answer is no line, but has its place among them.
    pub(super) fn note_event(&mut self, stamp: &Stamp<'_>) {
        let position = stamp.position(self.isupport.sorted);
        let batch = stamp.page.and_then(|at| self.batches.get_mut(at));
        if let (Some(batch), Some(position)) =
            (batch.filter(|batch| batch.events.len() < PAGE_LINES), position)
        {
            batch.events.push(position);
        }
    }

    /// The label that a message has, or the batch around it.
    pub(super) fn label_of(&self, message: &Message<'_>) -> Option<String> {
        if let Some(label) = message.tags.get(tag::LABEL) {
            return Some(label.into_owned());
        }
        let around = message.tags.get(tag::BATCH)?;
        self.batches.iter().find(|batch| batch.reference == *around)?.label.clone()
    }

    /// Takes a line that belongs to an answer. Says whether it did.
    pub(super) fn collect(&mut self, stamp: &Stamp<'_>, parts: &Parts<'_>) -> bool {
        let Some(at) = stamp.page else { return false };
        self.last_line += 1;
        let line = Line::new(LineId(self.last_line), parts);
        let full = self.batches.iter().map(|batch| batch.bytes).sum::<usize>() > PAGES_BYTES;
        if let Some(batch) = self.batches.get_mut(at)
            && let Some((_, lines)) = &mut batch.page
            && lines.len() < PAGE_LINES
            && !full
        {
            batch.bytes += line.bytes();
            lines.push(PageLine { line, token: stamp.token.as_deref().map(str::to_owned) });
        }
        true
    }

    /// The conversation that an answer is about.
    pub(super) fn page_key(&self, stamp: &Stamp<'_>) -> Option<Key> {
        let (question, _) = self.batches.get(stamp.page?)?.page.as_ref()?;
        Some(question.key.clone())
    }

    fn answered(&mut self, question: Question, lines: Vec<PageLine>, events: Vec<MsgId>) {
        match question.query {
            Query::Search => self.found(&question.key, lines),
            Query::Transcript(number) => self.transcript_page(number, lines, &events),
            _ => self.history(question, lines, events),
        }
    }

    /// `FAIL CHATHISTORY CODE context… :sentence`. Says whether it was about a question.
    pub(super) fn question_failed(&mut self, verb: &str, message: &Message<'_>) -> bool {
        let search = verb.eq_ignore_ascii_case("SEARCH");
        if !search && !verb.eq_ignore_ascii_case("CHATHISTORY") {
            return false;
        }
        let names: Vec<Key> = message.params.iter().map(|name| self.isupport.key(name)).collect();
        let label = self.label_of(message);
        let labels = self.caps.has(Capability::LabeledResponse);
        let of_kind = |question: &Question| {
            search == (question.query == Query::Search) && (!labels || question.label == label)
        };
        let named = |question: &Question| of_kind(question) && names.contains(&question.key);
        let at = self.questions.iter().position(named).or_else(|| self.questions.iter().position(of_kind));
        let Some(question) = at.and_then(|at| self.questions.remove(at)) else { return false };
        let text = printable(message.params.last().copied().unwrap_or_default());
        self.unanswered(question, &Sentence::Server { about: None, text }, true);
        true
    }

    /// RPL_TRYAGAIN. Says whether a question was meant.
    pub(super) fn question_put_off(&mut self, message: &Message<'_>, text: &str) -> bool {
        let Some(label) = self.label_of(message) else { return false };
        let is = |question: &Question| question.label.as_ref() == Some(&label);
        let Some(at) = self.questions.iter().position(is) else { return false };
        // What nobody has asked for by hand is asked again when its time is over.
        let by_itself = self.questions.get(at).is_some_and(|q| matches!(q.query, Query::Kept(_)));
        if !by_itself && let Some(question) = self.questions.remove(at) {
            let text = text.to_owned();
            self.unanswered(question, &Sentence::Server { about: None, text }, false);
        }
        true
    }

    /// Gives up what nobody answers.
    pub(super) fn questions_late(&mut self) {
        let now = self.now.elapsed;
        while self.questions.front().is_some_and(|question| now >= question.until)
            && let Some(question) = self.questions.pop_front()
        {
            self.unanswered(question, &Sentence::NoAnswer, false);
        }
        let late = |batch: &Batch| batch.page.as_ref().is_some_and(|(question, _)| now >= question.until);
        while let Some(at) = self.batches.iter().position(late) {
            self.give_up_batch(at);
        }
    }

    /// A batch does not end in time. What still comes of it is of the past all the same.
    fn give_up_batch(&mut self, at: usize) {
        if let Some((question, _)) = self.batches.get_mut(at).and_then(|batch| batch.page.take()) {
            self.unanswered(question, &Sentence::NoAnswer, false);
        }
    }
}
