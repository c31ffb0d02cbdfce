//! A step's transaction: two round trips, with the row's lock in between.

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

/// A row under its lock, in an open transaction; an absent one has no lock.
pub(crate) struct Held {
    backend: Arc<Backend>,
    /// Gone once it commits.
    client: Option<Client>,
    id: i64,
    pub(crate) value: Option<Vec<u8>>,
    pub(crate) moment: Moment,
}

impl Held {
    /// The first round trip. Nothing has been written by then, so it is tried again on
    /// another connection where the server has closed this one meanwhile.
    pub(crate) async fn begin(backend: Arc<Backend>, key: RecordKey) -> Result<Self, StoreError> {
        let mut tries = 1;
        loop {
            let client = backend.client().await?;
            match try_begin(&backend, &client, row::id(key)).await {
                Ok((value, moment)) => {
                    return Ok(Self {
                        backend,
                        client: Some(client),
                        id: row::id(key),
                        value,
                        moment,
                    });
                }
                Err(error) => {
                    discard(client);
                    if !error.is_passing() || tries == TRIES {
                        return Err(error.into());
                    }
                    tries += 1;
                }
            }
        }
    }

    /// The second round trip: writes and commits. A row that another has made since is
    /// a lost swap.
    pub(crate) async fn commit(
        mut self,
        bytes: Vec<u8>,
        garbage_after: Option<i64>,
    ) -> Result<Swap, StoreError> {
        let Some(client) = self.client.take() else {
            return Err(StoreError::unavailable("the transaction is over"));
        };
        let write = match self.value {
            Some(_) => statements::UPDATE,
            None => statements::INSERT,
        };
        let write = client.prepare_cached(write).await.map_err(Error::from)?;
        let answers = async {
            let (id, bytes) = (self.id, bytes.as_slice());
            let row: [&(dyn ToSql + Sync); 3] = [&id, &garbage_after, &bytes];
            let (written, committed) = tokio::join!(
                biased;
                client.execute(&write, &row),
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
            (Ok(rows), Ok(())) => Ok(if rows == 1 { Swap::Done } else { Swap::Lost }),
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
    id: i64,
) -> Result<(Option<Vec<u8>>, Moment), Error> {
    let lock = client.prepare_cached(statements::LOCK).await?;
    let moment = client.prepare_cached(backend.reads.moment).await?;
    let key: [&(dyn ToSql + Sync); 1] = [&id];
    // In this order on the wire: nobody waits for an answer before all are sent.
    let answers = async {
        let (begun, held, moment) = tokio::join!(
            biased;
            client.batch_execute(statements::BEGIN),
            client.query_opt(&lock, &key),
            client.query_one(&moment, &[]),
        );
        begun?;
        let value = held?.map(|row| row.try_get(0)).transpose()?;
        Ok((value, fence::moment(&moment?, backend.fence)?))
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

/// What an entry becomes in a row.
pub(crate) fn owned(next: Entry<'_>) -> (Vec<u8>, Option<i64>) {
    (next.bytes.to_vec(), next.garbage_after.map(row::millis))
}
