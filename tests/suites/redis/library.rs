//! The library of functions, taken away and brought back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use countersign::{RecordKey, SessionStore, Verdict};
use countersign_redis::RedisStore;

use crate::parts::redis::Redis;
use crate::parts::redis::cluster::RedisCluster;
use crate::stage::{Desk, Sent, connect, library, options, wrong};

/// The least number of times that the libraries vanish.
const FLUSHES: usize = 20;

/// Three wrong guesses and the right one, on each session, while the libraries vanish from
/// under them: each time as soon as they are back. Gives flushes and sessions.
async fn nothing_is_lost_or_doubled(url: &str, servers: &[&Redis]) -> (usize, usize) {
    let store = connect(url, options()).await;
    let desk = Arc::new(Desk::over(store as _));
    let (done, flushes) = (AtomicBool::new(false), AtomicUsize::new(0));
    let handle = tokio::runtime::Handle::current();
    let (mut ends, mut sessions) = (Vec::new(), 0);
    std::thread::scope(|scope| {
        scope.spawn(|| flush(servers, &done, &flushes));
        tokio::task::block_in_place(|| {
            while flushes.load(Ordering::SeqCst) < FLUSHES && ends.is_empty() {
                let sent = handle.block_on(desk.send(40));
                sessions += sent.len();
                let tasks = sent.into_iter().map(|one| guess(Arc::clone(&desk), one));
                let tasks: Vec<_> = tasks.map(|task| handle.spawn(task)).collect();
                let failed = tasks.into_iter().map(|task| handle.block_on(task));
                ends.extend(failed.filter_map(Result::err));
            }
        });
        done.store(true, Ordering::SeqCst);
    });
    assert!(ends.is_empty(), "{ends:?}");
    (flushes.into_inner(), sessions)
}

fn flush(servers: &[&Redis], done: &AtomicBool, flushes: &AtomicUsize) {
    while !done.load(Ordering::SeqCst) {
        for server in servers {
            if server.cli(&["FUNCTION", "LIST"]).contains("countersign_") {
                assert_eq!(server.cli(&["FUNCTION", "FLUSH"]), "OK");
                flushes.fetch_add(1, Ordering::SeqCst);
            }
        }
    }
}

async fn guess(desk: Arc<Desk>, Sent { id, code }: Sent) {
    for left in [4, 3, 2] {
        let verdict = desk.check(&id, wrong(&code)).await.unwrap();
        assert_eq!(
            verdict,
            Verdict::WrongCode {
                attempts_remaining: left
            }
        );
    }
    assert!(desk.check(&id, &code).await.unwrap().is_verified());
    assert_eq!(desk.check(&id, &code).await.unwrap(), Verdict::AlreadyUsed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_flushed_library_is_loaded_again() {
    let redis = Redis::start(&[]);
    let (flushes, sessions) = nothing_is_lost_or_doubled(&redis.url(), &[&redis]).await;
    println!("{flushes} flushes during {} checks", sessions * 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_flushed_library_is_loaded_again_on_each_node_of_a_cluster() {
    let cluster = RedisCluster::start(3);
    let nodes: Vec<_> = cluster.nodes.iter().collect();
    let (flushes, sessions) = nothing_is_lost_or_doubled(&cluster.url(), &nodes).await;
    println!(
        "{flushes} flushes on 3 nodes during {} checks",
        sessions * 5
    );
}

/// Another release's library lies beside this one's: a fence renews both, and what is
/// loaded later has the same generation.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_releases_side_by_side_share_a_generation() {
    let redis = Redis::start(&[]);
    let other = "#!lua name=countersign_00000000\nlocal GENERATION = \
                 '00000000000000000000000000000000'\nredis.register_function('countersign_00000000_generation', \
                 function() return GENERATION end)";
    assert_eq!(
        redis.cli(&["FUNCTION", "LOAD", other]),
        "countersign_00000000"
    );
    let generation = || redis.cli(&["FCALL", "countersign_00000000_generation", "0"]);
    let store = connect(&redis.url(), options()).await;
    let life = async || store.load(RecordKey::SCRATCH).await.unwrap().incarnation;
    let first = life().await;
    RedisStore::fence(&redis.url(), options()).await.unwrap();
    let second = life().await;
    assert_ne!(first, second);
    assert_ne!(generation(), "0".repeat(32));
    let ours = library(&redis);
    assert_eq!(redis.cli(&["FUNCTION", "DELETE", &ours]), "OK");
    assert_eq!(life().await, second, "copied from the other release's");
}
