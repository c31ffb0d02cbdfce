//! Limits about others than a destination: a source, a network, a tenant, a prefix.

use crate::clock::Timestamp;
use crate::error::CorruptRecord;
use crate::keys::Tag;
use crate::policy::Limit;
use crate::record::charge::{Against, Charge};
use crate::record::step::{Action, Effect, Moment, Refusal, Step};
use crate::record::window::{Window, event_time};

/// So many operations can be given back or recognised again.
pub(crate) const OPERATIONS: usize = 16;

/// The events of one source or tenant.
#[derive(Clone, Debug)]
pub(crate) struct LimitRecord {
    pub(crate) tag: Tag,
    pub(crate) events: Window,
    /// Operation ids with the time their event is noted under, the oldest first.
    pub(crate) operations: Vec<(u32, u32)>,
    /// Until when the events count, in seconds since the epoch.
    pub(crate) keep_until: u32,
}

impl LimitRecord {
    pub(crate) fn new(tag: Tag) -> Self {
        Self {
            tag,
            events: Window::default(),
            operations: Vec::new(),
            keep_until: 0,
        }
    }

    pub(crate) fn step(&mut self, step: &Step, moment: Moment) -> Result<Effect, CorruptRecord> {
        if self.tag != step.tag {
            return Err(CorruptRecord::Foreign);
        }
        Ok(match &step.action {
            Action::Charge(charge) => self.charge(charge, limit_of(charge)?, moment.now),
            Action::PeekCharge(charge) => self
                .refusal(charge, limit_of(charge)?, moment.now)
                .map_or(Effect::Done, Effect::Refused),
            Action::Refund(charge) => self.refund(charge.operation),
            _ => return Err(CorruptRecord::Foreign),
        })
    }

    pub(crate) fn keep_until(&self) -> Timestamp {
        Timestamp::from_secs(u64::from(self.keep_until))
    }

    fn refusal(&self, charge: &Charge, limit: Limit, now: Timestamp) -> Option<Refusal> {
        let retry_after = self.events.wait(&[limit], now)?;
        Some(Refusal::Throttled {
            limit: charge.name,
            retry_after,
        })
    }

    fn charge(&mut self, charge: &Charge, limit: Limit, now: Timestamp) -> Effect {
        if self
            .operations
            .iter()
            .any(|(operation, _)| *operation == charge.operation)
        {
            return Effect::Done;
        }
        if let Some(refusal) = self.refusal(charge, limit, now) {
            return Effect::Refused(refusal);
        }
        let limits = [limit];
        self.events.charge(&limits, now);
        if self.operations.len() == OPERATIONS {
            self.operations.remove(0);
        }
        self.operations
            .push((charge.operation, event_time(&limits, now)));
        let ends = event_time(&limits, now).saturating_add(limit.seconds);
        self.keep_until = self.keep_until.max(ends);
        Effect::Done
    }

    /// What is no longer known stays charged: never above a cap.
    fn refund(&mut self, operation: u32) -> Effect {
        let known = self
            .operations
            .iter()
            .position(|(known, _)| *known == operation);
        if let Some(at) = known {
            let (_, time) = self.operations.remove(at);
            self.events.take_back(time);
        }
        Effect::Done
    }
}

/// The limit; a charge of another kind comes to another record.
const fn limit_of(charge: &Charge) -> Result<Limit, CorruptRecord> {
    match charge.against {
        Against::Events(limit) => Ok(limit),
        _ => Err(CorruptRecord::Foreign),
    }
}
