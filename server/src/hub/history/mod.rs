//! The past of rooms: how it is written down, asked for and sent again.
//!
//! What a store sees of it is data only: the hub gives [`Record`]s and [`Request`]s out and takes
//! [`Answer`]s in.

pub(crate) mod query;
pub(crate) mod record;
pub(crate) mod replay;
pub(crate) mod resend;
pub(crate) mod search;
pub(crate) mod seen;
pub(crate) mod tickets;

pub use query::{Answer, Edge, Erasure, Fingerprint, Kept, Matcher, Matches, Query, Range, Record, Request};
pub use record::Told;
