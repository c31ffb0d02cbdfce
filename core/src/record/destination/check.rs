//! Check: what a guess finds, and what it is charged.

use crate::policy::LaneLimits;
use crate::record::destination::{DestinationRecord, limits_of};
use crate::record::gate::Closed;
use crate::record::session::{Outcome, Session};
use crate::record::step::{Check, Effect, Moment};
use crate::record::view::SessionState;
use crate::verdict::Verdict;

impl DestinationRecord {
    pub(super) fn check(&mut self, check: &Check, moment: Moment) -> Effect {
        match self.admit(check, moment) {
            Ok((at, limits)) => self.judge(at, check, &limits, moment),
            Err(verdict) => Effect::Verdict(verdict),
        }
    }

    /// The session that the guess is about and the limits of its lane; or the verdict of a
    /// guess that is not taken. The order of these questions is the meaning of a check:
    /// what is not charged comes first.
    fn admit(&self, check: &Check, moment: Moment) -> Result<(usize, LaneLimits), Verdict> {
        let now = moment.now;
        let Some(at) = self.place(check.nonce, check.purpose) else {
            return Err(Verdict::Unknown);
        };
        let session = self.session(at);
        if !self.is_of_life(moment) {
            return Err(Verdict::Expired);
        }
        if let Some(verdict) = check.attempt.and_then(|mark| session.recall(mark, now)) {
            return Err(verdict);
        }
        if session.state() != SessionState::Live {
            return Err(session.verdict_of_end());
        }
        if session.is_late(now) {
            return Err(Verdict::Expired);
        }
        let attempts_remaining = session.attempts_remaining();
        if !check.fit.fits(session.form()) {
            return Err(Verdict::Malformed { attempts_remaining });
        }
        let limits = limits_of(session, &check.limits, &check.device_limits);
        let lane = self.lane(session.flags().known_device);
        match lane.closed_to_guesses(&limits, now) {
            Some(Closed::Locked) => Err(Verdict::Locked { attempts_remaining }),
            Some(Closed::Throttled { retry_after }) => Err(Verdict::Throttled {
                retry_after,
                attempts_remaining,
            }),
            None => Ok((at, limits)),
        }
    }

    /// Charges first, then compares; then the lane, which lies before its sessions.
    fn judge(&mut self, at: usize, check: &Check, limits: &LaneLimits, moment: Moment) -> Effect {
        let now = moment.now;
        let mut session = self.session_mut(at);
        session.charge();
        let (effect, outcome) = if session.get().has_code(&check.digest) {
            session.end(SessionState::Verified, now);
            (approval(session.get()), Outcome::Verified)
        } else {
            let left = session.get().attempts_remaining();
            if left == 0 {
                session.end(SessionState::Exhausted, now);
            }
            (Effect::Verdict(Verdict::wrong(left)), Outcome::Wrong(left))
        };
        if let Some(mark) = check.attempt {
            session.remember(mark, outcome, now);
        }
        let known_device = session.get().flags().known_device;
        self.change_lane(known_device, |lane| {
            lane.charge_failure(limits, now);
            if outcome == Outcome::Verified {
                lane.succeed(limits, now);
            }
        });
        if !self.make_room() {
            self.squeeze(check.nonce, known_device, moment);
        }
        effect
    }
}

fn approval(session: Session<'_>) -> Effect {
    let channel = session.channel();
    match session.prefix() {
        Some(prefix) => Effect::Approved { channel, prefix },
        None => Effect::Verdict(Verdict::Verified { channel }),
    }
}
