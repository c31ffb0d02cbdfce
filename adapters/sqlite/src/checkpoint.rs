//! Copying the write-ahead log back into the database, beside the writer.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use rusqlite::Connection;

/// Records written between two checkpoints: some 4 MB of log.
const EVERY: usize = 1000;

/// The writer's end.
#[derive(Debug)]
pub(crate) struct Trigger {
    wake: SyncSender<()>,
    too_long: Arc<AtomicBool>,
    written: usize,
}

/// The background's end, with a connection of its own.
#[derive(Debug)]
pub(crate) struct Checkpointer {
    conn: Connection,
    woken: Receiver<()>,
    too_long: Arc<AtomicBool>,
    log: PathBuf,
    limit: u64,
    press_at: u64,
}

/// Both ends for the database at `path`; above `limit` bytes of log the writer is asked to stop.
pub(crate) fn pair(conn: Connection, path: &Path, limit: u64) -> (Trigger, Checkpointer) {
    let (wake, woken) = sync_channel(1);
    let too_long = Arc::new(AtomicBool::new(false));
    let mut log = OsString::from(path);
    log.push("-wal");
    let trigger = Trigger {
        wake,
        too_long: Arc::clone(&too_long),
        written: 0,
    };
    let log = PathBuf::from(log);
    (
        trigger,
        Checkpointer {
            conn,
            woken,
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
        if self.written >= EVERY {
            self.written = 0;
            // Full: it has been woken already.
            let _ = self.wake.try_send(());
        }
    }

    /// When the log has grown past its limit (readers held it, or writes came faster
    /// than copies), stops for once and empties it.
    pub(crate) fn relieve(&self, conn: &Connection) {
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

    /// Passive: copies what it can, waits for nobody and makes nobody wait.
    fn pass(&mut self) {
        let _ = self
            .conn
            .query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
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
