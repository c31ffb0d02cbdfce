//! Resends: a new code, more time, and the same limits.

use countersign::{ResendPolicy, ResendRequest, SendError, SessionState};
use proptest::prelude::*;

use super::act::Outcome;
use super::known::within;
use super::world::{Tested, World};

impl World {
    pub(crate) fn resend(&mut self, at: usize, outcome: Outcome) -> Tested {
        let session = &self.sessions[at];
        let (place, lane) = (session.place, session.lane);
        let (verifier, tenant) = (self.verifier.clone(), self.tenant.clone());
        let to = self.places[place].clone();
        let mut request = ResendRequest::new(&tenant, session.id, &to);
        request.binding = session.binding;
        let messages = self.recorder.len();
        let live = session.state == Some(SessionState::Live) && session.life == self.life;
        let reopened = self.drive(verifier.reopen(&request));
        prop_assert_eq!(self.recorder.len(), messages, "I5: a message left early");
        let granted = matches!(reopened, Some(Ok(_)));
        let lost = matches!(reopened, None | Some(Err(SendError::Store(_))));
        if lost {
            self.seen.lost += 1;
        }
        let may_be_charged = granted || (lost && self.written());
        if !may_be_charged {
            return Ok(());
        }
        prop_assert!(live, "I8: an ended session was sent again");
        prop_assert!(!granted || self.acknowledged(), "I5: not acknowledged");
        self.note_send(place, lane)?;
        self.note_renewal(at)?;
        self.pay(place, self.sessions[at].decoy);
        match reopened {
            Some(Ok(pending)) => self.deliver(at, pending, outcome),
            _ => Ok(()),
        }
    }

    /// The old code is dead, or one of the last few that work; time is cut at the ceiling.
    fn note_renewal(&mut self, at: usize) -> Tested {
        let (now, policy) = (self.now(), self.verifier.policy());
        let session = &mut self.sessions[at];
        session.sends += 1;
        prop_assert!(
            session.sends <= policy.max_sends,
            "too many sends of a session"
        );
        let kept = match policy.resend {
            ResendPolicy::KeepLast(n) => usize::from(n),
            _ => 1,
        };
        session.codes.push(String::new());
        while session.codes.len() > kept {
            session.older.push(session.codes.remove(0));
        }
        let ceiling = session.opened.plus_secs(600);
        let renewed = now.plus_secs(session.lifetime).min(ceiling);
        session.expires = session.expires.max(renewed);
        Ok(())
    }

    pub(crate) fn note_send(&mut self, place: usize, lane: usize) -> Tested {
        let (now, limits) = (self.now(), self.policy_of(lane).sends);
        let sends = &mut self.lanes[place][lane].sends;
        sends.push(now);
        within(sends, limits, now)
    }
}
