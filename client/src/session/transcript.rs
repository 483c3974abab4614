//! All that was said in a conversation, from its beginning on: the server's history page by page, where it has one, and
//! among that what is only here.

use std::collections::HashSet;

use parlor_server::protocol::MsgId;

use super::event::{Event, Told};
use super::line::{Delivery, Line, LineId};
use super::page::{PageLine, Query};
use super::{Key, Session, UnixMillis};

/// Lines of a page, unless the server gives fewer.
const PAGE: usize = 500;

/// A transcript under way; one at a time.
#[derive(Debug)]
pub(super) struct Transcript {
    key: Key,
    /// Tells answers to it from those to another one, which was taken back.
    number: u64,
    /// How the last line that came is named in a question, and when it was said.
    upto: Option<(String, UnixMillis)>,
    /// Lines of the log that were told; at most as many as it has.
    told: HashSet<LineId>,
}

impl Session {
    pub(super) fn begin_transcript(&mut self, key: &Key) {
        let Some(key) = self.known(key) else {
            return self.tell(Event::Transcript {
                key: key.clone(),
                lines: Vec::new(),
                end: Some(Told::InPart),
            });
        };
        let has_history = self.is_ready()
            && self.has_history(&key)
            && self.conversations.get(&key).is_some_and(|conversation| conversation.joined);
        self.last_line += 1;
        let (number, told) = (self.last_line, HashSet::new());
        self.transcript = Some(Transcript { key: key.clone(), number, upto: None, told });
        if has_history {
            self.ask_on();
        } else {
            let gaps = self.conversations.get(&key).is_some_and(|open| !open.log.gaps.is_empty());
            self.end_transcript(if gaps { Told::InPart } else { Told::Whole });
        }
    }

    /// A conversation has another key.
    pub(super) fn transcript_moved(&mut self, from: &Key, to: &Key) {
        if let Some(transcript) = self.transcript.as_mut().filter(|transcript| transcript.key == *from) {
            transcript.key = to.clone();
        }
    }

    pub(super) fn stop_transcript(&mut self) {
        self.transcript = None;
    }

    fn ask_on(&mut self) {
        let Some(transcript) = &self.transcript else { return };
        let (key, number) = (transcript.key.clone(), transcript.number);
        let Some(name) = self.conversations.get(&key).map(|conversation| &conversation.name) else {
            return self.end_transcript(Told::InPart);
        };
        let from = transcript.upto.as_ref().map(|(reference, _)| reference.clone());
        let from = from.unwrap_or_else(|| format!("timestamp={}", UnixMillis(0)));
        let line = format!("CHATHISTORY AFTER {name} {from} {}", self.page_size(PAGE));
        if !self.ask_history(&key, Query::Transcript(number), None, &line) {
            self.end_transcript(Told::InPart);
        }
    }

    /// A page has come.
    pub(super) fn transcript_page(&mut self, number: u64, page: Vec<PageLine>, events: &[MsgId]) {
        let here = self.transcript.as_ref().filter(|transcript| transcript.number == number);
        let Some(Transcript { key, upto: before, .. }) = here else { return };
        let (key, before) = (key.clone(), before.clone());
        let lines: Vec<Line> = page.into_iter().map(|entry| entry.line).collect();
        let last = lines.last();
        // What is no line has its place among them, too.
        let event = events.iter().max().filter(|event| last.and_then(Line::position) < Some(**event));
        let upto = match (event, last) {
            (Some(event), _) => (format!("msgid={event}"), UnixMillis(event.millis)),
            (None, Some(last)) => (self.reference(last), last.at()),
            (None, None) => return self.end_transcript(Told::Whole),
        };
        // A server that does not go on would be asked for ever.
        if before.is_some_and(|before| before == upto || upto.1 < before.1) {
            return self.end_transcript(Told::InPart);
        }
        let mut lines = self.with_own(lines, upto.1);
        let taken_back = |line: &Line| self.marked(&key, line).is_some_and(|marked| marked.deleted.is_some());
        lines.retain(|line| !taken_back(line));
        if let Some(transcript) = &mut self.transcript {
            transcript.upto = Some(upto);
        }
        self.tell(Event::Transcript { key, lines, end: None });
        self.ask_on();
    }

    /// A page does not come.
    pub(super) fn no_page(&mut self, number: u64) {
        if self.transcript.as_ref().is_some_and(|transcript| transcript.number == number) {
            self.end_transcript(Told::InPart);
        }
    }

    /// There is no more; what is here and was said later, or is nowhere else, comes last.
    pub(super) fn end_transcript(&mut self, end: Told) {
        let lines = self.with_own(Vec::new(), UnixMillis(u64::MAX));
        if let Some(Transcript { key, .. }) = self.transcript.take() {
            self.tell(Event::Transcript { key, lines, end: Some(end) });
        }
    }

    /// A page as it is here, and among it those lines up to a time that only we have. Each is told once.
    fn with_own(&mut self, page: Vec<Line>, upto: UnixMillis) -> Vec<Line> {
        let Session { transcript: Some(transcript), conversations, .. } = self else { return page };
        let Some(log) = conversations.get(&transcript.key).map(|conversation| &conversation.log) else {
            return page;
        };
        let mut lines: Vec<Line> = Vec::with_capacity(page.len());
        for line in page {
            match line.msgid().and_then(|msgid| log.get(log.by_msgid(&msgid)?)) {
                Some(here) if transcript.told.insert(here.id()) => lines.push(here.clone()),
                Some(_) => {}
                None => lines.push(line),
            }
        }
        let came = |line: &&Line| matches!(line.state(), Delivery::None | Delivery::Delivered);
        let rest = log.iter().filter(|line| is_told(line) && line.at() <= upto).filter(came);
        let rest: Vec<&Line> = rest.filter(|line| !transcript.told.contains(&line.id())).collect();
        for line in rest {
            transcript.told.insert(line.id());
            // From the end: where only we have any, each comes last.
            let at = lines.iter().rposition(|other| other.at() <= line.at()).map_or(0, |before| before + 1);
            lines.insert(at, line.clone());
        }
        lines.retain(is_told);
        lines
    }
}

/// Whether it was said, and not taken back.
fn is_told(line: &Line) -> bool {
    line.is_talk() && line.deleted().is_none()
}
