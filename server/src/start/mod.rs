//! The start: options and configuration, the files and addresses that the server needs, the errors.

pub(crate) mod config;
pub(crate) mod data_folder;
pub(crate) mod descriptors;
pub(crate) mod error;
pub(crate) mod limits;
pub(crate) mod listen;
pub(crate) mod motd;
pub(crate) mod oper_file;
pub(crate) mod options;
pub(crate) mod options_file;
pub mod quantity;
pub(crate) mod reach;
