//! Members, names, rooms, modes: data and rules. Nothing here sends a line.

pub(crate) mod admission;
pub(crate) mod limits;
pub(crate) mod member;
pub(crate) mod room;
pub(crate) mod room_record;
pub(crate) mod settings;
pub(crate) mod stamp;
pub(crate) mod timers;
pub(crate) mod whowas;
