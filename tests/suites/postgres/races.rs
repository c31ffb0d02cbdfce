//! A01, A02: many at once, on one store and on four on one database, whatever the
//! database's defaults are.

use std::sync::Arc;

use countersign::{Policy, SessionStore, Verdict};

use super::bench::{Bench, Session, patient, store};
use crate::parts::long::{long, progress};
use crate::parts::postgres::Postgres;

const AT_ONCE: u32 = 256;

fn rounds() -> u32 {
    if long() { 1000 } else { 100 }
}

/// Checks all of these at once, spread over the benches.
async fn at_once(benches: &[Arc<Bench>], id: &str, codes: Vec<String>) -> Vec<Verdict> {
    let tasks: Vec<_> = codes
        .into_iter()
        .enumerate()
        .map(|(n, code)| {
            let (bench, id) = (Arc::clone(&benches[n % benches.len()]), id.to_owned());
            tokio::spawn(async move { bench.check(&id, &code).await })
        })
        .collect();
    let mut verdicts = Vec::with_capacity(tasks.len());
    for task in tasks {
        verdicts.push(task.await.unwrap().unwrap());
    }
    verdicts
}

/// Of 256 wrong guesses five are compared.
async fn wrong_ones(benches: &[Arc<Bench>], session: &Session) {
    let codes = (0..AT_ONCE).map(|n| session.wrong(n)).collect();
    let verdicts = at_once(benches, &session.id, codes).await;
    let mut left: Vec<_> = verdicts
        .iter()
        .filter_map(|verdict| match verdict {
            Verdict::WrongCode { attempts_remaining } => Some(*attempts_remaining),
            _ => None,
        })
        .collect();
    left.sort_unstable();
    assert_eq!(left, [1, 2, 3, 4]);
    let ended = verdicts.iter().filter(|one| **one == Verdict::Exhausted);
    assert_eq!(ended.count(), 252, "the fifth and all that came late");
    assert!(!benches[0].approves(session).await);
}

/// Of 256 right answers one is approved.
async fn right_ones(benches: &[Arc<Bench>], session: &Session) {
    let codes = (0..AT_ONCE).map(|_| session.code.clone()).collect();
    let verdicts = at_once(benches, &session.id, codes).await;
    let approved = verdicts.iter().filter(|verdict| verdict.is_verified());
    assert_eq!(approved.count(), 1);
}

async fn race(benches: &[Arc<Bench>], rounds: u32) {
    for round in 0..rounds {
        progress(
            "rounds of 256 on PostgreSQL",
            round as usize,
            rounds as usize,
        );
        let session = benches[0].send(&format!("wrong{round}")).await.unwrap();
        wrong_ones(benches, &session).await;
        let session = benches[0].send(&format!("right{round}")).await.unwrap();
        right_ones(benches, &session).await;
    }
    println!(
        "{rounds} rounds x 2 x {AT_ONCE} on {} stores",
        benches.len()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a01_a02_on_one_store() {
    let server = Postgres::start(&[]);
    let benches = [Arc::new(Bench::open(&server.url("postgres")).await)];
    race(&benches, rounds()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a03_on_four_stores_of_one_database() {
    let server = Postgres::start(&[]);
    let mut benches = Vec::new();
    for _ in 0..4 {
        benches.push(Arc::new(Bench::open(&server.url("postgres")).await));
    }
    race(&benches, rounds()).await;
}

/// A store that sees an older snapshot than its lock's would compare what is no more.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a62_the_databases_defaults_do_no_harm() {
    let server = Postgres::start(&[]);
    for level in ["repeatable read", "serializable"] {
        let name = level.replace(' ', "_");
        let url = server.database(&name);
        for (setting, value) in [
            ("default_transaction_isolation", level),
            ("default_transaction_read_only", "on"),
            ("default_transaction_deferrable", "on"),
            ("synchronous_commit", "off"),
            ("statement_timeout", "20"),
        ] {
            let sql = format!("ALTER DATABASE {name} SET {setting} = '{value}'");
            server.sql("postgres", &sql);
        }
        let mut benches = Vec::new();
        for _ in 0..2 {
            let store: Arc<dyn SessionStore> = store(&url, patient()).await;
            benches.push(Arc::new(Bench::on(store, Policy::for_console())));
        }
        race(&benches, 10).await;
    }
}
