//! A62: a deadlock with somebody else's transaction is tried again in bounds, and a guess is
//! charged once.

use std::sync::Arc;
use std::time::Duration;

use countersign::{Policy, Stopwatch};

use super::bench::{Bench, Session, patient, store};
use super::time::{raw, waiting};
use crate::parts::postgres::{OWNER, Postgres, SECRET};
use crate::parts::proxy::{Fault, Proxy};

const ROUNDS: u32 = 10;

/// A store behind a proxy, and its server.
struct Site {
    server: Postgres,
    proxy: Proxy,
    bench: Arc<Bench>,
}

impl Site {
    async fn start() -> Self {
        let server = Postgres::start(&[("deadlock_timeout", "20ms")]);
        let proxy = Proxy::start(server.port);
        let port = proxy.port();
        let url = format!("postgres://{OWNER}:{SECRET}@127.0.0.1:{port}/postgres");
        // One connection, on which everything is prepared by the first send.
        let mut options = patient();
        options.pool_size = 1;
        let bench = Bench::on(store(&url, options).await, Policy::for_console());
        Self {
            server,
            proxy,
            bench: Arc::new(bench),
        }
    }

    /// A check that meets a deadlock when it writes: it holds its row, and somebody who keeps
    /// it from writing waits for that row.
    async fn check_in_a_deadlock(&self, session: &Session, code: &str) -> bool {
        let url = self.server.url("postgres");
        let (other, looker) = (raw(&url).await, raw(&url).await);
        self.proxy.strike(1, Fault::Hold);
        let check = tokio::spawn({
            let (bench, id, code) = (Arc::clone(&self.bench), session.id.clone(), code.to_owned());
            async move { bench.check(&id, &code).await }
        });
        let locked = "SELECT count(*) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation \
                      WHERE c.relname = 'countersign_records' AND l.mode = 'RowShareLock'";
        let since = Stopwatch::start();
        while looker
            .query_one(locked, &[])
            .await
            .unwrap()
            .get::<_, i64>(0)
            == 0
        {
            assert!(since.elapsed() < Duration::from_secs(20), "no row is held");
            tokio::task::yield_now().await;
        }
        // The one who finds the deadlock is its victim: not this one.
        let begin = "BEGIN; SET LOCAL deadlock_timeout = '1h'; \
                     LOCK TABLE countersign_records IN SHARE MODE";
        other.batch_execute(begin).await.unwrap();
        let others = tokio::spawn(async move {
            let locks = "SELECT FROM countersign_records FOR UPDATE; COMMIT";
            other.batch_execute(locks).await.unwrap();
        });
        waiting(&looker, 1).await;
        self.proxy.release();
        let verdict = check.await.unwrap().unwrap();
        others.await.unwrap();
        verdict.is_verified()
    }

    fn deadlocks(&self) -> u32 {
        let sql = "SELECT pg_stat_clear_snapshot(); \
                   SELECT deadlocks FROM pg_stat_database WHERE datname = 'postgres'";
        self.server.sql("postgres", sql).trim().parse().unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a62_a_deadlock_is_tried_again_and_charges_once() {
    let site = Site::start().await;
    for round in 0..ROUNDS {
        let session = site.bench.send(&format!("deadlock{round}")).await.unwrap();
        let wrong = session.wrong(0);
        assert!(!site.check_in_a_deadlock(&session, &wrong).await);
        let left = site.bench.check(&session.id, &wrong).await.unwrap();
        assert_eq!(left.attempts_remaining(), 3, "two guesses, two charges");
        assert!(site.check_in_a_deadlock(&session, &session.code).await);
        assert!(!site.bench.approves(&session).await, "and never again");
    }
    let deadlocks = site.deadlocks();
    println!("a62: {deadlocks} deadlocks, {ROUNDS} approvals");
    assert!(deadlocks >= 2 * ROUNDS, "{deadlocks}: they met none");
}
