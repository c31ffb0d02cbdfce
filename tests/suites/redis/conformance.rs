//! The contract, rule by rule, on every shape that Redis comes in.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use countersign::{SessionStore, StoreError};
use countersign_conformance::{Disaster, Harness, Job, suite};
use countersign_redis::RedisStore;
use tokio::runtime::{Handle, Runtime};

use crate::parts::redis::{Redis, RedisCluster, RedisSentinel};
use crate::stage::options;

enum Site {
    Single(Redis),
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
            Site::Single(redis) => redis.url(),
            Site::Sentinel(site) => site.url(),
            Site::Cluster(cluster) => cluster.url(),
        }
    }

    fn servers(&self) -> Vec<&Redis> {
        match &self.site {
            Site::Single(redis) => vec![redis],
            Site::Sentinel(site) => site.servers.iter().collect(),
            Site::Cluster(cluster) => cluster.nodes.iter().collect(),
        }
    }

    fn kill(&self) {
        match &self.site {
            Site::Sentinel(site) => site.restart_primary(),
            Site::Single(redis) => redis.restart(),
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

    /// Nothing was ever saved: a kill forgets everything. That a failover forgets the last
    /// writes needs a replica that was cut off before them, and has a test of its own.
    async fn strike(
        &self,
        disaster: Disaster,
        store: Arc<dyn SessionStore>,
    ) -> Option<Result<Arc<dyn SessionStore>, StoreError>> {
        match (disaster, &self.site) {
            (Disaster::Kill, _) => self.kill(),
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

fn keeps_every_rule(site: Site) {
    let runtime = Runtime::new().unwrap();
    let handle = runtime.handle().clone();
    let report = runtime.block_on(suite(&Bench { site, handle }));
    println!("{report}");
    assert!(report.is_clean(), "{report}");
    let left_out: Vec<_> = report.not_tried().map(|(rule, _)| rule).collect();
    assert!(
        !left_out.iter().any(|rule| rule.contains("cut_swap")),
        "{left_out:?}"
    );
}

#[test]
fn a_single_server_keeps_every_rule() {
    keeps_every_rule(Site::Single(Redis::start(&[])));
}

#[test]
fn sentinel_keeps_every_rule() {
    keeps_every_rule(Site::Sentinel(RedisSentinel::start()));
}

#[test]
fn a_cluster_keeps_every_rule() {
    keeps_every_rule(Site::Cluster(RedisCluster::start(3)));
}
