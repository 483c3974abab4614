//! For IRC clients (modern.ircdocs.horse; IRCv3 server-time, message-tags, extended-join).

use std::fmt::Write;

use crate::hub::delivery::event::{Event, What};
use crate::hub::delivery::form::Irc;
use crate::protocol::command::Verb;
use crate::protocol::line::MAX_BODY;
use crate::protocol::message::escape;
use crate::protocol::tag::batch::MULTILINE;
use crate::protocol::tag::{ACCOUNT, BATCH, CONCAT, HAND, MSGID, TIME, VOLATILE};
use crate::protocol::text::pieces;

/// Bytes of a text that fits one line whatever stands around it.
const SHORT: usize = 200;

/// Appends an event as one line; false if the client is not told.
pub(crate) fn write(event: &Event<'_>, form: Irc, to: &mut String) -> bool {
    if matches!(event.what, What::Message { verb: Verb::Tagmsg, .. }) && !form.tags {
        return false;
    }
    if let What::Hand { room, up, .. } = event.what {
        let (prefix, nick, how) = (&event.from.prefix, &event.from.nick, if up { "up" } else { "down" });
        if form.tags {
            tags(event, form, true, to);
            // Its own tag stands with the others.
            to.pop();
            // Writing to a String cannot fail.
            let _ = write!(to, ";{HAND}={how} :{prefix} TAGMSG {room}\r\n");
        } else if up {
            let _ = write!(to, ":{prefix} NOTICE {room} :{nick} raises a hand\r\n");
        }
        return form.tags || up;
    }
    if let What::Message { verb, target, text, .. } = event.what
        && (text.contains('\n') || text.len() > SHORT && body_len(event) > MAX_BODY)
    {
        message(event, form, (verb.as_str(), target, text), to);
        return true;
    }
    // In a page it has no place of its own.
    let placed = !matches!(event.what, What::Redact { past: true, .. });
    tags(event, form, placed, to);
    body(event, form.extended_join, to);
    true
}

/// A message of several lines (IRCv3 draft/multiline): as a batch, or line by line without the empty ones,
/// of which the first has the tags.
fn message(event: &Event<'_>, form: Irc, (verb, target, text): (&str, &str, &str), to: &mut String) {
    let (prefix, id) = (&event.from.prefix, event.id);
    let room = MAX_BODY.saturating_sub(prefix.len() + verb.len() + target.len() + ":   :\r\n".len());
    // Writing to a String cannot fail.
    if form.multiline {
        tags(event, form, true, to);
        let _ = write!(to, ":{prefix} BATCH +{id} {MULTILINE} {target}\r\n");
    }
    let mut first = true;
    for line in text.split('\n').filter(|line| form.multiline || !line.is_empty()) {
        for (number, piece) in pieces(line, room).into_iter().enumerate() {
            if form.multiline {
                let concat = if number > 0 { CONCAT } else { "" };
                let separator = if number > 0 { ";" } else { "" };
                let _ = write!(to, "@{BATCH}={id}{separator}{concat} ");
            } else {
                tags(event, form, first, to);
            }
            first = false;
            let _ = write!(to, ":{prefix} {verb} {target} :{piece}\r\n");
        }
    }
    if form.multiline {
        let _ = write!(to, ":{prefix} BATCH -{id}\r\n");
    }
}

/// Bytes of an event without tags, with CR LF.
pub(crate) fn body_len(event: &Event<'_>) -> usize {
    struct Length(usize);
    impl Write for Length {
        fn write_str(&mut self, text: &str) -> std::fmt::Result {
            self.0 += text.len();
            Ok(())
        }
    }
    let mut length = Length(0);
    body(event, false, &mut length);
    length.0
}

/// `first`: of the first line of its message, which has what the whole has.
fn tags(event: &Event<'_>, form: Irc, first: bool, to: &mut String) {
    let account = event.from.account.as_ref().filter(|_| form.account);
    let all = form.tags && first;
    if !form.time && !all && account.is_none() && event.batch.is_empty() {
        return;
    }
    let mut separator = '@';
    if !event.batch.is_empty() {
        to.extend(["@", event.batch]);
        separator = ';';
    }
    if form.time {
        // Writing to a String cannot fail.
        let _ = write!(to, "{separator}{TIME}={}", event.id.time());
        separator = ';';
    }
    if all {
        let _ = write!(to, "{separator}{MSGID}={}", event.id);
        if event.from.bot {
            to.push_str(";bot");
        }
        if event.volatile {
            to.push(';');
            to.push_str(VOLATILE);
        }
        if !event.tags.is_empty() {
            to.push(';');
            to.push_str(event.tags);
        }
        separator = ';';
    }
    if let Some(account) = account {
        let _ = write!(to, "{separator}{ACCOUNT}={}", escape(account));
    }
    to.push(' ');
}

fn body(event: &Event<'_>, extended_join: bool, to: &mut impl Write) {
    // Each piece by itself: format strings cost as much as all the rest of a line.
    let mut put = |pieces: &[&str]| {
        // Neither a String nor a count can fail.
        let _ = pieces.iter().try_for_each(|piece| to.write_str(piece));
    };
    put(&[":", &event.from.prefix]);
    match &event.what {
        What::Message { verb: Verb::Tagmsg, target, .. } => put(&[" TAGMSG ", target]),
        What::Message { verb, target, text, .. } => put(&[" ", verb.as_str(), " ", target, " :", text]),
        What::Join { room, realname } if extended_join => {
            put(&[" JOIN ", room, " ", event.from.account.as_deref().unwrap_or("*"), " :", realname]);
        }
        What::Join { room, .. } => put(&[" JOIN ", room]),
        What::Part { room, reason: Some(reason) } => put(&[" PART ", room, " :", reason]),
        What::Part { room, reason: None } => put(&[" PART ", room]),
        What::Quit { reason } => put(&[" QUIT :", reason]),
        What::Kick { room, nick, reason } => put(&[" KICK ", room, " ", nick, " :", reason]),
        What::Nick { new } => put(&[" NICK :", new]),
        What::Topic { room, text } => put(&[" TOPIC ", room, " :", text]),
        What::Mode { target, change } => put(&[" MODE ", target, " ", change]),
        What::Invite { nick, room } => put(&[" INVITE ", nick, " :", room]),
        What::Away { text: Some(text) } => put(&[" AWAY :", text]),
        What::Away { text: None } => put(&[" AWAY"]),
        What::Account { name } => put(&[" ACCOUNT ", name.unwrap_or("*")]),
        What::Setname { realname } => put(&[" SETNAME :", realname]),
        What::Wallops { text } => put(&[" WALLOPS :", text]),
        // Written above.
        What::Hand { .. } => {}
        What::Redact { target, of, reason, .. } => {
            let id = of.to_string();
            put(&[" REDACT ", target, " ", &id]);
            if !reason.is_empty() {
                put(&[" :", reason]);
            }
        }
        What::Announcement { target, text } => put(&[" NOTICE ", target, " :", text]),
    }
    put(&["\r\n"]);
}
