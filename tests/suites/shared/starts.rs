//! Many servers that start at the same moment on a store in which nothing is yet.

use std::sync::Arc;

use countersign::{KeyRing, Secret, SessionStore, Verifier};
use countersign_postgres::PostgresStore;
use countersign_redis::RedisStore;

use crate::parts::postgres::Postgres;
use crate::parts::redis::Redis;
use crate::parts::redis::cluster::RedisCluster;

const AT_ONCE: usize = 12;

/// Opens the store of this URL as so many servers of one deployment would, all at once.
async fn all_start(url: &str) {
    let secret = Arc::new(Secret::generate().expect("randomness"));
    let tasks: Vec<_> = (0..AT_ONCE)
        .map(|_| tokio::spawn(start(url.to_owned(), Arc::clone(&secret))))
        .collect();
    for (n, task) in tasks.into_iter().enumerate() {
        let started = task.await.expect("no panic");
        started.unwrap_or_else(|error| panic!("{n} of {AT_ONCE} at once: {error}"));
    }
}

/// What a server does before it serves.
async fn start(
    url: String,
    secret: Arc<Secret>,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let mut postgres = countersign_postgres::Options::default();
    // A hundred connections are all that a fresh server takes.
    postgres.pool_size = 6;
    let store: Arc<dyn SessionStore> = if url.starts_with("postgres") {
        Arc::new(PostgresStore::connect(&url, postgres).await?)
    } else {
        Arc::new(RedisStore::connect(&url, countersign_redis::Options::default()).await?)
    };
    let masters = [Secret::new(secret.reveal().to_vec())?];
    let ring = KeyRing::new(&secret, &masters)?;
    Ok(Verifier::builder(ring, store).build()?.probe().await?)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_start_at_once_on_an_empty_redis() {
    all_start(&Redis::start(&[]).url()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_start_at_once_on_an_empty_redis_cluster() {
    all_start(&RedisCluster::start(3).url()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_start_at_once_on_an_empty_database() {
    let server = Postgres::start(&[]);
    for round in 0..5 {
        all_start(&server.database(&format!("round_{round}"))).await;
    }
}
