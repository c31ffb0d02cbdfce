//! The contract of a store: each call is one job of the writer or one question to the reader.

use async_trait::async_trait;
use countersign::record::{Effect, Step};
use countersign::store::{Durability, Entry, Incarnation, Loaded, Swap};
use countersign::{RecordKey, SessionStore, StoreError};
use tokio::sync::oneshot;

use crate::SqliteStore;
use crate::error::Error;
use crate::job::{Done, Job, Work, unexpected};
use crate::reader::Read;

/// Rows that a sweep looks at in one transaction.
const SWEEP_CHUNK: usize = 256;

/// Rows that a sweep looks at for each one that it may remove.
const SWEEP_EFFORT: usize = 16;

#[async_trait]
impl SessionStore for SqliteStore {
    async fn load(&self, key: RecordKey) -> Result<Loaded, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.read(Read::Load(key, reply)).await?;
        answer.await.map_err(|_| Error::Closed)?
    }

    async fn swap(
        &self,
        key: RecordKey,
        seen: Option<&[u8]>,
        next: Entry<'_>,
        incarnation: Incarnation,
    ) -> Result<Swap, StoreError> {
        let (seen, bytes) = (seen.map(<[u8]>::to_vec), next.bytes.to_vec());
        let garbage_after = next.garbage_after;
        match self
            .write(Work::Swap {
                key,
                seen,
                bytes,
                garbage_after,
                incarnation,
            })
            .await?
        {
            Done::Swap(swap) => Ok(swap),
            _ => Err(unexpected()),
        }
    }

    /// The step runs in the writer's transaction, so nobody can come in between.
    async fn apply(&self, key: RecordKey, step: &Step) -> Result<Effect, StoreError> {
        let step = Box::new(step.clone());
        match self.write(Work::Apply { key, step }).await? {
            Done::Effect(effect) => Ok(effect),
            _ => Err(unexpected()),
        }
    }

    /// Goes on where the last sweep ended, in short transactions of its own between
    /// which others come in. It looks at 16 rows for each one it may remove.
    async fn sweep(&self, max: usize) -> Result<usize, StoreError> {
        let (mut removed, mut ends) = (0, 0);
        let mut effort = max.saturating_mul(SWEEP_EFFORT).max(SWEEP_CHUNK);
        // The second end of the table says that all of it has been seen.
        while removed < max && effort > 0 && ends < 2 {
            let look = effort.min(SWEEP_CHUNK);
            match self
                .write(Work::Sweep {
                    look,
                    max: max - removed,
                })
                .await?
            {
                Done::Sweep(chunk) => {
                    removed += chunk.removed;
                    ends += usize::from(chunk.end);
                    effort -= chunk.looked.clamp(1, effort);
                }
                _ => return Err(unexpected()),
            }
        }
        Ok(removed)
    }

    async fn scan(
        &self,
        after: Option<RecordKey>,
        max: usize,
    ) -> Result<Vec<RecordKey>, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.read(Read::Scan(after, max, reply)).await?;
        answer.await.map_err(|_| Error::Closed)?
    }

    /// Writes, so that a full disk and a read-only file are seen.
    async fn ping(&self) -> Result<(), StoreError> {
        match self.write(Work::Ping).await? {
            Done::Ping => Ok(()),
            _ => Err(unexpected()),
        }
    }

    fn durability(&self) -> Durability {
        Durability::PowerLoss
    }
}

impl SqliteStore {
    /// Once the job is queued it will be done, whether or not anybody waits for it.
    async fn write(&self, work: Work) -> Result<Done, StoreError> {
        let (reply, answer) = oneshot::channel();
        let writer = self.writer.as_ref().ok_or(Error::Closed)?;
        writer
            .send(Job { work, reply })
            .await
            .map_err(|_| Error::Closed)?;
        answer
            .await
            .map_err(|_| StoreError::indeterminate("the writer ended before it answered"))?
    }

    async fn read(&self, question: Read) -> Result<(), StoreError> {
        let reader = self.reader.as_ref().ok_or(Error::Closed)?;
        Ok(reader.send(question).await.map_err(|_| Error::Closed)?)
    }
}
