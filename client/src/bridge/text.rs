//! Text from strangers as the window shows it: never markup of theirs, links that open.

use linkify::{LinkFinder, LinkKind};
use parlor_ui::slint::{SharedString, StyledText};

use crate::session::Naming;

/// A line's text: what it says, literally, with its links.
pub(super) fn styled(text: &str) -> StyledText {
    let mut markup = String::with_capacity(text.len() + 16);
    let mut finder = LinkFinder::new();
    finder.kinds(&[LinkKind::Url]);
    for span in finder.spans(text) {
        let is_link = span.kind().is_some() && is_web(span.as_str());
        if is_link {
            markup.push('[');
            escape(span.as_str(), &mut markup);
            markup.push_str("](<");
            markup.push_str(&span.as_str().replace(['<', '>', '\\'], ""));
            markup.push_str(">)");
        } else {
            escape(span.as_str(), &mut markup);
        }
    }
    StyledText::from_markdown(&markup).unwrap_or_else(|_| StyledText::from_plain_text(text))
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
fn escape(text: &str, markup: &mut String) {
    let inner = text.trim();
    let leading = text.len() - text.trim_start().len();
    for (at, c) in text.char_indices() {
        let outer = at < leading || at >= leading + inner.len();
        match c {
            // At the ends Markdown would drop a space.
            ' ' | '\t' | '\n' if outer => markup.push('\u{A0}'),
            '\t' | '\n' => markup.push(' '),
            // Slint's own mark for a place in a text.
            '\u{E541}' => markup.push('\u{FFFD}'),
            c if c.is_ascii_punctuation() => {
                markup.push('\\');
                markup.push(c);
            }
            c => markup.push(c),
        }
    }
}

/// One of twelve colours, always the same for a name.
pub(super) fn hue(name: &str) -> i32 {
    let folded = parlor_server::protocol::Folded::new(name);
    // FNV-1a, which spreads short names well.
    let hash = folded.as_str().bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    ((hash >> 32) % 12) as i32
}

/// As the window takes texts.
pub(super) fn shared(text: &str) -> SharedString {
    text.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn escaped(text: &str) -> String {
        let mut markup = String::new();
        escape(text, &mut markup);
        markup
    }

    #[test]
    fn nothing_of_a_stranger_is_markup() {
        assert_eq!(escaped("*a* [b](c) <d> `e`"), "\\*a\\* \\[b\\]\\(c\\) \\<d\\> \\`e\\`");
        assert_eq!(escaped(" a\tb "), "\u{A0}a b\u{A0}");
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
}
