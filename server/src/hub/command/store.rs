//! What the store says: up to where lines are on disk, whether it takes any, and what it was asked
//! for.

use crate::hub::Hub;
use crate::hub::command::page::Page;
use crate::hub::delivery::echo::Storage;
use crate::hub::delivery::output::Output;
use crate::hub::history::Answer;
use crate::hub::history::tickets::Ticket;
use crate::hub::state::ConnectionId;
use crate::protocol::MsgId;

impl Hub {
    /// Everything up to this id is on disk.
    pub(crate) fn stored(&mut self, upto: MsgId) {
        for id in self.delivery.stored(upto) {
            self.go_on(id);
        }
    }

    /// The disk takes nothing: what waited for it comes now, marked. People are told.
    pub(crate) fn pause(&mut self, why: &str) {
        if self.delivery.storage != Storage::Disk {
            return;
        }
        self.delivery.storage = Storage::Paused;
        self.delivery.output(Output::Warn(format!("history is paused: {why}")));
        for id in self.delivery.give_up_durable() {
            self.go_on(id);
        }
        // Not why: that names folders, and is for the log.
        self.tell_here("History is paused: the server's disk takes nothing now. The room goes on; what is said now may not be kept.");
    }

    /// The disk takes lines again; `lost` of those said meanwhile are not kept.
    pub(crate) fn resume_storage(&mut self, lost: u64) {
        if self.delivery.storage != Storage::Paused {
            return;
        }
        self.delivery.storage = Storage::Disk;
        self.delivery
            .output(Output::Warn(format!("history goes on; {lost} lines of the pause are not kept")));
        self.tell_here("History goes on: what is said from now on is kept.");
    }

    /// The log that several servers share does not answer, or does again. What was said waits.
    pub(crate) fn log_away(&mut self, why: Option<String>) {
        match why {
            Some(why) => {
                self.delivery.output(Output::Warn(format!("cluster: {why} What people say waits.")));
                self.tell_here(
                    "The servers cannot reach each other now. What you say waits; it is sent when they can.",
                );
            }
            None => {
                self.delivery.output(Output::Warn("cluster: the log answers again".into()));
                self.tell_here("The servers reach each other again: what waited is sent.");
            }
        }
    }

    /// The log had lost something, and has it again.
    pub(crate) fn log_mended(&mut self, entries: usize) {
        self.delivery.output(Output::Warn(format!(
            "cluster: the log had lost {entries} entries, which were put back"
        )));
        self.tell_here("The servers' common log had lost what was said last; it was put back.");
    }

    /// An answer of the store. Who asked may have gone.
    pub(crate) fn store_answered(&mut self, ticket: u64, answer: Answer) {
        match self.answered(ticket) {
            Some(Ticket::Page(id)) => self.answer_page(id, ticket, answer),
            Some(Ticket::Echo(resend)) => {
                let id = resend.id;
                let line = self.first_echo(*resend, answer);
                self.delivery.answer(id, ticket, &line, None);
                self.go_on(id);
            }
            Some(Ticket::Redact(redaction)) => self.redact_found(ticket, &redaction, answer),
            None => {}
        }
    }

    fn answer_page(&mut self, id: ConnectionId, ticket: u64, answer: Answer) {
        let take = |page: &mut Page| match page {
            Page::History(replay) => replay.take(ticket, answer),
            _ => false,
        };
        if self.delivery.answer_page(id, take) {
            self.go_on(id);
        }
    }
}
