//! SEARCH (soju's vendor extension `soju.im/search`): talk of the rooms that the reader is in,
//! and its private lines where they are kept, newest first.

use crate::hub::Hub;
use crate::hub::command::{Done, need};
use crate::hub::history::replay::{Replay, Why};
use crate::hub::history::search::Search;
use crate::hub::history::{Edge, Range};
use crate::hub::state::ConnectionId;
use crate::protocol::message::Tags;
use crate::protocol::time::UnixMillis;
use crate::protocol::{Capability, Folded, Message};

/// Lines that one search may find.
const MAX_FOUND: usize = 100;
/// Words that one search may look for: each is looked for in every line.
const MAX_WORDS: usize = 16;

pub(super) fn search(hub: &mut Hub, id: ConnectionId, message: &Message<'_>) -> Done {
    let attributes = need(message, 0)?;
    if hub.lacks(id, Capability::Search, "SEARCH") {
        return Ok(());
    }
    match parse(hub, id, Tags(attributes)) {
        Ok(search) if search.text.len() > MAX_WORDS => {
            let sentence = format!("A search has at most {MAX_WORDS} words; search for fewer");
            hub.fail(id, "SEARCH", "INVALID_PARAMS text", &sentence);
        }
        Ok(search) => hub.replay(id, Replay::new(Why::Search(search), [])),
        Err(attribute) => {
            let sentence = "This attribute cannot be read, or names a room that you are not in";
            hub.fail(id, "SEARCH", &format!("INVALID_PARAMS {attribute}"), sentence);
        }
    }
    Ok(())
}

/// The search, or the attribute that is wrong.
fn parse(hub: &Hub, id: ConnectionId, attributes: Tags<'_>) -> Result<Search, &'static str> {
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
    let member = hub.state.member(id).ok_or("in")?;
    let mine = || member.rooms.iter().filter_map(|place| hub.state.rooms.get(place.room));
    let rooms = match attributes.get("in").map(|room| Folded::new(&room)) {
        Some(wanted) if !wanted.as_str().starts_with('#') => {
            vec![hub.kept_at(id, wanted.as_str()).ok_or("in")?]
        }
        Some(wanted) => {
            let room = mine().find(|room| *room.folded == *wanted.as_str()).ok_or("in")?;
            vec![room.folded.clone()]
        }
        None => {
            let private = hub.state.pairs(id).into_iter().map(|pair| pair.key);
            mine().map(|room| room.folded.clone()).chain(private).collect()
        }
    };
    let text = attributes.get("text").unwrap_or_default();
    Ok(Search {
        rooms,
        range: Range { after: edge(after), before: edge(before), upto: hub.state.stamps.last() },
        text: text.split_whitespace().map(Folded::new).collect(),
        from: attributes.get("from").map(|nick| Folded::new(&nick)),
        left: left.min(MAX_FOUND),
        pieces: 0,
        stopped: None,
        done: false,
    })
}
