//! PostgreSQL: a check beside the same client's bare round trip, and beside the same
//! statements that decide nothing, by the same client and by `pgbench`.

use std::fs;
use std::process::Command;
use std::sync::Arc;

use countersign::Stopwatch;
use countersign_postgres::{Options, PostgresStore};
use tokio::sync::Mutex;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, NoTls, Statement};

use crate::crowd::{Figures, crowd, micros};
use crate::parts::postgres::Postgres;
use crate::records;
use crate::sessions::Sessions;

const BEGIN: &str =
    "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL synchronous_commit = on";
const READ: &str = "SELECT value FROM bare WHERE key = $1 FOR UPDATE";
const CLOCK: &str = "SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint, \
    (SELECT system_identifier FROM pg_control_system()), \
    substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)";
const WRITE: &str = "UPDATE bare SET garbage_after = $2, value = $3 WHERE key = $1";

/// The same for pgbench.
const SCRIPT: &str = "\\set key random(0, :most)
BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
SET LOCAL synchronous_commit = on;
SELECT value FROM bare WHERE key = :key FOR UPDATE;
UPDATE bare SET garbage_after = 1700000000001, value = value WHERE key = :key;
COMMIT;
";

/// As many as the store's pool holds.
const CONNECTIONS: usize = 16;

pub(crate) async fn measure() -> Result<(), String> {
    let (server, count) = (Postgres::start(&[]), records());
    let mut options = Options::default();
    options.pool_size = CONNECTIONS;
    let store = PostgresStore::connect(&server.url("postgres"), options).await;
    let store = Arc::new(store.map_err(|error| error.to_string())?);
    let sessions = Sessions::open(store, count).await?;
    let size = server.sql(
        "postgres",
        "SELECT pg_total_relation_size('countersign_records')",
    );
    let bytes = size.parse::<usize>().unwrap_or(0) / count;
    let made = format!(
        "CREATE TABLE bare (key bigint PRIMARY KEY, garbage_after bigint, value bytea NOT NULL);
         INSERT INTO bare SELECT n, 1700000000000, decode(repeat('07', 126), 'hex')
         FROM generate_series(0, {count}) AS n"
    );
    server.sql("postgres", &made);
    let bare = Bare::on(&server, count)
        .await
        .map_err(|error| error.to_string())?;
    println!("\nPostgreSQL, {count} records, {bytes} bytes each, {CONNECTIONS} connections\n");
    println!(
        "| callers | checks/s | p50 µs | p99 µs | p50 of a bare SELECT's | p50 of the bare statements' | throughput of the bare statements' | throughput of pgbench's |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    let mut done = 0;
    for (callers, times) in [(1, 2000), (64, 12_000), (256, 12_000)] {
        let times = times.min(sessions.guesses() / 4);
        let trip = bare.trip(callers, times).await?;
        let first = bare.statements(callers, times).await?;
        let guess = sessions.clone();
        let seen = crowd(callers, done, times, move |n| guess.clone().guess(n)).await?;
        done += times;
        let second = bare.statements(callers, times).await?;
        let pgbench = pgbench(&server, callers.min(CONNECTIONS), times, count)?;
        println!(
            "| {callers} | {:.0} | {:.0} | {:.0} | {:.2} | {:.2} | {:.2} | {:.2} |",
            seen.per_second,
            micros(seen.p50),
            micros(seen.p99),
            micros(seen.p50) / micros(trip.p50),
            micros(seen.p50) / f64::midpoint(micros(first.p50), micros(second.p50)),
            seen.per_second / f64::midpoint(first.per_second, second.per_second),
            seen.per_second / pgbench,
        );
    }
    Ok(())
}

/// Transactions a second of the same statements by PostgreSQL's own bench.
fn pgbench(server: &Postgres, clients: usize, times: usize, most: usize) -> Result<f64, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let script = folder.path().join("script.sql");
    fs::write(&script, SCRIPT).map_err(|error| error.to_string())?;
    let clock = Stopwatch::start();
    let ran = Command::new("/usr/lib/postgresql/15/bin/pgbench")
        .args([
            "-n",
            "-M",
            "prepared",
            "-j",
            "2",
            "-c",
            &clients.to_string(),
        ])
        .args([
            "-t",
            &(times / clients).to_string(),
            "-D",
            &format!("most={most}"),
        ])
        .arg("-f")
        .arg(&script)
        .arg(server.url("postgres"))
        .output()
        .map_err(|error| format!("pgbench does not start: {error}"))?;
    let told = String::from_utf8_lossy(&ran.stdout);
    let tps = told.lines().find_map(|line| {
        let rest = line.strip_prefix("tps = ")?;
        rest.split_whitespace().next()?.parse().ok()
    });
    tps.ok_or_else(|| {
        let error = String::from_utf8_lossy(&ran.stderr);
        format!("pgbench told nothing after {:?}: {error}", clock.elapsed())
    })
}

/// The client library alone, on as many connections.
#[derive(Clone)]
struct Bare {
    connections: Arc<Vec<Mutex<Connected>>>,
    count: usize,
}

struct Connected {
    client: Client,
    one: Statement,
    read: Statement,
    clock: Statement,
    write: Statement,
}

impl Bare {
    async fn on(server: &Postgres, count: usize) -> Result<Self, tokio_postgres::Error> {
        let mut connections = Vec::new();
        for _ in 0..CONNECTIONS {
            let (client, driver) = tokio_postgres::connect(&server.url("postgres"), NoTls).await?;
            tokio::spawn(driver);
            connections.push(Mutex::new(Connected {
                one: client.prepare("SELECT 1").await?,
                read: client.prepare(READ).await?,
                clock: client.prepare(CLOCK).await?,
                write: client.prepare(WRITE).await?,
                client,
            }));
        }
        let connections = Arc::new(connections);
        Ok(Self { connections, count })
    }

    async fn trip(&self, callers: usize, times: usize) -> Result<Figures, String> {
        let bare = self.clone();
        let trip = move |n: usize| {
            let bare = bare.clone();
            async move {
                let at = bare.connections[n % CONNECTIONS].lock().await;
                let row = at.client.query_one(&at.one, &[]).await;
                row.map(drop).map_err(|error| error.to_string())
            }
        };
        crowd(callers, 0, times, trip).await
    }

    async fn statements(&self, callers: usize, times: usize) -> Result<Figures, String> {
        let bare = self.clone();
        let run = move |n: usize| {
            let bare = bare.clone();
            async move { bare.transaction(n).await.map_err(|error| error.to_string()) }
        };
        crowd(callers, 0, times, run).await
    }

    /// Two round trips, as in a check.
    async fn transaction(&self, n: usize) -> Result<(), tokio_postgres::Error> {
        let at = self.connections[n % CONNECTIONS].lock().await;
        let key = i64::try_from(n.wrapping_mul(7919) % self.count).unwrap_or(0);
        let read: [&(dyn ToSql + Sync); 1] = [&key];
        let (begun, row, clock) = tokio::join!(
            biased;
            at.client.batch_execute(BEGIN),
            at.client.query_one(&at.read, &read),
            at.client.query_one(&at.clock, &[]),
        );
        begun?;
        drop(clock?);
        let value: Vec<u8> = row?.try_get(0)?;
        let write: [&(dyn ToSql + Sync); 3] = [&key, &1_700_000_000_001_i64, &value];
        let (written, committed) = tokio::join!(
            biased;
            at.client.execute(&at.write, &write),
            at.client.batch_execute("COMMIT"),
        );
        written?;
        committed
    }
}
