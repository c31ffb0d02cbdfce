//! Stores whose files a thief copies.

use std::path::Path;
use std::sync::Arc;

use countersign::SessionStore;
use countersign_postgres::PostgresStore;
use countersign_redis::RedisStore;
use countersign_sqlite::SqliteStore;
use tempfile::TempDir;

use crate::parts::postgres::Postgres;
use crate::parts::redis::Redis;

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
        let sqlite = SqliteStore::open(folder.path().join("a35.db"), &options).unwrap();
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
        let mut all = Vec::new();
        match &self.place {
            Place::Sqlite(folder) => read_all(folder.path(), &mut all),
            Place::Redis(server) => all = snapshot(server),
            Place::Postgres(server) => {
                server.sql("postgres", "CHECKPOINT");
                let data = server.sql("postgres", "SHOW data_directory");
                for folder in ["base", "global", "pg_wal", "pg_xact"] {
                    read_all(&Path::new(&data).join(folder), &mut all);
                }
            }
        }
        all
    }
}

/// A snapshot in which nothing is compressed, for then nothing could be found.
fn snapshot(server: &Redis) -> Vec<u8> {
    server.cli(&["CONFIG", "SET", "rdbcompression", "no"]);
    assert_eq!(server.cli(&["SAVE"]), "OK");
    let folder = server.cli(&["CONFIG", "GET", "dir"]);
    let folder = folder.lines().last().unwrap();
    std::fs::read(Path::new(folder).join("dump.rdb")).unwrap()
}

fn read_all(folder: &Path, all: &mut Vec<u8>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_all(&path, all);
        } else {
            all.extend(std::fs::read(&path).unwrap());
        }
    }
}
