//! Lines of the past on their way to one reader: asked of the store, sent in pages.

use std::collections::VecDeque;

use crate::hub::Hub;
use crate::hub::delivery::lines::Line;
use crate::hub::delivery::reply::with_tag;
use crate::hub::delivery::{Rest, Sheet};
use crate::hub::history::search::Search;
use crate::hub::history::tickets::Ticket;
use crate::hub::history::{Answer, Edge, Kept, Query, Request, Told};
use crate::hub::state::ConnectionId;
use crate::protocol::sorted::sorted_by_key;
use crate::protocol::tag::{BATCH, LABEL, batch};
use crate::protocol::{Capability, Folded};

/// Pieces of a search that cost a line of flood control.
const PIECES: usize = 8;

/// Why lines of the past are sent.
#[derive(Debug)]
pub(crate) enum Why {
    /// CHATHISTORY: the request, and the room as the reader wrote it.
    Asked(Box<str>, Box<str>),
    /// CHATHISTORY TARGETS, at most so many.
    Targets(usize),
    /// SEARCH; so many lines may still come.
    Search(Search),
    /// JOIN of this room by somebody who cannot ask.
    Joined(Box<str>),
    /// Somebody who cannot ask came back: what others told it meanwhile.
    Private,
}

/// A reply that brings lines of the past.
#[derive(Debug)]
pub(crate) struct Replay {
    why: Why,
    /// The label of the command, for the batch that answers it.
    pub(crate) label: Option<Box<str>>,
    /// The batch, once it is open.
    batch: Option<Box<str>>,
    /// What is still to be asked; a search knows that itself.
    queries: VecDeque<Query>,
    found: VecDeque<Kept>,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// To be asked when the replies before it are done.
    Wanted,
    /// Asked, under this number.
    Asked(u64),
    /// What was found is to be sent.
    Answered,
    Failed,
}

impl Replay {
    pub(crate) fn new(why: Why, queries: impl IntoIterator<Item = Query>) -> Box<Replay> {
        let (queries, found) = (queries.into_iter().collect(), VecDeque::new());
        let mut replay = Replay { why, label: None, batch: None, queries, found, state: State::Wanted };
        if replay.request().is_none() {
            replay.state = State::Answered;
        }
        Box::new(replay)
    }

    /// What is to be asked next, if anything is.
    fn request(&self) -> Option<Request> {
        match &self.why {
            Why::Search(search) => search.request(),
            _ => self.queries.front().cloned().map(Request::Lines),
        }
    }

    /// Takes the answer of the store; false if it is not to what was asked last.
    pub(crate) fn take(&mut self, ticket: u64, answer: Answer) -> bool {
        if self.state != State::Asked(ticket) {
            return false;
        }
        let Answer::Lines { found, more } = answer else {
            self.state = State::Failed;
            return true;
        };
        self.state = State::Answered;
        let count = found.len();
        self.found.extend(found);
        if let Why::Search(search) = &mut self.why {
            search.answered(count, more);
            return true;
        }
        if let Some(query) = self.queries.front_mut() {
            query.limit = query.limit.saturating_sub(count);
            match more.filter(|_| query.limit > 0) {
                Some(at) if query.newest => query.range.upto = at.before(),
                Some(at) => query.range.after = Edge::At(at),
                None => drop(self.queries.pop_front()),
            }
        }
        if !self.queries.is_empty() {
            self.state = State::Wanted;
        }
        // The newest come first, a stretch at a time.
        self.found = sorted_by_key(std::mem::take(&mut self.found), |kept| kept.id).into();
        true
    }

    /// The type of its batch, and what that is about.
    fn kind(&self) -> String {
        match &self.why {
            Why::Asked(_, target) | Why::Joined(target) => format!("{} {target}", batch::CHATHISTORY),
            Why::Targets(_) => batch::TARGETS.into(),
            Why::Search(_) => batch::SEARCH.into(),
            // Who cannot ask knows no such batch.
            Why::Private => batch::CHATHISTORY.into(),
        }
    }

    /// Whether nothing is to come of it: nobody asked, and there is nothing, or a bot would act once
    /// more on what it was told before. To be seen late: it may say what it is behind its JOIN.
    fn is_void(&self, bot: bool) -> bool {
        let nothing = self.state == State::Answered && self.found.is_empty();
        matches!(self.why, Why::Joined(_) | Why::Private) && self.batch.is_none() && (bot || nothing)
    }
}

impl Hub {
    /// A page of past lines; the rest, if it goes on.
    pub(crate) fn replay_page(&mut self, replay: &mut Replay, sheet: &mut Sheet) -> Rest {
        let id = sheet.to;
        if replay.is_void(self.state.member(id).is_some_and(|member| member.bot)) {
            return Rest::Done;
        }
        if replay.state == State::Failed {
            self.replay_failed(replay, sheet);
            return Rest::Done;
        }
        if replay.state == State::Answered {
            if replay.batch.is_none() {
                self.open_batch(replay, sheet);
            }
            while let Some(kept) = replay.found.pop_front() {
                for line in self.past_lines(id, &mut replay.why, &kept) {
                    sheet.push(with_tag(BATCH, replay.batch.as_deref(), line));
                }
                if sheet.full(1) {
                    return Rest::More;
                }
            }
        }
        if let Some(request) = replay.request() {
            if let Why::Search(search) = &replay.why {
                self.delivery.charge(id, u32::from(search.pieces > 0 && search.pieces % PIECES == 0));
            }
            replay.state = State::Asked(self.ask(id, Ticket::Page(id), request));
            return Rest::Asked;
        }
        if let Some(batch) = &replay.batch {
            sheet.push(self.server_line(format_args!("BATCH -{batch}")));
        }
        if let Why::Search(Search { stopped: Some(at), .. }) = &replay.why
            && self.state.member(id).is_some_and(|member| member.has(Capability::StandardReplies))
        {
            let time = at.time();
            let sentence = format!("The search ended at {time}: it was long. Search on with before={time}");
            sheet.push(self.server_line(format_args!("NOTE SEARCH STOPPED {time} :{sentence}")));
        }
        Rest::Done
    }

    fn open_batch(&mut self, replay: &mut Replay, sheet: &mut Sheet) {
        let batches = !matches!(replay.why, Why::Private);
        if !self.state.member(sheet.to).is_some_and(|member| batches && member.has(Capability::Batch)) {
            return;
        }
        let batch = self.delivery.next_batch();
        let line = self.server_line(format_args!("BATCH +{batch} {}", replay.kind()));
        sheet.push(with_tag(LABEL, replay.label.take().as_deref(), line));
        replay.batch = Some(batch);
    }

    /// What was kept, for one reader: a line, none or, with its time, perhaps two.
    fn past_lines(&self, id: ConnectionId, why: &mut Why, kept: &Kept) -> Vec<Line> {
        let form = self.delivery.form(id);
        let Some((member, told)) = self.state.member(id).zip(Told::parse(&kept.payload)) else {
            return Vec::new();
        };
        let room = self.state.rooms.find(&kept.room).and_then(|room| self.state.rooms.get(room));
        let private = if room.is_none() { self.state.other_of(id, &kept.room) } else { None };
        let is_own = || Folded::new(told.author) == Folded::new(member.author());
        let name = match (room, &private) {
            (Some(room), _) => room.name.as_str(),
            (None, Some(peer)) => peer,
            (None, None) if kept.room.starts_with('#') => &kept.room,
            // Its account has ended meanwhile.
            (None, None) => return Vec::new(),
        };
        if let Why::Targets(left) = why {
            let wanted = *left > 0;
            *left = left.saturating_sub(1);
            let text = format_args!("CHATHISTORY TARGETS {name} {}", kept.id.time());
            return if wanted { vec![self.server_line(text)] } else { Vec::new() };
        }
        // What somebody is told is addressed to it; what it said, to the other one.
        let target = match &private {
            Some(_) if !is_own() => member.name(),
            _ => name,
        };
        if told.redacts() && !member.has(Capability::MessageRedaction) {
            return Vec::new();
        }
        if let Some(deletion) = told.deletion(target, kept.id) {
            let placeholder = told.line(target, kept.id, form).filter(|_| told.was_talk());
            return placeholder.into_iter().chain(deletion.line(form)).collect();
        }
        match why {
            Why::Private if is_own() => Vec::new(),
            Why::Joined(_) | Why::Private if !form.time() => told.lines_with_time(target, kept.id, form),
            _ => told.line(target, kept.id, form).into_iter().collect(),
        }
    }

    fn replay_failed(&mut self, replay: &mut Replay, sheet: &mut Sheet) {
        let sentence = "The history could not be read; the server's log says why";
        let words = match &replay.why {
            Why::Asked(verb, target) => format!("CHATHISTORY MESSAGE_ERROR {verb} {target}"),
            Why::Targets(_) => "CHATHISTORY MESSAGE_ERROR TARGETS".into(),
            Why::Search(_) => "SEARCH INTERNAL_ERROR".into(),
            Why::Joined(_) | Why::Private => return self.explain(sheet.to, sentence),
        };
        if let Some(batch) = &replay.batch {
            sheet.push(self.server_line(format_args!("BATCH -{batch}")));
        }
        let line = self.server_line(format_args!("FAIL {words} :{sentence}"));
        sheet.push(with_tag(LABEL, replay.label.take().as_deref(), line));
    }
}
