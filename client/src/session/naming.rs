//! How a server tells names apart: rooms from people, and one name from another.

use super::Key;

/// ISUPPORT CASEMAPPING.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Casemapping {
    /// Unicode case and composition never count, as on our server (`parlor/CASEMAPPING=unicode`, for
    /// which the standard has no word); until a server has said anything; and where it says what we do not know.
    Unicode,
    /// `ascii`: `Ä` and `ä` are two.
    Ascii,
    /// `rfc1459`: `{}|^` are the lower case of `[]\~`.
    Rfc1459,
    /// `rfc1459-strict`: `^` is not.
    Strict,
}

/// The names of one server (CASEMAPPING and CHANTYPES of modern.ircdocs.horse, "RPL_ISUPPORT");
/// the RFCs' defaults until it has said.
///
/// ```
/// use parlor_client::session::Naming;
///
/// let naming = Naming::default();
/// assert_eq!(naming.room("Tea"), "#Tea");
/// assert_eq!(naming.key("#Tea"), naming.key("#tea"));
/// assert!(naming.is_room("&local") && !naming.is_room("bob"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Naming {
    casemapping: Casemapping,
    /// As the server says.
    chantypes: Option<String>,
}

impl Default for Naming {
    fn default() -> Naming {
        Naming { casemapping: Casemapping::Unicode, chantypes: None }
    }
}

/// What rooms begin with on nearly every server.
const USUAL: &str = "#&";
/// What they begin with anywhere (RFC 2811 §2.1).
const ANY: &str = "#&+!";

impl Naming {
    /// The value of CASEMAPPING.
    pub(super) fn set_casemapping(&mut self, value: &str) {
        self.casemapping = match value {
            "ascii" => Casemapping::Ascii,
            "rfc1459" => Casemapping::Rfc1459,
            "rfc1459-strict" | "strict-rfc1459" => Casemapping::Strict,
            _ => Casemapping::Unicode,
        }
    }

    /// See [`Casemapping::Unicode`].
    pub(super) fn fold_all_of_unicode(&mut self) {
        self.casemapping = Casemapping::Unicode;
    }

    /// The value of CHANTYPES. None at all is no reason to call nothing a room: no person's name begins so.
    pub(super) fn set_chantypes(&mut self, value: &str) {
        self.chantypes = Some(value).filter(|value| !value.is_empty()).map(Into::into);
    }

    /// The key of a room's or a person's name.
    pub fn key(&self, name: &str) -> Key {
        let (brackets, tilde) = match self.casemapping {
            Casemapping::Unicode => return Key::new(name),
            Casemapping::Ascii => (false, false),
            Casemapping::Strict => (true, false),
            Casemapping::Rfc1459 => (true, true),
        };
        let fold = |c: char| match c {
            '[' if brackets => '{',
            ']' if brackets => '}',
            '\\' if brackets => '|',
            '~' if tilde => '^',
            c => c.to_ascii_lowercase(),
        };
        Key::folded(name.chars().map(fold).collect())
    }

    /// Whether a name is a room's.
    pub fn is_room(&self, name: &str) -> bool {
        name.starts_with(|c| self.chantypes().contains(c))
    }

    /// The name of a room as it was typed, perhaps without its prefix.
    pub fn room(&self, typed: &str) -> String {
        // Until the server says which there are, any is meant.
        let prefixes = self.chantypes.as_deref().unwrap_or(ANY);
        let whole = typed.replacen('＃', "#", usize::from(typed.starts_with('＃')));
        // A `#` that it has not is for the server to refuse.
        if whole.starts_with(|c| prefixes.contains(c) || c == '#') {
            whole
        } else {
            format!("{}{typed}", self.usual_prefix())
        }
    }

    /// Whether a server somewhere may have a room of this name: how long it may be, and of what, each says itself.
    pub fn is_possible(room: &str) -> bool {
        super::commands::is_word(room) && room.chars().nth(1).is_some()
    }

    fn chantypes(&self) -> &str {
        self.chantypes.as_deref().unwrap_or(USUAL)
    }

    /// A room's name without the usual prefix, for a list that has an icon for it.
    pub fn short<'a>(&self, room: &'a str) -> &'a str {
        room.strip_prefix(self.usual_prefix()).unwrap_or(room)
    }

    /// `#`, unless the server has no such rooms.
    fn usual_prefix(&self) -> char {
        let own = self.chantypes().chars().next().unwrap_or('#');
        if self.chantypes().contains('#') { '#' } else { own }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fold_as_the_server_says() {
        let mut naming = Naming::default();
        assert_ne!(naming.key("[Bob]"), naming.key("{bob}"));
        assert_eq!(naming.key("Zoë"), naming.key("ZOE\u{308}"));
        naming.set_casemapping("rfc1459");
        assert_eq!(naming.key("[Bob]~"), naming.key("{bob}^"));
        naming.set_casemapping("rfc1459-strict");
        assert_eq!(naming.key("[Bob]"), naming.key("{bob}"));
        assert_ne!(naming.key("a~"), naming.key("a^"));
        naming.set_casemapping("ascii");
        assert_ne!(naming.key("[Bob]"), naming.key("{bob}"));
        assert_eq!(naming.key("ZOë"), naming.key("zoë"));
        assert_ne!(naming.key("Ärger"), naming.key("ärger"), "two people, says the server");
        naming.fold_all_of_unicode();
        assert_eq!(naming.key("Ärger"), naming.key("ärger"));
    }

    #[test]
    fn rooms_begin_as_the_server_says() {
        let mut naming = Naming::default();
        assert_eq!((naming.room("tea"), naming.room("&tea")), ("#tea".into(), "&tea".into()));
        assert_eq!((naming.room("+tea"), naming.room("＃tea")), ("+tea".into(), "#tea".into()));
        assert_eq!((naming.short("##tea"), naming.short("&tea")), ("#tea", "&tea"));
        naming.set_chantypes("#");
        assert_eq!(naming.room("+tea"), "#+tea", "here that is only a character");
        naming.set_chantypes("&");
        assert_eq!((naming.room("tea").as_str(), naming.room("#tea").as_str()), ("&tea", "#tea"));
        naming.set_chantypes("&#!+");
        assert_eq!(naming.room("tea"), "#tea");
        naming.set_chantypes("+");
        assert_eq!((naming.room("tea").as_str(), naming.short("+tea")), ("+tea", "tea"));
        assert!(!naming.is_room("#tea"));
        for (types, room) in [("&#!+", "!ABCDEtea"), ("&", "&tea"), ("", "#tea")] {
            naming.set_chantypes(types);
            assert!(naming.is_room(room) && !naming.is_room("bob"), "{room} by {types:?}");
        }
        assert_eq!(naming.room("tea"), "#tea");
    }
}
