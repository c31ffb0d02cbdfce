//! What must hold in every state.

use crate::material::{LEASE_TICKS, LIFETIME_TICKS, MAX_ATTEMPTS, MAX_FAILURES};
use crate::protocol::Protocol;
use crate::scenario::Role;
use crate::state::{Aim, Call, DESTINATION, Phase, State};
use crate::values::Found;

/// A law, by what a caller would say of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Law {
    /// A code is approved to one caller, once; whatever crashed.
    ApprovedOnce,
    /// No more comparisons are told than a session has attempts.
    Attempts,
    /// No more failures are told than a destination may have.
    Failures,
    /// What is told was written before.
    ToldAfterWrite,
    /// No approval that was decided, or written, at or after the expiry is told.
    InTime,
    /// One attempt is charged once, however often it is repeated.
    ChargedOnce,
    /// A right code is refused only for a reason that the policy gives.
    RightIsTaken,
    /// A failure that was told is counted.
    FailureCounts,
    /// Under one idempotency key one message leaves.
    OneMessage,
    /// Under one idempotency key one session is opened.
    OneSession,
    /// All tries of one send that are told a session are told the same one.
    OneAnswer,
    /// As long as the lease of a try runs, no other is at work.
    OneAtWork,
    /// A try is not refused once its session is stored.
    SentIsTold,
    /// No message leaves before its session is stored.
    StoredFirst,
    /// Whoever waits is answered in the end.
    Answered,
}

impl Protocol {
    /// The first law that this state breaks.
    pub(crate) fn law_broken(&self, state: &State) -> Option<Law> {
        let holds = [
            (Law::ApprovedOnce, self.approvals_are_single(state)),
            (Law::Attempts, self.attempts_are_bounded(state)),
            (Law::Failures, failures_are_bounded(state)),
            (Law::ChargedOnce, self.charges_are_single(state)),
            (Law::FailureCounts, self.failures_are_counted(state)),
            (
                Law::OneMessage,
                state.ghost.lost || state.ghost.messages <= 1,
            ),
            (
                Law::OneSession,
                state.ghost.lost || self.own_sessions(state) <= 1,
            ),
            (Law::OneAnswer, state.ghost.lost || answers_agree(state)),
            (Law::OneAtWork, state.ghost.lost || self.at_work(state) <= 1),
            (Law::Answered, self.nobody_is_stuck(state)),
        ];
        let broken = |(law, holds): &(Law, bool)| !holds && self.watches(*law);
        let first = holds.iter().find(|one| broken(one)).map(|(law, _)| *law);
        state.ghost.broken.or(first)
    }

    /// Notes that a move breaks a law.
    pub(crate) fn breaks(&self, state: &mut State, law: Law) {
        if self.watches(law) {
            state.ghost.broken = Some(law);
        }
    }

    fn watches(&self, law: Law) -> bool {
        self.scenario.only.is_none_or(|only| only == law)
    }

    fn approvals_are_single(&self, state: &State) -> bool {
        let of = |session| self.count(state, session, |told| told == Found::Approved);
        self.sessions().all(|session| of(session) <= 1)
    }

    fn attempts_are_bounded(&self, state: &State) -> bool {
        self.sessions().all(|session| {
            let compared = self.guesses(state, session).filter(|call| call.compared);
            compared.count() <= usize::from(MAX_ATTEMPTS)
        })
    }

    fn failures_are_counted(&self, state: &State) -> bool {
        let value = state.nodes[usize::from(state.leader)].values[usize::from(DESTINATION)];
        let counted = self.values.failures(value, state.tick);
        state.ghost.lost || told_failures(state) <= usize::from(counted)
    }

    /// An attempt without a name is another one each time.
    fn charges_are_single(&self, state: &State) -> bool {
        self.roles().all(|(caller, role)| {
            let call = &state.calls[usize::from(caller)];
            match role {
                Role::Guess { named: true, .. } => call.charged <= 1,
                _ => call.charged <= call.tries,
            }
        })
    }

    /// Where nothing more can happen but faults, nobody waits.
    fn nobody_is_stuck(&self, state: &State) -> bool {
        let waits = |phase| matches!(phase, Phase::InLine | Phase::InBatch | Phase::Delivering);
        let moving = !state.wires.is_empty() || self.goes_on(state);
        moving || !state.calls.iter().any(|call| waits(call.phase))
    }

    /// Whether refusing this caller's right code as `found` needs no excuse.
    pub(crate) fn is_reason(&self, state: &State, caller: u8, session: u8, found: Found) -> bool {
        let (opened, life) = self.opening(state, session);
        let over = state.tick >= opened + LIFETIME_TICKS;
        let charged: usize = self
            .guesses(state, session)
            .map(|call| usize::from(call.charged))
            .sum();
        match found {
            Found::Expired => over || state.life > life,
            Found::Exhausted => over || charged >= usize::from(MAX_ATTEMPTS),
            Found::Throttled => charges(state) >= usize::from(MAX_FAILURES),
            Found::AlreadyUsed => over || self.somebody_may_have_it(state, caller, session),
            // What was opened in a run may be lost, or unknown to a primary that no longer is one.
            Found::Unknown => state.life > 1 && session >= self.scenario.opened,
            _ => false,
        }
    }

    /// Whether the code went to another caller, or to a try that nobody could know again.
    fn somebody_may_have_it(&self, state: &State, caller: u8, session: u8) -> bool {
        self.roles().any(|(other, role)| {
            let Role::Guess {
                session: of,
                right: true,
                named,
            } = role
            else {
                return false;
            };
            let call = &state.calls[usize::from(other)];
            let known = other == caller && (named || !call.doubted);
            of == session && call.charged > 0 && !known
        })
    }

    fn own_sessions(&self, state: &State) -> u32 {
        let senders = self.roles().filter(|(_, role)| *role == Role::Send);
        let own = senders.fold(0, |mask, (caller, _)| mask | 1 << self.own_nonce(caller));
        (state.ghost.opened & own).count_ones()
    }

    /// How many tries are past their beginning and within their lease.
    fn at_work(&self, state: &State) -> usize {
        let senders = self.roles().filter(|(_, role)| *role == Role::Send);
        let calls = senders.map(|(caller, _)| &state.calls[usize::from(caller)]);
        let at_work = calls.filter(|call| {
            matches!(call.aim, Aim::Peek | Aim::Open)
                && call.phase != Phase::Over
                && state.tick < call.leased + LEASE_TICKS
        });
        at_work.count()
    }

    fn count(&self, state: &State, session: u8, is: impl Fn(Found) -> bool) -> usize {
        self.guesses(state, session)
            .filter(|call| is(call.told))
            .count()
    }
}

fn answers_agree(state: &State) -> bool {
    let told = state.calls.iter().filter_map(|call| match call.told {
        Found::Granted(nonce) | Found::Existing(nonce) | Found::Answered(nonce) => Some(nonce),
        _ => None,
    });
    let mut told: Vec<_> = told.collect();
    told.dedup();
    told.len() <= 1
}

fn told_failures(state: &State) -> usize {
    let failed = |call: &&Call| call.compared && call.told != Found::Approved;
    state.calls.iter().filter(failed).count()
}

fn charges(state: &State) -> usize {
    state
        .calls
        .iter()
        .map(|call| usize::from(call.charged))
        .sum()
}

/// Gates are not fenced: what a failover lost, they have forgotten.
fn failures_are_bounded(state: &State) -> bool {
    state.ghost.lost || told_failures(state) <= usize::from(MAX_FAILURES)
}
