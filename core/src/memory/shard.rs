//! One shard of the memory store: values by key, in pools by their size.

use super::index::Index;
use super::place::{NUMBER_BITS, POOLS, Place};
use super::pool::{GRAIN, HEADER, Pool, Value};
use crate::clock::Timestamp;
use crate::error::StoreError;
use crate::record::{Effect, Moment, Record, RecordKey, Step};
use crate::store::Entry;

/// The index holds places alone: keys lie with their values. The pools are in an order of
/// their own, so that a sweep can go on where the last one stopped; an index by time would
/// cost every write, and a hash table has no such place.
#[derive(Debug, Default)]
pub(super) struct Shard {
    index: Index,
    pools: Vec<Pool>,
    cursor: Cursor,
    /// Where a record is changed before it is known how long it is.
    scratch: Vec<u8>,
}

/// Where a value lies, unless another's key looks alike.
#[derive(Clone, Copy, Debug)]
pub(super) struct Likely(Place);

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

    /// Asks the memory for what leads to the value, without waiting for it.
    #[inline]
    pub(super) fn fetch_way(&self, key: RecordKey) {
        self.index.fetch(hash(key));
    }

    /// The same for the value; and says where it lies, unless that is another's with the same
    /// hash.
    #[inline]
    pub(super) fn fetch(&self, key: RecordKey) -> Option<Likely> {
        let first = self.index.find(hash(key), |_| true)?;
        self.pools[first.pool()].fetch(first.number());
        Some(Likely(first))
    }

    /// Takes the step on what is held, which likely is there, and holds what it left. Since it
    /// was fetched, the shard was locked.
    #[inline]
    pub(super) fn apply(
        &mut self,
        key: RecordKey,
        likely: Option<Likely>,
        step: &Step,
        moment: Moment,
    ) -> Result<Effect, StoreError> {
        let Some(Likely(mut place)) = likely else {
            return self.apply_to_nothing(key, step, moment);
        };
        let mut slot = self.pools[place.pool()].slot_of(place.number());
        if slot.key() != key {
            match self.place(key) {
                Some(own) => place = own,
                None => return self.apply_to_nothing(key, step, moment),
            }
            slot = self.pools[place.pool()].slot_of(place.number());
        }
        let mut bytes = std::mem::take(&mut self.scratch);
        bytes.clear();
        bytes.extend_from_slice(slot.value());
        let told = match Record::step_in(&mut bytes, slot.is_of_step(), step, moment) {
            Ok((effect, until)) => {
                let value = Value::of_step(&bytes, until);
                if slot.took(value) {
                    Ok(effect)
                } else {
                    self.move_to(Some(place), key, value).map(|()| effect)
                }
            }
            Err(corrupt) => Err(corrupt.into()),
        };
        self.scratch = bytes;
        told
    }

    /// The same where nothing is held; and nothing is, if the step left nothing.
    #[inline(never)]
    fn apply_to_nothing(
        &mut self,
        key: RecordKey,
        step: &Step,
        moment: Moment,
    ) -> Result<Effect, StoreError> {
        let mut record = Record::absent(step);
        let absent = record.encode();
        let effect = record.step(step, moment)?;
        let until = record.keep_until();
        let bytes = record.into_bytes();
        if bytes != absent {
            self.write(None, key, Value::of_step(&bytes, until))?;
        }
        Ok(effect)
    }

    pub(super) fn put(&mut self, key: RecordKey, next: Entry<'_>) -> Result<(), StoreError> {
        let value = Value {
            bytes: next.bytes,
            until: next.garbage_after,
            of_step: false,
        };
        self.write(self.place(key), key, value)
    }

    fn write(
        &mut self,
        held: Option<Place>,
        key: RecordKey,
        value: Value<'_>,
    ) -> Result<(), StoreError> {
        let pools = &mut self.pools;
        let slot = held.map(|place| pools[place.pool()].slot_of(place.number()));
        if slot.is_some_and(|mut slot| slot.took(value)) {
            return Ok(());
        }
        self.move_to(held, key, value)
    }

    /// Holds it in another pool than what was held before.
    #[inline(never)]
    fn move_to(
        &mut self,
        held: Option<Place>,
        key: RecordKey,
        value: Value<'_>,
    ) -> Result<(), StoreError> {
        let at = (HEADER + value.bytes.len()).div_ceil(GRAIN);
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
        let number = self.pools[at].push(key, value);
        let (place, pools) = (Place::new(at, number), &self.pools);
        self.index
            .insert(hash(key), place, |place| hash(place.key(pools)));
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

    fn place(&self, key: RecordKey) -> Option<Place> {
        self.index
            .find(hash(key), |place| place.key(&self.pools) == key)
    }

    fn value(&self, place: Place) -> &[u8] {
        self.pools[place.pool()].value(place.number())
    }

    /// The last value of the pool takes the place of the one removed.
    fn remove(&mut self, place: Place) {
        let key = place.key(&self.pools);
        self.index.remove(hash(key), place);
        let pool = &mut self.pools[place.pool()];
        let last = Place::new(place.pool(), pool.len() - 1);
        if let Some(moved) = pool.remove(place.number()) {
            self.index.replace(hash(moved), last, place);
        }
    }
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
    use crate::error::LimitName;
    use crate::keys::Tag;
    use crate::policy::Limit;
    use crate::record::{Action, Charge};
    use crate::store::Incarnation;

    #[test]
    fn keys_that_count_up_are_spread_over_all_shards() {
        let mut crowds = [0; SHARDS];
        for n in 0..64_000u64 {
            crowds[of(RecordKey::from_bytes(n.to_be_bytes()))] += 1;
        }
        let (least, most) = (crowds.iter().min(), crowds.iter().max());
        assert!(least >= Some(&500) && most <= Some(&2000), "{crowds:?}");
    }

    /// Reads each record through a step, whichever the index led to first.
    #[test]
    fn a_value_is_found_though_another_looks_alike() {
        let mut shard = Shard::default();
        let moment = Moment {
            now: Timestamp::from_secs(1),
            incarnation: Incarnation::UNFENCED,
        };
        let one_of = |operation: u32| {
            let (tag, at) = (Tag::of("tenant", "acme"), None);
            let charge = Charge::event(operation, LimitName::TenantSends, Limit::new(1, 60));
            let action = Action::Charge(charge);
            Step { tag, at, action }
        };
        let (mut alike, mut strangers) = (0, 0);
        for n in 0..5_000u32 {
            let key = RecordKey::from_bytes(u64::from(n).to_be_bytes());
            let likely = shard.fetch(key);
            strangers += usize::from(likely.is_some());
            let told = shard.apply(key, likely, &one_of(n), moment).unwrap();
            assert_eq!(told, Effect::Done, "{n}: nothing was there");
        }
        for n in 0..5_000u32 {
            let key = RecordKey::from_bytes(u64::from(n).to_be_bytes());
            let likely = shard.fetch(key);
            alike +=
                usize::from(likely.is_some_and(|Likely(first)| Some(first) != shard.place(key)));
            let told = shard
                .apply(key, likely, &one_of(n + 5_000), moment)
                .unwrap();
            assert!(matches!(told, Effect::Refused(_)), "{n}: charged before");
        }
        assert!(alike > 0 && strangers > 0, "no two keys looked alike");
        assert_eq!(shard.len(), 5_000);
    }
}
