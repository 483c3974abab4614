//! How a text is written: IRC's formatting codes to parts of a text and back (`https://modern.ircdocs.horse/formatting`).

use parlor_server::protocol::text::legible;

use crate::limits::SPANS;

const BOLD: char = '\u{2}';
const COLOUR: char = '\u{3}';
const HEX_COLOUR: char = '\u{4}';
const RESET: char = '\u{F}';
const MONO: char = '\u{11}';
const REVERSE: char = '\u{16}';
const ITALIC: char = '\u{1D}';
const STRIKE: char = '\u{1E}';
const UNDERLINE: char = '\u{1F}';

/// What a block of code stands between, each on a line of its own.
pub const FENCE: &str = "```";

/// How a part of a text is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each says it by its name")]
pub struct Style {
    pub bold: bool,
    pub italic: bool,
    pub underline: bool,
    pub strike: bool,
    pub mono: bool,
    /// 0xRRGGBB.
    pub ink: Option<u32>,
}

/// A part of a line's text (bytes) that is written in some way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "said above")]
pub struct Span {
    pub from: u32,
    pub to: u32,
    pub style: Style,
}

/// The text without its codes, control characters and terminal sequences, and how its parts are written, in order. Line
/// ends stay, and end what was begun in their line. Of more than [`SPANS`] parts the last are plain.
pub(super) fn parse(raw: &str) -> (String, Vec<Span>) {
    let mut text = String::with_capacity(raw.len());
    let mut spans = Vec::new();
    for (i, line) in raw.split('\n').enumerate() {
        if i > 0 {
            text.push('\n');
        }
        if line.contains(is_code) {
            parse_line(line, &mut text, &mut spans);
        } else {
            text.push_str(&legible(line));
        }
    }
    (text, spans)
}

fn parse_line(line: &str, text: &mut String, spans: &mut Vec<Span>) {
    let mut style = Style::default();
    let mut rest = line;
    loop {
        let end = rest.find(is_code).unwrap_or(rest.len());
        let (plain, after) = rest.split_at(end);
        let from = text.len();
        text.push_str(&legible(plain));
        if style != Style::default() && text.len() > from && spans.len() < SPANS {
            spans.push(Span { from: from as u32, to: text.len() as u32, style });
        }
        let mut chars = after.chars();
        let Some(code) = chars.next() else { return };
        rest = chars.as_str();
        match code {
            BOLD => style.bold ^= true,
            ITALIC => style.italic ^= true,
            UNDERLINE => style.underline ^= true,
            STRIKE => style.strike ^= true,
            MONO => style.mono ^= true,
            COLOUR => {
                let number = digits(&mut rest, 2, 10);
                style.ink = number.and_then(palette);
                // A background is not shown, but is no text either.
                if number.is_some()
                    && let Some(mut behind) = rest.strip_prefix(',')
                    && digits(&mut behind, 2, 10).is_some()
                {
                    rest = behind;
                }
            }
            HEX_COLOUR => {
                style.ink = digits(&mut rest, 6, 16);
                if style.ink.is_some()
                    && let Some(mut behind) = rest.strip_prefix(',')
                    && digits(&mut behind, 6, 16).is_some()
                {
                    rest = behind;
                }
            }
            RESET => style = Style::default(),
            _ => {}
        }
    }
}

/// Whether a character is one of the codes, which a sent text may have in it.
pub(super) fn is_code(c: char) -> bool {
    matches!(c, BOLD | COLOUR | HEX_COLOUR | RESET | MONO | REVERSE | ITALIC | STRIKE | UNDERLINE)
}

/// Takes up to so many digits off.
fn digits(rest: &mut &str, most: usize, radix: u32) -> Option<u32> {
    let count = rest.chars().take(most).take_while(|c| c.is_digit(radix)).count();
    let (number, after) = rest.split_at_checked(count)?;
    let number = u32::from_str_radix(number, radix).ok()?;
    *rest = after;
    Some(number)
}

/// The sixteen colours of mIRC; of others, and of black and white, nothing is shown.
fn palette(number: u32) -> Option<u32> {
    Some(match number {
        2 => 0x00007f,
        3 => 0x009300,
        4 => 0xff0000,
        5 => 0x7f0000,
        6 => 0x9c009c,
        7 => 0xfc7f00,
        8 => 0xffff00,
        9 => 0x00fc00,
        10 => 0x009393,
        11 => 0x00ffff,
        12 => 0x0000fc,
        13 => 0xff00ff,
        _ => return None,
    })
}

/// A typed text as it is sent: `*bold*`, `_italic_` and `` `code` `` at word borders become codes, `\*` is a star. Blocks
/// of code, addresses and `snake_case` stay as they are.
pub(super) fn typed(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    let mut in_block = false;
    for (i, line) in text.split('\n').enumerate() {
        if i > 0 {
            written.push('\n');
        }
        let fence = is_fence(line);
        in_block ^= fence;
        if fence || in_block || !line.contains(['*', '_', '`']) {
            written.push_str(line);
        } else {
            write(line, ' ', &mut written);
        }
    }
    written
}

/// A text that was to be sent, as it was typed or might have been: typed again, it is the same.
pub(super) fn untyped(text: &str) -> String {
    let mark = |c: char| match c {
        BOLD => '*',
        ITALIC => '_',
        MONO => '`',
        c => c,
    };
    let marked: String = text.chars().map(mark).collect();
    if typed(&marked) == text {
        return marked;
    }
    let mut escaped = String::with_capacity(marked.len());
    for c in text.chars() {
        if matches!(c, '*' | '_' | '`') {
            escaped.push('\\');
        }
        escaped.push(mark(c));
    }
    // What was sent with stars of its own is near enough either way.
    if typed(&escaped) == text { escaped } else { marked }
}

/// Whether a line begins or ends a block of code.
pub fn is_fence(line: &str) -> bool {
    line.trim_start().strip_prefix(FENCE).is_some_and(|info| !info.contains('`'))
}

/// `before` stands in front of the text.
fn write(text: &str, mut before: char, written: &mut String) {
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if !before.is_alphanumeric() {
            let word = rest.split(char::is_whitespace).next().unwrap_or_default();
            if word.contains("://") {
                written.push_str(word);
                rest = &rest[word.len()..]; // a prefix of it
                before = word.chars().next_back().unwrap_or(before);
                continue;
            }
        }
        if let Some(escaped) = rest.strip_prefix('\\').and_then(|rest| rest.chars().next())
            && matches!(escaped, '*' | '_' | '`')
        {
            written.push(escaped);
            rest = &rest[2..]; // both are one byte
            before = escaped;
            continue;
        }
        if let Some((mark, code)) = mark(rest)
            && let Some(inner) = marked(rest, mark, before)
        {
            written.push(code);
            if code == MONO {
                written.push_str(inner)
            } else {
                write(inner, ' ', written)
            }
            written.push(code);
            rest = &rest[inner.len() + 2 * mark.len()..]; // both marks and what is between
            before = ' ';
            continue;
        }
        written.push(c);
        before = c;
        rest = &rest[c.len_utf8()..]; // its first character
    }
}

fn mark(text: &str) -> Option<(&'static str, char)> {
    [("**", BOLD), ("*", BOLD), ("_", ITALIC), ("`", MONO)]
        .into_iter()
        .find(|(mark, _)| text.starts_with(mark))
}

/// What is between a mark that a text begins with and the next one like it, if both are at word borders.
fn marked<'a>(text: &'a str, mark: &str, before: char) -> Option<&'a str> {
    let is_mark = |c: char| matches!(c, '*' | '_' | '`');
    let inside = text.strip_prefix(mark)?;
    let begins = |c: char| !c.is_whitespace() && !mark.contains(c);
    if before.is_alphanumeric()
        || before == '\\'
        || is_mark(before)
        || !inside.chars().next().is_some_and(begins)
    {
        return None;
    }
    inside.match_indices(mark).map(|(at, _)| at).find_map(|at| {
        let (inner, behind) = (inside.get(..at)?, inside.get(at + mark.len()..)?);
        let last = inner.chars().next_back()?;
        let ends = !last.is_whitespace() && last != '\\' && !mark.contains(last);
        let free = behind.chars().next().is_none_or(|c| !c.is_alphanumeric() && !mark.contains(c));
        (ends && free).then_some(inner)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(raw: &str) -> String {
        let (text, spans) = parse(raw);
        let part = |span: &Span| {
            let Style { bold, italic, underline, strike, mono, ink } = span.style;
            let letters = [(bold, 'b'), (italic, 'i'), (underline, 'u'), (strike, 's'), (mono, 'm')];
            let how: String = letters.into_iter().filter(|(on, _)| *on).map(|(_, letter)| letter).collect();
            let ink = ink.map(|ink| format!("#{ink:06x}")).unwrap_or_default();
            format!(" {how}{ink}[{}]", &text[span.from as usize..span.to as usize])
        };
        text.clone() + &spans.iter().map(part).collect::<String>()
    }

    #[test]
    fn codes_are_parts_of_the_text() {
        for (raw, expected) in [
            ("plain", "plain"),
            ("a \u{2}b\u{2} c", "a b c b[b]"),
            ("\u{2}b\u{1D}bi\u{F}n", "bbin b[b] bi[bi]"),
            ("\u{1F}u\u{1F}\u{1E}s\u{1E}\u{11}m", "usm u[u] s[s] m[m]"),
            ("\u{3}04,12red\u{3} x \u{3}1,y", "red x ,y #ff0000[red]"),
            ("\u{4}00FF00,000000g\u{4}n", "gn #00ff00[g]"),
            ("\u{2}one\ntwo\u{2}!", "one\ntwo! b[one] b[!]"),
            ("\u{16}r\u{16} \u{2}\u{2}\u{3}", "r "),
            ("\u{2}a\u{1b}[31mb\u{7}", "ab b[ab]"),
        ] {
            assert_eq!(shown(raw), expected, "{raw:?}");
            // Whoever shows no formatting shows the same text.
            let lines: Vec<String> = raw.split('\n').map(legible).collect();
            assert_eq!(parse(raw).0, lines.join("\n"), "{raw:?}");
        }
        let (text, spans) = parse(&"\u{2}x\u{2}y".repeat(10_000));
        assert_eq!((text.len(), spans.len()), (20_000, SPANS));
    }

    #[test]
    fn what_is_typed_at_word_borders_is_written_so() {
        let codes = |text: &str| typed(text).replace(BOLD, "<b>").replace(ITALIC, "<i>").replace(MONO, "<m>");
        for (text, expected) in [
            ("*bold* and **bolder**", "<b>bold<b> and <b>bolder<b>"),
            ("an _italic word_, (`code`)!", "an <i>italic word<i>, (<m>code<m>)!"),
            ("*both _of_ them*", "<b>both <i>of<i> them<b>"),
            ("`a *b* _c_`", "<m>a *b* _c_<m>"),
            ("_foo_bar_", "<i>foo_bar<i>"),
            ("\\*no\\* \\_no\\_ \\`no\\`", "*no* _no_ `no`"),
            ("2 * 3 * 4 and 2*3*4", "2 * 3 * 4 and 2*3*4"),
            ("snake_case_name __init__ *", "snake_case_name __init__ *"),
            ("https://a.org/_x_/*y* _z_", "https://a.org/_x_/*y* <i>z<i>"),
            ("*not\nclosed*", "*not\nclosed*"),
            ("```\n*a*\n```\n*b*", "```\n*a*\n```\n<b>b<b>"),
            ("*小明* **", "<b>小明<b> **"),
            ("** ** `` ``` _ _", "** ** `` ``` _ _"),
            ("C:\\_x_", "C:_x_"),
        ] {
            assert_eq!(codes(text), expected, "{text:?}");
        }
    }

    #[test]
    fn what_is_typed_reads_back() {
        for text in ["*a* _b_ `c`", "*_", "`*_`", "a\\", "\\", "_*a*_", "****", "*``*"] {
            let (plain, _) = parse(&typed(text));
            assert!(!plain.contains(is_code), "{text:?}: {plain:?}");
        }
    }
}
