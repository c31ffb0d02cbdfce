//! The protocol as a model: what may happen in a state, and what comes of it.

use crate::checker::Model;
use crate::guards::Guard;
use crate::laws::Law;
use crate::material::sessions;
use crate::scenario::{Fault, Manner, NODES, RETRIES, Role, SERVERS, Scenario};
use crate::state::{Call, DESTINATION, Ghost, KEYS, Line, Node, Phase, Stage, State};
use crate::values::{ABSENT, Ask, ValueId, Values, When};

pub(crate) struct Protocol {
    pub(crate) scenario: Scenario,
    pub(crate) values: Values,
    begins_with: ValueId,
}

/// What may happen. Servers, nodes, callers and wires by their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Move {
    Tick,
    /// A caller asks a server, for the first time or again.
    Call {
        caller: u8,
        server: u8,
    },
    /// The first in line takes all who wait, loads from a node, folds, and sends the swap.
    Lead {
        server: u8,
        key: u8,
        node: u8,
    },
    Arrive {
        wire: u8,
        node: u8,
    },
    Answer {
        wire: u8,
    },
    Deliver {
        caller: u8,
    },
    /// The copy gets what the primary has.
    Sync,
    /// The primary of before follows the one that was promoted.
    Demote,
    TimeOut {
        wire: u8,
    },
    Drop {
        caller: u8,
    },
    Crash {
        server: u8,
    },
    Failover,
}

impl Protocol {
    pub(crate) fn new(scenario: Scenario) -> Self {
        let callers = u8::try_from(scenario.callers.len()).expect("a few callers");
        let all = sessions(scenario.opened + callers, callers, scenario.sends);
        let values = Values::new(all, scenario.guards);
        let when = When { tick: 0, life: 1 };
        let open = |value, number| values.take(value, Ask::Open(number), when).next;
        let begins_with = (0..scenario.opened).fold(ABSENT, open);
        Self {
            scenario,
            values,
            begins_with,
        }
    }

    pub(crate) fn holds(&self, guard: Guard) -> bool {
        self.scenario.guards.hold(guard)
    }

    pub(crate) fn role(&self, caller: u8) -> Role {
        self.scenario.callers[usize::from(caller)]
    }

    pub(crate) fn roles(&self) -> impl Iterator<Item = (u8, Role)> {
        (0..).zip(self.scenario.callers.iter().copied())
    }

    pub(crate) fn sessions(&self) -> impl Iterator<Item = u8> + use<> {
        0..self.scenario.opened + u8::try_from(self.scenario.callers.len()).unwrap_or_default()
    }

    /// The number of the nonce that a caller draws for a session.
    pub(crate) fn own_nonce(&self, caller: u8) -> u8 {
        self.scenario.opened + caller
    }

    /// Those who guess at a session.
    pub(crate) fn guesses<'a>(
        &'a self,
        state: &'a State,
        session: u8,
    ) -> impl Iterator<Item = &'a Call> {
        let at = move |role| matches!(role, Role::Guess { session: of, .. } if of == session);
        let own = self.roles().filter(move |(_, role)| at(*role));
        own.map(|(caller, _)| &state.calls[usize::from(caller)])
    }

    /// The tick and the life in which a session was opened.
    pub(crate) fn opening(&self, state: &State, session: u8) -> (u8, u8) {
        match session.checked_sub(self.scenario.opened) {
            None => (0, 1),
            Some(caller) => {
                let call = &state.calls[usize::from(caller)];
                (call.leased, call.nonce)
            }
        }
    }

    /// Whether anything may happen that is no fault and no clock.
    pub(crate) fn goes_on(&self, state: &State) -> bool {
        let mut moves = Vec::new();
        self.work(state, &mut moves);
        !moves.is_empty()
    }

    /// What servers, the store and the network do when nothing goes wrong.
    fn work(&self, state: &State, moves: &mut Vec<Move>) {
        let primaries = || {
            (0..)
                .zip(&state.nodes)
                .filter(|(_, node)| node.primary)
                .map(|(n, _)| n)
        };
        for (server, key) in lines() {
            let line = &state.lines[usize::from(server)][usize::from(key)];
            let busy =
                self.scenario.manner == Manner::Swap && state.under_way(server, key).is_some();
            if !line.waiting.as_slice().is_empty() && !busy && !line.forgotten {
                match self.scenario.manner {
                    Manner::Swap => {
                        moves.extend(primaries().map(|node| Move::Lead { server, key, node }));
                    }
                    Manner::Native => moves.push(Move::Lead {
                        server,
                        key,
                        node: 0,
                    }),
                }
            }
        }
        for (wire, one) in (0..).zip(&state.wires) {
            match one.stage {
                Stage::Sent => moves.extend(primaries().map(|node| Move::Arrive { wire, node })),
                Stage::Done | Stage::Lost => moves.push(Move::Answer { wire }),
            }
        }
        for (caller, call) in (0..).zip(&state.calls) {
            if call.phase == Phase::Delivering {
                moves.push(Move::Deliver { caller });
            }
        }
    }

    fn calls(&self, state: &State, moves: &mut Vec<Move>) {
        let untouched = state.calls.iter().all(|call| call.phase == Phase::Idle);
        for (caller, role) in self.roles() {
            let call = &state.calls[usize::from(caller)];
            let ready = match call.phase {
                Phase::Idle => self.may_begin(state, caller, role),
                Phase::Doubt => call.tries <= RETRIES,
                _ => false,
            };
            // Servers are alike: the first call of all goes to the first of them.
            let servers = if untouched { 1 } else { SERVERS };
            if ready {
                let servers = (0..servers).filter_map(|server| u8::try_from(server).ok());
                moves.extend(servers.map(|server| Move::Call { caller, server }));
            }
        }
    }

    /// A code can be typed once its message left. Of callers that are alike the first begins.
    fn may_begin(&self, state: &State, caller: u8, role: Role) -> bool {
        let alike = self
            .roles()
            .take(usize::from(caller))
            .all(|(before, other)| {
                other != role || state.calls[usize::from(before)].phase != Phase::Idle
            });
        let sent = match role {
            Role::Guess { session, .. } => {
                session < self.scenario.opened || state.ghost.opened & 1 << session != 0
            }
            Role::Send | Role::Open => true,
        };
        alike && sent
    }

    fn mishaps(&self, state: &State, moves: &mut Vec<Move>) {
        if state.faults == 0 {
            return;
        }
        let can = |fault| self.scenario.faults.contains(&fault);
        if can(Fault::TimeOut) {
            let awaited = (0..).zip(&state.wires).filter(|(_, one)| one.awaited);
            moves.extend(awaited.map(|(wire, _)| Move::TimeOut { wire }));
        }
        let at_work = |call: &Call| {
            matches!(
                call.phase,
                Phase::InLine | Phase::InBatch | Phase::Delivering
            )
        };
        if can(Fault::Drop) {
            let calls = (0..).zip(&state.calls).filter(|(_, call)| at_work(call));
            moves.extend(calls.map(|(caller, _)| Move::Drop { caller }));
        }
        if can(Fault::Crash) {
            let busy = |server: &u8| {
                state
                    .calls
                    .iter()
                    .any(|call| at_work(call) && call.server == *server)
            };
            let servers = (0..SERVERS).filter_map(|server| u8::try_from(server).ok());
            moves.extend(servers.filter(busy).map(|server| Move::Crash { server }));
        }
        if can(Fault::Failover) && state.nodes.iter().any(|node| !node.primary) {
            moves.push(Move::Failover);
        }
    }
}

impl Model for Protocol {
    type State = State;
    type Move = Move;
    type Law = Law;

    fn start(&self) -> State {
        let mut values = [ABSENT; KEYS];
        values[usize::from(DESTINATION)] = self.begins_with;
        let node = |primary| Node {
            values,
            life: 1,
            primary,
        };
        let mut nodes = [node(false); NODES];
        nodes[0] = node(true);
        State {
            tick: 0,
            faults: self.scenario.budget,
            nodes,
            leader: 0,
            life: 1,
            lines: [[Line::default(); KEYS]; SERVERS],
            wires: Vec::new(),
            calls: Default::default(),
            ghost: Ghost::default(),
        }
    }

    fn moves(&self, state: &State, moves: &mut Vec<Move>) {
        self.work(state, moves);
        self.calls(state, moves);
        self.mishaps(state, moves);
        if state.tick < self.scenario.ticks {
            moves.push(Move::Tick);
        }
        if self.scenario.faults.contains(&Fault::Failover) {
            let [one, other] = &state.nodes;
            match (one.primary, other.primary) {
                (true, true) => moves.push(Move::Demote),
                _ if one.values != other.values => moves.push(Move::Sync),
                _ => {}
            }
        }
    }

    fn after(&self, state: &State, one: Move) -> State {
        let mut next = state.clone();
        match one {
            Move::Tick => next.tick += 1,
            Move::Call { caller, server } => self.begin(&mut next, caller, server),
            Move::Lead { server, key, node } => self.lead(&mut next, server, key, node),
            Move::Arrive { wire, node } => self.arrive(&mut next, wire, node),
            Move::Answer { wire } => self.answer(&mut next, wire),
            Move::Deliver { caller } => self.deliver(&mut next, caller),
            Move::Sync => next.sync(),
            Move::Demote => next.demote(),
            Move::TimeOut { wire } => self.time_out(&mut next, wire),
            Move::Drop { caller } => self.drop(&mut next, caller),
            Move::Crash { server } => self.crash(&mut next, server),
            Move::Failover => self.fail_over(&mut next),
        }
        if matches!(
            one,
            Move::TimeOut { .. } | Move::Drop { .. } | Move::Crash { .. } | Move::Failover
        ) {
            next.faults -= 1;
        }
        next.tidy();
        next
    }

    fn broken(&self, state: &State) -> Option<Law> {
        self.law_broken(state)
    }

    fn sights(&self, state: &State) -> u64 {
        self.seen(state)
    }

    fn words(&self, state: &State, one: Move) -> String {
        self.told(state, one)
    }
}

fn lines() -> impl Iterator<Item = (u8, u8)> {
    let all = (0..SERVERS).flat_map(|server| (0..KEYS).map(move |key| (server, key)));
    all.filter_map(|(server, key)| Some((u8::try_from(server).ok()?, u8::try_from(key).ok()?)))
}
