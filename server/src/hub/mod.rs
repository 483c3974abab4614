//! The hub: who is here, which rooms there are, who hears what.
//!
//! [`Hub`] is a plain state machine without socket, clock, channel or randomness.
//! The contract:
//!
//! 1. give it one [`Input`] and the [`Moment`] with [`Hub::handle`];
//! 2. carry out every [`Output`] of [`Hub::drain`], in order;
//! 3. give it [`Input::Tick`] when [`Hub::next_timeout`] has come.
//!
//! It never waits for a peer. A long reply stops after a page and asks with [`Output::More`]
//! for an [`Input::Drained`] when that peer has read what it was sent.

mod command;
mod delivery;
pub mod history;
mod speaker;
mod state;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet, VecDeque};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use crate::protocol::Numeric::*;
use crate::protocol::command::{Command, CommandError};
use crate::protocol::line::{self, MAX_BODY, MAX_CLIENT_TAGS};
use crate::protocol::time::{Moment, UnixMillis};
use crate::protocol::{Folded, Message, MsgId, mask};

use command::page::Page;
use command::{membership, operator};
use delivery::echo::Storage;
use delivery::event::{Event, What};
use delivery::queue::Order;
use delivery::{Delivery, Reader};
use history::replay::Ticket;
use history::seen::Seen;
use history::{Answer, Record, Request};
use state::admission::Admission;
use state::member::{Member, Slot};
use state::room::{Room, RoomId, Rooms, Seat};
use state::stamp::Stamps;
use state::timers::Timers;
use state::whowas::Whowas;

pub use command::operation::Operation;
pub use command::operator::Guest;
pub use state::admission::party;
pub use state::member::{RawKind, Speaker};
pub use state::settings::Settings;

/// One connection, for as long as the server runs: a place in a table and how often that
/// place was taken before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ConnectionId {
    /// The place in the table.
    pub slot: u32,
    /// Tells this connection from earlier ones in the same place.
    pub generation: u32,
}

/// A line as it goes out, line end included; encoded once, shared by all who get it.
pub type Line = Rc<[u8]>;

/// What others are told of somebody who hung up.
const CLOSED: &str = "Connection closed";

/// What happens to the hub.
#[derive(Debug)]
#[expect(missing_docs, reason = "the comments say it; doc comments would take a line a field")]
pub enum Input<'a> {
    // Somebody connected; `raw`: at the door for raw clients. `cloak` stands for the address
    // where people see it; `token`: random, to come back with, or 0.
    Opened { id: ConnectionId, peer: SocketAddr, cloak: u64, token: u128, raw: bool },
    // It is known now what this connection speaks; `name` is a raw client's.
    Speaks { id: ConnectionId, speaker: Speaker, name: Option<&'a str> },
    // Whole lines (or one chunk of a raw client), each ended by LF, the last one perhaps not.
    Lines { id: ConnectionId, block: &'a [u8] },
    // Bytes came that are no line yet: a sign of life.
    Alive { id: ConnectionId },
    // Flood control makes this reader wait: its clocks stand still meanwhile.
    Delayed { id: ConnectionId, by: Duration },
    // All that was sent to this connection is on its way.
    Drained { id: ConnectionId },
    // The peer closed its side, or the connection broke.
    HungUp { id: ConnectionId },
    // The connection has to be closed; the reason is for everybody.
    Lost { id: ConnectionId, reason: &'a str },
    // It brought what must not talk in a room: close it without a word.
    Refused { id: ConnectionId, reason: &'a str },
    // Everything up to this id is on disk.
    Stored { upto: MsgId },
    // The disk takes nothing, and why; or takes lines again, so many of those between are lost.
    Paused { why: &'a str },
    Resumed { lost: u64 },
    // What was asked with [`Output::Read`].
    Answer { ticket: u64, answer: Answer },
    // A line from the operator.
    Console(&'a str),
    // What the host of this server has it do.
    Operate(&'a Operation),
    // The server ends: everybody is told and closed.
    Stop,
    // A time given by [`Hub::next_timeout`] has come.
    Tick,
}

/// What the hub wants done.
#[derive(Debug)]
#[expect(missing_docs, reason = "the comments say it; doc comments would take a line a field")]
pub enum Output {
    // Send a line.
    Line { to: ConnectionId, line: Line },
    // Close, once what was sent before has gone out. The hub has forgotten this connection.
    Close { id: ConnectionId },
    // A reply is not finished: give [`Input::Drained`] when the peer has read so far.
    More { id: ConnectionId },
    // The socket is gone or to be closed, but the hub still knows who this was: its place is
    // free after [`Output::Close`].
    Detach { id: ConnectionId },
    // Read nothing from this connection, until it is released.
    Hold { id: ConnectionId },
    Release { id: ConnectionId },
    // Keep this; then say [`Input::Stored`].
    Store(Box<Record>),
    // Keep what a room is, or forget it; where rooms are not durable, its lines too.
    Room { room: Arc<str>, state: Option<Box<[u8]>> },
    // Answer this with [`Input::Answer`], in the light of all that was to be stored before.
    Read { ticket: u64, request: Request },
    // A line for the operator's terminal.
    Console(String),
    // A line for the log. Never message text, never a password.
    Log(String),
    // The same, for those too who want warnings only.
    Warn(String),
    // The operator asks the server to stop after this time.
    Stop(Duration),
}

/// See the [module](self).
pub struct Hub {
    settings: Settings,
    started: UnixMillis,
    now: Moment,
    slots: Vec<Slot>,
    nicks: HashMap<Folded, ConnectionId>,
    rooms: Rooms,
    watchers: HashMap<Folded, Vec<ConnectionId>>,
    whowas: Whowas,
    admission: Admission,
    timers: Timers,
    stamps: Stamps,
    population: Population,
    delivery: Delivery<Page>,
    seen: Seen,
    tickets: HashMap<u64, Ticket>,
    last_ticket: u64,
    /// Who comes back with which token.
    tokens: HashMap<u128, ConnectionId>,
    /// Rooms that are written down, those that are to be, and those that nobody is in.
    written: HashSet<Arc<str>>,
    changed_rooms: Vec<RoomId>,
    empty_rooms: VecDeque<RoomId>,
    stopping: bool,
}

/// How many are here, counted as they come and go.
#[derive(Debug, Default, Clone, Copy)]
struct Population {
    registered: usize,
    registered_peak: usize,
    invisible: usize,
    operators: usize,
}

impl Hub {
    /// A hub with its default room and nobody in it.
    pub fn new(settings: Settings, now: Moment) -> Hub {
        let mut rooms = Rooms::default();
        rooms.create(settings.default_room.clone(), now.wall, true);
        let storage = if settings.durable { Storage::Disk } else { Storage::Memory };
        Hub {
            stamps: Stamps::new(settings.boot, settings.last_millis),
            delivery: Delivery::new(&settings.name, storage),
            admission: Admission::new(settings.max_clients, settings.max_clients_per_ip),
            settings,
            started: now.wall,
            now,
            slots: Vec::new(),
            nicks: HashMap::new(),
            rooms,
            watchers: HashMap::new(),
            whowas: Whowas::default(),
            timers: Timers::default(),
            population: Population::default(),
            seen: Seen::default(),
            tickets: HashMap::new(),
            last_ticket: 0,
            tokens: HashMap::new(),
            written: HashSet::new(),
            changed_rooms: Vec::new(),
            empty_rooms: VecDeque::new(),
            stopping: false,
        }
    }

    /// Takes one input. Its outputs wait in [`Hub::drain`].
    pub fn handle(&mut self, input: Input<'_>, now: Moment) {
        self.now = now;
        match input {
            Input::Opened { id, peer, cloak, token, raw } => self.opened(id, peer, (cloak, token), raw),
            Input::Speaks { id, speaker, name } => self.speaks(id, speaker, name),
            Input::Lines { id, block } => self.block(id, block),
            Input::Alive { id } => self.alive(id),
            Input::Delayed { id, by } => self.delayed(id, by),
            Input::Drained { id } => self.drained(id),
            // It is gone already, and waited for.
            Input::HungUp { id } | Input::Lost { id, .. } | Input::Refused { id, .. } if self.lingers(id) => {
            }
            // Who hung up reads no last line.
            Input::HungUp { id } if self.linger(id, CLOSED) => {}
            Input::HungUp { id } => self.depart(id, CLOSED, CLOSED),
            Input::Lost { id, reason } => self.lost(id, reason),
            Input::Refused { id, reason } => self.depart(id, reason, reason),
            Input::Console(line) => self.console(line, operator::Asker::Console),
            Input::Operate(operation) => self.operate(operation),
            Input::Stop => self.stop(),
            Input::Tick => self.tick(),
            Input::Stored { upto } => self.stored(upto),
            Input::Paused { why } => self.pause(why),
            Input::Resumed { lost } => self.resume_storage(lost),
            Input::Answer { ticket, answer } => self.store_answered(ticket, answer),
        }
        self.write_rooms();
    }

    /// What is to be done since the last call, in order.
    pub fn drain(&mut self) -> std::vec::Drain<'_, Output> {
        self.delivery.drain()
    }

    /// When to give the next [`Input::Tick`], as [`Moment::elapsed`] counts.
    pub fn next_timeout(&self) -> Option<Duration> {
        self.timers.next()
    }

    fn block(&mut self, id: ConnectionId, block: &[u8]) {
        let Some(member) = self.member_mut(id) else { return };
        let speaker = member.speaker;
        self.alive(id);
        match speaker {
            Speaker::Raw(kind) => self.raw_chunk(id, kind, block),
            Speaker::Irc | Speaker::Plain | Speaker::Unknown => {
                let mut lines = line::lines(block);
                while let Some(line) = lines.next() {
                    // A command may have ended the connection.
                    if self.member(id).is_none() {
                        break;
                    }
                    match speaker {
                        Speaker::Irc => self.irc_line(id, line),
                        _ => self.plain_line(id, line, lines.clone().next().is_some()),
                    }
                    // Before the next line is kept: its receipt then is one for this as well.
                    self.write_rooms();
                }
            }
        }
    }

    fn irc_line(&mut self, id: ConnectionId, line: &[u8]) {
        let tags = match line.first() {
            Some(b'@') => line.iter().position(|b| *b == b' ').map_or(line.len(), |end| end + 1),
            _ => 0,
        };
        let sound = std::str::from_utf8(line).is_ok();
        let text = String::from_utf8_lossy(line);
        let Some(message) = Message::parse(&text) else { return };
        self.begin_label(id, &message);
        if tags > MAX_CLIENT_TAGS || line.len() - tags > MAX_BODY - 2 {
            self.too_long(id);
        } else if !sound {
            self.not_utf8(id, message.command);
        } else if text.contains('\r') {
            // A CR inside a line would let one message look like two.
            self.fail(id, "*", "INVALID_LINE", "A line holds a CR that ends nothing; it was refused");
        } else {
            match Command::parse(&message) {
                Ok(command) => self.command(id, &message, command),
                Err(error) => self.refuse_command(id, message.command, error),
            }
        }
        self.delivery.end_label(id);
        self.go_on(id);
    }

    fn command(&mut self, id: ConnectionId, message: &Message<'_>, command: Command<'_>) {
        let registered = self.member(id).is_some_and(Member::registered);
        match command {
            Command::Cap { verb, argument } => self.cap(id, verb, argument),
            Command::Pass if registered => self.already_registered(id),
            Command::Pass => {}
            Command::Nick { nick } => self.nick(id, nick),
            Command::User { .. } if registered => self.already_registered(id),
            Command::User { username, realname } => self.user(id, username, realname),
            Command::Quit { reason } => self.quit(id, reason),
            Command::Ping { token } => self.ping(id, token),
            Command::Pong => {}
            Command::Resume { token } => self.resume(id, token),
            _ if !registered => self.not_registered(id),
            Command::Send { verb, targets, text } => {
                self.send(id, verb, targets, text, &message.tags.client_only());
            }
            Command::Join { rooms, keys } => self.join(id, rooms, keys),
            Command::PartAll => self.part_all(id),
            Command::Part { rooms, reason } => self.part(id, rooms, reason),
            Command::Topic { room, topic } => self.topic(id, room, topic),
            Command::Names { room } => self.names(id, room),
            Command::List { filter } => self.list(id, filter),
            Command::Mode { target, modes, arguments } => self.mode(id, target, modes, &arguments),
            Command::Kick { rooms, nicks, reason } => self.kick(id, rooms, nicks, reason),
            Command::Invite { nick, room } => self.invite(id, nick, room),
            Command::InviteList => self.invitations(id),
            Command::Who { mask, fields } => self.who(id, mask, fields),
            Command::Whois { nick } => self.whois(id, nick),
            Command::Whowas { nick, count } => self.whowas(id, nick, count),
            Command::Away { text } => self.away(id, text),
            Command::Userhost { nicks } => self.userhost(id, &nicks),
            Command::Ison { nicks } => self.ison(id, &nicks),
            Command::Monitor { verb, targets } => self.monitor(id, verb, targets),
            Command::Setname { realname } => self.setname(id, realname),
            Command::Oper { key } => self.oper(id, key),
            Command::Kill { nick, reason } => self.kill(id, nick, reason),
            Command::Wallops { text } => self.wallops(id, text),
            Command::Console { line } => self.remote_console(id, line),
            // These may name a server; there is no other one.
            Command::Motd | Command::Version | Command::Time | Command::Admin | Command::Info
                if message.params.filled(0).is_some_and(|server| !self.is_this_server(server)) =>
            {
                let server = membership::shown(message.params.filled(0).unwrap_or("*"));
                self.reply(id, ERR_NOSUCHSERVER, format!("{server} :No such server"));
            }
            Command::Motd => self.motd(id),
            Command::Lusers => self.lusers(id),
            Command::Version => self.version(id),
            Command::Time => self.time(id),
            Command::Info => self.info(id),
            Command::Admin => self.admin(id),
            Command::Chathistory { verb, arguments } => self.chathistory(id, verb, &arguments),
            Command::Search { attributes } => self.search(id, attributes),
            Command::Help { subject } => self.help(id, subject),
            Command::Links => self.links(id),
            Command::Stats { query } => self.stats(id, query),
        }
    }

    fn refuse_command(&mut self, id: ConnectionId, verb: &str, error: CommandError) {
        let silent = verb.eq_ignore_ascii_case("NOTICE");
        let registered = self.member(id).is_some_and(Member::registered);
        match error {
            CommandError::Unknown if !registered => self.not_registered(id),
            CommandError::Unknown => {
                self.reply(id, ERR_UNKNOWNCOMMAND, format!("{verb} :Unknown command; HELP lists them"));
            }
            CommandError::NeedMoreParams => {
                self.reply(id, ERR_NEEDMOREPARAMS, format!("{verb} :Not enough parameters"));
            }
            CommandError::NoNicknameGiven => {
                self.reply(id, ERR_NONICKNAMEGIVEN, ":No nickname given");
            }
            CommandError::NoOrigin => self.reply(id, ERR_NOORIGIN, ":No origin specified"),
            _ if !registered => self.not_registered(id),
            // A notice is never answered (RFC 2812 §3.3.2).
            CommandError::NoRecipient | CommandError::NoTextToSend if silent => {}
            CommandError::NoRecipient => {
                self.reply(id, ERR_NORECIPIENT, format!(":No recipient given ({verb})"));
            }
            CommandError::NoTextToSend => {
                self.reply(id, ERR_NOTEXTTOSEND, ":No text to send");
            }
        }
    }

    /// Whether a word names this server: its name, a mask for it, or somebody who is on it.
    fn is_this_server(&self, word: &str) -> bool {
        let (mask, name) = (Folded::new(word), Folded::new(&self.settings.name));
        mask::matches(mask.as_str(), name.as_str()) || self.find(word).is_some()
    }

    /// The member at `id`, if that connection is still here.
    fn member(&self, id: ConnectionId) -> Option<&Member> {
        let slot = self.slots.get(id.slot as usize)?;
        slot.member.as_deref().filter(|_| slot.generation == id.generation)
    }

    fn member_mut(&mut self, id: ConnectionId) -> Option<&mut Member> {
        let slot = self.slots.get_mut(id.slot as usize)?;
        slot.member.as_deref_mut().filter(|_| slot.generation == id.generation)
    }

    /// The registered member who has this name.
    fn find(&self, nick: &str) -> Option<ConnectionId> {
        let id = *self.nicks.get(&Folded::new(nick))?;
        self.member(id).filter(|member| member.registered()).map(|_| id)
    }

    /// The name of the member at `id`, or `*` before it has one.
    fn nick_of(&self, id: ConnectionId) -> &str {
        self.member(id).and_then(|member| member.nick.as_ref()).map_or("*", |nick| nick.as_str())
    }

    /// Everyone who is here, lowest place first.
    fn everyone(&self) -> impl Iterator<Item = (ConnectionId, &Member)> {
        self.slots.iter().enumerate().filter_map(|(slot, entry)| {
            let id = ConnectionId { slot: slot as u32, generation: entry.generation };
            entry.member.as_deref().filter(|member| member.registered()).map(|member| (id, member))
        })
    }

    /// Sends an event to everyone in a room but `except`, and with `rank` only to those who
    /// have at least that.
    fn tell_room(&mut self, room: RoomId, event: &Event<'_>, except: Option<ConnectionId>, rank: u8) {
        self.fan_out(room, event, |seat, _| Some(seat.member) != except && seat.rank >= rank);
    }

    /// Somebody does something in a room: tells everyone else in it, the history and the
    /// operator's terminal.
    fn happens(&mut self, by: ConnectionId, room: RoomId, name: &str, event: &Event<'_>) {
        self.tell_room(room, event, Some(by), 0);
        self.record(room, event, 0);
        self.narrate(name, event);
    }

    /// Sends an event once to everyone who shares a room with `id`, but not to `id`.
    fn tell_neighbours(
        &mut self,
        id: ConnectionId,
        event: &Event<'_>,
        wants: impl Fn(&Reader<Page>) -> bool,
    ) {
        let of = self.rooms_of(id);
        let Hub { rooms, delivery, .. } = self;
        let rooms = of.iter().filter_map(|room| rooms.get(*room));
        delivery.fan_out_once(rooms.flat_map(Room::seats), event, id, wants);
    }

    /// Sends an event to whom it is for of the people in a room.
    fn fan_out(&mut self, room: RoomId, event: &Event<'_>, to: impl FnMut(&Seat, &Reader<Page>) -> bool) {
        let Hub { rooms, delivery, .. } = self;
        if let Some(room) = rooms.get(room) {
            delivery.fan_out(room.seats(), event, to);
        }
    }

    /// The rooms that somebody is in, in the order of joining.
    fn rooms_of(&self, id: ConnectionId) -> Vec<RoomId> {
        self.member(id).map_or_else(Vec::new, |member| member.rooms.iter().map(|place| place.room).collect())
    }

    /// Sends an event to one connection.
    fn tell(&mut self, to: ConnectionId, event: &Event<'_>) {
        let Some(line) = event.line(self.delivery.form(to)) else { return };
        let order = match event.what {
            // Of a message to oneself only the echo carries the label (labeled-response).
            What::Message { .. } | What::Announcement { .. } => Order::News,
            _ => Order::Change,
        };
        self.delivery.send(to, line, order);
    }

    fn log(&mut self, text: String) {
        self.delivery.output(Output::Log(text));
    }

    /// Shows the operator what happens in a room (or, without one, to a person), where there is
    /// a terminal to show it on.
    fn narrate(&mut self, room: &str, event: &Event<'_>) {
        if self.settings.narrate
            && let Some(text) = event.narration()
        {
            let space = if room.is_empty() { "" } else { " " };
            self.delivery.output(Output::Console(format!("{room}{space}{text}")));
        }
    }
}
