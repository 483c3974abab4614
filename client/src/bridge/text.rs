//! Text from strangers as the window shows it: never markup of theirs, links that open.

use std::ops::Range;

use linkify::{LinkFinder, LinkKind};
use parlor_ui::slint::{SharedString, StyledText};

use crate::session::Naming;

/// From one stop of a tab to the next, in characters.
const TAB: usize = 4;

/// A line's text as it stands on the screen: of spaces at its ends Markdown would drop some, and a tab is as wide as code
/// needs it.
pub(super) fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    characters(text).for_each(|(_, c, times)| shown.extend((0..times).map(|_| c)));
    shown
}

/// The part of a text that stands there on the screen (bytes of what [`shown`] gives, which may be beyond it).
pub(super) fn part(text: &str, on_screen: Range<usize>) -> &str {
    // Of a tab a part is all of it.
    let mut inside = text.len()..text.len();
    let mut seen = 0;
    for (at, c, times) in characters(text) {
        if seen >= on_screen.end {
            inside.end = at;
            break;
        }
        seen += c.len_utf8() * times;
        if inside.start == text.len() && seen > on_screen.start {
            inside.start = at;
        }
    }
    text.get(inside).unwrap_or_default()
}

/// Where each character of a text is (bytes), what is shown for it, and how often.
fn characters(text: &str) -> impl Iterator<Item = (usize, char, usize)> {
    let inner = text.trim();
    let leading = text.len() - text.trim_start().len();
    let outer = move |at| at < leading || at >= leading + inner.len();
    let mut column = 0;
    text.char_indices().map(move |(at, c)| {
        let times = if c == '\t' { TAB - column % TAB } else { 1 };
        column += times;
        let shown = match c {
            '\t' => '\u{A0}',
            ' ' | '\n' if outer(at) => '\u{A0}',
            '\n' => ' ',
            // Slint's own mark for a place in a text.
            '\u{E541}' => '\u{FFFD}',
            c => c,
        };
        (at, shown, times)
    })
}

/// What [`shown`] gives, literally, with its links.
pub(super) fn styled(shown: &str) -> StyledText {
    let mut markup = String::with_capacity(shown.len() + 16);
    let mut done = 0;
    for link in links(shown) {
        let (before, url) = (&shown[done..link.start], &shown[link.clone()]); // links are in order
        escape(before, &mut markup);
        markup.push('[');
        escape(url, &mut markup);
        markup.push_str("](<");
        markup.push_str(&url.replace(['<', '>', '\\'], ""));
        markup.push_str(">)");
        done = link.end;
    }
    escape(&shown[done..], &mut markup);
    StyledText::from_markdown(&markup).unwrap_or_else(|_| StyledText::from_plain_text(shown))
}

/// Whether a text is read from right to left: its first letter decides (rules P2 and P3 of Unicode's UAX #9; the blocks are
/// those of right-to-left scripts in `DerivedBidiClass.txt`).
pub(super) fn is_rtl(text: &str) -> bool {
    let strong = |c: &char| c.is_alphabetic() || matches!(c, '\u{61C}' | '\u{200E}' | '\u{200F}');
    text.chars().find(strong).is_some_and(|c| {
        matches!(c,
            '\u{590}'..='\u{8FF}' | '\u{200F}' | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFE}'
            | '\u{10800}'..='\u{10FFF}' | '\u{1E800}'..='\u{1EFFF}')
    })
}

/// Where the pages are that a text names, from left to right.
pub(super) fn links(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut finder = LinkFinder::new();
    finder.kinds(&[LinkKind::Url]);
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let rest = text.get(from..)?;
            let found = finder.links(rest).next()?;
            let sentence = found.as_str();
            let whole = &sentence[..length(sentence)];
            // What ends the sentence before the cut does not belong to it either.
            let url = finder.links(whole).next().map_or("", |url| url.as_str());
            let start = from + found.start();
            from = start + whole.len().max(1);
            while !text.is_char_boundary(from) {
                from += 1;
            }
            if is_web(url) && whole.starts_with(url) {
                return Some(start..start + url.len());
            }
        }
    })
}

/// Bytes up to what ends an address in text without spaces: punctuation that no address has, a bracket that was never
/// opened, and behind an ASCII top-level domain letters that are not.
fn length(url: &str) -> usize {
    let host = url.find("://").map_or(0, |colon| colon + 3);
    let path = url[host..].find(['/', '?', '#']).map_or(url.len(), |slash| host + slash);
    let stop = url.find(ends_address).unwrap_or(url.len());
    let domain = &url[host..path];
    let last = host + domain.rfind('.').map_or(0, |dot| dot + 1);
    let foreign = url[last..path].find(|c: char| !c.is_ascii()).filter(|at| *at > 0).map(|at| last + at);
    stop.min(foreign.unwrap_or(url.len()))
}

/// Punctuation and spaces of Chinese and Japanese, quotation marks, dashes and dots of all languages.
fn ends_address(c: char) -> bool {
    matches!(c,
        '\u{AB}' | '\u{BB}' | '\u{2010}'..='\u{203E}' | '\u{3000}'..='\u{3004}' | '\u{3008}'..='\u{3020}' | '\u{3030}'
        | '\u{30FB}' | '\u{FE10}'..='\u{FE6B}' | '\u{FF01}'..='\u{FF0F}' | '\u{FF1A}'..='\u{FF20}'
        | '\u{FF3B}'..='\u{FF40}' | '\u{FF5B}'..='\u{FF65}' | '*' | '`')
}

/// Whether a link may be opened: pages, nothing that runs.
fn is_web(url: &str) -> bool {
    let lower = url.to_ascii_lowercase();
    lower.starts_with("http://") || lower.starts_with("https://")
}

/// Opens a page in the person's browser; anything else stays closed.
pub(super) fn open_link(url: &str) {
    if is_web(url)
        && let Err(error) = webbrowser::open(url)
    {
        log::warn!("no browser opens the link: {error}");
    }
}

/// A room's name from a field, with the prefix that may be left out; empty if nothing was typed.
pub(super) fn room_typed(text: &str) -> String {
    match text.trim() {
        "" => String::new(),
        name => Naming::default().room(name),
    }
}

/// Every character that could begin markup stands for itself.
fn escape(shown: &str, markup: &mut String) {
    for c in shown.chars() {
        if c.is_ascii_punctuation() {
            markup.push('\\');
        }
        markup.push(c);
    }
}

/// One of twelve colours, always the same for a name in any case. Names that differ in a number
/// have different ones, and names with the next number are far from each other.
pub(super) fn hue(name: &str) -> i32 {
    let folded = parlor_server::protocol::Folded::new(name);
    let (mut hash, mut numbers, mut number) = (0xcbf2_9ce4_8422_2325_u64, 0_u64, 0_u64);
    for c in folded.as_str().chars() {
        match c.to_digit(10) {
            Some(digit) => number = number.wrapping_mul(10).wrapping_add(digit.into()),
            None => {
                // FNV-1a of what is no number.
                hash = (hash ^ u64::from(c)).wrapping_mul(0x0100_0000_01b3);
                numbers = numbers.wrapping_mul(7).wrapping_add(std::mem::take(&mut number));
            }
        }
    }
    numbers = numbers.wrapping_mul(7).wrapping_add(number);
    // The low bits of the hash are poor; five and twelve have no divisor in common.
    ((hash ^ (hash >> 32)) % 12 + numbers % 12 * 5) as i32 % 12
}

/// As the window takes texts.
pub(super) fn shared(text: &str) -> SharedString {
    text.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_stranger_is_markup() {
        let mut markup = String::new();
        escape("*a* [b](c) <d> `e`", &mut markup);
        assert_eq!(markup, "\\*a\\* \\[b\\]\\(c\\) \\<d\\> \\`e\\`");
    }

    #[test]
    fn the_first_letter_says_where_a_line_begins() {
        for text in ["שלום", "مرحبا bob", "12: \u{200F}", "« ܫܠܡܐ", "… \u{1E900}"] {
            assert!(is_rtl(text), "{text}");
        }
        for text in ["", "12", "bob: مرحبا", "大家 שלום", "\u{200E}שלום", "😀 zoë"] {
            assert!(!is_rtl(text), "{text}");
        }
    }

    #[test]
    fn what_is_marked_on_the_screen_is_copied_as_it_was_written() {
        let text = " a\tb\u{E541} ";
        assert_eq!(shown(text), "\u{A0}a\u{A0}\u{A0}b\u{FFFD}\u{A0}");
        assert_eq!(part(text, 2..8), "a\tb");
        assert_eq!(part(text, 4..6), "\t");
        assert_eq!((shown("\t\tx"), shown("abc\tx")), ("\u{A0}".repeat(8) + "x", "abc\u{A0}x".to_owned()));
        assert_eq!(part(text, 0..usize::MAX), text);
        let backwards = Range { start: 3, end: 0 };
        assert_eq!(part(text, backwards), "");
        assert_eq!(part("", 0..9), "");
    }

    #[test]
    fn links_end_where_people_end_them() {
        for (text, expected) in [
            ("https://a.org/a，很好", &["https://a.org/a"][..]),
            ("看https://a.org/a。好", &["https://a.org/a"]),
            ("（https://a.org/a）", &["https://a.org/a"]),
            ("「https://a.org/a」と『https://b.org』", &["https://a.org/a", "https://b.org"]),
            ("【https://a.org/?q=1】、https://b.org/c；", &["https://a.org/?q=1", "https://b.org/c"]),
            ("https://a.org，https://b.org", &["https://a.org", "https://b.org"]),
            ("https://a.org/a.，", &["https://a.org/a"]),
            ("https://a.org/a\u{3000}b", &["https://a.org/a"]),
            (
                "“https://a.org/a” ‘https://b.org/b’ «https://c.org»",
                &["https://a.org/a", "https://b.org/b", "https://c.org"],
            ),
            ("\"https://a.org/a\", 'https://b.org/b'", &["https://a.org/a", "https://b.org/b"]),
            ("https://a.org/a… https://b.org/b—so", &["https://a.org/a", "https://b.org/b"]),
            ("**https://a.org/a** `https://b.org/b`", &["https://a.org/a", "https://b.org/b"]),
            ("(see https://a.org/b_(c)) and (https://a.org/d)", &["https://a.org/b_(c)", "https://a.org/d"]),
            ("https://a.org/b).", &["https://a.org/b"]),
            ("[x](https://a.org/b)", &["https://a.org/b"]),
            ("<https://a.org/b>", &["https://a.org/b"]),
            ("https://a.org/a! https://b.org/b?", &["https://a.org/a", "https://b.org/b"]),
            ("去https://a.org看看", &["https://a.org"]),
            ("https://a.org看看/b", &["https://a.org"]),
            ("https://a.org:80看", &["https://a.org:80"]),
            ("https://zh.wikipedia.org/wiki/中文（语言）", &["https://zh.wikipedia.org/wiki/中文"]),
            ("http://例子.com/路径 HTTP://A.ORG", &["http://例子.com/路径", "HTTP://A.ORG"]),
            ("https://，https://a.org", &["https://a.org"]),
            ("https:// http://。 ftp://a.org/ javascript:alert(1)", &[]),
            ("", &[]),
        ] {
            let found: Vec<&str> = links(text).map(|link| &text[link]).collect();
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn only_pages_open() {
        assert!(is_web("https://a.b") && is_web("HTTP://a.b"));
        assert!(!is_web("file:///etc/passwd") && !is_web("javascript:alert(1)"));
    }

    #[test]
    fn a_name_keeps_its_colour_in_any_case() {
        assert_eq!(hue("Alice"), hue("ALICE"));
        assert!((0..12).contains(&hue("小明")));
    }

    /// How many names have each colour.
    fn spread(names: impl Iterator<Item = String>) -> [usize; 12] {
        let mut count = [0; 12];
        names.for_each(|name| count[hue(&name) as usize] += 1);
        count
    }

    #[test]
    fn names_share_the_colours_evenly() {
        for count in [
            spread((1..=30).map(|i| format!("user{i}"))),
            spread((1..=30).map(|i| format!("guest_{i:03}"))),
            spread((0..30).map(|i| format!("p{i}x"))),
            spread((0..30).map(|i| format!("{i}"))),
            spread((1..=30).map(|i| format!("小明{i}"))),
        ] {
            assert!(count.iter().all(|names| (1..=4).contains(names)), "{count:?}");
        }
        let letters = ('a'..='z').flat_map(|a| ('a'..='z').map(move |b| format!("{a}{b}")));
        let count = spread(letters);
        assert!(count.iter().all(|names| (30..=90).contains(names)), "{count:?}");
        assert!(hue("user1").abs_diff(hue("user2")) > 1);
    }
}
