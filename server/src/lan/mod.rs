//! Rooms on the network, found without an address: DNS-SD (RFC 6763) over multicast DNS (RFC 6762). Nothing is sent
//! while nobody announces or looks.
//!
//! | module | noun |
//! | --- | --- |
//! | `listing` | what a room says of itself |
//! | `multicast` | the networks that carry it |
//! | `daemon` | the library's thread, watched |
//! | `announcer` | a room that says so |
//! | `browser` | who looks for rooms |

mod announcer;
mod browser;
mod daemon;
mod listing;
mod multicast;

pub use announcer::Announcer;
pub use browser::{Browser, Found, MAX_FOUND, Seen};
pub use listing::Listing;
pub use multicast::LanError;

/// What IRC servers are announced as; in use, not registered.
const SERVICE: &str = "_irc._tcp.local.";
