//! The start: what the server is told, the files and addresses that it needs, and why it cannot.

pub(crate) mod config;
pub(crate) mod data_folder;
pub(crate) mod descriptors;
pub(crate) mod error;
pub(crate) mod listen;
pub(crate) mod motd;
pub(crate) mod oper_file;
pub(crate) mod options;
pub mod quantity;
