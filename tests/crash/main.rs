//! The real thing: the server is killed, the power is cut, the disk is full, a file is cut short. What was echoed is
//! there afterwards, or somebody is told.
#![forbid(unsafe_code)]

mod damage;
mod full;
mod kill;
mod member;
mod power;
mod stage;
mod window;
