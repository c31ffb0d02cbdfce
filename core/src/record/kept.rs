//! A record as a store keeps it: between any two steps it is its bytes.

use crate::clock::Timestamp;
use crate::error::CorruptRecord;
use crate::keys::Tag;
use crate::record::{Action, Effect, MAX_RECORD_BYTES, Moment, Record, Step};
use crate::store::Incarnation;

#[derive(Clone)]
pub(super) struct Kept {
    pub(super) record: Record,
    pub(super) now: Timestamp,
}

impl Kept {
    /// The record that is absent when this action comes, at so many seconds since the epoch.
    pub(super) fn absent(action: Action, secs: u64) -> Self {
        let record = Record::absent(&step(action));
        let now = Timestamp::from_secs(secs);
        Self { record, now }
    }

    pub(super) fn take(&mut self, action: Action) -> Effect {
        self.step(action).unwrap()
    }

    pub(super) fn step(&mut self, action: Action) -> Result<Effect, CorruptRecord> {
        let moment = Moment {
            now: self.now,
            incarnation: Incarnation::UNFENCED,
        };
        let bytes = self.record.encode();
        assert!(bytes.len() <= MAX_RECORD_BYTES, "{} bytes", bytes.len());
        self.record = Record::decode(&bytes).unwrap();
        assert_eq!(self.record.encode(), bytes);
        self.record.step(&step(action), moment)
    }

    pub(super) fn done(&mut self, action: Action) {
        assert_eq!(self.take(action), Effect::Done);
    }
}

fn step(action: Action) -> Step {
    let (tag, at) = (Tag::of("tenant", "acme"), None);
    Step { tag, at, action }
}
