//! Servers that do not answer, die, or hand over: never an approval by mistake, never an
//! absent value, and everything goes on by itself.

use std::sync::Arc;
use std::time::Duration;

use countersign::{RecordKey, SessionStore, Stopwatch, StoreError};

use crate::parts::proxy::{End, Fault, Proxy};
use crate::parts::redis::Redis;
use crate::parts::redis::cluster::RedisCluster;
use crate::parts::redis::sentinel::RedisSentinel;
use crate::stage::{Desk, connect, options, wrong};

/// Tries until the store answers again.
async fn recovered(store: &dyn SessionStore) {
    let watch = Stopwatch::start();
    while let Err(error) = store.load(RecordKey::SCRATCH).await {
        assert!(watch.elapsed() < Duration::from_secs(20), "{error}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_server_leaves_a_check_in_doubt_and_a_load_not() {
    let redis = Redis::start(&[]);
    let mut options = options();
    options.timeout = Duration::from_millis(700);
    let store = connect(&redis.url(), options).await;
    let desk = Desk::over(Arc::clone(&store) as _);
    let sent = desk.send(2).await;
    redis.pause();
    let doubt = desk.check(&sent[0].id, wrong(&sent[0].code)).await;
    assert!(
        matches!(doubt, Err(StoreError::Indeterminate { .. })),
        "{doubt:?}"
    );
    let load = store.load(RecordKey::SCRATCH).await;
    assert!(
        matches!(load, Err(StoreError::Unavailable { .. })),
        "{load:?}"
    );
    redis.resume();
    recovered(store.as_ref()).await;
    // The guess that was in doubt was charged, once.
    let verdict = desk.check(&sent[0].id, wrong(&sent[0].code)).await.unwrap();
    assert_eq!(verdict.attempts_remaining(), 3);
    assert!(
        desk.check(&sent[1].id, &sent[1].code)
            .await
            .unwrap()
            .is_verified()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_server_is_unavailable_and_found_again() {
    let redis = Redis::start(&[]);
    let store = connect(&redis.url(), options()).await;
    let desk = Desk::over(Arc::clone(&store) as _);
    let sent = desk.send(1).await;
    redis.kill();
    // The first may have been sent just before the end was noticed.
    drop(desk.check(&sent[0].id, &sent[0].code).await.unwrap_err());
    let gone = desk.check(&sent[0].id, &sent[0].code).await;
    assert!(
        matches!(gone, Err(StoreError::Unavailable { .. })),
        "{gone:?}"
    );
    redis.launch();
    recovered(store.as_ref()).await;
    let sent = desk.send(3).await;
    assert_eq!(desk.try_all(&sent).await, 3);
}

/// The answer is lost after the server has charged: the same check is not sent again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_whose_answer_is_lost_is_charged_once() {
    let redis = Redis::start(&[]);
    let proxy = Proxy::start(redis.port);
    let url = format!("redis://127.0.0.1:{}", proxy.port());
    let desk = Desk::over(connect(&url, options()).await as _);
    for end in [End::Close, End::Reset] {
        let sent = desk.send(1).await;
        let (id, code) = (&sent[0].id, &sent[0].code);
        proxy.strike(1, Fault::CutAfter(end));
        let doubt = desk.check(id, wrong(code)).await;
        assert!(
            matches!(doubt, Err(StoreError::Indeterminate { .. })),
            "{doubt:?}"
        );
        let verdict = desk.check(id, wrong(code)).await.unwrap();
        assert_eq!(verdict.attempts_remaining(), 3, "two guesses, two charges");
        proxy.strike(1, Fault::CutAfter(end));
        let doubt = desk.check(id, code).await;
        assert!(
            matches!(doubt, Err(StoreError::Indeterminate { .. })),
            "{doubt:?}"
        );
        let verdict = desk.check(id, code).await.unwrap();
        assert_eq!(verdict.reason(), "already_used");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failover_is_followed() {
    let site = RedisSentinel::start();
    let store = connect(&site.url(), options()).await;
    let desk = Desk::over(Arc::clone(&store) as _);
    for _ in 0..2 {
        let sent = desk.send(3).await;
        assert_eq!(desk.try_all(&sent).await, 3);
        site.fail_over();
        recovered(store.as_ref()).await;
        site.bring_back();
    }
    let sent = desk.send(3).await;
    assert_eq!(desk.try_all(&sent).await, 3);
}

/// Every slot moves from one node to another while checks go on: redirections are followed
/// in both forms, and no guess is lost or charged twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_moving_slot_is_followed() {
    let cluster = RedisCluster::start(3);
    let store = connect(&cluster.url(), options()).await;
    let desk = Desk::over(store as _);
    let sent = desk.send(40).await;
    for one in &sent {
        let verdict = desk.check(&one.id, wrong(&one.code)).await.unwrap();
        assert_eq!(verdict.attempts_remaining(), 4);
    }
    let (from, to) = (&cluster.nodes[0], &cluster.nodes[1]);
    let names = from.cli(&["KEYS", "cs:*"]);
    let moved = RedisCluster::move_keys(from, to, &names);
    assert!(moved > 3, "{moved} keys on the first node");
    // Codes of another server are expired, and nothing is approved or charged.
    let (mut verified, mut expired) = (0, 0);
    for one in &sent {
        let verdict = desk.check(&one.id, &one.code).await.unwrap();
        verified += usize::from(verdict.is_verified());
        expired += usize::from(verdict.reason() == "expired");
    }
    assert_eq!((verified, expired), (40 - moved, moved));
    let sent = desk.send(40).await;
    assert_eq!(desk.try_all(&sent).await, 40);
}
