//! Long replies, a page at a time: the next one is made when the peer has read the last, so
//! that nothing the server says of itself fills an outbox.

use std::collections::VecDeque;

use crate::hub::command::queries::Filter;
use crate::hub::command::who::Query;
use crate::hub::delivery::reply::with_tag;
use crate::hub::history::replay::Replay;
use crate::hub::state::room::RoomId;
use crate::hub::{ConnectionId, Hub, Line};
use crate::protocol::Numeric::*;

/// Bytes after which a page ends.
const PAGE: usize = 8 * 1024;
/// Entries that a page looks at, whether it lists them or not: others have their turn.
const MAX_LOOKED_AT: usize = 500;
/// Long replies that one connection may have asked for at a time: names and latest lines of as
/// many rooms as it may join, and some more.
const MAX_WAITING: usize = 192;

/// What a long reply lists, and from where on.
#[derive(Debug)]
pub(crate) enum Page {
    // The topic that a room has when its turn comes.
    Topic { room: RoomId },
    Names { room: RoomId, name: Box<str>, from: u32 },
    WhoRoom { room: RoomId, from: u32, query: Query },
    WhoAll { from: u32, query: Query },
    List { from: u32, filter: Filter },
    Entries { room: RoomId, name: Box<str>, letter: char, from: usize },
    // Lines of the past; the store has to be asked.
    History(Box<Replay>),
    // A line that must not overtake the replies before it.
    Ready(Line),
    // Closes the batch of a labelled command.
    EndBatch,
}

/// A long reply that goes on.
#[derive(Debug)]
pub(crate) struct Waiting {
    page: Page,
    /// The batch of the labelled command that asked.
    batch: Option<Box<str>>,
}

/// The long replies of one connection.
#[derive(Debug, Default)]
pub(crate) struct Pages {
    waiting: VecDeque<Waiting>,
    /// Bytes of pages that the peer is not known to have read.
    unread: usize,
}

impl Pages {
    /// Leaves out what is still to be told of a room.
    pub(crate) fn forget_room(&mut self, left: RoomId) {
        self.waiting.retain(|waiting| {
            !matches!(waiting.page, Page::Topic { room } | Page::Names { room, .. } if room == left)
        });
    }

    /// The reply of past lines that the store was asked for, if that is the first.
    pub(crate) fn replay_asked(&mut self) -> Option<&mut Replay> {
        match self.waiting.front_mut().map(|waiting| &mut waiting.page) {
            Some(Page::History(replay)) if replay.is_asked() => Some(replay),
            _ => None,
        }
    }
}

/// The lines of one page.
#[derive(Default)]
pub(crate) struct Sheet {
    lines: Vec<Line>,
    bytes: usize,
    looked_at: usize,
}

impl Sheet {
    pub(crate) fn push(&mut self, line: Line) {
        self.bytes += line.len();
        self.lines.push(line);
    }

    /// Whether to stop here; to be asked once for each entry that is looked at.
    pub(crate) fn full(&mut self) -> bool {
        self.looked_at += 1;
        self.bytes >= PAGE || self.looked_at > MAX_LOOKED_AT
    }
}

impl Hub {
    /// Begins a long reply: at once, unless others wait or much is not read yet.
    pub(crate) fn page(&mut self, id: ConnectionId, page: Page) {
        if self.is_crowded(id) {
            return self.reply(id, RPL_TRYAGAIN, "* :Too many long replies at once; try again");
        }
        let Some(member) = self.member_mut(id) else { return };
        let pages = member.pages.get_or_insert_default();
        pages.waiting.push_back(Waiting { page, batch: None });
        if pages.waiting.len() == 1 && pages.unread < PAGE {
            self.make_pages(id);
        }
        // What did not come at once comes after its command: a label needs a batch then.
        if self.waiting_pages(id) > 0 {
            let batch = self.batch_for_pages(id);
            let pages = self.member_mut(id).and_then(|member| member.pages.as_mut());
            if let Some(last) = pages.and_then(|pages| pages.waiting.back_mut()) {
                last.batch = batch;
            }
        }
    }

    /// Whether so many long replies wait that one more is refused.
    pub(crate) fn is_crowded(&self, id: ConnectionId) -> bool {
        self.waiting_pages(id) >= MAX_WAITING
    }

    fn waiting_pages(&self, id: ConnectionId) -> usize {
        self.member(id).and_then(|member| member.pages.as_ref()).map_or(0, |pages| pages.waiting.len())
    }

    /// Sends a line when the long replies under way are done, at once if there are none.
    pub(crate) fn emit_behind_pages(&mut self, id: ConnectionId, line: Line) {
        match self.waiting_pages(id) {
            1..MAX_WAITING => self.page(id, Page::Ready(line)),
            _ => self.emit(id, line),
        }
    }

    /// Closes a batch behind the long replies that belong to it.
    pub(crate) fn end_batch_behind_pages(&mut self, id: ConnectionId, batch: Box<str>) {
        match self.member_mut(id).and_then(|member| member.pages.as_mut()) {
            Some(pages) if !pages.waiting.is_empty() => {
                pages.waiting.push_back(Waiting { page: Page::EndBatch, batch: Some(batch) });
            }
            _ => self.end_batch(id, &batch),
        }
    }

    /// The peer has read what it was sent: the next page.
    pub(crate) fn drained(&mut self, id: ConnectionId) {
        self.speaking = Some(id);
        if let Some(pages) = self.member_mut(id).and_then(|member| member.pages.as_mut()) {
            pages.unread = 0;
            self.make_pages(id);
        }
    }

    pub(crate) fn make_pages(&mut self, id: ConnectionId) {
        // A page is made when its turn comes, not before: what it says must not be older than what
        // others, who do not wait for receipts, change meanwhile.
        if self.member(id).is_some_and(|member| member.held.is_some()) {
            return self.ask_for_more(id);
        }
        while let Some(pages) = self.member_mut(id).and_then(|member| member.pages.as_mut())
            && pages.unread < PAGE
            && pages.replay_asked().is_none()
            && let Some(Waiting { page, batch }) = pages.waiting.pop_front()
        {
            let mut sheet = Sheet::default();
            let rest = match page {
                Page::Topic { room } => {
                    self.topic_lines(id, room).into_iter().for_each(|line| sheet.push(line));
                    None
                }
                Page::Names { room, name, from } => self.names_page(id, room, name, from, &mut sheet),
                Page::WhoRoom { room, from, query } => self.who_room_page(id, room, from, query, &mut sheet),
                Page::WhoAll { from, query } => self.who_all_page(id, from, query, &mut sheet),
                Page::List { from, filter } => self.list_page(id, from, filter, &mut sheet),
                Page::Entries { room, name, letter, from } => {
                    self.entries_page(id, room, name, letter, from, &mut sheet)
                }
                Page::History(replay) => self.replay_page(id, replay, &mut sheet),
                Page::Ready(line) => {
                    sheet.push(line);
                    None
                }
                Page::EndBatch => {
                    self.end_batch(id, batch.as_deref().unwrap_or_default());
                    None
                }
            };
            let bytes = sheet.bytes;
            for line in sheet.lines {
                self.emit(id, with_tag("batch", batch.as_deref(), line));
            }
            let Some(pages) = self.member_mut(id).and_then(|member| member.pages.as_mut()) else { return };
            // One page a turn of a reply that goes on, even one that found nothing to list.
            pages.unread += match &rest {
                Some(Page::History(replay)) if replay.is_asked() => bytes,
                Some(_) => bytes.max(PAGE),
                None => bytes,
            };
            if let Some(page) = rest {
                pages.waiting.push_front(Waiting { page, batch });
            }
        }
        let Some(member) = self.member_mut(id) else { return };
        match &mut member.pages {
            Some(pages) if pages.unread >= PAGE => self.ask_for_more(id),
            // Nearly everybody has asked for something long once: that must not stay in memory.
            Some(pages) if pages.waiting.is_empty() && pages.unread > 0 => pages.waiting.shrink_to_fit(),
            Some(pages) if pages.unread == 0 && pages.waiting.is_empty() => member.pages = None,
            _ => {}
        }
    }
}
