//! A57, A58: codes that were used before writes were lost: none is accepted again, unless the fence
//! is off, which shows that it is the fence that refuses them. Nor has a session more guesses than
//! its attempts.

use std::sync::Arc;
use std::time::Duration;

use countersign::Stopwatch;
use countersign_redis::{Options, RedisStore};

use crate::parts::guesses::{ATTEMPTS, Compared, Guesses};
use crate::parts::ledger::{From, note};
use crate::parts::long::{long, progress};
use crate::parts::redis::Redis;
use crate::parts::redis::sentinel::RedisSentinel;
use crate::stage::{Desk, Sent, connect, options, unfenced};

const CODES: usize = 200;
/// Sessions that are guessed at, before each failover and after it.
const GUESSED: usize = 20;

fn rounds(run: usize) -> usize {
    if long() { 200 } else { run }
}

async fn desk(url: &str, options: Options) -> Desk {
    Desk::over(connect(url, options).await as _)
}

/// Opens codes, does something to the server, uses all of them up.
async fn used_after(desk: &Desk, before: impl FnOnce()) -> Vec<Sent> {
    let codes = desk.send(CODES).await;
    before();
    assert_eq!(desk.try_all(&codes).await, CODES, "each is right once");
    assert_eq!(desk.try_all(&codes).await, 0, "and never again");
    codes
}

/// Tries the used codes through the same store, which must find its way back by itself.
async fn accepted_again(desk: &Desk, codes: &[Sent]) -> usize {
    let watch = Stopwatch::start();
    while let Err(error) = desk.check(&codes[0].id, "0000").await {
        assert!(watch.elapsed() < Duration::from_secs(20), "{error}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    desk.try_all(codes).await
}

async fn restarted_from_a_snapshot(options: Options) -> usize {
    let redis = Redis::start(&[]);
    let save = || assert_eq!(redis.cli(&["SAVE"]), "OK");
    let desk = desk(&redis.url(), options).await;
    let codes = used_after(&desk, save).await;
    redis.restart();
    accepted_again(&desk, &codes).await
}

async fn demoted_and_promoted_again(options: Options) -> usize {
    let at_once = ["--repl-diskless-sync-delay", "0"];
    let redis = Redis::start(&at_once);
    let of = format!("127.0.0.1 {}", redis.port);
    // From the start: the first replica that joins makes the primary change its id.
    let other = Redis::start(&["--replicaof", &of, at_once[0], at_once[1]]);
    follow(&other);
    // The other leaves with what is there before the codes are used.
    let leave = || {
        let offset = |server: &Redis| server.info("replication", "master_repl_offset");
        let watch = Stopwatch::start();
        while offset(&redis) != offset(&other) {
            assert!(watch.elapsed() < Duration::from_secs(20), "never in step");
        }
        other.cli(&["REPLICAOF", "NO", "ONE"]);
    };
    let desk = desk(&redis.url(), options).await;
    let codes = used_after(&desk, leave).await;
    redis.cli(&["REPLICAOF", "127.0.0.1", &other.port.to_string()]);
    follow(&redis);
    redis.cli(&["REPLICAOF", "NO", "ONE"]);
    accepted_again(&desk, &codes).await
}

fn follow(replica: &Redis) {
    let watch = Stopwatch::start();
    while replica.info("replication", "master_link_status") != "up" {
        assert!(watch.elapsed() < Duration::from_secs(20), "no replica");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Three of four guesses are lost with the primary, and the used codes.
async fn failed_over_to_a_cut_replica(options: Options) -> (usize, Compared) {
    let site = RedisSentinel::start();
    let desk = desk(&site.url(), options).await;
    let mut guesses = Guesses::open(&desk.verifier, &desk.tenant, "guessed", GUESSED).await;
    guesses.guess(1).await;
    let codes = used_after(&desk, || site.cut_replica()).await;
    guesses.guess(3).await;
    site.fail_over();
    let accepted = accepted_again(&desk, &codes).await;
    guesses.guess_to_the_end().await;
    (accepted, guesses.count().await)
}

/// Notes that of all used codes none was accepted again.
fn tell(row: &str, rounds: usize, what: &str, without: usize) {
    let tried = format!("{rounds} {what}, {} used codes", rounds * CODES);
    let showed = format!("0 accepted again; {without} of {CODES} without the fence");
    note(row, "Redis", From::Inside, &tried, &showed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a57_a_restart_from_a_snapshot_accepts_no_used_code() {
    let rounds = rounds(5);
    let mut accepted = 0;
    for round in 1..=rounds {
        accepted += restarted_from_a_snapshot(options()).await;
        progress("restarts from a snapshot", round, rounds);
    }
    let without = restarted_from_a_snapshot(unfenced()).await;
    assert_eq!(accepted, 0);
    assert!(without > 0, "the test would not see it");
    tell("a57", rounds, "restarts from a snapshot", without);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a58_a_primary_promoted_again_accepts_no_used_code() {
    let rounds = rounds(5);
    let mut accepted = 0;
    for round in 1..=rounds {
        accepted += demoted_and_promoted_again(options()).await;
        progress("promotions of a demoted primary", round, rounds);
    }
    let without = demoted_and_promoted_again(unfenced()).await;
    assert_eq!(accepted, 0);
    assert!(without > 0, "the test would not see it");
    tell("a58", rounds, "promotions of a demoted primary", without);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a58_a_failover_to_a_cut_replica_accepts_no_used_code_and_no_sixth_guess() {
    let rounds = rounds(3);
    let (mut accepted, mut compared) = (0, Compared::default());
    let what = "failovers to a replica that was cut off";
    for round in 1..=rounds {
        let (again, guesses) = failed_over_to_a_cut_replica(options()).await;
        accepted += again;
        compared += guesses;
        progress(what, round, rounds);
    }
    let without = failed_over_to_a_cut_replica(unfenced()).await;
    assert_eq!(accepted, 0);
    assert!(compared.most <= ATTEMPTS, "{compared:?}");
    let seen = without.0 > 0 && without.1.most > ATTEMPTS;
    assert!(seen, "the test would not see it: {without:?}");
    tell("a58", rounds, what, without.0);
    compared.tell("a58", "Redis", &format!("{rounds} {what}"), without.1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renewed_fence_ends_what_was_open() {
    let redis = Redis::start(&[]);
    let store = connect(&redis.url(), options()).await;
    let desk = Desk::over(Arc::clone(&store) as _);
    let before = desk.send(20).await;
    RedisStore::fence(&redis.url(), options()).await.unwrap();
    assert_eq!(desk.try_all(&before).await, 0);
    let after = desk.send(20).await;
    assert_eq!(desk.try_all(&after).await, 20);
}
