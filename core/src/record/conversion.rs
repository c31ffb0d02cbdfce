//! Conversion: how many of the last messages to one prefix were answered by an approval.
//!
//! Both are counted in the order in which they come, a message as one place and an
//! approval at the last place there is. So the order of events is the window: at any rate
//! of traffic approvals keep pace with messages, though each comes some seconds after its
//! own. What is sent and not yet answered counts as unanswered, or a flood within one
//! lifetime would pass unseen; but while all of it can still be answered the prefix is
//! held rather than tripped: callers are asked to come again soon, and the approvals of
//! what is under way open it at once.

use crate::clock::Timestamp;
use crate::error::CorruptRecord;
use crate::keys::Tag;
use crate::policy::Conversion;
use crate::record::charge::{Against, Charge, Charged};
use crate::record::step::{Action, Effect, Refusal};

/// The most messages that a record keeps.
pub(crate) const PLACES: usize = Conversion::MOST_MESSAGES as usize;

/// Who comes while every message can still be answered is asked back after so long at most.
const HELD_SECONDS: u64 = 30;

/// The last messages to one prefix.
#[derive(Clone, Debug)]
pub(crate) struct ConversionRecord {
    pub(crate) tag: Tag,
    /// The last decoy's operation: it counts nowhere, yet a decoy's step writes like
    /// another, or its time would give it away.
    pub(crate) decoy: u32,
    /// Until when the messages count, in seconds since the epoch.
    pub(crate) keep_until: u32,
    /// The oldest first.
    pub(crate) places: Vec<Place>,
}

/// One message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) operation: u32,
    /// When it was sent, in seconds since the epoch.
    pub(crate) at: u32,
    /// Approvals that came after it and before the next.
    pub(crate) approvals: u8,
}

impl ConversionRecord {
    pub(crate) fn new(tag: Tag) -> Self {
        Self {
            tag,
            decoy: 0,
            keep_until: 0,
            places: Vec::new(),
        }
    }

    pub(crate) fn keep_until(&self) -> Timestamp {
        Timestamp::from_secs(u64::from(self.keep_until))
    }

    fn note(&mut self, operation: u32, rule: Conversion, now: Timestamp) {
        let second = now.ceil_secs();
        self.places.retain_mut(|place| {
            // A time in the future counts as now.
            place.at = place.at.min(second);
            ends(place, rule) > now
        });
        self.places.push(Place {
            operation,
            at: second,
            approvals: 0,
        });
        let surplus = self
            .places
            .len()
            .saturating_sub(usize::from(rule.messages).min(PLACES));
        self.places.drain(..surplus);
        let until = second.saturating_add(rule.window_seconds);
        self.keep_until = self.keep_until.max(until);
    }

    fn count_approval(&mut self) {
        if let Some(newest) = self.places.last_mut() {
            newest.approvals = newest.approvals.saturating_add(1);
        }
    }
}

impl Charged for ConversionRecord {
    /// It may be answered.
    const TOLD_COUNTS: bool = true;

    fn tag(&self) -> Tag {
        self.tag
    }

    fn place_of(&self, operation: u32) -> Option<usize> {
        let known = |place: &Place| place.operation == operation;
        self.places.iter().position(known)
    }

    /// Why no message may leave: too few of the last ones were answered, and it is not
    /// yet time for a trial.
    fn refusal(&self, charge: &Charge, now: Timestamp) -> Result<Option<Refusal>, CorruptRecord> {
        let (rule, grace_seconds) = rule_of(charge)?;
        let active = self.places.iter().filter(|place| ends(place, rule) > now);
        let last: Vec<_> = active.rev().take(rule.messages.into()).collect();
        let approvals: u32 = last.iter().map(|place| u32::from(place.approvals)).sum();
        let enough = u32::from(rule.percent) * u32::from(rule.messages);
        let (Some(newest), Some(oldest)) = (last.first(), last.last()) else {
            return Ok(None);
        };
        if last.len() < usize::from(rule.messages) || approvals * 100 >= enough {
            return Ok(None);
        }
        let trial = since(newest, now).plus_secs(rule.trial_seconds.into());
        // An answer to the last trial is worth another at once.
        if newest.approvals > 0 || trial <= now {
            return Ok(None);
        }
        let mut retry_after = now.secs_until(trial.min(ends(oldest, rule)));
        if since(oldest, now).plus_secs(grace_seconds.into()) > now {
            retry_after = retry_after.min(HELD_SECONDS);
        }
        Ok(Some(Refusal::Throttled {
            limit: charge.name,
            retry_after: retry_after.max(1),
        }))
    }

    fn take(&mut self, charge: &Charge, now: Timestamp) -> Result<(), CorruptRecord> {
        if charge.decoy {
            self.decoy = charge.operation;
        } else {
            self.note(charge.operation, rule_of(charge)?.0, now);
        }
        Ok(())
    }

    /// A message that never left is not awaited; approvals that came after it stay.
    fn give_back(&mut self, place: usize) {
        let gone = self.places.remove(place);
        if let Some(newest) = self.places.last_mut() {
            newest.approvals = newest.approvals.saturating_add(gone.approvals);
        }
    }

    fn other(&mut self, action: &Action, _: Timestamp) -> Result<Effect, CorruptRecord> {
        match action {
            Action::CountApproval => self.count_approval(),
            Action::Forget(_) => *self = Self::new(self.tag),
            _ => return Err(CorruptRecord::Foreign),
        }
        Ok(Effect::Done)
    }
}

/// The rule and the seconds of grace; a charge of another kind comes to another record.
const fn rule_of(charge: &Charge) -> Result<(Conversion, u32), CorruptRecord> {
    match charge.against {
        Against::Conversion {
            rule,
            grace_seconds,
        } => Ok((rule, grace_seconds)),
        _ => Err(CorruptRecord::Foreign),
    }
}

fn since(place: &Place, now: Timestamp) -> Timestamp {
    Timestamp::from_secs(u64::from(place.at)).min(now)
}

fn ends(place: &Place, rule: Conversion) -> Timestamp {
    Timestamp::from_secs(u64::from(place.at)).plus_secs(u64::from(rule.window_seconds))
}

#[cfg(test)]
mod tests;
