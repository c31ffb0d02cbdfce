//! The PostgreSQL store against the real thing: the contract, races, time, faults of the
//! server and of the network, and what is refused.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a suite fails by panicking"
)]

#[path = "postgres/bench.rs"]
mod bench;
#[path = "postgres/conformance.rs"]
mod conformance;
#[path = "postgres/faults.rs"]
mod faults;
#[path = "parts/mod.rs"]
#[expect(dead_code, reason = "each suite uses some of the parts")]
mod parts;
#[path = "postgres/power.rs"]
mod power;
#[path = "postgres/races.rs"]
mod races;
#[path = "postgres/refused.rs"]
mod refused;
#[path = "postgres/rights.rs"]
mod rights;
#[path = "postgres/time.rs"]
mod time;
#[path = "postgres/wire.rs"]
mod wire;
