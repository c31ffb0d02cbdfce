//! What one send and one check ask of each store: records, round trips, commits.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use countersign::record::{Action, Effect, Step};
use countersign::store::{Entry, Incarnation, Loaded, Swap};
use countersign::{
    Channel, CheckRequest, Destination, Limit, MemoryStore, Policy, RecordKey, Recorder,
    SendRequest, SessionStore, StoreError, Tenant, Verifier,
};
use countersign_postgres::{Options as PostgresOptions, PostgresStore};
use countersign_redis::{Options as RedisOptions, RedisStore};
use countersign_sqlite::{Options as SqliteOptions, SqliteStore};

use super::keys;
use crate::parts::postgres::Postgres;
use crate::parts::proxy::Proxy;
use crate::parts::redis::Redis;

const V4: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
const V6: IpAddr = IpAddr::V6(std::net::Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, 1));

/// What is asked for, with what.
#[derive(Clone, Copy)]
struct Call {
    name: &'static str,
    is_send: bool,
    source: Option<IpAddr>,
    tenant_limit: bool,
    idempotency_key: bool,
}

/// The page's table: steps, and how many of them change something; round trips to Redis
/// and to PostgreSQL; commits in SQLite.
const PAGE: [(Call, [u64; 5]); 8] = [
    (send("send"), [3, 2, 5, 5, 2]),
    (from(send("send, IPv4 named"), V4), [5, 3, 8, 8, 3]),
    (from(send("send, IPv6 named"), V6), [7, 4, 11, 11, 4]),
    (limited(send("send, tenant limit")), [5, 3, 8, 8, 3]),
    (keyed(send("send, idempotency key")), [5, 4, 9, 9, 4]),
    (
        keyed(limited(from(send("send, all of these"), V6))),
        [11, 7, 18, 18, 7],
    ),
    (check("check"), [1, 1, 1, 2, 1]),
    (from(check("check, IPv4 named"), V4), [2, 2, 3, 4, 2]),
];

const fn send(name: &'static str) -> Call {
    Call {
        name,
        is_send: true,
        source: None,
        tenant_limit: false,
        idempotency_key: false,
    }
}

const fn check(name: &'static str) -> Call {
    let is_send = false;
    Call {
        is_send,
        ..send(name)
    }
}

const fn from(call: Call, source: IpAddr) -> Call {
    let source = Some(source);
    Call { source, ..call }
}

const fn limited(call: Call) -> Call {
    let tenant_limit = true;
    Call {
        tenant_limit,
        ..call
    }
}

const fn keyed(call: Call) -> Call {
    let idempotency_key = true;
    Call {
        idempotency_key,
        ..call
    }
}

/// A verifier with a tenant's limit and one without, over the same store.
struct Desk {
    free: Verifier,
    limited: Verifier,
    recorder: Arc<Recorder>,
    tenant: Tenant,
}

impl Desk {
    fn over(store: &Arc<dyn SessionStore>) -> Self {
        let recorder = Arc::new(Recorder::new());
        let verifier = |tenant_sends| {
            let mut policy = Policy::default();
            policy.tenant_sends = tenant_sends;
            let built = Verifier::builder(keys(), Arc::clone(store))
                .policy(policy)
                .deliverer(Channel::Email, recorder.clone())
                .build();
            built.expect("a valid policy")
        };
        Self {
            free: verifier(None),
            limited: verifier(Some(Limit::new(1000, 3600))),
            recorder,
            tenant: Tenant::new("acme").expect("a name"),
        }
    }

    /// Sends to somebody new and gives the session's id.
    async fn send(&self, call: Call, who: &str) -> String {
        let to = format!("{who}@example.com");
        let to = Destination::parse(Channel::Email, &to).expect("an address");
        let mut request = SendRequest::new(&self.tenant, Channel::Email, &to);
        request.end_user_ip = call.source;
        request.idempotency_key = call.idempotency_key.then_some(who);
        let verifier = if call.tenant_limit {
            &self.limited
        } else {
            &self.free
        };
        let sent = verifier.send(&request).await.expect("it is sent");
        sent.session_id.to_string()
    }

    /// How much `counted` grows by one call, once everything has been warmed up.
    async fn growth(&self, call: Call, counted: impl Fn() -> u64) -> u64 {
        // The least of a few: a sweep or a connection made anew is no part of a call.
        let mut least = u64::MAX;
        for who in ["warm", "one", "another", "third"] {
            let who = format!(
                "{who}{}",
                call.name.replace(|c: char| !c.is_ascii_alphanumeric(), "")
            );
            let grown = if call.is_send {
                let before = counted();
                self.send(call, &who).await;
                counted() - before
            } else {
                let id = self.send(send(call.name), &who).await;
                let code = self.recorder.last_code().expect("a code");
                let mut request = CheckRequest::new(&self.tenant, &id, &code);
                request.end_user_ip = call.source;
                let before = counted();
                let verdict = self.free.check(&request).await.expect("a verdict");
                assert!(verdict.is_verified());
                counted() - before
            };
            least = least.min(grown);
        }
        least
    }

    /// `slack` is for what is counted on a wire, where two waves of bytes may look like one
    /// when the machine is busy, or one like two.
    async fn assert_page(&self, what: &str, column: usize, slack: u64, counted: impl Fn() -> u64) {
        let mut rows = Vec::new();
        for (call, page) in PAGE {
            let grown = self.growth(call, &counted).await;
            println!("{}: {grown} {what}", call.name);
            rows.push((call.name, grown, page[column]));
        }
        let wrong: Vec<_> = rows
            .iter()
            .filter(|(_, grown, page)| grown.abs_diff(*page) > slack)
            .collect();
        assert!(
            wrong.is_empty(),
            "{what}, counted and on the page: {wrong:?}"
        );
    }
}

/// A memory store that counts the steps it is asked to take.
#[derive(Debug, Default)]
struct Counting {
    store: MemoryStore,
    steps: AtomicU64,
    changes: AtomicU64,
}

#[async_trait]
impl SessionStore for Counting {
    async fn load(&self, key: RecordKey) -> Result<Loaded, StoreError> {
        self.store.load(key).await
    }

    async fn swap(
        &self,
        key: RecordKey,
        seen: Option<&[u8]>,
        next: Entry<'_>,
        incarnation: Incarnation,
    ) -> Result<Swap, StoreError> {
        self.store.swap(key, seen, next, incarnation).await
    }

    async fn apply(&self, key: RecordKey, step: &Step) -> Result<Effect, StoreError> {
        self.steps.fetch_add(1, Ordering::SeqCst);
        let peeks = matches!(step.action, Action::PeekOpen(_) | Action::PeekCharge(_));
        self.changes.fetch_add(u64::from(!peeks), Ordering::SeqCst);
        self.store.apply(key, step).await
    }
}

#[tokio::test]
async fn steps_of_a_send_and_a_check() {
    let counting = Arc::new(Counting::default());
    let desk = Desk::over(&(Arc::clone(&counting) as Arc<dyn SessionStore>));
    let steps = || counting.steps.load(Ordering::SeqCst);
    desk.assert_page("steps", 0, 0, steps).await;
    let counting = Arc::new(Counting::default());
    let desk = Desk::over(&(Arc::clone(&counting) as Arc<dyn SessionStore>));
    let changes = || counting.changes.load(Ordering::SeqCst);
    desk.assert_page("steps that change something", 1, 0, changes)
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn round_trips_to_redis() {
    let server = Redis::start(&[]);
    let proxy = Proxy::start(server.port);
    let url = format!("redis://127.0.0.1:{}", proxy.port());
    let store = RedisStore::connect(&url, RedisOptions::default()).await;
    let desk = Desk::over(&(Arc::new(store.expect("it connects")) as Arc<dyn SessionStore>));
    let trips = || proxy.counts().requests;
    desk.assert_page("round trips to Redis", 2, 1, trips).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn round_trips_to_postgres() {
    let server = Postgres::start(&[]);
    let proxy = Proxy::start(server.port);
    let port = |port: u16| format!(":{port}/");
    let url = server
        .url("postgres")
        .replace(&port(server.port), &port(proxy.port()));
    let mut options = PostgresOptions::default();
    options.acquire_timeout = Duration::from_secs(60);
    options.statement_timeout = Duration::from_secs(60);
    let store = PostgresStore::connect(&url, options).await;
    let desk = Desk::over(&(Arc::new(store.expect("it connects")) as Arc<dyn SessionStore>));
    let trips = || proxy.counts().requests;
    desk.assert_page("round trips to PostgreSQL", 3, 2, trips)
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commits_in_sqlite() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("records.db");
    let store = SqliteStore::open(path, &SqliteOptions::default());
    let store = Arc::new(store.expect("it opens"));
    let desk = Desk::over(&(Arc::clone(&store) as Arc<dyn SessionStore>));
    desk.assert_page("commits in SQLite", 4, 0, || store.commits())
        .await;
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}
