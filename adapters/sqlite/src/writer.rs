//! The one writer: takes whatever waits and commits it as one transaction.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use countersign::record::Moment;
use countersign::store::Incarnation;
use countersign::{Clock, StoreError};
use rusqlite::{Connection, ErrorCode};
use tokio::sync::mpsc;

use crate::checkpoint::Trigger;
use crate::error::Failure;
use crate::fence::Fence;
use crate::job::{Done, Job};
use crate::table::{Error, Table};

/// Most jobs in one transaction, so that the first of them does not wait for ever.
const BATCH: usize = 256;

/// Owns the connection that writes.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) conn: Connection,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) fence: Fence,
    pub(crate) trigger: Trigger,
    pub(crate) commits: Arc<AtomicU64>,
    pub(crate) table: Table,
}

type Results = Vec<Result<Done, StoreError>>;

impl Writer {
    /// Works until the store is gone and its queue is empty.
    pub(crate) fn run(mut self, mut queue: mpsc::Receiver<Job>) {
        while let Some(first) = queue.blocking_recv() {
            let mut batch = vec![first];
            while batch.len() < BATCH
                && let Ok(job) = queue.try_recv()
            {
                batch.push(job);
            }
            self.trigger.relieve(&self.conn);
            self.answer(batch);
        }
    }

    /// Answers leave after the commit; if it fails, each of them is the same error.
    fn answer(&mut self, batch: Vec<Job>) {
        match self.transact(&batch) {
            Ok(results) => {
                let now = self.clock.now();
                for (job, result) in batch.into_iter().zip(results) {
                    // A caller that has gone away needs no answer.
                    drop(
                        job.reply
                            .send(result.and_then(|done| done.committed_at(now))),
                    );
                }
            }
            Err(failure) => {
                for job in batch {
                    drop(job.reply.send(Err(failure.error())));
                }
            }
        }
    }

    fn transact(&mut self, batch: &[Job]) -> Result<Results, Failure> {
        self.begin().map_err(Failure::rolled_back)?;
        self.table.written = 0;
        let results = match self.work(batch) {
            Ok(results) => results,
            Err(error) => {
                self.roll_back();
                return Err(Failure::rolled_back(error));
            }
        };
        if let Err(error) = self.execute("COMMIT") {
            self.roll_back();
            return Err(Failure::of_commit(error));
        }
        if self.table.written > 0 {
            self.commits.fetch_add(1, Ordering::Relaxed);
            self.trigger.committed(self.table.written);
        }
        Ok(results)
    }

    /// Takes the write lock, for which it waits as long as the busy time-out.
    fn begin(&self) -> rusqlite::Result<()> {
        if !self.conn.is_autocommit() {
            self.execute("ROLLBACK")?;
        }
        self.execute("BEGIN IMMEDIATE")
    }

    /// The time is read after the lock is held: a step that waited for it is decided by
    /// the time at which it is taken.
    fn work(&mut self, batch: &[Job]) -> rusqlite::Result<Results> {
        let incarnation = self.incarnation()?;
        let mut results = Vec::with_capacity(batch.len());
        for job in batch {
            let moment = Moment {
                now: self.clock.now(),
                incarnation,
            };
            let result = self.table.work(&self.conn, &job.work, moment);
            results.push(match result {
                Ok(done) => Ok(done),
                Err(Error::Own(error)) => Err(error),
                // One bad page must not take the others' records with it.
                Err(Error::Read(error)) if self.is_local(&error) => {
                    Err(Failure::rolled_back(error).error())
                }
                Err(Error::Read(error) | Error::Write(error)) => {
                    return Err(error);
                }
            });
        }
        Ok(results)
    }

    /// Read in every transaction, so that a fence which another process renewed holds
    /// from its commit on.
    fn incarnation(&self) -> rusqlite::Result<Incarnation> {
        self.conn
            .prepare_cached("SELECT generation FROM store")?
            .query_row([], |row| {
                Ok(self.fence.incarnation(&row.get::<_, Vec<u8>>(0)?))
            })
    }

    fn is_local(&self, error: &rusqlite::Error) -> bool {
        error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) && !self.conn.is_autocommit()
    }

    /// SQLite rolls back some errors by itself. If this fails the next batch tries again;
    /// until then nothing is answered but errors.
    fn roll_back(&self) {
        if !self.conn.is_autocommit() {
            let _ = self.execute("ROLLBACK");
        }
    }

    fn execute(&self, sql: &str) -> rusqlite::Result<()> {
        self.conn.prepare_cached(sql)?.execute([]).map(drop)
    }
}
