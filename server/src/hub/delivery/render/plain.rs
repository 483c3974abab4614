//! For a person at a terminal.

use crate::hub::delivery::event::{Event, What};
use crate::hub::state::SERVER;
use crate::protocol::command::Verb;
use crate::protocol::text::{self, printable};

/// Appends an event as one line; false if the person is not told.
pub(crate) fn write(event: &Event<'_>, to: &mut String) -> bool {
    let Some(line) = line(event) else { return false };
    to.push_str(&line);
    to.push('\n');
    true
}

/// One line for a person at a terminal, without its end; `None` for what a plain member
/// is not told.
///
/// What happens begins with `-!-`, what is said with its speaker's name between signs that no name has:
/// nobody's words read like an event.
pub(crate) fn line(event: &Event<'_>) -> Option<String> {
    let nick = &event.from.nick;
    Some(match &event.what {
        What::Message { verb: Verb::Tagmsg, .. } => return None,
        What::Message { text, private, .. } if text.starts_with(text::CTCP) => {
            let action = printable(text::action(text)?);
            if *private { format!("[to you] * {nick} {action}") } else { format!("* {nick} {action}") }
        }
        What::Message { verb, target, text, private } => {
            let text = printable(text);
            match (verb, private) {
                (_, true) => format!("[{nick} to you] {text}"),
                (_, false) if target.starts_with('@') => format!("[{nick} to operators] {text}"),
                (_, false) if target.starts_with('+') => format!("[{nick} to voices] {text}"),
                (Verb::Notice, false) => format!("-{nick}- {text}"),
                (_, false) => format!("<{nick}> {text}"),
            }
        }
        What::Join { .. } => format!("-!- {nick} joined"),
        What::Part { reason, .. } => left(nick, reason.unwrap_or_default()),
        What::Quit { reason } => left(nick, reason),
        What::Kick { nick: who, reason, .. } => {
            format!("-!- {nick} kicked {who} ({})", printable(reason))
        }
        What::Nick { new } => format!("-!- {nick} is now known as {new}"),
        What::Topic { text: "", .. } => format!("-!- {nick} cleared the topic"),
        What::Topic { text, .. } => format!("-!- {nick} changed the topic to: {}", printable(text)),
        What::Invite { room, .. } => format!("-!- {nick} invites you to {room}; /join {room} goes there"),
        What::Announcement { text, .. } => format!("-!- {SERVER}: {}", printable(text)),
        What::Hand { up: true, waiting, .. } => format!("-!- {nick} raises a hand ({waiting} up)"),
        What::Hand { up: false, .. } => format!("-!- {nick} lowers the hand"),
        What::Mode { change, .. } => format!("-!- {nick} set {}", printable(change)),
        What::Away { .. }
        | What::Account { .. }
        | What::Setname { .. }
        | What::Wallops { .. }
        | What::Redact { .. } => {
            return None;
        }
    })
}

fn left(nick: &str, reason: &str) -> String {
    match printable(reason) {
        reason if reason.is_empty() => format!("-!- {nick} left"),
        reason => format!("-!- {nick} left ({reason})"),
    }
}
