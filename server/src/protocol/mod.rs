//! The wire: lines, messages, commands, numerics, capabilities and names.
//!
//! Only `std` and the crate that folds names; no socket, no clock. The client uses it too.

pub mod capability;
pub mod command;
pub mod html;
pub mod line;
pub mod mask;
pub mod message;
pub mod msgid;
pub mod name;
pub mod numeric;
pub mod text;
pub mod time;

pub use capability::{Capabilities, Capability};
pub use command::{Command, CommandError};
pub use message::Message;
pub use msgid::MsgId;
pub use name::{Folded, NameError, Nick, RoomName};
pub use numeric::Numeric;
