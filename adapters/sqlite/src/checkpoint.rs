//! Copying the write-ahead log back into the database, beside the writer.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use rusqlite::Connection;

/// What a written record takes of the log: mostly a page of its own.
const PAGE: u64 = 4096;
/// So few pages the writer may copy by itself; more of them would be a wait that its callers
/// notice.
const FEW: u64 = 64;
/// The background copies so often in a row at most. What is written meanwhile becomes less
/// each time, unless the writer is as fast as the copying.
const COPIES: usize = 4;

/// The writer's end.
#[derive(Debug)]
pub(crate) struct Trigger {
    wake: SyncSender<()>,
    copied: Arc<AtomicBool>,
    too_long: Arc<AtomicBool>,
    /// Records between two checkpoints: half of the limit. A commit that comes while one syncs
    /// the database waits for it, so they are to be few; and a page that was written ten times
    /// is copied once.
    every: usize,
    written: usize,
}

/// The background's end, with a connection of its own.
#[derive(Debug)]
pub(crate) struct Checkpointer {
    conn: Connection,
    woken: Receiver<()>,
    copied: Arc<AtomicBool>,
    too_long: Arc<AtomicBool>,
    log: PathBuf,
    limit: u64,
    press_at: u64,
}

/// Both ends for the database at `path`; above `limit` bytes of log the writer is asked to stop.
pub(crate) fn pair(conn: Connection, path: &Path, limit: u64) -> (Trigger, Checkpointer) {
    let (wake, woken) = sync_channel(1);
    let copied = Arc::new(AtomicBool::new(false));
    let too_long = Arc::new(AtomicBool::new(false));
    let mut log = OsString::from(path);
    log.push("-wal");
    let trigger = Trigger {
        wake,
        copied: Arc::clone(&copied),
        too_long: Arc::clone(&too_long),
        every: usize::try_from(limit / 2 / PAGE).unwrap_or(usize::MAX),
        written: 0,
    };
    let log = PathBuf::from(log);
    (
        trigger,
        Checkpointer {
            conn,
            woken,
            copied,
            too_long,
            log,
            limit,
            press_at: limit,
        },
    )
}

impl Trigger {
    /// Notes a commit of so many records, and wakes the background when it is time.
    pub(crate) fn committed(&mut self, records: usize) {
        self.written = self.written.saturating_add(records);
        if self.written >= self.every {
            self.written = 0;
            // Full: it has been woken already.
            let _ = self.wake.try_send(());
        }
    }

    /// Copies what was written while the background copied: little, and only when nothing is
    /// left does the log begin anew instead of growing. When it has grown past its limit all
    /// the same (readers held it), stops for once and empties it.
    pub(crate) fn relieve(&self, conn: &Connection) {
        if self.copied.swap(false, Ordering::SeqCst) {
            let _ = copy(conn);
        }
        if self.too_long.swap(false, Ordering::SeqCst) {
            // A failure costs disk space alone; the background asks again.
            let _ = conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        }
    }
}

impl Checkpointer {
    /// Works until the writer is gone.
    pub(crate) fn run(mut self) {
        while self.woken.recv().is_ok() {
            self.pass();
        }
        self.pass();
    }

    /// Passive: copies what it can, waits for nobody and makes nobody wait; again, until little
    /// is left for the writer.
    fn pass(&mut self) {
        let few = |left: Option<u64>| left.is_none_or(|pages| pages <= FEW);
        let _ = (0..COPIES).any(|_| few(copy(&self.conn)));
        self.copied.store(true, Ordering::SeqCst);
        let length = std::fs::metadata(&self.log).map_or(0, |log| log.len());
        if length > self.press_at {
            // If another process's reader makes that vain, ask at twice the length only.
            self.press_at = length.saturating_mul(2);
            self.too_long.store(true, Ordering::SeqCst);
        } else if length <= self.limit {
            self.press_at = self.limit;
        }
    }
}

/// How many pages of the log are not copied then. A failure costs disk space alone, and the
/// next one may succeed.
fn copy(conn: &Connection) -> Option<u64> {
    conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| {
        let (log, copied): (i64, i64) = (row.get(1)?, row.get(2)?);
        Ok(u64::try_from(log - copied).unwrap_or(0))
    })
    .ok()
}
