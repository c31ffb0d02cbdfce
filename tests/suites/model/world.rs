//! The real verifier beside what the model knows, and each operation on both.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context as Polling, Poll, Waker};

use countersign::{
    Channel, Clock, Destination, FakeClock, Inspection, KeyRing, LaneLimits, MemoryStore, Policy,
    RandomUnavailable, Randomness, Recorder, Secret, SessionStore, Tenant, Timestamp, Verifier,
};
use proptest::prop_assert;
use proptest::test_runner::TestCaseError;

use super::act::{Act, Context, Fault};
use super::flaky::{Flaky, Written};
use super::known::{Cause, Lane, Seen, Session};
use super::money::{Purse, with_prices};

pub(crate) type Tested = Result<(), TestCaseError>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ground {
    Memory,
    Flaky,
}

pub(crate) const PLACES: [(Channel, &str); 2] = [
    (Channel::Sms, "+4712345678"),
    (Channel::Email, "a@example.com"),
];
/// How far the clock goes back at most, in milliseconds.
pub(crate) const BACK: u64 = 4000;

pub(crate) struct World {
    pub(crate) ground: Ground,
    pub(crate) verifier: Verifier,
    pub(crate) memory: Arc<MemoryStore>,
    pub(crate) clock: Arc<FakeClock>,
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) flaky: Arc<Flaky>,
    pub(crate) tenant: Tenant,
    pub(crate) stranger: Tenant,
    pub(crate) places: Vec<Destination>,
    pub(crate) sessions: Vec<Session>,
    /// By place and lane.
    pub(crate) lanes: [[Lane; 2]; 2],
    pub(crate) life: u64,
    pub(crate) latest: Timestamp,
    pub(crate) last: Option<(usize, String, Context, Option<u8>)>,
    pub(crate) cause: Cause,
    pub(crate) seen: Seen,
    pub(crate) purse: Purse,
    engine: Engine,
}

/// What verifiers of this world are made of.
struct Engine {
    ground: Ground,
    policy: Policy,
    store: Arc<dyn SessionStore>,
    recorder: Arc<Recorder>,
    randomness: Arc<Counter>,
    /// How many master secrets there are, the newest with the highest number.
    masters: u8,
}

impl Engine {
    fn verifier(&self) -> Verifier {
        let secret = |byte: u8| Secret::new(vec![byte; 32]).unwrap();
        let masters: Vec<_> = (0..self.masters).rev().map(|n| secret(2 + n)).collect();
        let keys = KeyRing::new(&secret(1), &masters).unwrap();
        let builder = Verifier::builder(keys, Arc::clone(&self.store));
        with_prices(self.ground, self.policy.clone(), builder)
            .randomness(Arc::clone(&self.randomness) as _)
            .deliverer(Channel::Sms, Arc::clone(&self.recorder) as _)
            .deliverer(Channel::Email, Arc::clone(&self.recorder) as _)
            .build()
            .unwrap()
    }
}

/// Draws from a counter, so that a sequence is the same each time.
#[derive(Debug, Default)]
struct Counter(AtomicU64);

impl Randomness for Counter {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomUnavailable> {
        for byte in bytes {
            let n = self.0.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
            let mixed = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let mixed = (mixed ^ (mixed >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            *byte = mixed.to_be_bytes()[0];
        }
        Ok(())
    }
}

impl World {
    pub(crate) fn new(ground: Ground, policy: Policy) -> Self {
        let start = Timestamp::from_secs(1_700_000_000);
        let clock = Arc::new(FakeClock::at(start));
        let memory = Arc::new(MemoryStore::with_clock(Arc::clone(&clock) as _));
        let flaky = Arc::new(Flaky::over(Arc::clone(&memory)));
        let store: Arc<dyn SessionStore> = match ground {
            Ground::Memory => Arc::clone(&memory) as _,
            Ground::Flaky => Arc::clone(&flaky) as _,
        };
        let recorder = Arc::new(Recorder::new());
        let engine = Engine {
            ground,
            policy,
            store,
            recorder: Arc::clone(&recorder),
            randomness: Arc::default(),
            masters: 1,
        };
        let places = PLACES.map(|(channel, to)| Destination::parse(channel, to).unwrap());
        Self {
            ground,
            verifier: engine.verifier(),
            memory,
            clock,
            recorder,
            flaky,
            tenant: Tenant::new("own").unwrap(),
            stranger: Tenant::new("stranger").unwrap(),
            places: places.into(),
            sessions: Vec::new(),
            lanes: Default::default(),
            life: 0,
            latest: start,
            last: None,
            cause: Cause::default(),
            seen: Seen::default(),
            purse: Purse::default(),
            engine,
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Polls to the end, or until the process died in the middle.
    pub(crate) fn drive<F: Future>(&self, future: F) -> Option<F::Output> {
        let mut future = pin!(future);
        let mut polling = Polling::from_waker(Waker::noop());
        for _ in 0..100_000 {
            if let Poll::Ready(output) = future.as_mut().poll(&mut polling) {
                return Some(output);
            }
            if self.flaky.is_dead() {
                return None;
            }
        }
        None
    }

    /// Whether the first swap of the operation was really written.
    pub(crate) fn written(&self) -> bool {
        self.ground == Ground::Memory
            || self
                .flaky
                .swaps()
                .first()
                .is_some_and(|swap| *swap != Written::No)
    }

    pub(crate) fn acknowledged(&self) -> bool {
        self.ground == Ground::Memory || self.flaky.swaps().contains(&Written::Acknowledged)
    }

    pub(crate) fn take(&mut self, act: &Act, fault: Fault, skip: usize) -> Tested {
        self.cause = Cause::default();
        self.flaky.arm(fault, skip);
        match act {
            Act::Send(send) => self.send(send, fault, skip)?,
            Act::Resend { session, outcome } => {
                if let Some(at) = self.pick(*session) {
                    self.resend(at, *outcome)?;
                }
            }
            Act::Check(attempt) => self.attempt(attempt)?,
            Act::Again => {
                if let Some((at, code, context, attempt)) = self.last.clone() {
                    self.check(at, code, context, attempt)?;
                }
            }
            Act::Cancel { session, foreign } => self.cancel(*session, *foreign)?,
            Act::Reset { place } => self.reset(*place),
            Act::Forward { millis } => self.clock.advance_millis(*millis),
            Act::ToExpiry { session, offset } => {
                if let Some(at) = self.pick(*session) {
                    let to = self.sessions[at].expires.as_millis() + offset - 1;
                    self.clock.set(self.now().max(Timestamp::from_millis(to)));
                }
            }
            Act::Back { millis } => {
                let to = self.now().as_millis() - millis;
                let to = to.max(self.latest.as_millis() - BACK);
                self.clock.set(self.now().min(Timestamp::from_millis(to)));
            }
            Act::NewLife => {
                self.memory.fence();
                self.life += 1;
            }
            Act::Sweep => drop(self.drive(self.verifier.sweep(64))),
            // Key ids are one byte, and two alike are refused: a handful is sure.
            Act::Rotate if self.engine.masters < 4 => {
                self.engine.masters += 1;
                self.verifier = self.engine.verifier();
            }
            Act::Rotate => {}
        }
        self.latest = self.latest.max(self.now());
        // What the fault has not met is not for the next operation or the observer.
        self.flaky.arm(Fault::None, 0);
        Ok(())
    }

    pub(crate) fn pick(&self, number: usize) -> Option<usize> {
        (!self.sessions.is_empty()).then(|| number % self.sessions.len())
    }

    pub(crate) fn inspect(&self, place: usize) -> Inspection {
        let inspect = self.verifier.inspect(&self.tenant, &self.places[place]);
        self.drive(inspect).unwrap().unwrap()
    }

    pub(crate) fn policy_of(&self, lane: usize) -> LaneLimits {
        let policy = self.verifier.policy();
        [policy.destination, policy.known_device][lane]
    }

    fn cancel(&mut self, number: usize, foreign: bool) -> Tested {
        let Some(at) = self.pick(number) else {
            return Ok(());
        };
        let (verifier, text) = (self.verifier.clone(), self.sessions[at].id.to_string());
        if foreign {
            let answer = self.drive(verifier.cancel(&self.stranger, &text));
            prop_assert!(!matches!(answer, Some(Ok(Some(_)))), "a stranger cancelled");
            return Ok(());
        }
        let answer = self.drive(verifier.cancel(&self.tenant, &text));
        if !matches!(answer, Some(Ok(_))) {
            self.seen.lost += 1;
        }
        self.cause.cancelled = Some(at);
        Ok(())
    }

    fn reset(&mut self, place: usize) {
        let reset = self.verifier.reset(&self.tenant, &self.places[place]);
        let answer = self.drive(reset);
        // Nothing is written where nothing was to forget.
        if matches!(answer, Some(Ok(()))) || self.written() {
            self.lanes[place] = Default::default();
        }
    }
}
