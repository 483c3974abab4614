//! The server around the hub: what `dispatch` does, without sockets.

use std::collections::BTreeMap;
use std::time::Duration;

use parlor_server::hub::history::{Answer, Record, Request};
use parlor_server::hub::{ConnectionId, Guest, Hub, Input, News, Settings, Speaker, Token};
use parlor_server::protocol::MsgId;
use parlor_server::testing::{Job, Turn};
use parlor_tests::Message;

use crate::link::{Caller, Piece, Way};
use crate::oracle::word;
use crate::world::{Happening, Notice, World};

/// Bytes that may wait for one connection; the default of `Config::outbox`.
const OUTBOX: usize = 256 * 1024;

#[derive(Debug, Default)]
struct Entry {
    generation: u32,
    link: Option<usize>,
    detached: bool,
}

/// A server that runs, or is about to.
#[derive(Default)]
pub(crate) struct Server {
    hub: Option<Hub>,
    pub(crate) started: Duration,
    /// When the thread for accounts is done with all that it was given.
    pub(crate) worked: Duration,
    entries: Vec<Entry>,
    free: Vec<u32>,
    /// The writer is at work, or was told of it.
    writer: bool,
    /// When the hub hears what the store said last, and when a reader looks at its last question.
    told: Duration,
    looked: Duration,
    /// The hub was told that nothing is kept.
    paused: bool,
    /// Lines of this connection are in hand: what goes out to others meanwhile is no echo.
    reading: Option<usize>,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server")
            .field("up", &self.is_up())
            .field("entries", &self.entries)
            .finish_non_exhaustive()
    }
}

impl Server {
    pub(crate) fn is_up(&self) -> bool {
        self.hub.is_some()
    }

    pub(crate) fn guests(&self) -> Vec<Guest> {
        self.hub.as_ref().map(Hub::guests).unwrap_or_default()
    }

    pub(crate) fn next_timeout(&self) -> Option<Duration> {
        Some(self.started + self.hub.as_ref()?.next_timeout()?)
    }
}

impl World {
    pub(crate) fn start_server(&mut self) {
        // Those between are for steps of its clock.
        self.disk.boot += MsgId::STARTS;
        self.server = Server { started: self.now, told: self.now, looked: self.now, ..Server::default() };
        let mut secret = [0; 32];
        secret[..8].copy_from_slice(&self.random.next().to_le_bytes());
        let settings = Settings { boot: self.disk.boot, durable: true, secret, ..Settings::default() };
        let mut hub = Hub::new(settings, self.server_moment());
        let unreadable = hub.restore(self.disk.rooms(), self.disk.fingerprints());
        assert!(unreadable.is_empty(), "what rooms were can be read: {unreadable:?}");
        let unreadable = hub.restore_accounts(self.kept_accounts());
        assert!(unreadable.is_empty(), "what accounts were can be read: {unreadable:?}");
        self.server.hub = Some(hub);
        self.trace.say(self.now, || format!("== the server starts for the {}. time", self.disk.boot));
    }

    /// The server ends without a word; with a small chance in good order.
    pub(crate) fn crash(&mut self) {
        if !self.server.is_up() {
            return;
        }
        let orderly = self.random.permille(150);
        if orderly {
            self.trace.say(self.now, || "== the server is stopped".into());
            self.give(Input::Stop);
        }
        self.server.hub = None;
        for link in 0..self.links.len() {
            if self.links[link].server.take().is_some() {
                self.links[link].up.kill();
                let known = !self.random.permille(100);
                if orderly {
                    self.put(link, Way::Down, Piece::End);
                } else {
                    self.break_off(link, Way::Down, known);
                }
            }
        }
        // What waits is written when the server stops, as far as the disk takes it.
        if orderly && self.disk.paused.is_none() {
            self.disk.begin();
            self.disk.commit().records.iter().for_each(|record| self.oracle.committed(record));
        }
        self.accounts_crash(orderly);
        let (saved, lost) = self.disk.crash(&mut self.random);
        saved.iter().for_each(|record| self.oracle.committed(record));
        self.trace.say(self.now, || {
            let lost: Vec<String> = lost.iter().map(|record| record.id.to_string()).collect();
            format!("== the server is gone; {} records saved, lost: {lost:?}", saved.len())
        });
        let down = if self.random.permille(200) { (5000, 25_000) } else { (50, 2000) };
        self.after(down, Happening::Start);
    }

    /// A call has arrived.
    pub(crate) fn open(&mut self, link: usize) {
        let slot = self.server.free.pop().unwrap_or_else(|| {
            self.server.entries.push(Entry::default());
            self.server.entries.len() as u32 - 1
        });
        let entry = &mut self.server.entries[slot as usize];
        entry.generation += 1;
        entry.link = Some(link);
        let id = ConnectionId { slot, generation: entry.generation };
        self.links[link].server = Some(id);
        let host = match self.links[link].caller {
            Caller::Owner(i) => {
                self.owner_comes(link, i);
                2 + i as u8
            }
            Caller::Person(_) | Caller::Stranger(_) => 1,
        };
        let peer = ([127, 0, 0, host], 1024 + (link % 60_000) as u16).into();
        let token = Token::new(u128::from(self.random.next()) << 64 | u128::from(self.random.next()));
        self.give(Input::Opened { id, peer, cloak: 7, token, raw: false });
    }

    /// A piece was read.
    pub(crate) fn read(&mut self, link: usize, piece: Piece) {
        let Some(id) = self.links[link].server else { return };
        let Piece::Bytes(bytes) = piece else { return self.give(Input::News(id, News::HungUp)) };
        if !std::mem::replace(&mut self.links[link].speaks, true) {
            self.give(Input::News(id, News::Speaks(Speaker::Irc, None)));
        }
        let (block, sound) = self.links[link].framer.push(&bytes);
        assert!(sound.is_ok(), "clients send lines");
        let Some(block) = block else { return self.give(Input::News(id, News::Alive)) };
        self.trace.bytes(self.now, &format!("{:?} {link} >", self.links[link].caller), &block);
        let said = String::from_utf8_lossy(&block).lines().filter_map(said_in).collect::<Vec<_>>();
        self.links[link].said.extend(said);
        self.server.reading = Some(link);
        self.give(Input::News(id, News::Lines(block)));
        self.server.reading = None;
    }

    /// Gives the hub one input and carries out what comes of it.
    pub(crate) fn give(&mut self, input: Input) {
        let moment = self.server_moment();
        let Some(hub) = &mut self.server.hub else { return };
        hub.handle(input, moment);
        let turn = Turn::of(hub.drain());
        for job in turn.store {
            let record = if let Job::Keep(record) = &job { Some(record.clone()) } else { None };
            // The hub may not have heard yet that the disk takes nothing: others get the line without a
            // mark. Its sender's echo waits, and has one when it comes.
            let lost = self.disk.give(job);
            if let Some(record) = record {
                self.oracle.recorded(&record);
                self.private.recorded(&record);
                if self.server.paused || lost {
                    self.oracle.is_volatile(&record);
                }
            }
        }
        let mut lines: BTreeMap<usize, Vec<u8>> = BTreeMap::new();
        for (to, line) in turn.lines {
            let Some(link) = self.link_of(to) else { continue };
            self.look_at(link, &line);
            lines.entry(link).or_default().extend_from_slice(&line);
        }
        for text in &turn.log {
            self.trace.say(self.now, || format!("log: {text}"));
            self.note_login(text);
        }
        for link in turn.more.iter().filter_map(|id| self.link_of(*id)).collect::<Vec<_>>() {
            self.await_drained(link);
        }
        for link in turn.held.iter().filter_map(|id| self.link_of(*id)).collect::<Vec<_>>() {
            self.links[link].held = true;
        }
        let released: Vec<usize> = turn.released.iter().filter_map(|id| self.link_of(*id)).collect();
        for (link, bytes) in lines {
            self.trace.bytes(self.now, &format!("{:?} {link} <", self.links[link].caller), &bytes);
            self.send(link, Way::Down, &bytes);
            if self.links[link].down.bytes() > OUTBOX
                && let Some(id) = self.links[link].server
            {
                self.give(Input::News(id, News::Lost("SendQ exceeded".into())));
            }
        }
        turn.detached.into_iter().for_each(|id| self.close(id, false));
        turn.closed.into_iter().for_each(|id| self.close(id, true));
        self.work(turn.derive, turn.accounts);
        self.look_at_names();
        released.into_iter().for_each(|link| self.release(link));
        self.wake_writer();
    }

    fn link_of(&self, id: ConnectionId) -> Option<usize> {
        let entry = self.server.entries.get(id.slot as usize)?;
        entry.link.filter(|_| entry.generation == id.generation)
    }

    fn close(&mut self, id: ConnectionId, free: bool) {
        let Some(entry) = self.server.entries.get_mut(id.slot as usize) else { return };
        if entry.generation != id.generation {
            return;
        }
        if free && (entry.link.is_some() || entry.detached) {
            self.server.free.push(id.slot);
        }
        entry.detached = !free;
        if let Some(link) = entry.link.take() {
            self.links[link].server = None;
            self.put(link, Way::Down, Piece::End);
        }
    }

    fn release(&mut self, link: usize) {
        self.links[link].held = false;
        while !self.links[link].held
            && let Some(piece) = self.links[link].unread.pop_front()
        {
            self.read(link, piece);
        }
    }

    /// What goes out is looked at by somebody who knows what was promised.
    fn look_at(&mut self, link: usize, line: &[u8]) {
        let text = str::from_utf8(line).expect("UTF-8");
        if matches!(self.links[link].caller, Caller::Owner(_)) {
            let message = Message::parse(text.trim_end()).expect("a message");
            return self.look_at_owners(link, &message);
        }
        if text.contains(" draft/multiline #") {
            self.links[link].opening = Some(Message::parse(text.trim_end()).expect("a message"));
        } else if text.contains(" PRIVMSG #") {
            let mut message = Message::parse(text.trim_end()).expect("a message");
            // The first line of several has what the whole has, the others are no messages.
            let opening = self.links[link].opening.take();
            let first = |opening: &Message| opening.param(0).strip_prefix('+') == message.tag("batch");
            match opening.filter(first) {
                Some(opening) => message.tags = opening.tags,
                None if word(message.last()).is_none() => return,
                None => {}
            }
            // A connection that its owner has lost may say what its owner says on another one.
            let echo = self.server.reading.is_none_or(|reading| reading == link);
            let link = &mut self.links[link];
            let said = if echo { &link.said[..] } else { &[] };
            // Without tags nobody sees that an echo is none.
            if !(self.server.paused && message.tag("msgid").is_none()) {
                let last = matches!(link.caller, Caller::Person(_)).then_some(&mut link.last_msgid);
                self.oracle.sent(&message, said, last);
            }
        }
    }

    fn wake_writer(&mut self) {
        if self.server.is_up() && !self.server.writer && self.disk.wants_to_write() {
            self.server.writer = true;
            self.after((0, 2), Happening::Write(self.disk.boot));
        }
    }

    pub(crate) fn write(&mut self) {
        self.disk.begin();
        self.after(self.plan.commit, Happening::Written(self.disk.boot));
    }

    /// A commit has ended, well or not.
    pub(crate) fn written(&mut self) {
        let often = if self.disk.paused.is_some() { 600 } else { 15 };
        if self.plan.pauses && self.now < self.plan.chaos && self.random.permille(often) {
            let first = self.disk.paused.is_none();
            for (ticket, request) in self.disk.fail() {
                self.ask(ticket, request);
            }
            if first {
                self.tell(Notice::Paused);
            }
            return self.after((1000, 1000), Happening::Write(self.disk.boot));
        }
        let commit = self.disk.commit();
        commit.records.iter().for_each(|record| self.oracle.committed(record));
        self.trace.say(self.now, || {
            format!("disk: {} records, {} questions", commit.records.len(), commit.reads.len())
        });
        if let Some(last) = commit.records.last().map(|record: &Record| record.id) {
            self.tell(Notice::Stored(last));
        }
        if let Some(lost) = commit.resumed {
            self.tell(Notice::Resumed(lost));
        }
        for (ticket, request) in commit.reads {
            self.ask(ticket, request);
        }
        self.server.writer = false;
        self.wake_writer();
    }

    /// A reader of the store looks, after those before it.
    fn ask(&mut self, ticket: u64, request: Request) {
        let slow = if self.random.permille(100) { (1, 300) } else { (0, 5) };
        self.server.looked = self.server.looked.max(self.now) + self.random.millis(slow);
        self.at(self.server.looked, Happening::Look(self.disk.boot, ticket, Box::new(request)));
    }

    pub(crate) fn look(&mut self, ticket: u64, request: &Request) {
        let answer: Answer = self.disk.answer(request);
        self.tell(Notice::Answer(ticket, answer));
    }

    /// The store says something; the hub hears it a little later, in order.
    fn tell(&mut self, notice: Notice) {
        self.server.told = self.server.told.max(self.now + self.random.millis((0, 3)));
        self.at(self.server.told, Happening::Notice(self.disk.boot, notice));
    }

    pub(crate) fn notice(&mut self, notice: Notice) {
        match notice {
            Notice::Stored(upto) => self.give(Input::Stored { upto }),
            Notice::Paused => {
                self.server.paused = true;
                let waiting: Vec<Record> = self.disk.uncommitted().cloned().collect();
                waiting.iter().for_each(|record| self.oracle.is_volatile(record));
                self.trace.say(self.now, || "== the disk takes nothing".into());
                self.give(Input::Paused { why: "the disk is full".into() });
            }
            Notice::Resumed(lost) => {
                self.server.paused = false;
                self.trace.say(self.now, || format!("== the disk takes lines again, {lost} are lost"));
                self.give(Input::Resumed { lost });
            }
            Notice::Answer(ticket, answer) => self.give(Input::Answer { ticket, answer }),
        }
    }
}

/// The word of a line that somebody says in a room.
fn said_in(line: &str) -> Option<String> {
    let (_, rest) = line.split_once("PRIVMSG #")?;
    word(rest.split_once(" :")?.1).map(str::to_owned)
}
