//! The store's part: swaps arrive, copies are made, a copy takes over.

use crate::guards::Guard;
use crate::protocol::Protocol;
use crate::scenario::{Manner, Role};
use crate::state::{Stage, State, Wire};
use crate::values::{Found, When};

impl Protocol {
    /// A swap arrives at a node that takes it for a primary, and it may be the wrong one.
    pub(crate) fn arrive(&self, state: &mut State, wire: u8, node: u8) {
        let mut one = state.wires.remove(usize::from(wire));
        let at = state.nodes[usize::from(node)];
        let held = at.values[usize::from(one.key)];
        if self.scenario.manner == Manner::Native {
            let when = When {
                tick: state.tick,
                life: at.life,
            };
            one.next = self.fold(state, &mut one, held, when);
            (one.seen, one.life, one.since) = (held, at.life, state.tick);
        }
        let fits = (held == one.seen || !self.holds(Guard::SwapComparesValue))
            && (at.life == one.life || !self.holds(Guard::SwapComparesLife));
        one.stage = if fits { Stage::Done } else { Stage::Lost };
        if fits && one.next != held {
            state.nodes[usize::from(node)].values[usize::from(one.key)] = one.next;
            // Written to a primary that no longer is the one.
            state.ghost.lost |= node != state.leader;
            self.written(state, &one);
        }
        if one.awaited {
            state.wires.push(one);
        }
    }

    /// What an observer learns from a write that happened.
    fn written(&self, state: &mut State, wire: &Wire) {
        for seat in wire.seats().iter().filter(|seat| seat.changed) {
            let role = self.role(seat.caller);
            let call = &mut state.calls[usize::from(seat.caller)];
            match (seat.found, role) {
                (Found::Granted(number), _) => {
                    state.ghost.opened |= 1 << number;
                    if role == Role::Open {
                        (call.leased, call.nonce) = (wire.since, wire.life);
                    }
                }
                (found, Role::Guess { session, .. }) => {
                    call.charged += 1;
                    if found == Found::Approved && state.tick >= seat.expires {
                        state.ghost.late |= 1 << session;
                    }
                }
                _ => {}
            }
        }
    }

    /// The copy takes over, and nobody has told the primary of before.
    pub(crate) fn fail_over(&self, state: &mut State) {
        let [one, other] = &state.nodes;
        state.ghost.lost |= one.values != other.values;
        let (old, new) = (state.leader, 1 - state.leader);
        state.life += 1;
        let life = if !self.holds(Guard::LossBeginsLife) {
            state.nodes[usize::from(old)].life
        } else if !self.holds(Guard::PromotionBeginsLife) {
            // Each process has its own, and takes it up again.
            new + 1
        } else {
            state.life
        };
        state.leader = new;
        let promoted = &mut state.nodes[usize::from(new)];
        (promoted.life, promoted.primary) = (life, true);
    }
}

impl State {
    pub(crate) fn sync(&mut self) {
        let values = self.nodes[usize::from(self.leader)].values;
        self.nodes[usize::from(1 - self.leader)].values = values;
    }

    pub(crate) fn demote(&mut self) {
        let [one, other] = &self.nodes;
        self.ghost.lost |= one.values != other.values;
        self.nodes[usize::from(1 - self.leader)].primary = false;
        self.sync();
    }
}
