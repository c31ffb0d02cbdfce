//! Our servers' part: the queue at a key, the round of its leader, and its ends.

use crate::guards::Guard;
use crate::protocol::Protocol;
use crate::scenario::{MAX_CALLERS, Manner};
use crate::state::{Phase, Seat, Stage, State, Wire};
use crate::values::{ValueId, When};

impl Protocol {
    /// One turn of a leader: all who wait are taken, the value is loaded, their steps are
    /// folded, the swap is sent. As one move: what others do between load and fold, they
    /// might as well do between fold and swap.
    pub(crate) fn lead(&self, state: &mut State, server: u8, key: u8, node: u8) {
        let line = state.line(server, key);
        let taken = std::mem::take(&mut line.waiting);
        let native = self.scenario.manner == Manner::Native;
        let batch = if native {
            &taken.as_slice()[..1]
        } else {
            taken.as_slice()
        };
        taken.as_slice()[batch.len()..]
            .iter()
            .for_each(|rest| line.waiting.push(*rest));
        let mut wire = batch_of(state, server, key, batch);
        if native {
            return state.wires.push(wire);
        }
        let at = state.nodes[usize::from(node)];
        let held = at.values[usize::from(key)];
        let when = When {
            tick: state.tick,
            life: at.life,
        };
        (wire.seen, wire.life) = (held, at.life);
        wire.next = self.fold(state, &mut wire, held, when);
        if wire.next == held {
            return self.tell_all(state, &wire, true);
        }
        if self.holds(Guard::AnswerAfterWrite) {
            if !self.holds(Guard::AllAwaitTheSwap) {
                self.tell_followers(state, &wire);
            }
        } else {
            self.tell_all(state, &wire, false);
            wire.forsake(self.scenario.manner == Manner::Swap);
        }
        state.wires.push(wire);
    }

    /// Takes the batch's steps in order, and notes at each seat what its step found.
    pub(crate) fn fold(
        &self,
        state: &State,
        wire: &mut Wire,
        held: ValueId,
        when: When,
    ) -> ValueId {
        let mut value = held;
        for seat in &mut wire.seats[..usize::from(wire.len)] {
            let from = if self.holds(Guard::StepsFoldInTurn) {
                value
            } else {
                held
            };
            let taken = self.values.take(from, self.ask(state, seat.caller), when);
            (seat.found, seat.changed) = (taken.found, taken.changed);
            seat.expires = taken.expires;
            value = if taken.changed { taken.next } else { value };
        }
        value
    }

    /// The store's answer comes back.
    pub(crate) fn answer(&self, state: &mut State, wire: u8) {
        let wire = state.wires.remove(usize::from(wire));
        match wire.stage {
            Stage::Done => self.tell_all(state, &wire, true),
            _ if self.holds(Guard::LostIsFoundAnew) => back_in_line(state, &wire),
            _ => self.tell_all(state, &wire, false),
        }
    }

    /// No answer came in time. What was sent may arrive yet.
    pub(crate) fn time_out(&self, state: &mut State, wire: u8) {
        let mut wire = state.wires.remove(usize::from(wire));
        if !self.holds(Guard::DoubtIsNoSuccess) {
            self.tell_all(state, &wire, wire.stage == Stage::Done);
        } else if !self.holds(Guard::DoubtIsNotRepeated) {
            back_in_line(state, &wire);
        } else {
            for seat in state.waiting(&wire) {
                self.doubt(state, seat.caller, true);
            }
        }
        if wire.stage == Stage::Sent {
            wire.forsake(self.scenario.manner == Manner::Swap);
            state.wires.push(wire);
        }
    }

    /// A caller's future is dropped, wherever it stands.
    pub(crate) fn drop(&self, state: &mut State, caller: u8) {
        let call = *state.call(caller);
        let key = call.aim.key();
        match call.phase {
            Phase::InLine => {
                let idle = state.under_way(call.server, key).is_none();
                let line = state.line(call.server, key);
                let leads = idle && line.waiting.as_slice().first() == Some(&caller);
                line.waiting.remove(caller);
                self.call_next(state, call.server, key, leads);
            }
            Phase::InBatch => self.leave_batch(state, caller),
            _ => {}
        }
        self.doubt(state, caller, false);
    }

    /// A leader that goes takes its round with it; another one is only missed.
    fn leave_batch(&self, state: &mut State, caller: u8) {
        let tries = state.call(caller).tries;
        let own = |wire: &Wire| {
            wire.awaited
                && wire
                    .seats()
                    .iter()
                    .any(|seat| (seat.caller, seat.tries) == (caller, tries))
        };
        let Some(at) = state.wires.iter().position(own) else {
            return;
        };
        if state.waiting(&state.wires[at])[0].caller != caller {
            return;
        }
        let mut wire = state.wires.remove(at);
        let (server, key) = (wire.server, wire.key);
        let left: Vec<_> = state.waiting(&wire).into_iter().skip(1).collect();
        if self.holds(Guard::LeaderGoneIsDoubt) {
            for seat in &left {
                self.doubt(state, seat.caller, true);
            }
        } else {
            put_back(state, server, key, &left);
        }
        if wire.stage == Stage::Sent {
            wire.forsake(self.scenario.manner == Manner::Swap);
            state.wires.push(wire);
        }
        self.call_next(state, server, key, true);
    }

    fn call_next(&self, state: &mut State, server: u8, key: u8, leads: bool) {
        let line = state.line(server, key);
        let next = !line.waiting.as_slice().is_empty();
        line.forgotten |= leads && next && !self.holds(Guard::NextIsCalled);
    }

    /// A server dies, with all its callers' futures. What it had sent may arrive yet.
    pub(crate) fn crash(&self, state: &mut State, server: u8) {
        for (caller, _) in self.roles() {
            let call = state.call(caller);
            let at_work = matches!(
                call.phase,
                Phase::InLine | Phase::InBatch | Phase::Delivering
            );
            if at_work && call.server == server {
                self.doubt(state, caller, false);
            }
        }
        state.lines[usize::from(server)] = Default::default();
        state.wires.retain_mut(|wire| {
            let own = wire.awaited && wire.server == server;
            if own {
                wire.forsake(self.scenario.manner == Manner::Swap);
            }
            !own || wire.stage == Stage::Sent
        });
    }

    pub(crate) fn tell_all(&self, state: &mut State, wire: &Wire, written: bool) {
        for seat in state.waiting(wire) {
            self.tell(state, seat, written);
        }
    }

    fn tell_followers(&self, state: &mut State, wire: &Wire) {
        for seat in state.waiting(wire).into_iter().skip(1) {
            self.tell(state, seat, false);
        }
    }
}

fn batch_of(state: &mut State, server: u8, key: u8, callers: &[u8]) -> Wire {
    let mut seats = [Seat::default(); MAX_CALLERS];
    for (seat, caller) in seats.iter_mut().zip(callers) {
        let call = state.call(*caller);
        call.phase = Phase::InBatch;
        (seat.caller, seat.tries) = (*caller, call.tries);
    }
    Wire {
        key,
        server,
        awaited: true,
        stage: Stage::Sent,
        seen: 0,
        next: 0,
        life: 0,
        since: state.tick,
        len: u8::try_from(callers.len()).expect("a few callers"),
        seats,
    }
}

fn put_back(state: &mut State, server: u8, key: u8, seats: &[Seat]) {
    let callers: Vec<_> = seats.iter().map(|seat| seat.caller).collect();
    for caller in &callers {
        let call = state.call(*caller);
        call.phase = Phase::InLine;
    }
    state.line(server, key).waiting.put_first(&callers);
}

/// Those who still wait take another turn, before all who came later.
fn back_in_line(state: &mut State, wire: &Wire) {
    let waiting = state.waiting(wire);
    put_back(state, wire.server, wire.key, &waiting);
}
