//! What the benches measure: a check and a send in memory, and the floor under a check.
//!
//! Everything measured is a [`Contender`]: it opens sessions for people and judges their
//! codes. All contenders have the same people in the same random order, since a cache miss
//! weighs more than arithmetic.

mod contender;
mod counted;
mod countersigned;
mod floor;
mod group;
mod people;
mod trial;

pub use self::contender::{Contender, ready};
pub use self::counted::instructions;
pub use self::countersigned::{Countersigned, Taker};
pub use self::floor::{Floor, FloorAndClock, Hasher};
pub use self::group::{Group, measure};
pub use self::people::{People, another_code, mix};
pub use self::trial::{Act, Trial};
