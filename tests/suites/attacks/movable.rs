//! Stores whose own clock the test moves: the one that decides where verifiers have none.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use countersign::{Clock as _, FakeClock, MemoryStore, SessionStore, Timestamp};
use countersign_sqlite::{Options, SqliteStore};
use tempfile::TempDir;

use super::stores::{Kind, connect_postgres, connect_redis};
use crate::parts::postgres::Postgres;
use crate::parts::redis::Redis;

/// A set of data, and handles on it as the processes of one deployment have them.
pub(crate) struct Movable {
    clock: Moved,
    /// How far a server's clock is ahead of its machine's.
    ahead: AtomicI64,
    pub(crate) handles: Vec<Arc<dyn SessionStore>>,
}

/// Whose clock it is.
enum Moved {
    /// The machine's, as the store was given it.
    Given(
        Arc<FakeClock>,
        #[expect(dead_code, reason = "the file's folder")] TempDir,
    ),
    Redis(Redis),
    Postgres(Postgres),
}

const DATABASE: &str = "postgres";

impl Movable {
    /// With so many handles; in memory they are the same store.
    pub(crate) async fn start(kind: Kind, count: usize) -> Self {
        let (folder, given) = (
            TempDir::new().unwrap(),
            Arc::new(FakeClock::at(super::desk::BEGIN)),
        );
        let mut handles: Vec<Arc<dyn SessionStore>> = Vec::new();
        let clock = match kind {
            Kind::Memory => {
                let store = Arc::new(MemoryStore::with_clock(Arc::clone(&given) as _));
                handles.resize(count, store);
                Moved::Given(given, folder)
            }
            Kind::Sqlite => {
                for _ in 0..count {
                    let mut options = Options::default();
                    options.clock = Arc::clone(&given) as _;
                    let store = SqliteStore::open(folder.path().join("moved.db"), &options);
                    handles.push(Arc::new(store.unwrap()));
                }
                Moved::Given(given, folder)
            }
            Kind::Redis => {
                let server = Redis::start(&[]);
                for _ in 0..count {
                    handles.push(connect_redis(&server.url()).await);
                }
                Moved::Redis(server)
            }
            Kind::Postgres => {
                let server = Postgres::start(&[]);
                server.make_clock_movable(DATABASE);
                for _ in 0..count {
                    handles.push(connect_postgres(&server.url(DATABASE)).await);
                }
                Moved::Postgres(server)
            }
        };
        Self {
            clock,
            ahead: AtomicI64::new(0),
            handles,
        }
    }

    /// Moves the store's clock on by so many milliseconds, or back.
    pub(crate) fn wind(&self, millis: i64) {
        let ahead = self.ahead.fetch_add(millis, Ordering::SeqCst) + millis;
        match &self.clock {
            Moved::Given(clock, _) => {
                let now = clock.now().as_millis().checked_add_signed(millis);
                clock.set(Timestamp::from_millis(now.unwrap()));
            }
            Moved::Redis(server) => server.set_ahead(ahead),
            Moved::Postgres(server) => server.wind(DATABASE, millis),
        }
    }

    /// What time it is by that clock, asked past the store.
    pub(crate) fn time(&self) -> Timestamp {
        let millis = match &self.clock {
            Moved::Given(clock, _) => return clock.now(),
            Moved::Redis(server) => server.millis() + self.ahead.load(Ordering::SeqCst),
            Moved::Postgres(server) => server.millis(DATABASE),
        };
        Timestamp::from_millis(u64::try_from(millis).unwrap())
    }

    /// How many records it keeps.
    pub(crate) async fn held(&self) -> usize {
        match &self.clock {
            // It does not list its keys.
            Moved::Redis(server) => server.cli(&["DBSIZE"]).parse().unwrap(),
            _ => self.handles[0].scan(None, usize::MAX).await.unwrap().len(),
        }
    }

    /// After how many milliseconds nothing of what it keeps is left, if nobody comes; none
    /// for stores that must be swept, or if it would keep something.
    pub(crate) fn forgets_within(&self) -> Option<u64> {
        match &self.clock {
            Moved::Redis(server) => server.last_expiry(),
            _ => None,
        }
    }
}
