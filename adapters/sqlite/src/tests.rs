mod files;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use countersign::record::{Action, Charge, Effect, Refusal, Step};
use countersign::store::{Entry, Incarnation, Loaded, Swap};
use countersign::{
    Clock as _, FakeClock, Limit, LimitName, RecordKey, SessionStore as _, StoreError, Tag,
    Timestamp,
};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::{Options, SqliteStore};

/// A database in a folder of its own, on a clock that stands still.
struct Bench {
    folder: TempDir,
    clock: Arc<FakeClock>,
}

impl Bench {
    fn new() -> Self {
        let clock = Arc::new(FakeClock::at(Timestamp::from_secs(1_700_000_000)));
        Self {
            folder: tempfile::tempdir().unwrap(),
            clock,
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("countersign.db")
    }

    fn options(&self) -> Options {
        Options {
            clock: self.clock.clone(),
            busy_timeout: Duration::from_millis(200),
            ..Options::default()
        }
    }

    fn open(&self) -> SqliteStore {
        SqliteStore::open(self.path(), &self.options()).unwrap()
    }

    fn raw(&self) -> Connection {
        Connection::open(self.path()).unwrap()
    }

    fn refusal(&self) -> String {
        SqliteStore::open(self.path(), &self.options())
            .unwrap_err()
            .to_string()
    }
}

fn key(number: u64) -> RecordKey {
    RecordKey::from_bytes(number.to_be_bytes())
}

fn entry(bytes: &[u8]) -> Entry<'_> {
    Entry {
        bytes,
        garbage_after: None,
    }
}

fn charge(operation: u32) -> Step {
    let limit = Limit::new(3, 600);
    let charge = Charge::event(operation, LimitName::SourceSends, limit);
    Step {
        tag: Tag::of("test", "owner"),
        at: None,
        action: Action::Charge(charge),
    }
}

/// Writes `bytes` under `key`, whatever is there.
async fn put(store: &SqliteStore, key: RecordKey, bytes: &[u8], garbage_after: Option<Timestamp>) {
    let Loaded {
        value, incarnation, ..
    } = store.load(key).await.unwrap();
    let next = Entry {
        bytes,
        garbage_after,
    };
    assert_eq!(
        store
            .swap(key, value.as_deref(), next, incarnation)
            .await
            .unwrap(),
        Swap::Done
    );
}

#[tokio::test]
async fn a_swap_compares_the_whole_value_and_the_life() {
    let bench = Bench::new();
    let store = bench.open();
    let Loaded {
        value,
        now,
        incarnation,
    } = store.load(key(1)).await.unwrap();
    assert_eq!((value, now), (None, bench.clock.now()));
    let swap = |seen, bytes, life| store.swap(key(1), seen, entry(bytes), life);
    assert_eq!(
        swap(Some(&b"x"[..]), b"a", incarnation).await.unwrap(),
        Swap::Lost
    );
    assert_eq!(swap(None, b"a", incarnation).await.unwrap(), Swap::Done);
    assert_eq!(swap(None, b"b", incarnation).await.unwrap(), Swap::Lost);
    assert_eq!(
        swap(Some(b"a"), b"b", Incarnation::new(1)).await.unwrap(),
        Swap::Lost
    );
    assert_eq!(
        swap(Some(b"a"), b"b", incarnation).await.unwrap(),
        Swap::Done
    );
    assert_eq!(
        store.load(key(1)).await.unwrap().value.as_deref(),
        Some(&b"b"[..])
    );
    assert_eq!(store.load(key(2)).await.unwrap().value, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_64_swaps_that_saw_the_same_value_one_wins() {
    let bench = Bench::new();
    let store = Arc::new(bench.open());
    let life = store.load(key(1)).await.unwrap().incarnation;
    let tasks: Vec<_> = (0..64_u8)
        .map(|n| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.swap(key(1), None, entry(&[n]), life).await.unwrap() })
        })
        .collect();
    let mut won = 0;
    for task in tasks {
        won += usize::from(task.await.unwrap() == Swap::Done);
    }
    assert_eq!(won, 1);
}

#[tokio::test]
async fn steps_of_one_batch_see_each_other_and_share_commits() {
    let bench = Bench::new();
    let store = bench.open();
    // The lock is held elsewhere until all wait, so that they meet in one batch.
    let lock = bench.raw();
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    let steps: Vec<_> = (0..64).map(charge).collect();
    let mut calls: Vec<_> = steps.iter().map(|step| store.apply(key(1), step)).collect();
    for call in &mut calls {
        poll_once(call).await;
    }
    lock.execute_batch("ROLLBACK").unwrap();
    let (mut done, mut refused) = (0, 0);
    for call in calls {
        match call.await.unwrap() {
            Effect::Done => done += 1,
            Effect::Refused(Refusal::Throttled { .. }) => refused += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((done, refused), (3, 61));
    assert!(store.commits() <= 2, "{} commits", store.commits());
}

/// Lets a call queue its job, without waiting for the answer.
async fn poll_once<F: Future + Unpin>(call: &mut F) {
    std::future::poll_fn(|context| {
        let _ = std::pin::Pin::new(&mut *call).poll(context);
        std::task::Poll::Ready(())
    })
    .await;
}

#[tokio::test]
async fn a_step_is_taken_though_its_caller_goes_away() {
    let bench = Bench::new();
    let store = bench.open();
    let step = charge(7);
    let mut call = store.apply(key(1), &step);
    poll_once(&mut call).await;
    drop(call);
    // The same operation is not charged twice: two more fit, and then no third.
    assert_eq!(store.apply(key(1), &charge(7)).await.unwrap(), Effect::Done);
    assert_eq!(store.apply(key(1), &charge(8)).await.unwrap(), Effect::Done);
    assert_eq!(store.apply(key(1), &charge(9)).await.unwrap(), Effect::Done);
    let fourth = store.apply(key(1), &charge(10)).await.unwrap();
    assert!(matches!(fourth, Effect::Refused(_)), "{fourth:?}");
}

#[tokio::test]
async fn a_corrupt_record_fails_alone_and_is_left_as_it_is() {
    let bench = Bench::new();
    let store = bench.open();
    put(&store, key(1), b"garbage", None).await;
    let lock = bench.raw();
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    let step = charge(1);
    let (mut bad, mut good) = (store.apply(key(1), &step), store.apply(key(2), &step));
    poll_once(&mut bad).await;
    poll_once(&mut good).await;
    lock.execute_batch("ROLLBACK").unwrap();
    assert!(matches!(bad.await, Err(StoreError::Corrupt(_))));
    assert_eq!(good.await.unwrap(), Effect::Done);
    assert_eq!(
        store.load(key(1)).await.unwrap().value.as_deref(),
        Some(&b"garbage"[..])
    );
}

#[tokio::test]
async fn a_step_that_changes_nothing_writes_nothing() {
    let bench = Bench::new();
    let store = bench.open();
    let Action::Charge(asked) = charge(1).action else {
        unreachable!()
    };
    let step = Step {
        action: Action::PeekCharge(asked),
        ..charge(1)
    };
    assert_eq!(store.apply(key(1), &step).await.unwrap(), Effect::Done);
    assert_eq!(store.load(key(1)).await.unwrap().value, None);
    assert_eq!(store.commits(), 0);
}

#[tokio::test]
async fn a_sweep_removes_what_is_over_and_no_more_than_asked() {
    let bench = Bench::new();
    let store = bench.open();
    let now = bench.clock.now();
    for n in 0..40 {
        put(&store, key(n), b"old", Some(now)).await;
        put(&store, key(n << 56), b"new", Some(now.plus_secs(60))).await;
        put(&store, key(u64::MAX - n), b"kept", None).await;
    }
    assert_eq!(
        store.sweep(64).await.unwrap(),
        0,
        "until its time is past a value is kept"
    );
    bench.clock.advance_millis(1);
    assert_eq!(store.sweep(15).await.unwrap(), 15);
    assert_eq!(store.sweep(15).await.unwrap(), 15);
    assert_eq!(
        store.sweep(64).await.unwrap(),
        9,
        "key 0 was overwritten by a newer value"
    );
    assert_eq!(store.sweep(64).await.unwrap(), 0);
    assert_eq!(store.scan(None, 1000).await.unwrap().len(), 80);
}

#[tokio::test]
async fn a_sweep_looks_at_a_bounded_number_of_rows_and_goes_on_from_there() {
    let bench = Bench::new();
    let store = bench.open();
    let now = bench.clock.now();
    let mut raw = bench.raw();
    let rows = raw.transaction().unwrap();
    for n in 0..2000_i64 {
        let until = if n < 1990 { now.plus_secs(60) } else { now };
        let sql = "INSERT INTO records (key, garbage_after, value) VALUES (?1, ?2, x'00')";
        rows.execute(sql, [n, i64::try_from(until.as_millis()).unwrap()])
            .unwrap();
    }
    rows.commit().unwrap();
    bench.clock.advance_millis(1);
    assert_eq!(store.sweep(64).await.unwrap(), 0, "1024 rows are looked at");
    assert_eq!(store.sweep(64).await.unwrap(), 10, "and now the others");
}

#[tokio::test]
async fn keys_are_listed_in_the_order_of_their_bytes() {
    let bench = Bench::new();
    let store = bench.open();
    let numbers = [0, 1, 1 << 62, 1 << 63, u64::MAX];
    for n in numbers.iter().rev() {
        put(&store, key(*n), b"x", None).await;
    }
    let all = numbers.map(key).to_vec();
    assert_eq!(store.scan(None, 9).await.unwrap(), all);
    assert_eq!(store.scan(Some(key(1)), 2).await.unwrap(), all[2..4]);
    assert_eq!(store.scan(Some(key(u64::MAX)), 9).await.unwrap(), []);
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_reopening() {
    let bench = Bench::new();
    let store = bench.open();
    put(&store, key(1), b"kept", None).await;
    let life = store.load(key(1)).await.unwrap().incarnation;
    store.close();
    let again = bench.open().load(key(1)).await.unwrap();
    assert_eq!(again.value.as_deref(), Some(&b"kept"[..]));
    assert_eq!(
        again.incarnation, life,
        "the same boot, the same file: the same life"
    );
    assert_ne!(life, Incarnation::UNFENCED);
}

#[tokio::test]
async fn a_renewed_fence_is_seen_by_a_running_store() {
    let bench = Bench::new();
    let store = bench.open();
    let old = store.load(key(1)).await.unwrap().incarnation;
    SqliteStore::fence(bench.path()).unwrap();
    assert_eq!(
        store.swap(key(1), None, entry(b"a"), old).await.unwrap(),
        Swap::Lost
    );
    let new = store.load(key(1)).await.unwrap().incarnation;
    assert_ne!(new, old);
    assert_eq!(
        store.swap(key(1), None, entry(b"a"), new).await.unwrap(),
        Swap::Done
    );
    store.close();
    assert_eq!(bench.open().load(key(1)).await.unwrap().incarnation, new);
}

#[tokio::test]
async fn without_a_fence_every_life_is_the_same() {
    let bench = Bench::new();
    let mut options = bench.options();
    options.fence = false;
    let store = SqliteStore::open(bench.path(), &options).unwrap();
    SqliteStore::fence(bench.path()).unwrap();
    assert_eq!(
        store.load(key(1)).await.unwrap().incarnation,
        Incarnation::UNFENCED
    );
    assert_eq!(
        store
            .swap(key(1), None, entry(b"a"), Incarnation::UNFENCED)
            .await
            .unwrap(),
        Swap::Done
    );
}
