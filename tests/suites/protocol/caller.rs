//! The callers' part: what they ask, what they are told, and what a send does next.

use countersign::RecordKey;
use countersign::record::Step;

use crate::guards::Guard;
use crate::laws::Law;
use crate::protocol::Protocol;
use crate::scenario::{Manner, Role};
use crate::state::{Aim, Phase, Seat, State};
use crate::values::{Ask, Found};

impl Protocol {
    /// A caller asks a server, for the first time or again.
    pub(crate) fn begin(&self, state: &mut State, caller: u8, server: u8) {
        let call = state.call(caller);
        call.server = server;
        call.tries += 1;
        let aim = match self.role(caller) {
            Role::Guess { .. } => Aim::Check,
            Role::Send => Aim::Begin,
            Role::Open => Aim::Open,
        };
        join(state, caller, aim);
    }

    pub(crate) fn ask(&self, state: &State, caller: u8) -> Ask {
        let call = &state.calls[usize::from(caller)];
        match (call.aim, self.role(caller)) {
            (
                Aim::Check,
                Role::Guess {
                    session,
                    right,
                    named,
                },
            ) => {
                // Nothing tells two guesses apart that have no name.
                let caller = if named { caller } else { 0 };
                Ask::Check {
                    session,
                    right,
                    named,
                    caller,
                }
            }
            (Aim::Begin, _) => Ask::Begin(self.own_nonce(caller)),
            (Aim::Peek, _) => Ask::Peek(call.nonce),
            (Aim::Open, Role::Open) => Ask::Open(self.own_nonce(caller)),
            (Aim::Finish, _) => Ask::Finish(call.nonce),
            (Aim::Release, _) => Ask::Release(call.nonce, call.leased),
            (Aim::Open | Aim::Check, _) => Ask::Open(call.nonce),
        }
    }

    /// The real step of a caller that guesses, or opens.
    pub(crate) fn real_step(&self, state: &State, caller: u8) -> (RecordKey, Step) {
        self.values.real(self.ask(state, caller))
    }

    /// A step's effect is handed to its caller; `written` says whether the write that it
    /// came with was acknowledged.
    pub(crate) fn tell(&self, state: &mut State, seat: Seat, written: bool) {
        if seat.changed && !written {
            self.breaks(state, Law::ToldAfterWrite);
        }
        match self.role(seat.caller) {
            Role::Guess { session, right, .. } => self.tell_verdict(state, seat, session, right),
            Role::Open => end(state, seat.caller, seat.found),
            Role::Send => self.go_on(state, seat),
        }
    }

    fn tell_verdict(&self, state: &mut State, seat: Seat, session: u8, right: bool) {
        let over = state.tick >= seat.expires;
        let swap = self.scenario.manner == Manner::Swap;
        let approved = seat.found == Found::Approved;
        let withheld =
            approved && seat.changed && over && swap && self.holds(Guard::LateIsWithheld);
        let told = if withheld { Found::Expired } else { seat.found };
        if told == Found::Approved {
            // A decision that was told late may not have been written late; but whoever
            // swaps cannot know.
            let late = state.ghost.late & 1 << session != 0 || seat.changed && over && swap;
            if late {
                self.breaks(state, Law::InTime);
            }
        } else if right && !self.is_reason(state, seat.caller, session, told) {
            self.breaks(state, Law::RightIsTaken);
        }
        let call = state.call(seat.caller);
        call.compared = matches!(told, Found::Approved | Found::Wrong(_))
            || told == Found::Exhausted && seat.changed;
        end(state, seat.caller, told);
    }

    /// An error that leaves open what happened; or no answer at all, where nobody of the
    /// call is `alive` any more.
    pub(crate) fn doubt(&self, state: &mut State, caller: u8, alive: bool) {
        let call = state.call(caller);
        call.doubted = true;
        match (self.role(caller), call.aim) {
            (Role::Guess { .. }, _) => call.phase = Phase::Doubt,
            (Role::Send, Aim::Peek | Aim::Open) if alive && !self.holds(Guard::DoubtKeepsKey) => {
                join(state, caller, Aim::Release);
            }
            // Best effort: the caller is told of its session all the same.
            (Role::Send, Aim::Finish) if alive => call.phase = Phase::Over,
            _ => end(state, caller, Found::Nothing),
        }
    }

    /// What a send does after a step: `Verifier::open` and `Pending::deliver`.
    fn go_on(&self, state: &mut State, seat: Seat) {
        let caller = seat.caller;
        let call = state.call(caller);
        match seat.found {
            Found::Proceed(nonce) => {
                let handed_on = self.holds(Guard::NonceIsHandedOn);
                call.nonce = if handed_on {
                    nonce
                } else {
                    self.own_nonce(caller)
                };
                call.leased = seat.expires;
                join(state, caller, Aim::Peek);
            }
            Found::Free => self.open(state, caller),
            Found::Granted(_) => call.phase = Phase::Delivering,
            Found::Existing(_) if !self.holds(Guard::ExistingSendsNothing) => {
                call.phase = Phase::Delivering;
            }
            Found::Existing(_) => {
                call.told = seat.found;
                join(state, caller, Aim::Finish);
            }
            Found::Refused => join(state, caller, Aim::Release),
            Found::Overlooked => {
                join(state, caller, Aim::Release);
                self.breaks(state, Law::SentIsTold);
            }
            Found::Done => {
                let told = call.told;
                end(state, caller, told);
            }
            found => end(state, caller, found),
        }
    }

    fn open(&self, state: &mut State, caller: u8) {
        if !self.holds(Guard::MessageAfterWrite) {
            self.leave(state, caller);
        }
        join(state, caller, Aim::Open);
    }

    /// The message leaves, and the answer is to be kept.
    pub(crate) fn deliver(&self, state: &mut State, caller: u8) {
        self.leave(state, caller);
        let call = state.call(caller);
        call.told = Found::Granted(call.nonce);
        join(state, caller, Aim::Finish);
    }

    fn leave(&self, state: &mut State, caller: u8) {
        let nonce = state.call(caller).nonce;
        state.ghost.messages += 1;
        if state.ghost.opened & 1 << nonce == 0 {
            self.breaks(state, Law::StoredFirst);
        }
    }
}

fn end(state: &mut State, caller: u8, told: Found) {
    let call = state.call(caller);
    (call.phase, call.told) = (Phase::Over, told);
}

fn join(state: &mut State, caller: u8, aim: Aim) {
    let key = aim.key();
    let call = state.call(caller);
    (call.phase, call.aim) = (Phase::InLine, aim);
    let server = call.server;
    state.line(server, key).waiting.push(caller);
}
