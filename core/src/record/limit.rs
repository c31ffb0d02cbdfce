//! Limits about others than a destination: a source, a network, a tenant, a prefix.

use crate::clock::Timestamp;
use crate::error::CorruptRecord;
use crate::keys::Tag;
use crate::policy::Limit;
use crate::record::MAX_RECORD_BYTES;
use crate::record::charge::{Against, Charge, Charged};
use crate::record::step::{Action, Effect, Refusal};
use crate::record::window::{Window, WindowMut, event_time};

/// So many operations can be given back or recognised again.
pub(crate) const OPERATIONS: usize = 16;
/// The window may have so many bytes: what the others leave (`codec/write.rs`).
const MOST_BYTES_OF_EVENTS: usize = MAX_RECORD_BYTES - (10 + 4 + 1 + 8 * OPERATIONS);

/// The events of one source or tenant.
#[derive(Clone, Debug)]
pub(crate) struct LimitRecord {
    pub(crate) tag: Tag,
    /// A window in its bytes: their count, and the events.
    pub(crate) events: Vec<u8>,
    /// Operation ids with the time their event is noted under, the oldest first.
    pub(crate) operations: Vec<(u32, u32)>,
    /// Until when the events count, in seconds since the epoch.
    pub(crate) keep_until: u32,
}

impl LimitRecord {
    pub(crate) fn new(tag: Tag) -> Self {
        Self {
            tag,
            events: vec![0],
            operations: Vec::new(),
            keep_until: 0,
        }
    }

    pub(crate) fn keep_until(&self) -> Timestamp {
        Timestamp::from_secs(u64::from(self.keep_until))
    }

    const fn events(&mut self) -> WindowMut<'_> {
        let record = &mut self.events;
        WindowMut { record, at: 0 }
    }
}

impl Charged for LimitRecord {
    fn tag(&self) -> Tag {
        self.tag
    }

    fn place_of(&self, operation: u32) -> Option<usize> {
        self.operations
            .iter()
            .position(|(known, _)| *known == operation)
    }

    fn refusal(&self, charge: &Charge, now: Timestamp) -> Result<Option<Refusal>, CorruptRecord> {
        let wait = Window::read(&self.events).wait(&[limit_of(charge)?], now);
        Ok(wait.map(|retry_after| Refusal::Throttled {
            limit: charge.name,
            retry_after,
        }))
    }

    fn take(&mut self, charge: &Charge, now: Timestamp) -> Result<(), CorruptRecord> {
        let limit = limit_of(charge)?;
        let limits = [limit];
        self.events().charge(&limits, now);
        // Beside what a policy of other parts had noted: no policy's own are so many.
        while self.events.len() > MOST_BYTES_OF_EVENTS {
            self.events().merge();
        }
        if self.operations.len() == OPERATIONS {
            self.operations.remove(0);
        }
        let time = event_time(&limits, now);
        self.operations.push((charge.operation, time));
        self.keep_until = self.keep_until.max(time.saturating_add(limit.seconds));
        Ok(())
    }

    fn give_back(&mut self, place: usize) {
        let (_, time) = self.operations.remove(place);
        self.events().take_back(time);
    }

    fn other(&mut self, action: &Action, _: Timestamp) -> Result<Effect, CorruptRecord> {
        match action {
            Action::Forget(_) => *self = Self::new(self.tag),
            _ => return Err(CorruptRecord::Foreign),
        }
        Ok(Effect::Done)
    }
}

/// The limit; a charge of another kind comes to another record.
const fn limit_of(charge: &Charge) -> Result<Limit, CorruptRecord> {
    match charge.against {
        Against::Events(limit) => Ok(limit),
        _ => Err(CorruptRecord::Foreign),
    }
}

#[cfg(test)]
mod tests;
