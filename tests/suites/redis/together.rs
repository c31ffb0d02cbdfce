//! Checks that come at once are made together, and each of them is still the pure one.

use std::cell::RefCell;
use std::sync::Arc;

use countersign::record::{Action, Moment, Step};
use countersign::store::Incarnation;
use countersign::{RecordKey, SessionStore, StoreError, Timestamp};
use countersign_redis::RedisStore;
use proptest::test_runner::{Config, TestRunner};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use crate::parts::redis::Redis;
use crate::stage::{connect, options};
use crate::steps::{Act, Manner, Material, acts};
use crate::twins::{End, calls, pure};

/// So many come at once.
const CROWD: usize = 100;
/// The least number of crowds.
const CROWDS: usize = 40;

/// A record, a check on it, and what it leads to.
type Pair = (Option<Vec<u8>>, Step, End);

/// The checks of a sequence of acts, each on the record that the acts before it left.
fn pairs(manner: Manner, acts: &[Act], material: &Material, moment: Moment) -> Vec<Pair> {
    let (mut value, mut at, mut pairs) = (None::<Vec<u8>>, moment.now, Vec::new());
    for act in acts {
        at = Timestamp::from_millis(at.as_millis().saturating_add_signed(act.later));
        at = at.max(moment.now);
        let step = act.step(at, manner, material);
        let end = pure(value.as_deref(), &step, moment);
        let next = end.1.clone();
        if let Action::Check(_) = &step.action {
            pairs.push((value, step, end));
        }
        value = next;
    }
    pairs
}

/// Makes all checks at once, each on a record of its own, and compares each end.
async fn compare(store: &Arc<RedisStore>, redis: &Redis, crowd: Vec<Pair>) {
    let client = redis::Client::open(redis.url()).unwrap();
    let mut raw = client.get_multiplexed_async_connection().await.unwrap();
    let name = |n: usize| format!("cs:{n:016x}");
    let mut prepare = redis::pipe();
    for (n, (before, _, _)) in crowd.iter().enumerate() {
        match before {
            Some(bytes) => prepare.cmd("SET").arg(name(n)).arg(bytes).ignore(),
            None => prepare.cmd("DEL").arg(name(n)).ignore(),
        };
    }
    prepare.exec_async(&mut raw).await.unwrap();
    let mut tasks = JoinSet::new();
    for (n, (_, step, _)) in crowd.iter().enumerate() {
        let (store, step) = (Arc::clone(store), step.clone());
        tasks.spawn(async move {
            let key = RecordKey::from_bytes((n as u64).to_be_bytes());
            (n, store.apply(key, &step).await)
        });
    }
    for (n, effect) in tasks.join_all().await {
        let (before, step, end) = &crowd[n];
        let effect = match effect {
            Ok(effect) => Ok(effect),
            Err(StoreError::Corrupt(corrupt)) => Err(corrupt),
            Err(error) => panic!("{error}"),
        };
        let mut ask = redis::pipe();
        ask.cmd("GET").arg(name(n)).cmd("PEXPIRETIME").arg(name(n));
        let (value, expiry): (Option<Vec<u8>>, i64) = ask.query_async(&mut raw).await.unwrap();
        let found = (effect, value, expiry.max(-1));
        assert_eq!(&found, end, "{step:?}\n{before:02x?}");
    }
}

#[test]
fn checks_made_together_are_the_pure_ones() {
    let runtime = Runtime::new().unwrap();
    let redis = Redis::start(&[]);
    let store = runtime.block_on(connect(&redis.url(), options()));
    let material = runtime.block_on(Material::gather());
    let loaded = runtime.block_on(store.load(RecordKey::from_bytes([0; 8])));
    let loaded = loaded.unwrap();
    let moment = Moment {
        now: loaded.now.plus_secs(3600),
        incarnation: loaded.incarnation,
    };
    assert_ne!(moment.incarnation, Incarnation::UNFENCED);
    let (waiting, crowds) = (RefCell::new(Vec::new()), RefCell::new(0));
    let config = Config {
        cases: 400,
        failure_persistence: None,
        ..Config::default()
    };
    let run = |(manner, acts): (Manner, Vec<Act>)| {
        waiting
            .borrow_mut()
            .extend(pairs(manner, &acts, &material, moment));
        while waiting.borrow().len() >= CROWD {
            let crowd = waiting.borrow_mut().drain(..CROWD).collect();
            runtime.block_on(compare(&store, &redis, crowd));
            *crowds.borrow_mut() += 1;
        }
        Ok(())
    };
    TestRunner::new(config).run(&acts(), run).unwrap();
    let (crowds, calls) = (*crowds.borrow(), calls(&redis));
    println!("{crowds} crowds of {CROWD}, {calls} calls of functions");
    assert!(crowds >= CROWDS, "{crowds} crowds");
    assert!(calls < crowds * CROWD / 2, "{calls} calls");
}
