//! The Redis store against the real thing: the contract, the native check beside the pure
//! one, crashes and failovers, and what is refused.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a suite fails by panicking"
)]

#[path = "redis/conformance.rs"]
mod conformance;
#[path = "redis/eviction.rs"]
mod eviction;
#[path = "redis/faults.rs"]
mod faults;
#[path = "redis/fence.rs"]
mod fence;
#[path = "redis/library.rs"]
mod library;
#[path = "parts/mod.rs"]
#[expect(dead_code, reason = "each suite uses some of the parts")]
mod parts;
#[path = "redis/power.rs"]
mod power;
#[path = "redis/races.rs"]
mod races;
#[path = "redis/replicas.rs"]
mod replicas;
#[path = "redis/round_trips.rs"]
mod round_trips;
#[path = "redis/stage.rs"]
mod stage;
#[path = "redis/starts.rs"]
mod starts;
#[path = "redis/steps.rs"]
mod steps;
#[path = "parts/tap.rs"]
mod tap;
#[path = "redis/together.rs"]
mod together;
#[path = "redis/twins.rs"]
mod twins;
#[path = "redis/written.rs"]
mod written;
