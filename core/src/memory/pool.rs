//! Values of about one size, side by side, without an allocation for each.

use std::ops::Range;

use super::arena::Chunk;
use crate::clock::Timestamp;
use crate::record::{Record, RecordKey};

/// Bytes before a value: its key, when it may go, how much of its slot is free,
/// and whether a step left it.
pub(super) const HEADER: usize = 15;
/// Slots are multiples of so many bytes.
pub(super) const GRAIN: usize = 16;
/// The most that is left free in a slot, for a value that changes its length often.
const MOST_FREE: usize = 64;

/// A pool grows by so many slots. One piece that grew as a whole would be moved again and
/// again, and the holes that it left were a sixth of the memory.
const CHUNK: usize = 128;
/// A cache line, in bytes.
const LINE: usize = 64;
/// Never: the value has no end.
const NEVER: u64 = (1 << 48) - 1;
/// The value is still to be asked for its end.
const ASK: u64 = NEVER - 1;

/// A value to hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Value<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) origin: Origin,
}

/// What a value comes from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Origin {
    /// A step left it: what was read strictly, or made, need not be read so again, and says
    /// itself how long it must be kept.
    Step,
    /// A swap brought it, to be kept until then; none means for ever.
    Swap(Option<Timestamp>),
}

/// The bit beside a slot's free bytes, which are at most `MOST_FREE`.
const OF_STEP: u8 = 1 << 7;

/// The bytes of a value and of its header.
#[derive(Debug)]
pub(super) struct Slot<'a>(&'a mut [u8]);

/// Where a header says until when its value is kept, and how much is free behind it.
const UNTIL: usize = 8;
const FREE: usize = HEADER - 1;

/// Slots of one size, always filled from the first one on.
#[derive(Debug)]
pub(super) struct Pool {
    slot: usize,
    len: usize,
    chunks: Vec<Chunk>,
}

impl Pool {
    /// An empty pool for values of up to `slot` bytes with their header.
    pub(super) const fn new(slot: usize) -> Self {
        Self {
            slot,
            len: 0,
            chunks: Vec::new(),
        }
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// Adds a value, and gives its number.
    pub(super) fn push(&mut self, key: RecordKey, value: Value<'_>) -> usize {
        let number = self.len;
        if number / CHUNK == self.chunks.len() {
            self.chunks.push(Chunk::new(CHUNK * self.slot));
        }
        self.len += 1;
        let mut slot = self.slot_of(number);
        slot.0[..8].copy_from_slice(&key.to_bytes());
        slot.write(value);
        number
    }

    /// The slot of a value, to be read and written.
    #[inline]
    pub(super) fn slot_of(&mut self, number: usize) -> Slot<'_> {
        let range = self.range(number);
        Slot(&mut self.chunks[number / CHUNK][range])
    }

    /// Removes a value. The last one takes its place: gives that one's key, if it moved.
    pub(super) fn remove(&mut self, number: usize) -> Option<RecordKey> {
        let last = self.len - 1;
        let moved = (number < last).then(|| self.key(last));
        let (to, from) = (self.range(number), self.range(last));
        let (before, after) = self.chunks.split_at_mut(last / CHUNK);
        match before.get_mut(number / CHUNK) {
            Some(chunk) => chunk[to].copy_from_slice(&after[0][from]),
            None => after[0].copy_within(from, to.start),
        }
        self.len = last;
        // One that is empty is kept, for the next value.
        self.chunks.truncate(last.div_ceil(CHUNK) + 1);
        moved
    }

    #[inline]
    pub(super) fn key(&self, number: usize) -> RecordKey {
        key_in(self.slot(number))
    }

    pub(super) fn value(&self, number: usize) -> &[u8] {
        value_in(self.slot(number))
    }

    #[inline]
    fn slot(&self, number: usize) -> &[u8] {
        &self.chunks[number / CHUNK][self.range(number)]
    }

    /// Where a slot lies in its chunk.
    const fn range(&self, number: usize) -> Range<usize> {
        let begin = number % CHUNK * self.slot;
        begin..begin + self.slot
    }
}

impl Slot<'_> {
    pub(super) fn key(&self) -> RecordKey {
        key_in(self.0)
    }

    pub(super) fn value(&self) -> &[u8] {
        value_in(self.0)
    }

    /// Asks the memory for it, without waiting.
    #[inline]
    pub(super) fn fetch(&self) {
        self.0.iter().step_by(LINE).for_each(fetch);
        // It need not begin where a line does.
        self.0.last().into_iter().for_each(fetch);
    }

    /// Whether a step left the value.
    pub(super) const fn is_of_step(&self) -> bool {
        self.0[FREE] & OF_STEP != 0
    }

    /// Whether its time is over. A value that must be asked for its time is asked once.
    pub(super) fn is_garbage(&mut self, now: Timestamp) -> bool {
        let mut until = [0; 8];
        until[2..].copy_from_slice(&self.0[UNTIL..FREE]);
        let mut until = u64::from_be_bytes(until);
        if until == ASK {
            until = millis(Record::keep_until_in(self.value()));
            self.set_until(until);
        }
        until != NEVER && until <= now.as_millis()
    }

    #[inline]
    fn set_until(&mut self, until: u64) {
        let [_, _, until @ ..] = until.to_be_bytes();
        self.0[UNTIL..FREE].copy_from_slice(&until);
    }

    /// Puts another value under the same key, and says whether it suited.
    #[inline]
    pub(super) fn took(&mut self, value: Value<'_>) -> bool {
        let suits = self.suits(value.bytes.len());
        if suits {
            self.write(value);
        }
        suits
    }

    /// Whether a value of so many bytes may stay in, or come into, it.
    const fn suits(&self, bytes: usize) -> bool {
        HEADER + bytes <= self.0.len() && self.0.len() - HEADER - bytes <= MOST_FREE
    }

    /// It must fit.
    #[inline]
    fn write(&mut self, value: Value<'_>) {
        let (until, of_step) = match value.origin {
            Origin::Step => (ASK, OF_STEP),
            Origin::Swap(until) => (millis(until), 0),
        };
        self.set_until(until);
        // At most `MOST_FREE`.
        let free = u8::try_from(self.0.len() - HEADER - value.bytes.len()).unwrap_or(u8::MAX);
        self.0[FREE] = free | of_step;
        self.0[HEADER..][..value.bytes.len()].copy_from_slice(value.bytes);
    }
}

/// Milliseconds since the epoch; what is too late for six bytes is never.
fn millis(until: Option<Timestamp>) -> u64 {
    let millis = until.map_or(NEVER, Timestamp::as_millis);
    if millis < ASK { millis } else { NEVER }
}

#[inline]
fn key_in(slot: &[u8]) -> RecordKey {
    let key = slot.first_chunk();
    RecordKey::from_bytes(*key.unwrap_or(&[0; 8]))
}

#[inline]
fn value_in(slot: &[u8]) -> &[u8] {
    let free = usize::from(slot[FREE] & !OF_STEP);
    &slot[HEADER..slot.len() - free]
}

/// Asks the memory for the line that this lies in; where the processor cannot be asked, it
/// waits when it is read.
#[inline]
pub(super) fn fetch<T>(first: &T) {
    #[cfg(target_arch = "x86_64")]
    safe_arch::prefetch_t0(first);
    #[cfg(not(target_arch = "x86_64"))]
    let _ = first;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: usize) -> RecordKey {
        RecordKey::from_bytes((n as u64).to_be_bytes())
    }

    fn of(bytes: &[u8]) -> Value<'_> {
        let origin = Origin::Swap(None);
        Value { bytes, origin }
    }

    #[test]
    fn a_slot_suits_what_fits_and_leaves_no_more_than_64_bytes_free() {
        let mut slot = [0; 128];
        let slot = Slot(&mut slot);
        let suited: Vec<_> = (0..200).filter(|bytes| slot.suits(*bytes)).collect();
        assert_eq!(
            suited,
            (128 - HEADER - MOST_FREE..=128 - HEADER).collect::<Vec<_>>()
        );
    }

    #[test]
    fn a_pool_has_the_chunks_it_needs_and_keeps_an_empty_one() {
        let mut pool = Pool::new(GRAIN * 2);
        for n in 0..3 * CHUNK {
            pool.push(key(n), of(&[1]));
            assert_eq!(pool.chunks.len(), pool.len().div_ceil(CHUNK));
        }
        while pool.len() > 0 {
            pool.remove(0);
            let kept = pool.len().div_ceil(CHUNK) + 1;
            assert_eq!(pool.chunks.len(), kept.min(3));
        }
    }

    /// Pushes three and removes one of them all, so that both are in many chunks.
    #[test]
    fn values_stay_with_their_keys_wherever_they_move() {
        let mut pool = Pool::new(GRAIN * 2);
        let mut held: Vec<(RecordKey, [u8; 8])> = Vec::new();
        for n in 0..10 * CHUNK {
            let value = (n as u64).wrapping_mul(7).to_be_bytes();
            assert_eq!(pool.push(key(n), of(&value)), held.len());
            held.push((key(n), value));
            if n % 3 == 2 {
                let gone = n * 31 % held.len();
                let moved = pool.remove(gone);
                held.swap_remove(gone);
                assert_eq!(moved, held.get(gone).map(|(key, _)| *key));
            }
        }
        while !held.is_empty() {
            let kept = (0..pool.len()).map(|n| (pool.key(n), pool.value(n)));
            assert!(kept.eq(held.iter().map(|(key, value)| (*key, &value[..]))));
            let gone = held.len() / 2;
            pool.remove(gone);
            held.swap_remove(gone);
            assert!(pool.chunks.len() <= pool.len().div_ceil(CHUNK) + 1);
        }
    }
}
