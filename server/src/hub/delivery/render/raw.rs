//! For raw clients: chat programs of tutorials.

use crate::hub::delivery::event::{Event, What};
use crate::hub::state::SERVER;
use crate::hub::state::member::RawKind;
use crate::protocol::command::Verb;
use crate::protocol::html;
use crate::protocol::text::{self, printable};

/// Appends an event as one message; false if the client is not told.
pub(crate) fn write(event: &Event<'_>, kind: RawKind, to: &mut String) -> bool {
    let Some(line) = line(event) else { return false };
    match kind {
        RawKind::Ascii => to.extend(line.chars().map(|c| if c.is_ascii() { c } else { '?' })),
        RawKind::Html => to.push_str(&html::escaped(&line)),
        RawKind::Utf8 => to.push_str(&line),
    }
    true
}

/// `name: text` for a raw client, which is told of nothing but talk.
fn line(event: &Event<'_>) -> Option<String> {
    let nick = &event.from.nick;
    Some(match &event.what {
        What::Message { verb: Verb::Privmsg | Verb::Notice, text, .. } => {
            if text.starts_with(text::CTCP) {
                format!("{nick}: * {}\n", printable(text::action(text)?))
            } else {
                format!("{nick}: {}\n", printable(text))
            }
        }
        What::Announcement { text, .. } => format!("{SERVER}: {}\n", printable(text)),
        _ => return None,
    })
}
