//! The tables: who makes them, when many start at once, and the least rights of a role.

use std::sync::Arc;

use countersign::{Policy, SessionStore as _};
use countersign_postgres::PostgresStore;

use super::bench::{Bench, patient, store};
use super::refused::refusal;
use crate::parts::postgres::Postgres;

/// The statements of a refusal: what stands between `run` and the next sentence.
fn cure(said: &str) -> String {
    let from = said.find("run ").unwrap() + 4;
    let grants: Vec<_> = said[from..]
        .split(';')
        .map(str::trim)
        .filter(|part| part.starts_with("GRANT"))
        .collect();
    assert!(!grants.is_empty(), "{said}");
    grants.join(";")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_new_database_is_opened_by_many_at_once() {
    let server = Postgres::start(&[]);
    for round in 0..5 {
        let url = Arc::new(server.database(&format!("new{round}")));
        let opens = (0..8).map(|_| {
            let url = Arc::clone(&url);
            tokio::spawn(async move {
                let mut options = patient();
                options.pool_size = 2;
                PostgresStore::connect(&url, options).await
            })
        });
        for open in opens.collect::<Vec<_>>() {
            open.await.unwrap().unwrap();
        }
    }
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_left_alone() {
    let server = Postgres::start(&[]);
    let url = server.url("postgres");
    drop(PostgresStore::connect(&url, patient()).await.unwrap());
    server.sql(
        "postgres",
        "UPDATE countersign_store SET schema_version = 99",
    );
    let said = refusal(&url, patient()).await;
    assert!(
        said.contains("schema 99") && said.contains("newer release"),
        "{said}"
    );
    let left = server.sql("postgres", "SELECT schema_version FROM countersign_store");
    assert_eq!(left, "99");
}

#[tokio::test]
async fn a_fence_is_not_renewed_where_there_is_no_store() {
    let server = Postgres::start(&[]);
    let said = PostgresStore::fence(&server.url("postgres"), patient()).await;
    assert!(said.unwrap_err().to_string().contains("no store"));
    assert_eq!(
        server.sql("postgres", "SELECT to_regclass('countersign_store')"),
        ""
    );
}

/// Each refusal names the statement that cures it; with those and no more, all works.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_least_rights_are_those_that_the_refusals_name() {
    let server = Postgres::start(&[]);
    server.sql(
        "postgres",
        "CREATE ROLE \"The App\" LOGIN PASSWORD 'hunter2'",
    );
    for function in [
        "pg_control_system()",
        "pg_current_wal_lsn()",
        "pg_walfile_name(pg_lsn)",
    ] {
        let sql = format!("REVOKE EXECUTE ON FUNCTION {function} FROM PUBLIC");
        server.sql("postgres", &sql);
    }
    let port = server.port;
    let url = format!("postgres://The%20App:hunter2@127.0.0.1:{port}/postgres");

    let said = refusal(&url, patient()).await;
    assert!(
        said.contains("GRANT CREATE ON SCHEMA public TO \"The App\""),
        "{said}"
    );
    drop(
        PostgresStore::connect(&server.url("postgres"), patient())
            .await
            .unwrap(),
    );

    let said = refusal(&url, patient()).await;
    server.sql("postgres", &cure(&said));
    let said = refusal(&url, patient()).await;
    assert!(said.contains("GRANT EXECUTE ON FUNCTION"), "{said}");
    let mut unfenced = patient();
    unfenced.fence = false;
    drop(PostgresStore::connect(&url, unfenced).await.unwrap());
    server.sql("postgres", &cure(&said));

    let least = store(&url, patient()).await;
    let bench = Bench::on(least.clone(), Policy::for_console());
    bench.verifier.probe().await.unwrap();
    let session = bench.send("person").await.unwrap();
    assert!(bench.approves(&session).await);
    least.ping().await.unwrap();
    least.sweep(64).await.unwrap();
    assert!(!least.scan(None, 64).await.unwrap().is_empty());
    PostgresStore::fence(&url, patient()).await.unwrap();
}

/// The other way: the role makes its own tables.
#[tokio::test]
async fn a_role_that_may_create_makes_its_own_tables() {
    let server = Postgres::start(&[]);
    server.sql("postgres", "CREATE ROLE app LOGIN PASSWORD 'hunter2'");
    server.sql("postgres", "GRANT CREATE ON SCHEMA public TO app");
    let url = format!("postgres://app:hunter2@127.0.0.1:{}/postgres", server.port);
    let bench = Bench::open(&url).await;
    let session = bench.send("person").await.unwrap();
    assert!(bench.approves(&session).await);
}
