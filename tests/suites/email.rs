//! Email through real servers: what arrives, what is refused, and what never leaves.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a suite fails by panicking"
)]

#[path = "email/arrival.rs"]
mod arrival;
#[path = "email/failures.rs"]
mod failures;
#[path = "email/hostile.rs"]
mod hostile;
#[expect(dead_code, reason = "each suite starts some of the counterparts")]
#[path = "parts/mod.rs"]
mod parts;
#[path = "email/protection.rs"]
mod protection;
#[path = "email/stage.rs"]
mod stage;
