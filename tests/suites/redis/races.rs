//! A01 to A03: many at once on real threads, at one store and at four over the same data.

use std::sync::Arc;

use countersign::{Stopwatch, Verdict};

use crate::parts::long::{long, progress};
use crate::parts::redis::Redis;
use crate::parts::redis::cluster::RedisCluster;
use crate::stage::{Desk, Sent, connect, options};

const AT_ONCE: usize = 256;

fn rounds() -> usize {
    if long() { 1000 } else { 100 }
}

/// Checks all of these at once, spread over the desks.
async fn at_once(desks: &[Arc<Desk>], sent: &Sent, codes: Vec<String>) -> Vec<Verdict> {
    let check = |(n, code): (usize, String)| {
        let (desk, id) = (Arc::clone(&desks[n % desks.len()]), sent.id.clone());
        tokio::spawn(async move { desk.check(&id, &code).await.unwrap() })
    };
    let tasks: Vec<_> = codes.into_iter().enumerate().map(check).collect();
    let mut verdicts = Vec::with_capacity(tasks.len());
    for task in tasks {
        verdicts.push(task.await.unwrap());
    }
    verdicts
}

/// Of 256 wrong guesses five are compared.
async fn five_are_compared(desks: &[Arc<Desk>]) {
    let sent = desks[0].send(1).await.remove(0);
    let right: usize = sent.code.parse().unwrap();
    let wrong = |n| format!("{:06}", (right + 1 + n) % 1_000_000);
    let verdicts = at_once(desks, &sent, (0..AT_ONCE).map(wrong).collect()).await;
    let left = |verdict: &Verdict| match verdict {
        Verdict::WrongCode { attempts_remaining } => Some(*attempts_remaining),
        _ => None,
    };
    let mut left: Vec<_> = verdicts.iter().filter_map(left).collect();
    left.sort_unstable();
    assert_eq!(left, [1, 2, 3, 4]);
    let ended = verdicts.iter().filter(|one| **one == Verdict::Exhausted);
    assert_eq!(
        ended.count(),
        AT_ONCE - 4,
        "the fifth and all that came late"
    );
    let late = desks[0].check(&sent.id, &sent.code).await.unwrap();
    assert!(!late.is_verified(), "no attempt was left");
}

/// Of 256 right answers one is approved.
async fn one_is_approved(desks: &[Arc<Desk>]) {
    let sent = desks[0].send(1).await.remove(0);
    let verdicts = at_once(desks, &sent, vec![sent.code.clone(); AT_ONCE]).await;
    let approved = verdicts.iter().filter(|verdict| verdict.is_verified());
    assert_eq!(approved.count(), 1);
}

async fn race(what: &str, url: &str, stores: usize) {
    let mut desks = Vec::new();
    for _ in 0..stores {
        desks.push(Arc::new(Desk::over(connect(url, options()).await as _)));
    }
    let (clock, rounds) = (Stopwatch::start(), rounds());
    for round in 0..rounds {
        progress(what, round, rounds);
        five_are_compared(&desks).await;
        one_is_approved(&desks).await;
    }
    println!(
        "{what}: {rounds} rounds x 2 x {AT_ONCE} on {stores} stores in {} ms",
        clock.elapsed_millis()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a01_a02_on_one_store() {
    race("Redis", &Redis::start(&[]).url(), 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a03_on_four_stores_of_one_server() {
    race("Redis", &Redis::start(&[]).url(), 4).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a03_on_four_stores_of_one_cluster() {
    race("Redis Cluster", &RedisCluster::start(3).url(), 4).await;
}
