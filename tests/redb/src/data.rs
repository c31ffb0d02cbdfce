//! The database: two tables, and transactions that block.

use std::ops::Bound::{Excluded, Unbounded};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use countersign::store::{Incarnation, Loaded, Swap};
use countersign::{Clock, Randomness, RecordKey, StoreError, SystemRandom};
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};

/// From when on a value is garbage, in milliseconds since the epoch, and its bytes.
const ROWS: TableDefinition<'_, u64, (Option<u64>, &[u8])> = TableDefinition::new("rows");
/// The keys whose value becomes garbage, by that time: a sweep looks at no other row.
const GARBAGE: TableDefinition<'_, (u64, u64), ()> = TableDefinition::new("garbage");

#[derive(Debug)]
pub(crate) struct Data {
    database: Database,
    clock: Arc<dyn Clock>,
    life: AtomicU64,
}

impl Data {
    pub(crate) fn over(database: Database, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        let life = AtomicU64::new(new_life()?);
        let data = Self {
            database,
            clock,
            life,
        };
        // Now, so that the first reader finds the tables.
        data.write(|transaction| {
            transaction.open_table(ROWS)?;
            transaction.open_table(GARBAGE)?;
            Ok(Outcome::Commit(()))
        })?;
        Ok(data)
    }

    pub(crate) fn load(&self, key: RecordKey) -> Result<Loaded, redb::Error> {
        let rows = self.database.begin_read()?.open_table(ROWS)?;
        let value = rows.get(number(key))?.map(|row| row.value().1.to_vec());
        // After the value: read before it, the time would be that of an older one.
        let (now, incarnation) = (self.clock.now(), self.incarnation());
        Ok(Loaded {
            value,
            now,
            incarnation,
        })
    }

    pub(crate) fn swap(
        &self,
        key: RecordKey,
        seen: Option<&[u8]>,
        (after, bytes): (Option<u64>, Vec<u8>),
        incarnation: Incarnation,
    ) -> Result<Swap, StoreError> {
        let key = number(key);
        self.write(|transaction| {
            let mut rows = transaction.open_table(ROWS)?;
            let held = rows.get(key)?.map(|row| {
                let (after, bytes) = row.value();
                (after, bytes.to_vec())
            });
            let value = held.as_ref().map(|(_, bytes)| bytes.as_slice());
            if value != seen || incarnation != self.incarnation() {
                return Ok(Outcome::Abort(Swap::Lost));
            }
            let mut garbage = transaction.open_table(GARBAGE)?;
            if let Some(before) = held.and_then(|(after, _)| after) {
                garbage.remove((before, key))?;
            }
            if let Some(after) = after {
                garbage.insert((after, key), ())?;
            }
            rows.insert(key, (after, bytes.as_slice()))?;
            Ok(Outcome::Commit(Swap::Done))
        })
    }

    pub(crate) fn sweep(&self, max: usize) -> Result<usize, StoreError> {
        let now = self.clock.now().as_millis();
        self.write(|transaction| {
            let mut garbage = transaction.open_table(GARBAGE)?;
            let mut rows = transaction.open_table(ROWS)?;
            let passed = garbage.range(..=(now, u64::MAX))?.take(max);
            let passed = passed.map(|entry| Ok(entry?.0.value()));
            let passed = passed.collect::<Result<Vec<(u64, u64)>, redb::Error>>()?;
            if passed.is_empty() {
                return Ok(Outcome::Abort(0)); // nothing to sync
            }
            for (after, key) in &passed {
                garbage.remove((*after, *key))?;
                rows.remove(*key)?;
            }
            Ok(Outcome::Commit(passed.len()))
        })
    }

    pub(crate) fn scan(
        &self,
        after: Option<RecordKey>,
        max: usize,
    ) -> Result<Vec<RecordKey>, redb::Error> {
        let rows = self.database.begin_read()?.open_table(ROWS)?;
        let from = after.map_or(Unbounded, |after| Excluded(number(after)));
        let keys = rows.range::<u64>((from, Unbounded))?.take(max);
        keys.map(|row| Ok(RecordKey::from_bytes(row?.0.value().to_be_bytes())))
            .collect()
    }

    /// Changes what `change` does, all of it or nothing. Only a failed commit leaves open
    /// whether it was written.
    fn write<T>(
        &self,
        change: impl FnOnce(&WriteTransaction) -> Result<Outcome<T>, redb::Error>,
    ) -> Result<T, StoreError> {
        // `durability` promises what is redb's default: `commit` returns when it is synced.
        let begun = self.database.begin_write();
        let transaction = begun.map_err(|error| unavailable(error.into()))?;
        match change(&transaction).map_err(unavailable)? {
            Outcome::Abort(answer) => Ok(answer),
            Outcome::Commit(answer) => {
                transaction
                    .commit()
                    .map_err(|error| indeterminate(error.into()))?;
                Ok(answer)
            }
        }
    }

    /// As the only writer: a swap is done before, or compares with the new life.
    pub(crate) fn renew_life(&self) -> Result<(), StoreError> {
        let life = new_life()?;
        self.write(|_| {
            self.life.store(life, Ordering::SeqCst);
            Ok(Outcome::Abort(()))
        })
    }

    fn incarnation(&self) -> Incarnation {
        Incarnation::new(self.life.load(Ordering::SeqCst))
    }
}

/// What becomes of a write transaction.
enum Outcome<T> {
    Commit(T),
    Abort(T),
}

/// Big-endian, so that numbers are in the order of the keys.
fn number(key: RecordKey) -> u64 {
    u64::from_be_bytes(key.to_bytes())
}

/// A random number that no file holds, drawn when the file is opened: whoever restores an
/// older file has to open it. The price: a restart of the process expires the codes in
/// flight. This file loses nothing by itself; one who never restores may keep one number.
fn new_life() -> Result<u64, StoreError> {
    let mut bytes = [0; 8];
    let drawn = SystemRandom::default().fill(&mut bytes);
    drawn.map_err(|error| StoreError::unavailable(error.to_string()))?;
    Ok(u64::from_be_bytes(bytes) | 1) // never zero, which is no fence
}

pub(crate) fn unavailable(error: redb::Error) -> StoreError {
    let reason = error.to_string();
    StoreError::Unavailable {
        reason,
        source: Some(Box::new(error)),
    }
}

fn indeterminate(error: redb::Error) -> StoreError {
    let reason = error.to_string();
    StoreError::Indeterminate {
        reason,
        source: Some(Box::new(error)),
    }
}
