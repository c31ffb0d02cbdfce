//! A transaction of steps: two round trips, with the rows' locks in between.

use std::collections::HashMap;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use countersign::record::Moment;
use countersign::store::{Entry, Swap};
use countersign::{RecordKey, StoreError};
use deadpool_postgres::{Client, Object};
use tokio_postgres::error::{DbError, Severity};
use tokio_postgres::types::ToSql;

use crate::backend::{Backend, TRIES};
use crate::error::{Error, is_conflict};
use crate::{fence, row, statements};

/// Values by their ids.
type Found = HashMap<i64, Vec<u8>>;

/// Rows under their locks, in an open transaction; an absent one has no lock.
pub(crate) struct Held {
    backend: Arc<Backend>,
    /// Gone once it commits.
    client: Option<Client>,
    rows: Found,
    pub(crate) moment: Moment,
}

/// Which rows are to be locked.
enum Rows {
    /// This one, waiting for it as long as it takes.
    One(i64),
    /// Of these, those that nobody has locked.
    Free(Vec<i64>),
}

/// A value to write under a key.
pub(crate) struct Write {
    id: i64,
    bytes: Vec<u8>,
    garbage_after: Option<i64>,
}

impl Write {
    pub(crate) fn new(key: RecordKey, next: Entry<'_>) -> Self {
        Self {
            id: row::id(key),
            bytes: next.bytes.to_vec(),
            garbage_after: next.garbage_after.map(row::millis),
        }
    }
}

impl Held {
    /// The row of one key, for which it waits.
    pub(crate) async fn one(backend: Arc<Backend>, key: RecordKey) -> Result<Self, StoreError> {
        let client = backend.client().await?;
        Self::begin(backend, client, Rows::One(row::id(key))).await
    }

    /// The rows of these keys that are there and that nobody else has locked.
    pub(crate) async fn free(
        backend: Arc<Backend>,
        client: Client,
        keys: impl Iterator<Item = RecordKey>,
    ) -> Result<Self, StoreError> {
        Self::begin(backend, client, Rows::Free(keys.map(row::id).collect())).await
    }

    /// The value under a key; none where it is absent, or locked by others.
    pub(crate) fn value(&self, key: RecordKey) -> Option<&[u8]> {
        self.rows.get(&row::id(key)).map(Vec::as_slice)
    }

    /// The first round trip. Nothing has been written by then, so it is tried again on
    /// another connection where the server has closed this one meanwhile.
    async fn begin(
        backend: Arc<Backend>,
        mut client: Client,
        rows: Rows,
    ) -> Result<Self, StoreError> {
        let mut tries = 1;
        loop {
            match try_begin(&backend, &client, &rows).await {
                Ok((rows, moment)) => {
                    return Ok(Self {
                        backend,
                        client: Some(client),
                        rows,
                        moment,
                    });
                }
                Err(error) => {
                    discard(client);
                    if !error.is_passing() || tries == TRIES {
                        backend.doubt(&error);
                        return Err(error.into());
                    }
                    tries += 1;
                    client = backend.client().await?;
                }
            }
        }
    }

    /// The second round trip, for one row: writes and commits. A row that another has made
    /// since is a lost swap.
    pub(crate) async fn commit(self, write: &Write) -> Result<Swap, StoreError> {
        let sql = if self.rows.contains_key(&write.id) {
            statements::UPDATE
        } else {
            statements::INSERT
        };
        let row: [&(dyn ToSql + Sync); 3] = [&write.id, &write.garbage_after, &write.bytes];
        self.write(sql, &row, 1).await
    }

    /// The same for many rows that are all held: lost where another transaction was in the
    /// way, and then nothing was written.
    pub(crate) async fn commit_all(self, writes: &[Write]) -> Result<Swap, StoreError> {
        if let [write] = writes {
            return self.commit(write).await;
        }
        let ids: Vec<_> = writes.iter().map(|write| write.id).collect();
        let garbage_after: Vec<_> = writes.iter().map(|write| write.garbage_after).collect();
        let bytes: Vec<_> = writes.iter().map(|write| write.bytes.as_slice()).collect();
        let rows: [&(dyn ToSql + Sync); 3] = [&ids, &garbage_after, &bytes];
        let count = u64::try_from(writes.len()).unwrap_or(u64::MAX);
        self.write(statements::UPDATE_ALL, &rows, count).await
    }

    /// Writes so many rows, and commits.
    async fn write(
        mut self,
        sql: &'static str,
        values: &[&(dyn ToSql + Sync); 3],
        count: u64,
    ) -> Result<Swap, StoreError> {
        let Some(client) = self.client.take() else {
            return Err(StoreError::unavailable("the transaction is over"));
        };
        let write = match client.prepare_cached(sql).await {
            Ok(write) => write,
            Err(error) => {
                discard(client);
                return Err(Error::from(error).into());
            }
        };
        let answers = async {
            let (written, committed) = tokio::join!(
                biased;
                client.execute(&write, values),
                client.batch_execute("COMMIT"),
            );
            Ok((written, committed))
        };
        let (written, committed) = match self.backend.in_time(answers).await {
            Ok(answers) => answers,
            Err(late) => {
                discard(client);
                return Err(late.after_commit());
            }
        };
        if committed.is_err() {
            discard(client);
        }
        match (written, committed) {
            (Ok(rows), Ok(())) if rows == count => Ok(Swap::Done),
            (Ok(0), Ok(())) => Ok(Swap::Lost),
            (Ok(_), Ok(())) => Err(StoreError::indeterminate("rows that were locked are gone")),
            // The statement failed, so what came after it was a rollback.
            (Err(error), _) if is_statements_own(&error) => {
                if is_conflict(&error) {
                    return Ok(Swap::Lost);
                }
                Err(Error::from(error).into())
            }
            (Err(error), _) | (Ok(_), Err(error)) => Err(Error::from(error).after_commit()),
        }
    }
}

/// Begins, locks, and only then reads the clock and the store's life. Those are a
/// statement of their own: PostgreSQL computes the columns of a locking statement before
/// it waits for the lock.
async fn try_begin(
    backend: &Backend,
    client: &Client,
    rows: &Rows,
) -> Result<(Found, Moment), Error> {
    let (lock, which): (_, &(dyn ToSql + Sync)) = match rows {
        Rows::One(id) => (statements::LOCK, id),
        Rows::Free(ids) => match ids.as_slice() {
            [id] => (statements::LOCK_FREE, id),
            _ => (statements::LOCK_ALL, ids),
        },
    };
    let lock = client.prepare_cached(lock).await?;
    let moment = client.prepare_cached(backend.reads.moment).await?;
    let which = [which];
    // In this order on the wire: nobody waits for an answer before all are sent.
    let answers = async {
        let (begun, held, moment) = tokio::join!(
            biased;
            client.batch_execute(statements::BEGIN),
            client.query(&lock, &which),
            client.query_one(&moment, &[]),
        );
        begun?;
        let rows = held?.iter().map(row::held).collect::<Result<_, _>>()?;
        Ok((rows, fence::moment(&moment?, backend.fence)?))
    };
    backend.in_time(answers).await
}

/// Whether the server refused this statement and went on, as opposed to having gone away.
fn is_statements_own(error: &tokio_postgres::Error) -> bool {
    let severity = error.as_db_error().map(DbError::parsed_severity);
    severity == Some(Some(Severity::Error))
}

impl Drop for Held {
    /// Sends the rollback, for which nobody need wait: the next one's statements come
    /// after it on the same connection.
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            let mut rollback = pin!(client.batch_execute("ROLLBACK"));
            // The first poll sends it.
            let _ = rollback
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()));
        }
    }
}

/// Takes a connection in doubt out of the pool and closes it. The server rolls back what
/// was open.
pub(crate) fn discard(client: Client) {
    drop(Object::take(client));
}
