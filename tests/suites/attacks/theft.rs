//! Stores whose files a thief copies.

use std::sync::Arc;

use countersign::SessionStore;
use countersign_postgres::PostgresStore;
use countersign_redis::RedisStore;
use countersign_sqlite::SqliteStore;
use tempfile::TempDir;

use crate::parts::copied;
use crate::parts::postgres::Postgres;
use crate::parts::redis::Redis;

const FILE: &str = "a35.db";

/// A store, and where it keeps its data.
pub(crate) struct Copied {
    pub(crate) store: Arc<dyn SessionStore>,
    place: Place,
}

enum Place {
    Sqlite(TempDir),
    Redis(Redis),
    /// A server of its own: others' data would be looked through, too.
    Postgres(Postgres),
}

impl Copied {
    /// Every store that has files, by its name.
    pub(crate) async fn every_store() -> [(&'static str, Self); 3] {
        let folder = TempDir::new().unwrap();
        let options = countersign_sqlite::Options::default();
        let sqlite = SqliteStore::open(folder.path().join(FILE), &options).unwrap();
        let server = Redis::start(&[]);
        let options = countersign_redis::Options::default();
        let redis = RedisStore::connect(&server.url(), options).await.unwrap();
        let database = Postgres::start(&[]);
        let (url, options) = (
            database.url("postgres"),
            countersign_postgres::Options::default(),
        );
        let postgres = PostgresStore::connect(&url, options).await.unwrap();
        let copied = |store: Arc<dyn SessionStore>, place| Self { store, place };
        [
            ("SQLite", copied(Arc::new(sqlite), Place::Sqlite(folder))),
            ("Redis", copied(Arc::new(redis), Place::Redis(server))),
            (
                "PostgreSQL",
                copied(Arc::new(postgres), Place::Postgres(database)),
            ),
        ]
    }

    /// All bytes of its files.
    pub(crate) fn files(&self) -> Vec<u8> {
        match &self.place {
            Place::Sqlite(folder) => copied::sqlite(&folder.path().join(FILE)),
            Place::Redis(server) => copied::redis(server),
            Place::Postgres(server) => copied::postgres(server),
        }
    }
}
