//! A19: a check that waits for a lock is decided by the time at which it gets it.

use std::sync::Arc;
use std::time::Duration;

use countersign::record::SessionState;
use countersign::{Policy, Stopwatch, Verdict};
use tokio_postgres::{Client, NoTls};

use super::bench::{Bench, Session, patient, store};
use crate::parts::postgres::Postgres;

/// A connection past the store.
pub(crate) async fn raw(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn number(client: &Client, sql: &str) -> i64 {
    client.query_one(sql, &[]).await.unwrap().get(0)
}

/// Waits until so many of the server's processes wait for a lock.
pub(crate) async fn waiting(client: &Client, processes: i64) {
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
    let since = Stopwatch::start();
    while number(client, sql).await < processes {
        assert!(since.elapsed() < Duration::from_secs(20), "nobody waits");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn expired(bench: &Bench, session: &Session) -> bool {
    let view = bench.verifier.status(&bench.tenant, &session.id).await;
    view.unwrap().unwrap().state == SessionState::Expired
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a19_a_check_that_waits_for_its_row_past_expiry_is_not_approved() {
    let server = Postgres::start(&[]);
    let url = server.url("postgres");
    let mut policy = Policy::for_console();
    policy.lifetime_seconds = 10;
    let bench = Arc::new(Bench::on(store(&url, patient()).await, policy));
    let (blocker, looker) = (raw(&url).await, raw(&url).await);
    let time = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint";
    let before = number(&looker, time).await;
    let mut sessions = Vec::new();
    for n in 0..8 {
        sessions.push(bench.send(&format!("late{n}")).await.unwrap());
    }
    let after = number(&looker, time).await;
    let lock = "BEGIN; SELECT FROM countersign_records FOR UPDATE";
    blocker.batch_execute(lock).await.unwrap();
    let checks = sessions.iter().cloned().map(|session| {
        let bench = Arc::clone(&bench);
        tokio::spawn(async move { bench.check(&session.id, &session.code).await.unwrap() })
    });
    let checks: Vec<_> = checks.collect();
    waiting(&looker, 8).await;
    let came = number(&looker, time).await;
    assert!(came < before + 10_000, "they came in time");
    while number(&looker, time).await < after + 10_000 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    blocker.batch_execute("COMMIT").await.unwrap();
    let mut approvals = 0;
    for (check, session) in checks.into_iter().zip(&sessions) {
        let verdict = check.await.unwrap();
        assert_eq!(verdict, Verdict::Expired);
        approvals += u32::from(verdict.is_verified());
        // Had the step been taken by an older time, its approval would be withheld, but
        // the session be marked as used.
        assert!(expired(&bench, session).await, "decided when it was taken");
    }
    assert_eq!(approvals, 0);
}

/// Why the clock is a statement of its own.
#[tokio::test]
async fn a_locking_statement_computes_its_columns_before_it_waits() {
    let server = Postgres::start(&[]);
    let url = server.url("postgres");
    let (blocker, looker, waiter) = (raw(&url).await, raw(&url).await, raw(&url).await);
    let table = "CREATE TABLE one (n integer); INSERT INTO one VALUES (1)";
    blocker.batch_execute(table).await.unwrap();
    let lock = "BEGIN; SELECT FROM one FOR UPDATE";
    blocker.batch_execute(lock).await.unwrap();
    let late = tokio::spawn(async move {
        let time = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";
        let both = format!("SELECT {time} FROM one FOR UPDATE");
        let in_one = number(&waiter, &both).await;
        (in_one, number(&waiter, &format!("SELECT {time}")).await)
    });
    waiting(&looker, 1).await;
    let time = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint";
    let released = number(&looker, time).await;
    blocker.batch_execute("COMMIT").await.unwrap();
    let (in_one, after) = late.await.unwrap();
    assert!(
        in_one <= released,
        "{in_one} is a time before the lock was held"
    );
    assert!(after >= released);
}
