//! Check: what a guess finds, and what it is charged.

use crate::record::destination::{DestinationRecord, limits_of};
use crate::record::gate::Closed;
use crate::record::moment::Moment;
use crate::record::session::{Outcome, Session};
use crate::record::step::{Check, Effect};
use crate::record::view::SessionState;
use crate::verdict::Verdict;

impl DestinationRecord {
    pub(super) fn check(&mut self, check: &Check, moment: Moment) -> Effect {
        match self.admit(check, moment) {
            Ok(at) => self.judge(at, check, moment),
            Err(verdict) => Effect::Verdict(verdict),
        }
    }

    /// Where the session that the guess is about begins; or the verdict of a guess that is not
    /// taken. The order of these questions is the meaning of a check:
    /// what is not charged comes first.
    fn admit(&self, check: &Check, moment: Moment) -> Result<usize, Verdict> {
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
        if !session.is_open() {
            return Err(session.verdict_of_end());
        }
        if session.is_late(now) {
            return Err(Verdict::Expired);
        }
        let attempts_remaining = session.attempts_remaining();
        if !check.fit.fits(session.form()) {
            return Err(Verdict::Malformed { attempts_remaining });
        }
        let known_device = session.flags().known_device;
        let limits = limits_of(known_device, &check.limits, &check.device_limits);
        match self.lane(known_device).closed_to_guesses(limits, now) {
            Some(Closed::Locked) => Err(Verdict::Locked { attempts_remaining }),
            Some(Closed::Throttled { retry_after }) => Err(Verdict::Throttled {
                retry_after,
                attempts_remaining,
            }),
            None => Ok(at),
        }
    }

    /// Charges the session, right or wrong; then the lane, which lies before its sessions.
    fn judge(&mut self, at: usize, check: &Check, moment: Moment) -> Effect {
        let now = moment.now;
        let found = self.session(at);
        let (right, known_device) = (found.has_code(&check.digest), found.flags().known_device);
        let left = found.attempts_remaining().saturating_sub(1);
        let mut session = self.session_mut(at);
        session.charge();
        let (effect, outcome) = if right {
            session.end(SessionState::Verified, now);
            (approval(session.get()), Outcome::Verified)
        } else {
            if left == 0 {
                session.end(SessionState::Exhausted, now);
            }
            (Effect::Verdict(Verdict::wrong(left)), Outcome::Wrong(left))
        };
        if let Some(mark) = check.attempt {
            session.remember(mark, outcome, now);
        }
        let limits = limits_of(known_device, &check.limits, &check.device_limits);
        self.change_lane(known_device, |lane| {
            if right {
                lane.succeed();
            } else {
                lane.charge_failure(limits, now);
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
