//! The history on disk, from outside: what it keeps, whatever happens to it.

mod damage;
mod desk;
mod disk_full;
mod pages;
mod power;
mod retention;
