//! One round trip a check, counted on the wire and by the servers.

use std::collections::BTreeMap;

use countersign_redis::RedisStore;

use crate::parts::proxy::Proxy;
use crate::parts::redis::Redis;
use crate::parts::redis::cluster::RedisCluster;
use crate::parts::redis::sentinel::RedisSentinel;
use crate::stage::{Desk, options, wrong};

const CHECKS: usize = 100;

/// What clients asked of a server, without what functions did inside it and what the
/// test and the servers ask of each other.
fn asked(redis: &Redis) -> BTreeMap<String, usize> {
    let stats = redis.cli(&["INFO", "commandstats"]);
    let calls = stats.lines().filter_map(|line| {
        let (name, rest) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
        let (calls, _) = rest.split_once(',')?;
        Some((name.to_owned(), calls.parse().ok()?))
    });
    let others = [
        "get",
        "set",
        "time",
        "info",
        "config|resetstat",
        "ping",
        "publish",
        "replconf",
        "psync",
        "config|get",
        "client|setname",
        "subscribe",
        "command|docs",
        "client|kill",
        "role",
    ];
    calls
        .filter(|(name, _)| !others.contains(&name.as_str()))
        .collect()
}

/// Half wrong, half right, one after the other.
async fn check(desk: &Desk) {
    let sent = desk.send(CHECKS / 2).await;
    for one in &sent {
        let verdict = desk.check(&one.id, wrong(&one.code)).await.unwrap();
        assert_eq!(verdict.attempts_remaining(), 4);
    }
    assert_eq!(desk.try_all(&sent).await, CHECKS / 2);
}

/// Sends beforehand; gives what the servers were asked while the checks were made.
async fn counted(url: &str, servers: &[&Redis]) -> BTreeMap<String, usize> {
    let store = RedisStore::connect(url, options()).await.unwrap();
    let desk = Desk::over(std::sync::Arc::new(store) as _);
    let sent = desk.send(CHECKS).await;
    for server in servers {
        assert_eq!(server.cli(&["CONFIG", "RESETSTAT"]), "OK");
    }
    assert_eq!(desk.try_all(&sent).await, CHECKS);
    let mut all = BTreeMap::new();
    for (name, calls) in servers.iter().flat_map(|server| asked(server)) {
        *all.entry(name).or_default() += calls;
    }
    all
}

fn only_one_call_each() -> BTreeMap<String, usize> {
    BTreeMap::from([("fcall".to_owned(), CHECKS)])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_is_one_round_trip_on_the_wire() {
    let redis = Redis::start(&[]);
    let proxy = Proxy::start(redis.port);
    let url = format!("redis://127.0.0.1:{}", proxy.port());
    let store = RedisStore::connect(&url, options()).await.unwrap();
    let desk = Desk::over(std::sync::Arc::new(store) as _);
    let sent = desk.send(CHECKS).await;
    let before = proxy.counts();
    assert_eq!(desk.try_all(&sent).await, CHECKS);
    let after = proxy.counts();
    let (trips, up) = (
        after.requests - before.requests,
        after.to_server - before.to_server,
    );
    println!(
        "{trips} round trips, {} bytes a check to the server",
        up / trips
    );
    assert_eq!(usize::try_from(trips), Ok(CHECKS));
    assert_eq!(after.connections, 1, "one connection for all");
    check(&desk).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_is_one_call_on_a_single_server() {
    let redis = Redis::start(&[]);
    assert_eq!(counted(&redis.url(), &[&redis]).await, only_one_call_each());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_is_one_call_under_sentinel() {
    let site = RedisSentinel::start();
    let servers: Vec<_> = site.servers[..1].iter().collect();
    assert_eq!(counted(&site.url(), &servers).await, only_one_call_each());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_is_one_call_in_a_cluster() {
    let cluster = RedisCluster::start(3);
    let nodes: Vec<_> = cluster.nodes.iter().collect();
    assert_eq!(counted(&cluster.url(), &nodes).await, only_one_call_each());
}
