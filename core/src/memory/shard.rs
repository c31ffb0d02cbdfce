//! One shard of the memory store: values by key, in pools by their size.

use hashbrown::HashTable;

use super::pool::{GRAIN, HEADER, Pool};
use crate::clock::Timestamp;
use crate::error::StoreError;
use crate::record::{Effect, Moment, Record, RecordKey, Step};
use crate::store::Entry;

/// The index holds places alone: keys lie with their values. The pools are in an order of
/// their own, so that a sweep can go on where the last one stopped; an index by time would
/// cost every write, and a hash table has no such place.
#[derive(Debug, Default)]
pub(super) struct Shard {
    index: HashTable<Place>,
    pools: Vec<Pool>,
    cursor: Cursor,
    /// Where a record is changed before it is known how long it is.
    scratch: Vec<u8>,
}

/// A pool and a number in it, in one word: the index has one for each value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place(u32);

/// Where a value lies, unless another's key looks alike.
#[derive(Clone, Copy, Debug)]
pub(super) struct Likely(Place);

const NUMBER_BITS: u32 = 22;
/// Slots of up to 16 KiB; a store must take values of 1 KiB.
const POOLS: usize = 1 << (32 - NUMBER_BITS);

#[derive(Debug, Default)]
struct Cursor {
    pool: usize,
    number: usize,
}

/// What a sweep of one shard did.
pub(super) struct Swept {
    pub(super) looked: usize,
    pub(super) removed: usize,
    pub(super) to_the_end: bool,
}

/// Few enough that what leads to a value stays in a processor's cache.
pub(super) const SHARDS: usize = 64;

/// Which shard a key belongs to.
pub(super) const fn of(key: RecordKey) -> usize {
    ((hash(key) >> 32) % SHARDS as u64) as usize
}

impl Shard {
    pub(super) fn len(&self) -> usize {
        self.index.len()
    }

    pub(super) fn get(&self, key: RecordKey) -> Option<&[u8]> {
        self.place(key).map(|place| self.value(place))
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = RecordKey> + '_ {
        self.pools
            .iter()
            .flat_map(|pool| (0..pool.len()).map(|number| pool.key(number)))
    }

    /// Asks the memory for the value, without waiting for it; and says where it lies, unless
    /// that is another's with the same hash.
    pub(super) fn fetch(&self, key: RecordKey) -> Option<Likely> {
        let first = self.index.find(hash(key), |_| true).copied()?;
        self.pools[first.pool()].fetch(first.number());
        Some(Likely(first))
    }

    /// Takes the step on what is held, which likely is there, and holds what it left. Since it
    /// was fetched, the shard was locked.
    pub(super) fn apply(
        &mut self,
        key: RecordKey,
        likely: Option<Likely>,
        step: &Step,
        moment: Moment,
    ) -> Result<Effect, StoreError> {
        let held = self.find(key, likely);
        let mut bytes = std::mem::take(&mut self.scratch);
        bytes.clear();
        let mut record = match held {
            Some(place) => {
                bytes.extend_from_slice(self.value(place));
                Record::from_bytes(bytes)?
            }
            None => Record::absent(step),
        };
        let effect = record.step(step, moment)?;
        let garbage_after = record.keep_until();
        let bytes = record.into_bytes();
        let unchanged = match held {
            Some(place) => self.value(place) == bytes,
            None => Record::absent(step).encode() == bytes,
        };
        let next = Entry {
            bytes: &bytes,
            garbage_after,
        };
        let written = if unchanged {
            Ok(())
        } else {
            self.write(held, key, next)
        };
        self.scratch = bytes;
        written.map(|()| effect)
    }

    pub(super) fn put(&mut self, key: RecordKey, next: Entry<'_>) -> Result<(), StoreError> {
        self.write(self.place(key), key, next)
    }

    fn write(
        &mut self,
        held: Option<Place>,
        key: RecordKey,
        next: Entry<'_>,
    ) -> Result<(), StoreError> {
        if let Some(place) = held {
            let pool = &mut self.pools[place.pool()];
            if pool.suits(next.bytes.len()) {
                pool.write(place.number(), next.bytes, next.garbage_after);
                return Ok(());
            }
        }
        let at = (HEADER + next.bytes.len()).div_ceil(GRAIN);
        let full = |pool: &Pool| pool.len() >= 1 << NUMBER_BITS;
        if at >= POOLS || self.pools.get(at).is_some_and(full) {
            return Err(StoreError::unavailable(
                "a value is too long, or memory full",
            ));
        }
        if let Some(place) = held {
            self.remove(place);
        }
        for class in self.pools.len()..=at {
            self.pools.push(Pool::new(class.max(1) * GRAIN));
        }
        let number = self.pools[at].push(key, next.bytes, next.garbage_after);
        let (place, pools) = (Place::new(at, number), &self.pools);
        self.index
            .insert_unique(hash(key), place, |place| hash(key_at(pools, *place)));
        Ok(())
    }

    /// Goes on towards the end, looking at no more than `looks` values and removing no
    /// more than `max`.
    pub(super) fn sweep(&mut self, now: Timestamp, looks: usize, max: usize) -> Swept {
        let mut swept = Swept {
            looked: 0,
            removed: 0,
            to_the_end: false,
        };
        while swept.looked < looks && swept.removed < max {
            let Cursor { pool, number } = self.cursor;
            let Some(values) = self.pools.get(pool) else {
                self.cursor = Cursor::default();
                swept.to_the_end = true;
                break;
            };
            if number >= values.len() {
                self.cursor = Cursor {
                    pool: pool + 1,
                    number: 0,
                };
                continue;
            }
            swept.looked += 1;
            if values.is_garbage(number, now) {
                self.remove(Place::new(pool, number));
                swept.removed += 1;
            } else {
                self.cursor.number += 1;
            }
        }
        swept
    }

    fn find(&self, key: RecordKey, likely: Option<Likely>) -> Option<Place> {
        let Likely(first) = likely?;
        if key_at(&self.pools, first) == key {
            return Some(first);
        }
        self.place(key)
    }

    fn place(&self, key: RecordKey) -> Option<Place> {
        let own = |place: &Place| key_at(&self.pools, *place) == key;
        self.index.find(hash(key), own).copied()
    }

    fn value(&self, place: Place) -> &[u8] {
        self.pools[place.pool()].value(place.number())
    }

    /// The last value of the pool takes the place of the one removed.
    fn remove(&mut self, place: Place) {
        let key = key_at(&self.pools, place);
        if let Ok(entry) = self.index.find_entry(hash(key), |held| *held == place) {
            entry.remove();
        }
        let pool = &mut self.pools[place.pool()];
        let last = Place::new(place.pool(), pool.len() - 1);
        let Some(moved) = pool.remove(place.number()) else {
            return;
        };
        if let Some(held) = self.index.find_mut(hash(moved), |held| *held == last) {
            *held = place;
        }
    }
}

impl Place {
    /// Both are within their bits: `Shard::write` sees to it.
    fn new(pool: usize, number: usize) -> Self {
        let word = pool << NUMBER_BITS | number;
        Self(u32::try_from(word).unwrap_or(u32::MAX))
    }

    const fn pool(self) -> usize {
        (self.0 >> NUMBER_BITS) as usize
    }

    const fn number(self) -> usize {
        (self.0 & ((1 << NUMBER_BITS) - 1)) as usize
    }
}

fn key_at(pools: &[Pool], place: Place) -> RecordKey {
    pools[place.pool()].key(place.number())
}

/// Keys are pseudorandom already, and nobody without the pseudonym key can choose one: a
/// multiplication spreads those of tests and tools as well.
const fn hash(key: RecordKey) -> u64 {
    let product = u64::from_be_bytes(key.to_bytes()).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    product ^ product >> 32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_count_up_are_spread_over_all_shards() {
        let mut crowds = [0; SHARDS];
        for n in 0..64_000u64 {
            crowds[of(RecordKey::from_bytes(n.to_be_bytes()))] += 1;
        }
        let (least, most) = (crowds.iter().min(), crowds.iter().max());
        assert!(least >= Some(&500) && most <= Some(&2000), "{crowds:?}");
    }

    #[test]
    fn a_value_is_found_though_another_looks_alike() {
        let mut shard = Shard::default();
        let keys: Vec<_> = (0..5_000u64)
            .map(|n| RecordKey::from_bytes(n.to_be_bytes()))
            .collect();
        for key in &keys {
            let next = Entry {
                bytes: &key.to_bytes(),
                garbage_after: None,
            };
            shard.put(*key, next).unwrap();
        }
        let mut alike = 0;
        for key in &keys {
            let likely = shard.fetch(*key);
            let found = shard.find(*key, likely).unwrap();
            assert_eq!(key_at(&shard.pools, found), *key);
            alike += usize::from(likely.is_some_and(|Likely(first)| first != found));
        }
        assert!(alike > 0, "no two keys looked alike");
        let absent = (5_000..10_000u64).map(|n| RecordKey::from_bytes(n.to_be_bytes()));
        for key in absent {
            assert_eq!(shard.find(key, shard.fetch(key)), None);
        }
    }
}
