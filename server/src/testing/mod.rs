//! What the tests of all packages share; only with the feature `testing`, which no program has.
//!
//! | module | noun |
//! | --- | --- |
//! | [`random`] | chance that a seed repeats |
//! | [`turn`] | the hub's outputs, by who carries them out |
//! | [`world`] | a hub, virtual time, and what everybody was sent |
//! | [`disk`] | a disk that forgets, tears and fills up |

pub mod disk;
pub mod random;
pub mod turn;
pub mod world;

pub use disk::FakeDisk;
pub use random::Random;
pub use turn::{Job, ToKeep, Turn};
pub use world::World;
