//! Whether a text says somebody's name.

use parlor_server::protocol::Folded;

/// Whether `text` says `name` as a whole word, whatever the case.
///
/// Scripts without spaces have no word ends: `小明你好` says `小明`.
pub(super) fn mentions(text: &str, name: &str) -> bool {
    let (text, name) = (Folded::new(text), Folded::new(name));
    let (text, name) = (text.as_str(), name.as_str());
    let (Some(first), Some(last)) = (name.chars().next(), name.chars().next_back()) else { return false };
    text.match_indices(name).any(|(at, found)| {
        let before = text[..at].chars().next_back();
        let after = text[at + found.len()..].chars().next();
        let in_a_word = joins(first) && before.is_some_and(joins) || joins(last) && after.is_some_and(joins);
        !in_a_word
    })
}

/// Whether a character and another such one beside it are parts of one word.
fn joins(c: char) -> bool {
    (c.is_alphanumeric() || c == '_') && !is_spaceless(c)
}

/// Scripts that put no space between words: Thai, Lao, Khmer, Myanmar, kana, Han.
fn is_spaceless(c: char) -> bool {
    matches!(u32::from(c), 0xE00..=0xEFF | 0x1000..=0x109F | 0x1780..=0x17FF | 0x2E80..=0x312F
        | 0x31A0..=0x9FFF | 0xAC00..=0xD7AF | 0xF900..=0xFAFF | 0xFF66..=0xFF9F | 0x20000..=0x3FFFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_words_only() {
        for text in ["bob: hi", "hi BOB", "@Bob!", "(bob)", "bobby and bob", "bob's"] {
            assert!(mentions(text, "bob"), "{text}");
        }
        for text in ["bobby", "thebob", "bob_", "bob2", "", "b ob"] {
            assert!(!mentions(text, "bob"), "{text}");
        }
        assert!(mentions("小明你好", "小明"));
        assert!(mentions("ZOE\u{308}, come", "zoë"));
        assert!(mentions("hi [x]y", "[x]"));
        assert!(!mentions("anything", ""));
    }
}
