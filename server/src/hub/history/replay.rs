//! Lines of the past on their way to one reader: asked of the store, sent in pages.

use std::collections::VecDeque;

use crate::hub::Hub;
use crate::hub::delivery::form::Form;
use crate::hub::delivery::lines::Line;
use crate::hub::delivery::output::Output;
use crate::hub::delivery::reply::with_tag;
use crate::hub::delivery::{Rest, Sheet};
use crate::hub::history::record::Remembered;
use crate::hub::history::search::Search;
use crate::hub::history::tickets::Ticket;
use crate::hub::history::{Answer, Kept, Request};
use crate::hub::state::ConnectionId;
use crate::protocol::tag::{BATCH, LABEL, batch};
use crate::protocol::{Capability, MsgId};

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
}

/// A reply that brings lines of the past.
#[derive(Debug)]
pub(crate) struct Replay {
    why: Why,
    /// The label of the command, for the batch that answers it.
    pub(crate) label: Option<Box<str>>,
    /// The batch, once it is open.
    batch: Option<Box<str>>,
    state: State,
}

#[derive(Debug)]
enum State {
    /// To be asked when the replies before it are done.
    Wanted(Request),
    /// Asked, under this number.
    Asked(u64),
    Lines {
        found: VecDeque<Kept>,
        more: Option<MsgId>,
    },
    Targets(VecDeque<(std::sync::Arc<str>, MsgId)>),
    Failed,
}

impl Replay {
    pub(crate) fn new(why: Why, request: Request) -> Box<Replay> {
        Box::new(Replay { why, label: None, batch: None, state: State::Wanted(request) })
    }

    /// Takes the answer of the store; false if it is not to what was asked last.
    pub(crate) fn take(&mut self, ticket: u64, answer: Answer) -> bool {
        if !matches!(self.state, State::Asked(asked) if asked == ticket) {
            return false;
        }
        self.state = match answer {
            Answer::Lines { found, more } => State::Lines { found: found.into(), more },
            Answer::Targets(targets) => State::Targets(targets.into()),
            Answer::Failed => State::Failed,
        };
        true
    }

    /// The type of its batch, and what that is about.
    fn kind(&self) -> String {
        match &self.why {
            Why::Asked(_, target) | Why::Joined(target) => format!("{} {target}", batch::CHATHISTORY),
            Why::Targets(_) => batch::TARGETS.into(),
            Why::Search(_) => batch::SEARCH.into(),
        }
    }

    /// Whether nothing is to come of it: nobody asked, and there is nothing, or a bot would act once
    /// more on what it was told before. To be seen late: it may say what it is behind its JOIN.
    fn is_void(&self, bot: bool) -> bool {
        let nothing = matches!(&self.state, State::Lines { found, .. } if found.is_empty());
        matches!(self.why, Why::Joined(_)) && self.batch.is_none() && (bot || nothing)
    }
}

impl Hub {
    /// Asks the store; the answer comes as [`Input::Answer`](crate::hub::Input::Answer).
    pub(crate) fn ask(&mut self, ticket: Ticket, request: Request) -> u64 {
        self.history.last_ticket += 1;
        self.history.tickets.insert(self.history.last_ticket, ticket);
        self.delivery.output(Output::Read { ticket: self.history.last_ticket, request });
        self.history.last_ticket
    }

    /// A page of past lines; the rest, if it goes on.
    pub(crate) fn replay_page(
        &mut self,
        id: ConnectionId,
        mut replay: Box<Replay>,
        sheet: &mut Sheet,
    ) -> Rest<Box<Replay>> {
        if replay.is_void(self.state.member(id).is_some_and(|member| member.bot)) {
            return Rest::Done;
        }
        if matches!(replay.state, State::Wanted(_)) {
            let ticket = self.history.last_ticket + 1;
            if let State::Wanted(request) = std::mem::replace(&mut replay.state, State::Asked(ticket)) {
                self.ask(Ticket::Page(id), request);
            }
            return Rest::Asked(replay);
        }
        if matches!(replay.state, State::Failed) {
            self.replay_failed(id, replay, sheet);
            return Rest::Done;
        }
        if replay.batch.is_none() {
            self.open_batch(id, &mut replay, sheet);
        }
        let form = self.delivery.form(id);
        match &mut replay.state {
            State::Lines { found, more } => {
                while let Some(kept) = found.pop_front() {
                    for line in self.past_lines(form, &replay.why, &kept) {
                        sheet.push(with_tag(BATCH, replay.batch.as_deref(), line));
                    }
                    if let Why::Search(search) = &mut replay.why {
                        search.left = search.left.saturating_sub(1);
                    }
                    if sheet.full() {
                        return Rest::More(replay);
                    }
                }
                if let (Some(before), Why::Search(search)) = (more.take(), &mut replay.why)
                    && let Some(request) = search.go_on(before)
                {
                    replay.state = State::Wanted(request);
                    return self.replay_page(id, replay, sheet);
                }
            }
            State::Targets(targets) => {
                let Why::Targets(left) = &mut replay.why else { return Rest::Done };
                while let Some((room, latest)) = targets.pop_front().filter(|_| *left > 0) {
                    *left -= 1;
                    if let Some((_, room)) = self.state.room_named(&room) {
                        let text = format_args!("CHATHISTORY TARGETS {} {}", room.name, latest.time());
                        let line = self.server_line(text);
                        sheet.push(with_tag(BATCH, replay.batch.as_deref(), line));
                    }
                }
            }
            State::Wanted(_) | State::Asked(_) | State::Failed => {}
        }
        if let Some(batch) = &replay.batch {
            sheet.push(self.server_line(format_args!("BATCH -{batch}")));
        }
        Rest::Done
    }

    fn open_batch(&mut self, id: ConnectionId, replay: &mut Replay, sheet: &mut Sheet) {
        if !self.state.member(id).is_some_and(|member| member.has(Capability::Batch)) {
            return;
        }
        let batch = self.delivery.next_batch();
        let line = self.server_line(format_args!("BATCH +{batch} {}", replay.kind()));
        sheet.push(with_tag(LABEL, replay.label.take().as_deref(), line));
        replay.batch = Some(batch);
    }

    /// What was kept, for one reader: a line, none or, with its time, perhaps two.
    fn past_lines(&self, form: Form, why: &Why, kept: &Kept) -> Vec<Line> {
        let Some(past) = Remembered::parse(&kept.payload) else { return Vec::new() };
        let room = self.state.rooms.find(&kept.room).and_then(|room| self.state.rooms.get(room));
        let name = room.map_or(&*kept.room, |room| room.name.as_str());
        if matches!(why, Why::Joined(_)) && !form.time() {
            return past.lines_with_time(name, kept.id, form);
        }
        past.line(name, kept.id, form).into_iter().collect()
    }

    fn replay_failed(&mut self, id: ConnectionId, mut replay: Box<Replay>, sheet: &mut Sheet) {
        let sentence = "The history could not be read; the server's log says why";
        let words = match &replay.why {
            Why::Asked(verb, target) => format!("CHATHISTORY MESSAGE_ERROR {verb} {target}"),
            Why::Targets(_) => "CHATHISTORY MESSAGE_ERROR TARGETS".into(),
            Why::Search(_) => "SEARCH INTERNAL_ERROR".into(),
            Why::Joined(_) => return self.explain(id, sentence),
        };
        if let Some(batch) = &replay.batch {
            sheet.push(self.server_line(format_args!("BATCH -{batch}")));
        }
        let line = self.server_line(format_args!("FAIL {words} :{sentence}"));
        sheet.push(with_tag(LABEL, replay.label.take().as_deref(), line));
    }
}
