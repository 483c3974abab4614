//! Limits of the start.

/// Connections at a time, where neither the operator nor the system says fewer.
pub(super) const MAX_CLIENTS: usize = 10_000;
/// Closed connections whose peers may still read their last lines; more are closed at once.
pub(crate) const MAX_CLOSING: usize = 64;
/// Descriptors for everything but members: listeners, files, connections that are closing.
pub(super) const RESERVED: usize = 32 + MAX_CLOSING;
/// Bytes of the message of the day: everybody gets it at once.
pub(super) const MAX_MOTD: usize = 32 * 1024;
/// Bytes of a line of the message of the day.
pub(super) const MAX_MOTD_LINE: usize = 400;
/// Bytes of the prompt for raw clients.
pub(super) const MAX_PROMPT: usize = 64;
/// Bytes of the file with the key for OPER.
pub(super) const MAX_KEY_FILE: usize = 4096;
/// Characters of a key for OPER that is not too easy to guess.
pub(super) const MIN_KEY: usize = 16;
/// Bytes of the password of a server, at least.
pub(crate) const MIN_PASSWORD: usize = 6;
/// Bytes of a file of options.
pub(super) const MAX_OPTIONS_FILE: usize = 64 * 1024;
