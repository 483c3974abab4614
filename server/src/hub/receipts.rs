//! An echo is a receipt: it comes when the line is on disk, and what is later for the same
//! connection comes after it. Other people's lines never wait, nor does what changes a room or
//! says who is in it: behind a later change by somebody else it would be wrong.

use std::collections::VecDeque;

use super::event::Event;
use super::reply::tagged;
use super::{ConnectionId, Hub, Line, Output};
use crate::protocol::{Capability, MsgId};

/// Tag of an echo that is no receipt: nothing is kept on disk now.
const VOLATILE: &str = "parlor/volatile";
/// Lines that wait for one connection's receipts; then it is not read until they have come.
const MOST_HELD: usize = 256;

/// What becomes of lines that are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Storage {
    /// They go to disk.
    Disk,
    /// They should, but the disk does not take them.
    Paused,
    /// Only the latest are remembered, in memory.
    Memory,
}

/// What a line for its own sender waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// This id is on disk.
    Kept(MsgId),
    /// The question with this number is answered; the answer brings the line.
    Answered(u64),
}

#[derive(Debug)]
struct Held {
    until: Option<Until>,
    line: Line,
}

/// The lines of one connection behind its first missing receipt.
#[derive(Debug, Default)]
pub(super) struct Queue {
    lines: VecDeque<Held>,
    /// The connection is not read.
    full: bool,
}

impl Hub {
    /// The sender's own copy (IRCv3 echo-message). `kept`: the event goes to disk if anything
    /// does.
    pub(super) fn echo(&mut self, id: ConnectionId, event: &Event<'_>, kept: bool) {
        if !self.member(id).is_some_and(|member| member.has(Capability::EchoMessage)) {
            return;
        }
        let Some(line) = self.encode(id, event) else { return };
        if !kept {
            return self.emit(id, line);
        }
        if self.storage != Storage::Disk {
            let line = self.volatile(id, line);
            return self.emit(id, line);
        }
        self.awaiting.push_back((event.id, id));
        self.emit_when(id, line, Until::Kept(event.id));
    }

    /// Marks an echo that is no receipt, for those who see tags.
    pub(super) fn volatile(&self, id: ConnectionId, line: Line) -> Line {
        let tags = self.slots.get(id.slot as usize).is_some_and(|slot| slot.form.tags());
        if tags { tagged(VOLATILE, &line) } else { line }
    }

    /// Sends a line to its own sender, behind what waits already; with `until`, when that has
    /// happened.
    pub(super) fn deliver(&mut self, id: ConnectionId, line: Line, until: Option<Until>) {
        let Some(member) = self.member_mut(id) else { return };
        if until.is_none() && member.held.is_none() {
            return self.out.push(Output::Line { to: id, line });
        }
        let queue = member.held.get_or_insert_default();
        queue.lines.push_back(Held { until, line });
        if queue.lines.len() >= MOST_HELD && !std::mem::replace(&mut queue.full, true) {
            self.out.push(Output::Hold { id });
        }
    }

    /// Everything up to this id is on disk.
    pub(super) fn stored(&mut self, upto: MsgId) {
        self.on_disk = self.on_disk.max(upto);
        while let Some((_, id)) = self.awaiting.pop_front_if(|(event, _)| *event <= upto) {
            self.release(id);
        }
    }

    /// The line that a question was asked for.
    pub(super) fn answered(&mut self, id: ConnectionId, ticket: u64, line: Line) {
        let queue = self.member_mut(id).and_then(|member| member.held.as_mut());
        let held = queue.and_then(|queue| {
            queue.lines.iter_mut().find(|held| held.until == Some(Until::Answered(ticket)))
        });
        if let Some(held) = held {
            (held.line, held.until) = (line, None);
        }
        self.release(id);
    }

    /// Sends what waits for nothing any more.
    fn release(&mut self, id: ConnectionId) {
        let on_disk = self.on_disk;
        loop {
            let Some(member) = self.member_mut(id) else { return };
            let Some(queue) = &mut member.held else { return };
            let free = |held: &mut Held| match held.until {
                None => true,
                Some(Until::Kept(event)) => event <= on_disk,
                Some(Until::Answered(_)) => false,
            };
            let Some(Held { line, .. }) = queue.lines.pop_front_if(free) else {
                if queue.lines.is_empty() {
                    let full = queue.full;
                    member.held = None;
                    if full {
                        self.out.push(Output::Release { id });
                    }
                }
                return;
            };
            self.out.push(Output::Line { to: id, line });
        }
    }

    /// The disk takes nothing: what waited for it comes now, marked. People are told.
    pub(super) fn pause(&mut self, why: &str) {
        if self.storage != Storage::Disk {
            return;
        }
        self.storage = Storage::Paused;
        self.log(format!("history is paused: {why}"));
        let waiting: Vec<ConnectionId> = self.awaiting.drain(..).map(|(_, id)| id).collect();
        for id in waiting {
            let tags = self.slots.get(id.slot as usize).is_some_and(|slot| slot.form.tags());
            let queue = self.member_mut(id).and_then(|member| member.held.as_mut());
            for held in queue.into_iter().flat_map(|queue| &mut queue.lines) {
                if matches!(held.until, Some(Until::Kept(_))) {
                    held.until = None;
                    if tags {
                        held.line = tagged(VOLATILE, &held.line);
                    }
                }
            }
            self.release(id);
        }
        self.announce(&format!("History is paused: {why}. The room goes on; what is said now is not kept."));
    }

    /// The disk takes lines again; `lost` of those said meanwhile are not kept.
    pub(super) fn resume_storage(&mut self, lost: u64) {
        if self.storage != Storage::Paused {
            return;
        }
        self.storage = Storage::Disk;
        self.log(format!("history goes on; {lost} lines of the pause are not kept"));
        self.announce("History goes on: what is said from now on is kept.");
    }
}
