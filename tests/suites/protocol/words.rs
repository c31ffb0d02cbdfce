//! Traces in words.

use crate::checker::Model as _;
use crate::protocol::{Move, Protocol};
use crate::scenario::{Manner, Role};
use crate::state::{Aim, Phase, REQUEST, Seat, Stage, State, Wire};
use crate::values::{Found, TICK_SECONDS};

impl Protocol {
    /// What a move does in this state, and who is told what by it.
    pub(crate) fn told(&self, state: &State, one: Move) -> String {
        let after = self.after(state, one);
        let mut words = vec![self.what(state, &after, one)];
        for (caller, _) in self.roles() {
            let was = state.calls[usize::from(caller)];
            let is = after.calls[usize::from(caller)];
            if was.phase != is.phase && is.phase == Phase::Over {
                let told = match is.told {
                    Found::Nothing => "an error".into(),
                    told => say(told),
                };
                words.push(format!("{} is told: {told}", self.name(caller)));
            } else if was.phase != is.phase && is.phase == Phase::Doubt {
                words.push(format!("{} does not know", self.name(caller)));
            }
        }
        if after.ghost.lost && !state.ghost.lost {
            words.push("writes are lost".into());
        }
        words.join("; ")
    }

    fn what(&self, state: &State, after: &State, one: Move) -> String {
        match one {
            Move::Tick => {
                format!(
                    "it is {} s after the start",
                    u32::from(after.tick) * TICK_SECONDS
                )
            }
            Move::Call { caller, server } => {
                let again = if state.calls[usize::from(caller)].tries > 0 {
                    " again"
                } else {
                    ""
                };
                format!("{} asks server {server}{again}", self.name(caller))
            }
            Move::Lead { server, key, node } => self.leading(state, after, server, key, node),
            Move::Arrive { wire, node } => self.arriving(state, after, wire, node),
            Move::Answer { wire } => {
                let wire = &state.wires[usize::from(wire)];
                let what = if wire.stage == Stage::Lost {
                    "lost"
                } else {
                    "done"
                };
                format!("server {} hears that it was {what}", wire.server)
            }
            Move::Deliver { caller } => format!("{} hands its message over", self.name(caller)),
            Move::Sync => "the copy is brought up to date".into(),
            Move::Demote => "the primary of before follows the new one".into(),
            Move::TimeOut { wire } => {
                let wire = &state.wires[usize::from(wire)];
                format!(
                    "server {} gives up waiting for {}",
                    wire.server,
                    self.batch_of(state, wire)
                )
            }
            Move::Drop { caller } => format!("{} is dropped half-way", self.name(caller)),
            Move::Crash { server } => format!("server {server} dies"),
            Move::Failover => format!("node {} takes over, in life {}", after.leader, after.life),
        }
    }

    fn leading(&self, state: &State, after: &State, server: u8, key: u8, node: u8) -> String {
        let record = if key == REQUEST {
            "the request"
        } else {
            "the destination"
        };
        let who = &state.lines[usize::from(server)][usize::from(key)].waiting;
        let native = self.scenario.manner == Manner::Native;
        let who = if native {
            &who.as_slice()[..1]
        } else {
            who.as_slice()
        };
        let aims = who.iter().map(|caller| {
            let aim = aim(state.calls[usize::from(*caller)].aim);
            format!("{} ({aim})", self.name(*caller))
        });
        let who = aims.collect::<Vec<_>>().join(", ");
        if native {
            return format!("server {server} sends to {record}: {who}");
        }
        let sent = after.wires.iter().find(|wire| !state.wires.contains(wire));
        let ends = match sent {
            Some(wire) => format!("and sends a swap: {}", self.batch_of(after, wire)),
            None => "and there is nothing to write".into(),
        };
        format!("server {server} loads {record} from node {node} for {who}, {ends}")
    }

    fn arriving(&self, state: &State, after: &State, wire: u8, node: u8) -> String {
        let one = &state.wires[usize::from(wire)];
        let (before, now) = (
            &state.nodes[usize::from(node)],
            &after.nodes[usize::from(node)],
        );
        let ends = if before.values == now.values {
            "changes nothing"
        } else {
            "is written"
        };
        let late = if one.awaited { "" } else { "late " };
        let what = self.batch_of(state, one);
        format!("at node {node} {late}arrives {what}, and {ends}")
    }

    fn batch_of(&self, state: &State, wire: &Wire) -> String {
        let seat = |seat: &Seat| match (seat.found, wire.awaited) {
            (Found::Nothing, _) => self.name(seat.caller),
            (found, _) => format!("{}: {}", self.name(seat.caller), say(found)),
        };
        let seats: Vec<_> = wire.seats().iter().map(seat).collect();
        let life = if state.life > 1 {
            format!(" of life {}", wire.life)
        } else {
            String::new()
        };
        format!("[{}]{life}", seats.join(", "))
    }

    /// A caller's name, by what it does.
    fn name(&self, caller: u8) -> String {
        match self.role(caller) {
            Role::Guess {
                session,
                right,
                named,
            } => {
                let code = if right { "right" } else { "wrong" };
                let named = if named { ", named" } else { "" };
                format!("caller {caller} ({code} code of session {session}{named})")
            }
            Role::Send => format!("try {caller}"),
            Role::Open => format!("caller {caller} (new session {})", self.own_nonce(caller)),
        }
    }
}

fn aim(aim: Aim) -> &'static str {
    match aim {
        Aim::Check => "check",
        Aim::Begin => "begin",
        Aim::Peek => "peek",
        Aim::Open => "open",
        Aim::Finish => "finish",
        Aim::Release => "release",
    }
}

fn say(found: Found) -> String {
    match found {
        Found::Nothing => "nothing".into(),
        Found::Approved => "approved".into(),
        Found::Wrong(left) => format!("wrong, {left} left"),
        Found::Exhausted => "out of attempts".into(),
        Found::Expired => "expired".into(),
        Found::AlreadyUsed => "already used".into(),
        Found::Throttled => "throttled".into(),
        Found::Unknown => "unknown".into(),
        Found::Granted(number) => format!("session {number} opened"),
        Found::Existing(number) => format!("session {number} was there"),
        Found::Refused => "refused".into(),
        Found::Overlooked => "refused, though its session was there".into(),
        Found::Free => "nothing in the way".into(),
        Found::Proceed(number) => format!("go on with nonce {number}"),
        Found::InProgress => "another try is at work".into(),
        Found::Answered(number) => format!("answered before: session {number}"),
        Found::Done => "done".into(),
    }
}
