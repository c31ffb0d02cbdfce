//! One shard of the memory store: values by key, in pools by their size.

use super::index::{Index, Look};
use super::place::{NUMBER_BITS, POOLS, Place};
use super::pool::{GRAIN, HEADER, Origin, Pool, Value};
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
    pub(super) fn look(&self, key: RecordKey) -> Look<'_> {
        self.index.look(hash(key))
    }

    /// Takes the step on what is held, likely there, and holds what it left. Since the look
    /// began, the shard was locked. The step is made while memory brings the value.
    #[inline]
    pub(super) fn apply(
        &mut self,
        key: RecordKey,
        likely: Option<Place>,
        make: &dyn Fn() -> Step,
        moment: Moment,
    ) -> Result<Effect, StoreError> {
        let Some(mut place) = likely else {
            return self.apply_to_nothing(key, &make(), moment);
        };
        let mut slot = self.pools[place.pool()].slot_of(place.number());
        slot.fetch();
        let step = &make();
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
        let told = Record::step_in(&mut bytes, slot.is_of_step(), step, moment);
        let origin = Origin::Step;
        let value = Value {
            bytes: &bytes,
            origin,
        };
        let moved = if told.is_err() || slot.took(value) {
            Ok(())
        } else {
            self.move_to(Some(place), key, value)
        };
        self.scratch = bytes;
        moved.and(told)
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
        let bytes = &record.into_bytes();
        if *bytes != absent {
            let origin = Origin::Step;
            self.write(None, key, Value { bytes, origin })?;
        }
        Ok(effect)
    }

    pub(super) fn put(&mut self, key: RecordKey, next: Entry<'_>) -> Result<(), StoreError> {
        let value = Value {
            bytes: next.bytes,
            origin: Origin::Swap(next.garbage_after),
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
            let Some(values) = self.pools.get_mut(pool) else {
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
            if values.slot_of(number).is_garbage(now) {
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
            let likely = shard.look(key).first();
            strangers += usize::from(likely.is_some());
            let told = shard.apply(key, likely, &|| one_of(n), moment).unwrap();
            assert_eq!(told, Effect::Done, "{n}: nothing was there");
        }
        for n in 0..5_000u32 {
            let key = RecordKey::from_bytes(u64::from(n).to_be_bytes());
            let likely = shard.look(key).first();
            alike += usize::from(likely.is_some() && likely != shard.place(key));
            let told = shard
                .apply(key, likely, &|| one_of(n + 5_000), moment)
                .unwrap();
            assert!(matches!(told, Effect::Refused(_)), "{n}: charged before");
        }
        assert!(alike > 0 && strangers > 0, "no two keys looked alike");
        assert_eq!(shard.len(), 5_000);
    }
}
