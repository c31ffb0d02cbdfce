//! What the store holds: real records' bytes, numbered, and `Record::step` over them.

use std::cell::RefCell;
use std::collections::HashMap;

use countersign::record::{
    Action, Effect, IdempotencyEffect, Moment, Open, Record, Refusal, Step, Ticket,
};
use countersign::store::Incarnation;
use countersign::{Nonce, RecordKey, SessionState, SessionView, Timestamp, Verdict};

use crate::guards::{Guard, Guards};
use crate::material::{Session, number_of};

/// Ticks begin here, in seconds since 1970.
pub(crate) const START: u64 = 1_700_000_000;
/// A memo (60 s) is fresh at the next tick and not at the one after; so is a lease (60 s).
pub(crate) const TICK_SECONDS: u32 = 40;
/// No tick: later than all.
pub(crate) const NEVER: u8 = u8::MAX;

/// A value of the store, by its number; none at all is the first.
pub(crate) type ValueId = u16;
pub(crate) const ABSENT: ValueId = 0;

/// A step, small enough to be part of a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Ask {
    Check {
        session: u8,
        right: bool,
        named: bool,
        caller: u8,
    },
    /// With the nonce of this number, as all below.
    Open(u8),
    Begin(u8),
    Peek(u8),
    Finish(u8),
    /// Of the try that had its lease at this tick.
    Release(u8, u8),
}

/// What a step found, small enough to be part of a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub(crate) enum Found {
    #[default]
    Nothing,
    Approved,
    Wrong(u8),
    Exhausted,
    Expired,
    AlreadyUsed,
    Throttled,
    Unknown,
    Granted(u8),
    Existing(u8),
    Refused,
    /// Refused, though the session is there that it was about to open.
    Overlooked,
    Free,
    Proceed(u8),
    InProgress,
    Answered(u8),
    Done,
}

/// A step taken on a value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taken {
    pub(crate) next: ValueId,
    pub(crate) found: Found,
    pub(crate) changed: bool,
    /// The tick at which the session is over that a check was about; that of the lease, for
    /// a beginning.
    pub(crate) expires: u8,
}

/// When, and in which life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct When {
    pub(crate) tick: u8,
    pub(crate) life: u8,
}

/// All values that were ever met, and each step that was taken on them.
pub(crate) struct Values {
    sessions: Vec<Session>,
    guards: Guards,
    known: RefCell<Known>,
}

#[derive(Default)]
struct Known {
    held: Vec<Held>,
    ids: HashMap<Vec<u8>, ValueId>,
    taken: HashMap<(ValueId, Ask, When), Taken>,
    failures: HashMap<(ValueId, u8), u16>,
}

/// The bytes under a key, and what the bytes say that a record does not tell.
#[derive(Clone, Default)]
struct Held {
    bytes: Option<Vec<u8>>,
    /// The life that its sessions were opened in.
    life: u8,
    /// The nonce with which an idempotency key was last leased, and the tick.
    leased: (u8, u8),
}

impl Values {
    pub(crate) fn new(sessions: Vec<Session>, guards: Guards) -> Self {
        let begin = sessions[0].begin.fingerprint;
        assert!(
            sessions.iter().all(|one| one.begin.fingerprint == begin),
            "all tries ask the same"
        );
        let known = Known {
            held: vec![Held::default()],
            ..Known::default()
        };
        Self {
            sessions,
            guards,
            known: RefCell::new(known),
        }
    }

    fn session(&self, number: u8) -> &Session {
        &self.sessions[usize::from(number)]
    }

    pub(crate) fn bytes(&self, value: ValueId) -> Option<Vec<u8>> {
        self.held(value).bytes
    }

    /// The real step, with the key of its record.
    pub(crate) fn real(&self, ask: Ask) -> (RecordKey, Step) {
        (self.sessions[0].key, self.step(self.action(ask)))
    }

    /// How many failed guesses the destination's gate has counted by now.
    pub(crate) fn failures(&self, value: ValueId, tick: u8) -> u16 {
        if let Some(known) = self.known.borrow().failures.get(&(value, tick)) {
            return *known;
        }
        let limits = self.sessions[0].open.limits;
        let inspect = self.step(Action::Inspect(limits, limits));
        let mut record = self.record(value, &inspect);
        let effect = record.step(&inspect, moment(When { tick, life: 1 }));
        let Ok(Effect::Inspection(seen)) = effect else {
            unreachable!("an inspection: {effect:?}");
        };
        let failures = limits.failures[0].max - seen.open.failures_left[0];
        self.known
            .borrow_mut()
            .failures
            .insert((value, tick), failures);
        failures
    }

    /// The real step on the real bytes, but for the guards that are broken.
    pub(crate) fn take(&self, value: ValueId, ask: Ask, when: When) -> Taken {
        if let Some(known) = self.known.borrow().taken.get(&(value, ask, when)) {
            return *known;
        }
        let taken = self.take_anew(value, ask, when);
        self.known
            .borrow_mut()
            .taken
            .insert((value, ask, when), taken);
        taken
    }

    fn take_anew(&self, value: ValueId, ask: Ask, when: When) -> Taken {
        let held = self.held(value);
        let compared = self.guards.hold(Guard::StepComparesLife) || value == ABSENT;
        let life = if compared { when.life } else { held.life };
        let when = When { life, ..when };
        let view = self.look(value, ask, when);
        let step = self.as_broken(self.step(self.action(ask)), ask, when, &held, view.as_ref());
        let mut record = self.record(value, &step);
        let effect = record.step(&step, moment(when));
        let effect = effect.unwrap_or_else(|corrupt| unreachable!("{ask:?}: {corrupt}"));
        let found = match (ask, self.found(effect), view.is_some()) {
            (Ask::Peek(_), Found::Done, _) => Found::Free,
            (Ask::Peek(_), Found::Refused, true) => Found::Overlooked,
            (_, found, _) => found,
        };
        let expires = match found {
            Found::Proceed(_) => when.tick,
            _ => view.as_ref().map_or(NEVER, |view| tick_of(view.expires_at)),
        };
        let bytes = record.encode();
        let absent = value == ABSENT && bytes == Record::absent(&step).encode();
        let next = if absent || held.bytes.as_ref() == Some(&bytes) {
            value
        } else {
            self.number(held.after(bytes, found, when))
        };
        let changed = next != value;
        let taken = Taken {
            next,
            found,
            changed,
            expires,
        };
        self.as_forgotten(taken, ask, &step)
    }

    /// A refusal that forgets the request.
    fn as_forgotten(&self, taken: Taken, ask: Ask, step: &Step) -> Taken {
        let forgets = matches!(ask, Ask::Release(..)) && taken.changed;
        if !forgets || self.guards.hold(Guard::RefusalKeepsNonce) {
            return taken;
        }
        let empty = Record::absent(step).encode();
        let held = self.held(taken.next);
        let next = self.number(Held {
            bytes: Some(empty),
            ..held
        });
        Taken { next, ..taken }
    }

    fn as_broken(
        &self,
        step: Step,
        ask: Ask,
        when: When,
        held: &Held,
        view: Option<&SessionView>,
    ) -> Step {
        let Step {
            mut action,
            mut at,
            tag,
        } = step;
        if let (Action::Check(check), false) = (&mut action, self.guards.hold(Guard::MemoRecalls)) {
            check.attempt = None;
        }
        if let (Ask::Begin(nonce), false) = (ask, self.guards.hold(Guard::LeaseHoldsKey)) {
            // To whoever comes later the lease of the one before seems over.
            at = Some(now(when.tick).plus_secs(100 * (u64::from(nonce) + 1)));
        }
        if let (Action::Check(_), Some(view), false) =
            (&action, view, self.guards.hold(Guard::RecallIsInTime))
            && view.state == SessionState::Verified
            && now(when.tick) >= view.expires_at
        {
            // As if the repetition had come in time.
            at = Some(Timestamp::from_millis(view.expires_at.as_millis() - 1));
        }
        if let (Action::PeekOpen(open), false) =
            (&mut action, self.guards.hold(Guard::PeekFindsSession))
        {
            open.nonce = Nonce::from_bytes([0xff; 6]);
        }
        if let (Action::Release(_, own), false) =
            (&mut action, self.guards.hold(Guard::ReleaseIsOfTheHolder))
        {
            *own = lease(held.leased.1);
        }
        Step { tag, at, action }
    }

    fn action(&self, ask: Ask) -> Action {
        let nonce = |number: u8| self.session(number).open.nonce;
        match ask {
            Ask::Check {
                session,
                right,
                named,
                caller,
            } => Action::Check(self.session(session).check(right, named, caller)),
            Ask::Open(number) => Action::Open(self.open(number)),
            Ask::Peek(number) => Action::PeekOpen(self.open(number)),
            Ask::Begin(number) => Action::Begin(self.session(number).begin),
            Ask::Finish(number) => Action::Finish(nonce(number), vec![number]),
            Ask::Release(number, leased) => Action::Release(nonce(number), lease(leased)),
        }
    }

    fn open(&self, number: u8) -> Open {
        self.session(number).open
    }

    /// The session that a step is about, as it is before.
    fn look(&self, value: ValueId, ask: Ask, when: When) -> Option<SessionView> {
        let (Ask::Check { session, .. } | Ask::Peek(session) | Ask::Open(session)) = ask else {
            return None;
        };
        let look = self.step(Action::Look(self.open(session).nonce));
        match self.record(value, &look).step(&look, moment(when)) {
            Ok(Effect::Session(view)) => view,
            other => unreachable!("a look: {other:?}"),
        }
    }

    fn step(&self, action: Action) -> Step {
        let tag = self.sessions[0].tag;
        Step {
            tag,
            at: None,
            action,
        }
    }

    fn record(&self, value: ValueId, step: &Step) -> Record {
        match self.held(value).bytes {
            Some(bytes) => Record::decode(&bytes).expect("bytes that a record gave"),
            None => Record::absent(step),
        }
    }

    fn held(&self, value: ValueId) -> Held {
        self.known.borrow().held[usize::from(value)].clone()
    }

    fn number(&self, held: Held) -> ValueId {
        let mut known = self.known.borrow_mut();
        let own = held.bytes.clone().unwrap_or_default();
        if let Some(id) = known.ids.get(&own) {
            return *id;
        }
        let id = ValueId::try_from(known.held.len()).expect("fewer than 65,536 values");
        known.held.push(held);
        known.ids.insert(own, id);
        id
    }

    pub(crate) fn found(&self, effect: Effect) -> Found {
        let number = |ticket: Ticket| number_of(&self.sessions, ticket.nonce);
        match effect {
            Effect::Verdict(verdict) => of_verdict(verdict),
            Effect::Granted(ticket) => Found::Granted(number(ticket)),
            Effect::Existing(ticket) => Found::Existing(number(ticket)),
            Effect::Refused(Refusal::Throttled { .. }) => Found::Refused,
            Effect::Idempotency(IdempotencyEffect::Proceed { nonce, .. }) => {
                Found::Proceed(number_of(&self.sessions, nonce))
            }
            Effect::Idempotency(IdempotencyEffect::InProgress { .. }) => Found::InProgress,
            Effect::Idempotency(IdempotencyEffect::Answered(answer)) => Found::Answered(answer[0]),
            Effect::Done => Found::Done,
            other => unreachable!("no step of the model has this effect: {other:?}"),
        }
    }
}

impl Held {
    fn after(&self, bytes: Vec<u8>, found: Found, when: When) -> Self {
        Self {
            bytes: Some(bytes),
            life: if matches!(found, Found::Granted(_)) {
                when.life
            } else {
                self.life
            },
            leased: match found {
                Found::Proceed(nonce) => (nonce, when.tick),
                _ => self.leased,
            },
        }
    }
}

fn of_verdict(verdict: Verdict) -> Found {
    match verdict {
        Verdict::Verified { .. } => Found::Approved,
        Verdict::WrongCode { attempts_remaining } => Found::Wrong(attempts_remaining),
        Verdict::Exhausted => Found::Exhausted,
        Verdict::Expired => Found::Expired,
        Verdict::AlreadyUsed => Found::AlreadyUsed,
        Verdict::Throttled { .. } => Found::Throttled,
        Verdict::Unknown => Found::Unknown,
        other => unreachable!("no step of the model has this verdict: {other:?}"),
    }
}

pub(crate) fn now(tick: u8) -> Timestamp {
    Timestamp::from_secs(START).plus_secs(u64::from(tick) * u64::from(TICK_SECONDS))
}

/// Until when a lease lasts that was taken at this tick.
fn lease(tick: u8) -> Timestamp {
    now(tick).plus_secs(60)
}

fn moment(when: When) -> Moment {
    Moment {
        now: now(when.tick),
        incarnation: Incarnation::new(u64::from(when.life)),
    }
}

/// The first tick that is not before `at`.
fn tick_of(at: Timestamp) -> u8 {
    let seconds = at.as_millis().div_ceil(1000).saturating_sub(START);
    u8::try_from(seconds.div_ceil(u64::from(TICK_SECONDS))).unwrap_or(NEVER)
}
