//! SQLite: checks that share commits, beside a bare loop that commits as many rows at a
//! time, and beside one commit a row. Every commit waits for the disk.

use std::path::Path;
use std::sync::Arc;

use countersign::Stopwatch;
use countersign_sqlite::{Options, SqliteStore};
use rusqlite::{Connection, params};

use crate::crowd::{crowd, micros};
use crate::records;
use crate::sessions::Sessions;

/// As long as a record with one live session and a failure.
const VALUE: [u8; 126] = [7; 126];

pub(crate) async fn measure() -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let count = records();
    let store = SqliteStore::open(folder.path().join("ours.db"), &Options::default());
    let store = Arc::new(store.map_err(|error| error.to_string())?);
    let sessions = Sessions::open(Arc::clone(&store) as _, count).await?;
    let bare =
        bare_table(&folder.path().join("bare.db"), count).map_err(|error| error.to_string())?;
    println!("\nSQLite, {count} records, synchronous = FULL\n");
    println!(
        "| callers | checks/s | p50 µs | p99 µs | a commit holds | of the bare batch | times one a commit |"
    );
    println!("|---|---|---|---|---|---|---|");
    let mut done = 0;
    for (callers, times) in [(1, 1500), (8, 8000), (64, 40_000), (256, 80_000)] {
        let times = times.min(sessions.guesses() / 4);
        // Beside each other, half before and half after: the disk is not the same all day.
        let before = loops(&bare, 1, times, count)?;
        let (commits, guess) = (store.commits(), sessions.clone());
        let seen = crowd(callers, done, times, move |n| guess.clone().guess(n)).await?;
        done += times;
        let held = ratio(
            times,
            usize::try_from(store.commits() - commits).unwrap_or(1),
        );
        let batch = loops(&bare, whole(held), times, count)?;
        let alone = f64::midpoint(before, loops(&bare, 1, times, count)?);
        println!(
            "| {callers} | {:.0} | {:.0} | {:.0} | {held:.1} | {:.2} | {:.1} |",
            seen.per_second,
            micros(seen.p50),
            micros(seen.p99),
            seen.per_second / batch,
            seen.per_second / alone,
        );
    }
    Ok(())
}

fn bare_table(path: &Path, count: usize) -> rusqlite::Result<Connection> {
    let conn = Connection::open(path)?;
    conn.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    conn.execute_batch(
        "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;
         CREATE TABLE records (key INTEGER PRIMARY KEY, garbage_after INTEGER, value BLOB NOT NULL);
         BEGIN",
    )?;
    for n in 0..count {
        let row = params![key(n), 1_700_000_000_000_i64, VALUE];
        conn.prepare_cached("INSERT OR REPLACE INTO records VALUES (?1, ?2, ?3)")?
            .execute(row)?;
    }
    conn.execute_batch("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)")?;
    Ok(conn)
}

/// Rows read and written a second, so many in each transaction.
fn loops(conn: &Connection, batch: usize, rows: usize, count: usize) -> Result<f64, String> {
    // As many rows as take about as long as the measured run.
    let rows = if batch == 1 { rows.min(1500) } else { rows };
    let clock = Stopwatch::start();
    let one_loop = || -> rusqlite::Result<()> {
        let mut next = 0;
        while next < rows {
            conn.execute_batch("BEGIN IMMEDIATE")?;
            for n in next..rows.min(next + batch) {
                let key = key(n.wrapping_mul(7919) % count);
                let mut read = conn.prepare_cached("SELECT value FROM records WHERE key = ?1")?;
                let mut value: Vec<u8> = read.query_row([key], |row| row.get(0))?;
                value[0] = value[0].wrapping_add(1);
                conn.prepare_cached(
                    "UPDATE records SET garbage_after = ?2, value = ?3 WHERE key = ?1",
                )?
                .execute(params![key, 1_700_000_000_001_i64, value])?;
            }
            conn.execute_batch("COMMIT")?;
            next += batch;
        }
        conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
    };
    one_loop().map_err(|error| error.to_string())?;
    Ok(ratio(rows, 1) / clock.elapsed().as_secs_f64())
}

/// Keys all over the table, as pseudorandom ones are.
fn key(n: usize) -> i64 {
    let scattered = (n as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    i64::from_be_bytes(scattered.to_be_bytes())
}

fn ratio(of: usize, by: usize) -> f64 {
    let float = |n: usize| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
    float(of) / float(by.max(1))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a batch has at most some hundred rows"
)]
fn whole(batch: f64) -> usize {
    batch.round().max(1.0) as usize
}
