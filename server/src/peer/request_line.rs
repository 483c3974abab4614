//! The first line of a browser's request (RFC 9112 §3), whatever its method: a page may have it say any
//! word.

use crate::protocol::line::MAX_UNFINISHED;

/// Methods that are enough to know one: nobody begins like that.
const METHODS: &[&[u8]] =
    &[b"GET", b"POST", b"PUT", b"HEAD", b"DELETE", b"OPTIONS", b"PATCH", b"TRACE", b"CONNECT", b"PRI"];
const VERSION: &[u8] = b"HTTP/";

/// What some first bytes are of a request line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum RequestLine {
    No,
    /// Two words, or the beginning of one more: what follows tells.
    Perhaps,
    /// The second word is none that people say.
    Likely,
    Yes,
}

/// Judges what has come so far of a connection.
pub(super) fn request_line(bytes: &[u8]) -> RequestLine {
    let said = bytes.trim_ascii_start();
    let begins_with = |method: &&[u8]| said.strip_prefix(*method).is_some_and(|rest| rest.starts_with(b" "));
    if METHODS.iter().any(begins_with) {
        return RequestLine::Yes;
    }
    let end = memchr::memchr(b'\n', said);
    let line = &said[..end.unwrap_or(said.len())];
    // As lenient as RFC 9112 lets a server be; what is stricter reads less as a request, not more.
    let space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | 0x0B | 0x0C);
    let mut words = line.split(space).filter(|word| !word.is_empty());
    let (method, target, version) = (words.next(), words.next(), words.next());
    let likely = target.is_some_and(|target| {
        target.starts_with(b"/") || target == b"*" || memchr::memmem::find(target, b"://").is_some()
    });
    match version {
        _ if words.next().is_some() => RequestLine::No,
        Some(version) if begins(version, VERSION) => RequestLine::Yes,
        _ if likely && line.len() > MAX_UNFINISHED => RequestLine::Yes,
        _ if end.is_some() => RequestLine::No,
        Some(version) if !begins(VERSION, version) => RequestLine::No,
        _ if likely => RequestLine::Likely,
        _ if method.is_some_and(|method| method.len() < line.len()) => RequestLine::Perhaps,
        _ => RequestLine::No,
    }
}

/// Whether a word begins with another one, in any case.
fn begins(word: &[u8], with: &[u8]) -> bool {
    word.get(..with.len()).is_some_and(|head| head.eq_ignore_ascii_case(with))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_word_may_be_a_method() {
        let long = format!("NICK /{} HTTP/1.1\r\n", "x".repeat(4096));
        let longer = format!("bob: /{}", "x".repeat(MAX_UNFINISHED));
        for line in [
            "GET ",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            "CONNECT a.example:443 HTTP/1.1\r\n",
            "NICK / HTTP/1.1\r\nHost: x\r\n",
            "nick / http/1.1\n",
            "\r\n\nUSER /a?b HTTP/1.0",
            "bob:  /\tHTTP/2",
            "PING http://a.example/ HTTP/1.1\r\n",
            "你好 / HTTP/1.1\r\n",
            "x a.example:80 HTTP/",
            &long,
            &longer,
        ] {
            assert_eq!(request_line(line.as_bytes()), RequestLine::Yes, "{line}");
        }
    }

    #[test]
    fn a_piece_is_waited_for() {
        for line in ["NICK /", "bob: /x HT", "PUNCH *", "x http://a.example/ h", "get /"] {
            assert_eq!(request_line(line.as_bytes()), RequestLine::Likely, "{line}");
        }
        for line in ["bob: ", "hello there", "hello there ", "hello there H", "你好 大家"] {
            assert_eq!(request_line(line.as_bytes()), RequestLine::Perhaps, "{line}");
        }
    }

    #[test]
    fn people_say_other_things() {
        for line in [
            "",
            "bob",
            "PO",
            "你好",
            "hello there, all",
            "hello there you",
            "I like HTTP/2 best",
            "we all like HTTP/1.1",
            "USER bob 0 * :fan of HTTP/1.1\r\n",
            "see /tmp/x\n",
            "bob: hi\nGET / HTTP/1.1\r\n",
        ] {
            assert_eq!(request_line(line.as_bytes()), RequestLine::No, "{line}");
        }
    }
}
