//! The programs of chat tutorials, and what is beside them in a room: each kind sends exactly the bytes that its authors'
//! programs send, and is to be in the conversation like everybody else.
//!
//! The programs are the Python files beside this one.
#![forbid(unsafe_code)]

mod bind;
mod encodings;
mod files;
mod first;
mod irssi;
mod kind;
mod leaving;
mod lines;
mod links;
mod names;
mod program;
mod qt_window;
mod readme;
mod rendering;
mod talk;
mod together;
mod window;
