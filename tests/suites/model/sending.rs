//! Sends: what the limits allow, what is charged, and the message that follows.

use countersign::{
    DeliverError, DeliveryMode, LaneView, Opened, Pending, Permanent, SendError, SendRequest,
    SessionId, SessionState,
};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use super::act::{Fault, Outcome, Send};
use super::known::{Session, lane_of};
use super::world::{PLACES, Tested, World};

const BINDING: &[u8] = b"12.00 EUR to Alice";

impl World {
    pub(crate) fn send(&mut self, send: &Send, fault: Fault, skip: usize) -> Tested {
        let (place, lane) = (send.place, usize::from(send.known_device));
        let (to, channel) = (self.places[place].clone(), PLACES[place].0);
        let replaced = send
            .replaces
            .and_then(|n| self.pick(n))
            .filter(|at| self.sessions[*at].place == place);
        let before = self.inspect(place);
        let gate = lane_of(&before, lane).clone();
        let replaced_nonce = replaced.map(|at| self.sessions[at].nonce);
        let live = before.sessions.iter().filter(|one| {
            one.state == SessionState::Live
                && one.known_device == send.known_device
                && Some(one.nonce) != replaced_nonce
        });
        let may = !gate.locked
            && gate.next_send_in == 0
            && self.affords(place)
            && live.count() < usize::from(self.policy_of(lane).live_sessions);
        let (verifier, tenant) = (self.verifier.clone(), self.tenant.clone());
        let mut request = SendRequest::new(&tenant, channel, &to);
        request.known_device = send.known_device;
        request.decoy = send.decoy;
        request.delivery = DeliveryMode::Background;
        request.binding = send.bound.then_some(BINDING);
        request.ttl_seconds = send.ttl;
        request.replaces = replaced.map(|at| self.sessions[at].id);
        let messages = self.recorder.len();
        let opened = self.drive(verifier.open(&request));
        prop_assert_eq!(self.recorder.len(), messages, "I5: a message left early");
        let pending = match opened {
            Some(Ok(Opened::Pending(pending))) => pending,
            Some(Ok(Opened::Answered(_))) => {
                return Err(TestCaseError::fail("nothing was asked twice"));
            }
            Some(Err(SendError::Throttled { .. } | SendError::Locked)) => {
                prop_assert!(!may, "a send within every limit was refused");
                return Ok(());
            }
            None | Some(Err(_)) => {
                prop_assert!(fault != Fault::None && skip == 0, "a send failed");
                self.seen.lost += 1;
                if self.written() {
                    self.lanes[place][lane].sends.push(self.now());
                    self.cause.cancelled = replaced;
                }
                return Ok(());
            }
        };
        prop_assert!(may, "I3: a send beyond the limits was granted");
        prop_assert!(self.acknowledged(), "I5: granted without the store's word");
        self.cause.cancelled = replaced;
        self.pay(place, send.decoy);
        self.note_opening(send, &gate, pending.sent().session_id)?;
        self.deliver_later(send, *pending)
    }

    fn note_opening(&mut self, send: &Send, gate: &LaneView, id: SessionId) -> Tested {
        let (place, lane) = (send.place, usize::from(send.known_device));
        let (verifier, tenant) = (self.verifier.clone(), self.tenant.clone());
        self.note_send(place, lane)?;
        let after = self.inspect(place);
        let left = lane_of(&after, lane).sends_left;
        prop_assert_eq!(
            left[0] + 1,
            gate.sends_left[0],
            "I5: a send was not charged"
        );
        let text = id.to_string();
        let view = self
            .drive(verifier.status(&tenant, &text))
            .unwrap()
            .unwrap();
        let view = view.ok_or_else(|| TestCaseError::fail("I5: opened but not stored"))?;
        let policy = self.verifier.policy();
        let lifetime = send.ttl.unwrap_or(policy.lifetime_seconds).min(600);
        self.sessions.push(Session {
            id,
            nonce: view.nonce,
            place,
            lane,
            decoy: send.decoy,
            binding: send.bound.then_some(BINDING),
            codes: vec![String::new()],
            older: Vec::new(),
            opened: self.now(),
            lifetime: lifetime.into(),
            expires: self.now().plus_secs(lifetime.into()),
            life: self.life,
            sends: 1,
            compared: 0,
            approved: 0,
            state: Some(view.state),
            memos: Vec::new(),
        });
        Ok(())
    }

    fn deliver_later(&mut self, send: &Send, pending: Pending) -> Tested {
        let at = self.sessions.len() - 1;
        if send.slow > 0 {
            self.clock.advance_secs(send.slow);
            // The session may be over by now, and that end must stay.
            let text = self.sessions[at].id.to_string();
            let status = self.verifier.status(&self.tenant, &text);
            let view = self.drive(status).unwrap().unwrap();
            self.sessions[at].state = view.map(|view| view.state);
        }
        self.deliver(at, pending, send.outcome)
    }

    pub(crate) fn deliver(&mut self, at: usize, pending: Pending, outcome: Outcome) -> Tested {
        let messages = self.recorder.len();
        self.recorder.fail_with(match outcome {
            Outcome::Taken => None,
            Outcome::FailsForNow => Some(DeliverError::transient()),
            Outcome::FailsForGood => Some(DeliverError::permanent(Permanent::Blocked)),
        });
        drop(self.drive(pending.deliver()));
        if outcome != Outcome::Taken {
            self.get_back();
        }
        let session = &mut self.sessions[at];
        if session.decoy {
            prop_assert_eq!(self.recorder.len(), messages, "a decoy's message left");
        } else if outcome == Outcome::Taken {
            prop_assert_eq!(
                self.recorder.len(),
                messages + 1,
                "one message for one send"
            );
            let code = self.recorder.last_code().unwrap();
            *session.codes.last_mut().unwrap() = code;
        } else if outcome == Outcome::FailsForGood {
            self.cause.undeliverable = Some(at);
        }
        Ok(())
    }
}
