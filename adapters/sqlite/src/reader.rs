//! Reads, on a connection of their own: a long commit does not hold them up.

use std::sync::Arc;

use countersign::store::{Incarnation, Loaded};
use countersign::{Clock, RecordKey, StoreError};
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use crate::error::Failure;
use crate::fence::Fence;
use crate::row;

/// A question, and where its answer goes.
#[derive(Debug)]
pub(crate) enum Read {
    Load(RecordKey, oneshot::Sender<Result<Loaded, StoreError>>),
    Scan(
        Option<RecordKey>,
        usize,
        oneshot::Sender<Result<Vec<RecordKey>, StoreError>>,
    ),
}

/// Answers questions, one by one.
#[derive(Debug)]
pub(crate) struct Reader {
    pub(crate) conn: Connection,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) fence: Fence,
}

impl Reader {
    /// Works until the store is gone.
    pub(crate) fn run(self, mut questions: mpsc::Receiver<Read>) {
        while let Some(question) = questions.blocking_recv() {
            // An asker that has gone away needs no answer.
            match question {
                Read::Load(key, reply) => drop(reply.send(self.load(key).map_err(unavailable))),
                Read::Scan(after, max, reply) => {
                    drop(reply.send(self.scan(after, max).map_err(unavailable)));
                }
            }
        }
    }

    /// One statement is one snapshot: value and generation belong together, and it
    /// holds every commit that had been acknowledged when it began.
    fn load(&self, key: RecordKey) -> rusqlite::Result<Loaded> {
        let (value, incarnation) = self
            .conn
            .prepare_cached(
                "SELECT (SELECT value FROM records WHERE key = ?1), generation FROM store",
            )?
            .query_row([row::id(key)], |row| {
                let value: Option<Vec<u8>> = row.get(0)?;
                let generation: Vec<u8> = row.get(1)?;
                let incarnation: Incarnation = self.fence.incarnation(&generation);
                Ok((value, incarnation))
            })?;
        Ok(Loaded {
            value,
            now: self.clock.now(),
            incarnation,
        })
    }

    fn scan(&self, after: Option<RecordKey>, max: usize) -> rusqlite::Result<Vec<RecordKey>> {
        let max = i64::try_from(max).unwrap_or(i64::MAX);
        let Some(from) = after.map_or(Some(i64::MIN), |after| row::id(after).checked_add(1)) else {
            return Ok(Vec::new());
        };
        let mut statement = self
            .conn
            .prepare_cached("SELECT key FROM records WHERE key >= ?1 ORDER BY key LIMIT ?2")?;
        let keys = statement.query_map([from, max], |row| row.get(0))?;
        keys.map(|id| id.map(row::key)).collect()
    }
}

fn unavailable(error: rusqlite::Error) -> StoreError {
    Failure::rolled_back(error).error()
}
