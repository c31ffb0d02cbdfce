//! A store in memory: the executable specification of a store.

mod arena;
mod index;
mod line;
mod place;
mod pool;
mod shard;

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use self::shard::{SHARDS, Shard};
use crate::clock::{Clock, SystemClock};
use crate::error::StoreError;
use crate::record::{Effect, Moment, RecordKey, Step};
use crate::store::{Durability, Entry, Incarnation, Loaded, SessionStore, Swap};

/// A sweep looks at no more values than this for each one that it may remove.
const LOOKS_PER_REMOVAL: usize = 16;
/// And removes no more, and looks at no more than sixteen times as many, before it lets
/// others have the shard: some dozen microseconds.
const REMOVALS_PER_LOCK: usize = 64;

/// Keeps records in this process, behind sharded locks.
///
/// Everything is gone with the process: for tests, and for servers whose codes and
/// limits may die with them. A live destination takes some 160 bytes. On Linux they are asked
/// for in large pages (two megabytes), where those are not switched off for the whole machine
/// (`never` in `/sys/kernel/mm/transparent_hugepage/enabled`). What a store needed once the
/// process keeps, for this store or another, until it ends.
#[derive(Debug)]
pub struct MemoryStore {
    shards: Vec<Mutex<Shard>>,
    clock: Arc<dyn Clock>,
    incarnation: AtomicU64,
    /// The shard that the next sweep begins with.
    sweep_from: AtomicUsize,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryStore {
    /// An empty store on the system's clock.
    #[must_use]
    pub fn new() -> Self {
        Self::with_clock(Arc::new(SystemClock))
    }

    /// An empty store on another clock.
    #[must_use]
    pub fn with_clock(clock: Arc<dyn Clock>) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            clock,
            incarnation: AtomicU64::new(1),
            sweep_from: AtomicUsize::new(0),
        }
    }

    /// How many values it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).len()).sum()
    }

    /// Whether it holds nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Begins another life, as after a crash that may have lost writes: every session
    /// opened before is expired.
    pub fn fence(&self) {
        self.incarnation.fetch_add(1, Ordering::SeqCst);
    }

    fn incarnation(&self) -> Incarnation {
        Incarnation::new(self.incarnation.load(Ordering::SeqCst))
    }

    /// The step runs under the shard's lock, so nobody can come in between. It is made there
    /// too, and the clock is read: both take about as long as memory that nobody looked at for
    /// a while.
    #[inline]
    fn take(&self, key: RecordKey, make: &dyn Fn() -> Step) -> Result<Effect, StoreError> {
        let mut shard = self.shard(key);
        let look = shard.look(key);
        let moment = Moment {
            now: self.clock.now(),
            incarnation: self.incarnation(),
        };
        let likely = look.first();
        shard.apply(key, likely, make, moment)
    }

    fn shard(&self, key: RecordKey) -> MutexGuard<'_, Shard> {
        lock(&self.shards[shard::of(key)])
    }
}

/// A poisoned lock is taken all the same: a shard changes by whole values, so a panic
/// elsewhere cannot have left half of one.
fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl SessionStore for MemoryStore {
    async fn load(&self, key: RecordKey) -> Result<Loaded, StoreError> {
        let shard = self.shard(key);
        let value = shard.get(key).map(<[u8]>::to_vec);
        Ok(Loaded {
            value,
            now: self.clock.now(),
            incarnation: self.incarnation(),
        })
    }

    async fn swap(
        &self,
        key: RecordKey,
        seen: Option<&[u8]>,
        next: Entry<'_>,
        incarnation: Incarnation,
    ) -> Result<Swap, StoreError> {
        let mut shard = self.shard(key);
        if shard.get(key) != seen || incarnation != self.incarnation() {
            return Ok(Swap::Lost);
        }
        shard.put(key, next)?;
        Ok(Swap::Done)
    }

    async fn apply(&self, key: RecordKey, step: &Step) -> Result<Effect, StoreError> {
        self.take(key, &|| step.clone())
    }

    fn apply_now(
        &self,
        key: RecordKey,
        make: &dyn Fn() -> Step,
    ) -> Option<Result<Effect, StoreError>> {
        Some(self.take(key, make))
    }

    /// Goes on where the last sweep stopped, one short lock at a time.
    async fn sweep(&self, max: usize) -> Result<usize, StoreError> {
        let now = self.clock.now();
        let first = self.sweep_from.load(Ordering::Relaxed);
        let mut looks = max.saturating_mul(LOOKS_PER_REMOVAL);
        let (mut removed, mut shards) = (0, 0);
        while shards <= SHARDS && looks > 0 && removed < max {
            let n = (first + shards) % SHARDS;
            self.sweep_from.store(n, Ordering::Relaxed);
            let most = REMOVALS_PER_LOCK.min(max - removed);
            let look = looks.min(REMOVALS_PER_LOCK * LOOKS_PER_REMOVAL);
            let swept = lock(&self.shards[n]).sweep(now, look, most);
            looks -= swept.looked;
            removed += swept.removed;
            shards += usize::from(swept.to_the_end);
        }
        Ok(removed)
    }

    async fn scan(
        &self,
        after: Option<RecordKey>,
        max: usize,
    ) -> Result<Vec<RecordKey>, StoreError> {
        let mut keys = Vec::new();
        for shard in &self.shards {
            let shard = lock(shard);
            keys.extend(
                shard
                    .keys()
                    .filter(|key| after.is_none_or(|after| *key > after)),
            );
            drop(shard);
            keys.sort_unstable();
            keys.truncate(max);
        }
        Ok(keys)
    }

    fn durability(&self) -> Durability {
        Durability::Process
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::at_once::now;
    use crate::clock::{FakeClock, Timestamp};
    use crate::error::LimitName;
    use crate::keys::Tag;
    use crate::policy::Limit;
    use crate::record::{Action, Charge, Record};
    use crate::store::tests::open as opening;

    fn key(n: u64) -> RecordKey {
        RecordKey::from_bytes(n.to_be_bytes())
    }

    fn put(store: &MemoryStore, n: u64, garbage_after: Option<u64>) {
        let garbage_after = garbage_after.map(Timestamp::from_secs);
        let next = Entry {
            bytes: &n.to_be_bytes(),
            garbage_after,
        };
        assert_eq!(
            now(store.swap(key(n), None, next, store.incarnation())).unwrap(),
            Swap::Done
        );
    }

    #[test]
    fn what_a_step_changed_is_kept_and_what_it_found_absent_stays_absent() {
        let store = MemoryStore::new();
        let event =
            |operation| Charge::event(operation, LimitName::TenantSends, Limit::new(1, 3600));
        let take = |action| {
            let (tag, at) = (Tag::of("tenant", "acme"), None);
            now(store.apply(key(1), &Step { tag, at, action })).unwrap()
        };
        assert_eq!(take(Action::PeekCharge(event(1))), Effect::Done);
        assert!(store.is_empty());
        assert_eq!(take(Action::Charge(event(1))), Effect::Done);
        let kept = now(store.load(key(1))).unwrap().value;
        assert!(kept.is_some());
        assert!(matches!(take(Action::Charge(event(2))), Effect::Refused(_)));
        assert_eq!(now(store.load(key(1))).unwrap().value, kept, "refused");
        assert_eq!(take(Action::Refund(event(1))), Effect::Done);
        assert_eq!(take(Action::Charge(event(2))), Effect::Done);
    }

    #[test]
    fn a_value_that_fills_no_slot_of_16_kib_is_refused_and_the_one_before_stays() {
        let store = MemoryStore::new();
        let swap = |seen: Option<&[u8]>, bytes: &[u8]| {
            let next = Entry {
                bytes,
                garbage_after: None,
            };
            now(store.swap(key(1), seen, next, store.incarnation()))
        };
        let longest = vec![7; 16 * 1023 - 15];
        assert_eq!(swap(None, &longest).unwrap(), Swap::Done);
        let refused = swap(Some(&longest), &vec![8; longest.len() + 1]);
        assert!(
            matches!(refused, Err(StoreError::Unavailable { .. })),
            "{refused:?}"
        );
        assert_eq!(now(store.load(key(1))).unwrap().value, Some(longest));
    }

    /// What a step left is not read strictly again, but what a swap brought is.
    #[test]
    fn what_came_by_a_swap_is_read_strictly() {
        let store = MemoryStore::new();
        let (tag, at) = (Tag::of("tenant", "acme"), None);
        let action = Action::Reset;
        let reset = Step { tag, at, action };
        let _ = now(store.apply(key(1), &reset)).unwrap();
        let open = Record::absent(&reset).encode();
        let put = |seen: Option<&[u8]>, bytes: &[u8]| {
            let next = Entry {
                bytes,
                garbage_after: None,
            };
            let swapped = now(store.swap(key(1), seen, next, store.incarnation()));
            assert_eq!(swapped.unwrap(), Swap::Done);
        };
        put(None, &open);
        for _ in 0..2 {
            let told = now(store.apply(key(1), &reset));
            assert_eq!(told.unwrap(), Effect::Done);
        }
        let mut wrong = open.clone();
        wrong.push(0);
        put(Some(&open), &wrong);
        // And again: a step that failed has left nothing.
        for _ in 0..2 {
            let told = now(store.apply(key(1), &reset));
            assert!(matches!(told, Err(StoreError::Corrupt(_))), "{told:?}");
        }
        assert_eq!(now(store.load(key(1))).unwrap().value, Some(wrong));
    }

    #[test]
    fn a_value_is_kept_until_its_time_and_swept_then() {
        let clock = Arc::new(FakeClock::at(Timestamp::from_secs(99)));
        let store = MemoryStore::with_clock(Arc::clone(&clock) as Arc<dyn Clock>);
        put(&store, 1, Some(100));
        put(&store, 2, None);
        clock.advance_millis(999);
        assert_eq!(now(store.sweep(10)).unwrap(), 0);
        clock.advance_millis(1);
        assert_eq!(now(store.sweep(10)).unwrap(), 1);
        assert_eq!(now(store.scan(None, 10)).unwrap(), [key(2)]);
    }

    /// Nobody asks for it at each step, but for the sweep that comes to it.
    #[test]
    fn what_a_step_left_is_kept_as_long_as_its_record_says() {
        let clock = Arc::new(FakeClock::at(Timestamp::from_secs(1000)));
        let store = MemoryStore::with_clock(Arc::clone(&clock) as Arc<dyn Clock>);
        let (tag, at) = (Tag::of("tenant", "acme"), None);
        let take = |key, step: &Step| {
            let told = now(store.apply(key, step)).unwrap();
            assert!(!matches!(told, Effect::Refused(_)), "{told:?}");
        };
        let event = |operation| Charge::event(operation, LimitName::TenantSends, Limit::new(2, 60));
        let charge = |operation| Step {
            tag,
            at,
            action: Action::Charge(event(operation)),
        };
        let open = opening();
        let action = match &open.action {
            Action::Open(open) => Action::Cancel(open.nonce),
            _ => unreachable!(),
        };
        let cancel = Step { action, ..open };
        take(key(1), &charge(1));
        take(key(2), &opening());
        let ends = |key| {
            let kept = now(store.load(key)).unwrap().value.unwrap();
            Record::decode(&kept).unwrap().keep_until().unwrap()
        };
        assert_eq!(ends(key(1)), Timestamp::from_secs(1060));
        // The same value, which a swap brought to be kept for ever.
        let copy = now(store.load(key(1))).unwrap().value.unwrap();
        let next = Entry {
            bytes: &copy,
            garbage_after: None,
        };
        let swapped = now(store.swap(key(3), None, next, store.incarnation()));
        assert_eq!(swapped.unwrap(), Swap::Done);
        // A sweep asks it; then another step moves its end.
        clock.advance_millis(59_000);
        assert_eq!(now(store.sweep(10)).unwrap(), 0);
        let action = Action::Refund(event(1));
        take(key(1), &Step { tag, at, action });
        take(key(1), &charge(2));
        take(key(2), &cancel);
        for key in [key(1), key(2)] {
            let end = ends(key);
            clock.set(Timestamp::from_millis(end.as_millis() - 1));
            assert_eq!(now(store.sweep(10)).unwrap(), 0);
            clock.set(end);
            assert_eq!(now(store.sweep(10)).unwrap(), 1);
        }
        assert_eq!(now(store.scan(None, 10)).unwrap(), [key(3)]);
    }

    #[test]
    fn a_sweep_looks_at_sixteen_values_for_each_that_it_may_remove() {
        let clock = Arc::new(FakeClock::at(Timestamp::from_secs(200)));
        let store = MemoryStore::with_clock(Arc::clone(&clock) as Arc<dyn Clock>);
        let mut crowd = (0..).filter(|n| shard::of(key(*n)) == 0);
        for n in crowd.by_ref().take(100) {
            put(&store, n, None);
        }
        put(&store, crowd.next().unwrap(), Some(100));
        let mut sweeps = 1;
        while now(store.sweep(1)).unwrap() == 0 {
            sweeps += 1;
            assert!(sweeps < 100, "never found");
        }
        // A hundred values before it, sixteen at a time; a shard's end costs no look.
        assert_eq!(sweeps, 7);
    }

    #[test]
    fn sweeps_are_bounded_and_get_everywhere() {
        let clock = Arc::new(FakeClock::at(Timestamp::from_secs(200)));
        let store = MemoryStore::with_clock(Arc::clone(&clock) as Arc<dyn Clock>);
        // A thousand values spread evenly, and a crowd in one shard.
        let crowd = (1000..).filter(|n| shard::of(key(*n)) == 0);
        for n in (0..1000).chain(crowd.take(1000)) {
            put(&store, n, (n % 2 == 0).then_some(100));
        }
        let mut removed = 0;
        for _ in 0..200 {
            let gone = now(store.sweep(10)).unwrap();
            assert!(gone <= 10);
            removed += gone;
        }
        assert_eq!(store.len(), 2000 - removed);
        assert!(removed >= 1000, "{removed} removed");
        assert!(
            now(store.scan(None, 1000))
                .unwrap()
                .iter()
                .all(|key| key.to_bytes()[7] % 2 == 1)
        );
        assert_eq!(now(store.sweep(0)).unwrap(), 0);
    }

    #[test]
    fn a_new_life_loses_the_swaps_of_the_old_one() {
        let store = MemoryStore::new();
        let seen = now(store.load(key(1))).unwrap();
        store.fence();
        let next = Entry {
            bytes: b"x",
            garbage_after: None,
        };
        assert_eq!(
            now(store.swap(key(1), None, next, seen.incarnation)).unwrap(),
            Swap::Lost
        );
        assert!(store.is_empty());
    }

    #[test]
    fn a_listing_goes_on_after_the_last_key() {
        let store = MemoryStore::new();
        (0..300).for_each(|n| put(&store, n * 7, None));
        let mut listed = Vec::new();
        loop {
            let page = now(store.scan(listed.last().copied(), 64)).unwrap();
            if page.is_empty() {
                break;
            }
            listed.extend(page);
        }
        assert_eq!(listed, (0..300).map(|n| key(n * 7)).collect::<Vec<_>>());
    }
}
