//! What must hold after every operation, whatever it was.

use countersign::record::{MAX_RECORD_BYTES, Record};
use countersign::{SessionState, SessionStore, Timestamp};
use proptest::prelude::*;

use super::known::lane_of;
use super::world::{Tested, World};

const STREAK_MEMORY: u64 = 400 * 24 * 3600 * 1000;
const RETENTION: u64 = 15 * 60;

impl World {
    pub(crate) fn observe(&mut self) -> Tested {
        prop_assert_eq!(self.flaky.busy_keys(), 0, "a dead caller holds a key");
        for at in 0..self.sessions.len() {
            self.observe_session(at)?;
        }
        for place in 0..self.places.len() {
            self.observe_gate(place)?;
        }
        self.observe_money()?;
        self.observe_values()
    }

    /// I8 and I9: states end once, stay, and change by their own cause only.
    fn observe_session(&mut self, at: usize) -> Tested {
        let text = self.sessions[at].id.to_string();
        let status = self.verifier.status(&self.tenant, &text);
        let view = self.drive(status).unwrap().unwrap();
        let (session, now) = (&self.sessions[at], self.now());
        let fenced = session.life != self.life;
        match (session.state, view.as_ref().map(|view| view.state)) {
            (None, Some(_)) => prop_assert!(false, "I8: a forgotten session came back"),
            (Some(SessionState::Live), None) => {
                let kept = session.expires.plus_secs(RETENTION);
                prop_assert!(now >= kept, "a live session was forgotten");
            }
            (_, None) => {}
            (Some(before), Some(after)) if before == after => {}
            (Some(SessionState::Live), Some(after)) => {
                let cause = &self.cause;
                let caused = match after {
                    SessionState::Live => true,
                    SessionState::Verified => cause.verified == Some(at),
                    SessionState::Exhausted => cause.exhausted == Some(at),
                    SessionState::Cancelled => cause.cancelled == Some(at),
                    SessionState::Undeliverable => cause.undeliverable == Some(at),
                    SessionState::Expired => fenced || now >= session.expires,
                };
                prop_assert!(caused, "I9: live became {:?} without a cause", after);
            }
            (Some(SessionState::Expired), Some(SessionState::Live)) => {
                // The clock went back over the expiry, and nothing had been written.
                prop_assert!(!fenced && now < session.expires, "I8: expired came back");
                self.seen.rewound += 1;
            }
            (Some(before), Some(after)) => {
                prop_assert!(false, "I8: {:?} became {:?}", before, after);
            }
        }
        let session = &mut self.sessions[at];
        if let Some(view) = &view {
            prop_assert_eq!(view.expires_at, session.expires, "another expiry");
            prop_assert_eq!(view.opened_at, session.opened);
            prop_assert_eq!(view.sends, session.sends, "another count of sends");
            let live = view.state == SessionState::Live;
            prop_assert!(
                !live || (now < session.expires && !fenced),
                "I4: live too long"
            );
            if live {
                let left = self.verifier.policy().max_attempts - session.compared;
                prop_assert_eq!(
                    view.attempts_remaining,
                    left,
                    "I1: another count of guesses"
                );
            }
        }
        session.state = view.map(|view| view.state);
        Ok(())
    }

    /// I3: failures are as many as the model counted.
    fn observe_gate(&mut self, place: usize) -> Tested {
        let inspect = self.verifier.inspect(&self.tenant, &self.places[place]);
        let seen = self.drive(inspect).unwrap().unwrap();
        for lane in 0..2 {
            let view = lane_of(&seen, lane);
            let known = &self.lanes[place][lane];
            let expected = self.streak_at(place, lane, self.now());
            prop_assert_eq!(view.locked, known.locked, "I3: another lock");
            prop_assert_eq!(view.streak, expected, "I3: another streak of failures");
        }
        Ok(())
    }

    /// Failures since the last success: forgotten after 400 days, unless they lock.
    pub(crate) fn streak_at(&self, place: usize, lane: usize, now: Timestamp) -> u16 {
        let known = &self.lanes[place][lane];
        // Times are kept in whole seconds, rounded up.
        let last = known.last_failure.as_millis().div_ceil(1000) * 1000;
        if !known.locked && now.as_millis() >= last + STREAK_MEMORY {
            0
        } else {
            known.streak
        }
    }

    /// One canonical encoding of at most 1 KiB.
    fn observe_values(&self) -> Tested {
        for key in self.drive(self.memory.scan(None, 64)).unwrap().unwrap() {
            let loaded = self.drive(self.memory.load(key)).unwrap().unwrap();
            let Some(bytes) = loaded.value else { continue };
            prop_assert!(bytes.len() <= MAX_RECORD_BYTES, "{} bytes", bytes.len());
            let record = Record::decode(&bytes);
            prop_assert!(record.is_ok(), "a stored value does not decode");
            prop_assert_eq!(record.unwrap().encode(), bytes, "another encoding");
        }
        Ok(())
    }
}
