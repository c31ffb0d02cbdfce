//! How those who lost together step aside, and who is seen at work.

use std::collections::BTreeSet;
use std::pin::pin;
use std::task::{Context, Waker};

use super::{KEY, RIGHT, Slow, check};
use crate::record::RecordKey;
use crate::store::patience::Patience;
use crate::store::{SessionStore, StepQueue};

/// How often a caller lets others go first, after so many lost swaps.
fn yields(losses: u32, key: RecordKey) -> u64 {
    let mut patience = Patience::new();
    for _ in 0..losses {
        assert!(patience.lost());
    }
    let mut jitter = pin!(patience.jitter(key));
    let mut cx = Context::from_waker(Waker::noop());
    let polls = (0..1000).find(|_| jitter.as_mut().poll(&mut cx).is_ready());
    polls.unwrap()
}

#[test]
fn losers_step_aside_by_every_number_up_to_twice_as_many_each_time() {
    for losses in 0..9 {
        let keys = (0..4000u64).map(|n| RecordKey::from_bytes((n << 32 | n).to_be_bytes()));
        let seen: BTreeSet<_> = keys.map(|key| yields(losses, key)).collect();
        let most = 1 << losses.min(6);
        assert_eq!(seen, (0..=most).collect(), "after {losses} losses");
    }
}

#[test]
fn after_63_lost_swaps_the_next_is_the_last() {
    let mut patience = Patience::new();
    let more = (0..100).take_while(|_| patience.lost()).count();
    assert_eq!(more, 63);
}

#[test]
fn a_key_is_busy_while_somebody_is_at_work_for_it() {
    let store = Slow::queued();
    let right = check(RIGHT);
    let queue = store.queue().unwrap();
    assert!(!StepQueue::is_busy(queue, KEY));
    {
        let mut call = pin!(store.apply(KEY, &right));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(call.as_mut().poll(&mut cx).is_pending());
        assert!(queue.is_busy(KEY) && !queue.is_busy(RecordKey::SCRATCH));
        assert_eq!(queue.busy_keys(), 1);
    }
    assert!(!queue.is_busy(KEY));
}
