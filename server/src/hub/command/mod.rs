//! What an IRC client may ask for, one file a family.

pub(crate) mod capabilities;
pub(crate) mod chathistory;
pub(crate) mod departure;
pub(crate) mod invite;
pub(crate) mod liveness;
pub(crate) mod membership;
pub(crate) mod messages;
pub(crate) mod modes;
pub(crate) mod monitor;
pub(crate) mod names;
pub(crate) mod operation;
pub(crate) mod operator;
pub(crate) mod page;
pub(crate) mod people;
pub(crate) mod queries;
pub(crate) mod registration;
pub(crate) mod resume;
pub(crate) mod search;
pub(crate) mod store;
pub(crate) mod topic;
pub(crate) mod who;
