//! Delivery: how an event is written for each kind of reader, who gets it, and when.
//!
//! Everything that goes to a connection passes [`Delivery`]: [`send`](Delivery::send) and
//! [`send_when`](Delivery::send_when) for one member, [`fan_out`](Delivery::fan_out) for many, and
//! long replies page by page. What may overtake what is said in [`queue`].

pub(crate) mod echo;
pub(crate) mod event;
pub(crate) mod fanout;
pub(crate) mod form;
pub(crate) mod lines;
pub(crate) mod output;
pub(crate) mod queue;
mod render;
pub(crate) mod reply;

use std::collections::VecDeque;
use std::fmt::{Display, Write};
use std::time::Duration;

use crate::hub::delivery::lines::Line;
use crate::hub::delivery::output::Output;
use crate::hub::state::ConnectionId;
use crate::protocol::tag::{BATCH, VOLATILE};
use crate::protocol::{Capabilities, MsgId};

use echo::Storage;
use fanout::{Outputs, Piece};
use form::Form;
use queue::{MAX_PAGES, Order, Queue, Turn, Until};
use reply::{tagged, with_tag};

/// Bytes after which a page ends, and that the peer has to read before the next one.
const PAGE: usize = 8 * 1024;
/// Looks at entries after which a page ends, whether it lists them or not: about as long as writing
/// [`PAGE`] bytes takes several times over, and then others have their turn.
const MAX_LOOKS: usize = 500;

/// What fan-out and the queue know of one connection; so little that all of them stay in the
/// processor's cache.
#[derive(Debug)]
pub(crate) struct Reader<P> {
    generation: u32,
    /// The last epoch in which an event reached this one.
    mark: u32,
    pub(crate) caps: Capabilities,
    pub(crate) form: Form,
    /// Bytes of pages that the peer is not known to have read.
    unread: usize,
    /// It was asked for news of that.
    asked: bool,
    /// It is not read: too many lines wait.
    held: bool,
    /// The same, for what it said waits.
    parked: bool,
    /// What it is to be sent, as long as that grows.
    piece: Piece,
    queue: Option<Box<Queue<P>>>,
}

/// The lines of one page.
pub(crate) struct Sheet {
    /// Whose reply it is.
    pub(crate) to: ConnectionId,
    lines: Vec<Line>,
    bytes: usize,
    looks: usize,
}

impl Sheet {
    pub(crate) fn new(to: ConnectionId) -> Sheet {
        Sheet { to, lines: Vec::new(), bytes: 0, looks: 0 }
    }

    pub(crate) fn push(&mut self, line: Line) {
        self.bytes += line.len();
        self.lines.push(line);
    }

    /// Whether to stop here; to be asked once for each entry, with how often that is looked at.
    pub(crate) fn full(&mut self, looks: usize) -> bool {
        self.looks += looks;
        self.bytes >= PAGE || self.looks > MAX_LOOKS
    }

    /// Its bytes, or as many as would have taken the time.
    fn cost(&self) -> usize {
        self.bytes.max(self.looks * PAGE / MAX_LOOKS)
    }
}

/// Where a long reply is when a page of it is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rest {
    Done,
    /// It goes on when the peer has read this page.
    More,
    /// It goes on when the store has answered.
    Asked,
}

/// See the [module](self). `P` is a long reply.
pub(crate) struct Delivery<P> {
    /// The server's name, the prefix of its own lines.
    server: Box<str>,
    readers: Vec<Reader<P>>,
    /// Marks who was reached already when people share several rooms.
    epoch: u32,
    pub(crate) storage: Storage,
    /// Everything up to this id is on disk.
    durable: MsgId,
    /// Echoes that wait for the disk.
    awaiting: VecDeque<(MsgId, ConnectionId)>,
    /// When which PONG, one that had to wait, overtakes long replies.
    due: VecDeque<(Duration, ConnectionId)>,
    batches: u32,
    /// Messages of members since the start.
    pub(crate) said: u64,
    outputs: Outputs,
}

impl<P> Delivery<P> {
    pub(crate) fn new(server: &str, storage: Storage) -> Delivery<P> {
        Delivery {
            server: server.into(),
            readers: Vec::new(),
            epoch: 0,
            storage,
            durable: MsgId::default(),
            awaiting: VecDeque::new(),
            due: VecDeque::new(),
            batches: 0,
            said: 0,
            outputs: Outputs::default(),
        }
    }

    /// Queues anything but lines.
    pub(crate) fn output(&mut self, output: Output) {
        match output {
            Output::Close { id } | Output::Detach { id } | Output::More { id } => self.queue_for(id, output),
            _ => self.outputs.push(output),
        }
    }

    /// Makes a command cost more than its line: what it has the server do for `lines` ordinary ones.
    pub(crate) fn charge(&mut self, id: ConnectionId, lines: u32) {
        if lines > 0 {
            self.output(Output::Charge { id, lines });
        }
    }

    /// A connection that hears nothing yet.
    pub(crate) fn open(&mut self, id: ConnectionId) {
        let reader = |generation| Reader {
            generation,
            mark: 0,
            caps: Capabilities::default(),
            form: Form::Silent,
            unread: 0,
            asked: false,
            held: false,
            parked: false,
            piece: Piece::default(),
            queue: None,
        };
        let slot = id.slot as usize;
        if slot >= self.readers.len() {
            self.readers.resize_with(slot + 1, || reader(0));
        }
        self.readers[slot] = reader(id.generation);
        self.readers[slot].mark = self.epoch;
    }

    /// A connection that hears nothing more; what waits for it is dropped.
    pub(crate) fn close(&mut self, id: ConnectionId) {
        if let Some(reader) = self.reader_mut(id) {
            (reader.form, reader.queue) = (Form::Silent, None);
        }
    }

    /// How events are written for this connection from now on.
    pub(crate) fn set_form(&mut self, id: ConnectionId, caps: Capabilities, form: Form) {
        if let Some(reader) = self.reader_mut(id) {
            (reader.caps, reader.form) = (caps, form);
        }
    }

    pub(crate) fn form(&self, id: ConnectionId) -> Form {
        self.reader(id).map_or(Form::Silent, |reader| reader.form)
    }

    fn reader(&self, id: ConnectionId) -> Option<&Reader<P>> {
        self.readers.get(id.slot as usize).filter(|reader| reader.generation == id.generation)
    }

    fn reader_mut(&mut self, id: ConnectionId) -> Option<&mut Reader<P>> {
        self.readers.get_mut(id.slot as usize).filter(|reader| reader.generation == id.generation)
    }

    fn queue(&self, id: ConnectionId) -> Option<&Queue<P>> {
        self.reader(id)?.queue.as_deref()
    }

    fn queue_mut(&mut self, id: ConnectionId) -> Option<&mut Queue<P>> {
        self.reader_mut(id)?.queue.as_deref_mut()
    }

    /// A line of the server itself; `text` has no prefix and no line end.
    pub(crate) fn server_line(&self, text: impl Display) -> Line {
        let mut line = String::with_capacity(128);
        // Writing to a String cannot fail.
        let _ = write!(line, ":{} {text}\r\n", self.server);
        line.into_bytes().into()
    }

    /// Sends a line to one member, before or behind what waits for it.
    pub(crate) fn send(&mut self, to: ConnectionId, line: Line, order: Order) {
        self.give(to, line, order, None);
    }

    /// Sends a reply when that has happened.
    pub(crate) fn send_when(&mut self, to: ConnectionId, line: Line, until: Until) {
        if let Until::Durable(id) = until {
            self.awaiting.push_back((id, to));
        }
        self.give(to, line, Order::Reply, Some(until));
    }

    fn give(&mut self, to: ConnectionId, line: Line, order: Order, until: Option<Until>) {
        let Some(reader) = self.reader_mut(to) else { return };
        if until.is_some() {
            reader.queue.get_or_insert_default();
        }
        let free = match &mut reader.queue {
            Some(queue) => queue.push(line, order, until),
            None => Some(line),
        };
        match free {
            Some(line) => self.line(to, line),
            None => {
                if let Order::End(due) = order {
                    self.due.push_back((due, to));
                }
                self.settle(to);
            }
        }
    }

    /// When the next line has to go that must not wait longer.
    pub(crate) fn next_due(&self) -> Option<Duration> {
        self.due.front().map(|(due, _)| *due)
    }

    /// Whose lines have to go now.
    pub(crate) fn overdue(&mut self, now: Duration) -> Vec<ConnectionId> {
        let count = self.due.iter().take_while(|(due, _)| *due <= now).count();
        self.due.drain(..count).map(|(_, id)| id).collect()
    }

    /// Everything up to this id is on disk; whose lines that may free.
    pub(crate) fn stored(&mut self, upto: MsgId) -> Vec<ConnectionId> {
        self.durable = self.durable.max(upto);
        let count = self.awaiting.iter().take_while(|(id, _)| *id <= upto).count();
        self.awaiting.drain(..count).map(|(_, id)| id).collect()
    }

    /// Nothing comes on disk for now: echoes come all the same, marked for those who see tags. Whose
    /// those are.
    pub(crate) fn give_up_durable(&mut self) -> Vec<ConnectionId> {
        let waiting: Vec<ConnectionId> = self.awaiting.drain(..).map(|(_, id)| id).collect();
        for id in &waiting {
            let form = self.form(*id);
            if let Some(queue) = self.queue_mut(*id) {
                queue.give_up_durable(|line| marked_volatile(form, line.clone()));
            }
        }
        waiting
    }

    /// The line that a question was asked for; an empty one where there is none after all. It may have to wait
    /// for something else now.
    pub(crate) fn answer(&mut self, id: ConnectionId, ticket: u64, line: &Line, until: Option<Until>) {
        if let Some(Until::Durable(upto)) = until {
            self.awaiting.push_back((upto, id));
        }
        if let Some(queue) = self.queue_mut(id) {
            queue.answer(ticket, line, until);
        }
    }

    /// Whether so many lines wait that the connection is not read.
    pub(crate) fn is_held(&self, id: ConnectionId) -> bool {
        self.reader(id).is_some_and(|reader| reader.held)
    }

    /// Begins to bind replies to a label.
    pub(crate) fn begin_label(&mut self, id: ConnectionId, label: &str) {
        if let Some(reader) = self.reader_mut(id) {
            reader.queue.get_or_insert_default().begin_label(label.into());
        }
    }

    /// See [`Queue::take_label`].
    pub(crate) fn take_label(&mut self, id: ConnectionId) -> Option<Box<str>> {
        self.queue_mut(id)?.take_label()
    }

    /// The labelled command is done, if one is in hand.
    pub(crate) fn end_label(&mut self, id: ConnectionId) {
        let Some(mut queue) = self.reader_mut(id).and_then(|reader| reader.queue.take()) else { return };
        let mut batches = self.batches;
        queue.end_label(|| batch(&mut batches), |text| self.server_line(text));
        self.batches = batches;
        if let Some(reader) = self.reader_mut(id) {
            reader.queue = Some(queue);
        }
    }

    pub(crate) fn next_batch(&mut self) -> Box<str> {
        batch(&mut self.batches)
    }

    /// Whether so many long replies wait that one more is refused.
    pub(crate) fn is_crowded(&self, id: ConnectionId) -> bool {
        self.queue(id).is_some_and(|queue| queue.pages() >= MAX_PAGES)
    }

    /// Whether a long reply may begin at once.
    pub(crate) fn may_begin(&self, id: ConnectionId) -> bool {
        self.reader(id).is_some_and(|reader| {
            reader.unread < PAGE && reader.queue.as_ref().is_none_or(|queue| queue.may_begin())
        })
    }

    /// Puts a long reply behind everything.
    pub(crate) fn push_page(&mut self, id: ConnectionId, page: P) {
        self.push_rest(id, page, false);
    }

    fn push_rest(&mut self, id: ConnectionId, page: P, asked: bool) {
        let mut batches = self.batches;
        let Some(reader) = self.reader_mut(id) else { return };
        reader.queue.get_or_insert_default().push_page(page, asked, || batch(&mut batches));
        self.batches = batches;
        self.settle(id);
    }

    /// Sends a page that could begin at once, and keeps the rest.
    pub(crate) fn begun(&mut self, page: P, sheet: Sheet, rest: Rest) {
        self.count(&sheet, rest);
        let id = sheet.to;
        sheet.lines.into_iter().for_each(|line| self.send(id, line, Order::Reply));
        if rest != Rest::Done {
            self.push_rest(id, page, rest == Rest::Asked);
        }
    }

    /// Sends a page that had its [turn](Self::turn), and keeps the rest in its place.
    pub(crate) fn made(&mut self, page: P, batch: Option<Box<str>>, sheet: Sheet, rest: Rest) {
        self.count(&sheet, rest);
        let id = sheet.to;
        for line in sheet.lines {
            // What is in a batch within that one has its tag.
            self.line(id, with_tag(BATCH, batch.as_deref(), line));
        }
        if let Some(reader) = self.reader_mut(id).filter(|_| rest != Rest::Done) {
            reader.queue.get_or_insert_default().put_back(page, batch, rest == Rest::Asked);
        }
    }

    fn count(&mut self, sheet: &Sheet, rest: Rest) {
        // Much was looked at and little of it listed: nothing else holds that up.
        self.charge(sheet.to, u32::from(sheet.looks > MAX_LOOKS && sheet.bytes < PAGE));
        if let Some(reader) = self.reader_mut(sheet.to) {
            // One page a turn, even of what finds nothing to list.
            reader.unread += if rest == Rest::More { PAGE } else { sheet.cost() };
        }
    }

    /// Sends what waits for nothing any more now, up to a page that has its turn.
    pub(crate) fn turn(&mut self, id: ConnectionId, now: Duration) -> Option<(P, Option<Box<str>>)> {
        let durable = self.durable;
        loop {
            let reader = self.reader_mut(id)?;
            let read = reader.unread < PAGE;
            match reader.queue.as_mut()?.pop(durable, read, now) {
                Some(Turn::Line(line)) if line.is_empty() => {}
                Some(Turn::Line(line)) => self.line(id, line),
                Some(Turn::Page(page, batch)) => return Some((page, batch)),
                None => break,
            }
        }
        self.settle(id);
        None
    }

    /// The peer has read what it was sent; a PONG may wait for the store from now on until `due`.
    pub(crate) fn drained(&mut self, id: ConnectionId, due: Duration) {
        let Some(reader) = self.reader_mut(id) else { return };
        (reader.unread, reader.asked) = (0, false);
        if reader.queue.as_mut().is_some_and(|queue| queue.postpone(due)) {
            self.due.push_back((due, id));
        }
    }

    /// See [`Queue::answer_page`].
    pub(crate) fn answer_page(&mut self, id: ConnectionId, take: impl FnOnce(&mut P) -> bool) -> bool {
        self.queue_mut(id).is_some_and(|queue| queue.answer_page(take))
    }

    /// Has a connection not read, or read again, for what it said waits.
    pub(crate) fn park(&mut self, id: ConnectionId, parked: bool) {
        if let Some(reader) = self.reader_mut(id)
            && std::mem::replace(&mut reader.parked, parked) != parked
        {
            self.settle(id);
        }
    }

    /// Leaves out long replies.
    pub(crate) fn forget_pages(&mut self, id: ConnectionId, forgotten: impl Fn(&P) -> bool) {
        if let Some(queue) = self.queue_mut(id) {
            queue.forget_pages(forgotten);
        }
    }

    /// Asks for what the first entry waits for, stops and starts the reader, and lets a queue go in
    /// which nothing waits.
    fn settle(&mut self, id: ConnectionId) {
        let Some(reader) = self.reader_mut(id) else { return };
        let (mut lines, mut full, mut asks) = (0, false, false);
        if let Some(queue) = reader.queue.as_deref() {
            if queue.is_labelled() {
                return;
            }
            (lines, full) = (queue.lines(), queue.is_full());
            asks = queue.waits_for_reader() && reader.unread >= PAGE && !reader.asked;
            if queue.is_idle() {
                reader.queue = None;
            }
        }
        reader.asked |= asks;
        let full = full || reader.parked;
        let hold = !reader.held && full;
        let release = reader.held && lines == 0 && !reader.parked;
        reader.held = full || reader.held && !release;
        if asks {
            self.output(Output::More { id });
        }
        if hold {
            self.output(Output::Hold { id });
        }
        if release {
            self.output(Output::Release { id });
        }
    }
}

fn batch(batches: &mut u32) -> Box<str> {
    *batches = batches.wrapping_add(1);
    format!("{batches:x}").into()
}

/// Marks talk that is not on disk, for those who see tags.
pub(crate) fn marked_volatile(form: Form, line: Line) -> Line {
    if form.tags() { tagged(VOLATILE, &line) } else { line }
}
