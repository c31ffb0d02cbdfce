//! The provided `apply` and the queue, on a store that suspends wherever it can, polled
//! by hand, so that a lost wake-up shows as a standstill.

mod crowd;
mod late;
mod least;
mod spread;
mod tasks;

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use async_trait::async_trait;

use self::tasks::{Tasks, alone, suspend};
use super::*;
use crate::clock::{Clock, FakeClock};
use crate::code::CodeForm;
use crate::destination::Channel;
use crate::digest::Digest;
use crate::error::CorruptRecord;
use crate::keys::{KeyId, Tag};
use crate::policy::Policy;
use crate::record::{Action, Check, Fit, Moment, Open, Record};
use crate::session_id::Nonce;
use crate::verdict::Verdict;

const KEY: RecordKey = RecordKey::from_bytes(*b"a record");
const NONCE: Nonce = Nonce([1; 6]);
const MINE: Tag = Tag([1; 8]);
const RIGHT: Digest = Digest([7; 16]);
const WRONG: Digest = Digest([8; 16]);
const ATTEMPTS: u8 = 12;
const START: Timestamp = Timestamp::from_secs(1_700_000_000);

/// Somebody's database: it suspends before and after each compare-and-write.
#[derive(Debug)]
struct Slow {
    values: Mutex<HashMap<RecordKey, Vec<u8>>>,
    clock: FakeClock,
    queue: Option<StepQueue>,
    swaps: AtomicUsize,
    /// So many swaps are lost to somebody else.
    rivals: AtomicUsize,
    /// Real time that each swap takes.
    real_millis: AtomicU64,
    /// The next swap fails with this.
    failure: Mutex<Option<StoreError>>,
}

impl Slow {
    fn new(queue: Option<StepQueue>) -> Self {
        let store = Self {
            values: Mutex::default(),
            clock: FakeClock::at(START),
            queue,
            swaps: AtomicUsize::new(0),
            rivals: AtomicUsize::new(0),
            real_millis: AtomicU64::new(0),
            failure: Mutex::default(),
        };
        let opened = alone(apply_once(&store, KEY, &open())).unwrap();
        assert!(matches!(opened, Effect::Granted(_)), "{opened:?}");
        store.swaps.store(0, Ordering::SeqCst);
        store
    }

    fn queued() -> Self {
        Self::new(Some(StepQueue::new()))
    }

    /// Guesses left, read from the record itself.
    fn attempts_left(&self) -> u8 {
        let values = self.values.lock().unwrap();
        let mut record = Record::decode(&values[&KEY]).unwrap();
        let look = Step {
            tag: MINE,
            at: Some(START),
            action: Action::Look(NONCE),
        };
        let moment = Moment {
            now: START,
            incarnation: Incarnation::UNFENCED,
        };
        match record.step(&look, moment).unwrap() {
            Effect::Session(Some(view)) => view.attempts_remaining,
            other => panic!("{other:?}"),
        }
    }
}

#[async_trait]
impl SessionStore for Slow {
    async fn load(&self, key: RecordKey) -> Result<Loaded, StoreError> {
        suspend().await;
        let value = self.values.lock().unwrap().get(&key).cloned();
        let loaded = Loaded {
            value,
            now: self.clock.now(),
            incarnation: Incarnation::UNFENCED,
        };
        suspend().await;
        Ok(loaded)
    }

    async fn swap(
        &self,
        key: RecordKey,
        seen: Option<&[u8]>,
        next: Entry<'_>,
        _incarnation: Incarnation,
    ) -> Result<Swap, StoreError> {
        self.swaps.fetch_add(1, Ordering::SeqCst);
        let since = crate::clock::Stopwatch::start();
        while since.elapsed_millis() < self.real_millis.load(Ordering::SeqCst) {
            suspend().await;
        }
        suspend().await;
        if let Some(failure) = self.failure.lock().unwrap().take() {
            return Err(failure);
        }
        let rival = self
            .rivals
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
        let swap = {
            let mut values = self.values.lock().unwrap();
            if rival.is_ok() || values.get(&key).map(Vec::as_slice) != seen {
                Swap::Lost
            } else {
                values.insert(key, next.bytes.to_vec());
                Swap::Done
            }
        };
        suspend().await;
        Ok(swap)
    }

    fn queue(&self) -> Option<&StepQueue> {
        self.queue.as_ref()
    }
}

pub(crate) fn open() -> Step {
    let limits = Policy::default().destination;
    let open = Open {
        nonce: NONCE,
        key: KeyId(1),
        purpose: Tag::default(),
        exact: Tag::default(),
        channel: Channel::Email,
        form: CodeForm::SIX_DIGITS,
        digest: RIGHT,
        lifetime_seconds: 300,
        ceiling_seconds: 600,
        max_attempts: ATTEMPTS,
        max_sends: 3,
        cooldown_seconds: 30,
        limits,
        known_device: false,
        decoy: false,
        custom: false,
        replaces: None,
        prefix: None,
    };
    Step {
        tag: MINE,
        at: None,
        action: Action::Open(open),
    }
}

fn check(digest: Digest) -> Step {
    let mut limits = Policy::default().destination;
    // The sessions' own attempts are what is counted here.
    limits.failures = [
        crate::policy::Limit::new(20, 3600),
        crate::policy::Limit::new(20, 3601),
    ];
    let check = Check {
        nonce: NONCE,
        purpose: Tag::default(),
        fit: Fit {
            length: 6,
            digits: true,
            alphanumeric: false,
        },
        digest,
        attempt: None,
        limits,
        device_limits: limits,
    };
    Step {
        tag: MINE,
        at: None,
        action: Action::Check(check),
    }
}

fn is_compared(answer: &Result<Effect, StoreError>) -> bool {
    match answer {
        Ok(Effect::Verdict(Verdict::WrongCode { .. } | Verdict::Verified { .. })) => true,
        Ok(_) => false,
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn a_step_that_changes_nothing_writes_nothing() {
    let store = Slow::new(None);
    let look = Step {
        tag: MINE,
        at: None,
        action: Action::Look(NONCE),
    };
    let effect = alone(store.apply(KEY, &look)).unwrap();
    assert!(matches!(effect, Effect::Session(Some(_))), "{effect:?}");
    // An absent record that stays empty is not stored either.
    let nowhere = RecordKey::from_bytes(*b"nothing!");
    let effect = alone(store.apply(nowhere, &look)).unwrap();
    assert_eq!(effect, Effect::Session(None));
    assert_eq!(store.swaps.load(Ordering::SeqCst), 0);
    assert!(!store.values.lock().unwrap().contains_key(&nowhere));
}

#[test]
fn lost_swaps_are_tried_again_within_bounds() {
    for queue in [None, Some(StepQueue::new())] {
        let store = Slow::new(queue);
        store.rivals.store(63, Ordering::SeqCst);
        assert!(is_compared(&alone(store.apply(KEY, &check(WRONG)))));
        store.rivals.store(64, Ordering::SeqCst);
        let refused = alone(store.apply(KEY, &check(WRONG)));
        assert!(matches!(refused, Err(StoreError::Contended)), "{refused:?}");
        assert_eq!(store.attempts_left(), ATTEMPTS - 1);
    }
}

#[test]
fn a_value_that_is_no_record_is_corrupt_and_stays() {
    let store = Slow::new(None);
    store.values.lock().unwrap().insert(KEY, b"noise".to_vec());
    let refused = alone(store.apply(KEY, &check(RIGHT)));
    assert!(
        matches!(refused, Err(StoreError::Corrupt(_))),
        "{refused:?}"
    );
    assert_eq!(store.values.lock().unwrap()[&KEY], b"noise");
}

#[test]
fn a_hot_record_refuses_nobody_and_takes_few_swaps() {
    let store = Slow::queued();
    let wrong = check(WRONG);
    let answers = Tasks::new((0..256).map(|_| store.apply(KEY, &wrong))).outputs();
    assert_eq!(answers.len(), 256);
    let compared = answers.iter().filter(|answer| is_compared(answer)).count();
    // The last of them is told that the session is exhausted.
    assert_eq!(compared, usize::from(ATTEMPTS) - 1);
    let swaps = store.swaps.load(Ordering::SeqCst);
    assert!(swaps <= 4, "{swaps} swaps");
    assert_eq!(store.queue.as_ref().unwrap().busy_keys(), 0);
}

#[test]
fn of_many_right_answers_one_is_approved() {
    let store = Slow::queued();
    let right = check(RIGHT);
    let answers = Tasks::new((0..256).map(|_| store.apply(KEY, &right))).outputs();
    assert_eq!(
        answers.iter().filter(|answer| is_compared(answer)).count(),
        1
    );
    assert_eq!(answers.len(), 256);
}

#[test]
fn a_foreign_step_has_its_own_error() {
    let store = Slow::queued();
    let (wrong, mut foreign) = (check(WRONG), check(WRONG));
    foreign.tag = Tag([9; 8]);
    let steps = [&wrong, &foreign, &wrong, &foreign, &wrong];
    let answers = Tasks::new(steps.map(|step| store.apply(KEY, step))).outputs();
    let refused =
        |answer: &&Result<_, _>| matches!(answer, Err(StoreError::Corrupt(CorruptRecord::Foreign)));
    let unknown = |answer: &&Result<_, _>| matches!(answer, Ok(Effect::Verdict(Verdict::Unknown)));
    assert_eq!(
        answers.iter().filter(|a| refused(a) || unknown(a)).count(),
        2,
        "{answers:?}"
    );
    assert_eq!(store.attempts_left(), ATTEMPTS - 3);
}

#[test]
fn a_failure_is_told_to_everybody_it_concerns() {
    let store = Slow::queued();
    let wrong = check(WRONG);
    let mut tasks = Tasks::new((0..5).map(|_| store.apply(KEY, &wrong)));
    // The first leads alone; the second will lead the rest.
    *store.failure.lock().unwrap() = Some(StoreError::indeterminate("cut"));
    let answers = tasks.outputs();
    let unknown = |a: &&Result<_, _>| matches!(a, Err(StoreError::Indeterminate { .. }));
    assert_eq!(answers.iter().filter(unknown).count(), 1, "{answers:?}");
    assert_eq!(store.attempts_left(), ATTEMPTS - 4);
}

/// Cancels `victim` after it was polled `polls` times, while `others` wait behind it.
fn cancelled_after(polls: usize, victim: usize, lose: usize) {
    let store = Slow::queued();
    store.rivals.store(lose, Ordering::SeqCst);
    let wrong = check(WRONG);
    let mut tasks = Tasks::new((0..5).map(|_| store.apply(KEY, &wrong)));
    for _ in 0..polls {
        tasks.round();
    }
    tasks.cancel(victim);
    let answers = tasks.outputs();
    let told = answers.iter().filter(|answer| answer.is_ok()).count();
    for answer in &answers {
        assert!(
            matches!(answer, Ok(_) | Err(StoreError::Indeterminate { .. })),
            "{answer:?}"
        );
    }
    let charged = usize::from(ATTEMPTS - store.attempts_left());
    let context = format!("{polls} polls, victim {victim}, lost {lose}: {answers:?}");
    assert!(
        (told..=5).contains(&charged),
        "{charged} charged for {told} told; {context}"
    );
    let mut seen: Vec<_> = answers
        .into_iter()
        .flatten()
        .map(|effect| format!("{effect:?}"))
        .collect();
    seen.sort();
    seen.dedup();
    assert_eq!(
        seen.len(),
        told,
        "two were told of the same attempt; {context}"
    );
    assert_eq!(store.queue.as_ref().unwrap().busy_keys(), 0, "{context}");
}

#[test]
fn a06_cancelling_anybody_anywhere_loses_no_charge_and_stops_nobody() {
    for lose in 0..3 {
        for victim in 0..5 {
            (0..60).for_each(|polls| cancelled_after(polls, victim, lose));
        }
    }
}
