//! What a rule found.

use thiserror::Error;

/// A rule that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{rule}: {seen}; it would cost: {cost}")]
#[non_exhaustive]
pub struct Violation {
    /// The rule's name: that of its function.
    pub rule: &'static str,
    /// What was seen.
    pub seen: String,
    /// What it would cost.
    pub cost: &'static str,
}

/// A rule that was not broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Passed {
    /// It holds, as far as was tried.
    Held,
    /// The store or the harness lacks what the rule is about.
    NotTried(&'static str),
}

/// What a rule's function gives.
pub type Outcome = Result<Passed, Violation>;
