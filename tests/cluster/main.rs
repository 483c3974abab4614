//! Several servers with one order, over Debian's Redis: they are one room whatever becomes of one of them, or of the Redis.
#![forbid(unsafe_code)]

mod begin;
mod gap;
mod house;
mod kill;
mod member;
mod order;
mod stage;
mod trouble;
mod window;
