//! A68: more sessions than there is room for. What is over is swept as fast as it is made,
//! and a tenant's cap bounds what it can make.

use std::future::Future;
use std::sync::Arc;

use async_trait::async_trait;
use countersign::{
    Channel, DeliverError, Deliverer, Destination, FakeClock, KeyRing, Limit, LimitName,
    MemoryStore, Message, Policy, Receipt, SendError, SendRequest, SessionStore, Tenant, Timestamp,
    Verifier,
};
use countersign_sqlite::{Options, SqliteStore};
use tempfile::TempDir;

use super::bench::{Bench, Setup};
use super::stores::{Kind, on_every_store};
use crate::parts::ledger::{From, note};

/// Takes every message and keeps none: a million of them would be what fills the memory.
#[derive(Debug)]
struct Taker;

#[async_trait]
impl Deliverer for Taker {
    async fn deliver(&self, _: Message<'_>) -> Result<Receipt, DeliverError> {
        Ok(Receipt::new("taker"))
    }
}

/// A verifier on a store whose own clock is the test's: by that one it sweeps.
struct Site {
    verifier: Verifier,
    clock: Arc<FakeClock>,
    tenant: Tenant,
}

impl Site {
    fn new(store: impl FnOnce(Arc<FakeClock>) -> Arc<dyn SessionStore>) -> Self {
        let clock = Arc::new(FakeClock::at(Timestamp::from_secs(1_800_000_000)));
        let keys = KeyRing::generate().unwrap();
        let verifier = Verifier::builder(keys, store(Arc::clone(&clock)))
            .deliverer(Channel::Sms, Arc::new(Taker))
            .build()
            .unwrap();
        Self {
            verifier,
            clock,
            tenant: Tenant::new("acme").unwrap(),
        }
    }

    async fn send(&self, n: u32) {
        let to = Destination::parse_any(&format!("+49{}", 1_500_000_000 + n)).unwrap();
        let request = SendRequest::new(&self.tenant, Channel::Sms, &to);
        self.verifier.send(&request).await.unwrap();
    }

    /// So many sessions a day for ten days, each for somebody else: the most values that
    /// were held at the end of an hour.
    async fn ten_days(&self, a_day: u32, held: impl AsyncFn() -> usize) -> usize {
        let (mut most, hours) = (0, 240);
        for hour in 0..hours {
            for n in 0..a_day / 24 {
                self.send(hour * (a_day / 24) + n).await;
            }
            most = most.max(held().await);
            self.clock.advance_secs(3600);
        }
        most
    }
}

fn run(row: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(row);
}

fn long() -> bool {
    std::env::var_os("COUNTERSIGN_LONG").is_some()
}

/// A destination is kept for a day, as its limits need it. What ten days made is ten times
/// as much as what may be held.
fn assert_bounded(store: &str, a_day: u32, most: usize) {
    let of_a_day = usize::try_from(a_day).unwrap();
    assert!(most >= of_a_day, "{store}: {most} values are too few");
    assert!(
        most <= of_a_day + of_a_day / 8,
        "{store}: {most} values held, {of_a_day} are of the last day"
    );
    note(
        "a68",
        store,
        From::Inside,
        &format!("{} sessions in ten days", a_day * 10),
        &format!("at most {most} records at once"),
    );
}

#[test]
fn a68_sessions_in_memory_leave_no_more_than_a_day_s_behind() {
    run(async {
        let mut kept = None;
        let site = Site::new(|clock| {
            let store = Arc::new(MemoryStore::with_clock(clock));
            kept = Some(Arc::clone(&store));
            store
        });
        let (a_day, store) = (if long() { 100_008 } else { 10_008 }, kept.unwrap());
        let most = site.ten_days(a_day, async || store.len()).await;
        assert_bounded("memory", a_day, most);
    });
}

#[test]
fn a68_sessions_in_a_file_leave_no_more_than_a_day_s_behind() {
    run(async {
        let folder = TempDir::new().unwrap();
        let site = Site::new(|clock| {
            let mut options = Options::default();
            options.clock = clock;
            Arc::new(SqliteStore::open(folder.path().join("a68.db"), &options).unwrap())
        });
        let a_day = if long() { 100_008 } else { 480 };
        let store = Arc::clone(site.verifier.store());
        let held = async || store.scan(None, usize::MAX).await.unwrap().len();
        let most = site.ten_days(a_day, held).await;
        assert_bounded("SQLite", a_day, most);
    });
}

#[test]
fn a68_a_tenant_s_cap_bounds_what_it_fills() {
    on_every_store(|kind| async move {
        let mut policy = Policy::default();
        policy.tenant_sends = Some(Limit::new(100, 3600));
        let setup = Setup {
            policy,
            ..Setup::default()
        };
        let bench = Bench::with(kind, setup).await;
        let tries = match kind {
            Kind::Memory => 1000,
            _ => 150,
        };
        let (mut left, mut refused) = (0, 0);
        for n in 0..tries {
            match bench.send(&format!("+4740{n:06}")).await {
                Ok(_) => left += 1,
                Err(SendError::Throttled { limit, retry_after }) => {
                    assert_eq!(limit, LimitName::TenantSends, "{kind:?}");
                    assert!((1..=3600).contains(&retry_after), "{kind:?}");
                    refused += 1;
                }
                Err(error) => panic!("{kind:?}: {error}"),
            }
        }
        assert_eq!((left, refused), (100, tries - 100), "{kind:?}");
        // Redis does not list its keys.
        if let Ok(held) = bench.counted.scan(None, usize::MAX).await {
            // Each message's destination, and the tenant's own count.
            assert_eq!(
                held.len(),
                101,
                "{kind:?}: nothing is kept of what was refused"
            );
        }
    });
}
