//! The catalogue's rows that need no network, on every bundled store, through the public
//! verifier. Comparisons and approvals are counted, never error codes.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a suite fails by panicking"
)]

#[path = "attacks/bench.rs"]
mod bench;
#[path = "attacks/channels.rs"]
mod channels;
#[path = "attacks/clocks.rs"]
mod clocks;
#[path = "attacks/crashes.rs"]
mod crashes;
#[path = "attacks/crashing.rs"]
mod crashing;
#[path = "attacks/cut_off.rs"]
mod cut_off;
#[path = "attacks/decoys.rs"]
mod decoys;
#[path = "attacks/denial.rs"]
mod denial;
#[path = "attacks/desk.rs"]
mod desk;
#[path = "attacks/dump.rs"]
mod dump;
#[path = "attacks/exhaustion.rs"]
mod exhaustion;
#[path = "attacks/fairness.rs"]
mod fairness;
#[path = "attacks/flooding.rs"]
mod flooding;
#[path = "attacks/guessing.rs"]
mod guessing;
#[path = "attacks/kept.rs"]
mod kept;
#[path = "attacks/movable.rs"]
mod movable;
#[path = "attacks/moved.rs"]
mod moved;
#[path = "attacks/over_http.rs"]
mod over_http;
#[path = "parts/mod.rs"]
#[expect(dead_code, reason = "each suite starts some of the counterparts")]
mod parts;
#[path = "attacks/plan.rs"]
mod plan;
#[path = "attacks/pumping.rs"]
mod pumping;
#[path = "attacks/races.rs"]
mod races;
#[path = "attacks/random_ids.rs"]
mod random_ids;
#[path = "attacks/reports.rs"]
mod reports;
#[path = "attacks/resending.rs"]
mod resending;
#[path = "attacks/rotation.rs"]
mod rotation;
#[path = "attacks/sandbox.rs"]
mod sandbox;
#[path = "attacks/spelling.rs"]
mod spelling;
#[path = "attacks/spending.rs"]
mod spending;
#[path = "attacks/spraying.rs"]
mod spraying;
#[path = "attacks/stores.rs"]
mod stores;
#[path = "attacks/theft.rs"]
mod theft;
#[path = "attacks/time.rs"]
mod time;
#[path = "attacks/timed.rs"]
mod timed;
