//! The contract, rule by rule, on every shape that Redis comes in.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use countersign::{SessionStore, StoreError};
use countersign_conformance::{Disaster, Harness, Job, suite};
use countersign_redis::RedisStore;
use tokio::runtime::{Handle, Runtime};

use crate::parts::redis::Redis;
use crate::parts::redis::cluster::RedisCluster;
use crate::parts::redis::sentinel::RedisSentinel;
use crate::stage::options;

enum Site {
    Single(Redis),
    /// A single server whose log is synced before it answers, and whose power can be cut.
    Synced(Redis),
    Sentinel(RedisSentinel),
    Cluster(RedisCluster),
}

struct Bench {
    site: Site,
    handle: Handle,
}

impl Bench {
    fn url(&self) -> String {
        match &self.site {
            Site::Single(redis) | Site::Synced(redis) => redis.url(),
            Site::Sentinel(site) => site.url(),
            Site::Cluster(cluster) => cluster.url(),
        }
    }

    fn servers(&self) -> Vec<&Redis> {
        match &self.site {
            Site::Single(redis) | Site::Synced(redis) => vec![redis],
            Site::Sentinel(site) => site.servers.iter().collect(),
            Site::Cluster(cluster) => cluster.nodes.iter().collect(),
        }
    }

    fn kill(&self) {
        match &self.site {
            Site::Sentinel(site) => site.restart_primary(),
            Site::Single(redis) | Site::Synced(redis) => redis.restart(),
            Site::Cluster(cluster) => cluster.restart(),
        }
    }

    async fn connect(&self) -> Result<Arc<dyn SessionStore>, StoreError> {
        let mut options = options();
        options.timeout = Duration::from_millis(1500);
        Ok(Arc::new(RedisStore::connect(&self.url(), options).await?))
    }
}

#[async_trait]
impl Harness for Bench {
    async fn open(&self) -> Result<Arc<dyn SessionStore>, StoreError> {
        self.connect().await
    }

    async fn reopen(
        &self,
        store: Arc<dyn SessionStore>,
    ) -> Option<Result<Arc<dyn SessionStore>, StoreError>> {
        drop(store);
        Some(self.connect().await)
    }

    /// Where nothing was ever written to a disk, a kill forgets as much as a loss of power.
    /// That a failover forgets the last writes needs a replica that was cut off before
    /// them, and has a test of its own.
    async fn strike(
        &self,
        disaster: Disaster,
        store: Arc<dyn SessionStore>,
    ) -> Option<Result<Arc<dyn SessionStore>, StoreError>> {
        match (disaster, &self.site) {
            (Disaster::PowerCut, Site::Synced(redis)) => drop(redis.cut_power()),
            (Disaster::Kill | Disaster::PowerCut, _) => self.kill(),
            (Disaster::Failover, Site::Sentinel(site)) => {
                site.fail_over();
                site.bring_back();
            }
            _ => return None,
        }
        drop(store);
        Some(self.connect().await)
    }

    async fn new_life(&self) -> bool {
        RedisStore::fence(&self.url(), options()).await.is_ok()
    }

    async fn cut(&self) -> bool {
        self.servers().into_iter().for_each(Redis::pause);
        true
    }

    async fn mend(&self) {
        self.servers().into_iter().for_each(Redis::resume);
    }

    fn block_on(&self, job: Job<'_>) {
        self.handle.block_on(job);
    }
}

/// Runs the kit, which must have tried every rule but these.
fn keeps_every_rule(site: Site, left_out: &[&str]) {
    let runtime = Runtime::new().unwrap();
    let handle = runtime.handle().clone();
    let report = runtime.block_on(suite(&Bench { site, handle }));
    println!("{report}");
    assert!(report.is_clean(), "{report}");
    let not_tried: Vec<_> = report.not_tried().map(|(rule, _)| rule).collect();
    assert_eq!(not_tried, left_out);
}

/// The server's clock cannot be set, and its keys are not listed.
const CANNOT: [&str; 2] = ["time_comes_with_the_value", "scan_lists_every_key_once"];

/// Without a log that is synced nothing is promised that a disaster could disprove.
const PROMISES_NOTHING: [&str; 4] = [
    CANNOT[0],
    CANNOT[1],
    "acknowledged_writes_survive_a_kill",
    "acknowledged_writes_survive_a_power_cut",
];

#[test]
fn a_single_server_keeps_every_rule() {
    keeps_every_rule(Site::Single(Redis::start(&[])), &PROMISES_NOTHING);
}

#[test]
fn a_synced_log_keeps_every_rule_and_its_promise() {
    keeps_every_rule(Site::Synced(Redis::start_traced("always")), &CANNOT);
}

#[test]
fn valkey_keeps_every_rule() {
    keeps_every_rule(Site::Single(Redis::start_valkey(&[])), &PROMISES_NOTHING);
}

#[test]
fn sentinel_keeps_every_rule() {
    keeps_every_rule(Site::Sentinel(RedisSentinel::start()), &PROMISES_NOTHING);
}

#[test]
fn a_cluster_keeps_every_rule() {
    keeps_every_rule(Site::Cluster(RedisCluster::start(3)), &PROMISES_NOTHING);
}

/// What the power cut is worth: a log that is synced now and then loses acknowledged
/// writes in it, one that is synced before each answer loses none.
#[test]
fn a_power_cut_forgets_what_was_not_synced() {
    for (policy, all_kept) in [("no", false), ("always", true)] {
        let redis = Redis::start_traced(policy);
        for n in 0..20 {
            assert_eq!(redis.cli(&["SET", &format!("key{n}"), "value"]), "OK");
        }
        let unsynced = redis.cut_power();
        let kept = redis.cli(&["DBSIZE"]);
        println!("appendfsync {policy}: {kept} of 20 kept, {unsynced} bytes lost");
        assert_eq!(kept == "20", all_kept, "appendfsync {policy}: {kept} kept");
    }
}
