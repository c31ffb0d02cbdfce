//! The real verifier beside what the model knows, and each operation on both.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context as Polling, Poll, Waker};

use countersign::{
    Channel, Clock, DeliverError, DeliveryMode, Destination, FakeClock, Inspection, KeyRing,
    LaneLimits, LaneView, Limit, MemoryStore, Nonce, Opened, Pending, Permanent, Policy,
    RandomUnavailable, Randomness, Recorder, ResendPolicy, ResendRequest, Secret, SendError,
    SendRequest, SessionId, SessionState, SessionStore, Tenant, Timestamp, Verdict, Verifier,
};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use crate::act::{Act, Context, Fault, Outcome, Send};
use crate::flaky::{Flaky, Written};

pub(crate) type Tested = Result<(), TestCaseError>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ground {
    Memory,
    Flaky,
}

const BINDING: &[u8] = b"12.00 EUR to Alice";
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
}

#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) verified: u64,
    pub(crate) wrong: u64,
    pub(crate) lost: u64,
    pub(crate) rewound: u64,
}

/// What the last operation may have changed.
#[derive(Default)]
pub(crate) struct Cause {
    pub(crate) verified: Option<usize>,
    pub(crate) exhausted: Option<usize>,
    pub(crate) cancelled: Option<usize>,
    pub(crate) undeliverable: Option<usize>,
}

pub(crate) struct Session {
    pub(crate) id: SessionId,
    pub(crate) nonce: Nonce,
    pub(crate) place: usize,
    pub(crate) lane: usize,
    pub(crate) decoy: bool,
    pub(crate) binding: Option<&'static [u8]>,
    /// The codes that work; one that nobody received is empty.
    pub(crate) codes: Vec<String>,
    pub(crate) older: Vec<String>,
    pub(crate) opened: Timestamp,
    pub(crate) lifetime: u64,
    pub(crate) expires: Timestamp,
    pub(crate) life: u64,
    pub(crate) sends: u8,
    pub(crate) compared: u8,
    pub(crate) approved: u8,
    pub(crate) state: Option<SessionState>,
    pub(crate) memos: Vec<Memo>,
}

pub(crate) struct Memo {
    pub(crate) attempt: u8,
    pub(crate) code: String,
    pub(crate) binding: Option<&'static [u8]>,
    pub(crate) verdict: Verdict,
    pub(crate) at: Timestamp,
}

#[derive(Clone, Default)]
pub(crate) struct Lane {
    pub(crate) streak: u16,
    pub(crate) last_failure: Timestamp,
    pub(crate) locked: bool,
    pub(crate) failures: Vec<Timestamp>,
    pub(crate) sends: Vec<Timestamp>,
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
        let secret = |byte: u8| Secret::new(vec![byte; 32]).unwrap();
        let keys = KeyRing::new(&secret(1), &[secret(2)]).unwrap();
        let verifier = Verifier::builder(keys, store)
            .policy(policy)
            .randomness(Arc::new(Counter::default()))
            .deliverer(Channel::Sms, Arc::clone(&recorder) as _)
            .deliverer(Channel::Email, Arc::clone(&recorder) as _)
            .build()
            .unwrap();
        let places = PLACES.map(|(channel, to)| Destination::parse(channel, to).unwrap());
        Self {
            ground,
            verifier,
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

    fn send(&mut self, send: &Send, fault: Fault, skip: usize) -> Tested {
        let (place, lane) = (send.place, usize::from(send.known_device));
        let (to, channel) = (self.places[place].clone(), PLACES[place].0);
        let replaced = send
            .replaces
            .and_then(|n| self.pick(n))
            .filter(|at| self.sessions[*at].place == place);
        let before = self.inspect(place);
        let gate = lane_of(&before, lane).clone();
        let replaced_nonce = replaced.map(|at| self.sessions[at].nonce);
        let live = before.sessions.iter().filter(|one| {
            one.state == SessionState::Live
                && one.known_device == send.known_device
                && Some(one.nonce) != replaced_nonce
        });
        let may = !gate.locked
            && gate.next_send_in == 0
            && live.count() < usize::from(self.policy_of(lane).live_sessions);
        let (verifier, tenant) = (self.verifier.clone(), self.tenant.clone());
        let mut request = SendRequest::new(&tenant, channel, &to);
        request.known_device = send.known_device;
        request.decoy = send.decoy;
        request.delivery = DeliveryMode::Background;
        request.binding = send.bound.then_some(BINDING);
        request.ttl_seconds = send.ttl;
        request.replaces = replaced.map(|at| self.sessions[at].id);
        let messages = self.recorder.len();
        let opened = self.drive(verifier.open(&request));
        prop_assert_eq!(self.recorder.len(), messages, "I5: a message left early");
        let pending = match opened {
            Some(Ok(Opened::Pending(pending))) => pending,
            Some(Ok(Opened::Answered(_))) => {
                return Err(TestCaseError::fail("nothing was asked twice"));
            }
            Some(Err(SendError::Throttled { .. } | SendError::Locked)) => {
                prop_assert!(!may, "a send within every limit was refused");
                return Ok(());
            }
            None | Some(Err(_)) => {
                prop_assert!(fault != Fault::None && skip == 0, "a send failed");
                self.seen.lost += 1;
                if self.written() {
                    self.lanes[place][lane].sends.push(self.now());
                    self.cause.cancelled = replaced;
                }
                return Ok(());
            }
        };
        prop_assert!(may, "I3: a send beyond the limits was granted");
        prop_assert!(self.acknowledged(), "I5: granted without the store's word");
        self.cause.cancelled = replaced;
        self.note_opening(send, &gate, pending.sent().session_id)?;
        self.deliver_later(send, *pending)
    }

    fn note_opening(&mut self, send: &Send, gate: &LaneView, id: SessionId) -> Tested {
        let (place, lane) = (send.place, usize::from(send.known_device));
        let (verifier, tenant) = (self.verifier.clone(), self.tenant.clone());
        self.note_send(place, lane)?;
        let after = self.inspect(place);
        let left = lane_of(&after, lane).sends_left;
        prop_assert_eq!(
            left[0] + 1,
            gate.sends_left[0],
            "I5: a send was not charged"
        );
        let text = id.to_string();
        let view = self
            .drive(verifier.status(&tenant, &text))
            .unwrap()
            .unwrap();
        let view = view.ok_or_else(|| TestCaseError::fail("I5: opened but not stored"))?;
        let policy = self.verifier.policy();
        let lifetime = send.ttl.unwrap_or(policy.lifetime_seconds).min(600);
        self.sessions.push(Session {
            id,
            nonce: view.nonce,
            place,
            lane,
            decoy: send.decoy,
            binding: send.bound.then_some(BINDING),
            codes: vec![String::new()],
            older: Vec::new(),
            opened: self.now(),
            lifetime: lifetime.into(),
            expires: self.now().plus_secs(lifetime.into()),
            life: self.life,
            sends: 1,
            compared: 0,
            approved: 0,
            state: Some(view.state),
            memos: Vec::new(),
        });
        Ok(())
    }

    fn deliver_later(&mut self, send: &Send, pending: Pending) -> Tested {
        let at = self.sessions.len() - 1;
        if send.slow > 0 {
            self.clock.advance_secs(send.slow);
            // The session may be over by now, and that end must stay.
            let text = self.sessions[at].id.to_string();
            let status = self.verifier.status(&self.tenant, &text);
            let view = self.drive(status).unwrap().unwrap();
            self.sessions[at].state = view.map(|view| view.state);
        }
        self.deliver(at, pending, send.outcome)
    }

    fn deliver(&mut self, at: usize, pending: Pending, outcome: Outcome) -> Tested {
        let messages = self.recorder.len();
        self.recorder.fail_with(match outcome {
            Outcome::Taken => None,
            Outcome::FailsForNow => Some(DeliverError::transient()),
            Outcome::FailsForGood => Some(DeliverError::permanent(Permanent::Blocked)),
        });
        drop(self.drive(pending.deliver()));
        let session = &mut self.sessions[at];
        if session.decoy {
            prop_assert_eq!(self.recorder.len(), messages, "a decoy's message left");
        } else if outcome == Outcome::Taken {
            prop_assert_eq!(
                self.recorder.len(),
                messages + 1,
                "one message for one send"
            );
            let code = self.recorder.last_code().unwrap();
            *session.codes.last_mut().unwrap() = code;
        } else if outcome == Outcome::FailsForGood {
            self.cause.undeliverable = Some(at);
        }
        Ok(())
    }

    fn resend(&mut self, at: usize, outcome: Outcome) -> Tested {
        let session = &self.sessions[at];
        let (place, lane) = (session.place, session.lane);
        let (verifier, tenant) = (self.verifier.clone(), self.tenant.clone());
        let to = self.places[place].clone();
        let mut request = ResendRequest::new(&tenant, session.id, &to);
        request.binding = session.binding;
        let messages = self.recorder.len();
        let live = session.state == Some(SessionState::Live) && session.life == self.life;
        let reopened = self.drive(verifier.reopen(&request));
        prop_assert_eq!(self.recorder.len(), messages, "I5: a message left early");
        let granted = matches!(reopened, Some(Ok(_)));
        let lost = matches!(reopened, None | Some(Err(SendError::Store(_))));
        if lost {
            self.seen.lost += 1;
        }
        let may_be_charged = granted || (lost && self.written());
        if !may_be_charged {
            return Ok(());
        }
        prop_assert!(live, "I8: an ended session was sent again");
        prop_assert!(!granted || self.acknowledged(), "I5: not acknowledged");
        self.note_send(place, lane)?;
        self.note_renewal(at)?;
        match reopened {
            Some(Ok(pending)) => self.deliver(at, pending, outcome),
            _ => Ok(()),
        }
    }

    /// The old code is dead, or one of the last few that work; time is cut at the ceiling.
    fn note_renewal(&mut self, at: usize) -> Tested {
        let (now, policy) = (self.now(), self.verifier.policy());
        let session = &mut self.sessions[at];
        session.sends += 1;
        prop_assert!(
            session.sends <= policy.max_sends,
            "too many sends of a session"
        );
        let kept = match policy.resend {
            ResendPolicy::KeepLast(n) => usize::from(n),
            _ => 1,
        };
        session.codes.push(String::new());
        while session.codes.len() > kept {
            session.older.push(session.codes.remove(0));
        }
        let ceiling = session.opened.plus_secs(600);
        let renewed = now.plus_secs(session.lifetime).min(ceiling);
        session.expires = session.expires.max(renewed);
        Ok(())
    }

    fn note_send(&mut self, place: usize, lane: usize) -> Tested {
        let (now, limits) = (self.now(), self.policy_of(lane).sends);
        let sends = &mut self.lanes[place][lane].sends;
        sends.push(now);
        within(sends, limits, now)
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

pub(crate) fn lane_of(inspection: &Inspection, lane: usize) -> &LaneView {
    [&inspection.open, &inspection.known_device][lane]
}

/// No window ever holds more than its limit, counted by the true times of the events.
pub(crate) fn within(events: &[Timestamp], limits: [Limit; 2], now: Timestamp) -> Tested {
    for limit in limits {
        // An event of the future counts as now, so that a clock that went back shortens
        // its window by as much.
        let window = u64::from(limit.seconds) * 1000 - BACK - 2000;
        let since = now.as_millis() - window;
        let count = events.iter().filter(|at| at.as_millis() > since).count();
        prop_assert!(
            count <= usize::from(limit.max),
            "I3: {} above {:?}",
            count,
            limit
        );
    }
    Ok(())
}
