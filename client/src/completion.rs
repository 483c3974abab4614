//! What Tab, a slash, `#`, `@` and `:` complete: names of people and rooms, commands, emoji.

use crate::emoji;
use crate::session::Command;

/// Candidates that are shown at most.
const MAX_CANDIDATES: usize = 50;

/// Names for the word before the cursor, one with each further Tab.
///
/// ```
/// use parlor_client::completion::Completion;
///
/// let mut tab = Completion::new("bo", 2, ["bobby", "alice", "Bob"]).expect("two of them fit");
/// assert_eq!(tab.turn(false), ("Bob: ", 5));
/// assert_eq!(tab.turn(false), ("bobby: ", 7));
/// assert!(tab.continues("bobby: "));
/// ```
#[derive(Debug)]
pub struct Completion {
    before: String,
    after: String,
    /// At least one.
    names: Vec<String>,
    chosen: Option<usize>,
    shown: String,
}

impl Completion {
    /// A completion of `text` at `cursor` (in bytes) with the names of the people present, whatever
    /// their case; `None` if none begins like that.
    pub fn new<'a>(
        text: &str,
        cursor: usize,
        people: impl IntoIterator<Item = &'a str>,
    ) -> Option<Completion> {
        let cursor = text.floor_char_boundary(cursor.min(text.len()));
        let (head, after) = text.split_at_checked(cursor)?;
        let word = head.rsplit(char::is_whitespace).next()?;
        let before = head.strip_suffix(word)?;
        let start = word.trim_start_matches('@').to_lowercase();
        if start.is_empty() {
            return None;
        }
        let fits = |name: &&str| name.to_lowercase().starts_with(&start);
        let mut names: Vec<String> = people.into_iter().filter(fits).map(Into::into).collect();
        names.sort_by_key(|name| name.to_lowercase());
        (!names.is_empty()).then(|| Completion {
            before: before.into(),
            after: after.into(),
            names,
            chosen: None,
            shown: String::new(),
        })
    }

    /// Whether this is the text that the last [`turn`](Self::turn) gave, and another one goes on.
    pub fn continues(&self, text: &str) -> bool {
        self.chosen.is_some() && self.shown == text
    }

    /// The text with the next name, or the one before, and the cursor (in bytes) behind it.
    pub fn turn(&mut self, backward: bool) -> (&str, usize) {
        let last = self.names.len() - 1;
        let chosen = match (self.chosen, backward) {
            (None, false) => 0,
            (None | Some(0), true) => last,
            (Some(at), true) => at - 1,
            (Some(at), false) => (at + 1) % self.names.len(),
        };
        self.chosen = Some(chosen);
        let tail = if self.before.is_empty() { ": " } else { " " };
        let head = format!("{}{}{tail}", self.before, self.names.get(chosen).map_or("", String::as_str));
        let cursor = head.len();
        self.shown = head + &self.after;
        (&self.shown, cursor)
    }
}

/// The commands that begin with a draft, in any case: first those whose own word does, then those that have another
/// one like that. None unless the draft is a slash with a word behind it at most.
pub fn commands(draft: &str) -> impl Iterator<Item = Command> {
    let asked = draft.starts_with('/') && !draft.starts_with("//") && !draft.contains(char::is_whitespace);
    let draft = draft.to_lowercase();
    let own = draft.clone();
    let named = move |command: &Command| asked && command.word().starts_with(&own);
    let called = move |command: &Command| {
        asked
            && !command.word().starts_with(&draft)
            && command.others().iter().any(|word| word.starts_with(&draft))
    };
    let all = || Command::ALL.iter().copied();
    all().filter(named).chain(all().filter(called))
}

/// What the last word of a draft may become: `#te` a room, `@bo` a person, `:smi` an emoji; at most 50. None if it begins
/// with nothing of that.
pub fn candidates(draft: &str, rooms: &[&str], people: &[&str]) -> Vec<String> {
    let Some((_, word)) = last_word(draft) else { return Vec::new() };
    let lower = word.to_lowercase();
    let of = |names: &[&str], start: &str, sign: &str| {
        let mut fits: Vec<&str> =
            names.iter().copied().filter(|name| name.to_lowercase().starts_with(start)).collect();
        fits.sort_by_key(|name| name.to_lowercase());
        let one = |name: &str| format!("{sign}{name}");
        fits.into_iter().take(MAX_CANDIDATES).map(one).collect()
    };
    match lower.chars().next() {
        Some('#') => of(rooms, &lower, ""),
        Some('@') => of(people, &lower[1..], "@"), // an @ is one byte
        // `:)` and `12:30` are none.
        Some(':')
            if lower.chars().count() > 2
                && lower.chars().skip(1).all(|c| c.is_alphanumeric() || c == '_') =>
        {
            let one = |emoji: emoji::Emoji| format!("{} :{}:", emoji.sign, emoji.name);
            emoji::find(&lower[1..]).take(MAX_CANDIDATES).map(one).collect() // a colon is one byte
        }
        _ => Vec::new(),
    }
}

/// The draft with one of its [`candidates`] for its last word.
pub fn with_candidate(draft: &str, shown: &str) -> String {
    let Some((before, _)) = last_word(draft) else { return draft.to_owned() };
    match shown.split_once(" :") {
        Some((emoji, _)) => format!("{before}{emoji}"),
        // Who is addressed at the beginning is so as with Tab.
        None if before.is_empty() && shown.starts_with('@') => format!("{}: ", shown.trim_start_matches('@')),
        None => format!("{before}{shown} "),
    }
}

/// The draft with an emoji in place of the `:name:` that was just typed at its end.
pub fn with_emoji(draft: &str) -> Option<String> {
    let (before, word) = last_word(draft)?;
    let name = word.strip_prefix(':')?.strip_suffix(':')?;
    Some(format!("{before}{}", emoji::named(name)?.sign))
}

/// The last word of a draft, and what is in front of it.
fn last_word(draft: &str) -> Option<(&str, &str)> {
    let word = draft.rsplit(char::is_whitespace).next()?;
    Some((draft.strip_suffix(word)?, word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_take_turns() {
        let mut tab = Completion::new("bo", 2, ["bobby", "Bob小明", "alice"]).unwrap();
        assert!(!tab.continues(""));
        assert_eq!(tab.turn(false), ("bobby: ", 7));
        assert_eq!(tab.turn(false).0, "Bob小明: ");
        assert_eq!(tab.turn(false).0, "bobby: ");
        assert_eq!(tab.turn(true).0, "Bob小明: ");
        assert!(tab.continues("Bob小明: ") && !tab.continues("Bob小明: x"));
        let mut back = Completion::new("b", 1, ["b1", "b2"]).unwrap();
        assert_eq!(back.turn(true).0, "b2: ");
    }

    #[test]
    fn a_word_inside_is_completed_where_it_stands() {
        let mut tab = Completion::new("hi @bobb and so on", 8, ["bobby"]).unwrap();
        assert_eq!(tab.turn(false), ("hi bobby  and so on", 9));
        let mut wide = Completion::new("\u{3000}小", 6, ["小明"]).unwrap();
        assert_eq!(wide.turn(false), ("\u{3000}小明 ", 10));
    }

    #[test]
    fn what_nobody_is_called_stays() {
        for (text, cursor) in [("xyz", 3), ("", 0), ("bo ", 3), ("小", 1), ("bo", 99_999)] {
            assert!(Completion::new(text, cursor, ["alice"]).is_none(), "{text:?}");
        }
    }

    #[test]
    fn the_last_word_has_candidates() {
        let shown = |draft: &str| candidates(draft, &["#tea", "#Team", "#lobby"], &["bob", "Bea", "小明"]);
        assert_eq!(shown("come to #te"), ["#tea", "#Team"]);
        assert_eq!(shown("@b"), ["@Bea", "@bob"]);
        assert_eq!(shown("@"), ["@Bea", "@bob", "@小明"]);
        assert_eq!(shown("well :tad"), ["🎉 :tada:"]);
        for draft in ["", "#x", "a@b", ":)", ":-(", "12:30", "tea ", ":t"] {
            assert!(shown(draft).is_empty(), "{draft:?}");
        }
        assert_eq!(with_candidate("come to #te", "#tea"), "come to #tea ");
        assert_eq!(with_candidate("@b", "@bob"), "bob: ");
        assert_eq!(with_candidate("so @b", "@bob"), "so @bob ");
        assert_eq!(with_candidate("well :tad", "🎉 :tada:"), "well 🎉");
        assert_eq!(with_emoji("well :tada:").as_deref(), Some("well 🎉"));
        assert_eq!(
            (with_emoji("well :tada"), with_emoji(":nothing_like_it:"), with_emoji("::")),
            (None, None, None)
        );
    }

    #[test]
    fn a_slash_lists_commands() {
        let words = |draft| commands(draft).map(Command::usage).collect::<Vec<_>>();
        assert_eq!(words("/").len(), Command::ALL.len());
        assert_eq!(words("/kic"), ["/kick NAME [why]"]);
        assert_eq!(words("/LEA"), ["/part [why]"]);
        assert_eq!(words("/q"), ["/query NAME", "/quit", "/raw LINE"]);
        for draft in ["", "kick", "//", "/kick ", "/kick\n"] {
            assert!(words(draft).is_empty(), "{draft:?}");
        }
    }
}
