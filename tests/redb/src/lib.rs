//! An example of a store of one's own: a [`SessionStore`] over [redb], a database in one
//! file, for one process. Copy it, and put your own database in the place of redb.
//!
//! redb blocks, so every call runs on tokio's threads for that; and it lets one writer in at
//! a time, so what a write transaction reads is still true when it commits.
//!
//! [redb]: https://docs.rs/redb

use std::ops::Bound::{Excluded, Unbounded};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use countersign::store::{Durability, Entry, Incarnation, Loaded, StepQueue, Swap};
use countersign::{Clock, Randomness, RecordKey, SessionStore, StoreError, SystemClock};
use countersign::{SystemRandom, Timestamp};
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};

/// From when on a value is garbage, in milliseconds since the epoch, and its bytes.
const ROWS: TableDefinition<'_, u64, (Option<u64>, &[u8])> = TableDefinition::new("rows");
/// The keys whose value becomes garbage, by that time: a sweep looks at no other row.
const GARBAGE: TableDefinition<'_, (u64, u64), ()> = TableDefinition::new("garbage");

/// Keeps records in a redb database.
#[derive(Debug)]
pub struct RedbStore {
    data: Arc<Data>,
    queue: StepQueue,
}

#[derive(Debug)]
struct Data {
    database: Database,
    clock: Arc<dyn Clock>,
    life: AtomicU64,
}

impl RedbStore {
    /// Opens the file at `path`, or makes it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]: the file is no database, or another store has it open.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let database = Database::create(path).map_err(|error| unavailable(error.into()))?;
        Self::over(database, Arc::new(SystemClock::default()))
    }

    /// A store over an open database, which goes by `clock`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]: the database cannot be written to.
    pub fn over(database: Database, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        let life = AtomicU64::new(new_life()?);
        let data = Arc::new(Data {
            database,
            clock,
            life,
        });
        // Made now, so that a reader finds the tables.
        data.write(|transaction| {
            transaction.open_table(ROWS)?;
            transaction.open_table(GARBAGE)?;
            Ok(Outcome::Commit(()))
        })?;
        let queue = StepQueue::new();
        Ok(Self { data, queue })
    }

    /// Begins another life: sessions opened so far expire. For the operator who put an
    /// older copy of the data in place under a running process.
    ///
    /// # Errors
    /// [`StoreError`]; then the life is the old one.
    pub async fn fence(&self) -> Result<(), StoreError> {
        self.blocking(|data| {
            let life = new_life()?;
            // As the only writer: a swap is done before, or compares with the new life.
            data.write(|_| {
                data.life.store(life, Ordering::SeqCst);
                Ok(Outcome::Abort(()))
            })
        })
        .await
    }

    /// A caller that goes away does not stop the call: it happens, but not half.
    async fn blocking<T: Send + 'static>(
        &self,
        call: impl FnOnce(&Data) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let data = Arc::clone(&self.data);
        let called = tokio::task::spawn_blocking(move || call(&data)).await;
        called.map_err(|error| StoreError::Indeterminate {
            reason: "the call was cut short".to_owned(),
            source: Some(Box::new(error)),
        })?
    }
}

#[async_trait]
impl SessionStore for RedbStore {
    async fn load(&self, key: RecordKey) -> Result<Loaded, StoreError> {
        self.blocking(move |data| data.load(number(key)).map_err(unavailable))
            .await
    }

    async fn swap(
        &self,
        key: RecordKey,
        seen: Option<&[u8]>,
        next: Entry<'_>,
        incarnation: Incarnation,
    ) -> Result<Swap, StoreError> {
        let (seen, bytes) = (seen.map(<[u8]>::to_vec), next.bytes.to_vec());
        let row = (next.garbage_after.map(Timestamp::as_millis), bytes);
        self.blocking(move |data| data.swap(number(key), seen.as_deref(), row, incarnation))
            .await
    }

    fn queue(&self) -> Option<&StepQueue> {
        Some(&self.queue)
    }

    async fn sweep(&self, max: usize) -> Result<usize, StoreError> {
        self.blocking(move |data| data.sweep(max)).await
    }

    async fn scan(
        &self,
        after: Option<RecordKey>,
        max: usize,
    ) -> Result<Vec<RecordKey>, StoreError> {
        self.blocking(move |data| data.scan(after.map(number), max).map_err(unavailable))
            .await
    }

    fn durability(&self) -> Durability {
        Durability::PowerLoss
    }
}

impl Data {
    fn load(&self, key: u64) -> Result<Loaded, redb::Error> {
        let rows = self.database.begin_read()?.open_table(ROWS)?;
        let value = rows.get(key)?.map(|row| row.value().1.to_vec());
        // After the value: read before it, the time would be that of an older one.
        let (now, incarnation) = (self.clock.now(), self.incarnation());
        Ok(Loaded {
            value,
            now,
            incarnation,
        })
    }

    fn swap(
        &self,
        key: u64,
        seen: Option<&[u8]>,
        (after, bytes): (Option<u64>, Vec<u8>),
        incarnation: Incarnation,
    ) -> Result<Swap, StoreError> {
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

    fn sweep(&self, max: usize) -> Result<usize, StoreError> {
        let now = self.clock.now().as_millis();
        self.write(|transaction| {
            let mut garbage = transaction.open_table(GARBAGE)?;
            let mut rows = transaction.open_table(ROWS)?;
            let passed = garbage.range(..=(now, u64::MAX))?.take(max);
            let passed = passed.map(|entry| Ok(entry?.0.value()));
            let passed = passed.collect::<Result<Vec<(u64, u64)>, redb::Error>>()?;
            for (after, key) in &passed {
                garbage.remove((*after, *key))?;
                rows.remove(*key)?;
            }
            Ok(Outcome::Commit(passed.len()))
        })
    }

    fn scan(&self, after: Option<u64>, max: usize) -> Result<Vec<RecordKey>, redb::Error> {
        let rows = self.database.begin_read()?.open_table(ROWS)?;
        let from = after.map_or(Unbounded, Excluded);
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
        let begun = self.database.begin_write();
        // redb's own default, which syncs the file before `commit` returns, is what
        // `durability` promises.
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

fn unavailable(error: redb::Error) -> StoreError {
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
