//! The harness of the scenario tests: the real `server` program, driven over real sockets.
//!
//! ```no_run
//! use parlor_tests::Server;
//!
//! let server = Server::start(&[]);
//! let mut alice = server.irc("alice");
//! let mut bob = server.irc("bob");
//! alice.join("#tea");
//! bob.join("#tea");
//! alice.send("PRIVMSG #tea :the kettle is on");
//! bob.expect(":alice!*@* PRIVMSG #tea :the kettle is on");
//! alice.silent_until_pong("PRIVMSG **"); // no echo unless asked for
//! ```
//!
//! * [`Server`] and [`Launch`] start the program, wait for its log and its output, type at its console, end it.
//! * [`Irc`] speaks IRC and holds every line it receives to the protocol's limits.
//! * [`needs`] says what a test is left out for.
//! * [`Tls`] encrypts what either says.
//! * [`Plain`] is `nc`, a raw client, or anything else that sends bytes.
//!
//! Nothing sleeps: each wait is for a line, with a [`Deadline`]. What failed is printed with the transcript of its
//! connection, and below it the server's log.
#![forbid(unsafe_code)]

mod deadline;
mod irc;
mod message;
pub mod needs;
mod plain;
mod process;
mod scratch;
mod server;
mod tls;
mod wire;

pub use deadline::Deadline;
pub use irc::{Irc, Pattern};
pub use message::{Message, glob};
pub use plain::Plain;
pub use process::Lines;
pub use scratch::Scratch;
pub use server::{Ended, Launch, Server, program, program_named};
pub use tls::Tls;
