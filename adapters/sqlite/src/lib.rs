//! The embedded store: one SQLite file, durable, for one machine.
//!
//! Every acknowledged step is on the disk (`synchronous = FULL` on a write-ahead log).
//! One thread writes: it takes whatever waits, runs each step next to the data with
//! [`Record::step`](countersign::record::Record::step), commits all of them as one
//! transaction and answers then. If the commit fails, every answer is an error.
//!
//! Several processes may use one file on one machine: each transaction takes SQLite's
//! write lock first. A network file system is no place for it.
//!
//! ```
//! use countersign_sqlite::{Options, SqliteStore};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("countersign.db");
//! let store = SqliteStore::open(&path, &Options::default())?;
//! store.close();
//! # Ok(())
//! # }
//! ```
//!
//! # The fence
//! Sessions carry the store's incarnation: a hash of a generation in the file and, on
//! Linux, of the boot's id. After a reboot codes in flight must be requested again, for
//! the disk may have lost what it had promised to keep. A restored backup or snapshot
//! looks like the newest state; only the operator can tell: [`SqliteStore::fence`].
//! Where there is no boot id, every start of a process is another incarnation, and a file
//! must not be shared by several.

mod checkpoint;
mod error;
mod fence;
mod job;
mod options;
mod reader;
mod row;
mod schema;
mod store;
mod table;
mod writer;

#[cfg(test)]
mod tests;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

use countersign::StoreError;
use tokio::sync::mpsc;

pub use self::options::Options;

use self::error::Error;
use self::fence::Fence;
use self::job::Job;
use self::reader::{Read, Reader};
use self::table::Table;
use self::writer::Writer;

/// Keeps records in one SQLite file. Dropping it ends its threads, after all that waits.
pub struct SqliteStore {
    // Both are taken on drop only.
    writer: Option<mpsc::Sender<Job>>,
    reader: Option<mpsc::Sender<Read>>,
    threads: Vec<JoinHandle<()>>,
    commits: Arc<AtomicU64>,
}

impl SqliteStore {
    /// Opens the database at `path`, and makes it (mode 0600) if it is not there. Its
    /// folder must exist.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] with a sentence on what is wrong and what to do: no
    /// folder, no right to write, another program's file, a newer schema, damage, a
    /// file that stays locked, or no witness for the fence.
    pub fn open(path: impl AsRef<Path>, options: &Options) -> Result<Self, StoreError> {
        Ok(Self::start(path.as_ref(), options)?)
    }

    /// Ends every session that was opened before, in this and all other processes that
    /// use the file: for the operator, after restoring a backup or a snapshot.
    ///
    /// # Errors
    /// As [`SqliteStore::open`], and when there is no such file.
    pub fn fence(path: impl AsRef<Path>) -> Result<(), StoreError> {
        Ok(fence::renew(
            path.as_ref(),
            Options::default().busy_timeout,
        )?)
    }

    /// How many transactions that changed something it has committed. Checks that come
    /// at once share one.
    #[must_use]
    pub fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    /// Finishes what waits, copies the log back into the database and ends the threads.
    /// Dropping the store does the same.
    pub fn close(self) {
        drop(self);
    }

    fn start(path: &Path, options: &Options) -> Result<Self, Error> {
        let conn = schema::prepare(path, options.busy_timeout)?;
        schema::give_room(&conn).map_err(|error| Error::Open {
            path: path.to_owned(),
            error,
        })?;
        let fence = Fence::read(options.fence, &conn, path)?;
        let reads = schema::connect(path, options.busy_timeout)?;
        let copies = schema::connect(path, options.busy_timeout)?;
        let commits = Arc::new(AtomicU64::new(0));
        let (trigger, checkpointer) = checkpoint::pair(copies, path, options.wal_limit);
        let reader = Reader {
            conn: reads,
            clock: Arc::clone(&options.clock),
            fence: fence.clone(),
        };
        let writer = Writer {
            conn,
            clock: Arc::clone(&options.clock),
            fence,
            trigger,
            commits: Arc::clone(&commits),
            table: Table::default(),
        };
        let (to_writer, jobs) = mpsc::channel(options.queue.max(1));
        let (to_reader, questions) = mpsc::channel(options.queue.max(1));
        let threads = vec![
            spawn("countersign-write", move || writer.run(jobs))?,
            spawn("countersign-read", move || reader.run(questions))?,
            spawn("countersign-copy", move || checkpointer.run())?,
        ];
        Ok(Self {
            writer: Some(to_writer),
            reader: Some(to_reader),
            threads,
            commits,
        })
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, Error> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(work)
        .map_err(Error::NoThread)
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        self.writer = None;
        self.reader = None;
        for thread in self.threads.drain(..) {
            // A thread that panicked has answered nobody, and there is nobody to tell.
            drop(thread.join());
        }
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore")
            .field("commits", &self.commits())
            .finish_non_exhaustive()
    }
}
