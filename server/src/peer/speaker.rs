//! Tells from the first bytes what a connection speaks. A pure function: the connection asks
//! it again with each byte that comes.

use super::first_chunk::{self, First};
use super::request_line::{RequestLine, request_line};
use crate::hub::{RawKind, is_command};
use crate::protocol::line::{MAX_BODY, MAX_UNFINISHED};
use crate::protocol::{Message, Nick};

/// The judgement on the first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Not enough to tell.
    Unclear,
    /// The IRC client protocol.
    Irc,
    /// A person at a terminal, who wrote a name.
    Plain,
    /// A raw client.
    Raw,
    /// Something that must not talk in a room; close it without a word.
    Refuse(&'static str),
}

/// Commands that a client may begin with.
const FIRST: &[&str] = &["AUTHENTICATE", "CAP", "NICK", "PASS", "PING", "PONG", "QUIT", "USER"];

/// The reason to refuse a browser.
pub(super) const HTTP: &str = "HTTP is not spoken here";
/// The reason to refuse what is none of those who are served.
pub(super) const NO_CHAT: &str = "Neither a chat program nor a person";

/// Takes the byte order mark away that Windows programs begin a text with.
pub(super) fn strip_mark(begun: &mut Vec<u8>) {
    while begun.starts_with("\u{feff}".as_bytes()) {
        begun.drain(.."\u{feff}".len());
    }
}

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
            // Tags are long, and so is what a raw client may begin with.
            let long = bytes.len() > MAX_BODY;
            let more = bytes.len() <= MAX_UNFINISHED && (said.starts_with(b"@") || raw_if_silent(said));
            return if long && !more {
                Verdict::Refuse("First line without an end")
            } else {
                Verdict::Unclear
            };
        }
    };
    let line = String::from_utf8_lossy(line);
    let line = line.trim_end();
    // A name never has a space in it; a bare lower-case word may well be one.
    if let Some(message) = Message::parse(line)
        && is_command(message.command)
        && (is_upper(message.command) || !message.params.is_empty())
    {
        return Verdict::Irc;
    }
    match first_chunk::judge(line, false) {
        First::Speaks { kind: RawKind::Html | RawKind::Named(_), .. } | First::Leaves => Verdict::Raw,
        // The last words of a raw client, unless they are a name that somebody piped in.
        _ if end.is_none() && Nick::parse(line).is_err() && raw_if_silent(said) => Verdict::Raw,
        _ => Verdict::Plain,
    }
}

/// Whether bytes without a line end that nothing follows are a raw client's: text, and not the
/// beginning of a command.
pub(super) fn raw_if_silent(bytes: &[u8]) -> bool {
    let said = bytes.trim_ascii_start();
    // 0xFF begins a telnet program's options (RFC 854), and no text.
    let text = is_text(said) && said.first().is_some_and(|first| *first != 0xFF);
    text && !may_become_irc(&String::from_utf8_lossy(&said[..said.len().min(MAX_BODY)]))
}

/// Whether a line that begins so may be one of IRC.
fn may_become_irc(begun: &str) -> bool {
    let mut rest = begun;
    for (sign, inside) in [('@', "+"), (':', "[]\\`_^{|}")] {
        let Some(source) = rest.strip_prefix(sign) else { continue };
        let begins = |c: char| c.is_ascii_alphanumeric() || inside.contains(c);
        match source.split_once(' ') {
            _ if !source.is_empty() && !source.starts_with(begins) => return false,
            Some((_, after)) => rest = after.trim_start(),
            None => return true,
        }
    }
    match rest.split_once(' ') {
        Some((verb, _)) if is_upper(verb) => is_command(verb),
        Some((verb, _)) => FIRST.iter().any(|first| first.eq_ignore_ascii_case(verb)),
        None => FIRST.iter().any(|first| first.starts_with(rest.trim_end())),
    }
}

fn is_upper(word: &str) -> bool {
    !word.bytes().any(|b| b.is_ascii_lowercase())
}

/// Whether a read brought what one key sends: a character, or a sequence of a terminal.
pub(super) fn is_key(read: &[u8]) -> bool {
    let one = || std::str::from_utf8(read).is_ok_and(|text| text.chars().count() == 1);
    matches!(read, [] | [_] | b"\r\n" | [0x1B, ..]) || one()
}

/// Whether bytes hold no control characters.
pub(super) fn is_text(bytes: &[u8]) -> bool {
    !bytes.iter().any(|b| (*b < 0x20 && !matches!(b, b'\t' | b'\n' | b'\r')) || *b == 0x7F)
}

/// The reason why these bytes come from neither a chat program nor a person.
pub(crate) fn foreign(bytes: &[u8]) -> Option<&'static str> {
    if bytes.first() == Some(&0x16) {
        return Some("TLS is not spoken here");
    }
    if bytes.starts_with(b"SSH-") {
        return Some("SSH is not spoken here");
    }
    if request_line(bytes) == RequestLine::Yes {
        return Some(HTTP);
    }
    // Formatting codes and a terminal's arrow keys come from people.
    let garbage = |b: &u8| {
        *b < 0x20
            && !matches!(b, b'\t' | b'\n' | b'\r' | 0x01..=0x06 | 0x0F | 0x11 | 0x16 | 0x1B | 0x1D..=0x1F)
    };
    // Only the first line counts: what follows is judged by its protocol, however it is cut.
    if bytes.iter().take_while(|b| **b != b'\n').any(garbage) {
        return Some(NO_CHAT);
    }
    None
}

/// Whether this is how an IRC program begins, and nothing that people say (IRCv3 capability
/// negotiation; RFC 2812 §3.1).
pub(super) fn registers(text: &str) -> bool {
    let begins = |line: &str| ["PASS ", "NICK ", "USER "].iter().any(|verb| line.starts_with(verb));
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default();
    first.starts_with("CAP LS") || begins(first) && lines.any(begins)
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
    fn an_irc_program_registers_and_a_person_does_not() {
        for text in ["CAP LS 302\r\n", "NICK bob\r\nUSER a 0 * :b\r\n", "PASS x\r\nNICK bob\r\n"] {
            assert!(registers(text), "{text}");
        }
        for text in ["", "NICK bob", "USER says hi\nto all", "join us", "CAPS LOCK", "bob: NICK x\nUSER y"] {
            assert!(!registers(text), "{text}");
        }
    }

    #[test]
    fn anything_else_is_a_person() {
        for line in
            ["bob\n", "小明\r\n", "nick\n", "hello world\n", "time\n", "\nbob\n", "\u{fffd}\n", "\x1b[Abob\n"]
        {
            assert_eq!(tell(line.as_bytes(), false), Verdict::Plain, "{line}");
        }
        for line in ["bob:\n", "bob:hello\n", "12:30 is fine\n", "two words: hi\n"] {
            assert_eq!(tell(line.as_bytes(), false), Verdict::Plain, "{line}");
        }
        assert_eq!(tell(b"bob", true), Verdict::Plain);
    }

    #[test]
    fn a_line_that_names_and_says_is_a_raw_client() {
        for line in [
            "bob: hi\n",
            "小红：早\n",
            "<font color=\"Blue\">zoe</font>: hi\n",
            "@断开连接@\n",
            "NICKY: hi\n",
        ] {
            assert_eq!(tell(line.as_bytes(), false), Verdict::Raw, "{line}");
        }
        for line in ["hello there", "小红：早", "see this!", ":)"] {
            assert_eq!(tell(line.as_bytes(), false), Verdict::Unclear, "{line}");
            assert_eq!(tell(line.as_bytes(), true), Verdict::Raw, "{line}");
        }
        assert_eq!(tell("明".repeat(2730).as_bytes(), false), Verdict::Unclear);
        assert!(matches!(tell("明".repeat(2731).as_bytes(), false), Verdict::Refuse(_)));
        assert_eq!(tell(b"PRIVMSG #a :<font>a</font>: b\n", false), Verdict::Irc);
    }

    #[test]
    fn silence_ends_what_is_no_command() {
        for said in [
            "hello",
            "bob: hi",
            "小红：早",
            "who is there",
            "time to go",
            ":)",
            "@bob hi",
            "@断开连接@",
            "OK",
            "NICKY: x",
        ] {
            assert!(raw_if_silent(said.as_bytes()), "{said}");
        }
        for said in [
            "",
            " ",
            "N",
            "NI",
            "NICK",
            "NICK b",
            "nick bo",
            "CAP LS 302",
            "PRIVMSG #a",
            "@label=1 CA",
            "@",
            ":",
            ":bob NICK",
            "PASS a: b",
            "\x1b[A",
            "a\x7f",
            "a\0",
        ] {
            assert!(!raw_if_silent(said.as_bytes()), "{said}");
        }
        assert!(!raw_if_silent(b"\xFF\xFB\x1F\xFF\xFB\x20"), "PuTTY's telnet");
    }

    #[test]
    fn a_key_is_a_character() {
        assert!([&b"b"[..], "小".as_bytes(), b"\r\n", b"\x1b[A"].into_iter().all(is_key));
        assert!(![&b"bo"[..], "小明".as_bytes(), b"bob\r\n"].into_iter().any(is_key));
    }

    #[test]
    fn while_no_line_has_ended_nothing_is_decided() {
        for line in ["", "NICK bob", "bob", "\r\n", "GE"] {
            assert_eq!(tell(line.as_bytes(), false), Verdict::Unclear, "{line}");
        }
        let long = format!("NICK {}", "x".repeat(508));
        assert!(matches!(tell(long.as_bytes(), false), Verdict::Refuse(_)));
        let mut tagged = vec![b'x'; 4000];
        tagged[0] = b'@';
        assert_eq!(tell(&tagged, false), Verdict::Unclear);
    }

    #[test]
    fn strangers_are_refused() {
        for bytes in [
            &b"GET / HTTP/1.1\r\n"[..],
            b"POST ",
            b"SSH-2.0-x\r\n",
            b"\x16\x03\x01",
            b"a\0b\n",
            b"NICK / HTTP/1.1\r\n",
            b"FOO http://a.example/ HTTP/1.1",
        ] {
            assert!(matches!(tell(bytes, false), Verdict::Refuse(_)), "{bytes:?}");
        }
    }
}
