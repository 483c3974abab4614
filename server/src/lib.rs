//! A chat room that IRC programs, `nc` and toy clients share.
//!
//! The path of a line: a reader (`connection`) takes bytes from a socket and sends whole lines
//! through one bounded channel to the hub task (`dispatch`); there the [`Hub`](hub::Hub), a plain
//! state machine, decides who hears what; the lines go into outboxes (`outbox`) and, at the
//! end of the turn, out to the sockets. What a room is to remember goes to the [`store`], which
//! has threads of its own and says when it is on disk; only then does the sender get its echo.
//!
//! | module | noun |
//! | --- | --- |
//! | [`protocol`] | the wire: lines, messages, commands, names |
//! | [`hub`] | members, rooms, messages: no socket, no clock |
//! | `server` | binds, runs, stops; accepts |
//! | `connection`, `outbox` | one peer, and what waits for it |
//! | `reader`, `gate`, `toy_reader`, `speaker`, `flood` | what comes from it |
//! | `dispatch` | the hub task |
//! | [`store`], `archive`, `memory` | the history: on disk, the way there, and without a disk |
//! | [`export`] | the history of a stopped server |
//! | [`console`], [`logger`] | the operator's terminal |
//! | `config`, `data_folder`, `listen`, `oper_file`, `start_error`, `cloak`, [`quantity`] | the start |
#![forbid(unsafe_code)]

// What the unit tests share with the others knows the crate by its name.
#[cfg(test)]
extern crate self as parlor_server;

mod archive;
mod cloak;
mod config;
mod connection;
pub mod console;
mod data_folder;
mod dispatch;
pub mod export;
mod flood;
mod gate;
pub mod hub;
mod listen;
pub mod logger;
mod memory;
mod oper_file;
mod outbox;
pub mod protocol;
pub mod quantity;
mod reader;
mod server;
mod speaker;
mod start_error;
pub mod store;
mod toy_reader;

pub use config::{Config, DEFAULT_PORT, Keep};
pub use data_folder::data_folder;
pub use hub::Speaker;
pub use listen::addresses_for_others;
pub use server::{Guest, Handle, Operator, Server};
pub use start_error::StartError;
