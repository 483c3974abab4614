//! Tags and words on their way into replies (IRCv3 labeled-response, batch).

use crate::hub::delivery::lines::Line;
use crate::protocol::line::MAX_BODY;
use crate::protocol::tag::BATCH;

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

/// A line with one more tag in front of those it has. Where several lines are one message, a batch is the
/// tag of each that is in no other batch within it, anything else that of the first.
pub(crate) fn tagged(tag: &str, line: &[u8]) -> Line {
    let is_batch = tag.split_once('=').is_some_and(|(key, _)| key == BATCH);
    let mut with = Vec::with_capacity(line.len() + tag.len() + 2);
    for (number, line) in line.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let inner = line.strip_prefix(b"@batch=").is_some();
        if number > 0 && !is_batch || is_batch && inner {
            with.extend_from_slice(line);
            continue;
        }
        with.push(b'@');
        with.extend_from_slice(tag.as_bytes());
        let rest = line.strip_prefix(b"@");
        with.push(if rest.is_some() { b';' } else { b' ' });
        with.extend_from_slice(rest.unwrap_or(line));
    }
    with.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_the_tag_of_each_line_and_a_label_of_the_first() {
        let tag = |tag, line: &str| String::from_utf8_lossy(&tagged(tag, line.as_bytes())).into_owned();
        assert_eq!(tag("label=x", ":a A\r\n"), "@label=x :a A\r\n");
        assert_eq!(tag("label=x", "@t=1 A\r\nB\r\n"), "@label=x;t=1 A\r\nB\r\n");
        let message = "@t=1 BATCH +m\r\n@batch=m A\r\nBATCH -m\r\n";
        let outer = "@batch=o;t=1 BATCH +m\r\n@batch=m A\r\n@batch=o BATCH -m\r\n";
        assert_eq!(tag("batch=o", message), outer);
    }
}
