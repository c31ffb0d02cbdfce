//! Records of API keys, remembered for less than a second.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use countersign::{Clock, RecordKey, Stopwatch};

use crate::key_record::KeyRecord;

/// How long a record may be used, counted from the start of its read: what was revoked
/// elsewhere is refused here within a second.
const MAX_AGE_MILLIS: u64 = 900;
const MAX_RECORDS: usize = 1024;

/// Milliseconds that never go back, by the monotonic clock; or a test's clock.
#[derive(Clone, Debug)]
pub(crate) enum Ticker {
    Monotonic(Stopwatch),
    Clock(Arc<dyn Clock>),
}

impl Ticker {
    pub(crate) fn millis(&self) -> u64 {
        match self {
            Self::Monotonic(since) => since.elapsed_millis(),
            Self::Clock(clock) => clock.now().as_millis(),
        }
    }
}

#[derive(Debug)]
pub(crate) struct KeyCache {
    ticker: Ticker,
    records: Mutex<HashMap<RecordKey, (u64, Arc<KeyRecord>)>>,
}

impl KeyCache {
    pub(crate) fn new(ticker: Ticker) -> Self {
        Self {
            ticker,
            records: Mutex::default(),
        }
    }

    /// The time to note before a record is read.
    pub(crate) fn now(&self) -> u64 {
        self.ticker.millis()
    }

    /// What is remembered and may still be used.
    pub(crate) fn get(&self, key: RecordKey) -> Option<Arc<KeyRecord>> {
        let now = self.now();
        let records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        let (read_at, record) = records.get(&key)?;
        is_fresh(*read_at, now).then(|| Arc::clone(record))
    }

    /// Remembers a record whose read began at `read_at`.
    pub(crate) fn put(&self, key: RecordKey, read_at: u64, record: Arc<KeyRecord>) {
        let now = self.now();
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        if records.len() >= MAX_RECORDS {
            records.retain(|_, (read_at, _)| is_fresh(*read_at, now));
        }
        if records.len() < MAX_RECORDS {
            records.insert(key, (read_at, record));
        }
    }

    pub(crate) fn forget(&self, key: RecordKey) {
        self.records
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&key);
    }
}

fn is_fresh(read_at: u64, now: u64) -> bool {
    now.checked_sub(read_at)
        .is_some_and(|age| age < MAX_AGE_MILLIS)
}

#[cfg(test)]
mod tests {
    use countersign::{FakeClock, Tenant, Timestamp};

    use super::*;

    fn cache() -> (KeyCache, Arc<FakeClock>) {
        let clock = Arc::new(FakeClock::at(Timestamp::from_secs(100)));
        (
            KeyCache::new(Ticker::Clock(Arc::clone(&clock) as Arc<dyn Clock>)),
            clock,
        )
    }

    fn record() -> Arc<KeyRecord> {
        Arc::new(KeyRecord::new(Tenant::new("acme").unwrap()))
    }

    #[test]
    fn a_record_is_forgotten_900_ms_after_its_read_began() {
        let (cache, clock) = cache();
        let began = cache.now();
        clock.advance_millis(400);
        cache.put(RecordKey::SCRATCH, began, record());
        clock.advance_millis(499);
        assert_eq!(cache.get(RecordKey::SCRATCH), Some(record()));
        clock.advance_millis(1);
        assert_eq!(cache.get(RecordKey::SCRATCH), None);
    }

    #[test]
    fn it_holds_no_more_than_its_bound() {
        let (cache, _) = cache();
        for n in 0..2000u64 {
            cache.put(
                RecordKey::from_bytes(n.to_be_bytes()),
                cache.now(),
                record(),
            );
        }
        assert_eq!(cache.records.lock().unwrap().len(), MAX_RECORDS);
    }
}
