//! The router as a client sees it, over a memory store, a clock that stands still and a
//! deliverer that records. Every answer is held against the OpenAPI document.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a suite fails by panicking"
)]

mod activation;
mod audit;
mod bad_input;
mod calls;
mod channels;
mod conforms;
mod desk;
mod faults;
mod hung_up;
mod keys;
mod numbers;
mod observed;
mod reports;
mod sandbox;
mod slow_reports;
mod sources;
