//! The stores that every row is run on.

use std::any::Any;
use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use countersign::{MemoryStore, SessionStore};
use countersign_postgres::PostgresStore;
use countersign_redis::RedisStore;
use countersign_sqlite::{Options, SqliteStore};
use tempfile::TempDir;

use super::timed::Seen;
use crate::parts::ledger::{From, ids, note};
use crate::parts::long::{long, progress};
use crate::parts::postgres::Postgres;
use crate::parts::redis::Redis;

/// A kind of store. Another one needs a line here, in [`STORES`] and in [`Kind::open`].
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Memory,
    Sqlite,
    Redis,
    Postgres,
}

pub(crate) const STORES: [Kind; 4] = [Kind::Memory, Kind::Sqlite, Kind::Redis, Kind::Postgres];

/// How long a store may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// Stores over the same data, as the processes of one deployment have them.
pub(crate) struct Opened {
    pub(crate) handles: Vec<Arc<dyn SessionStore>>,
    /// What must outlive them: a folder, or a server that dies with the test.
    pub(crate) kept: Box<dyn Any + Send + Sync>,
}

impl Kind {
    /// So many handles on one new set of data. In memory they are the same store.
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
            Self::Redis => open_redis(handles).await,
            Self::Postgres => open_postgres(handles).await,
        }
    }

    /// Notes what a row showed on this store.
    pub(crate) fn note(self, rows: &str, tried: &str, showed: &str) {
        NOTED.set(true);
        note(rows, &self.to_string(), From::Inside, tried, showed);
    }

    /// Tries that are no race: all of them in memory, fewer elsewhere.
    pub(crate) fn tries(self, all: u32) -> u32 {
        match self {
            Self::Memory => all,
            _ => self.rounds(all),
        }
    }

    /// Rounds of a race: many in memory, fewer on a disk or over a network, all of them in
    /// the long suite. What differs between stores shows in few.
    pub(crate) fn rounds(self, all: u32) -> u32 {
        match (long(), self) {
            (true, _) => all,
            (false, Self::Memory) => all.min(2000),
            (false, Self::Sqlite | Self::Redis) => (all / 10).min(200),
            (false, Self::Postgres) => (all / 50).min(50),
        }
    }

    /// These rounds one by one; a long run says how far it is.
    pub(crate) fn each_of(self, what: &str, rounds: u32) -> impl Iterator<Item = u32> {
        let what = format!("{what}, {self}");
        (0..rounds).inspect(move |round| progress(&what, *round as usize, rounds as usize))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Memory => "memory",
            Self::Sqlite => "SQLite",
            Self::Redis => "Redis",
            Self::Postgres => "PostgreSQL",
        })
    }
}

/// A Redis for each row: it starts in a moment.
async fn open_redis(count: usize) -> Opened {
    let server = Redis::start(&[]);
    let mut handles: Vec<Arc<dyn SessionStore>> = Vec::new();
    for _ in 0..count {
        handles.push(connect_redis(&server.url()).await);
    }
    Opened {
        handles,
        kept: Box::new(server),
    }
}

/// A database for each row, in one server, which ends with this process.
async fn open_postgres(count: usize) -> Opened {
    static SERVER: OnceLock<Postgres> = OnceLock::new();
    static DATABASES: AtomicU32 = AtomicU32::new(0);
    let server = SERVER.get_or_init(|| Postgres::start(&[]));
    let name = format!("row{}", DATABASES.fetch_add(1, Ordering::Relaxed));
    let url = server.database(&name);
    let mut handles: Vec<Arc<dyn SessionStore>> = Vec::new();
    for _ in 0..count {
        handles.push(connect_postgres(&url).await);
    }
    Opened {
        handles,
        kept: Box::new(()),
    }
}

pub(crate) async fn connect_redis(url: &str) -> Arc<dyn SessionStore> {
    let mut options = countersign_redis::Options::default();
    options.timeout = PATIENCE;
    Arc::new(RedisStore::connect(url, options).await.unwrap())
}

pub(crate) async fn connect_postgres(url: &str) -> Arc<dyn SessionStore> {
    let mut options = countersign_postgres::Options::default();
    options.connect_timeout = PATIENCE;
    options.acquire_timeout = PATIENCE;
    options.statement_timeout = PATIENCE;
    Arc::new(PostgresStore::connect(url, options).await.unwrap())
}

thread_local! {
    /// Whether the row that this thread runs has noted something itself.
    static NOTED: Cell<bool> = const { Cell::new(false) };
}

/// Runs a row on real threads, on every store, and notes what it did there, unless it does so
/// itself.
pub(crate) fn on_every_store<F: Future<Output = ()>>(row: impl Fn(Kind) -> F) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .unwrap();
    for kind in STORES {
        Seen::begin();
        NOTED.set(false);
        runtime.block_on(row(kind));
        if NOTED.get() {
            continue;
        }
        let Seen {
            guesses,
            approvals,
            messages,
        } = Seen::so_far();
        let tried = format!(
            "{}: {guesses} guesses, {messages} messages",
            words(&this_test())
        );
        kind.note(&this_test(), &tried, &format!("{approvals} approvals"));
    }
}

/// The test that this thread runs, by its name.
fn this_test() -> String {
    let thread = std::thread::current();
    thread.name().unwrap_or_default().to_owned()
}

/// What a test's name says after the ids of its rows.
fn words(name: &str) -> String {
    let own = name.rsplit("::").next().unwrap_or(name);
    let words: Vec<_> = own.split('_').skip(ids(name).len()).collect();
    words.join(" ")
}

#[test]
fn rows_are_read_from_names() {
    assert_eq!(words("races::a01_a03_at_four_servers"), "at four servers");
    assert_eq!(ids("races::a01_256_wrong_guesses"), ["A01"]);
    assert_eq!(ids("a01_a03_at_four_servers"), ["A01", "A03"]);
    assert_eq!(ids("a01, a03"), ["A01", "A03"]);
    assert!(ids("guessing::any_code_a01").is_empty());
}
