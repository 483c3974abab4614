//! Servers that share the log of a real engine. Its program is `redis-server`.

mod engine;
mod node;
mod order;
