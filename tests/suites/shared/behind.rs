//! A store behind a network that fails.

use std::sync::Arc;
use std::time::Duration;

use countersign::{SessionStore, Stopwatch};
use countersign_postgres::PostgresStore;
use countersign_redis::RedisStore;

use super::net::Net;
use super::store::{Kind, Store};
use crate::parts::proxy::Proxy;
use crate::parts::redis::Redis;
use crate::parts::redis::cluster::RedisCluster;
use crate::parts::server::{PATIENCE, pause};

/// The stores that are reached over a network.
pub(crate) const NETWORKED: [Kind; 3] = [Kind::Redis, Kind::RedisCluster, Kind::Postgres];

/// A running store, its address over the proxies, and the one past them.
pub(crate) struct Behind {
    store: Store,
    over: String,
    past: String,
}

impl Behind {
    pub(crate) async fn start(kind: Kind) -> (Self, Net) {
        let store = Store::start(kind, "".as_ref());
        let ports = match &store {
            Store::Memory | Store::Sqlite(_) | Store::RedisSentinel(_) => {
                panic!("no proxy is in front of it")
            }
            Store::Redis(server) => vec![server.port],
            Store::RedisCluster(cluster) => cluster.nodes.iter().map(|node| node.port).collect(),
            Store::Postgres(server) => vec![server.port],
        };
        let proxies: Vec<_> = ports.iter().map(|port| Proxy::start(*port)).collect();
        let past = store.url();
        let mut over = past.clone();
        for (port, proxy) in ports.iter().zip(&proxies) {
            over = over.replace(&format!(":{port}"), &format!(":{}", proxy.port()));
        }
        if let Store::RedisCluster(cluster) = &store {
            announce(cluster, &proxies).await;
        }
        let behind = Self { store, over, past };
        (behind, Net::of(proxies))
    }

    /// A store of the adapter's, over the proxies, that waits so long for an answer.
    pub(crate) async fn over(&self, time_out: Duration) -> Arc<dyn SessionStore> {
        self.connect(&self.over, time_out).await
    }

    /// A store of the adapter's, past the proxies. A cluster's nodes name each other by
    /// the proxies: there it has other connections.
    pub(crate) async fn past(&self, time_out: Duration) -> Arc<dyn SessionStore> {
        self.connect(&self.past, time_out).await
    }

    async fn connect(&self, url: &str, time_out: Duration) -> Arc<dyn SessionStore> {
        if let Store::Postgres(_) = self.store {
            let mut options = countersign_postgres::Options::default();
            options.connect_timeout = time_out;
            options.statement_timeout = time_out;
            let store = PostgresStore::connect(url, options).await;
            return Arc::new(store.expect("it connects"));
        }
        let mut options = countersign_redis::Options::default();
        options.timeout = time_out;
        let store = RedisStore::connect(url, options).await;
        Arc::new(store.expect("it connects"))
    }
}

/// Lets the nodes name each other by their proxies, and waits until all do.
async fn announce(cluster: &RedisCluster, proxies: &[Proxy]) {
    let ports: Vec<_> = proxies
        .iter()
        .map(|proxy| proxy.port().to_string())
        .collect();
    for (node, port) in cluster.nodes.iter().zip(&ports) {
        node.cli(&["CONFIG", "SET", "cluster-announce-port", port]);
    }
    let knows_all = |node: &Redis| {
        let slots = node.cli(&["CLUSTER", "SLOTS"]);
        ports
            .iter()
            .all(|port| slots.lines().any(|line| line == port))
    };
    let clock = Stopwatch::start();
    while !cluster.nodes.iter().all(knows_all) {
        assert!(
            clock.elapsed() < PATIENCE,
            "the nodes do not name the proxies"
        );
        pause().await;
    }
}
