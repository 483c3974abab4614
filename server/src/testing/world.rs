//! A hub under virtual time, without sockets: what everybody was sent, and a store that answers at once.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::turn::{Job, Turn};
use crate::archive::Memory;
use crate::hub::history::{Answer, Request};
use crate::hub::{ConnectionId, Hub, Input, Line, News, Password, Settings, Speaker, Token};
use crate::protocol::scram::Keys;

use crate::protocol::MsgId;
use crate::protocol::time::{Moment, UnixMillis};

/// When it begins, in milliseconds since 1970.
pub const START: u64 = 1_700_000_000_000;

/// See the [module](self).
pub struct World {
    /// What is tested.
    pub hub: Hub,
    /// Since it began.
    pub now: Duration,
    /// What the wall's clock said then, milliseconds since 1970.
    pub start: u64,
    /// Whom the hub has closed.
    pub closed: Vec<ConnectionId>,
    /// Whose long reply is not finished.
    pub more: Vec<ConnectionId>,
    /// Everything for the log.
    pub log: Vec<String>,
    /// What was to be written down of rooms.
    pub rooms: HashMap<Arc<str>, Option<Box<[u8]>>>,
    /// The last id that was to be stored.
    pub last: MsgId,
    /// Who is not read.
    pub held: Vec<ConnectionId>,
    /// Where it is set, questions are not answered, but kept here.
    pub asked: Option<Vec<(u64, Request)>>,
    /// Where it is set, keys are not derived, but the questions kept here.
    pub derive: Option<Vec<(u64, Password)>>,
    /// Keys are derived as they are meant: a client logs in by SCRAM.
    pub exact: bool,
    /// What was written of accounts, the last of each.
    pub accounts: HashMap<Box<str>, Option<Box<[u8]>>>,
    /// Whether the disk takes accounts. `None`: that is not told yet.
    pub keeps: Option<bool>,
    /// Tickets of accounts of which it was not told.
    pub keeping: Vec<u64>,
    /// What is to be put into the log of several servers.
    pub proposed: Vec<Box<[u8]>>,
    /// What is to be handed to which server, or to all, under which ticket.
    pub posted: Vec<(Option<u32>, u64, Box<[u8]>)>,
    /// Nothing that is sent is kept.
    pub deaf: bool,
    /// Below all tokens.
    pub tokens: u128,
    sent: HashMap<ConnectionId, Vec<Line>>,
    memory: Memory,
    opened: u32,
}

impl World {
    /// With the default settings, and a key for OPER.
    pub fn new() -> World {
        World::with(Settings { oper_key: Some("open sesame".into()), ..Settings::default() })
    }

    /// With these settings, but for the limits of connections.
    pub fn with(settings: Settings) -> World {
        let settings = Settings { max_clients: 100_000, max_clients_per_ip: Some(100_000), ..settings };
        World {
            hub: Hub::new(settings, Moment::default()),
            now: Duration::ZERO,
            start: START,
            closed: Vec::new(),
            more: Vec::new(),
            log: Vec::new(),
            rooms: HashMap::new(),
            last: MsgId::default(),
            held: Vec::new(),
            asked: None,
            derive: None,
            exact: false,
            accounts: HashMap::new(),
            keeps: Some(true),
            keeping: Vec::new(),
            proposed: Vec::new(),
            posted: Vec::new(),
            deaf: false,
            tokens: 0,
            sent: HashMap::new(),
            memory: Memory::default(),
            opened: 0,
        }
    }

    /// Gives the hub an input, carries out what comes of it, and answers what it asks the store.
    pub fn give(&mut self, input: Input) {
        let wall = UnixMillis(self.start + self.now.as_millis() as u64);
        self.hub.handle(input, Moment { elapsed: self.now, wall });
        let turn = Turn::of(self.hub.drain());
        for (to, line) in turn.lines {
            assert!(std::str::from_utf8(&line).is_ok(), "only UTF-8 goes out");
            if !self.deaf {
                self.sent.entry(to).or_default().push(line);
            }
        }
        self.more.extend(turn.more);
        self.closed.extend(turn.closed);
        self.held.extend(turn.held);
        self.held.retain(|held| !turn.released.contains(held));
        self.log.extend(turn.log);
        self.proposed.extend(turn.proposed);
        self.posted.extend(turn.posted);
        let mut answers = Vec::new();
        for job in turn.store {
            match (job, &mut self.asked) {
                (Job::Keep(record), _) => {
                    self.last = record.id;
                    self.memory.append(record);
                }
                (Job::Room(room, state), _) => drop(self.rooms.insert(room, state)),
                (Job::Forget(room), _) => {
                    self.memory.forget(&room);
                    self.rooms.insert(room, None);
                }
                (Job::Read(ticket, request), Some(asked)) => asked.push((ticket, request)),
                (Job::Read(ticket, request), None) => answers.push((ticket, self.memory.answer(&request))),
            }
        }
        for (ticket, answer) in answers {
            self.give(Input::Answer { ticket, answer });
        }
        match &mut self.derive {
            Some(waiting) => waiting.extend(turn.derive),
            None => turn.derive.into_iter().for_each(|question| self.derived(question)),
        }
        for (ticket, name, state) in turn.accounts {
            self.accounts.insert(name, state);
            match (ticket, self.keeps) {
                (Some(ticket), Some(kept)) => self.give(Input::AccountKept { ticket, kept }),
                (ticket, _) => self.keeping.extend(ticket),
            }
        }
    }

    /// Answers the oldest question for keys that waits.
    pub fn derive_next(&mut self) {
        let next =
            self.derive.as_mut().filter(|waiting| !waiting.is_empty()).map(|waiting| waiting.remove(0));
        next.into_iter().for_each(|question| self.derived(question));
    }

    fn derived(&mut self, (ticket, Password { text, salt, rounds }): (u64, Password)) {
        // Mostly of no use to anybody: one round is as good as many.
        let rounds = if self.exact { rounds } else { 1 };
        self.give(Input::Derived { ticket, keys: Keys::derive(&text, &salt, rounds) });
    }

    /// Somebody connects.
    pub fn open(&mut self) -> ConnectionId {
        self.open_from([127, 0, 0, 1])
    }

    /// Somebody connects from this address.
    pub fn open_from(&mut self, address: [u8; 4]) -> ConnectionId {
        let id = ConnectionId { slot: self.opened, generation: 1 };
        self.opened += 1;
        let peer = (address, self.opened as u16).into();
        // Tokens are told apart, and are easily told.
        let token = Token::new(self.tokens + u128::from(self.opened));
        self.give(Input::Opened { id, peer, cloak: 1, token, raw: false });
        id
    }

    /// Somebody connects with an IRC program.
    pub fn open_irc(&mut self) -> ConnectionId {
        let id = self.open();
        self.give(Input::News(id, News::Speaks(Speaker::Irc, None)));
        id
    }

    /// The same, and registers.
    pub fn irc(&mut self, nick: &str) -> ConnectionId {
        let id = self.open_irc();
        self.say(id, &format!("NICK {nick}\nUSER u 0 * :real name\n"));
        self.heard(id);
        id
    }

    /// Lines of somebody, each ended by LF.
    pub fn say(&mut self, id: ConnectionId, lines: &str) {
        self.give(Input::News(id, News::Lines(lines.as_bytes().into())));
    }

    /// What was sent to somebody since the last look, without line ends.
    pub fn heard(&mut self, id: ConnectionId) -> Vec<String> {
        let text = |line: &Line| String::from_utf8_lossy(line).trim_end().to_owned();
        self.received(id).iter().map(text).collect()
    }

    /// The same, as it goes over the wire.
    pub fn received(&mut self, id: ConnectionId) -> Vec<Line> {
        self.sent.remove(&id).unwrap_or_default()
    }

    /// Lets time pass, with every deadline on the way.
    pub fn pass(&mut self, seconds: u64) {
        let end = self.now + Duration::from_secs(seconds);
        while let Some(at) = self.hub.next_timeout().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.give(Input::Tick);
        }
        self.now = end;
    }

    /// What the store would answer.
    pub fn answer_to(&self, request: &Request) -> Answer {
        self.memory.answer(request)
    }

    /// The store answers what it was asked.
    pub fn answer(&mut self) {
        for (ticket, request) in self.asked.as_mut().map(std::mem::take).unwrap_or_default() {
            let answer = self.memory.answer(&request);
            self.give(Input::Answer { ticket, answer });
        }
    }

    /// The disk has all that it was given.
    pub fn stored(&mut self) {
        self.give(Input::Stored { upto: self.last });
    }

    /// The store has nothing any more.
    pub fn forget(&mut self) {
        self.memory = Memory::default();
    }
}

impl Default for World {
    fn default() -> World {
        World::new()
    }
}
