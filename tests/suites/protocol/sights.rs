//! What must be seen somewhere, or the laws hold in vain.

use crate::protocol::Protocol;
use crate::scenario::Role;
use crate::state::{Phase, Stage, State};
use crate::values::Found;

/// Something that a search should meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Sight {
    Approved,
    Wrong,
    Exhausted,
    Expired,
    AlreadyUsed,
    Throttled,
    Unknown,
    /// A try is told of a session that another one opened.
    Existing,
    InProgress,
    AnsweredBefore,
    /// An approval is told to a caller that had been in doubt.
    Recalled,
    /// A swap is lost to another.
    Lost,
    /// A swap may arrive for which nobody waits.
    Orphan,
    /// A caller is in doubt, and its guess is charged.
    DoubtCharged,
    /// An approval was written at or after the expiry.
    LateWrite,
    /// A failover lost writes.
    LostWrites,
    /// Two nodes take themselves for the primary.
    TwoPrimaries,
    /// Three steps go in one swap.
    Batch,
    /// A message left, and its try ended in doubt.
    MessageInDoubt,
}

impl Sight {
    pub(crate) const ALL: [Self; 19] = [
        Self::Approved,
        Self::Wrong,
        Self::Exhausted,
        Self::Expired,
        Self::AlreadyUsed,
        Self::Throttled,
        Self::Unknown,
        Self::Existing,
        Self::InProgress,
        Self::AnsweredBefore,
        Self::Recalled,
        Self::Lost,
        Self::Orphan,
        Self::DoubtCharged,
        Self::LateWrite,
        Self::LostWrites,
        Self::TwoPrimaries,
        Self::Batch,
        Self::MessageInDoubt,
    ];

    pub(crate) const fn is_in(self, sights: u64) -> bool {
        sights & 1 << self as u8 != 0
    }
}

impl Protocol {
    pub(crate) fn seen(&self, state: &State) -> u64 {
        let mut sights = 0;
        let mut see = |sight: Sight, is: bool| sights |= u64::from(is) << sight as u8;
        for (caller, role) in self.roles() {
            let call = &state.calls[usize::from(caller)];
            let approved = call.told == Found::Approved;
            see(Sight::Recalled, approved && call.doubted);
            see(
                Sight::DoubtCharged,
                call.phase == Phase::Doubt && call.charged > 0,
            );
            let doubt = call.phase == Phase::Over && call.told == Found::Nothing;
            see(
                Sight::MessageInDoubt,
                role == Role::Send && doubt && state.ghost.messages > 0,
            );
            if let Some(sight) = of_answer(call.told) {
                see(sight, true);
            }
        }
        for wire in &state.wires {
            see(Sight::Lost, wire.stage == Stage::Lost);
            see(Sight::Orphan, !wire.awaited);
            see(Sight::Batch, wire.len == 3);
        }
        see(Sight::LateWrite, state.ghost.late != 0);
        see(Sight::LostWrites, state.ghost.lost);
        see(
            Sight::TwoPrimaries,
            state.nodes.iter().all(|node| node.primary),
        );
        sights
    }
}

fn of_answer(told: Found) -> Option<Sight> {
    Some(match told {
        Found::Approved => Sight::Approved,
        Found::Wrong(_) => Sight::Wrong,
        Found::Exhausted => Sight::Exhausted,
        Found::Expired => Sight::Expired,
        Found::AlreadyUsed => Sight::AlreadyUsed,
        Found::Throttled => Sight::Throttled,
        Found::Unknown => Sight::Unknown,
        Found::Existing(_) => Sight::Existing,
        Found::InProgress => Sight::InProgress,
        Found::Answered(_) => Sight::AnsweredBefore,
        _ => return None,
    })
}
