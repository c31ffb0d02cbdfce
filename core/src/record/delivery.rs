//! What becomes of a session's messages: outcomes, reports, and another channel's turn.

use crate::destination::Channel;
use crate::record::destination::DestinationRecord;
use crate::record::moment::Moment;
use crate::record::session::Session;
use crate::record::step::{DeliveryOutcome, Effect, Posted, Refusal};
use crate::record::view::{DeliveryState, SessionState};

impl DestinationRecord {
    /// Only the last message counts: what is learnt late of an earlier one, whose code may
    /// be dead, says nothing about the code that the person waits for.
    pub(super) fn note(
        &mut self,
        posted: Posted,
        outcome: DeliveryOutcome,
        moment: Moment,
    ) -> Effect {
        let same_life = self.is_of_life(moment);
        if let Some(mut session) = self.find_mut(posted.nonce) {
            // What is over stays what it was, however late its message fails.
            session.settle(moment.now);
            if is_last(session.get(), posted) {
                let delivery = learnt(session.get().delivery(), outcome);
                session.travel(posted.channel, delivery);
                if outcome == DeliveryOutcome::Undeliverable && same_life {
                    session.end(SessionState::Undeliverable, moment.now);
                }
            }
        }
        self.look(posted.nonce, moment)
    }

    /// A message may leave by another channel only while its session is live, no newer
    /// message was asked for, and nothing was heard of this one.
    pub(super) fn turn(&mut self, posted: Posted, channel: Channel, moment: Moment) -> Effect {
        let same_life = self.is_of_life(moment);
        let waiting = |session: Session<'_>| {
            same_life
                && session.is_live(moment.now)
                && is_last(session, posted)
                && session.delivery() == DeliveryState::Unknown
        };
        match self.find_mut(posted.nonce) {
            Some(mut session) if waiting(session.get()) => {
                session.travel(channel, DeliveryState::Unknown);
                Effect::Done
            }
            _ => Effect::Refused(Refusal::NotLive),
        }
    }
}

fn is_last(session: Session<'_>, posted: Posted) -> bool {
    (session.sends(), session.channel()) == (posted.number, posted.channel)
}

/// What is known after an outcome. Reports overtake answers and one another, so it never
/// goes back: that a provider took a message says less than that it failed later, and
/// nothing is said against one that arrived.
const fn learnt(known: DeliveryState, outcome: DeliveryOutcome) -> DeliveryState {
    match (known, outcome) {
        (DeliveryState::Delivered, _) | (_, DeliveryOutcome::Delivered) => DeliveryState::Delivered,
        (DeliveryState::Failed, _)
        | (_, DeliveryOutcome::Failed | DeliveryOutcome::Undeliverable) => DeliveryState::Failed,
        (DeliveryState::Unknown | DeliveryState::Accepted, DeliveryOutcome::Accepted) => {
            DeliveryState::Accepted
        }
    }
}
