//! One connection: two ways, each in order, cut into pieces anywhere, as slow as chance wants.

use std::collections::VecDeque;
use std::time::Duration;

use parlor_server::hub::ConnectionId;
use parlor_server::protocol::line::Framer;
use parlor_server::testing::Random;
use parlor_tests::Message;

use crate::names::Shown;

/// Who called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Caller {
    Person(usize),
    Stranger(usize),
    /// One of those with a name of their own.
    Owner(usize),
}

/// Which way bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Up,
    Down,
}

/// What is on its way.
#[derive(Debug)]
pub(crate) enum Piece {
    Bytes(Vec<u8>),
    /// The other side closed, or the connection broke.
    End,
}

/// One way of a connection.
#[derive(Debug, Default)]
pub(crate) struct Pipe {
    pieces: VecDeque<(Duration, Piece)>,
    /// When the last piece arrives.
    last: Duration,
    /// Nothing that is sent now arrives.
    dead: bool,
}

impl Pipe {
    /// Sends a piece that takes so long, or longer if others are before it. When it arrives; `None`: never.
    pub(crate) fn send(&mut self, now: Duration, delay: Duration, piece: Piece) -> Option<Duration> {
        if self.dead {
            return None;
        }
        self.last = self.last.max(now + delay);
        self.dead = matches!(piece, Piece::End);
        self.pieces.push_back((self.last, piece));
        Some(self.last)
    }

    /// Nothing arrives earlier.
    pub(crate) fn not_before(&mut self, at: Duration) {
        self.last = self.last.max(at);
    }

    /// What has arrived.
    pub(crate) fn arrived(&mut self, now: Duration) -> Option<Piece> {
        let here = self.pieces.front().is_some_and(|(at, _)| *at <= now);
        if here { self.pieces.pop_front().map(|(_, piece)| piece) } else { None }
    }

    /// Bytes on their way.
    pub(crate) fn bytes(&self) -> usize {
        let count =
            |(_, piece): &(Duration, Piece)| if let Piece::Bytes(bytes) = piece { bytes.len() } else { 0 };
        self.pieces.iter().map(count).sum()
    }

    pub(crate) fn last(&self) -> Duration {
        self.last
    }

    /// Loses all behind a random place, also within a piece.
    pub(crate) fn lose(&mut self, random: &mut Random) {
        let whole = random.below(self.pieces.len() + 1);
        let mut rest = self.pieces.split_off(whole);
        if let Some((at, Piece::Bytes(mut bytes))) = rest.pop_front() {
            bytes.truncate(random.below(bytes.len() + 1));
            if !bytes.is_empty() {
                self.pieces.push_back((at, Piece::Bytes(bytes)));
            }
        }
        self.dead = false;
    }

    pub(crate) fn kill(&mut self) {
        self.dead = true;
    }
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) caller: Caller,
    pub(crate) up: Pipe,
    pub(crate) down: Pipe,
    /// The client has not closed it, and was not told of its end.
    pub(crate) client_open: bool,
    /// The server that was called.
    pub(crate) to: usize,
    /// What the hub there calls it, while the server has it.
    pub(crate) server: Option<ConnectionId>,
    /// The number that this server had then among others.
    pub(crate) number: u32,
    pub(crate) framer: Framer,
    /// The hub knows that it speaks IRC.
    pub(crate) speaks: bool,
    /// Nothing is read from it for now; what came meanwhile.
    pub(crate) held: bool,
    pub(crate) unread: VecDeque<Piece>,
    /// A long reply waits for its reader.
    pub(crate) more: bool,
    /// Texts that came in on it.
    pub(crate) said: Vec<String>,
    /// The last msgid of others' talk that went out on it.
    pub(crate) last_msgid: String,
    pub(crate) shown: Shown,
    /// How far its person has read, as it was told last.
    pub(crate) marked: Option<String>,
    /// A message of several lines went out so far.
    pub(crate) opening: Option<Message>,
}

impl Link {
    pub(crate) fn new(caller: Caller, to: usize) -> Link {
        Link {
            caller,
            up: Pipe::default(),
            down: Pipe::default(),
            client_open: true,
            to,
            server: None,
            number: 0,
            framer: Framer::default(),
            speaks: false,
            held: false,
            unread: VecDeque::new(),
            more: false,
            said: Vec::new(),
            last_msgid: String::new(),
            shown: Shown::default(),
            marked: None,
            opening: None,
        }
    }

    pub(crate) fn pipe(&mut self, way: Way) -> &mut Pipe {
        match way {
            Way::Up => &mut self.up,
            Way::Down => &mut self.down,
        }
    }
}
