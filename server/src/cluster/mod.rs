//! The log that several servers share, on Redis (6.2 or later) or Valkey: one order of entries for all of them, whatever
//! becomes of a server, a connection or the engine. What the entries say is not known here.
//!
//! | file | noun |
//! | --- | --- |
//! | `address` | where the log is |
//! | `error` | why a server cannot take part |
//! | `wire`, `encryption` | what passes between a connection and its socket |
//! | `alarm` | the time that a part or a connection waits for |
//! | `words`, `reply` | what the engine is told, and what it answers |
//! | `connection` | one connection to the engine |
//! | `script` | how the log is changed, by `log.lua` |
//! | `history` | what this server knows of the log, to put it back |
//! | `link` | what the other parts of the server hold, and all that is told |
//! | `part` | what a connection is for that is there as long as the server runs |
//! | `writer`, `reader`, `listener` | the three parts |
//! | `join` | how a server becomes one of the cluster |
//!
//! # Keys
//! All begin with `parlor:{NAME}:`.
//!
//! | key | what it holds | bound, and who removes it |
//! | --- | --- | --- |
//! | `meta` | format, id, birth, cloak key, boot, next number, founder, `=SETTING` | one of each |
//! | `log` | the entries: `s` server, `q` its count, `p` the id before, `e` bytes, `f` whom it fences | trimmed to the oldest snapshot |
//! | `snapshots` | place → state | the newest 4 |
//! | `lease:N` | the server's token | gone 15 s after the last renewal |
//! | `seq:N` | how many entries the server has appended | one a server; goes when it is fenced |
//! | `servers` | the servers that are not fenced | a server goes when it is fenced |
//! | `fenced` | the servers that are | the highest 1,000 numbers |
//! | `run` | the `run_id` of the engine that was seen last | one |
//! | `hold` | nothing is appended while it is there | 3 s, or 6 s |
//!
//! Servers hear each other on the channels `to:N`. A user of the engine needs these keys and channels, and the commands
//! AUTH, INFO, PING, SCRIPT LOAD, EVAL, EVALSHA, XREAD, HKEYS, HGET, PUBLISH, SUBSCRIBE, PUBSUB CHANNELS and those of the two
//! scripts (`join.lua`, `log.lua`).
//!
//! # When the engine has lost something
//! Each server keeps the latest snapshot it has, every entry since, and half a megabyte before it, for others may have read
//! less. An engine that runs anew, or has lost all, takes nothing
//! for some seconds (`hold`): those who know more than it put that back, each entry right behind the one that it followed. Who
//! has read what is not in the log in the end has to begin anew ([`Event::Fenced`]).

mod address;
mod alarm;
mod clock;
mod connection;
#[cfg(feature = "tls")]
mod encryption;
mod error;
mod history;
mod join;
mod link;
mod listener;
mod part;
mod reader;
mod reply;
mod script;
mod shared;
#[cfg(test)]
mod tests;
mod wire;
mod words;
mod writer;

pub use address::{Address, AddressError};
pub use error::Error;
pub use history::Entry;
pub use join::{Joined, Options, Start, join};
pub use link::Link;
pub use shared::{Event, MAX_ENTRY};
