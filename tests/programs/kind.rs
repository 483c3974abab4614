//! The kinds of programs, and the room in which they are tried.

use std::net::SocketAddr;

use parlor_tests::{Irc, Message, Plain, Server};

use crate::program::Program;

/// A kind of program.
#[derive(Debug)]
pub(crate) struct Kind {
    file: &'static str,
    args: &'static [&'static str],
    /// The name it has in the room.
    pub(crate) name: &'static str,
    /// Where in its messages that name stands.
    pub(crate) names: Names,
    /// Whether it tells its name before its person types.
    tells_at_once: bool,
    /// Whether it can say and show nothing but ASCII.
    pub(crate) ascii: bool,
}

/// Where a program's messages carry its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Names {
    InHtml,
    InFront(&'static str),
    Nowhere,
}

pub(crate) const HTML: Kind = Kind {
    file: "qt_html.py",
    args: &["小明"],
    name: "小明",
    names: Names::InHtml,
    tells_at_once: true,
    ascii: false,
};

pub(crate) const FRONT: Kind = Kind {
    file: "qt_front.py",
    args: &["小红"],
    name: "小红",
    names: Names::InFront("："),
    tells_at_once: false,
    ascii: false,
};

pub(crate) const BARE: Kind = Kind {
    file: "qt_bare.py",
    args: &[],
    name: "guest1",
    names: Names::Nowhere,
    tells_at_once: false,
    ascii: false,
};

pub(crate) const TK: Kind = Kind {
    file: "tk_window.py",
    args: &["小刚"],
    name: "小刚",
    names: Names::InFront(": "),
    tells_at_once: true,
    ascii: false,
};

pub(crate) const CONSOLE: Kind = Kind {
    file: "console.py",
    args: &["bob"],
    name: "bob",
    names: Names::InFront(": "),
    tells_at_once: true,
    ascii: true,
};

pub(crate) const ALL: [&Kind; 5] = [&HTML, &FRONT, &BARE, &TK, &CONSOLE];

/// The kinds whose messages carry a name: where one ends and the next begins can be told.
pub(crate) const NAMED: [&Kind; 4] = [&HTML, &FRONT, &TK, &CONSOLE];

impl Kind {
    /// A program of this kind that is called something else in the room.
    pub(crate) fn called(&self, name: &'static str) -> Self {
        Self { name, ..*self }
    }

    /// A program of this kind, started in another way.
    pub(crate) fn with(&self, args: &'static [&'static str]) -> Self {
        Self { args, ..*self }
    }

    /// What the program is sent for a line of somebody.
    pub(crate) fn line(&self, from: &str, text: &str) -> String {
        match self.names {
            Names::InHtml => format!("<div><font color=\"Blue\">{from}</font>: {text}</div>"),
            Names::InFront(colon) => format!("{from}{colon}{text}\n"),
            Names::Nowhere => format!("{from}: {text}\n"),
        }
    }

    /// A message as the program writes it.
    pub(crate) fn message(&self, text: &str) -> String {
        let name = self.name;
        match self.names {
            Names::InHtml => format!("<font color=\"Blue\">{name}</font>: {text}"),
            Names::InFront(colon) => format!("{name}{colon}{text}"),
            Names::Nowhere => text.to_owned(),
        }
    }
}

/// A room in which `alice`, who notices everything, waits for one program after the other.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) server: Server,
    pub(crate) alice: Irc,
}

/// What somebody did in the room.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Visit {
    pub(crate) said: Vec<String>,
    /// The reason of the good-bye.
    pub(crate) why: String,
}

impl Stage {
    /// A server with a listener for raw clients beside its first one.
    #[track_caller]
    pub(crate) fn open(options: &[&str]) -> Self {
        let server = Server::start(&[&["--raw-bind", "127.0.0.1:0"], options].concat());
        let mut alice = server.irc("alice");
        alice.join("#lobby");
        Self { server, alice }
    }

    /// Where raw clients are waited for.
    pub(crate) fn raw(&self) -> SocketAddr {
        self.server.raw_address()
    }

    /// A raw client that sends bytes.
    #[track_caller]
    pub(crate) fn bytes(&self) -> Plain {
        Plain::connect_to(self.raw())
    }

    /// A raw client that has been asked for its name.
    #[track_caller]
    pub(crate) fn asked(&self) -> Plain {
        let mut client = self.bytes();
        assert_eq!(client.chunk(), b"NICK");
        client
    }

    /// Lets more than a second pass.
    #[track_caller]
    pub(crate) fn a_second(&self) {
        let mut clock = self.server.plain();
        assert_eq!(clock.next_line(), ":parlor.local NOTICE * :Type a nickname and press Enter");
    }

    /// A program at the listener for raw clients, in the room if it gets there by itself.
    #[track_caller]
    pub(crate) fn start(&mut self, kind: &Kind) -> Option<Program> {
        self.start_at(self.raw(), kind)
    }

    /// The same at an address.
    #[track_caller]
    pub(crate) fn start_at(&mut self, address: SocketAddr, kind: &Kind) -> Option<Program> {
        let port = address.port().to_string();
        let program = Program::python(kind.file, &[&[port.as_str()], kind.args].concat())?;
        if kind.tells_at_once {
            self.joined(kind.name);
        }
        Some(program)
    }

    /// Waits for somebody to come in.
    #[track_caller]
    pub(crate) fn joined(&mut self, name: &str) {
        let joined = self.alice.expect("JOIN #lobby");
        assert_eq!(joined.nick(), name, "{joined}");
    }

    /// Waits for the next thing that is said.
    #[track_caller]
    pub(crate) fn hears(&mut self, from: &str, text: &str) {
        let said = self.alice.expect("PRIVMSG #lobby *");
        assert_eq!((said.nick(), said.last()), (from, text), "{said}");
    }

    /// Alice says something.
    pub(crate) fn says(&mut self, text: &str) {
        self.alice.send(&format!("PRIVMSG #lobby :{text}"));
    }

    /// Waits until somebody has left; returns what that one did up to then.
    #[track_caller]
    pub(crate) fn visit(&mut self, name: &str) -> Visit {
        let gone = format!(":{name}!*@* QUIT **");
        let mut lines = self.alice.until(gone.as_str());
        let why = lines.pop().map(|quit| quit.last().to_owned()).unwrap_or_default();
        let others = |line: &&Message| line.command == "JOIN" && line.nick() != name;
        assert_eq!(lines.iter().find(others), None, "only {name} was expected");
        let said = lines.iter().filter(|line| line.command == "PRIVMSG" && line.nick() == name);
        Visit { said: said.map(|line| line.last().to_owned()).collect(), why }
    }
}
