//! The work of a job on the table of records, inside the writer's transaction.

use std::panic::{AssertUnwindSafe, catch_unwind};

use countersign::record::{Moment, Step};
use countersign::store::{Batch, Loaded, Swap};
use countersign::{CorruptRecord, RecordKey, StoreError, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::job::{Chunk, Done, Work};
use crate::row;

/// Why a job was not done.
#[derive(Debug)]
pub(crate) enum Error {
    /// Its own record is at fault: nothing was written.
    Own(StoreError),
    /// A row could not be read: nothing was written.
    Read(rusqlite::Error),
    /// Something may have been written.
    Write(rusqlite::Error),
}

impl From<CorruptRecord> for Error {
    fn from(error: CorruptRecord) -> Self {
        Self::Own(error.into())
    }
}

/// The table, with what is remembered between jobs.
#[derive(Debug, Default)]
pub(crate) struct Table {
    /// Rows written in this transaction.
    pub(crate) written: usize,
    /// The row at which the next sweep goes on; none at the beginning.
    swept: Option<i64>,
}

impl Table {
    /// Does `work` at `moment`.
    pub(crate) fn work(
        &mut self,
        conn: &Connection,
        work: &Work,
        moment: Moment,
    ) -> Result<Done, Error> {
        match work {
            Work::Apply { key, step } => self.apply(conn, *key, step, moment),
            Work::Swap {
                key,
                seen,
                bytes,
                garbage_after,
                incarnation,
            } => {
                let held = load(conn, *key)?;
                if held != *seen || *incarnation != moment.incarnation {
                    return Ok(Done::Swap(Swap::Lost));
                }
                self.store(conn, *key, held.is_some(), bytes, *garbage_after)?;
                Ok(Done::Swap(Swap::Done))
            }
            Work::Sweep { look, max } => self.sweep(conn, *look, *max, moment.now).map(Done::Sweep),
            Work::Ping => {
                let sql = "UPDATE store SET pings = pings + 1";
                conn.prepare_cached(sql)
                    .and_then(|mut s| s.execute([]))
                    .map_err(Error::Write)?;
                self.written += 1;
                Ok(Done::Ping)
            }
        }
    }

    /// Earlier steps of the same batch are seen: they have been written, if not committed.
    fn apply(
        &mut self,
        conn: &Connection,
        key: RecordKey,
        step: &Step,
        moment: Moment,
    ) -> Result<Done, Error> {
        let value = load(conn, key)?;
        let is_there = value.is_some();
        let batch = take(value, step, moment)?;
        if let Some(next) = batch.next() {
            self.store(conn, key, is_there, next.bytes, next.garbage_after)?;
        }
        Ok(Done::Step(batch))
    }

    fn store(
        &mut self,
        conn: &Connection,
        key: RecordKey,
        is_there: bool,
        bytes: &[u8],
        garbage_after: Option<Timestamp>,
    ) -> Result<(), Error> {
        let sql = if is_there {
            "UPDATE records SET garbage_after = ?2, value = ?3 WHERE key = ?1"
        } else {
            "INSERT INTO records (key, garbage_after, value) VALUES (?1, ?2, ?3)"
        };
        let mut statement = conn.prepare_cached(sql).map_err(Error::Write)?;
        let row = params![row::id(key), garbage_after.map(row::millis), bytes];
        statement.execute(row).map_err(Error::Write)?;
        self.written += 1;
        Ok(())
    }

    /// Goes on where the last sweep ended. There is no index on the time: it would make
    /// each insert dearer, and a sweep has time.
    fn sweep(
        &mut self,
        conn: &Connection,
        look: usize,
        max: usize,
        now: Timestamp,
    ) -> Result<Chunk, Error> {
        let from = self
            .swept
            .map_or(Some(i64::MIN), |swept| swept.checked_add(1));
        let rows = rows(conn, from.unwrap_or(i64::MIN), look).map_err(Error::Read)?;
        let mut chunk = Chunk {
            looked: 0,
            removed: 0,
            end: rows.len() < look,
        };
        for (id, garbage_after) in rows {
            if chunk.removed == max {
                chunk.end = false;
                return Ok(chunk);
            }
            if garbage_after.is_some_and(|at| at < row::millis(now)) {
                let mut statement = conn
                    .prepare_cached("DELETE FROM records WHERE key = ?1")
                    .map_err(Error::Write)?;
                statement.execute([id]).map_err(Error::Write)?;
                self.written += 1;
                chunk.removed += 1;
            }
            chunk.looked += 1;
            self.swept = Some(id);
        }
        if chunk.end {
            self.swept = None;
        }
        Ok(chunk)
    }
}

fn load(conn: &Connection, key: RecordKey) -> Result<Option<Vec<u8>>, Error> {
    conn.prepare_cached("SELECT value FROM records WHERE key = ?1")
        .and_then(|mut statement| {
            statement
                .query_row([row::id(key)], |row| row.get(0))
                .optional()
        })
        .map_err(Error::Read)
}

fn rows(conn: &Connection, from: i64, look: usize) -> rusqlite::Result<Vec<(i64, Option<i64>)>> {
    let mut statement = conn.prepare_cached(
        "SELECT key, garbage_after FROM records WHERE key >= ?1 ORDER BY key LIMIT ?2",
    )?;
    let look = i64::try_from(look).unwrap_or(i64::MAX);
    let rows = statement.query_map([from, look], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

/// The pure function, next to the data. Should it ever panic, its own caller gets an
/// error and the writer lives on; it holds nothing that a panic could leave half done.
fn take(value: Option<Vec<u8>>, step: &Step, moment: Moment) -> Result<Batch, Error> {
    let Moment { now, incarnation } = moment;
    let loaded = Loaded {
        value,
        now,
        incarnation,
    };
    let folded = catch_unwind(AssertUnwindSafe(|| Batch::fold(loaded, [step])));
    folded
        .map_err(|_| {
            Error::Own(StoreError::unavailable(
                "a step panicked, and changed nothing",
            ))
        })?
        .map_err(Error::from)
}
