//! A search through the history, in pieces that each take the store a short time.

use std::sync::Arc;

use crate::hub::history::{Edge, Matcher, Range, Request, Told};
use crate::protocol::{Folded, MsgId};

/// Pieces of the history that one search may go through; each is as long as the store likes, which reads
/// a MiB for one: together 1 GiB.
const MAX_PIECES: usize = 1024;

/// A search under way.
#[derive(Debug, Clone)]
pub(crate) struct Search {
    pub(crate) rooms: Vec<Arc<str>>,
    pub(crate) range: Range,
    pub(crate) text: Vec<Folded>,
    pub(crate) from: Option<Folded>,
    /// Lines that may still be found.
    pub(crate) left: usize,
    pub(crate) pieces: usize,
    /// It went through so many pieces that it ended here.
    pub(crate) stopped: Option<MsgId>,
    /// Nothing is to be asked any more.
    pub(crate) done: bool,
}

impl Search {
    /// What is to be asked next, if anything is.
    pub(crate) fn request(&self) -> Option<Request> {
        let (rooms, range, limit) = (self.rooms.clone(), self.range, self.left);
        (!self.done).then(|| Request::Search { rooms, range, limit, matcher: self.matcher() })
    }

    /// So many lines were found; `more`: the store goes on before this id.
    pub(crate) fn answered(&mut self, found: usize, more: Option<MsgId>) {
        self.left = self.left.saturating_sub(found);
        self.pieces += 1;
        let more = more.filter(|_| self.left > 0);
        self.done = more.is_none() || self.pieces >= MAX_PIECES;
        self.stopped = more.filter(|_| self.done);
        self.range.before = more.map_or(self.range.before, Edge::At);
    }

    fn matcher(&self) -> Matcher {
        let (text, from) = (self.text.clone(), self.from.clone());
        Matcher(Box::new(move |payload| {
            let Some(past) = Told::parse(payload) else { return false };
            let Some(talk) = past.talk() else { return false };
            let said_by = from.as_ref().is_none_or(|from| *from == Folded::new(past.sender()));
            said_by
                && (text.is_empty() || {
                    let talk = Folded::new(talk);
                    text.iter().all(|word| talk.as_str().contains(word.as_str()))
                })
        }))
    }
}
