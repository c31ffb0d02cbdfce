//! Values of about one size, side by side, without an allocation for each.

use std::ops::Range;

use crate::clock::Timestamp;
use crate::record::RecordKey;

/// Bytes before a value: its key, when it may go, and how much of its slot is free.
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

/// Slots of one size, always filled from the first one on.
#[derive(Debug)]
pub(super) struct Pool {
    slot: usize,
    len: usize,
    chunks: Vec<Box<[u8]>>,
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

    /// Whether a value of so many bytes may stay in, or come into, one of the slots.
    pub(super) const fn suits(&self, bytes: usize) -> bool {
        HEADER + bytes <= self.slot && self.slot - HEADER - bytes <= MOST_FREE
    }

    /// Adds a value, and gives its number.
    pub(super) fn push(&mut self, key: RecordKey, bytes: &[u8], until: Option<Timestamp>) -> usize {
        let number = self.len;
        if number / CHUNK == self.chunks.len() {
            let chunk = vec![0; CHUNK * self.slot];
            self.chunks.push(chunk.into_boxed_slice());
        }
        self.len += 1;
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

    /// Asks the memory for a slot, without waiting for it.
    pub(super) fn fetch(&self, number: usize) {
        let slot = self.slot(number);
        slot.chunks(LINE).for_each(fetch);
        // It need not begin where a line does.
        fetch(&slot[slot.len() - 1..]);
    }

    pub(super) fn is_garbage(&self, number: usize, now: Timestamp) -> bool {
        let mut until = [0; 8];
        until[2..].copy_from_slice(&self.slot(number)[8..14]);
        let until = u64::from_be_bytes(until);
        until != NEVER && until <= now.as_millis()
    }

    fn slot(&self, number: usize) -> &[u8] {
        &self.chunks[number / CHUNK][self.range(number)]
    }

    fn slot_mut(&mut self, number: usize) -> &mut [u8] {
        let range = self.range(number);
        &mut self.chunks[number / CHUNK][range]
    }

    /// Where a slot lies in its chunk.
    const fn range(&self, number: usize) -> Range<usize> {
        let begin = number % CHUNK * self.slot;
        begin..begin + self.slot
    }
}

/// Asks the memory for the line that these bytes begin in; where the processor cannot be
/// asked, it waits when they are read.
fn fetch(bytes: &[u8]) {
    #[cfg(target_arch = "x86_64")]
    if let Some(first) = bytes.first() {
        safe_arch::prefetch_t0(first);
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = bytes;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: usize) -> RecordKey {
        RecordKey::from_bytes((n as u64).to_be_bytes())
    }

    #[test]
    fn a_slot_suits_what_fits_and_leaves_no_more_than_64_bytes_free() {
        let pool = Pool::new(128);
        let suited: Vec<_> = (0..200).filter(|bytes| pool.suits(*bytes)).collect();
        assert_eq!(
            suited,
            (128 - HEADER - MOST_FREE..=128 - HEADER).collect::<Vec<_>>()
        );
    }

    #[test]
    fn a_pool_has_the_chunks_it_needs_and_keeps_an_empty_one() {
        let mut pool = Pool::new(GRAIN * 2);
        for n in 0..3 * CHUNK {
            pool.push(key(n), &[1], None);
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
            assert_eq!(pool.push(key(n), &value, None), held.len());
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
