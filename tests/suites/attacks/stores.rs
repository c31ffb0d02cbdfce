//! The stores that every row is run on.

use std::any::Any;
use std::future::Future;
use std::sync::Arc;

use countersign::{MemoryStore, SessionStore};
use countersign_sqlite::{Options, SqliteStore};
use tempfile::TempDir;

/// A kind of store. Another one needs a line here, in [`STORES`] and in [`Kind::open`].
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Memory,
    Sqlite,
}

pub(crate) const STORES: [Kind; 2] = [Kind::Memory, Kind::Sqlite];

/// Stores over the same data, as the processes of one deployment have them.
pub(crate) struct Opened {
    pub(crate) handles: Vec<Arc<dyn SessionStore>>,
    /// What must outlive them: a folder, or a server that dies with the test.
    pub(crate) kept: Box<dyn Any + Send + Sync>,
}

impl Kind {
    /// So many handles on one new set of data. In memory they are the same store.
    #[expect(
        clippy::unused_async,
        reason = "a store across a network connects here"
    )]
    pub(crate) async fn open(self, handles: usize) -> Opened {
        match self {
            Self::Memory => {
                let store: Arc<dyn SessionStore> = Arc::new(MemoryStore::new());
                Opened {
                    handles: vec![store; handles],
                    kept: Box::new(()),
                }
            }
            Self::Sqlite => {
                let folder = TempDir::new().unwrap();
                let file = folder.path().join("attacks.db");
                let handle = || -> Arc<dyn SessionStore> {
                    Arc::new(SqliteStore::open(&file, &Options::default()).unwrap())
                };
                Opened {
                    handles: (0..handles).map(|_| handle()).collect(),
                    kept: Box::new(folder),
                }
            }
        }
    }

    /// Tries that are no race: all of them in memory, a tenth on a disk.
    pub(crate) fn tries(self, all: u32) -> u32 {
        match self {
            Self::Memory => all,
            Self::Sqlite => self.rounds(all),
        }
    }

    /// Rounds of a race: many in memory, fewer on a disk, all of them in the long suite.
    pub(crate) fn rounds(self, all: u32) -> u32 {
        match (std::env::var_os("COUNTERSIGN_LONG").is_some(), self) {
            (true, _) => all,
            (false, Self::Memory) => all.min(2000),
            (false, Self::Sqlite) => all / 10,
        }
    }
}

/// Runs a row on real threads, on every store.
pub(crate) fn on_every_store<F: Future<Output = ()>>(row: impl Fn(Kind) -> F) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .unwrap();
    for kind in STORES {
        runtime.block_on(row(kind));
    }
}
