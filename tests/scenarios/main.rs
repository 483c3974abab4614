//! Scenarios: the real server, driven over real sockets, one module a noun.
//!
//! Where modern.ircdocs.horse leaves a choice between numerics, the scenario takes any of them.
#![forbid(unsafe_code)]

mod accounts;
mod capabilities;
mod chathistory;
mod clocks;
mod command_line;
mod console;
mod export;
mod hands;
mod history_files;
mod labels;
mod limits;
mod lines;
mod lists;
mod marks;
mod messages;
mod modes;
mod monitor;
mod multiline;
mod names;
mod operator;
mod options_file;
mod package;
mod parties;
mod password;
mod people;
mod people_together;
mod plain;
mod plain_commands;
mod private;
mod process;
mod queries;
mod random;
mod raw;
mod reach;
mod receipts;
mod redact;
mod registration;
mod reload;
mod replay;
mod restart;
mod resume;
mod robust;
mod rooms;
mod sasl;
mod search;
mod smoke;
mod tags;
mod tls;
mod topics;
mod wear;
