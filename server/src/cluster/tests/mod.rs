//! Servers that share the log of a real engine, `redis-server`.

mod engine;
mod leases;
mod loss;
mod node;
mod order;
mod proxy;
mod refusals;
