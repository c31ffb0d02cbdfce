//! Writes that take so long that the session has expired when they are done.

use std::sync::atomic::Ordering;

use super::tasks::alone;
use super::{KEY, RIGHT, START, Slow, WRONG, check, is_compared};
use crate::clock::Timestamp;
use crate::destination::Channel;
use crate::record::{Action, Effect, Step};
use crate::store::{Batch, SessionStore, StepQueue};
use crate::verdict::Verdict;

/// A store whose writes take two milliseconds, one before the session's end.
fn late(queue: Option<StepQueue>) -> Slow {
    let store = Slow::new(queue);
    store.clock.set(LAST);
    store.real_millis.store(2, Ordering::SeqCst);
    store
}

const LAST: Timestamp = Timestamp::from_millis(START.plus_secs(300).as_millis() - 1);

#[test]
fn a19_an_approval_whose_write_outlasts_the_session_is_withheld() {
    for queue in [None, Some(StepQueue::new())] {
        let effect = alone(late(queue).apply(KEY, &check(RIGHT))).unwrap();
        assert_eq!(effect, Effect::Verdict(Verdict::Expired));
    }
}

#[test]
fn what_is_no_approval_is_told_however_late_it_is() {
    let told = alone(late(None).apply(KEY, &check(WRONG)));
    assert!(is_compared(&told), "{told:?}");
}

#[test]
fn a_step_with_its_own_time_is_never_withheld() {
    let right = Step {
        at: Some(LAST),
        ..check(RIGHT)
    };
    let approved = Effect::Verdict(Verdict::Verified {
        channel: Channel::Email,
    });
    assert_eq!(alone(late(None).apply(KEY, &right)).unwrap(), approved);
}

/// It writes nothing, but may share a write with others that takes as long.
#[test]
fn a19_an_approval_that_is_told_again_is_withheld_from_the_session_s_end_on() {
    let mut right = check(RIGHT);
    if let Action::Check(check) = &mut right.action {
        check.attempt = Some([7; 8]);
    }
    let store = late(None);
    let earlier = Timestamp::from_millis(LAST.as_millis() - 30_000);
    store.clock.set(earlier);
    assert!(alone(store.apply(KEY, &right)).unwrap().is_approval());
    store.clock.set(LAST);
    for (millis, is_told) in [(0, true), (1, false)] {
        let loaded = alone(store.load(KEY)).unwrap();
        let batch = Batch::fold(loaded, [&right]).unwrap();
        let told = batch.told(LAST.plus_millis(millis)).pop().unwrap().unwrap();
        assert_eq!(told.is_approval(), is_told, "{told:?}");
    }
}
