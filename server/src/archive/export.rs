//! A room's history on standard output, while the server is stopped.

use std::io::{self, Write};
use std::sync::Arc;

use crate::hub::history::Told;
use crate::protocol::text::{action, printable};
use crate::protocol::time::UnixMillis;
use crate::protocol::{Folded, MsgId};
use crate::store::{self, StoreError};
use crate::{Keep, StartError};

/// Records between two lines of progress.
const PROGRESS: u64 = 100_000;

/// How an export is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A line for people: time, who, what.
    Text,
    /// A JSON object a line, with everything that is kept.
    Jsonl,
}

/// Why an export ended early.
#[derive(Debug)]
pub enum ExportError {
    /// The history cannot be read.
    History(StoreError),
    /// Nothing is known of the room; these are the rooms that are known.
    NoSuchRoom(Vec<Arc<str>>),
    /// All that is whole was written, so many records; what is damaged was said.
    Damaged(u64),
    /// What it is written to takes no more.
    Output(io::Error),
}

/// Writes a room's records from `since` on, as far as `keep` lets them be kept `now`, oldest first;
/// says how many. `progress` gets a sentence now and then, if there is much, and one for each file
/// that is damaged.
pub fn export(
    keep: &Keep,
    room: &str,
    (since, now): (UnixMillis, UnixMillis),
    format: Format,
    out: &mut impl Write,
    mut progress: impl FnMut(String),
) -> Result<u64, ExportError> {
    let records = store::Export::open(&keep.folder, keep.options(now), Folded::new(room).as_str(), since.0)
        .map_err(ExportError::History)?;
    if !records.is_known() {
        return Err(ExportError::NoSuchRoom(records.rooms()));
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
        writeln!(out, "{line}").map_err(ExportError::Output)?;
        written += 1;
        if written % PROGRESS == 0 {
            progress(format!("{written} of at most {total} records"));
        }
    }
    out.flush().map_err(ExportError::Output)?;
    if damaged { Err(ExportError::Damaged(written)) } else { Ok(written) }
}

/// Compacts the history in a folder; says how many bytes it had and has.
pub fn compact(keep: &Keep, now: UnixMillis) -> Result<(u64, u64), StartError> {
    store::compact(&keep.folder, keep.options(now)).map_err(StartError::History)
}

fn text(id: MsgId, told: &Told<'_>) -> String {
    let (time, nick, first) = (id.time(), told.nick(), printable(told.first));
    match told.kind {
        "PRIVMSG" if told.first.starts_with('\u{1}') => {
            format!("{time} * {nick} {}", printable(action(told.first).unwrap_or(told.first)))
        }
        "PRIVMSG" => format!("{time} <{nick}> {first}"),
        "NOTICE" => format!("{time} -{nick}- {first}"),
        "KICK" => format!("{time} * {nick} KICK {first} {}", printable(told.second)),
        kind => format!("{time} * {nick} {kind} {first}").trim_end().to_owned(),
    }
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
    for (name, value) in [("text", told.first), ("more", told.second), ("tags", told.tags)] {
        if !value.is_empty() {
            line.push_str(&format!(",\"{name}\":{}", quoted(value)));
        }
    }
    line + "}"
}

/// A JSON string (RFC 8259 §7).
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
