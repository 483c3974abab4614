//! Tags and words on their way into replies (IRCv3 labeled-response, batch).

use crate::hub::delivery::lines::Line;
use crate::protocol::line::MAX_BODY;

/// Words on their way into lines of at most [`MAX_BODY`] bytes.
pub(crate) struct Packed {
    /// The line that has room still.
    pub(crate) line: String,
    room: usize,
    separator: char,
}

impl Packed {
    /// In lines that have so many bytes besides.
    pub(crate) fn behind(fixed: usize, separator: char) -> Packed {
        Packed { line: String::new(), room: MAX_BODY.saturating_sub(fixed), separator }
    }

    /// Adds a word; gives out the line before it where that has no room for it.
    pub(crate) fn add(&mut self, word: &str) -> Option<String> {
        let full = !self.line.is_empty() && self.line.len() + 1 + word.len() > self.room;
        let done = full.then(|| std::mem::take(&mut self.line));
        if !self.line.is_empty() {
            self.line.push(self.separator);
        }
        self.line.push_str(word);
        done
    }
}

/// A line with one more tag, if that has a value: the label of a command, or a batch.
pub(crate) fn with_tag(key: &str, value: Option<&str>, line: Line) -> Line {
    match value {
        Some(value) => tagged(&format!("{key}={value}"), &line),
        None => line,
    }
}

/// A line with one more tag in front of those it has.
pub(crate) fn tagged(tag: &str, line: &[u8]) -> Line {
    let mut with = Vec::with_capacity(line.len() + tag.len() + 2);
    with.push(b'@');
    with.extend_from_slice(tag.as_bytes());
    match line.strip_prefix(b"@") {
        Some(rest) => {
            with.push(b';');
            with.extend_from_slice(rest);
        }
        None => {
            with.push(b' ');
            with.extend_from_slice(line);
        }
    }
    with.into()
}
