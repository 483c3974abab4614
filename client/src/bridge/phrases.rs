//! What the session and the network task say, in the person's language.
//!
//! They know no language but the one they are written in: their sentences come here. The words
//! are those of the views; what a server wrote, and a sentence not listed, stays as it is.

use parlor_ui::Words;
use parlor_ui::slint::SharedString;

use super::text::shared;
use crate::session::Session;

/// What stood in the gaps of a sentence, in order; past the last one nothing.
struct Gaps<'a>(Vec<&'a str>);

impl Gaps<'_> {
    fn get(&self, gap: usize) -> SharedString {
        shared(self.0.get(gap).copied().unwrap_or_default())
    }
}

type Say = fn(&Words<'_>, &Gaps<'_>) -> SharedString;

/// A sentence with `{}` for each gap, and the window's words for it. The first that fits counts.
const PHRASES: &[(&str, Say)] = &[
    // Why there is no connection.
    ("Nobody answers at {}. Is the server started, and is the port right?", |w, g| {
        w.invoke_nobody_answers(g.get(0))
    }),
    ("Nobody answers at {}", |w, g| w.invoke_nobody_answers(g.get(0))),
    ("There is no way to {}. Is this computer on the network?", |w, g| w.invoke_unreachable(g.get(0))),
    ("{} is not found. Is the address spelt right? ({})", |w, g| w.invoke_not_found(g.get(0))),
    ("{} cannot be reached: {}.", |w, g| w.invoke_unreachable(g.get(0))),
    ("Somebody answers at {}, but not as a chat server does. Is the port right?", |w, g| {
        w.invoke_not_a_chat(g.get(0))
    }),
    ("{} sends no chat: {}", |w, g| w.invoke_not_a_chat(g.get(0))),
    ("The server closed the connection.", |w, _| w.invoke_server_closed("".into())),
    ("The server closed the connection: {}", |w, g| w.invoke_server_closed(g.get(0))),
    ("The network has changed", |w, _| w.invoke_network_changed()),
    ("The server does not answer any more", |w, _| w.invoke_server_silent()),
    ("The server did not answer", |w, _| w.invoke_no_answer()),
    ("The connection broke: {}.", |w, g| w.invoke_connection_broke(g.get(0))),
    // Names.
    ("The name {} is taken. Choose another one", |w, g| w.invoke_name_taken(g.get(0))),
    ("The name {} is taken. {} may be free", |w, g| w.invoke_name_taken(g.get(0))),
    ("The server does not take the name {}: {}", |w, g| w.invoke_name_not_possible(g.get(0))),
    ("A name has at least one character and no spaces", |w, _| w.invoke_name_missing()),
    ("{} is no person's name", |w, g| w.invoke_name_not_possible(g.get(0))),
    // What does not work now, or never.
    ("A room's name begins with # and has no spaces: {}", |w, g| w.invoke_room_not_possible(g.get(0))),
    ("Whom? Give a name", |w, _| w.invoke_whom()),
    ("That works in a room only", |w, _| w.invoke_room_only()),
    ("You are not connected", |w, _| w.invoke_not_connected()),
    ("The connection is not there yet; try again when it is", |w, _| w.invoke_not_connected_yet()),
    ("/{} is no command; /help lists them. //{} says /{}", |w, g| w.invoke_unknown_command(g.get(0))),
    ("Nobody reads here; choose a room. / gives commands", |w, _| w.invoke_nobody_reads_here()),
    ("There is no conversation {} any more; not sent: {}", |w, g| {
        w.invoke_no_conversation(g.get(0), g.get(1))
    }),
    // Why a line failed.
    ("You left before it was sent", |w, _| w.invoke_left_before_sent()),
    ("The server gave no receipt for it; perhaps nobody has read it", |w, _| w.invoke_never_confirmed()),
    // What our own server says no to; in front of it stands what it is about.
    ("{}: Nobody here has that name", |w, g| w.invoke_no_such_person(g.get(0))),
    ("{}: They are not in that room", |w, g| w.invoke_no_such_person(g.get(0))),
    ("Nobody here has that name", |w, _| w.invoke_no_such_person("".into())),
    ("{}: There is no such room", |w, g| w.invoke_room_unknown(g.get(0))),
    ("{}: You are not in that room", |w, _| w.invoke_not_in_room()),
    ("Join the room to talk in it (+n)", |w, _| w.invoke_not_in_room()),
    ("Only people with voice may talk here (+m)", |w, _| w.invoke_may_not_speak()),
    ("You are banned from this room (+b)", |w, _| w.invoke_banned_here()),
    ("{}: Only an operator of the room may do that", |w, _| w.invoke_not_operator()),
    // What was done.
    ("You ignore {} now", |w, g| w.invoke_ignoring(g.get(0))),
    ("You no longer ignore {}", |w, g| w.invoke_not_ignoring(g.get(0))),
    ("You ignore nobody", |w, _| w.invoke_ignoring_nobody()),
    ("You ignore {}", |w, g| w.invoke_ignoring(g.get(0))),
    ("There is no topic", |w, _| w.invoke_no_topic()),
    ("Topic: {}", |w, g| w.invoke_topic_is(g.get(0))),
    ("You invited {} to {}", |w, g| w.invoke_invited(g.get(0), g.get(1))),
    ("{} invites you to {}; /join {} goes there", |w, g| w.invoke_invites_you(g.get(0), g.get(1))),
    ("{} invited {}", |w, g| w.invoke_invited_by(g.get(0), g.get(1))),
    ("You are away now", |w, _| w.invoke_you_away()),
    ("You are back now", |w, _| w.invoke_you_back()),
    ("You cannot come back in: {}", |w, g| w.invoke_not_back_in(g.get(0))),
    ("The server put you out of {}: {}", |w, g| w.invoke_put_out(g.get(0), g.get(1))),
    ("The server put you out of {}", |w, g| w.invoke_put_out(g.get(0), "".into())),
    ("{} put you out of {}: {}", |w, g| w.invoke_put_out_by(g.get(0), g.get(1), g.get(2))),
    ("{} put you out of {}", |w, g| w.invoke_put_out_by(g.get(0), g.get(1), "".into())),
    ("{} is away: {}", |w, g| w.invoke_person_away(g.get(0), g.get(1))),
    ("{} has said nothing for {} min", |w, g| w.invoke_silent_for(g.get(0), g.get(1))),
];

/// A sentence of ours in the person's language, or as it is.
pub(super) fn phrase(words: &Words<'_>, sentence: &str) -> SharedString {
    let usage = |(usage, help): &&(&str, &str)| {
        sentence.strip_prefix(usage).and_then(|rest| rest.strip_prefix(": ")) == Some(help)
    };
    if let Some((usage, _)) = Session::commands().iter().find(usage) {
        return words.invoke_needs_argument(shared(usage));
    }
    let fitting = PHRASES.iter().find_map(|(pattern, say)| Some((gaps(pattern, sentence)?, say)));
    match fitting {
        Some((gaps, say)) => say(words, &gaps),
        None => shared(sentence),
    }
}

/// What a command does, by the word that it begins with; else as the session says it.
pub(super) fn help(words: &Words<'_>, usage: &str, english: &str) -> SharedString {
    match usage.split(' ').next().unwrap_or_default() {
        "/join" => words.invoke_help_join(),
        "/part" => words.invoke_help_leave(),
        "/msg" => words.invoke_help_message(),
        "/query" => words.invoke_help_query(),
        "/me" => words.invoke_help_me(),
        "/nick" => words.invoke_help_name(),
        "/topic" => words.invoke_help_topic(),
        "/kick" => words.invoke_help_kick(),
        "/ban" => words.invoke_help_ban(),
        "/op" => words.invoke_help_op(),
        "/deop" => words.invoke_help_deop(),
        "/invite" => words.invoke_help_invite(),
        "/away" => words.invoke_help_away(),
        "/back" => words.invoke_help_back(),
        "/whois" => words.invoke_help_whois(),
        "/ignore" => words.invoke_help_ignore(),
        "/unignore" => words.invoke_help_unignore(),
        "/list" => words.invoke_help_rooms(),
        "/raw" => words.invoke_help_raw(),
        "/quit" => words.invoke_help_disconnect(),
        "/help" => words.invoke_help_help(),
        "//text" => words.invoke_help_slash(),
        _ => shared(english),
    }
}

/// Why a room does not let us in: servers end the sentence with the mode that keeps us out
/// (modern.ircdocs.horse, 471 to 475); one that does not is quoted.
pub(super) fn room_refusal(words: &Words<'_>, room: &str, sentence: &str) -> SharedString {
    let why = sentence.strip_prefix(room).and_then(|why| why.strip_prefix(": ")).unwrap_or(sentence);
    let name = shared(room);
    for (mode, say) in [
        ("(+i)", words.invoke_room_closed(name.clone())),
        ("(+l)", words.invoke_room_full(name.clone())),
        ("(+b)", words.invoke_room_banned(name.clone())),
        ("(+k)", words.invoke_room_key(name.clone())),
    ] {
        if why.contains(mode) {
            return say;
        }
    }
    words.invoke_room_refuses(name, shared(why))
}

/// What stands in the gaps of a pattern, if the sentence is one of its kind.
fn gaps<'a>(pattern: &str, sentence: &'a str) -> Option<Gaps<'a>> {
    let mut parts = pattern.split("{}");
    let mut rest = sentence.strip_prefix(parts.next()?)?;
    let mut found = Vec::new();
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        // The last part must end the sentence; one before takes the first place that fits.
        let at = match (part, parts.peek()) {
            ("", None) => rest.len(),
            (part, None) => rest.strip_suffix(part)?.len(),
            (part, Some(_)) => rest.find(part)?,
        };
        found.push(rest.get(..at)?);
        rest = rest.get(at + part.len()..)?;
    }
    rest.is_empty().then_some(Gaps(found))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_gaps(pattern: &str, sentence: &str) -> Option<Vec<String>> {
        gaps(pattern, sentence).map(|gaps| gaps.0.into_iter().map(Into::into).collect())
    }

    #[test]
    fn gaps_are_what_differs() {
        assert_eq!(in_gaps("You ignore {} now", "You ignore bob now"), Some(vec!["bob".into()]));
        assert_eq!(in_gaps("You ignore {} now", "You ignore bob"), None);
        assert_eq!(
            in_gaps("{} put you out of {}: {}", "a put you out of #b: c: d").map(|gaps| gaps.len()),
            Some(3)
        );
        assert_eq!(in_gaps("That", "That works"), None);
        assert_eq!(in_gaps("x {}", "x "), Some(vec![String::new()]));
    }

    /// A sentence that nobody says any more would never be missed.
    #[test]
    fn every_phrase_is_one_that_is_said() {
        let mut said = include_str!("../net.rs").to_owned();
        let session = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/session");
        let hub = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../server/src/hub");
        let sources = [session, hub].map(|folder| std::fs::read_dir(folder).expect("the sources"));
        for file in sources.into_iter().flatten() {
            let file = file.expect("an entry").path();
            said += &std::fs::read_to_string(file).unwrap_or_default();
        }
        // `{name}` is a gap whatever is in it.
        let mut plain = String::new();
        for (at, piece) in said.split('{').enumerate() {
            match piece.split_once('}') {
                Some((inside, rest)) if at > 0 && !inside.contains([' ', '\n']) => plain.extend(["{}", rest]),
                _ => plain.push_str(piece),
            }
        }
        for (pattern, _) in PHRASES {
            let tail =
                pattern.strip_prefix("The server put you out of ").map_or(*pattern, |_| "put you out of {}");
            let tail = tail.strip_prefix("{}: ").unwrap_or(tail);
            assert!(plain.contains(tail), "nobody says {pattern:?}");
        }
    }
}
