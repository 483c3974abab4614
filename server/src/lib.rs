//! A chat room that IRC programs, `nc` and toy clients share.
//!
//! The path of a line: a reader (`connection`) takes bytes from a socket and sends whole lines
//! through one bounded channel to the hub task (`dispatch`); there the [`Hub`](hub::Hub), a plain
//! state machine, decides who hears what; the lines go into outboxes (`outbox`) and, at the
//! end of the turn, out to the sockets.
//!
//! | module | noun |
//! | --- | --- |
//! | [`protocol`] | the wire: lines, messages, commands, names |
//! | [`hub`] | members, rooms, messages: no socket, no clock |
//! | `server` | binds, runs, stops; accepts |
//! | `connection`, `outbox` | one peer, and what waits for it |
//! | `reader`, `toy_reader`, `speaker`, `flood` | what comes from it |
//! | `dispatch` | the hub task |
//! | [`store`] | history on disk: knows no hub, no socket |
//! | [`console`], [`logger`] | the operator's terminal |
//! | `config`, `listen`, `oper_file`, `start_error`, `cloak` | the start |
#![forbid(unsafe_code)]

mod cloak;
mod config;
mod connection;
pub mod console;
mod dispatch;
mod flood;
mod gate;
pub mod hub;
mod listen;
pub mod logger;
pub mod memory;
mod oper_file;
mod outbox;
pub mod protocol;
mod reader;
mod server;
mod speaker;
mod start_error;
pub mod store;
mod toy_reader;

pub use config::{Config, DEFAULT_PORT};
pub use hub::Speaker;
pub use listen::addresses_for_others;
pub use server::{Guest, Handle, Operator, Server};
pub use start_error::StartError;
