//! What Tab and a slash complete: names of people, and commands.

use crate::session::Command;

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
