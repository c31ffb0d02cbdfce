//! What all calls share: the pool, the time-outs and the statements.

use std::future::Future;
use std::sync::Mutex;
use std::time::Duration;

use countersign::StoreError;
use deadpool_postgres::{Client, Pool};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::error::{Error, no_connection};
use crate::statements::Reads;
use crate::transaction::discard;

/// Times that what has not been written is tried again on another connection.
pub(crate) const TRIES: usize = 3;

pub(crate) struct Backend {
    pub(crate) pool: Pool,
    pub(crate) reads: Reads,
    pub(crate) fence: bool,
    pub(crate) limit: Duration,
    /// The row at which the next sweep goes on; none at the beginning.
    pub(crate) swept: Mutex<Option<i64>>,
}

impl Backend {
    pub(crate) async fn client(&self) -> Result<Client, StoreError> {
        let size = self.pool.status().max_size;
        self.pool
            .get()
            .await
            .map_err(|error| no_connection(error, size))
    }

    /// Where a server has fallen silent, idle connections to it wait for nothing else: each
    /// would cost somebody the whole time-out.
    pub(crate) fn doubt(&self, error: &Error) {
        if let Error::Late(_) = error {
            self.pool.retain(|_, _| false);
        }
    }

    /// Waits for the server's answers, but not for ever.
    pub(crate) async fn in_time<T>(
        &self,
        answers: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, Error> {
        match tokio::time::timeout(self.limit, answers).await {
            Ok(answers) => Ok(answers?),
            Err(_) => Err(Error::Late(self.limit)),
        }
    }

    /// One statement by itself, one row. A connection that another server's end has
    /// closed is found out by using it, so a read is tried again.
    pub(crate) async fn row(
        &self,
        sql: &'static str,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<Row, StoreError> {
        let rows = self.rows(sql, values).await?;
        rows.into_iter()
            .next()
            .ok_or_else(|| StoreError::unavailable("PostgreSQL gave no row: restore its tables"))
    }

    /// One reading statement by itself.
    pub(crate) async fn rows(
        &self,
        sql: &'static str,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, StoreError> {
        let mut tries = 1;
        loop {
            match self.once(sql, values).await? {
                Err(error) if error.is_passing() && tries < TRIES => tries += 1,
                result => return Ok(result?),
            }
        }
    }

    /// One statement by itself, once.
    pub(crate) async fn once(
        &self,
        sql: &'static str,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<Result<Vec<Row>, Error>, StoreError> {
        let client = self.client().await?;
        let answers = async {
            let statement = client.prepare_cached(sql).await?;
            client.query(&statement, values).await
        };
        let result = self.in_time(answers).await;
        if result.is_err() {
            discard(client);
        }
        Ok(result)
    }
}
