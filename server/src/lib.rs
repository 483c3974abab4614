//! A chat room that IRC programs, `nc` and raw clients share.
//!
//! The path of a line: a reader (`peer`) takes bytes from a socket and sends whole lines
//! through one bounded channel to the hub task (`dispatch`); there the [`Hub`](hub::Hub), a plain
//! state machine, decides who hears what; the lines go into outboxes (`peer`) and, at the
//! end of the turn, out to the sockets. Records of a room go through `archive` to the [`store`],
//! which has threads of its own and reports when they are on disk; only then does the sender get its
//! echo.
//!
//! | module | noun |
//! | --- | --- |
//! | [`private`] | files and folders that are one user's alone |
//! | [`protocol`] | the wire: lines, messages, commands, names |
//! | [`hub`] | members, rooms, messages: no socket, no clock |
//! | [`store`] | the history on disk |
//! | `charset` | bytes of text other than UTF-8 |
//! | [`cluster`] | the log that several servers share, on Redis or Valkey |
//! | `start` | options, configuration, files, listeners, errors of the start |
//! | `tls` | keys, certificates, encrypted sessions |
//! | `reload` | what a running server takes over from its files |
//! | `peer` | one connection: reader, flood control, outbox |
//! | `archive` | the history as the hub task sees it: on disk or in memory; [`export`] |
//! | `accounts` | passwords and accounts as the hub task sees them |
//! | `replica` | where a server of a cluster begins |
//! | `dispatch` | the hub task |
//! | [`Server`] | binds, accepts, runs, stops |
//! | [`console`], [`logger`] | the operator's terminal |
//!
//! A module uses those above it, never one below (`tests/layers.rs`).
#![forbid(unsafe_code)]

mod accounts;
mod archive;
mod charset;
pub mod cluster;
pub mod console;
mod dispatch;
pub mod hub;
#[cfg(feature = "lan")]
pub mod lan;
pub mod logger;
mod peer;
pub mod private;
pub mod protocol;
mod reload;
mod replica;
mod server;
mod start;
pub mod store;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod tls;

pub use archive::export;
pub use charset::Charset;
pub use hub::Speaker;
pub use server::{Ended, Guest, Handle, Operation, Operator, Server, Target};
pub use start::config::{
    Announce, Config, DEFAULT_PORT, Encryption, Format, HAS_LAN, HAS_TLS, History, Identity,
};
pub use start::data_folder::data_folder;
pub use start::error::StartError;
pub use start::listen::ListenerKind;
pub use start::options::{NoOptions, Options};
pub use start::options_file::Given;
pub use start::quantity;
pub use start::reach::{Reachable, addresses_for_others};
