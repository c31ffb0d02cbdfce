//! The steps that the model is made of: those that a real verifier takes, caught on their way
//! to its store.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};

use countersign::record::{Action, Begin, Check, Open, Step};
use countersign::{
    Channel, CheckRequest, Destination, FakeClock, KeyRing, LaneLimits, Limit, MemoryStore, Nonce,
    Policy, RandomUnavailable, Randomness, RecordKey, Recorder, Secret, SendRequest, Tag, Tenant,
    Timestamp, Verifier,
};

use crate::tap::Tap;
use crate::values::{START, TICK_SECONDS};

/// A code is good for so many ticks: at the second it is over.
pub(crate) const LIFETIME_TICKS: u8 = 2;
/// The first tick after a beginning at which its lease (60 s) is over.
pub(crate) const LEASE_TICKS: u8 = 2;
/// The fewest that tell "wrong" from "out of attempts".
pub(crate) const MAX_ATTEMPTS: u8 = 2;
/// Failed guesses of the destination, over its sessions: so few that three callers pass them.
pub(crate) const MAX_FAILURES: u16 = 2;
/// How long a send counts: longer than a lease (60 s), over at the third tick.
const SENDS_WINDOW_SECONDS: u32 = 100;

/// One verifier's steps: its session, and guesses at it.
pub(crate) struct Session {
    pub(crate) key: RecordKey,
    pub(crate) tag: Tag,
    pub(crate) open: Open,
    pub(crate) begin: Begin,
    /// By right or wrong, and then by the caller's number: named attempts.
    right: Vec<Check>,
    wrong: Vec<Check>,
}

impl Session {
    /// The guess of caller `number`. Without a name it is the same for all.
    pub(crate) fn check(&self, right: bool, named: bool, number: u8) -> Check {
        let checks = if right { &self.right } else { &self.wrong };
        let check = checks[usize::from(number)];
        Check {
            attempt: check.attempt.filter(|_| named),
            ..check
        }
    }
}

/// The first `count` sessions of one destination, each with the guesses of `callers`.
pub(crate) fn sessions(count: u8, callers: u8, sends: u16) -> Vec<Session> {
    let dice = Arc::new(Counter::default());
    let one = |number| caught(number, callers, sends, &dice);
    (0..count).map(one).collect()
}

/// Small enough that three callers reach every limit.
fn policy(sends: u16) -> Policy {
    let mut policy = Policy::default();
    policy.lifetime_seconds = u32::from(LIFETIME_TICKS) * TICK_SECONDS;
    policy.max_attempts = MAX_ATTEMPTS;
    policy.destination = limits(sends);
    policy
}

fn limits(sends: u16) -> LaneLimits {
    let mut limits = Policy::default().destination;
    let window = Limit::new(sends, SENDS_WINDOW_SECONDS);
    limits.sends = [window, window];
    limits.failures = [Limit::new(MAX_FAILURES, 3600), Limit::new(20, 86_400)];
    limits.live_sessions = 3;
    limits
}

fn caught(number: u8, callers: u8, sends: u16, dice: &Arc<Counter>) -> Session {
    let secret = |byte| Secret::new(vec![byte; 32]).expect("32 bytes");
    let keys = KeyRing::new(&secret(1), &[secret(2)]).expect("one key");
    let clock = Arc::new(FakeClock::at(Timestamp::from_secs(START)));
    let (tap, inbox) = (
        Arc::new(Tap::over(MemoryStore::with_clock(clock))),
        Arc::new(Recorder::new()),
    );
    let verifier = Verifier::builder(keys, Arc::clone(&tap) as _)
        .policy(policy(sends))
        .randomness(Arc::clone(dice) as _)
        .deliverer(Channel::Email, Arc::clone(&inbox) as _)
        .build()
        .expect("a sound policy");
    let tenant = Tenant::new("acme").expect("a name");
    let to = Destination::parse(Channel::Email, "ada@example.com").expect("an address");
    let mut request = SendRequest::new(&tenant, Channel::Email, &to);
    request.idempotency_key = Some("one");
    let sent = at_once(verifier.send(&request)).expect("the first send of its store");
    let (id, code) = (
        sent.session_id.to_string(),
        inbox.last_code().expect("a code"),
    );
    let wrong = format!(
        "{}{}",
        &code[..5],
        if code.ends_with('0') { '1' } else { '0' }
    );
    for code in [&code, &wrong] {
        for caller in 0..callers {
            let name = format!("attempt-{number}-{caller}");
            let mut check = CheckRequest::new(&tenant, &id, code);
            check.attempt_id = Some(&name);
            let _verdict = at_once(verifier.check(&check)).expect("a store in memory");
        }
    }
    session(&tap.steps(), usize::from(callers))
}

/// Nothing in a memory store ever waits.
pub(crate) fn at_once<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("a memory store never waits"),
    }
}

/// What one send and the checks after it were, in the order that the model keeps:
/// begin, peek, open, a note on the delivery, finish; then the checks.
fn session(steps: &[(RecordKey, Step)], callers: usize) -> Session {
    let (sent, checks) = steps.split_at(5);
    let actions: Vec<_> = sent.iter().map(|(_, step)| &step.action).collect();
    let [
        Action::Begin(begin),
        Action::PeekOpen(_),
        Action::Open(open),
        Action::Outcome(..),
        Action::Finish(nonce, _),
    ] = actions[..]
    else {
        unreachable!("a send takes other steps than the model: {actions:?}");
    };
    assert_eq!(*nonce, open.nonce, "a send finishes with its own nonce");
    let checks = checks.iter().map(|(_, step)| match step.action {
        Action::Check(check) if step.at.is_none() => check,
        _ => unreachable!("a check takes another step than the model: {step:?}"),
    });
    let mut right: Vec<_> = checks.collect();
    let wrong = right.split_off(callers);
    Session {
        key: sent[2].0,
        tag: sent[2].1.tag,
        open: *open,
        begin: *begin,
        right,
        wrong,
    }
}

/// Draws from a counter, so that every run has the same bytes.
#[derive(Debug, Default)]
struct Counter(AtomicU64);

impl Randomness for Counter {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomUnavailable> {
        for byte in bytes {
            let n = self.0.fetch_add(1, Ordering::Relaxed) + 1;
            let mixed = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let mixed = (mixed ^ (mixed >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            *byte = mixed.to_be_bytes()[0];
        }
        Ok(())
    }
}

/// Where `nonce` stands among the sessions' own.
pub(crate) fn number_of(sessions: &[Session], nonce: Nonce) -> u8 {
    let at = sessions.iter().position(|one| one.open.nonce == nonce);
    at.and_then(|at| u8::try_from(at).ok())
        .expect("a nonce that was drawn")
}
