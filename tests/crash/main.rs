//! The real thing: the server is killed, the power is cut, the disk is full, a file is cut short. What was echoed is
//! there afterwards, or somebody is told.
#![forbid(unsafe_code)]

mod damage;
#[path = "../../server/tests/store/fake.rs"]
#[expect(dead_code, reason = "the tests of the store need more of it")]
mod fake;
mod full;
mod kill;
mod member;
mod power;
#[path = "../simulation/random.rs"]
#[expect(dead_code, reason = "the simulation needs more of it")]
mod random;
mod stage;
mod window;
