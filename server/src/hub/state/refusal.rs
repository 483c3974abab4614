//! Why something is not done, as a numeric says it.

use crate::protocol::Numeric::{self, *};
use crate::protocol::name::MAX_BYTES;

/// The numeric, and what follows the recipient's name.
pub(crate) type Refused = (Numeric, String);

/// A name that nobody has.
pub(crate) fn nobody(nick: &str) -> Refused {
    (ERR_NOSUCHNICK, format!("{} :Nobody here has that name", shown(nick)))
}

/// A name of no room, or of one that hides.
pub(crate) fn no_such_room(room: &str) -> Refused {
    (ERR_NOSUCHCHANNEL, format!("{} :There is no such room", shown(room)))
}

pub(crate) fn not_in_room(room: &str) -> Refused {
    (ERR_NOTONCHANNEL, format!("{} :You are not in that room", shown(room)))
}

pub(crate) fn operator_needed(room: &str) -> Refused {
    (ERR_CHANOPRIVSNEEDED, format!("{room} :Only an operator of the room may do that"))
}

pub(crate) fn too_many_targets(count: usize) -> Refused {
    (ERR_TOOMANYTARGETS, format!("* :{count} targets are too many; nothing was done"))
}

pub(crate) fn too_long() -> Refused {
    (ERR_INPUTTOOLONG, ":Input line was too long; nothing of it was sent".into())
}

/// A name from a client as a reply may repeat it: a `*` where it is too long or no middle
/// parameter.
pub(crate) fn shown(name: &str) -> &str {
    let middle = !name.is_empty() && !name.contains(' ') && !name.starts_with(':');
    if middle && name.len() <= 2 * MAX_BYTES { name } else { "*" }
}
