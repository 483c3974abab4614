//! Text from strangers as the window shows it: never markup of theirs, links that open.

use std::fmt::Write;
use std::ops::Range;

use i_slint_core::styled_text::{get_raw_text, parse_markdown};

use linkify::{LinkFinder, LinkKind};
use parlor_ui::slint::{SharedString, StyledText};

use crate::doorbell::is_link;
use crate::session::{FENCE, Naming, Span, Style, is_fence};

/// From one stop of a tab to the next, in characters.
const TAB: usize = 4;

/// Slint's own mark for a place in a text: what is put there is no markup, whatever it says.
const PLACE: char = '\u{E541}';

/// A line's text as it stands on the screen: of spaces at its ends Markdown would drop some, a tab is as wide as code
/// needs it, and what a block of code stands between is not shown.
pub(super) fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    characters(text).for_each(|(_, c, times)| shown.extend((0..times).map(|_| c)));
    shown
}

/// The part of a text that stands there on the screen (bytes of what [`shown`] gives, which may be beyond it).
pub(super) fn part(text: &str, on_screen: Range<usize>) -> &str {
    if on_screen == (0..usize::MAX) {
        return text;
    }
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
    let fences: Vec<Range<usize>> =
        blocks(text).into_iter().flat_map(|block| [block.begin, block.end]).collect();
    text.char_indices().map(move |(at, c)| {
        let hidden = fences.iter().any(|fence| fence.contains(&at));
        let times = match c {
            _ if hidden => 0,
            '\t' => TAB - column % TAB,
            _ => 1,
        };
        column = if c == '\n' { 0 } else { column + times };
        let shown = match c {
            '\t' => '\u{A0}',
            ' ' if outer(at) => '\u{A0}',
            PLACE => '\u{FFFD}',
            c => c,
        };
        (at, shown, times)
    })
}

/// A block of code: what it stands between, with the line ends there, and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Block {
    begin: Range<usize>,
    code: Range<usize>,
    end: Range<usize>,
}

/// The blocks of code of a text; one that does not end is none.
fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    if !text.contains(FENCE) {
        return blocks;
    }
    let mut begin: Option<Range<usize>> = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let range = at..at + line.len();
        at = range.end;
        if !is_fence(line.trim_end_matches('\n')) {
            continue;
        }
        begin = match begin {
            None => Some(range),
            Some(begin) => {
                let end = range.end - usize::from(line.ends_with('\n'));
                // The line end in front of it goes with it, unless there is no code.
                let code = begin.end..(range.start - 1).max(begin.end);
                blocks.push(Block { end: code.end..end, code, begin });
                None
            }
        };
    }
    blocks
}

/// The n-th block of code of a text, as it was written.
pub(super) fn code(text: &str, n: usize) -> Option<&str> {
    text.get(blocks(text).get(n)?.code.clone())
}

/// A text as it stands on the screen, and how its parts are written there.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub(super) plain: String,
    spans: Vec<(Range<usize>, Style)>,
    /// Parts that are blocks of code.
    pub(super) blocks: Vec<Range<usize>>,
}

/// What is shown of a text with parts that are written in some way.
pub(super) fn written(text: &str, spans: &[Span]) -> Written {
    let all = blocks(text);
    if spans.is_empty() && all.is_empty() {
        return Written { plain: shown(text), ..Written::default() };
    }
    let mut plain = String::with_capacity(text.len());
    // Where each byte of the text is on the screen.
    let mut places = Vec::with_capacity(text.len() + 1);
    for (at, c, times) in characters(text) {
        places.resize(at, usize::MAX);
        places.push(plain.len());
        plain.extend((0..times).map(|_| c));
    }
    places.resize(text.len(), usize::MAX);
    places.push(plain.len());
    let place = |at: usize| {
        let known = places.iter().skip(at).find(|place| **place != usize::MAX);
        known.copied().unwrap_or(plain.len())
    };
    let on_screen = |range: Range<usize>| place(range.start)..place(range.end);
    let blocks: Vec<Range<usize>> = all.into_iter().map(|block| on_screen(block.code)).collect();
    let own = spans.iter().map(|span| (on_screen(span.from as usize..span.to as usize), span.style));
    let own = own
        .filter(|(range, _)| !blocks.iter().any(|block| block.start < range.end && range.start < block.end));
    let code = blocks.iter().map(|block| (block.clone(), Style { mono: true, ..Style::default() }));
    let mut spans: Vec<(Range<usize>, Style)> =
        own.chain(code).filter(|(range, _)| !range.is_empty()).collect();
    spans.sort_by_key(|(range, _)| range.start);
    Written { plain, spans, blocks }
}

impl Written {
    /// The parts that are as wide as their style makes them, for [`Layouts`](super::layout::Layouts): from, to and a letter
    /// for each style.
    pub(super) fn styles(&self) -> String {
        let mut styles = String::new();
        for (range, style) in &self.spans {
            let letters = [(style.bold, 'b'), (style.italic, 'i'), (style.mono, 'm')];
            let letters: String =
                letters.into_iter().filter(|(on, _)| *on).map(|(_, letter)| letter).collect();
            if !letters.is_empty() {
                // Writing to a String cannot fail.
                let _ = write!(styles, "{} {} {letters};", range.start, range.end);
            }
        }
        styles
    }

    /// The text literally, with its links and styles. `ink` gives the colour that is shown for one.
    pub(super) fn styled(&self, ink: impl Fn(u32) -> Option<u32>) -> StyledText {
        let links: Vec<Range<usize>> = links(&self.plain).collect();
        if self.spans.is_empty() && links.is_empty() {
            return StyledText::from_plain_text(&self.plain);
        }
        let mut cuts: Vec<usize> = vec![0, self.plain.len()];
        cuts.extend(
            self.spans.iter().map(|(range, _)| range).chain(&links).flat_map(|one| [one.start, one.end]),
        );
        cuts.sort_unstable();
        cuts.dedup();
        let (mut markup, mut texts) = (Markup::default(), Vec::new());
        let (mut spans, mut next_links) = (self.spans.iter().peekable(), links.iter().peekable());
        for part in cuts.windows(2) {
            let &[from, to] = part else { continue };
            let Some(text) = self.plain.get(from..to) else { continue };
            while spans.next_if(|(range, _)| range.end <= from).is_some() {}
            while next_links.next_if(|range| range.end <= from).is_some() {}
            let style = spans.peek().filter(|(range, _)| range.contains(&from)).map(|(_, style)| *style);
            let link = next_links.peek().filter(|range| range.contains(&from));
            let link = link.and_then(|range| self.plain.get((*range).clone()));
            markup.part(style.unwrap_or_default(), link, &ink);
            texts.push(text);
        }
        let styled = markup.with(&texts);
        // Were it read otherwise than meant, it is plain rather than wrong.
        if get_raw_text(&styled) == self.plain { styled } else { StyledText::from_plain_text(&self.plain) }
    }
}

/// Markdown of our own alone: every text goes in at a [`PLACE`], and is none. Places of nothing stand between all marks, so
/// that each is a mark whatever is beside it.
#[derive(Default)]
struct Markup {
    text: String,
    /// Of each place, whether a text goes there.
    places: Vec<bool>,
}

impl Markup {
    fn place(&mut self, filled: bool) {
        self.text.push(PLACE);
        self.places.push(filled);
    }

    /// The next text, in this style.
    fn part(&mut self, style: Style, link: Option<&str>, ink: &impl Fn(u32) -> Option<u32>) {
        let colour = style.ink.and_then(ink).map(|ink| format!("<font color=\"#{ink:06x}\">"));
        let around: [(bool, &str, &str); 5] = [
            (style.bold, "**", "**"),
            (style.italic, "*", "*"),
            (style.strike, "~~", "~~"),
            (style.underline, "<u>", "</u>"),
            (colour.is_some(), colour.as_deref().unwrap_or_default(), "</font>"),
        ];
        let around = around.iter().filter(|(on, ..)| *on);
        self.place(false);
        for (_, begin, _) in around.clone() {
            self.text.push_str(begin);
            self.place(false);
        }
        let code = if style.mono { "`" } else { "" };
        if link.is_some() {
            self.text.push('[');
        }
        self.text.push_str(code);
        self.place(true);
        self.text.push_str(code);
        if let Some(link) = link {
            // Writing to a String cannot fail.
            let _ = write!(self.text, "](<{}>)", link.replace(['<', '>', '\\'], ""));
        }
        for (_, _, end) in around.rev() {
            self.place(false);
            self.text.push_str(end);
        }
    }

    fn with(mut self, texts: &[&str]) -> StyledText {
        self.place(false);
        let mut texts = texts.iter();
        let filled = self.places.iter().map(|filled| if *filled { texts.next() } else { None });
        let args: Vec<StyledText> = filled
            .map(|text| text.map_or_else(StyledText::default, |text| StyledText::from_plain_text(text)))
            .collect();
        parse_markdown(&self.text, &args)
    }
}

/// Emoji at most of a text that is shown large.
const LARGE: usize = 6;

/// Whether a text is nothing but a few emoji.
pub(super) fn is_large(text: &str) -> bool {
    let joins = |c: char| matches!(c, '\u{FE0F}' | '\u{200D}' | '\u{20E3}' | '\u{1F3FB}'..='\u{1F3FF}');
    let emoji = |c: char| {
        matches!(c, '\u{203C}'..='\u{3299}' if !c.is_alphanumeric() && !is_punctuation(c))
            || matches!(c, '\u{1F000}'..='\u{1FAFF}')
    };
    let mut count = 0;
    let mut joined = false;
    for c in text.chars() {
        match c {
            ' ' => {}
            _ if joins(c) => {
                joined = c == '\u{200D}';
                continue;
            }
            _ if emoji(c) => count += usize::from(!joined),
            _ => return false,
        }
        joined = false;
    }
    (1..=LARGE).contains(&count)
}

/// Of the blocks where emoji are: what is none.
fn is_punctuation(c: char) -> bool {
    matches!(c, '\u{2040}'..='\u{2121}' | '\u{2123}'..='\u{2138}' | '\u{2200}'..='\u{22FF}' | '\u{2500}'..='\u{25A9}'
        | '\u{3000}'..='\u{302F}')
}

/// What the link at that place of a text opens: a page, a room, a person.
pub(super) fn link_at(text: &str, at: usize) -> Option<&str> {
    links(text).find(|link| link.contains(&at)).and_then(|link| text.get(link))
}

/// Rooms (`#tea`) and people (`@bob`) that a text names.
fn named(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut before = ' ';
    text.char_indices().filter_map(move |(at, c)| {
        let free = before.is_whitespace() || matches!(before, '(' | '[' | '"' | '“' | '，' | '、' | '（');
        before = c;
        if !free || !matches!(c, '#' | '@') {
            return None;
        }
        let rest = text.get(at + 1..)?;
        let inner = |c: char| {
            c.is_alphanumeric()
                || matches!(c, '-' | '_' | '.' | '+' | '#' | '/' | '|' | '[' | ']' | '^' | '`')
        };
        let length = rest.find(|c| !inner(c)).unwrap_or(rest.len());
        let name = rest.get(..length)?.trim_end_matches(['.', '/', ']', '`', '-']);
        // `#1` is a number of something, `##` nothing.
        let sound = name.chars().any(char::is_alphabetic)
            && name.chars().count() <= 50
            && !name.starts_with(['.', '/']);
        sound.then(|| at..at + 1 + name.len())
    })
}

/// What [`shown`] gives, literally, with its links.
pub(super) fn styled(shown: &str) -> StyledText {
    Written { plain: shown.to_owned(), ..Written::default() }.styled(|_| None)
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

/// Where the pages, rooms and people are that a text names, from left to right.
pub(super) fn links(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut pages = pages(text).peekable();
    let mut named = named(text).peekable();
    std::iter::from_fn(move || match (pages.peek(), named.peek()) {
        (Some(page), Some(name)) if name.start < page.start => named.next(),
        (Some(_), _) => {
            let page = pages.next()?;
            while named.next_if(|name| name.start < page.end).is_some() {}
            Some(page)
        }
        (None, _) => named.next(),
    })
}

/// Where the pages are that a text names, from left to right.
fn pages(text: &str) -> impl Iterator<Item = Range<usize>> {
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
            if (is_web(url) || is_link(url)) && whole.starts_with(url) {
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
        let style = Style {
            bold: true,
            italic: true,
            underline: true,
            strike: true,
            mono: false,
            ink: Some(0xff0000),
        };
        let all = [style, Style { mono: true, ..style }, Style { bold: true, ..Style::default() }];
        for text in [
            "*a* [b](c) <d> `e`",
            "**",
            "\n\n# x\n> y\n- z\n",
            "<u>",
            "  x  ",
            "&amp;\\",
            "\u{E541}",
            "~~~",
            "| a |\n|-|",
        ] {
            for style in all {
                // A part of it, and all of it, beside a link.
                for (from, text) in [(0, text.to_owned()), (1, format!("a{text}https://a.org/{text}b"))] {
                    let spans = [Span { from, to: text.len() as u32, style }];
                    let written = written(&text, &spans);
                    let styled = written.styled(Some);
                    assert_eq!(get_raw_text(&styled), written.plain, "{text:?} {style:?}");
                    assert_ne!(
                        styled,
                        StyledText::from_plain_text(&written.plain),
                        "{text:?} {style:?}: it has its style"
                    );
                }
            }
        }
    }

    #[test]
    fn a_block_of_code_is_shown_without_what_it_stands_between() {
        for (text, expected, code) in [
            (
                "see\n```rust\n\tfn x\n\n  y\n```\nso",
                "see\n\u{A0}\u{A0}\u{A0}\u{A0}fn x\n\n  y\nso",
                &["\u{A0}\u{A0}\u{A0}\u{A0}fn x\n\n  y"][..],
            ),
            ("```\na\n```", "a", &["a"]),
            ("```\n```", "", &[""]),
            ("```\na", "```\na", &[]),
            ("```a```", "```a```", &[]),
            ("```\na\n```\n```\nb\n```", "a\nb", &["a", "b"]),
        ] {
            let written = written(text, &[]);
            assert_eq!((&*written.plain, &*shown(text)), (expected, expected), "{text:?}");
            let blocks: Vec<&str> =
                written.blocks.iter().map(|block| &written.plain[block.clone()]).collect();
            assert_eq!(blocks, code, "{text:?}");
        }
        assert_eq!(part("```\nab\n```", 0..usize::MAX), "```\nab\n```");
        assert_eq!(part("x\n```\nab\n```\ny", 2..3), "a");
        let bold = Style { bold: true, ..Style::default() };
        let written = written(
            "b\t\n```\nc\n```\nb",
            &[Span { from: 0, to: 1, style: bold }, Span { from: 13, to: 14, style: bold }],
        );
        assert_eq!(written.styles(), "0 1 b;8 9 m;10 11 b;");
    }

    #[test]
    fn a_few_emoji_are_large() {
        for text in ["🙂", "👍🏽 🎉", "👨‍👩‍👧", "❤️", "🙂🙂🙂🙂🙂🙂", "⭐"]
        {
            assert!(is_large(text), "{text}");
        }
        for text in ["", " ", "ok 🙂", "1", "…", "あ", "。", "🙂🙂🙂🙂🙂🙂🙂", "──", "€", "明"]
        {
            assert!(!is_large(text), "{text}");
        }
    }

    #[test]
    fn rooms_and_people_are_links() {
        for (text, expected) in [
            ("see #tea, @bob (#小明) and “@zoë”.", &["#tea", "@bob", "#小明", "@zoë"][..]),
            ("#1 ## # @ a#b a@b.org x/#y @_bob_ #a-b.c.", &["@_bob_", "#a-b.c"]),
            ("https://a.org/#top #top https://b.org", &["https://a.org/#top", "#top", "https://b.org"]),
        ] {
            let found: Vec<&str> = links(text).map(|link| &text[link]).collect();
            assert_eq!(found, expected, "{text}");
        }
        assert_eq!(link_at("see #tea", 5), Some("#tea"));
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
