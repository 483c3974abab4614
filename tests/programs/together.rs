//! All kinds of programs, `nc`, irssi and our window in one room: each line at everybody, once and in order.

use std::thread;
use std::time::Duration;

use parlor_tests::{Deadline, Irc};

use crate::irssi::Irssi;
use crate::kind::{BARE, CONSOLE, FRONT, HTML, Kind, Names, Stage, TK};
use crate::program::Program;
use crate::window::Window;

/// How often each of them speaks.
const ROUNDS: usize = 3;

/// What one of them speaks with.
enum With {
    Program(Program),
    Nc(Program),
    Irssi(Irssi),
    Window(Window),
}

/// Where one's own lines are on one's own screen.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Own {
    /// Among the others', where the room has them.
    InOrder,
    /// Where they were typed.
    WhereTyped,
    /// Nowhere: they are on the terminal that typed them.
    Nowhere,
}

struct Member {
    name: &'static str,
    with: With,
    own: Own,
}

impl Member {
    fn program(kind: &Kind, program: Program) -> Self {
        let own = if kind.names == Names::Nowhere { Own::WhereTyped } else { Own::InOrder };
        Self { name: kind.name, with: With::Program(program), own }
    }

    fn says(&mut self, text: &str) {
        match &mut self.with {
            With::Program(program) => program.says(text),
            With::Nc(nc) => nc.types(text),
            With::Irssi(irssi) => irssi.types(text),
            With::Window(window) => window.says(text),
        }
    }

    fn screen(&mut self) -> String {
        match &mut self.with {
            With::Program(program) | With::Nc(program) => program.screen(),
            With::Irssi(irssi) => irssi.screen(),
            With::Window(window) => window.screen(),
        }
    }

    /// Waits until as many lines are on the screen; returns them in their order.
    #[track_caller]
    fn lines(&mut self, count: usize) -> Vec<String> {
        let deadline = Deadline::after(Deadline::DEFAULT);
        loop {
            let screen = self.screen();
            let lines = marks(&screen);
            if lines.len() >= count {
                return lines;
            }
            let late = deadline.left().is_none();
            assert!(!late, "{} has {} of {count} lines:\n{screen}", self.name, lines.len());
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// The n-th line of the member at a place in the list.
fn mark(member: usize, round: usize) -> String {
    format!("tea{member}.{round}")
}

/// The marks in a text, in order.
fn marks(text: &str) -> Vec<String> {
    let after = text.split("tea").skip(1);
    let mark =
        |after: &str| after.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect::<String>();
    after.map(|after| format!("tea{}", mark(after))).collect()
}

/// Everybody speaks; `alice`, who hears it all, says what the order is.
fn converse(mut members: Vec<Member>, mut alice: Irc) {
    let mut said = Vec::new();
    for round in 0..ROUNDS {
        for (place, member) in members.iter_mut().enumerate() {
            let cake = if member.name.is_ascii() { "cake" } else { "蛋糕" };
            member.says(&format!("{} & {cake}", mark(place, round)));
        }
        // Who sends neither a name nor a line end must not speak quicker than that.
        said.extend(members.iter().map(|_| alice.expect("PRIVMSG #lobby *")));
    }
    let order: Vec<String> = said.iter().flat_map(|line| marks(line.last())).collect();
    for (place, member) in members.iter_mut().enumerate() {
        let own: Vec<String> = (0..ROUNDS).map(|round| mark(place, round)).collect();
        let theirs: Vec<String> = said
            .iter()
            .filter(|line| line.nick() == member.name)
            .flat_map(|line| marks(line.last()))
            .collect();
        assert_eq!(theirs, own, "{} is heard once, in order and under its name", member.name);
        let count = order.len() - if member.own == Own::Nowhere { ROUNDS } else { 0 };
        let lines = member.lines(count);
        let (mut wanted, mut seen) = (order.clone(), lines.clone());
        if member.own != Own::InOrder {
            wanted.retain(|line| !own.contains(line));
            seen.retain(|line| !own.contains(line));
        }
        assert_eq!(seen, wanted, "{} saw", member.name);
        assert_eq!(lines.len(), count, "{} saw each of its own once: {lines:?}", member.name);
    }
    alice.silent_until_pong("PRIVMSG **");
}

/// Those who need no listener of their own.
#[track_caller]
fn terminals(stage: &mut Stage) -> Option<Vec<Member>> {
    let address = stage.server.address();
    let mut nc = Program::run("nc", &[&address.ip().to_string(), &address.port().to_string()])?;
    nc.types("nick");
    stage.joined("nick");
    let irssi = Irssi::run(&stage.server, "iris")?;
    stage.joined("iris");
    let window = Window::open(&stage.server, "wilma");
    stage.joined("wilma");
    Some(vec![
        Member { name: "nick", with: With::Nc(nc), own: Own::Nowhere },
        Member { name: "iris", with: With::Irssi(irssi), own: Own::WhereTyped },
        Member { name: "wilma", with: With::Window(window), own: Own::WhereTyped },
    ])
}

/// A program that is in the room after its first words.
#[track_caller]
fn settled(stage: &mut Stage, address: std::net::SocketAddr, kind: &Kind) -> Option<Member> {
    let mut program = stage.start_at(address, kind)?;
    if kind.name == FRONT.name || kind.name == BARE.name {
        program.says("I am here");
        stage.hears(kind.name, "I am here");
    }
    Some(Member::program(kind, program))
}

#[test]
fn all_kinds_are_in_one_conversation() {
    let mut stage = Stage::open(&[]);
    let Some(mut members) = terminals(&mut stage) else { return };
    let raw = stage.raw();
    for kind in [&HTML, &FRONT, &BARE, &TK, &CONSOLE] {
        let Some(member) = settled(&mut stage, raw, kind) else { return };
        members.push(member);
    }
    let Stage { server: _server, alice } = stage;
    converse(members, alice);
}

#[test]
fn those_that_need_no_word_are_so_at_the_listener_for_everybody() {
    let mut stage = Stage::open(&[]);
    let Some(mut members) = terminals(&mut stage) else { return };
    let (everybody, raw) = (stage.server.address(), stage.raw());
    for (kind, address) in
        [(&HTML, everybody), (&FRONT, everybody), (&BARE, everybody), (&TK, raw), (&CONSOLE, raw)]
    {
        let Some(member) = settled(&mut stage, address, kind) else { return };
        members.push(member);
    }
    let Stage { server: _server, alice } = stage;
    converse(members, alice);
}
