//! Own lines that wait, or that nobody has confirmed yet.

use std::collections::VecDeque;
use std::time::Duration;

use parlor_server::protocol::{LineName, MsgId};

use super::stamp::Stamp;
use super::{Delivery, Key, Line, LineId, LineKind, Sentence};

/// Lines that may be under way without a receipt.
const MAX_IN_FLIGHT: usize = 16;
/// Failed lines that can be tried again.
const MAX_FAILED: usize = 256;
/// Lines that were given up under way and are remembered.
const MAX_GIVEN_UP: usize = 256;

/// An own line without its receipt.
#[derive(Debug, Clone)]
pub(super) struct Waiting {
    pub(super) to: Key,
    /// What it is called, the same however often it is sent, until it is refused.
    pub(super) name: LineName,
    /// What `+parlor/id` says of it when it is heard.
    pub(super) token: Box<str>,
    /// What is sent; the line's own text may lack what cannot be shown.
    pub(super) text: Box<str>,
    pub(super) line: Line,
    /// It is under way, or was until it was refused.
    pub(super) sent: Option<Sent>,
    /// On a sorted server that was sent it under this name: if it has it, then behind this place.
    pub(super) behind: Option<MsgId>,
    /// It was heard while it was under way, which may be its receipt.
    pub(super) heard: Option<Box<Stamp<'static>>>,
}

/// That a line is under way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sent {
    pub(super) at: Duration,
    /// A PONG of a PING with this number or a higher one comes after the line's receipt.
    pub(super) ping: u64,
}

/// A line that was given up under way, with its conversation: the server still says what became
/// of it, and that must not be taken for the fate of another one.
#[derive(Debug)]
struct GivenUp {
    to: Key,
    token: Box<str>,
    ping: u64,
}

impl Waiting {
    pub(super) fn new(to: Key, name: LineName, text: Box<str>, line: Line) -> Waiting {
        let token = name.public().to_string().into();
        Waiting { to, name, token, text, line, sent: None, behind: None, heard: None }
    }

    /// It goes under another name now.
    pub(super) fn rename(&mut self, name: LineName) {
        (self.name, self.token) = (name, name.public().to_string().into());
        self.behind = None;
    }

    /// It is a message of several lines.
    pub(super) fn is_long(&self) -> bool {
        self.text.contains('\n')
    }

    pub(super) fn is_action(&self) -> bool {
        self.line.kind() == LineKind::Action
    }

    /// The line in another state.
    pub(super) fn set_state(&mut self, state: Delivery, why: Option<&Sentence>) {
        self.line = self.line.in_state(state, why);
    }
}

/// All of them, in the order in which they were typed.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    /// Lines came or went since somebody asked.
    changed: bool,
    waiting: VecDeque<Waiting>,
    in_flight: usize,
    failed: VecDeque<Waiting>,
    given_up: VecDeque<GivenUp>,
}

impl Outgoing {
    pub(super) fn push(&mut self, waiting: Waiting) {
        self.changed = true;
        self.waiting.push_back(waiting);
    }

    /// Takes out one that waits, and says where it was.
    pub(super) fn take_at(&mut self, id: LineId) -> Option<(usize, Waiting)> {
        let at = self.waiting.iter().position(|waiting| waiting.line.id() == id)?;
        Some((at, self.remove(at)?))
    }

    /// Puts lines in at that place.
    pub(super) fn put_in(&mut self, at: usize, lines: Vec<Waiting>) {
        self.changed = true;
        lines.into_iter().rev().for_each(|line| self.waiting.insert(at.min(self.waiting.len()), line));
    }

    /// Whether lines came or went since the last call.
    pub(super) fn has_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Waiting> {
        self.waiting.iter()
    }

    /// Those that can be tried again.
    pub(super) fn failures(&self) -> impl Iterator<Item = &Waiting> {
        self.failed.iter()
    }

    /// The next line that may be sent, if fewer than [`MAX_IN_FLIGHT`] are under way.
    pub(super) fn next(&mut self, ready: impl Fn(&Key) -> bool) -> Option<&mut Waiting> {
        if self.in_flight >= MAX_IN_FLIGHT {
            return None;
        }
        self.waiting.iter_mut().find(|waiting| waiting.sent.is_none() && ready(&waiting.to))
    }

    /// Notes that a line of [`next`](Self::next) was sent, when its room was known up to this place.
    pub(super) fn sent(&mut self, id: LineId, sent: Sent, behind: Option<MsgId>) {
        if let Some(waiting) = self.waiting.iter_mut().find(|w| w.line.id() == id && w.sent.is_none()) {
            waiting.sent = Some(sent);
            waiting.behind = waiting.behind.or(behind);
            self.in_flight += 1;
        }
    }

    /// Takes out the first line that fits.
    pub(super) fn take(&mut self, fits: impl FnMut(&Waiting) -> bool) -> Option<Waiting> {
        let at = self.waiting.iter().position(fits)?;
        self.remove(at)
    }

    /// Whether this text waits for a receipt, or was taken for refused, under this token.
    pub(super) fn waits(&self, to: &Key, token: &str, text: &str) -> bool {
        let fits = |w: &Waiting| *w.token == *token && w.to == *to && w.line.text() == text;
        self.waiting.iter().chain(&self.failed).any(fits)
    }

    /// The line with this token.
    pub(super) fn with_token(&mut self, to: &Key, token: &str) -> Option<&mut Waiting> {
        self.waiting.iter_mut().find(|w| *w.token == *token && w.to == *to)
    }

    /// Takes out a line that was taken for refused.
    pub(super) fn take_failed_token(&mut self, token: &str) -> Option<Waiting> {
        let at = self.failed.iter().position(|waiting| *waiting.token == *token)?;
        self.changed = true;
        self.failed.remove(at)
    }

    /// Takes out the last line that fits.
    pub(super) fn take_last(&mut self, fits: impl FnMut(&Waiting) -> bool) -> Option<Waiting> {
        let at = self.waiting.iter().rposition(fits)?;
        self.remove(at)
    }

    fn remove(&mut self, at: usize) -> Option<Waiting> {
        let waiting = self.waiting.remove(at)?;
        self.changed = true;
        self.in_flight -= usize::from(waiting.sent.is_some());
        Some(waiting)
    }

    /// The connection is gone: what was under way has to go again.
    pub(super) fn lost(&mut self) {
        self.in_flight = 0;
        self.given_up.clear();
        self.waiting.iter_mut().for_each(|waiting| (waiting.sent, waiting.heard) = (None, None));
    }

    /// The line that is under way for the longest time.
    pub(super) fn oldest_in_flight(&self) -> Option<Sent> {
        self.waiting.iter().filter_map(|waiting| waiting.sent).min_by_key(|sent| sent.at)
    }

    /// Keeps a failed line, so that it can be tried again.
    pub(super) fn failed(&mut self, waiting: Waiting) {
        self.changed = true;
        self.failed.push_back(waiting);
        if self.failed.len() > MAX_FAILED {
            self.failed.pop_front();
        }
    }

    /// The conversation of a line is gone; the server may have the line all the same.
    pub(super) fn give_up(&mut self, waiting: &Waiting) {
        let Waiting { to, token, sent: Some(Sent { ping, .. }), .. } = waiting else { return };
        self.given_up.push_back(GivenUp { to: to.clone(), token: token.clone(), ping: *ping });
        if self.given_up.len() > MAX_GIVEN_UP {
            self.given_up.pop_front();
        }
    }

    /// Whether it is not known of a line that was given up whether the server has it.
    pub(super) fn has_given_up(&self, to: &Key) -> bool {
        self.given_up.iter().any(|line| line.to == *to)
    }

    /// The server has a line that was given up.
    pub(super) fn given_up_came(&mut self, token: &str) {
        self.given_up.retain(|line| *line.token != *token);
    }

    /// The server refused a line to this conversation: says whether it was one that was given up.
    /// All of those went before what waits for the same conversation now.
    pub(super) fn given_up_refused(&mut self, to: &Key) -> bool {
        let at = self.given_up.iter().position(|line| line.to == *to);
        at.and_then(|at| self.given_up.remove(at)).is_some()
    }

    /// All that was sent before the PING with this number is decided.
    pub(super) fn given_up_before(&mut self, ping: u64) {
        self.given_up.retain(|line| line.ping > ping);
    }

    pub(super) fn take_failed(&mut self, id: LineId) -> Option<Waiting> {
        let at = self.failed.iter().position(|waiting| waiting.line.id() == id)?;
        self.changed = true;
        self.failed.remove(at)
    }

    pub(super) fn forget_failed(&mut self, key: &Key) {
        self.changed |= self.failed.iter().any(|waiting| waiting.to == *key);
        self.failed.retain(|waiting| waiting.to != *key);
    }

    /// A conversation has another key.
    pub(super) fn moved(&mut self, from: &Key, to: &Key) {
        for waiting in self.waiting.iter_mut().chain(&mut self.failed).filter(|w| w.to == *from) {
            waiting.to = to.clone();
        }
        self.given_up.iter_mut().filter(|line| line.to == *from).for_each(|line| line.to = to.clone());
    }
}
