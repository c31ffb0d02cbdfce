//! What a store refuses at its start, in words that help, and never with the password.

use countersign_postgres::{Options, PostgresStore};

use super::bench::patient;
use crate::parts::ca::TestCa;
use crate::parts::postgres::{OWNER, Postgres, SECRET};

/// The words of the refusal.
pub(crate) async fn refusal(url: &str, options: Options) -> String {
    let error = PostgresStore::connect(url, options).await.unwrap_err();
    for said in [error.to_string(), format!("{error:?}")] {
        assert!(
            !said.contains(SECRET) && !said.contains("hunter2"),
            "{said}"
        );
    }
    println!("{error}");
    error.to_string()
}

#[tokio::test]
async fn a_server_that_forgets_is_refused() {
    let server = Postgres::start(&[("fsync", "off")]);
    let said = refusal(&server.url("postgres"), patient()).await;
    assert!(said.contains("fsync = on"), "{said}");
}

/// Whoever turns it off later is told by the readiness check.
#[tokio::test]
async fn a_server_that_is_told_to_forget_is_not_ready() {
    use countersign::{SessionStore as _, Stopwatch};
    let server = Postgres::start(&[]);
    let store = PostgresStore::connect(&server.url("postgres"), patient()).await;
    let store = store.unwrap();
    store.ping().await.unwrap();
    server.sql("postgres", "ALTER SYSTEM SET fsync = off");
    server.sql("postgres", "SELECT pg_reload_conf()");
    let since = Stopwatch::start();
    let error = loop {
        if let Err(error) = store.ping().await {
            break error.to_string();
        }
        assert!(
            since.elapsed().as_secs() < 20,
            "the ping still says that all is well"
        );
    };
    assert!(error.contains("fsync = on"), "{error}");
}

#[tokio::test]
async fn torn_pages_are_told_apart_from_lost_power() {
    use countersign::SessionStore as _;
    use countersign::store::Durability;
    for (pages, durability) in [("on", Durability::PowerLoss), ("off", Durability::Crash)] {
        let server = Postgres::start(&[("full_page_writes", pages)]);
        let store = PostgresStore::connect(&server.url("postgres"), patient()).await;
        assert_eq!(store.unwrap().durability(), durability);
    }
}

#[tokio::test]
async fn a_standby_is_refused() {
    let server = Postgres::start(&[]);
    let standby = server.standby();
    let said = refusal(&standby.url("postgres"), patient()).await;
    assert!(
        said.contains("standby") && said.contains("primary"),
        "{said}"
    );
}

#[tokio::test]
async fn an_unlogged_table_is_refused() {
    let server = Postgres::start(&[]);
    let url = server.url("postgres");
    drop(PostgresStore::connect(&url, patient()).await.unwrap());
    server.sql("postgres", "ALTER TABLE countersign_records SET UNLOGGED");
    let said = refusal(&url, patient()).await;
    let cure = said.split_once("run ").unwrap().1;
    server.sql(
        "postgres",
        cure.split_once(": ").map_or(cure, |(cure, _)| cure),
    );
    PostgresStore::connect(&url, patient()).await.unwrap();
}

#[tokio::test]
async fn a_wrong_password_and_a_missing_database_are_told() {
    let server = Postgres::start(&[]);
    let port = server.port;
    let url = format!("postgres://{OWNER}:hunter2@127.0.0.1:{port}/postgres");
    let said = refusal(&url, patient()).await;
    assert!(said.contains("password"), "{said}");
    let said = refusal(&server.url("nowhere"), patient()).await;
    assert!(said.contains("create it"), "{said}");
    let url = server.url("postgres");
    let shown = format!(
        "{:?}",
        PostgresStore::connect(&url, patient()).await.unwrap()
    );
    assert!(!shown.contains(SECRET), "{shown}");
    server.kill();
    let said = refusal(&url, patient()).await;
    assert!(said.contains("refused"), "{said}");
}

#[tokio::test]
async fn tls_takes_the_right_certificate_alone() {
    let (ca, other) = (TestCa::make(), TestCa::make());
    let server = Postgres::start_tls(&ca);
    let port = server.port;
    let url = |host: &str, mode: &str| {
        format!("postgres://{OWNER}:{SECRET}@{host}:{port}/postgres?{mode}")
    };
    let with = |pem: Option<Vec<u8>>| {
        let mut options = patient();
        options.ca_pem = pem;
        options
    };
    for host in ["localhost", "127.0.0.1"] {
        let right = url(host, "sslmode=verify-full");
        PostgresStore::connect(&right, with(Some(ca.pem())))
            .await
            .unwrap();
        let used = "SELECT count(*) > 0 FROM pg_stat_ssl WHERE ssl AND pid <> pg_backend_pid()";
        let store = PostgresStore::connect(&right, with(Some(ca.pem())))
            .await
            .unwrap();
        assert_eq!(server.sql("postgres", used), "t", "it is encrypted");
        drop(store);
        for pem in [Some(other.pem()), None] {
            let said = refusal(&right, with(pem)).await;
            assert!(said.contains("certificate"), "{said}");
        }
    }
    // The name counts, and not the address behind it. It is not on this machine as far
    // as its name tells, so that nothing need be said for TLS to be used.
    for mode in [
        "hostaddr=127.0.0.1&sslmode=verify-full",
        "hostaddr=127.0.0.1&sslmode=require",
    ] {
        let said = refusal(&url("db.example.com", mode), with(Some(ca.pem()))).await;
        assert!(said.contains("certificate"), "{said}");
    }
    let said = refusal(
        &url("localhost", "sslmode=verify-full"),
        with(Some(b"no".to_vec())),
    )
    .await;
    assert!(said.contains("ca.pem"), "{said}");
}

#[tokio::test]
async fn a_server_without_tls_is_not_spoken_to_in_plain_unless_it_is_written() {
    let server = Postgres::start(&[]);
    let url = server.url("postgres");
    let said = refusal(&format!("{url}?sslmode=verify-full"), patient()).await;
    assert!(said.contains("TLS"), "{said}");
    for mode in ["prefer", "allow", "verify-ca", "no"] {
        let said = refusal(&format!("{url}?sslmode={mode}"), patient()).await;
        assert!(said.contains("sslmode=verify-full"), "{said}");
    }
    PostgresStore::connect(&format!("{url}?sslmode=disable"), patient())
        .await
        .unwrap();
}
