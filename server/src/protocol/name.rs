//! Names of people and rooms, in any script.
//!
//! Two names that differ only in case or in Unicode composition are the same name: they fold
//! to the same key (NFC of the lowercase of NFC).

use std::borrow::Borrow;
use std::fmt;

use unicode_normalization::char::is_combining_mark;
use unicode_normalization::{UnicodeNormalization, is_nfc};

/// Characters of a nickname or of a room's name, `#` included.
pub const MAX_CHARS: usize = 32;
/// Bytes of a nickname or of a room's name in UTF-8, `#` included.
pub const MAX_BYTES: usize = 64;

/// Why a name is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameError {
    /// There is nothing in it.
    Empty,
    /// More than [`MAX_CHARS`] characters or [`MAX_BYTES`] bytes.
    TooLong,
    /// A character that means something to IRC, a space or a control character.
    Forbidden(char),
    /// A character that cannot be seen: format, direction, filler.
    Invisible(char),
    /// It begins with a character that names must not begin with.
    Start(char),
    /// A room's name without the leading `#`.
    NotARoom,
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NameError::Empty => write!(f, "A name needs at least one character"),
            NameError::TooLong => {
                write!(f, "A name has at most {MAX_CHARS} characters and {MAX_BYTES} bytes")
            }
            NameError::Forbidden(' ') => write!(f, "A name has no spaces"),
            NameError::Forbidden(c) if c.is_control() => write!(f, "A name has no control characters"),
            NameError::Forbidden(c) => write!(f, "A name must not hold {c}"),
            NameError::Invisible(c) => {
                write!(f, "A name must not hold the invisible character U+{:04X}", u32::from(*c))
            }
            NameError::Start(c) => write!(f, "A name must not begin with {c}"),
            NameError::NotARoom => write!(f, "A room's name begins with #"),
        }
    }
}

impl std::error::Error for NameError {}

/// A person's name, as its owner writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nick(Box<str>);

impl Nick {
    /// Checks a nickname.
    pub fn parse(name: &str) -> Result<Nick, NameError> {
        // `：` stands between name and text for programs that write so.
        let special = |c| matches!(c, ',' | '*' | '?' | '!' | '@' | '.' | ':' | '：' | '<' | '>' | '"');
        check(name, special)?;
        let first = name.chars().next().ok_or(NameError::Empty)?;
        // `$` is a server mask, `#` and `&` are rooms, `~%+` are ranks, `/` is a plain command.
        if matches!(first, '$' | '#' | '&' | '~' | '%' | '+' | '/' | '-') {
            return Err(NameError::Start(first));
        }
        Ok(Nick(name.into()))
    }

    /// The key under which this name is unique.
    pub fn fold(&self) -> Folded {
        Folded::new(&self.0)
    }

    /// The name as its owner writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Nick {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A room's name, `#` included, as its founder wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomName(Box<str>);

impl RoomName {
    /// Checks a room's name.
    pub fn parse(name: &str) -> Result<RoomName, NameError> {
        let rest = name.strip_prefix('#').ok_or(NameError::NotARoom)?;
        check(name, |c| matches!(c, ',' | ':' | '*' | '?'))?;
        if rest.is_empty() {
            return Err(NameError::Empty);
        }
        Ok(RoomName(name.into()))
    }

    /// The key under which this name is unique.
    pub fn fold(&self) -> Folded {
        Folded::new(&self.0)
    }

    /// The name as its founder wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RoomName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The key of a name: equal for names that count as the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Folded(Box<str>);

impl Folded {
    /// Folds any text; what is no name folds too, and is then found nowhere.
    pub fn new(name: &str) -> Folded {
        if name.is_ascii() {
            return Folded(name.to_ascii_lowercase().into());
        }
        let composed: String = if is_nfc(name) { name.into() } else { name.nfc().collect() };
        Folded(composed.to_lowercase().nfc().collect::<String>().into())
    }

    /// The folded text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Folded {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// Bytes of a server's name.
pub const MAX_SERVER_NAME: usize = 32;

/// Whether a text may be a server's name: a host's name of ASCII letters, digits and hyphens
/// with at least one dot, so that nobody takes it for a person's (RFC 952, RFC 1123 §2.1).
pub fn is_server_name(name: &str) -> bool {
    let label = |label: &str| {
        let legal = label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        legal && !label.is_empty() && !label.starts_with('-') && !label.ends_with('-')
    };
    let labels = name.strip_suffix('.').unwrap_or(name);
    name.len() <= MAX_SERVER_NAME && name.contains('.') && labels.split('.').all(label)
}

fn check(name: &str, special: impl Fn(char) -> bool) -> Result<(), NameError> {
    if name.len() > MAX_BYTES || name.chars().count() > MAX_CHARS {
        return Err(NameError::TooLong);
    }
    for (i, c) in name.strip_prefix('#').unwrap_or(name).chars().enumerate() {
        if special(c) || c.is_control() || c.is_whitespace() {
            return Err(NameError::Forbidden(if c.is_whitespace() { ' ' } else { c }));
        }
        // A mark without a letter before it would join what stands before the name.
        if is_invisible(c) || (i == 0 && is_combining_mark(c)) {
            return Err(NameError::Invisible(c));
        }
    }
    Ok(())
}

/// Whether a character shows nothing or changes how its neighbours are shown: Unicode's
/// general category Cf, the blank letters, private use and non-characters.
pub fn is_invisible(c: char) -> bool {
    matches!(u32::from(c),
        0xAD | 0x34F | 0x600..=0x605 | 0x61C | 0x6DD | 0x70F | 0x890..=0x891 | 0x8E2
        | 0x115F..=0x1160 | 0x17B4..=0x17B5 | 0x180B..=0x180F | 0x200B..=0x200F | 0x2028..=0x202E
        | 0x2060..=0x206F | 0x2800 | 0x3164 | 0xE000..=0xF8FF | 0xFDD0..=0xFDEF | 0xFE00..=0xFE0F
        | 0xFEFF | 0xFFA0 | 0xFFF0..=0xFFFF | 0x110BD | 0x110CD | 0x13430..=0x1343F
        | 0x1BCA0..=0x1BCA3 | 0x1D173..=0x1D17A | 0xE0000..=0xE0FFF | 0xF0000..=0x10FFFF)
        || u32::from(c) & 0xFFFE == 0xFFFE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_any_script() {
        for name in ["alice", "小明", "Zoë", "Олег", "ناصر", "ñandú_2", "[x]`{|}^", "😀", "7of9"]
        {
            assert_eq!(Nick::parse(name).unwrap().as_str(), name);
        }
    }

    #[test]
    fn case_and_composition_make_no_difference() {
        for (a, b) in [("Alice", "ALICE"), ("Zoë", "ZOE\u{308}"), ("Олег", "олЕГ"), ("ΟΔΟΣ", "οδος")]
        {
            assert_eq!(Folded::new(a), Folded::new(b), "{a} {b}");
        }
        assert_ne!(Folded::new("Zoe"), Folded::new("Zoë"));
    }

    #[test]
    fn what_misleads_is_refused() {
        for name in [
            "a\u{200B}b",
            "\u{202E}bob",
            "a b",
            "a\tb",
            "\u{301}a",
            "bob\u{3164}",
            "a!b",
            "#a",
            "a.b",
            "bob：hi",
            "<a>",
            "",
        ] {
            assert!(Nick::parse(name).is_err(), "{name:?}");
        }
        for name in ["lobby", "#", "#a,b", "#a b", "#\u{200B}"] {
            assert!(RoomName::parse(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn limits_are_in_characters_and_in_bytes() {
        assert!(Nick::parse(&"x".repeat(32)).is_ok());
        assert_eq!(Nick::parse(&"x".repeat(33)), Err(NameError::TooLong));
        assert!(Nick::parse(&"Ж".repeat(32)).is_ok());
        assert!(Nick::parse(&"明".repeat(21)).is_ok());
        assert_eq!(Nick::parse(&"明".repeat(22)), Err(NameError::TooLong));
    }
}
