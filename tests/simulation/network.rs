//! Connections: calls, pieces, and what breaks them.

use std::time::Duration;

use parlor_client::session;
use parlor_server::hub::{Input, News};

use crate::link::{Caller, Link, Piece, Way};
use crate::world::{Happening, World};

/// What was sent and nobody has acknowledged breaks a connection after so long.
const UNACKNOWLEDGED: Duration = Duration::from_secs(60);

/// How a connection breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Broken {
    /// Both ends learn of it.
    Known,
    /// Nobody does.
    Silently,
    /// Only that end that is reached this way.
    KnownTo(Way),
}

impl World {
    /// Somebody calls the server.
    pub(crate) fn call(&mut self, caller: Caller) -> usize {
        let to = self.choose_server(caller);
        self.links.push(Link::new(caller, to));
        let link = self.links.len() - 1;
        let delay = self.delay();
        self.at(self.now + delay, Happening::Call(link));
        link
    }

    /// The server that somebody calls.
    fn choose_server(&mut self, caller: Caller) -> usize {
        if self.servers.len() == 1 {
            return 0;
        }
        let last = self.links.iter().rev().find(|link| link.caller == caller).map(|link| link.to);
        let up: Vec<usize> = (0..self.servers.len()).filter(|s| self.servers[*s].is_up()).collect();
        let others: Vec<usize> = up.iter().copied().filter(|s| Some(*s) != last).collect();
        let among = if others.is_empty() { up } else { others };
        // Whoever knows of none that is up tries one of them.
        if among.is_empty() { self.some_server() } else { *self.random.pick(&among) }
    }

    pub(crate) fn call_arrives(&mut self, link: usize) {
        let delay = self.delay();
        let s = self.links[link].to;
        let answered = self.servers[s].is_up();
        if answered {
            // Nothing comes before the answer.
            self.links[link].down.not_before(self.now + delay);
            if self.servers[s].is_blocked() {
                self.servers[s].backlog.push(Happening::Accept(link));
            } else {
                self.open(link);
            }
        }
        self.at(self.now + delay, Happening::Told(link, answered));
    }

    pub(crate) fn call_is_answered(&mut self, link: usize, answered: bool) {
        if !self.links[link].client_open {
            return;
        }
        self.trace.say(self.now, || format!("{:?} on {link}: answered {answered}", self.links[link].caller));
        match self.links[link].caller {
            Caller::Person(i) if answered => {
                self.give_person(i, session::Input::Connected(session::Login::default()))
            }
            Caller::Stranger(i) if answered => {
                let greeting = self.strangers[i].greeting();
                self.send(link, Way::Up, greeting.as_bytes());
            }
            Caller::Owner(i) if answered => {
                let greeting = self.owners[i].greeting(&mut self.random);
                self.links[link].shown.give(&self.owners[i].given);
                self.send(link, Way::Up, greeting.as_bytes());
            }
            _ => self.client_learns_of_end(link),
        }
    }

    /// Sends bytes, in pieces.
    pub(crate) fn send(&mut self, link: usize, way: Way, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            // Mostly whole, now and then byte for byte.
            let count = match self.random.below(12) {
                0 => 1 + self.random.below(3.min(bytes.len())),
                1..4 => 1 + self.random.below(bytes.len()),
                _ => bytes.len(),
            };
            let (piece, rest) = bytes.split_at(count);
            self.put(link, way, Piece::Bytes(piece.to_vec()));
            bytes = rest;
        }
    }

    pub(crate) fn put(&mut self, link: usize, way: Way, piece: Piece) {
        let delay = self.delay();
        match self.links[link].pipe(way).send(self.now, delay, piece) {
            Some(at) => self.at(at, Happening::Arrive(link, way)),
            // Nobody acknowledges it.
            None if way == Way::Up && self.links[link].client_open => {
                self.at(self.now + UNACKNOWLEDGED, Happening::TimeOut(link));
            }
            None => {}
        }
    }

    pub(crate) fn arrive_at_server(&mut self, link: usize) {
        let Some(piece) = self.links[link].up.arrived(self.now) else { return };
        if self.links[link].held {
            self.links[link].unread.push_back(piece);
        } else {
            self.read(link, piece);
        }
    }

    pub(crate) fn arrive_at_client(&mut self, link: usize) {
        let Some(piece) = self.links[link].down.arrived(self.now) else { return };
        if self.links[link].client_open {
            match (piece, self.links[link].caller) {
                (Piece::End, _) => self.client_learns_of_end(link),
                (Piece::Bytes(bytes), Caller::Person(i)) => {
                    self.give_person(i, session::Input::Received(&bytes))
                }
                (Piece::Bytes(bytes), Caller::Stranger(i)) => {
                    let answer = self.strangers[i].receive(&bytes, "#lobby");
                    self.send(link, Way::Up, answer.as_bytes());
                }
                (Piece::Bytes(bytes), Caller::Owner(i)) => {
                    let answer = self.owners[i].receive(&bytes, &mut self.random);
                    self.links[link].shown.give(&self.owners[i].given);
                    self.send(link, Way::Up, answer.as_bytes());
                }
            }
        }
        if self.links[link].more && self.links[link].down.bytes() == 0 {
            self.drained(link);
        }
    }

    /// The client's system has waited long enough.
    pub(crate) fn time_out(&mut self, link: usize) {
        if self.links[link].client_open {
            self.client_learns_of_end(link);
        }
    }

    fn client_learns_of_end(&mut self, link: usize) {
        self.links[link].client_open = false;
        self.links[link].up.kill();
        match self.links[link].caller {
            Caller::Person(i) => {
                self.give_person(i, session::Input::Lost(session::Sentence::ServerClosed { reason: None }))
            }
            Caller::Stranger(i) => {
                (self.strangers[i].link, self.strangers[i].welcome) = (None, false);
                self.after((200, 6000), Happening::Come(i));
            }
            Caller::Owner(i) => (self.owners[i].link, self.owners[i].welcome) = (None, false),
        }
    }

    /// The client closes, after what it has sent.
    pub(crate) fn hang_up(&mut self, link: usize) {
        self.links[link].client_open = false;
        self.put(link, Way::Up, Piece::End);
    }

    /// Some connection breaks.
    pub(crate) fn cut(&mut self) {
        let alive: Vec<usize> = (0..self.links.len()).filter(|link| self.links[*link].client_open).collect();
        if alive.is_empty() {
            return;
        }
        let link = *self.random.pick(&alive);
        let how = match self.random.below(10) {
            0..6 => Broken::Known,
            6 => Broken::Silently,
            7 | 8 => Broken::KnownTo(Way::Down),
            _ => Broken::KnownTo(Way::Up),
        };
        self.trace.say(self.now, || format!("cut {link} of {:?}: {how:?}", self.links[link].caller));
        for way in [Way::Up, Way::Down] {
            self.links[link].pipe(way).kill();
            self.break_off(link, way, how == Broken::Known || how == Broken::KnownTo(way));
        }
        if self.random.permille(150)
            && let Caller::Person(i) = self.links[link].caller
        {
            self.give_person(i, session::Input::Network);
        }
    }

    /// What was on its way is lost in part; `known`: whoever is there learns of it.
    pub(crate) fn break_off(&mut self, link: usize, way: Way, known: bool) {
        self.links[link].pipe(way).lose(&mut self.random);
        if known {
            self.put(link, way, Piece::End);
        } else {
            self.links[link].pipe(way).kill();
        }
    }

    /// The reader of a long reply has read what it was sent.
    pub(crate) fn drained(&mut self, link: usize) {
        if std::mem::take(&mut self.links[link].more)
            && let Some(id) = self.links[link].server
        {
            self.give(self.links[link].to, Input::News(id, News::Drained));
        }
    }

    /// A peer has taken all, or the system's buffers have.
    pub(crate) fn await_drained(&mut self, link: usize) {
        self.links[link].more = true;
        let read = self.links[link].down.last();
        let at = if self.random.permille(500) { self.now + Duration::from_micros(50) } else { read };
        self.at(at, Happening::Drained(link));
    }
}
