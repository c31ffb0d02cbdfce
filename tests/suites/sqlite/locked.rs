//! A file that another process has locked, and time that passes meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use countersign::{CheckError, Clock, FakeClock, StoreError, Timestamp, Verdict};
use rusqlite::Connection;

use crate::bench::{Bench, poll_once};

const START: Timestamp = Timestamp::from_secs(1_700_000_000);
const LIFETIME: u64 = 300;

fn stopped() -> Arc<FakeClock> {
    Arc::new(FakeClock::at(START))
}

/// Waits in the writer while `secs` pass; then the verdict.
async fn check_behind_a_lock(secs: u64) -> Verdict {
    let (folder, clock) = (tempfile::tempdir().unwrap(), stopped());
    let path = folder.path().join("countersign.db");
    let bench = Bench::on_clock(&path, clock.clone());
    let session = bench.send("bob").await.unwrap();
    let lock = Connection::open(&path).unwrap();
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut call = Box::pin(bench.check(&session.id, &session.code));
    poll_once(&mut call).await;
    clock.advance_secs(secs);
    lock.execute_batch("ROLLBACK").unwrap();
    call.await.unwrap()
}

#[tokio::test]
async fn a19_a_check_that_waits_for_the_lock_past_its_expiry_is_not_approved() {
    assert!(check_behind_a_lock(LIFETIME - 1).await.is_verified());
    assert_eq!(check_behind_a_lock(LIFETIME).await, Verdict::Expired);
}

/// Once armed, it is read once more, and then a lifetime has passed.
#[derive(Debug)]
struct Jump(AtomicU64);

impl Clock for Jump {
    fn now(&self) -> Timestamp {
        let reads = self.0.load(Ordering::SeqCst);
        if reads > 0 {
            self.0.store(reads + 1, Ordering::SeqCst);
        }
        if reads > 1 {
            START.plus_secs(LIFETIME)
        } else {
            START
        }
    }
}

#[tokio::test]
async fn a19_an_approval_whose_commit_ends_past_the_expiry_is_withheld() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(Jump(AtomicU64::new(0)));
    let bench = Bench::on_clock(&folder.path().join("countersign.db"), clock.clone());
    let session = bench.send("bob").await.unwrap();
    clock.0.store(1, Ordering::SeqCst);
    assert_eq!(
        bench.check(&session.id, &session.code).await.unwrap(),
        Verdict::Expired
    );
    // It had been judged in time and stays used, though nobody was told.
    clock.0.store(0, Ordering::SeqCst);
    assert_eq!(
        bench.check(&session.id, &session.code).await.unwrap(),
        Verdict::AlreadyUsed
    );
}

#[tokio::test]
async fn a61_a_busy_file_approves_nothing_and_charges_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("countersign.db");
    let bench = Bench::on_clock(&path, stopped());
    let session = bench.send("bob").await.unwrap();
    assert_eq!(
        bench
            .check(&session.id, &session.wrong())
            .await
            .unwrap()
            .attempts_remaining(),
        4
    );
    let lock = Connection::open(&path).unwrap();
    lock.execute_batch("BEGIN EXCLUSIVE").unwrap();
    for code in [session.code.clone(), session.wrong()] {
        let error = bench.check(&session.id, &code).await.unwrap_err();
        assert!(
            matches!(error, CheckError::Store(StoreError::Unavailable { .. })),
            "{error}"
        );
        assert!(
            error
                .to_string()
                .contains("another process keeps it locked"),
            "{error}"
        );
    }
    assert!(bench.send("eve").await.is_err());
    assert_eq!(
        bench.recorder.len(),
        1,
        "no message leaves without its session"
    );
    lock.execute_batch("ROLLBACK").unwrap();
    assert_eq!(bench.left(&session.id).await, Some(4));
    assert!(
        bench
            .check(&session.id, &session.code)
            .await
            .unwrap()
            .is_verified()
    );
    assert_eq!(
        bench.check(&session.id, &session.code).await.unwrap(),
        Verdict::AlreadyUsed
    );
}

#[tokio::test]
async fn checks_that_come_at_once_share_a_commit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("countersign.db");
    let bench = Bench::on_clock(&path, stopped());
    let mut sessions = Vec::new();
    for n in 0..64 {
        sessions.push(bench.send(&format!("user{n}")).await.unwrap());
    }
    let before = bench.store.commits();
    let lock = Connection::open(&path).unwrap();
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut calls = Vec::new();
    for session in &sessions {
        let mut call = Box::pin(bench.check(&session.id, &session.code));
        poll_once(&mut call).await;
        calls.push(call);
    }
    lock.execute_batch("ROLLBACK").unwrap();
    for call in calls {
        assert!(call.await.unwrap().is_verified());
    }
    let commits = bench.store.commits() - before;
    assert!(commits <= 2, "{commits} commits for 64 checks");
}
