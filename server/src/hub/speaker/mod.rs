//! Those who speak no IRC: people at a terminal, raw clients.

pub(crate) mod plain;
pub(crate) mod raw;
