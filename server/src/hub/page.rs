//! Long replies, a page at a time: the next one is made when the peer has read the last, so
//! that nothing the server says of itself fills an outbox.

use super::queries::Filter;
use super::reply::tagged;
use super::room::RoomId;
use super::who::Query;
use super::{ConnectionId, Hub, Line, Output};
use crate::protocol::Numeric::*;

/// Bytes after which a page ends.
const PAGE: usize = 8 * 1024;
/// Long replies that one connection may have asked for at a time.
const MAX_WAITING: usize = 64;

/// What a long reply lists, and from where on.
#[derive(Debug)]
pub(super) enum Page {
    Names {
        room: RoomId,
        name: Box<str>,
        from: u32,
    },
    WhoRoom {
        room: RoomId,
        from: u32,
        query: Query,
    },
    WhoAll {
        from: u32,
        query: Query,
    },
    List {
        from: u32,
        filter: Filter,
    },
    Entries {
        room: RoomId,
        name: Box<str>,
        letter: char,
        from: usize,
    },
    /// A line that must not overtake the replies before it.
    Ready(Line),
    /// Closes the batch of a labelled command.
    EndBatch,
}

/// A long reply that goes on.
#[derive(Debug)]
pub(super) struct Waiting {
    page: Page,
    /// The batch of the labelled command that asked.
    batch: Option<Box<str>>,
}

/// The lines of one page.
#[derive(Default)]
pub(super) struct Sheet {
    lines: Vec<Line>,
    bytes: usize,
}

impl Sheet {
    pub(super) fn push(&mut self, line: Line) {
        self.bytes += line.len();
        self.lines.push(line);
    }

    pub(super) fn full(&self) -> bool {
        self.bytes >= PAGE
    }
}

impl Hub {
    /// Begins a long reply: its first page at once unless another reply is under way.
    pub(super) fn page(&mut self, id: ConnectionId, page: Page) {
        let Some(member) = self.member_mut(id) else { return };
        let pages = member.pages.get_or_insert_default();
        if pages.len() >= MAX_WAITING {
            return self.reply(id, RPL_TRYAGAIN, format_args!("* :Too many long replies at once; try again"));
        }
        pages.push_back(Waiting { page, batch: None });
        if pages.len() == 1 {
            self.next_page(id);
        }
        if self.member(id).is_some_and(|member| member.pages.is_some()) {
            let batch = self.batch_for_pages(id);
            if let Some(last) = self.member_mut(id).and_then(|m| m.pages.as_mut()?.back_mut()) {
                last.batch = batch;
            }
        }
    }

    /// Sends a line when the long replies under way are done, at once if there are none.
    pub(super) fn emit_behind_pages(&mut self, id: ConnectionId, line: Line) {
        match self.member(id).and_then(|member| member.pages.as_ref()).map(|pages| pages.len()) {
            Some(waiting) if waiting < MAX_WAITING => self.page(id, Page::Ready(line)),
            _ => self.emit(id, line),
        }
    }

    /// Closes a batch behind the long replies that belong to it.
    pub(super) fn end_batch_behind_pages(&mut self, id: ConnectionId, batch: Box<str>) {
        match self.member_mut(id).and_then(|member| member.pages.as_mut()) {
            Some(pages) => pages.push_back(Waiting { page: Page::EndBatch, batch: Some(batch) }),
            None => self.end_batch(id, &batch),
        }
    }

    /// The peer has read what it was sent: the next page.
    pub(super) fn next_page(&mut self, id: ConnectionId) {
        let mut bytes = 0;
        while bytes < PAGE {
            let Some(Waiting { page, batch }) =
                self.member_mut(id).and_then(|m| m.pages.as_mut()?.pop_front())
            else {
                break;
            };
            let mut sheet = Sheet::default();
            let rest = match page {
                Page::Names { room, name, from } => self.names_page(id, room, name, from, &mut sheet),
                Page::WhoRoom { room, from, query } => self.who_room_page(id, room, from, query, &mut sheet),
                Page::WhoAll { from, query } => self.who_all_page(id, from, query, &mut sheet),
                Page::List { from, filter } => self.list_page(id, from, filter, &mut sheet),
                Page::Entries { room, name, letter, from } => {
                    self.entries_page(id, room, name, letter, from, &mut sheet)
                }
                Page::Ready(line) => {
                    sheet.push(line);
                    None
                }
                Page::EndBatch => {
                    self.end_batch(id, batch.as_deref().unwrap_or_default());
                    None
                }
            };
            bytes += sheet.bytes;
            for line in sheet.lines {
                let line = match &batch {
                    Some(batch) => tagged(&format!("batch={batch}"), &line),
                    None => line,
                };
                self.emit(id, line);
            }
            if let Some(page) = rest
                && let Some(pages) = self.member_mut(id).and_then(|m| m.pages.as_mut())
            {
                pages.push_front(Waiting { page, batch });
            }
        }
        let Some(member) = self.member_mut(id) else { return };
        match &member.pages {
            Some(pages) if pages.is_empty() => member.pages = None,
            Some(_) => self.out.push(Output::More { id }),
            None => {}
        }
    }
}
