//! Names that were given up, for WHOWAS.

use std::collections::VecDeque;

use crate::hub::state::limits::MAX_WHOWAS;
use crate::protocol::Folded;
use crate::protocol::time::UnixMillis;

#[derive(Debug, Clone)]
pub(crate) struct Departed {
    pub(crate) folded: Folded,
    pub(crate) nick: String,
    pub(crate) user: String,
    pub(crate) host: String,
    pub(crate) realname: String,
    pub(crate) at: UnixMillis,
}

/// The last [`MAX_WHOWAS`] names that were given up, newest first.
#[derive(Debug, Default)]
pub(crate) struct Whowas(VecDeque<Departed>);

impl Whowas {
    pub(crate) fn push(&mut self, departed: Departed) {
        self.0.truncate(MAX_WHOWAS - 1);
        self.0.push_front(departed);
    }

    /// All of them, the latest first.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &Departed> {
        self.0.iter()
    }

    /// Who had this name, the latest first.
    pub(crate) fn of(&self, folded: &Folded) -> impl Iterator<Item = &Departed> {
        self.0.iter().filter(move |departed| departed.folded == *folded)
    }
}
