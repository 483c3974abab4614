//! The wire: lines, messages, tags, commands, numerics, capabilities, ids, times and names.
//!
//! Written once for both sides: the server reads it strictly, the client as [`leniency`] says.
//! Only `std` and the crates that fold names, find bytes and hash passwords; no socket, no clock.

pub mod base64;
pub mod capability;
pub mod command;
pub mod host_port;
pub mod html;
pub mod leniency;
pub mod line;
pub mod line_name;
pub mod mask;
pub mod message;
pub mod msgid;
pub mod name;
pub mod numeric;
pub mod position;
pub mod raw;
pub mod scram;
pub mod sorted;
pub mod tag;
pub mod text;
pub mod time;

pub use capability::{Capabilities, Capability};
pub use host_port::{HostPort, HostPortError};
pub use leniency::Leniency;
pub use line_name::LineName;
pub use message::Message;
pub use msgid::MsgId;
pub use name::{Folded, NameError, Nick, RoomName};
pub use numeric::Numeric;
pub use position::Position;
