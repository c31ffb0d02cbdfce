//! An example of a store of one's own: a [`SessionStore`] over [redb], a database in one
//! file, for one process. Copy it, and put your own database in the place of redb.
//!
//! redb blocks, so every call runs on tokio's threads for that; and it lets one writer in at
//! a time, so what a write transaction reads is still true when it commits. Each swap is a
//! commit, and a sync, of its own; a store that must do better gives its writes to one
//! thread that commits whatever waits together.
//!
//! [redb]: https://docs.rs/redb

mod data;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use countersign::store::{Durability, Entry, Incarnation, Loaded, StepQueue, Swap};
use countersign::{Clock, RecordKey, SessionStore, StoreError, SystemClock, Timestamp};
use redb::Database;

use crate::data::{Data, unavailable};

/// Keeps records in a redb database.
#[derive(Debug)]
pub struct RedbStore {
    data: Arc<Data>,
    queue: StepQueue,
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
        let data = Arc::new(Data::over(database, clock)?);
        let queue = StepQueue::new();
        Ok(Self { data, queue })
    }

    /// Begins another life: the sessions opened so far expire. For whoever knows that the
    /// data are older than they look.
    ///
    /// # Errors
    /// [`StoreError`]; then the life is the old one.
    pub async fn fence(&self) -> Result<(), StoreError> {
        self.blocking(Data::renew_life).await
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
        self.blocking(move |data| data.load(key).map_err(unavailable))
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
        self.blocking(move |data| data.swap(key, seen.as_deref(), row, incarnation))
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
        self.blocking(move |data| data.scan(after, max).map_err(unavailable))
            .await
    }

    fn durability(&self) -> Durability {
        Durability::PowerLoss
    }
}
