//! The server around the hub: what `dispatch` does, without sockets.

use std::collections::BTreeMap;
use std::time::Duration;

use parlor_server::hub::history::{Answer, Record, Request};
use parlor_server::hub::{ConnectionId, Guest, Hub, Input, Kept, News, Settings, Speaker, Token};
use parlor_server::protocol::MsgId;
use parlor_server::testing::{Job, Turn};
use parlor_tests::Message;

use crate::link::{Caller, Piece, Way};
use crate::oracle::word;
use crate::replica::Replica;
use crate::world::{Happening, Notice, Task, World};

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
    pub(crate) hub: Option<Hub>,
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
    /// With others: it is about to join them; its part in their order, and the serial of the entry that is in hand.
    pub(crate) begins: bool,
    pub(crate) replica: Option<Replica>,
    pub(crate) turn: Option<u64>,
    /// The time of that entry: what goes out with it and is older is none of it.
    pub(crate) turn_at: Option<u64>,
    /// It stands still; or has to begin anew, with these rooms and accounts. What comes waits.
    pub(crate) frozen: bool,
    pub(crate) anew: Option<(Kept, Kept)>,
    pub(crate) backlog: Vec<Happening>,
    /// When the last letter comes.
    pub(crate) letter_at: Duration,
    /// Lines of this connection are in hand: what goes out to others meanwhile is no echo.
    pub(crate) reading: Option<usize>,
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

    /// Whether it does nothing now.
    pub(crate) fn is_blocked(&self) -> bool {
        self.frozen || self.anew.is_some()
    }

    /// Its number among others.
    pub(crate) fn number(&self) -> u32 {
        self.hub.as_ref().map_or(0, Hub::server)
    }

    pub(crate) fn guests(&self) -> Vec<Guest> {
        self.hub.as_ref().map(Hub::guests).unwrap_or_default()
    }

    pub(crate) fn next_timeout(&self) -> Option<Duration> {
        let hub = self.hub.as_ref().filter(|_| !self.is_blocked())?;
        Some(self.started + hub.next_timeout()?)
    }
}

impl World {
    pub(crate) fn start_server(&mut self, s: usize) {
        // Those between are for steps of its clock.
        self.homes[s].disk.boot += MsgId::STARTS;
        self.servers[s] = Server { started: self.now, told: self.now, looked: self.now, ..Server::default() };
        if self.plan.several.is_some() {
            self.trace.say(self.now, || format!("== server {s} starts"));
            self.servers[s].begins = true;
            return self.at(self.now, Happening::Join(s, self.homes[s].disk.boot));
        }
        let mut secret = [0; 32];
        secret[..8].copy_from_slice(&self.random.next().to_le_bytes());
        let settings =
            Settings { boot: self.homes[s].disk.boot, durable: true, secret, ..Settings::default() };
        let mut hub = Hub::new(settings, self.server_moment(s));
        let disk = &self.homes[s].disk;
        let unreadable = hub.restore(disk.rooms(), disk.fingerprints());
        assert!(unreadable.is_empty(), "what rooms were can be read: {unreadable:?}");
        let unreadable = hub.restore_accounts(self.kept_accounts(s));
        assert!(unreadable.is_empty(), "what accounts were can be read: {unreadable:?}");
        self.servers[s].hub = Some(hub);
        self.trace
            .say(self.now, || format!("== the server starts for the {}. time", self.homes[s].disk.boot));
    }

    /// The server ends without a word; with a small chance in good order.
    pub(crate) fn crash(&mut self, s: usize) {
        if !self.servers[s].is_up() {
            return;
        }
        let orderly = self.random.permille(150) && !self.servers[s].is_blocked();
        if orderly {
            self.trace.say(self.now, || format!("== server {s} is stopped"));
            self.leave(s);
            self.give(s, Input::Stop);
        }
        self.servers[s].hub = None;
        (self.servers[s].replica, self.servers[s].anew, self.servers[s].frozen) = (None, None, false);
        self.refuse_backlog(s);
        for link in 0..self.links.len() {
            if self.links[link].to == s && self.links[link].server.take().is_some() {
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
        if orderly && self.homes[s].disk.paused.is_none() {
            self.homes[s].disk.begin();
            self.homes[s].disk.commit().records.iter().for_each(|record| self.oracle.committed(s, record));
        }
        self.accounts_crash(s, orderly);
        let (saved, lost) = self.homes[s].disk.crash(&mut self.random);
        saved.iter().for_each(|record| self.oracle.committed(s, record));
        self.oracle.crashed(s);
        self.homes[s].kept_upto =
            self.homes[s].disk.kept().last().map(|record| record.id).unwrap_or_default();
        self.trace.say(self.now, || {
            let lost: Vec<String> = lost.iter().map(|record| record.id.to_string()).collect();
            format!("== server {s} is gone; {} records saved, lost: {lost:?}", saved.len())
        });
        let down = if self.random.permille(200) { (5000, 25_000) } else { (50, 2000) };
        self.after(down, Happening::Start(s));
    }

    /// Whoever has called a server that ended before it took the call learns of that.
    fn refuse_backlog(&mut self, s: usize) {
        for what in std::mem::take(&mut self.servers[s].backlog) {
            if let Happening::Accept(link) = what {
                self.put(link, Way::Down, Piece::End);
            }
        }
    }

    /// A call has arrived.
    pub(crate) fn open(&mut self, link: usize) {
        let s = self.links[link].to;
        let slot = self.servers[s].free.pop().unwrap_or_else(|| {
            self.servers[s].entries.push(Entry::default());
            self.servers[s].entries.len() as u32 - 1
        });
        let entry = &mut self.servers[s].entries[slot as usize];
        entry.generation += 1;
        entry.link = Some(link);
        let id = ConnectionId { slot, generation: entry.generation };
        self.links[link].server = Some(id);
        self.links[link].number = self.servers[s].number();
        let host = match self.links[link].caller {
            Caller::Owner(i) => {
                self.owner_comes(link, i);
                2 + i as u8
            }
            Caller::Person(_) | Caller::Stranger(_) => 1,
        };
        let peer = ([127, 0, 0, host], 1024 + (link % 60_000) as u16).into();
        let token = Token::new(u128::from(self.random.next()) << 64 | u128::from(self.random.next()));
        self.give(s, Input::Opened { id, peer, cloak: 7, token, raw: false });
    }

    /// A piece was read.
    pub(crate) fn read(&mut self, link: usize, piece: Piece) {
        let (s, Some(id)) = (self.links[link].to, self.links[link].server) else { return };
        let Piece::Bytes(bytes) = piece else { return self.give(s, Input::News(id, News::HungUp)) };
        if !std::mem::replace(&mut self.links[link].speaks, true) {
            self.give(s, Input::News(id, News::Speaks(Speaker::Irc, None)));
        }
        let (block, sound) = self.links[link].framer.push(&bytes);
        assert!(sound.is_ok(), "clients send lines");
        let Some(block) = block else { return self.give(s, Input::News(id, News::Alive)) };
        self.trace.bytes(self.now, &format!("{:?} {link} >", self.links[link].caller), &block);
        let said = String::from_utf8_lossy(&block).lines().filter_map(said_in).collect::<Vec<_>>();
        self.links[link].said.extend(said);
        self.servers[s].reading = Some(link);
        self.give(s, Input::News(id, News::Lines(block)));
        self.servers[s].reading = None;
    }

    /// Gives the hub one input and carries out what comes of it.
    pub(crate) fn give(&mut self, s: usize, input: Input) {
        let moment = self.server_moment(s);
        let Some(hub) = &mut self.servers[s].hub else { return };
        hub.handle(input, moment);
        self.carry_out(s);
    }

    /// Carries out what a hub wants done.
    pub(crate) fn carry_out(&mut self, s: usize) {
        let serial = self.servers[s].turn.take();
        let Some(hub) = &mut self.servers[s].hub else { return };
        let turn = Turn::of(hub.drain());
        if let Some(serial) = serial {
            let shared = |job: &Job| match job {
                Job::Keep(record) if record.room.starts_with('#') => Some(record.clone()),
                _ => None,
            };
            self.oracle.order.had_its_turn(s, serial, turn.store.iter().filter_map(shared).collect());
        }
        for job in turn.store {
            if let Job::Keep(record) = &job {
                let home = &mut self.homes[s];
                // What the log says once more is kept already; so is what was lost there, and put back by others.
                if self.plan.several.is_some() && record.id <= home.kept_upto {
                    continue;
                }
                home.kept_upto = record.id;
            }
            let record = if let Job::Keep(record) = &job { Some(record.clone()) } else { None };
            // The hub may not have heard yet that the disk takes nothing: others get the line without a
            // mark. Its sender's echo waits, and has one when it comes.
            let lost = self.homes[s].disk.give(job);
            if let Some(record) = record {
                self.oracle.recorded(s, &record);
                self.homes[s].private.recorded(&record);
                if self.servers[s].paused || lost {
                    self.oracle.is_volatile(&record);
                }
            }
        }
        let mut lines: BTreeMap<usize, Vec<u8>> = BTreeMap::new();
        for (to, line) in turn.lines {
            let Some(link) = self.link_of(s, to) else { continue };
            self.look_at(link, &line);
            lines.entry(link).or_default().extend_from_slice(&line);
        }
        if self.plan.several.is_some() {
            turn.accounts.iter().for_each(|(_, name, state)| self.account_has_its_turn(s, name, state));
        }
        for text in &turn.log {
            self.trace.say(self.now, || format!("log: {text}"));
            self.note_login(s, text);
        }
        for link in turn.more.iter().filter_map(|id| self.link_of(s, *id)).collect::<Vec<_>>() {
            self.await_drained(link);
        }
        for link in turn.held.iter().filter_map(|id| self.link_of(s, *id)).collect::<Vec<_>>() {
            self.links[link].held = true;
        }
        let released: Vec<usize> = turn.released.iter().filter_map(|id| self.link_of(s, *id)).collect();
        for (link, bytes) in lines {
            self.trace.bytes(self.now, &format!("{:?} {link} <", self.links[link].caller), &bytes);
            self.send(link, Way::Down, &bytes);
            if self.links[link].down.bytes() > OUTBOX
                && let Some(id) = self.links[link].server
            {
                self.give(s, Input::News(id, News::Lost("SendQ exceeded".into())));
            }
        }
        if let Some(replica) = &mut self.servers[s].replica {
            turn.proposed.into_iter().for_each(|entry| replica.propose(entry));
            turn.posted.into_iter().for_each(|post| self.post(s, post));
            self.go(s);
        }
        turn.detached.into_iter().for_each(|id| self.close(s, id, false));
        turn.closed.into_iter().for_each(|id| self.close(s, id, true));
        self.work(s, turn.derive, turn.accounts);
        self.look_at_names(s);
        released.into_iter().for_each(|link| self.release(link));
        self.wake_writer(s);
    }

    pub(crate) fn link_of(&self, s: usize, id: ConnectionId) -> Option<usize> {
        let entry = self.servers[s].entries.get(id.slot as usize)?;
        entry.link.filter(|_| entry.generation == id.generation)
    }

    fn close(&mut self, s: usize, id: ConnectionId, free: bool) {
        let Server { entries, free: places, .. } = &mut self.servers[s];
        let Some(entry) = entries.get_mut(id.slot as usize) else { return };
        if entry.generation != id.generation {
            return;
        }
        if free && (entry.link.is_some() || entry.detached) {
            places.push(id.slot);
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
        let s = self.links[link].to;
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
            let msgid = message.tag("msgid").and_then(MsgId::parse);
            let older = self.servers[s].turn_at.zip(msgid).is_some_and(|(at, id)| id.millis < at);
            let echo = older || self.servers[s].reading.is_none_or(|reading| reading == link);
            let link = &mut self.links[link];
            let said = if echo { &link.said[..] } else { &[] };
            // Without tags nobody sees that an echo is none.
            if !(self.servers[s].paused && message.tag("msgid").is_none()) {
                let last = matches!(link.caller, Caller::Person(_)).then_some(&mut link.last_msgid);
                self.oracle.sent(s, &message, said, last);
            }
        }
    }

    fn wake_writer(&mut self, s: usize) {
        if self.servers[s].is_up() && !self.servers[s].writer && self.homes[s].disk.wants_to_write() {
            self.servers[s].writer = true;
            self.after_at_server(s, (0, 2), Task::Write);
        }
    }

    pub(crate) fn write(&mut self, s: usize) {
        self.homes[s].disk.begin();
        self.after_at_server(s, self.plan.commit, Task::Written);
    }

    /// A commit has ended, well or not.
    pub(crate) fn written(&mut self, s: usize) {
        let often = if self.homes[s].disk.paused.is_some() { 600 } else { 15 };
        if self.plan.pauses && self.now < self.plan.chaos && self.random.permille(often) {
            let first = self.homes[s].disk.paused.is_none();
            for (ticket, request) in self.homes[s].disk.fail() {
                self.ask(s, ticket, request);
            }
            if first {
                self.tell(s, Notice::Paused);
            }
            return self.after_at_server(s, (1000, 1000), Task::Write);
        }
        let commit = self.homes[s].disk.commit();
        commit.records.iter().for_each(|record| self.oracle.committed(s, record));
        self.trace.say(self.now, || {
            format!("disk: {} records, {} questions", commit.records.len(), commit.reads.len())
        });
        if let Some(last) = commit.records.last().map(|record: &Record| record.id) {
            self.tell(s, Notice::Stored(last));
        }
        if let Some(lost) = commit.resumed {
            self.tell(s, Notice::Resumed(lost));
        }
        for (ticket, request) in commit.reads {
            self.ask(s, ticket, request);
        }
        self.servers[s].writer = false;
        self.wake_writer(s);
    }

    /// A reader of the store looks, after those before it.
    fn ask(&mut self, s: usize, ticket: u64, request: Request) {
        let slow = if self.random.permille(100) { (1, 300) } else { (0, 5) };
        self.servers[s].looked = self.servers[s].looked.max(self.now) + self.random.millis(slow);
        self.at_server(s, self.servers[s].looked, Task::Look(ticket, Box::new(request)));
    }

    pub(crate) fn look(&mut self, s: usize, ticket: u64, request: &Request) {
        let answer: Answer = self.homes[s].disk.answer(request);
        self.tell(s, Notice::Answer(ticket, answer));
    }

    /// The store says something; the hub hears it a little later, in order.
    fn tell(&mut self, s: usize, notice: Notice) {
        self.servers[s].told = self.servers[s].told.max(self.now + self.random.millis((0, 3)));
        self.at_server(s, self.servers[s].told, Task::Notice(notice));
    }

    pub(crate) fn notice(&mut self, s: usize, notice: Notice) {
        match notice {
            Notice::Stored(upto) => self.give(s, Input::Stored { upto }),
            Notice::Paused => {
                self.servers[s].paused = true;
                let waiting: Vec<Record> = self.homes[s].disk.uncommitted().cloned().collect();
                waiting.iter().for_each(|record| self.oracle.is_volatile(record));
                self.trace.say(self.now, || "== the disk takes nothing".into());
                self.give(s, Input::Paused { why: "the disk is full".into() });
            }
            Notice::Resumed(lost) => {
                self.servers[s].paused = false;
                self.trace.say(self.now, || format!("== the disk takes lines again, {lost} are lost"));
                self.give(s, Input::Resumed { lost });
            }
            Notice::Answer(ticket, answer) => self.give(s, Input::Answer { ticket, answer }),
        }
    }
}

/// The word of a line that somebody says in a room.
fn said_in(line: &str) -> Option<String> {
    let (_, rest) = line.split_once("PRIVMSG #")?;
    word(rest.split_once(" :")?.1).map(str::to_owned)
}
