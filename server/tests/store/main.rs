//! The history on disk, from outside: what it keeps, whatever happens to it.
#![expect(clippy::unwrap_used, reason = "a test may panic where it fails")]

mod clocks;
mod damage;
mod desk;
mod disk_full;
mod erased;
mod pages;
mod power;
mod retention;
mod several;
