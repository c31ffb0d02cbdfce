//! How many bytes a record takes, in each store.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use countersign::SessionStore;
use countersign_postgres::{Options as PostgresOptions, PostgresStore};
use countersign_redis::{Options as RedisOptions, RedisStore};
use countersign_sqlite::{Options as SqliteOptions, SqliteStore};

use super::filled::{Figures, each, fill};
use super::{long, memory, sample};
use crate::parts::postgres::Postgres;
use crate::parts::redis::Redis;

/// The page's figures: bytes that a fresh, a typical and the worst record take.
const MEMORY: [f64; 3] = [175.0, 190.0, 1015.0];
const SQLITE: [f64; 3] = [166.0, 194.0, 1189.0];
const REDIS: [f64; 3] = [261.0, 293.0, 1157.0];
const POSTGRES: [f64; 3] = [384.0, 437.0, 2076.0];
/// Their lengths by themselves.
const LENGTHS: [usize; 3] = [121, 142, 946];

/// How many records are written for each figure, where each takes a sync.
fn synced() -> u64 {
    if long() { 100_000 } else { 10_000 }
}

/// And where none does.
const UNSYNCED: u64 = 100_000;

/// How many pages of PostgreSQL's table hold no record.
const EMPTY_PAGES: &str = "
    SELECT pg_relation_size('countersign_records') / 8192
         - count(DISTINCT (ctid::text::point)[0])
    FROM countersign_records";

#[tokio::test]
async fn lengths_of_records() {
    let lengths = sample::all().await.map(|record| record.bytes.len());
    println!("a fresh, a typical and the worst record have {lengths:?} bytes");
    assert_eq!(lengths, LENGTHS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_in_the_memory_store() {
    let mut figures = Figures::of("memory");
    for (record, page) in sample::all().await.iter().zip(MEMORY) {
        let measured = memory::each(&record.bytes, UNSYNCED);
        figures.note(record, measured, page);
    }
    figures.assert_page();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_in_sqlite() {
    let mut figures = Figures::of("SQLite");
    for (record, page) in sample::all().await.iter().zip(SQLITE) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("records.db");
        let store = SqliteStore::open(&path, &SqliteOptions::default());
        let store: Arc<dyn SessionStore> = Arc::new(store.expect("it opens"));
        fill(&store, &record.bytes, synced()).await;
        drop(store);
        let file = rusqlite::Connection::open(&path).expect("it opens");
        let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
        file.query_row(checkpoint, [], |_| Ok(())).expect("done");
        let bytes = fs::metadata(&path).expect("a file").len();
        figures.note(record, each(0, bytes, synced()), page);
    }
    figures.assert_page();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_in_redis() {
    let mut figures = Figures::of("Redis");
    for (record, page) in sample::all().await.iter().zip(REDIS) {
        let redis = Redis::start(&[]);
        let store = RedisStore::connect(&redis.url(), RedisOptions::default()).await;
        let store: Arc<dyn SessionStore> = Arc::new(store.expect("it connects"));
        let used = || redis.info("memory", "used_memory").parse();
        let before: u64 = used().expect("a number");
        fill(&store, &record.bytes, UNSYNCED).await;
        let after: u64 = used().expect("a number");
        let key = redis.cli(&["RANDOMKEY"]);
        let one = redis.cli(&["MEMORY", "USAGE", &key]);
        println!("Redis, {}: MEMORY USAGE says {one} for {key}", record.name);
        figures.note(record, each(before, after, UNSYNCED), page);
    }
    figures.assert_page();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_in_postgres() {
    let server = Postgres::start(&[]);
    let mut figures = Figures::of("PostgreSQL");
    for (record, page) in sample::all().await.iter().zip(POSTGRES) {
        let mut options = PostgresOptions::default();
        options.acquire_timeout = Duration::from_secs(60);
        options.statement_timeout = Duration::from_secs(60);
        let store = PostgresStore::connect(&server.database(record.name), options).await;
        let store: Arc<dyn SessionStore> = Arc::new(store.expect("it connects"));
        let ask = |sql: &str| -> u64 { server.sql(record.name, sql).parse().expect("a number") };
        let size = "SELECT pg_total_relation_size('countersign_records')";
        let before = ask(size);
        fill(&store, &record.bytes, synced()).await;
        // A table that many writers wait to see grow grows by many pages at once. Those that
        // no record has reached are chance, and come to nothing among many records.
        let empty = ask(EMPTY_PAGES) * 8192;
        println!("PostgreSQL, {}: {empty} bytes in empty pages", record.name);
        let after = ask(size) - empty;
        figures.note(record, each(before, after, synced()), page);
    }
    figures.assert_page();
}
