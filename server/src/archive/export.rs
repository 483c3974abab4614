//! A room's history on standard output, while the server is stopped.

use std::fmt;
use std::io::{self, ErrorKind, Write};
use std::path::PathBuf;
use std::sync::Arc;

use crate::hub::history::Told;
use crate::protocol::name::is_invisible;
use crate::protocol::text::{action, printable};
use crate::protocol::time::UnixMillis;
use crate::protocol::{Folded, MsgId};
use crate::start::config::{Format, History};
use crate::store::{self, StoreError};

/// Records between two lines of progress.
const PROGRESS: u64 = 100_000;
/// Rooms that are named where another one was looked for.
const MAX_NAMED: usize = 20;

/// The reason why an export ended early, or lacks something.
#[derive(Debug)]
#[expect(missing_docs, reason = "the fields are what the variants say")]
pub enum ExportError {
    /// The history cannot be read.
    History(StoreError),
    /// Nothing is known of the room.
    NoSuchRoom { room: String, folder: PathBuf, known: Vec<Arc<str>> },
    /// All that is whole was written; `progress` was told of the rest.
    Damaged { room: String, written: u64 },
    /// The output takes no more. A pipe that was closed is no error: whoever read it
    /// has read enough.
    Output(io::Error),
}

impl ExportError {
    /// The exit code, after BSD's sysexits.
    pub fn exit_code(&self) -> i32 {
        match self {
            ExportError::History(error) => error.exit_code(),
            ExportError::Damaged { .. } => 65,
            ExportError::NoSuchRoom { .. } => 66,
            ExportError::Output(_) => 74,
        }
    }
}

impl fmt::Display for ExportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ExportError::History(error) => write!(f, "{error}"),
            ExportError::NoSuchRoom { room, folder, known } => {
                write!(f, "There is no room {room} in {}; there {}.", folder.display(), are(known))
            }
            ExportError::Damaged { room, written } => {
                write!(f, "{written} records of {room} can be read; those that are damaged were left out.")
            }
            ExportError::Output(error) => write!(f, "Cannot write the export: {error}."),
        }
    }
}

impl std::error::Error for ExportError {}

/// Names of rooms, as the end of a sentence.
fn are(rooms: &[Arc<str>]) -> String {
    let named = rooms.get(..MAX_NAMED).unwrap_or(rooms);
    let rest = match rooms.len() - named.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    match named {
        [] => "are none".into(),
        [room] => format!("is {room}"),
        rooms => format!("are {}{rest}", rooms.join(", ")),
    }
}

/// Writes a room's records from `since` on, as far as the retention lets them be kept `now`, oldest
/// first; says how many. `progress` gets a sentence now and then, if there is much, and one for each
/// file that is damaged.
///
/// # Errors
/// Everything that [`ExportError`] names; whatever was written before it is whole.
pub fn export(
    history: &History,
    room: &str,
    (since, now): (UnixMillis, UnixMillis),
    format: Format,
    out: &mut impl Write,
    mut progress: impl FnMut(String),
) -> Result<u64, ExportError> {
    let records =
        store::Export::open(&history.folder, history.options(now), Folded::new(room).as_str(), since.0)
            .map_err(ExportError::History)?;
    // What two people say to each other stands beside, and is nobody else's.
    if !records.is_known() || !room.starts_with('#') {
        let (room, folder) = (printable(room), history.folder.clone());
        let mut known = records.rooms();
        // What people have read of them is kept beside.
        known.retain(|name| name.starts_with('#'));
        return Err(ExportError::NoSuchRoom { room, folder, known });
    }
    let total = records.records();
    let (mut written, mut damaged) = (0, false);
    for record in records {
        let record = match record {
            Ok(record) => record,
            Err(error @ StoreError::Damaged { .. }) => {
                damaged = true;
                progress(error.to_string());
                continue;
            }
            Err(error) => return Err(ExportError::History(error)),
        };
        let Some(told) = Told::parse(&record.payload) else { continue };
        let line = match format {
            Format::Text => text(record.id, &told),
            Format::Jsonl => jsonl(room, record.id, &told),
        };
        match writeln!(out, "{line}") {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(written),
            result => result.map_err(ExportError::Output)?,
        }
        written += 1;
        if written % PROGRESS == 0 {
            progress(format!("{written} of at most {total} records"));
        }
    }
    match out.flush() {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
        result => result.map_err(ExportError::Output)?,
    }
    if damaged { Err(ExportError::Damaged { room: room.into(), written }) } else { Ok(written) }
}

fn text(id: MsgId, told: &Told<'_>) -> String {
    let lines: Vec<String> = told.first.split('\n').map(visible).collect();
    let (time, nick, first) = (id.time(), told.nick(), lines.join("\n    "));
    match told.kind {
        "PRIVMSG" if told.first.starts_with('\u{1}') => {
            format!("{time} * {nick} {}", visible(action(told.first).unwrap_or(told.first)))
        }
        "PRIVMSG" => format!("{time} <{nick}> {first}"),
        "NOTICE" => format!("{time} -{nick}- {first}"),
        "KICK" => format!("{time} * {nick} KICK {first} {}", visible(told.second)),
        "DELETED" => {
            let by = told.first.split('!').next().unwrap_or_default();
            let why =
                if told.second.is_empty() { String::new() } else { format!(": {}", visible(told.second)) };
            format!("{time} * a line of {nick} was deleted by {by}{why}")
        }
        kind => format!("{time} * {nick} {kind} {first}").trim_end().to_owned(),
    }
}

/// Text for a terminal in which nothing is hidden and nothing turns its neighbours around: such a
/// character stands as `\u{202e}`.
fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_deceptive(c) { shown.extend(c.escape_unicode()) } else { shown.push(c) }
    }
    printable(&shown)
}

/// Invisible, and none of those that join letters and emoji or choose their form.
fn is_deceptive(c: char) -> bool {
    is_invisible(c) && !matches!(c, '\u{200C}' | '\u{200D}' | '\u{FE00}'..='\u{FE0F}')
}

fn jsonl(room: &str, id: MsgId, told: &Told<'_>) -> String {
    let mut line = format!(
        "{{\"time\":{},\"msgid\":{},\"room\":{},\"kind\":{},\"from\":{}",
        quoted(&id.time().to_string()),
        quoted(&id.to_string()),
        quoted(room),
        quoted(told.kind),
        quoted(told.prefix),
    );
    let names = if told.kind == "DELETED" { ["by", "reason", "tags"] } else { ["text", "more", "tags"] };
    for (name, value) in names.into_iter().zip([told.first, told.second, told.tags]) {
        if !value.is_empty() {
            line.push_str(&format!(",\"{name}\":{}", quoted(value)));
        }
    }
    line + "}"
}

/// A JSON string (RFC 8259 §7), in which what a terminal would obey or not show is escaped.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() || is_deceptive(c) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    quoted.push_str(&format!("\\u{unit:04x}"));
                }
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
