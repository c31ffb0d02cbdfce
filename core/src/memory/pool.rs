//! Values of about one size, side by side, without an allocation for each.

use crate::clock::Timestamp;
use crate::record::RecordKey;

/// Bytes before a value: its key, when it may go, and how much of its slot is free.
pub(super) const HEADER: usize = 15;
/// Slots are multiples of so many bytes.
pub(super) const GRAIN: usize = 16;
/// The most that is left free in a slot, for a value that changes its length often.
const MOST_FREE: usize = 64;

/// A full pool grows by a sixteenth, and by this many slots at least.
const GROWTH: usize = 8;
/// Never: the value has no end.
const NEVER: u64 = (1 << 48) - 1;

/// Slots of one size, always filled from the first one on.
#[derive(Debug)]
pub(super) struct Pool {
    slot: usize,
    bytes: Vec<u8>,
}

impl Pool {
    /// An empty pool for values of up to `slot` bytes with their header.
    pub(super) const fn new(slot: usize) -> Self {
        let bytes = Vec::new();
        Self { slot, bytes }
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len() / self.slot
    }

    /// Whether a value of so many bytes may stay in, or come into, one of the slots.
    pub(super) const fn suits(&self, bytes: usize) -> bool {
        HEADER + bytes <= self.slot && self.slot - HEADER - bytes <= MOST_FREE
    }

    /// Adds a value, and gives its number.
    pub(super) fn push(&mut self, key: RecordKey, bytes: &[u8], until: Option<Timestamp>) -> usize {
        let number = self.len();
        if self.bytes.len() == self.bytes.capacity() {
            // Doubling would leave a third of the memory unused.
            self.bytes.reserve_exact((number / 16 + GROWTH) * self.slot);
        }
        self.bytes.resize(self.bytes.len() + self.slot, 0);
        self.slot_mut(number)[..8].copy_from_slice(&key.to_bytes());
        self.write(number, bytes, until);
        number
    }

    /// Puts another value under the same key; it must fit.
    pub(super) fn write(&mut self, number: usize, bytes: &[u8], until: Option<Timestamp>) {
        let free = self.slot - HEADER - bytes.len();
        let until = until.map_or(NEVER, Timestamp::as_millis).min(NEVER);
        let slot = self.slot_mut(number);
        slot[8..14].copy_from_slice(&until.to_be_bytes()[2..]);
        // At most `MOST_FREE`.
        slot[14] = u8::try_from(free).unwrap_or(u8::MAX);
        slot[HEADER..][..bytes.len()].copy_from_slice(bytes);
    }

    /// Removes a value. The last one takes its place: gives that one's key, if it moved.
    pub(super) fn remove(&mut self, number: usize) -> Option<RecordKey> {
        let last = self.len() - 1;
        let moved = (number < last).then(|| self.key(last));
        let from = last * self.slot;
        self.bytes.copy_within(from.., number * self.slot);
        self.bytes.truncate(from);
        if self.bytes.len() < self.bytes.capacity() / 2 {
            self.bytes.shrink_to(self.bytes.len() + GROWTH * self.slot);
        }
        moved
    }

    pub(super) fn key(&self, number: usize) -> RecordKey {
        let mut key = [0; 8];
        key.copy_from_slice(&self.slot(number)[..8]);
        RecordKey::from_bytes(key)
    }

    pub(super) fn value(&self, number: usize) -> &[u8] {
        let slot = self.slot(number);
        let free = usize::from(slot[14]);
        &slot[HEADER..self.slot - free]
    }

    pub(super) fn is_garbage(&self, number: usize, now: Timestamp) -> bool {
        let mut until = [0; 8];
        until[2..].copy_from_slice(&self.slot(number)[8..14]);
        let until = u64::from_be_bytes(until);
        until != NEVER && until <= now.as_millis()
    }

    fn slot(&self, number: usize) -> &[u8] {
        &self.bytes[number * self.slot..][..self.slot]
    }

    fn slot_mut(&mut self, number: usize) -> &mut [u8] {
        &mut self.bytes[number * self.slot..][..self.slot]
    }
}
