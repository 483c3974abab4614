//! Those who speak no IRC: people at a terminal, raw clients.

mod asked;
pub(crate) mod plain;
pub(crate) mod raw;
