//! A search through the history, in pieces that each take the store a short time.

use std::sync::Arc;

use crate::hub::history::record::Remembered;
use crate::hub::history::{Edge, Matcher, Range, Request};
use crate::protocol::{Folded, MsgId};

/// Pieces of the history that one search may go through; each is as long as the store likes.
const MAX_PIECES: usize = 256;

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
}

impl Search {
    pub(crate) fn request(&self) -> Request {
        let (rooms, range, limit) = (self.rooms.clone(), self.range, self.left);
        Request::Search { rooms, range, limit, matcher: self.matcher() }
    }

    /// What is to be asked next, if anything is.
    pub(crate) fn go_on(&mut self, before: MsgId) -> Option<Request> {
        self.pieces += 1;
        self.range.before = Edge::At(before);
        (self.left > 0 && self.pieces < MAX_PIECES).then(|| self.request())
    }

    fn matcher(&self) -> Matcher {
        let (text, from) = (self.text.clone(), self.from.clone());
        Matcher(Box::new(move |payload| {
            let Some(past) = Remembered::parse(payload) else { return false };
            let Some(talk) = past.talk() else { return false };
            let said_by = from.as_ref().is_none_or(|from| *from == Folded::new(past.nick()));
            said_by
                && (text.is_empty() || {
                    let talk = Folded::new(talk);
                    text.iter().all(|word| talk.as_str().contains(word.as_str()))
                })
        }))
    }
}
