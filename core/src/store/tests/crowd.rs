//! Many in one batch: its write fails, or they go away one after the other.

use std::sync::atomic::Ordering;

use super::tasks::{Tasks, alone};
use super::{ATTEMPTS, KEY, Slow, WRONG, check};
use crate::error::StoreError;
use crate::store::SessionStore;

#[test]
fn a_write_that_failed_is_told_to_each_of_its_batch() {
    let store = Slow::queued();
    let wrong = check(WRONG);
    let mut tasks = Tasks::new((0..5).map(|_| store.apply(KEY, &wrong)));
    // The first one's write is done, that of the other four has begun.
    while store.swaps.load(Ordering::SeqCst) < 2 {
        tasks.round();
    }
    *store.failure.lock().unwrap() = Some(StoreError::indeterminate("cut"));
    let answers = tasks.outputs();
    let unknown = |a: &&Result<_, _>| matches!(a, Err(StoreError::Indeterminate { .. }));
    assert_eq!(answers.iter().filter(unknown).count(), 4, "{answers:?}");
    assert_eq!(store.attempts_left(), ATTEMPTS - 1);
}

/// Every order in which four may come.
fn orders() -> Vec<[usize; 4]> {
    let all = (0..256).map(|n| [n >> 6, n >> 4 & 3, n >> 2 & 3, n & 3]);
    all.filter(|order| (0..4).all(|n| order.contains(&n)))
        .collect()
}

#[test]
fn everybody_may_be_cancelled_in_any_order() {
    for order in orders() {
        for polls in 0..20 {
            let store = Slow::queued();
            let wrong = check(WRONG);
            let mut tasks = Tasks::new((0..4).map(|_| store.apply(KEY, &wrong)));
            for _ in 0..polls {
                tasks.round();
            }
            for n in order {
                tasks.cancel(n);
            }
            let queue = store.queue.as_ref().unwrap();
            assert_eq!(queue.busy_keys(), 0, "{order:?} after {polls} polls");
            let _ = alone(store.apply(KEY, &wrong)).unwrap();
        }
    }
}
