//! Charges: one event against a limit about others than a destination.

use crate::clock::Timestamp;
use crate::error::{CorruptRecord, LimitName};
use crate::keys::{Kind, Tag};
use crate::policy::{Conversion, Limit, Mode};
use crate::record::moment::Moment;
use crate::record::step::{Action, Effect, Refusal, Step};

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

/// A record that charges come to: what they have in common, whatever they count. A charge
/// is known by its operation id, so that it is neither taken twice nor given back twice.
pub(super) trait Charged {
    /// Whether what is refused in a dry run, and leaves all the same, counts.
    const TOLD_COUNTS: bool = false;

    fn tag(&self) -> Tag;

    /// Where a charge is kept that is still known.
    fn place_of(&self, operation: u32) -> Option<usize>;

    /// Why it cannot be taken now; an error for a charge of another kind of record.
    fn refusal(&self, charge: &Charge, now: Timestamp) -> Result<Option<Refusal>, CorruptRecord>;

    fn take(&mut self, charge: &Charge, now: Timestamp) -> Result<(), CorruptRecord>;

    fn give_back(&mut self, place: usize);

    /// An action of this kind of record alone.
    fn other(&mut self, _: &Action, _: Timestamp) -> Result<Effect, CorruptRecord> {
        Err(CorruptRecord::Foreign)
    }

    fn step(&mut self, step: &Step, moment: Moment) -> Result<Effect, CorruptRecord> {
        if self.tag() != step.tag {
            return Err(CorruptRecord::Foreign);
        }
        let now = moment.now;
        Ok(match &step.action {
            Action::Charge(charge) => self.charge(charge, now)?,
            Action::PeekCharge(charge) => told(self.refusal(charge, now)?),
            Action::Refund(charge) => {
                // What is no longer known stays charged: never above a cap.
                if let Some(place) = self.place_of(charge.operation) {
                    self.give_back(place);
                }
                Effect::Done
            }
            action => self.other(action, now)?,
        })
    }

    fn charge(&mut self, charge: &Charge, now: Timestamp) -> Result<Effect, CorruptRecord> {
        if self.place_of(charge.operation).is_some() {
            return Ok(Effect::Done);
        }
        let refusal = self.refusal(charge, now)?;
        if refusal.is_none() || (Self::TOLD_COUNTS && charge.mode == Mode::Report) {
            self.take(charge, now)?;
        }
        Ok(told(refusal))
    }
}

fn told(refusal: Option<Refusal>) -> Effect {
    refusal.map_or(Effect::Done, Effect::Refused)
}
