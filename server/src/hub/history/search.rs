//! SEARCH (soju's vendor extension `soju.im/search`): talk of the rooms that the reader is in,
//! newest first.

use std::sync::Arc;

use crate::hub::history::record::Remembered;
use crate::hub::history::replay::{Replay, Why};
use crate::hub::history::{Edge, Matcher, Range, Request};
use crate::hub::{ConnectionId, Hub};
use crate::protocol::message::Tags;
use crate::protocol::time::UnixMillis;
use crate::protocol::{Capability, Folded, MsgId};

/// Lines that one search may find.
const MAX_FOUND: usize = 100;
/// Pieces of the history that one search may go through; each is as long as the store likes.
const MAX_PIECES: usize = 256;

/// A search that goes on.
#[derive(Debug, Clone)]
pub(crate) struct Looking {
    rooms: Vec<Arc<str>>,
    range: Range,
    text: Vec<Folded>,
    from: Option<Folded>,
    /// Lines that may still be found.
    pub(crate) left: usize,
    pieces: usize,
}

impl Looking {
    fn request(&self) -> Request {
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

impl Hub {
    pub(crate) fn search(&mut self, id: ConnectionId, attributes: &str) {
        if self.lacks(id, Capability::Search, "SEARCH") {
            return;
        }
        match self.looking(id, Tags(attributes)) {
            Ok(looking) => {
                let request = looking.request();
                self.replay(id, Replay::new(Why::Search(looking), request));
            }
            Err(attribute) => {
                let sentence = "This attribute cannot be read, or names a room that you are not in";
                self.fail(id, "SEARCH", &format!("INVALID_PARAMS {attribute}"), sentence);
            }
        }
    }

    /// The search, or the attribute that is wrong.
    fn looking(&self, id: ConnectionId, attributes: Tags<'_>) -> Result<Looking, &'static str> {
        let time = |name| match attributes.get(name) {
            Some(time) => UnixMillis::parse(&time).map(Some).ok_or(name),
            None => Ok(None),
        };
        // Both are inclusive here (soju.im/search), exclusive in a query.
        let after = time("after")?.and_then(|time| time.0.checked_sub(1));
        let before = time("before")?.map(|time| time.0.saturating_add(1));
        let edge = |millis: Option<u64>| millis.map_or(Edge::Open, |millis| Edge::Time(UnixMillis(millis)));
        let left = match attributes.get("limit") {
            Some(limit) => limit.parse().ok().filter(|limit| *limit > 0).ok_or("limit")?,
            None => MAX_FOUND,
        };
        let member = self.member(id).ok_or("in")?;
        let mine = || member.rooms.iter().filter_map(|place| self.rooms.get(place.room));
        let rooms = match attributes.get("in").map(|room| Folded::new(&room)) {
            Some(wanted) => {
                let room = mine().find(|room| *room.folded == *wanted.as_str()).ok_or("in")?;
                vec![room.folded.clone()]
            }
            None => mine().map(|room| room.folded.clone()).collect(),
        };
        let text = attributes.get("text").unwrap_or_default();
        Ok(Looking {
            rooms,
            range: Range { after: edge(after), before: edge(before), upto: self.stamps.last() },
            text: text.split_whitespace().map(Folded::new).collect(),
            from: attributes.get("from").map(|nick| Folded::new(&nick)),
            left: left.min(MAX_FOUND),
            pieces: 0,
        })
    }
}
