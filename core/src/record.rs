//! Records: all that must change together, and the pure function that changes it.

mod bytes;
mod charge;
mod codec;
mod conversion;
mod delivery;
mod destination;
mod gate;
mod idempotency;
#[cfg(test)]
mod kept;
mod layout;
mod limit;
mod moment;
mod session;
mod spend;
mod step;
mod view;
mod window;

use std::fmt;

use self::charge::Charged as _;
pub use self::charge::{Against, Charge};
pub use self::codec::MAX_RECORD_BYTES;
pub(crate) use self::codec::worst_destination;
pub use self::moment::Moment;
pub use self::step::{
    Action, Begin, Check, DeliveryOutcome, Effect, Fit, IdempotencyEffect, Open, Posted, Refusal,
    Resend, Step, Ticket,
};
pub use self::view::{DeliveryState, Inspection, LaneView, SessionState, SessionView};

use self::conversion::ConversionRecord;
use self::destination::{DestinationRecord, Places};
use self::idempotency::IdempotencyRecord;
use self::limit::LimitRecord;
use self::session::Session;
use self::spend::SpendRecord;
use crate::clock::Timestamp;
use crate::error::{CorruptRecord, StoreError};
use crate::keys::{Kind, Tag};

/// Where a record is kept: eight bytes that only the pseudonym key can lead to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordKey([u8; 8]);

impl RecordKey {
    /// A key that belongs to no record: for probes.
    pub const SCRATCH: Self = Self(*b"scratch\0");

    /// The key of these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }

    /// The key's bytes.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 8] {
        self.0
    }
}

impl fmt::Debug for RecordKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecordKey({:016x})", u64::from_be_bytes(self.0))
    }
}

/// All that is kept under one key. It changes only by [`Record::step`].
#[derive(Clone, Debug)]
pub struct Record(Body);

#[derive(Clone, Debug)]
enum Body {
    Destination(DestinationRecord),
    Limit(LimitRecord),
    Idempotency(IdempotencyRecord),
    Spend(SpendRecord),
    Conversion(ConversionRecord),
}

impl Record {
    /// The record that an absent value stands for, when `step` comes.
    #[must_use]
    pub fn absent(step: &Step) -> Self {
        Self(match step.action.kind() {
            Kind::Limit => Body::Limit(LimitRecord::new(step.tag)),
            Kind::Idempotency => Body::Idempotency(IdempotencyRecord::new(step.tag)),
            Kind::Spend => Body::Spend(SpendRecord::new(step.tag)),
            Kind::Conversion => Body::Conversion(ConversionRecord::new(step.tag)),
            _ => Body::Destination(DestinationRecord::new(step.tag)),
        })
    }

    /// Takes one step: the only way in which anything ever changes.
    ///
    /// Pure: it reads no clock, draws no randomness and does no I/O.
    ///
    /// # Errors
    /// [`CorruptRecord::Foreign`] when the record is of another kind than the step
    /// expects, or of another owner where the key had promised this one. The record then
    /// is as it was.
    pub fn step(&mut self, step: &Step, moment: Moment) -> Result<Effect, CorruptRecord> {
        let moment = moment.of(step);
        if let Body::Destination(record) = &mut self.0 {
            return record.step(step, moment);
        }
        match (&mut self.0, step.action.kind()) {
            (Body::Limit(record), Kind::Limit) => record.step(step, moment),
            (Body::Idempotency(record), Kind::Idempotency) => record.step(step, moment),
            (Body::Spend(record), Kind::Spend) => record.step(step, moment),
            (Body::Conversion(record), Kind::Conversion) => record.step(step, moment),
            _ => Err(CorruptRecord::Foreign),
        }
    }

    /// Reads a stored value.
    ///
    /// # Errors
    /// [`CorruptRecord`] unless the bytes are exactly what [`Record::encode`] gives.
    pub fn decode(bytes: &[u8]) -> Result<Self, CorruptRecord> {
        Self::from_bytes(bytes.to_vec())
    }

    /// The same, of bytes that the record may keep: most records are their bytes.
    ///
    /// # Errors
    /// As [`Record::decode`].
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, CorruptRecord> {
        codec::decode(bytes).map(Self)
    }

    /// Takes a step on a value in its bytes. What a step left and nobody changed since is not
    /// read strictly again. After an error the bytes are as they were.
    ///
    /// # Errors
    /// As [`Record::decode`] and [`Record::step`].
    #[inline]
    pub(crate) fn step_in(
        bytes: &mut Vec<u8>,
        of_step: bool,
        step: &Step,
        moment: Moment,
    ) -> Result<Effect, StoreError> {
        // A way of its own, so that no kind is asked for at each turn: some 90 instructions.
        if of_step && is_destination(bytes) {
            let mut record = DestinationRecord::from_step(std::mem::take(bytes));
            let told = record.step(step, moment.of(step));
            *bytes = record.into_bytes();
            return told;
        }
        let mut record = Self::decode(bytes)?;
        let effect = record.step(step, moment)?;
        *bytes = record.into_bytes();
        Ok(effect)
    }

    /// Until when a value that a step left must be kept, as [`Record::keep_until`] says.
    pub(crate) fn keep_until_in(bytes: &[u8]) -> Option<Timestamp> {
        if is_destination(bytes) {
            return destination::keep_until(bytes, Places::of(bytes));
        }
        Self::decode(bytes).ok()?.keep_until()
    }

    /// The canonical bytes: version, kind, tag and fields, at most 1 KiB.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        self.clone().into_bytes()
    }

    /// The canonical bytes, of a record that is not needed any more.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        codec::encode(self.0)
    }

    /// Until when the record must be kept; none means until an operator resets it.
    ///
    /// Its sessions' retention and its windows are over by then, and its streak of
    /// failures is zero or 400 days old.
    #[must_use]
    pub fn keep_until(&self) -> Option<Timestamp> {
        match &self.0 {
            Body::Destination(record) => record.keep_until(),
            Body::Limit(record) => Some(record.keep_until()),
            Body::Idempotency(record) => Some(record.keep_until()),
            Body::Spend(record) => Some(record.keep_until()),
            Body::Conversion(record) => Some(record.keep_until()),
        }
    }

    /// From when on an approval of `step`, which is to be taken on this record, must not be
    /// told any more: what was right in time is told in time, or not at all, the first time and
    /// again. None for what finds no session; a step that carries its own time stands still in it, and nothing is withheld.
    #[must_use]
    pub fn withheld_from(&self, step: &Step) -> Option<Timestamp> {
        let (Body::Destination(record), Action::Check(check), None) =
            (&self.0, &step.action, step.at)
        else {
            return None;
        };
        record.find(check.nonce).map(Session::expires)
    }

    /// Whose record this is: the tag that its value begins with.
    #[must_use]
    pub fn tag(&self) -> Tag {
        match &self.0 {
            Body::Destination(record) => record.tag(),
            Body::Limit(record) => record.tag,
            Body::Idempotency(record) => record.tag,
            Body::Spend(record) => record.tag,
            Body::Conversion(record) => record.tag,
        }
    }
}

/// Whether these bytes, which a step left, are a destination's record.
#[inline]
fn is_destination(bytes: &[u8]) -> bool {
    bytes.get(1) == Some(&(Kind::Destination as u8))
}
