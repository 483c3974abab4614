//! Which conversation something belongs to.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use parlor_server::protocol::Folded;

/// The folded name of a conversation: of a room, of a person, or of the server itself.
///
/// Cheap to clone; equal for names that differ only in case.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(Arc<str>);

/// No room and no person can have these names.
const SERVER: &str = "*";
const OTHERS: &str = "**";

impl Key {
    /// The key of a room (`#lobby`) or of a person (`bob`).
    pub fn new(name: &str) -> Key {
        Key(Folded::new(name).as_str().into())
    }

    /// The key of a name that is folded already.
    pub(super) fn folded(name: String) -> Key {
        Key(name.into())
    }

    /// The conversation of the server's own messages.
    pub fn server() -> Key {
        Key(SERVER.into())
    }

    /// Whether this is [`Key::server`].
    pub fn is_server(&self) -> bool {
        &*self.0 == SERVER
    }

    /// The conversation that strangers share.
    pub fn others() -> Key {
        Key(OTHERS.into())
    }

    /// Whether this is [`Key::others`].
    pub fn is_others(&self) -> bool {
        &*self.0 == OTHERS
    }

    /// Whether it names nobody and no room.
    pub(super) fn is_reserved(&self) -> bool {
        self.is_server() || self.is_others()
    }

    /// The folded name; the same after every start, so settings may hold it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Key {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
