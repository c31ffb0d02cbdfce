//! Resend: another message of a live session.

use crate::clock::Timestamp;
use crate::error::LimitName;
use crate::policy::LaneLimits;
use crate::record::destination::{DestinationRecord, limits_of};
use crate::record::session::Session;
use crate::record::step::{Effect, Moment, Refusal, Resend};
use crate::record::view::DeliveryState;

impl DestinationRecord {
    pub(super) fn resend(&mut self, resend: &Resend, moment: Moment) -> Effect {
        let now = moment.now;
        let (at, limits) = match self.find_to_resend(resend, moment) {
            Ok(found) => found,
            Err(refusal) => return Effect::Refused(refusal),
        };
        let session = &mut self.sessions[at];
        self.gate
            .lane_mut(session.flags.known_device)
            .charge_send(&limits, now);
        session.renew(resend.digest, resend.resend);
        session.channel = resend.channel;
        session.delivery = DeliveryState::Unknown;
        session.sends = session.sends.saturating_add(1);
        session.last_send = now.floor_secs();
        let ceiling = session.opened.plus_secs(u64::from(resend.ceiling_seconds));
        let renewed = now
            .plus_secs(u64::from(session.lifetime_seconds))
            .min(ceiling);
        session.expires = session.expires.max(renewed);
        let ticket = session.ticket(resend.cooldown_seconds, resend.max_sends, now);
        self.make_room();
        Effect::Granted(ticket)
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
        let own = |session: &&Session| {
            session.exact == resend.exact
                && session.is_live(moment.now)
                && self.incarnation == moment.incarnation
        };
        let at = self.position(resend.nonce, resend.purpose);
        let at = at.ok_or(Refusal::NotLive)?;
        let session = self.sessions.get(at).filter(own).ok_or(Refusal::NotLive)?;
        let limits = limits_of(session, &resend.limits, &resend.device_limits);
        match self.resend_refusal(session, resend, &limits, moment.now) {
            Some(refusal) => Err(refusal),
            None => Ok((at, limits)),
        }
    }

    fn resend_refusal(
        &self,
        session: &Session,
        resend: &Resend,
        limits: &LaneLimits,
        now: Timestamp,
    ) -> Option<Refusal> {
        let lane = self.gate.lane(session.flags.known_device);
        if lane.locked {
            return Some(Refusal::Locked);
        }
        let (limit, retry_after) = if session.sends >= resend.max_sends {
            // There is none in this session any more: a new one can be opened then.
            (LimitName::SessionSends, now.secs_until(session.expires))
        } else if session.next_send(resend.cooldown_seconds) > now {
            let next = session.next_send(resend.cooldown_seconds);
            (LimitName::ResendCooldown, now.secs_until(next))
        } else {
            (
                LimitName::DestinationSends,
                lane.sends.wait(&limits.sends, now)?,
            )
        };
        Some(Refusal::Throttled { limit, retry_after })
    }
}
