//! One connection: its socket, what comes from it and what waits for it.
//!
//! | file | noun |
//! | --- | --- |
//! | `connection` | the socket, shared by its reader and its writer |
//! | `outbox` | the lines that wait to be written |
//! | `reader`, `raw_reader` | bytes to whole lines, or to chunks |
//! | `speaker` | what the first bytes tell of the peer's protocol |
//! | `flood`, `gate` | why a reader waits: too many lines, receipts behind |
//! | `arrival` | what all of them tell the hub task |
//! | `cloak` | the hash that others see instead of an address |

mod arrival;
mod cloak;
mod connection;
mod flood;
mod gate;
mod outbox;
mod raw_reader;
mod reader;
mod speaker;

pub(crate) use arrival::Arrival;
pub(crate) use cloak::Cloaks;
pub(crate) use connection::{Connection, Door, guarded};
pub(crate) use outbox::{Blocks, Flushed};
pub(crate) use reader::Reader;
