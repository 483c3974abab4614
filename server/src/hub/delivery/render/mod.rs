//! An event as each kind of reader is told of it.

pub(super) mod irc;
pub(super) mod plain;
pub(super) mod raw;
