//! Stores with everything that the kit can do to them.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use countersign::{FakeClock, MemoryStore, SessionStore, StoreError};
use countersign_conformance::{Disaster, Harness};
use countersign_sqlite::{Options, SqliteStore};

use super::fault::Fault;
use super::rows::{Broken, START};

/// What opening again gives.
type Reopened = Option<Result<Arc<dyn SessionStore>, StoreError>>;

/// A broken store.
pub(crate) struct Bench(Arc<Broken>);

impl Bench {
    pub(crate) fn of(fault: Fault) -> Self {
        Self(Arc::new(Broken::new(fault)))
    }
}

#[async_trait]
impl Harness for Bench {
    async fn open(&self) -> Result<Arc<dyn SessionStore>, StoreError> {
        Ok(Arc::clone(&self.0) as _)
    }

    async fn reopen(&self, _store: Arc<dyn SessionStore>) -> Reopened {
        self.0.close();
        Some(self.open().await)
    }

    async fn strike(&self, disaster: Disaster, _store: Arc<dyn SessionStore>) -> Reopened {
        self.0.befall(disaster);
        Some(self.open().await)
    }

    fn clock(&self) -> Option<Arc<FakeClock>> {
        Some(Arc::clone(&self.0.clock))
    }

    async fn new_life(&self) -> bool {
        self.0.life.fetch_add(1, Ordering::SeqCst);
        true
    }

    async fn cut(&self) -> bool {
        self.0.cut.store(true, Ordering::SeqCst);
        true
    }

    async fn mend(&self) {
        self.0.cut.store(false, Ordering::SeqCst);
    }
}

/// The memory store, with a clock that can be set. There is nothing to cut it off from,
/// and nothing of it to open after a disaster.
pub(crate) struct Memory {
    store: Arc<MemoryStore>,
    clock: Arc<FakeClock>,
}

impl Memory {
    pub(crate) fn new() -> Self {
        let clock = Arc::new(FakeClock::at(START));
        let store = Arc::new(MemoryStore::with_clock(Arc::clone(&clock) as _));
        Self { store, clock }
    }
}

#[async_trait]
impl Harness for Memory {
    async fn open(&self) -> Result<Arc<dyn SessionStore>, StoreError> {
        Ok(Arc::clone(&self.store) as _)
    }

    fn clock(&self) -> Option<Arc<FakeClock>> {
        Some(Arc::clone(&self.clock))
    }

    async fn new_life(&self) -> bool {
        self.store.fence();
        true
    }
}

/// An SQLite file that is closed and opened again, or left as a kill leaves it.
pub(crate) struct Sqlite {
    folder: tempfile::TempDir,
    /// The folder that the file is in now: each kill moves on to the next.
    current: Mutex<PathBuf>,
    clock: Arc<FakeClock>,
}

impl Sqlite {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let current = Mutex::new(folder.path().to_path_buf());
        let clock = Arc::new(FakeClock::at(START));
        Self {
            folder,
            current,
            clock,
        }
    }

    fn file(&self) -> PathBuf {
        self.current.lock().unwrap().join("store.db")
    }

    /// Copies the file and its log while the store is open: what the system had been
    /// given by then, which is what a killed process leaves. The shared index is not
    /// copied; it holds nothing that the log does not.
    fn leave_as_killed(&self) {
        let next = tempfile::tempdir_in(self.folder.path()).unwrap().keep();
        let file = self.file();
        let log = file.with_extension("db-wal");
        for from in [file, log] {
            std::fs::copy(&from, next.join(from.file_name().unwrap())).unwrap();
        }
        *self.current.lock().unwrap() = next;
    }
}

#[async_trait]
impl Harness for Sqlite {
    async fn open(&self) -> Result<Arc<dyn SessionStore>, StoreError> {
        let mut options = Options::default();
        options.clock = Arc::clone(&self.clock) as _;
        Ok(Arc::new(SqliteStore::open(self.file(), &options)?))
    }

    async fn reopen(&self, store: Arc<dyn SessionStore>) -> Reopened {
        drop(store);
        Some(self.open().await)
    }

    /// A kill of a real process is tried in the suite of this store.
    async fn strike(&self, disaster: Disaster, store: Arc<dyn SessionStore>) -> Reopened {
        if disaster != Disaster::Kill {
            return None;
        }
        self.leave_as_killed();
        drop(store);
        Some(self.open().await)
    }

    fn clock(&self) -> Option<Arc<FakeClock>> {
        Some(Arc::clone(&self.clock))
    }

    async fn new_life(&self) -> bool {
        SqliteStore::fence(self.file()).is_ok()
    }
}
