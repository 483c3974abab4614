//! The client as a plain state machine: what a person does and what a server says come in,
//! what to send and what to show go out.
//!
//! No socket, no clock, no randomness of its own. The contract:
//!
//! 1. give it one [`Input`] and the [`Moment`] with [`Session::handle`];
//! 2. carry out every [`Output`] of [`Session::drain`], in order;
//! 3. give it [`Input::Tick`] when [`Session::next_timeout`] has come.
//!
//! [`Session::new`] already has outputs: it wants to connect at once.

mod action;
mod actions;
mod capabilities;
mod command;
mod commands;
mod conversation;
mod dcc;
mod delivery;
mod durable;
mod encoding;
mod event;
mod hands;
mod history;
mod isupport;
mod key;
mod line;
mod liveness;
mod log;
mod login;
mod marker;
mod marks;
mod mention;
mod moderation;
mod multiline;
mod names;
mod naming;
mod opening;
mod outgoing;
mod page;
mod pings;
mod profile;
mod reactions;
mod receive;
mod recent;
mod reconnect;
mod registration;
mod replies;
mod rooms;
mod roster;
mod search;
mod seed;
mod sentence;
mod stamp;
mod status;
mod style;
mod talk;
#[cfg(test)]
mod tests;
mod throttle;
mod transcript;
mod turn;
mod typing;
mod unsent;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use parlor_server::protocol::Leniency;
use parlor_server::protocol::line::Framer;

pub use action::Action;
pub use command::Command;
pub use dcc::Dcc;
pub use delivery::count_messages;
pub use encoding::Encoding;
pub use event::{Deed, Event, Field, Found, Kind, ListedRoom, Person, Rank, Refusal, Told, Tools};
pub use key::Key;
pub use line::{Delivery, Line, LineId, LineKind, Parts};
pub use login::Login;
pub use marks::{Deleted, Quote, Reaction};
pub use moderation::{Ban, RoomSetting, RoomSettings, muted};
pub use multiline::Multiline;
pub use naming::Naming;
pub use parlor_server::protocol::HostPort;
pub use parlor_server::protocol::time::{Moment, UnixMillis};
pub use profile::{Open, Profile};
pub use sentence::{Names, Sentence};
pub use status::Status;
pub use style::{FENCE, Span, Style, is_fence};
pub use unsent::{Unsent, UnsentState};

use actions::Typed;
use capabilities::Capabilities;
use conversation::Conversation;
use durable::Durable;
use isupport::Isupport;
use liveness::Liveness;
use marks::Marks;
use moderation::Bans;
use names::SharedNames;
use outgoing::Outgoing;
use page::{Batch, Question};
use pings::Pings;
use reactions::Deleting;
use recent::Recent;
use reconnect::Phase;
use registration::{Me, Registration};
use search::Search;
use seed::Seed;
use throttle::Throttle;
use transcript::Transcript;
use turn::Turn;
use typing::Typing;

/// Lines at once to a server without SAFERATE, and the time between two after that.
const BURST: (u32, Duration) = (5, Duration::from_millis(500));
/// Answers to programs (CTCP) at once, and the time between two after that.
const CTCP_BURST: (u32, Duration) = (3, Duration::from_secs(5));

/// What programs say of files (DCC) at once, and the time between two after that.
const DCC_BURST: (u32, Duration) = (20, Duration::from_millis(500));

/// What happens to a session.
#[derive(Debug)]
pub enum Input<'a> {
    /// The connection that [`Output::Connect`] asked for stands, and this shows who we are.
    Connected(Login),
    /// Bytes came, cut anywhere.
    Received(&'a [u8]),
    /// It could not be made, or ended without [`Output::Disconnect`], for this reason.
    Lost(Sentence),
    /// The person did something.
    Act(Action),
    /// The addresses of this computer have changed.
    Network,
    /// The time of [`Session::next_timeout`] has come.
    Tick,
}

/// What a session wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Call the address that [`Session::address`] counts; answer with [`Input::Connected`] or [`Input::Lost`].
    Connect,
    /// Close the connection, or stop calling, after what was to be sent before. No
    /// [`Input::Received`] or [`Input::Lost`] of it may follow.
    Disconnect,
    /// Send whole lines.
    Send(Vec<u8>),
    /// Keep what is not sent yet, or could not be, for the next start (see [`Profile::unsent`]), in place of what was
    /// to be kept before.
    Keep(Vec<Unsent>),
    /// Show it.
    Event(Event),
}

/// A room we want to be in.
#[derive(Debug, Clone)]
struct Wanted {
    name: String,
    key: Option<String>,
}

/// One connection to one server, or to one at a time of several that share their rooms; see the [module](self).
///
/// ```
/// use std::time::Duration;
///
/// use parlor_client::session::{HostPort, Input, Login, Moment, Output, Profile, Session, UnixMillis};
///
/// let at = |seconds| Moment { elapsed: Duration::from_secs(seconds), wall: UnixMillis(1_700_000_000_000) };
/// let (server, rooms) = (HostPort::new("irc.example", 6667), vec!["#tea".into()]);
/// let profile = Profile { server, nick: "bob".into(), rooms, ..Profile::default() };
/// let mut session = Session::new(profile, [7; 16], at(0));
/// assert!(session.drain().any(|output| output == Output::Connect));
///
/// session.handle(Input::Connected(Login::default()), at(1));
/// session.handle(Input::Received(b":irc.example 001 bob :Hi\r\n:irc.example 376 bob :End\r\n"), at(1));
/// let sent = session.drain().filter_map(|output| match output {
///     Output::Send(bytes) => String::from_utf8(bytes).ok(),
///     _ => None,
/// });
/// assert!(sent.collect::<String>().contains("JOIN #tea\r\n"));
/// ```
#[derive(Debug)]
pub struct Session {
    profile: Profile,
    now: Moment,
    seed: Seed,

    // The connection.
    phase: Phase,
    status: Option<Status>,
    turn: Turn,
    liveness: Liveness,
    framer: Framer,
    caps: Capabilities,
    login: Login,
    isupport: Isupport,
    registration: Registration,
    /// The first welcome has come: from now on a loss is ours to mend.
    welcomed_once: bool,
    last_online: Option<UnixMillis>,
    /// What the server said before it hung up.
    farewell: Option<Sentence>,

    // We.
    me: Me,
    /// When to ask for our own name again, while somebody else has it.
    reclaim_at: Option<Duration>,
    away: Option<String>,
    wanted: Vec<Wanted>,
    /// Rooms of those that are still to be entered, as soon as the server has patience.
    to_join: VecDeque<Key>,
    ignored: Vec<(Key, String)>,

    // What is said.
    conversations: BTreeMap<Key, Conversation>,
    names: SharedNames,
    /// Nobody else fits the rooms.
    full: bool,
    last_line: u64,
    reading: Option<Key>,
    asked_at: Option<Key>,
    /// What is being carried out.
    typed: Option<Typed>,
    recent: Recent,
    /// What is said about lines.
    marks: Marks,
    /// Deletions that the server has not confirmed.
    deleting: Vec<Deleting>,
    /// Since when we were told nothing that was said to us alone.
    missed_since: Option<UnixMillis>,
    /// The server knows us: it has said how far we read somewhere.
    marked_once: bool,
    batches: Vec<Batch>,
    questions: VecDeque<Question>,
    /// The number of the last label.
    labels: u64,
    search: Option<Search>,
    transcript: Option<Transcript>,
    durable: Durable,
    /// The number of the server's last start, as its msgids tell.
    start: Option<u32>,
    listing: Option<Vec<ListedRoom>>,
    /// Of the room that somebody looks at, which is the last one; of those before, what is still to come of their lists.
    bans: Vec<Bans>,
    typing: Typing,
    /// The rooms of which somebody wants to see how they are set, and no answer has come; each once.
    settings_asked: Vec<Key>,

    // What we say.
    /// What an earlier run had not sent, of conversations that are not open yet.
    restored: Vec<Unsent>,
    outgoing: Outgoing,
    /// What one message may hold, as the server of the last connection said; none: it takes single lines only.
    multiline: Option<Multiline>,
    throttle: Throttle,
    ctcp_throttle: Throttle,
    dcc_throttle: Throttle,
    /// When the throttle lets the next line go, if one waits for that.
    blocked_until: Option<Duration>,
    pings: Pings,

    out: VecDeque<Output>,
}

impl Session {
    /// A session that wants to connect at once. What it calls its lines, and when it connects again, nobody can
    /// guess who has not this `secret`: no two sessions may have the same.
    pub fn new(profile: Profile, secret: [u8; 16], now: Moment) -> Session {
        let me = Me { nick: profile.nick.clone(), wanted: profile.nick.clone(), ..Me::default() };
        let mut session = Session {
            now,
            seed: Seed::new(secret),
            phase: Phase::Offline,
            status: None,
            turn: Turn::new(&profile),
            liveness: Liveness::default(),
            framer: Framer::new(Leniency::Lenient),
            caps: Capabilities::default(),
            login: Login::default(),
            isupport: Isupport::default(),
            registration: Registration::default(),
            welcomed_once: false,
            last_online: None,
            farewell: None,
            me,
            reclaim_at: None,
            away: None,
            wanted: Vec::new(),
            to_join: VecDeque::new(),
            ignored: profile.ignored.iter().map(|nick| (Key::new(nick), nick.clone())).collect(),
            conversations: BTreeMap::new(),
            names: SharedNames::default(),
            full: false,
            last_line: 0,
            reading: None,
            asked_at: None,
            typed: None,
            recent: Recent::default(),
            marks: Marks::default(),
            deleting: Vec::new(),
            missed_since: None,
            marked_once: false,
            batches: Vec::new(),
            questions: VecDeque::new(),
            labels: 0,
            search: None,
            transcript: None,
            durable: Durable::default(),
            start: None,
            listing: None,
            bans: Vec::new(),
            typing: Typing::default(),
            settings_asked: Vec::new(),
            restored: Vec::new(),
            outgoing: Outgoing::default(),
            multiline: Some(Multiline::USUAL),
            throttle: Throttle::new(BURST.0, BURST.1),
            ctcp_throttle: Throttle::new(CTCP_BURST.0, CTCP_BURST.1),
            dcc_throttle: Throttle::new(DCC_BURST.0, DCC_BURST.1),
            blocked_until: None,
            pings: Pings::default(),
            out: VecDeque::new(),
            profile,
        };
        let host = session.profile.server.host.clone();
        session.open(&host, Kind::Server);
        session.take_up();
        for open in std::mem::take(&mut session.profile.open) {
            session.reopen(open);
        }
        for room in session.profile.rooms.clone() {
            session.join(&room, None);
        }
        session.open_for_unsent();
        session.connect();
        session
    }

    /// Takes one input. Its outputs wait in [`Session::drain`].
    pub fn handle(&mut self, input: Input<'_>, now: Moment) {
        let before = std::mem::replace(&mut self.now, now);
        self.notice_sleep(before);
        match input {
            Input::Connected(login) => self.connected(login),
            Input::Received(bytes) => self.received(bytes),
            Input::Lost(why) => self.lost(why),
            Input::Act(action) => self.act(action),
            Input::Network => self.doubt(),
            Input::Tick => {}
        }
        self.deadlines();
        self.pump();
        self.mark_read();
        self.flush();
        self.keep();
    }

    /// What is to be done since the last call, in order.
    pub fn drain(&mut self) -> impl Iterator<Item = Output> {
        self.out.drain(..)
    }

    /// Which address is called, or connected: 0 is [`Profile::server`], and those behind it are [`Profile::others`].
    pub fn address(&self) -> usize {
        self.turn.at()
    }

    /// When to give the next [`Input::Tick`], as [`Moment::elapsed`] counts.
    pub fn next_timeout(&self) -> Option<Duration> {
        self.next_deadline()
    }

    fn tell(&mut self, event: Event) {
        self.out.push_back(Output::Event(event));
    }

    /// Sends one line, whatever is in it: a line end would make two of it.
    fn send(&mut self, line: &str) {
        if self.is_ready() {
            self.throttle.spend(self.now.elapsed);
        }
        let mut wire: Vec<u8> =
            line.bytes().map(|b| if matches!(b, b'\r' | b'\n' | 0) { b' ' } else { b }).collect();
        wire.extend_from_slice(b"\r\n");
        self.send_raw(wire);
    }

    /// Sends whole lines.
    fn send_raw(&mut self, wire: Vec<u8>) {
        match self.out.back_mut() {
            Some(Output::Send(last)) => last.extend_from_slice(&wire),
            _ => self.out.push_back(Output::Send(wire)),
        }
    }

    /// Names are told apart in another way from now on, perhaps.
    fn refold(&mut self) {
        self.tell(Event::Naming(self.isupport.naming.clone()));
        for (key, name) in &mut self.ignored {
            *key = self.isupport.key(name);
        }
        self.me.were.insert(self.isupport.key(&self.me.nick));
        let key = |name: &str| self.isupport.key(name);
        let open =
            self.conversations.iter().filter(|(was, open)| !was.is_reserved() && key(&open.name) != **was);
        let moved: Vec<(Key, String)> = open.map(|(was, open)| (was.clone(), open.name.clone())).collect();
        moved.iter().for_each(|(was, name)| self.move_to(was, name));
    }
}
