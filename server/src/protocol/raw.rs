//! The wire of tutorials' chat programs: text without line ends, behind a name or a tag with a name.

use super::{Nick, html};

/// The colon between a name and a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colon {
    /// `: `
    Ascii,
    /// `：`, the colon of Chinese.
    FullWidth,
}

impl Colon {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Colon::Ascii => ": ",
            Colon::FullWidth => "：",
        }
    }
}

/// The good-bye of programs that write names in front.
pub const GOOD_BYE: &str = "@断开连接@";
/// The words behind the name of somebody who comes, in programs that write HTML.
pub const JOINED: &str = " has joined the chat room.";
/// The same of somebody who leaves.
pub const LEFT: &str = " has left the chat room.";

/// Bytes of a tag, and of the text in it.
const MAX_TAG: usize = 160;

/// The tag that a text in HTML begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tagged {
    /// `<font …>NAME has joined the chat room.</font>`
    Joined(String),
    /// `<font …>NAME has left the chat room.</font>`
    Left(String),
    /// `<font …>NAME</font>: `, before a message.
    Says(String),
}

impl Tagged {
    /// The name in it, which may be an impossible one.
    pub fn name(&self) -> &str {
        let (Tagged::Joined(name) | Tagged::Left(name) | Tagged::Says(name)) = self;
        name
    }
}

/// A text that may be a name and is no sentence: a [`Nick`] without punctuation.
pub fn possible_name(text: &str) -> Option<&str> {
    let punctuation = |c: char| match c {
        '[' | ']' | '\\' | '`' | '_' | '^' | '{' | '|' | '}' | '-' => false,
        c if c.is_ascii() => c.is_ascii_punctuation(),
        '·' => false,
        // General punctuation, that of Chinese and Japanese, and the wide forms of ASCII's.
        '\u{A1}'..='\u{BF}' | '\u{2010}'..='\u{205E}' | '\u{3000}'..='\u{3003}' | '\u{3008}'..='\u{3020}' => {
            true
        }
        '\u{FF01}'..='\u{FF0F}' | '\u{FF1A}'..='\u{FF20}' | '\u{FF3B}'..='\u{FF40}' => true,
        '\u{FF5B}'..='\u{FF65}' => true,
        _ => false,
    };
    (Nick::parse(text).is_ok() && !text.contains(punctuation)).then_some(text)
}

/// The name in front of a text, if that may be one; the colon; and the text behind it.
pub fn name_in_front(text: &str) -> Option<(&str, Colon, &str)> {
    let (name, rest) = text.split_at(text.find([':', '：'])?);
    let colon =
        [Colon::Ascii, Colon::FullWidth].into_iter().find(|colon| rest.starts_with(colon.as_str()))?;
    Some((possible_name(name)?, colon, &rest[colon.as_str().len()..]))
}

/// The text behind a name in front of it, with any colon; `None` where another name or none is there.
pub fn behind_name<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    without_colon(text.strip_prefix(name).filter(|_| !name.is_empty())?)
}

/// The tag that a text begins with, and the text behind it.
pub fn tagged(text: &str) -> Option<(Tagged, &str)> {
    let attributes = strip_ignoring_case(text, "<font")?;
    let (_, inside) = attributes.split_at_checked(find_near(attributes, ">")? + 1)?;
    let (inside, close) = inside.split_at_checked(find_near(inside, "</font>")?)?;
    let after = strip_ignoring_case(close, "</font>")?;
    let inside = html::text(inside);
    let inside = inside.trim();
    let name = |name: &str| name.trim_end().to_owned();
    if let Some(who) = inside.strip_suffix(JOINED) {
        return Some((Tagged::Joined(name(who)), after));
    }
    if let Some(who) = inside.strip_suffix(LEFT) {
        return Some((Tagged::Left(name(who)), after));
    }
    // The colon is in the tag, or behind it.
    match inside.strip_suffix([':', '：']) {
        Some(who) => Some((Tagged::Says(name(who)), after.strip_prefix(' ').unwrap_or(after))),
        None => Some((Tagged::Says(name(inside)), without_colon(after)?)),
    }
}

/// Whether a text is written in HTML as such programs do.
pub fn is_html(text: &str) -> bool {
    text.to_ascii_lowercase().contains("<font")
}

/// A message of this text by this person, to be read behind `colon`.
pub fn message(from: &str, colon: Colon, text: &str) -> String {
    format!("{from}{}{text}\n", colon.as_str())
}

fn without_colon(text: &str) -> Option<&str> {
    let text = text.strip_prefix('：').or_else(|| text.strip_prefix(':'))?;
    Some(text.strip_prefix(' ').unwrap_or(text))
}

fn strip_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// The place of this within [`MAX_TAG`] bytes: what looks like tags without an end costs nothing.
fn find_near(text: &str, what: &str) -> Option<usize> {
    text[..text.floor_char_boundary(MAX_TAG)].to_ascii_lowercase().find(what)
}
