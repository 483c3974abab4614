//! What a room says of itself: the text record of its announcement (RFC 6763 §6).

use crate::protocol::name::is_invisible;
use crate::protocol::{RoomName, text};

/// Bytes of a name or a version; one label of a DNS name has no more (RFC 1035 §2.3.4).
const MAX_TEXT: usize = 63;
/// No room of ours holds more people.
const MAX_PEOPLE: u32 = 99_999;

/// A room as it is announced, or as a stranger announces it: every text is printable, and short.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// Its name in a list: the operator's choice, or who hosts it. At most 63 bytes.
    pub name: String,
    /// The person whose room it is; `None`: it has a name of its own.
    pub host: Option<String>,
    /// The room to enter.
    pub room: Option<RoomName>,
    /// How many are there.
    pub people: Option<u32>,
    /// Who comes in is asked for a password.
    pub password: bool,
    /// SHA-256 of the server's public key; `None`: lines travel readable.
    pub key: Option<[u8; 32]>,
    /// The program and its version.
    pub version: String,
}

impl Listing {
    /// The same without anything that a list could not show.
    #[must_use]
    pub fn cleaned(self) -> Listing {
        Listing {
            name: clean(&self.name),
            host: self.host.map(|host| clean(&host)).filter(|host| !host.is_empty()),
            version: clean(&self.version),
            ..self
        }
    }

    /// The name to announce it by. The library neither asks for one with a dot or a backslash in it nor answers for it,
    /// and adds up to 7 bytes, ` (9999)`, where another has it already; the announcer adds 7 of its own.
    pub(super) fn instance(&self) -> String {
        text::cut(&self.name.replace(['.', '\\'], " "), MAX_TEXT - 14).to_owned()
    }

    /// Keys and values, none longer than 255 bytes together.
    pub(super) fn properties(&self) -> Vec<(&'static str, String)> {
        let hex = |key: &[u8; 32]| key.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let mut properties = vec![("txtvers", "1".to_owned()), ("name", self.name.clone())];
        properties.extend(self.room.as_ref().map(|room| ("room", room.to_string())));
        properties.extend(self.host.clone().map(|host| ("host", host)));
        properties.extend(self.people.map(|people| ("people", people.to_string())));
        properties.extend(self.password.then(|| ("password", "1".to_owned())));
        properties.extend(self.key.as_ref().map(|key| ("key", hex(key))));
        properties.push(("version", self.version.clone()));
        properties
    }

    /// What a stranger announces by that name; what it lacks, or has wrong, is absent.
    pub(super) fn read<'a>(instance: &str, value: impl Fn(&str) -> Option<&'a [u8]>) -> Listing {
        let read = |key: &str| value(key).and_then(|value| str::from_utf8(value).ok());
        Listing {
            name: read("name").filter(|name| !clean(name).is_empty()).unwrap_or(instance).to_owned(),
            host: read("host").map(str::to_owned),
            room: read("room").and_then(|room| RoomName::parse(room).ok()),
            people: read("people").and_then(|people| people.parse().ok()).map(|n: u32| n.min(MAX_PEOPLE)),
            password: read("password") == Some("1"),
            key: read("key").and_then(key),
            version: read("version").unwrap_or_default().to_owned(),
        }
        .cleaned()
    }
}

/// One line of visible characters, at most 63 bytes.
fn clean(text: &str) -> String {
    // Before anything is done with it: it may be long.
    let printable = text::printable(text::cut(text, 4 * MAX_TEXT));
    let seen: String = printable.chars().filter(|c| !is_invisible(*c)).collect();
    let words: Vec<&str> = seen.split_whitespace().collect();
    text::cut(&words.join(" "), MAX_TEXT).trim_end().to_owned()
}

fn key(hex: &str) -> Option<[u8; 32]> {
    let digits = hex.as_bytes();
    let mut key = [0; 32];
    if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    for (byte, pair) in key.iter_mut().zip(digits.chunks(2)) {
        *byte = u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, properties: &[(&str, &[u8])]) -> Listing {
        let value = |key: &str| properties.iter().find(|(one, _)| *one == key).map(|(_, value)| *value);
        Listing::read(name, value)
    }

    #[test]
    fn what_is_announced_is_read_back() {
        let listing = Listing {
            name: "Anna".into(),
            host: Some("Anna".into()),
            room: RoomName::parse("#茶").ok(),
            people: Some(12),
            password: true,
            key: Some(std::array::from_fn(|i| i as u8 * 8)),
            version: "Parlor 1".into(),
        };
        let properties = listing.properties();
        let as_bytes: Vec<_> = properties.iter().map(|(key, value)| (*key, value.as_bytes())).collect();
        assert_eq!(read("Anna", &as_bytes), listing);
        assert!(properties.iter().all(|(key, value)| key.len() + value.len() < 255));
        assert_eq!(read("Anna (2)", &as_bytes), listing, "the name that was left for it is not its own");
    }

    #[test]
    fn a_name_of_any_kind_can_be_announced() {
        let named = |name: &str| Listing { name: name.into(), ..Listing::default() }.instance();
        assert_eq!(named("Tea at 3.30 \\o/"), "Tea at 3 30  o/");
        assert_eq!(named(&"é".repeat(31)).len(), 48);
    }

    #[test]
    fn a_strangers_words_are_short_and_visible_and_the_rest_of_them_is_absent() {
        let hostile = read(
            "\u{1b}[31mEvil\u{202e}\r\n\u{200b}  room \u{3}04,01x",
            &[
                ("host", "\u{200b}\u{feff}".as_bytes()),
                ("room", b"no room, with a comma"),
                ("people", b"-3"),
                ("key", "é".repeat(32).as_bytes()),
                ("version", b"\xff\xfe"),
            ],
        );
        assert_eq!(hostile, Listing { name: "Evil room x".into(), ..Listing::default() });
        let long = read(&"字".repeat(10_000), &[("people", b"4000000000")]);
        assert_eq!((long.name.len(), long.people), (63, Some(MAX_PEOPLE)));
    }
}
