//! A59: a server whose memory is full: it refuses writes, and evicts nothing.

use countersign::{StoreError, Verdict};

use crate::parts::ledger::{From, note};
use crate::parts::redis::Redis;
use crate::stage::{Desk, connect, options, wrong};

const SESSIONS: usize = 100;

/// Leaves the server no memory for anything new.
fn fill(redis: &Redis) {
    assert_eq!(redis.cli(&["CONFIG", "SET", "maxmemory", "1"]), "OK");
}

fn make_room(redis: &Redis) {
    assert_eq!(redis.cli(&["CONFIG", "SET", "maxmemory", "0"]), "OK");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a59_a_full_memory_approves_nothing_and_gives_no_guess_back() {
    let redis = Redis::start(&["--maxmemory-policy", "noeviction"]);
    let desk = Desk::over(connect(&redis.url(), options()).await as _);
    let sent = desk.send(SESSIONS).await;
    for one in &sent {
        let verdict = desk.check(&one.id, wrong(&one.code)).await.unwrap();
        assert_eq!(verdict.attempts_remaining(), 4);
    }
    fill(&redis);
    let (mut refused, mut charged) = (0, Vec::new());
    for one in &sent {
        let mut told = 0;
        for guess in [wrong(&one.code), &one.code] {
            match desk.check(&one.id, guess).await {
                Err(StoreError::Unavailable { .. } | StoreError::Indeterminate { .. }) => {
                    refused += 1;
                }
                Ok(Verdict::WrongCode { .. }) => told += 1,
                other => panic!("approved or worse in a full memory: {other:?}"),
            }
        }
        charged.push(told);
    }
    assert_eq!(redis.info("stats", "evicted_keys"), "0");
    make_room(&redis);
    for (one, told) in sent.iter().zip(&charged) {
        let verdict = desk.check(&one.id, wrong(&one.code)).await.unwrap();
        assert!(
            verdict.attempts_remaining() <= 3 - told,
            "{verdict:?} after {told} more"
        );
        let verdict = desk.check(&one.id, &one.code).await.unwrap();
        assert!(verdict.is_verified(), "{verdict:?}");
    }
    let held: usize = redis.cli(&["DBSIZE"]).parse().unwrap();
    assert!(held >= SESSIONS, "{held} values of {SESSIONS}");
    note(
        "a59",
        "Redis",
        From::Inside,
        &format!("{} checks in a full memory", 2 * SESSIONS),
        &format!("{refused} refused, 0 evicted, no guess given back"),
    );
}
