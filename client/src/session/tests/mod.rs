//! The session under virtual time, against scripted servers and against the real hub.

mod again;
mod commands;
mod crashes;
mod crowds;
mod delivery;
mod files;
mod fuzz;
mod history;
mod hub;
mod login;
mod marking;
mod messages;
mod naming;
mod opening;
mod people;
mod reconnecting;
mod registering;
mod server;
mod several;
mod sloppy;
mod talking;
mod tools;
mod transcripts;
mod typing;

use std::time::Duration;

use parlor_server::testing::world::START;

use super::*;
use crate::testing::Screen;

/// What our own server offers.
pub(super) const OURS: &str = "message-tags server-time batch echo-message labeled-response standard-replies \
     multi-prefix userhost-in-names away-notify extended-join setname invite-notify no-implicit-names cap-notify";

/// Why a connection ends that nobody says anything about.
pub(super) const GONE: Sentence = Sentence::ServerClosed { reason: None };

/// A session, its time, what it sent and what it showed.
pub(super) struct World {
    pub(super) session: Session,
    pub(super) now: Duration,
    /// Lines sent and not yet looked at.
    pub(super) sent: Vec<String>,
    /// Events not yet looked at.
    pub(super) events: Vec<Event>,
    /// `Connect` and `Disconnect`, as they came.
    pub(super) calls: Vec<&'static str>,
    /// What a window would show.
    pub(super) screen: Screen,
    pub(super) kept: Vec<Unsent>,
    /// What it shows of itself.
    pub(super) login: Login,
}

pub(super) fn profile(nick: &str) -> Profile {
    Profile {
        server: HostPort::new("irc.test", 49806),
        nick: nick.into(),
        rooms: vec!["#lobby".into()],
        ..Profile::default()
    }
}

impl World {
    pub(super) fn new(profile: Profile) -> World {
        World::at(profile, Duration::ZERO)
    }

    pub(super) fn at(profile: Profile, now: Duration) -> World {
        // No two runs of a client may have the same.
        let mut secret = [profile.unsent.len() as u8; 16];
        profile
            .nick
            .bytes()
            .chain(profile.realname.bytes())
            .enumerate()
            .for_each(|(i, b)| secret[i % 16] ^= b);
        let mut world = World {
            session: Session::new(profile, secret, moment(now)),
            now,
            sent: Vec::new(),
            events: Vec::new(),
            calls: Vec::new(),
            screen: Screen::default(),
            kept: Vec::new(),
            login: Login::default(),
        };
        world.collect();
        world
    }

    /// Welcome on a server that offers these capabilities and says this about itself, and in
    /// `#lobby` with `bob` as its operator.
    pub(super) fn welcomed(nick: &str, caps: &str, isupport: &str) -> World {
        let mut world = World::new(profile(nick));
        world.welcome(caps, isupport);
        world.enter("#lobby", &format!("{nick} @bob"));
        world.look();
        world
    }

    /// On our own kind of server.
    pub(super) fn ours(nick: &str) -> World {
        World::welcomed(
            nick,
            OURS,
            "CASEMAPPING=ascii NETWORK=Parlor SAFERATE STATUSMSG=@+ NICKLEN=32 PREFIX=(ov)@+",
        )
    }

    pub(super) fn welcome(&mut self, caps: &str, isupport: &str) {
        self.welcome_without_pong(caps, isupport);
        if let Some(ping) = self.sent.iter().rev().find_map(|line| line.strip_prefix("PING ")) {
            self.server(&format!(":irc.test PONG irc.test {ping}"));
        }
    }

    pub(super) fn welcome_without_pong(&mut self, caps: &str, isupport: &str) {
        self.give(Input::Connected(self.login.clone()));
        let nick = self.session.me.nick.clone();
        if !caps.is_empty() {
            self.server(&format!(":irc.test CAP * LS :{caps}"));
            let asked = self.sent.iter().rev().find_map(|line| line.strip_prefix("CAP REQ :"));
            let asked = asked.expect("capabilities are asked for").to_owned();
            self.server(&format!(":irc.test CAP {nick} ACK :{asked}"));
        }
        self.server(&format!(":irc.test 001 {nick} :Welcome to the test, {nick}!u@host.test"));
        self.server(&format!(":irc.test 005 {nick} {isupport} :are supported by this server"));
        self.server(&format!(":irc.test 422 {nick} :No MOTD"));
    }

    /// We come into a room with these people.
    pub(super) fn enter(&mut self, room: &str, names: &str) {
        let nick = self.session.me.nick.clone();
        self.server(&format!(":{nick}!u@host.test JOIN {room}"));
        self.server(&format!(":irc.test 353 {nick} = {room} :{names}"));
        self.server(&format!(":irc.test 366 {nick} {room} :End of NAMES"));
    }

    pub(super) fn give(&mut self, input: Input<'_>) {
        self.session.handle(input, moment(self.now));
        self.collect();
    }

    pub(super) fn collect(&mut self) {
        let outputs: Vec<Output> = self.session.drain().collect();
        let mut told = Vec::new();
        for output in outputs {
            match output {
                Output::Connect => self.calls.push("connect"),
                Output::Disconnect => self.calls.push("disconnect"),
                Output::Send(wire) => {
                    let wire = String::from_utf8(wire).expect("only UTF-8 goes out");
                    assert!(wire.ends_with("\r\n"), "whole lines only: {wire:?}");
                    self.sent.extend(wire.split_terminator("\r\n").map(str::to_owned));
                }
                Output::Keep(unsent) => self.kept = unsent,
                Output::Event(event) => {
                    self.screen.show(&event);
                    if let Event::People { key, .. } = &event {
                        assert!(!told.contains(key), "people twice in one batch");
                        told.push(key.clone());
                    }
                    self.events.push(event);
                }
            }
        }
    }

    pub(super) fn server(&mut self, lines: &str) {
        let block: String = lines.lines().map(|line| format!("{line}\r\n")).collect();
        self.give(Input::Received(block.as_bytes()));
    }

    pub(super) fn act(&mut self, action: Action) {
        self.give(Input::Act(action));
    }

    pub(super) fn say(&mut self, to: &str, text: &str) {
        self.act(Action::Say { to: Key::new(to), text: text.into() });
    }

    pub(super) fn command(&mut self, at: &str, line: &str) {
        self.act(Action::Command { at: Key::new(at), line: line.into() });
    }

    /// Lets time pass, with every deadline on the way.
    pub(super) fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(at) = self.session.next_timeout().filter(|at| *at <= end) {
            assert!(at >= self.now, "a deadline in the past");
            self.now = self.now.max(at);
            self.give(Input::Tick);
            let again = self.session.next_timeout();
            assert!(again.is_none_or(|again| again > self.now), "a deadline that is not met");
        }
        self.now = end;
    }

    pub(super) fn seconds(&mut self, seconds: u64) {
        self.pass(Duration::from_secs(seconds));
    }

    /// What was sent and shown since the last look.
    pub(super) fn look(&mut self) -> (Vec<String>, Vec<Event>) {
        self.calls.clear();
        (std::mem::take(&mut self.sent), std::mem::take(&mut self.events))
    }

    pub(super) fn sent(&mut self) -> Vec<String> {
        self.look().0
    }

    pub(super) fn events(&mut self) -> Vec<Event> {
        self.look().1
    }

    /// The texts of a timeline: what was said, with its sender.
    pub(super) fn talk(&self, name: &str) -> Vec<String> {
        let lines = self.screen.lines(name);
        lines.iter().filter(|line| line.is_talk()).map(|l| format!("{}: {}", l.from(), l.text())).collect()
    }

    pub(super) fn last(&self, name: &str) -> Line {
        let line = self.screen.lines(name).last();
        Line::clone(line.unwrap_or_else(|| panic!("nothing in {name}")))
    }

    /// What the session has said last.
    pub(super) fn said(&self, name: &str) -> Sentence {
        let line = self.last(name);
        line.sentence().cloned().unwrap_or_else(|| panic!("{line:?}"))
    }

    /// What was given back since the last look, and why.
    pub(super) fn given_back(&mut self) -> Option<(String, Sentence)> {
        std::mem::take(&mut self.events).into_iter().rev().find_map(|event| match event {
            Event::GivenBack { text, why, .. } => Some((text, why)),
            _ => None,
        })
    }

    pub(super) fn states(&self, name: &str) -> Vec<Delivery> {
        let lines = self.screen.lines(name);
        let own = lines.iter().filter(|line| line.own() && line.state() != Delivery::None);
        own.map(Line::state).collect()
    }

    /// Why the lines that failed did.
    pub(super) fn reasons(&self, name: &str) -> Vec<Sentence> {
        let lines = self.screen.lines(name);
        let failed = lines.iter().filter(|line| line.state() == Delivery::Failed);
        failed.filter_map(|line| line.sentence().cloned()).collect()
    }

    pub(super) fn names(&self, room: &str) -> Vec<String> {
        self.screen.names(room)
    }
}

pub(super) fn moment(elapsed: Duration) -> Moment {
    Moment { elapsed, wall: UnixMillis(START + elapsed.as_millis() as u64) }
}

/// The token and the rest of a line that was sent with one.
pub(super) fn token(line: &str) -> (String, String) {
    let (tags, rest) = line.split_once(' ').expect("a tag and a message");
    let token =
        tags.split(['@', ';']).find_map(|tag| tag.strip_prefix("+parlor/id=")).expect("our tag").to_owned();
    assert!(token.len() == 32 && token.bytes().all(|b| b.is_ascii_hexdigit()), "{token}");
    (token, rest.to_owned())
}

/// The server's own words.
pub(super) fn server_says(text: &str) -> Sentence {
    Sentence::Server { about: None, text: text.into() }
}

#[test]
fn a_session_can_go_to_its_own_thread() {
    fn is_send<T: Send>() {}
    is_send::<Session>();
    is_send::<Output>();
    is_send::<Action>();
}
