//! The ways to harm: what each connection of a stranger says.

use std::fmt::Write;

use crate::load::rounds::ROOM;

/// Rooms that a member may be in.
const ROOMS: u64 = 50;
/// Masks that a room keeps, nearly.
const MASKS: u64 = 48;

/// See the [module](self).
pub(crate) struct Attack {
    pub(crate) name: &'static str,
    pub(crate) connections: usize,
    /// Lines after which a connection is replaced; else it stays.
    pub(crate) lines: Option<u64>,
    /// Whether it reads what it is sent.
    pub(crate) reads: bool,
    /// What connection `who` says first.
    pub(crate) opening: fn(&mut String, u64),
    /// Its line of this number.
    pub(crate) line: fn(&mut String, u64, u64),
}

/// As many connections as one address near may have, nearly; they stay, and read.
const MANY: Attack =
    Attack { name: "", connections: 60, lines: None, reads: true, opening: enter, line: |_, _, _| {} };

pub(crate) const ATTACKS: &[Attack] = &[
    Attack {
        name: "talk",
        opening: |out, who| {
            enter(out, who);
            out.push_str("JOIN #talk\r\n");
        },
        line: |out, _, number| {
            let _ = write!(out, "PRIVMSG #talk :{number} {}\r\n", "x".repeat(400));
        },
        ..MANY
    },
    Attack {
        name: "talk, reconnecting",
        connections: 16,
        lines: Some(20),
        opening: |out, who| {
            enter(out, who);
            let _ = write!(out, "JOIN {ROOM}\r\n");
        },
        line: |out, _, number| {
            let _ = write!(out, "PRIVMSG {ROOM} :flood {number} {}\r\n", "x".repeat(300));
        },
        ..MANY
    },
    Attack { name: "connects only", lines: Some(0), opening: |_, _| {}, ..MANY },
    Attack {
        name: "a line in each new room",
        lines: Some(20),
        line: |out, who, number| {
            let _ = write!(
                out,
                "JOIN #r{who}x{number}\r\nPRIVMSG #r{who}x{number} :x\r\nPART #r{who}x{number}\r\n"
            );
        },
        ..MANY
    },
    Attack {
        name: "locked rooms with masks",
        lines: Some(20),
        line: |out, who, number| {
            let room = format!("#k{who}x{number}");
            let _ = write!(out, "JOIN {room}\r\nMODE {room} +k x\r\n");
            for mask in (0..MASKS).step_by(6) {
                let _ = write!(out, "MODE {room} +bbbbbb");
                for mask in mask..mask + 6 {
                    let _ = write!(out, " {}{mask}!*@*", "m".repeat(60));
                }
                out.push_str("\r\n");
            }
            let _ = write!(out, "PART {room}\r\n");
        },
        ..MANY
    },
    Attack {
        name: "private senders",
        lines: Some(10),
        line: |out, who, number| {
            let _ = write!(out, "NICK p{who}x{number}\r\nPRIVMSG m0 :psst\r\n");
        },
        ..MANY
    },
    Attack {
        name: "NICK in 50 rooms",
        opening: |out, who| {
            enter(out, who);
            in_rooms(out);
        },
        line: |out, who, number| {
            let _ = write!(out, "NICK n{who}x{number}\r\n");
        },
        ..MANY
    },
    Attack {
        name: "TOPIC with 96 bans",
        opening: |out, who| {
            enter(out, who);
            let _ = write!(out, "JOIN #t{who}\r\n");
            for mask in 0..2 * MASKS {
                let _ = write!(out, "MODE #t{who} +b {}{mask}!*@*\r\n", "m".repeat(100));
            }
        },
        line: |out, who, number| {
            let _ = write!(out, "TOPIC #t{who} :{number} {}\r\n", "t".repeat(280));
        },
        ..MANY
    },
    Attack {
        name: "tags of 4 KB",
        opening: |out, who| {
            out.push_str("CAP REQ :message-tags\r\n");
            enter(out, who);
            out.push_str("CAP END\r\nJOIN #tags\r\n");
        },
        line: |out, _, number| {
            let _ = write!(out, "@+x={} PRIVMSG #tags :{number}\r\n", "t".repeat(4_000));
        },
        ..MANY
    },
    Attack {
        name: "one known id again",
        opening: |out, who| {
            out.push_str("CAP REQ :message-tags echo-message\r\n");
            enter(out, who);
            let _ = write!(out, "CAP END\r\nJOIN {ROOM}\r\n@+parlor/id=same{who} PRIVMSG {ROOM} :x\r\n");
        },
        line: |out, who, _| {
            let _ = write!(out, "@+parlor/id=same{who} PRIVMSG {ROOM} :x\r\n");
        },
        ..MANY
    },
    Attack {
        name: "pages of history",
        opening: history,
        line: |out, _, number| {
            let _ = write!(
                out,
                "CHATHISTORY BEFORE {ROOM} timestamp=2099-01-01T00:00:00.{:03}Z 100\r\n",
                number % 1000
            );
        },
        ..MANY
    },
    Attack {
        name: "searches of many words",
        opening: history,
        line: |out, _, number| {
            let _ = write!(out, "SEARCH in={ROOM};text=");
            for word in 0..40 {
                let _ = write!(out, "w{word}\\s");
            }
            let _ = write!(out, "{number}\r\n");
        },
        ..MANY
    },
    Attack {
        name: "masks of stars",
        opening: |out, who| {
            enter(out, who);
            in_rooms(out);
        },
        line: |out, _, number| {
            let mask = format!("#{}z", "*?".repeat(20));
            match number % 3 {
                0 => {
                    let _ = write!(out, "LIST {}\r\n", [&*mask; 10].join(","));
                }
                1 => {
                    let _ = write!(out, "WHO {mask}\r\n");
                }
                _ => out.push_str("LIST\r\n"),
            }
        },
        ..MANY
    },
    Attack {
        name: "asks and never reads",
        reads: false,
        opening: |out, who| {
            enter(out, who);
            let _ = write!(out, "JOIN {ROOM}\r\n");
        },
        line: |out, _, _| {
            let _ = write!(out, "WHO {ROOM}\r\nNAMES {ROOM}\r\nLIST\r\nHELP\r\n");
        },
        ..MANY
    },
    Attack {
        name: "half lines and nonsense",
        lines: Some(3),
        opening: |out, _| out.push_str("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
        line: |out, who, number| {
            let _ = write!(out, "{}{who} {number}", "\u{1}@;:=".repeat(200));
        },
        ..MANY
    },
];

fn enter(out: &mut String, who: u64) {
    let _ = write!(out, "NICK s{who}\r\nUSER s 0 * :s\r\n");
}

fn in_rooms(out: &mut String) {
    for room in 0..ROOMS {
        let _ = write!(out, "JOIN #many{room}\r\n");
    }
}

fn history(out: &mut String, who: u64) {
    out.push_str("CAP REQ :message-tags batch server-time draft/chathistory soju.im/search\r\n");
    enter(out, who);
    let _ = write!(out, "CAP END\r\nJOIN {ROOM}\r\n");
}
