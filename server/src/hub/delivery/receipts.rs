//! An echo is a receipt: it comes when the line is on disk, and what is later for the same
//! connection comes after it. Other people's lines never wait, nor does what changes a room or
//! says who is in it: behind a later change by somebody else it would be wrong.

use std::collections::VecDeque;

use crate::hub::delivery::event::Event;
use crate::hub::delivery::reply::tagged;
use crate::hub::{ConnectionId, Hub, Line, Output};
use crate::protocol::tag::VOLATILE;
use crate::protocol::{Capability, MsgId};

/// Lines that wait for one connection's receipts; then it is not read until they have come.
const MOST_HELD: usize = 256;

/// What becomes of lines that are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Storage {
    /// They go to disk.
    Disk,
    /// They should, but the disk does not take them.
    Paused,
    /// Only the latest are remembered, in memory.
    Memory,
}

/// What a line for its own sender waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Until {
    /// This id is on disk.
    Kept(MsgId),
    /// The question with this number is answered; the answer brings the line.
    Answered(u64),
}

#[derive(Debug)]
struct Held {
    until: Option<Until>,
    /// `None`: the next page of a long reply may follow when the peer has read what is before.
    line: Option<Line>,
}

/// The lines of one connection behind its first missing receipt.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    lines: VecDeque<Held>,
    /// The connection is not read.
    full: bool,
}

impl Queue {
    /// Whether so much waits that the connection is not read.
    pub(crate) fn is_full(&self) -> bool {
        self.full
    }
}

impl Hub {
    /// The sender's own copy (IRCv3 echo-message). `kept`: the event goes to disk if anything
    /// does.
    pub(crate) fn echo(&mut self, id: ConnectionId, event: &Event<'_>, kept: bool) {
        if !self.member(id).is_some_and(|member| member.has(Capability::EchoMessage)) {
            return;
        }
        let Some(line) = self.encode(id, event) else { return };
        if !kept || self.storage != Storage::Disk {
            return self.emit(id, line);
        }
        self.awaiting.push_back((event.id, id));
        self.emit_when(id, line, Until::Kept(event.id));
    }

    /// Marks an echo that is no receipt, for those who see tags.
    pub(crate) fn volatile(&self, id: ConnectionId, line: Line) -> Line {
        let tags = self.slots.get(id.slot as usize).is_some_and(|slot| slot.form.tags());
        if tags { tagged(VOLATILE, &line) } else { line }
    }

    /// Sends a line to its own sender, behind what waits already; with `until`, when that has
    /// happened.
    pub(crate) fn deliver(&mut self, id: ConnectionId, line: Line, until: Option<Until>) {
        let Some(member) = self.member_mut(id) else { return };
        if until.is_none() && member.held.is_none() {
            return self.out.push(Output::Line { to: id, line });
        }
        let queue = member.held.get_or_insert_default();
        queue.lines.push_back(Held { until, line: Some(line) });
        if queue.lines.len() >= MOST_HELD && !std::mem::replace(&mut queue.full, true) {
            self.out.push(Output::Hold { id });
        }
    }

    /// Everything up to this id is on disk.
    pub(crate) fn stored(&mut self, upto: MsgId) {
        self.on_disk = self.on_disk.max(upto);
        while let Some(&(event, id)) = self.awaiting.front()
            && event <= upto
        {
            self.awaiting.pop_front();
            self.release(id);
        }
    }

    /// The line that a question was asked for.
    pub(crate) fn answered(&mut self, id: ConnectionId, ticket: u64, line: Line) {
        let queue = self.member_mut(id).and_then(|member| member.held.as_mut());
        let held = queue.and_then(|queue| {
            queue.lines.iter_mut().find(|held| held.until == Some(Until::Answered(ticket)))
        });
        if let Some(held) = held {
            (held.line, held.until) = (Some(line), None);
        }
        self.release(id);
    }

    /// Sends what waits for nothing any more.
    fn release(&mut self, id: ConnectionId) {
        let on_disk = self.on_disk;
        loop {
            let Some(member) = self.member_mut(id) else { return };
            let Some(queue) = &mut member.held else { return };
            let free = |held: &Held| match held.until {
                None => true,
                Some(Until::Kept(event)) => event <= on_disk,
                Some(Until::Answered(_)) => false,
            };
            if queue.lines.front().is_some_and(free)
                && let Some(Held { line, .. }) = queue.lines.pop_front()
            {
                match line {
                    Some(line) if line.is_empty() => {}
                    Some(line) => self.out.push(Output::Line { to: id, line }),
                    None => self.out.push(Output::More { id }),
                }
                continue;
            }
            if queue.lines.is_empty() {
                let full = queue.full;
                member.held = None;
                if full {
                    self.out.push(Output::Release { id });
                }
            }
            return;
        }
    }

    /// Asks to hear when the peer has read all that it was sent, what waits for a receipt too:
    /// else one page after the other would pile up behind that.
    pub(crate) fn ask_for_more(&mut self, id: ConnectionId) {
        match self.member_mut(id).and_then(|member| member.held.as_mut()) {
            Some(queue) => queue.lines.push_back(Held { until: None, line: None }),
            None => self.out.push(Output::More { id }),
        }
    }

    /// The disk takes nothing: what waited for it comes now, marked. People are told.
    pub(crate) fn pause(&mut self, why: &str) {
        if self.storage != Storage::Disk {
            return;
        }
        self.storage = Storage::Paused;
        self.out.push(Output::Warn(format!("history is paused: {why}")));
        let waiting: Vec<ConnectionId> = self.awaiting.drain(..).map(|(_, id)| id).collect();
        for id in waiting {
            let tags = self.slots.get(id.slot as usize).is_some_and(|slot| slot.form.tags());
            let queue = self.member_mut(id).and_then(|member| member.held.as_mut());
            for held in queue.into_iter().flat_map(|queue| &mut queue.lines) {
                if matches!(held.until, Some(Until::Kept(_))) {
                    held.until = None;
                    if let (true, Some(line)) = (tags, &mut held.line) {
                        *line = tagged(VOLATILE, line);
                    }
                }
            }
            self.release(id);
        }
        // Not why: that names folders, and is for the log.
        self.announce("History is paused: the server's disk takes nothing now. The room goes on; what is said now may not be kept.");
    }

    /// The disk takes lines again; `lost` of those said meanwhile are not kept.
    pub(crate) fn resume_storage(&mut self, lost: u64) {
        if self.storage != Storage::Paused {
            return;
        }
        self.storage = Storage::Disk;
        self.out.push(Output::Warn(format!("history goes on; {lost} lines of the pause are not kept")));
        self.announce("History goes on: what is said from now on is kept.");
    }
}
