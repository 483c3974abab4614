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
//! for [`News::Drained`] when that peer has read what it was sent.
//!
//! | floor | what stands on it |
//! | --- | --- |
//! | `speaker` | people at a terminal, raw clients: their lines become commands and changes |
//! | `command` | what an IRC client may ask for: parse, run, help; long replies |
//! | `change` | what is changed for others, applied in one place; who is told |
//! | [`history`] | the past: records, questions to the store, answers, resends |
//! | `delivery` | how an event is written, to whom it goes, what may overtake what |
//! | `state` | members, names, rooms, modes, limits: data and rules, nothing is sent |
//!
//! A file names its own floor and those below.

mod change;
mod command;
mod delivery;
pub mod history;
mod speaker;
mod state;
#[cfg(test)]
mod tests;
mod times;

use std::borrow::Cow;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::protocol::line_name::hash;
use crate::protocol::scram::Keys;
use crate::protocol::time::{Moment, UnixMillis};
use crate::protocol::{MsgId, Position, line};

use change::Asker;
use change::letters::Letters;
use change::order::Proposal;
use change::secrets::Secrets;
use command::page::Page;
use delivery::Delivery;
use delivery::echo::Storage;
use history::Answer;
use history::seen::Seen;
use history::tickets::History;
use state::State;
use state::member::Member;
use state::waiting::End;
use state::words::put;
use times::Times;

pub use change::entry::FORMAT;
pub use change::{Operation, Target};
pub use command::is_command;
pub use command::stats::Figures;
pub use delivery::lines::{Line, Lines};
pub use delivery::output::{Output, Password};
pub(crate) use state::SERVER;
pub use state::accounts::Accounts;
pub use state::admission::{party, party_size, turned_away};
pub use state::guest::Guest;
pub use state::member::{RawKind, Speaker};
pub use state::settings::{Settings, Sts};
pub use state::{ConnectionId, Token};

/// What is kept of rooms or accounts: folded names, and what they are.
pub type Kept = Vec<(Box<str>, Box<[u8]>)>;

/// What happens to the hub.
#[derive(Debug)]
#[expect(missing_docs, reason = "the fields are what the variants say")]
pub enum Input {
    /// Somebody connected. `id` names the connection from now on, until [`Output::Close`]; people see `cloak`,
    /// a keyed hash, in place of the address `peer`. Without a random token the connection cannot come back.
    /// `raw`: it came to the listener for raw clients.
    Opened { id: ConnectionId, peer: SocketAddr, cloak: u64, token: Option<Token>, raw: bool },
    /// News of a connection.
    News(ConnectionId, News),
    /// Everything up to this id is on disk.
    Stored { upto: MsgId },
    /// The disk takes nothing, for a reason that is for the log.
    Paused { why: String },
    /// The disk takes lines again; so many of those between are lost.
    Resumed { lost: u64 },
    /// What was asked with [`Output::Read`].
    Answer { ticket: u64, answer: Answer },
    /// What was asked with [`Output::Derive`].
    Derived { ticket: u64, keys: Keys },
    /// Whether what came with this ticket ([`Output::Account`]) is on disk.
    AccountKept { ticket: u64, kept: bool },
    /// A line at the operator's console: an announcement, or a `/command`.
    Console(String),
    /// What the host of this server has it do; what cannot be done is said in the log.
    Operate(Operation),
    /// What the console asked for with [`Output::Stats`].
    Stats { asker: Option<ConnectionId>, figures: Figures },
    /// The operator wants other limits and another message of the day, for what comes from now on. The other settings
    /// stay as they are.
    Settings(Box<Settings>),
    /// An entry of the log that several servers share has its turn: what one of them has proposed
    /// ([`Output::Propose`]), this one or another.
    Ordered { server: u32, at: Position, entry: Arc<[u8]> },
    /// A server hands over a private line, this one perhaps ([`Output::Post`] there).
    Letter(Box<[u8]>),
    /// Whether anybody heard what was posted with this ticket.
    Heard { ticket: u64, heard: bool },
    /// The log of several servers does not answer, for a reason that is for this server's log; or does again.
    LogAway { why: Option<String> },
    /// The log had lost so many entries, and has them again.
    PutBack { entries: usize },
    /// This server has caught up with the others, and its entries come behind theirs from now on.
    Joined,
    /// The others have gone on without this server: everybody is told and closed.
    Anew,
    /// The server ends: everybody is told and closed.
    Stop,
    /// A time given by [`Hub::next_timeout`] has come.
    Tick,
}

/// What happens on one connection.
#[derive(Debug)]
pub enum News {
    /// It is known now what it speaks, and which name a raw client gave itself. Given once, before its first
    /// lines.
    Speaks(Speaker, Option<Box<str>>),
    /// Nobody on the way can read it (TLS), and its certificate, if it has shown one, has this SHA-256.
    /// Given once, before all other news but [`News::Alive`].
    Encrypted(Option<Box<[u8; 32]>>),
    /// Whole lines, or messages of a raw client, each ended by LF, the last one perhaps not.
    Lines(Box<[u8]>),
    /// It is a telnet program: it can be told to show nothing of what is typed. Given before what it speaks.
    Telnet,
    /// Bytes came that are no line yet: a sign of life.
    Alive,
    /// Flood control makes its reader wait so long: its clocks stand still meanwhile.
    Delayed(Duration),
    /// All that was sent to it is on its way.
    Drained,
    /// The peer closed its side.
    HungUp,
    /// It broke, behind all that the peer had said.
    Broken,
    /// It broke or has to be closed, for a reason that everybody is told.
    Lost(Cow<'static, str>),
    /// It brought what must not talk in a room, and the log is told what: close it without a word.
    Refused(&'static str),
}

/// See the [module](self).
///
/// ```
/// use parlor_server::hub::{ConnectionId, Hub, Input, News, Output, Settings, Speaker};
/// use parlor_server::protocol::time::Moment;
///
/// let now = Moment::default();
/// let mut hub = Hub::new(Settings::default(), now);
/// let id = ConnectionId { slot: 0, generation: 1 };
/// let peer = ([127, 0, 0, 1], 50_000).into();
/// hub.handle(Input::Opened { id, peer, cloak: 7, token: None, raw: false }, now);
/// hub.handle(Input::News(id, News::Speaks(Speaker::Plain, None)), now);
/// hub.handle(Input::News(id, News::Lines((*b"bob\n").into())), now);
/// let welcomed = hub.drain().any(|output| match output {
///     Output::Lines { to, lines } => to == id && lines.starts_with(b"-!- Welcome"),
///     _ => false,
/// });
/// assert!(welcomed);
/// // A name was given in time: only silence would be noticed, and never that of a terminal.
/// assert!(hub.next_timeout().is_some_and(|at| at >= now.elapsed));
/// ```
pub struct Hub {
    state: State,
    delivery: Delivery<Page>,
    history: History,
    secrets: Secrets,
    /// What was proposed here and has not had its turn, in its order.
    proposals: VecDeque<Proposal>,
    /// From proposals to their turns, since the operator has asked last.
    times: Times,
    /// Accounts that had their turn: under which tickets, and whether they are somebody's now.
    settled: Vec<(u64, bool)>,
    letters: Letters,
}

/// Lines that are known by these.
fn known(settings: &Settings, fingerprints: Vec<u64>) -> Seen {
    if settings.cluster.is_some() { Seen::shared(fingerprints) } else { Seen::new(fingerprints) }
}

impl Hub {
    /// A hub with its default room and nobody in it.
    pub fn new(settings: Settings, now: Moment) -> Hub {
        let storage = if settings.durable { Storage::Disk } else { Storage::Memory };
        // Where a server begins anew, what this hub's predecessor has asked may still be answered.
        let before_first = u64::from(settings.cluster.unwrap_or_default()) << 32;
        Hub {
            delivery: Delivery::new(&settings.name, storage),
            history: History::new(
                known(&settings, Vec::new()),
                settings.cluster.map(|_| Seen::default()),
                before_first,
            ),
            secrets: Secrets::new(before_first),
            proposals: VecDeque::new(),
            times: Times::default(),
            settled: Vec::new(),
            letters: Letters::default(),
            state: State::new(settings, now),
        }
    }

    /// Takes in what a store remembers: rooms, by folded names and with states as
    /// [`Output::Room`] gave them out, empty where only lines are known; and the fingerprints of a day's
    /// records. Says which rooms could not be read.
    pub fn restore(&mut self, rooms: Vec<(Box<str>, Box<[u8]>)>, fingerprints: Vec<u64>) -> Vec<Box<str>> {
        self.history.seen_private = self.state.cluster.as_ref().map(|_| Seen::new(fingerprints.clone()));
        self.history.seen = known(&self.state.settings, fingerprints);
        self.state.restore(rooms)
    }

    /// Takes in what is kept of accounts, by folded names and as [`Output::Account`] gave it out. Says which could
    /// not be read: those are nobody's to have.
    pub fn restore_accounts(&mut self, kept: Vec<(Box<str>, Box<[u8]>)>) -> Vec<Box<str>> {
        let unreadable = self.state.restore_accounts(kept);
        self.state.end_pairs();
        unreadable
    }

    /// Everything that several servers share, as it is now, for a server that starts.
    pub fn snapshot(&self) -> Box<[u8]> {
        let mut bytes = self.state.snapshot();
        self.state.put_marks(&mut bytes);
        put(&mut bytes, &["."]);
        self.history.seen.recent().for_each(|print| bytes.extend_from_slice(&print.to_le_bytes()));
        bytes.into()
    }

    /// Stands for everything that is the same on all servers at the same place in their log.
    pub fn digest(&self) -> u64 {
        let prints = self.history.seen.recent().map(u64::to_le_bytes);
        hash(
            std::iter::once(&*self.shared()).chain(prints.collect::<Vec<_>>().iter().map(|print| &print[..])),
        )
    }

    /// What all servers know alike, but for the lines that were said lately.
    pub fn shared(&self) -> Box<[u8]> {
        self.state.snapshot().into()
    }

    /// The servers that somebody is on, without this one.
    pub fn servers(&self) -> Vec<u32> {
        self.state.servers()
    }

    /// This server's number; 0: it is alone.
    pub fn server(&self) -> u32 {
        self.state.cluster.as_ref().map_or(0, |cluster| cluster.server)
    }

    /// The entry of the log that says that a server is gone.
    pub fn gone(&self, server: u32) -> Box<[u8]> {
        change::order::gone(server).into()
    }

    /// What a store and a file of accounts remember of this hub, for one that begins anew.
    pub fn kept(&self) -> (Kept, Kept) {
        (self.state.kept_rooms(), self.state.kept_accounts())
    }

    /// Whether something may have happened, up to the snapshot that was taken in, behind the last event that is kept here.
    pub fn has_gap(&self, known: MsgId) -> bool {
        self.position().0.millis >= known.millis && self.state.stamps.last() > known
    }

    /// Says in every room that lines are missing here between the last one that is kept, `known`, and what comes now.
    pub fn note_gap(&mut self, known: MsgId) {
        let (from, to) = (known.time(), UnixMillis(self.position().0.millis));
        let text = format!("Lines from {from} to {to} are missing in the history of this server");
        self.record_gap(known.after(), &text);
    }

    /// Takes a snapshot of another server in, before anything else; and what a store and a file of accounts remember
    /// here, which are made to agree. False if the snapshot makes no sense.
    pub fn adopt(
        &mut self,
        snapshot: &[u8],
        (rooms, fingerprints): (Kept, Vec<u64>),
        accounts: &Kept,
    ) -> bool {
        let Some(prints) = self.state.adopt_snapshot(snapshot) else { return false };
        let print = |bytes: &[u8]| bytes.try_into().map(u64::from_le_bytes).unwrap_or_default();
        self.history.seen = Seen::shared(prints.chunks(8).map(print));
        self.history.seen_private = Some(Seen::new(fingerprints));
        self.state.write_rooms_over(rooms);
        self.state.write_accounts_over(accounts);
        self.state.end_pairs();
        self.state.note_bans();
        self.state.begin_hour();
        self.write_rooms();
        true
    }

    /// Takes over from a hub in whose place this one comes: private lines that it knew are known.
    pub fn succeed(&mut self, before: &mut Hub) {
        self.history.succeed(&mut before.history);
    }

    /// What it was told at its start and since.
    pub fn settings(&self) -> &Settings {
        &self.state.settings
    }

    /// The last entry of the log that had its turn, and how many did.
    pub fn position(&self) -> (Position, u64) {
        self.state.cluster.as_ref().map_or_else(Default::default, |shared| (shared.position, shared.entries))
    }

    /// Everyone who is here.
    pub fn guests(&self) -> Vec<Guest> {
        self.state.guests()
    }

    /// Takes one input. Its outputs wait in [`Hub::drain`].
    pub fn handle(&mut self, input: Input, now: Moment) {
        self.state.set_time(now);
        match input {
            Input::Opened { id, peer, cloak, token, raw } => {
                self.opened(id, Member::new(peer, cloak, token, now.elapsed), raw);
            }
            Input::News(id, news) => self.news(id, news),
            Input::Console(line) => self.console(&line, Asker::Console),
            Input::Operate(operation) => self.operate(&operation, Asker::Host),
            Input::Stats { asker, figures } => self.stats(asker, &figures),
            Input::Settings(settings) => self.state.adopt(*settings),
            Input::Ordered { server, at, entry } => self.ordered(server, at, &entry),
            Input::Letter(letter) => self.letter(&letter),
            Input::Heard { ticket, heard } => self.heard(ticket, heard),
            Input::LogAway { why } => self.log_away(why),
            Input::PutBack { entries } => self.log_mended(entries),
            Input::Joined => self.joined(),
            Input::Anew => self.close_all("This server was cut off from the others; connect again"),
            Input::Stop => self.stop(),
            Input::Tick => self.tick(),
            Input::Stored { upto } => self.stored(upto),
            Input::Paused { why } => self.pause(&why),
            Input::Resumed { lost } => self.resume_storage(lost),
            Input::Answer { ticket, answer } => self.store_answered(ticket, answer),
            Input::Derived { ticket, keys } => self.derived(ticket, keys),
            Input::AccountKept { ticket, kept } => self.account_kept(ticket, kept),
        }
        self.write_rooms();
    }

    /// What is to be done since the last call, in order.
    pub fn drain(&mut self) -> impl Iterator<Item = Output> {
        self.delivery.drain()
    }

    /// Bytes of lines that [`Hub::drain`] would give out now.
    pub fn bytes(&self) -> usize {
        self.delivery.bytes()
    }

    /// When to give the next [`Input::Tick`], as [`Moment::elapsed`] counts.
    pub fn next_timeout(&self) -> Option<Duration> {
        let others = self.delivery.next_due().into_iter().chain(self.state.next_hour());
        self.state.timers.next().into_iter().chain(others).min()
    }

    fn news(&mut self, id: ConnectionId, news: News) {
        match news {
            News::Speaks(speaker, name) => self.speaks(id, speaker, name.as_deref()),
            News::Encrypted(certfp) => self.encrypted(id, certfp),
            News::Lines(block) => self.block(id, &block),
            News::Alive => self.alive(id),
            News::Telnet => self.state.member_mut(id).into_iter().for_each(|member| member.telnet = true),
            News::Delayed(by) => self.delayed(id, by),
            News::Drained => self.drained(id),
            // It is gone already, and waited for.
            News::HungUp | News::Broken | News::Lost(_) | News::Refused(_) if self.state.lingers(id) => {}
            News::HungUp => self.ended(id, End::HungUp),
            News::Broken => self.ended(id, End::Broken),
            News::Lost(reason) => self.failed(id, &reason),
            News::Refused(reason) => self.leaves(id, reason, reason),
        }
    }

    fn write_rooms(&mut self) {
        for (name, state) in self.state.take_unwritten_accounts() {
            self.delivery.output(Output::Account { ticket: None, name, state });
        }
        for room in self.state.take_forgotten() {
            self.delivery.output(Output::Forget { room });
        }
        for (room, state) in self.state.take_unwritten() {
            self.delivery.output(Output::Room { room, state });
        }
    }

    fn block(&mut self, id: ConnectionId, block: &[u8]) {
        let Some(member) = self.state.member_mut(id) else { return };
        let speaker = member.speaker;
        self.alive(id);
        let mut lines = line::lines(block);
        while let Some(line) = lines.next() {
            // A command may have ended the connection, or asked for something that it waits for.
            match self.state.member(id) {
                None => break,
                Some(member) if member.waiting.is_some() => {
                    self.waits(id, line);
                    continue;
                }
                Some(_) => {}
            }
            match speaker {
                Speaker::Irc => self.irc_line(id, line),
                Speaker::Raw(kind) => self.raw_line(id, kind, line),
                Speaker::Plain | Speaker::Unknown => {
                    self.plain_line(id, line, lines.clone().next().is_some());
                }
            }
            // Before the next line is kept: its receipt then is one for this as well.
            self.write_rooms();
        }
    }
}
