//! For raw clients: chat programs of tutorials, each in the words of its own server.

use crate::hub::delivery::event::{Event, What};
use crate::hub::state::SERVER;
use crate::hub::state::member::RawKind;
use crate::protocol::command::Verb;
use crate::protocol::html;
use crate::protocol::raw::{self, Colon, JOINED, LEFT};
use crate::protocol::text::{self, printable};

/// Appends an event as one message; false if the client is not told.
pub(crate) fn write(event: &Event<'_>, kind: RawKind, to: &mut String) -> bool {
    let Some(line) = line(event, kind) else { return false };
    to.push_str(&line);
    true
}

fn line(event: &Event<'_>, kind: RawKind) -> Option<String> {
    let nick = &event.from.nick;
    Some(match &event.what {
        What::Message { verb: Verb::Privmsg | Verb::Notice, text, .. } if text.starts_with(text::CTCP) => {
            talk(nick, &format!("* {}", printable(text::action(text)?)), kind)
        }
        What::Message { verb: Verb::Privmsg | Verb::Notice, text, .. } => talk(nick, &printable(text), kind),
        What::Announcement { text, .. } => talk(SERVER, &printable(text), kind),
        What::Join { .. } => match kind {
            RawKind::Html => html::paragraph("Purple", &format!("{nick}{JOINED}"), ""),
            RawKind::Prompted => format!("{nick} joined the chat!\n"),
            RawKind::Named(_) | RawKind::Bare => return None,
        },
        What::Part { .. } | What::Quit { .. } => left(nick, kind)?,
        What::Kick { nick, .. } => left(nick, kind)?,
        _ => return None,
    })
}

fn talk(from: &str, text: &str, kind: RawKind) -> String {
    match kind {
        RawKind::Html => html::paragraph("Blue", from, &format!(": {text}")),
        RawKind::Named(colon) => raw::message(from, colon, text),
        RawKind::Prompted | RawKind::Bare => raw::message(from, Colon::Ascii, text),
    }
}

fn left(nick: &str, kind: RawKind) -> Option<String> {
    match kind {
        RawKind::Html => Some(html::paragraph("Orange", &format!("{nick}{LEFT}"), "")),
        RawKind::Prompted => Some(format!("{nick} left the chat!\n")),
        RawKind::Named(_) | RawKind::Bare => None,
    }
}
