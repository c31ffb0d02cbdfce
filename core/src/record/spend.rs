//! Spend: what messages have cost in a day, of one tenant or of all.

use crate::clock::Timestamp;
use crate::error::CorruptRecord;
use crate::keys::Tag;
use crate::record::charge::{Against, Charge, Charged};
use crate::record::step::{Action, Effect, Refusal};

/// So many messages can be given back or recognised again. More than of other limits: a
/// provider may take seconds to refuse a message, and others are sent meanwhile.
pub(crate) const OPERATIONS: usize = 64;

const DAY: u64 = 24 * 3600;
/// A clock that goes back over midnight by less than this many seconds finds the day.
const SLACK_SECONDS: u64 = 3600;

/// What was spent in one day of UTC.
#[derive(Clone, Debug)]
pub(crate) struct SpendRecord {
    pub(crate) tag: Tag,
    /// Days since the epoch. It only goes forward: a clock that is set back opens no
    /// second purse for the same day.
    pub(crate) day: u32,
    pub(crate) spent_micros: u64,
    /// Operation ids with what they cost, the oldest first.
    pub(crate) operations: Vec<(u32, u64)>,
}

impl SpendRecord {
    pub(crate) fn new(tag: Tag) -> Self {
        Self {
            tag,
            day: 0,
            spent_micros: 0,
            operations: Vec::new(),
        }
    }

    pub(crate) fn keep_until(&self) -> Timestamp {
        end_of(self.day).plus_secs(SLACK_SECONDS)
    }

    fn spent_at(&self, now: Timestamp) -> u64 {
        if day_of(now) > self.day {
            0
        } else {
            self.spent_micros
        }
    }
}

impl Charged for SpendRecord {
    fn tag(&self) -> Tag {
        self.tag
    }

    fn place_of(&self, operation: u32) -> Option<usize> {
        let known = |(known, _): &(u32, u64)| *known == operation;
        self.operations.iter().position(known)
    }

    fn refusal(&self, charge: &Charge, now: Timestamp) -> Result<Option<Refusal>, CorruptRecord> {
        let (price, cap) = amounts(charge)?;
        let after = self.spent_at(now).checked_add(price);
        if after.is_some_and(|after| after <= cap) {
            return Ok(None);
        }
        let ends = end_of(self.day.max(day_of(now)));
        Ok(Some(Refusal::Throttled {
            limit: charge.name,
            retry_after: now.secs_until(ends).max(1),
        }))
    }

    fn take(&mut self, charge: &Charge, now: Timestamp) -> Result<(), CorruptRecord> {
        if day_of(now) > self.day {
            (self.day, self.spent_micros) = (day_of(now), 0);
            self.operations.clear();
        }
        let cost = if charge.decoy { 0 } else { amounts(charge)?.0 };
        self.spent_micros = self.spent_micros.saturating_add(cost);
        if self.operations.len() == OPERATIONS {
            self.operations.remove(0);
        }
        self.operations.push((charge.operation, cost));
        Ok(())
    }

    /// What was of another day is no longer known, and stays spent.
    fn give_back(&mut self, place: usize) {
        let (_, cost) = self.operations.remove(place);
        self.spent_micros = self.spent_micros.saturating_sub(cost);
    }

    fn other(&mut self, action: &Action, now: Timestamp) -> Result<Effect, CorruptRecord> {
        match action {
            Action::LookSpend => Ok(Effect::Spent(self.spent_at(now))),
            _ => Err(CorruptRecord::Foreign),
        }
    }
}

/// Price and cap; a charge of another kind comes to another record.
const fn amounts(charge: &Charge) -> Result<(u64, u64), CorruptRecord> {
    match charge.against {
        Against::Spend {
            price_micros,
            cap_micros,
        } => Ok((price_micros, cap_micros)),
        _ => Err(CorruptRecord::Foreign),
    }
}

fn day_of(now: Timestamp) -> u32 {
    u32::try_from(now.as_millis() / 1000 / DAY).unwrap_or(u32::MAX)
}

fn end_of(day: u32) -> Timestamp {
    Timestamp::from_secs((u64::from(day) + 1) * DAY)
}

#[cfg(test)]
mod tests;
