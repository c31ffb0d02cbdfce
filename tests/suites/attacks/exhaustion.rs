//! A68: more sessions than there is room for. What is over is swept as fast as it is made,
//! and a tenant's cap bounds what it can make.

use std::sync::Arc;

use async_trait::async_trait;
use countersign::{
    Channel, DeliverError, Deliverer, Destination, KeyRing, Limit, LimitName, Message, Policy,
    Receipt, SendError, SendRequest, SessionStore, Tenant, Verifier,
};

use super::bench::{Bench, Setup};
use super::movable::Movable;
use super::stores::{Kind, on_every_store};
use crate::parts::long::long;

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
    kind: Kind,
    store: Movable,
    verifier: Verifier,
    tenant: Tenant,
}

impl Site {
    async fn on(kind: Kind) -> Self {
        let store = Movable::start(kind, 1).await;
        let keys = KeyRing::generate().unwrap();
        let verifier = Verifier::builder(keys, Arc::clone(&store.handles[0]))
            .deliverer(Channel::Sms, Arc::new(Taker))
            .build()
            .unwrap();
        Self {
            kind,
            store,
            verifier,
            tenant: Tenant::new("acme").unwrap(),
        }
    }

    async fn send(&self, n: u32) {
        let to = Destination::parse_any(&format!("+49{}", 1_500_000_000 + n)).unwrap();
        let request = SendRequest::new(&self.tenant, Channel::Sms, &to);
        self.verifier.send(&request).await.unwrap();
    }

    /// So many sessions a day for some days, each for somebody else: the most values that
    /// were held at the end of an hour. The last day ends at the time at which the first would
    /// have begun, for Redis expires its keys by no other.
    async fn days(&self, days: i64, a_day: u32) -> usize {
        let (mut most, hours) = (0, 24 * days);
        self.store.wind(-hours * HOUR);
        let hours = u32::try_from(hours).unwrap();
        for hour in self.kind.each_of("a68, hours", hours) {
            for n in 0..a_day / 24 {
                self.send(hour * (a_day / 24) + n).await;
            }
            most = most.max(self.store.held().await);
            self.store.wind(HOUR);
        }
        most
    }
}

/// In milliseconds.
const HOUR: i64 = 3_600_000;

/// For how many days, and how many sessions a day: what is over shows in few.
fn many(kind: Kind) -> (i64, u32) {
    match (kind, long()) {
        (Kind::Memory | Kind::Sqlite, true) => (10, 100_008),
        (Kind::Memory, false) => (10, 10_008),
        (Kind::Redis | Kind::Postgres, true) => (10, 4800),
        (Kind::Sqlite, false) => (10, 480),
        (Kind::Redis | Kind::Postgres, false) => (3, 480),
    }
}

/// A destination is kept for a day, as its limits need it, and by Redis for an hour more. What
/// some days made is as many times as much as what may be held.
#[test]
fn a68_sessions_leave_no_more_than_a_day_s_behind() {
    on_every_store(|kind| async move {
        let (site, (days, a_day)) = (Site::on(kind).await, many(kind));
        let most = site.days(days, a_day).await;
        let of_a_day = usize::try_from(a_day).unwrap();
        assert!(most >= of_a_day, "{kind}: {most} values are too few");
        assert!(
            most <= of_a_day + of_a_day / 8,
            "{kind}: {most} values held, {of_a_day} are of the last day"
        );
        if matches!(kind, Kind::Redis) {
            let left = site.store.forgets_within().expect("every key has its end");
            let longest = u64::try_from(25 * HOUR).unwrap();
            assert!(left <= longest, "{kind}: a key is kept for {left} ms");
        }
        let tried = format!("{a_day} sessions a day for {days} days");
        kind.note("a68", &tried, &format!("at most {most} records at once"));
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
