//! The contract of a store.

use std::future::Future;
use std::sync::Arc;

use async_trait::async_trait;
use countersign::record::{Action, Effect, Step};
use countersign::store::{Durability, Entry, Incarnation, Loaded, Swap};
use countersign::{RecordKey, SessionStore, StoreError};

use crate::error::Error;
use crate::locked::Locked;
use crate::transaction::{Held, Write};
use crate::turns::Told;
use crate::{PostgresStore, fence, row, statements, sweep};

#[async_trait]
impl SessionStore for PostgresStore {
    /// One statement is one snapshot: value, time and life belong together.
    async fn load(&self, key: RecordKey) -> Result<Loaded, StoreError> {
        let backend = &self.backend;
        let found = backend.row(backend.reads.load, &[&row::id(key)]).await?;
        let value = found.try_get("value").map_err(Error::from)?;
        let moment = fence::moment(&found, backend.fence).map_err(Error::from)?;
        Ok(Loaded {
            value,
            now: moment.now,
            incarnation: moment.incarnation,
        })
    }

    async fn swap(
        &self,
        key: RecordKey,
        seen: Option<&[u8]>,
        next: Entry<'_>,
        incarnation: Incarnation,
    ) -> Result<Swap, StoreError> {
        let held = finish(Held::one(Arc::clone(&self.backend), key)).await?;
        if held.value(key) != seen || held.moment.incarnation != incarnation {
            return Ok(Swap::Lost);
        }
        let write = Write::new(key, next);
        finish(async move { held.commit(&write).await }).await
    }

    /// The pure step runs here, under the row's lock. Checks that wait for one another share
    /// a transaction. Where that does not come to the row, and for other steps, those of this
    /// process on one record are taken together: a hot one costs one connection and few
    /// commits.
    async fn apply(&self, key: RecordKey, step: &Step) -> Result<Effect, StoreError> {
        // Behind a line there is nothing to be gained, and its leader would be overtaken.
        if let Action::Check(_) = &step.action
            && !self.queue.is_busy(key)
            && let Told::Effect(effect) = self.turns.check(key, step).await?
        {
            return Ok(effect);
        }
        let locked = Locked::new(&self.backend);
        self.queue.apply(&locked, key, step).await
    }

    async fn sweep(&self, max: usize) -> Result<usize, StoreError> {
        sweep::sweep(&self.backend, max).await
    }

    async fn scan(
        &self,
        after: Option<RecordKey>,
        max: usize,
    ) -> Result<Vec<RecordKey>, StoreError> {
        let Some(from) = after.map_or(Some(i64::MIN), |after| row::id(after).checked_add(1)) else {
            return Ok(Vec::new());
        };
        let max = i64::try_from(max).unwrap_or(i64::MAX);
        let rows = self.backend.rows(statements::SCAN, &[&from, &max]).await?;
        let keys = rows.iter().map(|found| found.try_get(0).map(row::key));
        let keys: Result<_, _> = keys.collect();
        Ok(keys.map_err(Error::from)?)
    }

    /// Writes, so that a full disk is seen, and a standby, and a server that was told
    /// meanwhile not to sync any more.
    async fn ping(&self) -> Result<(), StoreError> {
        let rows = self.backend.once(statements::PING, &[]).await??;
        let syncs = rows.first().map(|row| row.try_get(0));
        match syncs.transpose().map_err(Error::from)? {
            Some(true) => Ok(()),
            _ => Err(Error::NoSync.into()),
        }
    }

    fn durability(&self) -> Durability {
        self.durability
    }
}

/// Runs it to its end in a task of its own: a caller that is dropped leaves no
/// transaction open and no answer unread.
pub(crate) async fn finish<T: Send + 'static>(
    work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
) -> Result<T, StoreError> {
    match tokio::spawn(work).await {
        Ok(result) => result,
        Err(_) => Err(StoreError::indeterminate("the runtime is shutting down")),
    }
}
