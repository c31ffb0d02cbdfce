//! Who calls, what may go wrong, and how often: the bounds, each with its reason.

use crate::guards::{Guard, Guards};
use crate::laws::Law;

/// Two of each show every race of many: a swap is lost to one other.
pub(crate) const SERVERS: usize = 2;
/// A primary and its copy. With a third there are more ways to lose writes, but no other loss.
pub(crate) const NODES: usize = 2;
/// The most callers of a scenario.
pub(crate) const MAX_CALLERS: usize = 4;

/// What a caller does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Checks a code of the session with this number. Whoever names the attempt may repeat it.
    Guess {
        session: u8,
        right: bool,
        named: bool,
    },
    /// Tries the one send of the idempotency key.
    Send,
    /// Opens another session, without a key.
    Open,
}

/// How the store takes a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// By load and swap, one batch of a server at a time.
    Swap,
    /// At the data, each step for itself (Redis' own check).
    Native,
}

/// What can go wrong. Each costs one fault of the budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A swap or its answer is late, or lost.
    TimeOut,
    /// A caller goes half-way.
    Drop,
    /// A server dies; another takes its place at once.
    Crash,
    /// The copy takes over.
    Failover,
}

/// One model: a few callers, and a few faults that may meet.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) callers: &'static [Role],
    pub(crate) manner: Manner,
    pub(crate) faults: &'static [Fault],
    /// How many faults may meet in one run, of whatever sort.
    pub(crate) budget: u8,
    /// How far the clock may go.
    pub(crate) ticks: u8,
    /// Sessions that are open from the start.
    pub(crate) opened: u8,
    /// Messages that the destination takes in a while.
    pub(crate) sends: u16,
    pub(crate) guards: Guards,
    /// The one law that is watched; none means all.
    pub(crate) only: Option<Law>,
}

/// How often a caller repeats what ended in doubt. Twice would be once, and once more.
pub(crate) const RETRIES: u8 = 1;

const RIGHT: Role = guess(0, true, true);
const THIEF: Role = guess(0, true, false);
const WRONG: Role = guess(0, false, false);
const WRONG_NAMED: Role = guess(0, false, true);
const WRONG_OTHER: Role = guess(1, false, false);
const WRONG_OTHER_NAMED: Role = guess(1, false, true);
/// At the session that the second caller opens.
const RIGHT_NEXT: Role = guess(2, true, false);

const fn guess(session: u8, right: bool, named: bool) -> Role {
    Role::Guess {
        session,
        right,
        named,
    }
}

/// What goes wrong around a store that loses nothing.
const OURS: [Fault; 3] = [Fault::TimeOut, Fault::Drop, Fault::Crash];
/// What goes wrong around one that does. That callers go and servers die is left to the others:
/// for a swap it is the same as a time-out.
const STORES: [Fault; 2] = [Fault::TimeOut, Fault::Failover];
const ANY: [Fault; 4] = [Fault::TimeOut, Fault::Drop, Fault::Crash, Fault::Failover];

impl Scenario {
    /// All scenarios, with the bounds of a run of seconds or of one of minutes.
    pub(crate) fn all(long: bool) -> Vec<Self> {
        vec![
            Self::races(long),
            Self::guesses(long),
            Self::gate(long),
            Self::failover(long),
            Self::reopened(long),
            Self::native(long),
            Self::send(long),
            Self::refused(long),
        ]
    }

    /// The owner, a thief who knows the code, and a guesser. The clock passes the expiry
    /// (tick 2), a memo's end with it.
    pub(crate) fn races(long: bool) -> Self {
        Self {
            name: "races",
            callers: &[RIGHT, THIEF, WRONG_NAMED],
            manner: Manner::Swap,
            faults: &OURS,
            // Each fault meets every race; two meet each other too.
            budget: if long { 2 } else { 1 },
            ticks: 2,
            opened: 1,
            sends: 2,
            guards: Guards::ALL,
            only: None,
        }
    }

    /// More guesses than a session has attempts (2). No limit hangs on these ticks, so there
    /// are none.
    pub(crate) fn guesses(long: bool) -> Self {
        let few: &[Role] = &[WRONG, WRONG, WRONG_NAMED];
        let more: &[Role] = &[RIGHT, WRONG, WRONG, WRONG_NAMED];
        Self {
            name: "guesses",
            callers: if long { more } else { few },
            ticks: 0,
            // A fourth caller costs as much as a second fault.
            budget: if long { 1 } else { 2 },
            ..Self::races(long)
        }
    }

    /// Two sessions of one destination, and more guesses than it may have failures (2).
    pub(crate) fn gate(long: bool) -> Self {
        let few: &[Role] = &[WRONG, WRONG_OTHER, WRONG_OTHER_NAMED];
        let more: &[Role] = &[RIGHT, WRONG, WRONG_OTHER, WRONG_OTHER_NAMED];
        Self {
            name: "gate",
            callers: if long { more } else { few },
            opened: 2,
            budget: 1,
            ..Self::guesses(long)
        }
    }

    /// A copy takes over, and another again: what was used before is used again, if it can be.
    /// Time changes nothing about lives, so it stands still.
    pub(crate) fn failover(long: bool) -> Self {
        Self {
            name: "failover",
            callers: &[RIGHT, THIEF, WRONG],
            faults: &STORES,
            // There and back: the fewest after which a node could take up its old life.
            budget: if long { 3 } else { 2 },
            ticks: 0,
            ..Self::races(long)
        }
    }

    /// After a failover another code is asked for, and both are tried.
    pub(crate) fn reopened(long: bool) -> Self {
        Self {
            name: "reopened",
            callers: &[THIEF, Role::Open, RIGHT_NEXT, RIGHT_NEXT],
            faults: &STORES,
            budget: if long { 2 } else { 1 },
            ticks: 0,
            ..Self::races(long)
        }
    }

    /// The store takes each check itself: nothing is lost to another, but answers are. What it
    /// decides in time it has written in time, so the clock stands still.
    pub(crate) fn native(long: bool) -> Self {
        Self {
            name: "native",
            manner: Manner::Native,
            faults: &ANY,
            budget: if long { 2 } else { 1 },
            ticks: 0,
            ..Self::races(false)
        }
    }

    /// Three tries of one send: a first, a second that takes over, and one that comes after.
    /// The clock passes a lease (tick 2; in the long run another, tick 4) and the window of
    /// sends (tick 3), of which there is one.
    pub(crate) fn send(long: bool) -> Self {
        Self {
            name: "send",
            callers: &[Role::Send; 3],
            ticks: if long { 4 } else { 3 },
            opened: 0,
            sends: 1,
            budget: if long { 2 } else { 1 },
            ..Self::races(long)
        }
    }

    /// The same, while the destination takes no message before tick 3; then it takes two.
    pub(crate) fn refused(long: bool) -> Self {
        Self {
            name: "refused",
            opened: 2,
            sends: 2,
            ..Self::send(long)
        }
    }

    pub(crate) fn without(mut self, guards: &[Guard]) -> Self {
        self.guards = guards
            .iter()
            .fold(self.guards, |left, guard| left.without(*guard));
        self
    }

    pub(crate) fn watching(mut self, law: Law) -> Self {
        self.only = Some(law);
        self
    }
}
