//! One state of the whole: the store's nodes, the servers' lines, the swaps on their way, the
//! callers, and what an observer has seen of them.

use std::hash::{Hash, Hasher};

use crate::laws::Law;
use crate::scenario::{MAX_CALLERS, NODES, SERVERS};
use crate::values::{Found, ValueId};

/// The destination's record, and that of the idempotency key.
pub(crate) const DESTINATION: u8 = 0;
pub(crate) const REQUEST: u8 = 1;
pub(crate) const KEYS: usize = 2;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    pub(crate) tick: u8,
    /// How many faults may still happen.
    pub(crate) faults: u8,
    pub(crate) nodes: [Node; NODES],
    /// The node that was promoted last.
    pub(crate) leader: u8,
    /// The number of the newest life.
    pub(crate) life: u8,
    pub(crate) lines: [[Line; KEYS]; SERVERS],
    pub(crate) wires: Vec<Wire>,
    pub(crate) calls: [Call; MAX_CALLERS],
    pub(crate) ghost: Ghost,
}

/// A server of the store. One that is no primary has a copy: a replica, or the disk from
/// which a primary starts again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Node {
    pub(crate) values: [ValueId; KEYS],
    pub(crate) life: u8,
    pub(crate) primary: bool,
}

/// Callers at one key of one of our servers, in the order in which they came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub(crate) struct Line {
    pub(crate) waiting: Row,
    /// Nobody was called to lead, and nobody will be.
    pub(crate) forgotten: bool,
}

/// A few callers, by their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub(crate) struct Row {
    len: u8,
    callers: [u8; MAX_CALLERS],
}

/// A swap (or a step, for a store that takes them itself) on its way to the store, at it, or
/// on its way back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Wire {
    pub(crate) key: u8,
    pub(crate) server: u8,
    /// Whether anybody waits for the answer.
    pub(crate) awaited: bool,
    pub(crate) stage: Stage,
    pub(crate) seen: ValueId,
    pub(crate) next: ValueId,
    pub(crate) life: u8,
    /// The tick at which the value was loaded.
    pub(crate) since: u8,
    pub(crate) len: u8,
    pub(crate) seats: [Seat; MAX_CALLERS],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// It may arrive, late or never.
    Sent,
    Done,
    Lost,
}

/// A caller in a batch, and what its step found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub(crate) struct Seat {
    pub(crate) caller: u8,
    /// Which try of the caller: at the next one it no longer waits here.
    pub(crate) tries: u8,
    pub(crate) found: Found,
    pub(crate) changed: bool,
    /// As in [`Taken`](crate::values::Taken).
    pub(crate) expires: u8,
}

/// What a caller is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub(crate) struct Call {
    pub(crate) phase: Phase,
    pub(crate) server: u8,
    pub(crate) tries: u8,
    /// How far a send has come.
    pub(crate) aim: Aim,
    /// The nonce that a send goes on with, and the tick of its lease.
    pub(crate) nonce: u8,
    pub(crate) leased: u8,
    /// Comparisons that the store has kept.
    pub(crate) charged: u8,
    /// Whether a try of it ended in doubt.
    pub(crate) doubted: bool,
    /// What it was told; nothing yet, or an error.
    pub(crate) told: Found,
    /// Whether what it was told was a comparison.
    pub(crate) compared: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub(crate) enum Phase {
    #[default]
    Idle,
    InLine,
    InBatch,
    /// About to hand over a message.
    Delivering,
    /// Its last try ended in an error that leaves open what happened.
    Doubt,
    Over,
}

/// Which step a caller is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub(crate) enum Aim {
    #[default]
    Check,
    Begin,
    Peek,
    Open,
    Finish,
    Release,
}

/// What an observer of all has seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub(crate) struct Ghost {
    /// Whether a write was lost, or was made where it will be.
    pub(crate) lost: bool,
    pub(crate) messages: u8,
    /// Sessions that were stored, by their numbers, and those of them whose message left.
    pub(crate) opened: u8,
    /// Sessions whose approval was written at or after their expiry.
    pub(crate) late: u8,
    /// A law of one move: it holds or breaks as the move is made.
    pub(crate) broken: Option<Law>,
}

impl Aim {
    /// The key whose record the step is about.
    pub(crate) const fn key(self) -> u8 {
        match self {
            Self::Check | Self::Peek | Self::Open => DESTINATION,
            Self::Begin | Self::Finish | Self::Release => REQUEST,
        }
    }
}

impl Row {
    pub(crate) fn push(&mut self, caller: u8) {
        self.callers[usize::from(self.len)] = caller;
        self.len += 1;
    }

    pub(crate) fn put_first(&mut self, callers: &[u8]) {
        let behind = *self;
        *self = Self::default();
        callers
            .iter()
            .chain(behind.as_slice())
            .for_each(|caller| self.push(*caller));
    }

    pub(crate) fn remove(&mut self, caller: u8) {
        let all = std::mem::take(self);
        let rest = all.as_slice().iter().filter(|one| **one != caller);
        rest.for_each(|one| self.push(*one));
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.callers[..usize::from(self.len)]
    }
}

impl Wire {
    pub(crate) fn seats(&self) -> &[Seat] {
        &self.seats[..usize::from(self.len)]
    }

    /// Nobody waits any more. What cannot matter then goes, so that equal states look equal.
    pub(crate) fn forsake(&mut self, is_folded: bool) {
        (self.awaited, self.server) = (false, 0);
        let kept = self
            .seats()
            .iter()
            .filter(|seat| seat.changed || !is_folded);
        let kept: Vec<_> = kept.map(|seat| Seat { tries: 0, ..*seat }).collect();
        self.seats = [Seat::default(); MAX_CALLERS];
        self.seats[..kept.len()].copy_from_slice(&kept);
        self.len = u8::try_from(kept.len()).unwrap_or_default();
    }
}

/// As it would be derived, but for the seats that nobody has: they are most of a state.
impl Hash for Wire {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self {
            key,
            server,
            awaited,
            stage,
            seen,
            next,
            life,
            since,
            len: _,
            seats: _,
        } = self;
        (key, server, awaited, stage, seen, next, life, since).hash(state);
        self.seats().hash(state);
    }
}

impl State {
    pub(crate) fn call(&mut self, caller: u8) -> &mut Call {
        &mut self.calls[usize::from(caller)]
    }

    pub(crate) fn line(&mut self, server: u8, key: u8) -> &mut Line {
        &mut self.lines[usize::from(server)][usize::from(key)]
    }

    /// Those of a batch who still wait for it, in their order.
    pub(crate) fn waiting(&self, wire: &Wire) -> Vec<Seat> {
        let waits = |seat: &&Seat| {
            let call = &self.calls[usize::from(seat.caller)];
            call.phase == Phase::InBatch && call.tries == seat.tries
        };
        wire.seats().iter().filter(waits).copied().collect()
    }

    /// The swap under way of one line.
    pub(crate) fn under_way(&self, server: u8, key: u8) -> Option<usize> {
        let of_line = |wire: &Wire| wire.awaited && wire.server == server && wire.key == key;
        self.wires.iter().position(of_line)
    }

    /// Equal states look equal.
    pub(crate) fn tidy(&mut self) {
        self.wires.sort_unstable();
    }
}
