use super::*;
use crate::record::kept::Kept;

const FIRST: Nonce = Nonce([1; 6]);
const SECOND: Nonce = Nonce([2; 6]);
const BEGUN: u64 = 1_800_000_000;

#[derive(Clone)]
struct Key(Kept);

impl Key {
    fn new() -> Self {
        let absent = Action::Release(FIRST, Timestamp::default());
        Self(Kept::absent(absent, BEGUN))
    }

    fn begin(&mut self, nonce: Nonce) -> IdempotencyEffect {
        let fingerprint = [7; 16];
        match self.0.take(Action::Begin(Begin { fingerprint, nonce })) {
            Effect::Idempotency(effect) => effect,
            other => panic!("{other:?}"),
        }
    }

    /// Whether a try of another nonce may go on, and with which one.
    fn goes_on(&self) -> Option<Nonce> {
        match self.clone().begin(SECOND) {
            IdempotencyEffect::Proceed { nonce, .. } => Some(nonce),
            _ => None,
        }
    }

    fn later(&mut self, millis: u64) {
        self.0.now = self.0.now.plus_millis(millis);
    }
}

fn proceed(nonce: Nonce, leased_until: u64) -> IdempotencyEffect {
    let leased_until = Timestamp::from_secs(leased_until);
    IdempotencyEffect::Proceed {
        nonce,
        leased_until,
    }
}

#[test]
fn a_try_holds_the_key_for_a_minute_and_the_next_one_has_its_nonce() {
    let mut key = Key::new();
    assert_eq!(key.begin(FIRST), proceed(FIRST, BEGUN + 60));
    key.later(1000);
    let waits = IdempotencyEffect::InProgress { retry_after: 59 };
    assert_eq!(key.begin(SECOND), waits);
    key.later(58_999);
    assert_eq!(key.goes_on(), None, "a millisecond before");
    key.later(1);
    assert_eq!(key.begin(SECOND), proceed(FIRST, BEGUN + 120));
}

#[test]
fn only_the_try_that_holds_the_key_frees_it() {
    let mut key = Key::new();
    assert_eq!(key.begin(FIRST), proceed(FIRST, BEGUN + 60));
    let lease = Timestamp::from_secs(BEGUN + 60);
    for (nonce, lease) in [(SECOND, lease), (FIRST, lease.plus_secs(1))] {
        key.0.done(Action::Release(nonce, lease));
        assert_eq!(key.goes_on(), None);
    }
    key.0.done(Action::Release(FIRST, lease));
    assert_eq!(key.goes_on(), Some(SECOND));
    let never = Some(Timestamp::default());
    assert_eq!(key.0.record.keep_until(), never, "it had opened nothing");
}

#[test]
fn after_a_later_try_what_an_earlier_one_opened_is_found() {
    let mut key = Key::new();
    assert_eq!(key.begin(FIRST), proceed(FIRST, BEGUN + 60));
    key.later(60_000);
    assert_eq!(key.begin(SECOND), proceed(FIRST, BEGUN + 120));
    let lease = Timestamp::from_secs(BEGUN + 120);
    key.0.done(Action::Release(FIRST, lease));
    assert_eq!(key.goes_on(), Some(FIRST));
}

#[test]
fn an_answer_is_kept_for_a_day_and_no_longer() {
    let mut key = Key::new();
    assert_eq!(key.begin(FIRST), proceed(FIRST, BEGUN + 60));
    key.0.done(Action::Finish(SECOND, b"another's".to_vec()));
    key.0.done(Action::Finish(FIRST, vec![7; MAX_ANSWER + 1]));
    assert_eq!(key.goes_on(), None, "neither was kept");
    key.0.done(Action::Finish(FIRST, b"sent".to_vec()));
    let day = Timestamp::from_secs(BEGUN + 24 * 3600);
    assert_eq!(key.0.record.keep_until(), Some(day));
    key.later(24 * 3_600_000 - 1);
    let answered = IdempotencyEffect::Answered(b"sent".to_vec());
    assert_eq!(key.begin(SECOND), answered);
    key.later(1);
    assert_eq!(key.goes_on(), Some(SECOND), "a new request");
}

#[test]
fn another_request_under_the_same_key_is_told_so() {
    let mut key = Key::new();
    assert_eq!(key.begin(FIRST), proceed(FIRST, BEGUN + 60));
    let other = Begin {
        fingerprint: [8; 16],
        nonce: SECOND,
    };
    assert_eq!(
        key.0.take(Action::Begin(other)),
        Effect::Idempotency(IdempotencyEffect::Mismatch)
    );
}
