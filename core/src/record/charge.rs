//! Charges: one event against a limit about others than a destination.

use crate::error::LimitName;
use crate::keys::Kind;
use crate::policy::{Conversion, Limit, Mode};

/// One event against a limit, by which it may be refused, counted and given back.
#[derive(Clone, Copy, Debug)]
#[expect(
    clippy::exhaustive_structs,
    reason = "plain data, built by verifiers and suites"
)]
pub struct Charge {
    /// By which the charge can be given back, and is not taken twice.
    pub operation: u32,
    /// The limit's name.
    pub name: LimitName,
    /// The limit.
    pub against: Against,
    /// Whether a refusal refuses, or is only told.
    pub mode: Mode,
    /// A decoy is judged and written like a message, and is neither paid for nor awaited:
    /// it adds nothing to spend and conversion. Among events it is one like any other.
    pub decoy: bool,
}

/// What a charge is held against, in a record of its kind.
#[derive(Clone, Copy, Debug)]
#[expect(
    clippy::exhaustive_enums,
    reason = "plain data, built by verifiers and suites"
)]
pub enum Against {
    /// Events in a sliding window.
    Events(Limit),
    /// Money, in one day of UTC.
    Spend {
        /// What the message costs, in millionths of the currency.
        price_micros: u64,
        /// What may be spent in the day, in millionths of the currency.
        cap_micros: u64,
    },
    /// Messages to one prefix, of which enough must be answered by an approval.
    Conversion {
        /// How many.
        rule: Conversion,
        /// For so many seconds a message may still be answered.
        grace_seconds: u32,
    },
}

impl Charge {
    /// One event against a limit that refuses, of no decoy.
    #[must_use]
    pub const fn event(operation: u32, name: LimitName, limit: Limit) -> Self {
        Self {
            operation,
            name,
            against: Against::Events(limit),
            mode: Mode::Enforce,
            decoy: false,
        }
    }
}

impl Against {
    /// The kind of record that keeps it.
    #[must_use]
    pub const fn kind(self) -> Kind {
        match self {
            Self::Events(_) => Kind::Limit,
            Self::Spend { .. } => Kind::Spend,
            Self::Conversion { .. } => Kind::Conversion,
        }
    }
}
