//! How a server tells names apart: rooms from people, and one name from another.

use super::Key;

/// ISUPPORT CASEMAPPING. Unicode case and composition never count, as on our server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Casemapping {
    /// `ascii` and everything unknown.
    Unicode,
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
    chantypes: String,
}

impl Default for Naming {
    fn default() -> Naming {
        Naming { casemapping: Casemapping::Unicode, chantypes: "#&".into() }
    }
}

impl Naming {
    /// The value of CASEMAPPING.
    pub(super) fn set_casemapping(&mut self, value: &str) {
        self.casemapping = match value {
            "rfc1459" => Casemapping::Rfc1459,
            "rfc1459-strict" | "strict-rfc1459" => Casemapping::Strict,
            _ => Casemapping::Unicode,
        }
    }

    /// The value of CHANTYPES.
    pub(super) fn set_chantypes(&mut self, value: &str) {
        self.chantypes = value.into();
    }

    /// The key of a room's or a person's name.
    pub fn key(&self, name: &str) -> Key {
        let key = Key::new(name);
        if self.casemapping == Casemapping::Unicode || !key.as_str().contains(['[', ']', '\\', '~']) {
            return key;
        }
        let strict = self.casemapping == Casemapping::Strict;
        let fold = |c| match c {
            '[' => '{',
            ']' => '}',
            '\\' => '|',
            '~' if !strict => '^',
            c => c,
        };
        Key::new(&key.as_str().chars().map(fold).collect::<String>())
    }

    /// Whether a name is a room's.
    pub fn is_room(&self, name: &str) -> bool {
        name.starts_with(|c| self.chantypes.contains(c))
    }

    /// The name of a room as it was typed, perhaps without its prefix.
    pub fn room(&self, typed: &str) -> String {
        if self.is_room(typed) { typed.to_owned() } else { format!("{}{typed}", self.usual_prefix()) }
    }

    /// A room's name without the usual prefix, for a list that has an icon for it.
    pub fn short<'a>(&self, room: &'a str) -> &'a str {
        room.strip_prefix(self.usual_prefix()).unwrap_or(room)
    }

    /// `#`, unless the server has no such rooms.
    fn usual_prefix(&self) -> char {
        let own = self.chantypes.chars().next().unwrap_or('#');
        if self.chantypes.contains('#') { '#' } else { own }
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
    }

    #[test]
    fn rooms_begin_as_the_server_says() {
        let mut naming = Naming::default();
        assert_eq!((naming.room("tea"), naming.room("&tea")), ("#tea".into(), "&tea".into()));
        assert_eq!((naming.short("##tea"), naming.short("&tea")), ("#tea", "&tea"));
        naming.set_chantypes("&#!+");
        assert_eq!(naming.room("tea"), "#tea");
        naming.set_chantypes("+");
        assert_eq!((naming.room("tea").as_str(), naming.short("+tea")), ("+tea", "tea"));
        assert!(!naming.is_room("#tea"));
        naming.set_chantypes("");
        assert_eq!(naming.room("tea"), "#tea");
    }
}
