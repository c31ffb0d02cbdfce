//! The SQLite store under faults: killed in the middle of load, a power cut, a full disk, a file that
//! is read-only, busy, too new or damaged. Nothing acknowledged is lost, nothing is
//! approved by mistake.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a suite fails by panicking"
)]

#[path = "sqlite/bench.rs"]
mod bench;
#[path = "parts/dice.rs"]
#[expect(dead_code, reason = "each suite uses some of it")]
mod dice;
#[path = "sqlite/disk.rs"]
mod disk;
#[path = "sqlite/failing_calls.rs"]
mod failing_calls;
#[path = "sqlite/killed.rs"]
mod killed;
#[path = "parts/ledger.rs"]
#[expect(dead_code, reason = "each suite uses some of it")]
mod ledger;
#[path = "sqlite/load.rs"]
mod load;
#[path = "sqlite/locked.rs"]
mod locked;
#[path = "parts/long.rs"]
mod long;
#[path = "sqlite/power/mod.rs"]
mod power;
