//! Text of a message: safe on a terminal, and cut to fit a line.

/// What begins and ends a client-to-client request inside a message (CTCP).
pub const CTCP: char = '\u{1}';

/// Text as a plain terminal may show it: no control characters, no escape sequences, no
/// IRC formatting codes; a tab becomes a space.
pub fn printable(text: &str) -> String {
    legible(text).replace('\t', " ")
}

/// The same with its tabs, for who can show them.
pub fn legible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\t' => shown.push(c),
            // IRC colours: two digits at most, or six of a hexadecimal number.
            '\u{3}' => skip_colours(&mut chars, 2, char::is_ascii_digit),
            '\u{4}' => skip_colours(&mut chars, 6, char::is_ascii_hexdigit),
            // A terminal's sequences: ESC [ … letter, ESC ] … BEL, or ESC and one character.
            '\u{1B}' => match chars.next() {
                Some('[') => skip_sequence(&mut chars),
                Some(']') => skip_string(&mut chars),
                _ => {}
            },
            '\u{9B}' => skip_sequence(&mut chars),
            c if c.is_control() || matches!(c, '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}') => {}
            c => shown.push(c),
        }
    }
    shown
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// One, and behind a comma that of the background.
fn skip_colours(chars: &mut Chars<'_>, most: usize, is_digit: impl Fn(&char) -> bool) {
    if skip(chars, most, &is_digit) > 0 {
        let mut ahead = chars.clone();
        if ahead.next() == Some(',') && skip(&mut ahead, most, &is_digit) > 0 {
            *chars = ahead;
        }
    }
}

fn skip(chars: &mut Chars<'_>, most: usize, which: impl Fn(&char) -> bool) -> usize {
    (0..most).take_while(|_| chars.next_if(&which).is_some()).count()
}

fn skip_sequence(chars: &mut Chars<'_>) {
    while chars.next_if(|c| matches!(c, ' '..='?')).is_some() {}
    chars.next_if(|c| matches!(c, '@'..='~'));
}

/// To BEL or to the string terminator, ESC \ or its one-byte form.
fn skip_string(chars: &mut Chars<'_>) {
    while let Some(c) = chars.next() {
        let ended = matches!(c, '\u{7}' | '\u{9C}') || (c == '\u{1B}' && chars.next_if_eq(&'\\').is_some());
        if ended {
            return;
        }
    }
}

/// The first word of a text, and what follows it, without space around either.
pub fn first_word(text: &str) -> (&str, &str) {
    let text = text.trim();
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (word, rest.trim_start())
}

/// As much of a text as so many bytes hold.
pub fn cut(text: &str, most: usize) -> &str {
    text.get(..text.floor_char_boundary(most)).unwrap_or_default()
}

/// Cuts a text into pieces of at most `max` bytes, in order: at the last space of a piece if
/// it has one in its second half, else between two characters. Nothing is left out.
pub fn pieces(text: &str, max: usize) -> Vec<&str> {
    let max = max.max(4); // the longest character in UTF-8 always fits
    let mut pieces = Vec::new();
    let mut rest = text;
    while rest.len() > max {
        let mut end = rest.floor_char_boundary(max);
        if let Some(space) = rest[..end].rfind(' ').filter(|space| *space >= end / 2) {
            end = space + 1;
        }
        let (piece, after) = rest.split_at(end);
        pieces.push(piece);
        rest = after;
    }
    pieces.push(rest);
    pieces
}

/// The text of a `/me`, if that is what a message is (CTCP ACTION).
pub fn action(text: &str) -> Option<&str> {
    let inner = text.strip_prefix("\u{1}ACTION")?;
    let inner = inner.strip_suffix(CTCP).unwrap_or(inner);
    if inner.is_empty() { Some(inner) } else { inner.strip_prefix(' ') }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_moves_a_cursor_is_shown() {
        assert_eq!(printable("a\u{1b}[31;1mb\u{1b}[0mc\rd\u{7}e\tf"), "abcde f");
        assert_eq!(printable("\u{1b}]0;title\u{7}x\u{9b}2Jy"), "xy");
        assert_eq!(printable("\u{3}04,12red\u{3} \u{2}bold\u{f} \u{3}1,x \u{202e}rtl"), "red bold ,x rtl");
        assert_eq!(printable("\u{1b}]0;title\u{1b}\\x\u{2066}y"), "xy");
        assert_eq!(printable("\u{1b}"), "");
        assert_eq!(printable("小明 😀"), "小明 😀");
    }

    #[test]
    fn pieces_lose_nothing() {
        for text in ["", "short", &"word ".repeat(100), &"明".repeat(100), &"x".repeat(99)] {
            let parts = pieces(text, 50);
            assert_eq!(parts.concat(), text);
            assert!(parts.iter().all(|part| part.len() <= 50));
        }
    }

    #[test]
    fn a_word_and_the_rest() {
        assert_eq!(first_word("  kick bob  for fun "), ("kick", "bob  for fun"));
        assert_eq!(first_word("\u{3000}who"), ("who", ""));
    }

    #[test]
    fn actions() {
        assert_eq!(action("\u{1}ACTION waves\u{1}"), Some("waves"));
        assert_eq!(action("\u{1}ACTION waves"), Some("waves"));
        assert_eq!(action("\u{1}VERSION\u{1}"), None);
        assert_eq!(action("\u{1}ACTIONS x\u{1}"), None);
    }
}
