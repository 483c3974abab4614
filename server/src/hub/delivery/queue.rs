//! What is to be sent to one member and cannot go yet: one queue, in the order of its commands.
//!
//! # What may overtake what
//!
//! | [`Order`] | what it is | what it overtakes |
//! | --- | --- | --- |
//! | `News` | talk and doings of others, PING, the last line before a close | everything: nobody waits for another one's disk, and labels bind replies only |
//! | `Change` | the member's own JOIN, PART, NICK, TOPIC, MODE, … | everything: behind a later change by somebody else it would be wrong |
//! | `Reply` | numerics, echoes, FAIL, what a command shows | long replies only: a line that waits holds up the lines behind it, a page does not |
//! | `End` | PONG | nothing: a client takes it for the end of what it asked for; after a while, long replies that wait for the store, or it would take the server for dead |
//!
//! A page of a long reply overtakes nothing, either. It is made when its turn comes, not before:
//! what it says must not be older than the news, which do not wait.
//!
//! An entry waits for the entries before it as said, and besides for
//! - a line: nothing, its id on disk, or the store's answer, which brings it ([`Until`]);
//! - a page: the peer to have read the pages before it, or the store's answer;
//! - everything of a command with a label, a `Change` too: the end of that command, which says
//!   whether the label is on one line or around a batch (IRCv3 labeled-response).
//!
//! # Bounds
//!
//! [`MAX_LINES`] lines of [`MAX_WAITING`] bytes wait, then the member is not read until they have gone. [`MAX_PAGES`] long
//! replies wait, then one more is refused. Both are of one member; the hub owns the queue and drops
//! it with the member, or as soon as nothing waits.

use std::collections::VecDeque;
use std::time::Duration;

use crate::hub::delivery::lines::Line;
use crate::hub::delivery::reply::tagged;
use crate::protocol::MsgId;
use crate::protocol::tag::batch::LABELED;
use crate::protocol::tag::{BATCH, LABEL};

/// Lines that wait; then the member is not read.
pub(crate) const MAX_LINES: usize = 256;
/// Bytes of them; as much as waits for a connection that does not read.
pub(crate) const MAX_WAITING: usize = 256 * 1024;
/// Long replies that wait: names and latest lines of as many rooms as one may join, and some more.
pub(crate) const MAX_PAGES: usize = 192;

/// Which lines that wait a new one may overtake; see the [module](self).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    News,
    Change,
    Reply,
    /// It overtakes long replies that wait for the store when this time has come.
    End(Duration),
}

/// What a line waits for, besides those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Until {
    /// This id is on disk.
    Durable(MsgId),
    /// The question with this ticket is answered; the answer brings the line.
    Answered(u64),
}

/// What has its turn.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Turn<P> {
    /// To be sent.
    Line(Line),
    /// To be made; its lines carry the batch.
    Page(P, Option<Box<str>>),
}

#[derive(Debug)]
enum Entry<P> {
    /// `tag` binds a line that the store has yet to bring.
    Line { line: Line, until: Option<Until>, tag: Option<Box<str>> },
    /// `asked`: the store has yet to bring what it says.
    Page { page: P, batch: Option<Box<str>>, asked: bool },
    /// `due`: from then on it overtakes pages while the first waits for the store; the end of a batch
    /// never does.
    End { line: Line, due: Option<Duration> },
}

/// The labelled command in hand.
#[derive(Debug)]
struct Labelled {
    label: Box<str>,
    /// Its first entry.
    first: usize,
    /// Its replies go on after it, in pages: they need a batch however few they are.
    batch: Option<Box<str>>,
}

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Queue<P> {
    entries: VecDeque<Entry<P>>,
    labelled: Option<Labelled>,
}

impl<P> Default for Queue<P> {
    fn default() -> Queue<P> {
        Queue { entries: VecDeque::new(), labelled: None }
    }
}

impl<P> Queue<P> {
    /// Whether nothing waits and no command is in hand: the queue may be dropped.
    pub(crate) fn is_idle(&self) -> bool {
        self.entries.is_empty() && self.labelled.is_none()
    }

    /// Whether a command with a label is in hand.
    pub(crate) fn is_labelled(&self) -> bool {
        self.labelled.is_some()
    }

    /// Takes a line; gives it back if it may go at once.
    pub(crate) fn push(&mut self, line: Line, order: Order, until: Option<Until>) -> Option<Line> {
        let due = if let Order::End(due) = order { Some(due) } else { None };
        let behind_pages = due.is_some() && (1..MAX_PAGES).contains(&self.pages());
        let waits = match order {
            Order::News => false,
            _ if self.labelled.is_some() => true,
            Order::Change => false,
            Order::Reply | Order::End(_) => until.is_some() || behind_pages || self.lines() > 0,
        };
        if !waits {
            return Some(line);
        }
        self.entries.push_back(match behind_pages {
            true => Entry::End { line, due },
            false => Entry::Line { line, until, tag: None },
        });
        None
    }

    /// Whether a long reply may begin at once: nothing waits but lines of the command in hand.
    pub(crate) fn may_begin(&self) -> bool {
        self.pages() == 0 && self.labelled.as_ref().map_or(self.entries.len(), |labelled| labelled.first) == 0
    }

    /// Takes a long reply, or the rest of one, behind everything. `batch` names one for a labelled
    /// command.
    pub(crate) fn push_page(&mut self, page: P, asked: bool, batch: impl FnOnce() -> Box<str>) {
        let batch = self.labelled.as_mut().map(|labelled| labelled.batch.get_or_insert_with(batch).clone());
        self.entries.push_back(Entry::Page { page, batch, asked });
    }

    /// Takes the rest of a page that had its turn.
    pub(crate) fn put_back(&mut self, page: P, batch: Option<Box<str>>, asked: bool) {
        self.entries.push_front(Entry::Page { page, batch, asked });
    }

    /// Gives the first page, if it waits for the store, what that has brought; `take` says whether it is what
    /// the page waits for.
    pub(crate) fn answer_page(&mut self, take: impl FnOnce(&mut P) -> bool) -> bool {
        let Some(Entry::Page { page, asked, .. }) = self.entries.front_mut() else { return false };
        let taken = *asked && take(page);
        *asked &= !taken;
        taken
    }

    /// Leaves out pages.
    pub(crate) fn forget_pages(&mut self, forgotten: impl Fn(&P) -> bool) {
        self.entries.retain(|entry| !matches!(entry, Entry::Page { page, .. } if forgotten(page)));
    }

    /// The next that has its turn now, with everything up to `durable` on disk. `read`: the peer has
    /// read the pages before.
    pub(crate) fn pop(&mut self, durable: MsgId, read: bool, now: Duration) -> Option<Turn<P>> {
        let end = self.labelled.as_ref().map_or(self.entries.len(), |labelled| labelled.first);
        let asked = matches!(self.entries.front(), Some(Entry::Page { asked: true, .. }));
        let overtakes = |entry: &Entry<P>| match entry {
            Entry::Line { .. } => true,
            Entry::Page { .. } => false,
            Entry::End { due, .. } => asked && due.is_some_and(|due| due <= now),
        };
        let at = match self.entries.front()? {
            Entry::Page { asked: false, .. } if read => 0,
            Entry::End { .. } => 0,
            _ => self.entries.iter().position(overtakes)?,
        };
        let free = match self.entries.get(at)? {
            Entry::Line { until: None, .. } => true,
            Entry::Line { until: Some(Until::Durable(id)), .. } => *id <= durable,
            Entry::Line { until: Some(Until::Answered(_)), .. } => false,
            Entry::Page { .. } | Entry::End { .. } => true,
        };
        if !free || at >= end {
            return None;
        }
        if let Some(labelled) = &mut self.labelled {
            labelled.first -= 1;
        }
        Some(match self.entries.remove(at)? {
            Entry::Line { line, .. } | Entry::End { line, .. } => Turn::Line(line),
            Entry::Page { page, batch, .. } => Turn::Page(page, batch),
        })
    }

    /// Whoever reads hears that the server is there: what overtakes pages does so at this time at the
    /// earliest. Whether anything does.
    pub(crate) fn postpone(&mut self, until: Duration) -> bool {
        let dues = self.entries.iter_mut().filter_map(|entry| match entry {
            Entry::End { due, .. } => due.as_mut(),
            _ => None,
        });
        dues.map(|due| *due = until).count() > 0
    }

    /// Whether the first entry is a page that waits for its reader alone.
    pub(crate) fn waits_for_reader(&self) -> bool {
        matches!(self.entries.front(), Some(Entry::Page { asked: false, .. }))
    }

    /// Lines that wait.
    pub(crate) fn lines(&self) -> usize {
        self.entries.iter().filter(|entry| matches!(entry, Entry::Line { .. })).count()
    }

    /// Whether so much waits that the member is not to be read.
    pub(crate) fn is_full(&self) -> bool {
        let bytes = self.entries.iter().map(|entry| match entry {
            Entry::Line { line, .. } | Entry::End { line, .. } => line.len(),
            Entry::Page { .. } => 0,
        });
        self.lines() >= MAX_LINES || bytes.sum::<usize>() >= MAX_WAITING
    }

    /// Long replies that wait, and what waits for them.
    pub(crate) fn pages(&self) -> usize {
        self.entries.len() - self.lines()
    }

    /// The line that a question was asked for; an empty one where there is none after all.
    pub(crate) fn answer(&mut self, ticket: u64, answer: &Line, then: Option<Until>) {
        for entry in &mut self.entries {
            if let Entry::Line { line, until, tag } = entry
                && *until == Some(Until::Answered(ticket))
            {
                *until = then;
                *line = match tag.take().filter(|_| !answer.is_empty()) {
                    Some(tag) => tagged(&tag, answer),
                    None => answer.clone(),
                };
            }
        }
    }

    /// Nothing comes on disk any more: lines that wait for it do so no longer, and are marked.
    pub(crate) fn give_up_durable(&mut self, mark: impl Fn(&Line) -> Line) {
        for entry in &mut self.entries {
            if let Entry::Line { line, until, .. } = entry
                && matches!(until, Some(Until::Durable(_)))
            {
                (*line, *until) = (mark(line), None);
            }
        }
    }

    /// Begins to bind what comes to a label, until [`end_label`](Self::end_label).
    pub(crate) fn begin_label(&mut self, label: Box<str>) {
        self.labelled = Some(Labelled { label, first: self.entries.len(), batch: None });
    }

    /// The label of the command in hand, if nothing answers it yet: what answers it later carries it.
    pub(crate) fn take_label(&mut self) -> Option<Box<str>> {
        let last = self.entries.len();
        let unanswered = |labelled: &mut Labelled| labelled.first == last && labelled.batch.is_none();
        self.labelled.take_if(unanswered).map(|labelled| labelled.label)
    }

    /// The labelled command is done. Its lines get the label where there is one line, a batch where
    /// there are more; where there is none, `acknowledge` is.
    pub(crate) fn end_label(
        &mut self,
        next_batch: impl FnOnce() -> Box<str>,
        server_line: impl Fn(&str) -> Line,
    ) {
        let Some(Labelled { label, first, batch }) = self.labelled.take() else { return };
        if batch.is_none() && self.entries.len() == first {
            let line = server_line("ACK");
            self.entries.push_back(Entry::Line { line, until: None, tag: None });
        }
        let label = format!("{LABEL}={label}");
        if batch.is_none() && self.entries.len() == first + 1 {
            return self.bind(first, &label);
        }
        let goes_on = batch.is_some();
        let batch = batch.unwrap_or_else(next_batch);
        self.bind(first, &format!("{BATCH}={batch}"));
        let line = tagged(&label, &server_line(&format!("BATCH +{batch} {LABELED}")));
        self.entries.insert(first, Entry::Line { line, until: None, tag: None });
        let line = server_line(&format!("BATCH -{batch}"));
        self.entries.push_back(match goes_on {
            true => Entry::End { line, due: None },
            false => Entry::Line { line, until: None, tag: None },
        });
    }

    /// Tags the lines from `first` on; those of pages have their tags.
    fn bind(&mut self, first: usize, with: &str) {
        for entry in self.entries.range_mut(first..) {
            match entry {
                Entry::Line { until: Some(Until::Answered(_)), tag, .. } => *tag = Some(with.into()),
                Entry::Line { line, .. } => *line = tagged(with, line),
                Entry::End { line, .. } => *line = tagged(with, line),
                Entry::Page { .. } => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Line {
        text.as_bytes().into()
    }

    fn id(millis: u64) -> MsgId {
        MsgId { boot: 1, millis, count: 0 }
    }

    /// A queue of pages that are words, and what it has sent.
    #[derive(Default)]
    struct Desk {
        queue: Queue<&'static str>,
        sent: Vec<String>,
        durable: MsgId,
        now: Duration,
    }

    impl Desk {
        /// Words: `x` a reply, `!x` a change, `*x` news, `.x` an end, `[x` a page, `?x` a page that
        /// waits for the store, `x@5` a reply until 5 is on disk, `x#5` one until 5 is answered.
        fn push(&mut self, words: &'static str) -> &mut Desk {
            for word in words.split(' ') {
                let (order, text) = match word.split_at(1) {
                    ("!", text) => (Order::Change, text),
                    ("*", text) => (Order::News, text),
                    (".", text) => (Order::End(self.now + Duration::from_secs(2)), text),
                    ("[", page) => {
                        self.queue.push_page(page, false, || "b".into());
                        continue;
                    }
                    ("?", page) => {
                        self.queue.push_page(page, true, || "b".into());
                        continue;
                    }
                    _ => (Order::Reply, word),
                };
                let number = |text: &str| text.parse().unwrap();
                let (text, until) = match (text.split_once('@'), text.split_once('#')) {
                    (Some((text, durable)), _) => (text, Some(Until::Durable(id(number(durable))))),
                    (_, Some((_, ticket))) => ("", Some(Until::Answered(number(ticket)))),
                    _ => (text, None),
                };
                let at_once = self.queue.push(line(text), order, until);
                self.sent.extend(at_once.map(|line| String::from_utf8_lossy(&line).into_owned()));
            }
            self
        }

        /// Lets go what may; `read`: the peer has read all pages.
        fn pop(&mut self, read: bool) -> &mut Desk {
            while let Some(turn) = self.queue.pop(self.durable, read, self.now) {
                self.sent.push(match turn {
                    Turn::Line(line) => String::from_utf8_lossy(&line).into_owned(),
                    Turn::Page(page, None) => format!("[{page}"),
                    Turn::Page(page, Some(batch)) => format!("[{page} in {batch}"),
                });
            }
            self
        }

        fn stored(&mut self, upto: u64) -> &mut Desk {
            self.durable = id(upto);
            self.pop(false)
        }

        fn pass(&mut self, seconds: u64) -> &mut Desk {
            self.now += Duration::from_secs(seconds);
            self.pop(false)
        }

        fn begin(&mut self) -> &mut Desk {
            self.queue.begin_label("l".into());
            self
        }

        fn end(&mut self) -> &mut Desk {
            self.queue.end_label(|| "b".into(), line);
            self.pop(false)
        }

        #[track_caller]
        fn sends(&mut self, expected: &str) -> &mut Desk {
            assert_eq!(std::mem::take(&mut self.sent).join(", "), expected);
            self
        }
    }

    #[test]
    fn what_waits_for_nothing_goes_at_once_and_leaves_nothing() {
        let mut desk = Desk::default();
        desk.push("a !b *c .d").sends("a, b, c, d");
        assert!(desk.queue.is_idle());
    }

    #[test]
    fn replies_wait_for_receipts_and_changes_and_news_do_not() {
        let mut desk = Desk::default();
        desk.push("a@5 b c@7 .d !e *f").sends("e, f");
        desk.stored(4).sends("").stored(5).sends("a, b").stored(9).sends("c, d");
        assert!(desk.queue.is_idle());
    }

    #[test]
    fn a_line_overtakes_pages_and_nothing_overtakes_lines() {
        let mut desk = Desk::default();
        desk.push("[p a .x b@5 c [q .y *d").sends("a, d");
        // The page is the first, whatever waits behind it.
        desk.pop(false).sends("").pop(true).sends("[p, x");
        // The next one is made when the lines before it have gone.
        desk.pop(true).sends("").stored(5).sends("b, c").pop(true).sends("[q, y");
        assert!(desk.queue.is_idle());
    }

    #[test]
    fn a_page_that_goes_on_stays_the_first() {
        let mut desk = Desk::default();
        desk.push("[p [q").pop(true).sends("[p, [q");
        desk.push("[p [q .x");
        assert_eq!(desk.queue.pop(MsgId::default(), true, Duration::ZERO), Some(Turn::Page("p", None)));
        desk.queue.put_back("rest", None, false);
        desk.pop(false).sends("").pop(true).sends("[rest, [q, x");
    }

    #[test]
    fn a_page_that_waits_for_the_store_holds_up_pages_and_ends() {
        let mut desk = Desk::default();
        desk.push("?p [q .x a").pop(true).sends("a");
        assert!(
            !desk.queue.answer_page(|page| *page != "p"),
            "the first one, which waits for another answer"
        );
        assert!(!desk.queue.waits_for_reader());
        assert!(desk.queue.answer_page(|page| *page == "p"));
        assert!(!desk.queue.answer_page(|_| true), "it waits no more");
        assert!(desk.queue.waits_for_reader());
        desk.pop(true).sends("[p, [q, x");
    }

    #[test]
    fn an_answer_brings_its_line_to_its_place() {
        let mut desk = Desk::default();
        desk.push("a#1 b c#2 d").pop(true).sends("");
        desk.queue.answer(2, &line(""), None);
        desk.pop(true).sends("");
        desk.queue.answer(1, &line("found"), None);
        // Who gets no line after all holds up nobody.
        desk.pop(true).sends("found, b, , d");
    }

    #[test]
    fn a_label_is_an_acknowledgement_a_tag_or_a_batch() {
        let mut desk = Desk::default();
        desk.begin().end().sends("@label=l ACK");
        desk.begin().push("a *n").sends("n").end().sends("@label=l a");
        desk.begin()
            .push("!a b")
            .end()
            .sends("@label=l BATCH +b labeled-response, @batch=b a, @batch=b b, BATCH -b");
        assert!(desk.queue.is_idle());
    }

    #[test]
    fn labelled_replies_stay_behind_receipts() {
        let mut desk = Desk::default();
        desk.push("e@5").begin().push("!a").end().sends("");
        desk.begin()
            .push("b@6 c#1")
            .end()
            .push("d")
            .stored(5)
            .sends("e, @label=l a, @label=l BATCH +b labeled-response");
        desk.stored(6).sends("@batch=b b");
        desk.queue.answer(1, &line("found"), None);
        desk.pop(false).sends("@batch=b found, BATCH -b, d");
    }

    #[test]
    fn the_batch_of_a_long_reply_ends_behind_it() {
        let mut desk = Desk::default();
        desk.begin().push("a [p").end().sends("@label=l BATCH +b labeled-response, @batch=b a");
        desk.push("[q c").sends("c").pop(true).sends("[p in b, BATCH -b, [q");
    }

    #[test]
    fn a_label_goes_to_what_answers_later_if_nothing_has_yet() {
        let mut desk = Desk::default();
        assert_eq!(desk.begin().queue.take_label(), Some("l".into()));
        desk.push("a").end().sends("a");
        assert_eq!(desk.begin().push("a").queue.take_label(), None);
        desk.end().sends("@label=l a");
    }

    #[test]
    fn a_long_reply_begins_at_once_where_nothing_waits() {
        let mut desk = Desk::default();
        assert!(desk.queue.may_begin());
        assert!(desk.begin().push("!joined").queue.may_begin(), "its own command's line is before it");
        assert!(!desk.push("[p").queue.may_begin());
        desk.end().pop(true);
        assert!(desk.queue.may_begin());
        assert!(!desk.push("a@1").queue.may_begin());
    }

    #[test]
    fn without_a_disk_what_waited_for_it_comes_marked() {
        let mut desk = Desk::default();
        desk.push("a@5 b c@6 d#1").queue.give_up_durable(|line| tagged("lost", line));
        desk.pop(false).sends("@lost a, b, @lost c");
    }

    #[test]
    fn an_end_behind_too_many_pages_is_a_reply() {
        let mut desk = Desk::default();
        for _ in 0..MAX_PAGES {
            desk.push("[p");
        }
        desk.push(".x").sends("x");
        assert_eq!((desk.queue.pages(), desk.queue.lines()), (MAX_PAGES, 0));
        desk.queue.forget_pages(|_| true);
        assert!(desk.queue.is_idle());
    }

    #[test]
    fn a_pong_overtakes_long_replies_when_its_time_has_come_and_the_end_of_a_batch_never_does() {
        let mut desk = Desk::default();
        desk.push("?search").begin().push("[list").end().sends("@label=l BATCH +b labeled-response");
        desk.push(".pong a").pass(1).push(".late").sends("a");
        desk.pass(1).sends("pong").pass(1).sends("late");
        // Who has just read waits longer.
        desk.push(".read");
        assert!(desk.queue.postpone(desk.now + Duration::from_secs(3)));
        desk.pass(2).sends("").pass(1).sends("read").push(".end");
        assert!(desk.queue.answer_page(|_| true));
        assert!(desk.pass(9).sent.is_empty(), "that waits for its reader, not for the store");
        desk.pop(true).sends("[search, [list in b, BATCH -b, end");
    }
}
