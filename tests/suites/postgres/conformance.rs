//! The contract, rule by rule.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use countersign::{SessionStore, StoreError};
use countersign_conformance::{Disaster, Harness, Job, Rule, suite};
use countersign_postgres::PostgresStore;
use tokio::runtime::{Builder, Runtime};

use super::bench::{impatient, patient};
use tempfile::TempDir;

use crate::parts::postgres::Postgres;

struct Real {
    runtime: Runtime,
    /// The last one is in charge; a failover adds another.
    servers: Mutex<Vec<Arc<Postgres>>>,
    /// Cut off early, and missing all that came after.
    standby: Mutex<Option<Postgres>>,
    /// What a disk surely holds when the power fails; the log leads on from it.
    copy: Mutex<Option<TempDir>>,
    /// Whether the server is made to stand still, so that stores must not wait long.
    hasty: bool,
}

impl Real {
    fn new(hasty: bool) -> Self {
        let runtime = Builder::new_multi_thread()
            .worker_threads(4)
            .enable_all()
            .build();
        Self {
            runtime: runtime.unwrap(),
            servers: Mutex::new(vec![Arc::new(Postgres::start(&[]))]),
            standby: Mutex::new(None),
            copy: Mutex::new(None),
            hasty,
        }
    }

    fn server(&self) -> Arc<Postgres> {
        Arc::clone(self.servers.lock().unwrap().last().unwrap())
    }
}

#[async_trait]
impl Harness for Real {
    async fn open(&self) -> Result<Arc<dyn SessionStore>, StoreError> {
        let options = if self.hasty { impatient() } else { patient() };
        let server = self.server();
        let store = PostgresStore::connect(&server.url("postgres"), options).await?;
        let mut standby = self.standby.lock().unwrap();
        if !self.hasty && standby.is_none() {
            let lags = server.standby();
            server.wait_for(&lags);
            lags.cut_off();
            *standby = Some(lags);
        }
        let mut copy = self.copy.lock().unwrap();
        if !self.hasty && copy.is_none() {
            *copy = Some(server.copy());
        }
        Ok(Arc::new(store))
    }

    async fn reopen(
        &self,
        store: Arc<dyn SessionStore>,
    ) -> Option<Result<Arc<dyn SessionStore>, StoreError>> {
        self.strike(Disaster::Kill, store).await
    }

    async fn strike(
        &self,
        disaster: Disaster,
        store: Arc<dyn SessionStore>,
    ) -> Option<Result<Arc<dyn SessionStore>, StoreError>> {
        let server = self.server();
        match disaster {
            Disaster::Kill => server.restart(),
            Disaster::PowerCut => server.cut_power(&self.copy.lock().unwrap().take()?),
            Disaster::Failover => {
                let standby = self.standby.lock().unwrap().take()?;
                server.kill();
                standby.promote();
                self.servers.lock().unwrap().push(Arc::new(standby));
                // The new primary's log is another.
                drop(self.copy.lock().unwrap().take());
            }
            _ => return None,
        }
        drop(store);
        Some(self.open().await)
    }

    async fn new_life(&self) -> bool {
        let url = self.server().url("postgres");
        PostgresStore::fence(&url, patient()).await.is_ok()
    }

    async fn cut(&self) -> bool {
        if self.hasty {
            self.server().freeze();
        }
        self.hasty
    }

    async fn mend(&self) {
        self.server().thaw();
    }

    fn block_on(&self, job: Job<'_>) {
        self.runtime.handle().block_on(job);
    }
}

/// `cut` needs short time-outs, which the races of the other rules must not have.
#[test]
fn postgres_keeps_every_rule() {
    let real = Real::new(false);
    real.runtime.block_on(async {
        let report = suite(&real).await;
        println!("{report}");
        assert!(report.is_clean(), "{report}\n{}", real.server().log());
        let left_out: Vec<_> = report.not_tried().map(|(rule, _)| rule).collect();
        let cannot = [
            "time_comes_with_the_value",
            "a_cut_load_is_an_error",
            "a_cut_swap_is_an_error",
        ];
        assert_eq!(left_out, cannot);
    });
}

#[test]
fn a_server_that_stands_still_is_an_error() {
    let real = Real::new(true);
    real.runtime.block_on(async {
        for rule in Rule::ALL {
            if rule.name().starts_with("a_cut_") {
                println!("{}: {:?}", rule.name(), rule.try_on(&real).await.unwrap());
            }
        }
    });
}

/// What the power cut is worth: commits that the server does not wait to sync are gone.
#[test]
fn a_power_cut_forgets_what_was_not_synced() {
    for (synchronous, all_kept) in [("off", false), ("on", true)] {
        let settings = [
            ("synchronous_commit", synchronous),
            ("wal_writer_delay", "10000"),
        ];
        let server = Postgres::start(&settings);
        server.sql("postgres", "CREATE TABLE marks (n int)");
        server.sql("postgres", "CHECKPOINT");
        let copy = server.copy();
        for n in 0..20 {
            server.sql("postgres", &format!("INSERT INTO marks VALUES ({n})"));
        }
        server.cut_power(&copy);
        let kept = server.sql("postgres", "SELECT count(*) FROM marks");
        println!("synchronous_commit {synchronous}: {kept} of 20 kept");
        assert_eq!(kept == "20", all_kept, "{synchronous}: {kept} kept");
    }
}
