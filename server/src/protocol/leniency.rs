//! How strictly the wire is read. All that our client takes and our server does not stands here.

use super::line::MAX_UNFINISHED;
use super::time::UnixMillis;

/// How strictly the wire is read: a server holds its clients to the specifications, a client takes
/// what servers send that are slightly wrong.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Leniency {
    /// For a server.
    #[default]
    Strict,
    /// For a client.
    Lenient,
}

impl Leniency {
    /// Bytes of a line behind the tags, with CR LF, that a client believes a server's LINELEN.
    pub const MAX_LINELEN: usize = 16 * 1024;
    /// Bytes of tags in a server's line, with the leading `@` and the closing space (IRCv3
    /// message-tags).
    pub const MAX_SERVER_TAGS: usize = 8191;

    /// Bytes that may arrive without a line end.
    pub fn max_unfinished(self) -> usize {
        match self {
            Leniency::Strict => MAX_UNFINISHED,
            Leniency::Lenient => Self::MAX_SERVER_TAGS + Self::MAX_LINELEN,
        }
    }

    /// A time; strictly as server-time has it, leniently as RFC 3339.
    pub fn time(self, text: &str) -> Option<UnixMillis> {
        match self {
            Leniency::Strict => UnixMillis::parse(text),
            Leniency::Lenient => UnixMillis::parse_rfc3339(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_takes_the_longest_line_of_any_server() {
        let longest = Leniency::MAX_SERVER_TAGS + Leniency::MAX_LINELEN;
        assert_eq!(Leniency::Lenient.max_unfinished(), longest);
        assert!(Leniency::Strict.max_unfinished() < longest);
    }

    #[test]
    fn times_of_other_servers() {
        for (text, same) in [
            ("2026-11-20T22:34:56.007Z", "2026-11-20T22:34:56.007Z"),
            ("2026-11-20t22:34:56.007z", "2026-11-20T22:34:56.007Z"),
            ("2026-11-20 22:34:56Z", "2026-11-20T22:34:56.000Z"),
            ("2026-11-20T23:34:56+01:00", "2026-11-20T22:34:56.000Z"),
            ("2026-11-20T17:04:56.25-05:30", "2026-11-20T22:34:56.250Z"),
        ] {
            assert_eq!(Leniency::Lenient.time(text).map(|time| time.to_string()).as_deref(), Some(same));
            assert_eq!(Leniency::Strict.time(text).is_some(), text == same, "{text}");
        }
        for text in
            ["2026-02-30T00:00:00Z", "1970-01-01T00:00:00+01:00", "2026-11-20T22:34:56", "+", "-", "é"]
        {
            for leniency in [Leniency::Strict, Leniency::Lenient] {
                assert_eq!(leniency.time(text), None, "{text} {leniency:?}");
            }
        }
    }
}
