//! One connection: its socket, what comes from it and what waits for it.
//!
//! | file | noun |
//! | --- | --- |
//! | `connection` | the socket, shared by its reader and its writer |
//! | `outbox` | the lines that wait to be written |
//! | `reader` | the task that reads: `line_reader` for whole lines, `raw_reader` for text without |
//! | `first_chunk`, `splitter`, `decoder` | a raw client's kind, the ends of its messages, its text from bytes |
//! | `handshake` | the beginning of an encrypted connection |
//! | `speaker`, `request_line` | the peer's protocol, from its first bytes; a browser's |
//! | `telnet` | what a telnet program says besides its person's text |
//! | `feed` | the way from a reader to the hub, as fast as `flood` and `gate` let it |
//! | `arrival` | the news of all of them for the hub task |
//! | `cloak` | the hash that others see instead of an address |

mod arrival;
mod cloak;
mod connection;
mod decoder;
mod feed;
mod first_chunk;
mod flood;
mod gate;
mod handshake;
mod line_reader;
mod outbox;
mod raw_reader;
mod reader;
mod request_line;
mod speaker;
mod splitter;
mod telnet;

pub(crate) use arrival::Arrival;
pub(crate) use cloak::Cloaks;
pub(crate) use connection::{Connection, guarded, within};
pub(crate) use feed::Feed;
pub(crate) use flood::Flood;
pub(crate) use outbox::Flushed;
pub(crate) use reader::read;
