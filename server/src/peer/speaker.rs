//! Tells from the first bytes what a connection speaks. A pure function: the connection asks
//! it again with each byte that comes.

use crate::hub::is_command;
use crate::protocol::Message;
use crate::protocol::line::{MAX_BODY, MAX_UNFINISHED};

/// The judgement on the first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Not enough to tell.
    Unclear,
    /// The IRC client protocol.
    Irc,
    /// A person at a terminal, who wrote a name.
    Plain,
    /// Something that must not talk in a room; close it without a word.
    Refuse(&'static str),
}

const HTTP: &[&[u8]] = &[
    b"GET ",
    b"POST ",
    b"PUT ",
    b"HEAD ",
    b"DELETE ",
    b"OPTIONS ",
    b"PATCH ",
    b"TRACE ",
    b"CONNECT ",
    b"PRI ",
];

/// Judges all that has come so far; `ended`: nothing will follow.
pub(crate) fn tell(bytes: &[u8], ended: bool) -> Verdict {
    // Somebody who only pressed Enter has said nothing yet.
    let said = bytes.trim_ascii_start();
    if let Some(reason) = foreign(said) {
        return Verdict::Refuse(reason);
    }
    let end = said.iter().position(|b| *b == b'\n');
    let line = match end {
        Some(end) => &said[..end],
        None if ended && !said.is_empty() => said,
        None => {
            let most = if said.starts_with(b"@") { MAX_UNFINISHED } else { MAX_BODY };
            let over = bytes.len() > most;
            return if over { Verdict::Refuse("First line without an end") } else { Verdict::Unclear };
        }
    };
    let line = String::from_utf8_lossy(line);
    let Some(message) = Message::parse(line.trim_end()) else { return Verdict::Plain };
    let word = message.command;
    let upper = !word.bytes().any(|b| b.is_ascii_lowercase());
    // A name never has a space in it; a bare lower-case word may well be one.
    if is_command(word) && (upper || !message.params.is_empty()) { Verdict::Irc } else { Verdict::Plain }
}

/// The reason why these bytes come from neither a chat program nor a person.
pub(crate) fn foreign(bytes: &[u8]) -> Option<&'static str> {
    if bytes.first() == Some(&0x16) {
        return Some("TLS is not spoken here");
    }
    if bytes.starts_with(b"SSH-") {
        return Some("SSH is not spoken here");
    }
    if HTTP.iter().any(|verb| bytes.starts_with(verb)) {
        return Some("HTTP is not spoken here");
    }
    // Formatting codes and a terminal's arrow keys come from people.
    let garbage = |b: &u8| {
        *b < 0x20
            && !matches!(b, b'\t' | b'\n' | b'\r' | 0x01..=0x06 | 0x0F | 0x11 | 0x16 | 0x1B | 0x1D..=0x1F)
    };
    // Only the first line counts: what follows is judged by its protocol, however it is cut.
    if bytes.iter().take_while(|b| **b != b'\n').any(garbage) {
        return Some("Neither a chat program nor a person");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verb_means_irc() {
        for line in [
            "NICK bob\r\n",
            "nick bob\n",
            "CAP LS 302\n",
            "QUIT\n",
            "PING :x\n",
            "@label=1 CAP LS\n",
            ":me PASS x\n",
            "\r\nUSER a 0 * :b\n",
        ] {
            assert_eq!(tell(line.as_bytes(), false), Verdict::Irc, "{line}");
        }
    }

    #[test]
    fn anything_else_is_a_person() {
        for line in
            ["bob\n", "小明\r\n", "nick\n", "hello world\n", "time\n", "\nbob\n", "\u{fffd}\n", "\x1b[Abob\n"]
        {
            assert_eq!(tell(line.as_bytes(), false), Verdict::Plain, "{line}");
        }
        assert_eq!(tell(b"bob", true), Verdict::Plain);
    }

    #[test]
    fn while_no_line_has_ended_nothing_is_decided() {
        for line in ["", "NICK bob", "bob", "\r\n", "GE"] {
            assert_eq!(tell(line.as_bytes(), false), Verdict::Unclear, "{line}");
        }
        assert!(matches!(tell(&[b'x'; 513], false), Verdict::Refuse(_)));
        let mut tagged = vec![b'x'; 4000];
        tagged[0] = b'@';
        assert_eq!(tell(&tagged, false), Verdict::Unclear);
    }

    #[test]
    fn strangers_are_refused() {
        for bytes in [&b"GET / HTTP/1.1\r\n"[..], b"POST ", b"SSH-2.0-x\r\n", b"\x16\x03\x01", b"a\0b\n"] {
            assert!(matches!(tell(bytes, false), Verdict::Refuse(_)), "{bytes:?}");
        }
    }
}
