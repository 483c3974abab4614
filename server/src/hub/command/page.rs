//! Long replies, a page at a time: the next one is made when the peer has read the last, so that
//! nothing the server says of itself fills an outbox.

use crate::hub::Hub;
use crate::hub::command::filter::{Filter, Query as WhoQuery};
use crate::hub::command::liveness::PATIENCE;
use crate::hub::delivery::lines::Line;
use crate::hub::delivery::{Rest, Sheet};
use crate::hub::history::replay::{Replay, Why};
use crate::hub::history::{Edge, Query, Range};
use crate::hub::state::ConnectionId;
use crate::hub::state::limits::MAX_LINES;
use crate::hub::state::member::Speaker;
use crate::hub::state::room::RoomId;
use crate::protocol::Numeric::*;
use crate::protocol::{Capability, MsgId};

/// What a long reply lists, and from where on.
#[derive(Debug)]
pub(crate) enum Page {
    // The topic that a room has when its turn comes.
    Topic { room: RoomId },
    Names { room: RoomId, name: Box<str>, from: u32 },
    WhoRoom { room: RoomId, from: u32, query: WhoQuery },
    WhoAll { from: u32, query: WhoQuery },
    List { from: u32, filter: Filter },
    Entries { room: RoomId, name: Box<str>, letter: char, from: usize },
    // Lines of the past; the store has to be asked.
    History(Box<Replay>),
}

impl Page {
    /// Whether it tells somebody who is in this room what they find there.
    pub(crate) fn shows(&self, wanted: RoomId) -> bool {
        matches!(self, Page::Topic { room } | Page::Names { room, .. } if *room == wanted)
    }
}

impl Hub {
    /// Begins a long reply: at once, unless something waits or much is not read yet.
    pub(crate) fn page(&mut self, id: ConnectionId, mut page: Page) {
        if self.delivery.is_crowded(id) {
            return self.reply(id, RPL_TRYAGAIN, "* :Too many long replies at once; try again");
        }
        if self.delivery.may_begin(id) {
            let (sheet, rest) = self.make(id, &mut page);
            self.delivery.begun(page, sheet, rest);
        } else {
            self.delivery.push_page(id, page);
        }
    }

    /// RPL_TOPIC and RPL_TOPICWHOTIME; nothing without a topic.
    pub(crate) fn topic_lines(&self, id: ConnectionId, room: RoomId) -> Vec<Line> {
        let Some(room) = self.state.rooms.get(room) else { return Vec::new() };
        let (Some(topic), name) = (&room.topic, &room.name) else { return Vec::new() };
        let (text, setter, at) = (&topic.text, &topic.setter, topic.at.seconds());
        vec![
            self.numeric_line(id, RPL_TOPIC, format_args!("{name} :{text}")),
            self.numeric_line(id, RPL_TOPICWHOTIME, format_args!("{name} {setter} {at}")),
        ]
    }

    /// Topic and names for somebody who came into a room.
    pub(crate) fn show_room(&mut self, id: ConnectionId, room: RoomId) {
        let (Some(member), Some(state)) = (self.state.member(id), self.state.rooms.get(room)) else { return };
        if id.is_remote() {
            return;
        }
        let name = state.name.as_str().into();
        let topic = state.topic.is_some();
        let names = !member.has(Capability::NoImplicitNames) && !member.has(Capability::DraftNoImplicitNames);
        self.show_room_mark(id, room);
        if topic {
            self.page(id, Page::Topic { room });
        }
        if names {
            self.page(id, Page::Names { room, name, from: 0 });
        }
        self.show_hands(id, room);
    }

    /// Begins a reply of past lines; the label of the command in hand goes to its batch.
    pub(crate) fn replay(&mut self, id: ConnectionId, mut replay: Box<Replay>) {
        // A refusal carries the label as any other reply does.
        let batch = self.state.member(id).is_some_and(|member| member.has(Capability::Batch));
        if batch && !self.delivery.is_crowded(id) {
            replay.label = self.delivery.take_label(id);
        }
        self.page(id, Page::History(replay));
    }

    /// Sends the latest lines to somebody who came in at `joined` and cannot ask for them. A terminal
    /// starts empty; an IRC program shows still what it was sent before.
    pub(crate) fn replay_on_join(&mut self, id: ConnectionId, room: RoomId, joined: MsgId) {
        let (Some(member), Some(state)) = (self.state.member(id), self.state.rooms.get(room)) else { return };
        if id.is_remote() {
            return;
        }
        let read = match member.speaker {
            Speaker::Irc if member.has(Capability::Chathistory) => return,
            Speaker::Irc => self.state.read_before(id, room),
            Speaker::Plain => None,
            // Their programs show one line as often as it comes, and know no time.
            Speaker::Raw(_) | Speaker::Unknown => return,
        };
        if self.state.settings.replay == 0 {
            return;
        }
        let name = state.name.as_str().into();
        let query = Query {
            room: state.folded.clone(),
            range: Range { after: read.map_or(Edge::Open, Edge::At), before: Edge::At(joined), ..Range::ALL },
            limit: self.state.settings.replay,
            newest: true,
            events: false,
        };
        self.replay(id, Replay::new(Why::Joined(name), [query]));
    }

    /// Tells somebody who came back with an account, and cannot ask, what others told it meanwhile.
    pub(crate) fn replay_private(&mut self, id: ConnectionId) {
        let Some(member) = self.state.member(id).filter(|_| !id.is_remote()) else { return };
        let asks = match member.speaker {
            Speaker::Irc => member.has(Capability::Chathistory),
            Speaker::Plain => false,
            Speaker::Raw(_) | Speaker::Unknown => true,
        };
        let Some(account) = member.account.clone().filter(|_| !asks) else { return };
        let told = self.state.told_private(&account);
        let upto = self.state.stamps.last();
        let range = Range { after: told.map_or(Edge::Open, Edge::At), upto, ..Range::ALL };
        let limit = MAX_LINES;
        let pairs = self.state.pairs(id).into_iter();
        let queries = pairs.map(|pair| Query { room: pair.key, range, limit, newest: true, events: false });
        let queries: Vec<Query> = queries.collect();
        if !queries.is_empty() {
            self.replay(id, Replay::new(Why::Private, queries));
        }
    }

    /// The peer has read what it was sent.
    pub(crate) fn drained(&mut self, id: ConnectionId) {
        self.delivery.drained(id, self.state.now.elapsed + PATIENCE);
        self.go_on(id);
    }

    /// Sends what waits for nothing any more, and makes the pages that have their turn.
    pub(crate) fn go_on(&mut self, id: ConnectionId) {
        while let Some((mut page, batch)) = self.delivery.turn(id, self.state.now.elapsed) {
            let (sheet, rest) = self.make(id, &mut page);
            self.delivery.made(page, batch, sheet, rest);
        }
    }

    fn make(&mut self, id: ConnectionId, page: &mut Page) -> (Sheet, Rest) {
        let mut sheet = Sheet::new(id);
        let rest = match page {
            Page::Topic { room } => {
                self.topic_lines(id, *room).into_iter().for_each(|line| sheet.push(line));
                Rest::Done
            }
            Page::Names { room, name, from } => self.names_page(*room, name, from, &mut sheet),
            Page::WhoRoom { room, from, query } => self.who_room_page(*room, query, from, &mut sheet),
            Page::WhoAll { from, query } => self.who_all_page(query, from, &mut sheet),
            Page::List { from, filter } => self.list_page(filter, from, &mut sheet),
            Page::Entries { room, name, letter, from } => {
                self.entries_page((*room, name), *letter, from, &mut sheet)
            }
            Page::History(replay) => self.replay_page(replay, &mut sheet),
        };
        (sheet, rest)
    }
}
