//! How lines reach a connection: encoding, fan-out, and what may overtake what.

pub(crate) mod event;
pub(crate) mod form;
pub(crate) mod page;
pub(crate) mod receipts;
pub(crate) mod reply;
