//! Resend: another message of a live session.

use crate::clock::Timestamp;
use crate::error::LimitName;
use crate::policy::LaneLimits;
use crate::record::destination::{DestinationRecord, Terms, limits_of};
use crate::record::moment::Moment;
use crate::record::session::Session;
use crate::record::step::{Effect, Refusal, Resend};

impl DestinationRecord {
    pub(super) fn resend(&mut self, resend: &Resend, moment: Moment) -> Effect {
        let now = moment.now;
        let (at, limits) = match self.find_to_resend(resend, moment) {
            Ok(found) => found,
            Err(refusal) => return Effect::Refused(refusal),
        };
        let before = self.clone();
        let known_device = self.session(at).flags().known_device;
        self.change_lane(known_device, |lane| lane.charge_send(&limits, now));
        // The lane lies before it.
        let at = at + self.bytes.len() - before.bytes.len();
        let mut session = self.session_mut(at);
        session.renew(resend.digest, resend.resend);
        let seen = session.get();
        let ceiling = seen.opened().plus_secs(u64::from(resend.ceiling_seconds));
        let renewed = now
            .plus_secs(u64::from(seen.lifetime_seconds()))
            .min(ceiling);
        session.send_again(resend.channel, renewed, now);
        let terms = Terms {
            cooldown_seconds: resend.cooldown_seconds,
            max_sends: resend.max_sends,
            limits: &limits,
        };
        let ticket = self.ticket(self.session(at), &terms, moment);
        if self.make_room() {
            return Effect::Granted(ticket);
        }
        // As when opening: only sessions of an earlier, wider policy can fill a record.
        *self = before;
        Effect::Refused(self.full(now))
    }

    /// What resending would meet, without any change.
    pub(super) fn peek_resend(&self, resend: &Resend, moment: Moment) -> Effect {
        self.find_to_resend(resend, moment)
            .map_or_else(Effect::Refused, |_| Effect::Done)
    }

    /// The session that may be resent now, and the limits of its lane.
    fn find_to_resend(
        &self,
        resend: &Resend,
        moment: Moment,
    ) -> Result<(usize, LaneLimits), Refusal> {
        let at = self.place(resend.nonce, resend.purpose);
        let at = at.ok_or(Refusal::NotLive)?;
        let session = self.session(at);
        let own = session.exact() == resend.exact
            && session.is_live(moment.now)
            && self.is_of_life(moment);
        if !own {
            return Err(Refusal::NotLive);
        }
        let known_device = session.flags().known_device;
        let limits = *limits_of(known_device, &resend.limits, &resend.device_limits);
        match self.resend_refusal(session, resend, &limits, moment.now) {
            Some(refusal) => Err(refusal),
            None => Ok((at, limits)),
        }
    }

    fn resend_refusal(
        &self,
        session: Session<'_>,
        resend: &Resend,
        limits: &LaneLimits,
        now: Timestamp,
    ) -> Option<Refusal> {
        let lane = self.lane(session.flags().known_device);
        if lane.locked() {
            return Some(Refusal::Locked);
        }
        let (limit, retry_after) = if session.sends() >= resend.max_sends {
            // There is none in this session any more: a new one can be opened then.
            (LimitName::SessionSends, now.secs_until(session.expires()))
        } else if session.next_send(resend.cooldown_seconds) > now {
            let next = session.next_send(resend.cooldown_seconds);
            (LimitName::ResendCooldown, now.secs_until(next))
        } else {
            (
                LimitName::DestinationSends,
                lane.sends().wait(&limits.sends, now)?,
            )
        };
        Some(Refusal::Throttled { limit, retry_after })
    }
}
