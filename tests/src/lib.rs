#![doc = include_str!("authors.md")]

mod ground;
mod harness;
pub mod rules;
mod session;
mod suite;
mod violation;

pub use harness::{Disaster, Harness, Job, block_on};
pub use suite::{Report, Rule, suite};
pub use violation::{Outcome, Passed, Violation};
