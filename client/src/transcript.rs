//! A conversation as a file: a line of text or a JSON object for each message.

use std::fs::{self, File};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::downloads;
use crate::limits::TRANSCRIPT;
use crate::session::{Line, LineKind};

/// How it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `2026-11-29T06:11:03.000Z bob: hello`; what goes on in another line is indented.
    Text,
    /// JSON Lines: an object with `time`, `id`, `from`, `text` and `kind` in each line.
    Json,
}

/// A file that is being written.
pub struct Transcript {
    file: BufWriter<File>,
    path: PathBuf,
    form: Form,
    bytes: u64,
}

impl Transcript {
    /// A new file in this folder, so `called`.
    pub fn begin(folder: &Path, called: &str, form: Form) -> io::Result<Transcript> {
        let extension = match form {
            Form::Text => "txt",
            Form::Json => "jsonl",
        };
        let (file, path) = downloads::make(folder, called, extension)?;
        Ok(Transcript { file: BufWriter::new(file), path, form, bytes: 0 })
    }

    /// The next lines; not more than [`TRANSCRIPT`] bytes in all.
    pub fn add(&mut self, lines: &[Line]) -> io::Result<()> {
        for line in lines {
            let written = match self.form {
                Form::Text => as_text(line),
                Form::Json => as_json(line),
            };
            self.bytes += written.len() as u64;
            if self.bytes > TRANSCRIPT {
                return Err(ErrorKind::FileTooLarge.into());
            }
            self.file.write_all(written.as_bytes())?;
        }
        Ok(())
    }

    /// All of it is on the disk, there; or none.
    pub fn end(mut self) -> io::Result<PathBuf> {
        let written = self.file.flush().and_then(|()| self.file.get_ref().sync_all());
        match written {
            Ok(()) => Ok(self.path),
            Err(error) => {
                self.discard();
                Err(error)
            }
        }
    }

    /// Nobody wants it any more.
    pub fn discard(self) {
        drop(self.file);
        if let Err(error) = fs::remove_file(&self.path) {
            log::warn!("{} stays: {error}", self.path.display());
        }
    }
}

/// With its line end.
fn as_text(line: &Line) -> String {
    // Nobody makes a line of somebody else's by going on in a new one.
    let text = line.text().lines().collect::<Vec<_>>().join("\n    ");
    let (time, from) = (line.at(), line.from());
    match line.kind() {
        LineKind::Action => format!("{time} * {from} {text}\n"),
        LineKind::Notice => format!("{time} -{from}- {text}\n"),
        _ => format!("{time} {from}: {text}\n"),
    }
}

/// The same as an object.
fn as_json(line: &Line) -> String {
    let kind = match line.kind() {
        LineKind::Action => "action",
        LineKind::Notice => "notice",
        _ => "said",
    };
    let id = line.msgid().map_or_else(|| "null".to_owned(), |id| quoted(&id));
    let (time, from, text) = (line.at(), quoted(line.from()), quoted(line.text()));
    format!("{{\"time\":\"{time}\",\"id\":{id},\"from\":{from},\"text\":{text},\"kind\":\"{kind}\"}}\n")
}

/// A text as JSON has it (RFC 8259 §7).
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            // The last two end a line for some.
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => {
                quoted.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::{LineId, Parts, UnixMillis};
    use crate::testing::Scratch;

    fn line(kind: LineKind, text: &str, msgid: Option<&str>) -> Line {
        let at = UnixMillis(1_700_000_000_123);
        Line::new(LineId(1), &Parts { kind, from: "zoë", text, at, msgid, ..Parts::default() })
    }

    #[test]
    fn a_message_is_a_line_and_nobody_makes_two_of_it() {
        let two = line(LineKind::Said, "first\n2026-11-29T06:11:03.000Z bob: never said", None);
        assert_eq!(
            as_text(&two),
            "2023-11-14T22:13:20.123Z zoë: first\n    2026-11-29T06:11:03.000Z bob: never said\n"
        );
        assert_eq!(as_text(&line(LineKind::Action, "waves", None)), "2023-11-14T22:13:20.123Z * zoë waves\n");
        assert_eq!(as_text(&line(LineKind::Notice, "hm", None)), "2023-11-14T22:13:20.123Z -zoë- hm\n");
    }

    #[test]
    fn json_keeps_every_character() {
        let odd = line(LineKind::Said, "a\"b\\c\nd\te\u{1}\u{2028}小", Some("id\"1"));
        assert_eq!(
            as_json(&odd),
            "{\"time\":\"2023-11-14T22:13:20.123Z\",\"id\":\"id\\\"1\",\"from\":\"zoë\",\
             \"text\":\"a\\\"b\\\\c\\nd\\te\\u0001\\u2028小\",\"kind\":\"said\"}\n"
        );
        assert!(as_json(&line(LineKind::Notice, "", None)).contains("\"id\":null,"));
    }

    #[test]
    fn no_file_is_written_over() {
        let folder = Scratch::default();
        let save = |text: &str| {
            let mut transcript = Transcript::begin(&folder, "lobby", Form::Text).unwrap();
            transcript.add(&[line(LineKind::Said, text, None)]).unwrap();
            transcript.end().unwrap()
        };
        let (first, second) = (save("one"), save("two"));
        assert_eq!(
            (first.file_name().unwrap(), second.file_name().unwrap()),
            ("lobby.txt".as_ref(), "lobby (2).txt".as_ref())
        );
        assert!(fs::read_to_string(first).unwrap().ends_with("zoë: one\n"));
        Transcript::begin(&folder, "lobby", Form::Text).unwrap().discard();
        assert!(!folder.join("lobby (3).txt").exists());
    }
}
