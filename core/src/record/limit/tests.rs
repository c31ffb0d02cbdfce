use super::*;
use crate::error::LimitName;
use crate::keys::Kind;
use crate::record::kept::Kept;

const NOW: u64 = 1_800_000_000;

/// A record of one limit: two an hour.
struct Counter(Kept);

impl Counter {
    fn new() -> Self {
        Self(Kept::absent(Action::Forget(Kind::Limit), NOW))
    }

    fn take(&mut self, secs: u64, action: Action) -> Effect {
        self.0.now = Timestamp::from_secs(NOW + secs);
        self.0.take(action)
    }

    fn done(&mut self, secs: u64, action: Action) {
        assert_eq!(self.take(secs, action), Effect::Done);
    }

    fn charged(&mut self, secs: u64, operation: u32) {
        assert_eq!(self.charge(secs, operation), Effect::Done);
    }

    fn charge(&mut self, secs: u64, operation: u32) -> Effect {
        self.take(secs, Action::Charge(event(operation)))
    }
}

fn event(operation: u32) -> Charge {
    Charge::event(operation, LimitName::TenantSends, Limit::new(2, 3600))
}

fn refused(retry_after: u64) -> Effect {
    Effect::Refused(Refusal::Throttled {
        limit: LimitName::TenantSends,
        retry_after,
    })
}

#[test]
fn a_charge_is_taken_once_and_counts_for_the_window() {
    let mut counter = Counter::new();
    for (secs, operation) in [(0, 1), (0, 1), (10, 2), (10, 2)] {
        counter.charged(secs, operation);
    }
    assert_eq!(counter.charge(20, 3), refused(3580));
    let until = Timestamp::from_secs(NOW + 3610);
    assert_eq!(counter.0.record.keep_until(), Some(until));
    counter.charged(3600, 3);
    assert_eq!(counter.charge(3600, 4), refused(10));
}

/// Else it would grow for ever, or be read as another value.
#[test]
fn events_that_are_over_leave_together_and_leave_no_byte() {
    let mut counter = Counter::new();
    let many = |operation| {
        let limit = Limit::new(9, 3600);
        Action::Charge(Charge::event(operation, LimitName::TenantSends, limit))
    };
    counter.done(0, many(1));
    let one = counter.0.record.encode().len();
    for (secs, operation) in (2..10).map(|n| (u64::from(n), n)) {
        counter.done(secs, many(operation));
    }
    assert_eq!(counter.take(10, many(10)), refused(3590));
    counter.done(3600 + 9, many(11));
    // One event; the ids of operations, of 8 bytes each, stay.
    assert_eq!(counter.0.record.encode().len(), one + 9 * 8);
}

#[test]
fn the_charge_that_is_given_back_is_the_one_that_is_named() {
    let mut counter = Counter::new();
    counter.charged(0, 1);
    counter.charged(100, 2);
    counter.done(100, Action::Refund(event(9)));
    assert_eq!(counter.charge(100, 3), refused(3500), "nobody's");
    counter.done(100, Action::Refund(event(2)));
    counter.charged(200, 3);
    assert_eq!(
        counter.charge(200, 4),
        refused(3400),
        "the first still counts"
    );
    counter.done(200, Action::Refund(event(2)));
    assert_eq!(counter.charge(200, 4), refused(3400), "and once");
}

#[test]
fn what_is_forgotten_counts_no_more() {
    let mut counter = Counter::new();
    counter.charged(0, 1);
    counter.charged(0, 2);
    counter.done(0, Action::Forget(Kind::Limit));
    counter.charged(0, 3);
}

/// Each policy notes events under times of its own, here each one's later than those before.
#[test]
fn a_record_has_room_for_the_events_of_many_policies() {
    let mut counter = Counter::new();
    let mut limits: Vec<_> = (0..600)
        .map(|n| Limit::new(40_000, 86_400 - 12 * n))
        .collect();
    limits.sort_by_key(|limit| event_time(&[*limit], Timestamp::from_secs(NOW)));
    let (name, mut longest) = (LimitName::TenantSends, 0);
    for (limit, operation) in limits.into_iter().zip(0..) {
        counter.done(0, Action::Charge(Charge::event(operation, name, limit)));
        longest = longest.max(counter.0.record.encode().len());
    }
    // Events are merged once there is no room for another, and not before.
    assert_eq!(longest, MAX_RECORD_BYTES);
    let peek = |most| Action::PeekCharge(Charge::event(600, name, Limit::new(most, 86_400)));
    let full = counter.take(0, peek(600));
    assert!(matches!(full, Effect::Refused(_)), "none is forgotten");
    counter.done(0, peek(601));
}
