//! What a server says first: whether it speaks IRC, or is a tutorial's own chat server.
//!
//! Such a server greets with text, asks for a name with a word (`NICK`), or sends everybody what
//! it was sent, often without line ends.

use std::time::Duration;

/// The first line of a connection (IRCv3 capability negotiation).
pub(super) const FIRST_LINE: &str = "CAP LS 302";
/// Quiet that ends a text without a line end.
const QUIET: Duration = Duration::from_millis(150);
/// What servers send without a source before the welcome.
const COMMANDS: &[&str] =
    &["AUTHENTICATE", "CAP", "ERROR", "FAIL", "NOTE", "NOTICE", "PING", "PONG", "PRIVMSG", "WARN"];
/// How web, shell and mail servers, and some databases, begin.
const NO_CHAT: &[&str] = &["HTTP/", "<html", "<!", "<?xml", "SSH-", "+OK", "* OK", "-ERR"];

/// Who speaks, by a first line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opener {
    /// A server of IRC.
    Irc,
    /// A tutorial's chat server.
    Tutorial,
    /// No chat server at all.
    Other,
}

/// What has come of a first line.
#[derive(Debug, Default)]
pub(super) struct Opening {
    /// A line of IRC has come: all is told.
    over: bool,
    /// See [`Opening::ends`].
    ends: Option<Duration>,
}

impl Opening {
    /// Whether a line of IRC has come.
    pub(super) fn is_irc(&self) -> bool {
        self.over
    }

    /// Takes a whole line; `None`: nothing is to be learnt from it.
    pub(super) fn line(&mut self, line: &str) -> Option<Opener> {
        if self.over || line.trim().is_empty() {
            return None;
        }
        let opener = opener(line);
        self.over = opener == Opener::Irc;
        Some(opener)
    }

    /// Takes what has come of a line that has not ended yet.
    pub(super) fn unfinished(&mut self, bytes: &[u8], now: Duration) {
        let waits = !self.over && !may_become_irc(String::from_utf8_lossy(bytes).trim());
        self.ends = waits.then_some(now + QUIET);
    }

    /// When a text without a line end is all that comes, unless more of it comes.
    pub(super) fn ends(&self) -> Option<Duration> {
        self.ends
    }
}

/// Who sends a whole line, or a text that has ended without one.
pub(super) fn opener(line: &str) -> Opener {
    let line = line.trim();
    let word = line.split(' ').next().unwrap_or_default();
    if line == FIRST_LINE {
        Opener::Tutorial
    } else if has_form(line) || COMMANDS.contains(&word) || is_numeric(word) {
        Opener::Irc
    } else if NO_CHAT.iter().any(|start| line.starts_with(start)) || line.contains(is_binary) {
        Opener::Other
    } else {
        Opener::Tutorial
    }
}

/// Whether a line of IRC may begin so; with nothing every line does.
fn may_become_irc(text: &str) -> bool {
    let (word, more) = text.split_once(' ').map_or((text, false), |(word, _)| (word, true));
    let command = |command: &&str| if more { **command == *word } else { command.starts_with(word) };
    let numeric = word.bytes().all(|b| b.is_ascii_digit()) && word.len() <= 3;
    text != FIRST_LINE && (has_form(text) || COMMANDS.iter().any(command) || numeric)
}

/// A source or tags, or what old servers put a colon behind.
fn has_form(line: &str) -> bool {
    line.starts_with([':', '@']) || line.starts_with("ERROR")
}

/// Colours and tabs are text.
fn is_binary(c: char) -> bool {
    c.is_control() && !matches!(c, '\t' | '\u{1b}')
}

fn is_numeric(word: &str) -> bool {
    word.len() == 3 && word.bytes().all(|b| b.is_ascii_digit())
}
