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

/// Connections that stay at a time: as many as one address near may have.
const ALL: usize = 60;

pub(crate) const ATTACKS: &[Attack] = &[
    Attack {
        name: "talk",
        connections: ALL,
        lines: None,
        reads: true,
        opening: |out, who| {
            enter(out, who);
            out.push_str("JOIN #talk\r\n");
        },
        line: |out, _, number| {
            let _ = write!(out, "PRIVMSG #talk :{number} {}\r\n", "x".repeat(400));
        },
    },
    Attack {
        name: "talk, reconnecting",
        connections: 16,
        lines: Some(20),
        reads: true,
        opening: |out, who| {
            enter(out, who);
            let _ = write!(out, "JOIN {ROOM}\r\n");
        },
        line: |out, _, number| {
            let _ = write!(out, "PRIVMSG {ROOM} :flood {number} {}\r\n", "x".repeat(300));
        },
    },
    Attack {
        name: "connects only",
        connections: 60,
        lines: Some(0),
        reads: true,
        opening: |_, _| {},
        line: |_, _, _| {},
    },
    Attack {
        name: "a line in each new room",
        connections: ALL,
        lines: Some(20),
        reads: true,
        opening: enter,
        line: |out, who, number| {
            let _ = write!(
                out,
                "JOIN #r{who}x{number}\r\nPRIVMSG #r{who}x{number} :x\r\nPART #r{who}x{number}\r\n"
            );
        },
    },
    Attack {
        name: "locked rooms with masks",
        connections: ALL,
        lines: Some(20),
        reads: true,
        opening: enter,
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
    },
    Attack {
        name: "private senders",
        connections: ALL,
        lines: Some(10),
        reads: true,
        opening: enter,
        line: |out, who, number| {
            let _ = write!(out, "NICK p{who}x{number}\r\nPRIVMSG m0 :psst\r\n");
        },
    },
    Attack {
        name: "NICK in 50 rooms",
        connections: ALL,
        lines: None,
        reads: true,
        opening: |out, who| {
            enter(out, who);
            in_rooms(out);
        },
        line: |out, who, number| {
            let _ = write!(out, "NICK n{who}x{number}\r\n");
        },
    },
    Attack {
        name: "TOPIC with 96 bans",
        connections: ALL,
        lines: None,
        reads: true,
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
    },
    Attack {
        name: "tags of 4 KB",
        connections: ALL,
        lines: None,
        reads: true,
        opening: |out, who| {
            out.push_str("CAP REQ :message-tags\r\n");
            enter(out, who);
            out.push_str("CAP END\r\nJOIN #tags\r\n");
        },
        line: |out, _, number| {
            let _ = write!(out, "@+x={} PRIVMSG #tags :{number}\r\n", "t".repeat(4_000));
        },
    },
    Attack {
        name: "one known id again",
        connections: ALL,
        lines: None,
        reads: true,
        opening: |out, who| {
            out.push_str("CAP REQ :message-tags echo-message\r\n");
            enter(out, who);
            let _ = write!(out, "CAP END\r\nJOIN {ROOM}\r\n@+parlor/id=same{who} PRIVMSG {ROOM} :x\r\n");
        },
        line: |out, who, _| {
            let _ = write!(out, "@+parlor/id=same{who} PRIVMSG {ROOM} :x\r\n");
        },
    },
    Attack {
        name: "pages of history",
        connections: ALL,
        lines: None,
        reads: true,
        opening: history,
        line: |out, _, number| {
            let _ = write!(
                out,
                "CHATHISTORY BEFORE {ROOM} timestamp=2099-01-01T00:00:00.{:03}Z 100\r\n",
                number % 1000
            );
        },
    },
    Attack {
        name: "searches of many words",
        connections: ALL,
        lines: None,
        reads: true,
        opening: history,
        line: |out, _, number| {
            let _ = write!(out, "SEARCH in={ROOM};text=");
            for word in 0..40 {
                let _ = write!(out, "w{word}\\s");
            }
            let _ = write!(out, "{number}\r\n");
        },
    },
    Attack {
        name: "masks of stars",
        connections: ALL,
        lines: None,
        reads: true,
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
    },
    Attack {
        name: "asks and never reads",
        connections: ALL,
        lines: None,
        reads: false,
        opening: |out, who| {
            enter(out, who);
            let _ = write!(out, "JOIN {ROOM}\r\n");
        },
        line: |out, _, _| {
            let _ = write!(out, "WHO {ROOM}\r\nNAMES {ROOM}\r\nLIST\r\nHELP\r\n");
        },
    },
    Attack {
        name: "half lines and nonsense",
        connections: ALL,
        lines: Some(3),
        reads: true,
        opening: |out, _| out.push_str("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
        line: |out, who, number| {
            let _ = write!(out, "{}{who} {number}", "\u{1}@;:=".repeat(200));
        },
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
