//! What operators change in a room, in people's words.

use parlor_ui::Words;
use parlor_ui::slint::SharedString;

use super::text::shared;
use crate::session::muted;

/// What a line of kind `Mode` says: one change or several, as `+o bob` each.
pub(super) fn changed(words: &Words<'_>, by: &str, changes: &str) -> SharedString {
    let said = changes.lines().map(|change| one(words, by, change));
    said.reduce(|all, next| words.invoke_and_then(all, next)).unwrap_or_default()
}

fn one(words: &Words<'_>, by: &str, change: &str) -> SharedString {
    let (letter, argument) = change.split_once(' ').unwrap_or((change, ""));
    let (who, by) = (shared(argument), shared(by));
    match letter {
        "+o" => words.invoke_made_operator(who, by),
        "-o" => words.invoke_no_operator(who, by),
        "+v" => words.invoke_voice_given(who, by),
        "-v" => words.invoke_voice_taken(who, by),
        // Half operators, admins and owners of other servers; there `q` may be a list of the muted.
        "+h" | "+a" => words.invoke_rights_given(who, by),
        "-h" | "-a" => words.invoke_rights_taken(who, by),
        "+q" if argument.contains(['!', '@', '*', '$', '~']) => {
            words.invoke_muted_by(whom(words, argument), by)
        }
        "-q" if argument.contains(['!', '@', '*', '$', '~']) => {
            words.invoke_unmuted_by(whom(words, argument), by)
        }
        "+q" => words.invoke_rights_given(who, by),
        "-q" => words.invoke_rights_taken(who, by),
        "+b" if muted(argument).is_some() => words.invoke_muted_by(whom(words, argument), by),
        "-b" if muted(argument).is_some() => words.invoke_unmuted_by(whom(words, argument), by),
        "+b" => words.invoke_banned_by(whom(words, argument), by),
        "-b" => words.invoke_unbanned_by(whom(words, argument), by),
        "+e" => words.invoke_excepted_by(whom(words, argument), by),
        "-e" => words.invoke_no_exception(whom(words, argument), by),
        "+I" => words.invoke_always_invited(whom(words, argument), by),
        "-I" => words.invoke_not_always_invited(whom(words, argument), by),
        "+k" => words.invoke_key_set(by),
        "-k" => words.invoke_key_gone(by),
        "+i" => words.invoke_invited_only(by),
        "-i" => words.invoke_open_to_all(by),
        "+m" => words.invoke_moderated(by),
        "-m" => words.invoke_unmoderated(by),
        "+t" => words.invoke_topic_locked(by),
        "-t" => words.invoke_topic_free(by),
        "+n" => words.invoke_no_outside(by),
        "-n" => words.invoke_outside(by),
        "+s" | "+p" => words.invoke_unlisted(by),
        "-s" | "-p" => words.invoke_listed(by),
        "+f" if argument.parse::<u32>().is_ok() => words.invoke_made_slow(pause(words, argument), by),
        "-f" if argument == "0" => words.invoke_not_slow(by),
        "+l" => words.invoke_at_most(who, by),
        "-l" => words.invoke_any_number(by),
        _ => words.invoke_mode_changed(by, shared(change)),
    }
}

/// Seconds of a slow room.
fn pause(words: &Words<'_>, seconds: &str) -> SharedString {
    words.invoke_pause(seconds.parse().unwrap_or(i32::MAX))
}

/// Whom a mask is about: a name where it has one, else the computer.
pub(super) fn whom(words: &Words<'_>, mask: &str) -> SharedString {
    let mask = muted(mask).unwrap_or(mask);
    let (nick, userhost) = mask.split_once('!').unwrap_or((mask, "*@*"));
    let (user, host) = userhost.split_once('@').unwrap_or((userhost, "*"));
    match (nick, user, host) {
        ("*", "*", "*") => words.invoke_everybody(),
        (nick, "*", "*") => shared(nick),
        ("*", "*", host) => words.invoke_everybody_from(shared(host)),
        _ => shared(mask),
    }
}
