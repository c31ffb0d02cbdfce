//! A tenant's limit is one record that all its sends share: what that costs on Redis.

use std::sync::Arc;
use std::time::Duration;

use countersign::{
    Channel, Destination, Limit, Policy, Recorder, SendError, SendRequest, StoreError, Tenant,
    Verifier,
};
use countersign_redis::{Options, RedisStore};
use tokio::task::JoinSet;

use super::keys;
use crate::parts::redis::Redis;

const SENDS: usize = 1024;

/// What became of all sends at once.
struct Rush {
    calls_a_send: f64,
    refused: usize,
}

/// From so many servers, each with a store of its own over the same Redis, each of which
/// has `at_once` sends on their way at any time.
#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
async fn rush(servers: usize, at_once: usize, tenant_sends: Option<Limit>) -> Rush {
    let redis = Redis::start(&[]);
    let mut options = Options::default();
    options.timeout = Duration::from_secs(30);
    let mut verifiers = Vec::new();
    for _ in 0..servers {
        let store = RedisStore::connect(&redis.url(), options.clone()).await;
        let mut policy = Policy::default();
        policy.tenant_sends = tenant_sends;
        let verifier = Verifier::builder(keys(), Arc::new(store.expect("it connects")))
            .policy(policy)
            .deliverer(Channel::Email, Arc::new(Recorder::new()));
        verifiers.push(Arc::new(verifier.build().expect("a valid policy")));
    }
    let before = calls(&redis);
    let mut people = JoinSet::new();
    let each = SENDS / servers / at_once;
    for (server, verifier) in verifiers.iter().enumerate() {
        for lane in 0..at_once {
            let verifier = Arc::clone(verifier);
            people.spawn(async move {
                let mut refused = 0;
                for n in 0..each {
                    refused +=
                        usize::from(!send(&verifier, &format!("p{server}.{lane}.{n}")).await);
                }
                refused
            });
        }
    }
    let refused = people.join_all().await.into_iter().sum();
    let calls_a_send = (calls(&redis) - before) as f64 / SENDS as f64;
    let limit = if tenant_sends.is_some() {
        "with"
    } else {
        "without"
    };
    println!(
        "{servers} servers of {at_once} sends at once, {limit} a tenant's limit: \
         {calls_a_send:.2} calls a send, {refused} of {SENDS} refused"
    );
    Rush {
        calls_a_send,
        refused,
    }
}

/// Whether it was sent; refused is one that found the record too busy.
async fn send(verifier: &Verifier, who: &str) -> bool {
    let tenant = Tenant::new("acme").expect("a name");
    let to = format!("{who}@example.com");
    let to = Destination::parse(Channel::Email, &to).expect("an address");
    let request = SendRequest::new(&tenant, Channel::Email, &to);
    match verifier.send(&request).await {
        Ok(_) => true,
        Err(SendError::Store(StoreError::Contended)) => false,
        Err(error) => panic!("{error}"),
    }
}

/// Calls of functions that clients have made.
fn calls(redis: &Redis) -> u64 {
    let stats = redis.info("commandstats", "cmdstat_fcall");
    let calls = stats
        .split(',')
        .find_map(|field| field.strip_prefix("calls="));
    calls.map_or(0, |calls| calls.parse().expect("a number"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenants_limit_on_one_server_and_on_four() {
    let limit = Some(Limit::new(10_000, 3600));
    for (servers, at_once) in [(1, 1), (1, 64), (4, 1), (4, 64)] {
        let free = rush(servers, at_once, None).await;
        assert_eq!(free.refused, 0, "nothing is shared");
        let shared = rush(servers, at_once, limit).await;
        if servers == 1 {
            assert_eq!(shared.refused, 0, "they queue in their own process");
            assert!(shared.calls_a_send <= free.calls_a_send + 3.0);
        }
    }
}
